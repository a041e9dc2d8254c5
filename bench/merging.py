"""Measures a merge: a plugin of 3,000 lines, twenty hand edits in as many methods, nine changes of the notebook.

    python bench/merging.py

Prints the time of our merge and of `git merge-file` on the same three texts (git is told of them as files, a process each),
and how many conflicts each leaves: git knows lines, not steps. Times are of processes without anything in a cache.
"""

import json
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from transpiler.merge import checks, units
from transpiler.merge.merge import Request, merge
from transpiler.model.options import Options
from transpiler.pipeline import port

CELLS = 26
ROUNDS = 7


def measure() -> None:
    """Make the three texts, merge them in turn, print the table."""
    with tempfile.TemporaryDirectory() as folder:
        base, theirs = both(Path(folder))
        ours = edited(base)
        times: dict[str, list[float]] = {}
        conflicts: dict[str, int] = {}
        for _ in range(ROUNDS):
            seconds, left = by_units(base, ours, theirs)
            times.setdefault("pipulate, by units", []).append(seconds)
            conflicts["pipulate, by units"] = left
            if shutil.which("git"):
                seconds, left = by_git(base, ours, theirs, Path(folder))
                times.setdefault("git merge-file, by lines", []).append(seconds)
                conflicts["git merge-file, by lines"] = left
    lines = base.count("\n")
    print(f"| merge of {lines:,} lines, 20 x 9 edits | milliseconds, median | conflicts |")
    print("|---|---:|---:|")
    for label, measured in times.items():
        print(f"| {label} | {1000 * statistics.median(measured):.0f} | {conflicts[label]} |")


def by_units(base: str, ours: str, theirs: str) -> tuple[float, int]:
    """Merge as `port` does, with nothing parsed before; return the seconds and the conflicts."""
    units.parse_plugin.cache_clear()
    checks.facts_of.cache_clear()
    start = time.perf_counter()
    merged = merge(base, ours, theirs, Request())
    return time.perf_counter() - start, len(merged.conflicts)


def by_git(base: str, ours: str, theirs: str, folder: Path) -> tuple[float, int]:
    """Merge with git; return the seconds and the conflicts."""
    names = [folder / name for name in ("ours", "base", "theirs")]
    for name, text in zip(names, (ours, base, theirs), strict=True):
        name.write_text(text)
    start = time.perf_counter()
    run = subprocess.run(["git", "merge-file", "-p", *names], capture_output=True, check=False)
    return time.perf_counter() - start, run.returncode


# --- the texts --------------------------------------------------------------------------------------------------------


def cells() -> list[str]:
    """The code cells of a notebook in which every third step asks for something."""
    made = []
    for n in range(CELLS):
        ask = f"#| input: limit_{n}\nlimit_{n} = {n}\n" if n % 3 == 0 else ""
        made.append(
            f"{ask}rows_{n} = [(i, i * {n}) for i in range(10)]\nfor one, two in rows_{n}:\n    if one > 3:\n"
            f"        print(one, two)\nprint('rows', len(rows_{n}))\ntotal_{n} = sum(b for _, b in rows_{n})\ntotal_{n}"
        )
    return made


def changed(before: list[str]) -> list[str]:
    """The cells after nine changes: four lines, two new cells, one deleted, one moved, one import."""
    after = list(before)
    for n in (1, 6, 11, 16):
        after[n] = after[n].replace("print('rows',", "print('so many rows',")
    after[20] = f"import math\n\n{after[20]}"
    after.insert(15, after.pop(4))
    del after[23]
    after.insert(9, "print('new')\nlen('new')")
    after.insert(3, "print('another')\nlen('another')")
    return after


def both(folder: Path) -> tuple[str, str]:
    """What is emitted for the cells, and, by a second port, for the changed cells."""
    ids = {source: f"cell-{n}" for n, source in enumerate(cells())}
    texts = []
    for sources in (cells(), changed(cells())):
        made = [
            {"cell_type": "code", "id": ids.get(source, f"new-{n}"), "metadata": {}, "source": source,
             "outputs": [], "execution_count": None}
            for n, source in enumerate(sources)
        ]  # fmt: skip
        notebook = {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        (folder / "bench.ipynb").write_text(json.dumps(notebook))
        ported = port(folder / "bench.ipynb", folder / "out", Options())
        assert ported.plugin is not None
        texts.append(ported.plugin.read_text())
    return texts[0], texts[1]


def edited(base: str) -> str:
    """The plugin with an edit in twenty of its methods, in cells and in handlers by turns."""
    for n in range(1, 21):
        name = f"step_{n:02}_cell" if n % 2 else f"step_{n:02}"
        head = re.compile(
            rf"(    (?:async )?def {name}\(\w+(?:, \w+)*\):\n(?:        (?:global|\"\"\").*\n)*)"
        )
        base, count = head.subn(rf"\g<1>        print('edit {n}')\n", base, count=1)
        assert count == 1
    return base


if __name__ == "__main__":
    measure()
