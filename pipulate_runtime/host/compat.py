"""Names that plugins written for upstream import and that are not otherwise there (CONTRACT 1.16)."""

import importlib.util
import sys
from collections import namedtuple
from types import ModuleType

Step = namedtuple("Step", ["id", "done", "show", "refill", "transform"], defaults=(None,))

ROLES = ("Core", "Botify Employee", "Tutorial", "Developer", "Workshop", "Components")
ROLES_ALWAYS_ON = ("Core",)


def provide_upstream_modules() -> None:
    """Makes `imports.crud` importable, and gives `fasthtml.common` the components newer versions moved to fasthtml.pico.

    A real module of that name, as in an upstream checkout, is left alone.
    """
    if "imports" not in sys.modules and importlib.util.find_spec("imports") is None:
        package, crud = ModuleType("imports"), ModuleType("imports.crud")
        package.__path__ = []
        crud.__dict__.update(Step=Step, VALID_ROLES=list(ROLES))
        package.__dict__["crud"] = crud
        sys.modules.update({"imports": package, "imports.crud": crud})
    import fasthtml.common
    import fasthtml.pico

    for name in ("Card", "Group", "Grid", "DialogX", "Container"):
        if not hasattr(fasthtml.common, name):
            setattr(fasthtml.common, name, getattr(fasthtml.pico, name))
