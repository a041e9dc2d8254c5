"""In plain words, why a step could not be executed or saved."""

import errno

from pipulate_runtime.cells.kernels import GivenUp, KernelDied, MemoryExceeded
from pipulate_runtime.cells.limits import in_words
from pipulate_runtime.cells.pool import settings

STOPPED = "You stopped this step. Nothing of it is kept."
KILLED = "You stopped this step. It did not react, so its kernel was ended. Nothing of it is kept."
INTERRUPTED = "Interrupted"
NOT_ANSWERED = (
    "Nobody answered for a while, and other runs were waiting for their turn. Run the step again when you are ready: what "
    "you have answered is given again."
)
AGAIN = "Nothing of this step is kept. Run it again."

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
