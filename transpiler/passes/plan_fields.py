"""How a field is shown, read and checked: one table for all types."""

import datetime
import math
import re
from collections.abc import Callable, Mapping
from itertools import product

from transpiler.ir import ANSWER, JSON, Control, Field, PlannedField, Reader
from transpiler.passes.field_messages import MEGABYTES, message, shown

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
    "date": ("input", "moment", "date"),
    "time": ("input", "moment", "time"),
    "datetime": ("input", "moment", "datetime-local"),
    "color": ("input", "color", "color"),
    "url-list": ("textarea", "lines", None),
    "json": ("textarea", "json", None),
    "file": ("file", "file", "file"),
    "files": ("file", "files", "file"),
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
    described = [f"{step_id}-{asked.name}-help"] if asked.help or "help" in parts else []
    error = f"{step_id}-{asked.name}-error"
    attributes.append(("aria_describedby", " ".join([*described, error])))
    return PlannedField(
        name=asked.name,
        type=asked.type,
        label=asked.label,
        help=asked.help,
        default=asked.default,
        required=required,
        message=message(reader, limits.words(), asked),
        control=control,
        reader=reader,
        attributes=tuple(attributes),
        choices=_choices(asked),
        intro=asked.intro,
        check=limits.check(),
        moment=asked.type if asked.type in MOMENTS else "",
        written=written,
        empty=asked.empty,
        allow_input=asked.allow_input,
        whole=reader == "number" and not isinstance(asked.default, float),
        accept=asked.accept,
        max_size=_max_size(asked) if control == "file" else 0,
        wide=control in _WIDE
        or (control == "radio" and (bool(parts) or len(asked.choices) > _FEW)),
        computed=(*(["value"] if asked.computed else []), *parts),
    )


def as_value(asked: Field, answer: str) -> str:
    """Return what takes the place of the notebook's value; `answer` is how the cell gets at the form's value."""
    # The text of a literal: the form has made sure of that
    given = f"eval({answer})" if asked.raw else answer
    made = asked.answer.replace(ANSWER, given)
    is_moment = re.fullmatch(r"[\w.]+\.fromisoformat\(" + re.escape(ANSWER) + r"\)", asked.answer)
    return f"({given} and {made})" if is_moment and not asked.required else made


def _max_size(asked: Field) -> int:
    """The bytes of a file, where `max` says megabytes."""
    return (asked.max if isinstance(asked.max, int) else MEGABYTES) * 10**6


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
    step_id: str, asked: Field, control: Control, written: str
) -> list[tuple[str, JSON]]:
    """The attributes that only some controls have."""
    attributes: list[tuple[str, JSON]] = []
    if asked.type in ("time", "datetime") and "seconds" in written:
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


def _written(asked: Field) -> str:
    """The arguments of `isoformat` that write a moment as the notebook's default is written."""
    if asked.type not in ("time", "datetime"):
        return ""
    spans = ("minutes", "seconds", "milliseconds", "microseconds")
    signs = ("T", " ") if asked.type == "datetime" else ("",)
    for sign, span in product(signs, spans):
        given = [sign, span] if sign else [span]
        if asked.default and _parsed(asked.type, str(asked.default), *given) == asked.default:
            return ", ".join(f'"{part}"' for part in given)
    return '"T", "minutes"' if asked.type == "datetime" else '"minutes"'


def _parsed(kind: str, text: str, *written: str) -> str:
    """A moment written as wanted, else as it is."""
    try:
        moment = MOMENTS[kind].fromisoformat(text)
    except ValueError:
        return text
    isoformat: Callable[..., str] = moment.isoformat
    return isoformat(*written)


# --- limits -------------------------------------------------------------------------------------------------------


class _Limits:
    """The limits of a field: as attributes, in words, and as the condition that makes an answer wrong."""

    def __init__(
        self, asked: Field, reader: Reader, step: int | float | None, written: str
    ) -> None:
        self._asked = asked
        self._reader = reader
        self._step = step
        ends = (asked.min, asked.max)
        if reader == "moment":
            how = [part.strip('" ') or " " for part in written.split(",")] if written else []
            ends = tuple(end and _parsed(asked.type, str(end), *how) for end in ends)  # type: ignore[assignment]
        self._low, self._high = ends

    def attributes(self) -> list[tuple[str, JSON]]:
        """`min` and `max`, or their like for texts."""
        if self._asked.type in ("file", "files"):
            return []
        lengths = self._reader in ("text", "password", "literal")
        names = ("minlength", "maxlength") if lengths else ("min", "max")
        return [
            (name, shown(end).replace(" ", "T") if self._reader == "moment" else shown(end))
            for name, end in zip(names, (self._low, self._high), strict=True)
            if end is not None
        ]

    def words(self) -> str:
        """The limits as they follow "Please enter a number"."""
        low, high = (None if end is None else shown(end) for end in (self._low, self._high))
        between = f" from {low} to {high}" if low is not None and high is not None else ""
        if self._reader == "moment":
            words = between or (low and f", {low} or later") or (high and f", {high} or earlier")
        else:
            words = between or (low and f", {low} or more") or (high and f", {high} or less")
        if self._step_counts():
            return f"{words or ''}, in steps of {shown(self._step)}"  # type: ignore[arg-type]
        return words or ""

    def check(self) -> str:
        """What must not hold of an answer, as Python text with `{0}` for it. NaN and infinity never pass."""
        low, high = self._low, self._high
        match self._reader:
            case "integer" | "number":
                return " or ".join(filter(None, (self._bounds(), self._off_step())))
            case "moment":
                return _between("{0}", _quoted(low), _quoted(high))
            case "text" | "password" if low is not None or high is not None:
                ends = [None if end is None else shown(end) for end in (low, high)]
                return _between("len({0})", *ends)
            case "json" if isinstance(self._asked.default, list | dict):
                return f"type({{0}}) is not {type(self._asked.default).__name__}"
        return ""

    def _bounds(self) -> str:
        low, high = (None if end is None else shown(end) for end in (self._low, self._high))
        if self._reader == "integer" or (low is not None and high is not None):
            return _between("{0}", low, high)
        if low is not None:
            return f"not {low} <= {{0}} < inf"
        return "not isfinite({0})" if high is None else f"not -inf < {{0}} <= {high}"

    def _step_counts(self) -> bool:
        """Whether a step limits the answers: from the lower limit on, as in browsers."""
        whole = self._reader == "integer" and self._step == 1
        return bool(self._step) and not whole and isinstance(self._asked.min, int | float)

    def _off_step(self) -> str:
        if not self._step_counts() or self._step is None:
            return ""
        base, step = shown(self._asked.min or 0), shown(self._step)
        distance = "{0}" if base == "0" else f"({{0}} - {base})"
        if self._reader == "integer":
            return f"{distance} % {step}"
        return f"1e-6 < {distance} / {step} % 1 < 0.999999"


def _between(value: str, low: str | None, high: str | None) -> str:
    if low is not None and high is not None:
        return f"not {low} <= {value} <= {high}"
    if low is not None:
        return f"{value} < {low}"
    return "" if high is None else f"{value} > {high}"


def _quoted(end: object) -> str | None:
    return None if end is None else f'"{end}"'
