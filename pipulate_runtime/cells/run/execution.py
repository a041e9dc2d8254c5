"""Executes a step in the kernel of its run, phase by phase: prepare, replay, execute, store, rest.

What is stored is read at named moments only: before the first cell, and before what the cells gave is saved (docs/adr/0057).
"""

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipulate_runtime.cells.kernel.kernel import Kernel, KernelDied
from pipulate_runtime.cells.kernel.pool import Pool, Run
from pipulate_runtime.cells.kernel.threads import in_thread
from pipulate_runtime.cells.outputs.collect import Place
from pipulate_runtime.cells.run import checkpointing, in_progress
from pipulate_runtime.cells.run.checkpoint import Entry
from pipulate_runtime.cells.run.history import (
    Superseded,
    answers,
    history_before,
    history_entry,
    standing,
)
from pipulate_runtime.cells.run.job import Job
from pipulate_runtime.cells.run.one_cell import change, changed_outputs, run_cells
from pipulate_runtime.cells.run.prefill import keep_suggested, suggested
from pipulate_runtime.cells.run.replay import note_once, replay
from pipulate_runtime.cells.run.replies import Replies, keep_open
from pipulate_runtime.cells.run.step import (
    KILLED,
    STOPPED,
    Execution,
    Save,
    StepFailed,
    in_plain_words,
    shown_by,
    when_free,
)
from pipulate_runtime.cells.storage import uploads
from pipulate_runtime.cells.storage.secrets import mask_secrets

CHANGED = "changed"  # of a record: which outputs of earlier steps this one has changed
RERAN = "reran"  # of a record: the earlier steps that show something else since they ran again for this one


async def execute(pool: Pool, run: Run, job: Job, execution: Execution, save: Save) -> None:
    """Execute a step and save what it gave. Whatever goes wrong ends as an error output; nothing is raised."""
    try:
        async with run.lock:
            pool.begin(run)
            run.page = execution.page
            execution.active = True
            execution.place = lambda: pool.place(run)
            try:
                await _phases(pool, run, job, execution, save)
            finally:
                pool.rest(run)
    except StepFailed:
        execution.error = True
    except Superseded:
        execution.stopped = True
        in_progress.end(run.folder, execution.step_id)
    except asyncio.CancelledError:
        execution.stopped = execution.error = True
        if not execution.stopping:
            raise
    except Exception as problem:
        if run.kernel:
            run.kernel.kill()
        if not execution.stopping or execution.saving:
            trace = problem.trace if isinstance(problem, KernelDied) else ""
            execution.fail(*in_plain_words(problem), trace.splitlines())
    finally:
        if execution.stopping and not execution.saving:
            killed = execution.active and run.kernel is not None and not run.kernel.alive()
            execution.end_stopped(KILLED if killed else STOPPED)
        if execution.error and run.kernel:
            run.kernel.history = None  # nobody can tell how far the cell came
        if execution.asks:
            # It has not begun: a secret is asked first
            in_progress.end(run.folder, execution.step_id)
        elif execution.error and (execution.stopping or not execution.stopped) and not pool.closing:
            in_progress.fail(run.folder, execution.step_id, execution.started, *execution.said)
            execution.let_go()
        execution.running = False


async def _phases(pool: Pool, run: Run, job: Job, execution: Execution, save: Save) -> None:
    if not job.source.of_step(execution.step_id):
        job.stored.remove_filter()
        await save([])
        return
    before = prepare(run, job, execution)
    kernel, before = await replay(pool, run, job, execution, before)
    ran = await execute_step(kernel, run, job, execution)
    if execution.stopped or execution.stopping:
        return
    execution.saving = True
    state = await store(run, job, execution, ran, save)
    await rest(pool, run, job, execution, ran, [*before, _entry(job, execution, state)], state)


def prepare(run: Run, job: Job, execution: Execution) -> list[Entry]:
    """Return what a kernel must have executed before the step; note that it begins.

    Raises Superseded if what it is computed from is not stored any more as it was when somebody asked for the step.
    """
    state = job.stored.read()
    before = history_before(job, execution.step_id, state)
    execution.basis = standing(execution.basis, before, state)
    in_progress.begin(run.folder, execution.step_id, execution.started)
    return before


@dataclass
class Ran:
    """What the cells of a step have done, beside their outputs."""

    kernel: Kernel
    replies: Replies
    changed: list[tuple[Place, int]]
    """Outputs of earlier steps that they have changed."""
    suggested: dict[str, dict[str, Any]]
    """The values that the form of the next step shows, by its id."""


async def execute_step(kernel: Kernel, run: Run, job: Job, execution: Execution) -> Ran:
    """Execute the cells of the step, and what computes the values of the next form. Raises StepFailed after an error."""
    step_id = execution.step_id
    await kernel.load_source(*job.source.for_kernel)
    kernel.history = None  # until the step is through
    await asyncio.to_thread(checkpointing.forget, run, job.from_step(step_id))
    execution.doing = "Running"
    execution.shown = shown = shown_by(kernel)
    execution.public = mask_secrets(job.source.plugin_class, step_id, execution.form)
    await in_thread(uploads.put, run.folder)
    note_once(job, step_id)
    began, started = shown.tick, time.monotonic()
    keep = partial(keep_open, job.stored, step_id)
    place = execution.key, step_id
    replies = Replies(place, job.vault, execution.page, execution.earlier, keep)
    try:
        await run_cells(kernel, run, job.source.of_step(step_id), execution, execution, replies)
    finally:
        if execution.reran and execution.cells:
            execution.cells[0][RERAN] = execution.reran
    next_step, function = job.suggestions_after(step_id)
    ran = Ran(kernel, replies, [], {})
    if not (execution.stopped or execution.stopping):
        if function:
            ran.suggested = {next_step: await suggested(kernel, function)}
        kernel.seconds.append(time.monotonic() - started - execution.page.waited)
        ran.changed = shown.changed_since(began, but=step_id)
    return ran


async def store(run: Run, job: Job, execution: Execution, ran: Ran, save: Save) -> dict[str, Any]:
    """Save what the step gave and what it changed of earlier ones; return the state as it is stored then.

    Raises Superseded if what it was computed from is not stored any more, and whatever `save` raises.
    """
    if ran.changed:
        execution.cells[-1][CHANGED] = [[*place, number] for place, number in ran.changed]
    await _save(run, job, execution, save)
    parts = await changed_outputs(run, shown_by(ran.kernel), ran.changed)
    state = job.stored.read()
    for place, number, part in parts:
        change(state, place, number, part, shown_by(ran.kernel))
    keep_suggested(state, ran.suggested)
    if parts or ran.suggested:
        job.stored.write(state)
    in_progress.end(run.folder, execution.step_id)
    keep_open(job.stored, execution.step_id, (), state)
    return state


async def _save(run: Run, job: Job, execution: Execution, save: Save) -> None:
    in_progress.saving(run.folder, execution.step_id, execution.started, execution.cells)

    async def write() -> None:
        state = job.stored.read()
        standing(execution.basis, history_before(job, execution.step_id, state), state)
        job.stored.remove_filter()
        await save(execution.cells)

    await when_free(execution, write)


def _entry(job: Job, execution: Execution, state: dict[str, Any]) -> Entry:
    data = state.get(execution.step_id) or {}
    return history_entry(execution.step_id, data, job.source.of_step(execution.step_id))


async def rest(
    pool: Pool,
    run: Run,
    job: Job,
    execution: Execution,
    ran: Ran,
    history: list[Entry],
    state: dict[str, Any],
) -> None:
    """Note what the kernel has executed, and see that it is stored if that is worth it; delete uploads nobody uses."""
    kernel = ran.kernel
    await asyncio.to_thread(uploads.prune, run.folder, state, execution.started)
    # What is kept of the answers lacks a secret, and what the cells made of it must not be kept either
    kept = answers(state.get(execution.step_id) or {})
    lacks = any(kept.get(name) != value for name, value in execution.form.items())
    kernel.secret = kernel.secret or ran.replies.secret or lacks
    kernel.history = history
    words, policy = job.words_after(execution.step_id), job.policy(execution.step_id)
    await checkpointing.keep(pool, run, words, policy, shown_by(kernel).lasting())
