"""One at a time: the lock of a folder `.port`, which the system frees when its holder ends, however it ends.

Where folders can be locked (all but Windows) the folder itself is: no file is needed, and what cannot be written can be locked, too.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from transpiler.model import rules
from transpiler.model.diagnostics import REFUSED, UserError

SECONDS = 10.0
"""How long one waits for the others. A lock is held while files are read or written, never while a notebook is compiled."""
_PAUSE = 0.01


@contextmanager
def alone(papers: Path, make: Callable[[], None] | None = None) -> Iterator[bool]:
    """Hold the lock of a folder; gives whether it is held: a folder that is not there, or cannot be locked, has no lock.

    `make` makes the folder, for one who will write: another, who had made it for nothing, may delete it while this one waits. The lock holds
    against other processes and other threads; who holds it must not ask for it again. Raises UserError PP437 (exit 3) when others do not let
    go of it for `SECONDS`, and what `make` raises.
    """
    deadline = time.monotonic() + SECONDS
    while (held := _taken(papers, make)) is False:
        if time.monotonic() > deadline:
            raise UserError(rules.FOLDER_BUSY, REFUSED, path=str(papers), seconds=f"{SECONDS:g}")
        time.sleep(_PAUSE)
    try:
        yield held is not None
    finally:
        if held is not None:
            _free(held)


def _taken(papers: Path, make: Callable[[], None] | None) -> int | bool | None:
    """Take the lock: what holds it, False when it is to be tried again, None when there is none to be had."""
    try:
        if make is not None:
            make()
        handle = _open(papers)
    except OSError as error:
        was_deleted = make is not None and isinstance(error, FileNotFoundError)
        return False if was_deleted else None
    try:
        _lock(handle)
    except OSError as error:
        os.close(handle)
        is_held = isinstance(error, BlockingIOError | PermissionError)
        return False if is_held else None  # None: the file system knows no locks
    if _is_still(handle, papers):
        return handle
    _free(handle)  # git has put another folder in its place, say
    return False


def _free(handle: int) -> None:
    """Let go of the lock. Said by name: a process that was forked meanwhile has the handle, too."""
    with suppress(OSError):
        _unlock(handle)
    os.close(handle)


if sys.platform == "win32":
    import hashlib
    import msvcrt
    import tempfile

    def _open(papers: Path) -> int:
        """Folders cannot be locked: a file of the user does, apart from the folder, so that readers leave nothing there."""
        if not papers.is_dir():
            raise FileNotFoundError
        name = hashlib.sha256(os.path.normcase(papers.resolve()).encode()).hexdigest()[:16]
        return os.open(Path(tempfile.gettempdir(), f"pipulate-{name}.lock"), os.O_RDWR | os.O_CREAT)

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _unlock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

    def _is_still(handle: int, papers: Path) -> bool:
        return True

else:
    import fcntl

    def _open(papers: Path) -> int:
        return os.open(papers, os.O_RDONLY | os.O_DIRECTORY)

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)

    def _is_still(handle: int, papers: Path) -> bool:
        """Whether what is locked is the folder of that name."""
        try:
            return os.path.samestat(os.fstat(handle), papers.stat())
        except OSError:
            return False
