"""The plugin of every fixture runs: from landing to finalize, unlocked, stepped back, and taken up after a restart."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipulate_runtime.host.app import create_app
from pipulate_runtime.host.walk.result import Walked
from pipulate_runtime.host.walk.walk import walk_app
from pipulate_runtime.host.walk.walker import HTMX, ORIGIN
from tests import ported
from tests.conftest import slow_but
from tests.test_inputs import NEEDED

PLUGINS = ported.NAMES
ANSWERS: dict[str, dict[str, dict[str, str]]] = {
    "hello": {"step_01": {"a": "Ada <b>Lovelace</b>"}},
    **{name: {s: dict(a) for s, a in steps.items()} for name, steps in NEEDED.items()},
    "all_types": {"step_03": {"token": "a secret of mine"}},
}

# What is asked once more when the last step runs again after a restart.
AGAIN = {
    "all_types": {"step_03": ANSWERS["all_types"]["step_03"]},
    "asked_questions": {"step_02": ANSWERS["asked_questions"]["step_02"]},
    "pipulate_calls": ANSWERS["pipulate_calls"],
    "questions_while_running": ANSWERS["questions_while_running"],
}

pytestmark = pytest.mark.kernel


def in_app(
    data: Path, name: str, deed: Callable[[Any, Any, httpx.AsyncClient], Awaitable[None]]
) -> None:
    """Do something with a plugin in an app of its own, as one life of the server."""

    async def life() -> None:
        app = create_app(ported.plugins(), data)
        async with app.router.lifespan_context(app):
            assert not app.state.loaded.problems
            plugin = next(p for p in app.state.loaded.plugins if p.key == name)
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(
                transport=transport, base_url=ORIGIN, timeout=60
            ) as client:
                await deed(app, plugin, client)

    asyncio.run(life())


def shown(walked: Walked) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """What a walk showed: for each step the kind, type and text of its outputs."""
    return [(step.id, [(o.kind, o.mime, o.text) for o in step.outputs]) for step in walked.steps]


async def finished(client: httpx.AsyncClient, path: str, key: str) -> str:
    """Ask for a card until it is not running any more, as the page does; return it."""
    while True:
        page = await client.get(path, params={"pipeline_id": key}, headers=HTMX)
        if 'data-state="running"' not in page.text:
            return page.text
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("name", slow_but(PLUGINS, "hello", "sales_report"))
def test_a_run_goes_all_the_way_and_back(name: str, tmp_path: Path) -> None:
    first: dict[str, Any] = {}

    async def walk_and_lock(app: Any, plugin: Any, client: httpx.AsyncClient) -> None:
        walked = await walk_app(app, plugin, ANSWERS.get(name, {}))
        assert walked.finalized
        assert {step.state for step in walked.steps} == {"locked"}
        key = walked.key
        before = app.state.store.read(key)

        for step in plugin.steps[:-1]:
            await client.post(f"/{name}/{step.id}_submit", data={"pipeline_id": key}, headers=HTMX)
        await client.post(
            f"/{name}/revert", data={"pipeline_id": key, "step_id": "step_01"}, headers=HTMX
        )
        assert app.state.store.read(key) == before, "a locked run was changed"
        first.update(key=key, shown=shown(walked), state=before)

    async def unlock_and_walk_again(app: Any, plugin: Any, client: httpx.AsyncClient) -> None:
        key = first["key"]
        assert app.state.store.read(key) == first["state"], "the restart lost something"
        for step in plugin.steps[:-1]:
            page = await client.get(f"/{name}/{step.id}", params={"pipeline_id": key}, headers=HTMX)
            assert 'data-state="locked"' in page.text

        await client.post(f"/{name}/unfinalize", data={"pipeline_id": key}, headers=HTMX)
        assert "finalize" not in app.state.store.read(key)
        last = plugin.steps[-2].id
        await client.post(
            f"/{name}/revert", data={"pipeline_id": key, "step_id": last}, headers=HTMX
        )
        again = await walk_app(app, plugin, AGAIN.get(name, {}), key=key)
        assert again.finalized
        assert (
            shown(again) == first["shown"]
        ), "replayed after a restart, the last step shows something else"

    in_app(tmp_path, name, walk_and_lock)
    in_app(tmp_path, name, unlock_and_walk_again)


def test_going_back_clears_what_came_after_and_keeps_the_answer(tmp_path: Path) -> None:
    async def deed(app: Any, plugin: Any, client: httpx.AsyncClient) -> None:
        walked = await walk_app(app, plugin, {"step_02": {"limit": "900"}})
        key = walked.key
        await client.post("/sales_report/unfinalize", data={"pipeline_id": key}, headers=HTMX)
        await client.post(
            "/sales_report/revert", data={"pipeline_id": key, "step_id": "step_02"}, headers=HTMX
        )
        state = app.state.store.read(key)
        assert [name for name in state if name.startswith("step_")] == ["step_01", "step_02"]

        form = await client.get("/sales_report/step_02", params={"pipeline_id": key}, headers=HTMX)
        assert 'data-state="input"' in form.text
        assert 'value="900"' in form.text

        refused = await client.post(
            "/sales_report/step_02_submit",
            data={"pipeline_id": key, "limit": "-5 <b>"},
            headers=HTMX,
        )
        assert "whole number, 0 or more" in refused.text
        assert "-5 &lt;b&gt;" in refused.text, "what was typed is gone"
        assert app.state.store.read(key) == state

        early = await client.post(
            "/sales_report/step_04_submit", data={"pipeline_id": key}, headers=HTMX
        )
        assert "sales_report-container" in early.text
        assert app.state.store.read(key) == state, "a step was run before the one above it was done"

    in_app(tmp_path, "sales_report", deed)


def test_what_was_typed_is_there_when_the_server_ends_while_the_cell_runs(tmp_path: Path) -> None:
    keys: list[str] = []

    async def submit(app: Any, plugin: Any, client: httpx.AsyncClient) -> None:
        await client.post("/hello/init", data={"pipeline_id": "one"}, headers=HTMX)
        keys.append(app.state.pipulate.db["pipeline_id"])
        plugin.instance.cells.start = nothing_comes_of_it
        await client.post(
            "/hello/step_01_submit", data={"pipeline_id": keys[0], "a": "Ada"}, headers=HTMX
        )

    async def nothing_comes_of_it(*_: Any) -> None:
        """The server ends before the cell does."""

    async def look(app: Any, plugin: Any, client: httpx.AsyncClient) -> None:
        page = await client.get("/hello/step_01", params={"pipeline_id": keys[0]}, headers=HTMX)
        assert 'data-state="input"' in page.text
        assert 'value="Ada"' in page.text
        await client.post(
            "/hello/step_01_submit", data={"pipeline_id": keys[0], "a": "Grace"}, headers=HTMX
        )
        await finished(client, "/hello/step_01", keys[0])
        assert "_typed" not in app.state.store.read(keys[0])

    in_app(tmp_path, "hello", submit)
    in_app(tmp_path, "hello", look)


def test_two_tabs_hold_two_runs(tmp_path: Path) -> None:
    async def deed(app: Any, plugin: Any, client: httpx.AsyncClient) -> None:
        keys = []
        for typed in ("one", "two"):
            await client.post("/hello/init", data={"pipeline_id": typed}, headers=HTMX)
            keys.append(app.state.pipulate.db["pipeline_id"])
        for key, answer in zip(keys, ("Ada", "Grace"), strict=True):
            sent = {"pipeline_id": key, "a": answer}
            await client.post("/hello/step_01_submit", data=sent, headers=HTMX)
        for key, answer in zip(keys, ("Ada", "Grace"), strict=True):
            page = await finished(client, "/hello/step_01", key)
            assert 'data-state="done"' in page
            assert answer in page
        states = [app.state.store.read(key)["step_01"]["a"] for key in keys]
        assert states == ["Ada", "Grace"]

    in_app(tmp_path, "hello", deed)
