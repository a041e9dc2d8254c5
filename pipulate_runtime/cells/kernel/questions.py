"""The questions of a running step: one at a time, each answered once."""

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

ONE_LINE = "This takes one line."
RUN, LEAVE = "run", "leave"  # the answers to whether steps may run again


@dataclass(frozen=True)
class Repeat:
    """A step that would run again."""

    title: str
    ran: float
    """When it ran last, in seconds since 1970; 0 if that is not known."""
    may: Sequence[str]
    """What running it again may do, in words that follow "may"; nothing if it only computes."""
    once: bool = False
    """It is marked to run once."""
    own: bool = False
    """It is the step that was asked for, not an earlier one."""


@dataclass(eq=False)
class Question:
    """One question that waits for its answer."""

    step_id: str
    """The step that asks; in a replay, an earlier step than the card's."""
    number: int
    """Its place among the step's questions, from 0."""
    prompt: str
    secret: bool
    suggestion: str = ""
    """The earlier answer."""
    problem: str = ""
    """Why the sent answer was refused."""
    repeats: Sequence[Repeat] = ()
    """The question is whether these steps may run again: the answer is RUN or LEAVE."""
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    answer: asyncio.Future[str] = field(default_factory=lambda: asyncio.Future())


class PendingQuestion:
    """The open question of the execution whose card is on the page."""

    def __init__(self) -> None:
        self.question: Question | None = None
        self.waited = 0.0
        """Seconds that all questions together have waited."""
        self._since = 0.0
        self._news = asyncio.Event()

    @property
    def waits(self) -> float:
        """How many seconds the open question has waited; 0 without one."""
        return time.monotonic() - self._since if self.question else 0.0

    async def ask(self, question: Question) -> str:
        """Show the question on the page and wait for the answer."""
        self.question = question
        self._news.set()
        self._since = time.monotonic()
        try:
            return await question.answer
        finally:
            self.waited += time.monotonic() - self._since
            self._over(question)

    def take(self, id_: str, text: str, problem: str = "") -> bool:
        """Answer the question with this id. Returns whether it is the open one; only the first answer counts.

        With a `problem`, or a line break in `text`, the question stays open and shows the problem.
        """
        question = self.question
        if question is None or question.id != id_:
            return False
        question.problem = problem or (ONE_LINE if "\n" in text else "")
        if not question.problem:
            question.answer.set_result(text)
            self._over(question)
        return True

    def _over(self, question: Question) -> None:
        if self.question is question:
            self.question = None
            self._news.clear()

    async def wait_until_asked(self, task: asyncio.Task[None] | None, seconds: float) -> None:
        """Wait until there is a question or the task has ended, at most so many seconds."""
        if task is None or self.question:
            return
        asked = asyncio.ensure_future(self._news.wait())
        try:
            await asyncio.wait([task, asked], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
