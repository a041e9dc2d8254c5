"""What the server prints goes through a thread: a pipe that nobody reads must not stop it.

A server is often started by another program that keeps its output in a pipe and forgets to read it. Such a pipe is full
after 64 KB, and who writes to it then waits for ever. Here only a thread waits; what is too much meanwhile is dropped.
"""

import contextlib
import io
import queue
import threading
from collections.abc import Iterator
from typing import TextIO

WAITING = 10_000  # pieces of text that wait to be written
PATIENCE = 1.0  # seconds that the end of the server waits for the last of them


class Outlet(io.TextIOBase):
    """A stream of text that is never waited for."""

    def __init__(self, to: TextIO) -> None:
        """In front of another stream."""
        self._to = to
        self._queue: queue.Queue[str | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._write_all, daemon=True)
        self._thread.start()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the stream behind it."""
        return self._to.encoding

    def isatty(self) -> bool:
        """Whether a person sees it at once."""
        return self._to.isatty()

    def fileno(self) -> int:
        """That of the stream behind it."""
        return self._to.fileno()

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Take a piece of text; it is dropped if too much waits already."""
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(text)
        return len(text)

    def end(self) -> None:
        """Write what waits, unless nobody reads."""
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(None)
        self._thread.join(PATIENCE)

    def _write_all(self) -> None:
        while (text := self._queue.get()) is not None:
            with contextlib.suppress(OSError, ValueError):  # the reader is gone
                self._to.write(text)
                if self._queue.empty():
                    self._to.flush()


@contextlib.contextmanager
def never_waiting(out: TextIO, err: TextIO) -> Iterator[None]:
    """Put an outlet before the standard streams for as long as the server runs."""
    outlets = Outlet(out), Outlet(err)
    with contextlib.redirect_stdout(outlets[0]), contextlib.redirect_stderr(outlets[1]):
        try:
            yield
        finally:
            for outlet in outlets:
                outlet.end()
