"""What stands around every page: the menu, the lists it leads to, and the chat panel.

Only this module imports `host.chat`. Without that folder the host starts and has no panel.
"""

from importlib.util import find_spec
from typing import Any

from fasthtml.common import FastHTML

from pipulate_runtime.host.base.security import put_first
from pipulate_runtime.host.lists.lists import Profiles, Roles, Tasks
from pipulate_runtime.host.pages.menu import Menu
from pipulate_runtime.host.plugins.model import Loaded
from pipulate_runtime.host.state.store import StateStore

WITH_CHAT = find_spec("pipulate_runtime.host.chat") is not None
if WITH_CHAT:
    from pipulate_runtime.host.chat.client import ADDRESS, Ollama
    from pipulate_runtime.host.chat.panel import drawer
    from pipulate_runtime.host.chat.socket import Chat


def answering(address: str | None, model: str | None) -> Any:
    """Who answers in the chat: a model of the Ollama at an address. None where there is no chat. Raises HostError PP550."""
    return Ollama(address or ADDRESS, model) if WITH_CHAT else None


class Around:
    """The menu, the lists and the chat of an app; `frame` is what `pages.page` takes besides the content."""

    def __init__(self, app: FastHTML, store: StateStore, loaded: Loaded, ollama: Any) -> None:
        """For an app whose plugins are loaded; `ollama` answers in the chat, None is the one on this machine."""
        self._app = app
        self._store = store
        self.menu = Menu(app, store, loaded)
        self.tasks = Tasks(app, store)
        self._lists = (self.tasks, Profiles(app, store), Roles(app, store, loaded))
        self._chat = None
        if WITH_CHAT:
            self._chat = Chat(app, store, loaded, self.tasks, ollama or Ollama())
        app.state.frame = self.frame

    def register(self) -> None:
        """Puts the addresses before those of the plugins, which so cannot hide them."""
        before = len(self._app.router.routes)
        self.menu.register()
        if self._chat is not None:
            self._chat.register()
        for one in self._lists:
            one.register()
        put_first(self._app, before)

    async def close(self) -> None:
        """Ends the conversation."""
        if self._chat is not None:
            await self._chat.conversation.close()

    def frame(self) -> dict[str, Any]:
        """The colours, the menu and the panel, if there is a chat."""
        theme = self._store.setting("theme_preference") or "auto"
        return {
            "theme": theme,
            "menu": self.menu.parts(),
            "panel": drawer() if self._chat else None,
        }
