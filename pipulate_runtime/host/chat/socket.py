"""The panel's addresses: its content, and its WebSocket.

The browser sends JSON objects: the fields of a form, and under HEADERS the address of the page. The server sends HTML for
htmx to swap in. `security.Guard` has checked the origin of the connection before.
"""

import asyncio
import contextlib
from typing import Any

from fasthtml.common import FastHTML
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.chat import panel
from pipulate_runtime.host.chat.client import Ollama, parsed
from pipulate_runtime.host.chat.context import PageReader, PageView
from pipulate_runtime.host.chat.conversation import Conversation, Listener
from pipulate_runtime.host.chat.tools import Tools
from pipulate_runtime.host.lists.lists import Tasks
from pipulate_runtime.host.pages.workflow_runs import run_url
from pipulate_runtime.host.plugins.model import Loaded
from pipulate_runtime.host.state import request_run
from pipulate_runtime.host.state.history import History, Message
from pipulate_runtime.host.state.store import StateStore

TYPED = 50  # fields of the page's form that a question may include
LONGEST = 256 * 1024  # characters of one message from a page
OWN_FIELDS = frozenset({"chat_text", "do", "id", "HEADERS"})


class Chat:
    """The chat of an app: its panel and the WebSocket."""

    def __init__(
        self, app: FastHTML, store: StateStore, loaded: Loaded, tasks: Tasks, ollama: Ollama
    ) -> None:
        self._app = app
        self._store = store
        self._loaded = loaded
        history: History = app.state.pipulate.message_queue
        pages = PageReader(app, store, loaded)
        self.conversation = Conversation(history, ollama, Tools(tasks), pages)
        history.question = self._question

    def register(self) -> None:
        self._app.route("/chat", methods=["GET"])(self.panel)
        self._app.router.routes.append(WebSocketRoute("/ws", self.socket))

    async def panel(self) -> Component:
        """GET /chat: the content of the panel."""
        ollama = self.conversation.ollama
        try:
            return panel.content(await ollama.model(), ollama.where, "")
        except HostError as error:
            return panel.content("", "", f"{error.message} {error.remedy}")

    def _question(self, text: str) -> None:
        """Ask the model a question of a workflow, about the run of its request. Without a panel only keep it."""
        if not self.conversation.has_panel:
            self.conversation.history.keep(Message("user", text))
            return
        run = self._store.run(request_run.bound_key())
        plugin = self._loaded.by_app.get(run.app_name) if run else None
        address = run_url(plugin.key, run.key) if plugin and run else "/"
        self.conversation.ask(text, PageView(address))

    async def socket(self, websocket: WebSocket) -> None:
        """/ws: serves one panel."""
        await websocket.accept()
        listener = self.conversation.connect()
        sender = asyncio.create_task(_send(websocket, listener))
        try:
            async for text in websocket.iter_text():
                if len(text) <= LONGEST:
                    self._received(listener, text)
        except (WebSocketDisconnect, KeyError):  # KeyError: bytes instead of a text
            pass
        finally:
            self.conversation.disconnect(listener)
            sender.cancel()

    def _received(self, listener: Listener, text: str) -> None:
        """Do what a page sent; ignore invalid messages."""
        try:
            sent = parsed(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(sent, dict):
            return
        headers = sent.get("HEADERS")
        address = headers.get("HX-Current-URL") if isinstance(headers, dict) else None
        view = PageView(address if isinstance(address, str) else "/", _typed(sent))
        with contextlib.suppress(ValueError):  # not an address
            listener.path = view.path
        match sent.get("do"):
            case "ask":
                self.conversation.ask(str(sent.get("chat_text") or ""), view)
            case "stop":
                self.conversation.stop()
            case "clear":
                self.conversation.clear()
            case "undo":
                number = str(sent.get("id") or "")
                if number.isascii() and number.isdecimal() and len(number) < 10:
                    self.conversation.undo(int(number))


def _typed(sent: dict[str, Any]) -> dict[str, Any]:
    fields = [(name, value) for name, value in sent.items() if name not in OWN_FIELDS]
    return dict(fields[:TYPED])


async def _send(websocket: WebSocket, listener: Listener) -> None:
    """Send all pieces for a panel, until it disconnects."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
        while True:
            await websocket.send_text(await listener.pieces.get())
