"""Verifies several notebooks, in processes of their own, and keeps a line of each. For `pipulate verify A.ipynb B.ipynb ...`."""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from transpiler import codes
from transpiler.arguments import Task
from transpiler.diagnostics import UserError
from transpiler.ir import JSON
from transpiler.verified import Way
from transpiler.verify import verify

_SAFE_PATH = "PYTHONSAFEPATH"  # as `python -P`: the working directory is not on the path


@dataclass(frozen=True, slots=True)
class Line:
    """What came of one notebook. `data` is as `Verified.as_dict` has it, or holds only what went wrong."""

    notebook: Path
    counts: Mapping[str, int]
    ways: tuple[Way, ...]
    seconds: float
    remark: str
    exit_code: int
    data: Mapping[str, JSON]


def verify_all(tasks: Sequence[Task], jobs: int, done: Callable[[Line, int], None]) -> list[Line]:
    """Verify notebooks, `jobs` at the same time; return their lines in the order of `tasks`.

    `done` hears each line as it comes, and how many are still to come. A notebook that cannot be verified is a line that
    says so, also when it has killed the process that verified it; nothing of it is raised.
    """
    lines: dict[int, Line] = {}
    for number, line in _lines(tasks, min(jobs, len(tasks))):
        lines[number] = line
        done(line, len(tasks) - len(lines))
    return [lines[number] for number in range(len(tasks))]


def _lines(tasks: Sequence[Task], jobs: int) -> Iterator[tuple[int, Line]]:
    """Each task's number and line, as they come."""
    if jobs < 2:
        for number, task in enumerate(tasks):
            yield number, verified(task)
        return
    waiting, idle = list(enumerate(tasks)), [_worker() for _ in range(jobs)]
    running: dict[Future[Line], _Begun] = {}
    try:
        while waiting or running:
            while waiting and idle:
                number, task = waiting.pop(0)
                begun = _begun(number, task, idle.pop())
                running[begun.future] = begun
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                begun = running.pop(future)
                idle.append(begun.worker)  # may be dead: `_begun` replaces it
                yield begun.number, _line(tasks[begun.number], begun)
    finally:
        for worker in [*idle, *(begun.worker for begun in running.values())]:
            worker.shutdown(cancel_futures=True)  # after Ctrl+C nothing new is begun


@dataclass(frozen=True, slots=True)
class _Begun:
    """A task that a process works on. Each process has one at a time, so that it takes no other with it when it dies."""

    number: int
    worker: ProcessPoolExecutor
    future: Future[Line]
    at: float


def _begun(number: int, task: Task, worker: ProcessPoolExecutor) -> _Begun:
    """Give a task to a process, or to a new one where that one has died."""
    with _without_the_working_directory():
        try:
            future = worker.submit(verified, task)
        except BrokenExecutor:
            worker.shutdown()
            worker = _worker()
            future = worker.submit(verified, task)
    return _Begun(number, worker, future, time.perf_counter())


def _worker() -> ProcessPoolExecutor:
    """A process that verifies one notebook after the other; it starts with its first."""
    # A new interpreter: a fork would share the sockets of zmq with its parent
    context = multiprocessing.get_context("spawn")
    before = (os.environ.get(_SAFE_PATH),)
    with _without_the_working_directory():
        return ProcessPoolExecutor(1, context, initializer=_restore, initargs=before)


@contextmanager
def _without_the_working_directory() -> Iterator[None]:
    """New interpreters that are started meanwhile do not import a user's `types.py` from the folder they stand in."""
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        _restore(before)


def _restore(before: str | None) -> None:
    """Take the variable back, here or in the new process: the kernels that it starts see the folder of their run."""
    os.environ.pop(_SAFE_PATH, None)
    if before is not None:
        os.environ[_SAFE_PATH] = before


def _line(task: Task, begun: _Begun) -> Line:
    """The line of a task that is done, or that ended with its process. Raises KeyboardInterrupt if that came to the process."""
    error = begun.future.exception()
    if error is None:
        return begun.future.result()
    if not isinstance(error, Exception):
        raise error
    if isinstance(error, BrokenExecutor):
        error = UserError(codes.PROCESS_DIED, 1, path=str(task.notebook))
    return _failed(task, error, time.perf_counter() - begun.at)


def verified(task: Task) -> Line:
    """Verify one notebook; whatever goes wrong is in its line."""
    before = time.perf_counter()
    try:
        found = verify(task.notebook, task.plugin, task.given, lambda _: None, task.ways)
    except (Exception, SystemExit) as error:
        return _failed(task, error, time.perf_counter() - before)
    return Line(
        task.notebook,
        found.counts,
        task.ways,
        found.seconds,
        found.first,
        found.exit_code,
        found.as_dict(),
    )


def _failed(task: Task, error: BaseException, seconds: float) -> Line:
    """The line of a notebook that could not be verified."""
    code, message, exit_code = _problem(error)
    data: dict[str, JSON] = {
        "notebook": task.notebook.name,
        "same": False,
        "problem": {"code": code, "message": message},
    }
    return Line(task.notebook, {}, task.ways, seconds, f"{code} {message}", exit_code, data)


def _problem(error: BaseException) -> tuple[str, str, int]:
    """The code, the message and the exit code of what stopped a verification."""
    if isinstance(error, UserError):
        return error.diagnostic.rule.code, error.diagnostic.message, error.exit_code
    host = sys.modules.get("pipulate_runtime.host.messages")
    if host is not None and isinstance(error, host.HostError):
        return error.code, error.message, error.exit_code
    return "PP901", f"{type(error).__name__}: {error}", 1
