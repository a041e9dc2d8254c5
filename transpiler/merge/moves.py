"""Moves edits along when a cell now belongs to another step and so has another function name."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import SequenceMatcher

from transpiler.merge.checks import is_cell
from transpiler.merge.units import WORKFLOW, Group, Leaf, Unit, parse_plugin, split_lines, step_of

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
        scores = sorted(
            ((_alike(before[old], mine[new], old, new), new) for new in fresh if new not in taken),
            reverse=True,
        )
        if not scores or scores[0][0] < ALIKE:
            continue
        if len(scores) > 1 and scores[0][0] - scores[1][0] < APART:
            continue
        found[old] = scores[0][1]
        taken.add(scores[0][1])
    return found


def _methods(tree: Group) -> dict[str, str]:
    for unit in tree.members:
        if isinstance(unit, Group) and unit.key == WORKFLOW:
            return {
                member.key.removeprefix("def "): member.text
                for member in unit.members
                if isinstance(member, Leaf)
                and member.key.startswith("def ")
                and step_of(member.key) is None
                and "#" not in member.key
            }
    return {}


def _alike(before: str, now: str, old: str, new: str) -> float:
    """How alike two methods are but for their names."""
    sides = [
        [line.strip().replace(name, "_") for line in text.split("\n") if line.strip()]
        for text, name in ((before, old), (now, new))
    ]
    return SequenceMatcher(None, sides[0], sides[1], autojunk=False).ratio()


def rename_methods(text: str, names: Mapping[str, str]) -> str | None:
    """Return a plugin with other names for methods of its frame; None where they cannot be replaced with certainty.

    `self.name` and `def name` are replaced, outside the notebook's cells: what is `self` there is something else.
    """
    lines = [line.encode() for line in split_lines(text)]
    places = sorted(_places(parse_plugin(text), lines, names), reverse=True)
    for number, end, old in places:
        line = lines[number]
        if line[end - len(old.encode()) : end] != old.encode():
            return None  # Python 3.11 does not know where in an f-string something stands
        lines[number] = line[: end - len(old.encode())] + names[old].encode() + line[end:]
    return b"".join(lines).decode()


def _places(
    tree: ast.Module, lines: list[bytes], names: Mapping[str, str]
) -> Iterator[tuple[int, int, str]]:
    """Where names to be replaced end: line (from 0), byte, name."""
    for workflow in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        for member in workflow.body:
            if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) and member.name in names:
                number = member.lineno - 1
                found = lines[number].find(b"def " + member.name.encode() + b"(")
                yield number, found + len(b"def ") + len(member.name.encode()), member.name
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
    there = {
        u.key: u for u in _workflow(theirs) if isinstance(u, Group) and step_of(u.key) == u.key
    }
    new = there.keys() - {u.key for u in _workflow(base)}
    return (
        _move_in_plugin(base, there, new, moves),
        _move_in_plugin(ours, there, new, moves),
        theirs,
    )


def _workflow(tree: Group) -> tuple[Unit, ...]:
    """The units of the workflow class."""
    for unit in tree.members:
        if isinstance(unit, Group) and unit.key == WORKFLOW:
            return unit.members
    return ()


def _move_in_plugin(
    tree: Group, there: Mapping[str, Group], new: set[str], moves: Mapping[str, str]
) -> Group:
    """One plugin with the functions where they belong. `new` are steps that only the notebook's plugin has."""
    taken: dict[str, Leaf] = {}
    units: list[Unit] = []
    for unit in _workflow(tree):
        if isinstance(unit, Group) and step_of(unit.key) == unit.key:
            stays = []
            for member in unit.members:
                name = moves.get(member.key.partition(" ")[2])
                if name and isinstance(member, Leaf) and step_of(name) in there:
                    taken[name] = _rename_function(member, name)
                else:
                    stays.append(member)
            unit = replace(unit, members=tuple(stays))
        units.append(unit)
    targets = {step_of(name) for name in moves.values()}
    present = {unit.key for unit in units}
    for key in sorted(new & targets - present):
        units.append(replace(there[key], members=()))
    units = [_fill_bundle(u, there, taken) if isinstance(u, Group) else u for u in units]
    # Where the step is gone by hand, so are its cells.
    members = tuple(
        replace(u, members=tuple(units)) if isinstance(u, Group) and u.key == WORKFLOW else u
        for u in tree.members
    )
    return replace(tree, members=members)


def _fill_bundle(group: Group, there: Mapping[str, Group], taken: Mapping[str, Leaf]) -> Group:
    """A bundle with the functions that came to it, in the order that the notebook's has."""
    for name, leaf in taken.items():
        if step_of(name) != group.key or group.key not in there:
            continue
        order = [member.key for member in there[group.key].members]
        before = set(order[: order.index(leaf.key)]) if leaf.key in order else set(order)
        at = sum(member.key in before for member in group.members)
        group = replace(group, members=(*group.members[:at], leaf, *group.members[at:]))
    return group


def _rename_function(leaf: Leaf, name: str) -> Leaf:
    kind, _, old = leaf.key.partition(" ")
    text = re.sub(
        rf"^(\s*(?:async )?def |\s*){re.escape(old)}\b", rf"\g<1>{name}", leaf.text, flags=re.M
    )
    return Leaf(f"{kind} {name}", leaf.gap, text)
