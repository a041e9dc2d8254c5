"""The pass that writes: where a plugin goes, what belongs to it, and what is never touched."""

import json
from pathlib import Path

import pytest

from tests.build import plan_of, raw, text_of, tree
from transpiler.model.diagnostics import UserError
from transpiler.model.options import Options
from transpiler.pipeline import Ported, port
from transpiler.plugin_folder.last_port import unchanged
from transpiler.plugin_folder.paths import notebook_path, relative_path
from transpiler.plugin_folder.place import app_name_of, module_key, place


def ported(
    folder: Path, *cells: str, name: str = "trip.ipynb", number: str | None = None
) -> Ported:
    notebook = folder / name
    notebook.write_bytes(raw(*cells))
    return port(notebook, folder / "out", Options(number=number))


def test_a_port_writes_the_plugin_and_its_papers(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1")
    result = ported(tmp_path, "open('a.csv')")
    assert result.changed
    out = tree(tmp_path / "out")
    (port_id,) = (p.name for p in (tmp_path / "out/.port").iterdir())
    assert sorted(out) == [
        f".port/{port_id}/base.py.txt",
        f".port/{port_id}/cells.json",
        f".port/{port_id}/lock.json",
        f".port/{port_id}/unchanged.stamp",
        "trip.files/a.csv",
        "trip.py",
    ]
    assert out[f".port/{port_id}/base.py.txt"] == out["trip.py"]
    lock = json.loads(out[f".port/{port_id}/lock.json"])
    assert (lock["output"], lock["notebook"]) == ("trip.py", "../trip.ipynb")
    cell = {"id": "c000", "function": "step_01_cell", "source": "open('a.csv')"}
    assert lock["steps"] == [{"id": "step_01", "done": "ran", "show": "Result", "cells": [cell]}]


def test_the_second_port_looks_at_nothing(tmp_path: Path) -> None:
    ported(tmp_path, "x = 1")
    result = ported(tmp_path, "x = 1")
    assert (result.changed, result.plan, result.plugin) == (False, None, tmp_path / "out/trip.py")


@pytest.mark.parametrize(
    "change",
    [
        lambda home: (home / "out/trip.py").unlink(),
        lambda home: (home / "out/trip.files/a.csv").unlink(),
        lambda home: next(home.rglob("*.stamp")).unlink(),
        lambda home: next(home.rglob("*.stamp")).write_text("[]"),
        lambda home: next(home.rglob("*.stamp")).write_text("{"),
        lambda home: next(home.rglob("*.stamp")).write_text('{"plugin": 5}'),
        lambda home: next(home.rglob("lock.json")).write_text("[]") and next(home.rglob("*.stamp")).unlink(),
        lambda home: next(home.rglob("lock.json")).write_text("{") and next(home.rglob("*.stamp")).unlink(),
    ],
    ids=[
        "the plugin is gone",
        "a file is gone",
        "the stamp is gone",
        "the stamp is a list",
        "the stamp is cut",
        "the stamp lacks keys",
        "the lock is a list",
        "the lock is cut",
    ],
)  # fmt: skip
def test_what_is_lost_or_spoilt_is_written_again(tmp_path: Path, change) -> None:
    (tmp_path / "a.csv").write_text("1")
    ported(tmp_path, "open('a.csv')")
    before = tree(tmp_path / "out")
    change(tmp_path)
    ported(tmp_path, "open('a.csv')")
    assert tree(tmp_path / "out") == before


def test_another_compiler_or_other_options_do_not_trust_the_stamp(tmp_path: Path) -> None:
    ported(tmp_path, "x = 1")
    notebook = tmp_path / "trip.ipynb"
    assert unchanged(notebook, notebook.read_bytes(), tmp_path / "out", "another") is None
    assert port(notebook, tmp_path / "out", Options(by="heading")).plan is not None


def test_a_changed_file_is_copied_again(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1")
    ported(tmp_path, "open('a.csv')")
    (tmp_path / "a.csv").write_text("2")
    result = ported(tmp_path, "open('a.csv')")
    assert (result.changed, result.found) == (False, ())
    assert (tmp_path / "out/trip.files/a.csv").read_text() == "2"


def test_a_file_that_its_owner_changed_stays_and_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1")
    ported(tmp_path, "open('a.csv')")
    (tmp_path / "out/trip.files/a.csv").write_text("mine")
    result = ported(tmp_path, "open('a.csv').read()")
    assert [d.rule.code for d in result.found] == ["PP406"]
    assert (tmp_path / "out/trip.files/a.csv").read_text() == "mine"


@pytest.mark.parametrize(("mine", "stays"), [(False, False), (True, True)])
def test_a_file_no_longer_read_goes_unless_its_owner_changed_it(
    tmp_path: Path, mine: bool, stays: bool
) -> None:
    (tmp_path / "a.csv").write_text("1")
    ported(tmp_path, "open('a.csv')")
    copy = tmp_path / "out/trip.files/a.csv"
    if mine:
        copy.write_text("mine")
    ported(tmp_path, "x = 1")
    assert copy.exists() is stays


def test_a_file_that_was_deleted_already_is_no_problem(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1")
    ported(tmp_path, "open('a.csv')")
    (tmp_path / "out/trip.files/a.csv").unlink()
    assert ported(tmp_path, "x = 1").changed


def test_a_plugin_stays_under_its_name_when_a_number_is_asked_for_later(tmp_path: Path) -> None:
    ported(tmp_path, "x = 1", number="010")
    assert ported(tmp_path, "x = 2", number="020").plugin == tmp_path / "out/010_trip.py"


def test_a_notebook_with_another_name_now_is_a_new_plugin(tmp_path: Path) -> None:
    ported(tmp_path, "x = 1")
    notebook = tmp_path / "trip.ipynb"
    notebook.write_bytes(raw("x = 1", pipulate={"app_name": "tour"}))
    assert port(notebook, tmp_path / "out", Options()).plugin == tmp_path / "out/tour.py"
    assert (tmp_path / "out/trip.py").exists()


def test_two_notebooks_of_one_folder_are_two_plugins(tmp_path: Path) -> None:
    ported(tmp_path, "x = 1")
    ported(tmp_path, "x = 1", name="tour.ipynb")
    assert sorted(p.name for p in (tmp_path / "out").glob("*.py")) == ["tour.py", "trip.py"]
    assert len(list((tmp_path / "out/.port").iterdir())) == 2


def test_files_that_are_no_text_are_not_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/odd.py").write_bytes(b"\xff\xfe")
    (tmp_path / "out/folder.py").mkdir()
    assert ported(tmp_path, "x = 1").changed


@pytest.mark.parametrize(
    ("there", "text", "code"),
    [
        ("trip.py", "print(1)", "PP404"),
        ("trip.py", b"\xff", "PP404"),
        ("010_trip.py", "", "PP405"),
        ("x.py", 'class X:\n    APP_NAME = "trip"', "PP405"),
        ("x.py", "\ufeffclass X:\n    APP_NAME = 'trip'", "PP405"),
        ("x.py", 'class X:\n    APP_NAME = "tour"', None),
    ],
)
def test_what_is_in_the_way(tmp_path: Path, there, text, code) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / there).write_bytes(text if isinstance(text, bytes) else text.encode())
    made = plan_of("x = 1")
    if code is None:
        assert place(made, tmp_path / "trip.ipynb", out, None).path == out / "trip.py"
        return
    with pytest.raises(UserError) as caught:
        place(made, tmp_path / "trip.ipynb", out, None)
    assert (caught.value.diagnostic.rule.code, caught.value.exit_code) == (code, 3)


def test_an_edited_plugin_keeps_its_edits(tmp_path: Path) -> None:
    ported(tmp_path, "x = 1")
    plugin = tmp_path / "out/trip.py"
    edited = plugin.read_text() + "# mine\n"
    plugin.write_text(edited)
    assert not ported(tmp_path, "x = 1").changed
    assert plugin.read_text() == edited
    assert ported(tmp_path, "x = 2").changed
    assert plugin.read_text().endswith("# mine\n")
    assert "x = 2" in plugin.read_text()


def test_what_cannot_be_put_back_does_not_hide_the_first_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ported(tmp_path, "x = 1")
    replaced: list[Path] = []
    replace = Path.replace

    def fails(self: Path, target: Path) -> Path:
        if replaced:
            raise OSError(5, "Input/output error")
        replaced.append(target)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(UserError) as caught:
        ported(tmp_path, "x = 2")
    assert caught.value.diagnostic.rule.code == "PP402"
    assert "input/output" in caught.value.diagnostic.message.lower()


@pytest.mark.parametrize(
    ("name", "key"), [("trip.py", "trip"), ("010_trip.py", "trip"), ("01_02_trip.py", "02_trip")]
)
def test_the_number_in_front_does_not_count(name: str, key: str) -> None:
    assert module_key(Path(name)) == key
    assert app_name_of(Path(name), "") == key


def test_the_name_of_a_plugin_is_in_its_class(tmp_path: Path) -> None:
    assert app_name_of(Path("other.py"), text_of(plan_of("x = 1"))) == "trip"


def test_paths_are_written_with_slashes(tmp_path: Path) -> None:
    assert relative_path(tmp_path / "a" / "b.ipynb", tmp_path / "out") == "../a/b.ipynb"
    assert notebook_path(tmp_path / "a\nb.ipynb", tmp_path) == "a b.ipynb"
