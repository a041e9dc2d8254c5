"""The pool of kernels: one for each run that computes, a spare that is started ahead, a maximum, an end for idle ones."""

import asyncio
import atexit
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from pipulate_runtime.cells.kernel import cleanup, limits
from pipulate_runtime.cells.kernel.kernel import Kernel
from pipulate_runtime.cells.kernel.questions import PendingQuestion
from pipulate_runtime.cells.source.marks import Policy
from pipulate_runtime.cells.storage.folders import RunFolder

Replay = Literal["ask", "always"]
"""Whether steps run again unasked that may repeat something: `always` where somebody has said so."""
LAST_WORDS = 10.0  # seconds that a server which ends waits for what is being stored
SETTLE = 1.0  # seconds that a run keeps its kernel after a step, even when others wait


@dataclass
class Settings:
    """The values of `configure`."""

    data: Path = Path("data")
    max_kernels: int | None = None  # None: `usual_kernels`
    idle_seconds: float = 600.0
    memory: int | None = None  # bytes that a kernel and what it starts may use
    output: int = 1024**3  # characters that the cells of a step may print
    python: str = sys.executable
    spare: bool = True  # whether to start a kernel ahead for the next run
    checkpoint: Policy = "auto"
    replay: Replay = "ask"

    @cached_property
    def usual_kernels(self) -> int:
        return limits.default_kernels(self.memory)


settings = Settings()


@dataclass(eq=False)
class Keeping:
    """A step whose values are being stored, while the kernel goes on."""

    step_id: str
    task: asyncio.Task[None]
    valid: bool = True  # until the step, or one before it, is executed again


@dataclass
class Run:
    """What the server holds of a run while it computes or has a kernel; the rest is in the database."""

    folder: RunFolder
    kernel: Kernel | None = None
    busy: bool = False
    rested: float = 0.0  # when it last computed, by the loop's clock
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    rests: asyncio.Task[None] | None = None  # waits to make a checkpoint
    page: PendingQuestion | None = None  # the questions of its running step
    keeping: "Keeping | None" = None  # what is being stored of it


class Pool:
    """The live kernels of one event loop. Runs in use stand in the order of their last use."""

    def __init__(self) -> None:
        """End the kernels of a server that was killed, then begin without any."""
        self.loop = asyncio.get_running_loop()
        self.runs: dict[str, Run] = {}
        self.kernels: set[Kernel] = set()
        self.spare: asyncio.Task[Kernel] | None = None
        self._starting = 0  # kernels that are starting for a run
        self._line: list[Run] = []  # runs that wait for a kernel, in order
        self._freed = asyncio.Event()
        self._one_scratch = asyncio.Lock()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self.keeping: set[asyncio.Task[None]] = set()  # tasks that make checkpoints
        self.ending = asyncio.Event()  # the server ends: what waits for a rest need not
        self.closing = False
        self._guard: cleanup.Guard | None = None
        cleanup.end_all(settings.data)

    def run(self, app_name: str, key: str) -> Run:
        folder = RunFolder(settings.data, app_name, key)
        return self.runs.setdefault(str(folder.path), Run(folder))

    def warm(self) -> None:
        if self.spare is None:
            self.spare = asyncio.ensure_future(self._started())
            self.spare.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _started(self) -> Kernel:
        kernel = Kernel(settings.python, settings.data)
        self.kernels.add(kernel)
        if self._guard is None or not self._guard.lives():  # somebody may have ended it
            self._guard = cleanup.Guard()
            for other in self.kernels:
                self._guard.watch(other.folder)
        else:
            self._guard.watch(kernel.folder)
        try:
            await kernel.start()
        except BaseException:
            kernel.kill()
            kernel.forget()
            self.kernels.discard(kernel)
            raise
        return kernel

    async def take(self, run: Run) -> Kernel:
        """Give the run a new kernel in place of its present one. Waits for its turn when there are too many."""
        self._replace(run)
        self._line.append(run)
        try:
            while not (self._line[0] is run and self._make_room()):
                self._freed.clear()
                # by then a run may have rested for SETTLE
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._freed.wait(), SETTLE)
            self._starting += 1
        finally:
            self._line.remove(run)
            self._freed.set()
        try:
            run.kernel = await self._fresh()
        finally:
            self._starting -= 1
            self._freed.set()
        if settings.spare:
            self.warm()
        return run.kernel

    def place(self, run: Run) -> int:
        """Return the run's place in the queue for kernels, from 1; 0 if it is not in it."""
        return self._line.index(run) + 1 if run in self._line else 0

    def _make_room(self) -> bool:
        """Whether one more kernel may live; ends the one that has been idle for longest if that makes room.

        A run keeps its kernel for SETTLE seconds after a step: its next step most often follows at once.
        """
        if sum(r.kernel is not None for r in self.runs.values()) + self._starting < (
            settings.max_kernels or settings.usual_kernels
        ):
            return True
        settled = self.loop.time() - SETTLE
        idle = (r for r in self.runs.values() if r.kernel and not r.busy and r.rested <= settled)
        if found := next(idle, None):
            self._park(found)
            return True
        self._give_up()
        return False

    def _give_up(self) -> None:
        """End the kernel whose cell has waited longest for an answer, if that is longer than an idle one may live."""
        waits = [(r.page.waits, r.kernel) for r in self.runs.values() if r.page and r.kernel]
        longest, kernel = max(waits, key=lambda entry: entry[0], default=(0.0, None))
        if kernel and longest > settings.idle_seconds:
            kernel.given_up = True
            kernel.kill()

    async def _fresh(self) -> Kernel:
        """Return a started kernel that has executed nothing."""
        while True:
            self.warm()
            spare, self.spare = self.spare, None
            assert spare
            kernel = await spare
            if kernel.alive():  # a spare may have been killed meanwhile
                return kernel
            await self._end(kernel)

    @contextlib.asynccontextmanager
    async def scratch(self) -> AsyncIterator[Kernel]:
        """Give a kernel that belongs to no run, and end it afterwards. One at a time."""
        async with self._one_scratch:
            kernel = await self._fresh()
            try:
                yield kernel
            finally:
                kernel.kill()
                await self._end(kernel)

    def begin(self, run: Run) -> None:
        """Note that the run computes from now on."""
        run.busy = True
        path = str(run.folder.path)
        self.runs[path] = self.runs.pop(path, run)
        if timer := self._timers.pop(path, None):
            timer.cancel()

    def rest(self, run: Run) -> None:
        """Note that the run has computed: its kernel ends unless the next step starts within `idle_seconds`."""
        run.busy = False
        run.rested = self.loop.time()
        self._freed.set()
        path = str(run.folder.path)
        if run.kernel:
            self._timers[path] = self.loop.call_later(settings.idle_seconds, self._park, run)

    def _park(self, run: Run) -> None:
        if not run.busy and (kernel := self._detach(run)):
            self._end_later(kernel, run.keeping)
            self.let_go(run)

    def let_go(self, run: Run) -> None:
        """Hold nothing more of a run that neither computes, nor has a kernel, nor is being stored."""
        if not (run.kernel or run.keeping or run.busy or run.lock.locked()):
            self.runs.pop(str(run.folder.path), None)

    def _replace(self, run: Run) -> None:
        """End the run's kernel at once, since its working folder is made anew."""
        if kernel := self._detach(run):
            kernel.kill()
            self._end_later(kernel)

    def _end_later(self, kernel: Kernel, keeping: Keeping | None = None) -> None:
        """End a kernel without waiting for it, once what a copy of it stores is stored."""

        async def end() -> None:
            if keeping:
                await asyncio.wait([keeping.task])
            await self._end(kernel)

        task = asyncio.ensure_future(end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _detach(self, run: Run) -> Kernel | None:
        """Take the kernel from its run at once: a step that starts now must not find it while it ends."""
        kernel, run.kernel = run.kernel, None
        if timer := self._timers.pop(str(run.folder.path), None):
            timer.cancel()
        return kernel

    async def drop(self, run: Run) -> None:
        if run.keeping:
            await asyncio.wait([run.keeping.task], timeout=SETTLE)
        if kernel := self._detach(run):
            await self._end(kernel)

    async def _end(self, kernel: Kernel) -> None:
        await kernel.end()
        self.kernels.discard(kernel)
        self._freed.set()

    def discard(self, run: Run) -> None:
        """End the run's kernel without waiting for it, and hold nothing more of the run."""
        self.runs.pop(str(run.folder.path), None)
        if run.keeping:
            run.keeping.valid = False
        self._replace(run)

    async def close(self) -> None:
        self.closing = True
        spare, self.spare = self.spare, None
        if spare:
            spare.cancel()
            with contextlib.suppress(BaseException):
                await spare
        for timer in self._timers.values():
            timer.cancel()
        await self._end_keeping()
        await asyncio.gather(*self._ending, *(kernel.end() for kernel in self.kernels))
        self.kernels.clear()
        self.runs.clear()
        if self._guard:
            await asyncio.to_thread(self._guard.end)

    async def _end_keeping(self) -> None:
        """Let running checkpoints finish, and those that take a moment; begin no more. A copy that hangs is not waited for."""
        self.ending.set()
        deadline = self.loop.time() + LAST_WORDS
        while work := {task for task in self._keeping_tasks() if not task.done()}:
            left = deadline - self.loop.time()
            if left <= 0:
                for run in self.runs.values():
                    if run.keeping:
                        run.keeping.valid = False
            await asyncio.wait(work, timeout=max(left, 1.0))

    def _keeping_tasks(self) -> set[asyncio.Task[None]]:
        return self.keeping | {run.rests for run in self.runs.values() if run.rests}

    def kill(self) -> None:
        """End all kernels without an event loop: the interpreter ends, or the loop is gone."""
        self.closing = True
        for kernel in self.kernels:
            kernel.kill()
        for kernel in self.kernels:
            kernel.forget()
        self.kernels.clear()
        if self._guard:
            self._guard.end()


_pool: Pool | None = None


def pool() -> Pool:
    """Return the pool of the running event loop; kernels of a loop that is gone are ended."""
    global _pool
    if _pool is None or _pool.loop is not asyncio.get_running_loop():
        kill_all()
        _pool = Pool()
    return _pool


def kill_all() -> None:
    global _pool
    if _pool:
        _pool.kill()
    _pool = None


async def close() -> None:
    global _pool
    closing, _pool = _pool, None
    if closing and closing.loop is asyncio.get_running_loop():
        await closing.close()
    elif closing:
        closing.kill()


def current() -> Pool | None:
    return _pool


atexit.register(kill_all)
