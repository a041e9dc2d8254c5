"""A step of a run while it is executed: what its card shows, and in plain words why it ended."""

import asyncio
import errno
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from pipulate_runtime.cells.kernel.kernel import GivenUp, Kernel, KernelDied, MemoryExceeded
from pipulate_runtime.cells.kernel.limits import in_words
from pipulate_runtime.cells.kernel.pool import settings
from pipulate_runtime.cells.kernel.questions import PendingQuestion, Question
from pipulate_runtime.cells.outputs.collect import Collector, KernelOutputs, Output, error
from pipulate_runtime.cells.run.history import Basis
from pipulate_runtime.cells.run.job import Record
from pipulate_runtime.cells.run.replies import Known
from pipulate_runtime.cells.storage.secrets import Missing

Save = Callable[[list[Record]], Awaitable[None]]

STOPPED = "You stopped this step. Nothing of it is kept."
KILLED = "You stopped this step. It did not react, so its kernel was ended. Nothing of it is kept."
INTERRUPTED = "Interrupted"
NOT_ANSWERED = (
    "Nobody answered for a while, and other runs were waiting for their turn. Run the step again when you are ready: what "
    "you have answered is given again."
)
AGAIN = "Nothing of this step is kept. Run it again."
PATIENCE = 60.0  # seconds that a save is tried again while another program holds the database


class StepFailed(Exception):
    """A cell ended in an error, which stands in its outputs."""


_shown: WeakKeyDictionary[Kernel, KernelOutputs] = WeakKeyDictionary()


def shown_by(kernel: Kernel) -> KernelOutputs:
    """Return what a kernel has shown since it started."""
    return _shown.setdefault(kernel, KernelOutputs())


@dataclass(eq=False)
class Execution:
    """One step of one run being executed. `cells` grows as the outputs come in."""

    key: str
    step_id: str
    form: dict[str, Any]
    id: str = field(default_factory=lambda: secrets.token_hex(4))
    started: float = field(default_factory=time.time)
    running: bool = True
    error: bool = False
    active: bool = False  # it has the kernel; before that it waits for another step of the run
    doing: str = "Waiting for another step of this run"
    saving: bool = False
    stopped: bool = False
    stopping: float = 0.0  # when somebody pressed the button
    refused: bool = False  # other answers were sent while these were running
    cells: list[Record] = field(default_factory=list)
    place: Callable[[], int] = lambda: 0  # in the line of those that wait for a kernel
    shown: KernelOutputs | None = None
    collectors: list[Collector] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    save: Save | None = None
    basis: Basis = field(default_factory=dict)
    """What was stored before the step when it was asked for, and then when it began."""
    asks: list[Missing] = field(default_factory=list)
    """Secrets of earlier steps that are needed again before the cells can run."""
    reran: list[str] = field(default_factory=list)
    """Earlier steps that had to run again for it and show something else now."""
    public: Mapping[str, Any] = field(default_factory=dict)
    """The answers as code may hold them: without secrets."""
    page: PendingQuestion = field(default_factory=PendingQuestion)
    """Where its cells, and those of steps that run again for it, ask what nobody knows."""
    earlier: Known = field(default_factory=Known)
    """What its cells were answered before."""

    @property
    def question(self) -> Question | None:
        """What is asked on its card now."""
        return self.page.question if self.running else None

    @property
    def tick(self) -> int:
        """How far its kernel is, counted in messages."""
        return self.shown.tick if self.shown else 0

    @property
    def waits(self) -> int:
        """The place in the line of those that wait for a kernel; 0 when it is not in it."""
        return self.place() if self.running and not self.stopping else 0

    def end_stopped(self, message: str) -> None:
        """Say that it was stopped, in place of what the cell said to it."""
        if self.cells:
            drop_last_error(self.cells[-1]["outputs"], "KeyboardInterrupt")
        self.fail("Stopped", message)

    def fail(self, name: str, message: str, trace: list[str] | None = None) -> None:
        """Add an error of ours, in plain words, to the cell at hand."""
        if not self.cells:
            self.cells.append({"id": "", "hash": "", "outputs": []})
        self.cells[-1]["outputs"].append(error(name, message, trace))
        self.error = True

    @property
    def said(self) -> tuple[str, str]:
        """Name and message of the error it ended with."""
        errors = [o for cell in self.cells for o in cell["outputs"] if o["output_type"] == "error"]
        return (errors[-1]["ename"], errors[-1]["evalue"]) if errors else ("Error", "")

    def let_go(self) -> None:
        """Keep of a failed step what its card shows; all else is of no use any more."""
        self.shown, self.place = None, lambda: 0
        self.collectors.clear()


def drop_last_error(outputs: list[Output], name: str) -> None:
    """Take an error of this name off the end: it is said in other words."""
    if outputs and outputs[-1].get("ename") == name:
        outputs.pop()


# --- why it ended ---------------------------------------------------------------------------------------------------------


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def is_busy(problem: BaseException) -> bool:
    """Whether another program holds the database just now. apsw is the host's: its errors are known by name."""
    return type(problem).__name__ in ("BusyError", "LockedError") or _caused(problem, is_busy)


def is_full(problem: BaseException) -> bool:
    """Whether there is no room on the disk."""
    full = isinstance(problem, OSError) and problem.errno in _FULL
    return full or type(problem).__name__ == "FullError" or _caused(problem, is_full)


def _caused(problem: BaseException, by: object) -> bool:
    cause = problem.__cause__
    return cause is not None and callable(by) and bool(by(cause))


async def when_free(execution: Execution, write: Callable[[], Awaitable[None]]) -> None:
    """Write to the database. It may be of hours of computing: while another program holds the database, that is waited for."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return await write()
        except Exception as problem:
            if not is_busy(problem) or time.monotonic() > deadline:
                raise
        execution.doing = "Waiting for the database, which another program uses"
        await asyncio.sleep(1)


def in_plain_words(problem: Exception) -> tuple[str, str]:
    """Return the name and the message of the error that a step ends with."""
    if isinstance(problem, MemoryExceeded):
        most = in_words(settings.memory or 0)
        return "MemoryExceeded", (
            f"The cell was stopped: it used more than the {most} of memory that a run may use. {AGAIN} Use less data, "
            "or start the server with more: --kernel-memory."
        )
    if isinstance(problem, GivenUp):
        return INTERRUPTED, NOT_ANSWERED
    if isinstance(problem, KernelDied):
        return "KernelDied", f"{problem} {AGAIN}"
    if is_full(problem):
        return "DiskFull", f"There is no room left on the disk. Make room first. {AGAIN}"
    if is_busy(problem):
        return "DatabaseBusy", f"Another program keeps the database locked. {AGAIN}"
    return type(problem).__name__, f"The step could not be executed or saved: {problem}"
