"""PP427: a hand edit uses a name that nothing defines. It is said until it is mended, whatever is merged."""

from pathlib import Path

import pytest

from tests.build import md, tree
from tests.merge.desk import Desk

BEFORE = (md("# Trip"), "df = [1]\nprint(sum(df))", "print(len(df))")
AFTER = (md("# Trip"), "data = [1]\nprint(sum(data))", "print(len(data))")


def told(done) -> list[str]:
    return [d.message for d in done.found if d.rule.code == "PP427"]


def edited(folder: Path, *above: str) -> Desk:
    """A plugin in which we use a name once more, in a line that the notebook changes."""
    desk = Desk(folder)
    desk.port(BEFORE[0], *above, *BEFORE[1:])
    desk.edit("print(len(df))", "print(len(df), max(df))")
    return desk


@pytest.mark.parametrize("choice", ["mine", "both"])
def test_a_name_is_told_by_each_port_until_it_is_mended(tmp_path: Path, choice: str) -> None:
    desk = edited(tmp_path)
    first = desk.port(*AFTER)
    (said,) = told(first)
    assert "`df`, which your text in step_02_cell uses" in said
    assert told(desk.port()) == [said]
    settled = desk.port(choices={"step_02": choice})
    assert (settled.regenerated.open, told(settled)) == (0, [said])
    before = tree(desk.out)
    for asked in ({}, {"dry": True}):
        again = desk.port(**asked)
        assert (again.changed, told(again), tree(desk.out)) == (False, [said], before)
    desk.edit("print(len(df), max(df))", "print(len(data), max(data))")
    assert told(desk.port()) == []
    assert desk.port().plan is None, "from then on nothing has to be looked at"


def test_with_the_notebooks_text_nothing_is_told(tmp_path: Path) -> None:
    desk = edited(tmp_path)
    desk.port(*AFTER)
    assert told(desk.port(choices={"step_02": "notebook"})) == []


def test_what_the_notebook_lacks_itself_is_no_edit(tmp_path: Path) -> None:
    desk = edited(tmp_path, "print(nowhere)")
    desk.edit("max(df)", "max(df, nowhere)")
    assert told(desk.port()) == []
    assert told(desk.port(*BEFORE[:1], "print(nowhere, 1)", *BEFORE[1:])) == []


@pytest.mark.parametrize(
    "cell", ["from math import *\nprint(pi)", "%%time\npi = 3", "exec('pi = 3')"]
)
def test_what_a_cell_may_define_out_of_sight_is_not_told(tmp_path: Path, cell: str) -> None:
    desk = edited(tmp_path, cell)
    desk.edit("max(df)", "max(df, pi)")
    assert told(desk.port()) == []
    assert told(desk.port(BEFORE[0], cell, BEFORE[1], "print('n')\nprint(len(df))")) == []
