"""The day of docs/regenerating.md, lived through: what is printed is what the page shows, and what is left is as it should be."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.merge.living import CELLS, edited, later, write
from transpiler.cli import main

PAGE = ROOT / "docs" / "regenerating.md"
_CALL = re.compile(r"^\$ pipulate (\w+ harvest.*)\n((?:(?!\$ |```).*\n)*)", re.MULTILINE)


def shown(text: str) -> str:
    """What the page has of it: without spaces at the ends of lines, and without the last empty lines."""
    return "\n".join(line.rstrip() for line in text.rstrip().split("\n")) + "\n"


def matches(pattern: str, text: str) -> bool:
    """Whether a text is what a block of the page says; three dots stand for any lines, and where a line stands is left open."""
    pattern, text = (re.sub(r"\bline \d+", "line N", each) for each in (pattern, text))
    parts = [re.escape(part) for part in re.split(r"(?m)^\.\.\.\n", pattern)]
    return re.fullmatch("(?s:.*)".join(parts), text) is not None


@pytest.fixture
def pipulate(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")

    def run(command: str) -> str:
        monkeypatch.setattr(sys, "argv", ["pipulate", *shlex.split(command)])
        codes: list[object] = [0]
        try:
            main.main()
        except SystemExit as end:
            codes.append(end.code)
        assert codes[-1] in (0, 1)
        captured = capsys.readouterr()
        return shown(captured.out + captured.err)

    return run


def test_the_day(tmp_path: Path, pipulate, update: bool) -> None:
    notebook, plugin = tmp_path / "harvest.ipynb", tmp_path / "generated/harvest.py"
    write(notebook, CELLS)
    assert len(CELLS) == 10
    page = PAGE.read_text(encoding="utf-8")
    calls = _CALL.findall(page)
    assert len(calls) == 10
    after: list[tuple[str, str]] = []
    for number, (command, said) in enumerate(calls):
        if number == 1:
            plugin.write_text(edited(plugin.read_text()))
            write(notebook, later())
        printed = pipulate(command)
        if update and "...\n" not in said:
            page = page.replace(
                f"$ pipulate {command}\n{said}", f"$ pipulate {command}\n{printed}", 1
            )
        else:
            assert matches(said, printed), printed
        text = plugin.read_text()
        compile(text, "harvest", "exec")
        after.append((text, notebook.read_text()))
    if update:
        PAGE.write_text(page, encoding="utf-8")
    check(after)


def check(after: list[tuple[str, str]]) -> None:
    """What the texts were after each call: the plugin, the notebook."""
    _, merged, _, theirs, undone, both, settled, carried, again, end = after
    text = merged[0]
    for kept in (
        '"Our harvest"',
        'print("by hand:", len(sums))',
        '"That was all"',
        "def kinds",
        "best.upper()",
        '"mean", round',
    ):
        assert kept in text
    order = re.findall(r'Step\(\n +id="(step_\d+)"', text)
    assert order == [f"step_{n:02}" for n in (1, 2, 3, 8, 10, 4, 5, 6, 7, 9, 11)]
    assert text.count(">>> PORT CONFLICT") == 2
    assert ("best of all" in theirs[0], "best.upper()" in theirs[0]) == (True, False)
    assert undone == merged
    lines = [line.strip() for line in both[0].split("\n")]
    at = lines.index('print("the best:", best.upper())')
    assert lines[at + 1].removeprefix("return ") == "print('best of all:', best)"
    assert "PORT CONFLICT" not in settled[0]
    assert '"mean", round' in settled[0]

    def bare(text: str) -> str:
        return re.sub(r"(?m)^# port: .*$", "", text)

    assert bare(carried[0]) == bare(settled[0])
    before, now = (json.loads(texts[1])["cells"] for texts in (settled, carried))
    changed = [one["id"] for one, two in zip(before, now, strict=True) if one != two]
    assert changed == ["sums"]
    (sums,) = ["".join(one["source"]) for one in now if one["id"] == "sums"]
    assert 'print("by hand:", len(sums))' in sums
    assert again == carried
    assert end == settled


def test_three_dots_stand_for_any_lines() -> None:
    assert matches("a\n...\nc\n", "a\nb\nb\nc\n")
    assert matches("...\nc\n", "c\n")
    assert not matches("a\n...\nc\n", "a\nb\n")
    assert not matches("a.\n", "ab\n")
