"""What a form sent, read safely: texts as texts, files as files, and words for what is neither.

A browser sends what the form asks for. Other programs may send anything: a file where a text is asked for, a value twice,
megabytes, a NUL. That is said below the field, and never raised.
"""

import ast
import json
from collections.abc import Iterable
from typing import Any

from starlette.datastructures import FormData, UploadFile

MAX_TEXT = 1_000_000
"""Characters that one field takes."""

REMOVE = "-remove"
"""Behind the name of a field: the files of it that are to go."""

NOT_A_TEXT = "This takes a text, not a file."
NOT_A_FILE = "This takes a file, not a text."
TOO_LONG = f"This takes at most {MAX_TEXT:,} characters."
NOT_A_CHARACTER = "There is a character in this that no text can hold."
TWICE = "This takes one answer, not several."


class Typed(str):
    """A text as it was typed, not yet read as a value."""


class Sent(dict[str, Any]):
    """The answers of a form by name: a text, or a list of texts where there may be several.

    Line breaks are as Python has them. What cannot be an answer is left out and stands in `problems`, in words.
    """

    def __init__(
        self, form: FormData, several: Iterable[str] = (), files: Iterable[str] = ()
    ) -> None:
        """`several` are the names that may have more than one answer, `files` those that take files."""
        super().__init__()
        self.problems: dict[str, str] = {}
        self.files: dict[str, list[UploadFile]] = {}
        several, files = frozenset(several), frozenset(files)
        for name in form:
            parts = form.getlist(name)
            if name in files:
                self._take_files(name, parts)
            else:
                self._take_texts(name, parts, name in several or name.endswith(REMOVE))

    def _take_files(self, name: str, parts: list[UploadFile | str]) -> None:
        """A browser sends an empty part when no file was chosen."""
        if any(isinstance(part, str) and part for part in parts):
            self.problems[name] = NOT_A_FILE
        chosen = [part for part in parts if isinstance(part, UploadFile)]
        self.files[name] = [part for part in chosen if part.filename or part.size]

    def _take_texts(self, name: str, parts: list[UploadFile | str], several: bool) -> None:
        texts = [_text(part) for part in parts if isinstance(part, str)]
        if len(texts) < len(parts):
            self.problems[name] = NOT_A_TEXT
        elif len(texts) > 1 and not several:
            self.problems[name] = TWICE
        elif any(len(text) > MAX_TEXT for text in texts):
            self.problems[name] = TOO_LONG
        elif any("\0" in text or _has_surrogate(text) for text in texts):
            self.problems[name] = NOT_A_CHARACTER
        elif texts:
            self[name] = texts if several else texts[0]

    def getlist(self, name: str) -> list[str]:
        """Return all answers under a name."""
        found = self.get(name, [])
        return found if isinstance(found, list) else [found]


def _text(part: str) -> Typed:
    """A form sends line breaks as CR LF, whatever was typed."""
    return Typed(part.replace("\r\n", "\n").replace("\r", "\n"))


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


def read_json(text: str) -> Any:
    """Return the value of a JSON text. Raises ValueError for all else, also for NaN and for what is nested too deeply."""
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{digits} is too large")
    return number


def read_literal(text: str) -> Any:
    """Return the value of a Python literal; nothing is executed. Raises ValueError for all else."""
    try:
        return ast.literal_eval(text)
    except (SyntaxError, TypeError, RecursionError, MemoryError):
        raise ValueError("it is not a literal") from None
