"""Readers and writers of one folder at the same time: nobody takes what is being written for what a kill has left."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.build import raw, tree
from tests.merge.desk import FIRST, SECOND, Desk
from transpiler.features.review import review
from transpiler.model.diagnostics import UserError
from transpiler.model.options import Asked, Options
from transpiler.pipeline import port, undo
from transpiler.plugin_folder import folder_lock
from transpiler.plugin_folder.plugin_folder import PluginFolder


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.port(*FIRST)
    made.edit('print("end")', 'print("my end")')
    return made


def in_the_middle(desk: Desk, monkeypatch, happens: Callable[[], object]) -> list[object]:
    """Let something begin in a thread when the next writer has named the plugin, not yet its papers; return what came of it."""
    replace, came = Path.replace, []

    def run() -> None:
        try:
            came.append(happens())
        except UserError as error:
            came.append(error.diagnostic.rule.code)

    thread = threading.Thread(target=run)

    def slow(self: Path, target: Path) -> Path:
        done = replace(self, target)
        if target == desk.plugin:
            monkeypatch.setattr(Path, "replace", replace)
            thread.start()
            thread.join(0.5)  # time enough to do harm
        return done

    monkeypatch.setattr(Path, "replace", slow)
    desk.join = lambda: thread.join(20)
    return came


LOOKS = {
    "review": lambda desk: review(desk.notebook, desk.out, Options()).coming,
    "dry": lambda desk: port(
        desk.notebook, desk.out, Options(), Asked(dry=True), anew=True
    ).changed,
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS.keys())
def test_who_looks_while_a_port_writes_sees_what_it_has_written(desk, monkeypatch, look) -> None:
    came = in_the_middle(desk, monkeypatch, lambda: look(desk))
    desk.port(*SECOND)
    desk.join()
    assert came == [False]
    (base,) = desk.out.glob(".port/*/base.py.txt")
    assert ("limit = 6" in desk.text, "limit = 6" in base.read_text()) == (True, True)
    assert '"my end"' in desk.text
    again = desk.port(*FIRST)
    assert (again.regenerated.open, "limit = 5" in desk.text) == (0, True)


def test_who_looks_while_an_undo_writes_sees_what_was_before(desk, monkeypatch) -> None:
    before = desk.text
    desk.port(*SECOND)
    came = in_the_middle(desk, monkeypatch, lambda: LOOKS["review"](desk))
    undo(desk.notebook, desk.out, yes=False)
    desk.join()
    assert (came, desk.text) == ([True], before)
    assert not [name for name in tree(desk.out) if name.endswith(".next")]


def test_two_ports_at_once_leave_what_one_of_them_wrote(desk, monkeypatch) -> None:
    came = in_the_middle(
        desk, monkeypatch, lambda: port(desk.notebook, desk.out, Options(), anew=True).changed
    )
    desk.port(*SECOND)
    desk.join()
    assert came == [False]
    assert not desk.port().changed


def test_what_was_saved_during_a_port_is_not_written_over(desk, monkeypatch) -> None:
    writing = PluginFolder.write

    def saved(*args: object) -> object:
        desk.edit('print("my end")', 'print("my last end")')
        return writing(*args)

    monkeypatch.setattr(PluginFolder, "write", saved)
    desk.notebook.write_bytes(raw(*SECOND))
    with pytest.raises(UserError) as caught:
        desk.port()
    assert (caught.value.diagnostic.rule.code, caught.value.exit_code) == ("PP490", 3)
    monkeypatch.undo()
    assert desk.port().changed
    assert '"my last end"' in desk.text
    assert "limit = 6" in desk.text


def test_who_waits_too_long_is_told(desk, monkeypatch) -> None:
    monkeypatch.setattr(folder_lock, "SECONDS", 0.1)
    before = tree(desk.out)
    with folder_lock.alone(desk.out / ".port"):
        for refused in (lambda: desk.port(*SECOND), lambda: LOOKS["review"](desk)):
            with pytest.raises(UserError) as caught:
                refused()
            assert (caught.value.diagnostic.rule.code, caught.value.exit_code) == ("PP437", 3)
    assert tree(desk.out) == before


def test_two_first_ports_at_once(tmp_path: Path, monkeypatch) -> None:
    desk = Desk(tmp_path)
    desk.notebook.write_bytes(raw(*FIRST))
    came = in_the_middle(desk, monkeypatch, lambda: port(desk.notebook, desk.out, Options()).plugin)
    desk.port()
    desk.join()
    assert came == [desk.plugin]
    assert not desk.port().changed


def test_a_reader_leaves_nothing_where_no_port_was(desk: Desk) -> None:
    """A plugin without its papers: they were not copied with it."""
    for paper in sorted((desk.out / ".port").rglob("*"), reverse=True):
        paper.rmdir() if paper.is_dir() else paper.unlink()
    (desk.out / ".port").rmdir()
    before = tree(desk.out)
    review(desk.notebook, desk.out, Options())
    assert tree(desk.out) == before
    assert not (desk.out / ".port").exists()
