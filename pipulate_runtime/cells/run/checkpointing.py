"""When checkpoints are made and used: the run's kernel stores, another one proves, a new one restores."""

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from pipulate_runtime.cells.kernel.kernel import Kernel, KernelDied
from pipulate_runtime.cells.kernel.pool import Keeping, Pool, Run, settings
from pipulate_runtime.cells.kernel.threads import in_thread
from pipulate_runtime.cells.run import checkpoint
from pipulate_runtime.cells.run.checkpoint import Checkpoint, Entry
from pipulate_runtime.cells.run.job import Job
from pipulate_runtime.cells.source.marks import Policy

QUICKLY = 0.2  # seconds without a step after which the last of a chain is stored
REST = 2.0  # seconds without a step after which a run rests: the chain has come to a question, or to its end


async def opened(pool: Pool, run: Run, job: Job, found: Checkpoint | None = None) -> Kernel:
    """Return a fresh kernel that has the plugin's source and works in a fresh folder, or in that of a checkpoint."""
    kernel = await pool.take(run)
    if found:
        await in_thread(found.put_files, run.folder.work)
    else:
        await in_thread(run.folder.fresh_work, job.files)
    await kernel.open(*job.source.for_kernel, run.folder.work)
    return kernel


async def restored(pool: Pool, run: Run, job: Job, before: Sequence[Entry]) -> Kernel | None:
    """Return a kernel that has a checkpoint loaded; None if there is none for these steps or none can be loaded.

    One that no kernel has loaded before is proved by this one.
    """
    if run.keeping:
        await asyncio.wait([run.keeping.task])
    find = checkpoint.latest
    found = await asyncio.to_thread(find, run.folder, settings.data, before, job.words_after)
    if found is None:
        return None
    try:
        kernel = await opened(pool, run, job, found)
        await found.load(kernel)
        lost = "" if found.proved else await found.prove(kernel, settings.data)
    except (KernelDied, OSError) as problem:  # packages may have changed, or the disk is full
        lost = f"a value that cannot be loaded again ({problem})"
    if lost:
        await asyncio.to_thread(shutil.rmtree, found.folder, ignore_errors=True)
        checkpoint.note(run.folder, found.entries[-1][0], lost, sum(found.seconds))
        return await restored(pool, run, job, before)
    kernel.seconds, kernel.restored = found.seconds, len(found.entries)
    return kernel


async def keep(pool: Pool, run: Run, words: list[str], policy: Policy, lasting: str) -> None:
    """See that a checkpoint is made of what the run's kernel has just executed.

    `always`: the kernel stores at once, and another kernel proves it before this returns. `auto`: a copy of the kernel stores while it goes on; when
    steps follow each other quickly, the last of them. Where that is not to be had cheaply, the kernel stores when the run rests, if
    running the steps again would take longer than a start of a kernel. `lasting` is what the page could not follow any
    more in a restored kernel, in words.
    """
    if run.rests:
        run.rests.cancel()
        run.rests = None
    kernel = run.kernel
    if kernel is None or not kernel.history or kernel.secret or policy == "never":
        return
    seconds = sum(kernel.seconds[kernel.restored :])
    dear = seconds >= checkpoint.WORTH
    if lasting and (dear or policy == "always"):
        told = seconds if policy == "auto" else checkpoint.TOLD
        checkpoint.note(run.folder, kernel.history[-1][0], lasting, told)
    elif policy == "always":
        draft = await checkpoint.make(kernel, run.folder, words, policy)
        await _start(pool, _prove(pool, run, draft, policy))
    elif lasting:
        return
    elif run.keeping:
        later = partial(_later, pool, run, kernel, kernel.history, words)
        _when_it_rests(pool, run, QUICKLY, later)
    elif not await _keep_aside(pool, run, kernel, words) and dear:
        _when_it_rests(pool, run, REST, partial(_make, pool, run, kernel, kernel.history, words))


def _when_it_rests(
    pool: Pool, run: Run, seconds: float, work: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    """Begin some work unless the next step of the run starts within some seconds. A server that ends does not wait for it."""

    async def rest() -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(pool.ending.wait(), seconds)
        run.rests = None
        if not pool.closing or seconds == QUICKLY:  # that takes a moment only
            _start(pool, work())

    run.rests = asyncio.ensure_future(rest())


def _start(pool: Pool, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    task = asyncio.ensure_future(work)
    pool.keeping.add(task)
    task.add_done_callback(pool.keeping.discard)
    return task


async def _keep_aside(pool: Pool, run: Run, kernel: Kernel, words: list[str]) -> bool:
    """Begin to store what a kernel has executed, in a copy of it; False while another step is being stored, or if it cannot."""
    if run.keeping or (draft := await checkpoint.begin(kernel, run.folder, words)) is None:
        return False
    entries, seconds = list(kernel.history or ()), list(kernel.seconds)

    async def finish() -> None:
        keeping = run.keeping
        assert keeping, "a task begins after the line that makes it"

        def is_valid() -> bool:
            return keeping.valid

        try:
            await checkpoint.finish(draft, entries, seconds, run.folder, settings.data, is_valid)
            if not run.busy:  # it looks at all checkpoints of the run
                await asyncio.to_thread(checkpoint.thin_out, run.folder)
        finally:
            run.keeping = None
            pool.let_go(run)

    run.keeping = Keeping(entries[-1][0], _start(pool, finish()))
    return True


async def _later(pool: Pool, run: Run, kernel: Kernel, history: Any, words: list[str]) -> None:
    """Store what a kernel has executed once the step before is stored, if it rests then."""
    if run.keeping:
        await asyncio.wait([run.keeping.task])
    async with run.lock:
        if run.kernel is kernel and kernel.history == history and kernel.alive():
            await _keep_aside(pool, run, kernel, words)


async def _make(pool: Pool, run: Run, kernel: Kernel, history: Any, words: list[str]) -> None:
    """Store what a kernel has executed if it rests, and prove it."""
    async with run.lock:
        if run.kernel is not kernel or kernel.history != history or not kernel.alive():
            return
        pool.begin(run)
        try:
            draft = await checkpoint.make(kernel, run.folder, words, "auto")
        finally:
            pool.rest(run)
    await _prove(pool, run, draft, "auto")


def forget(run: Run, step_ids: Sequence[str], reasons: bool = True) -> None:
    """Delete what is stored of steps that run again, what is being stored of them, and `reasons` why it was not."""
    if run.keeping and run.keeping.step_id in step_ids:
        run.keeping.valid = False
    checkpoint.forget(run.folder, step_ids, reasons)


async def _prove(pool: Pool, run: Run, draft: Path | None, policy: Policy) -> None:
    if draft is None:
        return
    try:
        async with pool.scratch() as kernel:
            await checkpoint.prove(draft, kernel, run.folder, settings.data, policy)
    except KernelDied:
        await asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True)
