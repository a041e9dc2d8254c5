"""generated/ is exactly what the transpiler makes of fixtures/; the reports of broken notebooks are as expected."""

import re
import shutil
from io import StringIO
from pathlib import Path
from typing import get_args

import pytest

from tests.conftest import ROOT
from transpiler.features import report
from transpiler.model.diagnostics import UserError
from transpiler.model.ir import Control, Plan, Reader
from transpiler.model.options import Options
from transpiler.pipeline import planned, port

FIXTURES = ROOT / "fixtures"
GENERATED = ROOT / "generated"
EXPECTED = ROOT / "tests" / "expected"

# Together they show every construct of the templates; `tests/ported.py` ports the other fixtures for the tests that run them.
GOLDEN = (
    "hello", "sales_report", "ten_cards", "all_types", "bridge_flow", "colab_forms", "cell_options", "option_lines",
)  # fmt: skip


def sound_notebooks() -> list[Path]:
    return sorted(
        path
        for path in FIXTURES.rglob("*.ipynb")
        if not {"broken", "faithful"} & set(path.relative_to(FIXTURES).parts)
    )


def constructs(plan: Plan) -> set[str]:
    """Return the branches of the templates that a plan takes, in words."""
    shown = {name for name, _ in plan.look} | {module for module, _ in plan.imports}
    shown |= {name for name in ("closing", "files") if getattr(plan, name)}
    for step in plan.steps:
        asks = "asks" if step.fields else "waits" if step.button else "runs by itself"
        shown |= {asks} | ({f"{asks}, confirms"} if step.confirm else set())
        shown |= {name for name in ("text", "suggestions") if getattr(step, name)}
        for cell in step.cells:
            kind = "text" if cell.text_reason else "function"
            shown |= {f"{kind}, {name}" for name, _ in cell.options}
            shown |= {kind, "awaits" if cell.awaits else "does not await"}
            shown |= {comment for comment, _ in cell.declarations if kind == "function"}
        for field in step.fields:
            need = "required" if field.required else "optional"
            shown |= {field.control, f"{field.control}, {need}", f"reads {field.reader}"}
            shown |= {f"computes {part}" for part in field.computed}
            shown |= {name for name in ("intro", "wide", "help", "choices") if getattr(field, name)}
    return shown


def test_the_golden_plugins_show_every_construct() -> None:
    golden: set[str] = set()
    others: set[str] = set()
    for notebook in sound_notebooks():
        plan = planned(notebook.read_bytes(), notebook, Options()).plan
        assert plan is not None
        (golden if notebook.stem in GOLDEN else others).update(constructs(plan))
    assert others <= golden
    controls = set(get_args(Control))
    readers = {f"reads {reader}" for reader in get_args(Reader)}
    options = {f"function, {name}" for name in ("show", "raises", "timeout", "checkpoint")}
    rest = {"text", "awaits", "closing", "files", "ACCENT", "INTRO", "CONTACT"}
    assert controls | readers | options | rest <= golden, "a fixture shows it"


def tree(folder: Path) -> dict[str, bytes]:
    """All files of a folder that are for git; which state of the compiler made them would change with each of its lines."""
    return {
        path.relative_to(folder).as_posix(): re.sub(
            rb'"compiler": "\w+"', b'"compiler": "0"', path.read_bytes()
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in (".stamp", ".pyc")
    }


def test_generated_is_the_image_of_the_fixtures(tmp_path: Path, update: bool) -> None:
    shutil.copytree(FIXTURES, tmp_path / "fixtures")
    for notebook in sound_notebooks():
        if notebook.stem not in GOLDEN:
            continue
        ported = port(
            tmp_path / "fixtures" / notebook.relative_to(FIXTURES),
            tmp_path / "generated",
            Options(),
        )
        assert ported.plugin is not None, [d.message for d in ported.found]
    made = tree(tmp_path / "generated")
    if update:
        shutil.rmtree(GENERATED, ignore_errors=True)
        for name, content in made.items():
            (GENERATED / name).parent.mkdir(parents=True, exist_ok=True)
            (GENERATED / name).write_bytes(content)
    there = tree(GENERATED)
    assert sorted(there) == sorted(made), "run: make golden"
    for name in made:
        assert there[name].decode() == made[name].decode(), f"{name} differs; run: make golden"


def broken_files() -> list[Path]:
    return sorted(p for p in (FIXTURES / "broken").glob("*") if p.suffix == ".ipynb")


@pytest.mark.parametrize("path", broken_files(), ids=lambda p: p.stem)
def test_report_of_a_broken_notebook(path: Path, update: bool) -> None:
    out = StringIO()
    to = report.console(out, width=100)
    raw = path.read_bytes()
    try:
        made = planned(raw, path, Options())
        plan, found, read = made.plan, made.found, made.read
    except UserError as error:
        plan, found, read = None, (error.diagnostic,), None
    sources = report.sources(read)
    if plan is None:
        report.print_diagnostics(to, found, path.name, sources)
    else:
        report.print_plan(to, plan, found, sources)
    rendered = "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
    expected = EXPECTED / f"{path.stem}.txt"
    if update:
        EXPECTED.mkdir(exist_ok=True)
        expected.write_text(rendered, encoding="utf-8")
    assert expected.exists(), "run: make golden"
    assert rendered == expected.read_text(encoding="utf-8")


def test_no_expected_report_is_left_over(update: bool) -> None:
    wanted = {path.stem for path in broken_files()}
    for path in EXPECTED.glob("*.txt"):
        if update and path.stem not in wanted:
            path.unlink()
    assert {path.stem for path in EXPECTED.glob("*.txt")} == wanted
