"""Three-way merges of lines, by hand and against git."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from transpiler.merge.diff3 import Clash, join_pieces, merge_lines, take


def merged(base: str, ours: str, theirs: str) -> str | None:
    return join_pieces(merge_lines(base, ours, theirs))


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "result"),
    [
        ("abc", "abc", "axc", "axc"),
        ("abc", "xbc", "aby", "xby"),
        ("abc", "axc", "axc", "axc"),
        ("abc", "axbc", "abyc", "axbyc"),  # two insertions at different places
        ("abc", "axbc", "aybc", None),  # at one place
        ("abc", "axbc", "axbc", "axbc"),
        ("abcd", "axcd", "abyd", "axyd"),  # they only touch
        ("abcd", "xd", "abyd", None),  # they share a line
        ("abcd", "abxcd", "ayd", None),  # an insertion into what the other side rewrote
        ("abcd", "axbcd", "ayd", "axyd"),  # and before it
        ("abcd", "abcxd", "ayd", "ayxd"),  # and behind it
        ("abcd", "abcd", "", ""),
        ("abc", "", "abxc", None),
        ("", "x", "", "x"),
        ("", "x", "y", None),
        ("abcdef", "abXdef", "abcdYf", "abXdYf"),
    ],
)
def test_a_merge(base: str, ours: str, theirs: str, result: str | None) -> None:
    assert merged(base, ours, theirs) == result
    assert merged(base, theirs, ours) == result  # no side is special


def test_both_sides_of_a_clash() -> None:
    pieces = merge_lines("abc", "axc", "ayc")
    assert pieces == [("a",), Clash(("b",), ("x",), ("y",)), ("c",)]
    assert take(pieces, "ours", "theirs") == "axyc"


def sides_by_chance(rng: random.Random, number: int) -> tuple[list[str], list[str], list[str]]:
    """A text and two versions of it."""
    base = [f"line {n}\n" for n in range(rng.randint(3, 14))]
    sides = []
    for side in "ot":
        lines = list(base)
        for k in range(rng.randint(1, 3)):
            at = rng.randrange(len(lines))
            lines[at : at + rng.randint(0, 2)] = [f"{side}{number}.{k}\n"] * rng.randint(0, 1)
            lines = lines or ["rest\n"]
        sides.append(lines)
    return base, *sides


def by_git(folder: Path, base: list[str], ours: list[str], theirs: list[str]) -> str | None:
    """The merge of git; None for a conflict."""
    names = [folder / name for name in ("ours", "base", "theirs")]
    for name, text in zip(names, (ours, base, theirs), strict=True):
        name.write_text("".join(text))
    command = ["git", "merge-file", "-p", *names]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.stdout if run.returncode == 0 else None


@pytest.mark.skipif(shutil.which("git") is None, reason="no git here")
def test_what_git_merges_is_merged_alike(tmp_path: Path) -> None:
    rng = random.Random(6)
    clean = 0
    for number in range(150):
        base, ours, theirs = sides_by_chance(rng, number)
        wanted = by_git(tmp_path, base, ours, theirs)
        if wanted is not None:
            clean += 1
            assert join_pieces(merge_lines(base, ours, theirs)) == wanted
    assert clean > 30


def test_what_merge3_merges_is_merged_alike() -> None:
    """merge3 is Breezy's; under the GPL, so it is only an oracle here."""
    merge3 = pytest.importorskip("merge3")
    rng = random.Random(36)
    clean = 0
    for number in range(1000):
        base, ours, theirs = sides_by_chance(rng, number)
        groups = list(merge3.Merge3(base, ours, theirs).merge_groups())
        if any(kind == "conflict" for kind, *_ in groups):
            continue
        clean += 1
        assert join_pieces(merge_lines(base, ours, theirs)) == "".join(
            line for _, lines in groups for line in lines
        )
    assert clean > 300


@pytest.mark.skipif(shutil.which("git") is None, reason="no git here")
def test_methods_that_both_oracles_merge_alike_are_merged_so(tmp_path: Path) -> None:
    """The bodies of a plugin's handlers, edited on both sides: much longer than what is above, and full of twins."""
    merge3 = pytest.importorskip("merge3")
    text = (ROOT / "generated" / "sales_report.py").read_text()
    start = text.index("    async def step_02(")
    base = text[start : text.index("    async def step_02_submit(")].splitlines(keepends=True)
    rng = random.Random(37)
    clean = 0
    for number in range(60):
        sides = []
        for side in "ot":
            lines = list(base)
            for k in range(rng.randint(1, 4)):
                at = rng.randrange(2, len(lines))
                lines[at : at + rng.randint(0, 2)] = [f"        {side}{number}_{k} = 1\n"]
            sides.append(lines)
        git = by_git(tmp_path, base, *sides)
        groups = list(merge3.Merge3(base, *sides).merge_groups())
        other = None
        if not any(kind == "conflict" for kind, *_ in groups):
            other = "".join(line for _, lines in groups for line in lines)
        if git is not None and git == other:
            clean += 1
            assert join_pieces(merge_lines(base, *sides)) == git
    assert clean > 15
