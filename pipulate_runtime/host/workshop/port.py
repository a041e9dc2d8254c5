"""Porting a notebook that somebody drops on the page: first the plan is shown, then a button installs the plugin.

Nothing of the notebook is executed here, or imported: it is kept in a folder of its own below the data folder and given
to the porter that the command line brought. The host knows no compiler.
"""

import asyncio
import contextlib
import logging
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from fasthtml.common import FastHTML, HtmxResponseHeaders
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response

from pipulate_runtime.host.base.errors import (
    DROP_GONE,
    DROP_NO_LENGTH,
    DROP_NOT_ONE,
    DROP_SAME_NAME,
    DROP_TOO_LARGE,
    HostError,
)
from pipulate_runtime.host.base.security import put_first
from pipulate_runtime.host.pages import drop
from pipulate_runtime.host.plugins.model import Plugin
from pipulate_runtime.host.plugins.served import Served

log = logging.getLogger(__name__)

LARGEST = 30_000_000  # bytes of everything that is dropped at once
MOST = 20  # files
KEPT_SECONDS = 3600.0  # a plan that is shown can be installed for so long
KEPT_PLANS = 10
LONGEST = 200  # bytes of a name: disks take 255, and some is added while a file is written
FILES = "files"  # below a token: the notebook, and what came with it; the porter adds what its plugin has
NAME = "notebook"  # below a token: which of the files was dropped as the notebook

Report = Mapping[str, Any]
# What no disk takes or a program takes for something else: controls, marks that turn the direction of what is read after them, halves of
# characters, and what Windows and shells keep for themselves
_NOT_IN_A_NAME = re.compile(
    r"""[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff<>:"|?*]"""
)


class Porter(Protocol):
    """What the command line gives the host; reports are as `transpiler.features.host_porter` describes them."""

    def plan(self, notebook: Path) -> Report:
        """What a port of this copy would do."""

    def install(self, notebook: Path) -> Report:
        """Ports this copy."""

    def again(self, notebook: Path) -> Report:
        """Ports a notebook that a plugin was made of."""

    def notebooks(self) -> Mapping[Path, Path]:
        """The notebooks that plugins were made of, each with its plugin."""


class Porting:
    """Handlers of `/port`."""

    def __init__(self, app: FastHTML, served: Served, porter: Porter, data: Path) -> None:
        """For an app whose plugins are loaded; `data` is where dropped files wait."""
        self._app = app
        self._served = served
        self._porter = porter
        self._folder = data / "dropped"
        self._one = asyncio.Lock()  # ports change one folder: one at a time

    def register(self) -> None:
        """Puts the routes before those of the plugins."""
        before = len(self._app.router.routes)
        self._app.route("/port/plan", methods=["POST"])(self.plan)
        self._app.route("/port/install", methods=["POST"])(self.install)
        self._app.route("/port/discard", methods=["POST"])(self.discard)
        put_first(self._app, before)

    async def plan(self, request: Request) -> Any:
        """POST /port/plan: keeps what was dropped, and shows what a port would do."""
        try:
            notebook = await self._take(request)
        except HostError as error:
            return drop.refusal_card(error)
        async with self._one:
            report = await asyncio.to_thread(self._porter.plan, notebook)
        if not report["ok"]:
            _forget(notebook)
        log.info("%s was dropped: %s", notebook.name, "a plan" if report["ok"] else "refused")
        return drop.plan(report, notebook.name, _token(notebook))

    async def install(self, token: str = "") -> Any:
        """POST /port/install: ports what is kept under a token, and loads the plugin."""
        try:
            notebook = self._kept(token)
        except HostError as error:
            return drop.refusal_card(error)
        async with self._one:
            report = await asyncio.to_thread(self._porter.install, notebook)
            if not report["ok"] or not report["plugin"]:
                return drop.plan(report, notebook.name, token)
            if report["own"]:
                self._served.note(Path(report["home"]), notebook.read_bytes())
                await asyncio.to_thread(_move, notebook, Path(report["home"]))
        _forget(notebook)
        self._served.complain(Path(report["plugin"]), notebook.name)
        found = self._served.refresh(Path(report["plugin"]))
        log.info("%s was ported to %s", notebook.name, Path(report["plugin"]).name)
        told = HtmxResponseHeaders(trigger="plugins-changed")
        if isinstance(found, Plugin):
            return drop.installed_card(found, report, notebook.name), told
        return drop.not_loaded_card(found), told

    def discard(self, token: str = "") -> Any:
        """POST /port/discard: forgets what is kept."""
        with contextlib.suppress(HostError):
            _forget(self._kept(token))
        return Response("")

    # -- what waits

    async def _take(self, request: Request) -> Path:
        """Keeps the notebook, and the files that came with it; raises HostError PP555, PP556, PP557 or PP559."""
        length = request.headers.get("content-length", "")
        if not length.isdecimal():
            raise DROP_NO_LENGTH.error()
        if int(length) > LARGEST:
            raise DROP_TOO_LARGE.error(size=f"{LARGEST // 1_000_000} MB", files=MOST)
        self._tidy()
        try:
            async with request.form(max_files=MOST, max_fields=10) as form:
                sent = [one for one in form.getlist("files") if isinstance(one, UploadFile)]
                return await self._keep([(safe_name(o.filename), o) for o in sent if o.filename])
        except MultiPartException as error:
            raise DROP_TOO_LARGE.error(size=f"{LARGEST // 1_000_000} MB", files=MOST) from error

    async def _keep(self, named: list[tuple[str, UploadFile]]) -> Path:
        """Writes files below a new token; returns the path of the notebook, or raises HostError PP557 or PP559."""
        notebooks = [name for name, _ in named if name.endswith(".ipynb")]
        if len(notebooks) != 1:
            raise DROP_NOT_ONE.error(count=len(notebooks))
        folder = self._folder / secrets.token_hex(8)
        folder.mkdir(mode=0o700, parents=True)
        (folder / FILES).mkdir()
        for name, one in named:
            try:
                # Whether two names are the same is for the disk to say: some disks take `A.csv` for `a.csv`
                with (folder / FILES / name).open("xb") as file:
                    file.write(await one.read())
            except FileExistsError:
                shutil.rmtree(folder, ignore_errors=True)
                raise DROP_SAME_NAME.error(name=name) from None
        (folder / NAME).write_text(notebooks[0], encoding="utf-8")
        return folder / FILES / notebooks[0]

    def _kept(self, token: str) -> Path:
        """The notebook under a token; raises HostError PP558 when it is gone."""
        if re.fullmatch(r"[0-9a-f]{16}", token):
            folder = self._folder / token
            with contextlib.suppress(OSError):
                # Not any `*.ipynb`: a notebook that this one runs may lie beside it
                found = folder / FILES / (folder / NAME).read_text(encoding="utf-8")
                if found.is_file():
                    return found
        raise DROP_GONE.error()

    def _tidy(self) -> None:
        """Deletes what waited too long, and all but the newest."""
        with contextlib.suppress(OSError):
            waiting = sorted(
                self._folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True
            )
            for number, path in enumerate(waiting, 1):
                if number >= KEPT_PLANS or time.time() - path.stat().st_mtime > KEPT_SECONDS:
                    shutil.rmtree(path, ignore_errors=True)


def _token(notebook: Path) -> str:
    """The token under which a notebook waits."""
    return notebook.parent.parent.name


def _forget(notebook: Path) -> None:
    """Deletes what waits under the token of a notebook."""
    shutil.rmtree(notebook.parent.parent, ignore_errors=True)


def safe_name(name: str) -> str:
    """A file's name without folders, and without what a name must not have; never empty.

    All else stays, since the notebook reads its files by their names: `R&D, 2024.csv` is called so afterwards.
    """
    last = _NOT_IN_A_NAME.sub("_", re.split(r"[/\\]", name)[-1])
    plain = last.lstrip(".").rstrip(" .")  # not hidden; Windows takes away what stands at the end
    stem, dot, ending = plain.rpartition(".")
    if dot and ending.lower() == "ipynb":
        stem = re.sub(r" ?\(\d+\)$", "", stem)  # what browsers add to a second download
        stem = stem.encode()[:LONGEST].decode(errors="ignore").strip(" .")
        return f"{stem or 'notebook'}.ipynb"
    return plain.encode()[-LONGEST:].decode(errors="ignore").lstrip(".") or "file"


def _move(notebook: Path, home: Path) -> None:
    """Keeps an installed notebook, with its files, where the next port looks for it."""
    home.parent.mkdir(parents=True, exist_ok=True)
    for path in sorted(notebook.parent.rglob("*")):
        if path.is_file():
            to = home if path == notebook else home.parent / path.relative_to(notebook.parent)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)
