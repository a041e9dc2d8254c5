"""The channel on which a kernel asks: `input()` and `getpass()` of the cell that is executing."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

Reply = Callable[[str, bool], Awaitable[str]]
"""Gives the answer to a prompt; told whether it is a secret."""


class Asking:
    """What one execute request asks. A kernel asks one thing at a time, and waits for it."""

    def __init__(self, client: Any, reply: Reply) -> None:
        """`client` is that of jupyter_client, with its stdin channel started."""
        self.task: asyncio.Future[str] | None = None
        """Looks for the answer to what was asked last."""
        self._client = client
        self._reply = reply
        self._since = 0.0

    def waited(self) -> float:
        """Return how many seconds a question has waited since this was called last."""
        if self.task is None:
            return 0.0
        before, self._since = self._since, time.monotonic()
        return self._since - before

    async def go_on(self) -> None:
        """Hand on an answer that is there, and take the next question. Raises what looking for the answer raised."""
        if self.task and self.task.done():
            done, self.task = self.task, None
            self._client.input(done.result())
        channel = self._client.stdin_channel
        while await channel.socket.poll(0):
            message = await channel.get_msg()
            if message["msg_type"] == "input_request":
                await self.end()  # it was interrupted, and asks anew
                content = message["content"]
                asked = self._reply(content["prompt"], bool(content["password"]))
                self.task, self._since = asyncio.ensure_future(asked), time.monotonic()

    async def end(self) -> None:
        """Nobody waits for an answer any more."""
        if self.task:
            task, self.task = self.task, None
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
