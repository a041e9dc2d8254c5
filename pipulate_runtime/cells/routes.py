"""Serves what a card needs beside the page: what is new in a running step, the button that stops it, what an output
keeps beside it (large payloads, frames, the libraries of charts), and the files of a run."""

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from fasthtml.common import to_xml
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from pipulate_runtime.cells.kernel import pool as pools
from pipulate_runtime.cells.page import chart_scripts, frame
from pipulate_runtime.cells.storage import files
from pipulate_runtime.cells.storage.folders import KINDS, RunFolder

_RUN = re.compile(r"\w+-[0-9a-f]{10}", re.ASCII)
KEY = "pipeline_id"  # the page sends the run's key by this name
FOREVER = "private, max-age=31536000, immutable"


class Running(Protocol):
    """What the routes need of `Cells`."""

    def news(
        self, key: str, step_id: str, execution_id: str, seen: int, question: str = ""
    ) -> list[Any]:
        """Return what is new in a step."""

    async def interrupt(self, key: str, step_id: str) -> None:
        """Stop a step."""


def register(plugin: Any, cells: Running, bundled: Path | None) -> None:
    """Add the routes of one plugin to its app; `bundled` is the folder of the files that come with it."""
    _running(plugin, cells)
    _outputs(plugin.app, plugin.app_name, bundled)


def _running(plugin: Any, cells: Running) -> None:
    """Add the routes of the steps that run: the page of a run asks them with the run's key."""

    def answer(parts: list[Any]) -> Response:
        return HTMLResponse("".join(map(to_xml, parts)), headers={"Cache-Control": "no-store"})

    def known(request: Request) -> str | None:
        step_id = request.path_params["step_id"]
        return next((step.id for step in plugin.steps if step.id == step_id), None)

    def key_of(sent: Mapping[str, Any]) -> str:
        return str(sent.get(KEY) or plugin.pip.db.get(KEY, ""))

    async def live(request: Request) -> Response:
        sent, step_id = request.query_params, known(request)
        if step_id is None:
            return Response("There is no such step.", status_code=404)
        seen = sent.get("seen", "")
        number = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 16 else 0
        shown, question = sent.get("execution", ""), sent.get("question", "")
        return answer(cells.news(key_of(sent), step_id, shown, number, question))

    async def stop(request: Request) -> Response:
        step_id = known(request)
        if step_id is None:
            return Response("There is no such step.", status_code=404)
        key = key_of(await request.form())
        await cells.interrupt(key, step_id)
        return answer(cells.news(key, step_id, "", 0))

    plugin.app.route(f"/{plugin.app_name}/live/{{step_id}}", methods=["GET"])(live)
    plugin.app.route(f"/{plugin.app_name}/stop/{{step_id}}", methods=["POST"])(stop)


def _outputs(app: Any, app_name: str, bundled: Path | None) -> None:
    """Add the routes of what lies beside the page."""
    base = f"/{app_name}/output/lib"

    async def library(request: Request) -> Response:
        try:
            script = await asyncio.to_thread(chart_scripts.content, request.path_params["name"])
        except FileNotFoundError:
            return Response("There is no such library.", status_code=404)
        # A sandboxed frame has no origin of its own, hence the second header
        headers = {"Cache-Control": FOREVER, "Access-Control-Allow-Origin": "*"}
        return Response(script, media_type="text/javascript", headers=headers)

    async def output(request: Request) -> Response:
        parameters = request.path_params
        run, digest, kind = parameters["run"], parameters["digest"], parameters["kind"]
        if not _RUN.fullmatch(run) or kind not in KINDS:
            return Response("There is no such output.", status_code=404)
        try:
            content = _folder(app_name, run).read(f"{digest}.{kind}")
        except OSError:
            return Response("The file of this output is missing.", status_code=404)
        policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
        if kind == "frame":
            content = frame.document(json.loads(content), base).encode("utf-8", "replace")
            policy = frame.policy(f"{request.url.scheme}://{request.url.netloc}", base)
        headers = {
            "Cache-Control": FOREVER,
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        return Response(content, media_type=KINDS[kind], headers=headers)

    async def one_file(request: Request) -> Response:
        run, name = request.path_params["run"], request.query_params.get("name", "")
        try:
            if not _RUN.fullmatch(run):
                raise FileNotFoundError(run)
            work = _folder(app_name, run).work
            file, length = await asyncio.to_thread(files.open_result, work, name, bundled)
        except FileNotFoundError:
            return Response("There is no such file now.", status_code=404)
        return _download(files.content(file, length), name.rpartition("/")[2], length)

    async def all_files(request: Request) -> Response:
        run = request.path_params["run"]
        if not _RUN.fullmatch(run):
            return Response("There is no such run.", status_code=404)
        work = _folder(app_name, run).work
        names = await asyncio.to_thread(files.results, work, bundled)
        if not names:
            return Response("This run has no files now.", status_code=404)
        return _download(files.zip_files(work, names), f"{run.rpartition('-')[0]}.zip")

    app.route(f"/{app_name}/files/{{run}}/one", methods=["GET"])(one_file)
    app.route(f"/{app_name}/files/{{run}}/all", methods=["GET"])(all_files)
    app.route(f"{base}/{{name}}", methods=["GET"])(library)
    app.route(f"/{app_name}/output/{{run}}/{{digest}}/{{kind}}", methods=["GET"])(output)


def _download(chunks: Iterable[bytes], name: str, length: int | None = None) -> Response:
    """An answer that a browser saves and never opens, whatever is in it."""
    plain = re.sub(
        r'[^\x20-\x7e]|["\\%]', "_", name
    )  # for what does not know the second form (RFC 6266)
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    if length is not None:
        headers["Content-Length"] = str(length)
    return StreamingResponse(chunks, media_type="application/octet-stream", headers=headers)


def _folder(app_name: str, run: str) -> RunFolder:
    """Return the folder of a run by its name; the name was checked."""
    folder = RunFolder(pools.settings.data, app_name, "")
    folder.path = folder.path.with_name(run)
    return folder
