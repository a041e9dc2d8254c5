"""Says what a port leaves in the folder of plugins, and has it written."""

from pathlib import Path

from transpiler.model import rules
from transpiler.model.diagnostics import WHOLE, Found
from transpiler.model.ir import Plan
from transpiler.passes.regenerate import Regenerated
from transpiler.plugin_folder.last_port import stamp_of
from transpiler.plugin_folder.lockfile import FILE, lock_text, ported_from
from transpiler.plugin_folder.place import Place
from transpiler.plugin_folder.plugin_folder import STAMP, PluginFolder


def write(
    folder: PluginFolder,
    where: Place,
    plan: Plan,
    made: Regenerated,
    notebook: Path,
    raw: bytes,
    compiler: str,
    fingerprint: str,
) -> Found:
    """Write the plugin, the files that travel with it, its base, lock and stamp; return what was found.

    `raw` is the notebook as it was read, from the path `notebook`; `compiler` the digest of this compiler, `fingerprint` that of
    compiler and options, for the stamp of a port that has nothing left to say. Raises UserError (exit 3) as `PluginFolder.write` does.
    """
    contents = {name: (notebook.parent / name).read_bytes() for name in plan.files}
    stamp = ""
    if folder.notebook == notebook and not (made.open or made.undefined):
        stamp = stamp_of(plan, made.content, where.path, notebook, raw, fingerprint)
    papers = {
        "base.py.txt": made.base.encode(),
        "lock.json": lock_text(plan, made, where, raw, contents),
        FILE: ported_from(raw, made.base, compiler, plan.by, plan.chosen).encode(),
        # The last of all: with it a port says that it has come to its end.
        STAMP: stamp.encode(),
    }
    beside = folder.out / f"{plan.app_name}.files"
    files = {beside / name: content for name, content in contents.items()}
    kept = folder.write(where, made.content, files, papers)
    return tuple(rules.BUNDLED_FILE_KEPT.at(WHOLE, path=str(path)) for path in sorted(kept))
