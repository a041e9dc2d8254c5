"""The conversation, as far as it is kept: the last messages, in memory.

Workflows, the person and the model all speak into it; whoever wants to hear listens. Adding a message never waits.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal

HISTORY = 600  # messages kept, as upstream keeps them

By = Literal["workflow", "person", "model", "host"]

_numbers = itertools.count(1)
_quiet: ContextVar[bool] = ContextVar("pipulate_quiet", default=False)


@dataclass(slots=True)
class Message:
    """One thing said. `shown` is False for what only the model reads, `done` while it is still being written."""

    role: str
    text: str
    by: By = "workflow"
    shown: bool = True
    done: bool = True
    undo: int | None = None  # the number of a removed task that can be brought back
    number: int = field(default_factory=lambda: next(_numbers))


class History:
    """`pip.message_queue`: the last messages. Safe to be added to from several threads."""

    def __init__(self) -> None:
        """Empty, and nobody listens."""
        self.messages: deque[Message] = deque(maxlen=HISTORY)
        self.listen: Callable[[Message], None] | None = None  # called for each new message
        self.question: Callable[[str], None] | None = None  # called for what the model is to answer

    def keep(self, message: Message) -> Message:
        """Adds a message and tells the listener."""
        if not _quiet.get():
            self.messages.append(message)
            if self.listen:
                self.listen(message)
        return message

    async def add(
        self,
        pipulate: Any,
        message: str,
        verbatim: bool = True,
        role: str = "user",
        spaces_before: int | None = None,
        spaces_after: int | None = 2,
        simulate_typing: bool = True,
    ) -> str:
        """Shows a message and gives it back; what is not verbatim is for the model, which answers in the panel.

        A message that was the last one already, as that of a run which is opened again, is not shown twice. The options about spaces and typing are accepted and have nothing to do.
        """
        text = str(message)
        if verbatim or self.question is None:
            if not self._was_last(role, text):
                self.keep(Message(role, text))
        elif not _quiet.get():
            self.question(text)
        return text

    def _was_last(self, role: str, text: str) -> bool:
        shown = (message for message in reversed(tuple(self.messages)) if message.shown)
        last = next(shown, None)
        return last is not None and (last.by, last.role, last.text) == ("workflow", role, text)


@contextmanager
def quiet() -> Iterator[None]:
    """In here nothing that a workflow says is kept: its page is only looked at."""
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)
