"""Walks a plugin from its landing page to its finalized run, through its own routes, without a browser or a port.

What a person with htmx would do: start, wait for what loads by itself, fill in each question (given answers, else the
form's defaults), finish. Used by `pipulate run` and by tests.
"""

import asyncio
import contextlib
import json
import math
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import httpx

from pipulate_runtime.cells.run.job import CELLS
from pipulate_runtime.cells.run.replies import asked_in
from pipulate_runtime.host.base import errors
from pipulate_runtime.host.plugins.export import notebook_text
from pipulate_runtime.host.plugins.model import Plugin
from pipulate_runtime.host.state.run import is_finalized
from pipulate_runtime.host.walk.answers import INPUT, Answering, as_given
from pipulate_runtime.host.walk.printer import Teller
from pipulate_runtime.host.walk.result import Walked
from pipulate_runtime.host.walk.walker import ORIGIN, Walker


async def walk(
    plugin_path: Path,
    data: Path,
    answers: Mapping[str, Mapping[str, str]],
    key: str | None = None,
    out: TextIO | None = None,
    source: str | None = None,
    replay: bool = False,
) -> Walked:
    """Walks one plugin file in an app of its own; a step takes as long as it takes. What it gives is printed to `out`.

    With `source`, what was answered in that run is answered again, where `answers` say nothing else. With `replay`, earlier
    steps of a run that is gone on with may run again, whatever they repeat.

    Raises HostError: PP507, PP508 (no plugin), PP509 (there is no run `source`), PP533 (the new run is there already), PP511 (the key is another workflow's), PP512, PP513 (answers), PP514 (a
    step failed), PP515 (it led nowhere), PP530 (it was interrupted), PP538 (steps would run again).
    """
    from pipulate_runtime.host.app import create_app

    if not plugin_path.is_file():
        raise errors.PLUGIN_MISSING.error(path=plugin_path)
    app = create_app(None, data, files=[plugin_path])
    async with app.router.lifespan_context(app):
        for problem in app.state.loaded.problems:
            raise errors.PLUGIN_BROKEN.error(
                path=plugin_path, reason=problem.message, remedy=problem.remedy
            )
        (plugin,) = app.state.loaded.plugins
        cells = plugin.instance.cells if plugin.computes else None
        teller = Teller(cells, plugin.steps, app.state.store.read, out) if out else None
        _end_like_ctrl_c(signal.SIGTERM)
        async with _client(app) as client:
            walker = Walker(client, plugin, answers, math.inf, teller)
            walker.answering = Answering(answers, at_terminal=True, replay=replay)
            if source is not None:
                walker.before = _answers_of(app, plugin, source, key)
            try:
                return await _walked(app, plugin, walker, key)
            except asyncio.CancelledError:
                step = await walker.interrupt()
                where = f" --data {data}" if data != Path("data") else ""
                command = f"pipulate run {plugin_path} --key {walker.key}{where}"
                raise errors.INTERRUPTED.error(step=step, command=command) from None
            finally:
                if teller:
                    teller.stop()


def _answers_of(
    app: Any, plugin: Plugin, source: str, key: str | None
) -> dict[str, dict[str, str]]:
    """What was answered in a run, step by step, as a form sends it."""
    store, keys = app.state.store, app.state.pipulate.generate_pipeline_key
    found = store.run(source) or store.run(keys(plugin.instance, source)[0])
    if found is None:
        raise errors.RUN_UNKNOWN.error(key=source)
    if found.app_name != plugin.app_name:
        raise errors.RUN_OF_OTHER_PLUGIN.error(
            key=source, owner=found.app_name, plugin=plugin.app_name
        )
    if key is not None and store.run(made := keys(plugin.instance, key)[0]):
        raise errors.RUN_EXISTS.error(key=made)
    state = found.state
    found_in: dict[str, dict[str, str]] = {}
    for step in plugin.steps:
        if isinstance(data := state.get(step.id), dict):
            answers = {name: as_typed(v) for name, v in data.items() if not name.startswith("_")}
            if asked := asked_in(data.get(CELLS) or ()):
                answers.setdefault(INPUT, as_given(asked))
            found_in[step.id] = answers
    return found_in


def as_typed(value: Any) -> str:
    """An answer as it is typed into its form: a switch is on or off, a list has a line for each entry."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list) and all(isinstance(entry, str | int | float) for entry in value):
        return "\n".join(map(str, value))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def _client(app: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url=ORIGIN, timeout=None)


def _end_like_ctrl_c(number: int) -> None:
    """Let a signal cancel this task, as Ctrl+C does; where the system has such signals."""
    task = asyncio.current_task()
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        if task:
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)


async def walk_app(
    app: Any,
    plugin: Plugin,
    answers: Mapping[str, Mapping[str, str]],
    key: str | None = None,
    timeout: float = 600.0,
) -> Walked:
    """Walks a plugin of an app that is running (its lifespan entered); raises as `walk` does.

    `timeout` is what a single step may take, in seconds.
    """
    async with _client(app) as client:
        return await _walked(app, plugin, Walker(client, plugin, answers, timeout), key)


async def _walked(app: Any, plugin: Plugin, walker: "Walker", key: str | None) -> Walked:
    walker.check_names()
    await walker.start(key)
    walker.key = str(app.state.pipulate.db.get("pipeline_id", ""))
    if walker.teller:
        walker.teller.begin(plugin.title, walker.key)
    try:
        while await walker.advance():
            pass
        state = app.state.store.read(walker.key)
        walker.check(state)
    except errors.HostError:
        if (
            app.state.store.run(walker.key) is None
        ):  # whatever the page says: another program deleted it
            raise errors.RUN_UNKNOWN.error(key=walker.key) from None
        raise
    if walker.teller:
        walker.teller.end(is_finalized(state))
    return Walked(
        walker.key,
        plugin.app_name,
        plugin.title,
        is_finalized(state),
        tuple(walker.result(step) for step in plugin.steps if step.id != "finalize"),
        state,
        walker.asked,
        notebook_text(plugin, walker.key, state) if plugin.computes else None,
        plugin.instance,
    )
