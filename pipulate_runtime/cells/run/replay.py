"""Runs earlier steps of a run again, in a new kernel and where nothing is kept of them: unasked only if they repeat nothing.

What they show then is compared with what is stored. A card never shows a value that later cells did not get (docs/adr/0060).
"""

import asyncio
import json
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pipulate_runtime.cells.kernel.kernel import Kernel
from pipulate_runtime.cells.kernel.pool import Pool, Run, settings
from pipulate_runtime.cells.kernel.questions import RUN, Question, Repeat
from pipulate_runtime.cells.kernel.threads import in_thread
from pipulate_runtime.cells.outputs.collect import Spill
from pipulate_runtime.cells.outputs.same import same
from pipulate_runtime.cells.run import checkpointing, in_progress
from pipulate_runtime.cells.run.checkpoint import Entry
from pipulate_runtime.cells.run.history import basis_of, history_before, standing
from pipulate_runtime.cells.run.job import CELLS, Job, Record
from pipulate_runtime.cells.run.one_cell import change, changed_outputs, run_cells
from pipulate_runtime.cells.run.prefill import keep_suggested, suggested
from pipulate_runtime.cells.run.replies import Known, Replies
from pipulate_runtime.cells.run.step import Execution, StepFailed, shown_by, when_free
from pipulate_runtime.cells.storage import uploads
from pipulate_runtime.cells.storage.folders import load_outputs
from pipulate_runtime.cells.storage.secrets import mask_secrets
from pipulate_runtime.effects import tables
from pipulate_runtime.effects.read import effects_of, kinds_of

AGAIN = "again"  # of a record: the step ran again and shows something else than before
ONCE = "_once"  # of a run's state: when steps that are marked to run once did
LEFT = "The steps above were not run again, so this step did not run either. All results stay as they are."


async def replay(
    pool: Pool, run: Run, job: Job, execution: Execution, before: list[Entry]
) -> tuple[Kernel, list[Entry]]:
    """Return the run's kernel if it has executed the earlier steps; else a fresh one that executes them now.

    Those up to a checkpoint need not be executed. If the others may repeat something, the card asks first. A secret that they
    need and nobody knows any more is asked for, too. Raises StepFailed if the step does not go on. Also returns the history
    before the step: what the cells asked for may have changed it.
    """
    if run.kernel and run.kernel.alive() and run.kernel.history == before:
        await _ask(run, job, execution, [], before)
        return run.kernel, before
    execution.asks = [m for entry in before for m in job.vault.missing(execution.key, entry[0])]
    if execution.asks:
        raise StepFailed
    execution.doing = "Starting"
    await asyncio.to_thread(Spill.sweep, run.folder.outputs)
    kernel = await checkpointing.restored(pool, run, job, before)
    again = before[kernel.restored if kernel else 0 :]
    asked = await _ask(run, job, execution, again, before)
    kernel = kernel or await checkpointing.opened(pool, run, job)
    await in_thread(uploads.put, run.folder)
    ran = await _run_again(kernel, run, job, execution, again)
    if again:
        steps = [entry[0] for entry in again]
        await asyncio.to_thread(checkpointing.forget, run, steps, reasons=False)
        await when_free(execution, partial(_store, run, job, execution, ran, asked))
        before = history_before(job, execution.step_id, job.stored.read())
    kernel.history = list(before)
    return kernel, before


# --- asking first ---------------------------------------------------------------------------------------------------------


async def _ask(
    run: Run, job: Job, execution: Execution, again: list[Entry], before: list[Entry]
) -> bool:
    """Ask whether steps may run again, if that may repeat something; return whether it was asked. Raises StepFailed if not."""
    if settings.replay == "always" or not (again or job.is_once(execution.step_id)):
        return False
    repeats = _repeats(job, execution, again, before)
    if not any(repeat.may or repeat.once for repeat in repeats):
        return False
    in_progress.end(
        run.folder, execution.step_id
    )  # a server that is killed now leaves it as it was
    question = Question(execution.step_id, 0, "", secret=False, repeats=repeats)
    if await execution.page.ask(question) != RUN:
        execution.fail("Not run", LEFT)
        raise StepFailed
    in_progress.begin(run.folder, execution.step_id, execution.started)
    return True


def _repeats(
    job: Job, execution: Execution, again: list[Entry], before: list[Entry]
) -> list[Repeat]:
    """Return what would run a second time in this run: earlier steps, and the step itself if it is marked to run once."""
    state, first = job.stored.read(), len(before) - len(again)
    steps = [entry[0] for entry in before]
    found = effects_of([_code_of(job, step_id) for step_id in steps], first)
    titles = {step.id: step.show for step in job.steps}
    repeats = []
    for step_id, effects in list(zip(steps, found, strict=True))[first:]:
        records = (state.get(step_id) or {}).get(CELLS) or [{}]
        may = [tables.WORDS[kind] for kind in kinds_of(effects)]
        ran = records[-1].get("at", 0)
        repeats.append(Repeat(titles[step_id], ran, may, job.is_once(step_id)))
    if ran_once := (state.get(ONCE) or {}).get(execution.step_id):
        repeats.append(Repeat(titles[execution.step_id], ran_once, (), once=True, own=True))
    return repeats


def _code_of(job: Job, step_id: str) -> list[str]:
    """Return the code that runs with a step: its cells, and what computes values of the next form."""
    code = [cell.code for cell in job.source.of_step(step_id)]
    if function := job.suggestions_after(step_id)[1]:
        code.append(f"{job.source.text_of(function)}\n{function}(form)")
    return code


# --- running ----------------------------------------------------------------------------------------------------------------


@dataclass
class Ran:
    """What steps gave when they ran again."""

    steps: dict[str, dict[str, list[Record]]] = field(default_factory=dict)
    """Their records, as a run's state has them."""
    suggested: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The values that forms of later steps show."""


async def _run_again(
    kernel: Kernel, run: Run, job: Job, execution: Execution, again: list[Entry]
) -> Ran:
    """Execute steps with their stored answers."""
    titles = {step.id: step.show for step in job.steps}
    shown = shown_by(kernel)
    ran = Ran()
    for step_id, given, _ in again:
        execution.doing = f"First the earlier step “{titles[step_id]}” runs again"
        secret = job.vault.recall(execution.key, step_id)
        kernel.secret = kernel.secret or any(secret.values())
        form = json.loads(given)
        known = Known(form.pop(CELLS, ()), replay=True)
        replies = Replies((execution.key, step_id), job.vault, execution.page, known)
        earlier = Execution(execution.key, step_id, form | secret)
        earlier.public = mask_secrets(job.source.plugin_class, step_id, earlier.form)
        started, began = time.monotonic(), shown.tick
        try:
            await run_cells(kernel, run, job.source.of_step(step_id), earlier, execution, replies)
        except StepFailed:
            if not execution.stopping:
                _say_why(execution, earlier, titles[step_id])
            raise
        kernel.secret = kernel.secret or replies.secret
        next_step, function = job.suggestions_after(step_id)
        if function:
            ran.suggested[next_step] = await suggested(kernel, function)
        kernel.seconds.append(time.monotonic() - started)
        ran.steps[step_id] = {CELLS: earlier.cells}
        for place, number, part in await changed_outputs(
            run, shown, shown.changed_since(began, but=step_id)
        ):
            change(ran.steps, place, number, part, shown)
    return ran


def _say_why(execution: Execution, earlier: Execution, title: str) -> None:
    """Show the error of an earlier step on the card of the step that needs it."""
    outputs = earlier.cells[-1]["outputs"]
    said = next((o for o in reversed(outputs) if o["output_type"] == "error"), None)
    reason = f"{said['ename']}: {said['evalue']}" if said else ""
    execution.cells.append(earlier.cells[-1] | {"outputs": []})
    message = f"The earlier step “{title}” had to run again and failed. {reason}"
    execution.fail("ReplayFailed", message, said["traceback"] if said else None)


# --- what they show now -----------------------------------------------------------------------------------------------------


async def _store(run: Run, job: Job, execution: Execution, ran: Ran, asked: bool) -> None:
    """Store what the steps show now, where that is something else than is stored. Raises Superseded."""
    state = job.stored.read()
    before = history_before(job, execution.step_id, state)
    standing(execution.basis, before, state)
    others = []
    for step_id, now in ran.steps.items():
        data = state.get(step_id)
        if data is None:
            continue
        stored, records = data.get(CELLS) or [], now[CELLS]
        alike = await asyncio.to_thread(_alike, run, stored, records)
        if not alike:
            others.append(step_id)
            records[-1][AGAIN] = True
            data[CELLS] = records
        elif asked:
            for record, new in zip(stored, records, strict=True):
                record["at"] = new["at"]
    if others:
        keep_suggested(state, ran.suggested)
    if others or asked:
        job.stored.write(state)
    execution.reran = others
    execution.basis = basis_of(history_before(job, execution.step_id, state), state)


def _alike(run: Run, stored: list[Record], records: list[Record]) -> bool:
    def shown(record: Record) -> Any:
        wrote = record.get("wrote", {}).get("names")
        return record["id"], record["hash"], wrote, record.get("asked")

    return list(map(shown, stored)) == list(map(shown, records)) and all(
        same(load_outputs(run.folder, one), load_outputs(run.folder, other))
        for one, other in zip(stored, records, strict=True)
    )


def note_once(job: Job, step_id: str) -> None:
    """Keep that a step which is marked to run once begins to run: even if it fails, it may have done what it does."""
    if job.is_once(step_id) and (state := job.stored.read()):
        state[ONCE] = {**state.get(ONCE, {}), step_id: round(time.time())}
        job.stored.write(state)
