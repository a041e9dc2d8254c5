"""Beginnings of notebooks without marks, and what a person would want to be asked for in the app: `labelled.txt`.

Written before anything was scored. Each is percent format; the last line has the names wanted (none is an answer, too). The
first half of every pair is for tuning, the second is held out: `TUNING` and `HELD_OUT` are the even and the odd ones.
"""

import re
from pathlib import Path
from typing import NamedTuple

_TEXT = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8")


class Labelled(NamedTuple):
    """A notebook in percent format, and the names that a person would want as inputs."""

    name: str
    text: str
    wanted: frozenset[str]


def _all() -> tuple[Labelled, ...]:
    made = []
    for piece in re.split(r"^=== ", _TEXT, flags=re.MULTILINE)[1:]:
        head, _, rest = piece.partition("\n")
        body, _, names = rest.rpartition("\n---")
        made.append(Labelled(head, body, frozenset(names.split())))
    return tuple(made)


ALL = _all()
TUNING, HELD_OUT = ALL[::2], ALL[1::2]
