"""The pass that merges: what is emitted now into the plugin that is there, with the hand edits in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from transpiler import codes
from transpiler.diagnostics import WHOLE, Diagnostic, Found, UserError
from transpiler.merge.conflicts import REASONS, Conflict
from transpiler.merge.merge import Merged, MergeRefused
from transpiler.merge.rows import Row, edits, rows
from transpiler.merge.table import unit_name
from transpiler.merge.units import step_of
from transpiler.options import Asked
from transpiler.passes.earlier import Lock
from transpiler.passes.paths import sha
from transpiler.passes.upgraded import Edited, Emitted, merged_twice
from transpiler.pristine import is_pristine, origin

REFUSED = 3

# Members of a class that are not four columns deep: a merge would mix two indentations.
_OTHER_INDENT = re.compile(r"^(?:\t| {1,3}| {5,8})(?:async def|def|@\w+)\b.*$", re.MULTILINE)
_OUR_INDENT = re.compile(r"^    (?:async def|def|@\w+)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Regenerated:
    """A plugin as it will be, and how it came about."""

    content: bytes
    base: str
    """What is emitted now: the base of the next merge."""
    conflicts: tuple[Conflict, ...] = ()
    rows: tuple[Row, ...] = ()
    """A row a step; none for a new plugin."""
    edits: int = 0
    """How many places of the plugin were edited by hand."""
    renames: Mapping[str, str] = field(default_factory=dict)
    """Methods of the frame that the user renamed."""
    stray: int = 0
    """How many conflict blocks it has that nothing is known of."""
    compiler: tuple[Row, ...] = ()
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
    name: str, raw: bytes | None, base: bytes | None, lock: Lock, now: Emitted, asked: Asked,
    again: Emitted | None = None,
) -> tuple[Regenerated, Found]:  # fmt: skip
    """Return the plugin with the notebook's changes and the hand edits in it.

    `name` is the plugin's path, for messages; `raw` its bytes now, None when it is new; `base` what was emitted last;
    `again` what a newer compiler makes of the notebook as it was then, which is merged first.
    Raises UserError (exit 3) when that cannot be done safely.
    """
    emitted = now.text
    if raw is None:
        return Regenerated(emitted.encode(), emitted), ()
    if asked.adopt:
        return Regenerated(raw, emitted), ()
    shape = _Shape.of(raw)
    ours = shape.text(raw)
    try:
        before = ours if is_pristine(ours) else _base(name, ours, base, lock)
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
        rule = codes.PLUGIN_NOT_PYTHON if refused.line else codes.MERGE_UNSAFE
        if asked.force:
            return Regenerated(shape.bytes(emitted), emitted, edits=1), ()
        raise UserError(
            rule, REFUSED, path=name, reason=refused.reason, line=refused.line
        ) from refused
    merged = both.merged
    if asked.force:
        return (
            Regenerated(shape.bytes(emitted), emitted, rows=rows(merged), edits=edits(merged)),
            (),
        )
    _check_names(asked, lock, merged)
    content = raw if merged.text in (ours, tidy) and tidy == ours else shape.bytes(merged.text)
    stray = set(merged.lines) - {conflict.id for conflict in merged.conflicts}
    done = Regenerated(
        content, emitted, merged.conflicts, rows(merged), edits(merged), merged.renames, len(stray),
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
            raise UserError(codes.BAD_OPTION, option=option, value=name, reason=reason)


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
        raise UserError(codes.NO_BASE, REFUSED, path=name, reason=reason)
    return base.decode().replace("\r\n", "\n")


def _formatted(text: str) -> str:
    """Text as black formats it. Black is only loaded when a merge clashes."""
    from transpiler.passes.splice import formatted

    return formatted(text)


def _found(merged: Merged, name: str, stray: set[str]) -> Found:
    """What somebody should know of a merge."""
    found: list[Diagnostic] = []
    for conflict in merged.conflicts:
        unit, line = unit_name(conflict.unit), merged.lines.get(conflict.id, 0)
        reason = REASONS[conflict.reason]
        found.append(
            codes.CONFLICT.at(WHOLE, unit=unit, path=name, line=line, reason=reason, id=conflict.id)
        )
    ids = {conflict.unit: conflict.id for conflict in merged.conflicts}
    found += [
        codes.NOT_BOTH.at(WHOLE, unit=unit_name(unit), id=ids[unit]) for unit in merged.refused
    ]
    found += [
        codes.STRAY_BLOCK.at(WHOLE, path=name, line=merged.lines[key]) for key in sorted(stray)
    ]
    found += [
        codes.UNDEFINED_AFTER_MERGE.at(WHOLE, name=n, method=method)
        for n, method in merged.undefined
    ]
    for row in rows(merged):
        after = list(merged.after)
        if row.what == "NEW" and row.subject in after:
            later = after[after.index(row.subject) + 1 :]
            if later and later[0] != "finalize":
                found.append(codes.RUNS_INSERTED.at(WHOLE, step=row.subject, later=later[0]))
        elif row.what == "removed" and row.subject.startswith("step_"):
            found.append(codes.STEP_RETIRED.at(WHOLE, step=row.subject))
        elif row.what == "deleted by you" and "changed" in row.detail:
            found.append(codes.DELETED_AND_CHANGED.at(WHOLE, step=row.subject))
    return tuple(found)


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
