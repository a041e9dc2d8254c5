"""`pipulate annotate` and `--fields` as a user has them: in process, and in a real terminal (a pty)."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.build import code, md, raw
from transpiler.model.options import Options
from transpiler.pipeline import port
from transpiler.plugin_folder.files import replace_notebook

from .conftest import ROOT
from .test_cli import Pipulate, pipulate  # noqa: F401  # a fixture

TRIP = raw(
    md("# Trip"),
    "import math\nimport os",
    "CITY = 'Rome'\nDAYS = 3  # nights, too\nAPI_KEY = 'sk-aaaabbbbccccddddeeee1111'",
    "print(CITY, DAYS, len(API_KEY))\nfactor = 2",
    "print(factor)",
)


def with_fields(folder: Path, *names: str) -> dict[str, list[str]]:
    """Step -> its fields, in the plan of the plugin's port."""
    ported = port(folder / "trip.ipynb", folder / "other", Options(fields=names or None))
    assert ported.plan is not None
    return {s.id: [f.name for f in s.fields] for s in ported.plan.steps if s.fields}


# --- inspect ------------------------------------------------------------------------------------------------------


def test_inspect_lists_likely_inputs_and_never_a_secret(pipulate: Pipulate) -> None:  # noqa: F811
    Path("trip.ipynb").write_bytes(TRIP)
    shown = pipulate("inspect", "trip.ipynb")
    listed = shown.out.partition("Looks like inputs:")[2]
    assert [n for n in ("CITY*", "DAYS*", "API_KEY*", "factor") if n in listed][:3] == [
        "CITY*",
        "DAYS*",
        "API_KEY*",
    ]
    assert "--fields auto" in listed
    data = json.loads(pipulate("inspect", "trip.ipynb", "--json").out)
    first = {one["name"]: one for one in data["likely_inputs"]}
    assert first["DAYS"]["min"] == 1
    assert (first["DAYS"]["cell"], first["DAYS"]["line"]) == (2, 2)
    assert first["API_KEY"]["value"] == "•••"
    assert first["DAYS"]["reasons"]
    assert "sk-aaaa" not in listed + json.dumps(data["likely_inputs"])


def test_inspect_with_fields_shows_the_plan_with_them(pipulate: Pipulate) -> None:  # noqa: F811
    Path("trip.ipynb").write_bytes(TRIP)
    data = json.loads(pipulate("inspect", "trip.ipynb", "--fields", "CITY", "--json").out)
    assert [f["name"] for s in data["plan"]["steps"] for f in s["fields"]] == ["CITY"]
    assert "CITY" not in {one["name"] for one in data["likely_inputs"]}


# --- port --fields ------------------------------------------------------------------------------------------------


def lock_of(folder: Path) -> dict[str, object]:
    (path,) = folder.glob(".port/*/lock.json")
    lock: dict[str, object] = json.loads(path.read_bytes())
    return lock


def test_the_choice_survives_the_next_port(pipulate: Pipulate) -> None:  # noqa: F811
    Path("trip.ipynb").write_bytes(TRIP)
    assert pipulate("port", "trip.ipynb", "--fields", "DAYS").exit == 0
    plugin = Path("generated/trip.py").read_text()
    assert lock_of(Path("generated"))["options"] == {"fields": ["DAYS"]}
    assert 'DAYS = form["DAYS"]' in plugin
    assert "up to date" in pipulate("port", "trip.ipynb").out
    assert "up to date" in pipulate("port", "trip.ipynb", "--fields", "DAYS").out
    # the notebook changes: the choice stays
    Path("trip.ipynb").write_bytes(TRIP.replace(b"'Rome'", b"'Oslo'"))
    assert pipulate("port", "trip.ipynb").exit == 0
    again = Path("generated/trip.py").read_text()
    assert 'DAYS = form["DAYS"]' in again
    assert 'CITY = "Oslo"' in again.replace("'", '"')
    # another choice, and none
    pipulate("port", "trip.ipynb", "--fields", "CITY,DAYS")
    assert lock_of(Path("generated"))["options"] == {"fields": ["CITY", "DAYS"]}
    pipulate("port", "trip.ipynb", "--fields", "none")
    assert "options" not in lock_of(Path("generated"))
    assert "form[" not in Path("generated/trip.py").read_text()
    assert "up to date" in pipulate("port", "trip.ipynb").out


def test_auto_is_kept_as_the_names_it_found(pipulate: Pipulate) -> None:  # noqa: F811
    Path("trip.ipynb").write_bytes(TRIP)
    pipulate("port", "trip.ipynb", "--fields", "auto")
    assert lock_of(Path("generated"))["options"] == {"fields": ["CITY", "DAYS", "API_KEY"]}
    text = Path("generated/trip.py").read_text()
    assert "sk-aaaa" not in text  # the secret is asked for, and stands nowhere
    more = TRIP.replace(b"factor = 2", b"LIMIT = 9\\nprint(LIMIT)")
    Path("trip.ipynb").write_bytes(more)
    pipulate("port", "trip.ipynb")
    assert 'form["LIMIT"]' not in Path("generated/trip.py").read_text()
    pipulate("port", "trip.ipynb", "--fields", "auto")
    assert 'form["LIMIT"]' in Path("generated/trip.py").read_text()


def test_by_is_kept_for_the_next_port(pipulate: Pipulate) -> None:  # noqa: F811
    cells = (md("# Trip"), md("## One"), "a = 1", "b = a + 1", md("## Two"), "print(b)")
    Path("trip.ipynb").write_bytes(raw(*cells))
    assert pipulate("port", "trip.ipynb", "--by", "heading").exit == 0
    folder = Path("generated")
    assert lock_of(folder)["options"] == {"by": "heading"}
    assert "up to date" in pipulate("port", "trip.ipynb").out
    Path("trip.ipynb").write_bytes(raw(*cells).replace(b"a = 1", b"a = 5"))
    assert "PP425" not in pipulate("port", "trip.ipynb").text
    assert [step["id"] for step in lock_of(folder)["steps"]] == ["step_01", "step_02"]
    pipulate("port", "trip.ipynb", "--by", "cell")
    assert lock_of(folder)["options"] == {"by": "cell"}
    assert len(lock_of(folder)["steps"]) == 3


def test_a_chosen_field_that_is_gone_is_said_once(pipulate: Pipulate) -> None:  # noqa: F811
    Path("trip.ipynb").write_bytes(TRIP)
    pipulate("port", "trip.ipynb", "--fields", "CITY,DAYS")
    Path("trip.ipynb").write_bytes(TRIP.replace(b"DAYS", b"NIGHTS"))
    result = pipulate("port", "trip.ipynb")
    assert result.exit == 0
    assert "PP390" in result.text
    assert "`DAYS`" in result.text
    assert "--fields CITY,NAME" in result.text
    assert lock_of(Path("generated"))["options"] == {"fields": ["CITY"]}
    assert "PP390" not in pipulate("port", "trip.ipynb").text


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ("DAY", "the nearest is DAYS"),
        ("CITY,LIMIT", "cannot be LIMIT"),
        ("t", "below `%%time`"),
        ("s", "kept as text"),
        (",", "it takes auto, none, or names"),
    ],
)
@pytest.mark.parametrize("command", ["port", "inspect", "annotate"])
def test_a_name_that_cannot_be_a_field_is_pp407(
    pipulate: Pipulate, command: str, fields: str, why: str  # noqa: F811
) -> None:
    cells = json.loads(TRIP)["cells"]
    more = raw(*cells, "%%time\nt = 5\nt", "from math import *\ns = 4\ns")
    Path("trip.ipynb").write_bytes(more)
    result = pipulate(command, "trip.ipynb", "--fields", fields)
    assert result.exit == 2
    assert "PP407" in result.text
    assert why in result.text
    assert [p.name for p in Path().iterdir()] == ["trip.ipynb"]
    assert Path("trip.ipynb").read_bytes() == more


# --- annotate -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", ["auto", "CITY", "DAYS,factor", "API_KEY"])
def test_the_notebook_then_asks_as_the_option_did(
    pipulate: Pipulate, fields: str  # noqa: F811
) -> None:
    Path("trip.ipynb").write_bytes(TRIP)
    pipulate("port", "trip.ipynb", "-o", "by_option", "--fields", fields)
    assert pipulate("annotate", "trip.ipynb", "--fields", fields).exit == 0
    pipulate("port", "trip.ipynb", "-o", "by_notebook")
    option, notebook = (
        re.sub(r"^# port: .*$", "", Path(folder, "trip.py").read_text(), flags=re.MULTILINE)
        for folder in ("by_option", "by_notebook")
    )
    assert notebook.replace("by_notebook", "by_option") == option
    assert "form[" in option
    # and there is nothing more to do
    before = Path("trip.ipynb").read_bytes()
    assert "Nothing was written" in pipulate("annotate", "trip.ipynb", "--fields", fields).out
    assert Path("trip.ipynb").read_bytes() == before


def test_a_dry_run_shows_the_lines_and_no_secret(pipulate: Pipulate) -> None:  # noqa: F811
    Path("trip.ipynb").write_bytes(TRIP)
    result = pipulate("annotate", "trip.ipynb", "--yes", "--dry-run")
    assert result.exit == 0
    assert "+#| secret: API_KEY" in result.out
    assert "+#| input: {name: DAYS, min: 1}" in result.out
    assert "sk-aaaa" not in result.text
    assert Path("trip.ipynb").read_bytes() == TRIP


def test_without_a_terminal_it_says_what_to_do(pipulate: Pipulate) -> None:  # noqa: F811
    Path("trip.ipynb").write_bytes(TRIP)
    result = pipulate("annotate", "trip.ipynb")
    assert result.exit == 2
    assert "PP491" in result.text
    assert "--fields auto" in result.text


def test_a_notebook_that_is_saved_meanwhile_is_left_alone(
    pipulate: Pipulate, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    Path("trip.ipynb").write_bytes(TRIP)
    theirs = TRIP + b"\n"

    def slow(path: Path, before: bytes, after: bytes) -> None:
        path.write_bytes(theirs)
        replace_notebook(path, before, after)

    monkeypatch.setattr("transpiler.plugin_folder.files.replace_notebook", slow)
    result = pipulate("annotate", "trip.ipynb", "--yes")
    assert result.exit == 3
    assert "PP490" in result.text
    assert Path("trip.ipynb").read_bytes() == theirs


def test_lines_that_do_not_give_the_fields_are_a_bug_and_nothing_is_written(
    pipulate: Pipulate, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    Path("trip.ipynb").write_bytes(TRIP)
    monkeypatch.setattr(
        "transpiler.features.annotate_lines.line_of", lambda name, said: f"#| inptu: {name}"
    )
    result = pipulate("annotate", "trip.ipynb", "--yes")
    assert result.exit == 1
    assert "PP901" in result.text
    assert Path("trip.ipynb").read_bytes() == TRIP


# --- in a terminal ------------------------------------------------------------------------------------------------


class Terminal:
    """`pipulate annotate trip.ipynb` at the other end of a pty."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "transpiler", "annotate", "trip.ipynb", *arguments]
        env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120"}
        self._process = subprocess.Popen(
            command, cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.text = ""

    def expect(self, text: str) -> None:
        """Read until the text has come."""
        end = time.monotonic() + 30
        while text not in self.text:
            if not self._more(end):
                raise AssertionError(f"{text!r} did not come; there is: {self.text}")
        self.text = self.text.partition(text)[2]

    def answer(self, prompt: str, text: str = "") -> None:
        self.expect(prompt)
        os.write(self._ours, text.encode() + b"\n")

    def interrupt(self) -> None:
        """Press Ctrl+C, and again if it fell between the prompt and the reading, where Python does not see it."""
        for _ in range(5):
            self._process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
                return

    def end(self) -> int:
        """Read what is left and return the exit code."""
        end = time.monotonic() + 30
        while self._more(end):
            pass
        os.close(self._ours)
        return self._process.wait(10)

    def _more(self, end: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], max(0, end - time.monotonic()))
        try:
            got = os.read(self._ours, 65536) if ready else b""
        except OSError:  # the other end is closed
            return False
        self.text += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", got.decode(errors="replace"))
        return bool(got)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "trip.ipynb").write_bytes(TRIP)
    return tmp_path


def test_enter_accepts_all_guesses(folder: Path) -> None:
    terminal = Terminal(folder)
    terminal.answer("Which become fields?")
    for prompt in ("Label [City]", "Help", "Choices", "Label [Days]", "Help [nights, too]"):
        terminal.answer(prompt)
    for prompt in ("Smallest value [1]", "Largest value", "Label [Api key]", "Help", "Write this"):
        terminal.answer(prompt)
    assert terminal.end() == 0
    assert "sk-aaaa" not in terminal.text
    cells = json.loads((folder / "trip.ipynb").read_bytes())["cells"]
    assert cells[2]["source"].startswith(
        "#| input: CITY\n#| input: {name: DAYS, min: 1}\n#| secret: API_KEY\nCITY = "
    )
    assert with_fields(folder) == {"step_01": ["CITY", "DAYS", "API_KEY"]}


def test_answers_of_ones_own_and_wrong_ones_asked_again(folder: Path) -> None:
    terminal = Terminal(folder)
    terminal.answer("Which become fields?", "9")
    terminal.expect("the numbers go from 1 to")
    terminal.answer("Which become fields?", "DAYS, CTY")
    terminal.expect("CTY is none of the names")
    terminal.answer("Which become fields?", "DAYS CITY")
    terminal.answer("Label [City]", "Where to?")
    terminal.answer("Help", "It's: a #place")
    terminal.answer("Choices", "Rome, Oslo, São Paulo")
    terminal.answer("Label [Days]")
    terminal.answer("Help")
    terminal.answer("Smallest value [1]", "many")
    terminal.expect("please enter a number")
    terminal.answer("Smallest value [1]", "1.5")
    terminal.expect("a whole number")
    terminal.answer("Smallest value [1]", "-")
    terminal.answer("Largest value", "30")
    terminal.expect("+#| input: {name: DAYS, max: 30}")
    terminal.answer("Write this into the notebook?", "y")
    assert terminal.end() == 0
    notebook = json.loads((folder / "trip.ipynb").read_bytes())
    assert notebook["cells"][2]["source"].split("\n")[:2] == [
        '#| input: {name: CITY, label: "Where to?", help: "It\'s: a #place", choices: [Rome, Oslo, São Paulo]}',
        "#| input: {name: DAYS, max: 30}",
    ]


@pytest.mark.parametrize("at", ["Which become fields?", "Help", "Write this into"])
def test_an_interruption_writes_nothing(folder: Path, at: str) -> None:
    terminal = Terminal(folder)
    if at != "Which become fields?":
        terminal.answer("Which become fields?", "DAYS")
    if at == "Write this into":
        for prompt in ("Label", "Help", "Smallest", "Largest"):
            terminal.answer(prompt)
    elif at == "Help":
        terminal.answer("Label")
    terminal.expect(at)
    terminal.expect(":")  # it waits for the answer now
    terminal.interrupt()
    assert terminal.end() == 1
    assert "Nothing was written." in terminal.text
    assert (folder / "trip.ipynb").read_bytes() == TRIP
    assert [p.name for p in folder.iterdir()] == ["trip.ipynb"]


def test_no_at_the_end_writes_nothing(folder: Path) -> None:
    terminal = Terminal(folder)
    terminal.answer("Which become fields?", "DAYS")
    for prompt in ("Label", "Help", "Smallest", "Largest"):
        terminal.answer(prompt)
    terminal.answer("Write this into", "n")
    assert terminal.end() == 0
    assert (folder / "trip.ipynb").read_bytes() == TRIP


def test_nothing_that_looks_like_an_input(folder: Path) -> None:
    (folder / "trip.ipynb").write_bytes(raw(code("print(1)")))
    terminal = Terminal(folder)
    terminal.expect("Nothing in trip.ipynb looks like an input. To choose yourself: --fields")
    assert terminal.end() == 0
