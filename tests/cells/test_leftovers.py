"""Whose process it is: told by its birth, however the clock is set."""

import os
import subprocess
import sys

import psutil

from pipulate_runtime.cells import leftovers


def test_a_server_lives_although_the_clock_was_set(monkeypatch, tmp_path):
    """psutil adds the time of the boot, which Linux works out from the clock of the moment."""
    leftovers.claim(tmp_path)
    entry = leftovers.server()
    real = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: real(process) + 1.0)
    assert leftovers.lives(entry)
    assert leftovers._owned(tmp_path, stale=True)


def test_births_differ_and_end():
    code = "import sys; print('up', flush=True); sys.stdin.read()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:
        assert process.stdout.readline() == b"up\n"
        first = leftovers.born(process.pid)
        assert first is not None
        assert first == leftovers.born(process.pid)
        assert first != leftovers.born(os.getpid())
        assert leftovers._born_elsewhere(process.pid) == leftovers._born_elsewhere(process.pid)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie now
        assert leftovers.born(process.pid) is None
        assert leftovers._born_elsewhere(process.pid) is None
    assert leftovers.born(process.pid) is None
