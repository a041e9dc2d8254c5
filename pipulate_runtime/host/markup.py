"""Components to text."""

from typing import Any

from fasthtml.common import to_xml


def html(component: Any) -> str:
    """The HTML of a component, without white space of its own."""
    return str(to_xml(component, indent=False))  # type: ignore[no-untyped-call]
