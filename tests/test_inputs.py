"""The notebooks of fixtures/inputs: each convention that asks for a value, ported, walked with answers, compared."""

from collections.abc import Mapping

import pytest

from tests import ported
from tests.conftest import ROOT, slow_but
from transpiler.model.options import Options
from transpiler.pipeline import planned
from transpiler.verify.result import Verified
from transpiler.verify.verify import verify

INPUTS = ROOT / "fixtures" / "inputs"

NEEDED: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "asked_questions": {
        "step_01": {"who": "Ada", "lines": "2"},
        "step_02": {"password": "tell no one"},
    },
    "questions_while_running": {
        "step_02": {"input": '["pears", "bread", "x", "3", "honey", "2", ""]'},
        "step_03": {"input": '["s3cret"]'},
        "step_04": {"input": '["29"]'},
    },
    "pipulate_calls": {"step_04": {"api_key": "a key"}, "step_08": {"TOKEN": "a token"}},
}
"""Answers without which the app cannot go on: only a person has them."""

OTHER: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "cell_options": {"step_05": {"word": "rough"}},
    "option_lines": {
        "step_01": {"people": "4", "vehicle": "car"},
        "step_03": {"nights": "0", "breakfast": "on"},
    },
    "papermill_parameters": {
        "step_01": {
            "start": "2023-12-30",
            "until": "2024-01-01T00:00",
            "days": "3",
            "offset": "-7",
            "tariff": "0.5",
            "method": "max",
            "limit": "310",
            "levels": "[1, 2, 3]",
            "window": "(0, 2)",
            "target": "other.txt",
        }
    },
    "colab_forms": {
        "step_01": {
            "shape": "saw",
            "label": "a wave of one's own",
            "level": "7",
            "fine": "-0.5",
            "day": "2025-01-31",
            "filled": "off",
            "marks": "{'a': 1}",
            "quality": "100",
        }
    },
    "widget_values": {
        "step_01": {"amount": "5000", "rate": "2.25", "years_from": "20", "years_to": "8"},
        "step_03": {
            "plan": "business",
            "bank": "Town bank",
            "first": "2025-02-28",
            "closing": "09:15",
            "name": "O'Hara",
            "urgent": "on",
            "tags": '["a", "b"]',
        },
        "step_06": {"papers": str(INPUTS / "guests.csv")},
    },
    "interact_calls": {
        "step_01": {"k": "3", "x": "-0.5"},
        "step_02": {"rows": "2", "unit": "pond", "signed": "off"},
        "step_03": {"k_2": "5", "x_2": "3"},
        "step_05": {"size": "3.5"},
        "step_06": {"between_from": "2", "between_to": "-1.25", "k_3": "9"},
    },
    "pressed_buttons": {
        "step_01": {"name": "Grace"},
        "step_03": {"volume": "9"},
        "step_05": {"n": "2"},
    },
    "asked_questions": {"step_01": {"who": "the cat", "lines": "3"}},
    "questions_while_running": {
        "step_02": {"input": '["honey", "two", "<2>", "3", ""]'},
        "step_04": {"input": '["27"]'},
    },
    "pipulate_calls": {
        "step_02": {"year": "1999"},
        "step_03": {"town": "Bonn"},
        "step_05": {"prompt": "Say less."},
        "step_06": {"url_list": "https://example.org/a\n# not this\nhttps://example.org/b"},
        "step_07": {"custom_filters": '{"pages": 1}'},
    },
}
NAMES = sorted(OTHER)


def compared(name: str, given: Mapping[str, Mapping[str, str]]) -> Verified:
    """The verification of a notebook and its committed plugin."""
    plugin = ported.plugin(name)
    return verify(INPUTS / f"{name}.ipynb", plugin, given, lambda _: None)


def joined(
    first: Mapping[str, Mapping[str, str]], second: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    return {step: {**first.get(step, {}), **second.get(step, {})} for step in {*first, *second}}


def shown(found: Verified) -> list[object]:
    return [output for row in found.rows for output in row.app]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_left_unasked(name: str) -> None:
    path = INPUTS / f"{name}.ipynb"
    made = planned(path.read_bytes(), path, Options())
    assert made.plan is not None
    assert {d.rule.code for d in made.found} <= {"PP126", "PP202", "PP203"}, [
        d.message for d in made.found
    ]
    fields = {step.id: {f.name for f in step.fields} for step in made.plan.steps}
    for step, answers in {**OTHER[name], **NEEDED.get(name, {})}.items():
        assert answers.keys() - {"input"} <= fields[step]


@pytest.mark.kernel
@pytest.mark.parametrize("name", slow_but(NAMES, "asked_questions"))
def test_the_app_shows_what_the_notebook_shows_also_with_other_answers(name: str) -> None:
    own = compared(name, NEEDED.get(name, {}))
    assert [r.verdict.difference for r in own.rows if r.verdict.kind != "same"] == []
    assert own.stopped == ""
    other = compared(name, joined(NEEDED.get(name, {}), OTHER[name]))
    assert [r.verdict.difference for r in other.rows if r.verdict.kind != "same"] == []
    assert other.stopped == ""
    assert shown(other) != shown(own), "the answers change nothing"


def test_all_of_them_are_here() -> None:
    assert {p.stem for p in INPUTS.glob("*.ipynb")} >= set(NAMES)
    readme = (ROOT / "fixtures" / "README.md").read_text(encoding="utf-8")
    assert [p.stem for p in INPUTS.glob("*.ipynb") if f"`inputs/{p.stem}`" not in readme] == []


def test_a_secret_of_the_notebook_is_not_in_the_plugin() -> None:
    text = ported.plugin("pipulate_calls").read_text(encoding="utf-8")
    assert "not-a-real-one" not in text
