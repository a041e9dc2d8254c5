"""`pipulate tools`: JSON in, JSON out, the exit codes of the commands."""

import contextlib
import io
import json
import shutil
import sys
from pathlib import Path

import pytest
import typer
from jsonschema import Draft202012Validator

from pipulate_runtime.host.state.store import DATABASE, StateStore
from tests.conftest import ROOT
from transpiler.cli import main
from transpiler.cli import tools as tooling
from transpiler.cli.options import app
from transpiler.features import tools


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
            main.main()
        return json.loads(out.getvalue()), ended.value.code or 0

    return called


def test_each_tool_has_a_schema_and_can_be_called(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["pipulate", "tools", "list"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert not ended.value.code
    listed = json.loads(capsys.readouterr().out)
    assert [tool["name"] for tool in listed] == ["port", "inspect", "verify", "runs", "read-state"]
    for tool in listed:
        Draft202012Validator.check_schema(tool["arguments"])
        assert tool["arguments"]["additionalProperties"] is False
        assert len(tool["description"]) > 40
        assert all("description" in of for of in tool["arguments"]["properties"].values())


def test_the_options_of_a_command_are_described_once() -> None:
    """What the command line says of an option, its default and its choices are those of the tool's argument."""
    commands = typer.main.get_command(app).commands
    for name, shared in (
        ("port", ["notebook", "output", "number", "by", "dry_run"]),
        ("inspect", ["notebook", "by"]),
        ("runs", ["data"]),
    ):
        options = {option.name: option for option in commands[name].params}
        arguments = tools.schema_of(tooling._CALLS[name])["properties"]
        for argument in shared:
            if (name, argument) != ("port", "notebook"):  # of which a command takes several
                option = options[argument]
                assert arguments[argument]["description"] == option.help
                default = arguments[argument].get("default")
                assert default == (str(option.default) if isinstance(option.default, Path) else option.default)  # fmt: skip


def test_the_schemas_are_those_that_programs_know() -> None:
    of = {name: tools.schema_of(tool) for name, tool in tooling._CALLS.items()}
    port, verify = of["port"]["properties"], of["verify"]["properties"]
    assert {name: schema["required"] for name, schema in of.items()} == {
        "port": ["notebook"], "inspect": ["notebook"], "verify": ["notebook"], "runs": [], "read-state": ["key"],
    }  # fmt: skip
    assert (port["notebook"]["type"], port["notebook"]["minLength"]) == ("string", 1)
    assert port["number"]["pattern"] == "^[0-9]+$"
    assert port["by"]["enum"] == ["cell", "heading"]
    assert port["fields"]["items"] == {"type": "string", "minLength": 1}
    assert (port["dry_run"]["type"], port["dry_run"]["default"]) == ("boolean", False)
    assert port["settle"]["additionalProperties"] == {"enum": ["mine", "notebook", "both"]}
    assert verify["answers"]["additionalProperties"]["type"] == "object"
    assert verify["ways"]["items"] == {"enum": ["resume", "restore", "revert"]}
    assert verify["ways"]["uniqueItems"] is True
    assert of["runs"]["properties"]["data"]["default"] == "data"
    limit = of["runs"]["properties"]["limit"]
    assert (limit["type"], limit["minimum"], limit["default"]) == ("integer", 1, 50)


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
        ("port", {"notebook": "hello.ipynb", "number": "x1"}, "PP442", 2),
        ("port", {"notebook": "hello.ipynb", "fields": [""]}, "PP442", 2),
        ("port", {"notebook": "hello.ipynb", "settle": {"*": "theirs"}}, "PP442", 2),
        ("verify", {"notebook": "hello.ipynb", "ways": ["resume", "resume"]}, "PP442", 2),
        ("verify", {"notebook": "hello.ipynb", "answers": {"step_01": 5}}, "PP442", 2),
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
    def broken():
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
