"""The base class of all lists: its addresses, and what a request does to its rows.

A subclass says which table it shows, which fields a row has and what is right for them. All forms work without a script,
too: what they send is the same, and the answer is then the page instead of its list.
"""

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

from fasthtml.common import FastHTML, HtmxResponseHeaders
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse

from pipulate_runtime.host import pages
from pipulate_runtime.host.contract import Component
from pipulate_runtime.host.crud import views
from pipulate_runtime.host.crud.rows import Row, Rows
from pipulate_runtime.host.state import StateStore

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Field:
    """A text that people write into a row."""

    name: str
    label: str
    help: str = ""
    longest: int = 200
    required: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What is special about a list in one answer: the row that is edited, what was typed wrongly, where the focus goes."""

    editing: int | None = None
    typed: dict[str, str] | None = None
    errors: dict[str, str] | None = None
    focus_new: bool = False
    said: str = ""


class Crud:
    """One list. Its rows can be added, edited in place, turned on and off, put in order, removed and brought back."""

    name: ClassVar[str]  # its address; the table is `table`
    table: ClassVar[str]
    title: ClassVar[str]
    lead: ClassVar[str]
    one: ClassVar[str]  # what a row is called
    fields: ClassVar[tuple[Field, ...]]
    toggle: ClassVar[str]  # the column that is on or off
    toggle_label: ClassVar[str]
    event: ClassVar[str] = ""  # told to the page when something has changed

    def __init__(self, app: FastHTML, store: StateStore) -> None:
        """For an app with this store."""
        self._app = app
        self.store = store
        self.rows = self.make_rows()

    # -- what subclasses may say

    def make_rows(self) -> Rows:
        """The rows of the list."""
        return Rows(self.store, self.table)

    def label(self, row: Row) -> str:
        """What a row is called in sentences: its first field."""
        return str(row[self.fields[0].name] or "")

    def facts(self, row: Row) -> str:
        """What else is known of a row, in a few words."""
        return ""

    def wrong(self, values: dict[str, str], row_id: int | None) -> dict[str, str]:
        """What is wrong with values that the fields allow, by field."""
        return {}

    def kept(self, row: Row) -> str:
        """Why a row cannot be renamed or removed, or ""."""
        return ""

    def fixed(self, row: Row) -> str:
        """Why a row cannot be turned on or off, or ""."""
        return ""

    def new(self, values: dict[str, str]) -> Row:
        """The whole of a new row."""
        return {**values, self.toggle: False}

    def changed(self, row: Row, values: dict[str, str]) -> Row:
        """What is written when a row was edited."""
        return dict(values)

    # -- addresses

    def register(self) -> None:
        """Adds the addresses of the list."""
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
        """GET /NAME: the whole page; with ?edit=ID a row is edited."""
        editing = _number(request.query_params.get("edit"))
        return self._page(Shown(editing=editing))

    def _page(self, shown: Shown) -> Component:
        return pages.page(self.title, views.whole(self, shown), **self._app.state.frame())

    async def list(self, request: Request) -> Component:
        """GET /NAME/list: the list alone."""
        return views.section(self, Shown())

    async def insert(self, request: Request) -> Any:
        """POST /NAME: a new row at the end."""
        values, errors = self.read(await request.form(), None)
        if errors:
            return self._answer(request, Shown(typed=values, errors=errors, focus_new=True))
        row = self.rows.add(lambda: self.new(values))
        said = f"“{self.label(row)}” was added."
        return self._answer(request, Shown(focus_new=True, said=said), changed=True)

    async def sort(self, request: Request) -> Any:
        """POST /NAME/sort: the order of the rows, as ids with commas between them."""
        sent = str((await request.form()).get("order") or "")
        wanted = [number for part in sent.split(",") if (number := _number(part)) is not None]
        self.rows.sort(wanted)
        return self._answer(request, Shown(said="The order was changed."), changed=True)

    async def act(self, request: Request, item_id: int) -> Any:
        """POST /NAME/ID: what the pressed button says under `do`."""
        sent = await request.form()
        do = str(sent.get("do") or "")
        if do == "save":
            return self._save(request, item_id, sent)
        if do == "edit":
            return self._answer(request, Shown(editing=item_id))
        done = {"up": self._up, "down": self._down, "toggle": self._toggle}.get(do)
        done = done or {"delete": self._delete, "undo": self._undo}.get(do)
        said = done(item_id) if done else ""
        return self._answer(request, Shown(said=said), changed=done is not None)

    # -- what buttons do; each gives the sentence that tells it

    def _up(self, row_id: int) -> str:
        return self._move(row_id, -1)

    def _down(self, row_id: int) -> str:
        return self._move(row_id, 1)

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
        if reason := self.fixed(row):
            return reason
        row = self.rows.toggle(row_id, self.toggle)
        return f"“{self.label(row)}” was changed." if row else self._gone()

    def _delete(self, row_id: int) -> str:
        row = self.rows.get(row_id)
        if row is None:
            return self._gone()
        if reason := self.kept(row):
            return reason
        self.rows.remove(row_id)
        return ""  # the notice with the way back says it

    def _undo(self, row_id: int) -> str:
        if (row := self._refused_undo(row_id)) is not None:
            return row
        row_back = self.rows.bring_back(row_id)
        return f"“{self.label(row_back)}” is back." if row_back else self._gone()

    def _refused_undo(self, row_id: int) -> str | None:
        """Why a removed row cannot come back as it was, or None."""
        row = self.rows.last_removed()
        if row is None or row["id"] != row_id:
            return None
        values = {field.name: str(row[field.name] or "") for field in self.fields}
        return next(iter(self.wrong(values, row_id).values()), None)

    def _gone(self) -> str:
        return f"This {self.one} is not here any more."

    def _save(self, request: Request, row_id: int, sent: FormData) -> Any:
        values, errors = self.read(sent, row_id)
        row = self.rows.get(row_id)
        if row is None:
            return self._answer(request, Shown(said=self._gone()))
        if reason := self.kept(row):
            return self._answer(request, Shown(said=reason))
        if errors:
            return self._answer(request, Shown(editing=row_id, typed=values, errors=errors))
        self.rows.change(row_id, self.changed(row, values))
        said = f"“{self.label({**row, **values})}” was saved."
        return self._answer(request, Shown(said=said), changed=True)

    # -- what they share

    def read(
        self, sent: FormData | dict[str, Any], row_id: int | None
    ) -> tuple[dict[str, str], dict[str, str]]:
        """The texts that were sent, and what is wrong with them, by field."""
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
        return values, errors or self.wrong(values, row_id)

    def _answer(self, request: Request, shown: Shown, changed: bool = False) -> Any:
        if "hx-request" not in request.headers:
            if shown.errors:
                return self._page(shown)
            query = f"?{urlencode({'edit': shown.editing})}" if shown.editing else ""
            return RedirectResponse(f"/{self.name}{query}", status_code=303)
        parts = [
            views.section(self, shown),
            views.said(self, shown.said, swap=True),
            # an address with ?edit=ID, of a form sent without the script, would bring the form back with a reload
            HtmxResponseHeaders(replace_url=f"/{self.name}"),
        ]
        if changed and self.event:
            parts.append(HtmxResponseHeaders(trigger=json.dumps({self.event: ""})))
        return tuple(parts)


def _number(text: Any) -> int | None:
    """A small number as it is written in an address or a form, or None."""
    text = str(text or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
