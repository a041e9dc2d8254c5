"""A cell's code made into the body of a function. The only place that moves user code.

A cell stands in the plugin as its author laid it out: each line is indented, but for those that begin inside a string, and
the last value is returned. What cannot be indented as text is rebuilt by libcst and black. In either case the check compares
the function's syntax tree with the cell's.
"""

import ast
import re
from collections.abc import Collection

from transpiler.merge.back_to_notebook import lines_inside_strings
from transpiler.model.diagnostics import InternalError
from transpiler.model.ir import Plan, PlannedCell
from transpiler.python.literals import WIDTH, string
from transpiler.splicing.check import check, parsed

INDENT = " " * 8
_OTHER_ENDS = re.compile(r"[\r\f]")
_OVER_LINES = re.compile(r"\"\"\"|'''|\\\n")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def splice(plan: Plan) -> tuple[dict[str, str], dict[str, str]]:
    """Return the lines of each cell of a plan by the name of its function, and by the id of a cell why it cannot be moved.

    A text always can: if not, the error is ours, and is raised.
    """
    moved: dict[str, str] = {}
    refused: dict[str, str] = {}
    for cell in (c for step in plan.steps for c in (*step.cells, step.suggestions) if c):
        try:
            moved[cell.function] = spliced(cell, plan.parameter)
        except InternalError as error:
            if cell.text_reason:
                raise
            refused[cell.cell] = str(error)
    return moved, refused


def spliced(cell: PlannedCell, parameter: str) -> str:
    """Return the lines that stand for the cell in the plugin: a function's body, or the pieces of a text.

    Each line ends in a newline. They have been compared with the notebook's cell. Raises InternalError when the cell
    cannot be moved: libcst and black do not take all that Python takes.
    """
    try:
        if cell.text_reason:
            lines = _text(cell)
            check(cell, parameter, lines)
            return lines
        tree = parsed(cell)
        try:
            lines = _indented(cell, tree)
            check(cell, parameter, lines, tree)
        except (_NotAsTextError, InternalError):
            return _rebuilt(cell, parameter)
    except RecursionError as error:
        raise InternalError("it is nested too deeply") from error
    return lines


def formatted(code: str) -> str:
    """Return code as black formats it."""
    import black

    target = black.mode.TargetVersion.PY311
    return black.format_str(code, mode=black.Mode(line_length=WIDTH, target_versions={target}))


def global_lines(cell: PlannedCell) -> str:
    """Return the cell's `global` lines, each no longer than a line may be."""
    lines = []
    for meaning, names in cell.declarations:
        rest = list(names)
        while rest:
            line = f"{INDENT}global {rest.pop(0)}"
            while rest and len(f"{line}, {rest[0]}  # {meaning}") <= WIDTH:
                line += f", {rest.pop(0)}"
            lines.append(f"{line}  # {meaning}\n")
    return "".join(lines)


class _NotAsTextError(Exception):
    """Indenting the cell as text would give a file of two indentations, or change its lines."""


def _indented(cell: PlannedCell, tree: ast.Module) -> str:
    """The function's body with the cell's own lines. Raises _NotAsTextError."""
    source = cell.source
    if _OTHER_ENDS.search(source):
        raise _NotAsTextError
    lines = source.split("\n")
    inside: Collection[int] = ()
    if _OVER_LINES.search(source):
        inside = set(lines_inside_strings(source)) - _docstring_lines(tree)
    if cell.shows:
        last = tree.body[-1]
        end_line = lines[(last.end_lineno or 0) - 1].encode()
        rest = end_line[last.end_col_offset :].decode()
        if rest.lstrip().startswith(";"):  # what a call of `interact` became shows its result
            kept = end_line[: last.end_col_offset].decode()
            lines[(last.end_lineno or 0) - 1] = kept + rest.lstrip()[1:]
        first = lines[last.lineno - 1].encode()
        start, end = first[: last.col_offset].decode(), first[last.col_offset :].decode()
        lines[last.lineno - 1] = f"{start}return {end}"
    for number, line in enumerate(lines, 1):
        if number in inside:
            continue
        if line.lstrip(" ")[:1] == "\t" and line.strip():
            raise _NotAsTextError
        if number + 1 not in inside:
            line = line.rstrip(" \t")
        lines[number - 1] = f"{INDENT}{line}" if line else ""
    if cell.changes and _longest(lines) > max(
        WIDTH, len(INDENT) + _longest(cell.original.split("\n"))
    ):
        raise _NotAsTextError  # what the compiler put in is too long for a line
    code = "\n".join(lines).strip("\n")
    if not tree.body:
        code = f"{code}\n{INDENT}pass".lstrip("\n")
    head = global_lines(cell)
    if head and tree.body and isinstance(tree.body[0], _DEFINITIONS):
        head += "\n"
    return f"{head}{code}\n"


def _longest(lines: list[str]) -> int:
    return max(map(len, lines))


def _docstring_lines(tree: ast.Module) -> set[int]:
    """The lines that begin inside the docstring of a definition: they are indented with their code."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        match node:
            case (
                ast.FunctionDef(body=[ast.Expr(value=ast.Constant(value=str()) as text), *_])
                | ast.AsyncFunctionDef(body=[ast.Expr(value=ast.Constant(value=str()) as text), *_])
                | ast.ClassDef(body=[ast.Expr(value=ast.Constant(value=str()) as text), *_])
            ):
                lines.update(range(text.lineno + 1, (text.end_lineno or 0) + 1))
            case _:
                pass
    return lines


def _rebuilt(cell: PlannedCell, parameter: str) -> str:
    """The function's body by libcst and black, checked. Raises InternalError."""
    from transpiler.splicing.rebuild import rebuilt

    lines = rebuilt(cell, parameter)
    check(cell, parameter, lines)
    return lines


def _text(cell: PlannedCell) -> str:
    """The cell as string literals, one a line."""
    lines = cell.source.splitlines(keepends=True) or [""]
    return "".join(f"{INDENT}{string(line)},\n" for line in lines)
