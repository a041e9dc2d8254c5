"""How runs are told about: where each stands, when it changed, and the list of them on a workflow's page."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from fasthtml.common import (
    H2,
    A,
    Button,
    Details,
    Div,
    Form,
    Input,
    Li,
    P,
    Progress,
    Section,
    Span,
    Summary,
    Time,
    Ul,
)

from pipulate_runtime.host.contract import Component
from pipulate_runtime.host.messages import HostError
from pipulate_runtime.host.outdated import outdated
from pipulate_runtime.host.state import Run, State, is_done, is_finalized

SHOWN = 10  # runs listed at once; older ones are asked for when wanted


def run_name(key: str, app_name: str) -> str:
    """What the user called a run: the last part of its key."""
    _, found, name = key.partition(f"-{app_name}-")
    return (name if found else key).replace("_", " ")


def run_url(plugin_key: str, key: str) -> str:
    """The address of a run's page."""
    return f"/{quote(plugin_key)}?{urlencode({'run': key})}"


def standing(steps: Sequence[Any], state: State) -> tuple[str, str]:
    """Where a run stands: (finished | ready | open, in words)."""
    if is_finalized(state):
        return "finished", "Finished"
    for step in steps:
        if step.id != "finalize" and not is_done(state, step):
            return "open", f"Next: {step.show}"
    return "ready", "Ready to finish"


def steps_done(steps: Sequence[Any], state: State) -> tuple[int, int]:
    """How many steps are done, of how many."""
    questions = [step for step in steps if step.id != "finalize"]
    return sum(is_done(state, step) for step in questions), len(questions)


def progress(steps: Sequence[Any], state: State, swap: bool = False) -> Component:
    """How far a run is; announced to screen readers when it changes."""
    done, total = steps_done(steps, state)
    finished = is_finalized(state)
    inner = (
        Progress(value=str(done), max=str(max(total, 1)), aria_hidden="true"),
        Span("Finished" if finished else f"{done} of {total} steps done"),
    )
    if swap:  # only what is in it: a live region that is replaced is not announced
        return Div(*inner, hx_swap_oob="innerHTML:#run-progress")
    return Div(*inner, id="run-progress", role="status")


def ago(stamp: str, now: datetime | None = None) -> str:
    """A stored time in words: "5 minutes ago", or the date when it is long ago; "" for what is no time."""
    try:
        then = datetime.fromisoformat(stamp)
    except ValueError:
        return ""
    then = then if then.tzinfo else then.astimezone()
    seconds = ((now or datetime.now(UTC)) - then).total_seconds()
    if seconds < 60:
        return "just now"
    for size, unit, limit in ((60, "minute", 60), (3600, "hour", 24), (86400, "day", 14)):
        count = int(seconds // size)
        if count < limit:
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return f"on {then.astimezone():%d %B %Y}"


def run_list(plugin: Any, runs: Sequence[Run], total: int, deleted: str | None = None) -> Component:
    """The newest runs of a workflow, of `total` it has; older ones are folded away and loaded when unfolded.

    `deleted` is the key of a run just deleted: it can be brought back from here.
    """
    older = total - len(runs)
    return Section(
        H2("Earlier runs") if runs else None,
        _undo(plugin.APP_NAME, deleted) if deleted else None,
        run_items(plugin, runs) if runs else None,
        _older(plugin.APP_NAME, older) if older > 0 else None,
        id="runs",
    )


def run_items(plugin: Any, runs: Sequence[Run]) -> Component:
    """Runs as list items."""
    return Ul(*(_run_item(plugin, run) for run in runs), cls="run-list")


def _older(app_name: str, count: int) -> Component:
    load = Div(
        P("Loading…", aria_busy="true"),
        hx_get=f"/runs/older?{urlencode({'app': app_name})}",
        hx_trigger="toggle from:closest details once",
        hx_swap="outerHTML",
    )
    return Details(Summary(f"{count} older {'run' if count == 1 else 'runs'}"), load, cls="older")


def _undo(app_name: str, key: str) -> Component:
    return Div(
        Span(f"“{run_name(key, app_name)}” was deleted."),
        Form(
            Input(type="hidden", name="run", value=key),
            Button("Undo", type="submit", cls="button-link"),
            hx_post="/runs/restore",
            hx_target="#runs",
            hx_swap="outerHTML",
        ),
        cls="notice",
        role="status",
    )


def _run_item(plugin: Any, run: Run) -> Component:
    name = run_name(run.key, run.app_name)
    older = False
    try:
        kind, words = standing(getattr(plugin, "steps", ()), run.state)
        older = bool(outdated(plugin, run.state))
    except HostError:
        kind, words = "broken", "Cannot be read"
    query = urlencode({"run": run.key})
    downloads = [
        A(
            "Download data",
            href=f"/runs/download?{query}&format=json",
            download=True,
            title="The answers and results as JSON",
        )
    ]
    if kind == "finished" and getattr(plugin, "cells", None) is not None:
        notebook = f"/runs/download?{query}&format=ipynb"
        downloads.insert(
            0,
            A(
                "Download notebook",
                href=notebook,
                download=True,
                title="The whole run, as a Jupyter notebook",
            ),
        )
    return Li(
        Div(
            A(name, href=run_url(plugin.name, run.key), cls="run-link"),
            Div(
                Span(words, cls="state", data_kind=kind),
                Span("made by an older version", cls="meta") if older else None,
                Time(ago(run.updated), datetime=run.updated, cls="meta"),
                cls="run-facts",
            ),
        ),
        Div(
            A(
                "Open" if kind == "finished" else "Resume",
                href=run_url(plugin.name, run.key),
                role="button",
                cls="secondary",
                aria_label=f"{'Open' if kind == 'finished' else 'Resume'} {name}",
            ),
            *downloads,
            Form(
                Input(type="hidden", name="run", value=run.key),
                Button(
                    "Delete", type="submit", cls="button-link danger", aria_label=f"Delete {name}"
                ),
                hx_post="/runs/delete",
                hx_target="#runs",
                hx_swap="outerHTML",
                hx_confirm=f"Delete the run “{name}”?",
            ),
            cls="run-actions",
        ),
        cls="run-item",
    )
