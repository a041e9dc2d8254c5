"""Reads the author's options: tags, metadata `pipulate`, `#|` lines, each taking precedence over the one before.

    #| step: Choose a limit
    #| input: {name: limit, min: 0, help: Rows below it are left out}

give `Options(step="Choose a limit")` and `Ask("limit", {"min": 0, "help": ...}, ...)`. Directives of Quarto and nbdev, which
use the same lines, are left in peace.
"""

import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from transpiler.fields.vocabulary import A_TEXT, CELL_KEYS, FIELD_KEYS, FIELDS, NOTEBOOK_KEYS, Check
from transpiler.model import rules
from transpiler.model.diagnostics import WHOLE, Diagnostic, Span
from transpiler.model.ir import JSON, Cell, Options
from transpiler.model.names import as_label, nearest
from transpiler.notebook.directives import Directive, directive_lines, directives
from transpiler.notebook.yaml import load
from transpiler.python.positions import line_span


@dataclass(frozen=True, slots=True)
class Ask:
    """A field that `input:` or `secret:` asks for: the variable and its checked attributes."""

    name: str
    attributes: Mapping[str, JSON]
    span: Span


class _DeclaredOption(NamedTuple):
    """An option as it was found."""

    key: str
    value: JSON
    span: Span


# --- tags ---------------------------------------------------------------------------------------------------------

_TAGS: Mapping[str, tuple[str, JSON]] = {
    **dict.fromkeys(
        ("remove-cell", "remove_cell", "skip", "skip-execution", "ignore", "injected-parameters"),
        ("skip", True),
    ),
    **dict.fromkeys(
        ("hide-input", "hide_input", "remove-input", "remove_input"), ("show", "output")
    ),
    **dict.fromkeys(
        ("hide-output", "hide_output", "remove-output", "remove_output", "hide-cell", "hide_cell"),
        ("show", "none"),
    ),
    # Kale
    "imports": ("setup", True),
    "functions": ("setup", True),
}
PARAMETERS = frozenset({"parameters", "pipeline-parameters"})  # Tags of papermill and of Kale


def _from_tags(cell: Cell) -> Iterator[_DeclaredOption]:
    for tag in cell.tags:
        if tag in _TAGS:
            yield _DeclaredOption(*_TAGS[tag], line_span(cell, 1))
        elif tag.startswith(("step:", "block:")) and tag.partition(":")[2].strip():
            yield _DeclaredOption("step", as_label(tag.partition(":")[2]), line_span(cell, 1))


# --- `#|` lines ---------------------------------------------------------------------------------------------------

_QUARTO = re.compile(
    r"(?:fig|tbl|lst|code|cap|layout|cell|html|ref|ojs|results|classes?|out|column|output|input|dev|ft|knitr|page|latex)[-.].*|"
    "label|id|tags|export|echo|eval|include|output|warning|error|message|panel|file|filename|results|cache|column|content|"
    "classes|renderings|layout|comment|collapse|prompt|engine|freeze|dependson|refresh|kernel|execution|purl|child|background|"
    # nbdev's, in its newer spelling with a colon
    r"exports?|exporti|hide|default_exp|filter_stream|exec_doc"
)


def _from_lines(cell: Cell, found: list[Diagnostic]) -> Iterator[_DeclaredOption]:
    for entry in directives(cell.source):
        span = line_span(cell, entry.line, entry.end_line)
        if entry.key in CELL_KEYS:
            try:
                yield _DeclaredOption(entry.key, _value(entry), span)
            except ValueError as error:
                found.append(rules.OPTION_YAML.at(span, key=entry.key, reason=str(error)))
        elif entry.value is not None and not _QUARTO.fullmatch(entry.key):
            found.append(_unknown(f"#| {entry.key}", "a cell", nearest(entry.key, CELL_KEYS), span))


def _below_code(cell: Cell) -> Iterator[Diagnostic]:
    """Yield the options that stand below the first line of code, where they are comments."""
    read = set(directive_lines(cell.source))
    lines = enumerate(cell.source.split("\n"))
    below = {
        n: m[1] for n, line in lines if (m := re.match(r"#\| ?(\w+):", line)) and n not in read
    }
    if not CELL_KEYS.keys() & set(below.values()):
        return
    with suppress(tokenize.TokenError, SyntaxError):  # no Python: its text may be anything
        for token in tokenize.generate_tokens(io.StringIO(cell.source).readline):
            key = below.get(token.start[0] - 1, "")
            if token.type == tokenize.COMMENT and key in CELL_KEYS:
                yield rules.OPTION_BELOW.at(line_span(cell, token.start[0]), key=key)


def _value(entry: Directive) -> JSON:
    """The value of an entry. A title may hold a colon or be a number: what YAML makes of it does not matter then."""
    if entry.value is None:
        return True
    textual = CELL_KEYS[entry.key] is A_TEXT and "\n" not in entry.value
    try:
        value = load(entry.value)
    except ValueError:
        if textual and entry.value[:1] not in "\"'|>":
            return entry.value
        raise
    return entry.value if textual and value is not None and not isinstance(value, str) else value


# --- all together -------------------------------------------------------------------------------------------------


def options_of(cell: Cell, found: list[Diagnostic]) -> tuple[Options, tuple[Ask, ...]]:
    """Return the options of a code or markdown cell and the fields it asks for, adding to `found`."""
    said = list(_from_tags(cell))
    here = line_span(cell, 1)
    for key, value in (cell.options or {}).items():
        if key in CELL_KEYS:
            said.append(_DeclaredOption(key, value, here))
        else:
            found.append(_unknown(key, "a cell", nearest(key, CELL_KEYS), here))
    if cell.kind == "code":
        said += _from_lines(cell, found)
        found += _below_code(cell)
    values: dict[str, JSON] = {"raises": "raises-exception" in cell.tags}
    asks: dict[str, Ask] = {}
    for key, value, span in said:
        if key in ("input", "secret"):
            asks |= _asks(key, value, span, found)
        else:
            values.update((key, v) for v in _checked(CELL_KEYS[key], key, value, span, found))
    return Options(**values), tuple(asks.values())  # type: ignore[arg-type]


def notebook_options(options: Mapping[str, JSON], found: list[Diagnostic]) -> Mapping[str, JSON]:
    """Return the options of the notebook that are known and have a value they can have, adding to `found`."""
    kept: dict[str, JSON] = {}
    for key, value in options.items():
        if key not in NOTEBOOK_KEYS:
            found.append(_unknown(key, "a notebook", nearest(key, NOTEBOOK_KEYS), WHOLE))
        else:
            kept.update((key, v) for v in _checked(NOTEBOOK_KEYS[key], key, value, WHOLE, found))
    return kept


def _asks(key: str, value: JSON, span: Span, found: list[Diagnostic]) -> dict[str, Ask]:
    """The fields of one `input:` or `secret:`: a name, a mapping, or a list of these."""
    if isinstance(value, dict) and "name" not in value and value:
        if not all(isinstance(v, dict) or v is None for v in value.values()):
            value = [None]
        else:
            value = [{**(v if isinstance(v, dict) else {}), "name": k} for k, v in value.items()]
    asks: dict[str, Ask] = {}
    for item in value if isinstance(value, list) else [value]:
        given = {"name": item} if isinstance(item, str) else item
        name = given.get("name") if isinstance(given, dict) else None
        if not isinstance(given, dict) or not isinstance(name, str) or not name.strip():
            found.append(_wrong(FIELDS, key, item, span))
            continue
        name = name.strip()
        attributes: dict[str, JSON] = {"type": "password"} if key == "secret" else {}
        for attribute, said in given.items():
            dotted = f"{key}.{attribute}"
            if attribute not in FIELD_KEYS:
                found.append(_unknown(dotted, "a field", nearest(attribute, FIELD_KEYS), span))
            elif attribute != "name":
                checked = _checked(FIELD_KEYS[attribute], dotted, said, span, found)
                attributes.update((attribute, v) for v in checked)
        if name in asks:
            found.append(rules.DUPLICATE_FIELD.at(span, name=name, key=key))
            continue
        asks[name] = Ask(name, attributes, span)
    return asks


def _checked(
    check: Check, key: str, value: JSON, span: Span, found: list[Diagnostic]
) -> tuple[JSON, ...]:
    """The value as the option has it, alone in a tuple; () when it cannot be that (None is a value)."""
    try:
        return (check[1](value),)
    except ValueError:
        found.append(_wrong(check, key, value, span))
        return ()


def _wrong(check: Check, key: str, value: JSON, span: Span) -> Diagnostic:
    return rules.OPTION_VALUE.at(span, key=key, value=short_value(value), expected=check[0])


def _unknown(key: str, owner: str, near: str, span: Span) -> Diagnostic:
    return rules.UNKNOWN_OPTION.at(span, key=key, owner=owner, nearest=near)


def short_value(value: JSON) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = f"`{value}`"
    return text if len(text) <= 42 else f"{text[:40]}…`"
