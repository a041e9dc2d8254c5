"""Turns a value in `interact(f, x=(0, 10))` into the field of the widget that ipywidgets would make.

Held against `interactive.widget_from_abbrev` by tests/passes/test_widgets.py.
"""

import math
from typing import Any

from transpiler.fields.types import is_json
from transpiler.fields.vocabulary import field_type
from transpiler.model.ir import JSON
from transpiler.python.literals import COMPUTED


def expand_shorthand(value: Any, default: Any = COMPUTED) -> dict[str, JSON] | None:
    """Return the attributes of the field for a value, with `default` that of the function's parameter; None for no widget.

    Choices are the labels of a dict, and the values of a list; a list of pairs is one of labels and values.
    """
    if isinstance(value, tuple):
        return _slider(value, default)
    if isinstance(value, bool):
        return {"type": "switch", "default": value, "required": False}
    if isinstance(value, str):
        return {"type": "text", "default": value, "required": False} if is_json(value) else None
    if isinstance(value, int | float):
        return _around(value) if math.isfinite(value) else None
    if isinstance(value, list | dict | range | set | frozenset) and value:
        return _dropdown(value, default)
    return None


def _around(value: int | float) -> dict[str, JSON]:
    """A slider around a number: -5 to 15 for 5."""
    low, high = (-value, 3 * value) if value > 0 else (3 * value, -value) if value else (0, 1)
    if not value:
        low, high = value, value + 1
    return _range(low, high, value)


def _range(low: Any, high: Any, value: Any, step: Any = None) -> dict[str, JSON]:
    whole = isinstance(low, int) and isinstance(high, int)
    step = step if step is not None else (1 if whole else 0.1)
    return {
        "type": field_type("range"), "min": low, "max": high, "step": step, "default": value, "required": True,
    }  # fmt: skip


def _slider(value: tuple[Any, ...], default: Any) -> dict[str, JSON] | None:
    """`(min, max)` or `(min, max, step)`; it begins in the middle, or at the function's own default."""
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in value)
    if not numbers or len(value) not in (2, 3):
        return None
    low, high = value[:2]
    step = value[2] if len(value) == 3 else None
    if low > high or (step is not None and step <= 0):
        return None
    whole = all(isinstance(v, int) for v in value)
    span = high - low
    middle = low + (span // 2 if isinstance(span, int) else span / 2)
    if step is not None:
        middle = low + int((middle - low) / step) * step
    fits = isinstance(default, int) if whole else isinstance(default, int | float)
    if fits and not isinstance(default, bool):
        middle = min(max(default, low), high)
    return _range(low, high, middle, step if step is not None else (1 if whole else 0.1))


def _dropdown(value: Any, default: Any) -> dict[str, JSON] | None:
    """A list of values or of pairs, or a dict: the first is chosen, or the function's own default."""
    items: list[Any] = list(value.items()) if isinstance(value, dict) else list(value)
    pairs = isinstance(value, dict) or all(
        isinstance(i, tuple | list) and len(i) == 2 for i in items
    )
    answers: list[Any] = [str(item[0]) for item in items] if pairs else items
    values = [item[1] for item in items] if pairs else items
    if not all(isinstance(a, str | int | float) for a in answers):
        return None
    if len(set(map(str, answers))) < len(answers):
        return None
    chosen = answers[0]
    if default is not COMPUTED and default in values:
        chosen = answers[values.index(default)]
    return {"type": "select", "choices": answers, "default": chosen, "required": True}


def has_labels(value: Any) -> bool:
    """Whether the answers of a dropdown are labels, not values."""
    return isinstance(value, dict) or (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(i, tuple | list) and len(i) == 2 for i in value)
    )
