"""Rules about the code itself: tables are complete, modules small, plugins ask for no more than the contract gives."""

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipulate_runtime.cells import Cells
from pipulate_runtime.host.base import contract, errors
from tests.conftest import ROOT
from transpiler.model.rules import all_rules

PAGES = ROOT / "docs" / "diagnostics"
OURS = [p for package in ("transpiler", "pipulate_runtime") for p in (ROOT / package).rglob("*.py")]
GENERATED = sorted((ROOT / "generated").glob("*.py"))

LONG_MODULES = {
    "transpiler/model/rules.py": "a table",
    "transpiler/model/ir.py": "a table of types",
}
LONG_FUNCTIONS = {
    "transpiler/passes/plan.py:_drafts": "one walk over the notebook with its state in view",
}


# --- diagnostics ----------------------------------------------------------------------------------------------------------


def test_codes_and_names_are_used_once_and_sorted() -> None:
    rules = all_rules()
    codes = [rule.code for rule in rules]
    assert codes == sorted(set(codes))
    assert len({rule.name for rule in rules}) == len(rules)
    assert all(re.fullmatch(r"PP[12349]\d\d", code) for code in codes)


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_each_rule_has_a_page_that_says_what_to_do(rule) -> None:
    page = (PAGES / f"{rule.code}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {rule.code} {rule.name}")
    assert len(page.split()) > 30


@pytest.mark.parametrize("rule", errors.RULES, ids=lambda rule: rule.code)
def test_each_rule_of_the_host_has_a_page(rule) -> None:
    page = (PAGES / f"{rule.code}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {rule.code} ")
    assert len(page.split()) > 30


def test_no_page_is_left_over() -> None:
    codes = {rule.code for rule in all_rules()} | {rule.code for rule in errors.RULES}
    assert {page.stem for page in PAGES.glob("*.md")} == codes


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_each_rule_is_produced_by_a_fixture_or_by_a_test_of_the_command_line(rule) -> None:
    reports = [p.read_text(encoding="utf-8") for p in (ROOT / "tests/expected").glob("*.txt")]
    if any(f"{rule.code} {rule.name}\n" in report for report in reports):
        return
    tests = [ROOT / "tests/test_cli.py", ROOT / "tests/passes/test_write.py"]
    tests += [
        ROOT / f"tests/test_{name}.py"
        for name in ("annotate_command", "porter", "several", "tools")
    ]
    tests += (ROOT / "tests/passes").glob("test_*.py")
    tests += (ROOT / "tests/merge").glob("test_*.py")
    assert any(f'"{rule.code}' in path.read_text(encoding="utf-8") for path in tests)


# --- our modules ------------------------------------------------------------------------------------------------------------


def module_name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_modules_are_small() -> None:
    long = {module_name(p) for p in OURS if len(p.read_text().splitlines()) > 400}
    assert long <= LONG_MODULES.keys(), "split it, or give the reason here"


def test_functions_are_small() -> None:
    long = set()
    for path in OURS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                if (node.end_lineno or 0) - node.lineno > 80:
                    long.add(f"{module_name(path)}:{node.name}")
    assert long <= LONG_FUNCTIONS.keys(), "split it, or give the reason here"


FOLDERS = sorted({p.parent for p in OURS})
PASSES = {"read", "annotate", "analyse", "bundle", "plan", "emit", "regenerate", "write"}


@pytest.mark.parametrize("folder", FOLDERS, ids=module_name)
def test_a_folder_can_be_seen_at_a_glance(folder: Path) -> None:
    modules = [path.stem for path in folder.glob("*.py") if path.stem != "__init__"]
    assert len(modules) <= 12, "a folder holds at most 12 modules: find what belongs together"
    doc = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    assert doc, "its __init__.py says what the folder is for"


def test_passes_holds_the_passes() -> None:
    there = {path.stem for path in (ROOT / "transpiler/passes").glob("*.py")}
    assert there - {"__init__"} == PASSES


def test_only_the_plugin_folder_writes_to_the_disk() -> None:
    for path in (ROOT / "transpiler").rglob("*.py"):
        if path.parent.name != "plugin_folder":
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"\.(write_text|write_bytes|mkdir|unlink|rmtree)\(", text), path


# --- emitted plugins ----------------------------------------------------------------------------------------------------------


def imported(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield node.module or ""


@pytest.mark.parametrize("path", GENERATED, ids=lambda p: p.stem)
def test_a_plugin_imports_only_what_every_host_has(path: Path) -> None:
    for name in imported(ast.parse(path.read_text(encoding="utf-8"))):
        top = name.partition(".")[0]
        assert top in sys.stdlib_module_names or name in (
            "fasthtml.common",
            "pipulate_runtime.cells",
        )


def used_of(tree: ast.AST, owner: str) -> set[str]:
    """The attributes of `self.<owner>` that a plugin uses."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == f"self.{owner}"
    }


@pytest.mark.parametrize("path", GENERATED, ids=lambda p: p.stem)
def test_a_plugin_uses_only_what_the_contract_gives(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    given = {name for name in vars(contract.Pipulate) if not name.startswith("_")}
    given |= set(contract.Pipulate.__annotations__)
    used = used_of(tree, "pip")
    assert used
    assert used <= given
    methods = {n for n, _ in inspect.getmembers(Cells, inspect.isfunction) if not n.startswith("_")}
    used = used_of(tree, "cells")
    assert used
    assert used <= methods


def test_there_are_plugins_to_look_at() -> None:
    assert len(GENERATED) >= 3
