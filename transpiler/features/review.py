"""Lays a notebook and its plugin side by side, for a review of the generated code. Writes nothing.

It finds hand edits by comparing three texts, as a merge does: the base (what was emitted last), the plugin, and what is
emitted now. `transpiler.features.review_model` has the types; the host draws them.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from transpiler.features.report import said_of
from transpiler.features.review_model import (
    CellView,
    ConflictView,
    PartState,
    Remark,
    Review,
    ReviewPart,
    ReviewRow,
    conflicts_of,
    lines_of,
    plain,
)
from transpiler.merge.conflicts import REASONS, Conflict, without_blocks
from transpiler.merge.decide import Choice, unit_name
from transpiler.merge.lines import same_code
from transpiler.merge.units import Group, Unit, cut, step_of
from transpiler.model import rules
from transpiler.model.diagnostics import WHOLE, Diagnostic, UserError
from transpiler.model.ir import Cell, Notebook, Plan, PlannedCell, PlannedStep
from transpiler.model.options import Asked, Options
from transpiler.passes.read import read
from transpiler.pipeline import Ported, planned, port, read_bytes
from transpiler.plugin_folder import place as target
from transpiler.plugin_folder.last_port import with_remembered
from transpiler.plugin_folder.lockfile import known_of
from transpiler.plugin_folder.paths import sha
from transpiler.plugin_folder.plugin_folder import PluginFolder
from transpiler.plugin_folder.pristine import is_pristine

_HEADER = re.compile(r"^# port: id=.*$", re.MULTILINE)
_MARKERS = re.compile(r"^\s*# --- (?:START|END)_STEP_BUNDLE: \w+ ---\n?", re.MULTILINE)
_BY_HAND = ("edited", "yours", "deleted")
_LABELS = {"form": "form", "submit": "what a submit does", "text": "text"}


def review(notebook: Path, out: Path, options: Options, plugin: Path | None = None) -> Review:
    """Return the review of a notebook whose plugin is in a folder.

    `plugin` says which, where several were made from the notebook; else it is the one that a port would change. Raises
    UserError (exit 2) when the notebook cannot be read or has no such plugin there: PP101 to PP104, PP435.
    """
    raw = read_bytes(notebook)
    parsed, found = read(raw, notebook.name)
    if parsed is None:
        first = found[0]
        raise UserError(first.rule, 2, first.span, **dict(first.values))
    places = PluginFolder.open(out, notebook).plugins
    there = [place for place in places if plugin in (None, place.path)]
    if not there:
        raise UserError(rules.NOT_PORTED, 2, path=str(notebook), folder=str(out))
    try:
        ported = port(notebook, out, options, Asked(dry=True), anew=True, raw=raw)
    except UserError as error:
        ported = Ported(notebook, None, None, (error.diagnostic,), changed=False)
    where = next((place for place in there if place.path == ported.plugin), there[0])
    if ported.plugin not in (None, where.path):
        ported = _not_ported_to(where, ported, raw, options)
    return _Desk(parsed, where, ported).review(sha((where.raw or b"") + raw), options)


def _not_ported_to(where: target.Place, ported: Ported, raw: bytes, options: Options) -> Ported:
    """Return what a port says of a plugin that it would not change, as the notebook has another name than this one: PP409."""
    assert ported.plan is not None
    known = known_of(where.lock, where.text)
    its_steps = {ported.plan.app_name: known} if known else {}
    options, kept = with_remembered(options, where.lock.chosen)
    made = planned(raw, ported.notebook, options, kept, its_steps)
    second = rules.SECOND_PLUGIN.at(
        WHOLE, old=str(where.path), path=str(ported.plugin), name=where.app_name
    )
    return Ported(ported.notebook, None, made.plan, (*made.found, second), changed=False)


def settle(
    notebook: Path, out: Path, options: Options,
    conflict: str, choice: str, seen: str, plugin: Path | None = None,
) -> tuple[Review, str]:  # fmt: skip
    """Resolve a conflict as `port --resolve` does; return the new review, and the result in words.

    Nothing is done when the files are not those that were `seen`, nor when a port would do more than settle, or change another plugin
    than this one. Raises UserError, as a port does.
    """
    before = review(notebook, out, options, plugin)
    if before.seen != seen or choice not in _SETTLED:
        return before, "The notebook or the plugin has changed meanwhile. Here is how they are now."
    for remark in before.remarks:
        if remark.code == rules.SECOND_PLUGIN.code:
            return before, f"Nothing was settled: {remark.message}."
    if before.coming or before.refused:
        return before, f"Port the notebook first: {before.command}"
    there = {each.id: each for each in before.conflicts}
    if conflict not in there or choice not in there[conflict].choices:
        return before, "That conflict is not open any more."
    port(notebook, out, options, Asked(choices={conflict: cast(Choice, choice)}))
    after = review(notebook, out, options, plugin)
    if conflict in {each.id for each in after.conflicts}:
        return after, "The two texts cannot stand one below the other. Settle it in the file."
    what = _SETTLED[choice].format(there[conflict].name)
    return after, f"{what} To undo: {before.command} --undo"


_SETTLED = {
    "mine": "{} is settled: yours stays.",
    "notebook": "{} is settled: it is the notebook's now.",
    "both": "{} is settled: it has both.",
}


class _Text(NamedTuple):
    """A part of the plugin's text: where it begins, and what it is without blocks of conflicts."""

    line: int
    text: str


class _Desk:
    """A notebook and a plugin while they are laid side by side."""

    def __init__(self, notebook: Notebook, where: target.Place, ported: Ported) -> None:
        self.notebook, self.where, self.ported = notebook, where, ported
        self.text = (where.raw or b"").decode("utf-8-sig", "replace").replace("\r\n", "\n")
        result = ported.regenerated
        _, standing = without_blocks(self.text, set())
        self.pending = {c.unit: c for c in where.lock.pending if c.id in standing}
        self.told = {row.subject: row for row in result.rows} if result else {}
        base = (where.base or b"").decode(errors="replace").replace("\r\n", "\n")
        self.base = self.text if is_pristine(self.text) else base
        self.planned = {cell.function: cell for step in _steps(ported.plan) for cell in step.cells}

    def review(self, seen: str, options: Options) -> Review:
        plan, ported = self.ported.plan, self.ported
        parts = list(self._parts())
        by_step: dict[str, list[ReviewPart]] = {}
        others = []
        for path, part in parts:
            step = step_of(path)
            if step is None:
                if part.state != "emitted":
                    others.append(part)
            elif "/entry " not in path or part.state != "emitted":
                by_step.setdefault(step, []).append(part)
        rows = tuple(self._rows(by_step))
        told = [
            d
            for d in ported.found
            if not 0 <= d.span.cell < len(self.notebook.cells) and d.rule is not rules.CONFLICT
        ]
        shown = conflicts_of(rows, others)
        lost = tuple(c for c in map(_conflict, self.pending.values()) if c not in shown)
        if lost:
            label = "no part of the file any more"
            others.append(ReviewPart("", label, 0, (), "conflict", conflicts=lost))
        edits = sum(part.state in _BY_HAND for _, part in parts)
        return Review(
            plan.title if plan else self.notebook.name,
            self.notebook.name,
            self.where.path.as_posix(),
            _command(ported.notebook, self.where.path, options),
            seen,
            rows,
            tuple(others),
            tuple(map(_remark, told)),
            ported.regenerated.edits if ported.regenerated else edits,
            ported.changed,
            ported.plugin is None,
        )

    # --- the notebook's side

    def _rows(self, by_step: Mapping[str, Sequence[ReviewPart]]) -> Iterator[ReviewRow]:
        """A row for each step, in the notebook's order; steps that only the plugin has, where they stand there."""
        cells = self._cells()
        steps = _steps(self.ported.plan)
        titles = {step.id: step.title for step in steps}
        for step in self._order([step.id for step in steps], list(by_step)):
            row, title = self.told.get(step), titles.get(step, "")
            word, detail = (row.what, row.detail) if row else ("", "")
            own, parts = tuple(cells.get(step, ())), tuple(by_step.get(step, ()))
            whole = [c for c in self.pending.values() if c.unit.rpartition("/")[2] == step]
            shown = tuple(map(_conflict, whole))
            yield ReviewRow(step, title, word, detail, own, parts, shown)
        if in_none := tuple(cells.get("", ())):
            yield ReviewRow("", "", "", "", in_none, ())

    @staticmethod
    def _order(planned: Sequence[str], there: Sequence[str]) -> list[str]:
        """The planned steps, and each other one behind the one it stands behind in the plugin."""
        order = list(planned)
        for number, step in enumerate(there):
            if step not in order:
                before = [s for s in there[:number] if s in order]
                order.insert(order.index(before[-1]) + 1 if before else 0, step)
        return order

    def _cells(self) -> dict[str, list[CellView]]:
        """The cells of each step; those in none stand with the step after them, the last ones under ""."""
        function = {cell.index: cell for cell in self.planned.values()}
        owner = {c.index: step.id for step in _steps(self.ported.plan) for c in step.cells}
        found: dict[str, list[CellView]] = {}
        after = ""
        for cell in reversed(self.notebook.cells):
            after = owner.get(cell.index, after)
            found.setdefault(after, []).insert(0, self._cell(cell, function.get(cell.index)))
        return found

    def _cell(self, cell: Cell, planned: PlannedCell | None) -> CellView:
        before = {c.function: c.source for step in self.where.lock.steps for c in step.cells}
        remarks = tuple(_remark(d) for d in self.ported.found if d.span.cell == cell.index)
        lines, state, note = plain(cell.source), "", ""
        if planned is not None and before:
            old = before.get(planned.function)
            state = "new" if old is None else "changed" if old != planned.original else ""
            lines = plain(cell.source, "+") if old is None else lines_of(old, planned.original)
        elif planned is None and cell.kind == "code" and cell.source.strip() and self.planned:
            note = "not in the plugin"
        return CellView(cell.index, cell.id, cell.kind, lines, state, remarks, note)  # type: ignore[arg-type]

    # --- the plugin's side

    def _parts(self) -> Iterator[tuple[str, ReviewPart]]:
        """The parts of the plugin, and those that are gone from it, each with its path."""
        ids = {conflict.id for conflict in self.pending.values()}
        ours = _texts(self.text, ids)
        if ours is None:
            return
        base = _texts(self.base, set()) or {}
        for path, mine in ours.items():
            pending = self.pending.get(path)
            old = base.get(path)
            before = pending.base if pending else old.text if old else None
            yield path, self._part(path, mine, before, pending, bool(base))
        for path, old in base.items():
            if path not in ours and (old.text.strip() or path in self.pending):
                conflict = self.pending.get(path)
                shown = (_conflict(conflict),) if conflict else ()
                state: PartState = "conflict" if conflict else "deleted"
                name, label, is_code = _named(path)
                gone = plain(old.text.rstrip("\n"), "-")
                yield path, ReviewPart(name, label, 0, gone, state, is_code, (), shown)

    def _part(
        self, path: str, mine: _Text, before: str | None, pending: Conflict | None, known: bool
    ) -> ReviewPart:
        now = mine.text.rstrip("\n")
        state: PartState = "emitted"
        lines = plain(now)
        if before is None:
            if known and now.strip():
                state, lines = "yours", plain(now, "+")
        elif before.rstrip("\n") != now and not same_code(before, mine.text):
            state, lines = "edited", lines_of(before.rstrip("\n"), now)
        name, label, is_code = _named(path)
        planned = self.planned.get(name)
        changes = planned.changes if planned else ()
        if planned and planned.text_reason:
            changes = (*changes, f"kept as text: {planned.text_reason}")
        shown = (_conflict(pending),) if pending else ()
        state = "conflict" if pending else state
        return ReviewPart(name, label, mine.line, lines, state, is_code, changes, shown)


def _texts(text: str, ids: set[str]) -> dict[str, _Text] | None:
    """The parts of a plugin's text by path; None when it is not Python."""
    try:
        whole = cut(_HEADER.sub("# port:", text, count=1))
    except (SyntaxError, ValueError, RecursionError):
        return None
    found = {}
    for path, at, piece in _leaves(whole, "", 1):
        bare, _ = without_blocks(piece, ids)
        bare = _MARKERS.sub("", bare) if path.endswith((":head", ":tail")) else bare
        skipped = piece.count("\n") - bare.count("\n")
        if bare.strip():
            found[path] = _Text(at + skipped, bare)
    return found


def _leaves(unit: Unit, path: str, at: int) -> Iterator[tuple[str, int, str]]:
    """The path, the first line and the text of everything in a unit."""
    at += unit.gap.count("\n")
    if not isinstance(unit, Group):
        yield path, at, unit.head
        return
    yield f"{path}:head", at, unit.head
    at += unit.head.count("\n")
    for member in unit.members:
        yield from _leaves(member, f"{path}/{member.key}" if path else member.key, at)
        at += (member.gap + member.whole).count("\n")
    yield f"{path}:tail", at, unit.tail


def _named(path: str) -> tuple[str, str, bool]:
    """The name of a part, what people call it, and whether it is the code of a cell."""
    name = unit_name(path.removesuffix(":head").removesuffix(":tail"))
    step = step_of(path)
    if step is None or not name.startswith(f"{step}"):
        return name, name, False
    kind, _, number = name.removeprefix(step).removeprefix("_").partition("_")
    if kind in ("cell", "setup"):
        words = "code" if kind == "cell" else "code that runs before"
        return name, f"{words} {number}".rstrip(), True
    return name, _LABELS.get(kind, kind) or "card", False


def _conflict(conflict: Conflict) -> ConflictView:
    if conflict.notebook is None:
        lines = plain((conflict.base or "").rstrip("\n"), "-")
    elif conflict.base is None:
        lines = plain(conflict.notebook.rstrip("\n"), "+")
    else:
        lines = lines_of(conflict.base.rstrip("\n"), conflict.notebook.rstrip("\n"))
    both = ("mine", "notebook", "both") if conflict.reason == "changed" else ("mine", "notebook")
    name, reason = unit_name(conflict.unit), REASONS[conflict.reason]
    return ConflictView(conflict.id, name, reason, lines, both)


def _remark(diagnostic: Diagnostic) -> Remark:
    return Remark(**said_of(diagnostic), line=diagnostic.span.line)  # type: ignore[arg-type]


def _steps(plan: Plan | None) -> tuple[PlannedStep, ...]:
    return plan.steps if plan else ()


def _command(notebook: Path, plugin: Path, options: Options) -> str:
    words = ["pipulate", "port", (_short(notebook.parent) / notebook.name).as_posix()]
    if (folder := _short(plugin.parent)) != Path("generated"):
        words += ["-o", folder.as_posix()]
    if options.by:
        words += ["--by", options.by]
    return shlex.join(words)


def _short(folder: Path) -> Path:
    """A folder as one would type it: from here on, if it is below."""
    whole, here = folder.resolve(), Path.cwd()
    return whole.relative_to(here) if whole.is_relative_to(here) else whole
