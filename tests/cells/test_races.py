"""Two tabs, or two programs, at one run: nothing is kept that was computed from what is not so any more."""

import asyncio

import pytest

from pipulate_runtime.cells.storage.secrets import Vault
from tests.cells.conftest import run, stdout
from tests.cells.test_failures import until

pytestmark = pytest.mark.kernel

GATED = """
    @cell("a")
    def step_01_cell(form):
        global os, time, passed
        import os, time
        def passed(gate):
            if gate:
                open(gate + "-reached", "w").close()
            while gate and not os.path.exists(gate):
                time.sleep(0.02)
        print("one")
        passed(form.get("gate"))

    @cell("b")
    def step_02_cell(form):
        print("two")
        passed(form.get("gate"))

    @cell("c")
    def step_03_cell(form):
        print("three")
        passed(form.get("gate"))
"""


class Gate:
    """A cell waits there until it is opened."""

    def __init__(self, folder):
        self.path = folder / "gate"
        self.form = {"gate": str(self.path)}

    async def reached(self):
        await until(self.path.with_name("gate-reached").exists)

    def open(self):
        self.path.touch()


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path)


@pytest.mark.slow
def test_a_step_that_begins_while_others_are_stopped_is_stopped_too(make, gate):
    walker = make(GATED, steps=3)

    async def test():
        await walker.walk({}, {})
        await walker.begin("step_02", gate.form)
        await gate.reached()
        stopping = asyncio.ensure_future(walker.plugin.cells.stop("k"))
        await asyncio.sleep(0)
        late = await walker.begin("step_03")
        await stopping
        assert not late.running
        assert walker.saves == ["step_01", "step_02"]

    run(test())


@pytest.mark.slow
def test_a_step_that_waits_is_void_when_what_was_before_it_is_gone(make, gate):
    """A tab left open sends step 1 once more; while it runs, another tab sends step 3."""
    walker = make(GATED, steps=3)

    async def test():
        await walker.walk({}, {}, {})
        walker.saves.clear()
        first = await walker.begin("step_01", gate.form)
        await gate.reached()
        late = await walker.begin("step_03")
        gate.open()
        await asyncio.wait([first.task, late.task])
        assert walker.saves == ["step_01"]
        assert set(walker.pip.read_state("k")) == {"step_01"}
        assert not late.error
        assert walker.plugin.cells.execution("k", "step_03") is None

    run(test())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"step_01": {"ran": True, "other": 1}}, id="answered anew"),
        pytest.param({"_revert_target": "step_01"}, id="open again"),
    ],
)
def test_a_step_is_void_when_another_program_changes_what_is_before_it(make, gate, change):
    walker = make(GATED, steps=2)

    async def test():
        await walker.walk({})
        execution = await walker.begin("step_02", gate.form)
        await gate.reached()
        changed = walker.pip.read_state("k") | change
        walker.pip.write_state("k", changed)
        gate.open()
        await execution.task
        assert walker.pip.read_state("k") == changed
        assert not execution.error
        assert walker.plugin.cells.execution("k", "step_02") is None
        # The kernel is not taken for one that has executed what is stored
        walker.pip.write_state("k", {**changed, "_revert_target": ""})
        await walker.step("step_02")
        assert stdout(walker.outputs("step_02")) == "two\n"

    run(test())


def test_what_getpass_was_told_is_a_secret_and_outlives_a_plugin_that_is_loaded_again():
    old, new = Vault(object()), Vault(object())
    old.remember_reply("k", "step_01", 0, "hunter-22")
    assert list(old.values()) == ["hunter-22"]
    new.take_over(old)
    assert new.recall_reply("k", "step_01", 0) == "hunter-22"
    old.remember_reply(
        "k", "step_01", 1, "hunter-23"
    )  # a step of the old version was still running
    assert new.recall_reply("k", "step_01", 1) == "hunter-23"
    new.forget("k")
    assert list(new.values()) == []
