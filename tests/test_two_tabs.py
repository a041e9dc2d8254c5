"""Two tabs on one run: what one leaves open or computes must not undo what the other did."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipulate_runtime.host.app import create_app
from pipulate_runtime.host.walk.walk import walk_app
from pipulate_runtime.host.walk.walker import HTMX, ORIGIN
from tests.build import raw
from transpiler.model.options import Options
from transpiler.pipeline import port

pytestmark = pytest.mark.kernel

WAITING = """#| input: gate
gate = "open"
import os, time
if gate == "bad":
    raise ValueError("a bad gate")
while gate == "shut" and not os.path.exists("go"):
    time.sleep(0.01)
"""

Do = Callable[[str, dict[str, str]], Awaitable[str]]


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """A workflow of two steps; the first waits as long as the test likes."""
    notebook = tmp_path / "gates.ipynb"
    notebook.write_bytes(raw(WAITING, "print('gate was', gate)"))
    port(notebook, tmp_path / "plugins", Options())
    return tmp_path / "plugins"


def with_a_done_run(plugins: Path, deed: Callable[[Any, str, Do, Do], Awaitable[None]]) -> None:
    """Walk a run until all its steps are done but leave it open; then do something with it."""

    async def life() -> None:
        app = create_app(plugins, plugins.parent / "data")
        async with app.router.lifespan_context(app):
            (plugin,) = app.state.loaded.plugins
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(
                transport=transport, base_url=ORIGIN, timeout=60
            ) as client:
                key = (await walk_app(app, plugin, {})).key

                async def post(action: str, sent: dict[str, str]) -> str:
                    data = {"pipeline_id": key, **sent}
                    return (await client.post(f"/gates/{action}", data=data, headers=HTMX)).text

                async def get(action: str, sent: dict[str, str]) -> str:
                    params = {"pipeline_id": key, **sent}
                    return (await client.get(f"/gates/{action}", params=params, headers=HTMX)).text

                await post("unfinalize", {})
                await deed(app, key, post, get)

    asyncio.run(life())


async def finished(get: Do, action: str) -> str:
    """Ask for a card until it is not running any more, as the page does; return it."""
    while 'data-state="running"' in (card := await get(action, {})):
        await asyncio.sleep(0.05)
    return card


@pytest.mark.slow
def test_what_a_tab_left_open_computes_does_not_open_a_locked_run(plugins: Path) -> None:
    async def deed(app: Any, key: str, post: Do, get: Do) -> None:
        assert 'data-state="running"' in await post("step_01_submit", {"gate": "shut"})
        await post("finalize", {})
        locked = app.state.store.read(key)
        assert locked["finalize"] == {"finalized": True}
        for gate in (plugins.parent / "data").rglob("work"):
            (gate / "go").touch()
        await finished(get, "step_01")
        assert app.state.store.read(key) == locked

    with_a_done_run(plugins, deed)


@pytest.mark.slow
def test_an_answer_that_fails_is_not_hidden_behind_the_one_before(plugins: Path) -> None:
    async def deed(app: Any, key: str, post: Do, get: Do) -> None:
        before = app.state.store.read(key)
        await post("step_01_submit", {"gate": "bad"})
        card = await finished(get, "step_01")
        assert 'data-state="error"' in card
        assert "a bad gate" in card
        after = app.state.store.read(key)
        assert after.pop("_typed") == {"step_01": {"gate": "bad"}}
        assert {**after, "updated": None} == {
            **before,
            "updated": None,
        }, "a failed step changed the run"

    with_a_done_run(plugins, deed)


def test_a_second_tab_does_not_start_a_running_step_again(plugins: Path) -> None:
    async def deed(app: Any, key: str, post: Do, get: Do) -> None:
        await post("step_01_submit", {"gate": "shut"})
        second = await post("step_01_submit", {"gate": "bad"})
        assert 'data-state="running"' in second
        assert "sent this step again with other answers" in second
        assert ">shut<" in second, "the card says which answers are running"
        assert "sent this step again with other answers" in await get("step_01", {})
        while "Running… " not in await get("step_01", {}):  # its folder is made anew before that
            await asyncio.sleep(0.05)
        for gate in (plugins.parent / "data").rglob("work"):
            (gate / "go").touch()
        assert 'data-state="done"' in await finished(get, "step_01")
        assert app.state.store.read(key)["step_01"]["gate"] == "shut"

    with_a_done_run(plugins, deed)


def test_one_tab_stops_what_another_started(plugins: Path) -> None:
    async def deed(app: Any, key: str, post: Do, get: Do) -> None:
        before = app.state.store.read(key)
        assert 'id="step_01-stop"' in await post("step_01_submit", {"gate": "shut"})
        await post("stop/step_01", {})
        card = await finished(get, "step_01")
        assert 'data-state="error"' in card
        assert "You stopped this step" in card
        assert 'value="shut"' in card, "the form is offered again with what was typed"
        assert app.state.store.read(key)["step_01"] == before["step_01"]
        await post("step_01_submit", {"gate": "open"})
        assert 'data-state="done"' in await finished(get, "step_01")

    with_a_done_run(plugins, deed)


@pytest.mark.slow
def test_a_locked_run_can_be_unlocked_when_the_workflow_has_got_a_new_step(plugins: Path) -> None:
    async def deed(app: Any, key: str, post: Do, get: Do) -> None:
        await post("finalize", {})
        with app.state.store.changing(key) as state:
            del state["step_02"]
        card = await get("finalize", {})
        assert 'data-state="locked"' in card
        assert 'hx-post="/gates/unfinalize"' in card

    with_a_done_run(plugins, deed)
