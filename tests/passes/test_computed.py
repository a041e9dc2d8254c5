"""Choices, labels and help that earlier cells compute: how they are read, when they are known, what stands in the plugin."""

import ast
import textwrap

import pytest

from tests.build import code, emitted, function, plan_of, planned
from transpiler.fields.from_earlier import is_expression, names, parts_of
from transpiler.model.ir import PlannedField

BEFORE = "towns = ['Rome', 'Bonn']\ncountry = 'Italy'"


def asked(cell: str, **attributes: object) -> tuple[PlannedField, list[str]]:
    """The field `x` of a cell below one that binds `towns` and `country`, and what was reported of it."""
    made, found = planned(BEFORE, code(cell, input=[{"name": "x", **attributes}]))
    (field,) = made.steps[1].fields
    return field, [f"{d.rule.code} {d.message}" for d in found]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("sorted(towns)", True),
        ("[t for t in towns if t]", True),
        ("towns = 5", False),
        ("(x := towns)", False),
        ("await towns", False),
        ("a b", False),
        ("", False),
    ],
)
def test_what_may_be_choices(text: str, wanted: bool) -> None:
    assert is_expression(text) is wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("sorted(towns)", ("towns",)),
        ("[t for t in towns if t != home]", ("towns", "home")),
        ("list(map(lambda a: a.name, towns))", ("towns",)),
        ('f"{country!r:>8} and {towns[0]}"', ("country", "towns")),
    ],
)
def test_the_names_that_it_needs(text: str, wanted: tuple[str, ...]) -> None:
    assert names(text) == wanted


@pytest.mark.parametrize(
    ("label", "wanted"),
    [
        ("Where in {country}?", "f'Where in {country}?'"),
        ("{len(towns)} towns", "f'{len(towns)} towns'"),
        ("It's {country}", 'f"It\'s {country}"'),
        ("Where?", None),
        ("A set: {{a}}", None),
        ("An empty {}", None),
        ("Half a {brace", None),
        ("{a b}", None),
        ("{(x := 1)}", None),
    ],
)
def test_a_label_with_expressions_in_braces(label: str, wanted: str | None) -> None:
    assert parts_of({"label": label}).get("label") == wanted


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("x = 'Rome'", "select"),
        ("x = ['Rome']", "multi-select"),
        ("x = towns[0]", "select"),
        ("x = towns[:1]", "multi-select"),
        ("x = [t for t in towns]", "multi-select"),
        ("x = sorted(towns) or [country]", "multi-select"),
        ("x = towns[:1] if country else []", "multi-select"),
        ("x = [country] + towns", "multi-select"),
        ("x = towns.tolist()", "multi-select"),
    ],
)
def test_one_or_several_as_the_value_is(cell: str, kind: str) -> None:
    field, found = asked(cell, choices="towns")
    assert (field.type, field.computed[-1], found) == (kind, "choices", [])


def test_none_of_them_is_an_empty_list_as_the_notebook_has_lists() -> None:
    assert asked("x = towns[:1]", choices="towns")[0].empty == []
    assert asked("x = towns", choices="towns", type="multi-select")[0].empty == []
    assert asked("x = None", choices="towns", type="multi-select")[0].empty is None


def test_a_type_that_is_given_is_taken() -> None:
    assert asked("x = towns[0]", choices="towns", type="radio")[0].control == "radio"
    assert asked("x = country", choices="towns", type="multi-select")[0].control == "multi_select"


@pytest.mark.parametrize(
    ("cell", "attributes", "reason"),
    [
        ("x = 1", {"choices": "twons"}, "the choices of x"),
        ("x = 1", {"label": "{twons}"}, "the label of x"),
        ("x = 1", {"help": "{twons}"}, "the help of x"),
        ("towns = [1]\nx = 1", {"choices": "towns"}, "`towns` is set in this step itself"),
    ],
)
def test_what_is_not_known_by_then_is_reported(
    cell: str, attributes: dict[str, str], reason: str
) -> None:
    field, found = asked(cell, **attributes)
    assert [line[:5] for line in found] == ["PP310"]
    assert reason in found[0]
    assert field.computed == ()
    assert field.control == "input", "any text can be given instead"


def test_what_the_cell_sets_further_down_is_no_matter() -> None:
    assert asked("x = 1\ntowns = [2]", choices="towns")[1] == []


def test_the_first_step_comes_after_nothing() -> None:
    made, found = planned(code("x = [1]", input=[{"name": "x", "choices": "range(3)"}]))
    assert [d.rule.code for d in found] == ["PP310"]
    assert made.steps[0].fields[0].reader == "json"


def test_a_name_that_only_a_form_needs_goes_out_to_it() -> None:
    cells = [BEFORE, code("x = 1", input=[{"name": "x", "choices": "towns"}])]
    kept = dict(plan_of(*cells).steps[0].cells[0].declarations)
    assert kept["out: for the cells after"] == ("towns",)
    assert "towns" not in function(emitted(*cells), "step_02_cell")


def test_the_plugin_says_how() -> None:
    given = {"name": "x", "label": "Where in {country}?", "choices": "sorted(towns)"}
    text = emitted(BEFORE, code("x = towns[0]", input=[given]))
    source = ast.unparse(ast.parse(textwrap.dedent(function(text, "step_02_suggestions"))))
    assert "global towns, country" in source
    assert "'x': towns[0]" in source
    assert "'x.choices': list(sorted(towns))" in source
    assert "'x.label': f'Where in {country}?'" in source
    assert 'computed.get("x.label", labels["x"])' in function(text, "step_02_form")
    assert "please choose" not in text, "a message does not name a label that nobody knows"
