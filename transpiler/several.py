"""Verifies several notebooks, in processes of their own, and keeps a line of each. For `pipulate verify A.ipynb B.ipynb ...`."""

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from transpiler.arguments import Task
from transpiler.diagnostics import UserError
from transpiler.ir import JSON
from transpiler.verified import Way
from transpiler.verify import verify


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
    says so; nothing of it is raised.
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
    # New interpreters: a fork would share the sockets of zmq with its parent
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        numbers: dict[Future[Line], int] = {}
        try:
            for number, task in enumerate(tasks):
                numbers[pool.submit(verified, task)] = number
            for future in as_completed(numbers):
                yield numbers[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # after Ctrl+C nothing new is begun


def verified(task: Task) -> Line:
    """Verify one notebook; whatever goes wrong is in its line."""
    before = time.perf_counter()
    try:
        found = verify(task.notebook, task.plugin, task.given, lambda _: None, task.ways)
    except Exception as error:
        code, message, exit_code = _problem(error)
        seconds = time.perf_counter() - before
        data: dict[str, JSON] = {
            "notebook": task.notebook.name,
            "same": False,
            "problem": {"code": code, "message": message},
        }
        return Line(task.notebook, {}, task.ways, seconds, f"{code} {message}", exit_code, data)
    return Line(
        task.notebook,
        found.counts,
        task.ways,
        found.seconds,
        found.first,
        found.exit_code,
        found.as_dict(),
    )


def _problem(error: Exception) -> tuple[str, str, int]:
    """The code, the message and the exit code of what stopped a verification."""
    if isinstance(error, UserError):
        return error.diagnostic.rule.code, error.diagnostic.message, error.exit_code
    host = sys.modules.get("pipulate_runtime.host.messages")
    if host is not None and isinstance(error, host.HostError):
        return error.code, error.message, error.exit_code
    return "PP901", f"{type(error).__name__}: {error}", 1
