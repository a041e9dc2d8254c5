"""Replaces the module `pipulate` where upstream's is not installed: `from pipulate import pip`, `wand`.

It is an IPython extension that makes the import work. An installed module of that name always takes precedence.
"""

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from typing import Any

from pipulate_runtime.jupyter.pip import Pip, pip

__all__ = ["Pip", "Pipulate", "pip", "wand"]

wand = pip
Pipulate = Pip

NAME = "pipulate"


class Finder:
    """The last of the import finders: finds this file under the name `pipulate`."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return importlib.util.spec_from_file_location(name, __file__) if name == NAME else None


def load_ipython_extension(shell: Any = None) -> None:
    """Make `import pipulate` work in this process."""
    if Finder not in sys.meta_path:
        sys.meta_path.append(Finder)
