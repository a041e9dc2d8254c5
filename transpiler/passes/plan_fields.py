"""How a field is shown, read and checked: one table for all types."""

from transpiler.ir import JSON, Control, Field, PlannedField, Reader

# field type -> control, reader, the `type` attribute of an <input>
KINDS: dict[str, tuple[Control, Reader, str | None]] = {
    "text": ("input", "text", "text"),
    "textarea": ("textarea", "text", None),
    "integer": ("input", "integer", "number"),
    "number": ("input", "number", "number"),
    "range": ("input", "number", "range"),
    "switch": ("switch", "switch", None),
    "select": ("select", "choice", None),
    "multi-select": ("multi_select", "choices", None),
    "radio": ("radio", "choice", None),
    "date": ("input", "moment", "date"),
    "time": ("input", "moment", "time"),
    "datetime": ("input", "moment", "datetime-local"),
    "colour": ("input", "text", "color"),
    "urls": ("textarea", "lines", None),
    "json": ("textarea", "json", None),
    "password": ("input", "password", "password"),
}

# The class whose `fromisoformat` takes what the browser sends.
MOMENTS = {"date": "date", "time": "time", "datetime": "datetime"}


def planned_field(step_id: str, asked: Field) -> PlannedField:
    """Return how the form shows and reads a field."""
    control, reader, html_type = KINDS[asked.type]
    if asked.allow_input:
        control, reader, html_type = "input", "text", "text"
    if asked.raw and reader == "text":
        reader = "literal"
    if asked.type == "range" and _whole_numbers(asked):
        reader = "integer"
    check, limits = _limits(asked, reader)
    required = asked.required and control not in ("switch", "multi_select")
    attributes: list[tuple[str, JSON]] = []
    if html_type:
        attributes.append(("type", html_type))
    if reader in ("integer", "number"):
        step = asked.step if asked.step is not None else ("1" if reader == "integer" else "any")
        attributes.append(("step", _shown(step)))
    attributes += [
        (key, _shown(limit))
        for key, limit in (("min", asked.min), ("max", asked.max))
        if limit is not None
    ]
    if asked.placeholder:
        attributes.append(("placeholder", asked.placeholder))
    if asked.allow_input:
        attributes.append(("list", f"{step_id}-{asked.name}-choices"))
    if required and asked.type != "colour":
        attributes.append(("required", True))
    described = [f"{step_id}-{asked.name}-help"] if asked.help else []
    attributes.append(("aria_describedby", " ".join([*described, f"{asked.name}-error"])))
    return PlannedField(
        name=asked.name,
        type=asked.type,
        label=asked.label,
        help=asked.help,
        default=asked.default,
        required=required,
        message=_message(reader, limits, asked),
        control=control,
        reader=reader,
        attributes=tuple(attributes),
        choices=asked.choices,
        check=check if reader in ("integer", "number") else "",
        moment=MOMENTS.get(asked.type, ""),
        intro=asked.intro,
    )


def _whole_numbers(asked: Field) -> bool:
    """Whether a range moves in whole numbers only."""
    given = (asked.default, asked.min, asked.max, asked.step if asked.step is not None else 1)
    return all(
        isinstance(v, int) or (isinstance(v, float) and v.is_integer())
        for v in given
        if v is not None
    )


def _limits(asked: Field, reader: Reader) -> tuple[str, str]:
    """Return what must not hold of a number, as Python text, and the limits in words. NaN and infinity never pass."""
    low, high = (None if limit is None else _shown(limit) for limit in (asked.min, asked.max))
    whole = reader == "integer"
    if low is not None and high is not None:
        return f"not {low} <= {{}} <= {high}", f" from {low} to {high}"
    if low is not None:
        return (f"{{}} < {low}" if whole else f"not {low} <= {{}} < inf"), f", {low} or more"
    if high is not None:
        return (f"{{}} > {high}" if whole else f"not -inf < {{}} <= {high}"), f", {high} or less"
    return ("" if whole else "not isfinite({})"), ""


def _message(reader: Reader, limits: str, asked: Field) -> str:
    """What a person reads when the answer cannot be taken."""
    match reader:
        case "integer":
            return f"Please enter a whole number{limits}."
        case "number":
            return f"Please enter a number{limits}."
        case "choice" | "choices":
            return "Please choose from the list."
        case "moment":
            what = {"date": "a date", "time": "a time", "datetime": "a date and time"}[asked.type]
            return f"Please enter {what}."
        case "json":
            return 'Please write it as JSON, for example [1, 2, 3] or {"name": "value"}.'
        case "literal":
            return 'Please write a number, a "text in quotes", or a [list] of them.'
        case "lines":
            return "Please enter at least one address, each on a line of its own."
        case _:
            return "Please fill this in."


def _shown(number: int | float | str) -> str:
    """A number as people write it: 50.0 is 50."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)
