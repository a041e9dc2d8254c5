"""The plugins of all sound fixtures: those of generated/, and the others as they are ported now."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tests.test_golden import FIXTURES, GENERATED, sound_notebooks
from transpiler.model.options import Options
from transpiler.pipeline import port

NAMES = sorted(notebook.stem for notebook in sound_notebooks())


@cache
def plugins() -> Path:
    """Return a folder with the plugin of each sound fixture; it is made once in a process."""
    folder = Path(tempfile.mkdtemp(prefix="ported-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copytree(GENERATED, folder / "generated")
    shutil.copytree(FIXTURES, folder / "fixtures")
    for notebook in sound_notebooks():
        if not (GENERATED / f"{notebook.stem}.py").exists():
            where = folder / "fixtures" / notebook.relative_to(FIXTURES)
            ported = port(where, folder / "generated", Options())
            assert ported.plugin is not None, [d.message for d in ported.found]
    return folder / "generated"


def plugin(name: str) -> Path:
    """Return the plugin of a fixture by its name."""
    there = GENERATED / f"{name}.py"
    return there if there.exists() else plugins() / f"{name}.py"
