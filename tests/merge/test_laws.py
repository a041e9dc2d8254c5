"""The laws of docs/regenerating.md over random edits. `make laws` runs 5,000 pairs and prints the table.

Here 300 run, in about a minute of one core: fifteen pairs of edits of each of ten notebooks, both with one edit a side and with more.
"""

import pytest

from tests.merge.laws import run
from tests.merge.notebooks import POOL

SEEDS = [number + POOL * times for number in range(10) for times in range(15)]


@pytest.mark.parametrize(("one_by_one", "rate"), [(True, 0.03), (False, 0.08)], ids=["1x1", "1-4x1-3"])  # fmt: skip
def test_the_laws_hold_over_random_edits(one_by_one: bool, rate: float) -> None:
    table, broken = run(SEEDS, one_by_one)
    assert broken == []
    assert table.apart_conflicts == 0
    assert table.apart > len(SEEDS) / 2
    assert table.conflicts <= rate * len(SEEDS)
