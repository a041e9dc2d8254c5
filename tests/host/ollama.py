"""A stand-in that speaks Ollama's protocol as its documentation describes it, and fails in the ways a server can fail.

Each POST to /api/chat is answered by the next script: a list of what is sent, one after the other.
"""

import contextlib
import json
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODEL = "llama3.2:latest"


@dataclass
class Wait:
    """Nothing is sent until the event is set (or the test ends)."""

    event: threading.Event = field(default_factory=threading.Event)


@dataclass
class Status:
    """An error instead of an answer."""

    code: int
    body: bytes


class Gone:
    """The connection ends here, in the midst of the answer."""


def text(*words, done=True):
    """An answer in some pieces."""
    return [
        *({"message": {"role": "assistant", "content": word}, "done": False} for word in words),
        *([END] if done else []),
    ]


def call(name, arguments):
    """An answer that uses a tool."""
    called = [{"function": {"name": name, "arguments": arguments}}]
    return [
        {"message": {"role": "assistant", "content": "", "tool_calls": called}, "done": False},
        END,
    ]


def error(code, message):
    return [Status(code, json.dumps({"error": message}).encode())]


END = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}


class StandIn:
    """The server; `asked` holds the bodies of the requests."""

    def __init__(self, models=(MODEL,)):
        self.models = list(models)
        self.scripts = deque()
        self.asked = []
        self.left = threading.Event()  # the client hung up
        self.ended = threading.Event()
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_GET(self):
                assert self.path == "/api/tags"
                body = json.dumps({"models": [{"name": name} for name in stand_in.models]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                assert self.path == "/api/chat"
                length = int(self.headers["Content-Length"])
                stand_in.asked.append(json.loads(self.rfile.read(length)))
                with contextlib.suppress(ConnectionError):
                    stand_in.answer(self, stand_in.scripts.popleft())

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, handler, script):
        if script and isinstance(script[0], Status):
            handler.send_response(script[0].code)
            handler.send_header("Content-Length", str(len(script[0].body)))
            handler.end_headers()
            handler.wfile.write(script[0].body)
            return
        handler.send_response(200)
        handler.send_header("Content-Type", "application/x-ndjson")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for part in script:
            if isinstance(part, Gone):
                handler.close_connection = True
                return
            if isinstance(part, Wait):
                if not self.wait(handler, part.event):
                    return
                continue
            line = part if isinstance(part, bytes) else json.dumps(part).encode() + b"\n"
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            handler.wfile.flush()
        handler.wfile.write(b"0\r\n\r\n")

    def wait(self, handler, event):
        """Waits for the event, the end of the test, or the client to hang up."""
        handler.connection.settimeout(0.02)
        while not event.is_set():
            if self.ended.is_set():
                return False
            try:
                if handler.connection.recv(1) == b"":
                    self.left.set()
                    handler.close_connection = True
                    return False
            except TimeoutError:
                continue
        handler.connection.settimeout(None)
        return True

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *args):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
