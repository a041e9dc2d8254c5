"""Lets a port see in a moment that there is nothing to do. Reads; imports nothing heavy."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from transpiler.ir import Plan
from transpiler.options import By
from transpiler.passes.paths import is_same_notebook, matching, notebook_path, relative_path, sha


def unchanged(notebook: Path, raw: bytes, out: Path, fingerprint: str) -> Path | None:
    """Return the plugin when a port of this notebook would change nothing, else None. Imports nothing heavy.

    `fingerprint` stands for the compiler and the options; the stamp holds it with the hashes of the notebook, the
    plugin and its files.
    """
    for path in matching(out, ".port/*/unchanged.stamp"):
        try:
            stamp = json.loads(path.read_bytes())
            plugin = out / str(stamp["plugin"])
            if (
                stamp["notebook"] == notebook_path(notebook, out)
                and stamp["fingerprint"] == fingerprint
                and stamp["notebook_sha"] == sha(raw)
                and all(
                    sha((out / name).read_bytes()) == digest
                    for name, digest in stamp["files"].items()
                )
            ):
                return plugin
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def stamp_of(
    plan: Plan, content: bytes, path: Path, notebook: Path, raw: bytes, fingerprint: str
) -> str:
    """Return what `unchanged` will compare: the hashes of everything that the port read and wrote."""
    out = path.parent
    files = {path.name: sha(content)}
    for name in plan.files:
        source = sha((notebook.parent / name).read_bytes())
        files[relative_path(notebook.parent / name, out)] = source
        files[f"{plan.app_name}.files/{name}"] = source
    stamp = {
        "fingerprint": fingerprint,
        "notebook": notebook_path(notebook, out),
        "notebook_sha": sha(raw),
        "plugin": path.name,
        "files": files,
    }
    return json.dumps(stamp, indent=1, sort_keys=True) + "\n"


class Before(NamedTuple):
    """What options said at the last port, for when they say nothing at this one."""

    fields: tuple[str, ...] = ()
    by: By = None


def options_before(notebook: Path, out: Path) -> Before:
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
