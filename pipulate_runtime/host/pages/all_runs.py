"""The page of all runs: the state of each, with buttons to stop, delete and download it."""

import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from fasthtml.common import H1, A, Button, Div, Form, Input, Label, Nav, P, Section, Span, Ul

from pipulate_runtime.cells.page.live import duration
from pipulate_runtime.cells.page.render import readable
from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.base.markup import element
from pipulate_runtime.host.pages import parts
from pipulate_runtime.host.pages.status import NOTEBOOK, Standing
from pipulate_runtime.host.pages.workflow_runs import download_url, run_name, run_url
from pipulate_runtime.host.plugins.model import Plugin

PAGE = 10  # runs on one page
BUSY = ("running", "waiting")
LIST = "#all-runs"  # the element that each answer replaces


def all_runs(content: Component, total: int, exportable: bool) -> Component:
    return Div(
        Div(
            Nav(A("All workflows", href="/", cls="back"), cls="crumb", aria_label="Where you are"),
            H1("All runs"),
            P("What is running, what is waiting for an answer, and what is done.", cls="lead"),
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
                "Delete runs not changed for ",
                Input(type="number", name="days", value="30", min="1", max="36500", required=True),
                " days",
            ),
            Button("Delete", type="submit", cls="secondary danger"),
            **parts.posting(
                "/runs/prune", LIST, "Delete these runs and their files? Running ones stay."
            ),
        ),
        cls="run-tools",
    )


def run_table(
    standings: Sequence[Standing],
    by_app: dict[str, Plugin],
    page: int,
    total: int,
    message: Component = None,
    leftover: int = 0,
) -> Component:
    """One page of the list, below the `message`. While something runs, the list reloads itself."""
    busy = any(standing.kind in BUSY for standing in standings)
    again: dict[str, Any] = {
        "hx_get": f"/runs/list?{urlencode({'page': page})}",
        "hx_trigger": "every 5s",
        "hx_swap": "outerHTML",
    }
    return Section(
        message,
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


def _leftover(count: int) -> Component:
    folders = "1 folder belongs" if count == 1 else f"{count} folders belong"
    confirm = "Delete these files for good?"
    return parts.notice(
        Span(f"{folders} to no run: the database of their runs was deleted or moved."),
        parts.post_button("Delete the files", "/runs/leftover", LIST, {}, confirm),
    )


def _pages(page: int, total: int) -> Component:
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
    if plugin is not None:
        address = run_url(plugin.key, run.key)
        link, workflow = element("a", name, href=address, cls="run-link"), plugin.title
    else:
        link = element("span", name, cls="run-link")
        of_notebook = run.app_name == NOTEBOOK
        workflow = "a job of a notebook" if of_notebook else f"{run.app_name} (not installed)"
    busy = standing.kind in BUSY
    return parts.run_item(
        element("div", link, " ", element("span", workflow, cls="meta")),
        standing.kind,
        standing.words,
        run.updated,
        before=Span(duration(time.time() - standing.since), cls="meta") if busy else None,
        after=element(
            "span", readable(standing.size), cls="meta", title="Size of the run and its files"
        ),
        actions=element("div", *_actions(standing, plugin, name, page), cls="run-actions"),
    )


def _actions(standing: Standing, plugin: Plugin | None, name: str, page: int) -> list[Component]:
    run = standing.run

    def button(label: str, address: str, confirm: str | None = None) -> Component:
        values = {"run": run.key, "page": str(page)}
        return parts.post_button(label, address, LIST, values, confirm, f"{label} {name}")

    if standing.kind in BUSY:
        return [button("Stop", "/runs/stop")]
    whole = plugin and plugin.computes and standing.kind == "finished"
    label, ending = ("Notebook", "ipynb") if whole else ("Data", "json")
    return [
        element(
            "a",
            label,
            href=download_url(run.key, ending),
            download=True,
            aria_label=f"Download {name}",
        ),
        button("Delete", "/runs/discard", f"Delete the run “{name}”?"),
    ]
