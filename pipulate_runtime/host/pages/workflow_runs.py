"""The list of runs on a workflow's page, and a run's name, address and progress."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from fasthtml.common import H2, Button, Details, Div, P, Progress, Section, Span, Summary, Ul

from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.base.markup import element
from pipulate_runtime.host.pages.outdated import outdated_steps
from pipulate_runtime.host.pages.parts import post_button, run_item, undo_notice
from pipulate_runtime.host.state.run import Run, State, is_done, is_finalized

MORE = 10  # runs that are listed below them at a time
SHOWN = 10  # runs listed at once; a fold loads the older ones


def run_name(key: str, app_name: str) -> str:
    """Return the name that the user gave a run: the last part of its key."""
    _, found, name = key.partition(f"-{app_name}-")
    return (name if found else key).replace("_", " ")


def run_url(plugin_key: str, key: str) -> str:
    return f"/{quote(plugin_key)}?{urlencode({'run': key})}"


def download_url(key: str, ending: str) -> str:
    return f"/runs/download?{urlencode({'run': key, 'format': ending})}"


def standing(steps: Sequence[Any], state: State) -> tuple[str, str]:
    """Return `(finished | ready | open, the same for people)`."""
    if is_finalized(state):
        return "finished", "Finished"
    for step in steps:
        if step.id != "finalize" and not is_done(state, step):
            return "open", f"Next: {step.show}"
    return "ready", "Ready to finish"


def steps_done(steps: Sequence[Any], state: State) -> tuple[int, int]:
    """Return how many steps are done, and how many there are."""
    questions = [step for step in steps if step.id != "finalize"]
    return sum(is_done(state, step) for step in questions), len(questions)


def progress(steps: Sequence[Any], state: State, swap: bool = False) -> Component:
    """The progress of a run; screen readers announce changes."""
    done, total = steps_done(steps, state)
    finished = is_finalized(state)
    inner = (
        Progress(value=str(done), max=str(max(total, 1)), aria_hidden="true"),
        Span("Finished" if finished else f"{done} of {total} steps done"),
    )
    if swap:  # only the content: screen readers do not announce a replaced live region
        return Div(*inner, hx_swap_oob="innerHTML:#run-progress")
    return Div(*inner, id="run-progress", role="status")


def run_list(plugin: Any, runs: Sequence[Run], total: int, deleted: str | None = None) -> Component:
    """The newest runs of a workflow with `total` runs; a fold loads the older ones.

    `deleted` is the key of a run just deleted, for a button that restores it.
    """
    older = total - len(runs)
    return Section(
        H2("Earlier runs") if runs else None,
        (
            undo_notice(run_name(deleted, plugin.APP_NAME), deleted, "/runs/restore", "#runs")
            if deleted
            else None
        ),
        run_items(plugin, runs) if runs else None,
        _older(plugin.APP_NAME, older) if older > 0 else None,
        id="runs",
    )


def run_items(plugin: Any, runs: Sequence[Run]) -> Component:
    return Ul(*(_run_item(plugin, run) for run in runs), cls="run-list")


def older_runs(plugin: Any, runs: Sequence[Run], skipped: int, total: int) -> Component:
    """Return the runs after the first `skipped` ones, with a button for those that follow them."""
    more = total - skipped - len(runs)
    follow = {"app": plugin.APP_NAME, "skip": skipped + len(runs)}
    button = Button(
        f"Show {min(more, MORE)} more of {more:,}",
        cls="secondary",
        hx_get=f"/runs/older?{urlencode(follow)}",
        hx_swap="outerHTML",
    )
    return run_items(plugin, runs), button if more > 0 and runs else None


def _older(app_name: str, count: int) -> Component:
    load = Div(
        P("Loading…", aria_busy="true"),
        hx_get=f"/runs/older?{urlencode({'app': app_name})}",
        hx_trigger="toggle from:closest details once",
        hx_swap="outerHTML",
    )
    return Details(Summary(f"{count} older {'run' if count == 1 else 'runs'}"), load, cls="older")


def _run_item(plugin: Any, run: Run) -> Component:
    name = run_name(run.key, run.app_name)
    older = False
    try:
        kind, words = standing(getattr(plugin, "steps", ()), run.state)
        older = bool(outdated_steps(plugin, run.state))
    except HostError:
        kind, words = "broken", "Cannot be read"
    url = run_url(plugin.name, run.key)
    open_it = "Open" if kind == "finished" else "Resume"
    downloads = [("Download data", "json", "The answers and results as JSON")]
    if kind == "finished" and getattr(plugin, "cells", None) is not None:
        downloads.insert(0, ("Download notebook", "ipynb", "The whole run as a Jupyter notebook"))
    open_link = element(
        "a", open_it, href=url, role="button", cls="secondary", aria_label=f"{open_it} {name}"
    )
    delete = post_button(
        "Delete",
        "/runs/delete",
        "#runs",
        {"run": run.key},
        confirm=f"Delete the run “{name}”?",
        aria_label=f"Delete {name}",
    )
    links = (
        element("a", label, href=download_url(run.key, ending), download=True, title=title)
        for label, ending, title in downloads
    )
    return run_item(
        element("a", name, href=url, cls="run-link"),
        kind,
        words,
        run.updated,
        before=element("span", "made by an older version", cls="meta") if older else None,
        actions=element("div", open_link, *links, delete, cls="run-actions"),
    )
