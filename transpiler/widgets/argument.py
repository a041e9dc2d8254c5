"""One argument of a function that `interact` calls."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from transpiler.model.ir import ANSWER, JSON
from transpiler.model.names import as_label
from transpiler.widgets.imports import Toolkit

# --- whether a function shows something -----------------------------------------------------------------------------------


def may_give_value(toolkit: Toolkit, function: ast.expr | ast.FunctionDef) -> bool:
    """Whether a function may give something to show; one that cannot be looked into is taken not to."""
    if isinstance(function, ast.Name):
        known = toolkit.functions.get(function.id)
        return known is not None and may_give_value(toolkit, known)
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


# --- arguments ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of the function: plain code, or a field."""

    name: str
    code: str  # What it is given, with ANSWER for a field
    attributes: dict[str, JSON] | None = None
    node: ast.expr | None = None
    """Where the cell says what it is given; None when the function's default says it."""
    labels: bool = False
    default: ast.expr | None = None  # The default of the function's parameter
    half: tuple["Argument", int] | None = None
    """Of one end of a range: the whole, and which end it is."""

    @property
    def ends(self) -> tuple[str, "Argument", "Argument", str] | None:
        """The two fields of a range with the code before and behind them; None for all else."""
        before, comma, behind = self.code.partition(f"{ANSWER}, {ANSWER}")
        if not comma or self.attributes is None:
            return None
        given = self.attributes.get("default")
        defaults = given if isinstance(given, list) and len(given) == 2 else [None, None]
        label = self.attributes.get("label", as_label(self.name))
        first, second = (
            replace(
                self,
                name=f"{self.name}_{end}",
                code=ANSWER,
                attributes={**self.attributes, "label": f"{label}, {end}", "default": default},
                half=(self, number),
            )
            for number, (end, default) in enumerate(zip(("from", "to"), defaults, strict=True))
        )
        return before, first, second, behind
