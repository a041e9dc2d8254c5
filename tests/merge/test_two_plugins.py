"""Two plugins of one notebook in a folder: it had another name before (PP409). Each is looked at, and changed, for itself."""

from pathlib import Path

import pytest

from tests.build import raw, tree
from tests.merge.desk import FIRST, SECOND, Desk
from transpiler.cli.review import Reviewer
from transpiler.features.review import review, settle
from transpiler.features.to_notebook import carry
from transpiler.model.diagnostics import UserError
from transpiler.model.options import Options
from transpiler.pipeline import undo

MINE = ("        print(best)\n", '        print("mine", best)\n')


class Two(Desk):
    """Ported as `first`, then as `second`; `plugin` is the second one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.name("first", *FIRST)
        self.port()
        self.first = self.out / "first.py"
        self.name("second", *FIRST)
        self.port()
        self.plugin = self.out / "second.py"

    def name(self, name: str, *cells: str) -> None:
        self.notebook.write_bytes(raw(*cells, pipulate={"app_name": name}))


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path)


def code_of(call) -> tuple[str, int]:
    with pytest.raises(UserError) as caught:
        call()
    return caught.value.diagnostic.rule.code, caught.value.exit_code


def test_each_is_reviewed_for_itself(two: Two) -> None:
    two.edit(*MINE)
    before = tree(two.out)
    reviewer = Reviewer(Options())
    first, second = reviewer.look(two.first), reviewer.look(two.plugin)
    assert [Path(made["plugin"]).name for made in (first, second)] == ["first.py", "second.py"]
    assert (first["edits"], second["edits"]) == (0, 1)
    assert [remark["code"] for remark in first["remarks"]] == ["PP409"]
    assert (first["refused"], first["coming"], second["refused"]) == (True, False, False)
    assert [remark["code"] for remark in second["remarks"]] == []
    rows = [[part["name"] for part in row["parts"]] for row in first["rows"]]
    assert rows == [[part["name"] for part in row["parts"]] for row in second["rows"]]
    assert tree(two.out) == before


def test_edits_of_the_one_that_is_not_ported_to_are_shown(two: Two) -> None:
    two.first.write_text(two.first.read_text().replace(*MINE))
    made = review(two.notebook, two.out, Options(), two.first)
    assert (made.edits, made.refused) == (1, True)
    states = {part.name: part.state for row in made.rows for part in row.parts}
    assert states["step_02_cell"] == "edited"


def test_a_conflict_is_settled_where_it_was_seen(two: Two) -> None:
    two.edit(*MINE)
    two.name("second", *SECOND)
    assert two.port().regenerated.open == 1
    reviewer = Reviewer(Options())
    (found,) = review(two.notebook, two.out, Options(), two.plugin).conflicts
    seen = reviewer.look(two.first)["seen"]
    before = tree(two.out)
    _, said = reviewer.settle(two.first, found.id, "notebook", seen)
    assert said.startswith(f"Nothing was settled: {two.first} was ported from this notebook")
    assert tree(two.out) == before
    seen = reviewer.look(two.plugin)["seen"]
    _, said = reviewer.settle(two.plugin, found.id, "mine", seen)
    assert said.startswith("step_02_cell is settled: yours stays.")
    assert 'print("mine", best)' in two.text


def test_without_a_word_the_one_that_would_be_ported_to_is_reviewed(two: Two) -> None:
    assert Path(review(two.notebook, two.out, Options()).plugin) == two.plugin
    two.name("first", *FIRST)
    assert Path(review(two.notebook, two.out, Options()).plugin) == two.first


def test_one_that_is_gone_has_no_review(two: Two) -> None:
    two.first.unlink()
    look = lambda: review(two.notebook, two.out, Options(), two.first)  # noqa: E731
    assert code_of(look) == ("PP435", 2)


def test_a_notebook_of_a_third_name_settles_nothing(two: Two) -> None:
    two.name("third", *FIRST)
    made = review(two.notebook, two.out, Options())
    assert (made.refused, [remark.code for remark in made.remarks]) == (True, ["PP409"])
    _, said = settle(two.notebook, two.out, Options(), "abcd", "mine", made.seen)
    assert said.startswith("Nothing was settled: ")
    assert code_of(lambda: carry(two.notebook, two.out, Options())) == ("PP435", 2)


@pytest.mark.parametrize("name", ["first", "second"])
def test_the_port_that_is_undone_is_that_of_its_name(two: Two, name: str) -> None:
    files = {"first": two.first, "second": two.plugin}
    for each in files:
        two.name(each, *SECOND)
        two.port()
    after = {each: path.read_text() for each, path in files.items()}
    two.name(name, *SECOND)
    assert undo(two.notebook, two.out, yes=False) == files[name]
    assert {each for each, path in files.items() if path.read_text() != after[each]} == {name}


def test_it_is_asked_which_one_when_none_has_the_name(two: Two) -> None:
    for each in ("first", "second"):
        two.name(each, *SECOND)
        two.port()
    before = tree(two.out)
    two.name("third", *SECOND)
    take_back = lambda: undo(two.notebook, two.out, yes=True)  # noqa: E731
    assert code_of(take_back) == ("PP438", 2)
    two.notebook.write_bytes(b"{")
    assert code_of(take_back) == ("PP438", 2)
    assert tree(two.out) == before
