"""The corpus of fixtures/faithful: each notebook's app shows what the notebook shows, however it is walked.

Slow; the tests of one notebook share its verification, so a worker of pytest-xdist takes them together (see conftest).
"""

import asyncio
import json
import re
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import nbformat
import pytest

from pipulate_runtime.host.walk.trace import cells_of, witness
from tests.conftest import ROOT, slow_but
from transpiler.dataflow.flow import Flow
from transpiler.features import report
from transpiler.model.diagnostics import Severity
from transpiler.model.ir import Plan
from transpiler.model.options import Options
from transpiler.pipeline import Ported, port
from transpiler.verify.compare import compare
from transpiler.verify.result import Verified, Way
from transpiler.verify.verify import verify

FAITHFUL = ROOT / "fixtures" / "faithful"
README = (FAITHFUL / "README.md").read_text(encoding="utf-8")
REASONS = dict(re.findall(r"^\| `(\w+)` \| (\D.*) \|$", README, re.MULTILINE))
MOVING = {
    name: {int(number) for number in numbers.split(", ")}
    for name, numbers in re.findall(r"^\| `(\w+)` \| ([\d, ]+) \| .+ \|$", README, re.MULTILINE)
}
"""Notebook -> the cells, by their position, that give something else in each execution."""
NAMES = sorted(path.stem for path in FAITHFUL.glob("*.ipynb"))
WALKED = slow_but(NAMES, NAMES[0])  # `make test` walks one of them in all ways


def notebook_of(name: str) -> Any:
    return nbformat.read(FAITHFUL / f"{name}.ipynb", as_version=nbformat.NO_CONVERT)


def code_cells(name: str) -> list[Any]:
    """The cells that must be in the plugin: all code cells but empty ones and those the notebook says to skip."""
    cells = [c for c in notebook_of(name).cells if c.cell_type == "code" and c.source.strip()]
    return [c for c in cells if not c.source.startswith("#| skip: true")]


# --- the notebooks ------------------------------------------------------------------------------------------------------


def test_each_notebook_has_its_reason() -> None:
    assert sorted(REASONS) == NAMES
    assert len(NAMES) >= 64
    assert len(set(REASONS.values())) == len(NAMES)
    assert set(MOVING) <= set(NAMES)


def test_each_file_beside_them_is_used() -> None:
    beside = {p.name for p in FAITHFUL.iterdir() if p.is_file()} - {"README.md"}
    beside -= {f"{name}.ipynb" for name in NAMES}
    assert {name for name in beside if f"`{name}`" not in README} == set()


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_small_notebook_as_jupyter_writes_it(name: str) -> None:
    notebook = notebook_of(name)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert 4 <= len(codes) <= 12
    assert all(not cell.outputs for cell in codes)
    text = (FAITHFUL / f"{name}.ipynb").read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n"


# --- porting ------------------------------------------------------------------------------------------------------------


def ported(name: str, out: Path) -> tuple[Ported, Plan, Path]:
    made = port(FAITHFUL / f"{name}.ipynb", out, Options())
    assert made.plan is not None
    assert made.plugin is not None
    return made, made.plan, made.plugin


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_is_dropped_and_each_change_is_in_the_report(name: str, tmp_path: Path) -> None:
    made, plan, plugin = ported(name, tmp_path / "app")
    wanted = code_cells(name)
    assert list(cells_of(plugin, tmp_path / "data")) == [cell.id for cell in wanted]
    by_cell: dict[int, set[str]] = {}
    for diagnostic in made.found:
        assert not diagnostic.rule.code.startswith("PP9")
        assert diagnostic.rule.severity is not Severity.ERROR
        by_cell.setdefault(diagnostic.span.cell, set()).add(diagnostic.rule.code)
    for cell in (cell for step in plan.steps for cell in step.cells):
        said = by_cell.get(cell.index, set())
        if cell.text_reason is not None:
            above = {d.rule.code for d in made.found if d.span.cell < cell.index}
            reported = said & {"PP201", "PP203", "PP208"} or above & {"PP207"}
            assert reported, cell.text_reason
        if any(
            not change.endswith(" is asked for") for change in cell.changes
        ):  # fields are listed
            assert said & {"PP202"}, cell.changes
    printed = StringIO()
    report.print_port(report.console(printed, 200), made)
    assert {d.rule.code for d in made.found} <= set(re.findall(r"PP\d\d\d", printed.getvalue()))


# --- walking ------------------------------------------------------------------------------------------------------------


@cache
def verified(name: str) -> Verified:
    """The verification of one notebook in all ways, made once in a process; with checkpoints every third of them.

    `make verify WAYS="--resume --restore --revert"` walks all in all ways.
    """
    notebook = FAITHFUL / f"{name}.ipynb"
    restored: tuple[Way, ...] = ("restore",) if NAMES.index(name) % 3 == 0 else ()
    return verify(notebook, None, {}, lambda _: None, ("straight", "resume", "revert", *restored))


@pytest.mark.kernel
@pytest.mark.parametrize("name", WALKED)
def test_the_app_shows_what_the_notebook_shows(name: str) -> None:
    """Straight on, with the server ended after each step, and going back once after each step."""
    found = verified(name)
    assert [row.difference for row in found.rows if row.verdict.kind == "differs"] == []
    assert found.stopped == ""
    moving = {row.index for row in found.rows if row.verdict.kind != "same"}
    assert moving == MOVING.get(name, set())
    assert [row.cell for row in found.rows] == [cell.id for cell in code_cells(name)]
    assert any(row.notebook for row in found.rows), "it compares nothing"


class Blind(Flow):
    """A data flow that sees nothing: no cell reads, changes or needs what another one made."""

    def run(self, body: object) -> None:
        """Look away."""


@pytest.mark.kernel
@pytest.mark.parametrize("name", WALKED)
def test_the_analysis_decides_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An app that was ported without any data flow gives what the notebook gives.

    `Flow` is all that the analysis knows of names beyond the grammar: which are read, mutated, aliased, reached through
    functions, bound for certain; liveness follows from it. Without it a cell's `global` line holds what the compiler itself
    sees bound or deleted there, and a function needs that to be one. So whatever the walk over the code may be wrong about,
    what a name stands for when the app runs does not depend on it.
    """
    monkeypatch.setattr("transpiler.passes.analyse.Flow", Blind)
    _, plan, plugin = ported(name, tmp_path / "app")
    said = {word for s in plan.steps for c in s.cells for word, _ in c.declarations}
    assert not any(word.startswith("in") for word in said), said
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    walked = asyncio.run(witness(plugin, tmp_path / "data", {}))
    assert walked.failed is None
    verdicts = {
        row.cell: compare([row.notebook, row.app], walked.outputs[row.cell], plugin.name)
        for row in verified(name).rows
        if row.index not in MOVING.get(name, set())
    }
    assert {cell: v.difference for cell, v in verdicts.items() if v.kind == "differs"} == {}
