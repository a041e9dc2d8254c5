"""Reads a notebook file: bytes in, `Notebook` out.

Formats 2 to 4.5 are read, as tolerantly as Jupyter reads them: unknown keys and metadata are ignored, a cell that makes no
sense is left out with a diagnostic. Only what the later passes need is kept, so the outputs (most of a file's bytes) are
never looked at, and nbformat, whose import alone takes longer than most notebooks, is not needed.

    read(b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [...]}', "trip.ipynb")
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from transpiler.model import rules
from transpiler.model.diagnostics import WHOLE, Diagnostic, Found, Rule, Span, UserError
from transpiler.model.ir import JSON, Cell, Notebook

_KINDS: Mapping[object, Literal["code", "markdown", "raw"]] = {
    "code": "code",
    "markdown": "markdown",
    "raw": "raw",
    # formats 2 and 3
    "html": "markdown",
    "heading": "markdown",
    "plaintext": "raw",
    "rst": "raw",
}
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CONFLICT = re.compile(r"^(?:<{7} .*|={7}|>{7} .*)\r?$", re.MULTILINE)
_FOREIGN_KERNELS = re.compile(
    r"(ir|julia|javascript|sos|bash|ruby|scala|perl|rust|go|sql|octave)\b"
)


class _Unusable(Exception):
    """The file cannot be read as a notebook at all; carries what to say."""

    def __init__(self, rule: Rule, **values: str | int) -> None:
        self.rule = rule
        self.values = values


def open_notebook(path: Path) -> bytes:
    """Return the bytes of a notebook file. Raises UserError PP109 when it cannot be opened."""
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        raise UserError(rules.CANNOT_OPEN, name=str(path), reason=reason) from None


def read(raw: bytes, name: str) -> tuple[Notebook | None, Found]:
    """Return the notebook in `raw` (None when it cannot be used) and what was found. `name` is the file's name.

    Never raises, whatever the bytes. Each cell has an id: its own, or one made from its content, so that it stays the same
    when other cells come and go.
    """
    try:
        tree = _tree(raw)
        cells, metadata = _parts(tree)
        _check_language(tree, cells, metadata)
    except _Unusable as error:
        return None, (error.rule.at(WHOLE, name=name, **error.values),)
    found: list[Diagnostic] = []
    named = _with_ids(_cells(cells, found), found)
    options = _mapping(metadata.get("pipulate"), WHOLE, found)
    if not any(cell.kind == "code" and cell.source.strip() for cell in named):
        return None, (*found, rules.NO_CODE.at(WHOLE, name=name))
    return Notebook(name, named, options or {}), tuple(found)


# --- the file -----------------------------------------------------------------------------------------------------


def _tree(raw: bytes) -> Mapping[str, Any]:
    """The JSON object in the file."""
    if not raw.strip(b" \t\r\n\x00\xef\xbb\xbf"):
        raise _Unusable(rules.EMPTY_FILE)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = f"0x{raw[error.start]:02x}"
        raise _Unusable(rules.NOT_UTF8, byte=byte, position=error.start) from None
    try:
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        if conflict := _CONFLICT.search(text):
            line = text.count("\n", 0, conflict.start()) + 1
            marker = conflict.group().rstrip()
            raise _Unusable(rules.MERGE_MARKERS, line=line, marker=_clean(marker[:40])) from None
        reason = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise _Unusable(rules.NOT_JSON, reason=reason) from None
    except RecursionError:
        raise _Unusable(rules.NOT_JSON, reason="it is nested too deeply") from None
    except ValueError:  # an integer longer than Python reads
        raise _Unusable(rules.NOT_JSON, reason="it holds a number that is too long") from None
    if not isinstance(tree, dict):
        raise _Unusable(rules.NOT_A_NOTEBOOK, reason="it is not an object with cells")
    return tree


def _parts(tree: Mapping[str, Any]) -> tuple[list[Any], Mapping[str, Any]]:
    """The cells and the metadata of a notebook of any version we know."""
    version = tree.get("nbformat")
    if version is None:
        raise _Unusable(rules.NOT_A_NOTEBOOK, reason="it does not say its `nbformat`")
    if type(version) is not int or not 2 <= version <= 4:
        raise _Unusable(rules.NBFORMAT_UNKNOWN, version=_short(version))
    if version == 4:
        cells = tree.get("cells")
    else:
        sheets = tree.get("worksheets")
        cells = None
        if isinstance(sheets, list) and all(isinstance(sheet, dict) for sheet in sheets):
            lists = [sheet.get("cells", []) for sheet in sheets]
            if all(isinstance(part, list) for part in lists):
                cells = [_from_3(cell) for part in lists for cell in part]
    if not isinstance(cells, list):
        raise _Unusable(rules.NOT_A_NOTEBOOK, reason="it has no list of cells")
    metadata = tree.get("metadata")
    return cells, metadata if isinstance(metadata, dict) else {}


def _from_3(cell: object) -> object:
    """A cell of format 2 or 3 as format 4 has it: code is under `source`, a heading is markdown."""
    if not isinstance(cell, dict):
        return cell
    kind = cell.get("cell_type")
    if kind == "code":
        return {**cell, "source": cell.get("input", "")}
    if kind == "heading":
        level = cell.get("level")
        marks = "#" * (level if type(level) is int and 1 <= level <= 6 else 1)
        title = " ".join((_joined(cell.get("source")) or "").splitlines())
        return {**cell, "source": f"{marks} {title}"}
    return cell


def _check_language(
    tree: Mapping[str, Any], cells: Iterable[object], metadata: Mapping[str, Any]
) -> None:
    """The kernel's language must be Python; a notebook that does not say is taken for Python."""
    info, spec = metadata.get("language_info"), metadata.get("kernelspec")
    said = [info.get("name")] if isinstance(info, dict) else []
    if isinstance(spec, dict):
        said.append(spec.get("language"))
        foreign = _FOREIGN_KERNELS.match(str(spec.get("name")))
        said.append(foreign.group() if foreign else None)
    if tree.get("nbformat") != 4:
        said += [
            c.get("language") for c in cells if isinstance(c, dict) and c.get("cell_type") == "code"
        ]
    language = next((word for word in said if isinstance(word, str) and word), "python")
    if not re.match(r"i?python", language, re.IGNORECASE):
        raise _Unusable(rules.NOT_PYTHON, language=_clean(language[:40]))


# --- cells --------------------------------------------------------------------------------------------------------


def _cells(cells: Iterable[object], found: list[Diagnostic]) -> Iterable[Cell]:
    """The cells that can be used, with the id they came with or "" ."""
    for index, cell in enumerate(cells):
        span = Span(index, 1, 1, 1, 1)
        if not isinstance(cell, dict):
            found.append(rules.ODD_CELL.at(span, reason="it is not an object"))
            continue
        kind = _KINDS.get(cell.get("cell_type")) if isinstance(cell.get("cell_type"), str) else None
        if kind is None:
            said = _short(cell.get("cell_type"))
            found.append(rules.ODD_CELL.at(span, reason=f"its type is {said}"))
            continue
        joined = _joined(cell.get("source", ""))
        if joined is None:
            found.append(rules.ODD_CELL.at(span, reason="its source is not text"))
            continue
        lines = joined.replace("\r\n", "\n").replace("\r", "\n")
        source = _clean(lines)
        if source != lines:
            found.append(rules.LONE_SURROGATE.at(span))
        metadata = cell.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        tags = metadata.get("tags")
        own = cell.get("id")
        yield Cell(
            index,
            own if isinstance(own, str) and _ID.fullmatch(own) else "",
            kind,
            source,
            tuple(_clean(t) for t in tags if isinstance(t, str)) if isinstance(tags, list) else (),
            _mapping(metadata.get("pipulate"), span, found),
            _attachments(cell.get("attachments")),
            _count(cell.get("execution_count", cell.get("prompt_number"))),
        )


def _with_ids(cells: Iterable[Cell], found: list[Diagnostic]) -> tuple[Cell, ...]:
    """Give a stable id to each cell that has none, or the id of a cell above it.

    An id is made of the cell's kind and text, and of how many equal cells stand above it: a cell that comes or goes
    elsewhere does not change it.
    """
    cells = tuple(cells)
    first: dict[str, int] = {}
    for cell in cells:
        if cell.id:
            first.setdefault(cell.id, cell.index)
    taken = set(first)
    seen: dict[tuple[str, str], int] = {}
    named = []
    for cell in cells:
        if not cell.id or first[cell.id] != cell.index:
            content = (cell.kind, cell.source)
            new = ""
            while not new or new in taken:
                nth = seen[content] = seen.get(content, -1) + 1
                new = _digest(cell, nth)
            taken.add(new)
            if cell.id:
                span = Span(cell.index, 1, 1, 1, 1)
                found.append(rules.DUPLICATE_ID.at(span, first=first[cell.id], id=cell.id, new=new))
            cell = replace(cell, id=new)
        named.append(cell)
    return tuple(named)


def _digest(cell: Cell, nth: int) -> str:
    return hashlib.sha256(f"{cell.kind}\n{nth}\n{cell.source}".encode()).hexdigest()[:8]


# --- values -------------------------------------------------------------------------------------------------------


def _joined(source: object) -> str | None:
    """Text that may be kept as a list of lines; None when it is neither."""
    if isinstance(source, str):
        return source
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    return None


def _clean(text: str) -> str:
    """The text without lone surrogates, which JSON can say and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


def _cleaned(value: Any) -> JSON:
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _cleaned(item) for key, item in value.items()}
    return value  # type: ignore[no-any-return]


def _mapping(value: object, span: Span, found: list[Diagnostic]) -> Mapping[str, JSON] | None:
    """Metadata under `pipulate`, which must be an object."""
    if value is None:
        return None
    if not isinstance(value, dict):
        expected = "an object of options"
        found.append(
            rules.OPTION_VALUE.at(span, key="pipulate", value=_short(value), expected=expected)
        )
        return None
    try:
        return {_clean(key): _cleaned(item) for key, item in value.items()}
    except RecursionError:
        expected = "options, none of which is nested this deeply"
        found.append(rules.OPTION_VALUE.at(span, key="pipulate", value="{...}", expected=expected))
        return None


def _attachments(value: object) -> Mapping[str, Mapping[str, str]] | None:
    """Name -> {mime type: base64}; what is not of this shape is ignored."""
    if not isinstance(value, dict):
        return None
    kept = {}
    for name, bundle in value.items():
        if isinstance(bundle, dict):
            texts = {mime: _joined(data) for mime, data in bundle.items()}
            kept[_clean(name)] = {_clean(m): _clean(t) for m, t in texts.items() if t is not None}
    return kept or None


def _count(value: object) -> int | None:
    """An execution count (`prompt_number` in format 3)."""
    return value if type(value) is int and value > 0 else None


def _short(value: object) -> str:
    """A value as the message shows it: JSON, cut at 40 characters."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value, default=repr)
    return text if len(text) <= 40 else f"{text[:39]}…"
