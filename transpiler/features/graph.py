"""The data flow between the steps of a plan, as plain data; the host draws it, and this module writes or prints the picture.

The picture is the host's, which shows it on the workflow's page; only the command line knows both (ADR 0019).
"""

import ast
from pathlib import Path

from transpiler.model import rules
from transpiler.model.diagnostics import UserError
from transpiler.model.ir import Plan, PlannedCell
from transpiler.passes.plan import NAMES_CHANGED, NAMES_IN, NAMES_KEPT, NAMES_OUT

READS = (NAMES_IN, NAMES_CHANGED)
WRITES = (NAMES_CHANGED, NAMES_OUT, NAMES_KEPT)
KINDS = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid"}


def is_printed(path: Path | None) -> bool:
    return str(path) == "-"


def kind_of(path: Path, as_json: bool) -> str:
    """Return what is to be drawn, "svg" or "mermaid", by the name of its file. Raises UserError PP407."""
    if is_printed(path):
        kind, reason = None if as_json else "mermaid", "--json prints, too; name a file"
    else:
        kind, reason = KINDS.get(path.suffix.lower()), "the name of the file ends in .svg or .mmd"
    if kind is None:
        raise UserError(rules.BAD_OPTION, option="--graph", value=str(path), reason=reason)
    return kind


def write_picture(path: Path, picture: str) -> None:
    """Print a picture or write it, whole or not at all. Raises UserError (exit 3) when that cannot be done."""
    if is_printed(path):
        print(picture, end="")
        return
    from transpiler.plugin_folder.files import write_report

    write_report(path, picture)


def steps(plan: Plan) -> list[dict[str, object]]:
    """Return each step with the names its cells read and write, in the order in which they run."""
    return [
        {
            "id": step.id,
            "title": step.title,
            "asks": [field.name for field in step.fields],
            "unknown": any(cell.dynamic for cell in step.cells),
            "cells": [_used(cell) for cell in step.cells],
        }
        for step in plan.steps
    ]


def _used(cell: PlannedCell) -> dict[str, list[str]]:
    def names(meanings: tuple[str, ...]) -> list[str]:
        return [n for meaning, listed in cell.declarations if meaning in meanings for n in listed]

    imported = _imported(cell.source)
    writes = names(WRITES)
    return {
        "reads": names(READS),
        "writes": writes,
        "imports": [n for n in writes if n in imported],
    }


def _imported(source: str) -> set[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):  # magics: the cell is kept as text
        return set()
    return {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
