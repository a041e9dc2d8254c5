"""`pipulate inspect --graph`: the pictures of the fixtures are as they are in docs/, and say what the plugins say."""

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from pipulate_runtime.host.commands import serve
from pipulate_runtime.host.dataflow.read_plugin import read_flow
from tests import ported
from tests.build import plan_of
from tests.conftest import ROOT
from transpiler.cli.main import app
from transpiler.features import graph
from transpiler.model.diagnostics import UserError

FIXTURES, PICTURES = ROOT / "fixtures", ROOT / "docs" / "pictures"


def inspect(*arguments: object) -> Any:
    result = CliRunner().invoke(app, ["inspect", *map(str, arguments)])
    if isinstance(result.exception, UserError):
        raise result.exception
    return result


@pytest.mark.parametrize("suffix", ["svg", "mmd"])
@pytest.mark.parametrize("name", ["sales_report", "text_tools"])
def test_the_pictures_in_docs_are_those_of_the_fixtures(
    name: str, suffix: str, tmp_path: Path, update: bool
) -> None:
    made = tmp_path / f"picture.{suffix}"
    result = inspect(FIXTURES / f"{name}.ipynb", "--graph", made)
    assert result.exit_code == 0
    assert f"Written: {made}" in result.stdout.replace("\n", "")
    kept = PICTURES / f"{name}.{suffix}"
    if update:
        kept.write_bytes(made.read_bytes())
    assert made.read_text(encoding="utf-8") == kept.read_text(encoding="utf-8"), "run: make golden"


def test_the_readme_shows_the_picture_of_the_example() -> None:
    chart = (PICTURES / "sales_report.mmd").read_text(encoding="utf-8")
    assert f"```mermaid\n{chart}```" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.ipynb")), ids=lambda p: p.stem)
def test_the_plan_and_the_plugin_say_the_same(path: Path) -> None:
    plan_says = json.loads(inspect(path, "--json").stdout)
    flow = read_flow(plugin(ported.plugin(path.stem)))
    assert flow is not None
    assert flow.as_list() == plan_says["edges"]
    steps = plan_says["plan"]["steps"]
    assert [(n.id, n.title, list(n.asks)) for n in flow.nodes] == [
        (s["id"], s["title"], [f["name"] for f in s["fields"]]) for s in steps
    ]


def plugin(path: Path) -> Any:
    """An instance of a plugin, without a host."""
    spec = importlib.util.spec_from_file_location(f"graph_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    (found,) = [c for c in vars(module).values() if hasattr(c, "landing")]
    fake = SimpleNamespace(
        route=lambda *_, **__: lambda function: function,
        message_queue=None,
        register_workflow_routes=lambda _: None,
    )
    return found(fake, fake, None, None)


def edges(*cells: str) -> list[str]:
    plan = plan_of(*cells)
    return [
        f"{e['from'][-1]}-{e['to'][-1]} {' '.join(e['names'])}"
        for e in serve.edges(plan.title, graph.steps(plan))
        if e["names"]
    ]


def test_a_change_in_place_is_a_new_version() -> None:
    assert edges("a = []\na", "a.append(1)\na", "print(a)") == ["1-2 a", "2-3 a"]


def test_what_a_called_function_binds_goes_out() -> None:
    count = "n = 0\ndef count():\n    global n\n    n += 1\nn"
    assert edges(count, "count()", "print(n)") == ["1-2 count n", "2-3 n"]


def test_a_cell_kept_as_text_has_its_names_too() -> None:
    assert edges("a = 1\nprint(a)", "b = a\n%time c = b", "print(c, a)") == [
        "1-2 a",
        "1-3 a",
        "2-3 c",
    ]


def test_a_dynamic_cell_is_marked() -> None:
    plan = plan_of("print(1)", "exec(input_text := 'x = ' + str(1))")
    assert [step["unknown"] for step in graph.steps(plan)] == [False, True]


@pytest.mark.parametrize("name", ["picture.png", "picture", "svg", ".svg"])
def test_an_unknown_suffix_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        inspect(FIXTURES / "hello.ipynb", "--graph", tmp_path / name)
    assert caught.value.diagnostic.rule.code == "PP407"
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken.svg").mkdir()
    for place in ("taken.svg", "file.txt/a.svg"):
        (tmp_path / "file.txt").write_text("")
        with pytest.raises(UserError) as caught:
            inspect(FIXTURES / "hello.ipynb", "--graph", tmp_path / place)
        assert caught.value.exit_code == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file.txt", "taken.svg"]


def test_a_dash_prints_mermaid_and_nothing_else(tmp_path: Path) -> None:
    result = inspect(FIXTURES / "sales_report.ipynb", "--graph", "-")
    assert result.stdout == (PICTURES / "sales_report.mmd").read_text(encoding="utf-8")
    with pytest.raises(UserError):
        inspect(FIXTURES / "sales_report.ipynb", "--graph", "-", "--json")


def test_a_notebook_that_cannot_be_used_has_no_picture(tmp_path: Path) -> None:
    (tmp_path / "bad.ipynb").write_text("{}")
    assert inspect(tmp_path / "bad.ipynb", "--graph", tmp_path / "a.svg").exit_code == 2
    assert not (tmp_path / "a.svg").exists()
