"""How often a request reads its run: the row is asked for, and its JSON parsed, a few times at most, however long it is."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipulate_runtime.cells import api
from pipulate_runtime.host.app import create_app
from pipulate_runtime.host.walk.walk import walk_app
from pipulate_runtime.host.walk.walker import HTMX, ORIGIN
from tests.build import raw
from transpiler.model.options import Options
from transpiler.pipeline import port

pytestmark = pytest.mark.kernel

LENGTH = 12
Ask = Callable[..., Awaitable[Counter[str]]]


def counted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    deed: Callable[[Any, str, Ask], Awaitable[None]],
) -> None:
    """Walk a workflow of steps without fields and one with a field; then ask, each time with what that has cost."""
    cells = [
        "#| input: number\nnumber = 1",
        *(f"x{n} = {n}\nprint('a line')" for n in range(LENGTH)),
    ]
    (tmp_path / "chain.ipynb").write_bytes(raw(*cells))
    port(tmp_path / "chain.ipynb", tmp_path / "plugins", Options())
    monkeypatch.setattr(api, "QUICK", 60.0)  # however slow the machine is
    counts: Counter[str] = Counter()
    loads = json.loads

    def counting(text: Any, *args: Any, **options: Any) -> Any:
        if isinstance(text, str) and '"created"' in text:
            counts["parses"] += 1
        return loads(text, *args, **options)

    def statement(_cursor: Any, sql: str, _values: Any) -> bool:
        if sql.lstrip().lower().startswith("select") and "pipeline" in sql.lower():
            counts["selects"] += 1
        return True

    async def life() -> None:
        app = create_app(tmp_path / "plugins", tmp_path / "data")
        async with app.router.lifespan_context(app):
            (plugin,) = app.state.loaded.plugins
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(
                transport=transport, base_url=ORIGIN, timeout=60
            ) as client:
                key = (await walk_app(app, plugin, {})).key
                app.state.store._db.conn.exec_trace = statement
                monkeypatch.setattr(json, "loads", counting)

                async def ask(method: str, path: str, **sent: str) -> Counter[str]:
                    counts.clear()
                    where = "params" if method == "GET" else "data"
                    headers = {} if "run" in sent else HTMX
                    values = sent if "run" in sent else {"pipeline_id": key, **sent}
                    asked: dict[str, Any] = {where: values, "headers": headers}
                    answer = await client.request(method, f"/chain{path}", **asked)
                    assert answer.status_code == 200
                    return Counter(counts)

                await deed(plugin, key, ask)

    asyncio.run(life())


def test_a_post_of_a_step_that_is_through_at_once(tmp_path, monkeypatch):
    async def deed(plugin: Any, key: str, ask: Ask) -> None:
        await ask("POST", "/unfinalize")
        # All later steps are there still: they are cleared
        for step in plugin.steps[:3]:
            cost = await ask("POST", f"/{step.id}_submit", number="2")
            assert plugin.instance.cells.execution(key, step.id) is None, "it is through"
            assert 0 < cost["selects"] <= 4, step.id
            assert 0 < cost["parses"] <= 4, step.id
        # A chain goes on: nothing is there to be cleared
        for step in plugin.steps[3:-1]:
            cost = await ask("POST", f"/{step.id}_submit")
            assert plugin.instance.cells.execution(key, step.id) is None, "it is through"
            assert cost["selects"] <= 2, step.id
            assert cost["parses"] <= 3, step.id

    counted(tmp_path, monkeypatch, deed)


def test_a_page_of_a_run_and_its_cards(tmp_path, monkeypatch):
    async def deed(plugin: Any, key: str, ask: Ask) -> None:
        for path, sent in [("", {"run": key})] + [(f"/{step.id}", {}) for step in plugin.steps]:
            cost = await ask("GET", path, **sent)
            assert 0 < cost["selects"] <= 2, path
            assert 0 < cost["parses"] <= 2, path

    counted(tmp_path, monkeypatch, deed)
