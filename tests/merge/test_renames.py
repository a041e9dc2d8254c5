"""What a user renamed in the plugin's frame: the notebook's code calls it by its new name, in this port and in all later ones."""

import json

import pytest

from tests.build import md, tree
from tests.merge.desk import FIRST, SECOND, Desk
from transpiler.merge.moves import rename_methods
from transpiler.merge.summary import MergedPart


@pytest.fixture
def desk(tmp_path) -> Desk:
    made = Desk(tmp_path)
    made.port(*FIRST)
    return made


def rename(desk: Desk, old: str, new: str) -> None:
    text = desk.text.replace(f"self.{old}(", f"self.{new}(").replace(f"def {old}(", f"def {new}(")
    desk.plugin.write_text(text)


def kept(desk: Desk) -> dict:
    return json.loads(next(desk.out.rglob("lock.json")).read_text()).get("renames", {})


def test_new_steps_call_it_by_its_new_name(desk: Desk) -> None:
    rename(desk, "form", "card_form")
    done = desk.port(*SECOND, "extra = 1\nprint(extra)\nextra")
    assert done.regenerated.open == 0
    assert "self.form(" not in desk.text
    assert desk.text.count('self.card_form("step_04"') == 1
    assert "def form(" not in desk.text
    assert kept(desk) == {"form": "card_form"}
    told = MergedPart("card_form", "edited by you", "it was form; the notebook's code calls it so")
    assert told in done.regenerated.rows
    before = tree(desk.out)
    assert not desk.port().changed
    assert tree(desk.out) == before


def test_a_renamed_helper_is_no_edit_of_the_steps_that_call_it(desk: Desk) -> None:
    rename(desk, "form", "card_form")
    assert desk.port(*SECOND[:2], SECOND[3]).regenerated.open == 0
    assert "step_02" not in desk.text


def test_it_is_remembered_when_its_body_is_written_anew(desk: Desk) -> None:
    rename(desk, "form", "card_form")
    desk.port(*SECOND)
    start = desk.text.index("    def card_form")
    end = desk.text.index("    def run_form")
    body = (
        "    def card_form(self, step_id, **more):\n        return self.my_own(step_id, 1, 2)\n\n"
    )
    desk.plugin.write_text(desk.text[:start] + body + desk.text[end:])
    done = desk.port(*SECOND, "extra = 1\nprint(extra)\nextra")
    assert done.regenerated.open == 0
    assert desk.text.count('self.card_form("step_04"') == 1
    assert "self.form(" not in desk.text


def test_a_new_method_that_is_like_none_is_no_rename(desk: Desk) -> None:
    start = desk.text.index("    def form(")
    end = desk.text.index("    def run_form(")
    mine = "    def mine(self, step_id):\n        return step_id\n\n"
    desk.plugin.write_text(desk.text[:start] + mine + desk.text[end:])
    desk.port(*SECOND)
    assert kept(desk) == {}
    assert "def form(" not in desk.text
    assert 'self.form("step_01"' in desk.text


def test_two_methods_that_are_as_like_it_are_no_rename(desk: Desk) -> None:
    start = desk.text.index("    def form(")
    end = desk.text.index("    def run_form(")
    method = desk.text[start:end]
    both = method.replace("def form(", "def card_one(") + method.replace(
        "def form(", "def card_two("
    )
    desk.plugin.write_text(desk.text[:start] + both + desk.text[end:])
    desk.port(*SECOND)
    assert kept(desk) == {}


def test_what_the_notebook_calls_self_is_left_alone(tmp_path) -> None:
    desk = Desk(tmp_path)
    own = "class Own:\n    def use(self):\n        return self.form(1)\n\nOwn"
    desk.port(md("# Trip"), own)
    rename(desk, "form", "card_form")
    desk.plugin.write_text(desk.text.replace("self.card_form(1)", "self.form(1)"))
    assert desk.port(md("# Trip"), own, own.replace("Own", "Other")).regenerated.open == 0
    assert desk.text.count("return self.form(1)") == 2
    compile(desk.text, "plugin", "exec")


def test_a_handler_of_a_step_is_not_followed(desk: Desk) -> None:
    rename(desk, "step_02_submit", "mine")
    desk.port(*SECOND)
    assert kept(desk) == {}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("class C:\n    def a(self):\n        self.a(self.a)\n", "class C:\n    def b(self):\n        self.b(self.b)\n"),
        ("class C:\n    x = 'é'; y = lambda self: ('é', self.a)\n", "class C:\n    x = 'é'; y = lambda self: ('é', self.b)\n"),
        ("class C:\n    async def a(self): return 'self.a'\n", "class C:\n    async def b(self): return 'self.a'\n"),
        ("class C:\n    @cell('x')\n    def step_01_cell(self):\n        self.a\n", None),
        ("def a(self): return self.a\n", None),
    ],
)  # fmt: skip
def test_names_are_replaced_where_they_are_names(text: str, result: str | None) -> None:
    assert rename_methods(text, {"a": "b"}) == (result or text)
