"""Porting again over a plugin that was edited: files, options, backups, kills."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.build import md, raw, tree
from tests.merge.desk import FIRST, SECOND, Desk
from transpiler.merge import checks
from transpiler.model.diagnostics import UserError
from transpiler.model.options import Asked, Options
from transpiler.pipeline import Ported, port, undo


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.port(*FIRST)
    return made


def conflict(desk: Desk) -> Ported:
    desk.edit("        print(best)\n", '        print("mine", best)\n')
    return desk.port(*SECOND)


def test_a_conflict_leaves_the_users_text_running(desk: Desk) -> None:
    done = conflict(desk)
    (found,) = done.regenerated.conflicts
    assert [d.rule.code for d in done.found] == ["PP422"]
    assert '        print("mine", best)\n' in desk.text
    assert f"# >>> PORT CONFLICT {found.id}" in desk.text
    assert '# notebook |         print("best", best)' in desk.text
    assert "limit = 6" in desk.text
    compile(desk.text, "plugin", "exec")
    before = tree(desk.out)
    again = desk.port()
    assert (again.changed, again.regenerated.open, tree(desk.out)) == (False, 1, before)


def test_a_notebook_that_was_moved_is_known_again(desk: Desk) -> None:
    desk.edit("        print(best)\n", '        print("mine", best)\n')
    elsewhere = desk.notebook.parent / "notebooks" / desk.notebook.name
    elsewhere.parent.mkdir()
    desk.notebook.rename(elsewhere)
    desk.notebook = elsewhere
    done = desk.port(*SECOND[:2], *FIRST[2:])
    assert (done.plugin, done.regenerated.open) == (desk.plugin, 0)
    assert "limit = 6" in desk.text
    assert '        print("mine", best)\n' in desk.text
    assert " notebook=../notebooks/trip.ipynb " in desk.text
    assert not desk.port().changed


def test_a_notebook_that_was_renamed_is_told_of_its_plugin_and_can_go_on_with_it(
    desk: Desk,
) -> None:
    desk.edit("        print(best)\n", '        print("mine", best)\n')
    asked = port(desk.notebook, desk.out, Options(fields=("limit",)), Asked())
    assert asked.plan is not None
    desk.notebook = desk.notebook.rename(desk.notebook.with_name("journey.ipynb"))
    before = desk.text
    done = desk.port()
    assert (done.plugin, done.changed) == (desk.out / "journey.py", True)
    (said,) = [d for d in done.found if d.rule.code == "PP409"]
    assert str(desk.plugin) in said.message
    assert desk.text == before
    assert "PP409" not in [d.rule.code for d in desk.port(*SECOND).found], "it is said once"

    # as the message says
    (desk.out / "journey.py").unlink()
    desk.notebook.write_bytes(raw(*SECOND[:2], *FIRST[2:], pipulate={"app_name": "trip"}))
    done = desk.port()
    assert (done.plugin, done.regenerated.open) == (desk.plugin, 0)
    assert '        print("mine", best)\n' in desk.text
    assert desk.text.count('values = {"limit": 6}') == 1, "what --fields chose is a field still"
    assert " notebook=../journey.ipynb " in desk.text
    assert not desk.port().changed


def test_another_notebook_is_not_taken_for_a_renamed_one(desk: Desk) -> None:
    desk.notebook = desk.notebook.rename(desk.notebook.with_name("journey.ipynb"))
    done = desk.port(md("# Trip"), FIRST[1], 'print("other")', 'print("more")')
    assert (done.plugin, done.found) == (desk.out / "journey.py", ())
    copy = desk.notebook.with_name("copy.ipynb")
    copy.write_bytes(desk.notebook.read_bytes())
    assert port(copy, desk.out, Options(), Asked()).found == (), "its original is there still"


TWO_PLACES = (
    md("# Trip"),
    'one = 1\nprint("first", one)\ntwo = 2\nthree = 3\nprint("last", three)',
    "print(two)",
)


def test_a_conflict_is_only_where_both_changed_the_same_lines(desk: Desk) -> None:
    desk.port(*TWO_PLACES)
    desk.edit('print("first", one)', 'print("mine", one)')
    changed = TWO_PLACES[1].replace('"first"', '"newest"') + '\nprint("more")\nfour = 4'
    desk.port(TWO_PLACES[0], changed, "print(two, four)")
    assert '        print("mine", one)\n' in desk.text
    assert "        four = 4\n" in desk.text
    assert "# notebook |         four = 4" not in desk.text
    desk.edit('        print("more")\n', "")
    assert desk.port().regenerated.open == 1
    assert '        print("more")\n' not in desk.text
    assert desk.port(choices={"step_01": "mine"}).regenerated.open == 0
    assert "        four = 4\n" in desk.text
    assert '        print("more")\n' not in desk.text


def test_a_form_in_conflict_has_the_notebooks_new_field(desk: Desk) -> None:
    asked = "#| input: [{name: limit, help: At most}, {name: depth}]\nlimit = 5\ndepth = 2\nprint(limit, depth)"
    desk.port(md("# Trip"), asked)
    desk.edit('help="At most"', 'help="No more than"')
    more = asked.replace("At most", "The most").replace(
        "{name: depth}", "{name: depth}, {name: far}"
    )
    desk.port(md("# Trip"), f"{more}\nfar = 3\nfar")
    assert 'help="No more than"' in desk.text
    assert '"far": "Far"' in desk.text
    assert '                "step_01-far",\n' in desk.text
    assert "far = form[" in desk.text


def test_a_conflict_follows_the_notebook(desk: Desk) -> None:
    conflict(desk)
    third = (*SECOND[:2], SECOND[2].replace('"best"', '"newest"'), SECOND[3])
    done = desk.port(*third)
    assert done.regenerated.open == 1
    assert '"newest"' in desk.text
    assert '"best", best' not in desk.text


def test_a_block_that_is_deleted_is_a_decision(desk: Desk) -> None:
    conflict(desk)
    lines = desk.text.split("\n")
    inside = [n for n, line in enumerate(lines) if "PORT CONFLICT" in line]
    desk.plugin.write_text("\n".join(lines[: inside[0]] + lines[inside[1] + 1 :]))
    settled = desk.text
    done = desk.port()
    assert (done.changed, done.regenerated.open, desk.text) == (False, 0, settled)
    assert json.loads(next(desk.out.rglob("lock.json")).read_text())["pending"] == []


@pytest.mark.parametrize(
    ("choice", "lines"),
    [
        ("mine", ['print("mine", best)']),
        ("notebook", ['print("best", best)']),
        ("both", ['print("mine", best)', 'print("best", best)']),
    ],
)
@pytest.mark.parametrize("name", ["step_02", "step_02_cell", "*", "id"])
def test_a_conflict_is_settled_by_command(desk: Desk, choice, lines, name) -> None:
    if name == "id":
        name = conflict(desk).regenerated.conflicts[0].id
    else:
        conflict(desk)
    done = desk.port(choices={name: choice})
    assert done.regenerated.open == 0
    assert "PORT CONFLICT" not in desk.text
    there = [line.strip() for line in desk.text.split("\n") if "best)" in line and "print" in line]
    assert there == lines
    assert not desk.port().changed


def test_what_is_not_there_cannot_be_settled_or_restored(desk: Desk) -> None:
    conflict(desk)
    assert desk.refused(choices={"step_03": "mine"}) == "PP407"
    assert desk.refused(restore=("step_03",)) == "PP407"


def without_step(text: str, step: str) -> str:
    lines = text.split("\n")
    start = next(n for n, li in enumerate(lines) if f"START_STEP_BUNDLE: {step} " in li)
    end = next(n for n, li in enumerate(lines) if f"END_STEP_BUNDLE: {step} " in li)
    del lines[start : end + 2]
    entry = next(n for n, li in enumerate(lines) if f'id="{step}",' in li)
    del lines[entry - 1 : entry + 4]
    return "\n".join(lines)


def test_a_deleted_step_stays_deleted_until_it_is_restored(desk: Desk) -> None:
    desk.plugin.write_text(without_step(desk.text, "step_02"))
    done = desk.port(*SECOND)
    assert "PP426" in [d.rule.code for d in done.found]
    assert "step_02_cell" not in desk.text
    desk.port(restore=("step_02",))
    assert "step_02_cell" in desk.text
    assert '        Step(\n                id="step_02",' in desk.text
    compile(desk.text, "plugin", "exec")


def test_a_step_that_the_notebook_lost_stays_if_it_was_edited(desk: Desk) -> None:
    desk.edit("        print(best)\n", '        print("mine", best)\n')
    done = desk.port(*SECOND[:2], SECOND[3])
    rows = {row.subject: row.what.split()[0] for row in done.regenerated.rows}
    assert rows == {"step_01": "updated", "step_02": "CONFLICT", "step_03": "updated"}
    assert 'id="step_02",' in desk.text
    desk.port(choices={"step_02": "notebook"})
    assert "step_02" not in desk.text


def test_a_new_cell_gets_the_next_id_and_the_others_keep_theirs(desk: Desk) -> None:
    cells = [{**c, "id": f"cell-{n}"} if isinstance(c, dict) else c for n, c in enumerate(FIRST)]
    desk.edit("        print(best)\n", "        print(best)  # mine\n")
    done = desk.port(cells[0], cells[1], "new = 1\nprint(new)", *cells[2:])
    assert [d.rule.code for d in done.found] == ["PP424"]
    order = [
        line.split('"')[1] for line in desk.text.split("\n") if line.strip().startswith('id="step_')
    ][:4]
    assert order == ["step_01", "step_04", "step_02", "step_03"]
    assert "print(best)  # mine" in desk.text
    assert [d.rule.code for d in desk.port(*FIRST).found] == ["PP425"]
    assert "step_04" not in desk.text
    desk.port(cells[0], cells[1], "other = 1\nprint(other)", *cells[2:])
    assert "step_05_cell" in desk.text
    assert "step_04" not in desk.text


@pytest.mark.parametrize("asked", [{"dry": True}, {"dry": True, "force": True}])
def test_a_dry_run_writes_nothing(desk: Desk, asked) -> None:
    desk.edit("        print(best)\n", '        print("mine", best)\n')
    before = tree(desk.out)
    desk.notebook.write_bytes(raw(*SECOND))
    assert desk.port(**asked).changed
    assert tree(desk.out) == before


def test_force_drops_the_edits_and_undo_brings_them_back(desk: Desk) -> None:
    desk.edit("Finalize", "Finish")
    edited = tree(desk.out)
    desk.port(*SECOND, force=True)
    assert "Finish" not in desk.text
    undo(desk.notebook, desk.out, yes=False)
    now = {name: data for name, data in tree(desk.out).items() if not name.endswith(".stamp")}
    assert now == {name: data for name, data in edited.items() if not name.endswith(".stamp")}
    desk.port()
    assert "Finish" in desk.text
    assert "limit = 6" in desk.text


def test_undo_keeps_what_was_edited_since(desk: Desk) -> None:
    desk.port(*SECOND)
    desk.edit("Finalize", "Finish")
    with pytest.raises(UserError) as caught:
        undo(desk.notebook, desk.out, yes=False)
    assert (caught.value.diagnostic.rule.code, caught.value.exit_code) == ("PP403", 3)
    undo(desk.notebook, desk.out, yes=True)
    assert "limit = 5" in desk.text
    undo(desk.notebook, desk.out, yes=True)
    assert "Finish" in desk.text


def test_without_a_backup_there_is_nothing_to_undo(desk: Desk) -> None:
    for path in (desk.notebook, desk.notebook.with_name("other.ipynb")):
        with pytest.raises(UserError) as caught:
            undo(path, desk.out, yes=True)
        assert caught.value.diagnostic.rule.code == "PP429"


def test_only_the_newest_backups_are_kept(desk: Desk) -> None:
    for number in range(13):
        desk.port(md("# Trip"), f"limit = {number}")
    backups = sorted(p.name[:4] for p in desk.out.rglob("backup/*-*.py.txt"))
    assert backups == [f"{n:04}" for n in range(4, 14)]


@pytest.mark.parametrize("lost", ["base.py.txt", "lock.json"])
def test_without_its_base_an_edited_plugin_refuses_until_adopted(desk: Desk, lost: str) -> None:
    desk.edit("Finalize", "Finish")
    next(desk.out.rglob(lost)).unlink()
    edited = desk.text
    assert desk.refused(*SECOND) == "PP421"
    desk.port(adopt=True)
    assert desk.text == edited
    assert not desk.port().changed
    desk.port(*SECOND[:3])
    assert "Finish" in desk.text
    assert "step_03" not in desk.text


@pytest.mark.parametrize("spoil", [b"", b"# another\n"])
def test_papers_of_another_age_are_not_believed(desk: Desk, spoil: bytes) -> None:
    desk.edit("Finalize", "Finish")
    next(desk.out.rglob("base.py.txt")).write_bytes(spoil)
    assert desk.refused(*SECOND) == "PP421"


def test_a_plugin_that_is_not_python_refuses(desk: Desk) -> None:
    desk.edit("        print(best)\n", "<<<<<<< HEAD\n        print(best)\n")
    assert desk.refused(*SECOND) == "PP420"


def test_a_merge_that_fails_its_checks_is_not_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.edit("        print(best)\n", "        print(best)  # mine\n")
    monkeypatch.setattr(checks, "find_problem", lambda *_: "a line would be lost")
    assert desk.refused(*SECOND) == "PP423"


def test_a_block_that_nobody_knows_stays_and_is_told(desk: Desk) -> None:
    desk.edit("    async def landing", "    # >>> PORT CONFLICT abcd  x\n    async def landing")
    done = desk.port()
    assert [d.rule.code for d in done.found] == ["PP428"]
    assert (done.changed, done.regenerated.open) == (False, 1)


def test_a_name_that_the_notebook_renamed_is_told(desk: Desk) -> None:
    desk.edit("        print(best)\n", "        print(limit)\n        print(best)\n")
    renamed = [c if isinstance(c, dict) else c.replace("limit", "amount") for c in FIRST]
    done = desk.port(*renamed)
    assert ("PP427" in [d.rule.code for d in done.found]) or done.regenerated.open


def test_an_import_stays_while_the_users_code_needs_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.port("#| input: a\na = 1\na", "print(a)")
    desk.edit(
        "    async def landing",
        '    def own(self):\n        return Label("mine"), self.field("a", "A", None)\n\n    async def landing',
    )
    desk.port("a = 1\na", "print(a)")
    assert "    Label,\n" in desk.text
    assert "def field(" in desk.text
    assert "    Input,\n" in desk.text  # the frame's own
    assert "    Dl,\n" not in desk.text
    assert not desk.port().changed


# --- how the file is written ----------------------------------------------------------------------------------------------


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    "shape",
    [
        crlf,
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.rstrip("\n").encode(),
        lambda text: text.replace("    async def landing", "\f\n    async def landing").encode(),
    ],
    ids=["CRLF", "BOM", "no final newline", "form feed"],
)
def test_a_merge_keeps_how_the_file_is_written(
    tmp_path: Path, shape: Callable[[str], bytes]
) -> None:
    plain, other = Desk(tmp_path / "a"), Desk(tmp_path / "b")
    for desk in (plain, other):
        desk.notebook.parent.mkdir()
        desk.port(*FIRST)
        desk.edit("Finalize", "Finish")
    other.plugin.write_bytes(shape(other.text))
    before = other.plugin.read_bytes()
    assert not other.port().changed
    assert other.plugin.read_bytes() == before
    for desk in (plain, other):
        assert desk.port(*SECOND).regenerated.open == 0
    assert other.plugin.read_bytes() == shape(plain.text)


@pytest.mark.parametrize(
    "tool", ["black -q -l 100", "ruff format -q --line-length 120", "black -q -l 60"]
)
def test_a_formatter_is_no_edit_that_conflicts(desk: Desk, tool: str) -> None:
    desk.edit("        print(best)\n", '        print(best)\n        print("mine", 1)\n')
    command, *options = tool.split()
    subprocess.run([Path(sys.executable).parent / command, *options, desk.plugin], check=True)
    third = (
        *SECOND[:2],
        "best = [limit]\nprint(best)\nbest[:1]",
        "#| input: far\nfar = 4\nlen(best)",
    )
    done = desk.port(*third)
    assert done.regenerated.open == 0, done.found
    assert "mine" in desk.text
    assert "best[:1]" in desk.text
    compile(desk.text, "plugin", "exec")
    assert not desk.port().changed


def test_tabs_are_made_spaces_when_something_has_to_be_merged(desk: Desk) -> None:
    desk.edit("Finalize", "Finish")
    lines = [
        ("\t" * ((len(li) - len(li.lstrip(" "))) // 4) + li.lstrip(" "))
        for li in desk.text.split("\n")
    ]
    desk.plugin.write_text("\n".join(lines))
    assert not desk.port().changed
    assert desk.port(*SECOND).regenerated.open == 0
    assert "Finish" in desk.text
    compile(desk.text, "plugin", "exec")


def test_with_both_texts_both_run(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.port("best = 1\n[best]")
    desk.edit("return [best]", "return [best, 2]")
    desk.port("best = 1\n[best, 3]")
    desk.port(choices={"*": "both"})
    lines = [line.strip() for line in desk.text.split("\n")]
    at = lines.index("[best, 2]")
    assert lines[at : at + 2] == ["[best, 2]", "return [best, 3]"]
    assert not desk.port().changed
