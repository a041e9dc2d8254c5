"""Where a plugin goes, and what is there now. Reads; nothing here writes."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from transpiler import codes
from transpiler.diagnostics import UserError
from transpiler.ir import Known, Plan
from transpiler.passes.earlier import Lock, known_of
from transpiler.passes.paths import matching, notebook_path
from transpiler.passes.regenerated import REFUSED


@dataclass(frozen=True, slots=True)
class Place:
    """Where a plugin goes, and what is there now."""

    path: Path
    port_id: str
    notebook: str
    """The path from the plugin's folder to the notebook, with slashes."""
    raw: bytes | None
    """The plugin's bytes now."""
    base: bytes | None = None
    """What was emitted last, as it was kept."""
    lock: Lock = field(default_factory=Lock)

    @property
    def home(self) -> Path:
        """The folder of the plugin's papers."""
        return self.path.parent / ".port" / self.port_id

    @property
    def text(self) -> str:
        """The plugin's text now."""
        return text_of(self.raw or b"")

    @property
    def app_name(self) -> str:
        """The plugin's name."""
        return app_name_of(self.path, self.text)


def known_steps(places: Iterable[Place]) -> dict[str, Known]:
    """Return what is known of the steps of plugins, by the plugins' names."""
    known = {}
    for there in places:
        if steps := known_of(there.lock, there.text):
            known[there.app_name] = steps
    return known


def place(
    plan: Plan, notebook: Path, out: Path, number: str | None, ported: Iterable[Place] = ()
) -> Place:
    """Return where the plugin goes: the file that was ported from this notebook before, else a new one.

    `ported` are the plugins that `write.ported_from` or `write.renamed_from` found. Raises UserError (exit 3) when a file is in the way: not ours, or
    another plugin of that name.
    """
    relative = notebook_path(notebook, out)
    wanted = out / (f"{number}_{plan.app_name}.py" if number else f"{plan.app_name}.py")
    ours = {there.path: there for there in ported}
    for path, text in plugins(out):
        if path in ours:
            if app_name_of(path, text) == plan.app_name:
                return ours[path]
            continue  # the notebook has got another name since: that is a new plugin
        if path == wanted:
            raise UserError(codes.NOT_OURS, REFUSED, path=str(path))
        if plan.app_name in (module_key(path), app_name_of(path, text)):
            raise UserError(codes.SLUG_CLASH, REFUSED, path=str(path), name=plan.app_name)
    port_id = hashlib.sha256(f"{plan.app_name}\n{relative}".encode()).hexdigest()[:12]
    return Place(wanted, port_id, relative, None)


def module_key(path: Path) -> str:
    """Return the name under which a server shows a plugin file: without its leading number (CONTRACT 1.1)."""
    return re.sub(r"^\d+_", "", path.stem)


def app_name_of(path: Path, text: str) -> str:
    """Return the `APP_NAME` of a plugin, or the file's module key when it has none."""
    found = re.search(r"^    APP_NAME = ['\"]([^'\"]+)['\"]", text, re.MULTILINE)
    return found[1] if found else module_key(path)


def text_of(content: bytes) -> str:
    """Return a plugin's text, whatever editor has saved it."""
    return content.decode("utf-8-sig").replace("\r\n", "\n")


def plugins(out: Path) -> Iterator[tuple[Path, str]]:
    """The plugin files of a folder with their texts, in order."""
    for path in matching(out, "*.py"):
        try:
            yield path, text_of(path.read_bytes())
        except (OSError, UnicodeDecodeError):
            yield path, ""


def sources_of(raw: bytes) -> set[str]:
    """Return the texts of a notebook's cells; none when it is not one, which the next pass will say."""
    try:
        return {"".join(cell["source"]) for cell in json.loads(raw)["cells"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        return set()
