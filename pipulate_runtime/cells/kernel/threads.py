"""`to_thread` that is not abandoned on cancellation."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[..., T], *given: object) -> T:
    """As `asyncio.to_thread`, but when cancelled it waits until the thread has ended.

    So a stopped step does not still copy files into the working folder while the next step makes it anew.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work, *given))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
