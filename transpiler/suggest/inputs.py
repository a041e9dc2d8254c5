"""Finds assignments of an unmarked notebook that look like inputs. `Analysis` in, a list out.

    MIN_AMOUNT = 500  # smallest order      upper case, explained, read by later cells: an input
    results = []                            empty, filled later: not one

Each sign for or against it has a weight in one table; the sum is the score, the signs that counted are the reasons in words.
The weights were tuned on half of tests/likely/labelled.txt and measured on the other half (ADR 0031).
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from transpiler.fields import guess as guesses
from transpiler.fields import name_words as words
from transpiler.fields.types import type_of
from transpiler.model.diagnostics import Span
from transpiler.model.ir import JSON, Analysis, FieldType
from transpiler.model.names import as_label
from transpiler.python.literals import literal_of
from transpiler.python.positions import Places
from transpiler.suggest.cells import cells_of, comment_above, compared_in

AT_MOST = 12  # So many are listed; more would be noise
LISTED = 2.5  # The score from which an assignment is listed
AUTO = 3.5  # The score from which `--fields auto` makes a field of it


class Sign(NamedTuple):
    """A sign for an input, or against it (a negative weight), and the reason in words."""

    weight: float
    words: str


SIGNS: Mapping[str, Sign] = {
    # where it is used
    "later": Sign(2.0, "later cells read it"),
    "here": Sign(1.0, "its cell goes on to use it"),
    "compared": Sign(0.5, "values are compared with it"),
    # where it stands
    "early": Sign(0.5, "it stands before the first work"),
    "settings": Sign(1.0, "it stands among other settings"),
    "section": Sign(2.0, "its heading speaks of parameters"),
    "comment": Sign(1.0, "a comment explains it"),
    # what it is called
    "upper": Sign(1.0, "an upper-case name"),
    "word": Sign(1.5, "a name for something people decide"),
    "switch": Sign(1.0, "a name for something to switch on"),
    # what it is
    "url": Sign(2.0, "an address"),
    "path": Sign(2.0, "a path"),
    "date": Sign(2.5, "a date"),
    "choices": Sign(2.0, "one of several choices"),
    "secret": Sign(3.0, "a secret"),
    "number": Sign(0.5, "a number"),
    "text": Sign(0.5, "a text"),
    "block": Sign(0.0, "a longer text"),
    # what speaks against it
    "rebound": Sign(-4.0, "it is assigned again"),
    "mutated": Sign(-3.0, "it is changed in place"),
    "empty": Sign(-3.0, "it is empty"),
    "scratch": Sign(-2.0, "a name for what a program keeps for itself"),
    "short": Sign(-1.0, "a name of one letter"),
    "private": Sign(-4.0, "a private name"),
    "look": Sign(-4.0, "how a picture looks"),
    "seed": Sign(-4.0, "the seed of chance"),
    "fixed": Sign(-3.5, "it does not change from run to run"),
    "mapping": Sign(-3.0, "a mapping"),
    "list": Sign(-1.0, "a list"),
    "data": Sign(-3.0, "it holds data"),
    "column": Sign(-1.5, "the name of a column"),
    "code": Sign(-1.5, "a piece of code in a text"),
}
"""All that counts. A name that nothing reads is never listed."""


@dataclass(frozen=True, slots=True)
class Likely:
    """An assignment that looks like an input, and the field it would be."""

    name: str
    cell: int
    cell_id: str
    span: Span  # The assignment, in the notebook's cell
    score: float
    reasons: tuple[str, ...]  # Why, the weightiest first
    type: FieldType
    label: str
    help: str
    attributes: Mapping[str, JSON]
    """What `#| input:` says beside the name so that the field is this one; nothing that the assignment says itself."""
    shown: str  # The value now, short; of a secret, only that there is one
    secret: bool = False

    @property
    def auto(self) -> bool:
        return self.score >= AUTO

    def as_dict(self) -> dict[str, JSON]:
        """Return the same as plain data. A secret's value is not in it."""
        return {
            "name": self.name,
            "cell": self.cell,
            "cell_id": self.cell_id,
            "line": self.span.line,
            "value": self.shown,
            "secret": self.secret,
            "score": self.score,
            "auto": self.auto,
            "reasons": list(self.reasons),
            "type": self.type,
            "label": self.label,
            "help": self.help,
            **{k: v for k, v in self.attributes.items() if k not in ("type", "help")},
        }


def likely_inputs(analysis: Analysis) -> tuple[Likely, ...]:
    """Return the assignments that look like inputs, best first, at most `AT_MOST`. Those that are fields already are left out."""
    scored = _Search(analysis).scored()
    best = sorted((one for one in scored if one.score >= LISTED), key=lambda one: -one.score)
    return tuple(best[:AT_MOST])


def all_candidates(analysis: Analysis) -> tuple[Likely, ...]:
    """Return all assignments of literals to a name that is read, whatever their score, in the notebook's order."""
    return tuple(_Search(analysis).scored())


class _Search:
    """The notebook's cells, with what is known of all of them."""

    def __init__(self, analysis: Analysis) -> None:
        self._cells = list(cells_of(analysis))
        self._compared, self._columns = compared_in(self._cells)

    def scored(self) -> Iterator[Likely]:
        """Yield each candidate once, where its literal is first assigned, in the notebook's order."""
        seen: set[str] = set()
        for position, cell in enumerate(self._cells):
            fields = {f.name for f in cell.item.code.fields}
            for name, statement in cell.literals.items():
                if name not in seen and name not in fields:
                    found = self._candidate(position, name, statement)
                    if found is not None:
                        yield found
                seen.add(name)

    def _candidate(
        self, position: int, name: str, statement: ast.Assign | ast.AnnAssign
    ) -> Likely | None:
        cell = self._cells[position]
        code = cell.item.code
        assert statement.value is not None
        assert code.python is not None
        value = literal_of(statement.value)
        type_ = type_of(value)
        if type_ is None:
            return None  # no form gives such a value
        comment = cell.comments.get(statement.end_lineno or 0, "").lstrip("# \t")
        choices = guesses.choices_of(value, comment, self._compared.get(name, {}))
        secret = guesses.is_secret(name, value)
        used = list(self._used(position, name))
        if not used:
            return None  # nothing reads it
        signs = [
            *used,
            *self._placed(position, statement, comment),
            *_named(name, value),
            *self._valued(name, value, secret, choices, bool(used)),
        ]
        score = sum(SIGNS[sign].weight for sign in signs)
        attributes: dict[str, JSON] = {} if secret else guesses.attributes_of(name, value, choices)
        guess = "select" if "choices" in attributes else attributes.get("type", type_)
        help_ = comment or comment_above(cell, statement)
        if help_ and not comment:
            attributes["help"] = help_
        return Likely(
            name=name,
            cell=code.cell.index,
            cell_id=code.cell.id,
            span=Places(code.cell, code.python).span(statement),
            score=round(score, 2),
            reasons=_in_words(signs),
            type="password" if secret else guess,  # type: ignore[arg-type]
            label=as_label(name),
            help=help_,
            attributes=attributes,
            shown=guesses.short_value(value, secret),
            secret=secret,
        )

    def _used(self, position: int, name: str) -> Iterator[str]:
        cell = self._cells[position]
        later = self._cells[position + 1 :]
        if any(name in o.item.names.reads or name in o.queried for o in later):
            yield "later"
        elif name in cell.read | cell.queried:
            yield "here"
        else:
            return
        again = any(name in o.item.names.binds for o in self._cells if o is not cell)
        if again or cell.bound[name] > 1:
            yield "rebound"
        elif any(name in other.item.names.mutates for other in self._cells):
            yield "mutated"

    def _placed(
        self, position: int, statement: ast.Assign | ast.AnnAssign, comment: str
    ) -> Iterator[str]:
        cell = self._cells[position]
        if cell.early:
            yield "early"
        others = [s for s in cell.body if not isinstance(s, ast.Import | ast.ImportFrom)]
        if len(cell.literals) > 1 and 2 * len(cell.literals) >= len(others):
            yield "settings"
        above = [c for line, c in cell.comments.items() if line < statement.lineno]
        if cell.section or any(words.SECTION.search(c) for c in above if len(c) < 60):
            yield "section"
        if comment:
            yield "comment"

    def _valued(
        self, name: str, value: Any, secret: bool, choices: tuple[JSON, ...], used: bool
    ) -> Iterator[str]:
        kind = guesses.kind_of(value)
        if secret:
            yield "secret"
        elif len(choices) > 1:
            yield "choices"
        elif kind in SIGNS:
            yield kind
        if name in self._compared and kind == "number" and used:
            yield "compared"
        if name in self._columns and isinstance(value, str):
            yield "column"
        if not value and value is not False:
            yield "empty"
        if kind in ("list", "mapping") and _is_data(value):
            yield "data"
        if kind == "block" and re.match(r"\s*(?:select|with|create|insert|<\w+)\b", value, re.I):
            yield "code"


def _named(name: str, value: Any) -> Iterator[str]:
    """What the name alone says. Signs against it leave no room for those for it."""
    named = words.parts(name)
    pairs = set(pairwise(named))
    if name.startswith("_"):
        yield "private"
    if words.SEEDS.intersection(named) or ("random", "state") in pairs:
        yield "seed"
        return
    if pairs & words.FIXED_PAIRS or words.FIXED.intersection(named) or name in words.FIXED_LETTERS:
        yield "fixed"
        return
    if name.lower() in words.LOOK or pairs & words.LOOK_PAIRS:
        yield "look"
        return
    if name.isupper() and len(name) > 1:
        yield "upper"
    if name.lower() in words.SCRATCH and not name.isupper():
        yield "scratch"
    elif words.INPUT.intersection(named) or named[:1] in (("n",), ("num",), ("at",)):
        yield "word"
    if len(name) == 1:
        yield "short"
    if isinstance(value, bool) and words.SWITCHES.intersection(named):
        yield "switch"


def _is_data(value: Any) -> bool:
    """Whether a list or a mapping holds data rather than a choice: it is long, or nested."""
    parts = list(value.values()) if isinstance(value, dict) else list(value)
    return len(parts) > 8 or any(isinstance(part, list | dict | tuple) for part in parts)


def _in_words(signs: Iterable[str]) -> tuple[str, ...]:
    """The signs that speak for it, the weightiest first; what everything has (a number, a text) only for want of others."""
    good = sorted((s for s in signs if SIGNS[s].weight > 0), key=lambda s: -SIGNS[s].weight)
    telling = [s for s in good if s not in ("number", "text")] or good
    return tuple(SIGNS[s].words for s in telling[:3])
