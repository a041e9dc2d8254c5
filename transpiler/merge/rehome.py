"""A cell that goes with another step now has another function name. Its edits go there with it."""

import re
from collections.abc import Mapping
from dataclasses import replace

from transpiler.merge.units import WORKFLOW, Group, Leaf, Unit, step_of


def rehomed(
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
    return _moved(base, there, new, moves), _moved(ours, there, new, moves), theirs


def _workflow(tree: Group) -> tuple[Unit, ...]:
    """The units of the workflow class."""
    for unit in tree.members:
        if isinstance(unit, Group) and unit.key == WORKFLOW:
            return unit.members
    return ()


def _moved(
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
                    taken[name] = _renamed(member, name)
                else:
                    stays.append(member)
            unit = replace(unit, members=tuple(stays))
        units.append(unit)
    targets = {step_of(name) for name in moves.values()}
    present = {unit.key for unit in units}
    for key in sorted(new & targets - present):
        units.append(replace(there[key], members=()))
    units = [_filled(u, there, taken) if isinstance(u, Group) else u for u in units]
    # Where the step is gone by hand, so are its cells.
    members = tuple(
        replace(u, members=tuple(units)) if isinstance(u, Group) and u.key == WORKFLOW else u
        for u in tree.members
    )
    return replace(tree, members=members)


def _filled(group: Group, there: Mapping[str, Group], taken: Mapping[str, Leaf]) -> Group:
    """A bundle with the functions that came to it, in the order that the notebook's has."""
    for name, leaf in taken.items():
        if step_of(name) != group.key or group.key not in there:
            continue
        order = [member.key for member in there[group.key].members]
        before = set(order[: order.index(leaf.key)]) if leaf.key in order else set(order)
        at = sum(member.key in before for member in group.members)
        group = replace(group, members=(*group.members[:at], leaf, *group.members[at:]))
    return group


def _renamed(leaf: Leaf, name: str) -> Leaf:
    """A function under another name."""
    kind, _, old = leaf.key.partition(" ")
    text = re.sub(
        rf"^(\s*(?:async )?def |\s*){re.escape(old)}\b", rf"\g<1>{name}", leaf.text, flags=re.M
    )
    return Leaf(f"{kind} {name}", leaf.gap, text)
