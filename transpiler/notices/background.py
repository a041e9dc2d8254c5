"""Reports tasks and threads that still run after their cell, whose output the page does not show (PP223)."""

import ast
import re
from collections.abc import Iterator

from transpiler.dataflow.cell import CodeCell
from transpiler.dataflow.expressions import root_name
from transpiler.model import rules
from transpiler.model.diagnostics import Diagnostic
from transpiler.notices.call_sites import Imported, Site

_TASKS = frozenset(["create_task", "ensure_future"])
_STARTS = re.compile(r"threading\.(?:Thread|Timer)|multiprocessing\.Process")


def report_background_work(
    cell: CodeCell, calls: list[Site], imported: Imported, later: list[CodeCell]
) -> Iterator[Diagnostic]:
    """Yield the first task a cell starts that nothing awaits from there on, or the first thread or process that nothing joins."""
    starters = {id(s.node): s for s in calls if not s.inside}
    if not any(s.last in _TASKS or _STARTS.fullmatch(s.name) for s in starters.values()):
        return
    for number, statement in enumerate(cell.body):
        for node in ast.walk(statement):
            site = starters.get(id(node))
            if site is None:
                continue
            if site.last in _TASKS:
                what, ends = "task", _awaits
            elif _STARTS.fullmatch(site.name) and ".start()" in cell.source.text:
                what, ends = site.last.lower(), _joins
            else:
                continue
            names = _names(statement) - imported.names.keys()
            rest = [*cell.body[number:], *(s for other in later for s in other.body)]
            if not any(ends(each, names, statement) for each in rest):
                yield rules.LEFT_RUNNING.at(cell.source.span(site.called), what=what)
                return


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _awaits(node: ast.stmt, names: set[str], start: ast.stmt) -> bool:
    """Whether a statement awaits one of the names, or the task where it is made; a TaskGroup does at its end."""
    for part in ast.walk(node):
        match part:
            case ast.Await() if node is start or _names(part) & names:
                return True
            case ast.AsyncWith() | ast.AsyncFor() | ast.comprehension(is_async=1):
                return True
            case ast.Attribute(attr="run_until_complete" | "run_forever" | "cancel"):
                return True
    return False


def _joins(node: ast.stmt, names: set[str], start: ast.stmt) -> bool:
    """Whether a statement joins something: threads are often joined in a loop, under another name. `", ".join` is no such call."""
    del names, start
    return any(
        isinstance(part, ast.Attribute)
        and part.attr in ("join", "cancel")
        and root_name(part.value) is not None
        for part in ast.walk(node)
    )
