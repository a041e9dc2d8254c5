"""The plugin's text: the parts it is made of, whatever the words of the notebook."""

import ast
import dataclasses

import pytest

from tests.build import (
    PORT_ID,
    code,
    constant,
    emitted,
    function,
    md,
    plan_of,
    sound,
    splice,
    text_of,
    workflow,
)
from transpiler.model.diagnostics import InternalError
from transpiler.passes import emit as module
from transpiler.passes.emit import emit
from transpiler.plugin_folder.pristine import is_pristine

PLAIN = emitted(md("# Trip"), "x = 1\nx")


def test_the_same_plan_gives_the_same_text() -> None:
    assert emitted(md("# Trip"), "x = 1\nx") == PLAIN


def test_the_file_reads_from_docstring_to_last_step() -> None:
    order = [
        '"""The workflow "Trip", ported from trip.ipynb by `pipulate port`.',
        f"# port: id={PORT_ID} notebook=../trip.ipynb base=",
        "from collections import namedtuple",
        "from fasthtml.common import (",
        "from pipulate_runtime.cells import Cells, cell",
        'ROLES = ["Core"]',
        "Step = namedtuple(",
        "class Trip:",
        "# --- START_CLASS_ATTRIBUTES_BUNDLE ---",
        "def __init__(self, app, pipulate, pipeline, db, app_name=APP_NAME):",
        "# --- STEPS_LIST_INSERTION_POINT ---",
        "async def landing(",
        "async def init(",
        "async def finalize(",
        "async def unfinalize(",
        "# --- START_STEP_BUNDLE: step_01 ---",
        "def step_01_cell(form):",
        "async def step_01(self, request):",
        "async def step_01_submit(self, request):",
        "# --- END_STEP_BUNDLE: step_01 ---",
        "# --- STEP_METHODS_INSERTION_POINT ---",
    ]
    places = [PLAIN.index(piece) for piece in order]
    assert places == sorted(places)
    assert is_pristine(PLAIN)


@pytest.mark.parametrize(
    ("cells", "imports"),
    [
        (["x = 1"], set()),
        (["x = 'datetime loads(y) inf'"], set()),
        ([md("loads(x) dumps(y) isfinite(z) inf"), "x = 1"], set()),
        ([md("a\nb"), "x = 1"], set()),
        ([code("x = 1.5", input="x")], set()),
        ([code("x = '10:00'", input={"name": "x", "type": "time"})], set()),
        ([code("x = [1]", input={"name": "x", "type": "json"})], {"json"}),
        (['x = [1] #@param {type:"raw"}'], set()),
    ],
)
def test_only_what_is_used_is_imported(cells, imports) -> None:
    tree = ast.parse(emitted(*cells))
    modules = {n.module for n in tree.body if isinstance(n, ast.ImportFrom)}
    always = {"collections", "textwrap", "fasthtml.common", "pipulate_runtime.cells"}
    assert modules - always == imports
    imported = {alias.name for n in tree.body if isinstance(n, ast.ImportFrom) for alias in n.names}
    loaded = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    assert imported <= loaded


def test_a_cell_kept_as_text_stands_in_pieces_with_the_reason() -> None:
    text = emitted("from math import *\npi", code("%%bash\necho", show="code"))
    assert (
        "# Kept as text, and run by IPython as it is: `from math import *` is not allowed" in text
    )
    assert "step_01_cell = cell_text(" in text
    assert "from pipulate_runtime.cells import Cells, cell" in text


def test_a_plugin_of_texts_only_does_not_import_the_mark_of_functions() -> None:
    assert "import Cells, cell_text\n" in emitted("from math import *\npi")


def test_files_that_travel_are_named() -> None:
    made = dataclasses.replace(plan_of("x = 1"), files=("a.csv",))
    assert 'Cells(self, files="trip.files")' in text_of(made)


WORDS = {
    "quotes": 'it\'s "quoted"',
    "three quotes": "say \"\"\"this\"\"\" and '''that'''",
    "a quote at the end": 'the end"',
    "backslashes": "C:\\new\\table",
    "a backslash at the end": "the end\\",
    "an escape": "\\N{BULLET} \\x41 \\u0041",
    "braces": "{braces} {0} {}",
    "jinja": "{{ jinja }} {% if x %} {# c #} {%- raw -%}",
    "the frame's own marks": "__header__ __imports__() __steps__()",
    "the places of cells": '__cell__("step_01_cell")',
    "the marks of bundles": "# --- END_STEP_BUNDLE: step_01 ---",
    "code": "def step_01_cell(form): return loads(x)",
    "an emoji": "🎉 done",
    "right to left": "שלום עולם",
    "an override of direction": "abc\u202edef",
    "wide characters": "漢" * 60,
    "three hundred letters": "x" * 300,
    "many words": "word " * 60,
    "a hash": "# one",
    "a null": "nul\x00nul",
    "a form feed": "a\x0cb",
    "a separator of lines": "a\u2028b",
    "an escape of terminals": "\x1b[31mred",
}


@pytest.mark.parametrize("case", WORDS)
def test_a_title_may_hold(case: str) -> None:
    words = WORDS[case].strip()
    metadata = {"title": words, "description": words, "roles": [words, "Core"]}
    made = plan_of(md("## " + words), "x = 1", code("x = 1", step=words), pipulate=metadata)
    text = text_of(made)
    sound(text)
    assert constant(text, "DISPLAY_NAME") == made.title
    assert constant(text, "ENDPOINT_MESSAGE") == made.description
    steps = [n for n in ast.walk(workflow(text)) if isinstance(n, ast.keyword) and n.arg == "show"]
    shown = [ast.literal_eval(keyword.value) for keyword in steps]
    assert shown == [*(step.title for step in made.steps), "Finalize"]
    assert len([n for n in workflow(text).body if isinstance(n, ast.AsyncFunctionDef)]) == 9


MARKDOWN = {
    **WORDS,
    "lines": "a\n\nb\n- c\n  - d",
    "indented code": "text\n\n    code\n      more\n\ntext",
    "all indented": "    one\n    two",
    "tabs": "a\n\tb\n\t\tc",
    "three quotes on a line": 'a\n"""\nb',
    "a quote at the end of lines": 'a\nb"',
    "a backslash at the end of lines": "a\\\nb\\",
    "blanks at the ends of lines": "a  \nb   \nc",
    "the places of cells on a line": 'a\n__cell__("step_01_cell")\nb',
    "a copy of the bundle": 'a\n    def step_01_cell(form):\n        __cell__("step_01_cell")\n',
    "the frame's own marks on lines": "__header__\n__imports__()\n    __steps__()\n__steps__()",
    "CRLF": "a\r\nb",
    "a long line": "a\n" + "w" * 200,
    "a fence": "```python\nx = '''\n```",
    "a table": "| a | b |\n|---|---|\n| 1 | 2 |",
}


@pytest.mark.parametrize("case", MARKDOWN)
def test_markdown_may_hold(case: str) -> None:
    words = MARKDOWN[case]
    made = plan_of(md("# T\n\nintro\n\n" + words), md(words), "x = 1\nx", md(words))
    text = text_of(made)
    sound(text)

    def plain(value: str) -> str:
        return "\n".join(line.rstrip(" ") for line in value.split("\n")).rstrip("\n")

    assert plain(constant(text, "step_01_text")) == plain(made.steps[0].text)
    assert plain(constant(text, "TRAINING_PROMPT")) == plain(made.training_prompt)
    assert "return x" in function(text, "step_01_cell")


def test_a_plugin_of_150_steps() -> None:
    text = text_of(plan_of(*(f"x{n} = {n}" for n in range(150))))
    methods = {getattr(node, "name", "") for node in workflow(text).body}
    assert {"step_01", "step_99", "step_100_submit", "step_150_cell"} <= methods


def test_the_templates_write_as_black_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Black is only asked about cells, and about long words of the notebook: it takes most of the time of a port."""

    def asked(text: str) -> str:
        raise AssertionError(f"black is asked about\n{text}")

    cells = [
        md("# Trip\n\nWords.\n\n## One\n\n- a\n- b"),
        "x = 1",
        code("y = 1", input="y", confirm="Sure?"),
        code("z = 1", run="button"),
        "from math import *",
        md("End."),
    ]
    made = plan_of(*cells)
    moved, _ = splice(made)
    expected = emit(made, moved, PORT_ID, "x.ipynb")
    sound(expected)
    monkeypatch.setattr("transpiler.splicing.splice.formatted", asked)
    assert emit(made, moved, PORT_ID, "x.ipynb") == expected


# --- the file checks itself ----------------------------------------------------------------------------------------------------


def test_a_text_that_does_not_compile_is_never_given_out() -> None:
    made = dataclasses.replace(plan_of("x = 1"), class_name="not a name")
    with pytest.raises(InternalError, match="does not compile"):
        text_of(made)


def test_a_cell_that_no_template_places_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    import re

    monkeypatch.setattr(module, "_CELL", re.compile("(never)(there)"))
    with pytest.raises(InternalError, match=r"\['step_01_cell'\] are missing"):
        text_of(plan_of("x = 1"))
