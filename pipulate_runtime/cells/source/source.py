"""The cells of a plugin as source: the functions as the file has them, and the notebook code they stand for."""

import ast
import contextlib
import hashlib
import io
import sys
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeGuard

from pipulate_runtime.cells.source.marks import CellFunction, CellOptions, CellText, cells_of_class

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Cell:
    """One cell of a plugin, with its code as in the notebook."""

    name: str
    options: CellOptions
    hash: str
    code: str
    is_text: bool

    @property
    def id(self) -> str:
        return self.options.cell_id


class Source:
    """The source of a plugin's class. It is read at once (the file may change under a running server) and parsed when needed."""

    def __init__(self, plugin_class: type) -> None:
        self.plugin_class = plugin_class
        self.path = _path(plugin_class)
        self.text = ""
        self._of_steps: dict[str, list[Cell]] = {}
        if self.path:
            # An unreadable file fails its steps, with an error on the page, but not the server
            with (
                contextlib.suppress(OSError, SyntaxError, ValueError),
                tokenize.open(self.path) as file,
            ):
                self.text = file.read()

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """The cells by attribute name, in source order."""
        lines = self.text.splitlines(keepends=True)
        cells = {}
        for name, mark in cells_of_class(self.plugin_class):
            if isinstance(mark, CellText):
                cells[name] = Cell(name, mark.options, _digest(mark.text), mark.text, is_text=True)
            else:
                cells[name] = _function_cell(name, mark, self._nodes, lines)
        return cells

    @property
    def for_kernel(self) -> tuple[str, str, str]:
        """`(text, file name, class name)` for the kernel."""
        name = self.path.name if self.path else "<plugin>"
        return self.text, name, self.plugin_class.__name__

    def text_of(self, name: str) -> str:
        """Return the source of a function of the class, or ""."""
        node = self._nodes.get(name)
        return (ast.get_source_segment(self.text, node) or "") if node else ""

    @cached_property
    def _nodes(self) -> dict[str, FunctionNode]:
        return dict(_functions(self.text, self.plugin_class.__name__))

    def of_step(self, step_id: str) -> list[Cell]:
        """Return the cells of a step: the marked attributes named `<step_id>_...`."""
        if step_id not in self._of_steps:  # cached: each step looks up all earlier ones
            mine = [cell for name, cell in self.cells.items() if name.startswith(f"{step_id}_")]
            self._of_steps[step_id] = mine
        return self._of_steps[step_id]


def _path(plugin_class: type) -> Path | None:
    module = sys.modules.get(plugin_class.__module__)
    file = getattr(module, "__file__", None)
    return Path(file).resolve() if file else None


def _functions(text: str, class_name: str) -> Iterator[tuple[str, FunctionNode]]:
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef) and node.name == class_name:
            for member in node.body:
                if isinstance(member, FunctionNode):
                    yield member.name, member


def _function_cell(
    name: str, mark: CellFunction, functions: dict[str, FunctionNode], lines: Sequence[str]
) -> Cell:
    node = functions.get(name)
    if node is None:
        raise LookupError(f"the source of the cell {name} is not in the class of its plugin")
    body = [statement for statement in node.body if not isinstance(statement, ast.Global)]
    return Cell(
        name, mark.options, _digest(_shape(body)), notebook_code(node, lines), is_text=False
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _shape(node: Any) -> str:
    """Return the syntax tree as text that is equal in all Python versions; comments do not count."""
    if isinstance(node, list):
        return "[" + ",".join(map(_shape, node)) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = (
        f"{name}={_shape(value)}"
        for name, value in ast.iter_fields(node)
        if value is not None and value != []
    )
    return f"{type(node).__name__}({','.join(fields)})"


# --- from the function back to the notebook's code ---


def notebook_code(node: FunctionNode, lines: Sequence[str]) -> str:
    """Return the code the cell had in the notebook.

    That is the body of the function without its `global` lines, dedented without touching strings, the last `return X` as
    `X`, and with a `;` after a last expression whose value is not returned. `form[...]` stays.
    """
    first = _end_of_header(node, lines) + 1
    last = _with_comments_after(node, lines)
    if first > (node.end_lineno or 0):  # def f(form): return 1
        block = [_cut(lines[node.body[0].lineno - 1], node.body[0].col_offset)]
        return _finish(block, node.body, shift=(node.body[0].lineno - 1, node.body[0].col_offset))
    keep = list(range(first, last + 1))
    for statement in node.body:
        if isinstance(statement, ast.Global):
            span = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
            keep = [number for number in keep if number not in span]
    block = [lines[number - 1] for number in keep]
    text = _finish(block, node.body, numbers=keep)
    return _dedent(text, node.body[0].col_offset).strip("\n")


def _finish(
    block: list[str],
    body: Sequence[ast.stmt],
    numbers: Sequence[int] | None = None,
    shift: tuple[int, int] = (0, 0),
) -> str:
    """Write the last statement as in a cell: a value that is shown, or one silenced by `;`."""
    last = body[-1]
    row = {number: index for index, number in enumerate(numbers)} if numbers else None

    def place(line: int, column: int) -> tuple[int, int]:
        return (row[line], column) if row else (line - 1 - shift[0], column - shift[1])

    if isinstance(last, ast.Return):
        index, column = place(last.lineno, last.col_offset)
        head, tail = _cut(block[index], 0, column), _cut(block[index], column)
        block[index] = head + tail.removeprefix("return").lstrip(" \t")
    elif isinstance(last, ast.Expr) and last.end_lineno and last.end_col_offset is not None:
        index, column = place(last.end_lineno, last.end_col_offset)
        tail = _cut(block[index], column)
        if not tail.lstrip().startswith(";"):
            block[index] = _cut(block[index], 0, column) + ";" + tail
    return "".join(block).strip("\n") if not row else "".join(block)


def _cut(line: str, start: int, end: int | None = None) -> str:
    """Cut by columns of the syntax tree, which count bytes."""
    return line.encode()[start:end].decode()


def _end_of_header(node: FunctionNode, lines: Sequence[str]) -> int:
    """Return the number of the line on which `def ...:` ends."""
    read = iter(lines[node.lineno - 1 :]).__next__
    depth = 0
    for token in tokenize.generate_tokens(read):
        if token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")
            if token.string == ":" and depth == 0:
                return node.lineno + token.end[0] - 1
    raise AssertionError("a def without a colon")


def _with_comments_after(node: FunctionNode, lines: Sequence[str]) -> int:
    """Return the number of the last line, with comments after the last statement that are indented as it is."""
    last = number = node.end_lineno or node.lineno
    for number, line in enumerate(lines[last:], last + 1):
        text = line.strip()
        deep = len(line) - len(line.lstrip()) >= node.body[0].col_offset
        if text and not (text.startswith("#") and deep):
            break
        if text:
            last = number
    return last


def _dedent(text: str, width: int) -> str:
    """Remove `width` blanks from each line, except lines that begin inside a string."""
    lines = text.splitlines(keepends=True)
    inside = _lines_inside_strings(text)
    for index, line in enumerate(lines):
        if index + 1 not in inside:
            blanks = len(line) - len(line.lstrip(" \t"))
            lines[index] = line[min(width, blanks) :]
    return "".join(lines)


def _lines_inside_strings(text: str) -> set[int]:
    inside: set[int] = set()
    starts: list[int] = []
    opening = {getattr(tokenize, "FSTRING_START", -1), getattr(tokenize, "TSTRING_START", -1)}
    closing = {getattr(tokenize, "FSTRING_END", -1), getattr(tokenize, "TSTRING_END", -1)}
    # The block is indented: a line in front of it gives the tokenizer its level
    for token in tokenize.generate_tokens(io.StringIO("if 1:\n" + text).readline):
        if token.type == tokenize.STRING:
            inside.update(range(token.start[0], token.end[0]))
        elif token.type in opening:
            starts.append(token.start[0])
        elif token.type in closing:
            inside.update(range(starts.pop(), token.end[0]))
    return inside  # line n of the text is line n+1 here, and a string's lines after its first are inside


def with_answers(code: str, answers: Mapping[str, Any]) -> str:
    """Return the code with `form["name"]` replaced by the answer. Code that still uses `form` gets an assignment to it."""
    if "form" not in code:
        return code
    try:
        tree = compile(code, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError):
        return code
    lines = [line.encode() for line in code.splitlines(keepends=True)]
    found = [node for node in ast.walk(tree) if _is_answer(node, answers)]
    for node in sorted(found, key=lambda n: (n.lineno, n.col_offset), reverse=True):
        if node.lineno != node.end_lineno:
            continue
        line = lines[node.lineno - 1]
        segment = line[node.col_offset : node.end_col_offset]
        if not (segment.startswith(b"form") and segment.endswith(b"]")):
            continue  # inside an f-string the columns are wrong before Python 3.12
        value = repr(answers[ast.literal_eval(node.slice)]).encode()
        changed = line[: node.col_offset] + value + line[node.end_col_offset :]
        before, lines[node.lineno - 1] = line, changed
        if not _parses(lines):
            lines[node.lineno - 1] = before
    text = b"".join(lines).decode()
    if _parses(lines) and any(
        isinstance(node, ast.Name) and node.id == "form" for node in ast.walk(ast.parse(text))
    ):
        text = f"form = {dict(answers)!r}\n{text}"
    return text


def _is_answer(node: ast.AST, answers: Mapping[str, Any]) -> TypeGuard[ast.Subscript]:
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Load)
        and isinstance(node.value, ast.Name)
        and node.value.id == "form"
        and isinstance(node.slice, ast.Constant)
        and node.slice.value in answers
    )


def _parses(lines: Sequence[bytes]) -> bool:
    try:
        ast.parse(b"".join(lines))
    except (SyntaxError, ValueError):
        return False
    return True
