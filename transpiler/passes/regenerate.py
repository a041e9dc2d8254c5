"""The pass that merges: what is emitted now into the plugin that is there, with the hand edits in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from transpiler.merge.conflicts import REASONS, Conflict
from transpiler.merge.decide import unit_name
from transpiler.merge.lines import Formatter
from transpiler.merge.merge import Merged, MergeRefused, Request, merge
from transpiler.merge.summary import MergedPart, count_edits, rows
from transpiler.merge.units import step_of
from transpiler.model import rules
from transpiler.model.diagnostics import REFUSED, WHOLE, Diagnostic, Found, UserError
from transpiler.model.options import Asked
from transpiler.plugin_folder.lockfile import Lock
from transpiler.plugin_folder.paths import sha
from transpiler.plugin_folder.place import Place
from transpiler.plugin_folder.pristine import is_pristine, origin

# Members of a class that are not four columns deep: a merge would mix two indentations.
_OTHER_INDENT = re.compile(r"^(?:\t| {1,3}| {5,8})(?:async def|def|@\w+)\b.*$", re.MULTILINE)
_OUR_INDENT = re.compile(r"^    (?:async def|def|@\w+)\b", re.MULTILINE)


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
    compiler: tuple[MergedPart, ...] = ()
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
        return (rules.NEWER_COMPILER.at(WHOLE, parts=parts, also=also),)


@dataclass(frozen=True, slots=True)
class Regenerated:
    """A plugin as it will be, and how it came about."""

    content: bytes
    base: str
    """What is emitted now: the base of the next merge."""
    conflicts: tuple[Conflict, ...] = ()
    rows: tuple[MergedPart, ...] = ()
    """A row a step; none for a new plugin."""
    edits: int = 0
    """How many places of the plugin were edited by hand."""
    renames: Mapping[str, str] = field(default_factory=dict)
    """Methods of the frame that the user renamed."""
    stray: int = 0
    """How many conflict blocks it has that nothing is known of."""
    compiler: tuple[MergedPart, ...] = ()
    """A row for each step and helper that a newer compiler writes in another way, whatever the notebook says."""
    notebook: bool = True
    """Whether the notebook has changes for it."""
    undefined: bool = False
    """Whether hand edits use names that nothing defines: each port says so, also one that has nothing to do."""

    @property
    def open(self) -> int:
        """How many conflicts it shows."""
        return len(self.conflicts) + self.stray


def regenerate(
    where: Place, now: Emitted, asked: Asked, again: Emitted | None = None
) -> tuple[Regenerated, Found]:
    """Return the plugin with the notebook's changes and the hand edits in it.

    `where` is the plugin as it is, with its base and its lock; `again` what a newer compiler makes of the notebook as it was
    then, which is merged first. Raises UserError (exit 3) when that cannot be done safely.
    """
    name, raw, lock = str(where.path), where.raw, where.lock
    emitted = now.text
    if raw is None:
        return Regenerated(emitted.encode(), emitted), ()
    if asked.adopt:
        return Regenerated(raw, emitted), ()
    shape = _Shape.of(raw)
    ours = shape.text(raw)
    try:
        before = ours if is_pristine(ours) else _base(name, ours, where.base, lock)
    except UserError:
        if asked.force:
            return Regenerated(shape.bytes(emitted), emitted, edits=1), ()
        raise
    tidy = ours
    if before != emitted and _OTHER_INDENT.search(ours) and not _OUR_INDENT.search(ours):
        tidy = _formatted(ours)
    edited = Edited(before, tidy, lock.pending, lock.renames)
    try:
        both = merged_twice(edited, again, now, asked, _formatted)
    except MergeRefused as refused:
        rule = rules.PLUGIN_NOT_PYTHON if refused.line else rules.MERGE_UNSAFE
        if asked.force:
            return Regenerated(shape.bytes(emitted), emitted, edits=1), ()
        raise UserError(
            rule, REFUSED, path=name, reason=refused.reason, line=refused.line
        ) from refused
    merged = both.merged
    if asked.force:
        return (
            Regenerated(
                shape.bytes(emitted), emitted, rows=rows(merged), edits=count_edits(merged)
            ),
            (),
        )
    _check_names(asked, lock, merged)
    content = raw if merged.text in (ours, tidy) and tidy == ours else shape.bytes(merged.text)
    stray = set(merged.lines) - {conflict.id for conflict in merged.conflicts}
    done = Regenerated(
        content, emitted, merged.conflicts, rows(merged), count_edits(merged), merged.renames, len(stray),
        both.compiler, both.notebook, bool(merged.undefined),
    )  # fmt: skip
    return done, (*both.found, *_found(merged, name, stray))


def _check_names(asked: Asked, lock: Lock, merged: Merged) -> None:
    """Raise UserError (exit 2) when something is to be settled or restored that is not there."""
    units = {c.id: c.unit for c in (*lock.pending, *merged.conflicts)}
    for option, names, kinds in (
        ("--resolve", set(asked.choices) - {"*"}, {"settled", "conflict"}),
        ("--restore", set(asked.restore), {"restored"}),
    ):
        concerned = [change.unit for change in merged.changes if change.what in kinds]
        known = {name for unit in concerned for name in (unit, step_of(unit), unit_name(unit))}
        known |= {key for key, unit in units.items() if unit in concerned}
        for name in sorted(names - known):
            reason = (
                "no conflict has that name"
                if option == "--resolve"
                else "nothing of it was deleted"
            )
            raise UserError(rules.BAD_OPTION, option=option, value=name, reason=reason)


def _base(name: str, ours: str, base: bytes | None, lock: Lock) -> str:
    """What the edited plugin was ported from. Raises UserError (exit 3) when that is not known for certain."""
    reason = ""
    header = (origin(ours) or {}).get("base")
    if base is None:
        reason = "base.py.txt is missing"
    elif not lock.written_sha:
        reason = "lock.json is missing or spoilt"
    elif sha(base.replace(b"\r\n", b"\n")) != lock.base_sha:
        reason = "base.py.txt and lock.json do not belong together"
    elif header != lock.header:
        reason = "the plugin and lock.json do not belong together"
    if reason or base is None:
        raise UserError(rules.NO_BASE, REFUSED, path=name, reason=reason)
    return base.decode().replace("\r\n", "\n")


def _formatted(text: str) -> str:
    """Text as black formats it. Black is only loaded when a merge clashes."""
    from transpiler.splicing.splice import formatted

    return formatted(text)


def _found(merged: Merged, name: str, stray: set[str]) -> Found:
    """What somebody should know of a merge."""
    found: list[Diagnostic] = []
    for conflict in merged.conflicts:
        unit, line = unit_name(conflict.unit), merged.lines.get(conflict.id, 0)
        reason = REASONS[conflict.reason]
        found.append(
            rules.CONFLICT.at(WHOLE, unit=unit, path=name, line=line, reason=reason, id=conflict.id)
        )
    ids = {conflict.unit: conflict.id for conflict in merged.conflicts}
    found += [
        rules.NOT_BOTH.at(WHOLE, unit=unit_name(unit), id=ids[unit]) for unit in merged.refused
    ]
    found += [
        rules.STRAY_BLOCK.at(WHOLE, path=name, line=merged.lines[key]) for key in sorted(stray)
    ]
    found += [
        rules.UNDEFINED_AFTER_MERGE.at(WHOLE, name=n, method=method)
        for n, method in merged.undefined
    ]
    for row in rows(merged):
        after = list(merged.after)
        if row.what == "NEW" and row.subject in after:
            later = after[after.index(row.subject) + 1 :]
            if later and later[0] != "finalize":
                found.append(rules.RUNS_INSERTED.at(WHOLE, step=row.subject, later=later[0]))
        elif row.what == "removed" and row.subject.startswith("step_"):
            found.append(rules.STEP_RETIRED.at(WHOLE, step=row.subject))
        elif row.what == "deleted by you" and "changed" in row.detail:
            found.append(rules.DELETED_AND_CHANGED.at(WHOLE, step=row.subject))
    return tuple(found)


# --- a newer compiler: a merge of its own, before the notebook's changes, so each can be told apart ---------------------


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
    told = changed or (MergedPart("the frame", "updated"),)
    return Both(between.merged(then, asked, formatted), told, again.text != now.text)


def _onward(first: Moves, then: Moves) -> Moves:
    """Where functions go in the second merge. Both are told from the names before the first one."""
    names, target = dict(first), dict(then)
    moves = {names.get(old, old): new for old, new in then}
    moves |= {new: old for old, new in first if old not in target}
    return tuple((old, new) for old, new in moves.items() if old != new)


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a file's text is written down; a merge knows nothing of it."""

    mark: bytes
    """The byte order mark, if it has one."""
    crlf: bool

    @classmethod
    def of(cls, raw: bytes) -> "_Shape":
        """How these bytes are written."""
        mark = b"\xef\xbb\xbf" if raw.startswith(b"\xef\xbb\xbf") else b""
        return cls(mark, 2 * raw.count(b"\r\n") > raw.count(b"\n"))

    def text(self, raw: bytes) -> str:
        """The text with line feeds only, as Python reads it."""
        return raw.removeprefix(self.mark).decode().replace("\r\n", "\n").replace("\r", "\n")

    def bytes(self, text: str) -> bytes:
        """A text, written down."""
        return self.mark + (text.replace("\n", "\r\n") if self.crlf else text).encode()
