"""Several notebooks in processes of their own: what happens to one does not happen to the others. No kernel is started."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from transpiler.verify.answers import Task
from transpiler.verify.batch import NotebookLine, verify_all


class Deadly:
    """What kills the process that is given it, after some seconds."""

    def __init__(self, seconds: float = 0) -> None:
        self._seconds = seconds

    def __reduce__(self) -> tuple[Any, ...]:
        """Unpickling is a call."""
        return die, (self._seconds,)


def die(seconds: float) -> None:
    """End this process."""
    time.sleep(seconds)
    os._exit(3)


def task(folder: Path, number: int, given: Any = None) -> Task:
    """A notebook that is not there, which is known without a kernel."""
    return Task(folder / f"n{number}.ipynb", None, given or {}, ("straight",))


def codes_of(lines: list[NotebookLine]) -> list[str]:
    """The code that stands in front of each remark."""
    return [line.remark.partition(" ")[0] for line in lines]


def test_a_notebook_that_kills_its_process_costs_its_own_line_only(tmp_path: Path) -> None:
    deadly: dict[int, Any] = {0: Deadly(), 2: Deadly(1), 5: Deadly()}
    tasks = [task(tmp_path, number, deadly.get(number)) for number in range(6)]
    heard: list[int] = []
    lines = verify_all(tasks, 2, lambda _, left: heard.append(left))
    assert codes_of(lines) == ["PP445", "PP401", "PP445", "PP401", "PP401", "PP445"]
    assert [line.notebook for line in lines] == [one.notebook for one in tasks]
    assert "n0.ipynb ended before it had a result" in lines[0].remark
    assert lines[0].exit_code == 1
    assert lines[0].data["same"] is False
    assert heard == [5, 4, 3, 2, 1, 0]


def test_a_task_that_cannot_be_sent_is_a_line_too(tmp_path: Path) -> None:
    tasks = [task(tmp_path, 0, lambda: None), task(tmp_path, 1)]
    lines = verify_all(tasks, 2, lambda *_: None)
    assert codes_of(lines) == ["PP901", "PP401"]


def test_the_processes_import_nothing_from_the_folder_they_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    for name in ("types", "socket", "struct", "signal", "random"):
        (here / f"{name}.py").write_text("open('it ran', 'a').close()\n1 / 0\n")
    monkeypatch.chdir(here)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    lines = verify_all([task(tmp_path, 0), task(tmp_path, 1)], 2, lambda *_: None)
    assert codes_of(lines) == ["PP401", "PP401"]
    assert not (here / "it ran").exists()
    assert "PYTHONSAFEPATH" not in os.environ
