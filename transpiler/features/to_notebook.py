"""`--to-notebook`: carries edits made by hand in the cells of a plugin back into the notebook.

Each is tried before anything is written: the notebook as it would be is ported in memory, and only what leaves the plugin exactly as
it is (but for the hash in its header line) is taken. So whatever the compiler makes of a cell, an edit cannot come back changed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from transpiler.merge.back_to_notebook import Edit, Edits, edits_of, with_edits
from transpiler.merge.diff3 import join_pieces, merge_lines
from transpiler.merge.units import cut, split_lines, step_of, walk
from transpiler.model import rules
from transpiler.model.diagnostics import REFUSED, WHOLE, Diagnostic, Found, Severity, UserError
from transpiler.model.ir import PlannedCell
from transpiler.model.options import Asked, Options
from transpiler.notebook.edit import rewrite
from transpiler.passes.read import read
from transpiler.pipeline import Ported, port, read_bytes
from transpiler.plugin_folder.files import replace_notebook
from transpiler.plugin_folder.plugin_folder import PluginFolder
from transpiler.plugin_folder.pristine import is_pristine

_HEADER = re.compile(r"^# port: id=.*$", re.MULTILINE)
ALL = "all"

OURS = "it is in lines that the compiler wrote"
AS_TEXT = "the cell is kept as text"
BOTH = "the notebook has other lines there now"
OPEN = "there is a conflict; settle it first"


class CarriedCell(NamedTuple):
    """A function of the plugin, its cell's position in the notebook, and how many edits went into it."""

    function: str
    cell: int
    edits: int


@dataclass(frozen=True, slots=True)
class Carried:
    """What went into the notebook."""

    cells: tuple[CarriedCell, ...]
    found: Found  # The edits that stay in the plugin, and why
    ported: Ported | None = None
    """The port that followed: its base knows the edits as the notebook's."""


def count_possible_edits(ported: Ported) -> int:
    """Return how many edits may go into the notebook, as far as can be said without trying."""
    result, plan = ported.regenerated, ported.plan
    if result is None or plan is None or not result.edits:
        return 0
    base, ours = _functions(result.base), _functions(_text(result.content))
    pending = {conflict.unit.rpartition("/")[2] for conflict in result.conflicts}
    return sum(
        len(edits_of(base[name], ours[name], cell.original).back)
        for step in plan.steps
        for cell in step.cells
        if (name := f"def {cell.function}") in base and name in ours and name not in pending
        and base[name] != ours[name]
    )  # fmt: skip


def carry(notebook: Path, out: Path, options: Options, wanted: str = ALL) -> Carried:
    """Carry the edits of a plugin, or of one step or function of it, into its notebook, and port it then.

    A backup of the notebook lies with those of the plugin. Raises UserError: as `port` does; PP435 when there is no plugin
    (exit 2); PP407 for a step that is not there (exit 2); PP490 when the notebook or the plugin is saved meanwhile (exit 3).
    """
    desk = _Desk(notebook, out, options)
    known = {name for cell in desk.cells for name in (cell.function, step_of(cell.function))}
    if wanted not in (ALL, *known):
        reason = "there is no such step"
        raise UserError(rules.BAD_OPTION, option="--to-notebook", value=wanted, reason=reason)
    for cell in desk.cells:
        if wanted in (ALL, cell.function, step_of(cell.function)):
            desk.carry(cell)
    if not desk.taken:
        return Carried((), tuple(desk.found))
    desk.folder.keep_notebook(desk.where, desk.raw)
    replace_notebook(notebook, desk.raw, desk.after)
    return Carried(tuple(desk.done), tuple(desk.found), port(notebook, out, options))


@dataclass
class _Desk:
    """A notebook while edits are carried into it. Nothing is written here."""

    notebook: Path
    out: Path
    options: Options
    taken: dict[int, str] = field(default_factory=dict)  # The new sources, by the cell's position
    done: list[CarriedCell] = field(default_factory=list)
    found: list[Diagnostic] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Port it in memory as it is: that is what must not change."""
        self.raw = self.after = read_bytes(self.notebook)
        self.folder = PluginFolder.open(self.out, self.notebook)
        there = {place.path: place for place in self.folder.plugins}
        if not there:
            raise UserError(rules.NOT_PORTED, path=str(self.notebook), folder=str(self.out))
        now = port(self.notebook, self.out, self.options, Asked(dry=True), anew=True)
        if now.failed or now.regenerated is None or now.plan is None:
            first = next(d for d in now.found if d.rule.severity is Severity.ERROR)
            raise UserError(first.rule, REFUSED, first.span, **dict(first.values))
        if now.plugin not in there:  # those that are there are of another name
            raise UserError(rules.NOT_PORTED, path=str(self.notebook), folder=str(self.out))
        self.where = where = there[now.plugin]
        self.expected = _without_hash(now)
        self.cells = [cell for step in now.plan.steps for cell in step.cells]
        self.sources = {c.function: c.source for step in where.lock.steps for c in step.cells}
        self.open = {each.unit.rpartition("/")[2] for each in now.regenerated.conflicts}
        ours = _text(where.raw or b"")
        self.ours = _functions(ours)
        self.base = _functions(ours if is_pristine(ours) else _text(where.base or b""))

    def carry(self, cell: PlannedCell) -> None:
        name = cell.function
        is_code = bool(self.base.get(f"def {name}"))
        key = f"def {name}" if is_code else f"name {name}"
        base, ours = self.base.get(key), self.ours.get(key)
        if base is None or ours is None or base == ours:
            return
        if not is_code:
            self._stays(name, AS_TEXT)
        elif f"def {name}" in self.open:
            self._stays(name, OPEN)
        elif (source := self.sources.get(name)) is not None:
            edits = edits_of(base, ours, source)
            if edits.stay:
                self._stays(name, OURS)
            self._take_edits(cell, source, edits)

    def _take_edits(self, cell: PlannedCell, source: str, edits: Edits) -> None:
        """Take all edits of a cell, or else those that can be taken by themselves."""
        if not edits.back:
            return
        reason = self._try_edits(cell, source, edits.back)
        if reason is None:
            self.done.append(CarriedCell(cell.function, cell.index, len(edits.back)))
            return
        kept: list[Edit] = []
        for edit in edits.back if len(edits.back) > 1 else ():
            if (why := self._try_edits(cell, source, (*kept, edit))) is None:
                kept.append(edit)
            else:
                reason = why
        if kept:
            self.done.append(CarriedCell(cell.function, cell.index, len(kept)))
        self._stays(cell.function, reason)

    def _try_edits(self, cell: PlannedCell, source: str, edits: Sequence[Edit]) -> str | None:
        """Take edits of a cell if the plugin stays as it is; return why not, else None."""
        new = _merge_into_cell(source, with_edits(source, edits), cell.original)
        if new is None:
            return BOTH
        taken = {**self.taken, cell.index: new}
        try:
            after = rewrite(self.raw, taken)
        except KeyError:
            return "the cell cannot be changed in the file"
        parsed, _ = read(after, self.notebook.name)
        if parsed is None or any(parsed.cells[n].source != text for n, text in taken.items()):
            return "the cell cannot be changed in the file"
        made = port(self.notebook, self.out, self.options, Asked(dry=True), anew=True, raw=after)
        if made.failed or made.regenerated is None:
            errors = [d.message for d in made.found if d.rule.severity is Severity.ERROR]
            return f"as a cell it is refused: {errors[0]}"
        if (now := _without_hash(made)) != self.expected:
            return f"the plugin would become another one, with `{_first_other(self.expected, now)}`"
        self.taken, self.after = taken, after
        return None

    def _stays(self, function: str, reason: str) -> None:
        self.found.append(rules.EDIT_STAYS.at(WHOLE, function=function, reason=reason))


def _merge_into_cell(base: str, ours: str, theirs: str) -> str | None:
    """The cell as it is now with the edits in it; None when both changed the same lines."""
    if base == theirs:
        return ours
    sides = [split_lines(f"{side}\n") for side in (base, ours, theirs)]
    text = join_pieces(merge_lines(*sides))
    return None if text is None else text.removesuffix("\n")


def _functions(text: str) -> dict[str, str]:
    """The texts of a plugin's units by their own keys; none when it is not Python."""
    try:
        return {unit.key: unit.whole for _, unit in walk(cut(text))}
    except (SyntaxError, ValueError, RecursionError):
        return {}


def _text(raw: bytes) -> str:
    return raw.decode("utf-8-sig", "replace").replace("\r\n", "\n")


def _without_hash(ported: Ported) -> str:
    assert ported.regenerated is not None
    return _HEADER.sub("", _text(ported.regenerated.content), count=1)


def _first_other(one: str, two: str) -> str:
    """The first line that is in the second text only, or what is missing there."""
    old, new = (dict.fromkeys(filter(str.strip, text.split("\n"))) for text in (one, two))
    added, gone = (line for line in new if line not in old), (
        line for line in old if line not in new
    )
    return next(added, next(gone, "")).strip()


def as_dict(carried: Carried) -> Mapping[str, object]:
    return {"to_notebook": [cell._asdict() for cell in carried.cells]}
