"""The panel's addresses: its content, and the WebSocket over which it hears and speaks.

The browser sends JSON objects: the fields of a form, and under HEADERS the address of the page. The server sends HTML
that htmx puts in its place. `security.Guard` has checked where a connection comes from before it gets here.
"""

import asyncio
import contextlib
from typing import Any

from fasthtml.common import FastHTML
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from pipulate_runtime.host import scope
from pipulate_runtime.host.chat import panel
from pipulate_runtime.host.chat.conversation import Conversation, Listener
from pipulate_runtime.host.chat.ollama import Ollama, parsed
from pipulate_runtime.host.chat.sight import Sight, View
from pipulate_runtime.host.chat.tools import Tools
from pipulate_runtime.host.contract import Component
from pipulate_runtime.host.crud.lists import Tasks
from pipulate_runtime.host.history import History, Message
from pipulate_runtime.host.messages import HostError
from pipulate_runtime.host.plugins import Loaded
from pipulate_runtime.host.runs import run_url
from pipulate_runtime.host.state import StateStore

TYPED = 50  # fields of the page's form that a question brings along
LONGEST = 256 * 1024  # characters of what a page may send at once
OWN_FIELDS = frozenset({"chat_text", "do", "id", "HEADERS"})


class Chat:
    """The chat of an app."""

    def __init__(
        self, app: FastHTML, store: StateStore, loaded: Loaded, tasks: Tasks, ollama: Ollama
    ) -> None:
        """For an app whose plugins are loaded."""
        self._app = app
        self._store = store
        self._loaded = loaded
        history: History = app.state.pipulate.message_queue
        sight = Sight(app, store, loaded)
        self.conversation = Conversation(history, ollama, Tools(tasks), sight)
        history.question = self._question

    def register(self) -> None:
        """Adds the addresses."""
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
        """A workflow asks the model something, about the run of its request. Without a panel nobody waits for an answer."""
        if not self.conversation.heard:
            self.conversation.history.keep(Message("user", text))
            return
        run = self._store.run(scope.bound_key())
        plugin = self._loaded.by_app.get(run.app_name) if run else None
        address = run_url(plugin.key, run.key) if plugin and run else "/"
        self.conversation.ask(text, View(address))

    async def socket(self, websocket: WebSocket) -> None:
        """/ws: one panel."""
        await websocket.accept()
        listener = self.conversation.connect()
        sender = asyncio.create_task(_send(websocket, listener))
        try:
            async for text in websocket.iter_text():
                if len(text) <= LONGEST:
                    self._received(listener, text)
        except (WebSocketDisconnect, KeyError):  # KeyError: bytes where a text is due
            pass
        finally:
            self.conversation.disconnect(listener)
            sender.cancel()

    def _received(self, listener: Listener, text: str) -> None:
        """What a page sent. What is not understood is left alone."""
        try:
            sent = parsed(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(sent, dict):
            return
        headers = sent.get("HEADERS")
        address = headers.get("HX-Current-URL") if isinstance(headers, dict) else None
        view = View(address if isinstance(address, str) else "/", _typed(sent))
        with contextlib.suppress(ValueError):  # an address that is none
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
    """Sends what waits for a panel, until it is gone."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
        while True:
            await websocket.send_text(await listener.pieces.get())
