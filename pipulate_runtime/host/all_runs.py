"""The addresses of the page that lists all runs."""

import asyncio
import contextlib
import math
import time
import zipfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from fasthtml.common import FastHTML
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.base.security import put_first
from pipulate_runtime.host.pages import all_runs, frame, parts, status, workflow_runs
from pipulate_runtime.host.plugins.export import notebook_text
from pipulate_runtime.host.plugins.model import Loaded
from pipulate_runtime.host.state.store import PIECE, StateStore

RECOUNT = 60.0  # seconds


class Watching:
    """Handlers of `/runs`."""

    def __init__(
        self,
        app: FastHTML,
        store: StateStore,
        loaded: Loaded,
        data: Path,
        forget: asyncio.Event,
    ) -> None:
        """For an app whose plugins are loaded; `forget` is set to take deleted runs away for good."""
        self._app = app
        self._store = store
        self._loaded = loaded
        self._data = data
        self._forget = forget
        self._leftover, self._counted_at = 0, -math.inf

    def register(self) -> None:
        """Puts the routes before those of the plugins."""
        before = len(self._app.router.routes)
        self._app.route("/runs", methods=["GET"])(self.page)
        self._app.route("/runs/list", methods=["GET"])(self.list)
        self._app.route("/runs/export", methods=["GET"])(self.export)
        self._app.route("/runs/stop", methods=["POST"])(self.stop)
        self._app.route("/runs/discard", methods=["POST"])(self.discard)
        self._app.route("/runs/bring-back", methods=["POST"])(self.bring_back)
        self._app.route("/runs/prune", methods=["POST"])(self.prune)
        self._app.route("/runs/leftover", methods=["POST"])(self.leftover)
        put_first(self._app, before)

    async def page(self, request: Request) -> Component:
        """GET /runs?page=N: all runs, the one changed last first."""
        total = sum(self._store.count_runs().values())
        content = all_runs.all_runs(
            await self._list(_page_of(request)), total, self._loaded.compute
        )
        return frame.page("All runs", content, **self._app.state.frame())

    async def list(self, request: Request) -> Component:
        """GET /runs/list?page=N: the list alone."""
        return await self._list(_page_of(request))

    async def stop(self, request: Request, run: str) -> Component:
        """POST /runs/stop: stops what a run computes."""
        found = self._store.run(run)
        plugin = self._loaded.by_app.get(found.app_name) if found else None
        said = None
        if plugin is not None and plugin.computes:
            cells = plugin.instance.cells
            for step in plugin.steps:
                await cells.interrupt(run, step.id)
            if any((e := cells.execution(run, s.id)) and e.running for s in plugin.steps):
                said = parts.notice("The step is being stopped.")
        return await self._list(await _sent_page(request), said)

    async def discard(self, request: Request, run: str) -> Component:
        """POST /runs/discard: deletes a run, so that it can be brought back for a while."""
        found = self._store.run(run)
        if found is None:
            return await self._list(await _sent_page(request))
        await self._end(found.app_name, run)
        self._store.delete(run)
        name = workflow_runs.run_name(run, found.app_name)
        said = parts.undo_notice(name, run, "/runs/bring-back", all_runs.LIST)
        return await self._list(await _sent_page(request), said)

    async def bring_back(self, run: str) -> Component:
        """POST /runs/bring-back: undoes that."""
        self._store.restore(run)
        return await self._list(0)

    async def prune(self, days: int) -> Component:
        """POST /runs/prune: deletes runs that were not changed for so many days, for good.

        They leave the list now, some in each transaction. Their files go in the background, after a kill at the next start.
        """
        old = self._store.old_runs(status.before(timedelta(days=min(max(days, 1), 36500))))
        gone, long_ago = 0, status.before(timedelta(days=1))
        for at in range(0, len(old), PIECE):
            piece = old[at : at + PIECE]
            keys = [key for app_name, key in piece if not self._runs(app_name, key)]
            gone += await asyncio.to_thread(self._store.delete, *keys, at=long_ago)
        self._forget.set()
        return await self._list(0, parts.notice(_counted(gone)))

    async def leftover(self) -> Component:
        """POST /runs/leftover: deletes the folders that belong to no run."""
        folders = await asyncio.to_thread(self._leftover_folders)
        await asyncio.to_thread(status.delete_folders, folders)
        self._counted_at = -math.inf
        return await self._list(0)

    async def export(self) -> Response:
        """GET /runs/export: a zip with a notebook for each run of a workflow with cells."""
        headers = {"Content-Disposition": 'attachment; filename="runs.zip"'}
        return StreamingResponse(self._zipped(), media_type="application/zip", headers=headers)

    # -- what they share

    async def _list(self, page: int, said: Any = None) -> Component:
        total = sum(self._store.count_runs().values())
        page = min(page, max(0, (total - 1) // all_runs.PAGE))
        found, leftover = await asyncio.to_thread(self._look, page)
        return all_runs.run_table(found, self._loaded.by_app, page, total, said, leftover)

    def _look(self, page: int) -> tuple[Sequence[status.Standing], int]:
        """Reads a page of runs and their folders; in a thread, since both may be large."""
        found = self._store.runs(limit=all_runs.PAGE, skip=page * all_runs.PAGE)
        by_app = self._loaded.by_app
        shown = [status.standing_of(r, by_app.get(r.app_name), self._data) for r in found]
        return shown, 0 if page else self._count_leftover()

    def _count_leftover(self) -> int:
        """How many folders belong to no run. That takes a look at all runs and folders: once a minute is enough."""
        if time.monotonic() - self._counted_at > RECOUNT:
            self._leftover = len(self._leftover_folders())
            self._counted_at = time.monotonic()
        return self._leftover

    def _leftover_folders(self) -> Sequence[Path]:
        return status.leftover_folders(self._data, self._store.known())

    def _runs(self, app_name: str, key: str) -> bool:
        plugin, run = self._loaded.by_app.get(app_name), self._store.run(key)
        if run is None:
            return False
        return status.standing_of(run, plugin, self._data, sized=False).kind in all_runs.BUSY

    async def _end(self, app_name: str, key: str) -> None:
        plugin = self._loaded.by_app.get(app_name)
        if plugin is not None and plugin.computes:
            await plugin.instance.cells.stop(key)

    def _zipped(self) -> Iterator[bytes]:
        from pipulate_runtime.cells.storage.files import Sink, text_entry

        sink: Any = Sink()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            for app_name, key in self._store.old_runs(status.before(timedelta())):
                plugin, run = self._loaded.by_app.get(app_name), self._store.run(key)
                if run is None or plugin is None or not plugin.computes:
                    continue
                with contextlib.suppress(HostError):  # a row that cannot be read
                    text = notebook_text(plugin, key, run.state)
                    archive.writestr(text_entry(f"{app_name}/{key}.ipynb"), text)
                    yield sink.take()
        yield sink.take()


def _counted(gone: int) -> str:
    if not gone:
        return "There was nothing so old."
    return "1 run was deleted." if gone == 1 else f"{gone} runs were deleted."


def _number(text: Any) -> int:
    return (
        int(text)
        if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 7
        else 0
    )


def _page_of(request: Request) -> int:
    return _number(request.query_params.get("page"))


async def _sent_page(request: Request) -> int:
    return _number((await request.form()).get("page"))
