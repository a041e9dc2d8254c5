"""A newer compiler is a merge of its own, before the notebook's changes: so each can be told apart from the other."""

from collections.abc import Mapping
from dataclasses import dataclass

from transpiler import codes
from transpiler.diagnostics import WHOLE, Found
from transpiler.merge.conflicts import Conflict
from transpiler.merge.leaves import Formatter
from transpiler.merge.merge import Merged, Request, merge
from transpiler.merge.rows import Row, rows
from transpiler.options import Asked

Moves = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Emitted:
    """A plugin as the compiler writes it, and the functions whose cells went to another step: before, now."""

    text: str
    moves: Moves = ()


@dataclass(frozen=True, slots=True)
class Edited:
    """A plugin with hand edits, before a merge."""

    base: str
    ours: str
    pending: tuple[Conflict, ...]
    renames: Mapping[str, str]

    def merged(self, theirs: Emitted, asked: Asked, formatted: Formatter) -> Merged:
        """Return the merge with what is emitted. Raises MergeRefused."""
        request = Request(
            self.pending, dict(theirs.moves), self.renames, asked.choices, asked.restore, formatted
        )
        return merge(self.base, self.ours, theirs.text, request)


@dataclass(frozen=True, slots=True)
class Both:
    """The merge of a newer compiler's changes, if there are any, and then of the notebook's."""

    merged: Merged
    compiler: tuple[Row, ...] = ()
    """A row for each step and helper that the newer compiler writes in another way."""
    notebook: bool = True
    """Whether the notebook has changes for the plugin."""

    @property
    def found(self) -> Found:
        """That the compiler is newer."""
        if not self.compiler:
            return ()
        steps = sum(row.subject.startswith("step_") for row in self.compiler)
        also = "has changes, too" if self.notebook else "has no changes"
        parts = f"{steps} step{'s' * (steps != 1)}" if steps else "what all steps share"
        return (codes.NEWER_COMPILER.at(WHOLE, parts=parts, also=also),)


def merged_twice(
    before: Edited, again: Emitted | None, now: Emitted, asked: Asked, formatted: Formatter
) -> Both:
    """Return the plugin with all changes. Raises MergeRefused.

    `again` is what a newer compiler makes of the notebook as it was; None when the compiler is the same. `now` is what it makes of
    the notebook as it is. Conflicts are settled and deletions undone in the second merge: those of the first are in it, too.
    """
    if again is None or again.text == before.base:
        return Both(before.merged(now, asked, formatted), notebook=before.base != now.text)
    first = before.merged(again, Asked(), formatted)
    between = Edited(again.text, first.text, first.conflicts, first.renames)
    then = Emitted(now.text, _onward(again.moves, now.moves))
    changed = tuple(row for row in rows(first) if row.what not in ("unchanged", "kept", "moved"))
    told = changed or (Row("the frame", "updated"),)
    return Both(between.merged(then, asked, formatted), told, again.text != now.text)


def _onward(first: Moves, then: Moves) -> Moves:
    """Where functions go in the second merge. Both are told from the names before the first one."""
    names, target = dict(first), dict(then)
    moves = {names.get(old, old): new for old, new in then}
    moves |= {new: old for old, new in first if old not in target}
    return tuple((old, new) for old, new in moves.items() if old != new)
