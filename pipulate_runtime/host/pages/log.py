"""The page `/log`: the last entries of the server's log, by level and by words."""

from collections.abc import Sequence

from fasthtml.common import (
    H1,
    Div,
    Form,
    Input,
    Label,
    Li,
    Ol,
    Option,
    P,
    Pre,
    Section,
    Select,
    Span,
    Time,
)

from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.base.logs import Entry
from pipulate_runtime.host.base.markup import crumb

SHOWN = 200
CHOICES = {"": "Everything", "WARNING": "Warnings and errors", "ERROR": "Errors only"}


def log_page(found: Sequence[Entry], level: str, words: str, path: str) -> Component:
    """The whole page. `path` is where the file is."""
    return Div(
        Div(
            crumb(),
            H1("Log"),
            P(
                "What this server did, the newest first. What was sent to it is not noted, and secrets are overwritten."
            ),
            cls="page-head",
        ),
        Form(
            Div(
                Label("Search", fr="log-words"),
                Input(
                    id="log-words",
                    type="search",
                    name="q",
                    value=words,
                    placeholder="for example: sales failed",
                    autocomplete="off",
                ),
            ),
            Div(
                Label("Show", fr="log-level"),
                Select(
                    *(Option(t, value=v, selected=v == level or None) for v, t in CHOICES.items()),
                    id="log-level",
                    name="level",
                ),
            ),
            method="get",
            action="/log",
            hx_get="/log/entries",
            hx_target="#log-entries",
            hx_swap="outerHTML",
            hx_trigger="input changed delay:250ms from:#log-words, change from:#log-level, submit",
            hx_sync="this:replace",
            cls="log-search",
            role="search",
        ),
        log_entries(found, words or level),
        P("The whole log: ", Span(path, cls="path"), cls="meta"),
    )


def log_entries(found: Sequence[Entry], narrowed: str) -> Component:
    """The list alone."""
    count = f"{len(found)} {'entry' if len(found) == 1 else 'entries'}"
    if len(found) > SHOWN:
        count = f"The newest {SHOWN} of {len(found):,} entries"
    nothing = "Nothing in the log agrees with that." if narrowed else "The log is empty."
    return Section(
        P(count if found else nothing, cls="meta", role="status"),
        Ol(*map(_entry, found[:SHOWN]), cls="log", tabindex="0") if found else None,
        id="log-entries",
        aria_label="Entries",
    )


def _entry(entry: Entry) -> Component:
    first, _, rest = entry.text.partition("\n")
    return Li(
        Time(f"{entry.at[:10]} {entry.at[11:19]}", datetime=entry.at, title="UTC"),
        Span(entry.level.lower(), cls="level"),
        Span(first, cls="entry", title=entry.name),
        Pre(rest) if rest else None,
        data_level=entry.level,
    )
