"""Ports a copy of a notebook for a host: one that was dropped on its page. Runs in a process of its own.

The host has no compiler in it. It is given a `Porter` by the command line; what a port found comes back as plain data, so that
the page can say what `pipulate port` prints.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transpiler.features import isolated
from transpiler.model import rules
from transpiler.model.diagnostics import WHOLE, Diagnostic, Severity, UserError
from transpiler.model.options import Asked, Options
from transpiler.plugin_folder.paths import matching
from transpiler.plugin_folder.pristine import origin

if TYPE_CHECKING:
    from transpiler.pipeline import Ported

SECONDS = 120  # a port of 1,000 cells takes three
NOTEBOOKS = "notebooks"  # in the folder of the plugins: where dropped notebooks are kept, each in a folder of its own

Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Porter:
    """Ports notebooks into one folder of plugins, as the host asks for it.

    A report has `ok`, `changed`, `plugin` and `home` (paths or None), `there` (whether a plugin of that name is there), `title`, `steps`, `rows`, `edits`, `conflicts`,
    `files`, `requirements` and `diagnostics`; each diagnostic has `code`, `name`, `severity`, `place`, `message`, `help`, and the line with
    the marks under it.
    """

    folder: Path

    def plan(self, notebook: Path) -> Report:
        """What a port of a copy would do. Writes nothing into the folder."""
        return _in_a_process(notebook, self.folder, "plan")

    def install(self, notebook: Path) -> Report:
        """Port a copy: the plugin is in the folder afterwards, merged with the one that is there."""
        return _in_a_process(notebook, self.folder, "install")

    def again(self, notebook: Path) -> Report:
        """Port a notebook that a plugin was made of, from where it stands."""
        return _in_a_process(notebook, self.folder, "again")

    def notebooks(self) -> dict[Path, Path]:
        """The notebooks that the plugins of the folder were made of, with their plugins."""
        return {home: plugin for plugin, home in _homes(self.folder)}


def _in_a_process(notebook: Path, folder: Path, wish: str) -> Report:
    """Port in another process: what a notebook may do to a compiler must not be done to a server.

    The report comes back in a file: whatever else that process prints cannot be taken for it.
    """
    with tempfile.TemporaryDirectory(prefix="pipulate-port-") as place:
        answer = Path(place, "report.json")
        try:
            ended = subprocess.run(
                isolated.command(__name__, str(notebook), str(folder), wish, str(answer)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=SECONDS,
                env={**os.environ, "PYTHONUTF8": "1"},
                check=False,
            )
            report: Report = json.loads(answer.read_bytes())
            return report
        except subprocess.TimeoutExpired:
            return _refused(rules.PORT_FAILED.at(WHOLE, reason=f"it took longer than {SECONDS} s"))
        except (FileNotFoundError, ValueError):
            said = ended.stderr.decode("utf-8", "replace").strip().splitlines()
            reason = said[-1][:300] if said else f"its process ended with {ended.returncode}"
            return _refused(rules.PORT_FAILED.at(WHOLE, reason=reason))


def _homes(folder: Path) -> Iterator[tuple[Path, Path]]:
    """The plugins of a folder that were ported, each with the path of its notebook."""
    for path in matching(folder, "*.py"):
        if home := notebook_of(path):
            yield path, Path(os.path.normpath(home))


def notebook_of(plugin: Path) -> Path | None:
    """Return the notebook that a plugin was ported from, as its header line says; None when it cannot be read there."""
    try:
        made_from = origin(plugin.read_bytes().decode("utf-8-sig").replace("\r\n", "\n"))
    except (OSError, UnicodeDecodeError):
        return None
    return plugin.parent / made_from["notebook"] if made_from else None


# --- in the other process -----------------------------------------------------------------------------------------------


def report_of(notebook: Path, folder: Path, wish: str) -> Report:
    """Port a notebook as wished, and report. Raises nothing for what a user can put right."""
    from transpiler.pipeline import planned, port, read_bytes

    try:
        made = planned(read_bytes(notebook), notebook, Options())
        if made.plan is None or any(d.rule.severity is Severity.ERROR for d in made.found):
            return _refused(*made.found, notebook=notebook)
        home, known = notebook, made.plan.app_name
        if wish != "again":
            home = _home_of(known, notebook, folder)
            _with_files_of(folder / f"{known}.files", notebook.parent)
        ported = port(notebook, folder, Options(), Asked(dry=wish == "plan"), home)
    except UserError as error:
        return _refused(error.diagnostic, notebook=notebook)
    return _report(ported, home, folder)


def _home_of(app_name: str, notebook: Path, folder: Path) -> Path:
    """Where the notebook of a plugin is: the one it was made of, else a new place beside the plugins."""
    from transpiler.plugin_folder.place import app_name_of

    for plugin, home in _homes(folder):
        if app_name_of(plugin, plugin.read_text(encoding="utf-8-sig")) == app_name:
            return home
    place, number = folder / NOTEBOOKS / notebook.stem, 2
    while place.exists():
        place = place.with_name(f"{notebook.stem}-{number}")
        number += 1
    return place / notebook.name


def _with_files_of(bundled: Path, beside: Path) -> None:
    """Lay the files that the plugin has already beside the copy, but for those that came with it."""
    if bundled.is_dir():
        shutil.copytree(bundled, beside, copy_function=_copied_once, dirs_exist_ok=True)


def _copied_once(source: str, to: str) -> str:
    return to if os.path.lexists(to) else shutil.copyfile(source, to)


def _refused(*found: Diagnostic, notebook: Path | None = None) -> Report:
    return {"ok": False, "changed": False, "diagnostics": _told(found, notebook)}


def _report(ported: "Ported", home: Path, folder: Path) -> Report:
    """What a port did, as data."""
    plan, result = ported.plan, ported.regenerated
    report: Report = {
        "ok": not ported.failed,
        "changed": ported.changed,
        "plugin": str(ported.plugin) if ported.plugin else None,
        "home": str(home),
        "own": home.parent.parent == folder / NOTEBOOKS,
        "there": ported.before is not None or (plan is None and ported.plugin is not None),
        "diagnostics": _told(ported.found, ported.notebook),
    }
    if plan is not None:
        report |= {
            "title": plan.title,
            "files": list(plan.files),
            "requirements": list(plan.requirements),
            "steps": [
                {
                    "id": step.id,
                    "title": step.title,
                    "asks": [f"{field.name} ({field.type})" for field in step.fields],
                    "button": step.button,
                    "cells": [cell.index for cell in step.cells],
                }
                for step in plan.steps
            ],
        }
    if result is not None:
        report |= {
            "edits": result.edits,
            "conflicts": result.open,
            "rows": [asdict(row) for row in result.rows],
        }
    return report


def _told(found: "tuple[Diagnostic, ...]", notebook: Path | None) -> list[dict[str, str]]:
    """Diagnostics with the lines that they quote."""
    from transpiler.features import report

    in_cells = any(d.span.cell >= 0 for d in found)
    sources = report.sources_of(notebook) if notebook and in_cells else ()
    return [report.quoted(d, notebook.name if notebook else "", sources) for d in found]


if __name__ == "__main__":
    found = report_of(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
    with Path(sys.argv[4]).open("w", encoding="utf-8") as file:
        json.dump(found, file)
