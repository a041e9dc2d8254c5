"""The laws of docs/regenerating.md over random edits. `make laws` runs 5,000 pairs and prints the table.

Here 300 run, in about a minute of one core: fifteen pairs of edits of each of ten notebooks, both with one edit a side and with
more; `make test` runs three of the fifteen.
"""

from collections.abc import Iterable

import pytest

from tests.merge.laws import run
from tests.merge.notebooks import POOL

FEW, MORE = range(3), range(3, 15)


def seeds(times: Iterable[int]) -> list[int]:
    return [number + POOL * time for number in range(10) for time in times]


@pytest.mark.parametrize("times", [FEW, pytest.param(MORE, marks=pytest.mark.slow)], ids=["few", "more"])  # fmt: skip
@pytest.mark.parametrize(("one_by_one", "rate"), [(True, 0.03), (False, 0.08)], ids=["1x1", "1-4x1-3"])  # fmt: skip
def test_the_laws_hold_over_random_edits(one_by_one: bool, rate: float, times: range) -> None:
    chosen = seeds(times)
    table, broken = run(chosen, one_by_one)
    assert broken == []
    assert table.apart_conflicts == 0
    assert table.apart > len(chosen) / 2
    assert table.conflicts <= rate * len(chosen)
