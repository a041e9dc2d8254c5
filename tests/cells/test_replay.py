"""Kernels come and go; what a step sees is always what a notebook run to that point would see."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from pipulate_runtime.cells import configure, forget, shutdown
from pipulate_runtime.cells.kernel import cleanup
from pipulate_runtime.cells.kernel import pool as pools
from tests.cells.conftest import results, run, stdout
from tests.cells.test_failures import gone, until

pytestmark = pytest.mark.kernel

CHAIN = """
    @cell("a")
    def step_01_cell(form):
        global items, os
        import os
        items = [form["x"]]
        with open("log.txt", "a") as log:
            log.write("one\\n")
        print("never shown again")

    @cell("b")
    def step_02_cell(form):
        items.append(form["y"])
        with open("log.txt", "a") as log:
            log.write("two\\n")
        return os.getpid()

    @cell("c")
    def step_03_cell(form):
        return items, open("log.txt").read().split(), os.getpid(), len(In)
    """

ALL = ({"x": 1}, {"y": 2}, {})


def last(walker):
    return eval(results(walker.outputs("step_03"))[0])


def test_a_run_computes_in_one_kernel(make):
    walker = make(CHAIN, steps=3)
    run(walker.walk(*ALL))
    items, log, pid, cells = last(walker)
    assert (items, log, cells) == ([1, 2], ["one", "two"], 4)
    assert results(walker.outputs("step_02")) == [str(pid)]


def test_cold_resume_replays_from_the_stored_answers(make):
    walker = make(CHAIN, steps=3)
    run(walker.walk(*ALL[:2]))  # then the server ends

    async def later():
        await walker.step("step_03")

    run(later())
    items, log, pid, cells = last(walker)
    assert (items, log, cells) == ([1, 2], ["one", "two"], 4)
    assert results(walker.outputs("step_02")) != [str(pid)]
    assert stdout(walker.outputs("step_03")) == ""


def test_a_changed_answer_reaches_the_later_steps(make):
    walker = make(CHAIN, steps=3)

    async def test():
        await walker.walk(*ALL)
        await walker.step("step_02", {"y": 7})
        assert "step_03" not in walker.pip.read_state("k")
        await walker.step("step_03")

    run(test())
    assert last(walker)[:2] == ([1, 7], ["one", "two"])


@pytest.mark.slow
def test_a_changed_cell_is_replayed_too(make):
    walker = make(CHAIN, steps=3)

    async def test():
        await walker.walk(*ALL[:2])
        changed = make(CHAIN.replace('[form["x"]]', '[form["x"] * 10]'), steps=3, pip=walker.pip)
        await changed.step("step_03")

    run(test())
    assert last(walker)[0] == [10, 2]


@pytest.mark.slow
def test_a_failing_replay_says_which_step(make):
    walker = make(CHAIN, steps=3)

    async def test():
        await walker.walk(*ALL[:2])
        state = walker.pip.read_state("k")
        del state["step_02"]["y"]
        walker.pip.write_state("k", state)
        failed = await walker.step("step_03")
        assert failed.error
        (error,) = failed.cells[0]["outputs"]
        assert error["ename"] == "ReplayFailed"
        assert "“Step 2”" in error["evalue"]
        assert "KeyError: 'y'" in error["evalue"]

    run(test())


def test_two_runs_do_not_see_each_other(make):
    walker = make(CHAIN, steps=3)

    async def test():
        await walker.step("step_01", {"x": 1}, key="one")
        await walker.step("step_01", {"x": 5}, key="two")
        for key in ("one", "two"):
            await walker.step("step_02", {"y": 2}, key=key)
            await walker.step("step_03", key=key)

    run(test())
    found = [eval(results(walker.outputs("step_03", key))[0]) for key in ("one", "two")]
    assert [f[0] for f in found] == [[1, 2], [5, 2]]
    assert found[0][2] != found[1][2]


# --- the pool ---


def kernels_of(keys, walker):
    return [key for key in keys if pools.pool().run("made", key).kernel]


@pytest.mark.slow
def test_over_the_cap_the_kernel_not_used_for_longest_is_parked(make):
    walker = make(CHAIN, steps=3)
    configure(max_kernels=2)

    async def test():
        for key in ("one", "two"):
            await walker.step("step_01", {"x": 1}, key=key)
        await walker.step("step_02", {"y": 1}, key="one")  # so "two" is the one to go
        await walker.step("step_01", {"x": 1}, key="three")
        assert kernels_of(("one", "two", "three"), walker) == ["one", "three"]
        assert not (await walker.step("step_02", {"y": 9}, key="two")).error

    run(test())
    assert len(walker.outputs("step_02", "two")) == 1


@pytest.mark.slow
def test_a_step_waits_while_all_kernels_compute(make, tmp_path):
    walker = make("""
        @cell("a")
        def step_01_cell(form):
            import os, time
            while form["until"] and not os.path.exists(form["until"]):
                time.sleep(0.01)
            return form["until"] is None
        """)
    configure(max_kernels=1)

    async def test():
        first = await walker.begin("step_01", {"until": str(tmp_path / "go")}, key="one")
        second = await walker.begin("step_01", {"until": None}, key="two")
        await until(lambda: kernels_of(("one",), walker) == ["one"])
        assert first.running
        assert second.running
        assert kernels_of(("two",), walker) == []
        (tmp_path / "go").touch()
        await first.task
        await second.task
        assert walker.saves == ["step_01", "step_01"]

    run(test())
    assert results(walker.outputs("step_01", "two")) == ["True"]


@pytest.mark.slow
def test_an_idle_kernel_is_parked(make):
    walker = make(CHAIN, steps=3)
    configure(idle_seconds=0)

    async def test():
        await walker.step("step_01", {"x": 1})
        await until(lambda: kernels_of(("k",), walker) == [])
        await walker.step("step_02", {"y": 2})
        await walker.step("step_03")

    run(test())
    assert last(walker)[0] == [1, 2]


def test_no_process_and_no_file_of_a_kernel_is_left(make, data):
    walker = make(CHAIN, steps=3)
    pids, folders = [], []

    async def test():
        await walker.walk(*ALL)
        await pools.pool().spare
        pids.extend(kernel.pid for kernel in pools.pool().kernels)
        folders.extend(kernel.folder for kernel in pools.pool().kernels)
        modes = {path.stat().st_mode & 0o077 for f in folders for path in (f, f / "k.json")}
        assert modes == {0}
        await shutdown()

    run(test())
    assert len(pids) == 2
    assert all(map(gone, pids))
    assert not any(folder.exists() for folder in folders)
    assert list((data / "kernels").iterdir()) == []


def test_forget_deletes_the_files_of_a_run_and_ends_its_kernel(make, data):
    walker = make(CHAIN, steps=3)

    async def test():
        await walker.walk(*ALL[:2])
        pid = pools.pool().run("made", "k").kernel.pid
        folder = walker.plugin.cells.folder("k").path
        assert (folder / "work" / "log.txt").exists()
        forget("made", "k").delete()
        assert not folder.exists()
        await until(lambda: gone(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)

    run(test())


@pytest.mark.slow
def test_kernels_end_with_a_killed_server(tmp_path):
    """The server is killed with SIGKILL in the middle of a cell: its kernels end, and the next start cleans up."""
    script = """
import asyncio, sys
from pathlib import Path
from pipulate_runtime.cells.kernel.kernel import Kernel

async def main():
    kernel = Kernel(sys.executable, Path(sys.argv[1]))
    await kernel.start()
    print(kernel.pid, kernel.folder, flush=True)
    await kernel.execute("import time\\nwhile True: time.sleep(0.01)", lambda *message: None)

asyncio.run(main())
"""
    server = subprocess.Popen(
        [sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE, text=True
    )
    with server:
        pid, folder = server.stdout.readline().split()
        os.kill(server.pid, signal.SIGKILL)

    async def test():
        await until(
            lambda: gone(int(pid)) or psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE
        )

    run(test())
    assert Path(folder).exists()
    cleanup.end_all(tmp_path)
    assert not Path(folder).exists()
    assert list((tmp_path / "kernels").iterdir()) == []


@pytest.mark.slow
def test_leftovers_ends_only_the_very_process_it_noted(tmp_path):
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as process:
        note = cleanup.note_kernel(tmp_path, process.pid, tmp_path / "pipu-x")
        assert cleanup.end_all(tmp_path) == 0  # its server, this process, lives
        text = note.read_text().replace(f'"server": {os.getpid()}', '"server": 999999999')
        used_again = json.loads(text) | {"born": 1.0, "birth": "another boot 1"}
        note.write_text(json.dumps(used_again))
        assert cleanup.end_all(tmp_path) == 0
        assert process.poll() is None
        note.write_text(text)
        assert cleanup.end_all(tmp_path) == 1
        assert process.wait() == -signal.SIGKILL
