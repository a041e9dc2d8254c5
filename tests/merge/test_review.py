"""What a review finds in a notebook and its plugin, and what its decisions do."""

import ast
import inspect
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import get_args

import pytest

from pipulate_runtime.host.review import page
from tests.build import code, md, raw, tree
from tests.merge.test_port_again import FIRST, SECOND, Desk, conflict
from transpiler.features import review_model
from transpiler.features.review import review, settle
from transpiler.model.diagnostics import UserError
from transpiler.model.options import Options


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.port(*FIRST)
    return made


def look(desk: Desk) -> review_model.Review:
    before = tree(desk.out)
    made = review(desk.notebook, desk.out, Options())
    assert tree(desk.out) == before
    return made


def part_of(made: review_model.Review, name: str) -> review_model.ReviewPart:
    parts = [part for row in made.rows for part in row.parts] + list(made.others)
    (found,) = [part for part in parts if part.name == name]
    return found


def marked(lines) -> list[str]:
    return [line.mark + line.text.strip() for line in lines if line.mark != " "]


def test_the_host_is_given_what_it_asks_for() -> None:
    given = {
        f.name for made in vars(review_model).values() if is_dataclass(made) for f in fields(made)
    }
    wanted = {
        node.slice.value
        for node in ast.walk(ast.parse(inspect.getsource(page)))
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
        if isinstance(node.slice.value, str)
    }
    assert wanted == given
    assert set(get_args(review_model.Mark)) == {" ", "+", "-"}


def test_steps_stand_beside_their_cells(desk: Desk) -> None:
    made = look(desk)
    assert [row.step for row in made.rows] == ["step_01", "step_02", "step_03"]
    assert [[cell.index for cell in row.cells] for row in made.rows] == [[0, 1], [2], [3]]
    assert (made.edits, made.coming, made.conflicts, made.others) == (0, False, (), ())
    assert all(part.state == "emitted" for row in made.rows for part in row.parts)
    line = part_of(made, "step_02_cell").line
    assert desk.text.split("\n")[line - 1] == '    @cell("c002")'


def test_edits_by_hand_are_marked(desk: Desk) -> None:
    desk.edit("        print(best)\n", "        print(best, '<b>')\n")
    desk.edit(
        "    async def landing", "    def helper(self):\n        return 1\n\n    async def landing"
    )
    desk.edit('show="Limit"', 'show="The limit"')
    made = look(desk)
    part = part_of(made, "step_02_cell")
    assert part.state == "edited"
    assert marked(part.lines) == ["-print(best)", "+print(best, '<b>')"]
    assert part_of(made, "helper").state == "yours"
    assert part_of(made, "the entry of step_01 in the steps list").state == "edited"
    assert part_of(made, "step_01_cell").state == "emitted"
    assert [row.word for row in made.rows] == ["kept", "kept", "unchanged"]
    assert made.edits == 3


def test_what_was_deleted_by_hand_is_shown(desk: Desk) -> None:
    start = desk.text.index("    async def unfinalize")
    end = desk.text.index("    # --- START_STEP_BUNDLE: step_01")
    desk.plugin.write_text(desk.text[:start] + desk.text[end:])
    part = part_of(look(desk), "unfinalize")
    assert (part.state, part.line, {line.mark for line in part.lines}) == ("deleted", 0, {"-"})


def test_a_formatter_makes_no_edits(desk: Desk) -> None:
    desk.edit("best = [limit]", "best = [\n            limit,\n        ]")
    assert part_of(look(desk), "step_02_cell").state == "emitted"


def test_changes_of_the_notebook_are_marked_until_they_are_ported(desk: Desk) -> None:
    desk.notebook.write_bytes(raw(*SECOND, "print('a new one')"))
    made = look(desk)
    cells = {cell.index: cell for row in made.rows for cell in row.cells}
    assert {n: cell.state for n, cell in cells.items()} == {
        0: "",
        1: "changed",
        2: "changed",
        3: "",
        4: "new",
    }
    assert marked(cells[1].lines) == ["-limit = 5", "+limit = 6"]
    assert made.coming
    assert [row.parts for row in made.rows if row.step == "step_04"] == [()]


def test_listed_edits_and_diagnostics_stand_with_their_cells(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.port(
        code("limit: int = 5\nlimit + unknown", input="limit"),
        code("skipped", tags=["skip"]),
        md("After"),
    )
    made = look(desk)
    assert part_of(made, "step_01_cell").changes
    cell = made.rows[0].cells[0]
    assert [(remark.code, remark.line) for remark in cell.remarks] == [("PP202", 1), ("PP204", 2)]
    assert [cell.note for row in made.rows for cell in row.cells] == ["", "not in the plugin", ""]


@pytest.mark.parametrize(
    ("choice", "mine", "theirs", "words"),
    [
        ("mine", 1, 0, "yours stays"),
        ("notebook", 0, 1, "it is the notebook's now"),
        ("both", 1, 1, "it has both"),
    ],
)
def test_a_conflict_is_settled(
    desk: Desk, monkeypatch, choice: str, mine: int, theirs: int, words: str
) -> None:
    conflict(desk)
    made = look(desk)
    (found,) = made.conflicts
    assert part_of(made, "step_02_cell").state == "conflict"
    assert marked(found.lines) == ["-print(best)", '+print("best", best)']
    assert marked(part_of(made, "step_02_cell").lines) == ["-print(best)", '+print("mine", best)']
    after, said = settle(desk.notebook, desk.out, Options(), found.id, choice, made.seen)
    undo = f"pipulate port {desk.notebook} -o {desk.out} --undo"
    assert said == f"step_02_cell is settled: {words}. To undo: {undo}"
    assert after.conflicts == ()
    assert (desk.text.count('print("mine", best)'), desk.text.count('print("best", best)')) == (
        mine,
        theirs,
    )
    assert "PORT CONFLICT" not in desk.text
    monkeypatch.chdir(desk.notebook.parent)
    assert look(desk).command == f"pipulate port {desk.notebook.name} -o {desk.out.name}"


def test_only_what_was_seen_is_decided(desk: Desk) -> None:
    conflict(desk)
    made = look(desk)
    (found,) = made.conflicts
    desk.edit('"mine"', '"changed"')
    before = tree(desk.out)
    after, said = settle(desk.notebook, desk.out, Options(), found.id, "notebook", made.seen)
    assert "changed meanwhile" in said
    desk.notebook.write_bytes(raw(*SECOND, "'more'"))
    newer = look(desk)
    _, said = settle(desk.notebook, desk.out, Options(), found.id, "notebook", newer.seen)
    assert said.startswith("Port the notebook first: pipulate port ")
    _, said = settle(desk.notebook, desk.out, Options(), found.id, "theirs", newer.seen)
    assert "changed meanwhile" in said
    assert tree(desk.out) == before
    assert after.conflicts == made.conflicts


def test_a_step_whose_cell_is_gone_is_a_conflict_of_its_row(desk: Desk) -> None:
    desk.edit(
        "        print('end')\n" if "print('end')" in desk.text else '        print("end")\n',
        "        print(1)\n",
    )
    desk.port(*FIRST[:3])
    made = look(desk)
    (row,) = [row for row in made.rows if row.step == "step_03"]
    assert row.cells == ()
    assert [each.choices for each in row.conflicts] == [("mine", "notebook")]
    after, _ = settle(
        desk.notebook, desk.out, Options(), row.conflicts[0].id, "notebook", made.seen
    )
    assert [row.step for row in after.rows] == ["step_01", "step_02"]


def test_a_plugin_that_cannot_be_merged_can_be_looked_at(desk: Desk) -> None:
    desk.edit("class Trip:", "class Trip")
    made = look(desk)
    assert made.refused
    assert [remark.code for remark in made.remarks] == ["PP420"]
    assert asdict(made)["rows"]
    _, said = settle(desk.notebook, desk.out, Options(), "abcd", "mine", made.seen)
    assert said.startswith("Port the notebook first")


def test_a_notebook_without_a_plugin_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trip.ipynb").write_bytes(raw("1"))
    with pytest.raises(UserError) as caught:
        review(tmp_path / "trip.ipynb", tmp_path / "out", Options())
    assert caught.value.diagnostic.rule.code == "PP435"
    (tmp_path / "trip.ipynb").write_bytes(b"{")
    with pytest.raises(UserError) as caught:
        review(tmp_path / "trip.ipynb", tmp_path / "out", Options())
    assert caught.value.diagnostic.rule.code == "PP101"
