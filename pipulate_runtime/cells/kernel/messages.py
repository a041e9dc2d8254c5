"""Follows one execute request through the messages of its kernel."""

import time
from collections.abc import Callable
from typing import Any

LATE = 10.0  # seconds to wait for the last outputs of a cell whose reply is there
OVERLOOKED = (
    2.0  # seconds until a request without a reaction is taken for overlooked; doubles each time
)


class Watch:
    """Whether an execute request is finished: its reply and the idle message came, in either order."""

    def __init__(self, msg_id: str, take: Callable[[str, dict[str, Any]], None]) -> None:
        """`take` gets the messages that belong to the request `msg_id`."""
        self.msg_id = msg_id
        self.take = take
        self.busy = False
        self.idle = False
        self.reply: dict[str, Any] | None = None
        self.silent_since = 0.0
        self._asked = time.monotonic()
        self._patience = OVERLOOKED

    @property
    def done(self) -> bool:
        return self.reply is not None and self.idle

    def take_published(self, message: dict[str, Any]) -> None:
        if message["parent_header"].get("msg_id") != self.msg_id:
            return
        kind, content = message["msg_type"], message["content"]
        if kind == "status":
            self.busy = True
            self.idle = self.idle or content["execution_state"] == "idle"
        else:
            self.take(kind, content)

    def take_reply(self, message: dict[str, Any]) -> None:
        if message["parent_header"].get("msg_id") == self.msg_id:
            self.reply = message["content"]

    def quiet(self, heard: bool) -> None:
        """Note whether a message came. A flood of outputs can lose the idle message: after the reply it waits LATE seconds for it."""
        if heard or self.reply is None:
            self.silent_since = time.monotonic()
        elif time.monotonic() - self.silent_since > LATE:
            self.idle = True

    def is_overlooked(self) -> bool:
        """Whether it is time to wake the kernel: it has not begun, or ended without a reply. The time doubles each time.

        The shell socket of a kernel can miss a request (ipykernel issue 1554, in 7.0 to 7.3) until the next one comes.
        """
        if (self.busy and not self.idle) or self.reply is not None:
            self._asked = time.monotonic()
            return False
        if time.monotonic() - self._asked < self._patience:
            return False
        self._asked = time.monotonic()
        self._patience *= 2
        return True


class Quiet:
    """Takes the messages of our own code and keeps the error, if there is one."""

    def __init__(self) -> None:
        self.problem = ""

    def take(self, kind: str, content: dict[str, Any]) -> None:
        if kind == "error":
            self.problem = f"{content['ename']}: {content['evalue']}"
