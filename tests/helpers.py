"""Notebooks for tests, from text in percent format."""

import json
import re
from typing import Any

from transpiler.model.diagnostics import Found
from transpiler.model.ir import Annotated, Code, Notebook
from transpiler.passes.annotate import annotate
from transpiler.passes.read import read

_MARKER = re.compile(r"^# %%[ ]?(.*)$", re.MULTILINE)


def cells(text: str) -> list[dict[str, Any]]:
    """Cells as nbformat 4 has them, from text in percent format.

    A cell begins with `# %%`, then optionally `[markdown]` or `[raw]`, `id=...`, and `{...}`: its metadata as JSON. The text
    of a markdown cell is as it is (no leading `#`). Text before the first marker is a code cell.
    """
    pieces = _MARKER.split(text)
    found = []
    if pieces[0].strip():
        found.append(_cell("", pieces[0]))
    for head, body in zip(pieces[1::2], pieces[2::2], strict=True):
        found.append(_cell(head, body))
    return found


def _cell(head: str, body: str) -> dict[str, Any]:
    kind = re.search(r"\[(\w+)\]", head.partition("{")[0])
    id_ = re.search(r"\bid=([\w-]+)", head.partition("{")[0])
    metadata = json.loads(head[head.index("{") :]) if "{" in head else {}
    cell = {
        "cell_type": kind.group(1) if kind else "code",
        "metadata": metadata,
        "source": body.strip("\n"),
    }
    return cell | ({"id": id_.group(1)} if id_ else {})


def notebook_bytes(text: str, **metadata: Any) -> bytes:
    """A notebook file of format 4.5."""
    tree = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells(text)}
    return json.dumps(tree, ensure_ascii=False).encode()


def notebook(text: str, name: str = "trip.ipynb", **metadata: Any) -> Notebook:
    """What `read` makes of the text; it must have nothing to say about it."""
    result, found = read(notebook_bytes(text, **metadata), name)
    assert found == ()
    assert result is not None
    return result


def annotated(text: str, **metadata: Any) -> tuple[Annotated, Found]:
    """What `annotate` makes of the text."""
    return annotate(notebook(text, **metadata))


def code(text: str) -> tuple[Code, Found]:
    """What `annotate` makes of one code cell."""
    result, found = annotated(text)
    (item,) = result.items
    assert isinstance(item, Code)
    return item, found


def codes_of(found: Found) -> list[str]:
    """The codes, in order."""
    return [diagnostic.rule.code for diagnostic in found]
