"""`pipulate port --watch`: what is saved is ported, once, when it is there in full. Time is played here."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from tests.build import raw
from tests.conftest import ROOT
from tests.merge.test_port_again import FIRST, SECOND
from transpiler import pipeline
from transpiler.cli import main
from transpiler.features import watch as watching
from transpiler.features.watch import Changes, watch
from transpiler.model import rules
from transpiler.model.diagnostics import UserError
from transpiler.model.options import Options


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """A function that watches while things happen, one before each look; it returns the lines."""
    monkeypatch.chdir(tmp_path)

    def run(*happens: Callable[[], object] | None, names=("trip",)) -> list[str]:
        lines: list[str] = []
        waiting = iter([*happens, None, None])

        def wait(files: Collection[Path], again: bool) -> bool:
            assert set(paths) <= set(files)
            try:
                if (happening := next(waiting)) is not None:
                    happening()
            except StopIteration:
                return True
            return False

        paths = [tmp_path / f"{name}.ipynb" for name in names]
        watch(paths, tmp_path / "out", Options(), lines.append, wait)
        assert all(re.match(r"\d\d:\d\d:\d\d  ", line) for line in lines)
        return [line[10:].replace(str(tmp_path), "").replace("\\", "/") for line in lines]

    return run


def test_each_save_is_ported_once(watched, tmp_path) -> None:
    notebook = tmp_path / "trip.ipynb"
    notebook.write_bytes(raw(*FIRST))
    lines = watched(
        None, lambda: notebook.write_bytes(raw(*SECOND)), None, None, lambda: os.utime(notebook, (1, 1)), None,
        lambda: notebook.write_bytes(raw(*SECOND)),
    )  # fmt: skip
    assert lines == [
        "trip.ipynb → /out/trip.py: new, 3 steps",
        "trip.ipynb → /out/trip.py: step_01 updated, step_02 updated",
    ]
    assert "limit = 6" in (tmp_path / "out/trip.py").read_text()


def test_what_is_half_written_is_not_ported(watched, tmp_path) -> None:
    notebook = tmp_path / "trip.ipynb"
    notebook.write_bytes(raw(*FIRST))
    parts = [raw(*SECOND)[:size] for size in (40, 80, 120)]
    lines = watched(
        *(lambda part=part: notebook.write_bytes(part) for part in parts),
        notebook.unlink,
        lambda: notebook.write_bytes(raw(*SECOND)),
    )
    assert [line.rpartition(": ")[2] for line in lines] == [
        "new, 3 steps",
        "step_01 updated, step_02 updated",
    ]


def test_problems_are_told_and_it_goes_on(watched, tmp_path) -> None:
    notebook = tmp_path / "trip.ipynb"
    notebook.write_bytes(b"{")
    plugin = tmp_path / "out/trip.py"
    lines = watched(
        None,
        lambda: notebook.write_bytes(raw(*FIRST)), None,
        lambda: plugin.write_text(plugin.read_text().replace("print(best)", "print('mine', best)")),
        lambda: notebook.write_bytes(raw(*SECOND)), None,
        notebook.unlink, None, None,
        lambda: notebook.write_bytes(raw(*FIRST)), None,
    )  # fmt: skip
    assert [line[:40] for line in lines[:1]] == ["trip.ipynb was not ported: PP101 trip.ip"]
    assert lines[1] == "trip.ipynb → /out/trip.py: new, 3 steps"
    assert re.fullmatch(r".*: step_01 updated, step_02 CONFLICT \w{4}; 1 conflict open", lines[2])
    assert "PP401" in lines[3]
    assert "mine" in plugin.read_text()
    assert len(lines) == 5


def test_several_notebooks_and_the_files_they_read(watched, tmp_path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.ipynb").write_bytes(raw(f"open('{name}.csv').read()"))
        (tmp_path / f"{name}.csv").write_text("a")
    lines = watched(lambda: (tmp_path / "two.csv").write_text("a,b"), None, names=("one", "two"))
    assert [line.partition(" ")[0].rstrip(":") for line in lines] == [
        "one.ipynb",
        "two.ipynb",
        "two.ipynb",
    ]
    assert (tmp_path / "out/two.files/two.csv").read_text() == "a,b"


@pytest.fixture
def during(monkeypatch):
    """A function that lets something happen while the port of a number runs, after it has read its files."""

    def plan(number: int, happens: Callable[[], object]) -> list[object]:
        ports: list[object] = []

        def port(*args, **more):
            ports.append(args)
            done = pipeline.port(*args, **more)
            if len(ports) == number:
                happens()
            return done

        monkeypatch.setattr(watching, "port", port)
        return ports

    return plan


@pytest.mark.parametrize("number", [1, 2], ids=["the first port", "a later port"])
def test_a_save_during_a_port_is_ported_next(watched, during, tmp_path, number) -> None:
    notebook = tmp_path / "trip.ipynb"
    notebook.write_bytes(raw(*FIRST))
    last = [*SECOND[:1], "limit = 222\nprint(limit)", *SECOND[2:]]
    ports = during(number, lambda: notebook.write_bytes(raw(*last)))
    watched(None, lambda: notebook.write_bytes(raw(*SECOND)) if number == 2 else None, *[None] * 6)
    assert "limit = 222" in (tmp_path / "out/trip.py").read_text()
    assert len(ports) == number + 1


def test_a_save_between_the_look_and_the_port_is_the_next_content(
    watched, monkeypatch, tmp_path
) -> None:
    """What is half written when a port begins was not there at two looks."""
    notebook = tmp_path / "trip.ipynb"
    notebook.write_bytes(raw(*FIRST))

    def port(*args, **more):
        monkeypatch.setattr(watching, "port", pipeline.port)
        notebook.write_bytes(raw(*SECOND)[:80])
        return pipeline.port(*args, **more)

    monkeypatch.setattr(watching, "port", port)
    lines = watched(None, lambda: notebook.write_bytes(raw(*SECOND)), None)
    assert [line.rpartition(": ")[2] for line in lines] == [
        "new, 3 steps",
        "step_01 updated, step_02 updated",
    ]


def test_a_file_that_is_saved_during_a_port_is_copied_next(watched, during, tmp_path) -> None:
    (tmp_path / "trip.ipynb").write_bytes(raw("open('a.csv').read()"))
    (tmp_path / "a.csv").write_text("1")
    ports = during(2, lambda: (tmp_path / "a.csv").write_text("a,b,c"))
    watched(None, lambda: (tmp_path / "a.csv").write_text("a,b"), *[None] * 6)
    assert (tmp_path / "out/trip.files/a.csv").read_text() == "a,b,c"
    assert len(ports) == 3


def test_what_was_refused_for_the_moment_is_ported_in_a_moment(
    watched, monkeypatch, tmp_path
) -> None:
    (tmp_path / "trip.ipynb").write_bytes(raw(*FIRST))

    def port(*args, **more):
        monkeypatch.setattr(watching, "port", pipeline.port)
        raise UserError(rules.CHANGED_MEANWHILE, 3, path="trip.py")

    monkeypatch.setattr(watching, "port", port)
    lines = watched(None, None, None)
    assert [line.partition(" ")[2][:5] for line in lines] == ["PP490", "→ /ou"]


POLLING = {"as the system tells": "", "as a network drive needs it": "true"}


@pytest.mark.parametrize("polling", POLLING.values(), ids=POLLING.keys())
def test_the_command_ports_what_is_saved_and_ends_with_ctrl_c(tmp_path, polling) -> None:
    notebook = tmp_path / "trip.ipynb"
    notebook.write_bytes(raw(*FIRST))
    command = [sys.executable, "-m", "transpiler", "port", "trip.ipynb", "--watch"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "WATCHFILES_FORCE_POLLING": polling}
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert "new, 3 steps" in process.stdout.readline()
        beside = tmp_path / "beside"  # as editors save: another file takes the name
        beside.write_bytes(raw(*SECOND))
        beside.replace(notebook)
        assert "step_01 updated, step_02 updated" in process.stdout.readline()
        notebook.write_bytes(raw(*FIRST))
        assert "step_01 updated, step_02 updated" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "Stopped.\n"
    assert process.returncode == 0


def saved_soon(happens: Callable[[], object]) -> threading.Timer:
    """Let something happen in a moment, while it is waited for."""
    timer = threading.Timer(0.3, happens)
    timer.start()
    return timer


def test_only_the_files_that_are_watched_are_waited_for(tmp_path) -> None:
    notebook, seen = tmp_path / "trip.ipynb", []
    notebook.write_text("1")
    changes = Changes()
    assert not changes({notebook}, False)  # at first one looks, whatever happened before
    (tmp_path / "other.txt").write_text("2")
    saved_soon(lambda: (seen.append("saved"), notebook.write_text("2")))
    assert not changes({notebook}, False)
    assert seen == ["saved"]


def test_a_link_and_a_folder_that_comes_later_are_watched(tmp_path) -> None:
    there, notebook = tmp_path / "there/trip.ipynb", tmp_path / "trip.ipynb"
    notebook.symlink_to(there)
    changes, seen = Changes(), []
    changes({notebook}, False)
    saved_soon(lambda: (seen.append("made"), there.parent.mkdir()))
    changes({notebook}, False)
    for text in ("1", "2"):
        saved_soon(lambda text=text: (seen.append(text), there.write_text(text)))
        changes({notebook}, False)
    assert seen == ["made", "1", "2"]


@pytest.mark.parametrize("more", [["--dry-run"], ["--json"], ["--undo"], ["--serve"], ["--mine"]])
def test_options_of_a_single_port_are_refused(tmp_path, monkeypatch, capsys, more) -> None:
    (tmp_path / "trip.ipynb").write_bytes(raw(*FIRST))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["pipulate", "port", "trip.ipynb", "--watch", *more])
    with pytest.raises(SystemExit) as end:
        main.main()
    captured = capsys.readouterr()
    assert (end.value.code, "PP407" in captured.out + captured.err) == (2, True)
