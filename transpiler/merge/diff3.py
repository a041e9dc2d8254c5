"""A three-way merge of lines, as a list of pieces: what both sides agree on, and where they clash; and of an order of keys.

Edits that only touch each other are both taken, in the order of the base; edits that share a line of the base, and two
different insertions at one place, clash.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, NamedTuple


@dataclass(frozen=True, slots=True)
class Clash:
    """Lines that both sides changed, each in its own way."""

    base: tuple[str, ...]
    ours: tuple[str, ...]
    theirs: tuple[str, ...]


_Lines = tuple[str, ...]
Piece = _Lines | Clash


class _Change(NamedTuple):
    """Lines `start` to `end` of the base became lines `first` to `last` of a side."""

    start: int
    end: int
    first: int
    last: int


def merge_lines(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> list[Piece]:
    """Return the pieces of the merge, in order."""
    pieces: list[Piece] = []
    for was, one, two in _places(base, ours, theirs):
        if one is None:
            pieces.append(was if two is None else two)
        elif two is None or one == two:
            pieces.append(one)
        else:
            pieces.append(Clash(was, one, two))
    return [piece for piece in pieces if piece]


def without_clashes(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> str:
    """Return the base with every change of theirs but those that clash with ours."""
    places = _places(base, ours, theirs)
    kept = (was if two is None or one not in (None, two) else two for was, one, two in places)
    return "".join(line for lines in kept for line in lines)


def _places(
    base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]
) -> Iterator[tuple[_Lines, _Lines | None, _Lines | None]]:
    """The base from its first line to its last, cut where a side changed it: its lines, and those of each side that changed them."""
    left, right = changes(base, ours), changes(base, theirs)
    at = 0
    while left or right:
        mine, other = _cluster(left, right)
        start = min(c.start for c in mine + other)
        end = max(c.end for c in mine + other)
        yield tuple(base[at:start]), None, None
        one = _side(ours, mine, start, end) if mine else None
        two = _side(theirs, other, start, end) if other else None
        yield tuple(base[start:end]), one, two
        at = end
    yield tuple(base[at:]), None, None


def changes(base: Sequence[str], side: Sequence[str]) -> list[_Change]:
    """Return the changes that make a side of the base, in order."""
    matcher = SequenceMatcher(None, base, side, autojunk=False)
    return [_Change(*where) for kind, *where in matcher.get_opcodes() if kind != "equal"]


def join_pieces(pieces: Sequence[Piece]) -> str | None:
    """Return the merged text, or None when a piece clashes."""
    if any(isinstance(piece, Clash) for piece in pieces):
        return None
    return take(pieces)


def take(pieces: Iterable[Piece], *sides: Literal["ours", "theirs"]) -> str:
    """Return the text in which, where the sides clash, the lines of these `sides` stand, one after the other."""
    lines: list[str] = []
    for piece in pieces:
        if isinstance(piece, Clash):
            lines += [line for side in sides for line in getattr(piece, side)]
        else:
            lines += piece
    return "".join(lines)


def _cluster(left: list[_Change], right: list[_Change]) -> tuple[list[_Change], list[_Change]]:
    """Take the first change off the lists, with all changes that meet it directly or by way of others."""
    mine: list[_Change] = []
    other: list[_Change] = []
    if left and (not right or left[0][:2] <= right[0][:2]):
        mine.append(left.pop(0))
    else:
        other.append(right.pop(0))
    while True:
        for queue, taken, facing in ((right, other, mine), (left, mine, other)):
            if queue and any(_meet(queue[0], change) for change in facing):
                taken.append(queue.pop(0))
                break
        else:
            return mine, other


def _meet(one: _Change, two: _Change) -> bool:
    """Whether two changes of different sides concern the same place of the base."""
    if one.start == one.end and two.start == two.end:
        return one.start == two.start
    return one.start < two.end and two.start < one.end


def _side(lines: Sequence[str], taken: Sequence[_Change], start: int, end: int) -> tuple[str, ...]:
    """The lines of a side for a range of the base that its changes lie in."""
    first = taken[0].first - (taken[0].start - start)
    last = taken[-1].last + (end - taken[-1].end)
    return tuple(lines[first:last])


# --- the order of units ---------------------------------------------------------------------------------------------------


def merge_order(
    base: Sequence[str], ours: Sequence[str], theirs: Sequence[str], wanted: Collection[str]
) -> tuple[list[str], bool]:
    """Return the wanted keys in order, and whether both sides moved some of them so that both cannot be had.

    Of two keys that all three have, the one stands first that the side which changed their order puts first. Where that
    leads in a circle our order stays. What only one side has stands after its nearest neighbour above that is there.
    """
    everywhere = set(base) & set(theirs) & set(wanted)
    result = [key for key in ours if key in everywhere]
    clash = False
    if _is_reordered(base, theirs):
        both = _merged_order(base, result, theirs) if _is_reordered(base, ours) else None
        clash = both is None and _is_reordered(base, ours) and _is_reordered(ours, theirs)
        if not clash:
            result = both or [key for key in theirs if key in set(result)]
    for side in (theirs, ours):
        _insert_missing(result, [key for key in side if key in wanted or key in result])
    return result, clash


def _merged_order(
    base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]
) -> list[str] | None:
    """The keys of `ours`, each pair in the order of the side that changed it; None where that is a circle."""
    places = [{key: number for number, key in enumerate(side)} for side in (base, ours, theirs)]

    def comes_first(one: str, two: str) -> bool:
        b, o, t = (place[one] < place[two] for place in places)
        return o if t == b else t

    above = {key: sum(comes_first(other, key) for other in ours if other != key) for key in ours}
    if len(set(above.values())) < len(above):
        return None
    return sorted(ours, key=above.__getitem__)


def _insert_missing(result: list[str], side: Sequence[str]) -> None:
    """Put the keys of a side that are missing after their nearest neighbours above."""
    place = set(result)
    for number, key in enumerate(side):
        if key not in place:
            above = next((k for k in reversed(side[:number]) if k in place), None)
            result.insert(result.index(above) + 1 if above is not None else 0, key)
            place.add(key)


def _is_reordered(one: Sequence[str], two: Sequence[str]) -> bool:
    common = set(one) & set(two)
    return [k for k in one if k in common] != [k for k in two if k in common]


def longest_common(one: Sequence[str], two: Sequence[str]) -> list[str]:
    """Return the longest list of keys that stand in both in the same order. Each key stands once in each."""
    place = {key: number for number, key in enumerate(two)}
    best: list[list[str]] = []
    for key in one:
        if key in place:
            fits = [chain for chain in best if place[chain[-1]] < place[key]]
            best.append([*max(fits, key=len, default=[]), key])
    return max(best, key=len, default=[])
