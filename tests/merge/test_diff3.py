"""Three-way merges of lines, by hand and against git."""

import random
import shutil
import subprocess

import pytest

from transpiler.merge.diff3 import Clash, both, joined, merge_lines


def merged(base: str, ours: str, theirs: str) -> str | None:
    return joined(merge_lines(base, ours, theirs))


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
    assert both(pieces) == "axyc"


@pytest.mark.skipif(shutil.which("git") is None, reason="no git here")
def test_what_git_merges_is_merged_alike(tmp_path) -> None:
    rng = random.Random(6)
    clean = 0
    for number in range(150):
        base = [f"line {n}\n" for n in range(rng.randint(3, 14))]
        sides = []
        for side in "ot":
            lines = list(base)
            for k in range(rng.randint(1, 3)):
                at = rng.randrange(len(lines))
                lines[at : at + rng.randint(0, 2)] = [f"{side}{number}.{k}\n"] * rng.randint(0, 1)
                lines = lines or ["rest\n"]
            sides.append(lines)
        names = [tmp_path / name for name in ("ours", "base", "theirs")]
        for name, lines in zip(names, (sides[0], base, sides[1]), strict=True):
            name.write_text("".join(lines))
        run = subprocess.run(
            ["git", "merge-file", "-p", *names], capture_output=True, text=True, check=False
        )
        if run.returncode == 0:
            clean += 1
            assert joined(merge_lines(base, *sides)) == run.stdout
    assert clean > 30
