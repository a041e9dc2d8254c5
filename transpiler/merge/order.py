"""In which order merged units stand."""

from collections.abc import Collection, Sequence


def woven(
    base: Sequence[str], ours: Sequence[str], theirs: Sequence[str], wanted: Collection[str]
) -> tuple[list[str], bool]:
    """Return the wanted keys in order, and whether both sides moved some of them so that both cannot be had.

    Of two keys that all three have, the one stands first that the side which changed their order puts first. Where that
    leads in a circle our order stays. What only one side has stands after its nearest neighbour above that is there.
    """
    everywhere = set(base) & set(theirs) & set(wanted)
    result = [key for key in ours if key in everywhere]
    clash = False
    if _moved(base, theirs):
        both = _merged_order(base, result, theirs) if _moved(base, ours) else None
        clash = both is None and _moved(base, ours) and _moved(ours, theirs)
        if not clash:
            result = both or [key for key in theirs if key in set(result)]
    for side in (theirs, ours):
        _put_in(result, [key for key in side if key in wanted or key in result])
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


def _put_in(result: list[str], side: Sequence[str]) -> None:
    """Put the keys of a side that are missing after their nearest neighbours above."""
    place = set(result)
    for number, key in enumerate(side):
        if key not in place:
            above = next((k for k in reversed(side[:number]) if k in place), None)
            result.insert(result.index(above) + 1 if above is not None else 0, key)
            place.add(key)


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
