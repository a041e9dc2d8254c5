"""All options: the values each takes, in words and as a check. PP120's page lists them.

A check returns the value as the option has it, or raises ValueError.
"""

import re
from collections.abc import Callable, Mapping

from transpiler.fields.from_earlier import is_expression
from transpiler.model.ir import JSON


def _text(value: JSON) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ValueError


def _switch(value: JSON) -> bool:
    words = {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise ValueError


def _one_of(*words: str) -> Callable[[JSON], JSON]:
    def check(value: JSON) -> JSON:
        if value in words:
            return value
        raise ValueError

    return check


def _number(value: JSON) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ValueError


def _seconds(value: JSON) -> float:
    if _number(value) > 0:
        return float(_number(value))
    raise ValueError


def _limit(value: JSON) -> JSON:
    return value if isinstance(value, str) else _number(value)


def _step_id(value: JSON) -> str:
    if isinstance(value, str) and re.fullmatch(r"step_[0-9]{2,}", value):
        return value
    raise ValueError


def _choices(value: JSON) -> JSON:
    if isinstance(value, list) and value and not any(isinstance(v, list | dict) for v in value):
        return value
    if isinstance(value, str) and is_expression(value.strip()):
        return value
    raise ValueError


def _texts(value: JSON) -> JSON:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return value
    raise ValueError


def _endings(value: JSON) -> JSON:
    """Endings of file names, with their dot and in lower case; `.csv, .txt` is a list too."""
    given = value.split(",") if isinstance(value, str) else _texts(value)
    endings = [str(ending).strip().lower() for ending in given]  # type: ignore[union-attr]
    if endings and all(re.fullmatch(r"(\.[a-z0-9_+-]+)+", ending) for ending in endings):
        return endings  # type: ignore[return-value]
    raise ValueError


def _matching(pattern: str) -> Callable[[JSON], JSON]:
    def check(value: JSON) -> JSON:
        if isinstance(value, str) and re.fullmatch(pattern, value, re.IGNORECASE):
            return value
        raise ValueError

    return check


def _anything(value: JSON) -> JSON:
    return value


_TYPE_WORDS = {
    "int": "integer", "float": "number", "bool": "switch", "boolean": "switch", "checkbox": "switch", "str": "text",
    "string": "text", "colour": "color", "slider": "range", "dropdown": "select", "urls": "url-list", "multiselect": "multi-select",
    "upload": "file", "uploads": "files", "date-time": "datetime", "secret": "password",
}  # fmt: skip
FIELD_TYPES = (
    "text", "textarea", "integer", "number", "range", "switch", "select", "multi-select", "radio",
    "date", "time", "datetime", "color", "url-list", "json", "file", "files", "password", "raw",
)  # fmt: skip


def field_type(value: JSON) -> str:
    """Return the type a word stands for. Raises ValueError."""
    word = _TYPE_WORDS.get(value, value) if isinstance(value, str) else ""
    if word in FIELD_TYPES:
        return word
    raise ValueError


RESERVED_FIELDS = frozenset({"pipeline_id", "step_id", "_cells"})
"""Form names that the page itself sends (CONTRACT 1.9), and the key that holds a step's outputs."""

Check = tuple[str, Callable[[JSON], JSON]]
A_TEXT: Check = ("a text", _text)
_A_SWITCH: Check = ("`true` or `false`", _switch)
FIELDS: Check = ("a name, or mappings that have a `name`", _anything)

CELL_KEYS: Mapping[str, Check] = {
    "step": A_TEXT,
    "join": _A_SWITCH,
    "setup": _A_SWITCH,
    "skip": _A_SWITCH,
    "input": FIELDS,
    "secret": FIELDS,
    "show": ("`output`, `code`, `both` or `none`", _one_of("output", "code", "both", "none")),
    "run": ("`auto` or `button`", _one_of("auto", "button")),
    "confirm": A_TEXT,
    "timeout": ("a number of seconds above 0", _seconds),
    "checkpoint": ("`auto`, `always` or `never`", _one_of("auto", "always", "never")),
    "once": _A_SWITCH,
    "pin": ("the id of a step, such as `step_03`", _step_id),
}
FIELD_KEYS: Mapping[str, Check] = {
    "name": A_TEXT,
    "type": (f"one of {', '.join(FIELD_TYPES)}", field_type),
    "label": A_TEXT,
    "help": A_TEXT,
    "default": ("a value", _anything),
    "choices": ("a list of values, or an expression of Python that gives one", _choices),
    "min": ("a number, a length, or a date or time as text", _limit),
    "max": ("a number, a length, megabytes, or a date or time as text", _limit),
    "step": ("a number above 0", _seconds),
    "required": _A_SWITCH,
    "placeholder": A_TEXT,
    "accept": ("endings of file names, such as `.csv`", _endings),
}
NOTEBOOK_KEYS: Mapping[str, Check] = {
    "app_name": A_TEXT,
    "title": A_TEXT,
    "description": A_TEXT,
    "roles": ("a list of names", _texts),
    "number": ("a number or digits", _text),
    "by": ("`cell` or `heading`", _one_of("cell", "heading")),
    "accent": ("a colour such as `#0a7d5c`", _matching("#([0-9a-f]{3}){1,2}")),
    "logo": (
        "the path of a picture beside the notebook (svg, png, jpg, webp or gif)",
        _matching(r".+\.(svg|png|jpe?g|webp|gif)"),
    ),
    "intro": A_TEXT,
    "contact": A_TEXT,
}
