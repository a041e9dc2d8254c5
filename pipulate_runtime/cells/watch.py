"""Follows one execute request through the messages of its kernel."""

import time
from collections.abc import Callable
from typing import Any

LATE = 10.0  # seconds to wait for the last outputs of a cell whose reply is there
OVERLOOKED = 2.0  # seconds after which a request that is not taken up is taken for overlooked; then twice as long, and so on


class Watch:
    """Whether an execute request is through: its reply and the idle message came, in whatever order."""

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
        """Whether both are there."""
        return self.reply is not None and self.idle

    def published(self, message: dict[str, Any]) -> None:
        """Take a message of the iopub channel."""
        if message["parent_header"].get("msg_id") != self.msg_id:
            return
        kind, content = message["msg_type"], message["content"]
        if kind == "status":
            self.busy = True
            self.idle = self.idle or content["execution_state"] == "idle"
        else:
            self.take(kind, content)

    def replied(self, message: dict[str, Any]) -> None:
        """Take a message of the shell channel."""
        if message["parent_header"].get("msg_id") == self.msg_id:
            self.reply = message["content"]

    def quiet(self, heard: bool) -> None:
        """Be told whether there was a message. The idle message can get lost in a flood of outputs: after the reply, wait for it only so long."""
        if heard or self.reply is None:
            self.silent_since = time.monotonic()
        elif time.monotonic() - self.silent_since > LATE:
            self.idle = True

    def overlooked(self) -> bool:
        """Whether it is time to wake the kernel: it has not begun, or ended without a reply, for longer each time.

        The shell socket of a kernel can miss that a request has come (ipykernel issue 1554, in 7.0 to 7.3), and then
        sees it with the next one, whatever that is. This has a kernel idle of which nobody else wants anything.
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
    """Takes the messages of our own code: nothing but an error matters."""

    def __init__(self) -> None:
        """No problem so far."""
        self.problem = ""

    def take(self, kind: str, content: dict[str, Any]) -> None:
        """Take one message."""
        if kind == "error":
            self.problem = f"{content['ename']}: {content['evalue']}"
