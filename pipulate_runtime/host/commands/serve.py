"""The commands `serve`, `run` and `runs` as functions, without a command line around them.

Each prints what it found and gives the exit code; what the user can put right is raised as HostError, which carries
its own exit code. The command line shows it without a traceback.
"""

import contextlib
import json
import os
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pipulate_runtime.host.base import errors
from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.base.flow import Flow, Node, Used, flow_of
from pipulate_runtime.host.commands.runs import (
    leftover,
    leftover_delete,
    length_of,
    old_runs,
    run_data,
    run_of,
    runs_data,
    runs_delete,
    runs_export,
    runs_export_all,
    runs_list,
    runs_show,
    write_text,
)

if TYPE_CHECKING:
    from pipulate_runtime.host.review.page import Review as Review
    from pipulate_runtime.host.review.routes import Reviewer

__all__ = [
    "HostError",
    "drawing",
    "edges",
    "leftover",
    "leftover_delete",
    "length_of",
    "listen",
    "old_runs",
    "review",
    "review_document",
    "run",
    "run_data",
    "run_of",
    "runs_data",
    "runs_delete",
    "runs_export",
    "runs_export_all",
    "runs_list",
    "runs_show",
    "serve",
]

OK = 0
FOLDER = Path("generated")  # of the plugins, when none is given

Answers = Mapping[str, Mapping[str, str]]


def serve(
    folder: Path,
    data: Path = Path("data"),
    host: str = "127.0.0.1",
    port: int = 5001,
    open_browser: bool = False,
    names: frozenset[str] = frozenset(),
    kernels: int | None = None,
    kernel_memory: str | None = None,
    step_output: str | None = None,
    idle: str | None = None,
    porter: Any = None,
    follow: bool = False,
    trust_network: bool = False,
    model: str | None = None,
    ollama: str | None = None,
    reviewer: "Reviewer | None" = None,
) -> int:
    """Runs the host with every plugin of a folder until it is stopped; `reviewer` can show their notebooks beside them.

    With `porter` (see `host.porting`) notebooks can be dropped on the home page, so the folder may be empty; with
    `follow` what is saved in it is served at once. The pages for the owner are there on a loopback address only, unless
    `trust_network`.
    `kernels` may live at a time, each with `kernel_memory`; a step may print `step_output`; a kernel that nobody uses
    ends after `idle`. In the chat panel `model` answers, of the Ollama at the address `ollama`. Raises HostError PP550, PP534, PP535 (no such length of time, or size), PP501, PP502 (nothing to serve), PP503, PP504 (no address), PP505, PP506 (no database).
    """
    from pipulate_runtime.host.plugins.model import find_files

    limits = {
        "max_kernels": kernels,
        "memory": _size(kernel_memory),
        "output": _size(step_output),
        "idle_seconds": length_of(idle).total_seconds() if idle else None,
    }
    if porter is not None and folder == FOLDER:  # the usual one; another name may be mistyped
        folder.mkdir(exist_ok=True)
    from pipulate_runtime.host.around import answering

    chat = answering(ollama, model)
    if not folder.is_dir():
        raise errors.FOLDER_MISSING.error(folder=folder)
    if porter is None and not find_files(folder):
        raise errors.NO_PLUGINS.error(folder=folder)
    owner = _Owner(porter, follow, trust_network, reviewer)
    listener = listen(host, port)
    try:
        _serve(listener, folder, data, host, open_browser, names, limits, owner, chat)
    finally:
        listener.close()
    return OK


class _Owner(NamedTuple):
    """What the one who started the server may do with it."""

    porter: Any
    follow: bool
    trust_network: bool
    reviewer: Any


def _size(text: str | None) -> int | None:
    from pipulate_runtime.cells.kernel.limits import size_of

    try:
        return size_of(text) if text else None
    except ValueError as error:
        raise errors.NOT_A_SIZE.error(text=text) from error


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; raises HostError PP503 or PP504. Port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # a port whose connections are just closing may be taken again
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host.strip("[]"), port))
        listener.listen()  # before the address is printed: who opens it at once waits instead of being refused
    except (OSError, OverflowError) as error:
        listener.close()
        if getattr(error, "errno", None) in _IN_USE:
            raise errors.PORT_IN_USE.error(host=host, port=port, other=port + 1) from error
        reason = (getattr(error, "strerror", None) or str(error)).rstrip(".")
        raise errors.ADDRESS_UNUSABLE.error(host=host, port=port, reason=reason) from error
    return listener


_IN_USE = {98, 48, 10048}  # EADDRINUSE on Linux, macOS, Windows


def _reachable(host: str) -> str:
    """A listening address as it is written in a browser on this machine."""
    name = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host).strip("[]")
    return f"[{name}]" if ":" in name else name


def _serve(
    listener: socket.socket,
    folder: Path,
    data: Path,
    host: str,
    open_browser: bool,
    names: frozenset[str],
    limits: Mapping[str, Any],
    owner: "_Owner",
    chat: Any,
) -> None:
    from pipulate_runtime.host.app import Limits, create_app
    from pipulate_runtime.host.base.address import advertised_address
    from pipulate_runtime.host.base.logs import never_waiting
    from pipulate_runtime.host.base.security import is_loopback
    from pipulate_runtime.host.workshop.tools import Tools

    pages = owner.trust_network or is_loopback(host)
    tools = Tools(owner.porter, pages=pages, log=True, follow=owner.follow, reviewer=owner.reviewer)
    if not is_loopback(host):
        more = ", and port notebooks, which is to run any code" if owner.trust_network else ""
        open_ = errors.OPEN_TO_NETWORK.error(host=host, more=more)
        print(f"{open_.code}  {open_.message}\n  {open_.remedy}", file=sys.stderr, flush=True)
    with never_waiting(sys.stdout, sys.stderr):
        app = create_app(
            folder.absolute(),  # as the porter names what is in it
            data,
            host=host,
            names=names,
            limits=Limits(**limits),
            tools=tools,
            ollama=chat,
        )
        address = f"http://{_reachable(host)}:{listener.getsockname()[1]}"
        with advertised_address(data, address, folder, owner.follow):
            _serve_app(app, listener, address, open_browser)


def _serve_app(app: Any, listener: socket.socket, address: str, open_browser: bool) -> None:
    loaded = app.state.loaded
    for plugin in loaded.plugins:
        print(f"  {address}/{plugin.key}  {plugin.title}")
    for problem in loaded.problems:
        print(f"  {problem.path.name} cannot be opened: {problem.message}", file=sys.stderr)
    _until_stopped(app, listener, address, open_browser)


def _until_stopped(app: Any, listener: socket.socket, address: str, open_browser: bool) -> None:
    import uvicorn

    from pipulate_runtime.host.base.bounds import protocol

    print(f"Open {address} in your browser. Stop with Ctrl+C.", flush=True)
    if open_browser:
        timer = threading.Timer(0.5, webbrowser.open, [address])
        timer.daemon = True
        timer.start()
    config = uvicorn.Config(
        app,
        log_level="warning",
        timeout_graceful_shutdown=3,
        server_header=False,
        ws="auto",
        ws_max_size=2**20,
        http=protocol(),
    )
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def review(reviewer: "Reviewer", plugin: Path, port: int = 5002, open_browser: bool = False) -> int:
    """Shows a plugin beside its notebook, on the loopback address, until it is stopped. Nothing of it is kept.

    Raises HostError PP503, PP504 (no address).
    """
    from pipulate_runtime.host.app import create_app
    from pipulate_runtime.host.base.logs import never_waiting
    from pipulate_runtime.host.review.routes import address
    from pipulate_runtime.host.workshop.tools import Tools

    host = "127.0.0.1"
    listener = listen(host, port)
    with listener, never_waiting(sys.stdout, sys.stderr), tempfile.TemporaryDirectory() as data:
        tools = Tools(pages=True, reviewer=reviewer, reviewed=plugin)
        app = create_app(None, Path(data), files=[], host=host, tools=tools)
        page = f"http://{host}:{listener.getsockname()[1]}{address(plugin)}"
        _until_stopped(app, listener, page, open_browser)
    return OK


def review_document(review: "Review") -> str:
    """Draws a review as an HTML file of its own, without buttons."""
    from pipulate_runtime.host.review.page import document

    return document(review)


def run(
    plugin_path: Path,
    answers: Answers | None = None,
    data: Path = Path("data"),
    key: str | None = None,
    notebook_out: Path | None = None,
    as_json: bool = False,
    files_out: Path | None = None,
    source: str | None = None,
    replay: bool = False,
) -> int:
    """Walks a plugin from start to finalize without a browser and prints what each step gives, as it goes.

    `answers` are {step: {field: value}}; fields without one keep their defaults. With `key` a run that is there is
    gone on with, and with `replay` its earlier steps may run again, whatever they repeat; with `source` the answers of that run
    are given, but for those in `answers`. `files_out` gets copies of the files that the cells wrote. Raises HostError PP505 to
    PP515, PP517, PP519, PP530 and PP538; what was done until then is kept.
    """
    import asyncio

    from pipulate_runtime.host.walk.walk import walk

    if notebook_out is not None and not notebook_out.parent.is_dir():  # before hours of computing
        raise errors.FILE_UNWRITABLE.error(path=notebook_out, reason="its folder is not there")
    if files_out is not None and files_out.exists() and not files_out.is_dir():
        raise errors.FILE_UNWRITABLE.error(path=files_out, reason="it is not a folder")
    out = None if as_json else sys.stdout
    walked = asyncio.run(
        walk(
            plugin_path, data, answers=answers or {}, key=key, out=out, source=source, replay=replay
        )
    )
    if notebook_out is not None:
        write_text(notebook_out, walked.notebook_text())
    copied = None if files_out is None else _copied(walked.instance, walked.key, files_out)
    if as_json:
        files = {} if copied is None else {"files": copied}
        print(json.dumps({**walked.as_dict(), **files}, ensure_ascii=False, indent=2))
    else:
        if notebook_out is not None:
            print(f"Written: {notebook_out}")
        if copied is not None:
            count = "1 file" if len(copied) == 1 else f"{len(copied)} files"
            print(f"Copied to {files_out}: {count}")
    return OK


def _copied(instance: Any, key: str, folder: Path) -> list[str]:
    """Copies the files that the cells of a run wrote, if it has cells; raises HostError PP519."""
    if getattr(instance, "cells", None) is None:
        return []
    from pipulate_runtime import cells

    try:
        return cells.copy_files(instance, key, folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise errors.FILE_UNWRITABLE.error(path=error.filename or folder, reason=reason) from error


def edges(title: str, steps: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Works out which names go from which step to which later one; `steps` as `drawing` takes them."""
    return _flow(title, steps).as_list()


def drawing(title: str, steps: Iterable[Mapping[str, Any]], kind: str) -> str:
    """Draws how steps feed each other, as "svg" or "mermaid", as a workflow's page does.

    Each step has `id`, `title`, `asks` (names of answers), `unknown` and `cells`; a cell has `reads`, `writes` and
    `imports`, all of them names.
    """
    flow = _flow(title, steps)
    if kind == "svg":
        from pipulate_runtime.host.dataflow.svg import svg_file

        return svg_file(flow)
    from pipulate_runtime.host.dataflow.mermaid import mermaid

    return mermaid(flow)


def _flow(title: str, steps: Iterable[Mapping[str, Any]]) -> Flow:
    def used(cell: Mapping[str, Any]) -> Used:
        return Used(tuple(cell["reads"]), tuple(cell["writes"]), tuple(cell["imports"]))

    def node(step: Mapping[str, Any]) -> Node:
        return Node(step["id"], step["title"], tuple(step["asks"]), step["unknown"])

    return flow_of(title, ((node(step), list(map(used, step["cells"]))) for step in steps))
