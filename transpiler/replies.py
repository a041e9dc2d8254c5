"""Gives the notebook that is executed for comparison the answers that its cells ask for: nbclient alone has nobody to ask."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from queue import Empty
from typing import Any

from nbclient import NotebookClient

from transpiler import codes
from transpiler.arguments import QUESTIONS
from transpiler.diagnostics import UserError

SLICE = 0.5
"""Seconds: the channel is asked again after this time, since a wake-up of its socket can get lost."""


class Replies:
    """The answers for one execution: those of a step are taken by its cells, one after the other."""

    def __init__(self, steps: Mapping[str, str], given: Mapping[str, Mapping[str, str]]) -> None:
        """`steps` are the steps of cells by their ids; `given` has a JSON list for each step that asks."""
        self._steps = steps
        self._left: dict[str, Iterator[Any]] = {
            step: iter(json.loads(fields[QUESTIONS]))
            for step, fields in given.items()
            if QUESTIONS in fields
        }
        self._missing = ""
        self._task: asyncio.Task[None] | None = None

    def begin(self, client: NotebookClient, cell_id: str) -> None:
        """A cell is about to be executed: it may ask."""
        assert client.kc is not None
        client.kc.allow_stdin = True
        self._task = asyncio.ensure_future(self._answer(client, cell_id))

    async def end(self) -> None:
        """The cell is through."""
        task, self._task = self._task, None
        if task:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def check(self, name: str) -> None:
        """Raise UserError PP408 when there was no answer to something that the notebook `name` asked."""
        if self._missing:
            raise UserError(codes.ANSWER_NEEDED, name=name, answers=self._missing)

    async def _answer(self, client: NotebookClient, cell_id: str) -> None:
        kernel: Any = client.kc
        while True:
            try:
                message = await kernel.stdin_channel.get_msg(timeout=SLICE)
            except Empty:
                continue
            if message["msg_type"] != "input_request":
                continue
            step = self._steps.get(cell_id, "")
            answer = next(self._left.get(step, iter(())), None)
            if answer is not None:
                kernel.input(answer)
                continue
            prompt = str(message["content"]["prompt"]).strip()
            self._missing = f"--set {step}.{QUESTIONS}=VALUE (for {prompt!r})"
            manager: Any = client.km
            await manager.interrupt_kernel()
