"""Lets a port see in a moment that there is nothing to do. Reads; imports nothing heavy."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from transpiler.plugin_folder.paths import matching, notebook_path, relative_path, sha

if TYPE_CHECKING:
    from transpiler.model.ir import Plan


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
    plan: "Plan", content: bytes, path: Path, notebook: Path, raw: bytes, fingerprint: str
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
