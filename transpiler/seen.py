"""What a person sees of widgets: an app has a form in the place of controls, so both sides are compared without these.

expanded(outputs, state)   the notebook's outputs, with what an Output widget holds behind the widget that shows it
seen(outputs)              outputs without the controls, and without the difference between a result and what is displayed
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from transpiler.compare import Output, Outputs
from transpiler.passes.widgets import CONTAINERS, INPUTS, UNANSWERABLE

VIEW = "application/vnd.jupyter.widget-view+json"
CONTROLS = frozenset([*INPUTS, *UNANSWERABLE, *CONTAINERS, "Button", "Output", "interactive"])
_CLASS = re.compile(r"(\w+)\(")

State = Mapping[str, Mapping[str, Any]]
"""Id of a widget -> its state."""


def is_control(output: Output) -> bool:
    """Whether an output is a widget that asks for something, or holds such widgets."""
    data = output.get("data", {})
    text = data.get("text/plain", "")
    match = _CLASS.match("".join(text) if isinstance(text, list) else str(text))
    return VIEW in data and match is not None and match[1] in CONTROLS


def has_controls(outputs: Outputs) -> bool:
    """Whether controls are among them."""
    return any(map(is_control, outputs))


def expanded(outputs: Outputs, state: State) -> list[Output]:
    """Return outputs with those that the Output widgets among them hold, each once."""
    shown: list[Output] = []
    done: set[str] = set()
    for output in outputs:
        shown.append(output)
        if is_control(output):
            model = output["data"][VIEW].get("model_id", "")
            for inner in _held(model, state, done):
                shown += expanded(inner, state)
    return shown


def _held(model: str, state: State, done: set[str]) -> Iterator[Outputs]:
    """What the Output widgets in a widget hold."""
    if model in done:
        return
    done.add(model)
    mine = state.get(model, {})
    if mine.get("_model_name") == "OutputModel":
        yield list(mine.get("outputs", ()))
    for child in mine.get("children", ()):
        yield from _held(str(child).removeprefix("IPY_MODEL_"), state, done)


def seen(outputs: Outputs) -> list[Output]:
    """Return outputs as a page shows them beside a form."""
    return [
        (
            {**output, "output_type": "display_data"}
            if output["output_type"] == "execute_result"
            else output
        )
        for output in outputs
        if not is_control(output)
    ]
