"""Parts of a plugin that are not merged by their lines: imports and declared names by name, cells by identity, the list by its ids."""

import pytest

from tests.build import md, raw, tree
from tests.merge.desk import FIRST, Desk
from tests.merge.laws import steps_in
from transpiler.merge.diff3 import merge_order


@pytest.fixture
def desk(tmp_path) -> Desk:
    made = Desk(tmp_path)
    made.port(*FIRST)
    return made


def test_names_that_both_sides_import_are_imported(desk: Desk) -> None:
    desk.edit("    Response,\n", "    Response,\n    Strong,\n")
    asked = (FIRST[0], "#| input: limit\nlimit = 5\nprint(limit)", *FIRST[2:])
    assert desk.port(*asked).regenerated.open == 0
    assert "    Strong,\n" in desk.text
    assert "    Label,\n" in desk.text
    assert desk.port(*FIRST).regenerated.open == 0
    assert "    Strong,\n" in desk.text
    assert "    Label,\n" not in desk.text


def test_names_that_both_sides_declare_are_declared(desk: Desk) -> None:
    desk.edit("        global best  #", "        global best, mine  #")
    desk.edit("        best = [limit]\n", "        mine = 1\n        best = [limit]\n")
    more = "best = [limit]\nprint(best)\nimport math\nbest"
    done = desk.port(*FIRST[:2], more, "print('end', math.pi)\nlen(best)")
    assert done.regenerated.open == 0, desk.text
    names = {name for line in desk.text.split("\n") if "  # out:" in line
             for name in line.split("#")[0].replace("global", "").replace(",", " ").split()}  # fmt: skip
    assert {"best", "math", "mine"} <= names
    compile(desk.text, "plugin", "exec")
    assert not desk.port().changed


def test_a_name_that_a_side_took_away_is_not_declared(desk: Desk) -> None:
    desk.edit("        global best  #", "        global best, mine  #")
    changed = "other = [limit]\nprint(other)\nother"
    done = desk.port(*FIRST[:2], changed, "print('end')\nlen(other)")
    assert done.regenerated.open == 0
    assert "mine" in desk.text
    assert "global best" not in desk.text


def test_the_edits_of_a_cell_go_with_it_to_another_step(tmp_path) -> None:
    desk = Desk(tmp_path)
    one, two, three = "a = 1\nprint('one', a)", "b = 2\nprint('two', b)", "c = 3\nprint('three', c)"

    def written(*cells) -> None:
        desk.notebook.write_bytes(raw(*cells, pipulate={"by": "heading"}))

    cells = [{"cell_type": "code", "metadata": {}, "source": s, "id": f"cell-{n}"} for n, s in enumerate((one, two, three))]  # fmt: skip
    written(md("# Trip"), md("## First"), cells[0], cells[1], md("## Second"), cells[2])
    desk.port()
    desk.edit("print('two', b)", "print('two', b, \"mine\")")
    written(md("# Trip"), md("## First"), cells[0], md("## Second"), cells[1], cells[2])
    assert desk.port().regenerated.open == 0
    assert desk.text.count('"mine"') == 1
    start = desk.text.index("START_STEP_BUNDLE: step_02")
    assert '"mine"' in desk.text[start:]
    compile(desk.text, "plugin", "exec")
    assert not desk.port().changed


def with_ids(*sources: str):
    cells = zip("abcdef", sources, strict=False)
    return [{"cell_type": "code", "metadata": {}, "source": s, "id": f"cell-{n}"} for n, s in cells]


SIX = with_ids(*(f"v{n} = {n}\nprint('number', v{n})" for n in range(6)))


def swap(desk: Desk, one: str, two: str) -> None:
    """Let two neighbours of the steps list change places."""
    start = desk.text.index(f'            Step(\n                id="{one}"')
    middle = desk.text.index(f'            Step(\n                id="{two}"')
    end = desk.text.index("),\n", middle) + 3
    text = desk.text
    desk.plugin.write_text(text[:start] + text[middle:end] + text[start:middle] + text[end:])


def test_steps_that_each_side_moved_stand_where_it_put_them(tmp_path) -> None:
    desk = Desk(tmp_path)
    desk.port(md("# Trip"), *SIX)
    swap(desk, "step_01", "step_02")
    done = desk.port(md("# Trip"), *SIX[:3], SIX[5], *SIX[3:5])
    assert done.regenerated.open == 0
    assert steps_in(desk.text) == ["step_02", "step_01", "step_03", "step_06", "step_04", "step_05"]


MINE = ["step_01", "step_03", "step_02", "step_04", "step_05", "step_06"]
THEIRS = ["step_02", "step_01", "step_03", "step_04", "step_05", "step_06"]


@pytest.mark.parametrize(("choice", "wanted"), [("mine", MINE), ("notebook", THEIRS)])
def test_orders_that_go_in_a_circle_are_a_conflict(tmp_path, choice: str, wanted: list) -> None:
    desk = Desk(tmp_path)
    desk.port(md("# Trip"), *SIX)
    swap(
        desk, "step_02", "step_03"
    )  # 3 before 2, in the notebook 2 before 1, and 1 before 3 as it was
    done = desk.port(md("# Trip"), SIX[1], SIX[0], *SIX[2:])
    assert [conflict.reason for conflict in done.regenerated.conflicts] == ["order"]
    assert steps_in(desk.text) == MINE
    assert "the order of the steps: moved in the notebook and by you" in desk.text
    before = tree(desk.out)
    assert desk.port().regenerated.open == 1
    assert tree(desk.out) == before
    name = done.regenerated.conflicts[0].id
    assert desk.port(choices={name: choice}).regenerated.open == 0
    assert steps_in(desk.text) == wanted
    assert "PORT CONFLICT" not in desk.text
    assert not desk.port().changed


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "result"),
    [
        ("abcd", "abcd", "abcd", "abcd"),
        ("abcd", "bacd", "abcd", "bacd"),
        ("abcd", "abcd", "abdc", "abdc"),
        ("abcd", "bacd", "abdc", "badc"),
        ("abcd", "bacd", "bacd", "bacd"),
        ("abc", "acb", "bac", None),  # c before b, b before a, and a before c as it was
        ("abc", "axbc", "abyc", "axbyc"),
        ("abc", "axbc", "aybc", "axybc"),
        ("abc", "abxc", "bac", "bxac"),
        ("abc", "bac", "abyc", "byac"),
    ],
)  # fmt: skip
def test_orders(base: str, ours: str, theirs: str, result: str | None) -> None:
    order, clash = merge_order(base, ours, theirs, set(base + ours + theirs))
    assert clash == (result is None)
    assert "".join(order) == (result or ours)


def test_the_larger_half_of_a_split_cell_stays_the_step_where_it_only_defines_something(
    tmp_path,
) -> None:
    desk = Desk(tmp_path)
    big = "def big(n):\n    a = n + 1\n    b = a * 2\n    c = b - 3\n    print(a, b)\n    return c"
    whole = f"x = 2\n{big}\nprint(big(4))"
    first, last = "import math\nprint(math.pi)", "print('end', x)"
    desk.notebook.write_bytes(raw(first, whole, last, ids=False))
    desk.port()
    desk.edit("print(a, b)", "print(a, b, 'mine')")
    desk.notebook.write_bytes(raw(first, "x = 2", big, "print(big(4))", last, ids=False))
    done = desk.port()
    assert done.regenerated.open == 0
    assert steps_in(desk.text) == ["step_01", "step_04", "step_02", "step_03"]
    start = desk.text.index("    def step_02_setup(form):")
    assert "print(a, b, 'mine')" in desk.text[start : desk.text.index("    async def step_02(")]
    compile(desk.text, "plugin", "exec")
    assert not desk.port().changed
