"""Loads plugin files (CONTRACT 1.1 to 1.3). A file that cannot be loaded becomes a Problem; the others work."""

import hashlib
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from pipulate_runtime.host.compat import provide_upstream_modules
from pipulate_runtime.host.plugins import Loaded, Plugin, Problem, is_address, split_name

NAMES = ("NAME", "APP_NAME", "DISPLAY_NAME", "name", "app_name", "display_name")

# First parts of addresses that are the host's own, or upstream's: a plugin there would be out of reach.
SERVER_ROUTES = frozenset(
    [
        "assets",
        "chat",
        "clear-db",
        "clear-pipeline",
        "download_file",
        "favicon.ico",
        "generate-new-key",
        "mcp-tool-executor",
        "open-folder",
        "poke",
        "problems",
        "profiles",
        "redirect",
        "refresh-app-menu",
        "refresh-profile-menu",
        "roles",
        "runs",
        "search-apps",
        "select_profile",
        "sse",
        "static",
        "switch_environment",
        "tasks",
        "theme",
        "ws",
    ]
)


class Unusable(Exception):
    """Why a module that imports is no plugin, and what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        """Both are shown to the user."""
        super().__init__(message)
        self.remedy = remedy


def import_file(path: Path) -> ModuleType:
    """Imports a plugin file under a name of its own; raises whatever the file raises."""
    provide_upstream_modules()
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    stem = re.sub(r"\W", "_", path.stem)
    name = f"pipulate_plugins_{digest}_{stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Unusable(
            f"{path.name} is not a Python file.",
            "Give the .py file that `pipulate port` makes of a notebook.",
        )
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def find_classes(module: ModuleType) -> list[type]:
    """The classes that may be the workflow, in alphabetical order (CONTRACT 1.2)."""
    return [
        cls
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if hasattr(cls, "landing") and any(hasattr(cls, name) for name in NAMES)
    ]


def construct(cls: type, offered: dict[str, Callable[[], Any]]) -> Any:
    """Makes an instance, its arguments given by their names; raises Unusable for one nobody offers."""
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
    """What went wrong with a plugin file, as a Problem."""
    if isinstance(error, Unusable):
        return Problem(key, path, str(error), error.remedy)
    start = error.__traceback__
    while start is not None and start.tb_frame.f_code.co_filename != str(path):
        start = start.tb_next  # the host's own frames say nothing about the file
    trace = "".join(traceback.format_exception(type(error), error, start))
    if isinstance(error, SyntaxError):
        message = f"{type(error).__name__}: {error.msg}"
        return Problem(
            key,
            path,
            message,
            "Correct the line, then start the server again.",
            error.lineno,
            trace,
        )
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    line = frames[-1].lineno if frames else None
    message = f"{type(error).__name__}: {error}".rstrip(": ")
    if isinstance(error, ModuleNotFoundError) and error.name:
        remedy = f"Install what it needs (pip install {error.name.partition('.')[0]}), then start the server again."
    else:
        remedy = "Correct the file, or port the notebook again, then start the server again."
    return Problem(key, path, message, remedy, line, trace)


class Loader:
    """Loads plugins one by one and remembers which names are taken.

    `offered` gives constructor arguments by name. Routes that a plugin added before it failed are taken back.
    """

    def __init__(self, app: Any, offered: dict[str, Callable[[], Any]]) -> None:
        """For an app without plugins."""
        self._app = app
        self._offered = offered
        self.plugins: list[Plugin] = []
        self.problems: list[Problem] = []

    def load(self, path: Path) -> None:
        """Loads a file: a Plugin, or a Problem."""
        number, key = split_name(path.stem)
        routes = list(self._app.router.routes)
        try:
            self.plugins.append(self._load(path, number, key))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._app.router.routes[:] = routes
            self.problems.append(explain(path, key, error))

    def _load(self, path: Path, number: int | None, key: str) -> Plugin:
        rename = "Rename one of the two files, then start the server again."
        if not is_address(key):
            raise Unusable(
                "The file's name has characters that an address cannot have.",
                "Give it a name of letters, digits and underscores, then start the server again.",
            )
        if key in SERVER_ROUTES:
            message = f"The address /{key} belongs to the server itself."
            raise Unusable(message, "Give the file another name, then start the server again.")
        for other in self.plugins:
            if other.key == key:
                raise Unusable(f"{other.path.name} has the address /{key} already.", rename)
        module = import_file(path)
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
                        "Give one of the two another APP_NAME, then start the server again.",
                    )
            if app_name in SERVER_ROUTES:
                raise Unusable(
                    f"Its APP_NAME {app_name!r} is an address of the server itself.",
                    "Give it another APP_NAME, then start the server again.",
                )
            try:
                return construct(cls, self._offered)
            except Exception as failure:
                error = error or failure
        assert error is not None, "there is at least one class"
        raise error

    def result(self) -> Loaded:
        """All that was loaded."""
        return Loaded(
            tuple(self.plugins),
            tuple(self.problems),
            {plugin.key: plugin for plugin in self.plugins},
            {plugin.app_name: plugin for plugin in self.plugins},
        )
