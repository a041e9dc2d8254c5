"""The menu in the header of each page: search for workflows, tasks, and the profile in use."""

from typing import Any
from urllib.parse import urlsplit

from fasthtml.common import (
    A,
    Button,
    Details,
    Div,
    FastHTML,
    Form,
    Input,
    Label,
    Li,
    P,
    Span,
    Summary,
    Ul,
)
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.plugins.model import Loaded, Plugin
from pipulate_runtime.host.state.store import StateStore

FOUND = 12  # workflows that the search shows at most


class Menu:
    """The menu in the header, and its requests (CONTRACT 1.3)."""

    def __init__(self, app: FastHTML, store: StateStore, loaded: Loaded) -> None:
        self._app = app
        self._store = store
        self._loaded = loaded

    def register(self) -> None:
        self._app.route("/search-apps", methods=["POST"])(self.search)
        self._app.route("/select_profile", methods=["POST"])(self.select_profile)
        self._app.route("/refresh-profile-menu", methods=["GET"])(self.profile_menu)
        self._app.route("/refresh-app-menu", methods=["GET"])(self.app_menu)

    def parts(self) -> list[Component]:
        return [self.finder(), A("Tasks", href="/tasks", cls="menu-link"), self.profile_menu()]

    # -- workflows

    def shown(self) -> list[Plugin]:
        """The workflows of the roles that are switched on; the search and addresses reach the others, too."""
        return self._loaded.of_roles(self._store.roles_on())

    def finder(self) -> Component:
        """The search; its list loads when it is unfolded."""
        return Details(
            Summary("Find", title="Find a workflow (Ctrl+K)"),
            Div(
                Label("Workflow", fr="find-name"),
                Input(
                    type="search",
                    id="find-name",
                    name="search",
                    autocomplete="off",
                    hx_post="/search-apps",
                    hx_trigger="input changed delay:150ms, search, toggle from:closest details",
                    hx_target="#found",
                ),
                Div(
                    id="found",
                    hx_get="/refresh-app-menu",
                    hx_trigger="refreshAppMenu from:body",
                    aria_live="polite",
                ),
                cls="menu-sheet",
            ),
            id="finder",
            cls="menu",
            name="menu",
        )

    def app_menu(self) -> Component:
        """GET /refresh-app-menu: the workflows of the roles that are on."""
        return _found(self.shown(), "The roles that are switched on have no workflows.")

    def search(self, search: str = "") -> Component:
        """POST /search-apps: workflows with these words in their name or description, of any role."""
        words = search.casefold().split()
        if not words:
            return self.app_menu()

        def text(plugin: Plugin) -> str:
            return f"{plugin.title} {plugin.key} {plugin.description}".casefold()

        fitting = [p for p in self._loaded.plugins if all(word in text(p) for word in words)]
        return _found(
            sorted(fitting, key=lambda p: words[0] not in p.title.casefold()),
            "No workflow found.",
        )

    # -- profiles

    def profile_menu(self) -> Component:
        """GET /refresh-profile-menu: the profile in use, and the others."""
        used, name = self._store.profile()
        active = [r for r in self._store.rows("profile") if r["active"] or r["id"] == used]
        choices = [
            Button(
                row["name"],
                type="submit",
                name="profile_id",
                value=str(row["id"]),
                cls="menu-choice",
                aria_current="true" if row["id"] == used else None,
            )
            for row in active
        ]
        return Details(
            Summary(
                Span("Profile: ", cls="only-read"),
                Span(name, cls="profile-name"),
                title="The profile in use",
            ),
            Div(
                Form(
                    *choices,
                    action="/select_profile",
                    method="post",
                    enctype=False,
                    hx_post="/select_profile",
                    hx_swap="none",
                ),
                Ul(
                    Li(A("Profiles", href="/profiles")),
                    Li(A("Roles", href="/roles")),
                    Li(A("All runs", href="/runs")),
                    cls="menu-links",
                ),
                cls="menu-sheet",
            ),
            id="profile-menu",
            cls="menu",
            name="menu",
            hx_get="/refresh-profile-menu",
            hx_trigger="refreshProfileMenu from:body",
            hx_swap="outerHTML",
        )

    def select_profile(self, request: Request, profile_id: int = 0) -> Any:
        """POST /select_profile: shows the runs and tasks of another profile from now on."""
        if any(row["id"] == profile_id for row in self._store.rows("profile")):
            self._store.set_setting("last_profile_id", str(profile_id))
        if "hx-request" in request.headers:
            return Response("", headers={"HX-Refresh": "true"})
        back = urlsplit(request.headers.get("referer", "")).path or "/"
        return RedirectResponse(back if back[:2] != "//" else "/", status_code=303)


def _found(plugins: list[Plugin], nothing: str) -> Component:
    if not plugins:
        return P(nothing, cls="meta")
    more = len(plugins) - FOUND
    return Div(
        Ul(*(Li(A(p.title, href=f"/{p.key}")) for p in plugins[:FOUND]), cls="menu-links"),
        P(f"{more} more: type part of the name.", cls="meta") if more > 0 else None,
    )
