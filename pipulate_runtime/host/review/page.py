"""The page of a review: the notebook's cells on the left, the plugin's parts on the right, with their changes marked.

A review comes as plain data, in the shape of the compiler's `Review` (`transpiler/features/review_model.py`), since the two
sides do not import each other. All texts of the two files are escaped; Markdown is cleaned as in cards.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from fasthtml.common import (
    H1,
    H2,
    A,
    Body,
    Button,
    Code,
    Del,
    Details,
    Div,
    Form,
    Head,
    Header,
    Html,
    Input,
    Ins,
    Kbd,
    Li,
    Link,
    Main,
    Meta,
    P,
    Pre,
    Section,
    Span,
    Strong,
    Style,
    Summary,
    Title,
    Ul,
)

from pipulate_runtime.cells.page.render import highlight, raw
from pipulate_runtime.host.base import markup
from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.base.markup import html

Data = Mapping[str, Any]
Review = Data

STYLES = "review.css"
CHOICES = {
    "mine": ("Keep mine", "The plugin stays as it is, without the notebook's change"),
    "notebook": ("Take the notebook's", "Without your edit of this part"),
    "both": ("Keep both", "The lines of both, yours first"),
}
STATES = {
    "edited": "edited by you",
    "yours": "yours",
    "deleted": "deleted by you",
    "conflict": "conflict",
}
_CALM = {"", "unchanged", "updated", "moved", "settled", "NEW"}
# A report file uses no network and runs no scripts.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def content(review: Review, action: str = "", said: str = "") -> Component:
    """The review. `action` is the address for decisions, "" for a report without buttons; `said` reports the last one."""
    return Div(
        Link(rel="stylesheet", href=markup.url(STYLES)) if action else None,
        _head(review, said),
        *(_row(row, review, action) for row in review["rows"]),
        _others(review, action),
        id="review",
        cls="review",
    )


def document(review: Review) -> str:
    """Return the review as an HTML file."""
    styles = "\n".join(
        found[0].decode() for name in (markup.OUTPUTS, "host.css", STYLES) if (found := markup.content(name))
    )  # fmt: skip
    page = Html(
        Head(
            Meta(charset="utf-8"),
            Meta(http_equiv="Content-Security-Policy", content=_POLICY),
            Meta(name="viewport", content="width=device-width, initial-scale=1"),
            Meta(name="color-scheme", content="light dark"),
            Title(f"Review: {review['title']}"),
            Style(styles),
        ),
        Body(Main(content(review), id="content")),
        lang="en",
    )
    return html(page)


# -- the top


def _head(review: Review, said: str) -> Component:
    found = conflicts(review)
    edited = review["edits"]
    facts = [
        _counted(len(found), "open conflict"),
        f"{_counted(edited, 'place')} edited by hand" if edited else "no edits by hand",
    ]
    coming = "The notebook has changed since it was last ported. To add its changes: "
    return Header(
        H1(review["title"]),
        P(Code(review["notebook"]), " → ", Code(review["plugin"]), cls="lead"),
        P(" · ".join(facts), cls="meta"),
        P(said, cls="notice", role="status", tabindex="-1", autofocus=True) if said else None,
        (
            P(Span(coming, Kbd(review["command"])), cls="notice")
            if review["coming"] and not review["refused"]
            else None
        ),
        _remarks(review["remarks"]),
        _jumps(found),
        cls="page-head",
    )


def conflicts(review: Review) -> list[Data]:
    """Return all open conflicts, in order."""
    groups = [part for row in review["rows"] for part in (row, *row["parts"])]
    return [conflict for group in (*groups, *review["others"]) for conflict in group["conflicts"]]


def _jumps(found: Sequence[Data]) -> Component:
    if not found:
        return None
    links = [Li(A(each["name"], href=f"#conflict-{each['id']}")) for each in found]
    return Ul(*links, cls="review-jumps", aria_label="Open conflicts")


def _counted(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


# -- a step


def _row(row: Data, review: Review, action: str) -> Component:
    step = row["step"]
    word = row["word"]
    loud = word.partition(" ")[0] not in _CALM
    cells = [_cell(cell) for cell in row["cells"]]
    parts = [_part(part, review, action) for part in row["parts"]]
    return Section(
        Header(
            H2(row["title"] or step or "After the last step"),
            Code(step) if step and row["title"] else None,
            Span(word, cls="badge", data_loud=loud, title=row["detail"] or None) if word else None,
            Span(row["detail"], cls="meta") if row["detail"] else None,
        ),
        Div(
            Div(*(cells or [_missing("not in the notebook")]), cls="side"),
            Div(
                *(_conflict(each, review, action) for each in row["conflicts"]),
                *(parts or [_missing("not in the plugin")]),
                cls="side",
            ),
            cls="sides",
        ),
        id=step or None,
        cls="review-row",
    )  # fmt: skip


def _missing(words: str) -> Component:
    return P(words, cls="meta missing")


def _cell(cell: Data) -> Component:
    texts = [line["text"] for line in cell["lines"] if line["mark"] != "-"]
    if cell["kind"] == "markdown":
        from pipulate_runtime.cells.outputs.sanitise import markdown

        return Div(raw(markdown("\n".join(texts))), cls="markdown")
    marked = [cell["state"], cell["note"]]
    return Div(
        P(
            Span(f"cell {cell['index']}"),
            *(Span(word, cls="badge") for word in marked if word),
            cls="caption",
        ),
        code(cell["lines"], {remark["line"] for remark in cell["remarks"]}),
        _remarks(cell["remarks"]),
        cls="piece",
        data_cell=cell["id"],
    )


def _part(part: Data, review: Review, action: str) -> Component:
    state = part["state"]
    caption = (
        Span(part["label"]),
        Code(part["name"]) if part["name"] and part["name"] != part["label"] else None,
        Span(STATES[state], cls="badge", data_loud=True) if state in STATES else None,
        Span(f"line {part['line']}", cls="place") if part["line"] else None,
    )
    below = (
        code(part["lines"]) if part["lines"] else None,
        Ul(*(Li(change) for change in part["changes"]), cls="changes") if part["changes"] else None,
    )
    shown = [_conflict(each, review, action) for each in part["conflicts"]]
    if part["is_code"] or state != "emitted":
        return Div(*shown, P(*caption, cls="caption"), *below, cls="piece", data_state=state)
    return Details(Summary(*caption, cls="caption"), *below, cls="piece")


def _others(review: Review, action: str) -> Component:
    if not review["others"]:
        return None
    parts = [_part(part, review, action) for part in review["others"]]
    return Section(Header(H2("Outside the steps")), *parts, cls="review-row")


# -- conflicts


def _conflict(conflict: Data, review: Review, action: str) -> Component:
    blocked = review["coming"] or review["refused"]
    return Div(
        P(Strong(f"Conflict in {conflict['name']}: "), conflict["reason"], "."),
        P("What the notebook changed:", cls="caption") if conflict["lines"] else None,
        code(_near(conflict["lines"])),
        _decision(conflict, review, action) if action and not blocked else None,
        P("Port the notebook first to decide this.", cls="meta") if action and blocked else None,
        cls="conflict",
        id=f"conflict-{conflict['id']}",
    )  # fmt: skip


def _decision(conflict: Data, review: Review, action: str) -> Component:
    buttons = [
        Button(
            CHOICES[choice][0],
            type="submit",
            name="choice",
            value=choice,
            title=CHOICES[choice][1],
            aria_label=f"{CHOICES[choice][0]}: {conflict['name']}",
            cls="secondary",
        )
        for choice in conflict["choices"]
    ]
    return Form(
        Input(type="hidden", name="conflict", value=conflict["id"]),
        Input(type="hidden", name="seen", value=review["seen"]),
        Div(*buttons, cls="actions"),
        action=action,
        method="post",
        hx_post=action,
        hx_target="#review",
        hx_swap="outerHTML",
    )


def _near(lines: Sequence[Data], around: int = 2) -> list[Data]:
    """Return the lines that differ, and a few around them."""
    changed = [n for n, line in enumerate(lines) if line["mark"] != " "]
    return [line for n, line in enumerate(lines) if any(abs(n - c) <= around for c in changed)]


# -- diagnostics and code


def _remarks(remarks: Sequence[Data]) -> Component:
    if not remarks:
        return None
    items = [
        Li(
            Strong(f"{remark['code']} {remark['name']}"),
            f", line {remark['line']}" if remark["line"] else None,
            P(remark["message"]),
            P(remark["help"], cls="meta"),
            data_severity=remark["severity"],
        )
        for remark in remarks
    ]
    return Ul(*items, cls="remarks", aria_label="Diagnostics")


def code(lines: Sequence[Data], remarked: Sequence[int] | set[int] = ()) -> Component:
    """Highlighted lines of Python; new and deleted lines are marked, and those (from 1) with a remark."""
    now = iter(_highlighted([line["text"] for line in lines if line["mark"] != "-"]))
    before = iter(_highlighted([line["text"] for line in lines if line["mark"] != "+"]))
    shown = []
    number = 0
    for line in lines:
        mark = line["mark"]
        if mark == " ":
            next(before)
        text = raw(next(before if mark == "-" else now) + "\n")
        number += mark != "-"
        kind: Any = {"+": Ins, "-": Del}.get(mark, Span)
        shown.append(
            kind(text, cls="line", data_remark=True if number in remarked and mark != "-" else None)
        )
    return Pre(Code(*shown), cls="highlight", tabindex="0")


def _highlighted(lines: Sequence[str]) -> list[str]:
    """Return each line as HTML with classes of Pygments."""
    found = highlight("\n".join(lines), stripnl=False).split("\n")
    if len(found) == len(lines) + 1 and not found[-1]:
        found.pop()
    if len(found) != len(lines):  # Pygments takes some other character for a line end
        return [escape(line) for line in lines]
    return found
