"""The log of a server: a file in the data folder that rotates, and what the page `/log` reads back from it.

An entry is a line `time LEVEL name: text`, in UTC; further lines of it are indented, so that nothing that is logged can look
like an entry of its own. What a vault holds, and what looks like a key or a password, is overwritten before it is written.
"""

import contextlib
import io
import logging
import os
import queue
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# --- standard output through a thread -------------------------------------------------------------------------------------


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


# --- the log file ---------------------------------------------------------------------------------------------------------


NAME = "server.log"
LARGEST = 1_000_000  # bytes of one file
FILES = 4  # older ones that are kept
READ = 2_000  # entries that are looked through
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
OURS = "pipulate_runtime"

_ENTRY = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([A-Z]+) ([\w.-]+): (.*)")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\x85\u2028\u2029]")
_SECRET = re.compile(
    r"""(?ix) (?P<name> \b [\w-]* (?:api[_-]?key|token|passw(?:or)?d|secret|authorization) \b ["']? \s* [:=] \s* )
        (?: (?:bearer|basic) \s+ )? (?P<value> "[^"]*" | '[^']*' | [^\s,;)}\]]+ )
      | (?P<key> \b (?:sk|pk|ghp|gho|xox[abp]|AIza)[-_]?[\w-]{16,} )"""
)
HIDDEN = "•••"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; `text` may have several lines."""

    at: str
    level: str
    name: str
    text: str


def without_secrets(text: str, known: Iterable[str] = ()) -> str:
    """The text with known secrets, and what looks like one, overwritten."""
    for value in sorted(set(known), key=len, reverse=True):
        if len(value) >= 4:  # shorter ones would blacken ordinary words
            text = text.replace(value, HIDDEN)
    return _SECRET.sub(lambda found: (found["name"] or "") + HIDDEN, text)


class Lines(logging.Formatter):
    """Writes a record as one entry."""

    def __init__(self, secrets: Callable[[], Iterable[str]]) -> None:
        """`secrets` gives what is known to be secret now."""
        super().__init__()
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """The entry, with the traceback if there is one."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        text = _CONTROL.sub(" ", without_secrets(text, self._secrets()))
        inner = text.rstrip("\n").replace("\n", "\n    ")
        head = f"{moment}.{int(record.msecs):03}Z {record.levelname} {record.name}"
        return f"{head}: {inner}"


def _secrets_of_runs() -> Iterator[str]:
    """What the vaults of the plugins hold, if any plugin has cells."""
    import sys

    api = sys.modules.get("pipulate_runtime.cells.api")
    if api is not None:
        for cells in api.everywhere():
            yield from cells.vault.values()


@contextlib.contextmanager
def kept(folder: Path) -> Iterator[None]:
    """Writes what is logged into a file of a folder, as long as the server runs: ours from INFO on, else warnings."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = _Private(folder / NAME, maxBytes=LARGEST, backupCount=FILES, encoding="utf-8")
    handler.setFormatter(Lines(_secrets_of_runs))
    handler.addFilter(lambda r: r.levelno >= logging.WARNING or r.name.startswith(OURS))
    ours, everything = logging.getLogger(OURS), logging.getLogger()
    loggers = [everything, logging.getLogger("uvicorn")]  # which keeps its own to itself
    before = ours.level
    ours.setLevel(logging.INFO)
    terminal = None if everything.handlers else logging.lastResort
    for logger in loggers:
        logger.addHandler(handler)
    if terminal is not None:  # Python uses it only as long as there is no handler at all
        everything.addHandler(terminal)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        if terminal is not None:
            everything.removeHandler(terminal)
        ours.setLevel(before)
        with contextlib.suppress(OSError, ValueError):  # what is still to be written has no room
            handler.close()


class _Private(RotatingFileHandler):
    """Files that only their owner can read."""

    def _open(self):  # type: ignore[no-untyped-def]
        opened = super()._open()
        with contextlib.suppress(OSError):
            os.chmod(self.baseFilename, 0o600)  # noqa: PTH101
        return opened

    def handleError(self, record: logging.LogRecord) -> None:
        """A full disk must not stop what is being logged."""


def entries(folder: Path, limit: int = READ) -> list[Entry]:
    """The last entries of the files, the newest first."""
    found: deque[Entry] = deque(maxlen=limit)
    names = [f"{NAME}.{number}" for number in range(FILES, 0, -1)] + [NAME]
    for name in names:
        with contextlib.suppress(OSError):
            found.extend(_parsed((folder / name).read_text(encoding="utf-8", errors="replace")))
    return list(reversed(found))


def _parsed(text: str) -> Iterator[Entry]:
    head: tuple[str, str, str] | None = None
    lines: list[str] = []
    for line in text.split("\n"):
        match = _ENTRY.fullmatch(line)
        if match:
            if head:
                yield Entry(*head, "\n".join(lines))
            head, lines = (match[1], match[2], match[3]), [match[4]]
        elif line.startswith("    "):
            lines.append(line[4:])
    if head:
        yield Entry(*head, "\n".join(lines))


def search(found: Iterable[Entry], level: str = "", words: str = "") -> list[Entry]:
    """The entries of a level or above that hold all words, whatever their case."""
    least = LEVELS.index(level) if level in LEVELS else 0
    wanted = words.casefold().split()
    return [
        entry
        for entry in found
        if (LEVELS.index(entry.level) if entry.level in LEVELS else 0) >= least
        and all(word in f"{entry.name} {entry.text}".casefold() for word in wanted)
    ]


class Requests:
    """ASGI middleware: notes what was changed, and what failed. Only the path is noted, never what was sent."""

    def __init__(self, app: ASGIApp) -> None:
        """In front of an app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            if scope["method"] not in ("GET", "HEAD") or status >= 500:
                milliseconds = (time.perf_counter() - began) * 1000
                level = logging.WARNING if status >= 400 else logging.INFO
                path = ascii(scope["path"])[1:-1][:200]
                log.log(level, "%s %s %d, %.0f ms", scope["method"], path, status, milliseconds)
