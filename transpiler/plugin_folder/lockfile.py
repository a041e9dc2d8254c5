"""What an earlier port left beside a plugin: its lock, its base. Reads; nothing here writes.

lock.json       identities, hashes, open conflicts
base.py.txt     the text as it was emitted, which is the base of the next merge
"""

import ast
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from transpiler import __version__
from transpiler.merge.conflicts import REASONS, Conflict
from transpiler.model.ir import KnownCell, KnownStep, KnownSteps, Plan, PlannedStep
from transpiler.plugin_folder.last_port import Before, chosen_in
from transpiler.plugin_folder.paths import sha, text_of
from transpiler.plugin_folder.pristine import origin

if TYPE_CHECKING:
    from transpiler.passes.regenerate import Regenerated
    from transpiler.plugin_folder.place import Place

# --- the notebook as it was ported ----------------------------------------------------------------------------------------

FILE = "cells.json"
# Metadata that is of a run, not of the notebook
_RUNS = {"execution", "ExecuteTime", "executionInfo", "outputId", "widgets"}


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
    for sheet in (notebook, *_objects(notebook.get("worksheets"))):  # format 3 has sheets
        sheet["metadata"] = _lasting(sheet.get("metadata"))
        for cell in _objects(sheet.get("cells")):
            cell["metadata"] = _lasting(cell.get("metadata"))
            for key, empty in (("outputs", []), ("execution_count", None), ("prompt_number", None)):
                if key in cell:
                    cell[key] = empty
    base_sha = sha(emitted.encode())
    made = {"compiler": compiler, "base_sha": base_sha, "by": by, "fields": fields}
    return json.dumps({**made, "notebook": notebook}, indent=1, sort_keys=True) + "\n"


def _objects(listed: Any) -> list[dict[str, Any]]:
    """The objects in what should be a list of them: `read` leaves out what is none, with PP110."""
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


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


def _lasting(metadata: object) -> dict[str, Any]:
    """Metadata without what is of a run."""
    there = metadata if isinstance(metadata, dict) else {}
    return {key: value for key, value in there.items() if key not in _RUNS}


# --- reading lock.json ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lock:
    """What is kept of a port. Everything has a value for a lock that is missing or spoilt."""

    steps: tuple[KnownStep, ...] = ()
    retired: tuple[str, ...] = ()  # Ids that are gone: they are not given again
    pending: tuple[Conflict, ...] = ()
    # Methods of the frame that the user renamed: name as emitted, name in the plugin
    renames: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)  # The hash of each
    written_sha: str = ""  # Of the plugin's bytes
    base_sha: str = ""  # Of the base's bytes
    header: str = ""  # What the plugin's header line says of its base
    notebook_sha: str = ""  # Of the notebook's bytes
    chosen: Before = field(default_factory=Before)  # What the options said of fields and steps


def read_lock(path: Path) -> Lock:
    """Return the lock of a file; an empty one when it is missing or spoilt."""
    try:
        data = json.loads(path.read_bytes())
        pending = (Conflict(**conflict) for conflict in data["pending"])
        return Lock(
            tuple(_known_step(step) for step in data["steps"]),
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
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Lock()


def _known_step(step: dict[str, Any]) -> KnownStep:
    cells = ((str(c["id"]), str(c["function"]), str(c["source"])) for c in step["cells"])
    return KnownStep(str(step["id"]), str(step["done"]), tuple(KnownCell(*c) for c in cells))


def known_of(lock: Lock, text: str) -> KnownSteps | None:
    """Return the identities of a plugin: from its lock, else as far as its text tells. None for a text that tells nothing."""
    cells = _cells_of_steps(text)
    # What stood for "done" is not told by a text: it will be asked anew.
    steps = lock.steps or tuple(KnownStep(key, "", tuple(c)) for key, c in cells.items() if c)
    return KnownSteps(steps, frozenset({*cells, *lock.retired})) if steps else None


def _cells_of_steps(text: str) -> dict[str, list[KnownCell]]:
    """The steps that a plugin has functions of, each with its cells as far as the text tells them."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    found: dict[str, list[KnownCell]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[:5] == "step_":
            number, _, part = node.name.removeprefix("step_").partition("_")
            cells = found.setdefault(f"step_{number}", [])
            if part and (cell := _cell_id(node)) is not None:
                body = [s for s in node.body if not isinstance(s, ast.Global)]
                cells.append(KnownCell(cell, node.name, "\n".join(map(ast.unparse, body))))
    return found


def _cell_id(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    """What `@cell("...")` above a function says."""
    for decorator in node.decorator_list:
        match decorator:
            case ast.Call(func=ast.Name(id="cell"), args=[ast.Constant(value=str(name)), *_]):
                return name
    return None


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
        "schema": 2,
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
        "pending": [asdict(each) for each in sorted(made.conflicts, key=lambda c: c.id)],
        "steps": [_step_text(step) for step in plan.steps],
    }
    if made.renames:
        lock["renames"] = dict(made.renames)
    options = {"fields": list(plan.chosen), "by": plan.by}
    if any(options.values()):
        lock["options"] = {name: value for name, value in options.items() if value}
    return (json.dumps(lock, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _step_text(step: PlannedStep) -> dict[str, object]:
    cells = [{"id": c.cell, "function": c.function, "source": c.original} for c in step.cells]
    return {"id": step.id, "done": step.done, "show": step.title, "cells": cells}
