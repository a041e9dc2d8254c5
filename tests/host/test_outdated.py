"""Runs that were made before their workflow was ported again: what the page says, and that nothing of them is lost."""

import json

import pytest
from bs4 import BeautifulSoup
from starlette.testclient import TestClient

from pipulate_runtime.cells.kernel import pool
from pipulate_runtime.host.app import create_app
from pipulate_runtime.host.pages.outdated import outdated_steps
from tests.build import code, md, raw
from tests.host.helpers import HTMX, LOCAL
from transpiler.model.options import Options
from transpiler.pipeline import port

KEY = "Default_Profile-trip-old"


def cell(name, source, **more):
    return code(source, **more) | {"id": name}


TRIP = (
    md("# Trip", id="t"),
    cell("a", "limit = 5", input="limit"),
    cell("b", "best = limit * 2\nprint(best)"),
    cell("c", "print('end')"),
)


class Desk:
    """A notebook, its plugin, and a server that starts anew after each port."""

    def __init__(self, tmp_path):
        self.notebook, self.out = tmp_path / "trip.ipynb", tmp_path / "generated"
        self.data = tmp_path / "data"

    def port(self, *cells):
        self.notebook.write_bytes(raw(*cells))
        port(self.notebook, self.out, Options())
        self.client = TestClient(create_app(self.out, self.data), base_url=LOCAL)
        self.plugin = self.client.app.state.loaded.by_app["trip"]
        return self

    def make_run(self, *steps, **more):
        """A run that did these steps with the workflow as it is."""
        source = self.plugin.instance.cells.source
        state = {
            step.id: {step.done: True, "_cells": [
                {"id": cell.id, "hash": cell.hash, "code": cell.code, "outputs": []} for cell in source.of_step(step.id)
            ]}
            for step in self.plugin.steps if step.id in steps
        }  # fmt: skip
        store = self.client.app.state.store
        store.create(KEY, "trip", {**state, **more})
        return self

    @property
    def state(self):
        return self.client.app.state.store.read(KEY)

    @property
    def found(self):
        return [
            (each.step.id, each.why) for each in outdated_steps(self.plugin.instance, self.state)
        ]

    def page(self):
        return BeautifulSoup(self.client.get("/trip", params={"run": KEY}).text, "html.parser")

    def get(self, action):
        return BeautifulSoup(
            self.client.get(f"/trip/{action}", params={"pipeline_id": KEY}, headers=HTMX).text,
            "html.parser",
        )

    def revert(self, form):
        sent = {field["name"]: field["value"] for field in form.select("input")}
        return self.client.post(form["hx-post"], data=sent, headers=HTMX)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setattr(
        pool.settings, "data", tmp_path / "data"
    )  # the server starts nothing here: no kernels
    made = Desk(tmp_path).port(*TRIP)
    assert [step.id for step in made.plugin.steps] == ["step_01", "step_02", "step_03", "finalize"]
    return made


ALL = ("step_01", "step_02", "step_03")


@pytest.mark.parametrize("done", [(), ALL[:1], ALL[:2], ALL])
def test_a_run_of_this_version_is_not_out_of_date(desk, done) -> None:
    desk.make_run(*done)
    assert desk.found == []
    assert desk.page().find(id="outdated").text == ""
    desk.port(
        *TRIP, cell("z", "print('one more at the end')")
    )  # nothing of the run was made without it
    assert desk.found == []


def test_a_changed_step_and_what_comes_after_it(desk) -> None:
    desk.make_run(*ALL)
    desk.port(*TRIP[:2], cell("b", "best = limit * 3\nprint(best)"), TRIP[3])
    assert desk.found == [("step_02", "changed"), ("step_03", "after")]
    before = desk.state
    said = desk.page().find(id="outdated")
    assert ["code has changed" in li.text for li in said.find_all("li")] == [True, False]
    assert "step_01" not in said.text
    for step in ALL:
        desk.get(step)
    assert desk.state == before  # looking at it changes nothing
    form = said.form
    assert "Result" in form["hx-confirm"] or "End" in form["hx-confirm"]
    desk.revert(form)
    assert desk.state["_revert_target"] == "step_02"
    assert desk.state["step_01"] == before["step_01"]
    assert "step_03" not in desk.state
    assert desk.found == []
    assert desk.page().find(id="outdated").text == ""


def test_only_the_title_or_a_comment_is_no_other_version(desk) -> None:
    desk.make_run(*ALL)
    desk.port(
        TRIP[0],
        TRIP[1],
        md("## Another title", id="h"),
        cell("b", "# a comment\nbest = limit * 2\nprint(best)"),
        TRIP[3],
    )
    assert desk.found == []


def test_a_step_that_was_inserted_does_not_run_by_itself(desk) -> None:
    desk.make_run(*ALL)
    desk.port(*TRIP[:2], cell("x", "extra = 1\nprint(extra)"), *TRIP[2:])
    assert [step.id for step in desk.plugin.steps][:2] == ["step_01", "step_04"]
    assert desk.found == [("step_04", "new"), ("step_02", "after"), ("step_03", "after")]
    before = desk.state
    assert desk.page().find(id="outdated").find("a")["href"] == "#step_04"
    card = desk.get("step_04").find(id="step_04")
    assert (card["data-state"], card.get("hx-trigger"), card.get("hx-post")) == (
        "input",
        None,
        None,
    )
    assert card.form["hx-post"] == "/trip/step_04_submit"
    assert [step.show in card.text for step in desk.plugin.steps[2:4]] == [True, True]
    assert desk.plugin.steps[0].show not in card.text
    assert desk.state == before


def test_a_new_run_runs_by_itself(desk) -> None:
    desk.make_run("step_01")
    card = desk.get("step_02").find(id="step_02")
    assert (card["hx-trigger"], card["hx-post"]) == ("load", "/trip/step_02_submit")


def test_a_step_that_is_gone_or_was_moved(desk) -> None:
    desk.make_run(*ALL)
    desk.port(*TRIP[:2], TRIP[3])
    assert desk.found == [("step_03", "after")]
    desk.port(*TRIP[:2], TRIP[3], TRIP[2])
    assert desk.found[0][1] == "after"
    assert {step for step, _ in desk.found} >= {"step_03"}


def test_what_a_run_has_of_a_step_that_is_gone_is_put_away_when_it_runs_again(desk) -> None:
    desk.make_run(*ALL)
    desk.port(*TRIP[:2], TRIP[3])
    kept = desk.state["step_02"]
    desk.revert(desk.page().find(id="outdated").form)
    assert (desk.state["_revert_target"], desk.state["_retired"]) == ("step_03", {"step_02": kept})
    with desk.client.app.state.store.changing(KEY) as state:  # it has run
        del state["_revert_target"]
    assert desk.found == []


def test_a_step_at_the_end_that_is_gone_changes_nothing_else(desk) -> None:
    desk.make_run(*ALL)
    desk.port(*TRIP[:3])
    assert desk.found == []


def test_a_locked_run_says_how_to_go_on(desk) -> None:
    desk.make_run(*ALL, finalize={"finalized": True})
    desk.port(*TRIP[:2], cell("b", "best = 1"), TRIP[3])
    said = desk.page().find(id="outdated")
    assert "Unlock" in said.text
    assert said.form is None


def test_a_card_brings_the_news_along(desk) -> None:
    desk.make_run(*ALL)
    desk.port(*TRIP[:2], cell("b", "best = 1"), TRIP[3])
    (swapped,) = [
        div
        for div in desk.get("step_01").find_all("div")
        if div.get("hx-swap-oob") == "innerHTML:#outdated"
    ]
    assert "older version" in swapped.text


def test_the_list_of_runs_says_it(desk) -> None:
    desk.make_run(*ALL)
    assert "older version" not in desk.client.get("/trip").text
    desk.port(*TRIP[:2], cell("b", "best = 1"), TRIP[3])
    assert "older version" in desk.client.get("/trip").text


def test_the_state_keeps_the_order_in_which_steps_were_done(desk) -> None:
    desk.make_run(*ALL)
    assert list(json.loads(desk.client.app.state.store.run(KEY).data))[:3] == list(ALL)
