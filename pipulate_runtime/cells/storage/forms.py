"""Reads a sent form safely: texts as texts, files as files, a message for anything else.

Other programs than browsers may send anything: a file in place of a text, a value twice, megabytes, a NUL. The message
appears below the field; nothing is raised.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.datastructures import FormData, UploadFile

from pipulate_runtime.cells.storage.readers import (
    REMOVE,
    Keep,
    Readers,
    read_json,
    read_literal,
)

__all__ = ["REMOVE", "Sent", "Typed", "read_json", "read_literal"]

MAX_TEXT = 1_000_000
"""Characters that a field may have."""

NOT_A_TEXT = "This takes a text, not a file."
NOT_A_FILE = "This takes a file, not a text."
TOO_LONG = f"This takes at most {MAX_TEXT:,} characters."
NOT_A_CHARACTER = "There is a character in this that no text can hold."
TWICE = "This takes one answer, not several."


class Typed(str):
    """A text as typed, before it is parsed."""


class Sent(Readers, dict[str, Any]):
    """The answers of a form by name: a text, or a list of texts where there may be several.

    Line breaks are LF. What cannot be an answer is left out, with a sentence for the person in `problems`.
    """

    def __init__(
        self,
        form: FormData,
        several: Iterable[str] = (),
        files: Iterable[str] = (),
        labels: Mapping[str, str] | None = None,
        keep: Keep | None = None,
    ) -> None:
        """`several` are the names that may have more than one answer, `files` those that take files.

        A reader (`choices`, `file`, `files`) allows both for its name. `labels` name the fields in messages; `keep` stores files.
        """
        super().__init__()
        self.problems: dict[str, str] = {}
        self.files: dict[str, list[UploadFile]] = {}
        self.labels, self.keep = labels or {}, keep
        self._parts = {name: form.getlist(name) for name in form}
        several, files = frozenset(several), frozenset(files)
        for name in self._parts:
            if name in files:
                self.take_files(name)
            else:
                self.take_texts(name, several=name in several or name.endswith(REMOVE))
        self.errors = dict(self.problems)

    def take_files(self, name: str) -> None:
        """Take what was sent under a name as files. A browser sends an empty part when no file was chosen."""
        self.problems.pop(name, None)
        self.pop(name, None)
        parts = self._parts.get(name, [])
        if any(isinstance(part, str) and part for part in parts):
            self.problems[name] = NOT_A_FILE
        chosen = [part for part in parts if isinstance(part, UploadFile)]
        self.files[name] = [part for part in chosen if part.filename or part.size]

    def take_texts(self, name: str, several: bool = False) -> None:
        """Take what was sent under a name as a text, or as a list of `several`."""
        self.problems.pop(name, None)
        parts = self._parts.get(name, [])
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
        found = self.get(name, [])
        return found if isinstance(found, list) else [found]


def _text(part: str) -> Typed:
    """Normalise line breaks: a form sends CR LF."""
    return Typed(part.replace("\r\n", "\n").replace("\r", "\n"))


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)
