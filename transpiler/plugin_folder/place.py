"""Where a plugin goes, and what is there now. Reads; nothing here writes."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from transpiler.model import rules
from transpiler.model.diagnostics import REFUSED, UserError
from transpiler.model.ir import KnownSteps, Plan
from transpiler.plugin_folder.lockfile import FILE, Lock, PortedFrom, known_of, read_ported
from transpiler.plugin_folder.paths import matching, notebook_path, text_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where a plugin goes, and what is there now."""

    path: Path
    port_id: str
    notebook: str  # The path from the plugin's folder to the notebook, with slashes
    raw: bytes | None  # The plugin's bytes now
    base: bytes | None = None  # What was emitted last, as it was kept
    lock: Lock = field(default_factory=Lock)

    @property
    def home(self) -> Path:
        """The folder of the plugin's papers."""
        return self.path.parent / ".port" / self.port_id

    def ported_by_another(self, compiler: str) -> PortedFrom | None:
        """Return the notebook as another compiler than this one ported it; None when it was this one, or nobody knows."""
        path = self.home / FILE
        return None if self.raw is None else read_ported(path, self.lock.base_sha, compiler)

    @property
    def files(self) -> Path:
        """The folder of the files that travel with the plugin."""
        return self.path.parent / f"{self.app_name}.files"

    @property
    def text(self) -> str:
        """The plugin's text now."""
        return text_of(self.raw or b"")

    @property
    def app_name(self) -> str:
        """The plugin's name."""
        return app_name_of(self.path, self.text)


def known_steps(places: Iterable[Place]) -> dict[str, KnownSteps]:
    """Return what is known of the steps of plugins, by the plugins' names."""
    known = ((there.app_name, known_of(there.lock, there.text)) for there in places)
    return {name: steps for name, steps in known if steps}


def place(
    plan: Plan, notebook: Path, out: Path, number: str | None, ported: Iterable[Place] = ()
) -> Place:
    """Return where the plugin goes: the file that was ported from this notebook before, else a new one.

    `ported` are the plugins of this notebook that are there. Raises UserError (exit 3) when a file is in the way: not ours, or
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
            raise UserError(rules.NOT_OURS, REFUSED, path=str(path))
        if plan.app_name in (module_key(path), app_name_of(path, text)):
            raise UserError(rules.SLUG_CLASH, REFUSED, path=str(path), name=plan.app_name)
    port_id = hashlib.sha256(f"{plan.app_name}\n{relative}".encode()).hexdigest()[:12]
    return Place(wanted, port_id, relative, None)


def module_key(path: Path) -> str:
    """Return the name under which a server shows a plugin file: without its leading number (CONTRACT 1.1)."""
    return re.sub(r"^\d+_", "", path.stem)


def app_name_of(path: Path, text: str) -> str:
    """Return the `APP_NAME` of a plugin, or the file's module key when it has none."""
    found = re.search(r"^    APP_NAME = ['\"]([^'\"]+)['\"]", text, re.MULTILINE)
    return found[1] if found else module_key(path)


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
