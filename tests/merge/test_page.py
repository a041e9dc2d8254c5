"""The commands of docs/regenerating.md do what the page says."""

import re
import shlex
import sys

import pytest

from tests.build import md, raw
from tests.conftest import ROOT
from transpiler.cli import main

PAGE = (ROOT / "docs" / "regenerating.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ pipulate (port trip.*)$", PAGE, re.MULTILINE)

FIRST = raw(md("# Trip"), "total = 5", "print(total)", "len('end')")
SECOND = raw(md("# Trip"), "total = 6", 'print(f"total={total}")', "len('the end')")
ENDS = {"--dry-run": {1}, "--diff": {1}, "--check": {1}}


@pytest.fixture
def pipulate(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def run(command: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["pipulate", *shlex.split(command)])
        code = 0
        try:
            main.main()
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return run


def in_conflict(tmp_path, pipulate) -> None:
    (tmp_path / "trip.ipynb").write_bytes(FIRST)
    assert pipulate("port trip.ipynb")[0] == 0
    plugin = tmp_path / "generated/trip.py"
    edited = plugin.read_text().replace("print(total)", 'print("mine", total)')
    plugin.write_text(edited)
    (tmp_path / "trip.ipynb").write_bytes(SECOND)


@pytest.mark.parametrize("command", list(dict.fromkeys(COMMANDS)))
def test_a_command_of_the_page(tmp_path, pipulate, command: str) -> None:
    in_conflict(tmp_path, pipulate)
    plugin = tmp_path / "generated/trip.py"
    if "--restore" in command:
        text = plugin.read_text()
        text = re.sub(
            r'            Step\(\n\s+id="step_03",\n(?:.*\n){3}            \),\n', "", text
        )
        text = re.sub(
            r"    # --- START_STEP_BUNDLE: step_03(?s:.*?)END_STEP_BUNDLE: step_03 ---\n", "", text
        )
        plugin.write_text(text)
    before = plugin.read_bytes()
    code, said = 0, ""
    if not {"--dry-run", "--diff", "--check"} & set(command.split()):
        code, said = pipulate("port trip.ipynb")
        assert code == 1
        assert re.search(r"step_02\b.*CONFLICT", said)
        if command == "port trip.ipynb":
            return
    code, said = pipulate(command)
    text = plugin.read_text()
    match command.split()[2:]:
        case ["--dry-run" | "--diff" | "--check"]:
            assert (code, plugin.read_bytes()) == (1, before)
        case ["--undo"]:
            assert (code, plugin.read_bytes()) == (0, before)
        case ["--force", "--yes"]:
            assert code == 0
            assert "mine" not in text
        case ["--restore", _]:
            assert code == 1  # the conflict is still open
            assert "step_03_cell" in text
        case ["--adopt"]:
            assert code == 0
        case ["--mine"] | ["--resolve", "step_02=mine"]:
            assert (code, '"mine"' in text, "total={total}" in text) == (0, True, False)
        case ["--notebook"] | ["--resolve", "step_02=notebook"]:
            assert (code, '"mine"' in text, "total={total}" in text) == (0, False, True)
        case ["--resolve", "step_02=both"]:
            assert (code, '"mine"' in text, "total={total}" in text) == (0, True, True)
        case other:
            pytest.fail(f"{other} is not tested")


def test_check_tells_apart_what_is_out_of_date(tmp_path, pipulate) -> None:
    (tmp_path / "trip.ipynb").write_bytes(FIRST)
    pipulate("port trip.ipynb")
    plugin = tmp_path / "generated/trip.py"
    plugin.write_text(plugin.read_text().replace("Finalize", "Finish"))
    assert pipulate("port trip.ipynb --check")[0] == 0
    code, said = pipulate("port trip.ipynb")
    assert (code, "your edits stay; nothing to do" in " ".join(said.split())) == (0, True)
    (tmp_path / "trip.ipynb").write_bytes(SECOND)
    assert pipulate("port trip.ipynb --check")[0] == 4
    code, said = pipulate("port trip.ipynb --diff")
    assert code == 4
    assert "+        total = 6\n" in said
    code, said = pipulate("port trip.ipynb --json")
    assert code == 0
    assert '"what": "updated"' in said
    assert pipulate("port trip.ipynb --mine --notebook")[0] == 2
    assert pipulate("port trip.ipynb --resolve step_02")[0] == 2


def test_a_review_as_a_file(tmp_path, pipulate) -> None:
    in_conflict(tmp_path, pipulate)
    assert pipulate("review trip.ipynb --html review.html")[0] == 0
    pipulate("port trip.ipynb")
    code, said = pipulate("review trip.ipynb --html review.html")
    assert (code, said) == (1, "Written: review.html\n")
    page = (tmp_path / "review.html").read_text()
    assert page.startswith("<!doctype html><html")
    assert "Conflict in step_02_cell" in page
    code, said = pipulate("review trip.ipynb --json")
    assert (code, '"seen": "' in said) == (1, True)
    code, said = pipulate("review trip.ipynb -o elsewhere")
    assert (code, "PP435" in said) == (2, True)


def test_several_notebooks_at_once_each_keep_their_edits(tmp_path, pipulate) -> None:
    names = ["trip", "walk", "new"]
    for name in names[:2]:
        (tmp_path / f"{name}.ipynb").write_bytes(FIRST.replace(b"# Trip", f"# {name}".encode()))
    assert pipulate("port trip.ipynb walk.ipynb")[0] == 0
    plugins = {name: tmp_path / f"generated/{name}.py" for name in names}
    for name, old in (("trip", "Finalize"), ("walk", "        print(total)")):
        new = {"trip": "Finish", "walk": '        print("mine", total)'}[name]
        plugins[name].write_text(plugins[name].read_text().replace(old, new))
    for name in names:
        (tmp_path / f"{name}.ipynb").write_bytes(SECOND.replace(b"# Trip", f"# {name}".encode()))
    code, said = pipulate("port trip.ipynb walk.ipynb new.ipynb")
    assert code == 1  # one of the three has a conflict
    assert said.count("CONFLICT") == 1
    texts = {name: plugin.read_text() for name, plugin in plugins.items()}
    assert "Finish" in texts["trip"]
    assert "PORT CONFLICT" in texts["walk"]
    assert all("total = 6" in text for text in texts.values())
    assert pipulate("port trip.ipynb walk.ipynb new.ipynb --mine")[0] == 0
    assert "PORT CONFLICT" not in plugins["walk"].read_text()
    assert pipulate("port trip.ipynb walk.ipynb new.ipynb --check")[0] == 0
