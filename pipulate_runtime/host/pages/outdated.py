"""Runs of an older version of their workflow: finds the steps that are out of date, and offers to run them again.

A stored step has the hashes of its cells, and a run's state has its steps in the order in which they were done. Compared
with the present steps, the run is out of date from the first difference on: a step with other cells, an inserted one, a
moved one. Later steps were computed from earlier ones, so they are out of date, too. Nothing changes before the user asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fasthtml.common import FT, H3, A, Article, Button, Div, Form, Input, Li, P, Strong, Ul

from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.pages import widgets
from pipulate_runtime.host.pages.parts import posting
from pipulate_runtime.host.plugins.model import Plugin
from pipulate_runtime.host.state.run import Run, State, is_done, is_finalized

PLACE = "outdated"
RETIRED = "_retired"
_CELLS = "_cells"
Why = Literal["changed", "new", "after"]
_WORDS: dict[Why, str] = {
    "changed": "its code has changed",
    "new": "it is new",
    "after": "it uses results of an earlier step",
}


@dataclass(frozen=True, slots=True)
class Outdated:
    """A step of a run that the present workflow would make differently."""

    step: Any
    why: Why


def outdated_steps(instance: Any, state: State) -> list[Outdated]:
    """Return the steps of a run that are out of date, in order; [] for a plugin instance without cells.

    A reopened step is being done again: it and the steps after it do not count.
    """
    if getattr(instance, "cells", None) is None:
        return []
    steps = [step for step in instance.steps if step.id != "finalize"]
    if (target := state.get("_revert_target")) in (ids := [step.id for step in steps]):
        steps = steps[: ids.index(target)]
    there = {step.id: step for step in instance.steps}
    made = [
        key
        for key, data in state.items()
        if isinstance(data, dict)
        and (is_done(state, there[key]) if key in there else _CELLS in data)
        and key != "finalize"
    ]
    for number, step in enumerate(steps):
        left = made[number:]
        if not any(key in there for key in left):
            return []
        if left[0] != step.id or _changed(instance, step.id, state):
            return _from(instance, steps[number:], state)
    return []


def _from(instance: Any, steps: Sequence[Any], state: State) -> list[Outdated]:
    """Return the steps from the first difference on; steps that are not done only before the last one that is."""
    done = [number for number, step in enumerate(steps) if is_done(state, step)]
    found = []
    for step in steps[: done[-1] + 1] if done else ():
        why: Why = "after"
        if not is_done(state, step):
            why = "new"
        elif _changed(instance, step.id, state):
            why = "changed"
        found.append(Outdated(step, why))
    return found


def _changed(instance: Any, step_id: str, state: State) -> bool:
    """Whether the cells of a step differ from those that made it."""
    try:
        return bool(instance.cells.is_outdated(step_id, state[step_id]))
    except LookupError:  # the plugin's source cannot be read, which its cards report
        return False


def retire(plugin: Plugin, run: Run, action: str, sent: Mapping[str, Any]) -> None:
    """Put away the data of steps that the workflow no longer has, before the run continues from an earlier step.

    It stays in the state under RETIRED; between the other steps it would make everything computed now look old.
    """
    step_id = str(sent.get("step_id", "")) if action == "revert" else action.removesuffix("_submit")
    ids = [step.id for step in plugin.steps]
    if not plugin.computes or step_id not in ids:
        return
    places = {name: number for number, name in enumerate(run.state)}
    last = max((places[name] for name in ids[: ids.index(step_id)] if name in places), default=-1)
    gone = [
        name
        for name, data in run.state.items()
        if places[name] > last and name not in ids and isinstance(data, dict) and _CELLS in data
    ]
    if gone:
        with run.changing() as state:
            away = state.pop(RETIRED, {})
            away |= {key: state.pop(key) for key in gone if key in state}
            state[RETIRED] = away


# -- what the page shows


def place(plugin: Plugin, key: str, state: State, swap: bool = False) -> Component:
    """The message at the top of an outdated run; `swap`: as an out-of-band update of it."""
    if not plugin.computes:
        return None
    inner = _message(plugin, key, state)
    if swap:
        return Div(inner, hx_swap_oob=f"innerHTML:#{PLACE}")
    return Div(inner, id=PLACE)


def _message(plugin: Plugin, key: str, state: State) -> Component:
    found = outdated_steps(plugin.instance, state)
    if not found:
        return None
    first = found[0]
    items = [Li(Strong(each.step.show), f": {_WORDS[each.why]}") for each in found]
    return Div(
        P(
            "This run was made by an older version of this workflow. It stays as it is until you run it again. Out of date:"
        ),
        Ul(*items),
        _way(plugin, key, state, first, found),
        cls="notice outdated",
        role="note",
    )


def _way(
    plugin: Plugin, key: str, state: State, first: Outdated, found: Sequence[Outdated]
) -> Component:
    """How to bring a run up to date."""
    if is_finalized(state):
        return P("The run is locked. Unlock it in the last card to run it again.")
    if first.why == "new":
        return P("It continues at ", A(first.step.show, href=f"#{first.step.id}"), ".")
    later = [each.step.show for each in found[1:] if each.why != "new"]
    lost = f" This deletes the results of: {', '.join(later)}." if later else ""
    return Form(
        Input(type="hidden", name="step_id", value=first.step.id),
        Input(type="hidden", name="pipeline_id", value=key),
        Button(f"Run again from “{first.step.show}”", type="submit", cls="secondary"),
        **posting(
            f"/{plugin.app_name}/revert",
            f"#{widgets.container_id(plugin.app_name)}",
            f"Run again from “{first.step.show}”?{lost}",
        ),
    )


def ask_before_clearing(resp: Any, plugin: Plugin, action: str, state: State) -> Any:
    """Return a step's answer; if it would run at once and clear later results, return a card that asks first."""
    if action not in {step.id for step in plugin.steps} or action == "finalize":
        return resp
    parts = resp if isinstance(resp, tuple) else (resp,)
    if not any(_runs_at_once(part, action) for part in parts):
        return resp
    at = [step.id for step in plugin.steps].index(action)
    step, later = plugin.steps[at], [s for s in plugin.steps[at + 1 :] if is_done(state, s)]
    if not later or not outdated_steps(plugin.instance, state):
        return resp
    return tuple(
        _ask(plugin, step, later) if _runs_at_once(part, action) else part for part in parts
    )


def _runs_at_once(part: Any, step_id: str) -> bool:
    return (
        isinstance(part, FT)
        and part.attrs.get("id") == step_id
        and part.attrs.get("hx-trigger") == "load"
        and str(part.attrs.get("hx-post", "")).endswith(f"/{step_id}_submit")
    )


def _ask(plugin: Plugin, step: Any, later: Sequence[Any]) -> Component:
    """The card of a new step whose run clears the results of later ones."""
    names = ", ".join(each.show for each in later)
    return Div(
        Article(
            H3(step.show),
            P(f"This step is new. Running it clears the later steps: {names}."),
            Form(
                Button("Run", type="submit", cls="primary"),
                **posting(f"/{plugin.app_name}/{step.id}_submit", f"#{step.id}"),
            ),
        ),
        id=step.id,
        data_state="input",
    )
