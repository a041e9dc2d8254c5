"""A table whose rows can be sorted, changed one by one, removed and restored. Without web requests."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from pipulate_runtime.host.state.run import now
from pipulate_runtime.host.state.store import UNDO_TIME, StateStore

Row = dict[str, Any]


def move_id(ids: Sequence[int], row_id: int, by: int) -> list[int]:
    """Return the ids with one of them moved by so many places, at most to an end."""
    if row_id not in ids:
        return list(ids)
    rest = [other for other in ids if other != row_id]
    place = min(max(list(ids).index(row_id) + by, 0), len(rest))
    return [*rest[:place], row_id, *rest[place:]]


def sort_ids(ids: Sequence[int], wanted: Sequence[int]) -> list[int]:
    """Return the ids in the wanted order. Ids that are not named keep their place: they may be newer than the page."""
    known = set(ids)
    order = [row_id for row_id in dict.fromkeys(wanted) if row_id in known]
    following = iter(order)
    return [next(following) if row_id in order else row_id for row_id in ids]


class Rows:
    """The rows of one table of the store. Each change is one transaction."""

    def __init__(
        self,
        store: StateStore,
        name: str,
        only: Callable[[], Row] = dict,
        owned: tuple[str, str] | None = None,
    ) -> None:
        """The rows of the table `name` with the values that `only()` returns at the time of the request.

        `owned`: table and column of rows to delete for good with a row of this table.
        """
        self._store = store
        self._name = name
        self._only = only
        self._owned = owned

    def _table(self) -> Any:
        table = self._store.table(self._name)
        table.xtra(**self._only())
        return table

    def all(self) -> list[Row]:
        return self._store.rows(self._name, **self._only())

    def all_ever(self) -> list[Row]:
        """Return all rows, and the removed ones that can be restored."""
        return self.all() + [json.loads(kept["data"]) for kept in self._removed()]

    def get(self, row_id: int) -> Row | None:
        return next((row for row in self.all() if row["id"] == row_id), None)

    def add(self, values: Row | Callable[[], Row]) -> Row:
        """Add a row at the end; a callable is called within the transaction, for values that depend on other rows."""
        with self._store.transaction():
            values = values() if callable(values) else values
            rows = self.all()
            last = max((row["priority"] or 0 for row in rows), default=0)
            row = {**values, "id": self._free_id(), "priority": last + 1}
            self._table().insert(row)
        return {**row, **self._only()}

    def _free_id(self) -> int:
        """Return an id that no row and no removed row has: others may refer to it."""
        here = self._store.rows(self._name)
        taken = [row["id"] for row in here] + [row["row_id"] for row in self._removed()]
        return max(taken, default=0) + 1

    def change(self, row_id: int, values: Row) -> Row | None:
        """Change some values of a row; return it, or None if there is none."""
        with self._store.transaction():
            row = self.get(row_id)
            if row is not None:
                self._table().update({"id": row_id, **values})
        return None if row is None else {**row, **values}

    def toggle(self, row_id: int, column: str) -> Row | None:
        """Switch a column on or off, by its present value."""
        with self._store.transaction():
            row = self.get(row_id)
            if row is None:
                return None
            values = {column: not row[column]}
            self._table().update({"id": row_id, **values})
        return {**row, **values}

    # -- the order

    def move(self, row_id: int, by: int) -> None:
        self._arrange(lambda ids: move_id(ids, row_id, by))

    def sort(self, wanted: Sequence[int]) -> None:
        self._arrange(lambda ids: sort_ids(ids, wanted))

    def _arrange(self, arrange: Callable[[list[int]], list[int]]) -> None:
        with self._store.transaction():
            rows = self.all()
            table, before = self._table(), {row["id"]: row["priority"] for row in rows}
            for place, row_id in enumerate(arrange([row["id"] for row in rows]), start=1):
                if before[row_id] != place:
                    table.update({"id": row_id, "priority": place})

    # -- removing and bringing back

    def remove(self, row_id: int) -> Row | None:
        """Remove a row so that it can be restored for a while; return it, or None."""
        with self._store.transaction():
            row = self.get(row_id)
            if row is None:
                return None
            self._forget_old()
            kept = {"name": self._name, "row_id": row_id, "data": json.dumps(row), "at": now()}
            self._store.table("removed").insert(kept)
            self._table().delete(row_id)
        return row

    def last_removed(self) -> Row | None:
        """Return the row that was removed last, if it can be restored."""
        oldest = (datetime.now(UTC) - UNDO_TIME).isoformat()
        only = self._only().items()
        for kept in reversed(self._removed()):
            row: Row = json.loads(kept["data"])
            if kept["at"] > oldest and only <= row.items():
                return row
        return None

    def bring_back(self, row_id: int) -> Row | None:
        """Restore a removed row at its place; None when it is too late."""
        with self._store.transaction():
            kept = [r for r in self._removed() if r["row_id"] == row_id]
            if not kept or self.get(row_id) is not None:
                return None
            row: Row = json.loads(kept[-1]["data"])
            if not self._only().items() <= row.items():
                return None
            self._table().insert(row)
            self._store.table("removed").delete(kept[-1]["id"])
        return row

    def _removed(self) -> list[Row]:
        return self._store.rows("removed", order_by="id", name=self._name)

    def _forget_old(self) -> None:
        limit = (datetime.now(UTC) - UNDO_TIME).isoformat()
        for kept in [r for r in self._removed() if r["at"] <= limit]:
            self._store.table("removed").delete(kept["id"])
            if self._owned:
                name, column = self._owned
                for row in self._store.rows(name, order_by="id", **{column: kept["row_id"]}):
                    self._store.table(name).delete(row["id"])
