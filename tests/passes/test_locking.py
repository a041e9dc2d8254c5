"""The lock of a folder: one at a time, whoever it is, and nothing is left of it."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.build import tree
from tests.conftest import ROOT
from transpiler.model.diagnostics import UserError
from transpiler.plugin_folder import folder_lock
from transpiler.plugin_folder.folder_lock import alone

HOLD = """
import sys, time
from pathlib import Path
from transpiler.plugin_folder.folder_lock import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    (tmp_path / ".port").mkdir()
    return tmp_path / ".port"


def refused(papers: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, int]:
    monkeypatch.setattr(folder_lock, "SECONDS", 0.1)
    with pytest.raises(UserError) as caught, alone(papers):
        pass
    monkeypatch.undo()
    return caught.value.diagnostic.rule.code, caught.value.exit_code


def test_it_excludes_others_and_leaves_nothing(papers: Path, monkeypatch) -> None:
    with alone(papers) as held:
        assert held
        assert refused(papers, monkeypatch) == ("PP437", 3)
    with alone(papers) as held:
        assert held
    assert tree(papers.parent) == {}


def test_who_comes_second_waits(papers: Path) -> None:
    order = []

    def second() -> None:
        with alone(papers):
            order.append("second")

    thread = threading.Thread(target=second)
    with alone(papers):
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_it_is_free_when_its_holder_is_killed(papers: Path, monkeypatch) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", HOLD, str(papers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        assert refused(papers, monkeypatch) == ("PP437", 3)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        with alone(papers) as held:
            assert held


def test_an_exception_frees_it(papers: Path) -> None:
    with pytest.raises(ZeroDivisionError), alone(papers):
        raise ZeroDivisionError
    with alone(papers) as held:
        assert held


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with alone(tmp_path / ".port") as held:
        assert not held
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_locks_is_used_without(papers: Path, monkeypatch) -> None:
    def knows_none(handle: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(folder_lock, "_lock", knows_none)
    with alone(papers) as held:
        assert not held


@pytest.mark.skipif(sys.platform == "win32", reason="the lock is not of the folder there")
def test_it_is_the_lock_of_the_folder_that_is_there_now(papers: Path, monkeypatch) -> None:
    """While one waits, the holder deletes the folder, and it is made again: what was waited for is no lock of it."""
    got = []

    def second() -> None:
        with alone(papers, lambda: papers.mkdir(exist_ok=True)) as held:
            got.append((held, refused(papers, monkeypatch)))

    thread = threading.Thread(target=second)
    with alone(papers):
        thread.start()
        time.sleep(0.1)
        papers.rmdir()
    thread.join(10)
    assert got == [(True, ("PP437", 3))]
