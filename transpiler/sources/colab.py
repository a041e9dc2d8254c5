"""Colab's form comments: `#@param`, `#@title`, `#@markdown`. What stands behind `#@param` looks like JSON, but is not:

{type:"slider", min:0, max:10}      keys have no quotes
["a", 'b'] {allow-input: true}      a list of choices, then the rest
"""

import re
from dataclasses import dataclass

from transpiler.model.ir import JSON

COMMENT = re.compile(r"#[ \t]*@(param|title|markdown)\b[ \t]*(.*)")
_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))"""
    r"""|(?P<word>[A-Za-z_][\w.-]*)|(?P<mark>[][{}:,]))"""
)
_WORDS: dict[str, JSON] = {
    "true": True, "True": True, "false": False, "False": False, "null": None, "None": None,
}  # fmt: skip
_ATTRIBUTES = {
    "min": "min", "max": "max", "step": "step", "placeholder": "placeholder", "allow-input": "allow_input",
}  # fmt: skip
_TYPES = {
    "string": "text",
    "text": "textarea",
    "integer": "integer",
    "number": "number",
    "boolean": "switch",
    "date": "date",
    "slider": "range",
    "raw": "raw",
}


@dataclass(frozen=True, slots=True)
class Param:
    """What a `#@param` says: attributes as in `#| input:`, of which type `raw` is Colab's own."""

    attributes: dict[str, JSON]
    problem: str | None = None  # What could not be understood; the rest counts


def read_param(text: str) -> Param:
    """Return what follows `#@param` as attributes of a field. Never raises."""
    attributes: dict[str, JSON] = {}
    try:
        values = _values(text)
    except ValueError as error:
        return Param({}, str(error))
    problem = None
    for value in values:
        if isinstance(value, list):
            attributes["choices"] = value
            continue
        if not isinstance(value, dict):
            problem = f"`{text.strip()[:40]}` is neither a list nor `{{...}}`"
            continue
        for key, item in value.items():
            if key == "type":
                kind = _TYPES.get(item) if isinstance(item, str) else None
                problem = problem if kind else f"there is no type `{item}`"
                attributes |= {"type": kind} if kind else {}
            elif key in _ATTRIBUTES:
                attributes[_ATTRIBUTES[key]] = item
            elif key != "isTemplate":
                problem = f"there is no `{key}`"
    return Param(attributes, problem)


def read_title(text: str) -> str:
    """Return the title in what follows `#@title`, without Colab's `{display-mode: "form"}`."""
    return re.sub(r"\s*\{[^{}]*\}\s*$", "", text).strip()


def _values(text: str) -> list[JSON]:
    tokens: list[tuple[str, str]] = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match:
            raise ValueError(f"it goes wrong at `{text[position:].strip()[:20]}`")
        tokens.append((match.lastgroup or "", match.group(match.lastgroup or 0)))
        position = match.end()
    tokens.reverse()
    values = []
    try:
        while tokens:
            values.append(_value(tokens))
    except IndexError:
        raise ValueError("a bracket is not closed") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return values


def _value(tokens: list[tuple[str, str]]) -> JSON:
    kind, text = tokens.pop()
    if kind == "string":
        return re.sub(
            r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m.group(1), m.group(1)), text[1:-1]
        )
    if kind == "number":
        return int(text) if text.lstrip("+-").isdecimal() else float(text)
    if kind == "word":
        return _WORDS.get(text, text)
    if text == "[":
        items = []
        while tokens[-1][1] != "]" or tokens[-1][0] != "mark":
            items.append(_value(tokens))
            _comma(tokens, "]")
        tokens.pop()
        return items
    if text == "{":
        pairs: dict[str, JSON] = {}
        while tokens[-1][1] != "}" or tokens[-1][0] != "mark":
            key = _value(tokens)
            if tokens.pop() != ("mark", ":"):
                raise ValueError(f"`:` is missing after `{key}`")
            pairs[str(key)] = _value(tokens)
            _comma(tokens, "}")
        tokens.pop()
        return pairs
    raise ValueError(f"there is a `{text}` too many")


def _comma(tokens: list[tuple[str, str]], closing: str) -> None:
    if tokens[-1] == ("mark", ","):
        tokens.pop()
    elif tokens[-1] != ("mark", closing):
        raise ValueError(f"a comma is missing before `{tokens[-1][1]}`")
