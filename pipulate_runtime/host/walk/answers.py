"""Answers what running cells ask, on a walk: from the answers that were given, or by whoever sits at the terminal.

Answers stand under the step by the name `input`, as a JSON list in the order in which the step asks; null is a secret that was not
kept. A step that goes on in another life of the server goes on in that list.
"""

import asyncio
import contextlib
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from bs4 import Tag

from pipulate_runtime.cells.kernel.questions import RUN
from pipulate_runtime.host.base import errors
from pipulate_runtime.host.base.browser import Values, attribute, fill

INPUT = "input"
Given = Mapping[str, Mapping[str, str]]


def answers_in(text: str | None) -> list[str | None]:
    """Return the answers of a step; a text that is no JSON list is one answer."""
    if text is None:
        return []
    try:
        found = json.loads(text)
    except ValueError:
        return [text]
    if not isinstance(found, list):
        return [text]
    return [entry if isinstance(entry, str) or entry is None else str(entry) for entry in found]


def as_given(asked: Sequence[Mapping[str, Any]]) -> str:
    """Return what a step asked and was answered as `answers_in` reads it."""
    return json.dumps([entry.get("answer") for entry in asked])


class Answering:
    """Who answers on one walk."""

    def __init__(self, given: Given, at_terminal: bool = False, replay: bool = False) -> None:
        """`at_terminal`: somebody sits there who may be asked. `replay`: earlier steps may run again, whatever they repeat."""
        self._given, self._replay = given, replay
        self._at_terminal = at_terminal and sys.stdin.isatty() and sys.stderr.isatty()

    async def values(self, form: Tag, earlier: Given, before: Callable[[], None]) -> Values:
        """Return what is sent for a question; `before` is called before anybody is asked.

        `earlier` is what another run answered. Raises HostError PP536 (nobody answers), PP513 (the answer was refused), PP538
        (steps would run again).
        """
        if form.has_attr("data-replays"):
            return self._replayed(form)
        step_id = attribute(form, "data-asks") or ""
        number = int(attribute(form, "data-number") or 0)
        label, refused = form.find("label"), form.select_one(".text-invalid")
        prompt = label.get_text().strip() if label else ""
        control = form.find("input", attrs={"name": "answer"})
        secret = isinstance(control, Tag) and attribute(control, "type") == "password"
        answer = self._known(step_id, number, earlier)
        if refused and (answer is not None or not self._at_terminal):
            reason = refused.get_text(" ", strip=True)
            raise errors.ANSWER_REFUSED.error(
                step=step_id, reason=f"{prompt} {reason}", asked=f"--set {step_id}.{INPUT}=..."
            )
        if answer is None and self._at_terminal:
            before()
            said = f"{refused.get_text(' ', strip=True)}\n" if refused else ""
            answer = await _at_terminal(f"{said}{prompt} ", secret)
        if answer is None:
            raise errors.QUESTION_UNANSWERED.error(
                step=step_id, prompt=prompt, number=number + 1, name=INPUT
            )
        return fill(form, {"answer": answer})

    def _replayed(self, form: Tag) -> Values:
        """Return that earlier steps may run again. Raises HostError PP538 if nobody has said so."""
        if not self._replay:
            steps = [item.get_text(" ", strip=True) for item in form.find_all("li")]
            listed = "".join(f"\n    {re.sub(r' (?=[,.])', '', step)}" for step in steps)
            raise errors.REPLAY_REFUSED.error(steps=listed)
        return [*fill(form, {}), ("answer", RUN)]

    def _known(self, step_id: str, number: int, earlier: Given) -> str | None:
        for given in (self._given, earlier):
            answers = answers_in(given.get(step_id, {}).get(INPUT))
            if number < len(answers):
                return answers[number]
        return None

    def check(self, asked: Mapping[str, int], fields: Mapping[str, Mapping[str, str]]) -> None:
        """Raise HostError PP537 when a step was given more answers than it asked for. `fields` are those of its forms."""
        for step_id, given in self._given.items():
            if INPUT not in given or INPUT in fields.get(step_id, {}):
                continue
            count = len(answers_in(given[INPUT]))
            if count > asked.get(step_id, 0):
                raise errors.ANSWERS_LEFT.error(
                    step=step_id, given=count, asked=asked.get(step_id, 0), name=INPUT
                )


async def _at_terminal(prompt: str, secret: bool) -> str | None:
    """Ask at the terminal; None when its input is at an end. The prompt goes where errors go, since output may be data.

    The line is read in a thread that nobody waits for, so that Ctrl+C ends the walk at once.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str | None] = loop.create_future()

    def read() -> None:
        line = sys.stdin.readline()
        with contextlib.suppress(RuntimeError):  # the walk has ended
            loop.call_soon_threadsafe(_settle, answer, line.rstrip("\r\n") if line else None)

    with _unseen() if secret else contextlib.nullcontext():
        print(prompt, end="", file=sys.stderr, flush=True)
        threading.Thread(target=read, daemon=True).start()
        try:
            return await answer
        finally:
            if secret:
                print(file=sys.stderr)


def _settle(answer: "asyncio.Future[str | None]", line: str | None) -> None:
    if not answer.done():
        answer.set_result(line)


@contextlib.contextmanager
def _unseen() -> Iterator[None]:
    """What is typed meanwhile is not shown; where the system has such terminals."""
    try:
        import termios
    except ImportError:
        yield
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    silent = [*before]
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
