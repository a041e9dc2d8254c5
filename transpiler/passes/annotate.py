"""Reads what the notebook says about itself: options, titles, fields. `Notebook` in, `Annotated` out.

Explicit beats inferred, in this order: `#|` lines, metadata `pipulate`, tags, conventions in the code, headings (DESIGN 4.1).
A notebook without any of them comes out with its Markdown cut at the headings and its code as Python.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from tokenize import COMMENT

from transpiler.fields.options import Ask, notebook_options, options_of
from transpiler.model.diagnostics import Diagnostic, Found
from transpiler.model.ir import Annotated, Cell, Code, Field, Notebook, Options, Python, Text
from transpiler.model.names import title_of_file
from transpiler.notebook.ipython import kept_in, parse, python_of, tokens_of
from transpiler.notebook.markdown import text_of
from transpiler.notebook.secrets import overwrite_notebook_keys
from transpiler.sources import colab, pipulate
from transpiler.sources.collect import Whole, fields_of
from transpiler.widgets.imports import Toolkit, has_widgets

_NOTE = re.compile(r"^#[ \t]*@(?:title|markdown)\b", re.MULTILINE)


def annotate(
    notebook: Notebook, chosen: Mapping[int, tuple[Ask, ...]] | None = None
) -> tuple[Annotated, Found]:
    """Return the notebook with its annotations, and what was found, sorted by place. Never raises for a notebook of `read`.

    `chosen` are fields that the command line asks for, by the index of the cell; what the cell says itself takes precedence.
    """
    found: list[Diagnostic] = []
    notebook = overwrite_notebook_keys(notebook, found)
    items: list[Text | Code] = []
    kept = kept_in(cell.source for cell in notebook.cells if cell.kind == "code")
    read = [_read(cell, kept, found) for cell in notebook.cells if cell.source.strip()]
    whole = _whole(
        tuple(
            (item.cell.index, item.python.text)
            for item in read
            if isinstance(item, _Read) and item.python
        )
    )
    for item in read:
        if isinstance(item, _Read):
            items.append(_code(item, whole, (chosen or {}).get(item.cell.index, ()), found))
        elif item is not None:
            items.append(item)
    options = notebook_options(notebook.options, found)
    title = options.get("title") or _first_h1(items) or title_of_file(notebook.name)
    return (
        Annotated(replace(notebook, options=options), str(title), tuple(items)),
        tuple(sorted(found, key=lambda diagnostic: diagnostic.order)),
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """A code cell with its options and its Python."""

    cell: Cell
    options: Options
    asks: tuple[Ask, ...]
    python: Python | None


def _read(cell: Cell, kept: frozenset[str], found: list[Diagnostic]) -> Text | _Read | None:
    """Read a cell for itself; None when it is left out."""
    if cell.kind == "raw":
        tag = pipulate.tag_of(cell)
        return _Read(cell, Options(), (), pipulate.raw_cell(cell, tag)) if tag else None
    options, asks = options_of(cell, found)
    if options.skip:
        return None
    if cell.kind == "markdown":
        return text_of(cell)
    python, more = python_of(cell, kept)
    found += more
    return _Read(cell, options, asks, python)


def _whole(read: tuple[tuple[int, str], ...]) -> Whole:
    """What fields have to know of all cells."""
    texts = [text for _, text in read]
    toolkit = Toolkit(texts) if has_widgets(texts) else None
    keeping = [parse(text) for text in texts if ".set(" in text]
    return Whole(toolkit, pipulate.kept_steps(keeping), read)


def _code(read: _Read, whole: Whole, chosen: tuple[Ask, ...], found: list[Diagnostic]) -> Code:
    cell, options, python = read.cell, read.options, read.python
    if python is None:
        return Code(cell, None, options)
    asked = fields_of(cell, python, (*chosen, *read.asks), whole, found)
    if asked.controls and asked.controls.button:
        options = replace(options, run="button")
    fields, title, text = asked.fields, None, ""
    if _NOTE.search(python.text):
        title, text, fields = _notes(python.text, fields)
    return Code(cell, python, options, fields, title, text, asked.controls)


def _notes(text: str, fields: tuple[Field, ...]) -> tuple[str | None, str, tuple[Field, ...]]:
    """Colab's `#@title` (the first) and `#@markdown` of a cell; what stands between two fields goes into the form."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    titles: list[str] = []
    markdown: list[str] = []
    intros: dict[str, list[str]] = {}
    for token in tokens_of(text):
        if token.type != COMMENT or token.start[1]:
            continue
        match = colab.COMMENT.match(token.string)
        if match is None:
            continue
        if match[1] == "title":
            titles.append(colab.read_title(match[2]))
        elif match[1] == "markdown":
            at = starts[token.start[0] - 1]
            below = next((f.name for f in fields if f.value.start > at), None)
            between = below is not None and fields[0].value.start < at
            (intros.setdefault(below, []) if between and below else markdown).append(match[2])
    fields = tuple(replace(f, intro="\n".join(intros.get(f.name, [])).strip()) for f in fields)
    return next(filter(None, titles), None), "\n".join(markdown).strip(), fields


def _first_h1(items: list[Text | Code]) -> str | None:
    headings = (part[0] for item in items if isinstance(item, Text) for part in item.parts)
    return next((h.title for h in headings if h is not None and h.level == 1), None)
