"""Builds the host: one FastHTML app with every plugin of a folder."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fasthtml.common import FastHTML
from fasthtml.core import fh_cfg
from starlette.middleware import Middleware
from starlette.requests import Request

from pipulate_runtime.cells.storage.keyfile import read_or_make_key
from pipulate_runtime.host import for_upstream
from pipulate_runtime.host.all_runs import Watching
from pipulate_runtime.host.around import Around
from pipulate_runtime.host.base import security
from pipulate_runtime.host.base.logs import Requests
from pipulate_runtime.host.hooks import Hooks
from pipulate_runtime.host.pages import frame
from pipulate_runtime.host.plugin_api.api import Pipulate
from pipulate_runtime.host.plugins import modules
from pipulate_runtime.host.plugins.load import Loader
from pipulate_runtime.host.plugins.model import find_files
from pipulate_runtime.host.plugins.served import Served
from pipulate_runtime.host.recover import Recover
from pipulate_runtime.host.routes import Routes
from pipulate_runtime.host.state.store import BUSY, DATABASE, StateStore
from pipulate_runtime.host.workshop.tools import NO_TOOLS, Tools, Workshop

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the cells of a server may use; None stands for what is usual. Sizes are in bytes."""

    max_kernels: int | None = None
    idle_seconds: float | None = None
    memory: int | None = None
    output: int | None = None


NO_LIMITS = Limits()


def create_app(
    folder: Path | None,
    data: Path,
    *,
    files: list[Path] | None = None,
    host: str = "127.0.0.1",
    names: frozenset[str] = frozenset(),
    limits: Limits = NO_LIMITS,
    tools: Tools = NO_TOOLS,
    ollama: Any = None,
) -> FastHTML:
    """The app with the plugins of `folder` (or just `files`), its state under `data`.

    `host` is the address it will listen on, `names` further host names it answers to, `tools` is what its owner is
    offered; `ollama` is who answers in the chat, else the one on this machine. Raises HostError when the data
    folder cannot be used. The database is closed, and all kernels are, when the app's lifespan ends.
    """
    fh_cfg["indent"] = False  # white space between tags is text, and not ours to add
    store = StateStore(data / DATABASE)
    store.ensure_roles(modules.ROLES, modules.ROLES_ALWAYS_ON)
    hooks = Hooks(store)

    def configure() -> None:
        from pipulate_runtime import cells

        cells.configure(data=data, **asdict(limits))

    async def lifespan(app: FastHTML) -> AsyncIterator[None]:
        async with workshop.open(folder):
            try:
                served.begin()
                log.info("The server starts with %d workflows", len(served.loaded.plugins))
                store.wait_at_most(BUSY)
                cleaning = asyncio.ensure_future(routes.clean_up())
                yield
            finally:
                cleaning.cancel()
                await around.close()
                if served.computed:
                    from pipulate_runtime import cells

                    await cells.shutdown()
                store.close()
                log.info("The server has ended")

    app = FastHTML(
        middleware=[
            Middleware(
                security.Guard,
                names=security.host_names(host) | names,
                addresses=not security.is_loopback(host),
            ),
            *([Middleware(Requests)] if tools.log else []),
            Middleware(Recover, hooks=hooks, store=store),
            *for_upstream.middleware(),
        ],
        before=hooks.before,
        after=hooks.after,
        lifespan=lifespan,
        default_hdrs=False,
        canonical=False,
        secret_key=read_or_make_key(data / "session.key"),
        exception_handlers={404: _not_found},
    )
    app.state.store = store
    app.state.pipulate = Pipulate(store)
    loader = Loader(app, _offered(app, store))
    for path in files if files is not None else find_files(folder or Path()):
        loader.load(path)
    app.state.served = served = Served(loader, store, configure)
    hooks.loaded = app.state.loaded = served.loaded
    routes = Routes(app, store, served.loaded, data, tools.pages)
    routes.register()
    for_upstream.register(app)
    served.watchers.append(routes.add_pages)
    Watching(app, store, served.loaded, data, routes.cleaning).register()
    workshop = Workshop(app, served, store, data, tools)
    workshop.register()
    around = Around(app, store, served.loaded, ollama)
    around.register()
    return app


def _not_found(request: Request, _: Exception) -> Any:
    return frame.page("Nothing here", frame.not_found(), **request.app.state.frame())


def _offered(app: FastHTML, store: StateStore) -> dict[str, Callable[[], Any]]:
    """What a plugin's constructor may ask for, by the name of its parameter (CONTRACT 1.2)."""
    pipulate = app.state.pipulate

    def table() -> Any:
        return store.table("pipeline")  # one for each plugin: a filter set on it stays its own

    return {
        "app": lambda: app,
        "pipulate": lambda: pipulate,
        "pipulate_instance": lambda: pipulate,
        "pipeline": table,
        "pipeline_table": table,
        "db": lambda: pipulate.db,
        "db_dictlike": lambda: pipulate.db,
        "db_key_value_store": lambda: pipulate.db,
        "config": pipulate.get_config,
    }
