"""Shows the present state of ipywidgets; they do not react to clicks.

The kernel publishes the state of each widget as messages of its comm. An output names the model it shows; a model names
its children. A cell is stored with the models that it shows.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fasthtml.common import Div, NotStr, P, Progress, Span

from pipulate_runtime.cells.outputs import sanitise

# --- widgets that a form replaces -----------------------------------------------------------------------------------------


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


# --- models of widgets ----------------------------------------------------------------------------------------------------


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

    def take(self, kind: str, content: Mapping[str, Any], tick: int) -> str | None:
        """Take a comm message; return the id of the changed model, or None if it belongs to no widget."""
        name, data = str(content.get("comm_id", "")), content.get("data", {})
        if kind == "comm_open" and content.get("target_name") == "jupyter.widget":
            self.states[name] = {}
        if name not in self.states:
            return None
        if kind == "comm_close":
            self.states[name] = {"closed": True}
        else:
            changed = data.get("state", {})
            self.states[name].update(changed)
            if "msg_id" in changed:
                self._capture(name, bool(changed["msg_id"]))
        self.ticks[name] = tick
        return name

    def _capture(self, name: str, begins: bool) -> None:
        if name in self.capturing:
            self.capturing.remove(name)
        if begins:
            self.capturing.append(name)

    def all_of(self, output: Output) -> list[str]:
        """Return the ids of the models an output shows, with all their children."""
        found: dict[str, None] = {}
        waiting = [output.get("data", {}).get(VIEW, {}).get("model_id", "")]
        while waiting:
            name = waiting.pop()
            if name in self.states and name not in found:
                found[name] = None
                state = self.states[name]
                waiting += _references(state.get("children"))
                for inner in state.get("outputs") or ():
                    waiting.append(inner.get("data", {}).get(VIEW, {}).get("model_id", ""))
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
        layout, *_ = [*_references([state.get("layout")]), ""]
        look = self.states.get(layout, {})
        if look.get("display") == "none" or look.get("visibility") == "hidden":
            kept["hidden"] = True
        return kept


def _references(names: Any) -> list[str]:
    return [
        name.removeprefix(_REFERENCE)
        for name in names or ()
        if isinstance(name, str) and name.startswith(_REFERENCE)
    ]


# --- what a page shows of them ---


def component(
    name: str, states: Mapping[str, State], outputs: Callable[[list[Output]], list[Any]]
) -> Any:
    """Return a widget as a component, None if it shows nothing. Raises LookupError for an unknown one.

    `outputs` makes components of the nbformat outputs that an Output widget holds.
    """
    return _Widgets(states, outputs).show(name, "")


def as_text(output: Mapping[str, Any], record: Mapping[str, Any]) -> str | None:
    """Return the widget that an output of a stored cell shows, as text; None if the output shows no known widget."""
    states = record.get(WIDGETS) or {}
    name = output.get("data", {}).get(VIEW, {}).get("model_id", "")
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


class _Widgets:
    def __init__(
        self, states: Mapping[str, State], outputs: Callable[[list[Output]], list[Any]]
    ) -> None:
        self.states = states
        self.outputs = outputs

    def show(self, name: str, beside: str) -> Any:
        """Return a widget; `beside` is the text next to it, which names a bar."""
        state = self.states[name]
        if state.get("closed") or state.get("hidden"):
            return None
        kind = state.get("_model_name", "").removesuffix("Model")
        if state.get("_model_name") in _BARS:
            return _progress(state, beside)
        if kind == "Output":
            return Div(*self.outputs(state.get("outputs", [])), cls="widget-output")
        if "children" in state:
            children = [n for n in _references(state["children"]) if n in self.states]
            text = " ".join(filter(None, (_words(self.states[child]) for child in children)))
            shown = [self.show(child, text) for child in children]
            row = kind == "HBox"
            return Div(
                *(part for part in shown if part), cls="widget-row" if row else "widget-column"
            )
        if kind in CONTROLS:
            return None  # the form replaces it
        if kind in ("HTML", "HTMLMath"):
            return Span(_safe(str(state.get("value", ""))), cls="widget-text")
        words = _words(state)
        return P(words, cls="widget-text") if words else None


def _safe(text: str) -> Any:
    return NotStr(sanitise.clean(text))  # type: ignore[no-untyped-call]


def _words(state: State) -> str:
    if state.get("_model_name") in _BARS:
        return ""
    value = state.get("value", "")
    if "_options_labels" in state and isinstance(state.get("index"), int):
        value = state["_options_labels"][state["index"]]
    text = value if isinstance(value, str) else ", ".join(map(str, _listed(value)))
    if state.get("_model_name") in ("HTMLModel", "HTMLMathModel"):
        text = sanitise.text(text)
    return ": ".join(filter(None, (str(state.get("description", "")), text.strip())))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


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
    return Span(*([Span(label, cls="bar-label")] if label else []), bar, cls=style)
