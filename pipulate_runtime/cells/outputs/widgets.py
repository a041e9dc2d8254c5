"""Shows the present state of ipywidgets; they do not react to clicks.

The kernel publishes the state of each widget as messages of its comm. An output names the model it shows; a model names
its children. A cell is stored with the models that it shows.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fasthtml.common import Div, NotStr, P, Progress, Span

from pipulate_runtime.cells.outputs import sanitise

VIEW = "application/vnd.jupyter.widget-view+json"
CONTROLS = frozenset([
    "IntSlider", "FloatSlider", "FloatLogSlider", "IntRangeSlider", "FloatRangeSlider", "Play",
    "BoundedIntText", "BoundedFloatText", "IntText", "FloatText", "Text", "Textarea",
    "Password", "Combobox", "Checkbox", "ToggleButton", "Dropdown", "Select", "SelectionSlider",
    "RadioButtons", "ToggleButtons", "SelectMultiple", "SelectionRangeSlider", "DatePicker",
    "TimePicker", "NaiveDatetimePicker", "DatetimePicker", "ColorPicker", "TagsInput",
    "ColorsInput", "IntsInput", "FloatsInput", "FileUpload", "Controller", "Button", "Output",
    "interactive", "Box", "HBox", "VBox", "GridBox", "Accordion", "Tab", "Stack", "AppLayout",
    "GridspecLayout", "TwoByTwoLayout",
])  # fmt: skip
_CLASS = re.compile(r"(\w+)\(")


def is_control(output: dict[str, Any]) -> bool:
    """Whether an output is a widget that a form replaces. One with a text of its own (a progress bar) is not."""
    data = output.get("data", {})
    if VIEW not in data:
        return False
    text = data.get("text/plain", "")
    match = _CLASS.match("".join(text) if isinstance(text, list) else str(text))
    return match is not None and match[1] in CONTROLS


Output = dict[str, Any]
State = dict[str, Any]

WIDGETS = "widgets"  # key in a stored cell: the state of its widgets, by the ids of their models
_REFERENCE = "IPY_MODEL_"
_KEPT = ("_model_name", "description", "value", "min", "max", "bar_style", "children", "outputs",
         "_titles", "titles", "_options_labels", "index")  # fmt: skip
_BARS = ("IntProgressModel", "FloatProgressModel")
_LARGE = 20_000  # characters of a value that is stored


class Models:
    """The widget models of one kernel, by the ids of their comms."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}
        self.ticks: dict[str, int] = {}
        # Output widgets that capture the outputs of the cell, the innermost last
        self.capturing: list[str] = []

    def take(self, kind: str, content: Mapping[str, Any], tick: int) -> None:
        """Take a comm message; one that belongs to no widget changes nothing."""
        name, data = str(content.get("comm_id", "")), content.get("data", {})
        if kind == "comm_open" and content.get("target_name") == "jupyter.widget":
            self.states[name] = {}
        if name not in self.states:
            return
        self.ticks[name] = tick
        if kind == "comm_close":
            self.states[name] = {"closed": True}
            return
        changed = data.get("state", {})
        self.states[name].update(changed)
        if "msg_id" in changed:
            if name in self.capturing:
                self.capturing.remove(name)
            if changed["msg_id"]:
                self.capturing.append(name)

    def all_of(self, output: Output) -> list[str]:
        """Return the ids of the models an output shows, with all their children."""
        found: dict[str, None] = {}
        waiting = [_model_of(output)]
        while waiting:
            name = waiting.pop()
            if name in self.states and name not in found:
                found[name] = None
                state = self.states[name]
                waiting += _references(state.get("children"))
                waiting += map(_model_of, state.get("outputs") or ())
        return list(found)

    def state_to_store(self, outputs: Iterable[Output]) -> dict[str, State]:
        """Return what is stored of the models that some outputs show."""
        return {name: self._kept(name) for output in outputs for name in self.all_of(output)}

    def _kept(self, name: str) -> State:
        state = self.states[name]
        if state.get("closed"):
            return {"closed": True}
        kept = {key: state[key] for key in _KEPT if state.get(key) not in (None, "", [], ())}
        if len(str(kept.get("value", ""))) > _LARGE:
            del kept["value"]
        look = self.states.get("".join(_references([state.get("layout")])), {})
        if look.get("display") == "none" or look.get("visibility") == "hidden":
            kept["hidden"] = True
        return kept


def _model_of(output: Mapping[str, Any]) -> str:
    """Return the id of the model that an output shows, or ""."""
    return str(output.get("data", {}).get(VIEW, {}).get("model_id", ""))


def _references(names: Any) -> list[str]:
    return [
        name.removeprefix(_REFERENCE)
        for name in names or ()
        if isinstance(name, str) and name.startswith(_REFERENCE)
    ]


def component(
    name: str,
    states: Mapping[str, State],
    outputs: Callable[[list[Output]], list[Any]],
    beside: str = "",
) -> Any:
    """Return a widget as a component, None if it shows nothing. Raises LookupError for an unknown one.

    `outputs` makes components of the nbformat outputs that an Output widget holds; the text `beside` names a bar.
    """
    state = states[name]
    if state.get("closed") or state.get("hidden"):
        return None
    if state.get("_model_name") in _BARS:
        return _progress(state, beside)
    kind = state.get("_model_name", "").removesuffix("Model")
    if kind == "Output":
        return Div(*outputs(state.get("outputs", [])), cls="widget-output")
    if "children" in state:
        children = [child for child in _references(state["children"]) if child in states]
        text = " ".join(filter(None, (_words(states[child]) for child in children)))
        shown = [component(child, states, outputs, text) for child in children]
        row = "widget-row" if kind == "HBox" else "widget-column"
        return Div(*(part for part in shown if part), cls=row)
    if kind in CONTROLS:
        return None  # the form replaces it
    if kind in ("HTML", "HTMLMath"):
        safe = NotStr(sanitise.clean(str(state.get("value", ""))))  # type: ignore[no-untyped-call]
        return Span(safe, cls="widget-text")
    words = _words(state)
    return P(words, cls="widget-text") if words else None


def as_text(output: Mapping[str, Any], record: Mapping[str, Any]) -> str | None:
    """Return the widget that an output of a stored cell shows, as text; None if the output shows no known widget."""
    states = record.get(WIDGETS) or {}
    name = _model_of(output)
    return _in_words(name, states) if name in states else None


def _in_words(name: str, states: Mapping[str, State]) -> str:
    state = states.get(name, {"closed": True})
    if state.get("closed") or state.get("hidden"):
        return ""
    inner = [_in_words(child, states) for child in _references(state.get("children"))]
    held = [o["text"].rstrip("\n") for o in state.get("outputs", ()) if "text" in o]
    label, share = state.get("description", ""), _share(state)
    bar = f"{label} {share:.0%}".strip() if share is not None and label else ""
    return " ".join(filter(None, (bar or _words(state), *inner, *held)))


def _words(state: State) -> str:
    if state.get("_model_name") in _BARS:
        return ""
    value = state.get("value", "")
    if "_options_labels" in state and isinstance(state.get("index"), int):
        value = state["_options_labels"][state["index"]]
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if state.get("_model_name") in ("HTMLModel", "HTMLMathModel"):
        text = sanitise.text(text)
    return ": ".join(filter(None, (str(state.get("description", "")), text.strip())))


def _share(state: State) -> float | None:
    """Return how full a bar is, from 0 to 1; None for one of unknown length and for other widgets."""
    if state.get("_model_name") not in _BARS:
        return None
    low, high, value = (float(state.get(key, 0) or 0) for key in ("min", "max", "value"))
    # tqdm shows a bar of unknown length as full and blue from the start
    if high <= low or (high == 1 and value == 1 and state.get("bar_style") == "info"):
        return None
    return max(0.0, min(1.0, (value - low) / (high - low)))


def _progress(state: State, beside: str) -> Any:
    label = str(state.get("description", ""))
    name, share = label or beside or "Progress", _share(state)
    if share is None:
        bar = Progress(aria_label=name)
    else:
        bar = Progress(f"{share:.0%}", value=f"{share:.4f}", max="1", aria_label=name)
    style = f"bar {state.get('bar_style', '')}".strip()
    return Span(Span(label, cls="bar-label") if label else None, bar, cls=style)
