"""Verifies several notebooks, in processes of their own, and keeps a line of each. For `pipulate verify A.ipynb B.ipynb ...`."""

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from transpiler.model import rules
from transpiler.model.diagnostics import UserError
from transpiler.model.ir import JSON
from transpiler.verify.answers import Task
from transpiler.verify.result import Way
from transpiler.verify.verify import put_variable, variable_set, verify

_SAFE_PATH = "PYTHONSAFEPATH"  # as `python -P`: the working directory is not on the path


@dataclass(frozen=True, slots=True)
class NotebookLine:
    """The result for one notebook. `data` comes from `Verified.as_dict`, or holds only the error."""

    notebook: Path
    counts: Mapping[str, int]
    ways: tuple[Way, ...]
    seconds: float
    remark: str
    exit_code: int
    data: Mapping[str, JSON]


def verify_all(
    tasks: Sequence[Task], jobs: int, done: Callable[[NotebookLine, int], None]
) -> list[NotebookLine]:
    """Verify notebooks, `jobs` at the same time; return their lines in the order of `tasks`.

    `done` hears each line as it comes, and how many are still to come. A notebook that cannot be verified is a line that
    says so, also when it has killed the process that verified it; nothing of it is raised.
    """
    lines: dict[int, NotebookLine] = {}
    for number, line in _lines(tasks, min(jobs, len(tasks))):
        lines[number] = line
        done(line, len(tasks) - len(lines))
    return [lines[number] for number in range(len(tasks))]


def _lines(tasks: Sequence[Task], jobs: int) -> Iterator[tuple[int, NotebookLine]]:
    if jobs < 2:
        for number, task in enumerate(tasks):
            yield number, verify_one(task)
        return
    workers: SimpleQueue[ProcessPoolExecutor] = SimpleQueue()
    threads = ThreadPoolExecutor(jobs)
    # new interpreters do not import a user's `types.py` from the folder they stand in
    with variable_set(_SAFE_PATH, "1") as before:
        try:
            for _ in range(jobs):
                workers.put(_worker(before))
            numbers = {
                threads.submit(_in_a_process, task, workers, before): number
                for number, task in enumerate(tasks)
            }
            for future in as_completed(numbers):
                yield numbers[future], future.result()
        finally:
            threads.shutdown(cancel_futures=True)  # after Ctrl+C nothing new is begun
            while not workers.empty():
                workers.get().shutdown()


def _in_a_process(
    task: Task, workers: "SimpleQueue[ProcessPoolExecutor]", before: str | None
) -> NotebookLine:
    """Verify a notebook in a process that is free. It has no other task, so that it takes no other with it when it dies.

    Raises KeyboardInterrupt if that came to the process.
    """
    began, worker = time.perf_counter(), workers.get()
    try:
        return worker.submit(verify_one, task).result()
    except BrokenExecutor:
        worker.shutdown()
        worker = _worker(before)
        error = UserError(rules.PROCESS_DIED, 1, path=str(task.notebook))
        return _failed_line(task, error, time.perf_counter() - began)
    except Exception as error:
        return _failed_line(task, error, time.perf_counter() - began)
    finally:
        workers.put(worker)


def _worker(before: str | None) -> ProcessPoolExecutor:
    """A process that verifies one notebook after the other; it starts with its first.

    The variable has its value of `before` there: the kernels that it starts see the folder of their run.
    """
    # A new interpreter: a fork would share the sockets of zmq with its parent
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, context, initializer=put_variable, initargs=(_SAFE_PATH, before))


def verify_one(task: Task) -> NotebookLine:
    """Verify one notebook; whatever goes wrong is in its line."""
    before = time.perf_counter()
    try:
        found = verify(task.notebook, task.plugin, task.given, lambda _: None, task.ways)
    except (Exception, SystemExit) as error:
        return _failed_line(task, error, time.perf_counter() - before)
    code, data = found.exit_code, found.as_dict()
    return NotebookLine(
        task.notebook, found.counts, task.ways, found.seconds, found.first, code, data
    )


def _failed_line(task: Task, error: BaseException, seconds: float) -> NotebookLine:
    """The line of a notebook that could not be verified."""
    code, message, exit_code = _problem(error)
    data: dict[str, JSON] = {
        "notebook": task.notebook.name,
        "same": False,
        "problem": {"code": code, "message": message},
    }
    return NotebookLine(task.notebook, {}, task.ways, seconds, f"{code} {message}", exit_code, data)


def _problem(error: BaseException) -> tuple[str, str, int]:
    """The code, the message and the exit code of what stopped a verification."""
    if isinstance(error, UserError):
        return error.diagnostic.rule.code, error.diagnostic.message, error.exit_code
    host = sys.modules.get("pipulate_runtime.host.base.errors")
    if host is not None and isinstance(error, host.HostError):
        return error.code, error.message, error.exit_code
    return "PP901", f"{type(error).__name__}: {error}", 1
