"""Who answers what running cells ask when there is no browser: what was given, or whoever sits at the terminal."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.commands import serve
from pipulate_runtime.host.walk.answers import Answering, answers_in
from tests.build import raw
from tests.conftest import ROOT
from tests.host.test_telling import read_until
from transpiler.model.options import Options
from transpiler.pipeline import port
from transpiler.verify.answers import given_of
from transpiler.verify.verify import verify

CELLS = (
    "from getpass import getpass",
    'said = []\nfor n in range(2):\n    said.append(input(f"No. {n}? "))\n    print("got", said[-1])',
    'if said:\n    print(len(getpass("Key: ")), "characters")',
)


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    path = tmp_path / "asks.ipynb"
    path.write_bytes(raw(*CELLS))
    return path


@pytest.fixture
def plugin(notebook: Path) -> Path:
    made = port(notebook, notebook.parent / "plugins", Options()).plugin
    assert made is not None
    return made


def test_answers_of_questions_are_lists(tmp_path: Path) -> None:
    given = given_of(["step_02.input=", "step_02.input=[1]", "step_02.input=a=b", "step_01.x=1"])
    assert answers_in(given["step_02"]["input"]) == ["", "[1]", "a=b"]
    assert given["step_01"] == {"x": "1"}
    file = tmp_path / "answers.json"
    file.write_text(json.dumps({"step_02": {"input": ["one", 2, True]}, "step_03": {"input": "a"}}))
    found = given_of(["step_03.input=b"], file)
    assert answers_in(found["step_02"]["input"]) == ["one", "2", "on"]
    assert answers_in(found["step_03"]["input"]) == ["b"]
    assert answers_in(None) == []


@pytest.mark.kernel
def test_a_missing_answer_is_named_and_the_run_goes_on_with_it(
    plugin: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    with pytest.raises(HostError) as caught:
        serve.run(plugin, given_of(["step_01.input=one"]), data, "mine")
    assert caught.value.code == "PP536"
    assert "step_01 asks" in caught.value.message
    assert "question 2 has no answer: 'No. 1?'" in caught.value.message
    assert "--set step_01.input=" in caught.value.remedy
    answers = given_of(["step_01.input=other", "step_01.input=two", "step_02.input=key"])
    assert serve.run(plugin, answers, data, "mine") == 0
    said = capsys.readouterr().out
    assert "No. 0? 'one'" in said, "what was answered before is given again"
    assert "No. 1? 'two'" in said
    assert "Key: (not kept)" in said
    # another run with the same answers, but for the secret, which nobody knows
    again = given_of(["step_02.input=longer"])
    assert serve.run(plugin, again, data, "second", source="mine", as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    shown = [output["text"] for step in found["steps"] for output in step["outputs"]]
    assert shown == ["got one\ngot two\n", "6 characters\n"]


def test_more_answers_than_questions_are_an_error() -> None:
    answering = Answering({"step_01": {"input": '["a", "b"]'}, "step_02": {"input": "field"}})
    answering.check({"step_01": 2}, {"step_02": {"input": "field"}})
    with pytest.raises(HostError) as caught:
        answering.check({"step_01": 1}, {"step_02": {"input": "field"}})
    assert caught.value.code == "PP537"
    assert "got 2 answers" in caught.value.message


def test_a_refused_answer_is_an_error() -> None:
    form = BeautifulSoup(
        '<form data-asks="step_03" data-number="1"><label>No. 1?</label><input name="answer">'
        '<p class="text-invalid">This takes one line.</p></form>',
        "html.parser",
    ).form
    assert form is not None
    answering = Answering({"step_03": {"input": '["a", "b\\nc"]'}})
    with pytest.raises(HostError) as caught:
        asyncio.run(answering.values(form, {}, lambda: None))
    assert caught.value.code == "PP513"
    assert "No. 1? This takes one line." in caught.value.message


@pytest.mark.kernel
def test_verify_needs_all_answers(notebook: Path, plugin: Path) -> None:
    given = given_of(["step_01.input=a", "step_01.input=b"])
    with pytest.raises(HostError) as caught:
        verify(notebook, plugin, given, lambda _: None)
    assert "step_02 asks" in caught.value.message
    assert "'Key:'" in caught.value.message


@pytest.mark.kernel
def test_at_a_terminal_whoever_sits_there_is_asked(plugin: Path, tmp_path: Path) -> None:
    master, terminal = pty.openpty()
    command = [sys.executable, "-m", "transpiler", "run", str(plugin)]
    command += ["--data", str(tmp_path / "data"), "--set", "step_01.input=given"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
    )
    os.close(terminal)
    try:
        said = read_until(master, "No. 1? ")
        assert "got given" in said, "what was printed stands before the question"
        assert "No. 0?" not in said
        os.write(master, b"typed\n")
        said = read_until(master, "Key: ")
        assert "got typed" in said
        os.write(master, b"secret\n")
        said = read_until(master, "Finished.")
        assert "6 characters" in said
        assert "secret" not in said, "what is typed for getpass() is not shown"
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(master)


@pytest.mark.kernel
@pytest.mark.slow
def test_ctrl_c_ends_a_question_at_the_terminal(plugin: Path, tmp_path: Path) -> None:
    master, terminal = pty.openpty()
    command = [sys.executable, "-m", "transpiler", "run", str(plugin)]
    command += ["--data", str(tmp_path / "data")]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
    )
    os.close(terminal)
    try:
        read_until(master, "No. 0? ")
        process.send_signal(signal.SIGINT)
        said = " ".join(read_until(master, "To continue:").split())
        assert "The run was interrupted in step_01" in said
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.wait()
        os.close(master)
