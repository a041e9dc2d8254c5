"""The three lists: tasks, profiles, roles (CONTRACT 1.3, 1.8)."""

from itertools import chain, count
from typing import ClassVar

from fasthtml.common import FastHTML

from pipulate_runtime.host.lists.base import Crud, Field
from pipulate_runtime.host.lists.rows import Row, Rows
from pipulate_runtime.host.plugins import modules
from pipulate_runtime.host.plugins.model import Loaded
from pipulate_runtime.host.state.store import StateStore


class Tasks(Crud):
    """The tasks of each profile."""

    name = table = "tasks"
    title = "Tasks"
    lead = "Your to-do list. Each profile has its own tasks."
    one = "task"
    fields: ClassVar[tuple[Field, ...]] = (Field("text", "Task", longest=500, required=True),)
    toggle, toggle_label = "done", "Done"

    def make_rows(self) -> Rows:
        return Rows(self.store, "tasks", only=lambda: {"profile_id": self.store.profile()[0]})


class Profiles(Crud):
    """For whom a person works. Keys of runs contain a name that stays when the profile is renamed."""

    name, table = "profiles", "profile"
    title = "Profiles"
    lead = "For whom you work: yourself, or a customer. Each profile has its own runs and tasks."
    one = "profile"
    fields: ClassVar[tuple[Field, ...]] = (
        Field("name", "Name", "In menus.", longest=60, required=True),
        Field("real_name", "Full name"),
        Field("address", "Address", "Of any kind: a street, a web site, an e-mail address."),
        Field("code", "Code", "A short mark, if you use one, as a customer number."),
    )
    toggle, toggle_label = "active", "In the menu"
    event = "refreshProfileMenu"

    def make_rows(self) -> Rows:
        return Rows(self.store, "profile", owned=("tasks", "profile_id"))

    def facts(self, row: Row) -> str:
        used = "in use" if row["id"] == self.store.profile()[0] else ""
        return " · ".join(filter(None, (used, row["real_name"], row["address"], row["code"])))

    def validate(self, values: dict[str, str], row_id: int | None) -> dict[str, str]:
        name = values["name"].casefold()
        others = (row for row in self.rows.all() if row["id"] != row_id)
        if any(str(row["name"]).casefold() == name for row in others):
            return {"name": f"There is a profile “{values['name']}” already."}
        return {}

    def why_fixed(self, row: Row) -> str:
        in_use = row["id"] == self.store.profile()[0]
        return "This profile is in use: choose another one first." if in_use else ""

    def _delete(self, row_id: int) -> str:
        row = self.rows.get(row_id)
        if row is not None and (reason := self.why_fixed(row)):
            return reason
        return super()._delete(row_id)

    def new_row(self, values: dict[str, str]) -> Row:
        return {**values, "active": True, "key_name": self._key_name(values["name"])}

    def changed_columns(self, row: Row, values: dict[str, str]) -> Row:
        """Also write the name for keys where it was missing: the one that its runs have."""
        return {**values, "key_name": row["key_name"] or _as_key(row["name"])}

    def _key_name(self, name: str) -> str:
        """Return a name for keys. No two may differ only by what could be the beginning of a workflow's name."""
        taken = [row["key_name"] or _as_key(row["name"]) for row in self.rows.all_ever()]
        wanted = _as_key(name)
        plain = wanted.replace("-", "_")
        for made in chain([wanted, plain], (f"{plain}_{number}" for number in count(2))):
            if not any(_confused(made, other) for other in taken):
                return made
        raise AssertionError("numbers do not end")


def _as_key(name: str) -> str:
    return "_".join(name.split())


def _confused(one: str, other: str) -> bool:
    """Whether a key that begins with one name could be read as one of the other."""
    return one == other or one.startswith(f"{other}-") or other.startswith(f"{one}-")


class Roles(Crud):
    """Which workflows are in the menu: those of the roles that are switched on."""

    name = table = "roles"
    title = "Roles"
    lead = "Workflows are shown for the roles that are switched on. The search finds all of them."
    one = "role"
    fields: ClassVar[tuple[Field, ...]] = (Field("text", "Role", longest=60, required=True),)
    toggle, toggle_label = "done", "On"
    event = "refreshAppMenu"

    def __init__(self, app: FastHTML, store: StateStore, loaded: Loaded) -> None:
        super().__init__(app, store)
        self._loaded = loaded

    def _users(self, row: Row) -> list[str]:
        return [p.title for p in self._loaded.plugins if row["text"] in p.roles]

    def facts(self, row: Row) -> str:
        users = self._users(row)
        shown = ", ".join(users[:3])
        return f"{shown} and {len(users) - 3} more" if len(users) > 3 else shown

    def validate(self, values: dict[str, str], row_id: int | None) -> dict[str, str]:
        if any(row["text"] == values["text"] and row["id"] != row_id for row in self.rows.all()):
            return {"text": f"There is a role “{values['text']}” already."}
        return {}

    def why_permanent(self, row: Row) -> str:
        if row["text"] in modules.ROLES or self._users(row):
            return "This role belongs to the workflows that name it."
        return ""

    def why_fixed(self, row: Row) -> str:
        return "This role is always on." if row["text"] in modules.ROLES_ALWAYS_ON else ""
