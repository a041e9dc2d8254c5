"""Modules that upstream's plugins import and that are not installed here (CONTRACT 1.16)."""

import importlib.util
import logging
import sys
from collections import namedtuple
from types import ModuleType
from typing import Any

Step = namedtuple("Step", ["id", "done", "show", "refill", "transform"], defaults=(None,))

ROLES = ("Core", "Botify Employee", "Tutorial", "Developer", "Workshop", "Components")
ROLES_ALWAYS_ON = ("Core",)


# loguru's own levels, and the nearest ones of `logging`
_LEVELS = {"trace": logging.DEBUG, "success": logging.INFO}


class Logger(logging.LoggerAdapter[logging.Logger]):
    """Loguru's `logger`, as far as plugins use it: fills in braces and passes lines to `logging`."""

    def log(self, level: Any, msg: object, *args: Any, **kwargs: Any) -> None:
        """Log a line; the level is a name or a number."""
        trouble = kwargs.pop("exc_info", None)
        if isinstance(level, str):
            number = _LEVELS.get(level.lower(), logging.getLevelNamesMapping().get(level.upper()))
            level = logging.INFO if number is None else number
        text = str(msg)
        if args or kwargs:
            try:
                text = text.format(*args, **kwargs)
            except (IndexError, KeyError, ValueError):
                text = f"{text} {args or ''}{kwargs or ''}"
        self.logger.log(level, "%s", text, exc_info=trouble)

    def trace(self, msg: object, *args: Any, **kwargs: Any) -> None:
        self.log("trace", msg, *args, **kwargs)

    def success(self, msg: object, *args: Any, **kwargs: Any) -> None:
        self.log("success", msg, *args, **kwargs)

    def bind(self, **fields: Any) -> "Logger":
        return self

    def opt(self, *args: Any, **options: Any) -> "Logger":
        return self


def _missing(name: str) -> bool:
    return name not in sys.modules and importlib.util.find_spec(name) is None


def provide_upstream_modules() -> None:
    """Make `imports.crud` and `loguru` importable, and add to `fasthtml.common` what newer versions removed.

    A real module of such a name, as in an upstream checkout, takes precedence.
    """
    if _missing("loguru"):
        loguru = ModuleType("loguru")
        loguru.__dict__["logger"] = Logger(logging.getLogger("pipulate.plugin"), {})
        sys.modules["loguru"] = loguru
    if _missing("imports"):
        package, crud = ModuleType("imports"), ModuleType("imports.crud")
        package.__path__ = []
        crud.__dict__.update(Step=Step, VALID_ROLES=list(ROLES))
        package.__dict__["crud"] = crud
        sys.modules.update({"imports": package, "imports.crud": crud})
    import fasthtml.common
    import fastlite
    from apswutils.db import Database, NotFoundError
    from fasthtml import pico

    gone = {name: getattr(part, name) for part in (pico, fastlite) for name in public(part)}
    for name, value in {**gone, "Database": Database, "NotFoundError": NotFoundError}.items():
        if not hasattr(fasthtml.common, name):
            setattr(fasthtml.common, name, value)


def public(module: ModuleType) -> list[str]:
    """Return the names that `from module import *` gives."""
    names = getattr(module, "__all__", None)
    return list(names) if names is not None else [n for n in vars(module) if n[:1] != "_"]
