"""The components that plugins get from the host: containers, cards of finished steps, inline buttons (CONTRACT 1.9, 1.11)."""

import json
from collections.abc import Sequence
from typing import Any

from fasthtml.common import (
    H3,
    H4,
    Article,
    Button,
    Datalist,
    Div,
    Form,
    Header,
    HtmxResponseHeaders,
    Input,
    Option,
    P,
)

from pipulate_runtime.host.base.contract import Component, Steps
from pipulate_runtime.host.pages.parts import posting


def container_id(app_name: str) -> str:
    return f"{app_name}-container"


def container(app_name: str, steps: Steps, key: str) -> Component:
    """All cards of a run: the first loads, and each brings the next. All requests from within send the key."""
    return Div(
        placeholder(app_name, steps[0].id),
        id=container_id(app_name),
        cls="run-cards",
        hx_vals=json.dumps({"pipeline_id": key}) if key else None,
    )


def placeholder(app_name: str, step_id: str) -> Component:
    """The placeholder of a step, which loads its card."""
    return Div(id=step_id, hx_get=f"/{app_name}/{step_id}", hx_trigger="load", hx_swap="outerHTML")


def into_container(app_name: str) -> tuple[Any, ...]:
    """Return response headers that let any answer replace the container."""
    headers = HtmxResponseHeaders(retarget=f"#{container_id(app_name)}", reswap="outerHTML")
    return tuple(headers)


def revert_button(
    step_id: str, app_name: str, label: str | None = None, target_id: str | None = None
) -> Component:
    """A button back to a step, as a form of its own, since plugins may place it inside another form."""
    return Form(
        Input(type="hidden", name="step_id", value=step_id),
        Button(label or "Change", type="submit", cls="button-revert"),
        **posting(f"/{app_name}/revert", f"#{target_id or container_id(app_name)}"),
        cls="revert-form",
    )


def revert_header(
    step_id: str,
    app_name: str,
    message: str | None,
    label: str | None = None,
    target_id: str | None = None,
) -> Component:
    """A card of one line: the answer, and a button to change it."""
    button = revert_button(step_id, app_name, label, target_id)
    return button if message is None else Article(Header(H3(message), button), cls="quiet")


def revert_widget(
    step_id: str,
    app_name: str,
    message: str | None,
    widget: Any,
    label: str | None = None,
    target_id: str | None = None,
    style: str | None = None,
) -> Component:
    """A card with the result of a step below its heading, and a button to change it."""
    return Article(
        Header(H3(message or ""), revert_button(step_id, app_name, label, target_id)),
        Div(widget, cls="widget-content", style=style) if widget is not None else None,
        cls="card-container",
    )


def locked_card(
    message: str, content: Any = None, heading_tag: Any = H4, style: str | None = None
) -> Component:
    """A card of a finished run."""
    body = Div(content, cls="finalized-content", style=style) if content is not None else None
    return Article(Header(heading_tag(message)), body, cls="card-container")


def inline_button(
    control: Any,
    button_label: str = "Continue",
    button_class: str = "primary",
    show_new_key_button: bool = False,
    app_name: str | None = None,
    **button: Any,
) -> Component:
    """A control and its submit button in one row; options `button_*` go to the button, without the prefix."""
    options = {name.removeprefix("button_"): value for name, value in button.items()}
    new_key = None
    if show_new_key_button and app_name:
        new_key = Button(
            "New name",
            type="button",
            cls="secondary outline new-key-button",
            hx_get=f"/generate-new-key/{app_name}",
            hx_swap="none",
        )
    submit = Button(
        button_label, type="submit", cls=f"{button_class} inline-button-submit", **options
    )
    return Div(control, submit, new_key, cls="inline-button-container")


def datalist(datalist_id: str, options: Sequence[str] | None, should_clear: bool) -> Component:
    """A list of suggestions, which replaces that of the same id anywhere on the page."""
    shown = [] if should_clear or options is None else options
    return Datalist(*(Option(value=option) for option in shown), id=datalist_id, hx_swap_oob="true")


def error_text(message: str) -> Component:
    return P(message, cls="text-invalid", role="alert")
