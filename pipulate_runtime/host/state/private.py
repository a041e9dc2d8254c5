"""What a data folder holds is for its owner alone: answers of people, and what cells made of them."""

import contextlib
import os
from pathlib import Path

_LOG = ("-wal", "-shm", "-journal")  # what SQLite puts beside a database


def keep_private(database: Path) -> None:
    """Let only the owner read a database, what SQLite puts beside it, and the folders of runs and kernels, whoever made the data folder.

    The database is created if it is missing, so that it never is what the umask makes of it; SQLite gives the same rights to
    the files beside it. What belongs to somebody else stays as it is. Raises OSError when the database cannot be made.
    """
    data = database.parent
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not database.exists():
        os.close(os.open(database, os.O_CREAT | os.O_WRONLY, 0o600))
    for path in (database, *(Path(f"{database}{end}") for end in _LOG)):
        _restrict(path, 0o600)
    for name in ("runs", "kernels"):
        with contextlib.suppress(OSError):  # a data folder that cannot be written can be looked at
            (data / name).mkdir(mode=0o700, exist_ok=True)
        _restrict(data / name, 0o700)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read. Raises OSError."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
        file.write(text.encode())
    _restrict(path, 0o600)


def _restrict(path: Path, mode: int) -> None:
    """Take rights away from all but the owner; add none."""
    with contextlib.suppress(OSError):  # it is not there, or belongs to somebody else
        now = path.stat().st_mode & 0o777
        if now & ~mode:
            path.chmod(now & mode)
