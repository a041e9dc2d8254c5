"""The channel on which a kernel asks: `input()` and `getpass()` of the cell that is executing."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

Reply = Callable[[str, bool], Awaitable[str]]
"""`(prompt, is it a secret) -> answer`."""


class StdinQuestions:
    """The questions of one execute request. A kernel asks one at a time, and waits for the answer."""

    def __init__(self, client: Any, reply: Reply) -> None:
        """`client` is that of jupyter_client, with its stdin channel started."""
        self.task: asyncio.Future[str] | None = None
        """Waits for the answer to the last question."""
        self._client = client
        self._reply = reply
        self._since = 0.0

    def seconds_waited(self) -> float:
        """Return how many seconds a question has waited since the last call."""
        if self.task is None:
            return 0.0
        before, self._since = self._since, time.monotonic()
        return self._since - before

    async def forward(self) -> None:
        """Send an answer that is ready, and take the next question. Raises what `reply` raised."""
        if self.task and self.task.done():
            done, self.task = self.task, None
            self._client.input(done.result())
        channel = self._client.stdin_channel
        while await channel.socket.poll(0):
            message = await channel.get_msg()
            if message["msg_type"] == "input_request":
                await self.end()  # the cell was interrupted, and asks again
                content = message["content"]
                asked = self._reply(content["prompt"], bool(content["password"]))
                self.task, self._since = asyncio.ensure_future(asked), time.monotonic()

    async def end(self) -> None:
        """Cancel the wait for an answer."""
        if self.task:
            task, self.task = self.task, None
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
