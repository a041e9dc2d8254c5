"""Notebooks made in tests, and what the compiler makes of them. No disk, unless a test asks for one."""

import ast
import json
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import black
from black.mode import Mode

from transpiler.model.diagnostics import Found
from transpiler.model.ir import Analysis, Plan, PlannedCell, PlannedStep
from transpiler.model.options import Options
from transpiler.passes.analyse import analyse
from transpiler.passes.annotate import annotate
from transpiler.passes.emit import emit
from transpiler.passes.plan import plan
from transpiler.passes.read import read
from transpiler.splicing.splice import splice

PORT_ID = "0123456789ab"

CellLike = str | dict[str, Any]
"""A code cell's source, or a cell as nbformat has it."""


def md(source: str, **more: Any) -> dict[str, Any]:
    """A markdown cell."""
    return {"cell_type": "markdown", "metadata": {}, "source": source, **more}


def code(source: str, *, tags: Iterable[str] = (), **pipulate: Any) -> dict[str, Any]:
    """A code cell with tags, and with options as metadata."""
    metadata: dict[str, Any] = {"tags": list(tags)} if tags else {}
    if pipulate:
        metadata["pipulate"] = pipulate
    return {"cell_type": "code", "metadata": metadata, "source": source}


def raw(*cells: CellLike, ids: bool = True, **metadata: Any) -> bytes:
    """The bytes of a notebook of format 4.5."""
    made = []
    for number, cell in enumerate(cells):
        tree = code(cell) if isinstance(cell, str) else dict(cell)
        if ids:
            tree.setdefault("id", f"c{number:03}")
        if tree["cell_type"] == "code":
            tree |= {"outputs": [], "execution_count": None}
        made.append(tree)
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": made}
    return json.dumps(notebook).encode()


def analysed(*cells: CellLike, name: str = "trip.ipynb", **metadata: Any) -> tuple[Analysis, Found]:
    """The analysis of a notebook; it must be readable."""
    notebook, found = read(raw(*cells, **metadata), name)
    assert notebook is not None, [d.message for d in found]
    annotated, more = annotate(notebook)
    analysis, still_more = analyse(annotated)
    return analysis, found + more + still_more


def plan_of(*cells: CellLike, options: Options | None = None, **more: Any) -> Plan:
    """The plan of a notebook."""
    return planned(*cells, options=options, **more)[0]


def planned(
    *cells: CellLike, options: Options | None = None, files: tuple[str, ...] = (), **more: Any
) -> tuple[Plan, Found]:
    """The plan of a notebook, and what the pass `plan` found (not what the passes before it did)."""
    analysis, _ = analysed(*cells, **more)
    return plan(analysis, options or Options(), files)


def text_of(made: Plan) -> str:
    """The emitted file of a plan."""
    return emit(made, splice(made)[0], PORT_ID, f"../{made.notebook}")


def emitted(*cells: CellLike, **more: Any) -> str:
    """The emitted file of a notebook, with the promises of DESIGN 4 checked: it compiles, and black has nothing to do."""
    text = text_of(plan_of(*cells, **more))
    sound(text)
    return text


def sound(text: str) -> None:
    """Raise AssertionError unless the text compiles and, but for the cells, is black's fixpoint (black's defaults) and
    uses what it imports.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the code of cells
        compile(text, "plugin.py", "exec", dont_inherit=True)
    frame = without_cells(text)
    assert frame == black.format_str(frame, mode=Mode()), "black would change it"
    tree = ast.parse(frame)
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    imported = {alias.name for node in imports for alias in node.names}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert imported <= used, f"imported and not used: {imported - used}"


def without_cells(text: str) -> str:
    """A plugin's text with `pass` for the code of each cell, which stands as its author laid it out (ADR 56)."""
    lines = text.split("\n")
    for node in reversed(workflow(text).body):
        functions = ast.FunctionDef | ast.AsyncFunctionDef
        if isinstance(node, functions) and (
            node.name.endswith("_suggestions")
            or any(
                isinstance(d, ast.Call) and ast.unparse(d.func) == "cell"
                for d in node.decorator_list
            )
        ):
            end = node.end_lineno or 0  # comments of the cell may follow, which no tree has
            while not lines[end].strip() or lines[end].startswith("     "):
                end += 1
            while not lines[end - 1].strip():
                end -= 1
            lines[node.lineno : end] = ["        pass"]
    return "\n".join(lines)


def workflow(text: str) -> ast.ClassDef:
    """The workflow class of an emitted file."""
    (found,) = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    return found


def constant(text: str, name: str) -> str:
    """The value of a class attribute of the workflow that is a literal or `dedent(literal)`."""
    import textwrap

    for node in workflow(text).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            if isinstance(node.value, ast.Call):
                return textwrap.dedent(ast.literal_eval(node.value.args[0]))
            return str(ast.literal_eval(node.value))
    raise AssertionError(f"the workflow has no {name}")


def function(text: str, name: str) -> str:
    """The source of a method of the workflow, without its decorators."""
    for node in workflow(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return ast.get_source_segment(text, node) or ""
    raise AssertionError(f"the workflow has no method {name}")


def only_cell(made: Plan) -> PlannedCell:
    """The one cell of a plan that has one."""
    (step,) = made.steps
    (cell,) = step.cells
    return cell


def only_step(made: Plan) -> PlannedStep:
    """The one step of a plan that has one."""
    (step,) = made.steps
    return step


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder, hidden ones too, with their bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
