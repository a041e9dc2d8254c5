"""The code cells of a notebook for `inputs`: their literals, the names they read and bind, their comments."""

import ast
import re
import tokenize
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from transpiler.fields import name_words as words
from transpiler.model.ir import JSON, AnalysedCode, Analysis, Text
from transpiler.notebook.ipython import tokens_of
from transpiler.python.literals import COMPUTED, literal_of


@dataclass(slots=True)
class Seen:
    """A code cell as this pass sees it."""

    item: AnalysedCode
    body: list[ast.stmt]
    comments: Mapping[int, str]
    section: bool
    early: bool
    literals: dict[str, ast.Assign | ast.AnnAssign] = field(default_factory=dict)
    """Name -> its last assignment of a literal at the top level."""
    bound: Counter[str] = field(default_factory=Counter)
    read: set[str] = field(default_factory=set)  # Names it reads, at any depth
    queried: set[str] = field(default_factory=set)
    """Names that texts in it mention as `@name`, as the queries of pandas do."""


def cells_of(analysis: Analysis) -> Iterator[Seen]:
    """The code cells that can have fields or read them, each with what stands before it."""
    section, early = False, True
    for item in analysis.items:
        if isinstance(item, Text):
            for heading, _ in item.parts:
                if heading is not None:
                    section = bool(words.SECTION.search(heading.title))
            continue
        code = item.code
        if code.python is None:
            early = False
            continue
        body = body_of(code.python.text)
        cell = Seen(item, body, _comments(code.python.text), section, early)
        if item.text_reason is None:
            for statement in body:
                _note_assignment(statement, cell)
        for statement in body:
            _note_names(statement, cell)
        yield cell
        early = early and (item.setup or len(cell.literals) == len(body))


def body_of(text: str) -> list[ast.stmt]:
    """Return the statements of a cell's Python; none when it is nested too deeply (the analysis has said so)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the code of cells
            return ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _note_assignment(statement: ast.stmt, cell: Seen) -> None:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.AnnAssign(
            target=ast.Name(id=name), value=ast.expr() as value
        ):
            if literal_of(value) is not COMPUTED:
                cell.literals[name] = statement


def _note_names(statement: ast.stmt, cell: Seen) -> None:
    """Which names a statement reads (at any depth), and how often it binds one outside of functions."""
    stack: list[tuple[ast.AST, bool]] = [(statement, False)]
    while stack:
        node, inner = stack.pop()
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                cell.read.add(node.id)
            elif not inner:
                cell.bound[node.id] += 1
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "@" in node.value:
            cell.queried.update(re.findall(r"(?<!\w)@(\w+)", node.value))
        elif isinstance(node, ast.Global):
            cell.bound.update(node.names)
        deeper = inner or isinstance(
            node,
            ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
            | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp,
        )  # fmt: skip
        stack += ((child, deeper) for child in ast.iter_child_nodes(node))


def _comments(text: str) -> Mapping[int, str]:
    if "#" not in text:
        return {}
    return {t.start[0]: t.string for t in tokens_of(text) if t.type == tokenize.COMMENT}


def comment_above(cell: Seen, statement: ast.stmt) -> str:
    """A comment on the line above that is about this assignment alone: no other stands right below it."""
    above = cell.comments.get(statement.lineno - 1, "")
    assert cell.item.code.python is not None
    lines = cell.item.code.python.text.split("\n")
    if not above or not lines[statement.lineno - 2].startswith("#"):
        return ""
    end = statement.end_lineno or statement.lineno
    after = lines[end] if end < len(lines) else ""
    alone = not after.strip() or after.startswith("#")
    text = above.lstrip("# \t").strip()
    return text if alone and 0 < len(text) <= 80 and not words.SECTION.search(text) else ""


def compared_in(cells: Iterable[Seen]) -> tuple[dict[str, dict[JSON, None]], set[str]]:
    """Return name -> the constants it is held equal to somewhere (none for other comparisons), and the names used as keys."""
    compared: dict[str, dict[JSON, None]] = {}
    keys: set[str] = set()
    for node in (n for cell in cells for statement in cell.body for n in ast.walk(statement)):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name):
            keys.add(node.slice.id)  # df[target]
        if not isinstance(node, ast.Compare):
            continue
        for part in ast.walk(node):
            if isinstance(part, ast.Name):
                compared.setdefault(part.id, {})
        left: ast.expr = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            for name, other in ((left, right), (right, left)):
                if isinstance(name, ast.Name) and isinstance(op, ast.Eq | ast.NotEq):
                    compared[name.id].update(dict.fromkeys(_constants([other])))
                elif isinstance(name, ast.Name) and name is left and isinstance(op, ast.In):
                    elements = getattr(other, "elts", [])
                    compared[name.id].update(dict.fromkeys(_constants(elements)))
            left = right
    return compared, keys


def _constants(nodes: Iterable[ast.expr]) -> Iterator[Any]:
    return (node.value for node in nodes if isinstance(node, ast.Constant))
