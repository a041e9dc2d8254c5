"""Cells moved by forked processes come out as those moved here, whatever happens to the processes."""

import os
import signal

import psutil
import pytest

from tests.build import plan_of
from transpiler.passes import splicing as module
from transpiler.passes.splicing import splicing

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # pytest has threads

CELLS = [f"x{n} = {n}\nx{n}" for n in range(60)] + ["if True:\n    \\\n    y = 1"]


@pytest.fixture
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threading.active_count", lambda: 1)
    monkeypatch.setattr("os.cpu_count", lambda: 2)


def here() -> tuple[dict[str, str], dict[str, str]]:
    with splicing(0) as splice:
        return splice(plan_of(*CELLS))


@pytest.mark.parametrize("cells", [1, 100], ids=["one process", "two processes"])
def test_processes_give_the_same(cells: int, two_processors: None) -> None:
    plan = plan_of(*CELLS)
    with splicing(cells) as splice:
        outcome = splice(plan)
        assert splice(plan) == outcome, "asked again"
    assert outcome == here()
    assert len(outcome[0]) == 60
    assert len(outcome[1]) == 1


def test_a_process_that_was_killed_is_replaced(
    two_processors: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    original = module._Worker

    def worker() -> module._Worker:
        made.append(original())
        return made[-1]

    monkeypatch.setattr(module, "_Worker", worker)
    with splicing(100) as splice:
        os.kill(made[0].pid, signal.SIGKILL)
        outcome = splice(plan_of(*CELLS))
    assert len(made) == 2
    assert outcome == here()


def test_no_process_is_left(two_processors: None) -> None:
    before = set(psutil.Process().children())  # kernels of other tests, perhaps
    with splicing(1) as splice:
        splice(plan_of("x = 1"))
        assert set(psutil.Process().children()) > before
    assert set(psutil.Process().children()) <= before


def test_nothing_is_forked_beside_other_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threading.active_count", lambda: 2)
    monkeypatch.setattr(module, "_Worker", lambda: pytest.fail("a process was forked"))
    with splicing(100) as splice:
        assert splice(plan_of("x = 1"))[1] == {}
