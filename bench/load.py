"""Measures the host as a process: its memory, and its pages while many runs compute or are stored.

    python bench/load.py

Prints a markdown table. What depends on the machine stands there as it was measured; what a stored run costs is a ratio.
"""

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

from pipulate_runtime.host.state.store import DATABASE, StateStore
from pipulate_runtime.host.walk.walker import HTMX
from transpiler.model.options import Options
from transpiler.pipeline import port

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 60
COMPUTING = 10
STORED = 1000
SHOWN = 10  # runs on a workflow's page; the first page shows 3
BUSY = (
    "import time\nprint('first', flush=True)\nend = time.time() + 40\n"
    "while time.time() < end: sum(range(10_000))"
)
QUICK = "print('first', flush=True)\nimport time\ntime.sleep(1.5)"
MB = 1e6


def measure() -> None:
    """Start hosts, measure, print the table."""
    with tempfile.TemporaryDirectory() as folder:
        plugins = Path(folder) / "plugins"
        for name, code in (("busy", BUSY), ("quick", QUICK)):
            notebook = Path(folder) / f"{name}.ipynb"
            notebook.write_text(_notebook(code))
            port(notebook, plugins, Options())
        port(ROOT / "fixtures" / "sales_report.ipynb", plugins, Options())
        rows = [*_memory(plugins, Path(folder)), *_computing(plugins, Path(folder))]
        rows += _stored(plugins, Path(folder))
    print("| host | measured |\n|---|---:|")
    for label, value in rows:
        print(f"| {label} | {value} |")


class Host:
    """A server in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.process = psutil.Process(process.pid)
        self.client = httpx.Client(base_url=url, headers=HTMX, timeout=120)

    def memory(self) -> float:
        return self.process.memory_info().rss / MB

    def get(self, path: str, **values: str) -> httpx.Response:
        answer = self.client.get(path, params=values)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer

    def times(self, path: str, **values: str) -> list[float]:
        times = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            self.get(path, **values)
            times.append((time.perf_counter() - start) * 1000)
            time.sleep(0.01)
        return times

    def begin(self, app: str, name: str) -> dict[str, str]:
        """Start a run and submit its first step; return what its page sends."""
        self.client.post(f"/{app}/init", data={"pipeline_id": name})
        run = {"pipeline_id": f"Default_Profile-{app}-{name}"}
        self.client.post(f"/{app}/step_01_submit", data=run)
        return run

    def until(self, run: dict[str, str], app: str, *words: str) -> None:
        while not any(word in self.get(f"/{app}/step_01", **run).text for word in words):
            time.sleep(0.005)


@contextlib.contextmanager
def _host(plugins: Path, data: Path, *options: str) -> Iterator[Host]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    command = [sys.executable, "-m", "transpiler", "serve", str(plugins), "--data", str(data)]
    command += ["--port", str(number), *options]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    host = Host(process, f"http://127.0.0.1:{number}")
    try:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                host.get("/")
                break
            time.sleep(0.05)
        time.sleep(3)  # the spare kernel is there
        yield host
    finally:
        process.terminate()
        process.wait()


def _memory(plugins: Path, folder: Path) -> Iterator[tuple[str, str]]:
    with _host(plugins, folder / "memory", "--idle", "1s") as host:
        yield "memory of the host, idle", f"{host.memory():.0f} MB"
        host.until(host.begin("quick", "warm"), "quick", 'data-state="done"')
        time.sleep(3)
        before = host.memory()
        for n in range(20):
            host.until(host.begin("quick", f"n{n}"), "quick", 'data-state="done"')
        time.sleep(4)  # all are parked
        yield "memory per parked run (of 20)", f"{(host.memory() - before) / 20:.2f} MB"


def _computing(plugins: Path, folder: Path) -> Iterator[tuple[str, str]]:
    with _host(plugins, folder / "computing", "--kernels", str(COMPUTING)) as host:
        waited = []
        for n in range(5):
            start = time.perf_counter()
            run = host.begin("quick", f"n{n}")
            host.until(run, "quick", "first")
            waited.append((time.perf_counter() - start) * 1000)
            host.until(run, "quick", 'data-state="done"')
            time.sleep(2)  # the next spare is there
        yield "submit to first output line", f"{statistics.median(waited):.0f} ms"
    with _host(plugins, folder / "busy", "--kernels", str(COMPUTING)) as host:
        alone = statistics.median(host.times("/sales_report"))
        runs = [host.begin("busy", f"n{n}") for n in range(COMPUTING)]
        for run in runs:
            host.until(run, "busy", "first")
        times = sorted(host.times("/sales_report"))
        kernels = [p.memory_info().rss / MB for p in host.process.children()]
        yield "memory per computing run (its kernel)", f"{statistics.median(kernels):.0f} MB"
        yield "a page, nothing computing (median)", f"{alone:.1f} ms"
        worst = times[int(len(times) * 0.95)]
        yield f"a page while {COMPUTING} runs compute (median, 95 %)", (
            f"{statistics.median(times):.1f} ms, {worst:.1f} ms"
        )


def _stored(plugins: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """The memory of a host with many stored runs over that of one with as many as a page shows; pages: history.py."""
    for name, runs in (("few", SHOWN), ("many", STORED)):
        store = StateStore(folder / name / DATABASE)
        for n in range(runs):
            cells = [{"hash": "", "outputs": [], "code": "x" * 100_000}]
            state = {"step_01": {"ran": True, "_cells": cells}}
            store.create(f"Default_Profile-sales_report-{n}", "sales_report", state)
        store.close()
    with _host(plugins, folder / "few") as few, _host(plugins, folder / "many") as many:
        for host in (few, many):
            for path in ("/", "/sales_report", "/runs"):
                host.times(path)
        yield f"memory with {STORED:,} stored runs / with {SHOWN}", f"{many.memory() / few.memory():.2f}"


def _notebook(code: str) -> str:
    cell = {"cell_type": "code", "id": "c0", "metadata": {}, "source": code, "outputs": []}
    cells = [{**cell, "execution_count": None}]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


if __name__ == "__main__":
    measure()
