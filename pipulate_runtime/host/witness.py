"""Walks a plugin as `walk` does and brings back what each cell gave, also when one of them failed. For `pipulate verify`."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipulate_runtime.cells.execution import CELLS, answers
from pipulate_runtime.cells.folders import inlined
from pipulate_runtime.host import messages
from pipulate_runtime.host.plugins import Plugin
from pipulate_runtime.host.walk import walk_app


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What a walk gave. `failed` is the step whose cell raised: the walk ended there."""

    key: str
    outputs: Mapping[str, list[dict[str, Any]]]
    """Cell id -> nbformat outputs, of the cells that ran, in their order."""
    answers: Mapping[str, Mapping[str, Any]]
    """Step id -> field -> what the form made of the answer."""
    failed: str | None


@asynccontextmanager
async def opened(plugin_path: Path, data: Path) -> AsyncIterator[tuple[Any, Plugin]]:
    """An app of its own with one plugin, running. Raises HostError PP507, PP508."""
    from pipulate_runtime.host.app import create_app

    if not plugin_path.is_file():
        raise messages.PLUGIN_MISSING.error(path=plugin_path)
    app = create_app(None, data, files=[plugin_path])
    async with app.router.lifespan_context(app):
        for problem in app.state.loaded.problems:
            raise messages.PLUGIN_BROKEN.error(
                path=plugin_path, reason=problem.message, remedy=problem.remedy
            )
        (plugin,) = app.state.loaded.plugins
        if not plugin.computes:
            reason = "it runs no cells of a notebook."
            remedy = "Give a file that `pipulate port` wrote."
            raise messages.PLUGIN_BROKEN.error(path=plugin_path, reason=reason, remedy=remedy)
        yield app, plugin


def cells_of(plugin: Plugin) -> dict[str, str]:
    """Return the ids of a plugin's cells, in their order, with the step each belongs to."""
    source = plugin.instance.cells.source
    return {cell.id: step.id for step in plugin.steps for cell in source.of_step(step.id)}


async def witness(app: Any, plugin: Plugin, given: Mapping[str, Mapping[str, str]]) -> Witnessed:
    """Walk the plugin of an app that is running. Raises HostError as `walk` does, but for a cell that raised."""
    failure: messages.HostError | None = None
    try:
        await walk_app(app, plugin, given)
    except messages.HostError as error:
        if error.code != messages.STEP_FAILED.code:
            raise
        failure = error
    cells = plugin.instance.cells
    key = str(app.state.pipulate.db.get("pipeline_id", ""))
    state = app.state.store.read(key)
    outputs: dict[str, list[dict[str, Any]]] = {}
    answered = {step.id: answers(state.get(step.id) or {}) for step in plugin.steps}
    failed = None
    for step in plugin.steps:
        records = (state.get(step.id) or {}).get(CELLS, [])
        execution = cells.execution(key, step.id)
        if execution is not None and execution.error:
            failed, records = step.id, execution.cells
            answered[step.id] = execution.form
        for record in records:
            outputs.setdefault(record["id"], []).extend(inlined(cells.folder(key), record))
    if failure is not None and failed is None:
        raise failure
    return Witnessed(key, outputs, answered, failed)
