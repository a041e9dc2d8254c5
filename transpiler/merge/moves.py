"""Moves edits along when a cell now belongs to another step and so has another function name."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import SequenceMatcher
from typing import TypeGuard

from transpiler.merge.checks import is_cell
from transpiler.merge.units import WORKFLOW, Group, Unit, parse_plugin, split_lines, step_of

# --- renamed methods ------------------------------------------------------------------------------------------------------

ALIKE = 0.6  # From this similarity of the bodies on a new method may be an old one that was renamed
APART = 0.1  # So much less alike must the next candidate be


def renames_of(base: Group, ours: Group, theirs: Group, known: Mapping[str, str]) -> dict[str, str]:
    """Return the methods that the user renamed: name as emitted -> name now. `known` are those of earlier merges."""
    before, mine, now = _methods(base), _methods(ours), _methods(theirs)
    gone = sorted(before.keys() - mine.keys())
    fresh = sorted(mine.keys() - before.keys() - now.keys())
    found = {old: new for old, new in known.items() if old in gone and new in fresh}
    taken = set(found.values())
    for old in gone:
        if old in found:
            continue
        scores = [(_alike(before[old], mine[n], old, n), n) for n in fresh if n not in taken]
        (best, new), (second, _), *_ = sorted(scores, reverse=True) + [(0.0, "")] * 2
        if best >= ALIKE and best - second >= APART:
            found[old] = new
            taken.add(new)
    return found


def _methods(tree: Group) -> dict[str, str]:
    """The methods of the workflow's frame: name -> text."""
    frame = (u for u in _workflow(tree) if not isinstance(u, Group) and step_of(u.key) is None)
    methods = (u for u in frame if u.key.startswith("def ") and "#" not in u.key)
    return {unit.key.removeprefix("def "): unit.head for unit in methods}


def _alike(before: str, now: str, old: str, new: str) -> float:
    """How alike two methods are but for their names."""
    one, two = (
        [line.strip().replace(name, "_") for line in text.split("\n") if line.strip()]
        for text, name in ((before, old), (now, new))
    )
    return SequenceMatcher(None, one, two, autojunk=False).ratio()


def rename_methods(text: str, names: Mapping[str, str]) -> str | None:
    """Return a plugin with other names for methods of its frame; None where they cannot be replaced with certainty.

    `self.name` and `def name` are replaced, outside the notebook's cells: what is `self` there is something else.
    """
    lines = [line.encode() for line in split_lines(text)]
    places = sorted(_places(parse_plugin(text), lines, names), reverse=True)
    for number, end, old in places:
        line, start = lines[number], end - len(old.encode())
        if line[start:end] != old.encode():
            return None  # Python 3.11 does not know where in an f-string something stands
        lines[number] = line[:start] + names[old].encode() + line[end:]
    return b"".join(lines).decode()


def _places(
    tree: ast.Module, lines: list[bytes], names: Mapping[str, str]
) -> Iterator[tuple[int, int, str]]:
    """Where names to be replaced end: line (from 0), byte, name."""
    for workflow in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        for member in workflow.body:
            if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) and member.name in names:
                number, head = member.lineno - 1, f"def {member.name}".encode()
                yield number, lines[number].find(head + b"(") + len(head), member.name
            if is_cell(member):
                continue
            for node in ast.walk(member):
                match node:
                    case ast.Attribute(value=ast.Name(id="self"), attr=name) if name in names:
                        yield (node.end_lineno or 1) - 1, node.end_col_offset or 0, name


# --- edits that move to another step --------------------------------------------------------------------------------------


def move_functions(
    base: Group, ours: Group, theirs: Group, moves: Mapping[str, str]
) -> tuple[Group, Group, Group]:
    """Return the three plugins with the functions of moved cells where the notebook has them now.

    `moves` maps a function's name in the base to its name in `theirs`.
    """
    if not moves:
        return base, ours, theirs
    there = {u.key: u for u in _workflow(theirs) if _is_bundle(u)}
    new = there.keys() - {u.key for u in _workflow(base)}
    before, mine = (_move_in_plugin(tree, there, new, moves) for tree in (base, ours))
    return before, mine, theirs


def _workflow(tree: Group) -> tuple[Unit, ...]:
    """The units of the workflow class."""
    found = (u for u in tree.members if isinstance(u, Group) and u.key == WORKFLOW)
    return next((unit.members for unit in found), ())


def _is_bundle(unit: Unit) -> TypeGuard[Group]:
    """Whether a unit is the bundle of a step."""
    return isinstance(unit, Group) and step_of(unit.key) == unit.key


def _move_in_plugin(
    tree: Group, there: Mapping[str, Group], new: set[str], moves: Mapping[str, str]
) -> Group:
    """One plugin with the functions where they belong. `new` are steps that only the notebook's plugin has."""
    taken: dict[str, Unit] = {}
    units: list[Unit] = []
    for unit in _workflow(tree):
        if _is_bundle(unit):
            stays = []
            for member in unit.members:
                name = moves.get(member.key.partition(" ")[2])
                if name and step_of(name) in there:
                    taken[name] = _rename_function(member, name)
                else:
                    stays.append(member)
            unit = replace(unit, members=tuple(stays))
        units.append(unit)
    targets = {step_of(name) for name in moves.values()}
    missing = new & targets - {unit.key for unit in units}
    units += [replace(there[key], members=()) for key in sorted(missing)]
    # Where the step is gone by hand, so are its cells.
    filled = tuple(_fill_bundle(u, there, taken) if isinstance(u, Group) else u for u in units)
    members = tuple(
        replace(u, members=filled) if isinstance(u, Group) and u.key == WORKFLOW else u
        for u in tree.members
    )
    return replace(tree, members=members)


def _fill_bundle(group: Group, there: Mapping[str, Group], taken: Mapping[str, Unit]) -> Group:
    """A bundle with the functions that came to it, in the order that the notebook's has."""
    for name, leaf in taken.items():
        if step_of(name) != group.key or group.key not in there:
            continue
        order = [member.key for member in there[group.key].members]
        before = set(order[: order.index(leaf.key)]) if leaf.key in order else set(order)
        at = sum(member.key in before for member in group.members)
        group = replace(group, members=(*group.members[:at], leaf, *group.members[at:]))
    return group


def _rename_function(leaf: Unit, name: str) -> Unit:
    kind, _, old = leaf.key.partition(" ")
    pattern = rf"^(\s*(?:async )?def |\s*){re.escape(old)}\b"
    text = re.sub(pattern, rf"\g<1>{name}", leaf.head, flags=re.MULTILINE)
    return Unit(f"{kind} {name}", leaf.gap, text)
