"""Merges what a notebook's plugin is now into the one that was edited by hand. Texts in, text and report out; no disk.

Three texts: `base`, as it was emitted last; `ours`, as the file is now; `theirs`, as it is emitted now.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from transpiler.merge import checks
from transpiler.merge.conflicts import Conflict, without_blocks
from transpiler.merge.decide import Change, Choice, Decisions, merge_groups
from transpiler.merge.lines import Formatter
from transpiler.merge.moves import move_functions, rename_methods, renames_of
from transpiler.merge.units import WORKFLOW, Group, cut, step_of, text_of, walk

_HEADER = re.compile(r"^# port: .*$", re.MULTILINE)
_HELD = "# port: (its line is the compiler's)"


class MergeRefused(Exception):
    """The plugin cannot be merged safely; the message says why. `line` is where the plugin is not Python, else 0."""

    def __init__(self, reason: str, line: int = 0) -> None:
        self.reason, self.line = reason, line
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Request:
    """What is known beside the three texts, and what the user asked for."""

    pending: tuple[Conflict, ...] = ()  # The conflicts that were open after the last merge
    # Functions of cells that have another name now, since the cell went to another step
    moves: Mapping[str, str] = field(default_factory=dict)
    # Methods of the frame that the user renamed, as earlier merges found
    renames: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, Choice] = field(default_factory=dict)
    restore: Collection[str] = ()
    formatted: Formatter | None = None  # Black, to look through a formatter's work


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged plugin."""

    text: str
    changes: tuple[Change, ...]
    conflicts: tuple[Conflict, ...]
    lines: Mapping[str, int]  # Where each block of a conflict begins, from 1, also of unknown ones
    before: tuple[str, ...]  # The steps as they were emitted last, in order
    after: tuple[str, ...]  # The steps of the merged plugin, in order
    renames: Mapping[str, str]  # Renamed methods of the frame: name as emitted, name in the plugin
    undefined: tuple[tuple[str, str], ...]  # Names that nothing defines in hand edits: name, method
    refused: tuple[str, ...]  # Units that were to have the texts of both sides, and cannot


def merge(base: str, ours: str, theirs: str, request: Request | None = None) -> Merged:
    """Return the merged plugin. Lines end in "\\n" in all texts. Raises MergeRefused when it cannot be done safely."""
    request = request or Request()
    wanted = _HEADER.search(theirs)
    ours, stood = without_blocks(ours, {conflict.id for conflict in request.pending})
    ended = ours.endswith("\n")
    ours += "" if ended else "\n"
    try:
        sides = [_HEADER.sub(_HELD, text, count=1) for text in (base, ours, theirs)]
        trees, renames = _follow_renames(sides, request)
    except RecursionError as error:
        raise MergeRefused("it is nested too deeply") from error
    open_ = {c.unit: _with_names(c, renames) for c in request.pending if c.id in stood}
    to, tree = _merge_until_valid(trees, open_, request)
    text = text_of(tree)
    if wanted:
        text = text.replace(_HELD, wanted[0], 1)
    if not ended and text.endswith("\n"):
        text = text[:-1]
    for old, new in sorted(renames.items()):
        called = f"it was {old}; the notebook's code calls it so"
        to.note(f"{WORKFLOW}/def {new}", "kept", note=called)
    _, lines = without_blocks(text, set())
    undefined = checks.undefined_by_edits(text_of(tree), text_of(trees[1]), text_of(trees[2]))
    return Merged(
        text, tuple(to.changes), tuple(to.conflicts), lines,
        _steps(trees[0]), _steps(tree), renames, undefined, tuple(to.refused),
    )  # fmt: skip


def _follow_renames(
    sides: Sequence[str], request: Request
) -> tuple[tuple[Group, Group, Group], dict[str, str]]:
    """The three texts as groups, base and theirs with the names that the user gave to methods; and those names."""
    trees = _aligned_groups(sides, request)
    renames = renames_of(*trees, request.renames)
    if not renames:
        return trees, {}
    base, theirs = (rename_methods(side, renames) for side in (sides[0], sides[2]))
    if base is None or theirs is None:
        return trees, {}
    return _aligned_groups((base, sides[1], theirs), request), renames


def _with_names(conflict: Conflict, renames: Mapping[str, str]) -> Conflict:
    """An open conflict whose base has the names that the user gave since."""
    base = conflict.base
    for old, new in renames.items() if base else ():
        base = re.sub(rf"\bself\.{re.escape(old)}\b", f"self.{new}", base or "")
    return replace(conflict, base=base)


def _aligned_groups(sides: Sequence[str], request: Request) -> tuple[Group, Group, Group]:
    base, ours, theirs = sides
    known = [cut(base), cut(theirs)]
    bundles = {u.key for tree in known for _, u in walk(tree) if step_of(u.key) == u.key}
    try:
        mine = cut(ours, bundles)
    except (SyntaxError, ValueError) as error:
        reason, line = getattr(error, "msg", str(error)), getattr(error, "lineno", None) or 1
        raise MergeRefused(reason, line) from error
    return move_functions(known[0], mine, known[1], request.moves)


def _merge_until_valid(
    trees: tuple[Group, Group, Group], open_: Mapping[str, Conflict], request: Request
) -> tuple[Decisions, Group]:
    """Merge until the result passes its checks: what does not is a conflict, or keeps what is still used."""
    sides = [text_of(side) for side in trees]
    needed: tuple[frozenset[str], frozenset[str], frozenset[str]]
    needed = frozenset(), frozenset(), frozenset()
    for _ in range(5):
        to = Decisions(open_, request.choices, request.restore, request.formatted, *needed)
        tree = merge_groups("", *trees, to)
        text = text_of(tree)
        names, methods = checks.still_used(text, sides[1])
        reason = None if text in sides[1:] else checks.find_problem(text, sides, to)
        failed = {c.unit for c in to.changes if reason and c.what in ("merged", "conflict")}
        before, needed = needed, (to.names | names, to.methods | methods, to.forced | failed)
        if needed == before:
            break
    if reason:
        raise MergeRefused(reason)
    return to, tree


def _steps(tree: Group) -> tuple[str, ...]:
    """The ids of the steps list, in order."""
    entries = (unit for path, unit in walk(tree) if "/def __init__/entry " in path)
    return tuple(entry.key.removeprefix("entry ") for entry in entries)
