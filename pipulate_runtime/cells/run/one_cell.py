"""Executes the cells of a step, one after the other."""

import asyncio
import contextlib
import time
from functools import partial
from typing import Any

from pipulate_runtime.cells.kernel import limits
from pipulate_runtime.cells.kernel.kernel import CellTimeout, Kernel
from pipulate_runtime.cells.kernel.pool import Run, settings
from pipulate_runtime.cells.kernel.stdin import Reply
from pipulate_runtime.cells.outputs.collect import (
    Collector,
    KernelOutputs,
    Place,
    TooMuch,
    error,
)
from pipulate_runtime.cells.outputs.widgets import WIDGETS
from pipulate_runtime.cells.run.job import CELLS, Record
from pipulate_runtime.cells.run.replies import Replies
from pipulate_runtime.cells.run.step import AGAIN, Execution, StepFailed, drop_last_error, shown_by
from pipulate_runtime.cells.source.source import Cell, with_answers
from pipulate_runtime.cells.storage import files, folders


async def run_cells(
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
        if wrote := files.changed_files(before, seen):
            record["wrote"] = wrote
        keep_widgets(record, shown)
        await _keep(run, record, collector)
        record["at"] = round(time.time())
        if failed:
            raise StepFailed


async def _keep(run: Run, record: Record, collector: Collector) -> None:
    """Move large outputs to files of the run. Raises OSError, and deletes then what was only begun."""
    try:
        # Writing thousands of pictures takes a while, and the server must answer meanwhile
        names = await asyncio.to_thread(folders.write_large, run.folder, record)
        names |= await asyncio.to_thread(collector.finish_files)
    except OSError:
        collector.drop()
        raise
    folders.replace_by_names(record, names)


async def _cell(
    kernel: Kernel, cell: Cell, execution: Execution, collector: Collector, reply: Reply
) -> bool:
    """Execute one cell; return whether it ended in an error nobody expected."""
    raised = []
    watching = None
    if settings.memory:
        watching = asyncio.ensure_future(limits.enforce_memory_limit(kernel, settings.memory))

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
        drop_last_error(collector.outputs, "KeyboardInterrupt")
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


def keep_widgets(record: Record, shown: KernelOutputs) -> None:
    """Keep with a cell what its widgets look like now."""
    if kept := shown.models.state_to_store(record["outputs"]):
        record[WIDGETS] = kept


async def changed_outputs(
    run: Run, shown: KernelOutputs, changed: list[tuple[Place, int]]
) -> list[tuple[Place, int, Record]]:
    """Return those outputs of earlier steps that a later one has changed, as they are stored; large ones go to files."""
    parts: list[tuple[Place, int, Record]] = []
    for place, number in changed:
        part: Record = {"outputs": [dict(shown.cells[place].outputs[number])]}
        folders.replace_by_names(
            part, await asyncio.to_thread(folders.write_large, run.folder, part)
        )
        parts.append((place, number, part))
    return parts


def change(
    state: dict[str, Any], place: Place, number: int, part: Record, shown: KernelOutputs
) -> None:
    """Put an output into the place in a run's state where it stands, as in a notebook."""
    step_id, index = place
    records = (state.get(step_id) or {}).get(CELLS, [])
    if index < len(records) and number < len(records[index]["outputs"]):
        record = records[index]
        record["outputs"][number] = part["outputs"][0]
        names = {**record.get("files", {}), str(number): part.get("files", {}).get("0", {})}
        record["files"] = {n: found for n, found in names.items() if found}
        keep_widgets(record, shown)
