"""Carries edits of a cell's function back into the cell: the way of the compiler, backwards. Texts in, texts out.

Only lines that went over as they are can go back. The others (`global` lines, `form["limit"]`, what took the place of a magic)
have no counterpart in the cell; an edit there stays in the plugin.

    base     the function as it was emitted          ours     the function now
    source   the cell it was emitted from            -> the cell with the edits, and the edits that stay
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from transpiler.merge.diff3 import changes
from transpiler.merge.units import parse_members

_INDENT = re.compile("^ {1,8}")


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a function by hand: which lines of the cell it stands for (from 0, end exclusive), and the new ones."""

    start: int
    end: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edits:
    """The edits of a function: those that can go back, and how many stay in the plugin."""

    back: tuple[Edit, ...]
    stay: int


def edits_of(base: str, ours: str, source: str) -> Edits:
    """Return the edits that were made by hand in the code of a function. Other texts than functions have none that go back."""
    before, now = code_of(base), code_of(ours)
    if before is None or now is None:
        return Edits((), int(base != ours))
    cell = source.split("\n")
    place = _places(before.lines, cell)
    back = []
    stay = int(before.head != now.head or before.returns != now.returns)
    for change in changes(before.lines, now.lines):
        if span := _span(place, change.start, change.end):
            back.append(Edit(*span, now.lines[change.first : change.last]))
        else:
            stay += 1
    return Edits(tuple(back), stay)


def with_edits(source: str, edits: Sequence[Edit]) -> str:
    """Return the text of a cell with edits in it."""
    lines = source.split("\n")
    for edit in sorted(edits, key=lambda e: (e.start, e.end), reverse=True):
        lines[edit.start : edit.end] = edit.lines
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Code:
    """A cell's function taken apart: what stands before the code, the code as lines of a cell, and whether its last value is returned."""

    head: str
    lines: tuple[str, ...]
    returns: bool


def code_of(function: str) -> Code | None:
    """Return the code of a cell's function, as a notebook would have it; None for anything else."""
    match parse_members(function):
        case [ast.FunctionDef() | ast.AsyncFunctionDef() as node]:
            pass
        case _:
            return None
    text = f"class C:\n{function}"  # as the node counts its lines
    inside = set(lines_inside_strings(text))
    said = [s for s in node.body if isinstance(s, ast.Global)]
    head = max((s.end_lineno or s.lineno for s in said), default=node.lineno)
    lines = text.rstrip("\n").split("\n")
    last = node.body[-1]
    returned = last.lineno if isinstance(last, ast.Return) and last.value is not None else 0
    code = []
    for number, line in enumerate(lines[head:], head + 1):
        bare = line if number in inside else _INDENT.sub("", line)
        code.append(bare.removeprefix("return ") if number == returned else bare)
    return Code("\n".join(lines[1:head]), tuple(code), bool(returned))


def lines_inside_strings(text: str) -> Iterator[int]:
    """Yield the lines (from 1) that begin inside a string. Raises SyntaxError or TokenError for what is not Python."""
    opened: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        name = tokenize.tok_name[token.type]
        if name == "STRING":
            yield from range(token.start[0] + 1, token.end[0] + 1)
        elif name in ("FSTRING_START", "TSTRING_START"):
            opened.append(token.start[0])
        elif name in ("FSTRING_END", "TSTRING_END"):
            yield from range(opened.pop() + 1, token.end[0] + 1)


def _places(code: Sequence[str], cell: Sequence[str]) -> dict[int, int]:
    """The lines of the code that went over as they are, each with the line of the cell that it is."""
    one, two = [_key(line) for line in code], [_key(line) for line in cell]
    blocks = SequenceMatcher(None, one, two, autojunk=False).get_matching_blocks()
    return {block.a + n: block.b + n for block in blocks for n in range(block.size)}


def _key(line: str) -> tuple[object, ...]:
    """What a line says, whatever its quotes and the spaces between its tokens."""
    indent = len(line) - len(line.lstrip())
    try:
        tokens = tokenize.generate_tokens(io.StringIO(line.strip()).readline)
        said = [(ast.literal_eval(t.string),) if t.type == tokenize.STRING else t.string
                for t in tokens if t.type != tokenize.NEWLINE]  # fmt: skip
    except (SyntaxError, ValueError, tokenize.TokenError):  # a part of something, or an f-string
        return (line,)
    return (indent, *said)


def _span(place: Mapping[int, int], start: int, end: int) -> tuple[int, int] | None:
    """The lines of the cell that lines of the code are; None when they are not all there, one after the other."""
    if start == end:
        if (before := place.get(start - 1)) is not None:
            return before + 1, before + 1
        after = place.get(start)
        return None if after is None else (after, after)
    first = place.get(start)
    if first is None or any(place.get(n) != first + n - start for n in range(start, end)):
        return None
    return first, first + end - start
