"""Serves what an output needs beside the page: large payloads, frames, and the libraries of charts."""

import asyncio
import json
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pipulate_runtime.cells import frame, libraries
from pipulate_runtime.cells import pool as pools
from pipulate_runtime.cells.folders import KINDS, RunFolder

FOREVER = "private, max-age=31536000, immutable"


def register(app: Any, app_name: str) -> None:
    """Add the routes of one plugin to its app."""
    base = f"/{app_name}/output/lib"

    async def library(request: Request) -> Response:
        try:
            script = await asyncio.to_thread(libraries.content, request.path_params["name"])
        except FileNotFoundError:
            return Response("There is no such library.", status_code=404)
        # A sandboxed frame has no origin of its own, hence the second header
        headers = {"Cache-Control": FOREVER, "Access-Control-Allow-Origin": "*"}
        return Response(script, media_type="text/javascript", headers=headers)

    async def output(request: Request) -> Response:
        parameters = request.path_params
        run, digest, kind = parameters["run"], parameters["digest"], parameters["kind"]
        if not re.fullmatch(r"\w+-[0-9a-f]{10}", run, re.ASCII) or kind not in KINDS:
            return Response("There is no such output.", status_code=404)
        try:
            content = _folder(app_name, run).read(f"{digest}.{kind}")
        except OSError:
            return Response("The file of this output is gone.", status_code=404)
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

    app.route(f"{base}/{{name}}", methods=["GET"])(library)
    app.route(f"/{app_name}/output/{{run}}/{{digest}}/{{kind}}", methods=["GET"])(output)


def _folder(app_name: str, run: str) -> RunFolder:
    """Return the folder of a run by its name; the name was checked."""
    folder = RunFolder(pools.settings.data, app_name, "")
    folder.path = folder.path.with_name(run)
    return folder
