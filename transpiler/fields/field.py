"""Resolves a draft into a `Field`. Explicit options win over the type annotation, which wins over the default value."""

import ast
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from transpiler.fields.guess import is_whole
from transpiler.fields.options import short_value
from transpiler.fields.types import (
    SCALARS,
    DeclaredType,
    Misfit,
    fit_default,
    is_json,
    type_of,
    type_of_result,
)
from transpiler.model import rules
from transpiler.model.diagnostics import Diagnostic, Span
from transpiler.model.ir import ANSWER, JSON, Field, FieldType, Slice
from transpiler.model.names import as_label
from transpiler.python.literals import COMPUTED, literal_of
from transpiler.python.positions import Places

_NUMBERS = ("integer", "number", "range")
_MOMENTS = ("date", "time", "datetime")
_ONE_OF = ("select", "radio")
_TEXTS = ("text", "textarea", "password")
_FILES = ("file", "files")
_ASKED = ("password", *_FILES)  # Types whose value only a person can give


@dataclass(slots=True)
class Draft:
    """A field in the making. `attributes` are those of `#| input:`, of any source, and `raw` as Colab's type."""

    name: str
    value: ast.expr  # What the answer takes the place of
    span: Span
    said: DeclaredType = field(default_factory=DeclaredType)
    help: str = ""
    question: bool = False  # Whether `value` is a call of `input()`
    attributes: dict[str, JSON] = field(default_factory=dict)
    slot: Slice | None = None
    """What the answer takes the place of, where that is not all of `value`."""
    answer: str = ANSWER  # What stands there then, with ANSWER for the form's value
    source: tuple[Slice, str] | None = None
    """The same for the notebook itself, where that is another place; see `Field.source`."""
    parts: dict[str, str] = field(default_factory=dict)  # What is computed of it; see `Field.parts`

    def place(self, places: Places) -> Slice:
        return self.slot or places.slice(self.value)


def resolve_field(draft: Draft, places: Places, found: list[Diagnostic]) -> Field:
    """Return the field of a draft, adding to `found` what does not agree."""
    return _Resolver(draft, found).field(places)


class _Resolver:
    """One draft on its way; each step looks only at what the steps before it decided."""

    def __init__(self, draft: Draft, found: list[Diagnostic]) -> None:
        self._draft = draft
        self._given = draft.attributes
        self._found = found
        literal = None if draft.question else literal_of(draft.value)
        self._computed = literal is COMPUTED
        self._literal = None if self._computed else literal
        self._raw = self._given.get("type") == "raw"
        self._value = self._given.get("default", self._literal)
        self._choices = self._all_choices()
        self._type = self._decided_type()
        self._default = self._fitting_default()
        self._low, self._high = self._limits()
        self._among_choices()
        self._within_limits()

    def field(self, places: Places) -> Field:
        given, draft = self._given, self._draft
        step = given.get("step")
        if isinstance(step, bool) or not isinstance(step, int | float) or step <= 0:
            step = None
        return Field(
            name=draft.name,
            type=self._type,
            label=str(given.get("label") or as_label(draft.name)),
            default=self._default,
            value=draft.place(places),
            span=draft.span,
            help=str(given.get("help") or draft.help),
            choices=self._choices,
            min=self._low,
            max=self._high,
            step=step,
            required=self._required(),
            placeholder=str(given.get("placeholder") or ""),
            allow_input=given.get("allow_input") is True,
            raw=self._raw,
            answer=draft.answer,
            source=draft.source,
            empty=self._empty(),
            accept=self._accept(),
            computed=self._computed and "default" not in given and self._type not in _ASKED,
            parts=tuple(draft.parts.items()),
        )

    def _all_choices(self) -> tuple[JSON, ...]:
        given = self._given.get("choices")
        if not isinstance(given, list):
            return self._draft.said.choices
        choices = [c for c in given if isinstance(c, SCALARS) and is_json(c)]
        if len(choices) < len(given):
            self._wrong("choices", given, "numbers and texts")
        if self._raw:
            choices = [c if isinstance(c, str) else repr(c) for c in choices]
        return tuple(choices)

    def _decided_type(self) -> FieldType:
        given, said = self._given.get("type"), self._draft.said.type
        if self._raw:
            return "select" if self._choices else "text"
        if given == "file" and isinstance(self._literal, list):
            return "files"
        if "choices" in self._draft.parts:
            if given in (*_ONE_OF, "multi-select"):
                return given  # type: ignore[return-value]
            several = isinstance(self._value, list) or _gives_list(self._draft.value)
            return "multi-select" if several else "select"
        if given in (*_ONE_OF, "multi-select") and not self._choices:
            self._wrong("type", given, "a type without choices, or `choices` as well")
        elif given and not (self._choices and given in ("text", "integer", "number", "date")):
            return given  # type: ignore[return-value]  # checked by `options`, `colab` and `questions`
        if self._choices:
            several = isinstance(self._value, list) or said == "multi-select"
            return "multi-select" if several else "select"
        own = type_of(self._value if self._literal is None else self._literal)
        if said and not (said == "json" and own is None):
            return "textarea" if (said, own) == ("text", "textarea") else said
        limited = any(_is_number(self._given.get(k)) for k in ("min", "max"))
        if self._computed and "default" not in self._given:
            own = type_of_result(self._draft.value) or ("number" if limited else None)
            self._raw = own is None
        elif own is None:
            self._raw = True
        elif self._value is None and limited:
            return "number"
        elif self._value is None and is_whole(self._draft.name):
            return "integer"
        return own or "text"

    def _fitting_default(self) -> JSON:
        if self._type == "password":
            return ""
        if self._raw:
            if "default" in self._given:
                return str(self._given["default"])
            return " ".join(ast.unparse(self._draft.value).split("\n"))
        try:
            default = fit_default(self._type, self._value)
        except Misfit as misfit:
            self._misfit(self._value, misfit.expected, misfit.instead)
            default = misfit.instead
        return "" if default is None and self._draft.question and self._type == "text" else default

    def _limits(self) -> tuple[int | float | str | None, int | float | str | None]:
        low, high = self._limit("min"), self._limit("max")
        if self._type == "range":
            value: Any = self._default if _is_number(self._default) else 0
            low = min(0, value) if low is None else low
            high = max(100, value) if high is None else high
        if low is not None and high is not None and low > high:  # type: ignore[operator]
            self._wrong("max", high, f"a value that is not below `min`, {low}")
            return low, None
        return low, high

    def _limit(self, key: str) -> int | float | str | None:
        limit = self._given.get(key)
        if limit is None or (self._type in _NUMBERS and _is_number(limit)):
            return limit  # type: ignore[return-value]
        counts = isinstance(limit, int) and not isinstance(limit, bool) and limit > 0
        if counts and (self._type in _TEXTS or (self._type in _FILES and key == "max")):
            return limit  # type: ignore[return-value]  # a length; megabytes
        if self._type in _MOMENTS and limit:
            with suppress(Misfit):  # said below: PP121
                return str(fit_default(self._type, limit))
        self._wrong(key, limit, f"a limit for a field of type {self._type}")
        return None

    def _among_choices(self) -> None:
        if self._type not in (*_ONE_OF, "multi-select") or self._given.get("allow_input") is True:
            return
        if "choices" in self._draft.parts:
            return
        wanted = self._default if isinstance(self._default, list) else [self._default]
        known = {(type(c), c) for c in self._choices}
        missing = [w for w in wanted if w is not None and (type(w), w) not in known]
        if missing and not (self._draft.question and self._default == ""):
            self._misfit(self._default, "among the choices", self._default)
            self._choices = (*missing, *self._choices)

    def _within_limits(self) -> None:
        default: Any = self._default
        if default in (None, "") or self._type in _FILES:
            return
        if self._type in _TEXTS:
            default = len(default)
        if self._low is not None and default < self._low:
            self._misfit(default, f"at least {self._low}", default)
        elif self._high is not None and default > self._high:
            self._misfit(default, f"at most {self._high}", default)

    def _required(self) -> bool:
        given = self._given.get("required")
        if isinstance(given, bool):
            return given
        if self._type in ("switch", "multi-select") or self._draft.said.optional:
            return False
        if self._type == "password" or self._computed:
            return True
        return self._value is not None and self._value not in ("", [], {})

    def _empty(self) -> JSON:
        """What the cell gets for an empty answer: None where the notebook allows it, else what the notebook has."""
        computed = self._computed and "default" not in self._given and not self._raw
        if computed and self._type in (*_TEXTS, "multi-select", "url-list"):
            return [] if self._type in ("multi-select", "url-list") else ""
        if self._draft.said.optional or (self._value is None and not self._draft.question):
            return None
        if self._type in (*_TEXTS, "multi-select", "url-list") or self._value in ("", [], {}):
            return self._value if self._value in ("", [], {}) else _empty_of_type(self._default)
        return self._default

    def _accept(self) -> tuple[str, ...]:
        given = self._given.get("accept")
        if given and self._type not in _FILES:
            self._wrong("accept", given, "it only for a field of type file or files")
            return ()
        return tuple(map(str, given)) if isinstance(given, list) else ()

    def _misfit(self, default: JSON, expected: str, instead: JSON) -> None:
        self._found.append(
            rules.FIELD_DEFAULT.at(
                self._draft.span,
                name=self._draft.name,
                default=short_value(default),
                expected=expected,
                instead="an empty field" if instead is None else short_value(instead),
            )
        )

    def _wrong(self, key: str, value: JSON, expected: str) -> None:
        name = f"{self._draft.name}: {key}"
        self._found.append(
            rules.OPTION_VALUE.at(
                self._draft.span, key=name, value=short_value(value), expected=expected
            )
        )


def _gives_list(node: ast.expr) -> bool:
    match node:
        case ast.List() | ast.ListComp() | ast.Subscript(slice=ast.Slice()):
            return True
        case ast.Call(
            func=ast.Name(id="list" | "sorted") | ast.Attribute(attr="tolist" | "to_list")
        ):
            return True
        case ast.BoolOp(values=values):
            return any(map(_gives_list, values))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _gives_list(left) or _gives_list(right)
        case ast.IfExp(body=body, orelse=orelse):
            return _gives_list(body) or _gives_list(orelse)
    return False


def _is_number(value: JSON) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _empty_of_type(value: JSON) -> JSON:
    """The empty text or the empty list, whichever a value is of."""
    return [] if isinstance(value, list) else ""
