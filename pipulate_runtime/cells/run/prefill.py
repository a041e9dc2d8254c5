"""Values of questions that the notebook computes from earlier cells, worked out in the run's kernel.

They are executed right after the step before, once, where the notebook would execute them, and again in each replay: what they
change (a random generator, an iterator) is then as in the notebook.
"""

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from pipulate_runtime.cells.kernel.kernel import CellTimeout, Kernel

MIME = "application/x-pipulate-suggestions"
SECONDS = 60.0


async def suggested(kernel: Kernel, function: str) -> dict[str, Any]:
    """Return what a plugin's function `step_NN_suggestions` gives in a kernel; {} when it fails. Raises KernelDied."""
    found: dict[str, Any] = {}

    def take(kind: str, content: dict[str, Any]) -> None:
        if kind == "display_data" and MIME in content["data"]:
            found.update(json.loads(content["data"][MIME]))

    with contextlib.suppress(CellTimeout):
        code = f"__pipulate__.suggest({function!r})"
        await kernel.execute(code, take, silent=True, timeout=SECONDS)
    return found


def keep_suggested(state: dict[str, Any], suggested: Mapping[str, Mapping[str, Any]]) -> None:
    """Put the values that forms of steps show into a run's state. Those of other steps stay: somebody who goes back there is asked the same."""
    for step_id, values in suggested.items():
        found = {name: value for name, value in values.items() if value is not None}
        state["_suggested"] = {**state.get("_suggested", {}), step_id: found}
