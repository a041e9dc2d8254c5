"""A code cell on its way through analyse, and the places in it."""

import ast
from dataclasses import dataclass, field

from transpiler.dataflow.as_function import Form
from transpiler.dataflow.as_function import Text as Source
from transpiler.dataflow.objects import Value
from transpiler.model.diagnostics import Span
from transpiler.model.ir import Code, Names, Python
from transpiler.python.scope import Bindings

TOO_DEEP = "it is nested too deeply"


@dataclass(eq=False, slots=True)
class CodeCell:
    """A code cell on its way through the pass."""

    code: Code
    number: int = 0
    """Its place among the cells that are run, from 1: the execution count it has from top to bottom."""
    body: list[ast.stmt] = field(default_factory=list)
    source: Source = field(default_factory=lambda: Source(""))
    lines: tuple[str, ...] = ()  # The lines of its Python
    bindings: Bindings = field(default_factory=Bindings)
    failed: str | None = None
    names: Names = field(default_factory=Names)
    certain: set[str] = field(default_factory=set)  # Names it certainly binds
    outs: set[str] = field(default_factory=set)  # Names it may bind, delete or mutate
    given: tuple[str, ...] = ()
    dynamic: bool = False
    shows: bool = False  # Whether it ends in an expression whose value IPython shows
    imports: set[str] = field(default_factory=set)  # Names it binds by importing them
    defines: set[str] = field(default_factory=set)  # Names of its functions and classes
    seen: dict[str, ast.AST] = field(default_factory=dict)
    """Where it first uses a name from before, itself or in a function it touches."""
    form: Form = field(default_factory=Form)


@dataclass(slots=True)
class Namespace:
    """What is known of the notebook's namespace between two cells."""

    values: dict[str, Value] = field(default_factory=dict)
    bound: dict[str, int] = field(default_factory=dict)
    """Names a cell so far may have bound -> the last such cell."""
    deleted: dict[str, int] = field(default_factory=dict)
    open: bool = False  # Whether names may be bound that cannot be known
    text_reason: str | None = None  # Why all further cells are kept as text
    future_annotations: bool = False


# --- places -----------------------------------------------------------------------------------------------------------


def span_of(cell: CodeCell, node: ast.AST) -> Span:
    """Return where a node stands in the notebook's cell."""
    if not isinstance(
        node, ast.expr | ast.stmt | ast.arg | ast.alias | ast.ExceptHandler | ast.pattern
    ):
        return place(cell, 0, 0, 0, 0)
    source = cell.source
    start = source.position(source.offset(node.lineno, node.col_offset))
    last = node.end_lineno or node.lineno
    if isinstance(node, ast.stmt) and hasattr(node, "body"):
        last = node.lineno  # a compound statement: its first line
        lines = source.text.splitlines()
        end = (last - 1, len(lines[last - 1]) if last <= len(lines) else 0)
    else:
        end = source.position(source.offset(last, node.end_col_offset or 0))
    return place(cell, *start, *end)


def slice_span(cell: CodeCell, part: tuple[int, int]) -> Span:
    """Return where a slice of the cell's Python stands in the notebook's cell."""
    return place(cell, *cell.source.position(part[0]), *cell.source.position(part[1]))


def place(cell: CodeCell, line: int, column: int, end_line: int, end_column: int) -> Span:
    """Return a place of the cell's Python (0-based) as one of the notebook's cell, kept inside the cell.

    A line that IPython's transformer rewrote (a magic) has no columns of its own: all of it is meant.
    """
    python: Python | None = cell.code.python
    lines = python.lines if python else ()
    texts = cell.lines
    source = cell.code.cell.source.split("\n")

    def there(line: int, column: int, is_end: bool) -> tuple[int, int]:
        row = lines[line] if line < len(lines) else (lines[-1] if lines else 1)
        row = max(1, min(row, len(source)))
        original = source[row - 1]
        text = texts[line] if line < len(texts) else original
        if original.endswith(text):  # or it lost an indent or a prompt
            column += len(original) - len(text)
        else:
            column = len(original.rstrip()) if is_end else len(original) - len(original.lstrip())
        return row, min(column, len(original)) + 1

    start, end = there(line, column, False), there(end_line, end_column, True)
    return Span(cell.code.cell.index, *start, *max(start, end))
