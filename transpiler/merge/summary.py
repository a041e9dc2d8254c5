"""The report of a merge: a row for each step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transpiler.merge.conflicts import REASONS, Conflict
from transpiler.merge.decide import Change, unit_name
from transpiler.merge.diff3 import longest_common
from transpiler.merge.merge import Merged
from transpiler.merge.units import step_of


@dataclass(frozen=True, slots=True)
class MergedPart:
    """The result for a step, or for a part of the plugin outside of all steps."""

    subject: str  # `step_02`, or the name of a helper
    what: str
    detail: str = ""


_BY_HAND = {"kept", "merged", "conflict", "yours", "deleted"}
_PARTS = {
    "cell": "code",
    "setup": "setup code",
    "submit": "submit handler",
    "form": "form",
    "text": "text",
}


def rows(merged: Merged) -> tuple[MergedPart, ...]:
    """Return a row for each step, in order, then those that are gone, then the other parts that are not as before."""
    by_step: dict[str, list[Change]] = {step: [] for step in (*merged.after, *merged.before)}
    others = []
    for change in merged.changes:
        step = step_of(change.unit)
        if step is not None:
            by_step.setdefault(step, []).append(change)
        elif change.what not in ("unchanged", "updated", "same", "added", "removed"):
            name = unit_name(_whole(change.unit))
            others.append(MergedPart(name, _word(change), change.note))
    moved = _moved_steps(merged.before, merged.after)
    found = {conflict.unit: conflict for conflict in merged.conflicts}
    by_step.pop("finalize", None)
    steps = (_step_row(step, its, merged.after, moved, found) for step, its in by_step.items())
    return (*steps, *others)


def count_edits(merged: Merged) -> int:
    """Return how many places of the plugin were edited by hand."""
    return sum(change.what in _BY_HAND for change in merged.changes)


def _step_row(
    step: str,
    changes: Sequence[Change],
    after: Sequence[str],
    moved: set[str],
    found: Mapping[str, Conflict],
) -> MergedPart:
    """The row of one step: the weightiest of what became of its parts, and which parts that were."""
    kinds = {change.what for change in changes}
    whole = next((c for c in changes if c.unit.rpartition("/")[2] == step), None)
    if clashes := [c for c in changes if c.what == "conflict"]:
        ids = " ".join(dict.fromkeys(c.note for c in clashes))
        shown = [(_part_name(c, step), found[c.unit]) for c in clashes if c.unit in found]
        detail = "; ".join(f"{name}: {REASONS[conflict.reason]}" for name, conflict in shown)
        return MergedPart(step, f"CONFLICT {ids}", detail)
    if whole is not None and whole.what == "added":
        number = after.index(step) if step in after else 0
        there = f"added after {after[number - 1]}" if number else "added as the first"
        return MergedPart(step, "NEW", there)
    if whole is not None and whole.what in ("removed", "yours", "deleted", "restored"):
        return MergedPart(step, _word(whole), whole.note)
    if whole is None and kinds == {"removed"}:
        return MergedPart(step, "removed")
    if whole is None and step not in after and "deleted" in kinds:
        return MergedPart(step, "deleted by you", "it is not in the steps list")
    theirs, ours = kinds & {"updated", "added", "removed"}, kinds & {"kept", "yours", "deleted"}
    both = "merged" in kinds or (theirs and ours)
    word = (
        "merged" if both else "settled" if "settled" in kinds else "restored" if "restored" in kinds
        else "updated" if theirs else "kept" if ours else "moved" if step in moved else "unchanged"
    )  # fmt: skip
    others = [c for c in changes if c.what not in ("unchanged", "same")]
    told = ["moved"] if step in moved and word != "moved" else []
    told += [f"{_part_name(c, step)} {_word(c)}" for c in others]
    all_of_it = word == "updated" and len(told) >= 4
    return MergedPart(step, word, "" if all_of_it else ", ".join(dict.fromkeys(told)))


def _word(change: Change) -> str:
    return {"deleted": "deleted by you", "kept": "edited by you"}.get(change.what, change.what)


def _whole(path: str) -> str:
    """The path of a group, for what stands before or after its members."""
    return path.removesuffix(":head").removesuffix(":tail")


def _part_name(change: Change, step: str) -> str:
    if "/entry " in change.unit:
        return "title"
    name = _whole(change.unit).rpartition("/")[2].partition(" ")[2]
    if not name:
        return "step"
    rest = name.removeprefix(step).removeprefix("_")
    kind, _, number = rest.partition("_")
    if not rest:
        return "card"
    return f"{_PARTS[kind]} {number}".rstrip() if kind in _PARTS else name


def _moved_steps(before: Sequence[str], after: Sequence[str]) -> set[str]:
    return ({*before} & {*after}) - {*longest_common(before, after)}
