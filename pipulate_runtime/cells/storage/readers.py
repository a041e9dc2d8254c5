"""How the answer to each kind of field is read, and the sentence that says what is wrong with it."""

import ast
import datetime as dt
import json
import math
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

REMOVE = "-remove"
"""Behind the name of a field: the files of it that are to go."""

MEGABYTES = 200
"""What an uploaded file may have at most, where a field does not say."""

Keep = Callable[..., Awaitable[list[str]]]

SENTENCES = {
    "filled": "please fill this in.",
    "length": "please enter {limits} characters.",
    "integer": "please enter a whole number{limits}.",
    "number": "please enter a number{limits}.",
    "choice": "please choose from the list.",
    "date": "please enter a date{limits}.",
    "time": "please enter a time{limits}.",
    "datetime": "please enter a date and time{limits}.",
    "color": "please enter a colour such as #ff8800.",
    "urls": "please enter addresses such as https://example.org, each on a line of its own.",
    "json": 'please write it as JSON, for example [1, 2, 3] or {"name": "value"}.',
    "dict": 'please write a JSON object, for example {"name": "value"}.',
    "list": "please write a JSON list, for example [1, 2, 3].",
    "literal": 'please write a number, a "text in quotes", or a [list] of them.',
    "file": "please choose a file{limits} MB.",
    "files": "please choose files{limits} MB each.",
}
"""What a person reads below a field. The label of the field stands before it."""

_ADDRESS = re.compile(r"(?i)[a-z][a-z0-9+.-]*://\S+")


class Readers:
    """The readers of `Sent`. Each returns the answer, or None and a sentence in `errors`.

    `required=False` lets a field be left empty; `empty` is what it gives then.
    """

    errors: dict[str, str]
    """What is wrong, by name of the field: a plugin may add its own."""
    problems: dict[str, str]
    labels: Mapping[str, str]
    files: dict[str, list[Any]]
    keep: Keep | None
    get: Callable[..., Any]
    getlist: Callable[[str], list[str]]
    take_texts: Callable[..., None]
    take_files: Callable[[str], None]

    def wrong(self, name: str, sentence: str, limits: str = "") -> None:
        """Say what is wrong with an answer: a sentence, or its key in `SENTENCES`."""
        words = SENTENCES.get(sentence, sentence).replace("{limits}", limits)
        label = self.labels.get(name, "").rstrip(" :?")
        words = f"{label}: {words}" if label else f"{words[0].upper()}{words[1:]}"
        self.errors[name] = self.problems.get(name, words)

    def text(
        self,
        name: str,
        *,
        min: int | None = None,
        max: int | None = None,
        required: bool = True,
        empty: Any = "",
    ) -> Any:
        """Read a text; `min` and `max` are numbers of characters."""
        answer = self.get(name, "")
        if (required and not answer.strip()) or (answer and not _within(len(answer), min, max)):
            has_limits = min is not None or max is not None
            self.wrong(name, "length" if has_limits else "filled", _length(min, max))
        return answer or (None if empty is None and not required else answer)

    password = text

    def integer(
        self,
        name: str,
        *,
        min: float | None = None,
        max: float | None = None,
        step: float | None = None,
        required: bool = True,
        empty: Any = None,
    ) -> Any:
        """Read a whole number; `step` counts from `min`."""
        text = self.get(name, "")
        if not required and not text.strip():
            return empty
        try:
            answer = int(text)
        except ValueError:
            answer = None
        on_step = answer is None or not step or (answer - (min or 0)) % step == 0
        if answer is not None and on_step and _within(answer, min, max):
            return answer
        return self.wrong(name, "integer", _limits(min, max, step))

    def number(
        self,
        name: str,
        *,
        min: float | None = None,
        max: float | None = None,
        step: float | None = None,
        keep_whole: bool = False,
        required: bool = True,
        empty: Any = None,
    ) -> Any:
        """Read a number; with `keep_whole`, 7 stays 7 and is not 7.0."""
        text = self.get(name, "").strip()
        if not required and not text:
            return empty
        try:
            whole = keep_whole and text.removeprefix("-").isdecimal()
            answer = int(text) if whole else float(text)
            if math.isfinite(answer) and _within(answer, min, max) and _on_step(answer, min, step):
                return answer
        except (OverflowError, ValueError):
            pass
        return self.wrong(name, "number", _limits(min, max, step))

    def switch(self, name: str) -> bool:
        """Read a switch: a browser sends it when it is on."""
        if self.get(name, "on") != "on":
            self.wrong(name, "filled")
        return self.get(name) is not None

    def choice(
        self,
        name: str,
        choices: Iterable[Any],
        *,
        allow_input: bool = False,
        required: bool = True,
        empty: Any = None,
    ) -> Any:
        """Read one of the choices, as it stands among them; with `allow_input` also a text of one's own."""
        text, known = self.get(name), {str(choice): choice for choice in choices}
        if text in known:
            return known[text]
        if not required and not text:
            return empty
        if allow_input and (text or "").strip():
            return text
        return self.wrong(name, "choice")

    def choices(
        self, name: str, choices: Iterable[Any], *, required: bool = True, empty: Any = ()
    ) -> Any:
        """Read several of the choices, in their order."""
        self.take_texts(name, several=True)
        self.errors.pop(name, None)
        known = {str(choice): choice for choice in choices}
        chosen = self.getlist(name)
        if name in self.problems or (required and not chosen) or not known.keys() >= set(chosen):
            self.wrong(name, "choice")
        answer = [known[text] for text in known if text in chosen]
        return answer or (None if empty is None and not required else answer)

    def date(self, name: str, **limits: Any) -> Any:
        """Read a date, `2024-05-31`; `min` and `max` are dates in text."""
        return self._moment(name, "date", dt.date, {}, **limits)

    def time(self, name: str, *, timespec: str = "minutes", **limits: Any) -> Any:
        """Read a time of day, written as `isoformat` writes it with `timespec`."""
        return self._moment(name, "time", dt.time, {"timespec": timespec}, **limits)

    def datetime(
        self, name: str, *, sep: str = "T", timespec: str = "minutes", **limits: Any
    ) -> Any:
        """Read a date with a time, written as `isoformat` writes it with `sep` and `timespec`."""
        how = {"sep": sep, "timespec": timespec}
        return self._moment(name, "datetime", dt.datetime, how, **limits)

    def _moment(
        self,
        name: str,
        kind: str,
        of: Any,
        how: Mapping[str, str],
        *,
        min: str | None = None,
        max: str | None = None,
        required: bool = True,
        empty: Any = None,
    ) -> Any:
        text = self.get(name, "")
        if not required and not text.strip():
            return empty
        try:
            answer = of.fromisoformat(text).isoformat(**how)
        except ValueError:
            answer = None
        if answer is not None and _within(answer, min, max):
            return answer
        return self.wrong(name, kind, _limits(min, max, words=("later", "earlier")))

    def color(
        self, name: str, *, spelled: str = "", required: bool = True, empty: Any = None
    ) -> Any:
        """Read a colour, `#ff8800`. Browsers know small letters only: `spelled` is given as it stands."""
        answer = self.get(name, "")
        if not required and not answer:
            return empty
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", answer):
            return self.wrong(name, "color")
        return spelled if answer.lower() == spelled.lower() else answer

    def urls(
        self, name: str, *, as_text: bool = False, required: bool = True, empty: Any = ()
    ) -> Any:
        """Read addresses, one a line; lines with `#` in front are left out. With `as_text` the text itself is the answer."""
        answer = self.get(name, "")
        lines = [line.strip() for line in answer.splitlines()]
        lines = [line for line in lines if line and not line.startswith("#")]
        if (required and not lines) or not all(map(_ADDRESS.fullmatch, lines)):
            self.wrong(name, "urls")
        if as_text:
            return answer
        return lines or (None if empty is None and not required else lines)

    def json(
        self, name: str, kind: type | None = None, *, required: bool = True, empty: Any = None
    ) -> Any:
        """Read a value as JSON; `kind` is `dict` or `list` where it must be one."""
        text = self.get(name, "")
        if not required and not text.strip():
            return empty
        try:
            answer = read_json(text)
        except ValueError:
            return self.wrong(name, kind.__name__ if kind else "json")
        if kind and type(answer) is not kind:
            return self.wrong(name, kind.__name__)
        return answer

    def literal(self, name: str, default: str = "") -> str:
        """Check the text of a Python literal, and return the text; `default` is taken as it is."""
        answer = str(self.get(name, ""))
        try:
            if answer != default:
                read_literal(answer)
        except ValueError:
            self.wrong(name, "literal")
        return answer

    async def file(
        self,
        name: str,
        earlier: str | None = None,
        *,
        endings: Sequence[str] = (),
        max_mb: int = MEGABYTES,
        required: bool = True,
    ) -> str | None:
        """Take a file: its path for the cells. Without one, the `earlier` file stays."""
        given = [earlier] if earlier else []
        paths = await self._files(name, "file", given, endings, max_mb, required)
        return paths[0] if paths else None

    async def several_files(
        self,
        name: str,
        earlier: list[str] | None = None,
        *,
        endings: Sequence[str] = (),
        max_mb: int = MEGABYTES,
        required: bool = True,
    ) -> list[str]:
        """Take files, as `file` takes one."""
        return await self._files(name, "files", earlier or [], endings, max_mb, required)

    async def _files(
        self,
        name: str,
        kind: str,
        earlier: list[str],
        endings: Sequence[str],
        max_mb: int,
        required: bool,
    ) -> list[str]:
        """The paths of files. What is wrong leaves the earlier ones."""
        self.take_files(name)
        self.errors.pop(name, None)
        if self.keep is None:
            raise TypeError("files need the key of the run: cells.sent(request, key=run.key)")
        paths: list[str] = []
        try:
            if name not in self.problems:
                paths = await self.keep(self, name, earlier, endings, max_mb * 10**6)
            sound = len(paths) < 2 or kind == "files"
        except ValueError:
            sound = False
        if name not in self.problems and sound and (paths or not required):
            return paths
        listed = f" ({', '.join(endings)})" if endings else ""
        self.wrong(name, kind, f"{listed} of at most {max_mb}")
        return earlier


# --- limits -------------------------------------------------------------------------------------------------------


def _within(value: Any, low: Any, high: Any) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _on_step(value: float, low: float | None, step: float | None) -> bool:
    return not step or not 1e-6 < (value - (low or 0)) / step % 1 < 0.999999


def _limits(
    low: Any, high: Any, step: float | None = None, words: tuple[str, str] = ("more", "less")
) -> str:
    """Limits as they follow "please enter a number"."""
    said = ""
    if low is not None and high is not None:
        said = f" from {_plain(low)} to {_plain(high)}"
    elif low is not None:
        said = f", {_plain(low)} or {words[0]}"
    elif high is not None:
        said = f", {_plain(high)} or {words[1]}"
    return f"{said}, in steps of {_plain(step)}" if step else said


def _length(low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"at least {low}" if low is not None else f"at most {high}"


def _plain(number: Any) -> str:
    """A number as people write it: 50.0 is 50."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)


# --- texts as values ----------------------------------------------------------------------------------------------


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
