"""The laws of docs/regenerating.md over random edits. `make laws` runs 5,000 pairs and prints the table."""

import pytest

from tests.merge.laws import run

PAIRS = 60


@pytest.mark.parametrize("one_by_one", [True, False], ids=["1x1", "1-4x1-3"])
def test_the_laws_hold_over_random_edits(one_by_one: bool) -> None:
    table, broken = run(range(PAIRS), one_by_one)
    assert broken == []
    assert table.apart_conflicts == 0
    assert table.apart > PAIRS / 4
    assert (
        table.conflicts <= (0.1 if one_by_one else 0.25) * PAIRS
    )  # few pairs; `make laws` has the rates
