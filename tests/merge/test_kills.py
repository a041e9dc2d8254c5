"""A process that is killed between any two of its file operations, or in the middle of a write, harms nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.build import raw, tree
from tests.conftest import ROOT
from tests.merge.desk import FIRST, SECOND, Desk

# One process that has imported everything: for each line `NUMBER WHAT NOTEBOOK FOLDER` it forks one that is killed, and says
# how that ended.
KILL = """
import json, os, sys
from pathlib import Path
from transpiler.model.options import Options
from transpiler.pipeline import port, undo
fsync = os.fsync
def killed_at(wanted):
    count = 0
    def counted(function):
        def wrapper(*args, **more):
            nonlocal count
            count += 1
            if count == wanted:
                if function is fsync:
                    os.ftruncate(args[0], os.fstat(args[0]).st_size // 2)  # half of it has been written
                os._exit(9)
            return function(*args, **more)
        return wrapper
    for name in ("replace", "rename", "unlink", "mkdir", "rmdir", "open"):
        setattr(Path, name, counted(getattr(Path, name)))
    os.fsync = counted(fsync)
for line in sys.stdin:
    number, what, *places = json.loads(line)
    if child := os.fork():
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    status = 1
    try:
        notebook, out = map(Path, places)
        killed_at(number)
        port(notebook, out, Options()) if what == "port" else undo(notebook, out, yes=False)
        status = 0
    finally:
        os._exit(status)
"""


@pytest.fixture(scope="module")
def forker() -> Iterator[subprocess.Popen[str]]:
    """The process that forks those that are killed."""
    command = [sys.executable, "-c", KILL]
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process


def killed(forker: subprocess.Popen[str], desk: Desk, what: str, number: int) -> bool:
    """Run a command that is killed at an operation; return whether it came so far."""
    assert forker.stdin
    assert forker.stdout
    forker.stdin.write(json.dumps([number, what, str(desk.notebook), str(desk.out)]) + "\n")
    forker.stdin.flush()
    ended = forker.stdout.readline().strip()
    assert ended in ("0", "9")
    return ended == "9"


def at(folder: Path) -> Desk:
    desk = Desk(folder)
    desk.notebook.parent.mkdir()
    desk.port(*FIRST)
    return desk


MINE = ("        print(best)\n", '        print("mine", best)\n')


def test_a_kill_between_any_two_file_operations_harms_nothing(
    tmp_path: Path, forker: subprocess.Popen[str]
) -> None:
    clean = at(tmp_path / "clean")
    clean.edit(*MINE)
    old = clean.text
    clean.port(*SECOND)
    wanted = tree(clean.out)
    for number in range(1, 60):
        desk = at(tmp_path / str(number))
        desk.plugin.write_text(old)
        desk.notebook.write_bytes(raw(*SECOND))
        goes_on = killed(forker, desk, "port", number)
        assert desk.text in (old, clean.text)
        assert desk.port().regenerated.open == 1
        now = tree(desk.out)
        assert not [name for name in now if name.endswith(".next")]
        papers = [n for n in wanted if "backup" not in n]
        assert {n: now.get(n) for n in papers} == {n: wanted[n] for n in papers}, number
        if not goes_on:
            break
    assert number > 20


@pytest.mark.slow
def test_an_undo_that_is_killed_can_be_done_again_or_left(
    tmp_path: Path, forker: subprocess.Popen[str]
) -> None:
    for number in range(1, 40):
        desk = at(tmp_path / str(number))
        desk.edit("Finalize", "Finish")
        old = desk.text
        desk.port(*SECOND)
        new = desk.text
        goes_on = killed(forker, desk, "undo", number)
        assert desk.text in (old, new)
        assert desk.port(*SECOND).regenerated is None or desk.text == new
        assert desk.text == new
        assert "Finish" in new
        assert not [name for name in tree(desk.out) if name.endswith(".next")]
        if not goes_on:
            break
    assert number > 8
