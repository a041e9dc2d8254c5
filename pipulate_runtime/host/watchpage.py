"""The page of all runs: where each stands, with the buttons to stop, delete and take away."""

import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from fasthtml.common import (
    H1,
    A,
    Button,
    Div,
    Form,
    Input,
    Label,
    Li,
    Nav,
    P,
    Section,
    Span,
    Time,
    Ul,
)

from pipulate_runtime.cells.live import duration
from pipulate_runtime.cells.render import readable
from pipulate_runtime.host.contract import Component
from pipulate_runtime.host.plugins import Plugin
from pipulate_runtime.host.runs import ago, run_name, run_url
from pipulate_runtime.host.standings import NOTEBOOK, Standing

PAGE = 50  # runs on one page
BUSY = ("running", "waiting")


def all_runs(content: Component, total: int, exportable: bool) -> Component:
    """The whole page around the list."""
    return Div(
        Div(
            Nav(A("All workflows", href="/", cls="back"), cls="crumb", aria_label="Where you are"),
            H1("All runs"),
            P("What runs now, what waits for an answer, and what is done.", cls="lead"),
            cls="page-head",
        ),
        _tools(exportable) if total else None,
        content,
    )


def _tools(exportable: bool) -> Component:
    export = A(
        "Download all as notebooks",
        href="/runs/export",
        download=True,
        role="button",
        cls="secondary",
        title="A zip file with a Jupyter notebook for each run",
    )
    return Div(
        export if exportable else None,
        Form(
            Label(
                "Delete what was not changed for ",
                Input(type="number", name="days", value="30", min="1", max="36500", required=True),
                " days",
            ),
            Button("Delete", type="submit", cls="secondary danger"),
            hx_post="/runs/prune",
            hx_target="#all-runs",
            hx_swap="outerHTML",
            hx_confirm="Delete these runs and their files? Runs that are running stay.",
        ),
        cls="run-tools",
    )


def run_table(
    standings: Sequence[Standing],
    by_app: dict[str, Plugin],
    page: int,
    total: int,
    said: Any = None,
    leftover: int = 0,
) -> Component:
    """One page of the list. While something runs, it asks for itself again."""
    busy = any(standing.kind in BUSY for standing in standings)
    again: dict[str, Any] = {
        "hx_get": f"/runs/list?{urlencode({'page': page})}",
        "hx_trigger": "every 5s",
        "hx_swap": "outerHTML",
    }
    return Section(
        said,
        _leftover(leftover) if leftover else None,
        (
            Ul(*(_item(standing, by_app.get(standing.run.app_name), page) for standing in standings),
               cls="run-list")
            if standings
            else P("There are no runs yet.", cls="lead")
        ),
        _pages(page, total),
        id="all-runs",
        aria_label="Runs",
        **(again if busy else {}),
    )  # fmt: skip


def notice(*content: Any) -> Component:
    """What a button has done."""
    return Div(*content, cls="notice", role="status")


def deleted(key: str, name: str) -> Component:
    """That a run was deleted, with the way back."""
    return notice(
        Span(f"“{name}” was deleted."),
        Form(
            Input(type="hidden", name="run", value=key),
            Button("Undo", type="submit", cls="button-link"),
            hx_post="/runs/bring-back",
            hx_target="#all-runs",
            hx_swap="outerHTML",
        ),
    )


def _leftover(count: int) -> Component:
    folders = "1 folder belongs" if count == 1 else f"{count} folders belong"
    return notice(
        Span(f"{folders} to no run: files that were left when a database was taken away."),
        Form(
            Button("Delete the files", type="submit", cls="button-link danger"),
            hx_post="/runs/leftover",
            hx_target="#all-runs",
            hx_swap="outerHTML",
            hx_confirm="Delete these files for good?",
        ),
    )


def _pages(page: int, total: int) -> Component:
    """The way to the other pages."""
    last = max(0, (total - 1) // PAGE)
    if last == 0:
        return None
    first, end = page * PAGE + 1, min(total, (page + 1) * PAGE)
    return Nav(
        A("Newer", href=f"/runs?page={page - 1}") if page > 0 else None,
        Span(f"{first} to {end} of {total:,}", cls="meta"),
        A("Older", href=f"/runs?page={page + 1}") if page < last else None,
        cls="pages",
        aria_label="Pages",
    )


def _item(standing: Standing, plugin: Plugin | None, page: int) -> Component:
    run = standing.run
    name = run_name(run.key, run.app_name)
    facts = [Span(standing.words, cls="state", data_kind=standing.kind)]
    if standing.kind in BUSY:
        facts.append(Span(duration(time.time() - standing.since), cls="meta"))
    facts.append(Time(ago(run.updated), datetime=run.updated, cls="meta"))
    facts.append(Span(readable(standing.size), cls="meta", title="Size of the run and its files"))
    link = A(name, href=run_url(plugin.key, run.key), cls="run-link") if plugin else Span(
        name, cls="run-link"
    )  # fmt: skip
    return Li(
        Div(
            Div(link, " ", Span(_of(run.app_name, plugin), cls="meta")),
            Div(*facts, cls="run-facts"),
        ),
        Div(*_actions(standing, plugin, name, page), cls="run-actions"),
        cls="run-item",
    )


def _of(app_name: str, plugin: Plugin | None) -> str:
    """Whose run it is."""
    if plugin is not None:
        return plugin.title
    return "a job of a notebook" if app_name == NOTEBOOK else f"{app_name} (not here any more)"


def _actions(standing: Standing, plugin: Plugin | None, name: str, page: int) -> list[Component]:
    run = standing.run

    def form(label: str, address: str, **attributes: Any) -> Component:
        danger = " danger" if label == "Delete" else ""
        return Form(
            Input(type="hidden", name="run", value=run.key),
            Input(type="hidden", name="page", value=str(page)),
            Button(label, type="submit", cls=f"button-link{danger}", aria_label=f"{label} {name}"),
            hx_post=address,
            hx_target="#all-runs",
            hx_swap="outerHTML",
            **attributes,
        )

    if standing.kind in BUSY:
        return [form("Stop", "/runs/stop")]
    kind = "ipynb" if plugin and plugin.computes and standing.kind == "finished" else "json"
    label = "Notebook" if kind == "ipynb" else "Data"
    address = f"/runs/download?run={quote(run.key, safe='')}&format={kind}"
    return [
        A(label, href=address, download=True, aria_label=f"Download {name}"),
        form("Delete", "/runs/discard", hx_confirm=f"Delete the run “{name}”?"),
    ]
