"""Runs that an older version of their workflow made: which steps are out of date, and the way to run them again.

A step keeps the hashes of the cells that made it, and a run's state has its steps in the order in which they were done. Walked
beside the steps that the workflow has now, the first difference is where the run leaves it: a step whose cells are others, one
that was inserted, one that stood elsewhere. What comes after was computed from what came before, so it is out of date, too.
Nothing of it is changed before the user asks for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fasthtml.common import FT, H3, A, Article, Button, Div, Form, Input, Li, P, Strong, Ul

from pipulate_runtime.host import widgets
from pipulate_runtime.host.contract import Component
from pipulate_runtime.host.plugins import Plugin
from pipulate_runtime.host.state import Run, State, StateStore, is_done, is_finalized

PLACE = "outdated"
RETIRED = "_retired"
_CELLS = "_cells"
Why = Literal["changed", "new", "after"]
_WORDS: dict[Why, str] = {
    "changed": "its code has changed",
    "new": "it is new",
    "after": "made from what came before it",
}


@dataclass(frozen=True, slots=True)
class Outdated:
    """A step of a run that is not as the workflow would make it now."""

    step: Any
    why: Why


def outdated(instance: Any, state: State) -> list[Outdated]:
    """The steps of a run that are out of date, in the workflow's order; [] for one without cells. `instance` is the plugin's.

    A step that was reopened is being done again: it and what comes after it are not counted.
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
    """The steps from the first difference on; of those that are not done only the ones before the last that is."""
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
    """Whether the cells of a step are others than those that made it."""
    try:
        return bool(instance.cells.is_outdated(step_id, state[step_id]))
    except LookupError:  # the plugin's source cannot be read: its cards say so
        return False


def retire(
    store: StateStore, plugin: Plugin, run: Run, action: str, sent: Mapping[str, Any]
) -> None:
    """Put away what a run has of steps that are gone, before it is run again from before them.

    It stays in the run's state, under RETIRED; as steps between the others it would make all that is computed now look old.
    """
    step_id = str(sent.get("step_id", "")) if action == "revert" else action.removesuffix("_submit")
    ids = [step.id for step in plugin.steps]
    if not plugin.computes or step_id not in ids:
        return
    keys = list(run.state)
    before = [keys.index(name) for name in ids[: ids.index(step_id)] if name in run.state]
    gone = [
        key for number, key in enumerate(keys)
        if number > max(before, default=-1) and key not in ids
        and isinstance(data := run.state[key], dict) and _CELLS in data
    ]  # fmt: skip
    if gone:
        with store.changing(run.key) as state:
            away = state.pop(RETIRED, {})
            away |= {key: state.pop(key) for key in gone if key in state}
            state[RETIRED] = away


# -- what the page shows


def place(plugin: Plugin, key: str, state: State, swap: bool = False) -> Component:
    """What stands at the top of a run that is out of date; with `swap` it takes the place of what stood there."""
    if not plugin.computes:
        return None
    inner = _told(plugin, key, state)
    if swap:
        return Div(inner, hx_swap_oob=f"innerHTML:#{PLACE}")
    return Div(inner, id=PLACE)


def _told(plugin: Plugin, key: str, state: State) -> Component:
    found = outdated(plugin.instance, state)
    if not found:
        return None
    first = found[0]
    items = [Li(Strong(each.step.show), f": {_WORDS[each.why]}") for each in found]
    return Div(
        P(
            "This run was made by an older version of this workflow. Nothing of it is lost, and it stays as it is until you"
            " run it again. Out of date:"
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
        return P("The run is locked. Unlock it at its end to run it again.")
    if first.why == "new":
        return P("It goes on at ", A(first.step.show, href=f"#{first.step.id}"), ".")
    later = [each.step.show for each in found[1:] if each.why != "new"]
    lost = f" What these steps gave goes then: {', '.join(later)}." if later else ""
    return Form(
        Input(type="hidden", name="step_id", value=first.step.id),
        Input(type="hidden", name="pipeline_id", value=key),
        Button(f"Run again from “{first.step.show}”", type="submit", cls="secondary"),
        hx_post=f"/{plugin.app_name}/revert",
        hx_target=f"#{widgets.container_id(plugin.app_name)}",
        hx_swap="outerHTML",
        hx_confirm=f"Run again from “{first.step.show}”?{lost}",
    )


def held(resp: Any, plugin: Plugin, action: str, state: State) -> Any:
    """A step's answer; one that would run at once and so clear what later steps gave is asked for instead."""
    if action not in {step.id for step in plugin.steps} or action == "finalize":
        return resp
    parts = resp if isinstance(resp, tuple) else (resp,)
    if not any(_runs_at_once(part, action) for part in parts):
        return resp
    at = [step.id for step in plugin.steps].index(action)
    step, later = plugin.steps[at], [s for s in plugin.steps[at + 1 :] if is_done(state, s)]
    if not later or not outdated(plugin.instance, state):
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
    """The card of a new step whose run clears what later ones gave."""
    names = ", ".join(each.show for each in later)
    return Div(
        Article(
            H3(step.show),
            P(f"This step is new. When it has run, these steps are done again: {names}."),
            Form(
                Button("Run", type="submit", cls="primary"),
                hx_post=f"/{plugin.app_name}/{step.id}_submit",
                hx_target=f"#{step.id}",
                hx_swap="outerHTML",
            ),
        ),
        id=step.id,
        data_state="input",
    )
