"""The base class of all lists: its addresses, and what requests do to its rows.

A subclass defines the table, the fields of a row and their validation. All forms work without scripts, too: the answer is
then the page instead of its list.
"""

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlencode

from fasthtml.common import FastHTML, HtmxResponseHeaders
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse

from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.lists import views
from pipulate_runtime.host.lists.rows import Row, Rows
from pipulate_runtime.host.pages import frame
from pipulate_runtime.host.state.store import StateStore

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Field:
    """A text field of a row."""

    name: str
    label: str
    help: str = ""
    longest: int = 200
    required: bool = False


@dataclass(frozen=True, slots=True)
class ListView:
    """One view of a list: the row that is edited, invalid input with its errors, the focus, a message."""

    editing: int | None = None
    typed: dict[str, str] | None = None
    errors: dict[str, str] | None = None
    focus_new: bool = False
    message: str = ""


class Crud:
    """One list. Its rows can be added, edited in place, switched on and off, sorted, removed and restored."""

    name: ClassVar[str]  # its address; the table is `table`
    table: ClassVar[str]
    title: ClassVar[str]
    lead: ClassVar[str]
    one: ClassVar[str]  # what a row is called
    fields: ClassVar[tuple[Field, ...]]
    toggle: ClassVar[str]  # the column that is on or off
    toggle_label: ClassVar[str]
    event: ClassVar[str] = ""  # sent to the page after a change

    def __init__(self, app: FastHTML, store: StateStore) -> None:
        self._app = app
        self.store = store
        self.rows = self.make_rows()

    # -- what subclasses may say

    def make_rows(self) -> Rows:
        return Rows(self.store, self.table)

    def label(self, row: Row) -> str:
        """Return the name of a row in sentences: its first field."""
        return str(row[self.fields[0].name] or "")

    def facts(self, row: Row) -> str:
        """Return other facts about a row, in a few words."""
        return ""

    def validate(self, values: dict[str, str], row_id: int | None) -> dict[str, str]:
        """Return messages for values that the fields allow but the list does not, by field."""
        return {}

    def why_permanent(self, row: Row) -> str:
        """Return why a row cannot be renamed or removed, or ""."""
        return ""

    def why_fixed(self, row: Row) -> str:
        """Return why a row cannot be switched on or off, or ""."""
        return ""

    def new_row(self, values: dict[str, str]) -> Row:
        """Return a whole new row."""
        return {**values, self.toggle: False}

    def changed_columns(self, row: Row, values: dict[str, str]) -> Row:
        """Return the columns to write when a row was edited."""
        return dict(values)

    # -- addresses

    def register(self) -> None:
        path = f"/{self.name}"
        for address, methods, handler in (
            (path, ["GET"], self.page),
            (path, ["POST"], self.insert),
            (f"{path}/list", ["GET"], self.list),
            (f"{path}/sort", ["POST"], self.sort),
            (f"{path}/{{item_id}}", ["POST"], self.act),
        ):
            name = f"{self.name} {handler.__name__}"
            self._app.route(address, methods=methods, name=name)(handler)

    async def page(self, request: Request) -> Component:
        """GET /NAME: the whole page; ?edit=ID opens a row for editing."""
        editing = _number(request.query_params.get("edit"))
        return self._page(ListView(editing=editing))

    def _page(self, shown: ListView) -> Component:
        return frame.page(self.title, views.page(self, shown), **self._app.state.frame())

    async def list(self, request: Request) -> Component:
        """GET /NAME/list: the list alone."""
        return views.section(self, ListView())

    async def insert(self, request: Request) -> Any:
        """POST /NAME: adds a row at the end."""
        values, errors = self.read(await request.form(), None)
        if errors:
            return self._answer(request, ListView(typed=values, errors=errors, focus_new=True))
        row = self.rows.add(lambda: self.new_row(values))
        said = f"“{self.label(row)}” was added."
        return self._answer(request, ListView(focus_new=True, message=said), changed=True)

    async def sort(self, request: Request) -> Any:
        """POST /NAME/sort: sorts the rows by ids separated by commas."""
        sent = str((await request.form()).get("order") or "")
        wanted = [number for part in sent.split(",") if (number := _number(part)) is not None]
        self.rows.sort(wanted)
        return self._answer(request, ListView(message="The order was changed."), changed=True)

    async def act(self, request: Request, item_id: int) -> Any:
        """POST /NAME/ID: does what the pressed button says in `do`."""
        sent = await request.form()
        do = str(sent.get("do") or "")
        if do == "save":
            return self._save(request, item_id, sent)
        if do == "edit":
            return self._answer(request, ListView(editing=item_id))
        actions: dict[str, Callable[[int], str]] = {
            "up": partial(self._move, by=-1),
            "down": partial(self._move, by=1),
            "toggle": self._toggle,
            "delete": self._delete,
            "undo": self._undo,
        }
        done = actions.get(do)
        said = done(item_id) if done else ""
        return self._answer(request, ListView(message=said), changed=done is not None)

    # -- what buttons do; each returns the message about it

    def _move(self, row_id: int, by: int) -> str:
        self.rows.move(row_id, by)
        rows = self.rows.all()
        ids = [row["id"] for row in rows]
        if row_id not in ids:
            return self._gone()
        place = ids.index(row_id)
        return f"“{self.label(rows[place])}” is now {place + 1} of {len(ids)}."

    def _toggle(self, row_id: int) -> str:
        row = self.rows.get(row_id)
        if row is None:
            return self._gone()
        if reason := self.why_fixed(row):
            return reason
        row = self.rows.toggle(row_id, self.toggle)
        return f"“{self.label(row)}” was changed." if row else self._gone()

    def _delete(self, row_id: int) -> str:
        row = self.rows.get(row_id)
        if row is None:
            return self._gone()
        if reason := self.why_permanent(row):
            return reason
        self.rows.remove(row_id)
        return ""  # the notice with Undo reports it

    def _undo(self, row_id: int) -> str:
        row = self.rows.last_removed()
        if row is not None and row["id"] == row_id:
            values = {field.name: str(row[field.name] or "") for field in self.fields}
            if problems := self.validate(values, row_id):  # such as a name that another row has now
                return next(iter(problems.values()))
        row = self.rows.bring_back(row_id)
        return f"“{self.label(row)}” is back." if row else self._gone()

    def _gone(self) -> str:
        return f"This {self.one} no longer exists."

    def _save(self, request: Request, row_id: int, sent: FormData) -> Any:
        values, errors = self.read(sent, row_id)
        row = self.rows.get(row_id)
        if row is None:
            return self._answer(request, ListView(message=self._gone()))
        if reason := self.why_permanent(row):
            return self._answer(request, ListView(message=reason))
        if errors:
            return self._answer(request, ListView(editing=row_id, typed=values, errors=errors))
        self.rows.change(row_id, self.changed_columns(row, values))
        said = f"“{self.label({**row, **values})}” was saved."
        return self._answer(request, ListView(message=said), changed=True)

    # -- what they share

    def read(
        self, sent: FormData | dict[str, Any], row_id: int | None
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return the sent texts, and messages for invalid ones, by field."""
        values, errors = {}, {}
        for field in self.fields:
            text = unicodedata.normalize("NFC", str(sent.get(field.name) or ""))
            text = _CONTROL.sub(" ", text).strip()
            values[field.name] = text
            if field.required and not text:
                errors[field.name] = f"Please enter something: {field.label.lower()}."
            elif len(text) > field.longest:
                errors[field.name] = (
                    f"This is too long: {len(text)} characters of at most {field.longest}."
                )
        return values, errors or self.validate(values, row_id)

    def _answer(self, request: Request, shown: ListView, changed: bool = False) -> Any:
        if "hx-request" not in request.headers:
            if shown.errors:
                return self._page(shown)
            query = f"?{urlencode({'edit': shown.editing})}" if shown.editing else ""
            return RedirectResponse(f"/{self.name}{query}", status_code=303)
        parts = [
            views.section(self, shown),
            views.status_line(self, shown.message, swap=True),
            # after a form without scripts the address has ?edit=ID, which a reload would open again
            HtmxResponseHeaders(replace_url=f"/{self.name}"),
        ]
        if changed and self.event:
            parts.append(HtmxResponseHeaders(trigger=json.dumps({self.event: ""})))
        return tuple(parts)


def _number(text: Any) -> int | None:
    """Return a number from an address or a form, or None."""
    text = str(text or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
