"""What a review shows, as plain data: the notebook's cells on one side, what the plugin makes of them on the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Mark = Literal[" ", "+", "-"]
PartState = Literal["emitted", "edited", "yours", "deleted", "conflict"]


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """A line of a text: as before, new, or gone."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Remark:
    """A diagnostic. `line` is the line of the cell, 0 for one about the whole."""

    code: str
    name: str
    severity: Literal["notice", "warning", "error"]
    message: str
    help: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class CellView:
    """A cell of the notebook. Marks say what changed in it since the last port."""

    index: int
    id: str
    kind: Literal["code", "markdown", "raw"]
    lines: tuple[ReviewLine, ...]
    state: Literal["", "new", "changed"] = ""
    remarks: tuple[Remark, ...] = ()
    note: str = ""  # Why it has no place in the plugin, if it has none


@dataclass(frozen=True, slots=True)
class ConflictView:
    """An open conflict: what the notebook changed, in the unit that was changed by hand, too."""

    id: str
    name: str
    reason: str
    lines: tuple[ReviewLine, ...]  # From what was emitted before to what the notebook gives now
    choices: tuple[str, ...]  # How it can be settled


@dataclass(frozen=True, slots=True)
class ReviewPart:
    """A part of the plugin. Marks say what was changed by hand since the last port."""

    name: str
    label: str
    line: int  # Where it begins in the file; 0 when it is not there
    lines: tuple[ReviewLine, ...]
    state: PartState
    is_code: bool = False  # Whether it is the code of a cell: that is never folded away
    changes: tuple[str, ...] = ()  # How it differs from the cell, by the compiler: the listed edits
    conflicts: tuple[ConflictView, ...] = ()


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A step: its cells, its parts of the plugin. Without a step: cells that are in none."""

    step: str
    title: str
    word: str  # What the next port would say of it: `kept`, `updated`..
    detail: str
    cells: tuple[CellView, ...]
    parts: tuple[ReviewPart, ...]
    conflicts: tuple[ConflictView, ...] = ()  # Those that belong to no single part


@dataclass(frozen=True, slots=True)
class Review:
    """A notebook and its plugin side by side."""

    title: str
    notebook: str
    plugin: str
    command: str  # What ports it again
    seen: str
    """Stands for the two files as they were read: a decision is only taken for what was seen."""
    rows: tuple[ReviewRow, ...]
    others: tuple[ReviewPart, ...]  # What was changed by hand outside of the steps
    remarks: tuple[Remark, ...]
    edits: int
    coming: bool  # Whether a port would change the plugin
    refused: bool = False  # Whether a port would be refused; a remark says why

    @property
    def conflicts(self) -> tuple[ConflictView, ...]:
        """All open conflicts, in order."""
        return conflicts_of(self.rows, self.others)


def conflicts_of(
    rows: Sequence[ReviewRow], others: Sequence[ReviewPart]
) -> tuple[ConflictView, ...]:
    """Return the conflicts of rows and of other parts, in order."""
    places: list[ReviewRow | ReviewPart] = []
    for row in rows:
        places += (row, *row.parts)
    return tuple(conflict for place in (*places, *others) for conflict in place.conflicts)


def lines_of(before: str, now: str) -> tuple[ReviewLine, ...]:
    """Return the lines of a text with what is gone and what is new since another one."""
    one, two = before.split("\n"), now.split("\n")
    lines: list[ReviewLine] = []
    for kind, a, b, c, d in SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
        if kind == "equal":
            lines += [ReviewLine(" ", text) for text in two[c:d]]
            continue
        lines += [ReviewLine("-", text) for text in one[a:b]]
        lines += [ReviewLine("+", text) for text in two[c:d]]
    return tuple(lines)


def plain(text: str, mark: Mark = " ") -> tuple[ReviewLine, ...]:
    """Return the lines of a text, all with the same mark."""
    return tuple(ReviewLine(mark, line) for line in text.split("\n"))
