"""What is kept: one SQLite file with the tables of the Pipulate contract (CONTRACT 1.8). Knows nothing of the web.

A run is one row of `pipeline`: its key, the workflow it belongs to, and one JSON object with everything the run knows.
Each write is one transaction in WAL mode with full synchronisation, so that a kill at any moment leaves the state
before the write or the one after it.
"""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
from apswutils.db import Table
from fastlite import Database

from pipulate_runtime.host.base.errors import RUN_UNKNOWN
from pipulate_runtime.host.state.choices import Choices
from pipulate_runtime.host.state.database import connect, unopened, unwritten
from pipulate_runtime.host.state.private import keep_private
from pipulate_runtime.host.state.run import Run, Seen, State, now

DATABASE = "pipulate.db"
DEFAULT_PROFILE = "Default Profile"
UNDO_TIME = timedelta(minutes=15)
PIECE = 50  # runs that are taken away for good in one transaction

_TABLES: dict[str, dict[str, Any]] = {
    "store": {"key": str, "value": str, "pk": "key"},
    "profile": {
        **{"id": int, "name": str, "real_name": str, "address": str, "code": str},
        # the keys of its runs begin with `key_name`, which stays when the profile gets another name
        **{"active": bool, "priority": int, "key_name": str, "pk": "id"},
    },
    "pipeline": {
        **{"pkey": str, "app_name": str, "data": str, "created": str, "updated": str, "pk": "pkey"},
    },
    "roles": {"id": int, "text": str, "done": bool, "priority": int, "pk": "id"},
    "tasks": {"id": int, "text": str, "done": bool, "priority": int, "profile_id": int, "pk": "id"},
    # deleted runs, kept for as long as the deletion can be undone
    "deleted": {
        **{"pkey": str, "app_name": str, "data": str, "created": str, "updated": str},
        **{"at": str, "pk": "pkey"},
    },
    # removed rows of other tables, as JSON, for as long as the removal can be undone
    "removed": {"id": int, "name": str, "row_id": int, "data": str, "at": str, "pk": "id"},
}

BUSY = 0.1  # seconds that a change of a server waits for another program that writes
OPENING = 5.0  # seconds that a start waits, and a command without a server
_FIRST_PROFILE = "insert into profile (name, active, priority) select ?, 1, 1 where not exists (select 1 from profile)"

# `updated` stands behind the state of a run, which may be long: lists of runs must not read through it
_INDEXES = (
    "DROP INDEX IF EXISTS pipeline_changed",  # of an older version, without the names
    "CREATE INDEX IF NOT EXISTS pipeline_latest ON pipeline (updated, app_name, pkey)",
    "CREATE INDEX IF NOT EXISTS pipeline_of_app ON pipeline (app_name, updated, pkey)",
    "CREATE INDEX IF NOT EXISTS pipeline_names ON pipeline (app_name, pkey)",
    "CREATE INDEX IF NOT EXISTS deleted_at ON deleted (at, app_name, pkey)",
    "CREATE INDEX IF NOT EXISTS pipeline_numbers ON pipeline (app_name, length(pkey), pkey)",
)


# the key begins with the key name :p of a profile and the workflow's name; all runs when :p is empty
_OF_PROFILE = (
    "(:p = '' or substr(pkey, 1, length(:p || app_name) + 2) = "
    "replace(:p || '-' || app_name || '-', ' ', '_'))"
)


class StateStore(Choices):
    """The database of one data folder. Safe to use from several threads; several processes may open the same file."""

    def __init__(self, path: Path) -> None:
        """Opens or creates the file. A change waits OPENING seconds for another program that writes, until `wait_at_most`.

        Raises HostError PP505 (the folder cannot be used), PP506 (not a database), PP531 (no room) and PP532 (locked for longer than
        OPENING seconds).
        """
        self.path, self._patience = path, OPENING
        deadline = time.monotonic() + OPENING
        while True:
            try:
                self._open()
                break
            except (OSError, apsw.Error) as error:
                busy = isinstance(error, apsw.BusyError | apsw.LockedError)
                if not busy or time.monotonic() > deadline:
                    raise unopened(error, path) from error
            time.sleep(0.1)
        self.lock = threading.RLock()
        self._rollbacks = 0
        self._counted: dict[str, tuple[Seen, dict[str, int]]] = {}
        self._classes: dict[str, type] = {}
        self._pipeline = self.table("pipeline")
        self._deleted = self.table("deleted")
        self._store = self.table("store")

    def _open(self) -> None:
        keep_private(self.path)
        self._db = Database(connect(self.path, self._patience))
        for name, columns in _TABLES.items():
            self._create(name, dict(columns))
        for index in _INDEXES:
            self._db.conn.execute(index)
        if "key_name" not in self._db.t["profile"].columns_dict:  # made by an older version
            self._db.t["profile"].add_column("key_name", str)
        if not self._db.conn.execute("select 1 from profile limit 1").fetchone():
            self._db.conn.execute(_FIRST_PROFILE, (DEFAULT_PROFILE,))

    def _create(self, name: str, columns: dict[str, Any]) -> None:
        pk = columns.pop("pk")
        self._db.t[name].create(columns, pk=pk, if_not_exists=True)

    def close(self) -> None:
        """Closes the file; the write-ahead log is folded in."""
        with self.lock:
            self._db.conn.close()

    def table(self, name: str) -> Any:
        """A MiniDataAPI table of its own: a filter set on it with `xtra` reaches nobody else."""
        table = Table(self._db, name)
        if name not in self._classes:  # kept, as to make one takes longer than most queries
            self._classes[name] = table.dataclass()  # type: ignore[attr-defined]  # added by fastlite
        table.cls = self._classes[name]  # type: ignore[attr-defined]  # rows become this
        return table

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction: all of it is kept or none. Raises HostError PP531 (no room), PP532 (locked), PP539 (unwritable)."""
        with self.lock:
            try:
                self._db.conn.execute("BEGIN IMMEDIATE")
                try:
                    yield
                    self._db.conn.execute("COMMIT")
                except BaseException:
                    self._rollbacks += 1
                    if self._db.conn.in_transaction:  # a full disk may have ended it
                        self._db.conn.execute("ROLLBACK")
                    raise
            except apsw.Error as error:
                raise unwritten(error, self.path) from error

    def transaction(self) -> AbstractContextManager[None]:
        """One transaction for what several tables are changed in. Not to be nested; raises HostError PP531, PP532."""
        return self._writing()

    def wait_at_most(self, seconds: float) -> None:
        """Let a change wait so long for another program that writes. In a server, all pages wait with it."""
        self._patience = seconds
        self._db.conn.set_busy_timeout(round(seconds * 1000))

    def is_busy(self) -> bool:
        """Whether another program writes just now; answers at once."""
        with self.lock:
            connection = self._db.conn
            if connection.in_transaction:
                return False
            connection.set_busy_timeout(0)
            try:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
                return False
            except (apsw.BusyError, apsw.LockedError):
                return True
            except apsw.Error:
                return False  # the change itself says what it is
            finally:
                self.wait_at_most(self._patience)

    def seen(self) -> Seen:
        """What is another one as soon as anybody has written: another connection, or this one, or took it back."""
        connection = self._db.conn
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        return version, connection.total_changes(), self._rollbacks

    # -- runs

    def run(self, key: str) -> Run | None:
        """The row of a run, or None."""
        # Asked most of all; a table's `get` asks the database for its columns first, twice.
        with self.lock:
            seen = self.seen()
            rows = self._db.q("select * from pipeline where pkey = ?", [key])
        return self._run(rows[0], seen) if rows else None

    def _run(self, row: dict[str, Any], seen: Seen | None = None) -> Run:
        text = {name: row[name] or "" for name in ("app_name", "data", "created", "updated")}
        return Run(key=row["pkey"], **text, store=self, seen=seen)

    def runs(
        self,
        app_name: str | None = None,
        limit: int | None = None,
        skip: int = 0,
        prefix: str = "",
    ) -> list[Run]:
        """The runs of a workflow, or all, the one changed last first; with a prefix those whose keys begin with it."""
        where, args, index = "1", list[Any](), ""
        if app_name is not None:
            where, args = "app_name = ?", [app_name]
        with self.lock:
            if app_name is not None and prefix:
                where, args = f"{where} and pkey >= ? and pkey < ?", [
                    app_name,
                    prefix,
                    _after(prefix),
                ]
                mine = f"select count(*) from pipeline where {where}"
                (few,) = self._db.conn.execute(mine, args).fetchone()
                # The few runs of a profile among many are found by their names, many in the order of their changes
                index = f"indexed by {'pipeline_names' if few < 200 else 'pipeline_of_app'}"
            # What is skipped is counted in the index; the rows, which may be long, are not read
            rows = self._db.q(
                f"select * from pipeline where rowid in (select rowid from pipeline {index} where {where}"
                " order by updated desc limit ? offset ?) order by updated desc",
                [*args, -1 if limit is None else limit, skip],
            )
            return [self._run(row) for row in rows]

    def recent(self, limit: int, profile: str = "") -> list[tuple[str, str]]:
        """(app_name, key) of the runs that were changed last, without reading what is in them; as count_runs."""
        with self.lock:
            rows = self._db.q(
                f"select app_name, pkey from pipeline where {_OF_PROFILE} order by updated desc limit :limit",
                {"limit": limit, "p": profile},
            )
        return [(row["app_name"], row["pkey"]) for row in rows]

    def old_runs(self, before: str) -> list[tuple[str, str]]:
        """(app_name, key) of the runs that were not changed since a time."""
        with self.lock:
            rows = self._db.q(
                "select app_name, pkey from pipeline where updated < :before order by updated",
                {"before": before},
            )
        return [(row["app_name"], row["pkey"]) for row in rows]

    def known(self) -> set[tuple[str, str]]:
        """(app_name, key) of all runs, deleted ones that can be brought back included."""
        both = "select app_name, pkey from pipeline union all select app_name, pkey from deleted"
        with self.lock:
            return set(self._db.conn.execute(both))

    def count_runs(self, profile: str = "") -> dict[str, int]:
        """How many runs each workflow has; with the key name of a profile: of this profile."""
        every = "select app_name, count(*) from pipeline group by app_name"
        mine = "select count(*) from pipeline where app_name = ? and pkey >= ? and pkey < ?"
        with self.lock:
            if self._counted.get(profile, (None, {}))[0] == (seen := self.seen()):
                return dict(self._counted[profile][1])
            counted: dict[str, int] = dict(self._db.conn.execute(every))
            for app_name in counted if profile else ():
                prefix = f"{profile}-{app_name}".replace(" ", "_")  # "-" follows, and "." is next
                of_profile = (app_name, f"{prefix}-", f"{prefix}.")
                (counted[app_name],) = self._db.conn.execute(mine, of_profile).fetchone()
            counted = {app_name: number for app_name, number in counted.items() if number}
            self._counted[profile] = seen, counted
        return dict(counted)

    def highest_number(self, app_name: str, prefix: str) -> int:
        """The highest number that names a run of a workflow after a prefix, 0 if none does; deleted runs that can be
        brought back included. What has more digits than SQLite counts exactly is a name, not a number.
        """
        # One look for each number of digits: in the index, keys of one length stand in the order of their numbers
        newest = (
            "select max(cast(substr(pkey, ?) as integer)) from (select pkey from {} where app_name = ? and length(pkey) = ?"
            " and pkey >= ? and pkey < ? and substr(pkey, ?) not glob '*[^0-9]*' order by pkey desc limit 1)"
        )
        skip, highest = len(prefix) + 1, 0
        with self.lock:
            for digits in range(1, 19):
                for table in ("pipeline indexed by pipeline_numbers", "deleted"):
                    values = (skip, app_name, skip - 1 + digits, f"{prefix}0", f"{prefix}:", skip)
                    (found,) = self._db.conn.execute(newest.format(table), values).fetchone()
                    highest = max(highest, found or 0)
        return highest

    def read(self, key: str) -> State:
        """The state of a run, {} when there is none; raises HostError PP510 when it cannot be read."""
        run = self.run(key)
        return run.state if run else {}

    def create(self, key: str, app_name: str, state: State) -> bool:
        """Starts a run; False when the key is taken already."""
        with self._writing():
            if self.run(key) is not None:
                return False
            stamp = now()
            state = {**state, "created": stamp, "updated": stamp}
            data = json.dumps(state, ensure_ascii=False)
            self._pipeline.insert(
                pkey=key, app_name=app_name, data=data, created=stamp, updated=stamp
            )
            return True

    def write(self, key: str, state: State) -> None:
        """Replaces the state of a run and stamps it; raises as `Run.changing` does."""
        with self.changing(key, into=state):
            pass

    def changing(self, key: str, into: State | None = None) -> AbstractContextManager[State]:
        """The state of a run, to be changed in place, or to be replaced; as `Run.changing`."""
        run = self.run(key)
        if run is None:
            raise RUN_UNKNOWN.error(key=key)
        return run.changing(into)

    def update(self, key: str, data: str, updated: str) -> None:
        """Writes the row of a run, within a transaction."""
        # A table's `update` would read the row back
        row = (data, updated, key)
        self._db.conn.execute("update pipeline set data = ?, updated = ? where pkey = ?", row)

    # -- deleting and bringing back

    def delete(self, *keys: str, at: str | None = None) -> int:
        """Takes runs away so that `restore` can bring them back; returns how many there were.

        `at` is when, now without it; from UNDO_TIME after that on they are forgotten.
        """
        with self._writing():
            rows = [self._pipeline.get(key, as_cls=False, default=None) for key in keys]
            there = [row for row in rows if row is not None]
            for row in there:
                self._deleted.insert({**row, "at": at or now()}, replace=True)
                self._pipeline.delete(row["pkey"])
            return len(there)

    def restore(self, key: str) -> bool:
        """Brings a deleted run back; False when it is gone for good or a new run has its key."""
        with self._writing():
            row = self._deleted.get(key, as_cls=False, default=None)
            if row is None or self.run(key) is not None:
                return False
            row.pop("at")
            self._pipeline.insert(row)
            self._deleted.delete(key)
            return True

    def purge(
        self, keys: Sequence[str] | None = None, older_than: timedelta = UNDO_TIME
    ) -> list[tuple[str, str]]:
        """Forgets deleted runs: the given ones, else PIECE of those deleted long ago.

        Gives (app_name, key) of those whose files can go: a new run may have taken the key, and so the folder.
        """
        places = ", ".join("?" * len(list(keys or ())))
        where = "at <= ?" if keys is None else f"pkey in ({places})"
        values = [(datetime.now(UTC) - older_than).isoformat()] if keys is None else [*keys]
        wanted = f"select app_name, pkey from deleted where {where} order by at limit {PIECE}"
        with self.lock:
            old = list(self._db.q(wanted, values))
        if old:
            with self._writing():
                # another program may have been quicker, or have brought one back
                old = list(self._db.q(wanted, values))
                for row in old:
                    self._deleted.delete(row["pkey"])
        return [
            (row["app_name"], row["pkey"])
            for row in old
            if (taken := self.run(row["pkey"])) is None or taken.app_name != row["app_name"]
        ]


def _after(prefix: str) -> str:
    """Return the first text after all that begin with a prefix."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
