"""Components to text."""

from typing import Any

from fasthtml.common import A, Nav, to_xml


def html(component: Any) -> str:
    """The HTML of a component, without white space of its own."""
    return str(to_xml(component, indent=False))  # type: ignore[no-untyped-call]


def crumb() -> Any:
    """The way back to all workflows, on top of a page."""
    return Nav(A("All workflows", href="/", cls="back"), cls="crumb", aria_label="Where you are")
