"""Whose process it is: told by its birth, however the clock is set."""

import os
import subprocess
import sys

import psutil
import pytest

from pipulate_runtime.cells.kernel import cleanup

linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells the birth"
)


@linux
def test_a_server_lives_although_the_clock_was_set(monkeypatch, tmp_path):
    """psutil adds the time of the boot, which Linux works out from the clock of the moment."""
    cleanup.claim(tmp_path)
    entry = cleanup.server()
    real = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: real(process) + 1.0)
    assert cleanup.server_lives(entry)
    assert cleanup._owned(tmp_path, stale=True)


def test_what_knows_no_birth_is_told_by_its_time():
    entry = cleanup.server() | {"server_birth": None}
    assert cleanup.server_lives(entry)
    assert not cleanup.server_lives(entry | {"server_born": 1.0})
    assert not cleanup.server_lives(entry | {"server_born": None})


@linux
def test_births_differ_and_end():
    code = "import sys; print('up', flush=True); sys.stdin.read()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:
        assert process.stdout.readline() == b"up\n"
        first = cleanup.process_identity(process.pid)
        assert first is not None
        assert first == cleanup.process_identity(process.pid)
        assert first != cleanup.process_identity(os.getpid())
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie now
        assert cleanup.process_identity(process.pid) is None
    assert cleanup.process_identity(process.pid) is None
