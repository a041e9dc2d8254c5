"""All decisions about a plugin: which cells make which step, titles, ids, names, fields."""

import dataclasses
import json

import pytest

from tests.build import analysed, code, emitted, md, only_cell, only_step, plan_of, planned, splice
from transpiler.model.ir import Edit, Plan, Slice
from transpiler.model.options import Options
from transpiler.passes.plan import plan
from transpiler.python.positions import apply


def titles(made: Plan) -> list[str]:
    return [step.title for step in made.steps]


def layout(made: Plan) -> list[list[int]]:
    """The positions of the cells of each step."""
    return [[cell.index for cell in step.cells] for step in made.steps]


def functions(made: Plan) -> list[str]:
    return [cell.function for step in made.steps for cell in step.cells]


# --- cells to steps -----------------------------------------------------------------------------------------------------

LAYOUTS = {
    # what the notebook has: (its cells, by, the cells of each step)
    "one cell is one step": (["f = 1"], None, [[0]]),
    "each code cell is a step": (["print(1)", "print(2)"], None, [[0], [1]]),
    "markdown makes no step": ([md("# A"), "print(1)", md("b"), "print(2)"], None, [[1], [3]]),
    "imports run with the step after them": (["import os", "print(os)"], None, [[0, 1]]),
    "several cells of imports do": (["import os", "import re", "print(os)"], None, [[0, 1, 2]]),
    "imports at the end run with the last step": (["print(1)", "import os"], None, [[0, 1]]),
    "only imports are a step": (["import os", "import re"], None, [[0, 1]]),
    "imports with a title of their own are a step": (
        [code("import os", step="Load"), "print(os)"],
        None,
        [[0], [1]],
    ),
    "setup: true runs with the step after it": (["#| setup: true\nx = 1", "x"], None, [[0, 1]]),
    "setup: false is a step": (["#| setup: false\nimport os", "print(os)"], None, [[0], [1]]),
    "join runs with the step before it": (["print(1)", "#| join: true\nprint(2)"], None, [[0, 1]]),
    "join takes imports along": (
        ["print(1)", "import os", "#| join: true\nprint(2)"],
        None,
        [[0, 1, 2]],
    ),
    "join first is a step": (["#| join: true\nprint(1)"], None, [[0]]),
    "skip leaves a cell out": (["#| skip: true\nprint(1)", "print(2)"], None, [[1]]),
    "by heading a section is a step": (
        [md("## A"), "print(1)", "print(2)", md("## B"), "print(3)"],
        "heading",
        [[1, 2], [4]],
    ),
    "by heading text does not end a section": (
        [md("## A"), "print(1)", md("text"), "print(2)"],
        "heading",
        [[1, 3]],
    ),
    "by heading a title of its own ends a section": (
        [md("## A"), "print(1)", code("print(2)", step="B"), "print(3)"],
        "heading",
        [[1], [2, 3]],
    ),
    "by heading without headings is one step": (["print(1)", "print(2)"], "heading", [[0, 1]]),
    "by cell is what happens anyway": ([md("## A"), "print(1)", "print(2)"], "cell", [[1], [2]]),
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_cells_become_steps(case: str) -> None:
    cells, by, wanted = LAYOUTS[case]
    assert layout(plan_of(*cells, options=Options(by=by))) == wanted


def test_the_metadata_say_how_when_the_command_line_does_not() -> None:
    cells = ["print(1)", "print(2)"]
    assert layout(plan_of(*cells, pipulate={"by": "heading"})) == [[0, 1]]
    assert layout(plan_of(*cells, options=Options(by="cell"), pipulate={"by": "heading"})) == [
        [0],
        [1],
    ]


def test_nothing_to_join_is_said() -> None:
    _, found = planned("#| join: true\nprint(1)")
    assert [(d.rule.code, d.span.cell) for d in found] == [("PP304", 0)]


def test_a_notebook_in_which_nothing_runs_is_an_error() -> None:
    made, found = planned("#| skip: true\nprint(1)")
    assert made.steps == ()
    assert [d.rule.code for d in found] == ["PP308"]


# --- titles and texts ---------------------------------------------------------------------------------------------------

TITLES = {
    "the heading above": ([md("## Load"), "print(1)"], ["Load"]),
    "the nearest heading above": ([md("## A\n### B"), "print(1)"], ["B"]),
    "a heading counts for one step": (
        [md("## A"), "print(1)", "print(2)"],
        ["A", "A · 2"],
    ),
    "what it shows": ([md("## A"), "x = 1", "rows = [1]\nrows"], ["A", "Rows"]),
    "all that it shows": ([md("## A"), "x = 1", "rows, best.value"], ["A", "Rows and best"]),
    "the function that makes what it shows": ([md("## A"), "x = 1", "words(x)"], ["A", "Words"]),
    "not a builtin": ([md("## A"), "x = 1", "len(rows)"], ["A", "A · 2"]),
    "not that it prints": ([md("## A"), "x = 1", "print(rows)"], ["A", "A · 2"]),
    "not what another step is called": ([md("## Rows"), "x = 1", "rows"], ["Rows", "Rows · 2"]),
    "not a variable of a loop": (["for word in text:\n    pass"], ["Text"]),
    "an option before the heading": ([md("## A"), code("print(1)", step="B")], ["B"]),
    "#@title before the heading": ([md("## A"), "#@title B\nprint(1)"], ["B"]),
    "the first comment": (["# Count the rows\nprint(1)"], ["Count the rows"]),
    "the label of its first field": ([code("limit = 5", input="limit")], ["Limit"]),
    "the last name it binds": (["a = 1\ntotals = 2\n"], ["Totals"]),
    "a name of several words": (["best_rows = 2"], ["Best rows"]),
    "not a short name": (["ab = 1"], ["Result"]),
    "not an import": (["import numpy\nprint(numpy)"], ["Result"]),
    "not a hidden name": (["_hidden = 1"], ["Result"]),
    "without sections, what its last line is about": (
        [
            "best = [1]\nother = 2",
            "print(best[0], max(other, 2), len(best), [word for word in 'ab'])",
        ],
        ["Other", "Best and other"],
    ),
    "what a loop that prints goes over": (
        ["for i, pot in enumerate(pots):\n    print(i, pot)"],
        ["Pots"],
    ),
    "the title of its plot": (
        ["ax.hist(pots)\nax.set_title('All pots ')\nax.set_xlabel('euros')"],
        ["All pots"],
    ),
    "what it plots, not how that looks": (
        ["ax.hist(pots)\nax.set_title(f'{years} years')\nplt.legend(where)\nplt.show()"],
        ["Pots"],
    ),
    "the function its last line calls": (
        ["def area():\n    pass", "area().cut()"],
        ["Area"],
    ),
    "not what its last line has imported": (
        ["from time import sleep, monotonic\n0 + sleep(0)"],
        ["Result"],
    ),
    "not what IPython gives": (["get_ipython().banner"], ["Result"]),
    "Result when nothing is known": (["print(1)"], ["Result"]),
    "the H1 is the app's, not the step's": ([md("# App"), "print(1)"], ["Result"]),
    "a second H1 is a step's": (
        [md("# App"), "print(1)", md("# Two"), "print(2)"],
        ["Result", "Two"],
    ),
    "an H1 below a step is a step's": (["print(1)", md("# Two"), "print(2)"], ["Result", "Two"]),
}


@pytest.mark.parametrize("case", TITLES)
def test_the_title_of_a_step_is(case: str) -> None:
    cells, wanted = TITLES[case]
    assert titles(plan_of(*cells)) == wanted


def test_the_first_paragraph_describes_the_app_and_the_rest_opens_the_first_step() -> None:
    made = plan_of(md("# App\n\nWhat *it* does, see [here](x).\n\nMore.\n\nMost."), "print(1)")
    assert (made.title, made.description) == ("App", "What it does, see here.")
    assert made.steps[0].text == "More.\n\nMost."


def test_pictures_and_marks_are_left_out_of_the_description() -> None:
    made = plan_of(
        md("# App\n\n![logo](l.png) **Bold**, `code`, snake_case and __more__."), "print(1)"
    )
    assert made.description == "Bold, code, snake_case and more."


def test_without_words_the_description_says_how_it_begins() -> None:
    assert plan_of(md("# App\n## Load"), "print(1)").description == "Begins with: Load."


def test_text_between_steps_belongs_to_the_step_below_and_the_last_to_the_end() -> None:
    made = plan_of(md("one"), "print(1)", md("two\n\n- a\n- b"), "print(2)", md("bye"))
    assert [step.text for step in made.steps] == ["one", "two\n\n- a\n- b"]
    assert made.closing == "bye"


def test_a_heading_without_cells_is_said_in_the_next_card() -> None:
    made = plan_of(md("## Part one\n\nWords.\n\n### Load"), "print(1)")
    step = made.steps[0]
    assert (step.title, step.text) == ("Load", "**Part one**\n\nWords.\n\n**Load**")
    made = plan_of(md("## Part one\n\n### Load\n\nWords."), "print(1)")
    assert (made.steps[0].title, made.steps[0].text) == ("Load", "**Part one**\n\nWords.")


def test_headings_and_texts_stay_in_their_order() -> None:
    guide = "# Guide\n\nWelcome!\n\n## Contents\n\n1. one\n2. two\n\n### Features\n\n- fast"
    made = plan_of(md(guide), md("## 1. Setup\n\nNow."), "print(1)", "print(2)")
    text = "**Contents**\n\n1. one\n2. two\n\n**Features**\n\n- fast\n\n**1. Setup**\n\nNow."
    assert (made.steps[0].title, made.steps[0].text) == ("1. Setup", text)
    assert made.steps[1].text == ""


def test_a_description_is_plain_words() -> None:
    intro = "# Trip\n\n![map](map.png) **By:** *Jane* &nbsp; <b>for</b> [us](https://example.org), `now`\n\nMore."
    assert plan_of(md(intro), "print(1)").description == "By: Jane for us, now"


def test_a_heading_above_a_cell_that_joins_is_said_there() -> None:
    made = plan_of("print(1)", md("Some.\n\n## More\n\nWords."), "#| join: true\nprint(2)")
    assert made.steps[0].text == "Some.\n\n**More**\n\nWords."


def test_a_heading_at_the_end_is_said_with_its_text() -> None:
    made = plan_of("print(1)", md("Some.\n\n## Conclusion\n\nWords."))
    assert made.closing == "Some.\n\n**Conclusion**\n\nWords."


def test_markdown_of_colab_is_text_of_its_step() -> None:
    assert plan_of("#@markdown Some *words*\nprint(1)").steps[0].text == "Some *words*"


def test_the_training_prompt_holds_all_words_and_all_questions() -> None:
    made = plan_of(
        md("# App\n\nIntro."), md("## Ask\n\nWhy."), code("limit = 5", input="limit"), md("End.")
    )
    assert made.training_prompt == (
        "# App\n\nIntro.\n\n## Ask\n\nWhy.\n\nThe person gives: Limit.\n\nEnd."
    )


# --- names ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "metadata", "app", "cls"),
    [
        ("trip.ipynb", {}, "trip", "Trip"),
        ("Sales Report.ipynb", {}, "sales_report", "SalesReport"),
        ("class.ipynb", {}, "notebook_class", "NotebookClass"),
        ("list.ipynb", {}, "list", "List"),
        ("form.ipynb", {}, "form", "FormWorkflow"),
        ("trip.ipynb", {"app_name": "My App"}, "my_app", "MyApp"),
    ],
)
def test_the_app_is_named_after_metadata_or_file(name, metadata, app, cls) -> None:
    made = plan_of("print(1)", name=name, pipulate=metadata)
    assert (made.app_name, made.class_name) == (app, cls)


def test_an_address_of_the_server_is_no_name() -> None:
    _, found = planned("print(1)", name="tasks.ipynb")
    assert [d.rule.code for d in found] == ["PP301"]


@pytest.mark.parametrize(
    ("roles", "wanted"),
    [(None, ("Core",)), ("Tutorial", ("Tutorial",)), (["A", "B"], ("A", "B")), ([], ("Core",))],
)
def test_the_roles_are_of_the_metadata(roles: object, wanted: tuple[str, ...]) -> None:
    metadata = {} if roles is None else {"roles": roles}
    assert plan_of("print(1)", pipulate=metadata).roles == wanted


LOOK = {
    "accent": "#0A7",
    "logo": "img/logo.svg",
    "intro": "Made by *us*.",
    "contact": "us@example.org",
}


def test_what_all_pages_show_is_of_the_metadata() -> None:
    made = plan_of("print(1)", pipulate=LOOK, files=("img/logo.svg",))
    assert dict(made.look) == {
        "ACCENT": "#0A7",
        "LOGO": "trip.files/img/logo.svg",
        "INTRO": "Made by *us*.",
        "CONTACT": "us@example.org",
    }
    assert plan_of("print(1)").look == ()


def test_a_logo_that_does_not_travel_is_no_constant() -> None:
    assert [name for name, _ in plan_of("print(1)", pipulate=LOOK).look] == [
        "ACCENT",
        "INTRO",
        "CONTACT",
    ]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("accent", "teal"),
        ("accent", "#12345"),
        ("accent", "#0a7;x"),
        ("logo", "logo.txt"),
        ("intro", []),
    ],
)
def test_a_look_that_cannot_be_is_reported(option: str, value: object) -> None:
    analysis, found = analysed("print(1)", pipulate={option: value})
    assert [d.rule.code for d in found] == ["PP121"]
    assert analysis.files == ()


def test_a_logo_is_a_file_of_the_notebook() -> None:
    assert analysed("print(1)", pipulate={"logo": "./img/logo.svg"})[0].files == ("img/logo.svg",)


def test_ids_are_numbers_in_order_beyond_a_hundred_too() -> None:
    made = plan_of(*(f"print({n})" for n in range(150)))
    ids = [step.id for step in made.steps]
    assert (ids[0], ids[98], ids[99], ids[149]) == ("step_01", "step_99", "step_100", "step_150")
    assert len(set(ids)) == 150


@pytest.mark.parametrize(
    ("pins", "ids", "codes"),
    [
        ([None, None], ["step_01", "step_02"], []),
        ([None, "step_01"], ["step_02", "step_01"], []),
        (["step_07", None], ["step_07", "step_01"], []),
        (["step_05", "step_05"], ["step_05", "step_01"], ["PP302"]),
        (["step_120", None], ["step_120", "step_01"], []),
    ],
)
def test_a_pin_is_the_id_of_its_step(pins, ids, codes) -> None:
    cells = [f"#| pin: {pin}\nprint(1)" if pin else "print(1)" for pin in pins]
    made, found = planned(*cells)
    assert [step.id for step in made.steps] == ids
    assert [d.rule.code for d in found] == codes
    assert [d.span.cell for d in found] == [1] * len(codes)


def test_functions_are_numbered_within_their_step() -> None:
    made = plan_of("import a", "import b", "print(1)", "#| join: true\nprint(2)", "print(3)")
    assert functions(made) == [
        "step_01_setup",
        "step_01_setup_2",
        "step_01_cell",
        "step_01_cell_2",
        "step_02_cell",
    ]


@pytest.mark.parametrize(
    ("source", "parameter"),
    [
        ("x = 1", "form"),
        ("platform = 1", "form"),
        ("print('a form')", "form_"),
        ("form = 1; form_ = 2", "form__"),
    ],
)
def test_the_parameter_is_a_name_no_cell_uses(source: str, parameter: str) -> None:
    assert plan_of(source, "x = 1\nx").parameter == parameter


def test_any_name_can_be_bound_read_and_asked_for() -> None:
    names = "self request data P Div Step cell Cells größe state key step form".split()
    asked = [
        (code(f"{name} = 1\nprint({name})", input=name), f"{name} += 1\n{name}") for name in names
    ]
    cells = [cell for pair in asked for cell in pair]
    assert splice(plan_of(*cells))[1] == {}
    emitted(*cells)


# --- data flow ------------------------------------------------------------------------------------------------------------


def test_the_global_lines_say_what_comes_in_and_goes_out() -> None:
    made = plan_of("a = 1\nb = []", "b.append(a)\nc = a\nd = 2\ndisplay(d)", "print(b, c)")
    assert made.steps[1].cells[0].declarations == (
        ("in: from the cells before", ("a",)),
        ("in and out: changed here", ("b",)),
        ("out: for the cells after", ("c",)),
        ("stays in the notebook's namespace", ("d",)),
        ("given by IPython", ("display",)),
    )
    assert made.steps[1].cells[0].reads_only
    assert made.helpers.reads


def test_each_name_stands_once() -> None:
    for step in plan_of("x = 1", "x = x + 1\ndel x\nx = 2\nx", "x").steps:
        for cell in step.cells:
            names = [name for _, listed in cell.declarations for name in listed]
            assert len(names) == len(set(names))


def test_a_cell_that_uses_no_names_has_no_lines() -> None:
    made = plan_of("print(1)")
    assert only_cell(made).declarations == ()
    assert not made.helpers.reads


# --- fields -----------------------------------------------------------------------------------------------------------------


def test_a_step_without_fields_runs_by_itself() -> None:
    step = only_step(plan_of("x = 1"))
    assert (step.fields, step.button, step.confirm, step.done) == ((), None, None, "ran")


def test_a_field_takes_the_place_of_the_value() -> None:
    step = only_step(plan_of(code("limit = 5  # rows\nrest = limit * 2", input="limit")))
    (cell,) = step.cells
    assert cell.source == 'limit = form["limit"]  # rows\nrest = limit * 2'
    assert cell.changes == ("limit is asked for",)
    assert (step.done, step.button) == ("limit", "Continue")


def test_a_raw_answer_is_evaluated() -> None:
    cell = only_cell(plan_of('x = [1, 2] #@param {type:"raw"}'))
    assert cell.source.startswith('x = eval(form["x"])')


def test_the_name_of_the_parameter_is_used() -> None:
    made = plan_of(code("limit = 5\nprint('form')", input="limit"))
    assert 'limit = form_["limit"]' in only_cell(made).source
    emitted(code("limit = 5\nprint('form')", input="limit"))


@pytest.mark.parametrize("name", ["pipeline_id", "step_id", "_cells"])
def test_names_of_the_page_are_not_asked_for(name: str) -> None:
    made, found = planned(code(f"{name} = 1", input=name))
    assert only_step(made).fields == ()
    assert [d.rule.code for d in found] == ["PP306"]
    assert only_cell(made).source == f"{name} = 1"


def test_a_cell_kept_as_text_asks_nothing() -> None:
    made, found = planned(code("from math import *\nradius = 3", input="radius"))
    assert only_step(made).fields == ()
    assert [d.rule.code for d in found] == ["PP303"]


@pytest.mark.parametrize(
    ("options", "button", "confirm"),
    [
        ({"run": "auto"}, None, None),
        ({"run": "button"}, "Run", None),
        ({"confirm": "Sure?"}, "Run", "Sure?"),
        ({"input": "x"}, "Continue", None),
        ({"input": "x", "confirm": "Sure?"}, "Continue", "Sure?"),
    ],
)
def test_what_makes_a_step_wait(options, button, confirm) -> None:
    step = only_step(plan_of(code("x = 1", **options)))
    assert (step.button, step.confirm) == (button, confirm)
    emitted(code("x = 1", **options))


@pytest.mark.parametrize(
    ("options", "tags", "keywords"),
    [
        ({}, [], ()),
        ({"show": "output"}, [], ()),
        ({"show": "code"}, [], (("show", "code"),)),
        ({"timeout": 60}, [], (("timeout", 60),)),
        ({}, ["raises-exception"], (("raises", True),)),
        (
            {"show": "none", "timeout": 0.5},
            ["raises-exception"],
            (("show", "none"), ("raises", True), ("timeout", 0.5)),
        ),
    ],
)
def test_options_of_a_cell_are_arguments_of_its_mark(options, tags, keywords) -> None:
    made = plan_of(code("x = 1", tags=tags, **options))
    assert only_cell(made).options == keywords
    emitted(code("x = 1", tags=tags, **options))


@pytest.mark.parametrize(
    ("fields", "helpers"),
    [
        ("x = 1", (False, False, False)),
        (code("x = 1", input="x"), (True, False, False)),
        (code("x = [1]", input={"name": "x", "type": "json"}), (True, True, False)),
        (code("x = ['a']", input={"name": "x", "type": "urls"}), (True, False, True)),
        (
            code("x = ['a']", input={"name": "x", "type": "multi-select", "choices": ["a", "b"]}),
            (True, False, True),
        ),
    ],
)
def test_the_plugin_has_the_parts_it_needs(fields, helpers) -> None:
    made = plan_of(fields).helpers
    assert (made.fields, made.json, made.lines) == helpers


# --- cells kept as text ---------------------------------------------------------------------------------------------------------


def test_a_cell_that_does_not_parse_is_kept_to_the_character() -> None:
    cell = only_cell(plan_of("print 'x'\n%%odd"))
    assert cell.source == "print 'x'\n%%odd"
    assert cell.text_reason == "it is not Python that can be read"
    assert cell.declarations == ()


def test_a_cell_that_could_not_be_moved_is_planned_as_text() -> None:
    analysis, _ = analysed("def f(): pass\nx: int = 1", "x")
    made, found = plan(analysis, Options(), (), {"c000": "of a reason"})
    cell = made.steps[0].cells[0]
    assert (cell.text_reason, cell.changes) == ("of a reason", ())
    assert cell.source == "def f(): pass\nx: int = 1"
    assert [(d.rule.code, d.span) for d in found] == [("PP309", (0, 1, 1, 2, 11))]
    assert made.steps[-1].cells[-1].text_reason is None


# --- the plan is data -----------------------------------------------------------------------------------------------------------


def test_the_plan_is_plain_data_and_the_same_each_time() -> None:
    cells = [md("# A"), "import os", code("x = 1", input="x"), "print(x, os)"]
    first = json.dumps(dataclasses.asdict(plan_of(*cells)))
    assert first == json.dumps(dataclasses.asdict(plan_of(*cells)))


def test_files_and_requirements_are_passed_on() -> None:
    made, _ = planned("!pip install pandas", "print(1)", files=("a.csv",))
    assert (made.files, made.requirements) == (("a.csv",), ("pandas",))


@pytest.mark.parametrize(
    ("edits", "text"),
    [
        ([], "abcdef"),
        ([Edit(Slice(0, 1), "X", "")], "Xbcdef"),
        ([Edit(Slice(4, 6), "", ""), Edit(Slice(0, 0), "--", "")], "--abcd"),
        ([Edit(Slice(2, 3), "XYZ", ""), Edit(Slice(3, 4), "", "")], "abXYZef"),
    ],
)
def test_edits_are_made_from_the_end(edits: list[Edit], text: str) -> None:
    assert apply("abcdef", edits) == text
