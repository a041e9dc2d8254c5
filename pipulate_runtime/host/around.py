"""What stands around every page: the menu, the lists it leads to, and the chat panel."""

from typing import Any

from fasthtml.common import FastHTML

from pipulate_runtime.host.chat.ollama import Ollama
from pipulate_runtime.host.chat.panel import drawer
from pipulate_runtime.host.chat.socket import Chat
from pipulate_runtime.host.crud.lists import Profiles, Roles, Tasks
from pipulate_runtime.host.menu import Menu
from pipulate_runtime.host.plugins import Loaded
from pipulate_runtime.host.precedence import put_first
from pipulate_runtime.host.state import StateStore


class Around:
    """The menu, the lists and the chat of an app; `frame` is what `pages.page` takes besides the content."""

    def __init__(self, app: FastHTML, store: StateStore, loaded: Loaded, ollama: Ollama) -> None:
        """For an app whose plugins are loaded."""
        self._app = app
        self._store = store
        self.menu = Menu(app, store, loaded)
        self.tasks = Tasks(app, store)
        self._lists = (self.tasks, Profiles(app, store), Roles(app, store, loaded))
        self.chat = Chat(app, store, loaded, self.tasks, ollama)
        app.state.frame = self.frame

    def register(self) -> None:
        """Puts the addresses before those of the plugins, which so cannot hide them."""
        before = len(self._app.router.routes)
        self.menu.register()
        self.chat.register()
        for one in self._lists:
            one.register()
        put_first(self._app, before)

    def frame(self) -> dict[str, Any]:
        """The colours, the menu and the panel."""
        theme = self._store.setting("theme_preference") or "auto"
        return {"theme": theme, "menu": self.menu.parts(), "panel": drawer()}
