"""Walks a cell and knows what runs exactly once in it (unless something raises), and which variable a value is bound to."""

# The methods of a visitor say by their names what they visit.

import ast
from collections.abc import Iterable

from transpiler.python.scope import Comprehension, element_pairs


class Once(ast.NodeVisitor):
    """A visitor whose `where` is None as long as what it meets runs exactly once, else why not: "a loop"."""

    def __init__(self) -> None:
        self.where: str | None = None
        self.target: str | None = None  # The variable that is made of what is visited
        self.discarded: ast.expr | None = None  # The value of the last expression statement

    def _inside(self, where: str, nodes: Iterable[ast.AST | None]) -> None:
        before = self.where
        self.where = before or where
        self._all(nodes)
        self.where = before

    def _all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def _becoming(self, target: ast.expr, value: ast.expr | None) -> None:
        """Visit a value, knowing the variable it becomes; tuples pair by pair."""
        if pairs := element_pairs(target, value):
            for one, its in pairs:
                self._becoming(one, its)
            return
        before = self.target
        names = (n.id for n in ast.walk(target) if isinstance(n, ast.Name))
        self.target = next(names, None)
        self._all([value])
        self.target = before

    # -- what runs once

    def visit_Expr(self, node: ast.Expr) -> None:
        self.discarded = node.value
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

    def visit_ListComp(self, node: Comprehension) -> None:
        first, *others = node.generators
        elements = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self.visit(first.iter)
        self._inside("a loop", (*elements, *first.ifs, *others))

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp
