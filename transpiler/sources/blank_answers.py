"""Whether a notebook deals with an empty answer to one of its questions, so that its field can be left empty.

name = input("Name: ") or "World"              what the answer stands before
name = input("Name [World]: ")                 what the prompt says
n = input("How many? "); int(n) if n else 3    what is done with the variable, here or in a later cell
"""

import ast
import re
from collections.abc import Callable, Iterable

from transpiler.python.scope import Bindings

_TIDY = frozenset(
    ["strip", "lstrip", "rstrip", "lower", "upper", "title", "capitalize", "casefold"]
)
"""Methods that give an empty text for an empty text, and the answer for others."""

_SAYS_SO = re.compile(
    r"\[[^][/,|-]+\]\W*$"  # [World]
    r"|[\[(](?:[Yy][a-z]*/(?-i:N)|(?-i:Y)(?-i:[A-Za-z]*)/(?-i:n))"  # [y/N], (Y/n)
    r"|\benter\s*=|\((?:just\s+)?enter\b|\b(?:press|hit)\s+(?:enter|return)\b"
    r"|\b(?:optional|blank|default)\b|\bleave\b.*\bempty\b",
    re.IGNORECASE,
)
_DENIES = re.compile(r"\b(?:not|non|cannot|never|no)\b|n't\b", re.IGNORECASE)


def without_tidying(node: ast.expr) -> ast.expr:
    """Return what is tidied up or stands before an `or`: `x` of `x.strip().lower() or "World"`, of `(y := x)`."""
    while True:
        match node:
            case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in _TIDY:
                node = inner
            case ast.BoolOp(op=ast.Or(), values=[inner, *_]) | ast.NamedExpr(value=inner):
                node = inner
            case _:
                return node


def prompt_says_so(prompt: ast.expr | None) -> bool:
    """Whether a prompt says that nothing need be entered; what an f-string computes may be anything."""
    match prompt:
        case ast.Constant(value=str(text)):
            pass
        case ast.JoinedStr(values=parts):
            text = "".join(str(p.value) if isinstance(p, ast.Constant) else "_" for p in parts)
        case _:
            return False
    return _SAYS_SO.search(text) is not None and _DENIES.search(text) is None


def tests(tree: ast.AST, question: ast.expr) -> bool:
    """Whether a cell tests the very answer for emptiness: `input() or 3`, `if input():`."""
    looked = _Tests(lambda node: node is question)
    looked.visit(tree)
    return looked.found


def tests_later(name: str, own: ast.Module, after: ast.expr, later: Iterable[ast.Module]) -> bool:
    """Whether a variable is tested behind the question it is made of, or in a later cell, before it is bound again."""
    behind = (after.end_lineno or 0, after.end_col_offset or 0)
    for tree in (own, *later):
        looked = _Tests(lambda node: isinstance(node, ast.Name) and node.id == name, behind)
        for statement in tree.body:
            looked.visit(statement)
            if looked.found:
                return True
            if looked.is_behind(statement) and _binds(statement, name):
                return False
        behind = (0, 0)
    return False


def _binds(statement: ast.stmt, name: str) -> bool:
    """Whether a statement certainly gives a variable another value; `name = name.strip()` does not."""
    if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
        inner = without_tidying(statement.value)
        if isinstance(inner, ast.Name) and inner.id == name:
            return False
    branches = (ast.If, ast.For, ast.While, ast.Try, ast.Match)
    return not isinstance(statement, branches) and name in Bindings([statement]).binds


class _Tests(ast.NodeVisitor):
    """Looks for tests of an answer for emptiness, from a place on."""

    def __init__(
        self, answer: Callable[[ast.expr], bool], behind: tuple[int, int] = (0, 0)
    ) -> None:
        self.found = False
        self._answer = answer
        self._behind = behind

    def is_behind(self, node: ast.expr | ast.stmt) -> bool:
        return (node.lineno, node.col_offset) >= self._behind

    def _is_answer(self, node: ast.expr) -> bool:
        inner = without_tidying(node)
        return self._answer(inner) and self.is_behind(inner)

    def _is_length(self, node: ast.expr) -> bool:
        match node:
            case ast.Call(func=ast.Name(id="len" | "bool"), args=[inner]):
                return self._is_answer(inner)
        return False

    def _truth(self, node: ast.expr) -> None:
        self.found |= self._is_answer(node) or self._is_length(node)

    def visit_If(self, node: ast.If | ast.While | ast.IfExp) -> None:
        self._truth(node.test)
        self.generic_visit(node)

    visit_While = visit_IfExp = visit_If

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        for value in node.values[:-1]:  # the last one is what it gives
            self._truth(value)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self._truth(node.operand)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        sides = [node.left, *node.comparators]
        self.found |= any(map(self._is_length, sides))
        self.found |= any(map(self._is_answer, sides)) and any(map(_has_empty, sides))
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.AST) -> None:
        """Its names are its own, as far as this is concerned."""

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef


def _has_empty(node: ast.expr) -> bool:
    """Whether an expression is the empty text, or lists it."""
    parts = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return any(isinstance(part, ast.Constant) and part.value == "" for part in parts)
