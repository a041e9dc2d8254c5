"""The home page: the workflows, the last runs, and a place to drop a notebook."""

from collections.abc import Mapping, Sequence
from typing import Any

from fasthtml.common import H1, H2, A, Article, Details, Div, Li, Ol, P, Section, Span, Summary, Ul

from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.pages import drop, frame
from pipulate_runtime.host.pages.parts import run_item
from pipulate_runtime.host.pages.status import Standing
from pipulate_runtime.host.pages.workflow_runs import run_name, run_url
from pipulate_runtime.host.plugins.model import Plugin, Problem

RECENT = 3  # runs offered to continue


def home(
    shown: Sequence[Plugin],
    hidden: Sequence[Plugin],
    problems: Sequence[Problem],
    counts: Mapping[str, int],
    recent: Sequence[tuple[Standing, Plugin]],
    tools: bool,
) -> Component:
    """The whole page. `tools`: whether it offers to drop a notebook and links to the log."""
    empty = not shown and not hidden
    if empty:
        lead = "Turn a notebook into a workflow: a page that people go through card by card, without seeing code."
    else:
        lead = "Choose what you want to do. You can stop at any time and continue later."
    return Div(
        Div(
            H1("Welcome" if empty else "Workflows"), P(lead, cls="lead"), cls="page-head"
        ),
        _how() if empty and tools else None,
        drop.drop(first=True) if empty and tools else None,
        _recent(recent, sum(counts.values())) if recent else None,
        _workflows(shown, hidden, problems, counts, known=not empty or not tools),
        drop.drop(first=False) if tools and not empty else None,
        P(A("The server's log", href="/log"), cls="meta foot") if tools else None,
    )  # fmt: skip


def _how() -> Component:
    return Ol(
        Li("Drop a notebook below: you see which cell becomes which step, and what it will ask."),
        Li("Install it: you get a Python file that you can read and edit."),
        Li("Open it and fill in what it asks. Every run is saved, and you can continue it later."),
        cls="how",
    )


def _recent(recent: Sequence[tuple[Standing, Plugin]], total: int) -> Component:
    return Section(
        Div(
            H2("Continue"),
            A("All runs" if total == 1 else f"All {total:,} runs", href="/runs"),
            cls="section-head",
        ),
        Ul(*(_run(standing, plugin) for standing, plugin in recent), cls="run-list"),
        cls="recent",
        aria_label="Recent runs",
    )


def _run(standing: Standing, plugin: Plugin) -> Component:
    run = standing.run
    name, url = run_name(run.key, run.app_name), run_url(plugin.key, run.key)
    title = Div(A(name, href=url, cls="run-link"), " ", Span(plugin.title, cls="meta"))
    return run_item(title, standing.kind, standing.words, run.updated)


def _workflows(
    shown: Sequence[Plugin],
    hidden: Sequence[Plugin],
    problems: Sequence[Problem],
    counts: Mapping[str, int],
    known: bool,
) -> Component:
    """The cards; they reload when a plugin was installed."""
    cards = [_card(plugin, counts.get(plugin.app_name, 0)) for plugin in shown]
    more = [_card(plugin, counts.get(plugin.app_name, 0)) for plugin in hidden]
    folded: dict[str, Any] = {"open": not cards}
    return Section(
        P("There are no workflows here yet.", cls="lead") if known and not cards and not more else None,
        Ul(*cards, cls="workflow-grid") if cards else None,
        Details(Summary("More workflows"), Ul(*more, cls="workflow-grid"), cls="more", **folded)
        if more
        else None,
        frame.problem_list(problems) if problems else None,
        id="workflows",
        aria_label="Workflows",
        hx_get="/",
        hx_trigger="plugins-changed from:body",
        hx_select="#workflows",
        hx_swap="outerHTML",
    )  # fmt: skip


def _card(plugin: Plugin, runs: int) -> Component:
    steps = sum(step.id != "finalize" for step in plugin.steps)
    facts = [f"{steps} {'step' if steps == 1 else 'steps'}"] if steps else []
    facts.append("not started yet" if runs == 0 else "1 run" if runs == 1 else f"{runs:,} runs")
    return Li(
        Article(
            H2(A(plugin.title, href=f"/{plugin.key}")),
            P(plugin.description) if plugin.description else None,
            P(" · ".join(facts), cls="meta"),
            cls="workflow-card",
        )
    )
