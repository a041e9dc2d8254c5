"""Methods of the frame that the user has given another name. The notebook's code calls them by it from then on.

Only methods of the workflow class that belong to no step: the names of a step's handlers are its addresses.
"""

import ast
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher

from transpiler.merge.checks import is_cell
from transpiler.merge.units import WORKFLOW, Group, Leaf, parsed, split_lines, step_of

ALIKE = 0.6
"""From this similarity of the bodies on a new method may be an old one that was renamed."""
APART = 0.1
"""So much less alike must the next candidate be."""


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
    """The methods of the frame with their texts."""
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


def renamed(text: str, names: Mapping[str, str]) -> str | None:
    """Return a plugin with other names for methods of its frame; None where they cannot be replaced with certainty.

    `self.name` and `def name` are replaced, outside the notebook's cells: what is `self` there is something else.
    """
    lines = [line.encode() for line in split_lines(text)]
    places = sorted(_places(parsed(text), lines, names), reverse=True)
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
