"""Whose process it is: told by its birth, however the clock is set."""

import os
import subprocess
import sys

import psutil
import pytest

from pipulate_runtime.cells import leftovers

linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells the birth"
)


@linux
def test_a_server_lives_although_the_clock_was_set(monkeypatch, tmp_path):
    """psutil adds the time of the boot, which Linux works out from the clock of the moment."""
    leftovers.claim(tmp_path)
    entry = leftovers.server()
    real = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: real(process) + 1.0)
    assert leftovers.lives(entry)
    assert leftovers._owned(tmp_path, stale=True)


def test_what_knows_no_birth_is_told_by_its_time():
    entry = leftovers.server() | {"server_birth": None}
    assert leftovers.lives(entry)
    assert not leftovers.lives(entry | {"server_born": 1.0})
    assert not leftovers.lives(entry | {"server_born": None})


@linux
def test_births_differ_and_end():
    code = "import sys; print('up', flush=True); sys.stdin.read()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:
        assert process.stdout.readline() == b"up\n"
        first = leftovers.birth(process.pid)
        assert first is not None
        assert first == leftovers.birth(process.pid)
        assert first != leftovers.birth(os.getpid())
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie now
        assert leftovers.birth(process.pid) is None
    assert leftovers.birth(process.pid) is None
