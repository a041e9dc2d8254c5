"""Where things of a syntax tree stand: in the cell's Python text (`Slice`) and in the notebook's cell (`Span`).

`ast` counts columns in UTF-8 bytes; people and `str` count characters.
"""

import ast
import re
from bisect import bisect_right
from collections.abc import Iterable

from transpiler.model.diagnostics import Span
from transpiler.model.ir import Cell, Edit, Python, Slice

_NEWLINE = re.compile(r"\r\n|\r|\n")
_PLACED = (ast.expr, ast.stmt, ast.arg, ast.alias, ast.keyword, ast.ExceptHandler, ast.pattern)
"""The nodes that have a place."""

# --- edits ----------------------------------------------------------------------------------------------------------------


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with the edits made. They must not overlap; what is put in at the same place keeps its order."""
    listed = sorted(enumerate(edits), key=lambda pair: (pair[1].slice, pair[0]), reverse=True)
    for _, edit in listed:
        text = text[: edit.slice.start] + edit.text + text[edit.slice.end :]
    return text


# --- positions ------------------------------------------------------------------------------------------------------------


def line_span(cell: Cell, line: int, end_line: int | None = None) -> Span:
    """Return the span of whole lines of a cell, without the white space at both ends."""
    lines = cell.source.split("\n")
    line = min(max(line, 1), len(lines))
    end_line = min(max(end_line or line, line), len(lines))
    first, last = lines[line - 1], lines[end_line - 1]
    column = len(first) - len(first.lstrip()) + 1 if first.strip() else 1
    end = len(last.rstrip()) + 1
    return Span(cell.index, line, column, end_line, max(end, column) if end_line == line else end)


class Text:
    """A cell's Python with the offsets of its lines."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(match.end() for match in _NEWLINE.finditer(text))]
        self.ascii = text.isascii()

    def offset(self, line: int, column: int) -> int:
        """Return the character offset of a position of `ast`."""
        start = self.starts[min(line, len(self.starts)) - 1]
        if not self.ascii:
            end = self.starts[line] if line < len(self.starts) else len(self.text)
            column = len(self.text[start:end].encode()[:column].decode(errors="ignore"))
        return min(start + column, len(self.text))

    def slice(self, node: ast.expr | ast.stmt | ast.keyword) -> Slice:
        """Return the characters that a node covers."""
        return Slice(
            self.offset(node.lineno, node.col_offset),
            self.offset(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset),
        )

    def position(self, offset: int) -> tuple[int, int]:
        """Return the 0-based line and column of a character offset."""
        line = bisect_right(self.starts, offset) - 1
        return line, offset - self.starts[line]


class Places(Text):
    """Answers both questions for one code cell. Made once a cell, since it keeps the texts cut into lines."""

    def __init__(self, cell: Cell, python: Python | None) -> None:
        super().__init__(python.text if python else "")
        self._index = cell.index
        self._source = cell.source.split("\n")
        self._lines = self.text.split("\n")
        self._came_from = (python and python.lines) or (1,)

    def span(self, node: ast.AST) -> Span:
        """Return where a node stands in the notebook's cell; of a compound statement, its first line."""
        if not isinstance(node, _PLACED):
            return self.between(0, 0, 0, 0)
        start = self.position(self.offset(node.lineno, node.col_offset))
        if isinstance(node, ast.stmt) and hasattr(node, "body"):
            row = node.lineno - 1
            return self.between(*start, row, len(self._lines[row]))
        end = self.offset(node.end_lineno or node.lineno, node.end_col_offset or 0)
        return self.between(*start, *self.position(end))

    def span_of(self, part: tuple[int, int]) -> Span:
        """Return where characters of the Python text stand in the notebook's cell."""
        return self.between(*self.position(part[0]), *self.position(part[1]))

    def between(self, line: int, column: int, end_line: int, end_column: int) -> Span:
        """Return a place of the Python text (0-based) as one of the notebook's cell, kept inside the cell."""
        start, end = self._in_cell(line, column, False), self._in_cell(end_line, end_column, True)
        return Span(self._index, *start, *max(start, end))

    def _in_cell(self, line: int, column: int, is_end: bool) -> tuple[int, int]:
        """A line that IPython's transformer rewrote (a magic) has no columns of its own: all of it is meant."""
        row = self._came_from[min(line, len(self._came_from) - 1)]
        row = max(1, min(row, len(self._source)))
        original = self._source[row - 1]
        text = self._lines[line] if line < len(self._lines) else original
        if original.endswith(text):  # or it lost an indent or a prompt
            column += len(original) - len(text)
        else:
            column = len(original.rstrip()) if is_end else len(original) - len(original.lstrip())
        return row, min(column, len(original)) + 1
