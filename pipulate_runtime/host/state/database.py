"""Opens the database, and says in words why that, or a change, was not possible."""

import errno
from pathlib import Path

import apsw

from pipulate_runtime.host.base.errors import (
    DATA_UNUSABLE,
    DATABASE_BUSY,
    DATABASE_UNWRITABLE,
    DISK_FULL,
    NOT_A_DATABASE,
)


def connect(path: Path, patience: float) -> apsw.Connection:
    """Open a database without writing to it: fastlite's own way runs `PRAGMA optimize`, which waits for others that write."""
    hooks, apsw.connection_hooks = apsw.connection_hooks, []
    try:
        connection = apsw.Connection(str(path))
    finally:
        apsw.connection_hooks = hooks
    connection.set_busy_timeout(round(patience * 1000))
    if connection.pragma("journal_mode") != "wal":
        connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "FULL")
    return connection


def unopened(error: Exception, path: Path) -> Exception:
    """Say why a database could not be opened."""
    unusable = (
        OSError | apsw.CantOpenError | apsw.ReadOnlyError | apsw.PermissionsError | apsw.IOError
    )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DISK_FULL.error(path=path)
    if isinstance(error, unusable):
        return DATA_UNUSABLE.error(data=path.parent, reason=error)
    if isinstance(error, apsw.FullError | apsw.BusyError | apsw.LockedError):
        return unwritten(error, path)
    return NOT_A_DATABASE.error(path=path, reason=error)


def unwritten(error: Exception, path: Path) -> Exception:
    """Say why a database could not be changed; what is a fault of ours stays as it is."""
    if isinstance(error, apsw.FullError):
        return DISK_FULL.error(path=path)
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return DATABASE_BUSY.error(path=path)
    unwritable = apsw.ReadOnlyError | apsw.PermissionsError | apsw.CantOpenError | apsw.IOError
    return (
        DATABASE_UNWRITABLE.error(path=path, reason=error)
        if isinstance(error, unwritable)
        else error
    )
