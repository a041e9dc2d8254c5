"""Decides unit by unit how three cut plugins merge: the table of docs/regenerating.md."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from transpiler.merge.conflicts import Conflict, block, conflict_id, keep_both
from transpiler.merge.diff3 import merge_order
from transpiler.merge.globals import with_globals_of, with_one_block
from transpiler.merge.lines import Formatter, count_lines, merge_by_lines, merge_import, same_code
from transpiler.merge.units import WORKFLOW, Group, Unit, cut_bundle, step_of

What = Literal[
    "unchanged", "updated", "kept", "same", "merged", "conflict", "removed", "deleted", "added",
    "yours", "settled", "restored",
]  # fmt: skip
Choice = Literal["mine", "notebook", "both"]


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a unit."""

    unit: str
    what: What
    note: str = ""


@dataclass
class Decisions:
    """The user's choices, and the results collected while the units are merged."""

    pending: Mapping[str, Conflict]  # Conflicts whose block is in the plugin, by unit
    choices: Mapping[str, Choice]  # By the conflict's id, the step, the unit's name, or "*"
    restore: Collection[str]  # Steps and units whose deletion is to be undone
    formatted: Formatter | None
    names: frozenset[str] = frozenset()  # Imported names that the result needs
    methods: frozenset[str] = frozenset()  # Methods that the result needs
    forced: frozenset[str] = frozenset()  # Units that are conflicts since a check found a fault
    changes: list[Change] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    stays: Collection[str] = ()  # Steps that the notebook has no more and that stay
    leaves: Collection[str] = ()  # Steps that the notebook has no more and that go
    refused: list[str] = field(default_factory=list)  # Were to have both texts, and cannot
    # Texts that were left out by a decision: the loss guard does not look for their lines
    waived: list[str] = field(default_factory=list)

    def choice(self, path: str) -> Choice | None:
        """Return how a conflict of a unit is to be settled, if that was said."""
        name = path.rpartition("/")[2]
        there = self.pending.get(path)
        asked = [there.id if there else None, step_of(path), name, name.rpartition(" ")[2], "*"]
        return next((self.choices[key] for key in asked if key and key in self.choices), None)

    def note(self, path: str, what: What, *waived: str, note: str = "") -> None:
        """Keep what became of a unit, and the texts that are left out by it."""
        self.changes.append(Change(path, what, note))
        self.waived += waived

    def clash(
        self, path: str, reason: str, base: str | None, notebook: str | None, sample: str
    ) -> str:
        """Keep a conflict; return its block. `sample` is a text whose first line has the right indentation."""
        taken = {conflict.id for conflict in self.conflicts}
        conflict = Conflict(conflict_id(path, taken), path, reason, base, notebook)
        self.conflicts.append(conflict)
        self.note(path, "conflict", note=conflict.id)
        line = next((li for li in sample.split("\n") if li.strip()), "")
        indent = line[: len(line) - len(line.lstrip())]
        return block(conflict, indent, unit_name(path))


def unit_name(path: str) -> str:
    """Return what people call a unit: `step_02_cell`."""
    last = path.rpartition("/")[2]
    kind, _, name = last.partition(" ")
    if kind == "entry":
        return f"the entry of {name} in the steps list"
    if path.endswith("def __init__/order"):
        return "the order of the steps"
    return name if kind in ("def", "name") and name else last


def merge_groups(path: str, base: Group, ours: Group, theirs: Group, to: Decisions) -> Group:
    b, o, t = ({m.key: m for m in side.members} for side in (base, ours, theirs))
    if ours.key == WORKFLOW:
        to.stays, to.leaves = _orphans(path, b, o, t, to)
    results: dict[str, Unit] = {}
    for key in dict.fromkeys([*t, *o, *b]):
        there = f"{path}/{key}" if path else key
        unit = _merge_unit(there, b.get(key), o.get(key), t.get(key), to)
        if unit is not None:
            results[key] = unit
    head = _merge_frame(f"{path}:head", base.head, ours.head, theirs.head, to)
    if path.endswith("def __init__"):
        order, shown = _order(f"{path}/order", (list(b), list(o), list(t)), results, to)
        head += shown
    else:
        order, _ = merge_order(list(b), list(o), list(t), results)
    tail = _merge_frame(f"{path}:tail", base.tail, ours.tail, theirs.tail, to)
    return Group(ours.key, _gap(base, ours, theirs), head, tuple(results[k] for k in order), tail)


def _order(
    path: str,
    sides: tuple[list[str], list[str], list[str]],
    results: dict[str, Unit],
    to: Decisions,
) -> tuple[list[str], str]:
    """The steps list in order, and the block that shows how the notebook has it, where both sides moved steps in a circle."""
    base, ours, theirs = sides
    if (pending := to.pending.get(path)) and pending.base is not None:
        base = [f"entry {step}" for step in pending.base.split()]
    order, clash = merge_order(base, ours, theirs, results)
    if not clash:
        return order, ""
    choice = to.choice(path)
    if choice is not None:
        to.note(path, "settled")
        return (merge_order(ours, ours, theirs, results)[0] if choice == "notebook" else order), ""
    listed = ([key.removeprefix("entry ") for key in side] for side in (base, theirs))
    before, now = ("".join(f"{step}\n" for step in steps) for steps in listed)
    return order, to.clash(path, "order", before, now, results[order[0]].whole)


def _orphans(
    path: str, b: dict[str, Unit], o: dict[str, Unit], t: dict[str, Unit], to: Decisions
) -> tuple[set[str], set[str]]:
    """The steps that the notebook has no more: those that were edited and stay, and those that go.

    A step's bundle and its entry in the list stay or go together.
    """
    stays, leaves = set(), set()
    lines = [count_lines("\n".join(u.whole for u in side.values())) for side in (t, b)]
    come_in = lines[0] - lines[1]
    entries = [_entries(side.get("def __init__")) for side in (b, o)]
    for key, unit in o.items():
        pending = to.pending.get(f"{path}/{key}")
        before = _pending_unit(pending, unit) if pending else b.get(key)
        if not isinstance(unit, Group) or key in t or before is None or step_of(key) != key:
            continue
        then, now = (side.get(f"entry {key}") for side in entries)
        retitled = then is not None and now is not None and then != now
        # An open conflict stays until it is settled: its edit may be one of the entry, whose base is gone.
        edited = pending is not None or retitled or _may_lose_edits(before, unit, come_in)
        if edited and to.choice(f"{path}/{key}") != "notebook":
            stays.add(key)
        else:
            leaves.add(key)
    return stays, leaves


def _may_lose_edits(before: Unit, now: Unit, come_in: Counter[str]) -> bool:
    """Whether an edit would be lost with its step. One that only took lines away would not, unless they come in elsewhere."""
    if _is_unedited(before.whole, now.whole):
        return False
    one, two = count_lines(before.whole), count_lines(now.whole)
    return bool(two - one) or bool((one - two) & come_in)


def _entries(init: Unit | None) -> dict[str, str]:
    return {m.key: m.whole for m in init.members} if isinstance(init, Group) else {}


def _merge_unit(
    path: str, base: Unit | None, ours: Unit | None, theirs: Unit | None, to: Decisions
) -> Unit | None:
    """Return what becomes of a unit, None when it goes."""
    sample = ours or theirs
    if sample is not None and (pending := to.pending.get(path)):
        base = _pending_unit(pending, sample)
    if ours is None:
        return _merge_absent(path, base, theirs, to)
    if base is None and theirs is None:
        if "/entry " in path and step_of(path) in to.leaves:
            to.waived.append(ours.whole)
            return None
        to.note(path, "yours")
        return ours
    if isinstance(base, Group) and isinstance(ours, Group) and isinstance(theirs, Group):
        return merge_groups(path, base, ours, theirs, to)
    if path.startswith("from ") and (unit := _merge_import(path, base, ours, theirs, to)):
        return unit if unit.whole else None
    if theirs is None:
        assert base is not None
        return _merge_dropped(path, base, ours, to)
    if base is None:
        return _merge_added(path, ours, theirs, to)
    text = _merge_text(path, base.whole, ours.whole, theirs.whole, to)
    return Unit(ours.key, _gap(base, ours, theirs), text)


def _merge_absent(path: str, base: Unit | None, theirs: Unit | None, to: Decisions) -> Unit | None:
    """What becomes of a unit that the plugin has not: it is new, or was deleted by hand and stays so."""
    if theirs is None:
        return None
    if base is None:
        to.note(path, "added")
        return theirs
    if {step_of(path), unit_name(path), path} & set(to.restore):
        to.note(path, "restored")
        return theirs
    if base.whole == theirs.whole:
        to.note(path, "deleted")
        return None
    if path.startswith("from "):
        text = merge_import(base.whole, None, theirs.whole, to.names)
        to.note(path, "updated")
        return Unit(theirs.key, theirs.gap, text) if text else None
    whole_step = isinstance(theirs, Group) or "/entry " in path
    choice = "mine" if whole_step else to.choice(path)
    if choice in ("notebook", "both"):
        to.note(path, "settled")
        return theirs
    if choice == "mine":
        since = "the notebook has changed it since" if whole_step else ""
        to.note(path, "deleted", theirs.whole, note=since)
        return None
    shown = to.clash(path, "deleted", base.whole, theirs.whole, theirs.whole)
    return Unit(theirs.key, theirs.gap, shown)


def _merge_dropped(path: str, base: Unit, ours: Unit, to: Decisions) -> Unit | None:
    """What becomes of a unit that the notebook no longer has: it goes, unless it was edited or something needs it."""
    step, name = step_of(path), unit_name(path)
    if "/entry " in path and step is not None:
        if step in to.stays:
            return ours
        to.note(path, "removed", ours.whole)
        return None
    differs = not _is_unedited(base.whole, ours.whole)
    is_step = isinstance(ours, Group) and step == ours.key
    edited = step in to.stays if is_step else differs
    if not edited and (name in to.methods or name in to.names):
        to.note(path, "kept", note="the notebook needs it no more, your code does")
        return ours
    choice = to.choice(path)
    if not edited or choice == "notebook":
        asked = choice == "notebook" and differs
        to.note(path, "settled" if asked else "removed", ours.whole)
        return None
    if choice is not None:
        to.note(path, "settled")
        return ours
    shown = to.clash(path, "gone", base.whole, None, ours.whole)
    return replace(ours, head=shown + ours.head)


def _merge_added(path: str, ours: Unit, theirs: Unit, to: Decisions) -> Unit:
    """What becomes of a unit that both sides added."""
    if ours.whole == theirs.whole:
        to.note(path, "same")
        return ours
    choice = to.choice(path)
    if choice in ("mine", "notebook"):
        to.note(path, "settled", ours.whole, theirs.whole)
        return ours if choice == "mine" else theirs
    if choice == "both":
        to.refused.append(path)
    shown = to.clash(path, "added", None, theirs.whole, ours.whole)
    return replace(ours, head=shown + ours.head)


def _merge_import(
    path: str, base: Unit | None, ours: Unit, theirs: Unit | None, to: Decisions
) -> Unit | None:
    """An import, merged by its names; None when that cannot be done. A text of "" means that it goes."""
    b, o, t = (None if unit is None else unit.whole for unit in (base, ours, theirs))
    if t in (b, o):
        return None  # the table knows
    text = merge_import(b, o, t, to.names)
    if text is None:
        return None
    is_theirs = text == (t or "") or b == o
    what: What = "kept" if text == o != b else "updated" if is_theirs else "merged"
    to.note(path, what, ours.whole, t or "")
    return Unit(ours.key, _gap(base, ours, theirs or ours), text)


def _merge_text(
    path: str, base: str, ours: str, theirs: str, to: Decisions, part: bool = False
) -> str:
    """The merge of a text that all three have, with a block above it when it clashes. `part`: it is no Python by itself."""
    if ours in (base, theirs) or theirs == base:
        what: What = "same" if ours == theirs != base else "updated" if ours == base else "kept"
        to.note(path, "unchanged" if ours == base == theirs else what)
        return theirs if ours == base else ours
    choice = to.choice(path)
    settled = choice if path in to.pending else None
    if settled is None and not part and same_code(base, ours):
        to.note(path, "updated", ours)
        return theirs
    formatted = None if part else to.formatted
    (b, o, t), declared = with_one_block((base, ours, theirs))
    merge = merge_by_lines(b, o, t, formatted, whole=not part)
    if settled is None and merge.text is not None and path not in to.forced:
        to.note(path, "merged", *declared, *([ours] if formatted else ()))
        return merge.text
    of_both = keep_both((base, ours, theirs)) if choice == "both" else None
    if choice == "both" and of_both is None:
        to.refused.append(path)
    if choice is None or (choice == "both" and of_both is None):
        if merge.mine is None or path in to.forced:
            return to.clash(path, "changed", base, theirs, ours) + ours
        # What came in is settled: from now on it is in the base of what is still open.
        beneath = with_globals_of(theirs, merge.settled) if declared else merge.settled
        to.waived += declared
        return to.clash(path, "changed", beneath, theirs, ours) + merge.mine
    to.note(path, "settled", ours, theirs)
    kept = ours if merge.mine is None or path in to.forced else merge.mine
    return {"mine": kept, "notebook": theirs, "both": of_both or ""}[choice]


def _merge_frame(path: str, base: str, ours: str, theirs: str, to: Decisions) -> str:
    """What stands before or after the members of a group."""
    if pending := to.pending.get(path):
        base = pending.base or ""
    return _merge_text(path, base, ours, theirs, to, part=True)


# --- small things -----------------------------------------------------------------------------------------------------


def _is_unedited(one: str, two: str) -> bool:
    """Whether nothing was changed by hand but the layout."""
    return one == two or same_code(one, two)


def _gap(base: Unit | None, ours: Unit, theirs: Unit) -> str:
    """The empty lines above a merged unit."""
    return theirs.gap if base is not None and ours.gap == base.gap else ours.gap


def _pending_unit(pending: Conflict, like: Unit) -> Unit | None:
    """The base of an open conflict as a unit: it does not move until the conflict is settled."""
    if pending.base is None:
        return None
    if isinstance(like, Group) and (bundle := cut_bundle(pending.base)):
        return replace(bundle, key=like.key, gap=like.gap)
    return Unit(like.key, like.gap, pending.base)
