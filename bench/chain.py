"""Measures chains of trivial steps, and a run whose stored outputs are large.

    python bench/chain.py

What grows with the state of a run shows in the CPU of the host a step: of a chain of 120 it should be that of a chain of 10.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from load import Host, _host

from transpiler.model.options import Options
from transpiler.pipeline import port

CHAINS = (10, 60, 120)
PRINTED, PRINTING = 80_000, 64  # characters a step, steps: 5 MB that stand in the run's row
ROUNDS = 10


def measure() -> None:
    """Port the chains, walk them, print the table."""
    print("| chain | measured |\n|---|---:|")
    with tempfile.TemporaryDirectory() as folder:
        plugins = Path(folder) / "plugins"
        for steps in CHAINS:
            _port(plugins, f"chain_{steps}", [f"x{n} = {n}" for n in range(steps)])
        printing = [
            f"print(('{n} ' + 'x' * 75 + chr(10)) * {PRINTED // 80})" for n in range(PRINTING)
        ]
        _port(plugins, "large", [*printing, "#| run: button\nlast = 1"])
        with _host(plugins, Path(folder) / "data") as host:
            for label, value in [row for steps in CHAINS for row in _chain(host, steps)]:
                print(f"| {label} | {value} |", flush=True)
            for label, value in _large(host):
                print(f"| {label} | {value} |", flush=True)


def _port(plugins: Path, name: str, sources: list[str]) -> None:
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": source, "outputs": [],
         "execution_count": None}
        for n, source in enumerate(sources)
    ]  # fmt: skip
    notebook = plugins.parent / f"{name}.ipynb"
    document = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    notebook.write_text(json.dumps(document))
    port(notebook, plugins, Options())


def _walk(host: Host, app: str, steps: int) -> dict[str, str]:
    """Start a run, and for each step do what its card does: send it, then ask until it is done."""
    run = host.begin(app, "bench")
    for step in range(1, steps + 1):
        host.client.post(f"/{app}/step_{step:02}_submit", data=run)
        while 'data-state="done"' not in host.get(f"/{app}/step_{step:02}", **run).text:
            time.sleep(0.02)
    return run


def _cpu(host: Host) -> float:
    """Seconds that the host's own process has used."""
    times = host.process.cpu_times()
    return times.user + times.system


def _chain(host: Host, steps: int) -> Iterator[tuple[str, str]]:
    before, start = _cpu(host), time.perf_counter()
    _walk(host, f"chain_{steps}", steps)
    cpu, wall = _cpu(host) - before, time.perf_counter() - start
    yield f"{steps} steps: the host's CPU a step", f"{cpu / steps * 1000:.0f} ms"
    yield f"{steps} steps: from the first click to the last card", f"{wall:.1f} s"


def _large(host: Host) -> Iterator[tuple[str, str]]:
    run = _walk(host, "large", PRINTING)
    last = f"step_{PRINTING + 1:02}"
    label = f"a run with {PRINTED * PRINTING / 1e6:.0f} MB of outputs:"
    yield f"{label} a card", f"{_median(host, lambda: host.get('/large/step_01', **run)):.0f} ms"
    posts = []
    for _ in range(ROUNDS):
        host.client.post("/large/revert", data={**run, "step_id": last})
        start = time.perf_counter()
        host.client.post(f"/large/{last}_submit", data=run)
        posts.append((time.perf_counter() - start) * 1000)
        while 'data-state="done"' not in host.get(f"/large/{last}", **run).text:
            time.sleep(0.02)
    yield f"{label} POST of a step", f"{statistics.median(posts):.0f} ms"
    yield f"{label} the page of all runs", f"{_median(host, lambda: host.get('/runs')):.0f} ms"


def _median(host: Host, get: object) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        get()  # type: ignore[operator]
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    measure()
