"""In which order merged units stand."""

from collections.abc import Collection, Sequence


def woven(
    base: Sequence[str], ours: Sequence[str], theirs: Sequence[str], wanted: Collection[str]
) -> tuple[list[str], bool]:
    """Return the wanted keys in order, and whether both sides moved some of them, each in its own way.

    The side that moved units is followed, ours if both did. What only the other side has stands after its nearest neighbour
    above that is there.
    """
    we_moved = _moved(base, ours)
    they_moved = _moved(base, theirs)
    clash = we_moved and they_moved and _moved(ours, theirs)
    first, second = (ours, theirs) if we_moved else (theirs, ours)
    result = [key for key in first if key in wanted]
    place = set(result)
    for number, key in enumerate(second):
        if key not in wanted or key in place:
            continue
        above = next((k for k in reversed(second[:number]) if k in place), None)
        at = result.index(above) + 1 if above is not None else 0
        result.insert(at, key)
        place.add(key)
    return result, clash


def _moved(one: Sequence[str], two: Sequence[str]) -> bool:
    """Whether what both have stands in another order."""
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
