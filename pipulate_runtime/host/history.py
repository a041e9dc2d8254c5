"""What the workflows told their user, as far as it is kept: the last messages, in memory."""

from collections import deque
from dataclasses import dataclass
from typing import Any

HISTORY = 600  # messages kept, as upstream keeps them


@dataclass(frozen=True, slots=True)
class Message:
    """One thing said in a workflow's conversation."""

    role: str
    text: str


class History:
    """`pip.message_queue`: the last messages, kept in memory. Adding one never waits."""

    def __init__(self) -> None:
        """Empty."""
        self.messages: deque[Message] = deque(maxlen=HISTORY)

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
        """Keeps a message and gives it back. The options about typing are accepted and have nothing to do."""
        self.messages.append(Message(role, str(message)))
        return str(message)
