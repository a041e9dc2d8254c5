"""The questions of `pipulate annotate`. Enter accepts the guess in brackets, `-` leaves a thing empty, Ctrl+C ends it all."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

import typer
from rich.console import Console
from rich.text import Text

from transpiler.features.report import console, likely_table
from transpiler.fields.options import Ask
from transpiler.model.ir import JSON
from transpiler.suggest.inputs import Likely

_NUMBERS = ("integer", "number", "range")
T = TypeVar("T")


def ask_for_fields(inputs: Sequence[Likely]) -> Mapping[int, tuple[Ask, ...]]:
    """Ask which of the assignments become fields, then about each of them; return what to ask for, by cell index.

    Raises typer.Abort when the person ends it.
    """
    to = console()
    to.print("Looks like inputs (* surely):")
    to.print(likely_table(inputs, numbered=True))
    sure = " ".join(str(n) for n, one in enumerate(inputs, 1) if one.auto) or "none"
    picked = typer.prompt(
        "Which become fields? Numbers or names, all, none",
        default=sure,
        value_proc=lambda text: _picked(text, inputs),
    )
    if picked:
        to.print("Enter accepts what is in brackets, - leaves it empty.", style="dim")
    asks: dict[int, tuple[Ask, ...]] = {}
    # in the order of the notebook, as the form will have them
    for one in sorted(picked, key=lambda one: (one.cell, one.span)):
        ask = Ask(one.name, _attributes(to, one), one.span)
        asks[one.cell] = (*asks.get(one.cell, ()), ask)
    return asks


def _picked(text: str, inputs: Sequence[Likely]) -> tuple[Likely, ...]:
    """The assignments that an answer names. Raises typer.BadParameter, which makes typer ask again."""
    words = text.replace(",", " ").split()
    if words in (["all"], ["none"], ["-"]):
        return tuple(inputs) if words == ["all"] else ()
    names = {one.name: one for one in inputs}
    picked: dict[str, Likely] = {}
    for word in words:
        if between := re.fullmatch(r"(\d+)(?:-(\d+))?", word):
            first, last = int(between[1]), int(between[2] or between[1])
            if not 1 <= first <= last <= len(inputs):
                raise typer.BadParameter(f"{word}: the numbers go from 1 to {len(inputs)}")
            picked |= {one.name: one for one in inputs[first - 1 : last]}
        elif word in names:
            picked[word] = names[word]
        else:
            raise typer.BadParameter(f"{word} is none of the names above")
    return tuple(picked.values())


def _attributes(to: Console, one: Likely) -> dict[str, JSON]:
    """What a person says about one field."""
    to.print(Text.assemble("\n", (one.name, "bold"), f" = {one.shown}  ({one.type})"))
    attributes: dict[str, JSON] = {"type": "password"} if one.secret else dict(one.attributes)
    attributes["label"] = _prompt("Label", one.label, str) or one.label
    help_ = _prompt("Help", one.help, str)
    if help_ != one.help or "help" in attributes:
        # what a comment says can only be taken back by other words
        attributes["help"] = help_
    if one.type in _NUMBERS:
        number = _whole if one.type == "integer" else _number
        low = attributes["min"] = _prompt("Smallest value", attributes.get("min"), number)
        attributes["max"] = _prompt(
            "Largest value", attributes.get("max"), lambda text: _not_below(number(text), low)
        )
    elif one.type in ("text", "select"):
        choices = attributes.get("choices")
        listed = ", ".join(map(str, choices)) if isinstance(choices, list) else ""
        given = _prompt("Choices, with commas between", listed, str)
        attributes["choices"] = _choices(given) or None
    return {k: v for k, v in attributes.items() if v is not None and v != ""}


def _prompt(label: str, guess: JSON, parse: Callable[[str], T]) -> T | None:
    """Ask one thing; None when it is left empty."""

    def read(text: str) -> T | None:
        return None if text.strip() in ("", "-") else parse(text.strip())

    shown = "" if guess is None else str(guess)
    answer: T | None = typer.prompt(
        f"  {label}", default=shown, show_default=bool(shown), value_proc=read
    )
    return answer


def _number(text: str) -> int | float:
    with suppress(ValueError):
        return int(text)
    with suppress(ValueError):
        if math.isfinite(number := float(text)):
            return number
    raise typer.BadParameter("please enter a number, or - for none")


def _whole(text: str) -> int | float:
    number = _number(text)
    if isinstance(number, int):
        return number
    raise typer.BadParameter("please enter a whole number, or - for none")


def _not_below(number: int | float, low: JSON) -> int | float:
    if isinstance(low, int | float) and number < low:
        raise typer.BadParameter(f"that is below the smallest value, {low}")
    return number


def _choices(text: str | None) -> list[JSON]:
    return list(dict.fromkeys(part.strip() for part in (text or "").split(",") if part.strip()))
