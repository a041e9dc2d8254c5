"""Where a notebook finds the data folder of the host."""

import builtins
import os
from pathlib import Path

DATABASE = "pipulate.db"  # as in pipulate_runtime.host.state, which is not imported here
VARIABLE = "PIPULATE_DATA"


def data_folder() -> Path:
    """Return the data folder: `$PIPULATE_DATA`, else the nearest one above, else `data` in the working folder.

    In a ported app each run has one of its own, in its working folder: runs do not see each other's values, and a
    replay starts without any.
    """
    if work := _work_of_run():
        return work / ".pipulate"
    if named := os.environ.get(VARIABLE):
        return Path(named)
    here = Path.cwd()
    for folder in (here, *here.parents):
        for data in (folder / "data", folder):
            if data.name == "data" and (data / DATABASE).is_file():
                return data
    return here / "data"


def _work_of_run() -> Path | None:
    """Return the working folder of the run whose cells execute in this process, if that is so."""
    functions = getattr(builtins, "__pipulate__", None)
    began = getattr(functions, "began", None)
    return Path(began[3]) if began else None
