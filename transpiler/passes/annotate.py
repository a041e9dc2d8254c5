"""Reads what the notebook says about itself: options, titles, fields. `Notebook` in, `Annotated` out.

Explicit beats inferred, in this order: `#|` lines, metadata `pipulate`, tags, conventions in the code, headings (DESIGN 4.1).
A notebook without any of them comes out with its Markdown cut at the headings and its code as Python.
"""

import re
from dataclasses import replace
from tokenize import COMMENT

from transpiler.diagnostics import Diagnostic, Found
from transpiler.ir import Annotated, Cell, Code, Notebook, Text
from transpiler.passes import colab
from transpiler.passes.fields import fields_of
from transpiler.passes.keys import without_keys
from transpiler.passes.magics import kept_in, python_of, tokens_of
from transpiler.passes.markdown import text_of
from transpiler.passes.options import notebook_options, options_of
from transpiler.passes.words import title_of_file

_NOTE = re.compile(r"^#[ \t]*@(?:title|markdown)\b", re.MULTILINE)


def annotate(notebook: Notebook) -> tuple[Annotated, Found]:
    """Return the notebook with its annotations, and what was found, sorted by place. Never raises for a notebook of `read`."""
    found: list[Diagnostic] = []
    notebook = without_keys(notebook, found)
    items: list[Text | Code] = []
    kept = kept_in(cell.source for cell in notebook.cells if cell.kind == "code")
    for cell in notebook.cells:
        if not cell.source.strip() or cell.kind == "raw":
            continue
        item = _code(cell, kept, found) if cell.kind == "code" else _text(cell, found)
        if item is not None:
            items.append(item)
    options = notebook_options(notebook.options, found)
    title = options.get("title") or _first_h1(items) or title_of_file(notebook.name)
    return (
        Annotated(replace(notebook, options=options), str(title), tuple(items)),
        tuple(sorted(found, key=lambda diagnostic: diagnostic.order)),
    )


def _text(cell: Cell, found: list[Diagnostic]) -> Text | None:
    options, _ = options_of(cell, found)
    return None if options.skip else text_of(cell)


def _code(cell: Cell, kept: frozenset[str], found: list[Diagnostic]) -> Code | None:
    options, asks = options_of(cell, found)
    if options.skip:
        return None
    python, more = python_of(cell, kept)
    found += more
    if python is None:
        return Code(cell, None, options)
    title, text = _notes(python.text) if _NOTE.search(python.text) else (None, "")
    return Code(cell, python, options, fields_of(cell, python, asks, found), title, text)


def _notes(text: str) -> tuple[str | None, str]:
    """Colab's `#@title` (the first) and `#@markdown` (all) of a cell."""
    comments = (t.string for t in tokens_of(text) if t.type == COMMENT and not t.start[1])
    notes = [match.groups() for match in map(colab.COMMENT.match, comments) if match]
    titles = [colab.title(words) for kind, words in notes if kind == "title"]
    markdown = [words for kind, words in notes if kind == "markdown"]
    return next(filter(None, titles), None), "\n".join(markdown).strip()


def _first_h1(items: list[Text | Code]) -> str | None:
    headings = (part[0] for item in items if isinstance(item, Text) for part in item.parts)
    return next((h.title for h in headings if h is not None and h.level == 1), None)
