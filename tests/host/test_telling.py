"""What `pipulate run` prints while it walks, and what Ctrl+C does to it."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipulate_runtime.host.walk.printer import plain
from tests.build import raw
from tests.conftest import ROOT
from transpiler.model.options import Options
from transpiler.pipeline import port

pytestmark = pytest.mark.kernel

CELLS = (
    "print('first done')",
    "import os, sys, time\nopen('waiting', 'w').close()\nprint('now waiting', flush=True)\n"
    "print('\\rload:  50%|#####     | 1/2 [00:01<00:01,  1.00it/s]', end='', file=sys.stderr, flush=True)\n"
    "while not os.path.exists('go'): time.sleep(0.01)",
)


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    notebook = tmp_path / "waits.ipynb"
    notebook.write_bytes(raw(*CELLS))
    return port(notebook, tmp_path / "plugins", Options()).plugin


def started(plugin: Path, out: int, *more: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "transpiler",
        "run",
        str(plugin),
        "--data",
        str(plugin.parent.parent / "data"),
    ]
    return subprocess.Popen([*command, *more], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)


def read_until(number: int, what: str) -> str:
    """Read until something was printed, or to the end."""
    text = ""
    while what not in text:
        assert select.select([number], [], [], 60)[0], text
        try:
            piece = os.read(number, 65536)
        except OSError:  # the other side of a terminal is gone
            break
        if not piece:
            break
        text += piece.decode()
    return text


def test_on_a_terminal_lines_come_as_they_are_printed(plugin: Path) -> None:
    mine, its = pty.openpty()
    process = started(plugin, its)
    os.close(its)
    try:
        shown = read_until(mine, "load █████░░░░░ 50% 1/2")
        assert "  | first done" in shown
        assert "  | now waiting" in shown
        for work in (plugin.parent.parent / "data").rglob("work"):
            (work / "go").touch()
        rest = read_until(mine, "Finished.")
        assert "  | load:  50%|#####     | 1/2" in rest
        assert (shown + rest).count("now waiting") == 1
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(mine)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.slow
def test_a_run_that_is_interrupted_says_how_to_go_on(plugin: Path, number: int) -> None:
    process = started(plugin, subprocess.PIPE, "--key", "mine")
    assert process.stdout is not None
    try:
        folder = plugin.parent.parent / "data"
        end = time.monotonic() + 60
        shown = read_until(
            process.stdout.fileno(), "first done"
        )  # printed when it was done, not at the end
        while not list(folder.rglob("work/waiting")) and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(number)
        shown += read_until(process.stdout.fileno(), "nothing more")
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.wait()
    said = " ".join(shown.split())
    assert "PP530 The run was interrupted in step_02" in said
    assert re.search(r"--key \S*mine --data", said)
    assert "Finished" not in shown


def test_a_bar_is_printed_as_it_ended() -> None:
    text = "".join(f"\r{n}%|#| {n}/100 [00:00<00:00]" for n in range(101)) + "\nend\n"
    output = {"output_type": "stream", "name": "stderr", "text": text}
    assert plain(output, {}) == ["100%|#| 100/100 [00:00<00:00]", "end"]
