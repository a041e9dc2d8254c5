"""Walks a plugin and brings back what each cell gave, also when one of them failed. For `pipulate verify`.

It can be walked straight on; with the server ended and started again after each step, where the steps before run again or are
restored from checkpoints; or going back to each step once it is done, and on again. What the cells gave must be the same.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import httpx

from pipulate_runtime.cells.kernel import pool as pools
from pipulate_runtime.cells.outputs.widgets import WIDGETS
from pipulate_runtime.cells.run.history import answers
from pipulate_runtime.cells.run.job import CELLS
from pipulate_runtime.cells.storage.folders import load_outputs
from pipulate_runtime.host.base import errors
from pipulate_runtime.host.plugins.model import Plugin
from pipulate_runtime.host.walk.walker import ORIGIN, Walker

Way = Literal["straight", "resume", "restore", "revert"]
ENDED = ("resume", "restore")  # in these the server ends after each step
Given = Mapping[str, Mapping[str, str]]
STEP_SECONDS = 24 * 3600.0  # a notebook takes as long as it takes


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What a walk gave. `failed` is the step whose cell raised: the walk ended there."""

    key: str
    outputs: Mapping[str, list[dict[str, Any]]]
    """Cell id -> nbformat outputs, of the cells that ran, in their order."""
    answers: Mapping[str, Mapping[str, Any]]
    """Step id -> field -> what the form made of the answer."""
    failed: str | None
    widgets: Mapping[str, Mapping[str, Any]]
    """Id of a widget that an output shows -> its state."""


@dataclass(slots=True)
class _Run:
    """How far a run has come, through all lives of the server."""

    key: str | None = None
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    reverted: set[str] = field(default_factory=set)


def _loaded(plugin_path: Path, data: Path) -> tuple[Any, Plugin]:
    """An app with one plugin, not running yet. Raises HostError PP507, PP508."""
    from pipulate_runtime.host.app import create_app

    if not plugin_path.is_file():
        raise errors.PLUGIN_MISSING.error(path=plugin_path)
    app = create_app(None, data, files=[plugin_path])
    try:
        for problem in app.state.loaded.problems:
            raise errors.PLUGIN_BROKEN.error(
                path=plugin_path, reason=problem.message, remedy=problem.remedy
            )
        (plugin,) = app.state.loaded.plugins
        if not plugin.computes:
            reason = "it runs no cells of a notebook."
            remedy = "Give a file that `pipulate port` wrote."
            raise errors.PLUGIN_BROKEN.error(path=plugin_path, reason=reason, remedy=remedy)
    except errors.HostError:
        app.state.store.close()
        raise
    return app, plugin


@asynccontextmanager
async def _running(plugin_path: Path, data: Path) -> AsyncIterator[tuple[Any, Plugin]]:
    """One life of a server with one plugin; its kernels end with it."""
    app, plugin = _loaded(plugin_path, data)
    async with app.router.lifespan_context(app):
        yield app, plugin


def cells_of(plugin_path: Path, data: Path) -> dict[str, str]:
    """Return the ids of a plugin's cells, in their order, with the step each belongs to. Raises HostError PP507, PP508."""
    app, plugin = _loaded(plugin_path, data)
    app.state.store.close()
    source = plugin.instance.cells.source
    return {cell.id: step.id for step in plugin.steps for cell in source.of_step(step.id)}


async def witness(plugin_path: Path, data: Path, given: Given, way: Way = "straight") -> Witnessed:
    """Walk a plugin to its end, or to the first cell that raises. Raises HostError as `walk` does, but for such a cell."""
    run = _Run()
    with _settings(way):
        while True:
            async with _running(plugin_path, data) as (app, plugin):
                failure = None
                try:
                    ended = await _walk(app, plugin, given, way, run)
                except errors.HostError as error:
                    if error.code != errors.STEP_FAILED.code:
                        raise
                    failure, ended = error, True
                if ended:
                    return _collected(app, plugin, run.key or "", failure)


@contextmanager
def _settings(way: Way) -> Iterator[None]:
    """Nobody waits here, so no kernel is started ahead; what was computed is stored, or is not; steps may run again."""
    before = replace(pools.settings)
    pools.settings.spare = False
    pools.settings.checkpoint = "always" if way == "restore" else "never"
    pools.settings.replay = "always"
    try:
        yield
    finally:
        for name in ("spare", "checkpoint", "replay"):
            setattr(pools.settings, name, getattr(before, name))


async def _walk(app: Any, plugin: Plugin, given: Given, way: Way, run: _Run) -> bool:
    """Walk on in one life of the server; return whether the run is at its end."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, timeout=None) as client:
        walker = Walker(client, plugin, given, STEP_SECONDS)
        walker.asked = run.asked
        await walker.start(run.key)
        run.key = walker.key = str(app.state.pipulate.db.get("pipeline_id", ""))
        while way != "straight":
            step_id = await walker.until_done(run.done)
            if step_id is None:
                break
            if way == "revert" and step_id not in run.reverted:
                run.reverted.add(step_id)
                await walker.go_back(step_id)
                continue
            run.done.add(step_id)
            if way in ENDED:
                return False
        while await walker.advance():
            pass
        walker.check(app.state.store.read(run.key))
    return True


def _collected(app: Any, plugin: Plugin, key: str, failure: errors.HostError | None) -> Witnessed:
    """What is kept of a run, and of the step that failed. Raises the failure when no cell of a step was it."""
    cells = plugin.instance.cells
    state = app.state.store.read(key)
    outputs: dict[str, list[dict[str, Any]]] = {}
    answered = {step.id: answers(state.get(step.id) or {}) for step in plugin.steps}
    failed = None
    states: dict[str, Mapping[str, Any]] = {}
    for step in plugin.steps:
        records = (state.get(step.id) or {}).get(CELLS, [])
        execution = cells.execution(key, step.id)
        if execution is not None and execution.error:
            failed, records = step.id, execution.cells
            answered[step.id] = execution.form
        for record in records:
            states |= record.get(WIDGETS, {})
            outputs.setdefault(record["id"], []).extend(load_outputs(cells.folder(key), record))
    if failure is not None and failed is None:
        raise failure
    return Witnessed(key, outputs, answered, failed, states)
