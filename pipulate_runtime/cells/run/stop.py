"""Ends a step that is running: because what it computes is void, or because somebody pressed its button."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pipulate_runtime.cells.kernel.pool import Pool, Run
from pipulate_runtime.cells.run import in_progress
from pipulate_runtime.cells.run.step import Execution

GRACE = 5.0  # seconds a cell has to end after it was interrupted; then its kernel is ended
LOOK = 0.5  # seconds between two looks whether another program wants it to end


async def stop(pool: Pool, run: Run, execution: Execution) -> None:
    """End a running execution for good: interrupt its cell, then kill its kernel. It never saves after this."""
    task = execution.task
    if task is None or task.done():
        return
    if execution.saving:  # that is short, and half a save would be worse than one to be reverted
        await asyncio.wait([task])
        return
    execution.stopped = True
    kernel = run.kernel if execution.active else None
    if kernel:
        await kernel.interrupt()
        await asyncio.wait([task], timeout=1.0)
    if not task.done():
        if kernel:
            kernel.kill()
        task.cancel()
        await asyncio.wait([task])
    execution.running = False  # a task that was cancelled before it began could not say so
    if kernel and kernel is run.kernel:
        await pool.drop(run)


async def interrupt(run: Run, execution: Execution) -> None:
    """Stop a running execution because somebody asked for it: it ends as an error that says so, and keeps nothing.

    Its cell is interrupted; if it goes on for all that, its kernel is killed after `GRACE` seconds.
    """
    task = execution.task
    if task is None or task.done() or execution.saving or execution.stopping:
        return
    execution.stopping = time.time()
    execution.doing = "Stopping"
    kernel = run.kernel if execution.active else None
    if kernel is None:  # it waits for its turn, or for a kernel
        task.cancel()
        return
    await kernel.interrupt()
    await asyncio.wait([task], timeout=GRACE)
    if not task.done():
        kernel.kill()


@asynccontextmanager
async def listening(run: Run, execution: Execution) -> AsyncIterator[None]:
    """Within this, an execution is interrupted when another program asks for it."""
    in_progress.take_back(run.folder, execution.step_id)  # an earlier wish came too late
    task = asyncio.ensure_future(_listen(run, execution))
    try:
        yield
    finally:
        task.cancel()


async def _listen(run: Run, execution: Execution) -> None:
    while not in_progress.asked_to_stop(run.folder, execution.step_id):
        await asyncio.sleep(LOOK)
    in_progress.take_back(run.folder, execution.step_id)
    await interrupt(run, execution)
