"""Measures what pages cost when many runs are stored: the ratio of their times with 20,000 runs and with 10.

    python bench/history.py

Both databases are asked in turn, in one process; prints a markdown table.
"""

import asyncio
import contextlib
import json
import shutil
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from pipulate_runtime.host.app import create_app
from pipulate_runtime.host.state.store import DATABASE, StateStore
from pipulate_runtime.host.walk.walk import walk_app
from pipulate_runtime.host.walk.walker import HTMX, ORIGIN
from transpiler.model.options import Options
from transpiler.pipeline import port

ROOT = Path(__file__).resolve().parent.parent
FEW, MANY = 10, 20_000
ROUNDS = 25
APP = "sales_report"
KEY = f"Default_Profile-{APP}-first"
PAGES: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("the first page", "GET", "/", {}),
    ("a workflow's page", "GET", f"/{APP}", {}),
    ("a run", "GET", f"/{APP}", {"run": KEY}),
    ("a card", "GET", f"/{APP}/step_02", {"pipeline_id": KEY}),
    ("a new run", "POST", f"/{APP}/init", {"pipeline_id": ""}),
    ("an answer that is refused", "POST", f"/{APP}/step_02_submit", {"pipeline_id": KEY, "limit": "x"}),
    ("all runs", "GET", "/runs", {}),
    ("their last page", "GET", "/runs/list", {"page": "999999"}),
    ("older runs of a workflow", "GET", "/runs/older", {"app": APP, "skip": "0"}),
    ("the last of them", "GET", "/runs/older", {"app": APP, "skip": "LAST"}),
    ("a run as JSON", "GET", "/runs/download", {"run": KEY}),
    ("the tasks", "GET", "/tasks", {}),
    ("a run is deleted", "POST", "/runs/discard", {"run": KEY}),
)  # fmt: skip


def measure() -> None:
    """Make both databases, measure, print the table."""
    with tempfile.TemporaryDirectory() as folder:
        plugins = Path(folder) / "plugins"
        port(ROOT / "fixtures" / "sales_report.ipynb", plugins, Options())
        port(ROOT / "fixtures" / "hello.ipynb", plugins, Options())
        rows = asyncio.run(_measured(plugins, Path(folder)))
    print(f"| page | {FEW} runs, ms | {MANY:,} runs, ms | ratio |\n|---|---:|---:|---:|")
    for label, few, many in rows:
        print(f"| {label} | {few:.1f} | {many:.1f} | {many / few:.2f} |")


async def _measured(plugins: Path, folder: Path) -> list[tuple[str, float, float]]:
    async with contextlib.AsyncExitStack() as stack:
        few, many = folder / "few", folder / "many"
        await _walk(plugins, few)
        shutil.copytree(few, many)
        _fill(few, FEW)
        _fill(many, MANY)
        clients = []
        for data in (few, many):
            app = create_app(plugins, data)
            await stack.enter_async_context(app.router.lifespan_context(app))
            transport = httpx.ASGITransport(app=app)
            client = httpx.AsyncClient(
                transport=transport, base_url=ORIGIN, headers=HTMX, timeout=60
            )
            clients.append(await stack.enter_async_context(client))
        return [await _pair(clients, *page) for page in PAGES]


async def _pair(
    clients: list[Any], label: str, method: str, path: str, values: dict[str, str]
) -> Any:
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for client, taken, last in zip(clients, times, ("0", str(MANY * 2 // 3 - 20)), strict=True):
            start = time.perf_counter()
            sent = {name: last if value == "LAST" else value for name, value in values.items()}
            named = {"params": sent} if method == "GET" else {"data": sent}
            answer = await client.request(method, path, **named)
            taken.append((time.perf_counter() - start) * 1000)
            assert answer.status_code == 200, (path, answer.status_code, answer.text[-300:])
            if path == "/runs/discard":
                await client.post("/runs/bring-back", data=values)
    return label, *map(statistics.median, times)


async def _walk(plugins: Path, data: Path) -> None:
    app = create_app(plugins, data)
    async with app.router.lifespan_context(app):
        plugin = next(p for p in app.state.loaded.plugins if p.key == APP)
        await walk_app(app, plugin, {}, key="first")


def _fill(data: Path, count: int) -> None:
    """Store runs like the one that was walked: two thirds of its workflow, some under way, over three years."""
    store = StateStore(data / DATABASE)
    state = store.read(KEY)
    begun = {
        name: state[name] for name in ("app_name", "step_01", "created", "updated") if name in state
    }
    now = datetime.now(UTC)
    with store.transaction():
        for number in range(count - 1):
            app = APP if number % 3 or number < FEW else "hello"
            when = (now - timedelta(hours=1 + number * 26_000 / count)).isoformat()
            kept = (state if number % 2 else begun) | {"created": when, "updated": when}
            row = {"created": when, "updated": when, "data": json.dumps(kept), "app_name": app}
            store._pipeline.insert({"pkey": f"Default_Profile-{app}-{number + 2:02}", **row})
    store.close()
    for number in range(0, count, 10):
        (data / "runs" / APP / f"Default_Profile_{APP}_{number:02}-{number:010x}").mkdir(
            parents=True
        )


if __name__ == "__main__":
    measure()
