"""What the command line can ask of a port. Defaults live here only."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Options:
    """Options of one port that change what is emitted; they are kept in the lock."""

    number: str | None = None
    """A prefix of the file name for the order in Pipulate's menu: `040`."""
    by: Literal["cell", "heading"] | None = None
    """One step for each cell, or for each section; None: as the notebook's metadata says, else `cell`."""
    fields: tuple[str, ...] | None = None
    """Assignments to make fields of, beside those the notebook marks: names, or `auto`; None: as at the last port."""
