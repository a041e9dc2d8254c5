"""The addresses of a review: a notebook and its plugin side by side, with buttons to decide conflicts.

The host does not import the compiler. The command that starts it hands in a `Reviewer`, which reads the two files and writes
the decisions. A review shows code and changes files, so other machines get one only with `--trust-network`.
"""

import asyncio
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from fasthtml.common import A, FastHTML, P
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.base.security import put_first
from pipulate_runtime.host.pages import frame as pages
from pipulate_runtime.host.plugins.model import Plugin, split_name
from pipulate_runtime.host.plugins.served import Served
from pipulate_runtime.host.review import page as reviewpage
from pipulate_runtime.host.review.page import Review

PREFIX = "/-/review"  # no plugin's address begins like this


class Reviewer(Protocol):
    """The compiler's side. `plugin` is a plugin's file. `look` and `settle` raise HostError for an unusable file."""

    def offers(self, plugin: Path) -> bool:
        """Whether the notebook of a plugin exists. Quick."""

    def look(self, plugin: Path) -> Review:
        """Read the two files."""

    def settle(self, plugin: Path, conflict: str, choice: str, seen: str) -> tuple[Review, str]:
        """Decide a conflict if the files are still those that were `seen`; return the new review and a message."""


def address(plugin: Path) -> str:
    return f"{PREFIX}/{quote(split_name(plugin.stem)[1])}"


class Reviewing:
    """Handlers of `/-/review`."""

    def __init__(
        self, app: FastHTML, served: Served, reviewer: Reviewer, only: Path | None = None
    ) -> None:
        """For all plugins of an app, or `only` for one, whose review is then the first page."""
        self._app = app
        self._served = served
        self._reviewer = reviewer
        self._only = only
        self._lock = asyncio.Lock()

    def register(self) -> None:
        """Add the routes before all others; a workflow's page finds the link to its review in the app's state."""
        self._app.state.review_link = self.link
        before = len(self._app.router.routes)
        self._app.route(f"{PREFIX}/{{key}}", methods=["GET"])(self.page)
        self._app.route(f"{PREFIX}/{{key}}/settle", methods=["POST"])(self.settle)
        if self._only is not None:
            to = address(self._only)
            self._app.route("/", methods=["GET"], name="review")(lambda: RedirectResponse(to))
        put_first(self._app, before)

    def link(self, plugin: Plugin) -> Component:
        """The link from a workflow's page to its review; None without its notebook."""
        if not self._reviewer.offers(plugin.path):
            return None
        return P(A("Review its notebook and its code", href=address(plugin.path)), cls="meta")

    def page(self, key: str) -> Any:
        """GET /-/review/KEY: the review. Not async, so that it compiles the notebook in a thread."""
        plugin = self._file(key)
        if plugin is None:
            return Response("", status_code=404)
        return self._page(key, self._reviewer.look(plugin))

    async def settle(
        self, request: Request, key: str, conflict: str = "", choice: str = "", seen: str = ""
    ) -> Any:
        """POST /-/review/KEY/settle: decides a conflict, reloads the plugin and answers with the new review."""
        plugin = self._file(key)
        if plugin is None:
            return Response("", status_code=404)
        async with self._lock:
            before = _content(plugin)
            review, said = await asyncio.to_thread(
                self._reviewer.settle, plugin, conflict, choice, seen
            )
            if self._only is None and _content(plugin) != before:
                self._served.refresh(plugin)
        if "hx-request" in request.headers:
            return reviewpage.content(review, self._action(key), said)
        return self._page(key, review, said)

    def _page(self, key: str, review: Review, said: str = "") -> Component:
        content = reviewpage.content(review, self._action(key), said)
        frame = {} if self._only else self._app.state.frame()
        return pages.page(f"Review: {review['title']}", content, **frame)

    def _file(self, key: str) -> Path | None:
        """The file to review under a key, also of a plugin that cannot be opened."""
        if self._only is not None:
            return self._only if split_name(self._only.stem)[1] == key else None
        loaded = self._served.loaded
        if plugin := loaded.by_key.get(key):
            return plugin.path
        return next((p.path for p in loaded.problems if p.key == key), None)

    @staticmethod
    def _action(key: str) -> str:
        return f"{PREFIX}/{quote(key)}/settle"


def _content(file: Path) -> bytes | None:
    """Return the content of a file; None if it was deleted, which the reviewer reports."""
    try:
        return file.read_bytes()
    except OSError:
        return None
