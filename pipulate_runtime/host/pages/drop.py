"""Dropping a notebook on the page: the plan and diagnostics as `pipulate port` prints them, and the result."""

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fasthtml.common import (
    H2,
    H3,
    A,
    Article,
    B,
    Button,
    Code,
    Details,
    Div,
    Form,
    Input,
    Label,
    Li,
    P,
    Pre,
    Section,
    Small,
    Span,
    Summary,
    Table,
    Tbody,
    Td,
    Th,
    Thead,
    Tr,
    Ul,
)

from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.pages import cards
from pipulate_runtime.host.plugins.model import Plugin, Problem

RESULT = "port-result"


def drop(first: bool) -> Component:
    """The drop zone for a notebook. Its file input covers the frame, so that the browser accepts drops on it."""
    return Section(
        H2("Start with a notebook" if first else "Port a notebook"),
        Form(
            Label(
                B("Drop a Jupyter notebook here"),
                Span(" or choose one "),
                Small("Add the data files it reads, if any. Its code does not run now."),
                Input(
                    id="notebook",
                    type="file",
                    name="files",
                    multiple=True,
                    accept=".ipynb,.csv,.tsv,.json,.txt,.xlsx,.parquet,.py,.md,.png,.jpg",
                    aria_describedby="port-busy",
                ),
                fr="notebook",
                cls="drop",
            ),
            Span("Reading the notebook…", id="port-busy", cls="busy", role="status"),
            hx_post="/port/plan",
            hx_encoding="multipart/form-data",
            hx_trigger="change",
            hx_target=f"#{RESULT}",
            hx_swap="innerHTML show:top",
            hx_sync="this:replace",
        ),
        Div(id=RESULT, aria_live="polite"),
        cls="port",
        aria_label="Port a notebook",
    )


def refusal_card(error: HostError) -> Component:
    return Article(
        H3(error.message), P(error.remedy), P(Code(error.code), cls="meta"), data_state="error"
    )


def plan(report: Mapping[str, Any], name: str, token: str) -> Component:
    """The plan of a notebook with a button to install it, or why it cannot be ported."""
    found = [_diagnostic(one) for one in report["diagnostics"]]
    if not report["ok"]:
        return Article(
            H3(f"{name} cannot be ported"),
            P("Nothing was written."),
            Ul(*found, cls="findings"),
            data_state="error",
        )
    steps = report.get("steps", ())
    return Article(
        H3(report.get("title") or name),
        P(_summary(report, name), cls="meta"),
        _steps(steps) if steps else None,
        _lines(report),
        _findings(found),
        _actions(report, token),
        cls="port-plan",
        data_state="question",
    )


def _summary(report: Mapping[str, Any], name: str) -> str:
    count = len(report.get("steps", ()))
    steps = f"{count} {'step' if count == 1 else 'steps'}"
    if not report["there"]:
        return f"{name} becomes a workflow of {steps}."
    if not report["changed"]:
        return f"This workflow exists already, and {name} changes nothing in it."
    return f"This workflow exists already. The update adds the changes in {name} and keeps edits made by hand."


def _steps(steps: Any) -> Component:
    def asks(step: Mapping[str, Any]) -> Component:
        if step["asks"]:
            return Td(*[Span(Code(one), " ") for one in step["asks"]])
        return Td(Span("a click" if step["button"] else "nothing, it runs by itself", cls="meta"))

    rows = [
        Tr(
            Td(str(number), cls="number"),
            Td(step["title"]),
            asks(step),
            Td(", ".join(map(str, step["cells"])), cls="meta"),
        )
        for number, step in enumerate(steps, 1)
    ]
    head = Thead(Tr(Th(""), Th("Step"), Th("Asks for"), Th("Cells")))
    return Div(Table(head, Tbody(*rows), cls="plan"), cls="table-frame", tabindex="0")


def _lines(report: Mapping[str, Any]) -> Component:
    """The other results of a port: changed steps, conflicts, files, requirements."""
    lines = []
    changed = [row for row in report.get("rows", ()) if row["what"] != "unchanged"]
    if report["there"] and changed:
        shown = [Li(f"{r['subject']}: {r['what']} {r['detail']}".rstrip()) for r in changed]
        lines.append(Div(P(B("Changes")), Ul(*shown)))
    if report.get("conflicts"):
        lines.append(
            P(
                B("Conflicts: "),
                f"{report['conflicts']}. The workflow runs with the text edited by hand.",
            )
        )
    if report.get("files"):
        lines.append(P(B("Data files: "), ", ".join(report["files"])))
    if report.get("requirements"):
        lines.append(P(B("Needs: "), ", ".join(report["requirements"])))
    return Div(*lines, cls="port-lines") if lines else None


def _findings(found: list[Component]) -> Component:
    if not found:
        return P("No problems found.", cls="meta")
    title = "1 thing to know" if len(found) == 1 else f"{len(found)} things to know"
    return Details(Summary(title), Ul(*found, cls="findings"), open=True)


def _diagnostic(one: Mapping[str, str]) -> Component:
    quoted = f"{one['line']}\n{one['marks']}" if one["line"] else ""
    return Li(
        P(Code(one["place"]), " ", Span(f"{one['code']} {one['name']}", cls="rule")),
        P(one["message"]),
        Pre(quoted) if quoted else None,
        P(one["help"], cls="meta"),
        data_severity=one["severity"],
    )


def _actions(report: Mapping[str, Any], token: str) -> Component:
    label = "Update the workflow" if report["there"] else "Install the workflow"
    nothing = report["there"] and not report["changed"]
    install = Form(
        Input(type="hidden", name="token", value=token),
        Button(label, type="submit", cls="primary"),
        hx_post="/port/install",
        hx_target=f"#{RESULT}",
    )
    leave = Form(
        Input(type="hidden", name="token", value=token),
        Button("Close" if nothing else "Cancel", type="submit", cls="secondary"),
        hx_post="/port/discard",
        hx_target=f"#{RESULT}",
    )
    return Div(None if nothing else install, leave, cls="actions")


def installed_card(plugin: Plugin, report: Mapping[str, Any], name: str) -> Component:
    """Reports the installed workflow, with a link to it."""
    home = os.path.relpath(report["home"], plugin.path.parent.parent)
    return Article(
        H3(f"“{plugin.title}” is installed"),
        P("It is in the list now. You can read and edit its file: ", Code(plugin.path.name), "."),
        P(f"{name} is stored as {home}.", cls="meta") if report["own"] else None,
        P(A("Open it", href=f"/{quote(plugin.key)}", role="button", cls="primary")),
        data_state="done",
        role="status",
    )


def not_loaded_card(problem: Problem | None) -> Component:
    """Reports that the new plugin cannot be loaded."""
    message = problem.message if problem else "Its file was deleted."
    return Article(
        H3("The notebook was ported, but the workflow cannot be opened"),
        P(Code(message)),
        P(problem.remedy) if problem else None,
        cards.folded_trace(problem.trace) if problem else None,
        data_state="error",
        role="alert",
    )
