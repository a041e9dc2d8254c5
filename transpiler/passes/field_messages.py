"""What a person reads below a field whose answer cannot be taken. It names the field."""

from transpiler.ir import Field, Reader

MEGABYTES = 200
"""What an uploaded file may have at most, where the notebook does not say."""


def message(reader: Reader, limits: str, asked: Field) -> str:
    """Return the sentence for a field; `limits` are words such as " from 0 to 9"."""
    sentence = _sentence(reader, limits, asked)
    if "label" in dict(asked.parts):  # it is not known before earlier cells are executed
        return f"{sentence[0].upper()}{sentence[1:]}"
    return f"{asked.label.rstrip(' :?')}: {sentence}"


def _sentence(reader: Reader, limits: str, asked: Field) -> str:
    match reader:
        case "integer":
            return f"please enter a whole number{limits}."
        case "number":
            return f"please enter a number{limits}."
        case "choice" | "choices":
            return "please choose from the list."
        case "moment":
            what = {"date": "a date", "time": "a time", "datetime": "a date and time"}[asked.type]
            return f"please enter {what}{limits}."
        case "color":
            return "please enter a colour such as #ff8800."
        case "json":
            return f"please write {_json(asked.default)}."
        case "literal":
            return 'please write a number, a "text in quotes", or a [list] of them.'
        case "lines":
            return "please enter addresses such as https://example.org, each on a line of its own."
        case "file" | "files":
            return _file(asked)
        case "text" | "password" if asked.min is not None or asked.max is not None:
            return f"please enter {_length(asked)} characters."
        case _:
            return "please fill this in."


def _json(default: object) -> str:
    if isinstance(default, dict):
        return 'a JSON object, for example {"name": "value"}'
    if isinstance(default, list):
        return "a JSON list, for example [1, 2, 3]"
    return 'it as JSON, for example [1, 2, 3] or {"name": "value"}'


def _file(asked: Field) -> str:
    what = "files" if asked.type == "files" else "a file"
    endings = f" ({', '.join(asked.accept)})" if asked.accept else ""
    most = shown(asked.max if asked.max is not None else MEGABYTES)
    each = " each" if asked.type == "files" else ""
    return f"please choose {what}{endings} of at most {most} MB{each}."


def _length(asked: Field) -> str:
    low, high = asked.min, asked.max
    if low is not None and high is not None:
        return f"{shown(low)} to {shown(high)}"
    return f"at least {shown(low)}" if low is not None else f"at most {shown(high or 0)}"


def shown(number: int | float | str) -> str:
    """Return a number as people write it: 50.0 is 50."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)
