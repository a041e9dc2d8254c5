"""The page of a list and its parts."""

from typing import TYPE_CHECKING, Any

from fasthtml.common import (
    H1,
    Button,
    Div,
    Form,
    Input,
    Label,
    Li,
    Ol,
    P,
    Script,
    Section,
    Small,
    Span,
)

from pipulate_runtime.host.base import markup
from pipulate_runtime.host.base.contract import Component

if TYPE_CHECKING:
    from pipulate_runtime.host.lists.base import Crud, Field, ListView
    from pipulate_runtime.host.lists.rows import Row


def page(crud: "Crud", shown: "ListView") -> Component:
    return Div(
        Div(
            markup.crumb(),
            H1(crud.title),
            P(crud.lead, cls="lead"),
            cls="page-head",
        ),
        status_line(crud, shown.message),
        section(crud, shown),
        Script(src=markup.url("rows.js"), defer=True),
    )


def status_line(crud: "Crud", text: str, swap: bool = False) -> Component:
    """The status line. It stays and only its text changes, so that screen readers announce it."""
    if swap:
        return Div(text, hx_swap_oob=f"innerHTML:#{crud.name}-said")
    return Div(text, id=f"{crud.name}-said", cls="said", role="status")


def section(crud: "Crud", shown: "ListView") -> Component:
    """The list, below a form for a new row and a button to restore the row that was removed last."""
    rows = crud.rows.all()
    items = [
        _form(crud, row, shown) if row["id"] == shown.editing else _row(crud, row) for row in rows
    ]
    return Section(
        _new(crud, shown),
        _undo(crud),
        (
            Ol(*items, cls="rows", data_sort=f"/{crud.name}/sort")
            if items
            else P(f"No {crud.title.lower()} yet.", cls="meta")
        ),
        id=crud.name,
        aria_label=crud.title,
        hx_target=f"#{crud.name}",
        hx_swap="outerHTML",
    )


def _posting(path: str, **attributes: Any) -> dict[str, Any]:
    return {"hx_post": path, "action": path, "method": "post", "enctype": False, **attributes}


def _new(crud: "Crud", shown: "ListView") -> Component:
    """The form for a new row, with its first field; the others are added by editing."""
    field = crud.fields[0]
    typed = (shown.typed or {}) if shown.editing is None else {}
    error = (shown.errors or {}).get(field.name) if shown.editing is None else None
    name = f"{crud.name}-new"
    return Form(
        Label(f"New {crud.one}", fr=name),
        Div(
            Input(
                id=name,
                name=field.name,
                value=typed.get(field.name, ""),
                maxlength=str(field.longest),
                autocomplete="off",
                autofocus=shown.focus_new or None,
                required=True,
                **_described(name, error),
            ),
            Button("Add", type="submit", cls="primary"),
            cls="inline-button-container",
        ),
        _error(name, error),
        cls="new-row",
        **_posting(f"/{crud.name}"),
    )


def _described(name: str, error: str | None, helped: str | None = None) -> dict[str, Any]:
    if error:
        return {"aria_invalid": "true", "aria_describedby": f"{name}-error"}
    return {"aria_describedby": helped} if helped else {}


def _error(name: str, error: str | None) -> Component:
    return Small(error, id=f"{name}-error", cls="text-invalid", role="alert") if error else None


def _undo(crud: "Crud") -> Component:
    row = crud.rows.last_removed()
    if row is None:
        return None
    return Form(
        Span(f"“{crud.label(row)}” was deleted."),
        Button("Undo", name="do", value="undo", id=f"{crud.name}-undo", cls="button-link"),
        cls="notice",
        data_calm="true",
        **_posting(f"/{crud.name}/{row['id']}"),
    )


def _row(crud: "Crud", row: "Row") -> Component:
    """A row with its buttons. A button does what its value says; its id brings the focus back to it."""
    label, base = crud.label(row), f"{crud.name}-{row['id']}"
    facts, on = crud.facts(row), bool(row[crud.toggle])

    def button(do: str, text: Any, words: str, cls: str = "", **attributes: Any) -> Component:
        return Button(
            text,
            name="do",
            value=do,
            id=f"{base}-{do}",
            cls=f"row-button {cls}".strip(),
            aria_label=words,
            title=words,
            **attributes,
        )

    fixed, kept = crud.why_fixed(row), crud.why_permanent(row)
    check = Button(
        name="do",
        value="toggle",
        id=f"{base}-toggle",
        cls="check",
        role="checkbox",
        aria_checked="true" if on else "false",
        aria_label=f"{crud.toggle_label}: {label}",
        title=fixed or crud.toggle_label,
        disabled=bool(fixed),
    )
    handle = Button(
        "⠿",
        type="button",
        id=f"{base}-handle",
        cls="row-button handle",
        aria_label=f"Move {label}: arrow keys, or drag",
        title="Drag, or use the arrow keys",
    )
    return Li(
        Form(
            handle,
            check,
            Span(
                Span(label, cls="row-text"),
                Span(facts, cls="meta") if facts else None,
                cls="row-label",
            ),
            Span(
                button("up", "↑", f"Move up: {label}"),
                button("down", "↓", f"Move down: {label}"),
                None if kept else button("edit", "Edit", f"Edit {label}", "worded"),
                None if kept else button("delete", "Delete", f"Delete {label}", "worded danger"),
                cls="row-actions",
            ),
            data_calm="true",
            **_posting(f"/{crud.name}/{row['id']}"),
        ),
        cls="row",
        data_id=str(row["id"]),
        data_on="true" if on else None,
    )


def _form(crud: "Crud", row: "Row", shown: "ListView") -> Component:
    """The form of a row that is edited."""
    # Invalid input stays
    values = shown.typed or {field.name: str(row[field.name] or "") for field in crud.fields}
    base, errors = f"{crud.name}-{row['id']}", shown.errors or {}
    controls = [
        _control(field, f"{base}-{field.name}", values[field.name], errors.get(field.name), n == 0)
        for n, field in enumerate(crud.fields)
    ]
    return Li(
        Form(
            *controls,
            Div(
                Button("Save", type="submit", name="do", value="save", cls="primary"),
                Button(
                    "Cancel",
                    type="submit",
                    name="do",
                    value="cancel",
                    cls="secondary",
                    formnovalidate=True,
                    data_cancel=True,
                ),
                cls="actions",
            ),
            **_posting(f"/{crud.name}/{row['id']}"),
        ),
        cls="row editing",
        data_id=str(row["id"]),
    )


def _control(
    field: "Field", name: str, value: str, error: str | None, first: bool
) -> tuple[Component, ...]:
    helped = f"{name}-help" if field.help and not error else None
    return (
        Label(field.label, fr=name),
        Input(
            id=name,
            name=field.name,
            value=value,
            maxlength=str(field.longest),
            autocomplete="off",
            required=field.required or None,
            autofocus=first or None,
            **_described(name, error, helped),
        ),
        _error(name, error) or (Small(field.help, id=helped) if helped else None),
    )
