"""Notebooks, plugins and sidecars that nobody has seen before: never a traceback, never something half written."""

import json
import random
from contextlib import suppress
from pathlib import Path

import pytest

from tests import mutations
from tests.build import tree
from tests.conftest import slow_but
from transpiler.features.review import review
from transpiler.model.diagnostics import UserError
from transpiler.model.options import Options

from .test_cli import Pipulate, pipulate  # noqa: F401  # a fixture

PART = 25  # files of one test
PARTS = 40


def try_one(pipulate: Pipulate, folder: Path, seed: int) -> None:  # noqa: F811
    """Put one mutated notebook, or one damaged folder, through all that reads it."""
    chance = random.Random(seed)
    folder.mkdir()
    notebook, out = folder / "trip.ipynb", folder / "out"
    port = ("port", notebook, "-o", out)
    if seed % 3:
        notebook.write_bytes(mutations.mutated_notebook(chance))
        commands = [
            port,
            ("inspect", notebook, "--json"),
            ("annotate", notebook, "--yes", "--dry-run"),
            *([(*port, "--check")] if chance.random() < 0.25 else []),
        ]
    else:
        notebook.write_bytes(chance.choice(mutations.SEEDS).read_bytes())
        pipulate(*port)
        if not out.exists():
            return
        mutations.damage(chance, out)
        if chance.random() < 0.5:
            notebook.write_bytes(notebook.read_bytes().replace(b"print", b"print ", 1))
        commands = [
            (*port, "--check"),
            (*port, "--to-notebook", "--dry-run"),
            port,
            (*port, "--to-notebook", "--write"),
            *([port] if chance.random() < 0.25 else []),
        ]
    for command in commands:
        before = tree(out) if out.exists() else {}
        result = pipulate(*command)
        assert "PP901" not in result.text, (command, result.err[-2000:])
        assert result.exit in (0, 1, 2, 3, 4), command
        now = tree(out) if out.exists() else {}
        if result.exit in (2, 3) or command[-1] in ("--check", "--dry-run", "--json"):
            assert now == before, f"{command} wrote something and says that it did not"
        assert not [name for name in now if name.endswith((".part", ".tmp", ".new"))]
    if chance.random() < 0.5:
        with suppress(UserError):
            review(notebook, out, Options())


@pytest.mark.parametrize("part", slow_but(list(map(str, range(PARTS))), "0", "1"))
def test_whatever_is_read_gives_a_message_or_works(
    pipulate: Pipulate, tmp_path: Path, part: str  # noqa: F811
) -> None:
    for seed in range(int(part) * PART, (int(part) + 1) * PART):
        try_one(pipulate, tmp_path / str(seed), seed)


def test_the_mutations_reach_what_they_are_for() -> None:
    made = [mutations.mutated_notebook(random.Random(seed)) for seed in range(200)]
    assert len(set(made)) > 190
    sound = 0
    for raw in made:
        with suppress(ValueError):
            sound += isinstance(json.loads(raw), dict)
    assert sound > 150, "most are JSON: they get past the first check"
