"""`OpenRun`: the run that a request is about, as one step sees it. A plugin draws its card by it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from fasthtml.common import Div, HtmxResponseHeaders
from starlette.responses import Response

from pipulate_runtime.cells.run.job import Stored
from pipulate_runtime.cells.run.step import Execution

if TYPE_CHECKING:
    from pipulate_runtime.cells.api import Cells

Stage = Literal["running", "locked", "secrets", "error", "done", "input"]


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run and the stage of one of its steps, as they were when the request came."""

    cells: "Cells"
    key: str
    state: Mapping[str, Any]
    step_id: str
    stage: Stage
    data: Mapping[str, Any]
    """The step's answers; while it is running, those that it runs with."""
    execution: Execution | None

    @property
    def typed(self) -> Mapping[str, Any]:
        """What was typed and is not saved yet: the step did not get to its end."""
        found: Mapping[str, Any] = self.state.get("_typed", {}).get(self.step_id, {})
        return found

    @property
    def computed(self) -> Mapping[str, Any]:
        """What the cells before compute for the form."""
        found: Mapping[str, Any] = self.state.get("_suggested", {}).get(self.step_id, {})
        return found

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the step's fields; some may be computed."""
        known = getattr(self.cells.plugin, f"{self.step_id}_labels", {})
        return {n: self.computed.get(f"{n}.label", label) for n, label in known.items()}

    @property
    def asks(self) -> bool:
        """Whether the step waits for an answer in the middle of its cells, or for a secret."""
        running = self.stage == "running" and self.execution
        return self.stage == "secrets" or bool(running and running.question)

    @property
    def outputs(self) -> list[Any]:
        """What the cells of the step gave."""
        if self.stage == "error" and self.execution:
            return self.execution.cells
        return self.data.get("_cells", []) if self.stage in ("locked", "done") else []

    def may_submit(self) -> bool:
        """Return whether the step may run: all before it are done, none is open again, and the run is not locked."""
        steps = self.cells.plugin.steps
        before = steps[: [step.id for step in steps].index(self.step_id)]
        done = all(step.done in self.state.get(step.id, {}) for step in before)
        reopened = self.state.get("_revert_target") in [step.id for step in before]
        locked = "finalized" in self.state.get("finalize", {})
        return bool(self.state) and done and not reopened and not locked

    def refused(self) -> "OpenRun":
        """Return it as it is when answers could not be read: the form is shown again."""
        return replace(self, stage="input")

    def keep_typed(self, form: Mapping[str, Any]) -> None:
        """Save what was typed before the cells run: the server may end meanwhile."""
        state = {**self.state, "_typed": {self.step_id: dict(form)}}
        self.cells.plugin.pip.write_state(self.key, state)

    async def save(self, data: Mapping[str, Any]) -> None:
        """Save the step: its cells are done. Later steps are cleared."""
        plugin = self.cells.plugin
        state = await plugin.pip.clear_steps_from(self.key, self.step_id, plugin.steps)
        state[self.step_id] = dict(data)
        state.pop("_revert_target", None)
        state.pop("_typed", None)
        plugin.pip.write_state(self.key, state)

    async def reopen(self) -> None:
        """Go back to the step. Its answers stay; later steps are cleared."""
        plugin = self.cells.plugin
        known = self.step_id in [step.id for step in plugin.steps]
        if self.state and known and "finalized" not in self.state.get("finalize", {}):
            await self.cells.stop(self.key)
            state = await plugin.pip.clear_steps_from(self.key, self.step_id, plugin.steps)
            state["_revert_target"] = self.step_id
            state.pop("_typed", None)
            plugin.pip.write_state(self.key, state)

    async def lock(self) -> bool:
        """Lock the run if every step is done; return whether it was locked."""
        # What another tab still computes must not change the run once it is locked.
        await self.cells.stop(self.key)
        state = self.cells.plugin.pip.read_state(self.key)
        lockable = replace(self, state=state).may_submit()
        if lockable:
            await self.cells.plugin.pip.finalize_workflow(self.key)
        return lockable

    async def unlock(self) -> None:
        """Unlock the run."""
        if self.state:
            await self.cells.plugin.pip.unfinalize_workflow(self.key)

    def chain(self) -> Any:
        """Return the cards of the run: each that is done loads the next one."""
        return chain(self.cells.plugin, self.key)

    def next_card(self) -> Any:
        """Return the place of the next card, which loads as soon as it is there."""
        ids = [step.id for step in self.cells.plugin.steps]
        index = ids.index(self.step_id) + 1
        return place(self.cells.plugin, ids[index]) if index < len(ids) else None


async def open_run(cells: "Cells", request: Any, step_id: str) -> OpenRun:
    """Return the run of a request. The page sends its key: two tabs can hold two runs."""
    plugin = cells.plugin
    sent = request.query_params if request.method == "GET" else await request.form()
    key = sent.get("pipeline_id") or plugin.pip.db.get("pipeline_id", "")
    state = Stored(plugin, key).read()
    data = state.get(step_id, {})
    execution = cells.execution(key, step_id)
    stage = _stage(plugin, state, step_id, execution)
    if stage == "running" and execution:
        data = execution.form
    return OpenRun(cells, key, state, step_id, stage, data, execution)


def _stage(
    plugin: Any, state: Mapping[str, Any], step_id: str, execution: Execution | None
) -> Stage:
    """The stage of a step; what stands first counts."""
    if execution and execution.running:
        return "running"
    if "finalized" in state.get("finalize", {}):
        return "locked"
    if execution and execution.asks:
        return "secrets"
    if execution and execution.error:
        # Perhaps it had been done before it failed.
        return "error"
    done = any(step.id == step_id and step.done in state.get(step_id, {}) for step in plugin.steps)
    return "done" if done and state.get("_revert_target") != step_id else "input"


def chain(plugin: Any, key: str) -> Any:
    """Return the cards of a run, and where they go: each card that is done loads the next one."""
    if not plugin.pip.read_state(key):
        # The run was deleted: back to the first page.
        return Response(headers={"HX-Refresh": "true"})
    container = f"{plugin.app_name}-container"
    first = place(plugin, plugin.steps[0].id)
    cards = Div(first, id=container, hx_vals=json.dumps({"pipeline_id": key}))
    return cards, HtmxResponseHeaders(retarget=f"#{container}", reswap="outerHTML")


def place(plugin: Any, step_id: str) -> Any:
    """Return the place of a card, which loads as soon as it is there."""
    load = f"/{plugin.app_name}/{step_id}"
    return Div(id=step_id, hx_get=load, hx_trigger="load", hx_swap="outerHTML")
