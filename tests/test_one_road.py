"""A port takes one straight road: it reads the notebook once, and only what says so changes the disk."""

import ast
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.build import raw, tree
from transpiler.cli.main import app
from transpiler.model.options import Asked, Options
from transpiler.passes import analyse, annotate, bundle, emit, plan, read, regenerate, write
from transpiler.pipeline import port
from transpiler.plugin_folder.last_port import remembered, unchanged
from transpiler.plugin_folder.plugin_folder import PluginFolder

PASSES = (read, annotate, analyse, bundle, plan, emit, regenerate, write)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each pass is called, and a folder opened."""
    counted: Counter[str] = Counter()

    def count(owner: object, name: str, function: object) -> None:
        def called(*args: object, **more: object) -> object:
            counted[name] += 1
            return function(*args, **more)  # type: ignore[operator]

        monkeypatch.setattr(owner, name, called)

    for module in PASSES:
        name = module.__name__.rpartition(".")[2]
        count(module, name, getattr(module, name))
    count(PluginFolder, "open", PluginFolder.open)
    return counted


def test_a_port_calls_each_pass_once(calls: Counter[str], tmp_path: Path) -> None:
    notebook = tmp_path / "trip.ipynb"
    notebook.write_bytes(raw("a = 1", "print(b)"))
    done = CliRunner().invoke(app, ["port", str(notebook), "-o", str(tmp_path / "out")])
    assert "PP204" in done.output, "the report quotes the notebook"
    once = {module.__name__.rpartition(".")[2] for module in PASSES} | {"open"}
    assert calls == dict.fromkeys(once, 1)
    calls.clear()
    CliRunner().invoke(app, ["port", str(notebook), "-o", str(tmp_path / "out")])
    assert not calls, "nothing has changed"
    notebook.write_bytes(raw("a = 2", "print(b)"))
    CliRunner().invoke(app, ["port", str(notebook), "-o", str(tmp_path / "out")])
    assert calls == dict.fromkeys(once, 1)


def test_what_only_asks_leaves_what_a_kill_left(tmp_path: Path) -> None:
    notebook, out = tmp_path / "trip.ipynb", tmp_path / "out"
    notebook.write_bytes(raw("a = 1"))
    port(notebook, out, Options())
    (home,) = (out / ".port").iterdir()
    (home / ".lock.json.next").write_bytes(b"half of a lo")
    before = tree(out)
    remembered(notebook, out)
    unchanged(notebook, notebook.read_bytes(), out, "")
    assert not port(notebook, out, Options(), Asked(dry=True)).changed
    assert tree(out) == before
    PluginFolder.open(out, notebook)
    assert before.keys() - tree(out).keys() == {f".port/{home.name}/.lock.json.next"}


def test_what_a_kill_left_is_put_right_only_where_a_folder_is_opened_or_written() -> None:
    path = Path(__file__).parent.parent / "transpiler/plugin_folder/plugin_folder.py"
    calling = {
        function.name
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "_recover"
    }
    assert calling == {"open", "_writing"}
