"""Work in threads that is not outrun."""

import asyncio
import threading

import pytest

from pipulate_runtime.cells.kernel.threads import in_thread


def test_what_is_cancelled_ends_after_its_thread():
    began, go, done = threading.Event(), threading.Event(), []

    def work(said):
        began.set()
        go.wait(10)
        done.append(said)

    async def test():
        task = asyncio.ensure_future(in_thread(work, "through"))
        await asyncio.to_thread(began.wait, 10)
        task.cancel()
        await asyncio.sleep(0.05)
        assert not task.done()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert done == ["through"]

    asyncio.run(test())


def test_results_and_errors_come_through():
    assert asyncio.run(in_thread(divmod, 7, 2)) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(in_thread(divmod, 7, 0))
