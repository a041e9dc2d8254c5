"""Plugins where upstream would run them: a stand-in for its server, with its FastHTML (make old) and with the current one."""

import os
import time
from importlib.metadata import version
from pathlib import Path

import fasthtml
import pytest
import starlette
from fasthtml.core import fh_cfg
from starlette.testclient import TestClient

from pipulate_runtime.cells import configure, shutdown
from pipulate_runtime.host.base.browser import fill
from tests import ported
from tests.conftest import ROOT
from tests.contract import upstream
from tests.contract.visitor import HTMX, Visitor

PLUGINS = sorted((Path(__file__).parent / "plugins").glob("*.py"))
PORTED = [ROOT / "generated" / "hello.py", ported.plugin("text_tools")]


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(fh_cfg, "indent", True)
    configure(data=tmp_path / "data")
    app = upstream.make([*PLUGINS, *PORTED], tmp_path)
    with TestClient(app, base_url="http://127.0.0.1:5001") as made:
        yield made
        made.portal.call(shutdown)


@pytest.fixture
def rows(client, tmp_path):
    return lambda: upstream.rows(client.app, tmp_path)


def run(visitor, steps, **answers):
    """Answers what asks until the run can be locked; cells take as long as they take."""
    until = time.monotonic() + 200
    while not visitor.page.form_for(f"/{visitor.app_name}/finalize"):
        assert time.monotonic() < until, visitor.text()
        visitor.settle()
        for step in steps:
            if visitor.page.form_for(f"/{visitor.app_name}/{step}_submit"):
                assert visitor.standing(step) != "error", visitor.shows(step)
                visitor.submit(f"{step}_submit", **answers.get(step, {}))
                break
        time.sleep(0.02)


@pytest.mark.skipif(not os.environ.get("PIPULATE_OLD"), reason="make old")
def test_these_are_the_versions_of_upstream():
    assert version("python-fasthtml") == fasthtml.__version__ == "0.12.47"
    assert version("starlette") == starlette.__version__ == "0.52.1"


@pytest.mark.kernel
def test_a_ported_plugin_from_start_to_end_and_back(client, rows):
    visitor = Visitor(client, "hello", "hello").start("x")
    key = "Default_Profile-hello-x"
    run(visitor, ["step_01", "step_02"], step_01={"a": "Ada <b>"})
    assert rows()[key]["step_01"]["a"] == "Ada <b>"
    assert "Hello Ada <b>" in visitor.shows("step_02")
    visitor.submit("finalize")
    assert rows()[key]["finalize"] == {"finalized": True}
    assert visitor.standing("step_01") == visitor.standing("step_02") == "locked"
    # fault 5: upstream holds no lock; a ported plugin does
    before = rows()[key]
    send = {"pipeline_id": key, "a": "changed", "step_id": "step_01"}
    for action in ("step_01_submit", "step_02_submit", "revert"):
        client.post(f"/hello/{action}", data=send, headers=HTMX)
    assert rows()[key] == before
    visitor.submit("unfinalize")
    visitor.back("step_01")
    assert visitor.form("step_01_submit").find("input", attrs={"name": "a"})["value"] == "Ada <b>"
    assert "step_02" not in rows()[key]
    run(visitor, ["step_01", "step_02"], step_01={"a": "Bob"})
    assert "Hello Bob" in visitor.shows("step_02")
    assert len(visitor.ids()) == len(set(visitor.ids()))


@pytest.mark.kernel
@pytest.mark.slow
def test_another_ported_plugin_shows_what_its_cells_showed(client, rows):
    visitor = Visitor(client, "text_tools", "text_tools").start("x")
    steps = [s.id for s in client.app.state.plugins["text_tools"].steps[:-1]]
    run(visitor, steps)
    visitor.submit("finalize")
    state = rows()["Default_Profile-text_tools-x"]
    assert all("_cells" in state[step] for step in steps)
    texts = [
        output["text"]
        for step in steps
        for cell in state[step]["_cells"]
        for output in cell["outputs"]
        if output["output_type"] == "stream"
    ]
    assert texts
    shown = [pre.get_text() for pre in visitor.page.soup.select("[data-output=stream]")]
    for text in texts:  # to the blank: the page's own indentation must not get in
        assert any(text.rstrip("\n") in part for part in shown), text


@pytest.mark.kernel
@pytest.mark.slow
def test_ported_plugins_hold_two_runs_although_upstream_knows_one(client, rows):
    one, two = (Visitor(client, "hello", "hello").start(name) for name in ("one", "two"))
    assert client.app.state.pip.db["pipeline_id"] == "Default_Profile-hello-two"
    run(one, ["step_01", "step_02"], step_01={"a": "Ada"})
    run(two, ["step_01", "step_02"], step_01={"a": "Bob"})
    assert rows()["Default_Profile-hello-one"]["step_01"]["a"] == "Ada"
    assert rows()["Default_Profile-hello-two"]["step_01"]["a"] == "Bob"


@pytest.mark.kernel
@pytest.mark.slow
def test_ported_plugins_find_their_rows_whatever_filter_another_workflow_left(client, rows):
    visitor = Visitor(client, "hello", "hello").start("x")
    key = "Default_Profile-hello-x"
    table = client.app.state.pip.table
    client.get("/choices")
    assert client.app.state.pip.read_state(key) == {}
    form = visitor.form("step_01_submit")
    visitor.send(visitor.page.submit(form, fill(form, {"a": "Ada"})))
    until = time.monotonic() + 200
    while "step_02" not in rows()[key] and time.monotonic() < until:
        visitor.client.get("/choices")  # also in the midst of a step
        if call := visitor.page.pending():
            visitor.send(call)
    assert rows()[key]["step_01"]["a"] == "Ada"
    assert "step_02" in rows()[key]
    # it took the filter off and put none of its own on: the others find their rows as well
    client.get("/hello/step_01", params={"pipeline_id": key}, headers=HTMX)
    assert table.xtra_id == {}


class TestTheStandIn:
    """It has the faults that were seen on the running server, so that passing on it says something."""

    def test_a_plugin_written_from_the_contract_works_on_it(self, client, rows):
        visitor = Visitor(client, "greeting", "greeting").start("x")
        visitor.submit("step_01_submit", name="Ada")
        visitor.submit("step_02_submit")
        visitor.submit("finalize")
        state = rows()["Default_Profile-greeting-x"]
        assert state["step_02"] == {"greeting": "Hello Ada"}
        assert state["finalize"] == {"finalized": True}
        visitor.submit("unfinalize")
        visitor.back("step_02")
        assert "step_02" in rows()["Default_Profile-greeting-x"]

    @pytest.mark.parametrize(
        ("key", "app_name", "answers"),
        [
            ("by_hand", "hand-made", [{"first": "6"}, {"second": "7"}]),
            ("choices", "choices", [{"one": "south"}, {}, {}]),
            ("widgets", "widgets", [{}] * 6),
        ],
    )
    def test_so_do_the_others(self, client, rows, key, app_name, answers):
        if key == "widgets":
            pytest.importorskip("pandas")  # of the demo
            pytest.importorskip("matplotlib")
        visitor = Visitor(client, key, app_name).start("x")
        for number, answer in enumerate(answers, 1):
            visitor.submit(f"step_{number:02}_submit", **answer)
        visitor.submit("finalize")
        assert rows()[f"Default_Profile-{app_name}-x"]["finalize"] == {"finalized": True}

    def test_one_run_for_everybody(self, client, rows):
        one, two = (Visitor(client, "greeting", "greeting").start(name) for name in ("1", "2"))
        one.submit("step_01_submit", name="Ada")
        assert "step_01" not in rows()["Default_Profile-greeting-1"]
        assert rows()["Default_Profile-greeting-2"]["step_01"] == {"name": "Ada"}
        assert two.form("step_01_submit")

    def test_a_sticky_filter(self, client):
        Visitor(client, "greeting", "greeting").start("x")
        pip = client.app.state.pip
        assert pip.read_state("Default_Profile-greeting-x")
        client.get("/choices")
        assert pip.read_state("Default_Profile-greeting-x") == {}

    def test_ids_that_stand_twice(self, client):
        visitor = Visitor(client, "greeting", "greeting").start("x")
        visitor.submit("step_01_submit", name="Ada")
        assert visitor.ids().count("step_01") == 2

    def test_a_locked_run_can_be_changed(self, client, rows):
        visitor = Visitor(client, "greeting", "greeting").start("x")
        visitor.submit("step_01_submit", name="Ada")
        visitor.submit("step_02_submit")
        visitor.submit("finalize")
        client.post("/greeting/step_01_submit", data={"name": "Eve"}, headers=HTMX)
        assert "finalize" not in rows()["Default_Profile-greeting-x"]
