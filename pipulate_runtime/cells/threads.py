"""Work on the disk in a thread, which nobody outruns."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[..., T], *given: object) -> T:
    """As `asyncio.to_thread`, but when it is cancelled it ends only after the thread, which cannot be.

    So a step that was stopped does not still copy files into the working folder when the next one makes that anew.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work, *given))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
