"""Stands for the module `pipulate` where upstream's is not installed: `from pipulate import pip`, `wand`.

As an IPython extension it makes that import work; a module of that name that is really there is always taken first.
"""

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from typing import Any

from pipulate_runtime.notebook.pip import Pip, pip

__all__ = ["Pip", "Pipulate", "pip", "wand"]

wand = pip
Pipulate = Pip

NAME = "pipulate"


class Finder:
    """The last of the finders that an import asks."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Find this file under the other name."""
        return importlib.util.spec_from_file_location(name, __file__) if name == NAME else None


def load_ipython_extension(shell: Any = None) -> None:
    """Make `import pipulate` work in this process."""
    if Finder not in sys.meta_path:
        sys.meta_path.append(Finder)
