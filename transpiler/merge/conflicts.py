"""The blocks of comments that show a conflict in a plugin. The user's text runs below them; the notebook's can be read in them.

    # >>> PORT CONFLICT 5e1b  step_02_cell: changed in the notebook and by you. Yours runs. ...
    # was      | print(total)
    # notebook | print(f"total={total}")
    # <<< PORT CONFLICT 5e1b

A block is a comment above a unit, so the plugin always loads. Deleting it says that the conflict is settled.
"""

import hashlib
import re
from dataclasses import dataclass

from transpiler.merge.diff3 import changes
from transpiler.merge.units import split_lines

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
    unit: str
    """The path of the unit."""
    reason: str
    """A key of REASONS."""
    base: str | None
    """The unit as it was emitted before both changed it; None when there was none."""
    notebook: str | None
    """The unit as it is emitted now; None when the notebook has no such cell any more."""


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
