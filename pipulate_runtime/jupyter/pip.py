"""`pip` in a notebook: stores values by job and step in the host's database (CONTRACT 1.8, 3).

A job is a row of `pipeline` with `app_name='notebook'`; its data is one JSON object `{step: value}`. The host lists it among
the runs. This module imports only the standard library, so that a notebook starts at once.
"""

import builtins
import contextlib
import getpass
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

DATABASE = "pipulate.db"  # as in pipulate_runtime.host.state.store, which is not imported here
VARIABLE = "PIPULATE_DATA"


def data_folder() -> Path:
    """Return the data folder: `$PIPULATE_DATA`, else the nearest one above, else `data` in the working folder.

    In a ported app each run has its own, in its working folder: runs do not share values, and a replay starts empty.
    """
    if work := _work_of_run():
        return work / ".pipulate"
    if named := os.environ.get(VARIABLE):
        return Path(named)
    here = Path.cwd()
    for folder in (here, *here.parents):
        for data in (folder / "data", folder):
            if data.name == "data" and (data / DATABASE).is_file():
                return data
    return here / "data"


def _work_of_run() -> Path | None:
    """Return the working folder of the run whose cells execute in this process, or None."""
    functions = getattr(builtins, "__pipulate__", None)
    began = getattr(functions, "began", None)
    return Path(began[3]) if began else None


OWNER = "notebook"  # the app_name of a notebook's rows
BUSY = 10.0  # seconds to wait for another program that writes

_TABLE = (
    "CREATE TABLE IF NOT EXISTS pipeline"
    " (pkey TEXT PRIMARY KEY, app_name TEXT, data TEXT, created TEXT, updated TEXT)"
)


class PipError(Exception):
    """The job cannot be used; the message says why and what to do."""


class Pip:
    """Stores values by job and step. Each call is one transaction: a value that was set survives a crash."""

    def __init__(self, data: Path | str | None = None) -> None:
        """With a data folder; None: `data_folder()` at the first call."""
        self._data = Path(data) if data is not None else None
        self._keys: dict[tuple[str, str], str] = {}

    def get(self, job: str, step: str, default: Any = None) -> Any:
        """Return the value of a step of a job, else the default. Raises PipError for an unreadable row."""
        return self.read(job).get(step, default)

    def set(self, job: str, step: str, value: Any) -> Any:
        """Store a value for a step of a job, and return it. Raises PipError for a value that JSON cannot hold."""
        with self._changing(job) as state:
            state[step] = value
        return value

    def read(self, job: str) -> dict[str, Any]:
        """Return all values of a job, {} for a new one. The key of a workflow's run gives the state of that run."""
        if not self._path.is_file():
            return {}
        with self._open() as connection:
            return _stored(connection, job)[1]

    def write(self, job: str, state: Mapping[str, Any]) -> None:
        """Replace all values of a job. Raises PipError for values that JSON cannot hold."""
        with self._changing(job) as kept:
            kept.clear()
            kept.update(state)

    def api_key(self, job: str, service: str = "google", key: str | None = None) -> str:
        """Return the key of a service: the given one, the one given before, or the answer to a question. Kept in memory only."""
        if key is None:
            key = self._keys.get((job, service)) or getpass.getpass(f"API key ({service}): ")
        self._keys[job, service] = key
        return key

    def nbup(self, *args: Any, **options: Any) -> None:
        """Do nothing: upstream's method copies the notebook back into its repository."""
        print("nbup is for the authors of Pipulate's own notebooks; here it does nothing.")

    def __getattr__(self, name: str) -> Any:
        """Raise AttributeError that lists the methods, for those that only upstream has."""
        raise AttributeError(
            f"There is no pip.{name}. A notebook can use pip.get, pip.set, pip.read, pip.write, pip.api_key."
        )

    def __reduce__(self) -> Any:
        """Pickle as the name `pip`: after a restore the folder is another one."""
        return "pip" if self is pip else (type(self), (self._data,))

    @property
    def _path(self) -> Path:
        return (self._data or data_folder()) / DATABASE

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        path = self._path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with contextlib.closing(
                sqlite3.connect(path, timeout=BUSY, isolation_level=None)
            ) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=FULL")
                connection.execute(_TABLE)
                yield connection
        except (OSError, sqlite3.Error) as error:
            raise PipError(
                f"The database {path} cannot be used: {error}. Set PIPULATE_DATA to the data folder of the host."
            ) from error

    @contextlib.contextmanager
    def _changing(self, job: str) -> Iterator[dict[str, Any]]:
        """Read the state of a job, let the caller change it, and write it in one transaction."""
        if not job or not isinstance(job, str):
            raise PipError(f"A job is a name, such as 'towns-01'; this is {job!r}.")
        with self._open() as connection, connection:  # which commits in the end, or rolls back
            connection.execute("BEGIN IMMEDIATE")
            owner, state = _stored(connection, job)
            if owner != OWNER:
                raise PipError(
                    f"{job!r} is a run of the workflow {owner!r}, which its own page changes. Choose another name for the job."
                )
            yield state
            now = datetime.now(UTC).isoformat()
            connection.execute(
                "INSERT INTO pipeline (pkey, app_name, data, created, updated) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (pkey) DO UPDATE SET data = excluded.data, updated = excluded.updated",
                (job, OWNER, _text(job, state), now, now),
            )


def _stored(connection: sqlite3.Connection, job: str) -> tuple[str, dict[str, Any]]:
    """Return whose row a job is, and its values. Raises PipError when they cannot be read."""
    found = connection.execute("SELECT app_name, data FROM pipeline WHERE pkey = ?", (job,))
    owner, data = found.fetchone() or (OWNER, "{}")
    try:
        state = json.loads(data)
    except (TypeError, ValueError) as error:
        raise PipError(
            f"The values of {job!r} cannot be read: {error}. They were not changed."
        ) from error
    if not isinstance(state, dict):
        raise PipError(f"The values of {job!r} are not a JSON object. They were not changed.")
    return owner, state


def _text(job: str, state: Mapping[str, Any]) -> str:
    try:
        return json.dumps(state, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise PipError(
            f"The value for {job!r} cannot be stored: {error}. Use text, numbers, lists and dictionaries."
        ) from error


pip = Pip()
