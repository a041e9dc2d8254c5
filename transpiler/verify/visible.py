"""The visible outputs of widgets: the app has a form in place of controls, so both sides are compared without these.

expand_outputs(outputs, state)   the notebook's outputs, with what an Output widget holds behind the widget that shows it
visible_outputs(outputs)         outputs without the controls, and without the difference between a result and what is displayed
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from transpiler.verify.compare import Output, Outputs
from transpiler.widgets.table import CONTAINERS, INPUTS, UNANSWERABLE

VIEW = "application/vnd.jupyter.widget-view+json"
CONTROLS = frozenset([*INPUTS, *UNANSWERABLE, *CONTAINERS, "Button", "Output", "interactive"])
_CLASS = re.compile(r"(\w+)\(")

State = Mapping[str, Mapping[str, Any]]  # Id of a widget -> its state


def is_control(output: Output) -> bool:
    """Whether an output is a widget that asks for something, or holds such widgets."""
    data = output.get("data", {})
    text = data.get("text/plain", "")
    match = _CLASS.match("".join(text) if isinstance(text, list) else str(text))
    return VIEW in data and match is not None and match[1] in CONTROLS


def has_controls(outputs: Outputs) -> bool:
    return any(map(is_control, outputs))


def expand_outputs(outputs: Outputs, state: State) -> list[Output]:
    """Return outputs with those that the Output widgets among them hold, each once."""
    shown: list[Output] = []
    done: set[str] = set()
    for output in outputs:
        shown.append(output)
        if is_control(output):
            model = output["data"][VIEW].get("model_id", "")
            for inner in _widget_outputs(model, state, done):
                shown += expand_outputs(inner, state)
    return shown


def _widget_outputs(model: str, state: State, done: set[str]) -> Iterator[Outputs]:
    if model in done:
        return
    done.add(model)
    mine = state.get(model, {})
    if mine.get("_model_name") == "OutputModel":
        yield list(mine.get("outputs", ()))
    for child in mine.get("children", ()):
        yield from _widget_outputs(str(child).removeprefix("IPY_MODEL_"), state, done)


def visible_outputs(outputs: Outputs) -> list[Output]:
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
