"""Types of fields: from annotations, type comments and values, and whether a default is of its type."""

import ast
import datetime
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from transpiler.model.ir import JSON, FieldType

SCALARS = (str, int, float)


@dataclass(frozen=True, slots=True)
class DeclaredType:
    """What an annotation says about a field."""

    type: FieldType | None = None
    choices: tuple[JSON, ...] = ()
    optional: bool = False


_NAMES: Mapping[str, FieldType] = {
    "int": "integer",
    "float": "number",
    "bool": "switch",
    "str": "text",
    "list": "json",
    "List": "json",
    "Sequence": "json",
    "dict": "json",
    "Dict": "json",
    "Mapping": "json",
    "date": "date",
    "time": "time",
    "datetime": "datetime",
}


def type_of_annotation(annotation: ast.expr | None) -> DeclaredType:
    """Return what an annotation says; `DeclaredType()` when it is none we know."""
    match annotation:
        case ast.Constant(value=str(text)):
            return type_of_annotation(_parsed(text))
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return DeclaredType(_NAMES.get(name))
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return _union([left, right])
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inner):
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return _generic(name, parts)
    return DeclaredType()


def type_of_comment(text: str) -> DeclaredType:
    """Return what `int` in `# type: int` says."""
    return type_of_annotation(_parsed(text))


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _generic(name: str, parts: list[ast.expr]) -> DeclaredType:
    if name == "Optional":
        return _union([*parts, ast.Constant(None)])
    if name == "Union":
        return _union(parts)
    if name in ("Annotated", "Final") and parts:
        return type_of_annotation(parts[0])
    if name == "Literal":
        values = tuple(p.value for p in parts if isinstance(p, ast.Constant))
        choices = tuple(v for v in values if isinstance(v, SCALARS))
        return DeclaredType("select" if choices else None, choices, None in values)
    if name in ("list", "List", "Sequence") and len(parts) == 1:
        inner = type_of_annotation(parts[0])
        if inner.choices:
            return DeclaredType("multi-select", inner.choices)
    return DeclaredType(_NAMES.get(name))


def _union(parts: list[ast.expr]) -> DeclaredType:
    """Only `X | None` says what to ask for; of other unions, that None is one of them."""
    rest = [p for p in parts if not (isinstance(p, ast.Constant) and p.value is None)]
    inner = type_of_annotation(rest[0]) if len(rest) == 1 else DeclaredType()
    return DeclaredType(inner.type, inner.choices, inner.optional or len(rest) < len(parts))


def type_of(value: Any) -> FieldType | None:
    """Return the type of field that gives such values; None when a form has none (tuples, bytes...)."""
    if isinstance(value, bool):
        return "switch"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number" if math.isfinite(value) else None
    if isinstance(value, str):
        return ("textarea" if "\n" in value else "text") if is_json(value) else None
    if value is None:
        return "text"
    return "json" if is_json(value) else None


_CALLS: Mapping[str, FieldType] = {
    "int": "integer",
    "len": "integer",
    "float": "number",
    "str": "text",
    "bool": "switch",
}


def type_of_result(node: ast.expr) -> FieldType | None:
    """Return the type of field for what an expression surely gives; None when its text does not tell."""
    match node:
        case ast.Call(func=ast.Name(id="round"), args=args, keywords=[]):
            return "integer" if len(args) == 1 else "number"
        case ast.Call(func=ast.Name(id=name)):
            return _CALLS.get(name)
        case ast.JoinedStr():
            return "text"
        case ast.UnaryOp(op=ast.Not()):
            return "switch"
    return None


def is_json(value: Any) -> bool:
    """Whether a value comes back the same after a way through JSON and UTF-8."""
    if isinstance(value, str):
        return not any("\ud800" <= c <= "\udfff" for c in value)
    if type(value) is list:
        return all(map(is_json, value))
    if type(value) is dict:
        return all(isinstance(k, str) and is_json(k) and is_json(v) for k, v in value.items())
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool | int)


# --- defaults -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Misfit(Exception):
    """A default that is not of its type: what is expected, and what can be made of it."""

    expected: str
    instead: JSON = None


def _text(value: Any) -> JSON:
    if isinstance(value, str):
        return value
    raise Misfit("a text", str(value) if isinstance(value, SCALARS) else None)


def _integer(value: Any) -> JSON:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Misfit("a whole number", _number_in(value, int))


def _number(value: Any) -> JSON:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise Misfit("a number", _number_in(value, float))


def _number_in(value: Any, kind: type[int] | type[float]) -> int | float | None:
    """The number a text or a float stands for, if it is one of this kind."""
    try:
        number = kind(value) if isinstance(value, str) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if isinstance(value, bool) or not math.isfinite(number) or kind(number) != number:
        return None
    return kind(number)


def _switch(value: Any) -> JSON:
    if isinstance(value, bool):
        return value
    raise Misfit("`True` or `False`", bool(value) if value in (0, 1) else False)


def _moment(what: str, parse: Callable[[str], object]) -> Callable[[Any], JSON]:
    def check(value: Any) -> JSON:
        # `parse` refuses by ValueError what is a text, but no moment
        with suppress(ValueError):
            if isinstance(value, str) and (not value or parse(value)):
                return value
        raise Misfit(what)

    return check


def _colour(value: Any) -> JSON:
    if isinstance(value, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        return value
    raise Misfit("a colour such as `#ff8800`")


def _urls(value: Any) -> JSON:
    if isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(v, str) for v in value)
    ):
        return value
    raise Misfit("a list of addresses")


def _path(value: Any) -> JSON:
    if isinstance(value, str):
        return value or None
    raise Misfit("a path")


def _paths(value: Any) -> JSON:
    if isinstance(value, list | tuple) and all(isinstance(v, str) and v for v in value):
        return list(value)
    if isinstance(value, str):
        raise Misfit("a list of paths", [value] if value else None)
    raise Misfit("a list of paths")


def _scalar(value: Any) -> JSON:
    if isinstance(value, SCALARS) and is_json(value):
        return value
    raise Misfit("one of the choices")


def _several(value: Any) -> JSON:
    if isinstance(value, list | tuple) and all(
        isinstance(v, SCALARS) and is_json(v) for v in value
    ):
        return list(value)
    raise Misfit("a list of choices")


def _json(value: Any) -> JSON:
    if isinstance(value, tuple):
        return _json(list(value))
    if is_json(value):
        return value  # type: ignore[no-any-return]
    raise Misfit("JSON")


_FITTING: Mapping[FieldType, Callable[[Any], JSON]] = {
    "text": _text,
    "textarea": _text,
    "integer": _integer,
    "number": _number,
    "range": _number,
    "switch": _switch,
    "select": _scalar,
    "radio": _scalar,
    "multi-select": _several,
    "date": _moment("a date such as `2024-05-31`", datetime.date.fromisoformat),
    "time": _moment("a time such as `17:30`", lambda text: [datetime.time.fromisoformat(text)]),
    "datetime": _moment(
        "a date and time such as `2024-05-31T17:30`", datetime.datetime.fromisoformat
    ),
    "color": _colour,
    "url-list": _urls,
    "json": _json,
    "file": _path,
    "files": _paths,
}


def fit_default(type_: FieldType, value: Any) -> JSON:
    """Return a default as a field of this type has it. Raises Misfit. None, no default, fits everywhere."""
    return None if value is None else _FITTING[type_](value)
