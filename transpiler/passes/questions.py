"""Calls of `input()` in a cell: those that run exactly once become fields, the others are for the running cell to ask.

n = int(input("How many? "))       a whole number, in the place of `int(...)`
a, b = input().split(), input()    two texts, each in the place of its call
while input() != "stop": ...       asked by the running cell
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Question:
    """One call that runs once: the expression the answer takes the place of, and what can be known about it."""

    node: ast.expr
    type: Literal["text", "integer", "number"]
    target: str | None
    """The variable that is made of the answer."""
    prompt: str
    used: bool
    """Whether anything is done with the answer; "press Enter" pauses are not."""


def questions(tree: ast.Module) -> tuple[tuple[Question, ...], tuple[tuple[ast.Call, str], ...]]:
    """Return the questions of a cell, and the calls that cannot be fields with where they are ("a loop")."""
    if _rebinds_input(tree):
        return (), ()
    finder = _Finder()
    finder.visit(tree)
    return tuple(finder.once), tuple(finder.inner)


def _rebinds_input(tree: ast.Module) -> bool:
    return any(
        (isinstance(node, ast.Name) and node.id == "input" and not isinstance(node.ctx, ast.Load))
        or (isinstance(node, ast.FunctionDef) and node.name == "input")
        or (isinstance(node, ast.alias) and (node.asname or node.name) == "input")
        for node in ast.walk(tree)
    )


def _is_input(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "input"
    )


class _Finder(ast.NodeVisitor):
    """Walks a cell; `_where` is None as long as what it meets runs exactly once (unless something raises)."""

    def __init__(self) -> None:
        self.once: list[Question] = []
        self.inner: list[tuple[ast.Call, str]] = []
        self._where: str | None = None
        self._target: str | None = None
        self._discarded: ast.expr | None = None

    def _inside(self, where: str, nodes: Iterable[ast.AST | None]) -> None:
        before = self._where
        self._where = before or where
        self._all(nodes)
        self._where = before

    def _all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def _becoming(self, target: ast.expr, value: ast.expr | None) -> None:
        """Visit a value, knowing the variable it becomes; tuples pair by pair."""
        sides = (ast.Tuple, ast.List)
        if isinstance(target, sides) and isinstance(value, sides):
            plain = not any(isinstance(e, ast.Starred) for e in (*target.elts, *value.elts))
            if plain and len(target.elts) == len(value.elts):
                for one, its in zip(target.elts, value.elts, strict=True):
                    self._becoming(one, its)
                return
        before = self._target
        names = (n.id for n in ast.walk(target) if isinstance(n, ast.Name))
        self._target = next(names, None)
        self._all([value])
        self._target = before

    # -- what runs once

    def visit_Call(self, node: ast.Call) -> None:
        if _is_input(node):
            self._found(node, node, "text")
            return
        match node:
            case ast.Call(
                func=ast.Name(id="int" | "float" as kind), args=[ast.Call() as call], keywords=[]
            ) if _is_input(call):
                self._found(node, call, "integer" if kind == "int" else "number")
            case _:
                self.generic_visit(node)

    def _found(
        self, node: ast.Call, call: ast.Call, type_: Literal["text", "integer", "number"]
    ) -> None:
        if self._where:
            self.inner.append((call, self._where))
            return
        prompt = ""
        if call.args and isinstance(call.args[0], ast.Constant):
            prompt = " ".join(str(call.args[0].value).split())
        prompt = prompt.rstrip(":>=. ")
        self.once.append(Question(node, type_, self._target, prompt, node is not self._discarded))

    def visit_Expr(self, node: ast.Expr) -> None:
        self._discarded = node.value
        self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        self._becoming(node.targets[0], node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._becoming(node.target, node.value)

    visit_AugAssign = visit_NamedExpr = visit_AnnAssign  # type: ignore[assignment]

    # -- what runs once in part

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self._becoming(node.target, node.iter)
        self._inside("a loop", (*node.body, *node.orelse))

    visit_AsyncFor = visit_For

    def visit_While(self, node: ast.While) -> None:
        self._inside("a loop", (node.test, *node.body, *node.orelse))

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) in ("__name__ == '__main__'", "'__main__' == __name__"):
            self._all(node.body)  # true in a kernel
        else:
            self.visit(node.test)
            self._inside("a condition", node.body)
        self._inside("a condition", node.orelse)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.visit(node.test)
        self._inside("a condition", (node.body, node.orelse))

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.visit(node.values[0])
        self._inside("a condition", node.values[1:])

    def visit_Compare(self, node: ast.Compare) -> None:
        self._all((node.left, node.comparators[0]))
        self._inside("a condition", node.comparators[1:])

    def visit_Assert(self, node: ast.Assert) -> None:
        self.visit(node.test)
        self._inside("a condition", [node.msg])

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        self._inside("a condition", node.cases)

    def visit_Try(self, node: ast.Try) -> None:
        self._all(node.body)
        self._inside("a condition", (*node.handlers, *node.orelse))
        self._all(node.finalbody)

    visit_TryStar = visit_Try  # type: ignore[assignment]

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._all((*node.decorator_list, node.args))
        self._inside("a function", node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.visit(node.args)
        self._inside("a function", [node.body])

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> None:
        self._comprehension(node.generators, [node.elt])

    visit_SetComp = visit_GeneratorExp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node.generators, [node.key, node.value])

    def _comprehension(self, generators: list[ast.comprehension], parts: list[ast.expr]) -> None:
        self.visit(generators[0].iter)
        self._inside("a loop", (*parts, *generators[0].ifs, *generators[1:]))
