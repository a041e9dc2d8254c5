"""Calls of `input()` and `getpass()` in a cell: those that run exactly once become fields, the others are for the running cell to ask.

n = int(input("How many? "))       a whole number, in the place of `int(...)`
a, b = input().split(), input()    two texts, each in the place of its call
key = getpass("Key: ")             a secret
while input() != "stop": ...       asked by the running cell
print("1) add"); choice = input()  the same: what is printed says what is asked
"""

import ast
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from transpiler.dataflow.expressions import last_name
from transpiler.notebook.ipython import parse
from transpiler.python.single_use import Once
from transpiler.sources.blank_answers import prompt_says_so, tests, tests_later, without_tidying

SHOWN = "shown"  # Why a call is no field: what its cell shows before says what is asked


@dataclass(frozen=True, slots=True)
class Question:
    """One call that runs once: the expression the answer takes the place of, and what can be known about it."""

    node: ast.expr
    type: Literal["text", "integer", "number", "password"]
    target: str | None  # The variable that is made of the answer
    prompt: str
    used: bool  # Whether anything is done with the answer; "press Enter" pauses are not
    said: ast.expr | None = None  # The prompt, as the cell has it


def questions(
    tree: ast.Module, named: Container[str] = ()
) -> tuple[tuple[Question, ...], tuple[tuple[ast.Call, str], ...]]:
    """Return the questions of a cell, and the calls that cannot be fields with where they are ("a loop", else SHOWN).

    The variables of `named` are fields even where what is shown above says what is asked.
    """
    if _rebinds_input(tree):
        return (), ()
    finder = _Finder(named)
    finder.visit(tree)
    return tuple(finder.once), tuple(finder.inner)


def asks(text: str) -> bool:
    return "input" in text or "getpass" in text


def asks_once(text: str) -> bool:
    """Whether the text of an expression is a question that is a field."""
    try:
        return bool(questions(ast.parse(text))[0])
    except SyntaxError:
        return False


def answer_in(value: ast.expr) -> ast.expr:
    """Return what a value is but for its type and what tidies it: the answer, in `int(input().strip() or 3)`."""
    inner = without_tidying(value)
    match inner:
        case ast.Call(func=ast.Name(id="int" | "float" | "str"), args=[given]) if not _is_input(
            given
        ):
            return without_tidying(given)
    return inner


def may_be_empty(question: Question, tree: ast.Module, later: Iterable[str]) -> bool:
    """Whether the notebook deals with an empty answer: `later` are the texts of the cells below."""
    if question.type != "text":
        return False  # int("") fails in the notebook too
    try:
        return _deals_with_empty(question, tree, later)
    except (RecursionError, MemoryError):  # a cell below is nested too deeply to be looked at
        return False


def _deals_with_empty(question: Question, tree: ast.Module, later: Iterable[str]) -> bool:
    if prompt_says_so(question.said) or tests(tree, question.node):
        return True
    name = _holder(tree, question.node)
    if name is None:
        return False
    below = (parse(text) for text in later if name in text)
    return tests_later(name, tree, question.node, below)


def _holder(tree: ast.Module, answer: ast.expr) -> str | None:
    for target, value in assigned_values(tree):
        if without_tidying(value) is answer:
            return target.id
    return None


def assigned_values(tree: ast.AST) -> Iterator[tuple[ast.Name, ast.expr]]:
    """Yield each variable of a cell with the expression it is bound to; of tuples, pair by pair."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[target, *_], value=value):
                yield from _pairs(target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                yield from _pairs(target, value)
            case ast.NamedExpr(target=target, value=value):
                yield from _pairs(target, value)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.Name, ast.expr]]:
    match target, value:
        case ast.Name(), _:
            yield target, value
        case (ast.Tuple(elts=ones) | ast.List(elts=ones)), (
            ast.Tuple(elts=its) | ast.List(elts=its)
        ) if len(ones) == len(its):
            for one, its_value in zip(ones, its, strict=True):
                yield from _pairs(one, its_value)


def _rebinds_input(tree: ast.Module) -> bool:
    return any(
        (isinstance(node, ast.Name) and node.id == "input" and not isinstance(node.ctx, ast.Load))
        or (isinstance(node, ast.FunctionDef) and node.name in ("input", "getpass"))
        or (isinstance(node, ast.alias) and (node.asname or node.name) == "input")
        for node in ast.walk(tree)
    )


def _shows(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) in ("print", "pprint", "display")


def _is_bare(prompt: ast.expr | None) -> bool:
    """Whether a prompt has no words that say what is asked: none, `"> "`."""
    if prompt is None:
        return True
    return isinstance(prompt, ast.Constant) and re.search(r"\w", str(prompt.value)) is None


def _is_input(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "input"
    )


def _is_getpass(node: ast.Call) -> bool:
    match node.func:
        case ast.Name(id="getpass"):
            return True
        case ast.Attribute(value=ast.Name(id="getpass"), attr="getpass"):
            return True
    return False


class _Finder(Once):
    """Collects the calls."""

    def __init__(self, named: Container[str]) -> None:
        super().__init__()
        self.once: list[Question] = []
        self.inner: list[tuple[ast.Call, str]] = []
        self._named = named
        self._shown = False  # Whether the cell may have shown something so far

    def visit_Expr(self, node: ast.Expr) -> None:
        super().visit_Expr(node)
        self._shown |= _shows(node.value) and self.where != "a function"

    def visit_Call(self, node: ast.Call) -> None:
        if _is_input(node):
            self._found(node, node, "text")
            return
        if _is_getpass(node):
            self._found(node, node, "password")
            return
        match node:
            case ast.Call(
                func=ast.Name(id="int" | "float" as kind), args=[ast.Call() as call], keywords=[]
            ) if _is_input(call):
                self._found(node, call, "integer" if kind == "int" else "number")
            case _:
                self.generic_visit(node)

    def _found(
        self,
        node: ast.Call,
        call: ast.Call,
        type_: Literal["text", "integer", "number", "password"],
    ) -> None:
        if self.where:
            self.inner.append((call, self.where))
            return
        prompt = ""
        said = next((k.value for k in call.keywords if k.arg == "prompt"), None)
        said = call.args[0] if call.args else said
        if isinstance(said, ast.Constant):
            prompt = " ".join(str(said.value).split())
        elif type_ == "password":
            prompt = "Password"
        below = self._shown and type_ != "password" and _is_bare(said)
        if below and self.target not in self._named:
            self.inner.append((call, SHOWN))
            return
        prompt = prompt.rstrip(":>=. ")
        used = node is not self.discarded
        self.once.append(Question(node, type_, self.target, prompt, used, said))
