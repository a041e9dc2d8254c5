"""Addresses of upstream's server that plugins count on (CONTRACT 1.4, 1.14, 1.16), as far as they are safe to have.

Plugins written for upstream write what they make to `downloads/<APP>/` below the working directory of the server.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from fasthtml.common import H1, A, Div, FastHTML, P
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from pipulate_runtime.cells.outputs import sanitise
from pipulate_runtime.cells.page import render
from pipulate_runtime.host.base import security
from pipulate_runtime.host.base.markup import html
from pipulate_runtime.host.pages import frame, parts

DOWNLOADS = Path("downloads")
LONGEST = 200_000  # characters of a text to be shown


def inside(folder: Path, name: str) -> Path | None:
    """What a name means below a folder; None for anything outside it, hidden, or not there. Links are followed first."""
    if not name or "\0" in name:
        return None
    try:
        root = folder.resolve()
        path = (root / name).resolve(strict=True)
        parts = path.relative_to(root).parts
    except (OSError, ValueError, RuntimeError):
        return None
    return None if any(part.startswith(".") for part in parts) else path


def can_open_folders() -> bool:
    """Whether somebody sits before this machine's screen."""
    return sys.platform in ("win32", "darwin") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


def open_folder(path: Path) -> None:
    """Show a folder in the file manager; raises OSError when there is none."""
    name = {"win32": "explorer", "darwin": "open"}.get(sys.platform, "xdg-open")
    opener = shutil.which(name)
    if opener is None:
        raise FileNotFoundError(name)
    subprocess.Popen(
        [opener, str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=True
    )


class Extras:
    """Handlers of these addresses. `downloads` is the folder whose files may be fetched."""

    def __init__(self, app: FastHTML, downloads: Path = DOWNLOADS) -> None:
        self._app = app
        self._downloads = downloads.absolute()

    def register(self) -> None:
        """Add the routes."""
        before = len(self._app.router.routes)
        self._app.route("/download_file", methods=["GET"])(self.download)
        self._app.route("/open-folder", methods=["GET"])(self.folder)
        self._app.route("/render/{kind}", methods=["POST"])(self.render)
        security.put_first(self._app, before)

    def download(self, file: str = "") -> Response:
        """GET /download_file?file=APP/NAME: a file of the downloads folder, always as a download."""
        path = inside(self._downloads, file)
        if path is None or not path.is_file():
            missing = Div(
                H1("This file is not here"),
                P("It may have been moved or deleted. Run the step again to make it anew."),
                P(A("See all workflows", href="/")),
            )
            page = html(frame.page("This file is not here", missing))
            return HTMLResponse(page, status_code=404)
        return FileResponse(path, filename=path.name, media_type="application/octet-stream")

    def folder(self, request: Request, path: str = "") -> Any:
        """GET /open-folder?path=: shows a folder of downloads on this machine's screen, for who sits before it."""
        asked_by_page = "hx-request" in request.headers  # which no page of another site can send
        local = request.client is not None and security.is_loopback(request.client.host)
        found = inside(self._downloads, str(self._downloads.parent / path))
        if not asked_by_page or not local or not can_open_folders():
            if asked_by_page and local and found is not None:
                return _said(f"The folder is {found}.", 403)
            text = "The folder can only be opened on the machine that runs the workflows, with a screen."
            return _said(text, 403)
        if found is None or not found.is_dir():
            return _said("This folder is not among the downloads.", 404)
        try:
            open_folder(found)
        except OSError:
            return _said(f"No program to show folders is here. The folder is {found}.", 501)
        return _said(f"The folder is open on your screen: {found}", 200)

    def render(self, kind: str, text: str = "", language: str = "") -> Response:
        """POST /render/KIND: Markdown, code or a diagram of a plugin as safe HTML (see plugins.js); 204 without any."""
        if len(text) > LONGEST:
            return Response("", status_code=413)
        match kind:
            case "markdown":
                return HTMLResponse(sanitise.markdown(text))
            case "code":
                return HTMLResponse(render.highlight(text, language))
            case "diagram":
                from pipulate_runtime.host.upstream import flowchart

                drawn = flowchart.draw(text)
                return Response(status_code=204) if drawn is None else HTMLResponse(drawn)
        return Response("", status_code=404)


def _said(text: str, status: int) -> Response:
    return HTMLResponse(html(parts.notice(text)), status_code=status)
