"""`--resolve ...=both`: whole statements of both sides, or the conflict stays open and the port says why."""

from pathlib import Path

import pytest

from tests.build import md, tree
from tests.merge.desk import Desk
from transpiler.features.review import review, settle
from transpiler.merge.conflicts import keep_both
from transpiler.model.options import Options

CHAIN = """numbers = (
    'a long line of many words, which is cut'
    .upper()
    .strip()
    .lower()
    .split('{}')
    .copy()  # words
)
numbers"""


def chained(folder: Path) -> Desk:
    desk = Desk(folder)
    desk.port(md("# Trip"), CHAIN.format("base"))
    desk.edit(".split('base')", ".split('mine')")
    assert desk.port(md("# Trip"), CHAIN.format("notebook")).regenerated.open == 1
    return desk


def codes_of(done) -> list[str]:
    return [d.rule.code for d in done.found]


def test_lines_of_one_statement_stay_in_conflict(tmp_path: Path) -> None:
    desk = chained(tmp_path)
    before = tree(desk.out)
    done = desk.port(choices={"step_01": "both"})
    assert (codes_of(done), done.regenerated.open) == (["PP422", "PP431"], 1)
    assert tree(desk.out) == before
    (said,) = [d for d in done.found if d.rule.code == "PP431"]
    (open_,) = done.regenerated.conflicts
    assert "step_01_cell" in said.message
    assert f"--resolve {open_.id}=mine" in said.help
    assert desk.port(choices={"step_01": "notebook"}).regenerated.open == 0


def test_a_refused_both_is_said_in_the_review(tmp_path: Path) -> None:
    desk = chained(tmp_path)
    made = review(desk.notebook, desk.out, Options())
    (there,) = made.conflicts
    after, said = settle(desk.notebook, desk.out, Options(), there.id, "both", made.seen)
    assert said.startswith("The two texts cannot stand one below the other.")
    assert [each.id for each in after.conflicts] == [there.id]


def test_what_both_added_cannot_have_both(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.port("print(1)")
    own = "    def field(self, name, problems):\n        return name\n\n"
    desk.edit("    async def landing", f"{own}    async def landing")
    done = desk.port("#| input: a\na = 1\na", choices={"*": "both"})
    assert [c.unit.rpartition(" ")[2] for c in done.regenerated.conflicts] == ["field"]
    assert "PP431" in codes_of(done)


def test_names_of_both_texts_are_declared_at_the_top(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.port("first = [1]\nprint(first)", "print(len(first))", "print(first)")
    desk.edit("print(len(first))", "first = first * 2\n        print(max(first))")
    desk.port("other = [1]\nprint(other)", "print(sum(other))", "print(other)")
    done = desk.port(choices={"step_02": "both"})
    assert done.regenerated.open == 0
    start = desk.text.index("    def step_02_cell")
    lines = [li.split("  #")[0].strip() for li in desk.text[start:].split("\n")[1:6]]
    declared = [line for line in lines if line.startswith("global ")]
    assert lines[: len(declared)] == declared
    names = {name for line in declared for name in line.removeprefix("global ").split(", ")}
    assert {"first", "other"} <= names
    assert lines[len(declared) :][:3] == [
        "first = first * 2",
        "print(max(first))",
        "print(sum(other))",
    ]
    assert not desk.port().changed


def body(*lines: str) -> str:
    return "    def f(self):\n" + "".join(f"        {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "result"),
    [
        (body("a"), body("b"), body("c"), body("b", "c")),
        (body("return a"), body("return b"), body("return c"), body("b", "return c")),
        (body("f(", "  a,", ")"), body("f(", "  b,", ")"), body("f(", "  c,", ")"), None),
        (body("f(", "  a,", ")"), body("f(", "  b,", ")", "b"), body("f(", "  a,", ")", "c"),
         body("f(", "  b,", ")", "b", "c")),
        (body("for x in a:", "  x"), body("for x in b:", "  x"), body("for x in c:", "  x"), None),
        (body("if a:", "  a"), body("if a:", "  b"), body("if a:", "  c"), body("if a:", "  b", "  c")),
        (body("'''", "a", "'''"), body("'''", "b", "'''"), body("'''", "c", "'''"), None),
        ("    Step(\n        show=1,\n    ),\n", "    Step(\n        show=2,\n    ),\n",
         "    Step(\n        show=3,\n    ),\n", None),
        ("class A:\n    '''a'''\n", "class A:\n    '''b'''\n", "class A:\n    '''c'''\n",
         "class A:\n    '''b'''\n    '''c'''\n"),
        ("    ]\n    a = 1\n", "    ]\n    a = 2\n", "    ]\n    a = 3\n", "    ]\n    a = 2\n    a = 3\n"),
        ("    b = [\n", "    c = [\n", "    d = [\n", None),
        ("    a = 1\n    b = [\n", "    a = 2\n    b = [\n", "    a = 3\n    b = [\n",
         "    a = 2\n    a = 3\n    b = [\n"),
    ],
)  # fmt: skip
def test_whole_statements(base: str, ours: str, theirs: str, result: str | None) -> None:
    assert keep_both((base, ours, theirs)) == result
