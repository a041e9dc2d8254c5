"""Puts lines into the source of cells of a notebook file, and changes no other byte of it.

A notebook that goes through a JSON library comes back with another indent, other escapes, another order: an unreadable
diff. Here the file stays a text. A scanner finds where the source of each cell stands, and new lines are written there in
the manner of what is there: as items of a list of lines or inside one string, with the file's line ends and its way of
writing what is not ASCII.

    insert(raw, {2: (0, ("#| input: limit",))})
    rewrite(raw, {2: "limit = 6\\nprint(limit)"})
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

_BLANK = re.compile(r"[ \t\n\r]*")
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)"
)
_LINE_END = re.compile(r"\r\n|\r|\n")
_decoder = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class _String:
    """A string in the file: where its quotes stand, and its value."""

    start: int
    end: int
    value: str


@dataclass(frozen=True, slots=True)
class _Source:
    """The source of a cell in the file: one string, or a list of them."""

    start: int
    parts: tuple[_String, ...]
    is_list: bool

    @property
    def value(self) -> str:
        return "".join(part.value for part in self.parts)


def insert(raw: bytes, lines: Mapping[int, tuple[int, tuple[str, ...]]]) -> bytes:
    """Return the file with lines inserted: cell index -> before which of its lines (from 0), and the new lines.

    `raw` must be a notebook that `read` takes. All other bytes stay as they are. Raises KeyError when a cell has no such
    line or its source is not text.
    """
    text = raw.decode("utf-8")
    sources = _text_sources(text)
    escaped = _is_escaped(text)
    edits = [_edit(text, sources[n], line, new, escaped) for n, (line, new) in lines.items()]
    return _with_edits(text, edits)


def rewrite(raw: bytes, sources: Mapping[int, str]) -> bytes:
    """Return the file with other sources of cells: cell index -> source, with "\\n" as line end.

    Lines that stay keep their bytes; so does everything else. Raises KeyError when a cell's source is not text.
    """
    text = raw.decode("utf-8")
    found = _text_sources(text)
    escaped = _is_escaped(text)
    edits = [
        _rewritten(text, found[index], new, escaped)
        for index, new in sources.items()
        if _LINE_END.sub("\n", found[index].value) != new
    ]
    return _with_edits(text, edits)


def _text_sources(text: str) -> dict[int, _Source]:
    """The sources of the cells by index, without those that are not text or have no place for any."""
    return {n: source for n, source in enumerate(_sources(text)) if source and source.parts}


def _is_escaped(text: str) -> bool:
    """Whether the file writes characters that are not ASCII as escapes."""
    plain = not text.removeprefix("\ufeff").isascii()
    return not plain and re.search(r"\\u(?!00[01])[0-9a-fA-F]{4}", text) is not None


def _with_edits(text: str, edits: list[tuple[int, int, str]]) -> bytes:
    """The file with other pieces in some places: from where to where, and what stands there then."""
    for start, end, piece in sorted(edits, reverse=True):
        text = text[:start] + piece + text[end:]
    return text.encode("utf-8")


def _rewritten(text: str, source: _Source, new: str, escaped: bool) -> tuple[int, int, str]:
    """Return which part of the file goes, and what comes in its place: the new lines, the old ones as they are written."""
    value = source.value
    end = _usual_line_end(text, value)
    starts = [0, *(match.end() for match in _LINE_END.finditer(value)), len(value)]
    before = [value[a:b] for a, b in pairwise(starts) if a < b]
    after = [line + end for line in new.split("\n")]
    after[-1] = after[-1].removesuffix(end)
    after = after if after[-1] else after[:-1]
    written = _as_written(text, source, before)
    pieces: list[str] = []
    plain = [[_LINE_END.sub("\n", line) for line in side] for side in (before, after)]
    matcher = SequenceMatcher(None, plain[0], plain[1], autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            pieces += written[a:b]
        else:
            pieces += [json.dumps(line, ensure_ascii=escaped)[1:-1] for line in after[c:d]]
    first, last = source.parts[0], source.parts[-1]
    if not source.is_list:
        return first.start + 1, last.end - 1, "".join(pieces)
    quoted = [f'"{piece}"' for piece in pieces]
    return first.start, last.end, _separator(text, source).join(quoted)


def _as_written(text: str, source: _Source, lines: list[str]) -> list[str]:
    """The lines of a source in the file's own way of writing; a line may go over several parts."""
    written: list[str] = []
    parts = iter(source.parts)
    part, offset = next(parts), 0
    for line in lines:
        piece, left = "", len(line)
        while left:
            if offset == len(part.value):
                part, offset = next(parts), 0
                continue
            take = min(left, len(part.value) - offset)
            piece += text[_inside(text, part, offset) : _inside(text, part, offset + take)]
            offset += take
            left -= take
        written.append(piece)
    return written


# --- the new text -------------------------------------------------------------------------------------------------


def _edit(
    text: str, source: _Source, line: int, new: tuple[str, ...], escaped: bool
) -> tuple[int, int, str]:
    """Return where lines come into the file (twice, since nothing goes), and how they are written."""
    value = source.value
    starts = [0, *(match.end() for match in _LINE_END.finditer(value))]
    if not 0 <= line < len(starts):
        raise KeyError(line)
    end = _usual_line_end(text, value)
    pieces = [json.dumps(one + end, ensure_ascii=escaped) for one in new]
    offset = starts[line]
    for number, part in enumerate(source.parts):
        if offset < len(part.value) or number == len(source.parts) - 1:
            break
        offset -= len(part.value)
    if source.is_list and offset == 0:
        separator = _separator(text, source)
        return part.start, part.start, "".join(piece + separator for piece in pieces)
    at = _inside(text, part, offset)
    return at, at, "".join(piece[1:-1] for piece in pieces)


def _usual_line_end(text: str, value: str) -> str:
    """The line end that most lines of a cell have; in a cell of one line, most others of the notebook."""
    ends: list[str] = _LINE_END.findall(value)
    if ends:
        return max(ends, key=ends.count)
    return "\r\n" if text.count("\\r\\n") * 2 > text.count("\\n") else "\n"


def _separator(text: str, source: _Source) -> str:
    """What stands between two items of the list; for a list of one, what would."""
    first = source.parts[0]
    if len(source.parts) > 1:
        return text[first.end : source.parts[1].start]
    return "," + (text[source.start + 1 : first.start] or (" " if '", "' in text else ""))


def _inside(text: str, part: _String, offset: int) -> int:
    """Return where in the file the character of a string at `offset` of its value stands."""
    at = part.start + 1
    while offset > 0:
        escape = _ESCAPE.match(text, at) if text[at] == "\\" else None
        at = escape.end() if escape else at + 1
        offset -= 1
    return at


# --- the scanner --------------------------------------------------------------------------------------------------


def _sources(text: str) -> Iterator[_Source | None]:
    """The source of each cell in order, None where it is not text. Formats 2 and 3 have cells in sheets, and code as `input`."""
    start = 1 if text.startswith("\ufeff") else 0
    top = _members(text, _skip(text, start))
    if "cells" in top:
        lists = [top["cells"]]
    else:
        sheets = [_members(text, at) for at in _items(text, top["worksheets"])]
        lists = [sheet["cells"] for sheet in sheets if "cells" in sheet]
    for cells in lists:
        for at in _items(text, cells):
            if text[at] != "{":
                yield None
                continue
            members = _members(text, at)
            old_code = "cells" not in top and _value(text, members.get("cell_type")) == "code"
            where = members.get("input" if old_code else "source")
            yield None if where is None else _source(text, where)


def _source(text: str, at: int) -> _Source | None:
    if text[at] == '"':
        return _Source(at, (_string(text, at),), is_list=False)
    if text[at] != "[":
        return None
    starts = list(_items(text, at))
    if any(text[start] != '"' for start in starts):
        return None
    return _Source(at, tuple(_string(text, start) for start in starts), is_list=True)


def _string(text: str, at: int) -> _String:
    value, end = scanstring(text, at + 1, False)
    return _String(at, end, value)


def _value(text: str, at: int | None) -> Any:
    return None if at is None else _decoder.raw_decode(text, at)[0]


def _skip(text: str, at: int) -> int:
    """The next place that is not blank."""
    match = _BLANK.match(text, at)
    assert match is not None
    return match.end()


def _members(text: str, at: int) -> dict[str, int]:
    """Key -> where its value stands, of the object at a place. Of equal keys the last counts, as in `json`."""
    found: dict[str, int] = {}
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, at = scanstring(text, at + 1, True)
        at = _skip(text, _skip(text, at) + 1)
        found[key] = at
        at = _skip(text, _decoder.raw_decode(text, at)[1])
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def _items(text: str, at: int) -> Iterator[int]:
    at = _skip(text, at + 1)
    while text[at] != "]":
        yield at
        at = _skip(text, _decoder.raw_decode(text, at)[1])
        at = _skip(text, at + 1) if text[at] == "," else at
