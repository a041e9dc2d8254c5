"""The host's own addresses: home, each workflow's page, runs, theme, files, problems."""

import asyncio
import contextlib
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fasthtml.common import FastHTML, HtmxResponseHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response

from pipulate_runtime.host.base import markup, security
from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.base.security import put_first
from pipulate_runtime.host.pages import frame, parts, status, workflow_runs
from pipulate_runtime.host.pages import home as homepage
from pipulate_runtime.host.plugins.export import notebook_text
from pipulate_runtime.host.plugins.load import SERVER_ROUTES
from pipulate_runtime.host.plugins.look import logo
from pipulate_runtime.host.plugins.model import Loaded, Plugin, is_address
from pipulate_runtime.host.state import request_run
from pipulate_runtime.host.state.run import Run, is_finalized
from pipulate_runtime.host.state.store import StateStore

CLEAN = 60.0  # seconds between two looks for what was deleted long ago


class Routes:
    """Handlers of the host's own addresses."""

    def __init__(
        self, app: FastHTML, store: StateStore, loaded: Loaded, data: Path, tools: bool = False
    ) -> None:
        """For an app whose plugins are loaded; `tools`: the home page offers what the owner can do."""
        self._data = data
        self._tools = tools
        self._app = app
        self._store = store
        self._loaded = loaded
        self._pages: set[str] = set()
        self.cleaning = asyncio.Event()
        """Set when there is something to be taken away at once."""

    def register(self) -> None:
        """Puts the routes before those of the plugins, which so cannot hide them."""
        before = len(self._app.router.routes)
        get, post = ["GET"], ["POST"]
        self._app.route("/", methods=get)(self.home)
        self._app.route("/favicon.ico", methods=get)(self.icon)
        self._app.route("/static/{name}", methods=get)(self.static)
        self._app.route("/static/logo/{key}", methods=get)(self.logo)
        self._app.route("/theme", methods=post)(self.theme)
        self._app.route("/problems/{stem}", methods=get)(self.problem)
        self._app.route("/runs/download", methods=get)(self.download)
        self._app.route("/runs/older", methods=get)(self.older)
        self._app.route("/runs/delete", methods=post)(self.delete)
        self._app.route("/runs/restore", methods=post)(self.restore)
        self._app.route("/redirect/{key}", methods=["GET", "POST"])(self.redirect)
        self._app.route("/generate-new-key/{app_name}", methods=get)(self.new_key)
        put_first(self._app, before)
        self.add_pages()

    def add_pages(self) -> None:
        """Gives each plugin and each problem its page; those that have one keep it."""
        before = len(self._app.router.routes)
        keys = [plugin.key for plugin in self._loaded.plugins]
        for key in keys + [problem.key for problem in self._loaded.problems]:
            if key not in self._pages and key not in SERVER_ROUTES and is_address(key):
                self._pages.add(key)
                self._app.route(f"/{key}", methods=["GET"], name=f"page {key}")(self._page_of(key))
        put_first(self._app, before)

    def _page(self, title: str, *content: Component, plugin: Plugin | None = None) -> Component:
        security.sign(content, security.page_nonce())
        return frame.page(title, *content, plugin=plugin, **self._app.state.frame())

    # -- pages

    def home(self) -> Component:
        """GET /: all workflows."""
        shown = self._loaded.of_roles(self._store.roles_on())
        hidden = [p for p in self._loaded.plugins if p not in shown]
        content = homepage.home(
            shown,
            hidden,
            self._loaded.problems,
            self._store.count_runs(self._store.profile_key()),
            self._recent(),
            self._tools,
        )
        return self._page("Workflows", content)

    def _recent(self) -> list[tuple[status.Standing, Plugin]]:
        """The runs of the profile in use that were changed last, of workflows that are here."""
        found: list[tuple[status.Standing, Plugin]] = []
        mine = self._store.profile_key()
        for app_name, key in self._store.recent(20 * homepage.RECENT, mine):
            plugin, enough = self._loaded.by_app.get(app_name), len(found) == homepage.RECENT
            if plugin and not enough and (run := self._store.run(key)):
                found.append((status.standing_of(run, plugin, self._data, sized=False), plugin))
        return found

    def _page_of(self, key: str) -> Any:
        async def plugin_page(request: Request) -> Any:
            """GET /KEY: the page of the plugin that has this address now, or what is wrong with it."""
            if plugin := self._loaded.by_key.get(key):
                return await self._plugin_page(request, plugin)
            for problem in self._loaded.problems:
                if problem.key == key:
                    return RedirectResponse(f"/problems/{quote(problem.path.stem)}")
            raise HTTPException(404)

        return plugin_page

    async def _plugin_page(self, request: Request, plugin: Plugin) -> Component:
        """The landing page; with ?run= the run."""
        stale = tuple(map(frame.stale_notice, self._loaded.problems_of(plugin)))
        key = request.query_params.get("run")
        if key is None:
            landing = await self._landing(request, plugin)
            content = (*stale, *landing, self._link(plugin))
            return self._page(plugin.title, *content, plugin=plugin)
        run = self._run_of(plugin, key)
        if run is None:
            missing = parts.notice("This run no longer exists. The other runs are below.")
            content = (*stale, missing, *await self._landing(request, plugin))
            return self._page(plugin.title, *content, plugin=plugin)
        request_run.bind(key, run)
        name = workflow_runs.run_name(key, plugin.app_name)
        content = (*stale, frame.run_page(plugin, key, name, run.state))
        return self._page(f"{name} – {plugin.title}", *content, plugin=plugin)

    @staticmethod
    async def _landing(request: Request, plugin: Plugin) -> tuple[Component, ...]:
        """What a plugin shows before a run, below a heading where it has none."""
        landing = await plugin.instance.landing(request)
        if any(component.tag == "h1" for component in markup.components(landing)):
            return (landing,)
        return frame.own_head(plugin.instance), landing

    def _link(self, plugin: Plugin) -> Component:
        """What leads to the review of a plugin, where there is one."""
        link = getattr(self._app.state, "review_link", None)
        return link(plugin) if link else None

    def _run_of(self, plugin: Plugin, key: str) -> Run | None:
        run = self._store.run(key)
        return run if run and run.app_name == plugin.app_name and plugin.steps else None

    def problem(self, stem: str) -> Component:
        """GET /problems/STEM: why a plugin file cannot be used."""
        for problem in self._loaded.problems:
            if problem.path.stem == stem:
                return self._page("This workflow cannot be opened", frame.problem_page(problem))
        return Response("", status_code=404)

    def redirect(self, key: str) -> Response:
        """GET or POST /redirect/KEY: upstream's way through the menu."""
        return RedirectResponse(f"/{quote(key)}", status_code=303)

    def new_key(self, app_name: str) -> Response:
        """GET /generate-new-key/APP: the page is asked for again, and suggests a new name."""
        return Response("", headers={"HX-Refresh": "true"})

    # -- small things

    def static(self, name: str) -> Response:
        """GET /static/NAME."""
        found = markup.content(name)
        if found is None:
            return Response("", status_code=404)
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(found[0], media_type=found[1], headers=headers)

    def logo(self, key: str) -> Response:
        """GET /static/logo/KEY: the picture that a workflow brings (LOGO)."""
        plugin = self._loaded.by_key.get(key)
        path = logo(plugin) if plugin else None
        if path is None:
            return Response("", status_code=404)
        # An SVG that somebody opens by itself runs no scripts.
        policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        return FileResponse(path, headers={"Content-Security-Policy": policy})

    def icon(self) -> Response:
        """GET /favicon.ico."""
        return RedirectResponse(markup.url("icon.svg"))

    def theme(self, request: Request, theme: str = "auto") -> Any:
        """POST /theme: the colours, kept on the server."""
        chosen = theme if theme in frame.THEMES else "auto"
        self._store.set_setting("theme_preference", chosen)
        if "hx-request" not in request.headers:
            return RedirectResponse("/", status_code=303)
        return frame.theme_toggle(chosen), HtmxResponseHeaders(
            trigger=json.dumps({"theme": chosen})
        )

    # -- runs

    async def clean_up(self) -> None:
        """Take away for good, again and again, what was deleted long ago, with the folders; pages are answered meanwhile."""
        while True:
            self.cleaning.clear()
            with contextlib.suppress(HostError):  # the database is busy, or the disk is full: later
                while gone := await asyncio.to_thread(self._store.purge):
                    for app_name, key in gone:
                        await self._forget(app_name, key)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.cleaning.wait(), CLEAN)

    async def _forget(self, app_name: str, key: str) -> None:
        if self._loaded.compute:
            from pipulate_runtime import cells

            await asyncio.to_thread(cells.forget(app_name, key).delete)

    def _run_list(self, plugin: Plugin, deleted: str | None = None) -> Component:
        prefix = self._store.run_prefix(plugin.app_name)
        newest = self._store.runs(plugin.app_name, limit=workflow_runs.SHOWN, prefix=prefix)
        total = self._store.count_runs(self._store.profile_key()).get(plugin.app_name, 0)
        return workflow_runs.run_list(plugin.instance, newest, total, deleted)

    def older(self, app: str, skip: int = workflow_runs.SHOWN) -> Any:
        """GET /runs/older?app=APP&skip=N: runs that the list on the page leaves out, some at a time."""
        plugin = self._loaded.by_app.get(app)
        if plugin is None:
            return Response("", status_code=404)
        prefix = self._store.run_prefix(app)
        skip = min(max(skip, 0), 10**9)
        found = self._store.runs(app, limit=workflow_runs.MORE, skip=skip, prefix=prefix)
        total = self._store.count_runs(self._store.profile_key()).get(app, 0)
        return workflow_runs.older_runs(plugin.instance, found, skip, total)

    async def delete(self, run: str) -> Any:
        """POST /runs/delete: takes a run away; the answer is the list, with the way to undo it."""
        found = self._store.run(run)
        plugin = self._loaded.by_app.get(found.app_name) if found else None
        if found is None or plugin is None:
            return Response("", headers={"HX-Refresh": "true"})
        if plugin.computes:
            await plugin.instance.cells.stop(run)
        self._store.delete(run)
        return self._run_list(plugin, deleted=run)

    def restore(self, run: str) -> Any:
        """POST /runs/restore: brings a deleted run back."""
        self._store.restore(run)
        found = self._store.run(run)
        plugin = self._loaded.by_app.get(found.app_name) if found else None
        if plugin is None:
            return Response("", headers={"HX-Refresh": "true"})
        return self._run_list(plugin)

    def download(self, run: str, format: str = "json") -> Response:
        """GET /runs/download?run=KEY&format=ipynb|json."""
        found = self._store.run(run)
        plugin = self._loaded.by_app.get(found.app_name) if found else None
        if found is None:
            return Response("", status_code=404)
        if format == "ipynb" and plugin and plugin.computes and is_finalized(found.state):
            text, kind = notebook_text(plugin, run, found.state), "x-ipynb+json"
        elif format == "json":
            text, kind = json.dumps(found.state, ensure_ascii=False, indent=2), "json"
        else:
            return Response("", status_code=404)
        safe = re.sub(r"[^\w.-]+", "_", run)[:100]
        disposition = f"attachment; filename*=utf-8''{quote(safe)}.{format}"
        return Response(
            text, media_type=f"application/{kind}", headers={"Content-Disposition": disposition}
        )
