"""A cell that ends the run on purpose: which words are shown, and what is left out around them."""

import pytest
from fasthtml.common import to_xml

from pipulate_runtime.cells.outputs import exits
from pipulate_runtime.cells.page import render
from pipulate_runtime.cells.storage.folders import RunFolder
from pipulate_runtime.host.walk.printer import plain

ADVICE = (
    "/lib/IPython/core/interactiveshell.py:3831: UserWarning: To exit: use 'exit', 'quit', or Ctrl-D.\n"
    "  warn(\"To exit: use 'exit', 'quit', or Ctrl-D.\", stacklevel=1)\n"
)


def error(name, value):
    return {"output_type": "error", "ename": name, "evalue": value, "traceback": ["a trace"]}


def stream(text, name="stderr"):
    return {"output_type": "stream", "name": name, "text": text}


def shown(tmp_path, *outputs):
    record = {"id": "c1", "hash": "", "code": "", "outputs": list(outputs)}
    parts = render.View(RunFolder(tmp_path, "app", "k"), "app", record, "output").parts()
    return "".join(map(to_xml, parts))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SystemExit", "Thrown off.", "Thrown off."),
        ("SystemExit", "3 rows are too few.", "3 rows are too few."),
        ("SystemExit", "3", ""),
        ("SystemExit", "-1", ""),
        ("SystemExit", "None", ""),
        ("SystemExit", "", ""),
        ("ValueError", "Thrown off.", ""),
    ],
)
def test_words_end_a_run_and_numbers_do_not(name, value, words):
    assert exits.exit_message(error(name, value)) == words


@pytest.mark.parametrize(
    ("output", "wanted"),
    [
        (stream(ADVICE), True),
        (stream([*ADVICE.splitlines(keepends=True)]), True),
        (stream(f"mine\n{ADVICE}"), False),
        (stream(f"{ADVICE}mine\n"), False),
        (stream(ADVICE, "stdout"), False),
        (error("SystemExit", ADVICE), False),
    ],
)
def test_only_what_ipython_says_to_terminals_is_advice(output, wanted):
    assert exits.is_advice(output) is wanted


def test_the_page_shows_the_words_alone(tmp_path):
    html = shown(
        tmp_path, stream("so far\n"), error("SystemExit", "Wrong <b>!\n\nClimb up."), stream(ADVICE)
    )
    assert "so far" in html
    assert "Wrong &lt;b&gt;!" in html
    assert html.count("<p>") == 2
    assert [w for w in ("SystemExit", "a trace", "quit", "Details") if w in html] == []


def test_the_page_shows_any_other_end_as_an_error(tmp_path):
    html = shown(tmp_path, error("SystemExit", "3"))
    assert "SystemExit: 3" in html
    assert "a trace" in html


def test_a_terminal_is_not_told_how_to_leave_a_terminal():
    assert plain(stream(ADVICE), {}) == []
    assert plain(stream("mine\n"), {}) == ["mine"]
