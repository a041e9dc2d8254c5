"""Whose process it is: told by its birth, however the clock is set."""

import os
import subprocess
import sys
import time
from pathlib import Path

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


SERVER = """
import asyncio, sys
from pipulate_runtime.cells import configure
from pipulate_runtime.cells.kernel import pool as pools

async def main():
    configure(data=sys.argv[1])
    kernel = await pools.pool().take(pools.pool().run("app", "k"))
    code = "import subprocess; print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid)"
    await kernel.execute(code, lambda kind, content: print(content.get("text", ""), end="", flush=True))
    print(kernel.folder, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@linux
@pytest.mark.kernel
def test_what_a_cell_has_started_ends_with_a_killed_server_without_another_one(tmp_path):
    """A program in a session of its own, which neither its parent's death nor a signal to a group reaches."""
    command = [sys.executable, "-c", SERVER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        child = psutil.Process(int(server.stdout.readline()))
        folder = Path(server.stdout.readline().strip())
        assert folder.is_dir()
        server.kill()
    assert psutil.wait_procs([child], timeout=10)[1] == []
    for _ in range(100):
        if not folder.exists():
            return
        time.sleep(0.1)
    raise AssertionError(f"{folder} is left")


@pytest.mark.kernel
def test_the_guard_ends_with_its_server(tmp_path):
    guard = cleanup.Guard()
    guard.watch(tmp_path / "pipu-none")
    process = psutil.Process(guard._process.pid)
    guard.end()
    assert not process.is_running()
