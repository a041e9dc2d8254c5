"""What a plan says about the data flow between its steps, as plain data: the command line hands it to the host, which draws."""

import ast

from transpiler.ir import Plan, PlannedCell
from transpiler.passes.plan import NAMES_CHANGED, NAMES_IN, NAMES_KEPT, NAMES_OUT

READS = (NAMES_IN, NAMES_CHANGED)
WRITES = (NAMES_CHANGED, NAMES_OUT, NAMES_KEPT)


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
    return {"reads": names(READS), "writes": writes, "imports": [n for n in writes if n in imported]}


def _imported(source: str) -> set[str]:
    """The names that imports of a cell bind."""
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
