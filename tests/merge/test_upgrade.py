"""A newer compiler over a plugin that an older one wrote, edited by hand since: a merge of its own."""

import json
import sys
from pathlib import Path

import pytest

from tests.build import md, raw, tree
from tests.merge.desk import FIRST, SECOND, Desk
from transpiler import pipeline
from transpiler.cli import main
from transpiler.passes import emit as emitting
from transpiler.plugin_folder.plugin_folder import PluginFolder


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch):
    """Call it, and the compiler is another one, which writes some words of the steps, or of the frame, in another way."""

    def install(*words: tuple[str, str], frame: tuple[tuple[str, str], ...] = ()) -> None:
        steps, fitted = emitting._filled, emitting._fitted

        def filled(*args):
            return in_other_words(steps(*args), words)

        def framed(text, in_class=False):
            made = fitted(text, in_class)
            return made if in_class else in_other_words(made, frame)

        monkeypatch.setattr(emitting, "_filled", filled)
        monkeypatch.setattr(emitting, "_fitted", framed)
        monkeypatch.setattr(pipeline, "compiler_digest", lambda: f"with {words} and {frame}")

    return install


def in_other_words(text: str, words: tuple[tuple[str, str], ...]) -> str:
    for old, new in words:
        text = text.replace(old, new)
    return text


NEW = ('aria_busy="true"', 'aria_busy="yes"')


def test_the_same_compiler_makes_the_same_of_the_kept_cells(tmp_path, monkeypatch) -> None:
    desk = Desk(tmp_path)
    desk.port(md("# Trip\n\nWhere to."), md("## Limit"), "#| input: a\na = 1\na", "print(a)")
    emitted = next(desk.out.rglob("base.py.txt")).read_text()
    monkeypatch.setattr(pipeline, "compiler_digest", lambda: "another")
    (where,) = PluginFolder.open(desk.out, desk.notebook).plugins
    again = pipeline._emitted_again(where, desk.notebook, pipeline.Options())
    assert again is not None
    assert again.text == emitted


def test_outputs_are_not_kept(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    notebook = json.loads(raw(*FIRST))
    output = {"output_type": "stream", "name": "stdout", "text": "very secret\n"}
    notebook["cells"][1] |= {"outputs": [output], "execution_count": 7}
    desk.notebook.write_text(json.dumps(notebook))
    desk.port()
    kept = next(desk.out.rglob("cells.json")).read_text()
    assert "limit = 5" in kept
    assert "very secret" not in kept


def test_the_compilers_changes_are_told_apart_from_the_notebooks(tmp_path: Path, newer) -> None:
    desk = Desk(tmp_path)
    desk.port(*FIRST)
    desk.edit("        print(best)\n", "        print(best)  # mine\n")
    newer(NEW)
    looked = desk.port(dry=True)
    assert [d.rule.code for d in looked.found] == ["PP430"]
    assert looked.regenerated.notebook is False
    assert {row.subject: row.what for row in looked.regenerated.compiler} == {
        "step_01": "updated",
        "step_02": "merged",
        "step_03": "updated",
    }
    assert {row.what for row in looked.regenerated.rows} == {"unchanged", "kept"}
    done = desk.port(*(SECOND[0], SECOND[1], *FIRST[2:]))
    assert done.regenerated.notebook is True
    assert len(done.regenerated.compiler) == 3
    assert {row.subject: row.what for row in done.regenerated.rows} == {
        "step_01": "updated",
        "step_02": "kept",
        "step_03": "unchanged",
    }
    assert "# mine" in desk.text
    assert "limit = 6" in desk.text
    assert desk.text.count('aria_busy="yes"') == 3
    before = tree(desk.out)
    again = desk.port()
    assert (again.changed, again.found, tree(desk.out)) == (False, (), before)


def test_check_says_whether_it_is_the_compiler_or_the_notebook(
    tmp_path: Path, newer, monkeypatch, capsys
) -> None:
    desk = Desk(tmp_path)
    desk.port(*FIRST)

    def check() -> str:
        command = ["pipulate", "port", str(desk.notebook), "-o", str(desk.out), "--check"]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as end:
            main.main()
        assert end.value.code == 4
        return " ".join(capsys.readouterr().out.split())

    newer(NEW)
    assert "written: the compiler is newer." in check()
    desk.notebook.write_bytes(raw(*SECOND))
    assert "written: the compiler is newer and the notebook has changed." in check()


def test_a_conflict_with_the_compiler_keeps_its_base_through_the_second_merge(
    tmp_path: Path, newer
) -> None:
    desk = Desk(tmp_path)
    desk.port(*FIRST)
    place = desk.text.index("    async def step_02(")
    at = desk.text.index('aria_busy="true"', place)
    desk.plugin.write_text(desk.text[:at] + 'aria_busy="mine"' + desk.text[at + len(NEW[0]) :])
    newer(NEW)
    done = desk.port(*SECOND)
    (found,) = done.regenerated.conflicts
    assert found.unit.endswith("def step_02")
    assert 'aria_busy="true"' in (found.base or "")
    assert (
        desk.text.count('aria_busy="yes"') == 3
    )  # two steps, and the notebook's side of the block
    assert 'print("best", best)' in desk.text
    before = tree(desk.out)
    assert desk.port().regenerated.open == 1
    assert tree(desk.out) == before
    desk.port(choices={"step_02": "notebook"})
    assert 'aria_busy="mine"' not in desk.text
    assert desk.text.count('aria_busy="yes"') == 3


@pytest.mark.parametrize("spoil", [None, b"{}", b'{"base_sha": 1'])
def test_without_the_kept_cells_both_come_in_one_merge(tmp_path: Path, newer, spoil) -> None:
    desk = Desk(tmp_path)
    desk.port(*FIRST)
    desk.edit("Finalize", "Finish")
    kept = next(desk.out.rglob("cells.json"))
    kept.unlink() if spoil is None else kept.write_bytes(spoil)
    newer(NEW)
    done = desk.port(*SECOND)
    assert done.regenerated.compiler == ()
    assert "Finish" in desk.text
    assert "limit = 6" in desk.text
    assert desk.text.count('aria_busy="yes"') == 3


def test_a_layout_of_before_is_taken_to_the_new_one_with_its_edits(tmp_path: Path, newer) -> None:
    """A newer compiler may write whole parts of a step anew, and name a helper in another way."""
    desk = Desk(tmp_path)
    desk.port(*FIRST)
    desk.edit('P("Running…", aria_busy="true"),', 'P("Just a moment", aria_busy="true"),')
    desk.edit(
        "    async def landing", "    def own(self):\n        return 1\n\n    async def landing"
    )
    newer(
        ('        """GET: the card as it stands."""\n', '        """GET: the card."""\n        self.seen = 1\n'),
        ("        if run.stage == \"locked\":\n", "        # The run is locked.\n        if run.stage == \"locked\":\n"),
    )  # fmt: skip
    done = desk.port(*SECOND)
    assert done.regenerated.open == 0
    assert "Just a moment" in desk.text
    assert "def own(self)" in desk.text
    assert desk.text.count("self.seen = 1") == desk.text.count("# The run is locked.") == 3
    compile(desk.text, "plugin", "exec")
    assert not desk.port().changed


SECTION = "    # --- The run ---\n\n"
OWN = "    def own(self):\n        return 1\n\n"


@pytest.mark.parametrize("blank", ["", "\n"], ids=["below the comment", "apart from it"])
def test_a_method_below_a_comment_that_a_newer_compiler_drops_is_no_conflict(
    tmp_path: Path, newer, blank: str
) -> None:
    """The comment stood above a method of the frame, and is not the owner's who put another method between the two."""
    desk = Desk(tmp_path)
    newer(frame=(("    async def landing(", f"{SECTION}    async def landing("),))
    desk.port(*FIRST)
    desk.edit(SECTION, SECTION.removesuffix("\n") + blank + OWN)
    newer(frame=((SECTION, ""), ("landing(self, request)", "landing(self, asked)")))
    done = desk.port(*SECOND)
    assert done.regenerated.open == 0, desk.text
    assert desk.text.count("def own(self)") == 1
    assert desk.text.count("landing(self, asked)") == 1
    assert "# --- The run ---" not in desk.text
    compile(desk.text, "plugin", "exec")
    assert not desk.port().changed
