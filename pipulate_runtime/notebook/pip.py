"""`pip` in a notebook: values by job and step, kept in the host's database (CONTRACT 1.8, 3).

A job is a row of `pipeline` with `app_name='notebook'`; its data is one JSON object `{step: value}`. The host shows it among
the runs. Only the standard library is imported, so that a notebook starts at once.
"""

import contextlib
import getpass
import json
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipulate_runtime.notebook.places import DATABASE, data_folder

OWNER = "notebook"  # the app_name of a notebook's rows
BUSY = 10.0  # seconds to wait for another program that writes

_TABLE = (
    "CREATE TABLE IF NOT EXISTS pipeline"
    " (pkey TEXT PRIMARY KEY, app_name TEXT, data TEXT, created TEXT, updated TEXT)"
)


class PipError(Exception):
    """A job cannot be used as asked; the message says why and what to do."""


class Pip:
    """Keeps values by job and step. Each call is one transaction: what was set is there after a crash."""

    def __init__(self, data: Path | str | None = None) -> None:
        """With a data folder; None: the one that `places.data_folder` finds, at the first call."""
        self._data = Path(data) if data is not None else None
        self._keys: dict[tuple[str, str], str] = {}

    def get(self, job: str, step: str, default: Any = None) -> Any:
        """Return what is kept for a step of a job, else the default. Raises PipError for a row that cannot be read."""
        return self.read(job).get(step, default)

    def set(self, job: str, step: str, value: Any) -> Any:
        """Keep a value for a step of a job, and return it. Raises PipError for what JSON cannot say."""
        with self._changing(job) as state:
            state[step] = value
        return value

    def read(self, job: str) -> dict[str, Any]:
        """Return all that is kept for a job, {} for a new one. The state of a workflow's run can be read by its key, too."""
        if not self._path.is_file():
            return {}
        with self._open() as connection:
            row = self._row(connection, job)
        return {} if row is None else _state(job, row[1])

    def write(self, job: str, state: Mapping[str, Any]) -> None:
        """Replace all that is kept for a job. Raises PipError for what JSON cannot say."""
        with self._changing(job) as kept:
            kept.clear()
            kept.update(state)

    def api_key(self, job: str, service: str = "google", key: str | None = None) -> str:
        """Return the key of a service: the given one, the one given before, or the answer to a question. It is kept in memory only."""
        if key is None:
            key = self._keys.get((job, service)) or getpass.getpass(f"API key ({service}): ")
        self._keys[job, service] = key
        return key

    def nbup(self, *args: Any, **options: Any) -> None:
        """Upstream copies the notebook back into its repository with this; here it says that there is nothing to do."""
        print("nbup is for the authors of Pipulate's own notebooks; nothing was done.")

    def __getattr__(self, name: str) -> Any:
        """Say what there is, for what upstream's object has and this one has not."""
        raise AttributeError(
            f"pip.{name} is not there. What a notebook can use: pip.get, pip.set, pip.read, pip.write, pip.api_key."
        )

    def __reduce__(self) -> Any:
        """A checkpoint keeps the name, not the object: the folder is another one after a restore."""
        return "pip" if self is pip else (type(self), (self._data,))

    # -- the database

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

    @staticmethod
    def _row(connection: sqlite3.Connection, job: str) -> tuple[str, str] | None:
        found = connection.execute("SELECT app_name, data FROM pipeline WHERE pkey = ?", (job,))
        row: tuple[str, str] | None = found.fetchone()
        return row

    @contextlib.contextmanager
    def _changing(self, job: str) -> Iterator[dict[str, Any]]:
        """Give the state of a job to be changed; read and written in one transaction."""
        if not job or not isinstance(job, str):
            raise PipError(f"A job is a name, such as 'towns-01'; this is {job!r}.")
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                row = self._row(connection, job)
                if row is not None and row[0] != OWNER:
                    raise PipError(
                        f"{job!r} is a run of the workflow {row[0]!r}, which its own page changes. Choose another name for the job."
                    )
                state = {} if row is None else _state(job, row[1])
                yield state
                now = datetime.now(UTC).isoformat()
                connection.execute(
                    "INSERT INTO pipeline (pkey, app_name, data, created, updated) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT (pkey) DO UPDATE SET data = excluded.data, updated = excluded.updated",
                    (job, OWNER, _text(job, state), now, now),
                )
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def _state(job: str, data: str) -> dict[str, Any]:
    try:
        state = json.loads(data)
    except (TypeError, ValueError) as error:
        raise PipError(
            f"What is kept for {job!r} cannot be read: {error}. The row is left as it is."
        ) from error
    if not isinstance(state, dict):
        raise PipError(f"What is kept for {job!r} is no object. The row is left as it is.")
    return state


def _text(job: str, state: Mapping[str, Any]) -> str:
    try:
        return json.dumps(state, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise PipError(
            f"The value cannot be kept for {job!r}: {error}. Keep what JSON can say: text, numbers, lists, dictionaries."
        ) from error


pip = Pip()
