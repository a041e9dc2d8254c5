"""Whether a function may give something to show."""

import ast
from collections.abc import Iterator

from transpiler.passes.toolkit import Toolkit


def gives(toolkit: Toolkit, function: ast.expr | ast.FunctionDef) -> bool:
    """Whether a function may give something to show; one that cannot be looked into is taken not to."""
    if isinstance(function, ast.Name):
        known = toolkit.functions.get(function.id)
        return known is not None and gives(toolkit, known)
    if isinstance(function, ast.Lambda):
        return not (
            isinstance(function.body, ast.Call)
            and isinstance(function.body.func, ast.Name)
            and function.body.func.id in ("print", "display")
        )
    return isinstance(function, ast.FunctionDef) and any(
        node.value is not None for node in _returns(function.body)
    )


def _returns(body: list[ast.stmt]) -> Iterator[ast.Return]:
    """The `return` statements of a function, not those of functions in it."""
    stack: list[ast.AST] = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Return):
            yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            stack += ast.iter_child_nodes(node)
