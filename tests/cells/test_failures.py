"""What goes wrong in a step, and what can be done after it."""

import asyncio
import os
import re
import time

import pytest

from pipulate_runtime.cells.kernel import pool as pools
from tests.cells.conftest import results, run, stdout

pytestmark = pytest.mark.kernel

COUNTED = """
    @cell("a")
    def step_01_cell(form):
        global n
        n = 1

    @cell("b")
    def step_02_cell(form):
        global n
        n += 1
        print("n is", n)
        return 10 // form["by"]

    @cell("c")
    def step_02_cell_2(form):
        return "after"
    """


def test_a_failing_cell_is_not_saved_and_can_be_tried_again(make):
    walker = make(COUNTED, steps=2)

    async def test():
        await walker.walk({})
        failed = await walker.step("step_02", {"by": 0})
        assert failed.error
        assert not failed.running
        assert walker.plugin.cells.execution("k", "step_02") is failed
        assert "step_02" not in walker.pip.read_state("k")
        assert [c["id"] for c in failed.cells] == ["b"]  # the cell after it did not run
        stream, error = failed.cells[0]["outputs"]
        assert stream["text"] == "n is 2\n"
        assert (error["ename"], error["evalue"]) == (
            "ZeroDivisionError",
            "integer division or modulo by zero",
        )
        plain = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error["traceback"]))
        assert "made.py" in plain
        assert 'return 10 // form["by"]' in plain
        assert "__pipulate__" not in plain
        assert "Cell In" not in plain

        await walker.step("step_02", {"by": 5})
        assert walker.plugin.cells.execution("k", "step_02") is None

    run(test())
    # The failed try had changed n: the second one ran in a fresh kernel, where step 1 was replayed
    assert stdout(walker.outputs("step_02")) == "n is 2\n"
    assert results(walker.outputs("step_02")) == ["2", "'after'"]


def test_a_dead_kernel_is_an_error_and_the_step_can_run_again(make):
    walker = make("""
        @cell("a")
        def step_01_cell(form):
            import os, signal
            if form["die"]:
                os.kill(os.getpid(), signal.SIGKILL)
            return "alive"
        """)

    async def test():
        failed = await walker.step("step_01", {"die": True})
        assert failed.error
        (error,) = failed.cells[-1]["outputs"]
        assert (error["ename"], error["evalue"]) == (
            "KernelDied",
            "The process that ran this cell was killed from outside. Most often the system does this when memory "
            "runs out; a person can end it, too. Nothing of this step is kept. Run it again.",
        )
        assert not (await walker.step("step_01", {"die": False})).error

    run(test())
    assert results(walker.outputs("step_01")) == ["'alive'"]


def test_a_timeout_interrupts(make):
    walker = make("""
        @cell("a", timeout=0.2)
        def step_01_cell(form):
            import time
            while True:
                time.sleep(0.01)
        """)

    async def test():
        failed = await walker.step("step_01")
        assert failed.error
        (error,) = failed.cells[0]["outputs"]
        assert error["ename"] == "CellTimeout"
        assert "0.2 seconds" in error["evalue"]

    run(test())


@pytest.mark.slow
def test_a_failing_save_is_an_error(make):
    walker = make('@cell("a")\ndef step_01_cell(form):\n    return 1\n')

    async def test():
        async def save(cells):
            raise RuntimeError("the disk is full")

        execution = await walker.plugin.cells.start("k", "step_01", {}, save)
        await execution.task
        assert execution.error
        assert execution.cells[-1]["outputs"][-1]["evalue"].endswith("the disk is full")

    run(test())


def test_a_kernel_that_cannot_start_is_an_error(make):
    walker = make('@cell("a")\ndef step_01_cell(form):\n    return 1\n')

    async def test():
        pools.settings.python = "/bin/false"
        try:
            execution = await walker.step("step_01")
        finally:
            pools.settings.python = __import__("sys").executable
        assert execution.error
        assert execution.cells[-1]["outputs"][-1]["ename"] == "KernelDied"
        assert not (await walker.step("step_01")).error

    run(test())


WAITS = """
    @cell("a")
    def step_01_cell(form):
        global started
        import os, time
        started = True
        print("started", os.getpid(), flush=True)
        while not os.path.exists(form["until"]):
            time.sleep(0.01)
        return "went on"

    @cell("b")
    def step_02_cell(form):
        return started
    """


async def until(condition):
    """Wait for a condition, not for a time; where it does not come true, show what everything waits for."""
    end = time.monotonic() + 200
    while not condition():
        if time.monotonic() > end:
            for task in asyncio.all_tasks():
                task.print_stack()
            raise AssertionError("it did not come true")
        await asyncio.sleep(0.01)


def has_output(execution):
    return lambda: bool(execution.cells and execution.cells[0]["outputs"])


def test_outputs_come_in_while_the_step_runs_and_it_is_started_once(make, tmp_path):
    walker = make(WAITS, steps=2)

    async def test():
        form = {"until": str(tmp_path / "go")}
        execution = await walker.begin("step_01", form)
        await until(has_output(execution))
        assert execution.running
        assert await walker.begin("step_01", form) is execution
        assert walker.plugin.cells.execution("k", "step_01") is execution
        (tmp_path / "go").touch()
        await execution.task
        assert walker.saves == ["step_01"]

    run(test())


def test_stop_ends_the_kernel_and_nothing_is_saved(make, tmp_path):
    walker = make(WAITS, steps=2)

    async def test():
        execution = await walker.begin("step_01", {"until": str(tmp_path / "never")})
        await until(has_output(execution))
        pid = int(execution.cells[0]["outputs"][0]["text"].split()[1])
        await walker.plugin.cells.stop("k")
        assert not execution.running
        assert walker.saves == []
        assert walker.plugin.cells.execution("k", "step_01") is None
        await until(lambda: gone(pid))

    run(test())


@pytest.mark.slow
def test_a_kernel_that_ignores_the_interrupt_is_killed(make, tmp_path):
    walker = make("""
        @cell("a")
        def step_01_cell(form):
            import os, signal, time
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            print(os.getpid(), flush=True)
            while True:
                time.sleep(0.01)
        """)

    async def test():
        execution = await walker.begin("step_01")
        await until(has_output(execution))
        pid = int(execution.cells[0]["outputs"][0]["text"])
        await walker.plugin.cells.stop("k")
        assert not execution.running
        assert walker.saves == []
        await until(lambda: gone(pid))

    run(test())


@pytest.mark.slow
def test_an_earlier_step_started_again_stops_the_later_one(make, tmp_path):
    walker = make(
        """
        @cell("a")
        def step_01_cell(form):
            return form["x"]

        @cell("b")
        def step_02_cell(form):
            import time
            print("running", flush=True)
            while True:
                time.sleep(0.01)
        """,
        steps=2,
    )

    async def test():
        await walker.walk({"x": 1})
        later = await walker.begin("step_02")
        await until(has_output(later))
        await walker.step("step_01", {"x": 2})
        assert not later.running
        assert walker.saves == ["step_01", "step_01"]

    run(test())
    assert results(walker.outputs("step_01")) == ["2"]


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.slow
def test_stopping_a_step_that_waits_leaves_the_running_one_alone(make, tmp_path):
    walker = make(
        WAITS + WAITS.replace("step_01", "step_03").replace("step_02", "step_04"), steps=4
    )

    async def test():
        running = await walker.begin("step_01", {"until": str(tmp_path / "go")})
        await until(has_output(running))
        waiting = await walker.begin("step_03", {"until": str(tmp_path / "go")})
        assert waiting.running
        second = await walker.begin("step_02")  # makes void what comes after it
        assert not waiting.running
        assert running.running
        (tmp_path / "go").touch()
        await running.task
        await second.task
        assert walker.saves == ["step_01", "step_02"]

    run(test())
    assert results(walker.outputs("step_02")) == ["True"]


@pytest.mark.slow
def test_a_cell_that_never_stops_printing(make, monkeypatch):
    monkeypatch.setattr(pools.settings, "output", 2_000_000)
    walker = make("""
        @cell("a")
        def step_01_cell(form):
            while True:
                print("x" * 1000)
        """)

    async def test():
        failed = await walker.begin("step_01")
        await failed.task
        assert failed.cells[0]["outputs"][-1]["ename"] == "TooMuchOutput"

    run(test())


def test_a_step_started_twice_at_once_runs_once(make):
    walker = make('@cell("a")\ndef step_01_cell(form):\n    return 1\n')

    async def test():
        first, second = await asyncio.gather(walker.begin("step_01"), walker.begin("step_01"))
        assert first is second
        await first.task
        assert walker.saves == ["step_01"]

    run(test())


@pytest.mark.slow
def test_a_step_stopped_before_it_began(make):
    walker = make('@cell("a")\ndef step_01_cell(form):\n    return 1\n')

    async def test():
        starting = asyncio.ensure_future(walker.begin("step_01"))
        await asyncio.sleep(0)  # it has a task, which has not begun
        await walker.plugin.cells.stop("k")
        execution = await starting
        assert not execution.running
        assert walker.saves == []
        assert walker.plugin.cells.execution("k", "step_01") is None

    run(test())
