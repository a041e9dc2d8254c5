"""Executes a notebook as Jupyter does: what the app is compared with.

The cells are those that the app runs, as they stand in the notebook: skipped ones are left out, and lines that install
packages too, which are a requirement of the app (PP130). An answer other than the notebook's own value replaces the
right-hand side that the field comes from.
"""

import ast
import asyncio
import atexit
import json
import os
import signal
import time
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty
from subprocess import DEVNULL
from typing import Any

import nbformat
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from traitlets import DottedObjectName, Type, default

from transpiler.model import rules
from transpiler.model.diagnostics import Span, UserError
from transpiler.model.ir import ANSWER, JSON, Code, Edit, Field
from transpiler.python.positions import apply
from transpiler.sources.input_calls import asks_once, questions
from transpiler.verify.answers import QUESTIONS
from transpiler.verify.compare import KERNEL_DIED, Outputs
from transpiler.verify.visible import expand_outputs

# --- answers to the notebook's questions ----------------------------------------------------------------------------------

SLICE = 0.5
"""Seconds: a channel is asked again after this time, since a wake-up of its socket can get lost."""


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
        task, self._task = self._task, None
        if task:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def check(self, name: str) -> None:
        """Raise UserError PP408 when there was no answer to something that the notebook `name` asked."""
        if self._missing:
            raise UserError(rules.ANSWER_NEEDED, name=name, answers=self._missing)

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


# --- execution ------------------------------------------------------------------------------------------------------------


UPSTREAM = "--IPKernelApp.extra_extensions=pipulate_runtime.jupyter.upstream"
"""What stands for `import pipulate`, in the notebook as in its app; by its name, since the compiler does not import the host."""
STARTS = 3  # times that a kernel which does not come up is started
LAST_OUTPUT = 60  # Seconds at most between a cell's end and its last output

Answers = Mapping[str, JSON]


def is_question(code: Code, asked: Field) -> bool:
    """Whether a field stands for a call of `input()`, which only a person can answer."""
    python, slot = code.python, asked.value
    return python is not None and asks_once(python.text[slot.start : slot.end])


def asks_while_running(code: Code) -> bool:
    """Whether a cell calls `input()` or `getpass()` where that cannot be a field."""
    try:
        return code.python is not None and bool(questions(ast.parse(code.python.text))[1])
    except SyntaxError:
        return False


def source_of(code: Code, answers: Answers) -> str:
    """Return a cell's source with answers in it: variable -> the value the form gave."""
    spans = {asked.span for asked in code.fields if asked.name in answers}
    fields = [asked for asked in code.fields if asked.name in answers or _goes_with(asked, spans)]
    pressed = code.controls.pressed if code.controls else ()
    plain = code.cell.kind == "code" and not pressed
    if code.python is None or (plain and not (fields or code.python.requirements)):
        return code.cell.source
    edits = []
    for asked in fields:
        given = answers.get(asked.name, asked.default)
        answer = str(given) if asked.raw else repr(given)
        slot, text = asked.source or (asked.value, asked.answer)
        text = text.replace(f"{ANSWER} is None", str(given is None)).replace(ANSWER, answer)
        edits.append(Edit(slot, text, f"{asked.name} was answered"))
    edits += pressed
    return apply(code.python.text, edits)


def _goes_with(asked: Field, spans: Container[Span]) -> bool:
    """Whether a field is half of a pair, such as the ends of a range, that is answered: they are given together."""
    text = asked.source[1] if asked.source else asked.answer
    return asked.span in spans and text.count("(") != text.count(")")


def notebook_of(codes: tuple[Code, ...], answers: Mapping[str, Answers]) -> Any:
    """Return the notebook to execute; `answers` are those of each cell, by its id."""
    make: Any = nbformat.v4
    cells = [
        make.new_code_cell(
            source_of(code, answers.get(code.cell.id, {})),
            id=code.cell.id,
            metadata={"tags": ["raises-exception"]} if code.options.raises else {},
        )
        for code in codes
    ]
    return make.new_notebook(cells=cells)


async def execute(
    notebook: Any, folder: Path, seed: int, started: Callable[[int], None], replies: Replies
) -> dict[str, Outputs]:
    """Execute a notebook in a folder and return the outputs of its cells by id, to the first one that raised or ended the kernel.

    `seed` is that of Python's string hashes, which decide the order of a set; `started` gets the number of each
    cell that starts; `replies` answers what cells ask.
    """
    reached = 0

    def start(cell: Any, cell_index: int) -> None:
        nonlocal reached
        reached = cell_index + 1
        started(cell_index)

    async def ended(**_: Any) -> None:
        await replies.end()

    def begin(cell: Any, cell_index: int) -> None:
        replies.begin(client, cell.id)

    client: NotebookClient = NotebookClient(
        notebook,
        kernel_manager_class=_Manager,
        timeout=None,
        iopub_timeout=LAST_OUTPUT,
        raise_on_iopub_timeout=True,
        extra_arguments=[UPSTREAM],
        shutdown_kernel="immediate",  # asked to end, a kernel now and then takes seconds
        resources={"metadata": {"path": str(folder)}},
        on_notebook_start=_leave_signals,
        on_cell_start=start,
        on_cell_execute=begin,
        on_cell_executed=ended,
    )
    env = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    env["PYTHONHASHSEED"] = str(seed)
    try:
        for left in reversed(range(STARTS)):
            try:
                await client.async_execute(env=env, stdout=DEVNULL, stderr=DEVNULL)
                break
            except RuntimeError as problem:
                atexit.unregister(client._cleanup_kernel)  # nbclient forgets to
                # A kernel chooses its ports before it opens them: another program may be quicker
                if isinstance(problem, DeadKernelError) or reached or not left:
                    raise
    except CellExecutionError:
        pass  # it stands in the cell's outputs
    except DeadKernelError as problem:
        make: Any = nbformat.v4
        died = make.new_output("error", ename=KERNEL_DIED, evalue=str(problem))
        notebook.cells[reached - 1].outputs.append(died)
    finally:
        await replies.end()
    state = client.widget_state
    return {cell.id: expand_outputs(cell.outputs, state) for cell in notebook.cells[:reached]}


def _leave_signals(notebook: Any) -> None:
    """Let Ctrl+C end the command: nbclient would only end its kernel, and the app would go on."""
    with suppress(RuntimeError, NotImplementedError):
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().remove_signal_handler(number)


class _Channel(AsyncZMQSocketChannel):
    """A channel that is asked again and again: nbclient asks once, and waits for ever when the wake-up gets lost."""

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:  # type: ignore[override]
        """Return the next message; raises Empty after `timeout` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = SLICE if end is None else max(0.0, min(SLICE, end - time.monotonic()))
            try:
                message: dict[str, Any] = await super().get_msg(timeout=left)
            except Empty:
                if end is not None and time.monotonic() >= end:
                    raise
            else:
                return message


class _Client(AsyncKernelClient):
    """A client with such channels.

    What a cell asks before the stdin channel is through is lost, so that one is opened when the kernel listens.
    """

    shell_channel_class = Type(_Channel)
    iopub_channel_class = Type(_Channel)

    def start_channels(self, **wanted: bool) -> None:  # type: ignore[override]
        """Start all channels but stdin."""
        super().start_channels(**wanted | {"stdin": False})

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers, and open stdin. Raises RuntimeError when it does not."""
        await super().wait_for_ready(timeout)
        self.stdin_channel.start()


class _Manager(AsyncKernelManager):
    """A manager that starts this Python, whatever kernels are installed, and speaks through such a client."""

    client_class = DottedObjectName(f"{__name__}._Client")
    client_factory = Type(_Client)

    @default("kernel_spec_manager")
    def _own_kernels(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[])
