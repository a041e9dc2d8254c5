"""Writes fields into a notebook as `#| input:` lines, and checks that the notebook then gives these fields."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter

from transpiler.fields.options import Ask
from transpiler.model.diagnostics import WHOLE, Found, InternalError
from transpiler.model.ir import JSON, Annotated, Code, Notebook
from transpiler.model.names import as_label
from transpiler.notebook.directives import directive_lines
from transpiler.notebook.edit import insert
from transpiler.notebook.yaml import load
from transpiler.passes.annotate import annotate
from transpiler.passes.read import read

_PLAIN = re.compile(r"[^\W\d_](?:[\w ./%()+'-]*[\w.%)])?")
_ORDER = ("name", "type", "label", "help", "choices", "min", "max")


@dataclass(frozen=True, slots=True)
class Marked:
    """A notebook with its new lines."""

    raw: bytes
    lines: Mapping[int, tuple[int, tuple[str, ...]]]
    """Cell index -> before which of its lines (from 0), and the new lines."""
    found: Found  # What the notebook's annotations give rise to now, and did not before


def add_input_lines(raw: bytes, notebook: Notebook, asks: Mapping[int, tuple[Ask, ...]]) -> Marked:
    """Return the notebook file with a line for each field asked for, all other bytes as they were.

    Raises InternalError unless the result, read again, has these fields, the same code, and else the same cells.
    """
    lines = {}
    for cell in notebook.cells:
        if new := asks.get(cell.index):
            indent = _indent(cell.source)
            lines[cell.index] = (
                max(directive_lines(cell.source), default=-1) + 1,
                tuple(indent + line_of(ask.name, ask.attributes) for ask in new),
            )
    after = insert(raw, lines)
    again, _ = read(after, notebook.name)
    _, before_found = annotate(notebook)
    wanted, _ = annotate(notebook, asks)
    if again is None:
        raise InternalError("the notebook with the new lines cannot be read")
    _check_cells(notebook, again, lines)
    got, found = annotate(again)
    if list(_fields(got)) != list(_fields(wanted)):
        raise InternalError("the new lines do not give the fields that were chosen")
    known = {(d.rule, d.values) for d in before_found}
    return Marked(after, lines, tuple(d for d in found if (d.rule, d.values) not in known))


def _indent(source: str) -> str:
    """The blanks before the first line: IPython takes those of the first line away from all."""
    first = next((line for line in source.split("\n") if line.strip()), "")
    return first[: len(first) - len(first.lstrip(" \t"))]


def _check_cells(before: Notebook, after: Notebook, lines: Mapping[int, object]) -> None:
    """Nothing but sources of cells with new lines may differ. (Without an id of its own a cell's id is made of its source.)"""
    look = attrgetter("source", "kind", "tags")
    for old, new in zip(before.cells, after.cells, strict=True):
        if old.index not in lines and look(old) != look(new):
            raise InternalError(f"cell {old.index} would change")


def _fields(annotated: Annotated) -> Iterator[tuple[object, ...]]:
    """What a form would be made of, cell by cell, without the places in the cells, which have moved."""
    for item in annotated.items:
        if isinstance(item, Code):
            text = item.python.text if item.python else None
            yield item.cell.index, text, *(replace(field, span=WHOLE) for field in item.fields)


# --- the lines ----------------------------------------------------------------------------------------------------


def line_of(name: str, attributes: Mapping[str, JSON]) -> str:
    """Return the `#|` line that asks for a variable. What its name and value say by themselves is left out."""
    said = {k: v for k, v in attributes.items() if v is not None and v != ""}
    key = "input"
    if said.get("type") == "password":
        key = "secret"
        del said["type"]
    if said.get("label") == as_label(name):
        del said["label"]
    if not said:
        return f"#| {key}: {_yaml(name)}"
    entries: dict[str, JSON] = {"name": name, **said}
    ordered = sorted(entries, key=lambda k: _ORDER.index(k) if k in _ORDER else len(_ORDER))
    return f"#| {key}: {{" + ", ".join(f"{k}: {_yaml(entries[k])}" for k in ordered) + "}"


def _yaml(value: JSON) -> str:
    """A value as YAML on one line; texts without quotes where that is the same."""
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and load(value) == value:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)


def differences(notebook: Notebook, made: Marked) -> Iterator[str]:
    """Yield the changes as a diff of the cells' sources. Lines around them are left out: they may hold a secret."""
    for index, (at, new) in made.lines.items():
        cell = next(cell for cell in notebook.cells if cell.index == index)
        before = cell.source.split("\n")
        after = [*before[:at], *new, *before[at:]]
        name = f"{notebook.name}[{index}]"
        yield from difflib.unified_diff(before, after, name, name, n=0, lineterm="")
