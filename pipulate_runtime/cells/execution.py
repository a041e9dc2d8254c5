"""Executes the cells of a step in the kernel of its run, after the steps before it."""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from pipulate_runtime.cells import (
    asking,
    checkpoints,
    files,
    folders,
    keeping,
    limits,
    saving,
    unfinished,
    uploads,
)
from pipulate_runtime.cells.asking import Known, Replies
from pipulate_runtime.cells.asks import Asks, Question
from pipulate_runtime.cells.changing import changed_state, keep_widgets
from pipulate_runtime.cells.checkpoints import Entry
from pipulate_runtime.cells.ending import AGAIN, KILLED, STOPPED, in_plain_words
from pipulate_runtime.cells.job import CELLS as CELLS
from pipulate_runtime.cells.job import Job
from pipulate_runtime.cells.job import Record as Record
from pipulate_runtime.cells.kernels import CellTimeout, Kernel, KernelDied
from pipulate_runtime.cells.outputs import Collector, Output, Shown, TooMuch, error
from pipulate_runtime.cells.past import Basis, basis_of, history_before, history_entry
from pipulate_runtime.cells.past import answers as answers
from pipulate_runtime.cells.pool import Pool, Run, settings
from pipulate_runtime.cells.source import Cell, with_answers
from pipulate_runtime.cells.spill import Spill
from pipulate_runtime.cells.stdin import Reply
from pipulate_runtime.cells.suggest import suggested
from pipulate_runtime.cells.threads import in_thread
from pipulate_runtime.cells.vault import Missing, masked

Save = Callable[[list[Record]], Awaitable[None]]

CHANGED = "changed"  # of a record: which outputs of earlier steps this one has changed


class StepFailed(Exception):
    """A cell ended in an error, which stands in its outputs."""


_shown: WeakKeyDictionary[Kernel, Shown] = WeakKeyDictionary()


def shown_by(kernel: Kernel) -> Shown:
    """Return what a kernel has shown since it started."""
    return _shown.setdefault(kernel, Shown())


@dataclass(eq=False)
class Execution:
    """One step of one run being executed. `cells` grows as the outputs come in."""

    key: str
    step_id: str
    form: dict[str, Any]
    id: str = field(default_factory=lambda: secrets.token_hex(4))
    started: float = field(default_factory=time.time)
    running: bool = True
    error: bool = False
    active: bool = False  # it has the kernel; before that it waits for another step of the run
    doing: str = "Waiting for another step of this run"
    saving: bool = False
    stopped: bool = False
    stopping: float = 0.0  # when somebody pressed the button
    refused: bool = False  # other answers were sent while these were running
    cells: list[Record] = field(default_factory=list)
    place: Callable[[], int] = lambda: 0  # in the line of those that wait for a kernel
    shown: Shown | None = None
    collectors: list[Collector] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    save: Save | None = None
    basis: Basis = field(default_factory=dict)
    """What was stored before the step when it was asked for, and then when it began."""
    asks: list[Missing] = field(default_factory=list)
    """Secrets of earlier steps that are needed again before the cells can run."""
    public: Mapping[str, Any] = field(default_factory=dict)
    """The answers as code may hold them: without secrets."""
    page: Asks = field(default_factory=Asks)
    """Where its cells, and those of steps that run again for it, ask what nobody knows."""
    earlier: Known = field(default_factory=Known)
    """What its cells were answered before."""

    @property
    def question(self) -> Question | None:
        """What is asked on its card now."""
        return self.page.question if self.running else None

    @property
    def tick(self) -> int:
        """How far its kernel is, counted in messages."""
        return self.shown.tick if self.shown else 0

    @property
    def waits(self) -> int:
        """The place in the line of those that wait for a kernel; 0 when it is not in it."""
        return self.place() if self.running and not self.stopping else 0

    def end_stopped(self, message: str) -> None:
        """Say that it was stopped, in place of what the cell said to it."""
        if self.cells:
            _drop_last_error(self.cells[-1]["outputs"], "KeyboardInterrupt")
        self.fail("Stopped", message)

    def fail(self, name: str, message: str, trace: list[str] | None = None) -> None:
        """Add an error of ours, in plain words, to the cell at hand."""
        if not self.cells:
            self.cells.append({"id": "", "hash": "", "outputs": []})
        self.cells[-1]["outputs"].append(error(name, message, trace))
        self.error = True

    @property
    def said(self) -> tuple[str, str]:
        """Name and message of the error it ended with."""
        errors = [o for cell in self.cells for o in cell["outputs"] if o["output_type"] == "error"]
        return (errors[-1]["ename"], errors[-1]["evalue"]) if errors else ("Error", "")

    def let_go(self) -> None:
        """Keep of a failed step what its card shows; all else is of no use any more."""
        self.shown, self.place = None, lambda: 0
        self.collectors.clear()


async def execute(pool: Pool, run: Run, job: Job, execution: Execution, save: Save) -> None:
    """Execute a step and save what it gave. Whatever goes wrong ends as an error output; nothing is raised."""
    try:
        async with run.lock:
            pool.begin(run)
            run.page = execution.page
            execution.active = True
            execution.place = lambda: pool.place(run)
            try:
                await _execute(pool, run, job, execution, save)
            finally:
                pool.rest(run)
    except StepFailed:
        execution.error = True
    except saving.Superseded:
        execution.stopped = True
        unfinished.end(run.folder, execution.step_id)
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
            unfinished.end(
                run.folder, execution.step_id
            )  # it has not begun: a secret is asked first
        elif execution.error and (execution.stopping or not execution.stopped) and not pool.closing:
            unfinished.fail(run.folder, execution.step_id, execution.started, *execution.said)
            execution.let_go()
        execution.running = False


async def _execute(pool: Pool, run: Run, job: Job, execution: Execution, save: Save) -> None:
    cells = job.source.of_step(execution.step_id)
    if not cells:
        await save([])
        return
    saving.see_basis(job, execution)
    before = history_before(job, execution.step_id)
    execution.basis = basis_of(job, execution.step_id)
    unfinished.begin(run.folder, execution.step_id, execution.started)
    kernel = run.kernel
    if not (kernel and kernel.alive() and kernel.history == before):
        kernel = await _replay(pool, run, job, execution, before)
    await kernel.take(*job.source.told)
    assert kernel.history is not None
    history, kernel.history = kernel.history, None  # until the step is through
    await asyncio.to_thread(checkpoints.forget, run.folder, job.from_step(execution.step_id))
    execution.doing = "Running"
    execution.shown = shown = shown_by(kernel)
    execution.public = masked(job.source.plugin_class, execution.step_id, execution.form)
    await in_thread(uploads.put, run.folder)
    began, started = shown.tick, time.monotonic()
    keep = partial(asking.keep_open, job.read_state, job.write_state, execution.step_id)
    place = execution.key, execution.step_id
    replies = Replies(place, job.vault, execution.page, execution.earlier, keep)
    await _cells(kernel, run, cells, execution, execution, replies)
    next_step, function = job.suggestions_after(execution.step_id)
    ended = execution.stopped or execution.stopping
    values = await suggested(kernel, function) if function and not ended else {}
    if execution.stopped or execution.stopping:
        return
    kernel.seconds.append(time.monotonic() - started - execution.page.waited)
    execution.saving = True
    changed = shown.changed_since(began, but=execution.step_id)
    if changed:
        execution.cells[-1][CHANGED] = [[*place, number] for place, number in changed]
    await saving.saved(run, job, execution, save)
    if changed:
        job.write_state(await changed_state(run, job.read_state, shown, changed))
    unfinished.end(run.folder, execution.step_id)
    if function:
        job.keep_suggested(next_step, values)
    state = job.read_state()
    keep(())
    data = state.get(execution.step_id) or {}
    stored = answers(data)
    await asyncio.to_thread(uploads.prune, run.folder, state, execution.started)
    # What is kept of the answers lacks a secret, and what the cells made of it must not be kept either
    kernel.secret = (
        kernel.secret
        or replies.secret
        or any(stored.get(name) != value for name, value in execution.form.items())
    )
    kernel.history = [*history, history_entry(execution.step_id, data, cells)]
    words, policy = job.words_after(execution.step_id), job.policy(execution.step_id)
    await keeping.keep(pool, run, words, policy, shown.lasting())


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
    execution.doing = "Starting"
    await asyncio.to_thread(Spill.sweep, run.folder.outputs)
    kernel = await keeping.restored(pool, run, job, before) or await keeping.opened(pool, run, job)
    await in_thread(uploads.put, run.folder)
    titles = {step.id: step.show for step in job.steps}
    for step_id, given, _ in before[kernel.restored :]:
        execution.doing = f"First the earlier step “{titles[step_id]}” runs again"
        secret = job.vault.recall(execution.key, step_id)
        kernel.secret = kernel.secret or any(secret.values())
        form = json.loads(given)
        known = Known(form.pop(CELLS, ()), replay=True)
        replies = Replies((execution.key, step_id), job.vault, execution.page, known)
        earlier = Execution(execution.key, step_id, form | secret)
        earlier.public = masked(job.source.plugin_class, step_id, earlier.form)
        started = time.monotonic()
        try:
            await _cells(kernel, run, job.source.of_step(step_id), earlier, execution, replies)
        except StepFailed:
            if execution.stopping:
                raise
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
        kernel.secret = kernel.secret or replies.secret
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
    asked: Execution,
    replies: Replies,
) -> None:
    """Execute the cells of a step one after the other, adding a record of each. Raises StepFailed after an error.

    `replies` answers what they ask. `asked` is the execution somebody waits for, or may have stopped; in a replay it is that of a later step.
    """
    shown = shown_by(kernel)
    seen = await asyncio.to_thread(files.listing, run.folder.work)
    for number, cell in enumerate(cells):
        if asked.stopping:
            raise StepFailed
        record: Record = {"id": cell.id, "hash": cell.hash, "code": cell.code, "outputs": []}
        left = settings.output - sum(collector.printed for collector in execution.collectors)
        place = (execution.step_id, number)
        collector = Collector(shown, record["outputs"], place, run.folder.outputs, left)
        execution.cells.append(record)
        execution.collectors.append(collector)
        try:
            reply = partial(replies.reply, record)
            failed = await _cell(kernel, cell, execution, collector, reply)
        except BaseException:
            with contextlib.suppress(OSError):  # the disk may be what is full
                await _keep(run, record, collector)
            raise
        finally:
            record["execution_count"] = collector.execution_count
        before, seen = seen, await asyncio.to_thread(files.listing, run.folder.work)
        if wrote := files.wrote(before, seen):
            record["wrote"] = wrote
        keep_widgets(record, shown)
        await _keep(run, record, collector)
        if failed:
            raise StepFailed


async def _keep(run: Run, record: Record, collector: Collector) -> None:
    """Move large outputs to files of the run. Raises OSError, and deletes then what was only begun."""
    try:
        # Writing thousands of pictures takes a while, and the server must answer meanwhile
        names = await asyncio.to_thread(folders.write_large, run.folder, record)
        names |= await asyncio.to_thread(collector.spilled)
    except OSError:
        collector.drop()
        raise
    folders.refer(record, names)


async def _cell(
    kernel: Kernel, cell: Cell, execution: Execution, collector: Collector, reply: Reply
) -> bool:
    """Execute one cell; return whether it ended in an error nobody expected."""
    raised = []
    watching = None
    if settings.memory:
        watching = asyncio.ensure_future(limits.watch(kernel, settings.memory))

    def take(kind: str, content: dict[str, Any]) -> None:
        if kind == "error" and not collector.captured:
            raised.append(content["ename"])
        collector.take(kind, content)

    try:
        await kernel.execute(
            cell.code if cell.is_text else with_answers(cell.code, execution.public),
            take,
            function=None if cell.is_text else cell.name,
            form=execution.form,
            cell_id=cell.id,
            timeout=cell.options.timeout,
            reply=reply,
        )
    except TooMuch:
        kernel.kill()
        most = limits.in_words(settings.output)
        message = (
            f"The cell was stopped: it gave more output than can be kept, or printed more than {most} (the server's "
            f"--step-output). {AGAIN}"
        )
        collector.outputs.append(error("TooMuchOutput", message))
        return True
    except CellTimeout:
        _drop_last_error(collector.outputs, "KeyboardInterrupt")
        seconds = f"{cell.options.timeout:g} second{'' if cell.options.timeout == 1 else 's'}"
        collector.outputs.append(
            error("CellTimeout", f"The cell was stopped: it took longer than {seconds}.")
        )
        return True
    finally:
        if watching:
            watching.cancel()
        with contextlib.suppress(OSError):  # it was said already that the disk is full
            collector.settle()
        collector.shown.models.capturing.clear()
    return bool(raised) and not cell.options.raises


def _drop_last_error(outputs: list[Output], name: str) -> None:
    if outputs and outputs[-1].get("ename") == name:
        outputs.pop()
