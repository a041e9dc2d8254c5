"""What a step changes of earlier ones: displays with an id, and widgets."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from pipulate_runtime.cells import folders
from pipulate_runtime.cells.job import CELLS, Record
from pipulate_runtime.cells.outputs import Place, Shown
from pipulate_runtime.cells.pool import Run
from pipulate_runtime.cells.widgets import WIDGETS


async def changed_state(
    run: Run,
    read_state: Callable[[], Mapping[str, Any]],
    shown: Shown,
    changed: list[tuple[Place, int]],
) -> Mapping[str, Any]:
    """Return the run's state with those outputs of earlier steps that a later one has changed, as in a notebook."""
    parts: list[tuple[Place, int, Record]] = []
    for (step_id, index), number in changed:
        cell = shown.cells[step_id, index]
        part: Record = {"outputs": [dict(cell.outputs[number])]}
        folders.refer(part, await asyncio.to_thread(folders.write_large, run.folder, part))
        parts.append(((step_id, index), number, part))
    state = read_state()
    for (step_id, index), number, part in parts:
        records = (state.get(step_id) or {}).get(CELLS, [])
        if index < len(records) and number < len(records[index]["outputs"]):
            record, output = records[index], part["outputs"][0]
            record["outputs"][number] = output
            files = {**record.get("files", {}), str(number): part.get("files", {}).get("0", {})}
            record["files"] = {n: names for n, names in files.items() if names}
            keep_widgets(record, shown)
    return state


def keep_widgets(record: Record, shown: Shown) -> None:
    """Keep with a cell what its widgets look like now."""
    if kept := shown.models.kept(record["outputs"]):
        record[WIDGETS] = kept
