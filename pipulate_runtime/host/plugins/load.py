"""Loads plugin files (CONTRACT 1.1 to 1.3). A file that cannot be loaded becomes a Problem; the others work."""

import hashlib
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from pipulate_runtime.host.plugins.model import (
    Loaded,
    Plugin,
    Problem,
    is_address,
    menu_order,
    split_name,
)
from pipulate_runtime.host.plugins.modules import provide_upstream_modules

RESTART = "start the server again"  # the remedy without --reload
NAMES = ("NAME", "APP_NAME", "DISPLAY_NAME", "name", "app_name", "display_name")

# First parts of addresses that the host or upstream uses: a plugin there would be unreachable.
SERVER_ROUTES = frozenset([
    "assets", "chat", "clear-db", "clear-pipeline", "download_file", "favicon.ico",
    "generate-new-key", "log", "mcp-tool-executor", "open-folder", "poke", "port", "problems",
    "profiles", "redirect", "refresh-app-menu", "refresh-profile-menu", "render", "roles",
    "runs", "search-apps", "select_profile", "sse", "static", "switch_environment", "tasks",
    "theme", "ws",
])  # fmt: skip


class Unusable(Exception):
    """A module that imports but is no plugin: why, and what to do, for the user."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class _Afresh(SourceFileLoader):
    """Compiles a file without Python's cache, which tells a newer file by whole seconds only."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return compile(self.get_data(path), path, "exec", dont_inherit=True)


def import_file(path: Path, afresh: bool = False) -> ModuleType:
    """Import a plugin file under a unique name; raises whatever the file raises.

    `afresh`: it may have just changed. If that fails, the previous module stays.
    """
    provide_upstream_modules()
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    stem = re.sub(r"\W", "_", path.stem)
    name = f"pipulate_plugins_{digest}_{stem}"
    loader = _Afresh(name, str(path)) if afresh else None
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    if spec is None or spec.loader is None:
        raise Unusable(
            f"{path.name} is not a Python file.",
            "Use the .py file that `pipulate port` makes from a notebook.",
        )
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before
        raise
    return module


def find_classes(module: ModuleType) -> list[type]:
    """Return the classes that may be the workflow, in alphabetical order (CONTRACT 1.2)."""
    return [
        cls
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if hasattr(cls, "landing") and any(hasattr(cls, name) for name in NAMES)
    ]


def construct(cls: type, offered: dict[str, Callable[[], Any]]) -> Any:
    """Make an instance with arguments by their names. Raises Unusable for a required one that is not offered."""
    arguments = {}
    for name, parameter in list(inspect.signature(cls).parameters.items()):
        if name in offered:
            arguments[name] = offered[name]()
        elif parameter.default is parameter.empty and parameter.kind in (
            parameter.POSITIONAL_OR_KEYWORD,
            parameter.KEYWORD_ONLY,
        ):
            raise Unusable(
                f"{cls.__name__}.__init__ asks for {name!r}, which the host does not have.",
                f"Give {name!r} a default value. The host has: {', '.join(sorted(offered))}.",
            )
    return cls(**arguments)


def explain(path: Path, key: str, error: BaseException) -> Problem:
    """Return the Problem that an exception of a plugin file means."""
    if isinstance(error, Unusable):
        return Problem(key, path, str(error), error.remedy)
    start = error.__traceback__
    while start is not None and start.tb_frame.f_code.co_filename != str(path):
        start = start.tb_next  # leave out the host's own frames
    trace = "".join(traceback.format_exception(type(error), error, start))
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    line = frames[-1].lineno if frames else None
    text, remedy = str(error), "Correct the file, or port the notebook again"
    if isinstance(error, SyntaxError):
        text, remedy, line = error.msg, "Correct the line", error.lineno
    elif isinstance(error, ModuleNotFoundError) and error.name:
        remedy = f"Install what it needs (pip install {error.name.partition('.')[0]})"
    message = f"{type(error).__name__}: {text}".rstrip(": ")
    return Problem(key, path, message, f"{remedy}, then {RESTART}.", line, trace)


class Loader:
    """Loads plugins one by one and remembers their names.

    `offered` gives constructor arguments by name. A plugin that fails leaves no routes.
    """

    def __init__(self, app: Any, offered: dict[str, Callable[[], Any]]) -> None:
        self._app = app
        self._offered = offered
        self._routes: dict[Path, list[Any]] = {}
        self.plugins: list[Plugin] = []
        self.problems: list[Problem] = []

    def load(self, path: Path, afresh: bool = False) -> None:
        """Load a file; the result is a Plugin or a Problem.

        `afresh`: it was changed, or added, while the app runs. Its routes replace the previous ones. If it cannot be loaded,
        the previous version keeps running, and the Problem tells so.
        """
        number, key = split_name(path.stem)
        router = self._app.router
        routes, plugins = list(router.routes), list(self.plugins)
        old = next((plugin for plugin in plugins if plugin.path == path), None)
        self.problems = [p for p in self.problems if p.path != path or p.file]
        self.plugins = [plugin for plugin in plugins if plugin is not old]
        try:
            plugin = self._load(path, number, key, afresh)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            router.routes[:], self.plugins = routes, plugins
            problem = explain(path, key, error)
            if afresh:
                remedy = problem.remedy.replace(RESTART, "save it; it is loaded again by itself")
                problem = replace(problem, remedy=remedy)
            self.problems.append(replace(problem, runs=old is not None))
            return
        if old is not None and old.computes and plugin.computes:
            plugin.instance.cells.succeed(old.instance.cells)
        self._take_away(path)
        known = set(map(id, routes))
        self._routes[path] = [route for route in router.routes if id(route) not in known]
        self.plugins = sorted([*self.plugins, plugin], key=lambda one: menu_order(one.path))

    def forget(self, path: Path) -> None:
        """Remove a plugin whose file was deleted, with its problems."""
        self._take_away(path)
        self.plugins = [plugin for plugin in self.plugins if plugin.path != path]
        self.problems = [problem for problem in self.problems if problem.path != path]

    def complain(self, path: Path, problem: Problem | None) -> None:
        """Replace the problem of a plugin's notebook; None for no problem."""
        self.problems = [p for p in self.problems if not (p.path == path and p.file)]
        if problem is not None:
            self.problems.append(problem)

    def _take_away(self, path: Path) -> None:
        gone = set(map(id, self._routes.pop(path, ())))
        router = self._app.router
        router.routes[:] = [route for route in router.routes if id(route) not in gone]

    def _load(self, path: Path, number: int | None, key: str, afresh: bool) -> Plugin:
        rename = f"Rename one of the two files, then {RESTART}."
        if not is_address(key):
            raise Unusable(
                "The file's name has characters that an address cannot have.",
                f"Give it a name of letters, digits and underscores, then {RESTART}.",
            )
        if key in SERVER_ROUTES:
            message = f"The address /{key} belongs to the server itself."
            raise Unusable(message, f"Give the file another name, then {RESTART}.")
        for other in self.plugins:
            if other.key == key:
                raise Unusable(f"{other.path.name} has the address /{key} already.", rename)
        module = import_file(path, afresh)
        classes = find_classes(module)
        if not classes:
            raise Unusable(
                "No workflow class is in the file.",
                "A workflow is a class with a landing method and an APP_NAME; `pipulate port` writes one.",
            )
        instance = self._first_instance(classes)
        instance.name = key
        if not getattr(instance, "DISPLAY_NAME", None):
            instance.DISPLAY_NAME = key.replace("_", " ").title()
        if not getattr(instance, "APP_NAME", None):
            instance.APP_NAME = getattr(instance, "app_name", None) or key
        if hasattr(instance, "register_routes"):
            instance.register_routes(self._app.route)
        roles = getattr(module, "ROLES", ())
        return Plugin(key, path, number, tuple(map(str, roles)), instance)

    def _first_instance(self, classes: list[type]) -> Any:
        error: Exception | None = None
        for cls in classes:
            app_name = getattr(cls, "APP_NAME", None)
            for other in self.plugins:
                if app_name == other.app_name:
                    raise Unusable(
                        f"Its APP_NAME {app_name!r} is that of {other.path.name}.",
                        f"Give one of the two another APP_NAME, then {RESTART}.",
                    )
            if app_name in SERVER_ROUTES:
                raise Unusable(
                    f"Its APP_NAME {app_name!r} is an address of the server itself.",
                    f"Give it another APP_NAME, then {RESTART}.",
                )
            try:
                return construct(cls, self._offered)
            except Exception as failure:
                error = error or failure
        assert error is not None, "there is at least one class"
        raise error

    def result(self) -> Loaded:
        return Loaded(tuple(self.plugins), tuple(self.problems))
