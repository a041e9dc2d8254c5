"""`pipulate tools`: JSON in, JSON out, the exit codes of the commands."""

import contextlib
import io
import json
import shutil
import sys

import pytest
from jsonschema import Draft202012Validator

from pipulate_runtime.host.state import DATABASE, StateStore
from tests.conftest import ROOT
from transpiler import cli, tools
from transpiler.commands import tooling


@pytest.fixture
def call(tmp_path, monkeypatch):
    """A function that calls a tool in a folder with a notebook; it gives the answer and the exit code."""
    shutil.copy(ROOT / "fixtures" / "hello.ipynb", tmp_path)
    monkeypatch.chdir(tmp_path)

    def called(name, arguments="{}", stdin=""):
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        monkeypatch.setattr(sys, "argv", ["pipulate", "tools", "call", name, "--json-args", text])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        out = io.StringIO()
        with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as ended:
            cli.main()
        return json.loads(out.getvalue()), ended.value.code or 0

    return called


def test_each_tool_has_a_schema_and_can_be_called(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["pipulate", "tools", "list"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    listed = json.loads(capsys.readouterr().out)
    assert [tool["name"] for tool in listed] == ["port", "inspect", "verify", "runs", "read-state"]
    assert tooling._CALLS.keys() == tools.TOOLS.keys()
    for tool in listed:
        Draft202012Validator.check_schema(tool["arguments"])
        assert tool["arguments"]["additionalProperties"] is False
        assert len(tool["description"]) > 40
        assert all("description" in of for name, of in tool["arguments"]["properties"].items() if name != "limit")  # fmt: skip


def test_inspect_and_port_give_the_plan(call, tmp_path):
    answer, code = call("inspect", {"notebook": "hello.ipynb"})
    assert (answer["ok"], code) == (True, 0)
    assert [step["id"] for step in answer["result"]["plan"]["steps"]] == ["step_01", "step_02"]
    assert "likely_inputs" in answer["result"]
    dry, code = call("port", {"notebook": "hello.ipynb", "output": "out", "dry_run": True})
    assert (dry["ok"], dry["result"]["changed"], code) == (True, True, 0)
    assert not (tmp_path / "out").exists()
    answer, code = call("port", '{"notebook": "hello.ipynb", "output": "out", "number": "040"}')
    assert (answer["result"]["plugin"], code) == ("out/040_hello.py", 0)
    again, code = call("port", "-", stdin='{"notebook": "hello.ipynb", "output": "out"}')
    assert (again["ok"], again["result"]["changed"]) == (True, False)


def test_conflicts_are_told_and_settled(call, tmp_path):
    call("port", {"notebook": "hello.ipynb", "output": "out"})
    plugin, notebook = tmp_path / "out/hello.py", tmp_path / "hello.ipynb"
    line = 'print("Hello " + a)'
    assert line in plugin.read_text()
    plugin.write_text(plugin.read_text().replace(line, 'print("Mine " + a)'))
    notebook.write_text(
        notebook.read_text().replace(json.dumps(line)[1:-1], 'print(\\"Theirs \\" + a)')
    )
    answer, code = call("port", {"notebook": "hello.ipynb", "output": "out"})
    assert (answer["ok"], code) == (False, 1)
    assert "conflicts are open" in answer["error"]["message"]
    answer, code = call(
        "port", {"notebook": "hello.ipynb", "output": "out", "settle": {"*": "notebook"}}
    )
    assert (answer["ok"], code) == (True, 0)
    assert "Theirs" in plugin.read_text()


def test_runs_and_their_state(call, tmp_path):
    assert call("runs") == ({"ok": True, "result": {"runs": []}}, 0)
    assert not (tmp_path / "data").exists()
    missing, code = call("read-state", {"key": "x"})
    assert (missing["error"]["code"], code) == ("PP509", 2)
    store = StateStore(tmp_path / "data" / DATABASE)
    shown = {"id": "c1", "outputs": [{"output_type": "stream", "name": "stdout", "text": "long"}]}
    store.create("P-hello-01", "hello", {"step_01": {"a": "Ada", "_cells": [shown]}})
    store.create("P-other-01", "other", {})
    store.close()
    answer, _ = call("runs", {"app_name": "hello"})
    (run,) = answer["result"]["runs"]
    assert (run["key"], run["state"], run["steps_done"]) == ("P-hello-01", "open", ["step_01"])
    assert len(call("runs", {"limit": 1})[0]["result"]["runs"]) == 1
    short, code = call("read-state", {"key": "P-hello-01"})
    assert short["result"]["data"]["step_01"] == {"a": "Ada", "_cells": ["c1"]}
    full, _ = call("read-state", {"key": "P-hello-01", "outputs": True})
    assert full["result"]["data"]["step_01"]["_cells"] == [shown]


@pytest.mark.parametrize(
    ("name", "arguments", "code", "exit_code"),
    [
        ("publish", {}, "PP441", 2),
        ("inspect", {}, "PP442", 2),
        ("inspect", "not json", "PP442", 2),
        ("inspect", [], "PP442", 2),
        ("inspect", {"notebook": 5}, "PP442", 2),
        ("inspect", {"notebook": "x.ipynb", "colour": "red"}, "PP442", 2),
        ("runs", {"limit": 0}, "PP442", 2),
        ("inspect", {"notebook": "gone.ipynb"}, "PP401", 2),
        ("port", {"notebook": "bad.ipynb"}, "PP101", 2),
        ("port", {"notebook": "hello.ipynb", "output": "taken"}, "PP404", 3),
    ],
)
def test_what_is_wrong_is_json_with_a_code(call, tmp_path, name, arguments, code, exit_code):
    (tmp_path / "bad.ipynb").write_text("no json")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "hello.py").write_text("# mine\n")
    answer, ended = call(name, arguments)
    assert answer["ok"] is False
    assert (answer["error"]["code"], ended) == (code, exit_code)
    assert answer["error"]["message"]
    assert answer["error"]["help"]


def test_a_bug_of_ours_says_so(call, monkeypatch, capsys):
    def broken(given):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(tooling, "_CALLS", {**tooling._CALLS, "runs": broken})
    answer, code = call("runs")
    assert (answer["error"]["code"], code) == ("PP901", 1)
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.kernel
def test_verify_compares(call):
    answer, code = call("verify", {"notebook": "hello.ipynb", "answers": {"step_01": {"a": "Ada"}}})
    assert (answer["ok"], code) == (True, 0), answer
    assert [cell["verdict"] for cell in answer["result"]["cells"]] == ["same", "same"]
