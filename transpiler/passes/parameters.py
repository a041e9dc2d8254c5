"""Values that a cell writes out as a call of a literal: `date(2024, 5, 1)`, `Path("data.csv")`, `pd.Timestamp("2024-05-01")`.

The answer takes the place of the literal, and the call stays, so that the variable holds what it held in the notebook.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from transpiler.ir import ANSWER, JSON
from transpiler.passes.values_of import COMPUTED, literal_of, moment_of

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


def spelled(node: ast.expr) -> Spelled | None:
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
