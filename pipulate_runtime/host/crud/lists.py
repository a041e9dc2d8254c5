"""The three lists: tasks, profiles, roles (CONTRACT 1.3, 1.8)."""

from itertools import chain, count
from typing import ClassVar

from fasthtml.common import FastHTML

from pipulate_runtime.host import compat
from pipulate_runtime.host.crud.base import Crud, Field
from pipulate_runtime.host.crud.rows import Row, Rows
from pipulate_runtime.host.plugins import Loaded
from pipulate_runtime.host.state import StateStore


class Tasks(Crud):
    """What is to be done, for each profile its own."""

    name = table = "tasks"
    title = "Tasks"
    lead = "What is to be done. Each profile has its own tasks."
    one = "task"
    fields: ClassVar[tuple[Field, ...]] = (Field("text", "Task", longest=500, required=True),)
    toggle, toggle_label = "done", "Done"

    def make_rows(self) -> Rows:
        """The tasks of the profile in use."""
        return Rows(self.store, "tasks", only=lambda: {"profile_id": self.store.profile()[0]})


class Profiles(Crud):
    """For whom one works. A profile's runs are found by a name that stays when the profile is renamed."""

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
        """All profiles."""
        return Rows(self.store, "profile", owned=("tasks", "profile_id"))

    def facts(self, row: Row) -> str:
        """Whether it is in use, and what else is written about it."""
        used = "in use" if row["id"] == self.store.profile()[0] else ""
        return " · ".join(filter(None, (used, row["real_name"], row["address"], row["code"])))

    def wrong(self, values: dict[str, str], row_id: int | None) -> dict[str, str]:
        """A name is there once."""
        name = values["name"].casefold()
        others = (row for row in self.rows.all() if row["id"] != row_id)
        if any(str(row["name"]).casefold() == name for row in others):
            return {"name": f"There is a profile “{values['name']}” already."}
        return {}

    def fixed(self, row: Row) -> str:
        """The profile in use stays in the menu."""
        in_use = row["id"] == self.store.profile()[0]
        return "This profile is in use: choose another one first." if in_use else ""

    def _delete(self, row_id: int) -> str:
        row = self.rows.get(row_id)
        if row is not None and (reason := self.fixed(row)):
            return reason
        return super()._delete(row_id)

    def new(self, values: dict[str, str]) -> Row:
        """A profile that is in the menu, with a name for keys that no other profile has."""
        return {**values, "active": True, "key_name": self._key_name(values["name"])}

    def changed(self, row: Row, values: dict[str, str]) -> Row:
        """Also where the row had no name for keys yet: the one its runs have is kept."""
        return {**values, "key_name": row["key_name"] or _as_key(row["name"])}

    def _key_name(self, name: str) -> str:
        """What keys begin with. No two profiles can be told apart only by where the name of a workflow begins."""
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
    """Which workflows are in the menu: those of the roles that are on."""

    name = table = "roles"
    title = "Roles"
    lead = "Workflows are shown for the roles that are switched on. The search finds all of them."
    one = "role"
    fields: ClassVar[tuple[Field, ...]] = (Field("text", "Role", longest=60, required=True),)
    toggle, toggle_label = "done", "On"
    event = "refreshAppMenu"

    def __init__(self, app: FastHTML, store: StateStore, loaded: Loaded) -> None:
        """For the plugins that are loaded: their roles are there as long as they are."""
        super().__init__(app, store)
        self._loaded = loaded

    def _users(self, row: Row) -> list[str]:
        return [p.title for p in self._loaded.plugins if row["text"] in p.roles]

    def facts(self, row: Row) -> str:
        """Which workflows have it."""
        users = self._users(row)
        shown = ", ".join(users[:3])
        return f"{shown} and {len(users) - 3} more" if len(users) > 3 else shown

    def wrong(self, values: dict[str, str], row_id: int | None) -> dict[str, str]:
        """A role is there once."""
        if any(row["text"] == values["text"] and row["id"] != row_id for row in self.rows.all()):
            return {"text": f"There is a role “{values['text']}” already."}
        return {}

    def kept(self, row: Row) -> str:
        """A role is named by its workflows, so its name cannot change here."""
        if row["text"] in compat.ROLES or self._users(row):
            return "This role belongs to the workflows that name it."
        return ""

    def fixed(self, row: Row) -> str:
        """Some roles are always on."""
        return "This role is always on." if row["text"] in compat.ROLES_ALWAYS_ON else ""
