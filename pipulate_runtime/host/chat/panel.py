"""How the conversation looks. What people, models and workflows say is text; only the end of an answer is Markdown."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from fasthtml.common import (
    H2,
    Button,
    Details,
    Div,
    Form,
    Input,
    Label,
    P,
    Span,
    Summary,
    Textarea,
)

from pipulate_runtime.cells.render import raw
from pipulate_runtime.host.contract import Component
from pipulate_runtime.host.history import Message

WHO = {"person": "You", "model": "Answer", "workflow": "Workflow", "host": "Note"}
# what of Markdown an answer may use: no links and no pictures, which could tell others what was said
TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li"),
    *("h1", "h2", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td"),
}
# What stands in the waiting card's form and is not secret goes along with a question. The question itself is named since
# htmx complains of a selector that finds nothing.
TYPED = (
    "#chat-text, main [data-state=input] :is(input, select, textarea)"
    ":not([type=password], [type=file], [type=hidden])"
)


def drawer() -> Component:
    """The panel while it is closed; its content is asked for when it is opened."""
    return Details(
        Summary(Span("Ask", cls="chat-label"), title="Ask about this page", aria_label="Ask"),
        Div(
            P("Loading…", aria_busy="true"),
            hx_get="/chat",
            hx_trigger="toggle from:closest details once",
            cls="chat-sheet",
        ),
        id="chat",
        cls="chat",
    )


def content(model: str, where: str, problem: str) -> Component:
    """The open panel: the conversation, and where to write; or why there is no model."""
    return Div(
        Div(
            Div(
                H2("Ask about this page"),
                P(f"{model}, {where}" if model else "", cls="meta"),
            ),
            _doing("clear", "Clear", cls="button-link"),
            cls="chat-head",
        ),
        Div(log([]), cls="chat-scroll", tabindex="0", aria_label="Conversation", role="region"),
        Div(id="chat-fresh", hidden=True),
        _missing(problem) if problem else (_composer(), _stopping()),
        id="chat-panel",
        hx_ext="ws",
        ws_connect="/ws",
        data_state="ready" if model else "missing",
    )


def _missing(problem: str) -> Component:
    again = Button(
        "Look again",
        type="button",
        cls="button-link",
        hx_get="/chat",
        hx_target="closest .chat-sheet",
        hx_swap="innerHTML",
    )
    return Div(P(problem), again, cls="chat-missing", role="status")


def _composer() -> Component:
    return Form(
        Label("Question", fr="chat-text", cls="only-read"),
        Textarea(
            id="chat-text",
            name="chat_text",
            rows="2",
            maxlength="4000",
            placeholder="Ask about this page, or about your tasks",
            autofocus=True,
        ),
        Input(type="hidden", name="do", value="ask"),
        buttons(False),
        ws_send=True,
        hx_include=TYPED,
        novalidate=True,
        id="chat-form",
        enctype=False,
    )


def _stopping() -> Component:
    """What the Stop button, which stands beside Send, submits."""
    hidden = Input(type="hidden", name="do", value="stop")
    return Form(hidden, ws_send=True, id="chat-stopping", hidden=True, enctype=False)


def _doing(do: str, label: str, cls: str, **values: Any) -> Component:
    """A button that tells the server to do something."""
    hidden = [Input(type="hidden", name=n, value=str(v)) for n, v in {"do": do, **values}.items()]
    return Form(*hidden, Button(label, type="submit", cls=cls), ws_send=True, enctype=False)


def buttons(busy: bool, swap: bool = False) -> Component:
    """Send; while an answer is being written, Stop beside it."""
    stop = Button("Stop", type="submit", id="chat-stop", form="chat-stopping", cls="secondary")
    inner = [stop if busy else None, Button("Send", type="submit", cls="primary", id="chat-send")]
    oob: dict[str, Any] = {"hx_swap_oob": "innerHTML"} if swap else {}
    return Div(
        *inner, id="chat-buttons", cls="chat-buttons", data_busy="true" if busy else None, **oob
    )


# -- messages


def log(messages: Iterable[Message], swap: bool = False) -> Component:
    """The whole conversation."""
    oob: dict[str, Any] = {"hx_swap_oob": "innerHTML"} if swap else {}
    return Div(*map(bubble, messages), id="chat-log", role="log", **oob)


def bubble(message: Message) -> Component:
    """One message."""
    number = f"said-{message.number}"
    if message.by == "model" and message.done:
        text = Div(raw(markdown(message.text)), cls="said-text markdown", id=f"{number}-text")
    else:
        text = Div(message.text, cls="said-text", id=f"{number}-text")
    undo = (
        _doing("undo", "Undo", "button-link", id=message.undo) if message.undo is not None else None
    )
    return Div(
        Span(WHO[message.by], cls="said-by only-read"),
        text,
        undo,
        id=number,
        cls="bubble",
        data_by=message.by,
        aria_busy=None if message.done else "true",
    )


def added(message: Message) -> Component:
    """A new message, for a page that is open."""
    return Div(bubble(message), hx_swap_oob="beforeend:#chat-log")


def more(message: Message, text: str) -> Component:
    """A piece of a message that is being written."""
    return Span(text, hx_swap_oob=f"beforeend:#said-{message.number}-text")


def whole(message: Message) -> Component:
    """A message that is complete now."""
    return bubble(message)(hx_swap_oob="true")


def gone(message: Message) -> Component:
    """A message without a word is taken away."""
    return Div(id=f"said-{message.number}", hx_swap_oob="delete")


def fresh_tasks() -> Component:
    """Lets the page of the tasks ask for them again."""
    return Div(
        id="chat-fresh",
        hidden=True,
        hx_swap_oob="true",
        hx_get="/tasks/list",
        hx_trigger="load",
        hx_target="#tasks",
        hx_swap="outerHTML",
    )


@cache
def _parser() -> Any:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    return parser.disable(["image", "link", "autolink", "reference"])


def markdown(text: str) -> str:
    """An answer as safe HTML."""
    import nh3

    return nh3.clean(_parser().render(text), tags=TAGS, attributes={}, url_schemes=set())
