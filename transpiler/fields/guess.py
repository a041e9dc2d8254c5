"""Guesses a field's kind, limits and choices from the value in the code.

A wrong limit is worse than none, so limits come only from words that leave no doubt, and only where the present value fits.
A guessed type never changes what the notebook gets for the present value: numbers stay whole or not, dates stay texts.
"""

import ast
import datetime
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from itertools import pairwise
from typing import Any

from transpiler.fields import name_words as words
from transpiler.model.ir import JSON

_URL = re.compile(r"(?:https?|s?ftp|s3|gs|wss?|hdfs)://\S+", re.IGNORECASE)
_WITH_PASSWORD = re.compile(r"\w[\w+.-]*://[^/\s:@]*:[^/\s@]+@")
_PATH = re.compile(
    r"(?:~|\.{1,2}|[A-Za-z]:)?(?:[\\/][^\\/\s:*?\"<>|]+)+[\\/]?|[^\\/\s:*?\"<>|]+(?:[\\/][^\\/:*?\"<>|\n]+)+[\\/]?"
    r"|[\w -]+\.(?:csv|tsv|txt|json|jsonl|xlsx?|parquet|feather|db|sqlite3?|h5|hdf5|nc|npy|npz|pkl|pickle|zip|gz|xml|ya?ml|html?|"
    r"pdf|png|jpe?g|gif|tiff?|wav|mp3|mp4|md|log|geojson|shp|fasta|fa|fastq|sav|dta|mat|las|bin|dat|ipynb|py)"
)
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_KEY_LIKE = re.compile(
    r"(?:sk|pk|rk|ghp|gho|ghs|hf|xox[abprs]|glpat|AKIA|ASIA|AIza|eyJ|SG\.)[-_.\w]{12,}"
)
_OPAQUE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_+=-]{28,}")
_NUMBER_OR_TEXT = r"(?:\"[^\"]+\"|'[^']+'|[\w.+-]+)"
_ONE_OF = re.compile(
    rf"(?:one of|options?|choices?|either|can be|allowed)?:?\s*[\[({{]?({_NUMBER_OR_TEXT}(?:\s*(?:,|\||/|\bor\b|, or)\s*{_NUMBER_OR_TEXT})+)[\])}}]?\.?",
    re.IGNORECASE,
)


def kind_of(value: Any) -> str:
    """Return the kind of a literal: `url`, `path`, `date`, `colour`, `text`, `block`, `switch`, `number`, `list`, `mapping`, `none`."""
    match value:
        case bool():
            return "switch"
        case int() | float():
            return "number"
        case str() if _URL.fullmatch(value):
            return "url"
        case str() if _moment(value):
            return "date"
        case str() if _COLOUR.fullmatch(value):
            return "colour"
        case str() if _PATH.fullmatch(value) and len(value) < 260:
            return "path"
        case str():
            return "block" if "\n" in value.strip() else "text"
        case list() | tuple() | set():
            return "list"
        case dict():
            return "mapping"
    return "none"


def is_secret(name: str, value: Any) -> bool:
    """Whether a value is one that must not be shown: by the variable's name, or because it looks like a key."""
    if not isinstance(value, str):
        return False
    if _KEY_LIKE.fullmatch(value) or _WITH_PASSWORD.match(value):
        return True
    named = words.parts(name)
    if words.NOT_SECRET.intersection(named):
        return False
    if words.SECRET.intersection(named) or not words.SECRET_PAIRS.isdisjoint(pairwise(named)):
        # a name or a place of the secret is none: `TOKEN_FILE = "token.txt"`
        return kind_of(value) not in ("path", "url")
    return kind_of(value) == "text" and _OPAQUE.fullmatch(value) is not None


def attributes_of(name: str, value: Any, choices: tuple[JSON, ...]) -> dict[str, JSON]:
    """Return what `#| input:` should say of a field beyond what its value says by itself: type, choices, limits."""
    if len(choices) > 1:
        return {"choices": list(choices)}
    match kind_of(value):
        case "date" if moment := _moment(value):
            return {"type": moment}
        case "colour":
            return {"type": "color"}
        case "number" if math.isfinite(value):
            return _limits(frozenset(words.parts(name)), value)
    return {}


def is_whole(name: str) -> bool:
    """Whether a variable that holds None would hold a whole number: by its name, as `seed`, `n_rows`, `random_state`."""
    named = words.parts(name)
    whole = words.COUNTS | words.SEEDS | {"n", "num", "top", "k", "limit"}
    return not whole.isdisjoint(named) or ("random", "state") in pairwise(named)


def _limits(named: frozenset[str], value: float) -> dict[str, JSON]:
    if named & words.PERCENT and 0 <= value <= 100:
        return {"min": 0, "max": 100}
    if isinstance(value, float) and named & words.FRACTIONS and 0 <= value <= 1:
        return {"min": 0, "max": 1}
    counted = named & words.COUNTS or named & {"n", "num", "top", "k"}
    if isinstance(value, int) and counted and value >= 1:
        return {"min": 1}
    return {}


def _moment(text: object) -> str | None:
    """The type of field a date or time is of: `date` or `datetime`, as a browser writes them. Other spellings stay texts."""
    if not isinstance(text, str):
        return None
    with suppress(ValueError):
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) and datetime.date.fromisoformat(text):
            return "date"
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}", text):
            return "datetime" if datetime.datetime.fromisoformat(text) else None
    return None


def choices_of(value: Any, comment: str, compared: Mapping[JSON, None]) -> tuple[JSON, ...]:
    """Return the values that a text may have: those the comment lists, or those it is compared with, if its own is one of them."""
    if not isinstance(value, str) or not value:
        return ()
    listed = _listed(comment)
    if value in listed:
        return listed
    known = dict.fromkeys(c for c in compared if isinstance(c, str) and c)
    return tuple(known) if value in known and 1 < len(known) <= 12 else ()


def _listed(comment: str) -> tuple[str, ...]:
    match = _ONE_OF.fullmatch(comment.lstrip("#").strip())
    if match is None:
        return ()
    found = re.findall(_NUMBER_OR_TEXT, re.sub(r"\bor\b", ",", match.group(1)))
    texts = []
    for word in found:
        with suppress(ValueError, SyntaxError):
            word = str(ast.literal_eval(word)) if word[0] in "\"'" else word
        texts.append(word)
    return tuple(dict.fromkeys(texts)) if len(texts) <= 12 else ()


HIDDEN = "•••"


def short_value(value: Any, secret: bool) -> str:
    """Return a value as a list of assignments shows it: short, on one line, and never a secret."""
    if secret:
        return HIDDEN
    text = repr(value)
    if holds_secret(value):
        return HIDDEN
    return text if len(text) <= 40 else f"{text[:39]}…"


def holds_secret(value: Any) -> bool:
    """Whether some text inside of a list or a mapping looks like a key, or stands under the name of one."""
    if isinstance(value, dict):
        return any(
            (isinstance(k, str) and is_secret(k, v)) or holds_secret(v) for k, v in value.items()
        )
    if isinstance(value, list | tuple | set):
        return any(map(holds_secret, value))
    return is_secret("", value)
