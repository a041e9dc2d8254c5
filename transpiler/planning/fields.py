"""How a field is shown, read and checked: one table for all types."""

import datetime
import math
import re
from collections.abc import Callable, Mapping
from itertools import product

from transpiler.model.ir import ANSWER, JSON, Control, Field, PlannedField, Reader

MEGABYTES = 200
"""What an uploaded file may have at most, where the notebook does not say: the reader's own default."""


def shown(number: int | float | str) -> str:
    """Return a number as people write it: 50.0 is 50."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)


# --- fields ---------------------------------------------------------------------------------------------------------------


# field type -> control, reader, the `type` attribute of an <input>
KINDS: dict[str, tuple[Control, Reader, str | None]] = {
    "text": ("input", "text", "text"),
    "textarea": ("textarea", "text", None),
    "integer": ("input", "integer", "number"),
    "number": ("input", "number", "number"),
    "range": ("range", "number", "range"),
    "switch": ("switch", "switch", None),
    "select": ("select", "choice", None),
    "multi-select": ("multi_select", "choices", None),
    "radio": ("radio", "choice", None),
    "date": ("input", "date", "date"),
    "time": ("input", "time", "time"),
    "datetime": ("input", "datetime", "datetime-local"),
    "color": ("input", "color", "color"),
    "url-list": ("textarea", "urls", None),
    "json": ("textarea", "json", None),
    "file": ("file", "file", "file"),
    "files": ("file", "several_files", "file"),
    "password": ("input", "password", "password"),
}

# The class whose `fromisoformat` takes what the browser sends.
MOMENTS: Mapping[str, type[datetime.date] | type[datetime.time]] = {
    "date": datetime.date,
    "time": datetime.time,
    "datetime": datetime.datetime,
}

_WIDE = ("textarea", "multi_select", "file")
_FEW = 5  # choices that stand in half a line


def planned_field(step_id: str, asked: Field) -> PlannedField:
    """Return how the form shows and reads a field."""
    control, reader, html_type = KINDS[asked.type]
    if asked.allow_input:
        control, html_type = "input", "text"
    if asked.raw and reader == "text":
        reader = "literal"
    if asked.type == "range" and _whole_numbers(asked):
        reader = "integer"
    if asked.type == "color" and not asked.default:
        html_type = "text"  # a browser's colour control always has a colour
    required = asked.required and control != "switch"
    step = _step(asked) if reader in ("integer", "number") else None
    written = _written(asked)
    limits = _Limits(asked, reader, step, written)
    attributes: list[tuple[str, JSON]] = []
    if html_type:
        attributes.append(("type", html_type))
    if reader in ("integer", "number"):
        attributes.append(("step", shown(step) if step else "any"))
    attributes += limits.attributes()
    attributes += _more_attributes(step_id, asked, control, written)
    if required and _browser_asks(asked, control):
        attributes.append(("required", True))
    parts = tuple(part for part, _ in asked.parts)
    return PlannedField(
        name=asked.name,
        type=asked.type,
        label=asked.label,
        help=asked.help,
        default=asked.default,
        required=required,
        control=control,
        reader=reader,
        attributes=tuple(attributes),
        arguments=(*limits.arguments(), *_arguments(asked, reader, required, written)),
        choices=_choices(asked),
        intro=asked.intro,
        empty=asked.empty,
        wide=control in _WIDE
        or (control == "radio" and (bool(parts) or len(asked.choices) > _FEW)),
        computed=(*(["value"] if asked.computed else []), *parts),
    )


def _arguments(
    asked: Field, reader: Reader, required: bool, written: Mapping[str, str]
) -> list[tuple[str, JSON]]:
    """The keyword arguments of the field's reader beside its limits, where they differ from its defaults."""
    default = asked.default
    given: list[tuple[str, JSON]] = []
    match reader:
        case "number" if not isinstance(default, float):
            given.append(("keep_whole", True))
        case "choice" if asked.allow_input:
            given.append(("allow_input", True))
        case "color" if isinstance(default, str) and default != default.lower():
            given.append(("spelled", default))
        case "urls" if isinstance(default, str):
            given.append(("as_text", True))
        case "literal":
            return [("default", default)]
        case "file" | "several_files":
            if asked.accept:
                given.append(("endings", list(asked.accept)))
            if isinstance(asked.max, int) and asked.max != MEGABYTES:
                given.append(("max_mb", asked.max))
        case "time" | "datetime":
            given += [(name, how) for name, how in written.items() if how != _WRITTEN[name]]
    if not required and reader != "switch":
        given.append(("required", False))
        if _says_empty(asked, reader):
            given.append(("empty", asked.empty))
    return given


def _says_empty(asked: Field, reader: Reader) -> bool:
    """Whether what an empty answer gives is another thing than the reader gives by itself."""
    if reader in ("file", "several_files"):
        return False
    if reader in ("text", "password"):
        return asked.empty is None
    if reader in ("choices", "urls"):
        return asked.empty is None and not isinstance(asked.default, str)
    return asked.empty is not None


def as_value(asked: Field, answer: str) -> str:
    """Return what takes the place of the notebook's value; `answer` is how the cell gets at the form's value."""
    # The text of a literal: the form has made sure of that
    given = f"eval({answer})" if asked.raw else answer
    made = asked.answer.replace(ANSWER, given)
    is_moment = re.fullmatch(r"[\w.]+\.fromisoformat\(" + re.escape(ANSWER) + r"\)", asked.answer)
    return f"({given} and {made})" if is_moment and not asked.required else made


def _whole_numbers(asked: Field) -> bool:
    """Whether a range moves in whole numbers only."""
    given = (asked.default, asked.min, asked.max, asked.step if asked.step is not None else 1)
    return all(
        isinstance(v, int) or (isinstance(v, float) and v.is_integer())
        for v in given
        if v is not None
    )


def _step(asked: Field) -> int | float | None:
    """The step of a number, such that the notebook's own value can be reached from the lower limit; None for any."""
    step = asked.step
    if step is None:
        if asked.type == "integer" or (asked.type == "range" and _whole_numbers(asked)):
            return 1
        return None
    base = asked.min if isinstance(asked.min, int | float) else None
    if base is None or not isinstance(asked.default, int | float):
        return step
    steps = (asked.default - base) / step
    if math.isclose(steps, round(steps), abs_tol=1e-9):
        return step
    whole = all(float(v).is_integer() for v in (step, base, asked.default))
    return math.gcd(int(step), int(asked.default - base)) if whole else None


def _choices(asked: Field) -> tuple[JSON, ...]:
    """The choices in an order that gives the notebook's own value as the notebook writes it."""
    wanted = asked.default
    if asked.type != "multi-select" or not isinstance(wanted, list):
        return asked.choices
    if [choice for choice in asked.choices if choice in wanted] == wanted:
        return asked.choices
    return (*wanted, *(choice for choice in asked.choices if choice not in wanted))


def _browser_asks(asked: Field, control: Control) -> bool:
    """Whether the browser can tell that there is no answer: an empty choice may be one, a file may be there already."""
    if control in ("radio", "multi_select", "file") or asked.type == "color":
        return False
    return "" not in asked.choices


def _more_attributes(
    step_id: str, asked: Field, control: Control, written: Mapping[str, str]
) -> list[tuple[str, JSON]]:
    """The attributes that only some controls have."""
    attributes: list[tuple[str, JSON]] = []
    if "seconds" in written.get("timespec", ""):
        attributes.append(("step", "1"))
    if asked.placeholder:
        attributes.append(("placeholder", asked.placeholder))
    elif asked.type == "color" and not asked.default:
        attributes.append(("placeholder", "#rrggbb"))
    if asked.allow_input:
        attributes.append(("list", f"{step_id}-{asked.name}-choices"))
    if control == "file" and asked.accept:
        attributes.append(("accept", ",".join(asked.accept)))
    if asked.type == "files":
        attributes.append(("multiple", True))
    if asked.type == "password":
        attributes.append(("autocomplete", "off"))
    if asked.type in ("json", "url-list") or asked.raw:
        attributes.append(("spellcheck", "false"))
    return attributes


# --- dates and times ----------------------------------------------------------------------------------------------


_WRITTEN = {"sep": "T", "timespec": "minutes"}
"""How a reader writes a moment by itself."""


def _written(asked: Field) -> dict[str, str]:
    """The arguments of `isoformat` that write a moment as the notebook's default is written."""
    if asked.type not in ("time", "datetime"):
        return {}
    spans = ("minutes", "seconds", "milliseconds", "microseconds")
    signs = ("T", " ") if asked.type == "datetime" else ("",)
    for sign, span in product(signs, spans):
        how = {"sep": sign, "timespec": span} if sign else {"timespec": span}
        if asked.default and _parsed(asked.type, str(asked.default), how) == asked.default:
            return how
    return dict(_WRITTEN) if asked.type == "datetime" else {"timespec": "minutes"}


def _parsed(kind: str, text: str, how: Mapping[str, str]) -> str:
    """A moment written as wanted, else as it is."""
    try:
        moment = MOMENTS[kind].fromisoformat(text)
    except ValueError:
        return text
    isoformat: Callable[..., str] = moment.isoformat
    return isoformat(**how)


# --- limits -------------------------------------------------------------------------------------------------------


class _Limits:
    """The limits of a field: as attributes for the browser, and as arguments of its reader."""

    def __init__(
        self, asked: Field, reader: Reader, step: int | float | None, written: Mapping[str, str]
    ) -> None:
        self._asked = asked
        self._reader = reader
        self._step = step
        self._low, self._high = (
            end and _parsed(asked.type, str(end), written) if reader in MOMENTS else end
            for end in (asked.min, asked.max)
        )

    def attributes(self) -> list[tuple[str, JSON]]:
        """`min` and `max`, or their like for texts."""
        if self._asked.type in ("file", "files"):
            return []
        lengths = self._reader in ("text", "password", "literal")
        names = ("minlength", "maxlength") if lengths else ("min", "max")
        return [
            (name, shown(end).replace(" ", "T") if self._reader in MOMENTS else shown(end))
            for name, end in zip(names, (self._low, self._high), strict=True)
            if end is not None
        ]

    def arguments(self) -> list[tuple[str, JSON]]:
        """`min`, `max` and `step` of the reader, where it has them."""
        given: list[tuple[str, JSON]] = []
        if self._reader in ("integer", "number", "text", "password", *MOMENTS):
            ends = (("min", self._low), ("max", self._high))
            given = [(name, _plain(end)) for name, end in ends if end is not None]
        if self._step_counts():
            given.append(("step", _plain(self._step)))
        return given

    def _step_counts(self) -> bool:
        """Whether a step limits the answers: from the lower limit on, as in browsers."""
        whole = self._reader == "integer" and self._step == 1
        return bool(self._step) and not whole and isinstance(self._asked.min, int | float)


def _plain(end: int | float | str | None) -> int | float | str | None:
    """A number as people write it: 50.0 is 50."""
    return int(end) if isinstance(end, float) and end.is_integer() else end
