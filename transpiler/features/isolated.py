"""Starts a module of ours in a process that imports nothing from the folder it stands in.

`command("transpiler.features.host_porter", "plan")` is the command for `python -m transpiler.features.host_porter plan`, but without the working directory, which
`-m` puts first on the path: a `types.py` or a `secrets.py` beside somebody's notebooks is neither imported nor executed.

This file is also what that command executes, as a script: it imports nothing but the standard library.
"""

import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def command(module: str, *arguments: str) -> list[str]:
    """The command that executes a module of ours with these arguments."""
    return [sys.executable, "-P", str(Path(__file__).resolve()), module, *arguments]


def _run(module: str) -> None:
    """Execute a module as `-m` does, out of the package that this file belongs to."""
    spec = find_spec(PACKAGE.name)
    if spec is None or spec.origin is None or Path(spec.origin).resolve().parent != PACKAGE:
        sys.path.insert(0, str(PACKAGE.parent))  # the parent had it from its working directory
    del sys.argv[:1]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _run(sys.argv[1])
