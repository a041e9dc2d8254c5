"""Limits of what a request may hold and how long it may take to come, checked before anything is done with it.

Starlette limits the fields of a form (1,000) and their size; uvicorn the messages of a WebSocket.
"""

import asyncio
import time
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from pipulate_runtime.host.base import errors

HEAD = 64 * 1024  # bytes of the first line and the headers
ADDRESS = 16 * 1024  # bytes of path and query
BODY = 20_000_000  # bytes of a form without files, and of JSON
FILES = 4_000_000_000  # bytes of a form with files; a field has its own limit
HEAD_SECONDS = 10.0  # until the headers are there
BODY_SECONDS = 30.0  # until the body is there, and one more for each SLOWEST bytes of it
SLOWEST = 10_000  # bytes a second


def check_head(scope: Scope) -> None:
    """Raise HostError PP560 or PP562 for a request that is too large by what its head says."""
    if len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"]) > ADDRESS:
        raise errors.HEAD_TOO_LARGE.error(what="address", most=ADDRESS)
    if sum(len(name) + len(value) for name, value in scope["headers"]) > HEAD:
        raise errors.HEAD_TOO_LARGE.error(what="headers", most=HEAD)
    length = Headers(scope=scope).get("content-length", "0")
    if length.isascii() and length.isdigit() and int(length) > _most(scope):
        raise errors.REQUEST_TOO_LARGE.error(most=_most(scope))


def bounded(scope: Scope, receive: Receive) -> Receive:
    """Return what receives a request's body; it raises HostError PP560 (too large) and PP563 (too slow)."""
    most, size, complete = _most(scope), 0, False
    began = time.monotonic()

    async def receive_part() -> Message:
        nonlocal size, complete
        if complete:
            return await receive()  # waits until the browser is gone: as long as it takes
        try:
            left = began + BODY_SECONDS + size / SLOWEST - time.monotonic()
            message = await asyncio.wait_for(receive(), left)
        except TimeoutError:
            raise errors.REQUEST_TOO_SLOW.error() from None
        size += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if size > most:
            raise errors.REQUEST_TOO_LARGE.error(most=most)
        return message

    return receive_part


def is_json(scope: Scope) -> bool:
    """Return whether a request says that its body is JSON."""
    return "json" in Headers(scope=scope).get("content-type", "")


def _most(scope: Scope) -> int:
    kind = Headers(scope=scope).get("content-type", "")
    return FILES if kind.startswith("multipart/form-data") else BODY


def protocol() -> Any:
    """Return what uvicorn reads HTTP with: it closes a connection whose head is too large or does not come."""
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    except ImportError:  # h11 has a limit of its own
        return "auto"

    class Bounded(HttpToolsProtocol):
        _head: int | None = 0
        """How many bytes of a head have come; None outside of one."""
        _late: asyncio.TimerHandle | None = None
        _whole = False
        """Whether the body of the present request has come."""

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._expect()

        def data_received(self, data: bytes) -> None:
            if self._head is not None:
                self._head += len(data)
            super().data_received(data)
            if (self._head or 0) > HEAD and not self.transport.is_closing():
                self.transport.write(_REFUSED)
                self.transport.close()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            if self._late is None:  # another request on this connection
                self._head = 0
                self._expect()

        def on_headers_complete(self) -> None:
            self._head, self._whole = None, False
            self._arrived()
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            self._whole = True
            super().on_message_complete()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if not self._whole:  # it was refused; nobody reads the rest
                self.transport.close()

        def connection_lost(self, exc: Exception | None) -> None:
            self._arrived()
            super().connection_lost(exc)

        def _expect(self) -> None:
            self._late = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

        def _arrived(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

    return Bounded


_REFUSED = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    b"The headers of this request are too large."
)
