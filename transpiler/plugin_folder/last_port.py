"""What a port can see in a moment of the last one: that nothing has changed, and what its options said. Reads; imports nothing heavy."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from transpiler.model.options import By, Options
from transpiler.plugin_folder.paths import (
    is_same_notebook,
    matching,
    notebook_path,
    relative_path,
    sha,
)

if TYPE_CHECKING:
    from transpiler.model.ir import Plan


def unchanged(notebook: Path, raw: bytes, out: Path, fingerprint: str) -> Path | None:
    """Return the plugin when a port of this notebook would change nothing, else None. Imports nothing heavy.

    `fingerprint` stands for the compiler and the options; the stamp holds it with the hashes of the notebook, the
    plugin and its files.
    """
    now = notebook_path(notebook, out), fingerprint, sha(raw)
    for path in matching(out, ".port/*/unchanged.stamp"):
        try:
            stamp = json.loads(path.read_bytes())
            plugin = out / str(stamp["plugin"])
            if now == (stamp["notebook"], stamp["fingerprint"], stamp["notebook_sha"]):
                files = stamp["files"].items()
                if all(sha((out / name).read_bytes()) == digest for name, digest in files):
                    return plugin
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def stamp_of(
    plan: "Plan", content: bytes, path: Path, notebook: Path, raw: bytes, fingerprint: str
) -> str:
    """Return what `unchanged` will compare: the hashes of everything that the port read and wrote."""
    out = path.parent
    files = {path.name: sha(content)}
    for name in plan.files:
        there = notebook.parent / name
        copy = f"{plan.app_name}.files/{name}"
        files[copy] = files[relative_path(there, out)] = sha(there.read_bytes())
    stamp = {
        "fingerprint": fingerprint,
        "notebook": notebook_path(notebook, out),
        "notebook_sha": sha(raw),
        "plugin": path.name,
        "files": files,
    }
    return json.dumps(stamp, indent=1, sort_keys=True) + "\n"


# --- the options of the last port -----------------------------------------------------------------------------------------


class Before(NamedTuple):
    """The fields that were chosen, and how cells were made steps."""

    fields: tuple[str, ...] = ()
    by: By = None


def with_remembered(options: Options, before: Before) -> tuple[Options, tuple[str, ...]]:
    """Return the options with what they leave to the last port, and the chosen fields."""
    fields = before.fields if options.fields is None else options.fields
    return replace(options, by=options.by or before.by), fields


def remembered(notebook: Path, out: Path) -> Before:
    """Return what was chosen at the last port of this notebook into this folder."""
    for path in matching(out, ".port/*/lock.json"):
        try:
            lock = json.loads(path.read_bytes())
            same = is_same_notebook(lock["notebook"], notebook_path(notebook, out), out)
            if same and (out / lock["output"]).is_file():
                return chosen_in(lock)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return Before()


def chosen_in(lock: dict[str, Any]) -> Before:
    """Return the options that a lock keeps. Raises AttributeError or TypeError when it is spoilt."""
    options = lock.get("options", {})
    by: By = options["by"] if options.get("by") in ("cell", "heading") else None
    return Before(tuple(map(str, options.get("fields", ()))), by)
