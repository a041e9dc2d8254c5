"""What the command line can ask of a port. Defaults live here only."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

By = Literal["cell", "heading"] | None


@dataclass(frozen=True, slots=True)
class Options:
    """Options of one port that change what is emitted; they are kept in the lock."""

    number: str | None = None  # A prefix of the file name for the order in Pipulate's menu: `040`
    by: By = None
    """One step for each cell, or for each section; None: as at the last port, else as the notebook's metadata says, else
    `cell`."""
    fields: tuple[str, ...] | None = None
    """Assignments to make fields of, beside those the notebook marks: names, or `auto`; None: as at the last port."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How one port deals with a plugin that is there already. Not kept: the next port asks anew."""

    dry: bool = False  # Only say what would be done
    force: bool = False  # Drop all hand edits
    adopt: bool = False  # Take what is emitted now as the base, and leave the plugin as it is
    choices: Mapping[str, Literal["mine", "notebook", "both"]] = field(default_factory=dict)
    """How to settle conflicts: by id, step or unit; "*" stands for all."""
    restore: Collection[str] = ()  # Steps whose deletion is to be undone
