"""Jupyter kernels: one process each, spoken to through jupyter_client."""

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pipulate_runtime.cells.kernel import cleanup
from pipulate_runtime.cells.kernel.messages import OVERLOOKED, Quiet, Watch
from pipulate_runtime.cells.kernel.stdin import Reply, StdinQuestions

START_SECONDS = 60.0
REAP_SECONDS = 5.0  # a killed process ends in milliseconds, unless it waits for a device
SLICE = 0.5  # seconds between two polls of the channels: a wake-up of theirs can get lost
NICE = 5  # the pages take precedence over cells
BATCH = 100  # messages taken before other tasks get their turn

# Quiet and offline: no version checks, no questions, no telemetry of the tools a cell may call
ENVIRONMENT = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "DO_NOT_TRACK": "1",
    "JUPYTER_PLATFORM_DIRS": "1",
}


class KernelDied(Exception):
    """The kernel's process ended while a cell was running, or could not be started. `trace` is the end of its log."""

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.trace = trace


class MemoryExceeded(Exception):
    """The cell used more memory than it may; its kernel was killed."""


class GivenUp(Exception):
    """A cell waited for an answer too long, and another run needed its kernel."""


class CellTimeout(Exception):
    """The cell took longer than it may."""


class Kernel:
    """One kernel. `history` lists what it has executed of a run; None once that is unknown."""

    def __init__(self, python: str, data: Path) -> None:
        """`data` is where the kernel is noted, see `cleanup`."""
        self.python = python
        self.data = data
        self.history: list[Any] | None = []
        self.source = ""  # the plugin's source that the kernel has
        self.seconds: list[float] = []  # how long each step of the history took
        self.restored = 0  # how many of them came from a checkpoint
        self.exceeded = False  # killed because it used too much memory
        self.given_up = (
            False  # killed because its cell waited for an answer, and another run for a kernel
        )
        self.secret = False  # it got an answer that must not be stored
        self.folder = Path(tempfile.mkdtemp(prefix=cleanup.PREFIX, dir=cleanup.kernel_places()[0]))
        cleanup.claim(self.folder)
        self._record: Path | None = None
        self._dead = False
        self._client: Any = None
        self._manager: Any = None
        self._process: Any = None  # of `subprocess`

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    async def start(self) -> None:
        """Start the process and wait until it answers. Raises KernelDied if it does not come up."""
        from jupyter_client.manager import AsyncKernelManager

        ipc = os.name == "posix"
        self._manager = AsyncKernelManager(
            transport="ipc" if ipc else "tcp",
            connection_file=str(self.folder / "k.json"),
            kernel_spec_manager=_this_python(self.python),
            shutdown_wait_time=1.0,
        )
        if ipc:
            self._manager.ip = str(self.folder / "k")
        env = {k: v for k, v in os.environ.items() if k != "MPLBACKEND"} | ENVIRONMENT
        env[cleanup.MARK] = str(self.folder)
        try:
            with (self.folder / "log").open("wb") as log:
                await self._manager.start_kernel(
                    cwd=str(self.folder), env=env, stdout=log, stderr=log
                )
            self._process = self._manager.provisioner.process
            _step_back(self.pid)
            self._record = cleanup.note_kernel(self.data, self.pid, self.folder)
            self._client = self._manager.client()
            self._client.start_channels(
                shell=True, iopub=True, stdin=False, hb=False, control=False
            )
            await asyncio.wait_for(self._ready(), START_SECONDS)
            # Only now: a kernel silently drops what a cell asks before this channel is connected, and then both sides wait
            self._client.stdin_channel.start()
            await self.run_without_output(f"exec({bootstrap()!r}, {{'__name__': 'pipulate'}})")
        except (OSError, TimeoutError, RuntimeError, KernelDied) as problem:
            log_text = self._log()
            await self.end()
            raise KernelDied(
                f"The kernel could not be started. {problem} {log_text}".strip()
            ) from problem

    async def _ready(self) -> None:
        """Wait until both channels work: what is published before the subscription arrived would be lost."""
        heard = False
        while not heard:
            self._client.kernel_info()
            await self._answer()
            heard = await self._client.iopub_channel.socket.poll(200) != 0
        while await self._client.shell_channel.socket.poll(0):
            await self._client.shell_channel.get_msg()

    def _log(self, name: str = "log") -> str:
        with contextlib.suppress(OSError):
            return (self.folder / name).read_text(errors="replace")[-4000:]
        return ""

    async def open(self, source: str, filename: str, class_name: str, work: Path) -> None:
        await self.run_without_output(
            f"__pipulate__.open({source!r}, {filename!r}, {class_name!r}, {str(work)!r})"
        )
        self.source = source

    async def load_source(self, source: str, filename: str, class_name: str) -> None:
        """Give the kernel the source of the plugin if it was changed."""
        if source != self.source:
            await self.run_without_output(
                f"__pipulate__.load({source!r}, {filename!r}, {class_name!r})"
            )
            self.source = source

    async def run_without_output(self, code: str) -> None:
        """Execute code of ours and discard its output. Raises KernelDied when it raises."""
        collector = Quiet()
        await self.execute(code, collector.take, silent=True)
        if collector.problem:
            raise KernelDied(collector.problem)

    async def execute(
        self,
        code: str,
        take: Callable[[str, dict[str, Any]], None],
        *,
        function: str | None = None,
        form: dict[str, Any] | None = None,
        cell_id: str = "",
        silent: bool = False,
        timeout: float | None = None,
        reply: Reply | None = None,
    ) -> None:
        """Execute a cell; `take` gets each of its messages. With `function`, that function runs in place of the code.

        `reply` answers what the cell asks; that time does not count against `timeout` (seconds).

        Raises KernelDied, and CellTimeout after interrupting the cell.
        """
        content = {
            "code": code,
            "silent": silent,
            "store_history": not silent,
            "user_expressions": {},
            "allow_stdin": reply is not None,
            "stop_on_error": False,
        }
        metadata: dict[str, Any] = {"cellId": cell_id} if cell_id else {}
        if function:
            metadata["pipulate"] = {"function": function, "form": form or {}}
        request = self._client.session.msg("execute_request", content, metadata=metadata)
        self._client.shell_channel.send(request)
        watch = Watch(request["header"]["msg_id"], take)
        asking = StdinQuestions(self._client, reply) if reply else None
        ran_out = False
        deadline = time.monotonic() + timeout if timeout else None
        try:
            while not watch.done:
                if asking and deadline:
                    deadline += asking.seconds_waited()
                if deadline and time.monotonic() > deadline:
                    if ran_out:
                        self.kill()  # it did not react to the interrupt
                        raise CellTimeout
                    ran_out, deadline = True, time.monotonic() + 5
                    await self.interrupt()
                rest = max(0.0, deadline - time.monotonic()) if deadline else SLICE
                await self._pump(watch, min(SLICE, rest), asking)
        finally:
            if asking:
                await asking.end()
        if ran_out:
            raise CellTimeout

    async def _pump(
        self, watch: Watch, seconds: float, asking: StdinQuestions | None = None
    ) -> None:
        """Wait for messages and hand them on; raise when the process has ended."""
        shell, iopub = self._client.shell_channel, self._client.iopub_channel
        channels = [iopub, shell, *([self._client.stdin_channel] if asking else [])]
        waits = [asyncio.ensure_future(c.socket.poll(int(seconds * 1000) + 1)) for c in channels]
        answering = [asking.task] if asking and asking.task else []
        try:
            await asyncio.wait(
                [*waits, *answering], timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for wait in waits:
                wait.cancel()
        if asking:
            await asking.forward()
        heard = False
        for message in self._waiting(iopub):
            watch.take_published(message)
            heard = True
        await asyncio.sleep(0)
        while await shell.socket.poll(0):
            watch.take_reply(await shell.get_msg())
            heard = True
        if not heard and not self.alive():
            if self.exceeded:
                raise MemoryExceeded
            if self.given_up:
                raise GivenUp
            code = self._process.returncode if self._process else None
            raise KernelDied(_how_it_ended(code), self._log("crash"))
        watch.quiet(heard)
        if not heard and watch.is_overlooked():
            self._client.kernel_info()

    def _waiting(self, channel: Any) -> Iterator[Any]:
        """Yield messages that are there. Not too many: a cell that never stops printing must not hold up the server."""
        import zmq

        plain: Any = zmq.Socket.shadow(channel.socket)  # avoids a task for each message
        session = self._client.session
        for _ in range(BATCH):
            try:
                parts = plain.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            yield session.deserialize(session.feed_identities(parts)[1])

    async def _answer(self) -> None:
        """Take the answer to kernel_info; ask again if the kernel missed the request."""
        asked = time.monotonic()
        while not await self._client.shell_channel.socket.poll(int(SLICE * 1000)):
            if not self.alive():
                raise KernelDied("It ended at once.")
            if time.monotonic() - asked > OVERLOOKED:
                self._client.kernel_info()
                asked = time.monotonic()
        await self._client.shell_channel.get_msg()

    def alive(self) -> bool:
        return not self._dead and self._process is not None and self._process.poll() is None

    async def interrupt(self) -> None:
        """Interrupt the running cell, as the stop button of Jupyter does."""
        if self.alive():
            await self._manager.interrupt_kernel()

    def kill(self) -> None:
        """Kill the process and its children at once."""
        pid, running = self.pid, self.alive()
        self._dead, self.history = True, None
        if pid and running:
            with contextlib.suppress(OSError):
                if hasattr(os, "killpg"):
                    os.killpg(pid, signal.SIGKILL)  # the kernel leads a session of its own
                else:
                    self._process.kill()

    async def end(self) -> None:
        """End the process (an idle kernel is asked first) and remove all traces of it. Never raises."""
        asked = self.alive() and self.history is not None
        self.history = None
        with contextlib.suppress(Exception):
            if asked:
                await self._manager.shutdown_kernel(now=False)
        self.kill()
        with contextlib.suppress(Exception):
            if self._manager and self._manager.provisioner:
                await self._manager.shutdown_kernel(now=True)
        self._close()
        await asyncio.to_thread(self._clean_up)

    def forget(self) -> None:
        """Close the channels of a kernel that was killed, and remove all traces of it."""
        self._close()
        self._clean_up()

    def _close(self) -> None:
        with contextlib.suppress(Exception):  # the event loop may be gone
            if self._client:
                self._client.stop_channels()

    def _clean_up(self) -> None:
        """Remove all traces: the process as a zombie, what its cells have started, its files."""
        if self._process is None and self._manager and self._manager.provisioner:
            self._process = self._manager.provisioner.process  # it was cancelled while it started
            self.kill()
        if self._process:
            with contextlib.suppress(Exception):
                self._process.wait(REAP_SECONDS)
            cleanup.end_marked({self.folder})
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._record:
            self._record.unlink(missing_ok=True)


@cache
def bootstrap() -> str:
    return Path(__file__).with_name("bootstrap.py").read_text(encoding="utf-8")


def _how_it_ended(code: int | None) -> str:
    """Return in plain words why the process of a kernel is gone, by its exit code."""
    if code is not None and code >= 0:
        return f"The cell ended its own process (exit code {code})."
    name = signal.Signals(-code).name if code is not None and -code in _SIGNALS else "unknown"
    if name == "SIGKILL":
        return (
            "The process that ran this cell was killed from outside. Most often the system does this when "
            "memory runs out; a person can end it, too."
        )
    if name in ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT"):
        return f"The process that ran this cell crashed ({name}): an error in a library, not in Python code."
    return f"The process that ran this cell was ended by the signal {name}."


_SIGNALS = {int(number) for number in signal.Signals}


def _this_python(python: str) -> Any:
    """Return a kernel spec manager that knows one kernel: ipykernel in this Python. No folder is searched for others."""
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

    argv = [
        python,
        str(Path(__file__).with_name("launch.py")),
        "-f",
        "{connection_file}",
        "--HistoryManager.hist_file=:memory:",
    ]

    class OneKernel(KernelSpecManager):
        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            return KernelSpec(argv=argv, display_name="Python 3", language="python")

    return OneKernel()


def _step_back(pid: int) -> None:
    """Lower the priority of a kernel below that of the pages, and let the system end it first when memory runs out."""
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, pid, NICE)
    with contextlib.suppress(OSError):
        # A kernel leads a session of its own; where Linux schedules by sessions, nice alone has no effect
        Path(f"/proc/{pid}/autogroup").write_text(str(NICE))
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text("500")
