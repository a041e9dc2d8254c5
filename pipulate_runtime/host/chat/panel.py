"""The HTML of the conversation. Messages are text; only a finished answer of the model is Markdown."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from fasthtml.common import H2, Button, Details, Div, Form, Input, Label, P, Span, Summary, Textarea

from pipulate_runtime.cells.page.render import raw
from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.state.history import Message

WHO = {"person": "You", "model": "Answer", "workflow": "Workflow", "host": "Note"}
# HTML that an answer may use: no links and pictures, which could send the conversation to others
TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li"),
    *("h1", "h2", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td"),
}
# A question includes the input in the current card's form, except secrets. The question itself is listed because htmx logs
# an error for a selector without matches.
TYPED = (
    "#chat-text, main [data-state=input] :is(input, select, textarea)"
    ":not([type=password], [type=file], [type=hidden])"
)


def drawer() -> Component:
    """The closed panel; its content loads when it is opened."""
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
    """The open panel: the conversation and a form, or why there is no model."""
    return Div(
        Div(
            Div(H2("Ask about this page"), P(f"{model}, {where}" if model else "", cls="meta")),
            _action_form("clear", "Clear", cls="button-link"),
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
        "Try again",
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
    """The form of the Stop button, which stands beside Send."""
    hidden = Input(type="hidden", name="do", value="stop")
    return Form(hidden, ws_send=True, id="chat-stopping", hidden=True, enctype=False)


def _action_form(do: str, label: str, cls: str, **values: Any) -> Component:
    hidden = [Input(type="hidden", name=n, value=str(v)) for n, v in {"do": do, **values}.items()]
    return Form(*hidden, Button(label, type="submit", cls=cls), ws_send=True, enctype=False)


def buttons(busy: bool, swap: bool = False) -> Component:
    """Send; beside it Stop while the model writes an answer."""
    stop = Button("Stop", type="submit", id="chat-stop", form="chat-stopping", cls="secondary")
    return Div(
        stop if busy else None,
        Button("Send", type="submit", cls="primary", id="chat-send"),
        id="chat-buttons",
        cls="chat-buttons",
        data_busy="true" if busy else None,
        hx_swap_oob="innerHTML" if swap else None,
    )


def log(messages: Iterable[Message], swap: bool = False) -> Component:
    oob = "innerHTML" if swap else None
    return Div(*map(bubble, messages), id="chat-log", role="log", hx_swap_oob=oob)


def bubble(message: Message) -> Component:
    number = f"said-{message.number}"
    if message.by == "model" and message.done:
        text = Div(raw(markdown(message.text)), cls="said-text markdown", id=f"{number}-text")
    else:
        text = Div(message.text, cls="said-text", id=f"{number}-text")
    by = Span(WHO[message.by], cls="said-by only-read")
    undo = message.undo
    return Div(
        by,
        text,
        None if undo is None else _action_form("undo", "Undo", "button-link", id=undo),
        id=number,
        cls="bubble",
        data_by=message.by,
        aria_busy=None if message.done else "true",
    )


def append_message(message: Message) -> Component:
    """Append a new message to the open page."""
    return Div(bubble(message), hx_swap_oob="beforeend:#chat-log")


def append_chunk(message: Message, text: str) -> Component:
    """Append a chunk to a message that is being written."""
    return Span(text, hx_swap_oob=f"beforeend:#said-{message.number}-text")


def finish(message: Message) -> Component:
    """Replace a message by its final form."""
    return bubble(message)(hx_swap_oob="true")


def remove(message: Message) -> Component:
    """Remove an empty message."""
    return Div(id=f"said-{message.number}", hx_swap_oob="delete")


def fresh_tasks() -> Component:
    """Reload the list on the page of tasks."""
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
    """Return an answer as safe HTML."""
    import nh3

    return nh3.clean(_parser().render(text), tags=TAGS, attributes={}, url_schemes=set())
