"""What the owner of the plugins can do from the pages of a server: drop notebooks, read the log, have files followed."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fasthtml.common import FastHTML
from starlette.requests import Request

from pipulate_runtime.host.base import logs
from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.base.security import put_first
from pipulate_runtime.host.pages import frame as pages
from pipulate_runtime.host.pages import log as logpage
from pipulate_runtime.host.plugins.served import Served
from pipulate_runtime.host.review.routes import Reviewer, Reviewing
from pipulate_runtime.host.state.store import StateStore
from pipulate_runtime.host.workshop.port import Porter, Porting
from pipulate_runtime.host.workshop.reload import Follower, following


@dataclass(frozen=True, slots=True)
class Tools:
    """What a server offers to its owner. Without a porter no notebook can be dropped; without `pages` nothing is offered in the browser.

    `log`: what happens is written to the data folder. `follow`: what is saved in the folder of the plugins is served at once.
    `reviewer` shows plugins beside their notebooks; with `reviewed` a server does that alone, for this plugin's file.
    """

    porter: Porter | None = None
    pages: bool = False
    log: bool = False
    follow: bool = False
    reviewer: Reviewer | None = None
    reviewed: Path | None = None


NO_TOOLS = Tools()


class Workshop:
    """The tools of one app."""

    def __init__(
        self, app: FastHTML, served: Served, store: StateStore, data: Path, tools: Tools
    ) -> None:
        """For an app whose plugins are loaded."""
        self._app = app
        self._served = served
        self._store = store
        self._folder = data / "log"
        self._tools = tools
        self._data = data

    def register(self) -> None:
        """Adds the addresses that are offered."""
        if not self._tools.pages:
            return
        if self._tools.porter is not None:
            Porting(self._app, self._served, self._tools.porter, self._data).register()
        if self._tools.reviewer is not None:
            reviewed = self._tools.reviewed
            Reviewing(self._app, self._served, self._tools.reviewer, reviewed).register()
        before = len(self._app.router.routes)
        self._app.route("/log", methods=["GET"])(self.page)
        self._app.route("/log/entries", methods=["GET"])(self.entries)
        put_first(self._app, before)

    @asynccontextmanager
    async def open(self, folder: Path | None) -> AsyncIterator[None]:
        """Logs and follows, for as long as the server runs."""
        async with AsyncExitStack() as stack:
            if self._tools.log:
                stack.enter_context(logs.kept(self._folder))
            if self._tools.follow and folder is not None:
                follower = Follower(self._served, folder, self._tools.porter)
                await stack.enter_async_context(following(follower))
            yield

    def page(self, request: Request) -> Component:
        """GET /log?q=WORDS&level=LEVEL: the last entries."""
        level, words = _asked(request)
        found = logs.search(logs.entries(self._folder), level, words)
        path = str((self._folder / logs.NAME).absolute())
        content = logpage.log_page(found, level, words, path)
        return pages.page("Log", content, **self._app.state.frame())

    def entries(self, request: Request) -> Any:
        """GET /log/entries: the list alone."""
        level, words = _asked(request)
        found = logs.search(logs.entries(self._folder), level, words)
        return logpage.log_entries(found, words or level)


def _asked(request: Request) -> tuple[str, str]:
    asked = request.query_params
    return asked.get("level", "")[:20].upper(), asked.get("q", "")[:200]
