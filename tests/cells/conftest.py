"""Plugins and the `pip` they are given, without a host."""

import asyncio
import importlib.util
import json
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest
from fasthtml.common import FastHTML

from pipulate_runtime.cells import configure, shutdown


class Pip:
    """Keeps state as the host does: as JSON text, one for each run."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}

    def read_state(self, key: str) -> dict[str, Any]:
        return json.loads(self.rows.get(key, "{}"))

    def write_state(self, key: str, state: dict[str, Any]) -> None:
        self.rows[key] = json.dumps(state)

    async def clear_steps_from(self, key: str, step_id: str, steps: list[Any]) -> dict[str, Any]:
        state = self.read_state(key)
        ids = [step.id for step in steps]
        for later in ids[ids.index(step_id) + 1 :]:
            state.pop(later, None)
        self.write_state(key, state)
        return state


HEAD = """
from collections import namedtuple

from pipulate_runtime.cells import Cells, cell, cell_text

Step = namedtuple("Step", ["id", "done", "show", "refill", "transform"], defaults=(None,))


class Made:
    APP_NAME = "made"

    def __init__(self, app, pipulate, files=None):
        self.app, self.app_name, self.pip = app, self.APP_NAME, pipulate
        self.steps = [Step(f"step_{n:02}", "ran", f"Step {n}", False) for n in range(1, STEPS + 1)]
        self.cells = Cells(self, files=files)

"""


class Walker:
    """Drives a plugin as its own handlers would."""

    def __init__(self, plugin: Any) -> None:
        self.plugin = plugin
        self.pip: Pip = plugin.pip
        self.saves: list[str] = []

    async def begin(self, step_id: str, form: dict[str, Any] | None = None, key: str = "k") -> Any:
        answers = form or {}

        async def save(cells: list[dict[str, Any]]) -> None:
            state = await self.pip.clear_steps_from(key, step_id, self.plugin.steps)
            state[step_id] = {"ran": True, **answers, "_cells": cells}
            self.pip.write_state(key, state)
            self.saves.append(step_id)

        return await self.plugin.cells.start(key, step_id, answers, save)

    async def step(self, step_id: str, form: dict[str, Any] | None = None, key: str = "k") -> Any:
        """Run a step to its end."""
        execution = await self.begin(step_id, form, key)
        await execution.task
        return execution

    async def walk(self, *forms: dict[str, Any], key: str = "k") -> None:
        """Run the first steps; each must go through."""
        for number, form in enumerate(forms, 1):
            execution = await self.step(f"step_{number:02}", form, key)
            assert not execution.error, execution.cells

    def outputs(self, step_id: str, key: str = "k") -> list[dict[str, Any]]:
        return [o for c in self.pip.read_state(key)[step_id]["_cells"] for o in c["outputs"]]


def stdout(outputs: list[dict[str, Any]]) -> str:
    return "".join(o["text"] for o in outputs if o["output_type"] == "stream")


def results(outputs: list[dict[str, Any]]) -> list[str]:
    return [o["data"]["text/plain"] for o in outputs if o["output_type"] == "execute_result"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    configure(data=tmp_path / "data", max_kernels=8, idle_seconds=600, replay="always")
    return tmp_path / "data"


@pytest.fixture
def make(tmp_path: Path, data: Path) -> Callable[..., Walker]:
    """Return a plugin made of the given members, walked by a Walker."""
    return maker(tmp_path)


def maker(folder: Path) -> Callable[..., Walker]:
    """What makes plugins in a folder."""

    def make(body: str, steps: int = 1, files: str | None = None, pip: Pip | None = None) -> Walker:
        path = folder / "made.py"
        path.write_text(
            HEAD.replace("STEPS", str(steps)) + indent(dedent(body), "    "), encoding="utf-8"
        )
        return Walker(_load(path).Made(FastHTML(), pip or Pip(), files=files))

    return make


@pytest.fixture
def sample(data: Path) -> Walker:
    path = Path(__file__).with_name("sample.py")
    return Walker(_load(path).Sample(FastHTML(), Pip()))


def _load(path: Path) -> Any:
    name = f"plugin_under_test_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a test's coroutine and end all kernels."""

    async def whole() -> Any:
        try:
            return await coroutine
        finally:
            await shutdown()

    return asyncio.run(whole())
