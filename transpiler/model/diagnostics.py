"""Diagnostics as data: what was found, where, and what to do about it.

A `Rule` is one line of the table in `rules.py`; `rule.at(span, **values)` makes the `Diagnostic` of one place. Passes return
diagnostics, they never print or raise them. `report.py` renders them.
"""

from dataclasses import dataclass
from enum import IntEnum
from string import Formatter
from typing import NamedTuple


class Severity(IntEnum):
    """How bad it is: a notice informs, a warning may change what the app shows, an error stops the port."""

    NOTICE = 1
    WARNING = 2
    ERROR = 3


class Span(NamedTuple):
    """A place in a notebook.

    `cell` is the 0-based position of the cell in the file (-1: the notebook as a whole); lines and columns are 1-based
    and count characters inside the cell's source; `end_column` is the column after the last character.
    """

    cell: int
    line: int
    column: int
    end_line: int
    end_column: int


WHOLE = Span(-1, 0, 0, 0, 0)  # The notebook as a whole


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of finding: its code, its texts. The templates are filled by `str.format` with the diagnostic's values."""

    code: str
    name: str
    severity: Severity
    message: str
    help: str

    def at(self, span: Span, **values: str | int) -> "Diagnostic":
        """Return the diagnostic of this rule at one place.

        Raises KeyError when a value the texts ask for is missing: that is a bug of ours and must show in tests.
        """
        wanted = {
            name
            for text in (self.message, self.help)
            for _, name, _, _ in Formatter().parse(text)
            if name
        }
        if missing := wanted - values.keys():
            raise KeyError(f"{self.code} needs {sorted(missing)}")
        return Diagnostic(span, self, tuple(sorted(values.items())))


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding at one place."""

    span: Span
    rule: Rule
    values: tuple[tuple[str, str | int], ...]

    @property
    def order(self) -> tuple[Span, str]:
        """The key to sort by: the place, then the code."""
        return self.span, self.rule.code

    @property
    def message(self) -> str:
        return self.rule.message.format(**dict(self.values))

    @property
    def help(self) -> str:
        return self.rule.help.format(**dict(self.values))


Found = tuple[Diagnostic, ...]

REFUSED = 3  # exit code: nothing is written, since something would be lost


class UserError(Exception):
    """The command cannot be done, for a reason on the user's side. Shown as message and help, never with a traceback.

    `exit_code` is 2 for bad usage or an unreadable notebook, 3 for a refusal (DESIGN 3).
    """

    def __init__(
        self, rule: Rule, exit_code: int = 2, span: Span = WHOLE, **values: str | int
    ) -> None:
        self.diagnostic = rule.at(span, **values)
        self.exit_code = exit_code
        super().__init__(self.diagnostic.message)


class InternalError(Exception):
    """A check of ours on our own output failed: PP901. Nothing is written."""
