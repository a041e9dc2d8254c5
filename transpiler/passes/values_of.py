"""Values that can be known without running the notebook."""

import ast
from typing import Any

COMPUTED: Any = object()
"""Stands for the value of an expression that is not a literal."""


def literal_of(node: ast.expr) -> Any:
    """Return the value of a literal, else COMPUTED."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return COMPUTED


MOMENTS = ("date", "time", "datetime")


def moment_of(node: ast.expr) -> tuple[str, str, str] | None:
    """Return what a value of `datetime` written out is: the class, its text in ISO 8601, and the class as the cell calls it.

    `dt.date(2024, 5, 1)` is ("date", "2024-05-01", "dt.date"). None for anything else, also for one with a time zone.
    """
    import datetime

    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name) as func) if name in MOMENTS:
            pass
        case _:
            return None
    numbers = [literal_of(arg) for arg in node.args]
    named = {k.arg: literal_of(k.value) for k in node.keywords if k.arg}
    values = [*numbers, *named.values()]
    if len(named) < len(node.keywords) or not all(type(v) is int for v in values):
        return None
    try:
        value = getattr(datetime, name)(*numbers, **named)
    except (TypeError, ValueError, OverflowError):
        return None
    text: str = value.isoformat()
    # As browsers write it: without seconds when there are none
    short = text.removesuffix(":00") if text.count(":") == 2 else text
    return name, short, ast.unparse(func)
