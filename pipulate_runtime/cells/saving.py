"""Saves what a step gave: only if what it was computed from is stored still, however long the database is busy."""

import asyncio
import time
from typing import TYPE_CHECKING

from pipulate_runtime.cells import unfinished
from pipulate_runtime.cells.ending import is_busy
from pipulate_runtime.cells.job import Job
from pipulate_runtime.cells.past import stands
from pipulate_runtime.cells.pool import Run

if TYPE_CHECKING:
    from pipulate_runtime.cells.execution import Execution, Save

PATIENCE = 60.0  # seconds that a save is tried again while another program holds the database


class Superseded(Exception):
    """What the step is computed from was changed meanwhile, in another tab or by another program."""


def see_basis(job: Job, execution: "Execution") -> None:
    """Raise Superseded if what the step is computed from is not stored any more, or with other answers."""
    if not stands(job, execution.step_id, execution.basis):
        raise Superseded


async def saved(run: Run, job: Job, execution: "Execution", save: "Save") -> None:
    """Save what the step gave. It may have taken hours: while another program holds the database, that is waited for.

    Raises Superseded, and whatever `save` raises.
    """
    unfinished.saving(run.folder, execution.step_id, execution.started, execution.cells)
    deadline = time.monotonic() + PATIENCE
    while True:
        see_basis(job, execution)
        try:
            await save(execution.cells)
            return
        except Exception as problem:
            if not is_busy(problem) or time.monotonic() > deadline:
                raise
        execution.doing = "Waiting for the database, which another program uses"
        await asyncio.sleep(1)
