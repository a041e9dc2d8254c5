"""`pipulate port --watch`: what is saved is ported, once, when it is there in full. Time is played here."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.build import raw
from tests.conftest import ROOT
from tests.merge.test_port_again import FIRST, SECOND
from transpiler import cli, codes, pipeline, watching
from transpiler.diagnostics import UserError
from transpiler.options import Options
from transpiler.watching import SECONDS, watch


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """A function that watches while things happen, one before each look; it returns the lines."""
    monkeypatch.chdir(tmp_path)

    def run(*happens: Callable[[], object] | None, names=("trip",)) -> list[str]:
        lines: list[str] = []
        waiting = iter([*happens, None, None])

        def wait(seconds: float) -> bool:
            assert seconds == SECONDS
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
        raise UserError(codes.CHANGED_MEANWHILE, 3, path="trip.py")

    monkeypatch.setattr(watching, "port", port)
    lines = watched(None, None, None)
    assert [line.partition(" ")[2][:5] for line in lines] == ["PP490", "→ /ou"]


def test_the_command_ends_with_ctrl_c(tmp_path) -> None:
    (tmp_path / "trip.ipynb").write_bytes(raw(*FIRST))
    command = [sys.executable, "-m", "transpiler", "port", "trip.ipynb", "--watch"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert "new, 3 steps" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "Stopped.\n"
    assert process.returncode == 0


@pytest.mark.parametrize("more", [["--dry-run"], ["--json"], ["--undo"], ["--serve"], ["--mine"]])
def test_options_of_a_single_port_are_refused(tmp_path, monkeypatch, capsys, more) -> None:
    (tmp_path / "trip.ipynb").write_bytes(raw(*FIRST))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["pipulate", "port", "trip.ipynb", "--watch", *more])
    with pytest.raises(SystemExit) as end:
        cli.main()
    captured = capsys.readouterr()
    assert (end.value.code, "PP407" in captured.out + captured.err) == (2, True)
