"""What a review holds, as plain data: a notebook's cells, and what a plugin makes of them. Whoever knows both makes it."""

from collections.abc import Sequence
from typing import TypedDict


class Line(TypedDict):
    """A line of a text."""

    mark: str
    """" " as before, "+" new, "-" gone."""
    text: str


class Remark(TypedDict):
    """A diagnostic."""

    code: str
    name: str
    severity: str
    """notice, warning or error"""
    message: str
    help: str
    line: int
    """The line of the cell; 0 for the whole."""


class CellView(TypedDict):
    """A cell of the notebook; marks say what changed since the last port."""

    index: int
    id: str
    kind: str
    """code, markdown or raw"""
    lines: Sequence[Line]
    state: str
    """"", new or changed"""
    remarks: Sequence[Remark]
    note: str


class ConflictView(TypedDict):
    """An open conflict: what the notebook changed where the plugin was changed by hand."""

    id: str
    name: str
    reason: str
    lines: Sequence[Line]
    choices: Sequence[str]
    """Those of mine, notebook, both that can settle it."""


class Part(TypedDict):
    """A part of the plugin; marks say what was changed by hand."""

    name: str
    label: str
    line: int
    lines: Sequence[Line]
    state: str
    """emitted, edited, yours, deleted or conflict"""
    is_code: bool
    changes: Sequence[str]
    conflicts: Sequence[ConflictView]


class Row(TypedDict):
    """A step, or ("") cells that are in none."""

    step: str
    title: str
    word: str
    detail: str
    cells: Sequence[CellView]
    parts: Sequence[Part]
    conflicts: Sequence[ConflictView]


class Review(TypedDict):
    """A notebook and its plugin."""

    title: str
    notebook: str
    plugin: str
    command: str
    """What ports the notebook again."""
    seen: str
    """Stands for the two files as they were read."""
    rows: Sequence[Row]
    others: Sequence[Part]
    """What was changed outside of the steps."""
    remarks: Sequence[Remark]
    edits: int
    coming: bool
    """Whether a port would change the plugin."""
    refused: bool
    """Whether a port would be refused."""


def conflicts(review: Review) -> list[ConflictView]:
    """All open conflicts, in order."""
    found = [c for row in review["rows"] for c in (*row["conflicts"], *_of(row["parts"]))]
    return found + _of(review["others"])


def _of(parts: Sequence[Part]) -> list[ConflictView]:
    return [conflict for part in parts for conflict in part["conflicts"]]
