"""Measures the host in process: what a page costs that computes nothing, and what a step costs beyond its kernel's time."""

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from jupyter_client.manager import start_new_async_kernel

from pipulate_runtime.host.app import create_app
from pipulate_runtime.host.walk.walk import walk_app
from pipulate_runtime.host.walk.walker import HTMX, ORIGIN
from transpiler.model.options import Options
from transpiler.pipeline import port

ROUNDS = 40
STEPS = 30


def measure() -> None:
    """Port the demo, walk it, print the table."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "plugins"
        root = Path(__file__).resolve().parent.parent
        port(root / "fixtures" / "sales_report.ipynb", out, Options())
        trivial = Path(folder) / "trivial.ipynb"
        trivial.write_text(_trivial())
        port(trivial, out, Options())
        rows = asyncio.run(_measured(out, Path(folder) / "data"))
    print("| host | milliseconds, median |\n|---|---:|")
    for label, milliseconds in rows:
        print(f"| {label} | {milliseconds:.1f} |")


async def _measured(out: Path, data: Path) -> list[tuple[str, float]]:
    app = create_app(out, data)
    rows = []
    async with app.router.lifespan_context(app):
        plugin = next(p for p in app.state.loaded.plugins if p.key == "sales_report")
        walked = await walk_app(app, plugin, {})
        key = {"pipeline_id": walked.key}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url=ORIGIN, timeout=60
        ) as client:

            async def timed(method: str, path: str, **arguments: object) -> float:
                start = time.perf_counter()
                answer = await client.request(method, path, headers=HTMX, **arguments)  # type: ignore[arg-type]
                assert answer.status_code == 200, (path, answer.status_code)
                return (time.perf_counter() - start) * 1000

            for label, path, values in (
                ("the first page", "/", {}),
                ("the landing page of a workflow", "/sales_report", {}),
                ("a card with a table", "/sales_report/step_02", key),
                ("a card with a picture", "/sales_report/step_03", key),
            ):
                times = [await timed("GET", path, params=values) for _ in range(ROUNDS)]
                rows.append((label, statistics.median(times)))

            await client.post("/sales_report/unfinalize", data=key, headers=HTMX)
        rows.append(("a step beyond its kernel's time", await _beyond_the_kernel(app)))
    return rows


async def _beyond_the_kernel(app: Any) -> float:
    """The median over the trivial steps of a run: submit to answer, less the same code sent to a kernel directly."""
    plugin = next(p for p in app.state.loaded.plugins if p.key == "trivial")
    transport = httpx.ASGITransport(app=app)
    whole = []
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, timeout=60) as client:
        await client.post("/trivial/init", data={"pipeline_id": "bench"}, headers=HTMX)
        key = {"pipeline_id": app.state.pipulate.db["pipeline_id"]}
        for step in plugin.steps[:-1]:
            start = time.perf_counter()
            await client.post(f"/trivial/{step.id}_submit", data=key, headers=HTMX)
            whole.append((time.perf_counter() - start) * 1000)
            while plugin.instance.cells.execution(key["pipeline_id"], step.id):
                await asyncio.sleep(0.01)
    manager, client = await start_new_async_kernel()
    alone = []
    for n in range(STEPS):
        start = time.perf_counter()
        await client.execute_interactive(f"x{n} = {n}")
        alone.append((time.perf_counter() - start) * 1000)
    client.stop_channels()
    await manager.shutdown_kernel(now=True)
    return statistics.median(whole[2:]) - statistics.median(alone[2:])


def _trivial() -> str:
    """A notebook of steps that do next to nothing."""
    cells = [
        {
            "cell_type": "code",
            "id": f"c{n}",
            "metadata": {},
            "source": f"x{n} = {n}",
            "outputs": [],
            "execution_count": None,
        }
        for n in range(STEPS)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
