"""When checkpoints are made and used: the run's kernel stores, another one proves, a new one restores."""

import asyncio
import shutil
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from pipulate_runtime.cells.kernel.kernel import Kernel, KernelDied
from pipulate_runtime.cells.kernel.pool import Pool, Run, settings
from pipulate_runtime.cells.kernel.threads import in_thread
from pipulate_runtime.cells.run import checkpoint
from pipulate_runtime.cells.run.checkpoint import Checkpoint, Entry
from pipulate_runtime.cells.run.job import Job
from pipulate_runtime.cells.source.marks import Policy

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
    """Return a kernel that has a checkpoint loaded; None if there is none for these steps or it cannot be loaded."""
    find = checkpoint.latest
    found = await asyncio.to_thread(find, run.folder, settings.data, before, job.words_after)
    if found is None:
        return None
    try:
        kernel = await opened(pool, run, job, found)
        await found.load(kernel)
    except (
        KernelDied,
        OSError,
    ):  # packages may have changed, or the disk is full: the steps run again
        await asyncio.to_thread(shutil.rmtree, found.folder, ignore_errors=True)
        return None
    kernel.seconds, kernel.restored = found.seconds, len(found.entries)
    return kernel


async def keep(pool: Pool, run: Run, words: list[str], policy: Policy, lasting: str) -> None:
    """See that a checkpoint is made of what the run's kernel has just executed, if it is worth it.

    `always`: the kernel stores at once. `auto`: when the run rests, and if running the steps again would take
    longer than a start of a kernel. Another kernel proves it afterwards, without holding up the run. `lasting` is what
    the page could not follow any more in a restored kernel, in words.
    """
    if run.rests:
        run.rests.cancel()
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
        _start(pool, _prove(pool, run, draft, policy))
    elif dear:
        history = kernel.history

        def rests() -> None:
            _start(pool, _make(pool, run, kernel, history, words))

        run.rests = pool.loop.call_later(REST, rests)


def _start(pool: Pool, work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    pool.keeping.add(task)
    task.add_done_callback(pool.keeping.discard)


async def _make(pool: Pool, run: Run, kernel: Kernel, history: Any, words: list[str]) -> None:
    async with run.lock:
        if run.kernel is not kernel or kernel.history != history or not kernel.alive():
            return
        pool.begin(run)
        try:
            draft = await checkpoint.make(kernel, run.folder, words, "auto")
        finally:
            pool.rest(run)
    await _prove(pool, run, draft, "auto")


async def _prove(pool: Pool, run: Run, draft: Path | None, policy: Policy) -> None:
    if draft is None:
        return
    try:
        async with pool.scratch() as kernel:
            await checkpoint.prove(draft, kernel, run.folder, settings.data, policy)
    except KernelDied:
        await asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True)
