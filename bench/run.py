"""Measures `pipulate port` against the converters that people would use instead, in one run, interleaved.

    python bench/run.py [--sizes 10,100,1000] [--repeat 5]

Makes a virtual environment `.venv-bench` with the peers and, freshly installed, this project; generates notebooks, runs each command
`repeat` times in turn and prints medians of wall time, CPU time (with that of its children) and peak memory, and ours in
proportion, as a markdown table.
Then measures the host: a page that computes nothing, what a step costs beyond its kernel's time (host.py), memory and
latency while runs compute (load.py), pages with many stored runs (history.py), chains of steps and a run with 5 MB of outputs (chain.py); and a merge
beside git's (merging.py).
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".venv-bench"
PACKAGES = ["marimo", "nbconvert", "ipykernel", "jupytext"]

# Ten kinds of cell, in the proportions of ordinary data notebooks (DATAFLOW 2.3); {n} keeps the names apart.
CELLS = [
    "values_{n} = [round(i * 1.5, 2) for i in range({n} + 10)]\nprint(len(values_{n}))",
    "total_{n} = 0\nfor i, value in enumerate(values_{p}):\n    if value > 3:\n        total_{n} += value * i\ntotal_{n}",
    'def scale_{n}(numbers, by=2):\n    """Return the numbers, scaled."""\n    return [number * by for number in numbers]',
    "scaled = scale_{p}(values_{q})\nscaled[:5]",
    'table_{n} = {{"name": ["a", "b", "c"], "value": [1, 2, 3]}}\nfor name, value in zip(*table_{n}.values()):\n    print(f"{{name}}: {{value:>5}}")',
    "rate_{n} = 0.25\nlimit_{n} = 100\nbelow = [v for v in range(200) if v * rate_{n} < limit_{n}]\nlen(below)",
    "class Box{n}:\n    def __init__(self, items):\n        self.items = list(items)\n\n    def __len__(self):\n        return len(self.items)",
    "box = Box{p}(below)\nbox.items.append({n})\nprint(len(box))",
    'text_{n} = """A text\n  over several\n    lines"""\nwords = text_{n}.split()\nsorted(words)',
    "import math\n\nroots = list(map(math.sqrt, range({n} % 7 + 3)))\nsum(roots)",
]
IMPORTS = "import collections\nimport itertools"


def notebook(size: int) -> str:
    """Return a notebook with so many code cells, a heading above every fifth."""
    cells = []
    for n in range(size):
        if n % 5 == 0:
            cells.append(
                {
                    "cell_type": "markdown",
                    "id": f"m{n}",
                    "metadata": {},
                    "source": f"## Part {n // 5}\n\nSome words.",
                }
            )
        kind = n % len(CELLS)
        source = IMPORTS if n == 0 else CELLS[kind].format(n=n, p=n - 1, q=n - 3)
        cells.append(
            {
                "cell_type": "code",
                "id": f"c{n}",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
        )
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


class Measured(NamedTuple):
    wall: float
    cpu: float
    """Seconds of user and system, those of the children that it waited for included."""
    memory: float
    """Peak, in MB."""


def measured(command: list[str], folder: Path) -> Measured:
    """Run a command. Raises SystemExit when it fails."""
    with tempfile.TemporaryFile() as log:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        if os.waitstatus_to_exitcode(status) != 0:
            log.seek(0)
            raise SystemExit(f"{command} failed:\n{log.read().decode(errors='replace')}")
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def commands(name: str) -> dict[str, list[str]]:
    """Return what is compared: label -> command, run in the folder of the notebook."""
    peers = PEERS / "bin"
    return {
        "pipulate port": [str(peers / "pipulate"), "port", name, "-o", "out"],
        "marimo convert": [str(peers / "marimo"), "-q", "convert", name, "-o", "marimo.py"],
        "nbconvert --to script": [
            str(peers / "jupyter-nbconvert"),
            "--log-level=ERROR",
            "--to",
            "script",
            name,
        ],
        "jupytext --to py": [str(peers / "jupytext"), "--quiet", "--to", "py:percent", name],
    }


def compare(sizes: list[int], repeat: int) -> None:
    """Print the table of converters."""
    print("| code cells | command | wall s | CPU s | peak MB | ours / it: wall | CPU |")
    print("|---:|---|---:|---:|---:|---:|---:|")
    for size in sizes:
        results: dict[str, list[Measured]] = {}
        for _ in range(repeat):
            for label, command in commands("bench.ipynb").items():
                with tempfile.TemporaryDirectory() as folder:
                    (Path(folder) / "bench.ipynb").write_text(notebook(size))
                    results.setdefault(label, []).append(measured(command, Path(folder)))
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "bench.ipynb").write_text(notebook(size))
            again = commands("bench.ipynb")["pipulate port"]
            measured(again, Path(folder))
            results["pipulate port, nothing changed"] = [
                measured(again, Path(folder)) for _ in range(repeat)
            ]
        for label, runs in results.items():
            wall, cpu, memory = (statistics.median(column) for column in zip(*runs, strict=True))
            mine = results["pipulate port"]
            walls = statistics.median(a.wall / b.wall for a, b in zip(mine, runs, strict=True))
            cpus = statistics.median(a.cpu / b.cpu for a, b in zip(mine, runs, strict=True))
            row = (
                size,
                label,
                f"{wall:.2f}",
                f"{cpu:.2f}",
                f"{memory:.0f}",
                f"{walls:.2f}",
                f"{cpus:.2f}",
            )
            print("|", " | ".join(map(str, row)), "|", flush=True)


def machine() -> str:
    """Return the machine in a line."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":")[1].strip()
            for line in info.read_text().splitlines()
            if line.startswith("model name")
        ]
        model = names[0] if names else model
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    )


def install() -> None:
    """Set the environment up, once; this project is installed anew every time."""
    pip = [str(PEERS / "bin" / "pip"), "-q", "install", "--disable-pip-version-check"]
    if not (PEERS / "bin" / "marimo").exists():
        shutil.rmtree(PEERS, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
        subprocess.run([*pip, *PACKAGES, str(ROOT)], check=True)
    subprocess.run([*pip, "--no-deps", "--force-reinstall", str(ROOT)], check=True)


def main() -> None:
    """Parse the arguments, set the environment up, print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="10,100,1000")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--no-host", action="store_true")
    arguments = parser.parse_args()
    install()
    print(f"{machine()}; medians of {arguments.repeat}, interleaved\n")
    compare([int(size) for size in arguments.sizes.split(",")], arguments.repeat)
    if not arguments.no_host:
        import chain
        import history
        import host
        import load
        import merging

        print()
        host.measure()
        print()
        chain.measure()
        print()
        load.measure()
        print()
        history.measure()
        print()
        merging.measure()


if __name__ == "__main__":
    main()
