"""Parts that several pages share: a notice, a button that posts, one run in a list, times in words."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fasthtml.common import Div, Span

from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.base.markup import element


def posting(address: str, target: str, confirm: str | None = None) -> dict[str, Any]:
    """Return the attributes of a form whose answer replaces the element `target`."""
    return {"hx_post": address, "hx_target": target, "hx_swap": "outerHTML", "hx_confirm": confirm}


def notice(*content: Any) -> Component:
    """A short message on top of a page or a list."""
    return Div(*content, cls="notice", role="status")


def post_button(
    label: str,
    address: str,
    target: str,
    values: Mapping[str, str],
    confirm: str | None = None,
    aria_label: str | None = None,
) -> Component:
    """A button like a link that posts `values`; those that delete something are red."""
    danger = " danger" if label.startswith("Delete") else ""
    return element(
        "form",
        *(element("input", type="hidden", name=n, value=value) for n, value in values.items()),
        element("button", label, type="submit", cls=f"button-link{danger}", aria_label=aria_label),
        enctype="multipart/form-data",
        **posting(address, target, confirm),
    )


def undo_notice(name: str, key: str, address: str, target: str) -> Component:
    """Reports the deletion of a run, with a button to undo it."""
    undo = post_button("Undo", address, target, {"run": key})
    return notice(Span(f"“{name}” was deleted."), undo)


def run_item(
    title: Component,
    kind: str,
    words: str,
    updated: str,
    before: Component = None,
    after: Component = None,
    actions: Component = None,
) -> Component:
    """One run in a list; `before` and `after` stand beside the time of its last change."""
    facts = element(
        "div",
        element("span", words, cls="state", data_kind=kind),
        before,
        element("time", ago(updated), datetime=updated, cls="meta"),
        after,
        cls="run-facts",
    )
    return element("li", element("div", title, facts), actions, cls="run-item")


def ago(stamp: str, now: datetime | None = None) -> str:
    """Return a stored time as "5 minutes ago", or as a date after two weeks; "" for an invalid one."""
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
