"""What was chosen: settings, the profile in use, the roles that are on. The part of the store that holds no runs."""

import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any


class Choices:
    """The part of StateStore that keeps what was chosen (CONTRACT 1.3, 1.8)."""

    # what the class that this is mixed into has
    lock: threading.RLock
    _db: Any
    _store: Any
    table: Callable[[str], Any]
    transaction: Callable[[], AbstractContextManager[None]]

    def rows(
        self, table_name: str, /, order_by: str = "priority, id", **only: object
    ) -> list[dict[str, Any]]:
        """The rows of a table as dictionaries, with `only` those whose columns have these values."""
        where = " and ".join(f"{column} = ?" for column in only) or None
        with self.lock:
            table = self.table(table_name)
            return list(table.rows_where(where, list(only.values()), order_by=order_by))

    def setting(self, name: str) -> str | None:
        """A value of `store`, or None."""
        with self.lock:
            rows = self._db.q("select value from store where key = ?", [name])
        return rows[0]["value"] if rows else None

    def set_setting(self, name: str, value: str) -> None:
        """Sets a value of `store`."""
        with self.transaction():
            self._store.insert({"key": name, "value": value}, replace=True)

    def delete_setting(self, name: str) -> None:
        """Takes a value out of `store`; raises KeyError when it is not there."""
        with self.transaction():
            if self._store.get(name, as_cls=False, default=None) is None:
                raise KeyError(name)
            self._store.delete(name)

    def settings(self) -> dict[str, str]:
        """All of `store`."""
        with self.lock:
            return {row["key"]: row["value"] for row in self._store.rows_where()}

    def profile(self) -> tuple[int, str]:
        """Id and name of the profile in use: `last_profile_id`, else the first."""
        row = self.profile_row()
        return row["id"], row["name"]

    def profile_key(self) -> str:
        """What the keys of the runs of the profile in use begin with."""
        row = self.profile_row()
        return str(row["key_name"] or row["name"].replace(" ", "_"))

    def run_prefix(self, app_name: str) -> str:
        """What the keys of a workflow's runs begin with, for the profile in use."""
        return f"{self.profile_key()}-{app_name}-".replace(" ", "_")

    def profile_row(self) -> dict[str, Any]:
        """The profile in use."""
        profiles = {str(row["id"]): row for row in self.rows("profile", order_by="id")}
        wanted = self.setting("last_profile_id") or ""
        return profiles.get(wanted) or next(iter(profiles.values()))

    def ensure_roles(self, names: Iterable[str], on: Iterable[str]) -> None:
        """Adds unknown roles, off but for those in `on`, which are always on (CONTRACT 1.3)."""
        names, on = list(names), set(on)
        with self.lock:
            there = {row["text"]: row["done"] for row in self.table("roles").rows_where()}
        if there.keys() >= {*names, *on} and all(there[name] for name in on):
            return  # nothing to write, so no need to wait for others that do
        table = self.table("roles")
        with self.transaction():
            known = {row["text"]: row for row in table.rows_where()}
            for name in [*names, *on]:
                if name not in known:
                    known[name] = {}
                    table.insert(text=name, done=name in on, priority=len(known))
                elif name in on and known[name] and not known[name]["done"]:
                    table.update({"id": known[name]["id"], "done": True})

    def roles_on(self) -> set[str]:
        """The roles that are switched on."""
        with self.lock:
            return {row["text"] for row in self.table("roles").rows_where("done = 1")}
