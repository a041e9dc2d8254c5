"""Has the cells of a plan moved, by processes that get ready while the plan is being made.

Importing libcst and black takes longer than all other passes over an ordinary notebook, and moving cells longer than those
over a long one. So processes are forked as soon as the number of cells is known; they import and wait. Where forking is
not safe (other threads, another system than Linux) or a process fails, the cells are moved here.
"""

import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from transpiler.ir import Plan, PlannedCell

Outcome = tuple[str, str]
"""The lines of a cell, or the reason why it cannot be moved."""
Splice = Callable[[Plan], tuple[dict[str, str], dict[str, str]]]

MANY = 48
"""From so many cells on, all processors move them."""


@contextmanager
def splicing(cells: int, meanwhile: Callable[[], None] = lambda: None) -> Iterator[Splice]:
    """Give the function that moves the cells of a plan: it returns the lines of each, and why some cannot be moved.

    The first maps a function's name to its lines, the second a cell's id to a reason. `cells` is about how many there
    will be; `meanwhile` is called while other processes move them.
    """
    workers = [_Worker() for _ in range(_worth(cells))]
    try:
        yield lambda plan: _splice(plan, workers, meanwhile)
    finally:
        # Each process holds the pipes of those before it open: all are told before one is waited for.
        for worker in workers:
            worker.close()
        for worker in workers:
            os.waitpid(worker.pid, 0)


def _worth(cells: int) -> int:
    """How many processes to start."""
    processors = os.cpu_count() or 1
    if processors == 1 or sys.platform != "linux" or threading.active_count() > 1:
        return 0
    return 1 if cells < MANY else min(processors, 8)


def _splice(
    plan: Plan, workers: "list[_Worker]", meanwhile: Callable[[], None]
) -> tuple[dict[str, str], dict[str, str]]:
    """Share the cells out, collect what came of them."""
    cells = [cell for step in plan.steps for cell in (*step.cells, step.suggestions) if cell]
    shares = [cells[n :: len(workers)] for n in range(len(workers))] if workers else [cells]
    for worker, share in zip(workers, shares, strict=False):
        worker.ask(share, plan.parameter)
    if workers:
        meanwhile()
    moved: dict[str, str] = {}
    refused: dict[str, str] = {}
    for n, share in enumerate(shares):
        outcomes = workers[n].answer() if workers else None
        if outcomes is None:
            outcomes = _here(share, plan.parameter)
        for cell, (lines, reason) in zip(share, outcomes, strict=True):
            if reason:
                refused[cell.cell] = reason
            else:
                moved[cell.function] = lines
    return moved, refused


def _here(cells: list[PlannedCell], parameter: str) -> list[Outcome]:
    """Move cells in this process."""
    from transpiler.passes.splice import tried

    return [tried(cell, parameter) for cell in cells]


class _Worker:
    """A forked process that answers questions over two pipes."""

    def __init__(self) -> None:
        """Fork it. It imports at once what it will need."""
        theirs, ours = os.pipe()
        back, forth = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(ours)
                os.close(back)
                _serve(os.fdopen(theirs, "rb"), os.fdopen(forth, "wb"))
            finally:
                os._exit(
                    0
                )  # no clean-up of what belongs to the parent; a silent end makes it do the work itself
        os.close(theirs)
        os.close(forth)
        self.questions: BinaryIO = os.fdopen(ours, "wb")
        self.answers: BinaryIO = os.fdopen(back, "rb")

    def ask(self, cells: list[PlannedCell], parameter: str) -> None:
        """Send cells. A process that has ended is noticed when it does not answer."""
        with suppress(BrokenPipeError):
            pickle.dump((cells, parameter), self.questions)
            self.questions.flush()

    def answer(self) -> list[Outcome] | None:
        """Wait for the outcomes of what was asked; None when there will be none."""
        try:
            outcomes: list[Outcome] = pickle.load(self.answers)
        except (EOFError, pickle.UnpicklingError):
            return None
        return outcomes

    def close(self) -> None:
        """Tell the process that nothing more is asked: it ends."""
        with suppress(BrokenPipeError):
            self.questions.close()
        self.answers.close()


def _serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until nothing more is asked."""
    import gc

    import transpiler.passes.splice  # noqa: F401  # what takes long, before the first question is there

    gc.disable()  # trees have no cycles, and this process does not live long

    while True:
        try:
            cells, parameter = pickle.load(questions)
        except EOFError:
            return
        pickle.dump(_here(cells, parameter), answers)
        answers.flush()
