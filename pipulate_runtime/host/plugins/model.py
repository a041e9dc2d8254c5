"""Plugins of a folder, their problems, and the rules for file names (CONTRACT 1.1)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Plugin:
    """A loaded workflow. `key` is its address, `app_name` the stable name its runs are stored under."""

    key: str
    path: Path
    number: int | None
    roles: tuple[str, ...]
    instance: Any

    @property
    def app_name(self) -> str:
        return str(self.instance.APP_NAME)

    @property
    def title(self) -> str:
        return str(self.instance.DISPLAY_NAME)

    @property
    def description(self) -> str:
        """One sentence about it, or ""."""
        return describe(self.instance)

    @property
    def computes(self) -> bool:
        """Whether it runs cells of a notebook."""
        return getattr(self.instance, "cells", None) is not None

    @property
    def steps(self) -> Sequence[Any]:
        """Its steps, `finalize` last; () for a plugin without steps."""
        return tuple(getattr(self.instance, "steps", ()))


@dataclass(frozen=True, slots=True)
class Problem:
    """A plugin file that cannot be used: what is wrong, where, what to do, and the traceback."""

    key: str
    path: Path
    message: str
    remedy: str
    line: int | None = None
    trace: str = ""
    file: str = ""
    """The name of the wrong file if that is the plugin's notebook."""
    runs: bool = False
    """Whether the previous version keeps running, since the file was changed while the server runs."""


@dataclass(slots=True)
class Loaded:
    """All plugins of a folder, in menu order. The object changes in place, so that everything that holds it sees changes."""

    plugins: tuple[Plugin, ...] = ()
    problems: tuple[Problem, ...] = ()
    by_key: dict[str, Plugin] = field(init=False)
    by_app: dict[str, Plugin] = field(init=False)

    def __post_init__(self) -> None:
        self.replace(self.plugins, self.problems)

    def replace(self, plugins: Sequence[Plugin], problems: Sequence[Problem]) -> None:
        """Replace the plugins and problems."""
        self.plugins, self.problems = tuple(plugins), tuple(problems)
        self.by_key = {plugin.key: plugin for plugin in plugins}
        self.by_app = {plugin.app_name: plugin for plugin in plugins}

    def of_roles(self, on: set[str]) -> list[Plugin]:
        """Return the workflows of the roles that are switched on, and of Core."""
        return [p for p in self.plugins if "Core" in p.roles or on.intersection(p.roles)]

    def problems_of(self, plugin: Plugin) -> list[Problem]:
        """Return the problems of a running plugin: of its changed file, and of its notebook."""
        return [problem for problem in self.problems if problem.path == plugin.path]

    @property
    def compute(self) -> bool:
        """Whether any of them runs cells."""
        return any(plugin.computes for plugin in self.plugins)


def describe(instance: Any) -> str:
    """Return a plugin's one-sentence description (CONTRACT 1.5)."""
    method = getattr(instance, "get_endpoint_message", None)
    return str(method() if callable(method) else getattr(instance, "ENDPOINT_MESSAGE", "") or "")


def split_name(stem: str) -> tuple[int | None, str]:
    """Return menu number and key of a file name: "040_hello" is (40, "hello")."""
    match = re.match(r"(\d+)_(.+)", stem)
    return (int(match[1]), match[2]) if match else (None, stem)


def is_address(key: str) -> bool:
    """Whether a key can be used unquoted in an address."""
    return re.fullmatch(r"[\w.~-]+", key) is not None


def find_files(folder: Path) -> list[Path]:
    """Return the plugin files of a folder in menu order: by number, those without one last."""

    def is_plugin(path: Path) -> bool:
        skipped = path.name.startswith(("__", "xx_", "XX_", ".")) or re.search(r"[()]", path.name)
        return path.is_file() and not skipped

    return sorted(filter(is_plugin, folder.glob("*.py")), key=menu_order)


def menu_order(path: Path) -> tuple[bool, int, str]:
    """Return the sort key of a plugin file in the menu."""
    number, key = split_name(path.stem)
    return (number is None, number or 0, key)
