"""The widgets of ipywidgets: which of them ask for a value, and the field that asks for it instead. A table and its readings.

`tests/passes/test_widgets.py` holds the table against the library itself: every class with a value is named here, and the
defaults are its own.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from transpiler.model.ir import JSON
from transpiler.python.literals import COMPUTED

Shape = Literal["one", "pair", "choice", "choices", "choice pair", "moment", "upload"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a widget asks for."""

    type: str  # The type of its field, as `#| input:` has it
    default: Any = None  # Its value when the notebook gives none
    limits: tuple[Any, Any] | None = None
    """Its smallest and largest value when the notebook gives none; None for a widget without limits."""
    step: float | None = None
    shape: Shape = "one"
    moment: str = ""  # For a moment: the class of `datetime` that its value is of


INPUTS: Mapping[str, Kind] = {
    "IntSlider": Kind("range", 0, (0, 100), 1),
    "FloatSlider": Kind("range", 0.0, (0.0, 100.0), 0.1),
    "FloatLogSlider": Kind("number", 1.0, (0.0, 4.0)),  # limits are exponents
    "IntRangeSlider": Kind("integer", (25, 75), (0, 100), 1, "pair"),
    "FloatRangeSlider": Kind("number", (25.0, 75.0), (0.0, 100.0), 0.1, "pair"),
    "Play": Kind("integer", 0, (0, 100), 1),
    "BoundedIntText": Kind("integer", 0, (0, 100), 1),
    "BoundedFloatText": Kind("number", 0.0, (0.0, 100.0)),
    "IntText": Kind("integer", 0),
    "FloatText": Kind("number", 0.0),
    "Text": Kind("text", ""),
    "Textarea": Kind("textarea", ""),
    "Password": Kind("password", ""),
    "Combobox": Kind("text", ""),
    "Checkbox": Kind("switch", False),
    "ToggleButton": Kind("switch", False),
    "Dropdown": Kind("select", shape="choice"),
    "Select": Kind("select", shape="choice"),
    "SelectionSlider": Kind("select", shape="choice"),
    "RadioButtons": Kind("radio", shape="choice"),
    "ToggleButtons": Kind("radio", shape="choice"),
    "SelectMultiple": Kind("multi-select", (), shape="choices"),
    "SelectionRangeSlider": Kind("select", shape="choice pair"),
    "DatePicker": Kind("date", shape="moment", moment="date"),
    "TimePicker": Kind("time", shape="moment", moment="time"),
    "NaiveDatetimePicker": Kind("datetime", shape="moment", moment="datetime"),
    "DatetimePicker": Kind("datetime", shape="moment", moment="datetime"),
    "ColorPicker": Kind("color", "black"),
    "TagsInput": Kind("json", []),
    "ColorsInput": Kind("json", []),
    "IntsInput": Kind("json", []),
    "FloatsInput": Kind("json", []),
    "FileUpload": Kind("file", (), shape="upload"),
}
UNANSWERABLE: Mapping[str, str] = {
    "Controller": "a gamepad is no field of a form",
}
"""Widgets that ask for something no field gives -> why."""
SHOWS_ONLY = frozenset(
    [
        "HTML",
        "HTMLMath",
        "Label",
        "Output",
        "Image",
        "Audio",
        "Video",
        "IntProgress",
        "FloatProgress",
        "Valid",
    ]
)
"""Widgets with a value that no user sets."""
CONTAINERS = frozenset(
    [
        "Box",
        "HBox",
        "VBox",
        "GridBox",
        "Accordion",
        "Tab",
        "Stack",
        "AppLayout",
        "GridspecLayout",
        "TwoByTwoLayout",
    ]
)
ABBREVIATED = frozenset(["interact", "interact_manual", "interactive"])


def limits_of(kind: Kind, given: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Return the smallest and largest value and the step of a widget; None for what it has not, or what is computed."""
    low, high = kind.limits or (None, None)
    low, high = _known(given.get("min", low)), _known(given.get("max", high))
    step = _known(given.get("step", kind.step))
    return low, high, step if isinstance(step, int | float) and step > 0 else None


def log_limits(low: Any, high: Any, given: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the limits of a FloatLogSlider as values: it takes them as exponents."""
    base = _known(given.get("base", 10.0))
    try:
        return tuple(None if x is None or base is None else float(base) ** x for x in (low, high))  # type: ignore[return-value]
    except (TypeError, OverflowError, ZeroDivisionError):
        return None, None


def _known(value: Any) -> Any:
    return None if value is COMPUTED else value


def default_of(kind: Kind, low: Any, high: Any) -> Any:
    """Return the value a widget begins with when the notebook gives none: the library keeps it within its limits."""
    if kind.shape == "pair" and low is not None and high is not None:
        width = high - low
        return (
            (int(low + 0.25 * width), int(low + 0.75 * width))
            if kind.type == "integer"
            else (low + 0.25 * width, low + 0.75 * width)
        )
    return clamp(kind.default, low, high)


def clamp(value: Any, low: Any, high: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    value = value if low is None else max(value, low)
    return value if high is None else min(value, high)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a selection offers: the answers of its form, and whether these are its labels, not its values."""

    answers: tuple[JSON, ...]
    labels: bool
    values: tuple[Any, ...] = ()
    """The values in the same order; COMPUTED where only the notebook knows."""


def choices_of(node: ast.expr | None, value_of: Callable[[ast.expr], Any]) -> Choices | None:
    """Return the choices of `options=`; None when only the running notebook knows them.

    They are a list of values, of (label, value) pairs, or a dict of labels.
    """
    if node is None:
        return None
    pairs: list[tuple[ast.expr, ast.expr]] = []
    if isinstance(node, ast.Dict):
        pairs = [(k, v) for k, v in zip(node.keys, node.values, strict=True) if k is not None]
        if len(pairs) < len(node.values):
            return None
    elif isinstance(node, ast.List | ast.Tuple):
        for item in node.elts:
            if isinstance(item, ast.Tuple | ast.List) and len(item.elts) == 2:
                pairs.append((item.elts[0], item.elts[1]))
        if len(pairs) < len(node.elts):
            pairs = []
    if pairs:
        labels = [value_of(label) for label, _ in pairs]
        if not all(isinstance(label, str | int | float) for label in labels):
            return None
        return Choices(tuple(map(str, labels)), True, tuple(value_of(v) for _, v in pairs))
    return _plain_choices(value_of(node))


def _plain_choices(value: Any) -> Choices | None:
    if isinstance(value, Mapping):
        return Choices(tuple(map(str, value)), True, tuple(value.values()))
    if value is COMPUTED or not isinstance(value, list | tuple | range):
        return None
    values = tuple(value)
    if not values or len(values) > 1000:
        return None
    if all(isinstance(v, tuple | list) and len(v) == 2 for v in values):
        return Choices(tuple(str(v[0]) for v in values), True, tuple(v[1] for v in values))
    plain = all(isinstance(v, str | int | float) for v in values)
    texts = tuple(map(str, values))
    if len(set(texts)) < len(texts):
        return None
    return Choices(values if plain else texts, not plain, values)
