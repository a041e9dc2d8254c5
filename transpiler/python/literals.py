"""Values as Python text that black leaves as it is."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from textwrap import dedent
from typing import Any

from transpiler.model.ir import ANSWER, JSON
from transpiler.python.comment import in_comment as in_comment

# --- values known without running -----------------------------------------------------------------------------------------


COMPUTED: Any = object()  # Stands for the value of an expression that is not a literal


def literal_of(node: ast.expr) -> Any:
    """Return the value of a literal, else COMPUTED."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return COMPUTED


def is_literal(node: ast.expr) -> bool:
    return literal_of(node) is not COMPUTED


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


# --- constructors of literals ---------------------------------------------------------------------------------------------


_WRAPPERS: Mapping[str, str] = {
    "Path": "text", "PurePath": "text", "PosixPath": "text", "PurePosixPath": "text",
    "Decimal": "text", "Fraction": "text",
    "Timestamp": "moment", "to_datetime": "moment", "datetime64": "moment", "fromisoformat": "moment",
}  # fmt: skip
_CASTS: Mapping[str, str] = {"int": "integer", "float": "number", "str": "text", "bool": "switch"}


@dataclass(frozen=True, slots=True)
class Spelled:
    """A value that is written out: what its field is, what the answer takes the place of, and what stands there then."""

    attributes: dict[str, JSON]
    node: ast.expr
    answer: str = ANSWER


def constructor_value(node: ast.expr) -> Spelled | None:
    """Return what a call of a literal stands for; None for a literal itself, and for what is computed."""
    if moment := moment_of(node):
        kind, text, written = moment
        attributes: dict[str, JSON] = {"type": kind, "default": text}
        return Spelled(attributes, node, f"{written}.fromisoformat({ANSWER})")
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[inner], keywords=[]):
            value = literal_of(inner)
        case _:
            return None
    if value is COMPUTED:
        return None
    kind = _WRAPPERS.get(name, "")
    if kind and isinstance(value, str):
        if kind == "moment":
            kind = _moment_type(value, node.func)
        return Spelled({"type": kind, "default": value}, inner) if kind else None
    cast = _CASTS.get(name) if isinstance(node.func, ast.Name) else None
    if cast == "switch" and not isinstance(value, bool):
        return None
    if cast == "integer" and isinstance(value, float) and value.is_integer():
        return Spelled({"type": cast, "default": int(value)}, inner)  # int(1e5)
    if cast and isinstance(value, str | int | float):
        return Spelled({}, inner)
    return None


def _moment_type(text: str, func: ast.expr) -> str:
    """The type of field for a date or time in a text; '' for one that is not written as ISO 8601 has it."""
    import datetime

    owner = ast.unparse(func.value).rpartition(".")[2] if isinstance(func, ast.Attribute) else ""
    kinds = [owner] if owner in ("date", "time", "datetime") else ["date", "datetime"]
    for kind in kinds:
        try:
            getattr(datetime, kind).fromisoformat(text)
        except ValueError:
            continue
        if kind != "date" or len(text) == 10:
            return kind
    return ""


# --- printing values ------------------------------------------------------------------------------------------------------


WIDTH = 88  # Black's line length; emitted files are formatted with its defaults


def literal(value: object) -> str:
    """Return a JSON value, or a tuple, as a Python literal on one line, quoted as black quotes."""
    match value:
        case str():
            return string(value)
        case list():
            return "[" + ", ".join(map(literal, value)) + "]"
        case tuple():
            return "(" + ", ".join(map(literal, value)) + ("," if len(value) == 1 else "") + ")"
        case dict():
            return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
        case float():
            # `inf` and `nan` are no Python; black takes the plus of `1e+16` away.
            return repr(value).replace("e+", "e") if isfinite(value) else f'float("{value}")'
        case _:
            return repr(value)


def string(text: str) -> str:
    """Return a string literal in double quotes, or in single ones where that saves escapes (black's rule)."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    inside = "".join(_escape(char, quote) for char in text)
    return f"{quote}{inside}{quote}"


def _escape(char: str, quote: str) -> str:
    if char in "'\"":
        return f"\\{char}" if char == quote else char
    return repr(char)[1:-1]


def block(text: str, indent: int) -> str:
    """Return a text as a literal that is pleasant to edit: short ones on a line, others as a `dedent` block.

    `indent` is the column of the statement it is part of, in spaces.
    """
    line = string(text)
    if "\n" not in text:
        return line
    pad = " " * (indent + 4)
    lines = text.split("\n")
    escaped = (one.replace("\\", "\\\\").replace('"""', '\\"\\"\\"').rstrip(" ") for one in lines)
    body = "".join(f"{pad}{one}\n" if one else "\n" for one in escaped)
    if not _survives(body, text):
        return line
    return f'dedent("""\\\n{body}{pad}""")'


def _survives(body: str, text: str) -> bool:
    """Whether `dedent` at run time gives the text back, up to blanks at the ends of lines."""
    if any(not char.isprintable() and char != "\n" for char in text):
        return False
    back = dedent(body.replace('\\"\\"\\"', '"""').replace("\\\\", "\\"))
    return back == "\n".join(one.rstrip(" ") for one in text.split("\n")) + "\n"


def in_docstring(text: str) -> str:
    """Return a text that can stand on a line inside a docstring.

    Escapes are written out there, too: Python 3.13 refuses a docstring with a lone surrogate (a file name that is not
    UTF-8).
    """
    return in_comment(text).replace("\\", "\\\\").replace('"', "'")
