"""The blocks of comments that show a conflict in a plugin. The user's text runs below them; the notebook's can be read in them.

    # >>> PORT CONFLICT 5e1b  step_02_cell: changed in the notebook and by you. Yours runs. ...
    # was      | print(total)
    # notebook | print(f"total={total}")
    # <<< PORT CONFLICT 5e1b

A block is a comment above a unit, so the plugin always loads. Deleting it says that the conflict is settled.
"""

import ast
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from transpiler.merge.diff3 import changes, merge_lines, take
from transpiler.merge.globals import Sides, with_one_block
from transpiler.merge.lines import tree_of
from transpiler.merge.units import parse_members, split_lines

# --- both sides, one after the other --------------------------------------------------------------------------------------

# A unit is a statement, or an entry of a list; what stands around the members of a group is half of one.
_FRAMES = (("", ""), ("[", "]"), ("", "]"), ("[", ""), ("", "    pass"))
_BODIES = ("body", "orelse", "finalbody", "handlers", "cases")


def keep_both(sides: Sides) -> str | None:
    """Return a text with the lines of both sides where these clash; None where that is not made of their statements.

    `sides` are base, ours and theirs. Two lines of one call would give a call that neither side wrote: valid Python, but meaningless.
    """
    (base, ours, theirs), _ = with_one_block(sides, both=True)
    pieces = merge_lines(split_lines(base), split_lines(ours), split_lines(theirs))
    text = take(pieces, "ours", "theirs")
    is_whole = _is_whole(text, take(pieces, "ours"), take(pieces, "theirs"))
    return _reachable(text) if is_whole else None


def _is_whole(text: str, ours: str, theirs: str) -> bool:
    """Whether each statement of a text, and each header of one, is one of either side."""
    for frame in _FRAMES:
        trees = [tree_of(each, *frame) for each in (text, ours, theirs)]
        if None not in trees:
            now, one, two = (set(_statements(tree)) for tree in trees if tree)
            return now <= one | two
    return False


def _statements(node: ast.AST) -> Iterator[str]:
    """Each statement inside a node as it would be compared: of a compound one its header, then what is in it."""
    if not isinstance(node, ast.Module):
        header = {name: value for name, value in ast.iter_fields(node) if name not in _BODIES}
        yield ast.dump(type(node)(**header))
    for name in _BODIES:
        for each in getattr(node, name, ()):
            yield from _statements(each)


def _reachable(text: str) -> str:
    """A function's text in which a `return` in the middle of its body has become an expression.

    The last value of a cell is returned. With the lines of both sides there would be two, and the second would never run.
    """
    lines = split_lines(text)
    for member in parse_members(text):
        if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in member.body[:-1]:
                if isinstance(statement, ast.Return) and statement.value is not None:
                    number = statement.lineno - 2
                    lines[number] = lines[number].replace("return ", "", 1)
    return "".join(lines)


# --- conflicts ------------------------------------------------------------------------------------------------------------

_BEGIN = re.compile(r"^\s*# >>> PORT CONFLICT ([0-9a-f]{4,12})\b")
_INSIDE = re.compile(r"^\s*# (?:was     |notebook) \|")

REASONS = {
    "changed": "changed in the notebook and by you. Yours runs",
    "gone": "gone from the notebook, edited by you. It stays and runs",
    "deleted": "deleted by you, changed in the notebook. It stays deleted",
    "order": "moved in the notebook and by you. Your order stays",
    "added": "added in the notebook and by you. Yours runs",
}


@dataclass(frozen=True, slots=True)
class Conflict:
    """What both sides changed in a unit, until it is settled. Kept in the lock while its block is in the plugin."""

    id: str
    unit: str  # The path of the unit
    reason: str  # A key of REASONS
    base: str | None  # The unit as it was emitted before both changed it; None when there was none
    notebook: str | None  # The unit as it is emitted now; None when there is none any more


def conflict_id(unit: str, taken: set[str]) -> str:
    """Return the id of a unit's conflict: four hexadecimal digits, more where they are taken."""
    digest = hashlib.sha256(unit.encode()).hexdigest()
    return next(digest[:n] for n in range(4, 13) if digest[:n] not in taken)


def block(conflict: Conflict, indent: str, name: str) -> str:
    """Return the block of a conflict, each line with an indentation. `name` is what people call the unit."""
    lines = [
        f">>> PORT CONFLICT {conflict.id}  {name}: {REASONS[conflict.reason]}."
        " Delete this block when it is settled."
    ]
    for before, now in hunks(conflict.base, conflict.notebook):
        lines += [f"was      | {line}".rstrip() for line in before]
        lines += [f"notebook | {line}".rstrip() for line in now]
    lines.append(f"<<< PORT CONFLICT {conflict.id}")
    return "".join(f"{indent}# {line}\n" for line in lines)


def hunks(base: str | None, notebook: str | None) -> list[tuple[list[str], list[str]]]:
    """Return what changed from one text to the other: the lines before and the lines now. What is gone shows nothing."""
    if notebook is None:
        return []
    one, two = split_lines(base or ""), split_lines(notebook)
    return [
        ([li.rstrip("\n") for li in one[c.start : c.end]], [li.rstrip("\n") for li in two[c.first : c.last]])
        for c in changes(one, two)
    ]  # fmt: skip


def without_blocks(text: str, known: set[str]) -> tuple[str, dict[str, int]]:
    """Return the text without the blocks of known conflicts, and the line (from 1) of every block that is in it."""
    kept: list[str] = []
    found: dict[str, int] = {}
    inside: str | None = None
    for number, line in enumerate(split_lines(text), 1):
        if begin := _BEGIN.match(line):
            found.setdefault(begin[1], number)
            inside = begin[1] if begin[1] in known else None
            if inside:
                continue
        if inside:
            if _INSIDE.match(line):
                continue
            ends = line.strip() == f"# <<< PORT CONFLICT {inside}"
            inside = None
            if ends:
                continue
        kept.append(line)
    return "".join(kept), found
