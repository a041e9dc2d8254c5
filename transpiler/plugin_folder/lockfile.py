"""What an earlier port left beside a plugin: its lock, its base. Reads; nothing here writes.

lock.json       identities, hashes, open conflicts
base.py.txt     the text as it was emitted, which is the base of the next merge
"""

import ast
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from transpiler import __version__
from transpiler.merge.conflicts import REASONS, Conflict
from transpiler.model.ir import KnownCell, KnownStep, KnownSteps, Plan
from transpiler.plugin_folder.paths import sha, text_of
from transpiler.plugin_folder.pristine import origin
from transpiler.plugin_folder.remembered import Before, chosen_in

if TYPE_CHECKING:
    from transpiler.passes.regenerate import Regenerated
    from transpiler.plugin_folder.place import Place


# --- the notebook as it was ported ----------------------------------------------------------------------------------------


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


# --- reading lock.json ----------------------------------------------------------------------------------------------------


SCHEMA = 2


@dataclass(frozen=True, slots=True)
class Lock:
    """What is kept of a port. Everything has a value for a lock that is missing or spoilt."""

    steps: tuple[KnownStep, ...] = ()
    retired: tuple[str, ...] = ()
    """Ids that are gone: they are not given again."""
    pending: tuple[Conflict, ...] = ()
    renames: dict[str, str] = field(default_factory=dict)
    """Methods of the frame that the user renamed: name as emitted, name in the plugin."""
    files: dict[str, str] = field(default_factory=dict)
    written_sha: str = ""
    """Of the plugin's bytes."""
    base_sha: str = ""
    """Of the base's bytes."""
    header: str = ""
    """What the plugin's header line says of its base."""
    notebook_sha: str = ""
    """Of the notebook's bytes."""
    chosen: Before = field(default_factory=Before)
    """What the options of that port said of its fields and steps."""


def read_lock(path: Path) -> Lock:
    """Return the lock of a file; an empty one when it is missing or spoilt."""
    try:
        return lock_of(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Lock()


def lock_of(data: dict[str, Any]) -> Lock:
    """Return a lock from its JSON. Raises KeyError, TypeError or AttributeError when it is spoilt."""
    steps = tuple(
        KnownStep(
            str(step["id"]),
            str(step["done"]),
            tuple(
                KnownCell(str(c["id"]), str(c["function"]), str(c["source"])) for c in step["cells"]
            ),
        )
        for step in data["steps"]
    )
    pending = tuple(Conflict(**conflict) for conflict in data["pending"])
    return Lock(
        steps,
        tuple(map(str, data["retired"])),
        tuple(c for c in pending if c.reason in REASONS),
        {str(old): str(new) for old, new in data.get("renames", {}).items()},
        {str(name): str(digest) for name, digest in data["files"].items()},
        str(data["written_sha"]),
        str(data["base_sha"]),
        str(data["header"]),
        str(data.get("notebook_sha", "")),
        chosen_in(data),
    )


def conflicts_as_data(conflicts: Iterable[Conflict]) -> list[dict[str, str | None]]:
    """Return conflicts as the lock keeps them."""
    return [asdict(conflict) for conflict in sorted(conflicts, key=lambda c: c.id)]


def known_of(lock: Lock, text: str) -> KnownSteps | None:
    """Return the identities of a plugin: from its lock, else as far as its text tells. None for a text that tells nothing."""
    methods = _functions(text)
    taken = {name[: name.index("_", 5)] if "_" in name[5:] else name for name, _, _ in methods}
    steps = lock.steps or _steps(methods)
    if not steps:
        return None
    return KnownSteps(steps, frozenset({*taken, *lock.retired}))


def _functions(text: str) -> list[tuple[str, str | None, str]]:
    """The functions of a plugin's steps: name, id of the cell (None for a handler), source."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return []
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[:5] == "step_":
            body = [s for s in node.body if not isinstance(s, ast.Global)]
            source = "\n".join(map(ast.unparse, body))
            found.append((node.name, _cell_id(node), source))
    return found


def _cell_id(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    """What `@cell("...")` above a function says."""
    for decorator in node.decorator_list:
        match decorator:
            case ast.Call(func=ast.Name(id="cell"), args=[ast.Constant(value=str(name)), *_]):
                return name
    return None


def _steps(methods: list[tuple[str, str | None, str]]) -> tuple[KnownStep, ...]:
    """Steps as the cells of a plugin's text tell them. What stood for "done" is not known: it will be asked anew."""
    steps: dict[str, list[KnownCell]] = {}
    for name, cell, source in methods:
        if cell is not None and "_" in name[5:]:
            steps.setdefault(name[: name.index("_", 5)], []).append(KnownCell(cell, name, source))
    return tuple(KnownStep(key, "", tuple(cells)) for key, cells in steps.items())


# --- writing lock.json ----------------------------------------------------------------------------------------------------


def lock_text(
    plan: Plan, made: "Regenerated", where: "Place", raw: bytes, files: dict[str, bytes]
) -> bytes:
    """Return the lock of a port, one thing a line and sorted, so that git merges it.

    `raw` is the notebook as it was read, `files` are those that travel with the plugin.
    """
    live = {step.id for step in plan.steps}
    gone = {*where.lock.retired, *(step.id for step in where.lock.steps)} - live
    made_from = origin(text_of(made.content)) or {}
    lock = {
        "schema": SCHEMA,
        "port_id": where.port_id,
        "notebook": where.notebook,
        "output": where.path.name,
        "generator": __version__,
        "notebook_sha": sha(raw),
        "written_sha": sha(made.content),
        "base_sha": sha(made.base.encode()),
        "header": made_from.get("base", ""),
        "files": {name: sha(content) for name, content in files.items()},
        "retired": sorted(gone),
        "pending": conflicts_as_data(made.conflicts),
        "steps": [
            {
                "id": step.id,
                "done": step.done,
                "show": step.title,
                "cells": [
                    {"id": c.cell, "function": c.function, "source": c.original} for c in step.cells
                ],
            }
            for step in plan.steps
        ],
    }
    if made.renames:
        lock["renames"] = dict(made.renames)
    options = {"fields": list(plan.chosen), "by": plan.by}
    if any(options.values()):
        lock["options"] = {name: value for name, value in options.items() if value}
    return (json.dumps(lock, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
