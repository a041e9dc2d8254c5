"""The reference workflows of fixtures/flows: what is particular to each, walked over HTTP.

`tests/test_golden.py` ports them, `tests/test_generated_apps.py` walks all of them to their end and back, `make verify` holds
them against their notebooks.
"""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest
from bs4 import BeautifulSoup

from pipulate_runtime.host.base import errors
from pipulate_runtime.host.walk.walk import walk_app
from pipulate_runtime.host.walk.walker import HTMX
from tests import ported
from tests.conftest import ROOT
from tests.test_generated_apps import finished, in_app
from transpiler.model.options import Options
from transpiler.pipeline import planned
from transpiler.verify.verify import verify

FLOWS = ROOT / "fixtures" / "flows"
NAMES = (
    "bridge_flow",
    "data_cleaning",
    "keyword_research",
    "link_graph",
    "starter_flow",
    "ten_cards",
)
Deed = Callable[[Any, Any, httpx.AsyncClient], Awaitable[None]]


# --- the notebooks ------------------------------------------------------------------------------------------------------


def test_all_of_them_are_here_and_have_their_reason() -> None:
    assert tuple(sorted(path.stem for path in FLOWS.glob("*.ipynb"))) == NAMES
    readme = (ROOT / "fixtures" / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`flows/{name}`" not in readme] == []


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_notebook_as_jupyter_writes_it_and_there_is_nothing_to_say_about_it(
    name: str,
) -> None:
    path = FLOWS / f"{name}.ipynb"
    nbformat.validate(nbformat.read(path, as_version=nbformat.NO_CONVERT))
    text = path.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n"
    made = planned(path.read_bytes(), path, Options())
    assert made.plan is not None
    assert [d.message for d in made.found] == []
    titles = [step.title for step in made.plan.steps]
    assert len(set(titles)) == len(titles)


def test_ten_cards_are_ten_that_build_on_each_other() -> None:
    path = FLOWS / "ten_cards.ipynb"
    plan = planned(path.read_bytes(), path, Options()).plan
    assert plan is not None
    assert len(plan.steps) == 10
    for step in plan.steps[2:]:
        told = [name for cell in step.cells for said, names in cell.declarations for name in names]
        assert len(told) > 1, f"{step.title} uses nothing of the cards before"


# --- the bridge ---------------------------------------------------------------------------------------------------------

kernel = pytest.mark.kernel


def bridge(tmp_path: Path, deed: Deed) -> None:
    in_app(tmp_path, "bridge_flow", deed)


async def post(client: httpx.AsyncClient, path: str, key: str, **sent: str) -> httpx.Response:
    data = {"pipeline_id": key, **sent}
    return await client.post(f"/bridge_flow/{path}", data=data, headers=HTMX)


async def card(client: httpx.AsyncClient, key: str, step: str = "step_03") -> BeautifulSoup:
    """A card once it is not running any more."""
    return BeautifulSoup(await finished(client, f"/bridge_flow/{step}", key), "html.parser")


async def up_to_the_third_question(app: Any, client: httpx.AsyncClient, quest: str) -> str:
    await client.post("/bridge_flow/init", data={"pipeline_id": "a traveller"}, headers=HTMX)
    key = str(app.state.pipulate.db["pipeline_id"])
    await post(client, "step_01_submit", key, name="Brian")
    await card(client, key, "step_01")
    await post(client, "step_02_submit", key, quest=quest)
    await card(client, key, "step_02")
    return key


def asked(page: BeautifulSoup) -> tuple[str, list[str]]:
    """The question of a card and the answers it offers."""
    legend = page.find("legend")
    assert legend is not None
    return legend.get_text(), [str(i["value"]) for i in page.select("input[type=radio]")]


@kernel
def test_the_second_answer_decides_the_third_question(tmp_path: Path) -> None:
    seen = {}

    async def deed(app: Any, plugin: Any, client: httpx.AsyncClient) -> None:
        key = await up_to_the_third_question(app, client, "A shrubbery")
        seen["shrubbery"] = asked(await card(client, key))
        # An answer to another question is none to this one
        refused = await post(client, "step_03_submit", key, answer="Blue")
        assert "before it is a tree: please choose from the list." in refused.text
        assert asked(BeautifulSoup(refused.text, "html.parser")) == seen["shrubbery"]
        assert "step_03" not in app.state.store.read(key)
        await post(client, "revert", key, step_id="step_02")
        await post(client, "step_02_submit", key, quest="Just the view")
        await card(client, key, "step_02")
        seen["view"] = asked(await card(client, key))
        await post(client, "step_03_submit", key, answer="Blue")
        assert "stands aside" in (await card(client, key)).get_text()

    bridge(tmp_path, deed)
    assert seen["shrubbery"][0] == "How tall may a shrub grow before it is a tree?"
    assert len(seen["shrubbery"][1]) == 3
    assert seen["view"][0] == "What is your favourite colour?"
    assert set(seen["view"][1]).isdisjoint(seen["shrubbery"][1])


@kernel
def test_a_wrong_answer_throws_the_traveller_off_and_a_right_one_crosses(tmp_path: Path) -> None:
    keys: list[str] = []

    async def fall(app: Any, plugin: Any, client: httpx.AsyncClient) -> None:
        keys.append(await up_to_the_third_question(app, client, "A shrubbery"))
        await post(client, "step_03_submit", keys[0], answer="Up to a knight's knee")
        page = await card(client, keys[0])
        ended = page.select_one(".ended")
        assert ended is not None
        assert "thrown off the bridge, Brian" in ended.get_text()
        shown = page.get_text()
        assert [w for w in ("SystemExit", "Traceback", "%tb", "quit") if w in shown] == []
        checked = page.select_one("input[checked]")
        assert checked is not None, "what was answered is gone"
        assert checked["value"] == "Up to a knight's knee"
        state = app.state.store.read(keys[0])
        assert "step_03" not in state
        early = await post(client, "step_04_submit", keys[0])
        assert "bridge_flow-container" in early.text, "who fell has crossed all the same"
        await post(client, "finalize", keys[0])
        assert "finalize" not in app.state.store.read(keys[0])

    async def climb_up_and_cross(app: Any, plugin: Any, client: httpx.AsyncClient) -> None:
        page = await card(client, keys[0])
        assert asked(page)[0] == "How tall may a shrub grow before it is a tree?"
        given = {"step_03": {"answer": "Who is measuring?"}}
        walked = await walk_app(app, plugin, given, key=keys[0])
        assert walked.finalized
        (said,) = walked.steps[-1].outputs
        assert "Brian has crossed the bridge" in said.text
        assert "a shrubbery" in said.text

    bridge(tmp_path, fall)
    bridge(tmp_path, climb_up_and_cross)


@kernel
@pytest.mark.slow
def test_a_walk_that_ends_early_says_so(tmp_path: Path) -> None:
    async def deed(app: Any, plugin: Any, client: httpx.AsyncClient) -> None:
        given = {"step_02": {"quest": "A shrubbery"}}
        with pytest.raises(errors.HostError) as raised:
            await walk_app(app, plugin, given)
        assert raised.value.code == errors.STEP_FAILED.code
        assert "thrown off the bridge, Arthur" in str(raised.value)

    bridge(tmp_path, deed)


# --- the others ---------------------------------------------------------------------------------------------------------

OTHER: dict[str, dict[str, dict[str, str]]] = {
    "data_cleaning": {
        "step_02": {"gaps": "off"},
        "step_03": {"names": "[]", "small": '["e-mail", "Boat"]'},
        "step_04": {"same": '["Name", "Boat"]', "kept": "the last"},
    },
    "link_graph": {
        "step_02": {"home": "/guide", "columns": '["words", "visits"]'},
        "step_03": {"size": "visits", "named": "off"},
    },
}


@kernel
@pytest.mark.slow
@pytest.mark.parametrize("name", OTHER)
def test_choices_come_from_the_data(name: str) -> None:
    """Chosen are columns of the files, and of a table that a step has made of them and of what was chosen before."""
    plugin = ported.plugin(name)
    found = verify(FLOWS / f"{name}.ipynb", plugin, OTHER[name], lambda _: None)
    assert [row.difference for row in found.rows if row.verdict.kind != "same"] == []
    assert found.stopped == ""
    assert all(row.app for row in found.rows[2:])


@kernel
@pytest.mark.slow
def test_a_choice_that_the_data_do_not_have_is_refused(tmp_path: Path) -> None:
    async def deed(app: Any, plugin: Any, client: httpx.AsyncClient) -> None:
        await client.post("/keyword_research/init", data={"pipeline_id": "one"}, headers=HTMX)
        key = str(app.state.pipulate.db["pipeline_id"])
        await walk_app(app, plugin, {}, key=key)
        await client.post("/keyword_research/unfinalize", data={"pipeline_id": key}, headers=HTMX)
        await client.post(
            "/keyword_research/revert",
            data={"pipeline_id": key, "step_id": "step_04"},
            headers=HTMX,
        )
        before = app.state.store.read(key)
        sent = {"pipeline_id": key, "chosen": ["to make", "to steal"]}
        refused = await client.post("/keyword_research/step_04_submit", data=sent, headers=HTMX)
        assert "Groups: please choose from the list." in refused.text
        assert app.state.store.read(key) == before
        page = BeautifulSoup(refused.text, "html.parser")
        boxes = {str(i["value"]): i.has_attr("checked") for i in page.select("[name=chosen]")}
        assert boxes["to make"]
        assert "to steal" not in boxes

    in_app(tmp_path, "keyword_research", deed)
