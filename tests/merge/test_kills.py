"""A process that is killed between any two of its file operations, or in the middle of a write, harms nothing."""

import os
import subprocess
import sys
from pathlib import Path

from tests.build import raw, tree
from tests.conftest import ROOT
from tests.merge.desk import FIRST, SECOND, Desk

KILL = """
import os, sys
from pathlib import Path
count = 0
def counted(function):
    def wrapper(*args, **more):
        global count
        count += 1
        if count == int(sys.argv[1]):
            if function is fsync:
                os.ftruncate(args[0], os.fstat(args[0]).st_size // 2)  # half of it has been written
            os._exit(9)
        return function(*args, **more)
    return wrapper
fsync = os.fsync
for name in ("replace", "rename", "unlink", "mkdir", "rmdir", "open"):
    setattr(Path, name, counted(getattr(Path, name)))
os.fsync = counted(fsync)
from transpiler.options import Options
from transpiler.pipeline import port, undo
notebook, out = Path(sys.argv[3]), Path(sys.argv[4])
port(notebook, out, Options()) if sys.argv[2] == "port" else undo(notebook, out, yes=False)
"""


def killed(desk: Desk, what: str, number: int) -> bool:
    """Run a command that is killed at an operation; return whether it came so far."""
    command = [sys.executable, "-c", KILL, str(number), what, desk.notebook, desk.out]
    ended = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert ended.returncode in (0, 9)
    return ended.returncode == 9


def at(folder: Path) -> Desk:
    desk = Desk(folder)
    desk.notebook.parent.mkdir()
    desk.port(*FIRST)
    return desk


MINE = ("        print(best)\n", '        print("mine", best)\n')


def test_a_kill_between_any_two_file_operations_harms_nothing(tmp_path: Path) -> None:
    clean = at(tmp_path / "clean")
    clean.edit(*MINE)
    old = clean.text
    clean.port(*SECOND)
    wanted = tree(clean.out)
    for number in range(1, 60):
        desk = at(tmp_path / str(number))
        desk.plugin.write_text(old)
        desk.notebook.write_bytes(raw(*SECOND))
        goes_on = killed(desk, "port", number)
        assert desk.text in (old, clean.text)
        assert desk.port().regenerated.open == 1
        now = tree(desk.out)
        assert not [name for name in now if name.endswith(".next")]
        papers = [n for n in wanted if "backup" not in n]
        assert {n: now.get(n) for n in papers} == {n: wanted[n] for n in papers}, number
        if not goes_on:
            break
    assert number > 20


def test_an_undo_that_is_killed_can_be_done_again_or_left(tmp_path: Path) -> None:
    for number in range(1, 40):
        desk = at(tmp_path / str(number))
        desk.edit("Finalize", "Finish")
        old = desk.text
        desk.port(*SECOND)
        new = desk.text
        goes_on = killed(desk, "undo", number)
        assert desk.text in (old, new)
        assert desk.port(*SECOND).regenerated is None or desk.text == new
        assert desk.text == new
        assert "Finish" in new
        assert not [name for name in tree(desk.out) if name.endswith(".next")]
        if not goes_on:
            break
    assert number > 8
