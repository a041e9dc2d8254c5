"""What a plugin was ported from: the notebook without its outputs, kept beside the base.

When the compiler is newer than the one that wrote the base, it compiles these cells first. So its own changes are merged
apart from the notebook's, and can be told apart.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from transpiler.passes.paths import sha

FILE = "cells.json"
_RUNS = {"execution", "ExecuteTime", "executionInfo", "outputId", "widgets"}
"""Metadata that is of a run, not of the notebook."""


@dataclass(frozen=True, slots=True)
class PortedFrom:
    """The notebook of an earlier port, and how it was ported."""

    raw: bytes
    by: Literal["cell", "heading"] | None
    fields: tuple[str, ...]


def ported_from(
    raw: bytes, emitted: str, compiler: str, by: str | None, fields: tuple[str, ...]
) -> str:
    """Return the text of the file: the notebook, and what makes sure that it belongs to a base and a compiler."""
    notebook = json.loads(raw)
    for sheet in (notebook, *_sheets(notebook)):
        sheet["metadata"] = _lasting(sheet.get("metadata"))
        for cell in sheet.get("cells", ()):
            cell["metadata"] = _lasting(cell.get("metadata"))
            for key, empty in (("outputs", []), ("execution_count", None), ("prompt_number", None)):
                if key in cell:
                    cell[key] = empty
    document = {
        "compiler": compiler,
        "base_sha": sha(emitted.encode()),
        "by": by,
        "fields": list(fields),
        "notebook": notebook,
    }
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def read_ported(path: Path, base_sha: str, compiler: str) -> PortedFrom | None:
    """Return what another compiler ported to this base; None when it was this one, or when that is not known."""
    try:
        document = json.loads(path.read_bytes())
        if document["base_sha"] != base_sha or document["compiler"] == compiler:
            return None
        by = document["by"] if document["by"] in ("cell", "heading") else None
        raw = json.dumps(document["notebook"]).encode()
        return PortedFrom(raw, by, tuple(map(str, document["fields"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _sheets(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """The worksheets of a notebook of format 3."""
    return list(notebook.get("worksheets", ()))


def _lasting(metadata: object) -> dict[str, Any]:
    """Metadata without what is of a run."""
    if not isinstance(metadata, dict):
        return {}
    return {key: value for key, value in metadata.items() if key not in _RUNS}
