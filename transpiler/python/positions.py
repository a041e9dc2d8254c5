"""Where things of a syntax tree stand: in the cell's Python text (`Slice`) and in the notebook's cell (`Span`).

`ast` counts columns in UTF-8 bytes; people and `str` count characters.
"""

import ast
from bisect import bisect_right
from collections.abc import Iterable

from transpiler.model.diagnostics import Span
from transpiler.model.ir import Cell, Edit, Python, Slice

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


class Places:
    """Answers both questions for one code cell. Made once a cell, since it keeps the text cut into lines."""

    def __init__(self, cell: Cell, python: Python) -> None:
        self._cell = cell
        self._python = python
        self._lines = python.text.split("\n")
        self._source = cell.source.split("\n")
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def slice(self, node: ast.expr | ast.stmt) -> Slice:
        """Return the characters of the Python text that a node covers."""
        end_line, end_byte = node.end_lineno or node.lineno, node.end_col_offset or 0
        return Slice(
            self._starts[node.lineno - 1] + self._column(node.lineno, node.col_offset),
            self._starts[end_line - 1] + self._column(end_line, end_byte),
        )

    def span(self, node: ast.expr | ast.stmt) -> Span:
        """Return the place of a node in the notebook's cell."""
        end_line, end_byte = node.end_lineno or node.lineno, node.end_col_offset or 0
        return self.between(
            node.lineno,
            self._column(node.lineno, node.col_offset),
            end_line,
            self._column(end_line, end_byte),
        )

    def between(self, line: int, column: int, end_line: int, end_column: int) -> Span:
        """Return the place in the cell of a place in the text: 1-based lines, 0-based columns in characters."""
        start_at = self._in_cell(line, column, 0)
        end_at = self._in_cell(end_line, end_column, -1)
        return Span(self._cell.index, *start_at, *max(start_at, end_at))

    def span_of(self, part: Slice) -> Span:
        """Return the place in the notebook's cell of characters of the text."""
        ends = []
        for offset in part:
            line = bisect_right(self._starts, offset)
            line = min(line, len(self._lines))
            ends += [line, offset - self._starts[line - 1]]
        return self.between(*ends)

    def _column(self, line: int, byte: int) -> int:
        text = self._lines[line - 1]
        return byte if text.isascii() else len(text.encode()[:byte].decode())

    def _in_cell(self, line: int, column: int, otherwise: int) -> tuple[int, int]:
        """A line that lost its prompt or indent is the end of its line in the cell; a rewritten one stands for all of it."""
        text = self._lines[line - 1]
        number = self._python.lines[line - 1]
        source = self._source[number - 1]
        if source.endswith(text):
            return number, len(source) - len(text) + column + 1
        return number, 1 if otherwise == 0 else len(source) + 1
