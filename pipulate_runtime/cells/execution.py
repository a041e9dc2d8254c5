"""Executes the cells of a step in the kernel of its run, after the steps before it."""

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipulate_runtime.cells import checkpoints, files, folders, keeping, uploads
from pipulate_runtime.cells.checkpoints import Entry
from pipulate_runtime.cells.job import Job
from pipulate_runtime.cells.kernels import CellTimeout, Kernel, KernelDied
from pipulate_runtime.cells.outputs import Collector, Displays, TooMuch, error
from pipulate_runtime.cells.pool import Pool, Run
from pipulate_runtime.cells.source import Cell, with_answers
from pipulate_runtime.cells.suggest import suggested
from pipulate_runtime.cells.vault import Missing, masked

Record = dict[str, Any]
Save = Callable[[list[Record]], Awaitable[None]]

CELLS = "_cells"  # where a step's data holds its cells; all other keys are answers
NO_INPUT = "The cell asks a question with input(). Only a cell whose question is a field of the form can be answered."


class StepFailed(Exception):
    """A cell ended in an error, which stands in its outputs."""


@dataclass(eq=False)
class Execution:
    """One step of one run being executed. `cells` grows as the outputs come in."""

    key: str
    step_id: str
    form: dict[str, Any]
    started: float = field(default_factory=time.time)
    running: bool = True
    error: bool = False
    active: bool = False  # it has the kernel; before that it waits for another step of the run
    saving: bool = False
    stopped: bool = False
    cells: list[Record] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    save: Save | None = None
    asks: list[Missing] = field(default_factory=list)
    """Secrets of earlier steps that are needed again before the cells can run."""
    shown: Mapping[str, Any] = field(default_factory=dict)
    """The answers as code may hold them: without secrets."""

    def fail(self, name: str, message: str) -> None:
        """Add an error of ours, in plain words, to the cell at hand."""
        if not self.cells:
            self.cells.append({"id": "", "hash": "", "outputs": []})
        self.cells[-1]["outputs"].append(error(name, message))
        self.error = True


async def execute(pool: Pool, run: Run, job: Job, execution: Execution, save: Save) -> None:
    """Execute a step and save what it gave. Whatever goes wrong ends as an error output; nothing is raised."""
    try:
        async with run.lock:
            pool.begin(run)
            execution.active = True
            try:
                await _execute(pool, run, job, execution, save)
            finally:
                pool.rest(run)
    except StepFailed:
        execution.error = True
    except KernelDied as problem:
        execution.fail("KernelDied", f"{problem} Run the step again.")
    except asyncio.CancelledError:
        execution.stopped = execution.error = True
        raise
    except Exception as problem:
        if run.kernel:
            run.kernel.kill()
        execution.fail(
            type(problem).__name__, f"The step could not be executed or saved: {problem}"
        )
    finally:
        if execution.error and run.kernel:
            run.kernel.history = None  # nobody can tell how far the cell came
        execution.running = False


async def _execute(pool: Pool, run: Run, job: Job, execution: Execution, save: Save) -> None:
    cells = job.source.of_step(execution.step_id)
    if not cells:
        await save([])
        return
    before = _before(job, execution.step_id)
    kernel = run.kernel
    if not (kernel and kernel.alive() and kernel.history == before):
        kernel = await _replay(pool, run, job, execution, before)
    assert kernel.history is not None
    history, kernel.history = kernel.history, None  # until the step is through
    await asyncio.to_thread(checkpoints.forget, run.folder, job.from_step(execution.step_id))
    started = time.monotonic()
    execution.shown = masked(job.source.plugin_class, execution.step_id, execution.form)
    await asyncio.to_thread(uploads.put, run.folder)
    await _cells(kernel, run, cells, execution, Displays(), execution.cells)
    next_step, function = job.suggestions_after(execution.step_id)
    values = await suggested(kernel, function) if function and not execution.stopped else {}
    kernel.seconds.append(time.monotonic() - started)
    if execution.stopped:
        return
    execution.saving = True
    await save(execution.cells)
    if function:
        job.keep_suggested(next_step, values)
    state = job.read_state()
    stored = answers(state.get(execution.step_id) or {})
    await asyncio.to_thread(uploads.prune, run.folder, state)
    # What is kept of the answers lacks a secret, and what the cells made of it must not be kept either
    kernel.secret = kernel.secret or any(
        stored.get(name) != value for name, value in execution.form.items()
    )
    kernel.history = [*history, _entry(execution.step_id, stored, cells)]
    await keeping.keep(pool, run, job.words_after(execution.step_id), job.policy(execution.step_id))


def answers(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was answered in a step: all it holds but its cells."""
    return {name: value for name, value in data.items() if name != CELLS}


def _entry(step_id: str, given: Mapping[str, Any], cells: list[Cell]) -> Entry:
    return step_id, json.dumps(given, sort_keys=True), tuple(cell.hash for cell in cells)


def _before(job: Job, step_id: str) -> list[Entry]:
    """Return what a kernel must have executed before this step, by what is stored."""
    state = job.read_state()
    entries = []
    for step in job.steps:
        if step.id == step_id:
            break
        if cells := job.source.of_step(step.id):
            entries.append(_entry(step.id, answers(state.get(step.id) or {}), cells))
    return entries


async def _replay(
    pool: Pool, run: Run, job: Job, execution: Execution, before: list[Entry]
) -> Kernel:
    """Take a fresh kernel in a fresh working folder and execute the earlier steps there, silently.

    Those up to a checkpoint need not be executed. A secret that they need and nobody knows any more is asked for instead:
    StepFailed.
    """
    execution.asks = [m for entry in before for m in job.vault.missing(execution.key, entry[0])]
    if execution.asks:
        raise StepFailed
    kernel = await keeping.restored(pool, run, job, before) or await keeping.opened(pool, run, job)
    await asyncio.to_thread(uploads.put, run.folder)
    titles = {step.id: step.show for step in job.steps}
    for step_id, given, _ in before[kernel.restored :]:
        secret = job.vault.recall(execution.key, step_id)
        kernel.secret = kernel.secret or any(secret.values())
        earlier = Execution(execution.key, step_id, json.loads(given) | secret)
        earlier.shown = masked(job.source.plugin_class, step_id, earlier.form)
        started = time.monotonic()
        try:
            await _cells(
                kernel, run, job.source.of_step(step_id), earlier, Displays(), earlier.cells
            )
        except StepFailed:
            said = next(
                (o for o in reversed(earlier.cells[-1]["outputs"]) if o["output_type"] == "error"),
                None,
            )
            reason = f"{said['ename']}: {said['evalue']}" if said else ""
            execution.cells.append(earlier.cells[-1] | {"outputs": []})
            execution.fail(
                "ReplayFailed",
                f"The earlier step “{titles[step_id]}” had to run again and failed. {reason}",
            )
            if said:
                execution.cells[-1]["outputs"][-1]["traceback"] = said["traceback"]
            raise
        if function := job.suggestions_after(step_id)[1]:
            await suggested(kernel, function)
        kernel.seconds.append(time.monotonic() - started)
    kernel.history = list(before)
    return kernel


async def _cells(
    kernel: Kernel,
    run: Run,
    cells: list[Cell],
    execution: Execution,
    displays: Displays,
    records: list[Record],
) -> None:
    """Execute cells one after the other, adding a record of each. Raises StepFailed after one with an error."""
    seen = await asyncio.to_thread(files.listing, run.folder.work)
    for cell in cells:
        record: Record = {"id": cell.id, "hash": cell.hash, "code": cell.code, "outputs": []}
        records.append(record)
        collector = Collector(displays, record["outputs"])
        failed = await _cell(kernel, cell, execution, collector)
        record["execution_count"] = collector.execution_count
        before, seen = seen, await asyncio.to_thread(files.listing, run.folder.work)
        if wrote := files.wrote(before, seen):
            record["wrote"] = wrote
        # Writing thousands of pictures takes a while, and the server must answer meanwhile
        folders.refer(record, await asyncio.to_thread(folders.write_large, run.folder, record))
        if failed:
            raise StepFailed


async def _cell(kernel: Kernel, cell: Cell, execution: Execution, collector: Collector) -> bool:
    """Execute one cell; return whether it ended in an error nobody expected."""
    raised = []

    def take(kind: str, content: dict[str, Any]) -> None:
        if kind == "error":
            raised.append(content["ename"])
            if content["ename"] == "StdinNotImplementedError":
                content = {**content, "evalue": NO_INPUT}
        collector.take(kind, content)

    try:
        await kernel.execute(
            cell.code if cell.is_text else with_answers(cell.code, execution.shown),
            take,
            function=None if cell.is_text else cell.name,
            form=execution.form,
            cell_id=cell.id,
            timeout=cell.options.timeout,
        )
    except TooMuch:
        kernel.kill()
        collector.outputs.append(
            error("TooMuchOutput", "The cell was stopped: it gave more output than can be kept.")
        )
        return True
    except CellTimeout:
        _drop_last_error(collector, "KeyboardInterrupt")
        seconds = f"{cell.options.timeout:g}"
        collector.outputs.append(
            error("CellTimeout", f"The cell was stopped: it took longer than {seconds} seconds.")
        )
        return True
    return bool(raised) and not cell.options.raises


def _drop_last_error(collector: Collector, name: str) -> None:
    with contextlib.suppress(IndexError):
        if collector.outputs[-1].get("ename") == name:
            collector.outputs.pop()


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
