import ast
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers import annotated, code, codes_of, notebook_bytes
from transpiler.model.ir import Code, Heading, Options, Text
from transpiler.passes.annotate import annotate
from transpiler.passes.read import read


def field(text, codes=()):
    """The one field of a cell, and nothing to say about it but `codes`."""
    item, found = code(text)
    assert codes_of(found) == list(codes), [d.message for d in found]
    (only,) = item.fields
    return only


def taken(item):
    """The text each field takes the place of."""
    return [item.python.text[slice(*f.value)] for f in item.fields]


def parameter(line, codes=()):
    return field(f'# %% {{"tags": ["parameters"]}}\n{line}', codes)


# --- nothing said -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x = 1", id="an assignment"),
        pytest.param("import os\nos.sep", id="code"),
        pytest.param("# | a table |\nx = 1 # | note", id="comments with bars"),
        pytest.param("#| label: fig-a\n#| fig-cap: A picture\n#| echo: false\n#| layout: [1, 2]\n1", id="Quarto's options"),
        pytest.param("#| export\n#|hide\n#|default_exp core\n#| eval: false\n#| code-fold: true\n1", id="nbdev's directives"),
        pytest.param("#| fig-cap: |\n#|   two\n#|   lines: here\n1", id="Quarto's text over lines"),
        pytest.param("#| \n#| - 5\n1", id="bars without a key"),
        pytest.param('# %% {"tags": ["my-tag", "step:", "prev:x"]}\n1', id="tags of others"),
        pytest.param('# %% {"pipulate": {}}\n1', id="empty metadata"),
        pytest.param("'#@param'\nx = '''\n#@title no\n'''", id="texts that look like forms"),
        pytest.param("def input(a): pass\nx = input(5)", id="an input of one's own"),
        pytest.param("from q import f as input\nx = input(5)", id="an imported input"),
        pytest.param("input = 5", id="a variable called input"),
        pytest.param("x.input('a')", id="a method called input"),
    ],
)  # fmt: skip
def test_nothing_is_annotated(text):
    item, found = code(text)
    assert found == ()
    assert (item.options, item.fields, item.title, item.text) == (Options(), (), None, "")


def test_raw_blank_and_skipped_cells_are_left_out():
    text = """
# %% [raw]
raw
# %%

# %% [markdown] {"tags": ["remove-cell"]}
# gone
# %%
#| skip: true
1
# %%
2
"""
    result, found = annotated(text)
    assert [item.cell.source for item in result.items] == ["2"]
    assert (result.title, found) == ("Trip", ())


# --- options ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("step: Load the data", {"step": "Load the data"}, id="a title"),
        pytest.param("step: Load: the data", {"step": "Load: the data"}, id="a title with a colon"),
        pytest.param("step: a: b: c", {"step": "a: b: c"}, id="a title that is no YAML"),
        pytest.param("step: 2024", {"step": "2024"}, id="a title that is a number"),
        pytest.param("step: true", {"step": "true"}, id="a title that is a truth value"),
        pytest.param('step: "a: b"', {"step": "a: b"}, id="a title in quotes"),
        pytest.param(
            "step: >-\n#|   two\n#|   lines", {"step": "two lines"}, id="a title over lines"
        ),
        pytest.param("join: true", {"join": True}, id="join"),
        pytest.param("join", {"join": True}, id="join, as nbdev would write it"),
        pytest.param("setup: no", {"setup": False}, id="setup"),
        pytest.param("show: both", {"show": "both"}, id="show"),
        pytest.param("run: button", {"run": "button"}, id="run"),
        pytest.param("confirm: Sure?", {"confirm": "Sure?"}, id="confirm"),
        pytest.param("timeout: 2.5", {"timeout": 2.5}, id="timeout"),
        pytest.param("pin: step_03", {"pin": "step_03"}, id="pin"),
        pytest.param("step: A\n#| step: B", {"step": "B"}, id="the last one counts"),
    ],
)
def test_options(line, expected):
    for mark in ("#| ", "#|", "# | "):
        item, found = code(f"{mark}{line}\n1")
        assert (item.options, found) == (Options(**expected), ())


@pytest.mark.parametrize(
    ("line", "expected", "words"),
    [
        pytest.param("stp: A", "PP120", "`step`", id="a slip is told the nearest"),
        pytest.param("skipp: true", "PP120", "`skip`", id="another slip"),
        pytest.param("join: perhaps", "PP121", "`true` or `false`", id="no truth value"),
        pytest.param("show: all", "PP121", "`output`", id="none of the words"),
        pytest.param("timeout: 5s", "PP121", "seconds", id="a number with a unit"),
        pytest.param("timeout: 0", "PP121", "above 0", id="no time at all"),
        pytest.param("timeout: true", "PP121", "above 0", id="a truth value as number"),
        pytest.param("pin: 3", "PP121", "step_03", id="no step id"),
        pytest.param("step:", "PP121", "a text", id="no title"),
        pytest.param("step: ''", "PP121", "a text", id="a blank title"),
        pytest.param("step", "PP121", "a text", id="a title forgotten"),
        pytest.param("input: 5", "PP121", "a name", id="a number as name"),
        pytest.param("input: []", None, "", id="no inputs"),
        pytest.param("input: {label: A}", "PP121", "`name`", id="a field without a name"),
        pytest.param("input: {}", "PP121", "`name`", id="an empty mapping"),
        pytest.param("input: {name: x, lable: A}", "PP120", "`label`", id="a slip in a field"),
        pytest.param("input: {name: x, type: foo}", "PP121", "textarea", id="no type"),
        pytest.param("input: {name: x, type: [5]}", "PP121", "textarea", id="a list as type"),
        pytest.param("input: {name: x, min: [5]}", "PP121", "number", id="no limit"),
        pytest.param("input: {name: x, choices: 5}", "PP121", "list", id="choices that are none"),
        pytest.param("input: [x, x]", "PP128", "twice", id="a field twice"),
        pytest.param("input: [x", "PP122", "YAML", id="no YAML"),
        pytest.param("input: 'x", "PP122", "YAML", id="a quote that is not closed"),
        pytest.param("step: 'x", "PP122", "YAML", id="a title whose quote is not closed"),
        pytest.param("input: \x07", "PP122", "character", id="a control character"),
        pytest.param("input: !!timestamp x", "PP122", "", id="a tag with wrong content"),
        pytest.param("input: !!timestamp 2024-01-01", "PP122", "date", id="a tag of YAML 1.1"),
        pytest.param("input: !!python/name:os.system", "PP122", "", id="a tag of Python's"),
        pytest.param("input: &a [*a]", "PP122", "too", id="a list that holds itself"),
        pytest.param("timeout: 1e999", "PP122", "not a number", id="a number without end"),
        pytest.param("input: " + "[" * 400, "PP122", "", id="nested without end"),
        pytest.param("input: y", "PP123", "`x`", id="a variable of another cell"),
    ],
)
def test_options_that_are_wrong(line, expected, words):
    item, found = code(f"#| {line}\nx = 1")
    assert codes_of(found) == ([expected] if expected else [])
    if expected:
        assert words in found[0].message + found[0].help
        assert (found[0].span.line, found[0].span.column) == (1, 1)
    assert item.options == Options()


def test_a_variable_that_is_not_assigned_when_nothing_is():
    _, found = code("#| input: y\nprint(1)")
    assert codes_of(found) == ["PP123"]
    assert "none" in found[0].help


def test_yaml_that_stands_for_billions_is_refused():
    lines = ["#| input:", "#|   - &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"#|   - &{b} [{','.join(['*' + a] * 10)}]"
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    _, found = code("\n".join(lines) + "\nx = 1")
    assert codes_of(found) == ["PP122"]


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("hide-input", {"show": "output"}),
        ("hide_output", {"show": "none"}),
        ("hide-cell", {"show": "none"}),
        ("raises-exception", {"raises": True}),
        ("imports", {"setup": True}),
        ("functions", {"setup": True}),
        ("step:load_data", {"step": "Load data"}),
        ("block:load", {"step": "Load"}),
    ],
)
def test_tags(tag, expected):
    item, found = code(f'# %% {{"tags": ["{tag}"]}}\n1')
    assert (item.options, found) == (Options(**expected), ())


@pytest.mark.parametrize(
    "tag", ["injected-parameters", "remove-cell", "remove_cell", "skip", "skip-execution", "ignore"]
)
def test_tags_that_leave_a_cell_out(tag):
    result, found = annotated(f'# %% {{"tags": ["{tag}"]}}\n1')
    assert (result.items, found) == ((), ())


def test_lines_outweigh_metadata_which_outweighs_tags():
    head = {
        "tags": ["step:tag", "hide-output", "skip"],
        "pipulate": {"step": "Metadata", "show": "both", "skip": False},
    }
    item, found = code(f"# %% {json.dumps(head)}\n#| step: Line\n1")
    assert (item.options, found) == (Options(step="Line", show="both"), ())


def test_metadata_is_checked_like_lines():
    head = {"pipulate": {"stepp": "A", "join": "x", "input": {"x": {"label": "L"}, "y": None}}}
    item, found = code(f"# %% {json.dumps(head)}\nx = 1\ny = 2")
    assert [(f.name, f.label) for f in item.fields] == [("x", "L"), ("y", "Y")]
    assert codes_of(found) == ["PP120", "PP121"]


def test_metadata_of_the_notebook():
    options = {
        "title": "T",
        "number": 40,
        "by": "x",
        "roles": "Core",
        "author": "A",
        "description": "",
    }
    result, found = annotated("1", pipulate=options)
    assert result.title == "T"
    assert result.notebook.options == {"title": "T", "number": "40", "roles": ["Core"]}
    assert codes_of(found) == ["PP120", "PP121", "PP121"]
    assert annotated("1", pipulate={"roles": ["a", "b"]})[0].notebook.options == {
        "roles": ["a", "b"]
    }
    assert codes_of(annotated("1", pipulate={"roles": [5]})[1]) == ["PP121"]


# --- `#| input:` --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param("x", {}, id="a name"),
        pytest.param("[x]", {}, id="a list of names"),
        pytest.param("{name: x, label: How many}", {"label": "How many"}, id="a mapping"),
        pytest.param("\n#|   - name: x\n#|     help: H\n#|     placeholder: P", {"help": "H", "placeholder": "P"}, id="a list of mappings"),
        pytest.param("\n#| - name: x\n#|   required: false", {"required": False}, id="a list without indent"),
        pytest.param("{x: {default: 7}}", {"default": 7}, id="a mapping of names"),
        pytest.param("{name: x, min: 0, max: 10, step: 5}", {"min": 0, "max": 10, "step": 5}, id="limits"),
        pytest.param("{name: x, type: range}", {"type": "range", "min": 0, "max": 100}, id="a range without limits"),
        pytest.param("{name: x, choices: [5, 6]}", {"type": "select", "choices": (5, 6)}, id="choices"),
        pytest.param("{name: x, type: radio, choices: [5, 6]}", {"type": "radio", "choices": (5, 6)}, id="radio buttons"),
        pytest.param("{name: x, type: number}", {"type": "number"}, id="a type"),
        pytest.param("{name: x, type: slider, min: 1, max: 9}", {"type": "range", "min": 1, "max": 9}, id="a type by another name"),
        pytest.param("{name: x, type: text, default: ''}", {"type": "text", "default": "", "required": False}, id="an empty default"),
        pytest.param("{name: x, type: time, default: 12:30, min: 08:00}", {"type": "time", "default": "12:30", "min": "08:00"}, id="times stay texts"),
        pytest.param("{name: x, type: date, default: 2024-05-01}", {"type": "date", "default": "2024-05-01"}, id="dates stay texts"),
        pytest.param("{name: x, type: datetime, default: '2024-05-01T10:00'}", {"type": "datetime", "default": "2024-05-01T10:00"}, id="a date and time"),
        pytest.param("{name: x, type: color, default: '#ff0000'}", {"type": "color", "default": "#ff0000"}, id="a colour"),
        pytest.param("{name: x, type: urls, default: ['https://a.b']}", {"type": "url-list", "default": ["https://a.b"]}, id="addresses"),
        pytest.param("{name: x, type: json, default: {a: [1, 0x10, -2, 1.5, ~]}}", {"type": "json", "default": {"a": [1, 16, -2, 1.5, None]}}, id="JSON"),
        pytest.param("{name: x, type: switch, default: true}", {"type": "switch", "default": True, "required": False}, id="a switch"),
        pytest.param("{name: x, type: multi-select, default: [5], choices: [5, 6]}", {"type": "multi-select", "default": [5], "choices": (5, 6), "required": False}, id="several choices"),
        pytest.param("{name: x, default: [5], choices: [5, 6]}", {"type": "multi-select", "default": [5], "choices": (5, 6), "required": False}, id="several choices, by the default"),
        pytest.param("{name: x, default: ~}", {"default": None, "required": False}, id="no default"),
        pytest.param("{name: x, type: password}", {"type": "password", "default": ""}, id="a password"),
    ],
)  # fmt: skip
def test_input(said, expected):
    only = field(f"#| input: {said}\nx = 5")
    plain = {
        "name": "x",
        "type": "integer",
        "label": "X",
        "default": 5,
        "required": True,
        "choices": (),
    }
    for key, value in (plain | expected).items():
        assert getattr(only, key) == value, key
    assert type(only.default) is type((plain | expected)["default"])


@pytest.mark.parametrize(
    ("said", "instead", "words"),
    [
        pytest.param("{name: x, type: integer, default: '7'}", 7, "whole number", id="a number as text"),
        pytest.param("{name: x, type: integer, default: 7.0}", 7, "whole number", id="a float that is whole"),
        pytest.param("{name: x, type: integer, default: 7.5}", None, "whole number", id="a float that is not"),
        pytest.param("{name: x, type: integer, default: true}", None, "whole number", id="a truth value"),
        pytest.param("{name: x, type: number, default: abc}", None, "a number", id="words"),
        pytest.param("{name: x, type: number, default: '1e999'}", None, "a number", id="infinity as text"),
        pytest.param("{name: x, type: number, default: [1]}", None, "a number", id="a list"),
        pytest.param("{name: x, type: text}", "5", "a text", id="a text that is a number"),
        pytest.param("{name: x, type: text, default: [1]}", None, "a text", id="a text that is a list"),
        pytest.param("{name: x, type: switch}", False, "`True`", id="a switch that is 5"),
        pytest.param("{name: x, type: switch, default: 1}", True, "`True`", id="a switch that is 1"),
        pytest.param("{name: x, type: date}", None, "a date", id="a date that is a number"),
        pytest.param("{name: x, type: date, default: 31.5.2024}", None, "a date", id="a date of another kind"),
        pytest.param("{name: x, type: colour, default: red}", None, "a colour", id="a colour by name"),
        pytest.param("{name: x, type: urls}", None, "addresses", id="no addresses"),
        pytest.param("{name: x, type: select, choices: [5], default: [5]}", None, "choices", id="a list for one choice"),
        pytest.param("{name: x, type: multi-select, choices: [5]}", None, "choices", id="one for a list of choices"),
        pytest.param("{name: x, choices: [a, b]}", 5, "among", id="none of the choices"),
        pytest.param("{name: x, min: 7}", 5, "at least 7", id="too small"),
        pytest.param("{name: x, max: 3}", 5, "at most 3", id="too big"),
    ],
)  # fmt: skip
def test_a_default_that_does_not_agree(said, instead, words):
    item, found = code(f"#| input: {said}\nx = 5")
    assert codes_of(found) == ["PP124"]
    assert words in found[0].message
    assert (item.fields[0].default, type(item.fields[0].default)) == (instead, type(instead))


def test_a_default_that_is_none_of_the_choices_is_one_of_them():
    assert code("#| input: {name: x, choices: [a]}\nx = 5")[0].fields[0].choices == (5, "a")


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("{name: x, type: select}", id="a select without choices"),
        pytest.param("{name: x, min: 2024-01-01}", id="a date as limit of a number"),
        pytest.param("{name: x, type: text, default: a, min: -5}", id="no length"),
        pytest.param("{name: x, accept: .csv}", id="endings of what is no file"),
        pytest.param(
            "{name: x, type: date, default: 2024-01-01, min: soon}", id="a limit that is no date"
        ),
        pytest.param("{name: x, min: 9, max: 1, default: 9}", id="limits the wrong way round"),
        pytest.param("{name: x, step: -1}", id="steps backwards"),
    ],
)
def test_attributes_that_do_not_agree_are_reported(said):
    item, found = code(f"#| input: {said}\nx = 5")
    assert codes_of(found) == ["PP121"]
    assert len(item.fields) == 1


def test_a_secret_is_a_password_whatever_stands_there():
    only = field("#| secret: api_key\napi_key = 'abc'  # from the page")
    assert (only.type, only.default, only.required, only.help) == (
        "password",
        "",
        True,
        "from the page",
    )


def test_a_computed_value_can_be_asked_for():
    only = field("#| input: x\nx = load()")
    # nobody knows what it gives: the expression itself is the answer, unless it is changed to a literal
    assert (only.type, only.raw, only.default, only.required) == ("text", True, "load()", True)
    assert field("#| input: {name: x, min: 1}\nx = load()").type == "number"
    assert field("#| input: x\nx = int(load())").type == "integer"
    assert field("#| input: x\nx = round(load(), 2)").type == "number"
    assert field("#| input: {name: x, type: text}\nx = load()").computed
    assert not field("#| input: {name: x, default: 5}\nx = load()").computed


def test_the_value_that_counts_is_asked_for():
    item, _ = code("#| input: x\nx = 1\nx = 2\nx = x + 1")
    assert taken(item) == ["2"]


@pytest.mark.parametrize(
    "line",
    [
        "x: int = 5",
        "a = 'é🙂'; x = 5",
        "if a: pass\nx = (5)",
        "x = 5 # é",
        "'''\né\n'''\nx = 5",
        "%time é\nx = 5",
    ],
)
def test_positions_are_characters(line):
    item, _ = code(f"#| input: x\n{line}")
    assert taken(item) == ["5"]
    _, row, column, end_row, end_column = item.fields[0].span
    rows = item.cell.source.split("\n")
    assert row == end_row == len(rows)
    assert rows[row - 1][column - 1 : end_column - 1] in ("x: int = 5", "x = 5", "x = (5)")


# --- the parameters tag -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("x = True", ("switch", True, False), id="a truth value"),
        pytest.param("x = 5", ("integer", 5, True), id="a whole number"),
        pytest.param("x = -5", ("integer", -5, True), id="a negative number"),
        pytest.param("x = 0", ("integer", 0, True), id="zero is an answer"),
        pytest.param("x = 1.5", ("number", 1.5, True), id="a number"),
        pytest.param("x = 'a'", ("text", "a", True), id="a text"),
        pytest.param("x = ''", ("text", "", False), id="an empty text may stay empty"),
        pytest.param("x = 'a\\nb'", ("textarea", "a\nb", True), id="a text of lines"),
        pytest.param("x: str = 'a\\nb'", ("textarea", "a\nb", True), id="an annotated text of lines"),
        pytest.param("x = '2024-05-01'", ("text", "2024-05-01", True), id="a date as text stays a text"),
        pytest.param("x: date = '2024-05-01'", ("date", "2024-05-01", True), id="an annotated date"),
        pytest.param("x: datetime.date = '2024-05-01'", ("date", "2024-05-01", True), id="a date by its full name"),
        pytest.param("x = [1, 'a']", ("json", [1, "a"], True), id="a list"),
        pytest.param("x = []", ("json", [], False), id="an empty list"),
        pytest.param("x = {'a': None}", ("json", {"a": None}, True), id="a dict"),
        pytest.param("x: dict = {1: 2}", ("text", "{1: 2}", True), id="a dict JSON has not"),
        pytest.param("x = (1, 2)", ("text", "(1, 2)", True), id="a tuple is a literal"),
        pytest.param("x = [\n  (1,\n   2)]", ("text", "[(1, 2)]", True), id="a tuple in a list"),
        pytest.param("x = b'a'", ("text", "b'a'", True), id="bytes"),
        pytest.param("x = '\\ud800'", ("text", "'\\ud800'", True), id="half a character"),
        pytest.param("x = 1e999", ("text", "1e309", True), id="infinity"),
        pytest.param("x = None", ("text", None, False), id="nothing"),
        pytest.param("seed = None", ("integer", None, False), id="nothing, where a number goes"),
        pytest.param("x = int(1e5)", ("integer", 100000, True), id="a whole number written as a float"),
        pytest.param("x: int = 5", ("integer", 5, True), id="int"),
        pytest.param("x: float = 5", ("number", 5, True), id="float"),
        pytest.param("x: 'int' = 5", ("integer", 5, True), id="an annotation as text"),
        pytest.param("x: 'in t' = 5", ("integer", 5, True), id="an annotation that is none"),
        pytest.param("x: Foo = 5", ("integer", 5, True), id="an annotation unknown to us"),
        pytest.param("x: int | None = None", ("integer", None, False), id="int or None"),
        pytest.param("x: None | int = 5", ("integer", 5, False), id="None or int"),
        pytest.param("x: Optional[float] = 1.5", ("number", 1.5, False), id="Optional"),
        pytest.param("x: t.Union[str, None] = 'a'", ("text", "a", False), id="Union with None"),
        pytest.param("x: int | str = 5", ("integer", 5, True), id="a union of two"),
        pytest.param("x: Final[int] = 5", ("integer", 5, True), id="Final"),
        pytest.param("x: Annotated[int, 'n'] = 5", ("integer", 5, True), id="Annotated"),
        pytest.param("x: list[str] = ['a']", ("json", ["a"], True), id="list of str"),
        pytest.param("x: Dict[str, int] = {}", ("json", {}, False), id="Dict"),
        pytest.param("x = 5 # type: float", ("number", 5, True), id="a type comment"),
        pytest.param("x = None # type: int | None", ("integer", None, False), id="a type comment with None"),
        pytest.param("x = 5 # type: ignore", ("integer", 5, True), id="a comment for mypy"),
    ],
)  # fmt: skip
def test_parameters(line, expected):
    only = parameter(line)
    assert (only.type, only.default, only.required) == expected


@pytest.mark.parametrize(
    "line",
    ["x = (1, 2)", "x = b'a'", "x = {1: 2}", "x = {1, 2}", "x = 1j", "x = [(1,)]", "x = '\\ud800'"],
)
def test_what_json_cannot_say_is_given_as_a_literal(line):
    only = parameter(line)
    assert (only.type, only.raw) == ("text", True)
    assert ast.literal_eval(only.default) == ast.literal_eval(line.removeprefix("x = "))


@pytest.mark.parametrize(
    "line", ["x = [1, 'a']", "x = {'a': {'b': [None]}}", "x = 'é'", "x = 5", "x = True", "x = None"]
)
def test_what_json_can_say_is_not(line):
    only = parameter(line)
    assert (only.raw, only.default) == (False, ast.literal_eval(line.removeprefix("x = ")))


@pytest.mark.parametrize(
    ("line", "type_", "choices"),
    [
        ("x: Literal['a', 'b'] = 'a'", "select", ("a", "b")),
        ("x: Literal[1, None] = 1", "select", (1,)),
        ("x: Literal[None] = None", "text", ()),
        ("x: list[Literal['a', 'b']] = ['b']", "multi-select", ("a", "b")),
        ("x: Literal['a', 'b'] | None = None", "select", ("a", "b")),
    ],
)
def test_parameters_with_choices(line, type_, choices):
    only = parameter(line)
    assert (only.type, only.choices) == (type_, choices)


@pytest.mark.parametrize(
    ("comment", "help_"),
    [
        ("", ""),
        ("# how many", "how many"),
        ("# type: int", ""),
        ("# type: int how many", "how many"),
        ("# type: List[int]  # how many", "how many"),
        ("# noqa: E501", ""),
        ("#@param", ""),
    ],
)
def test_the_comment_is_the_help(comment, help_):
    item, _ = code(f'# %% {{"tags": ["parameters"]}}\nmin_amount = 5 {comment}')
    assert (item.fields[0].label, item.fields[0].help) == ("Min amount", help_)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("minAmount", "Min amount"),
        ("MAX_ROWS", "Max rows"),
        ("_", "_"),
        ("x2", "X2"),
        ("userID", "User ID"),
        ("ID", "Id"),
        ("aB", "A b"),
    ],
)
def test_labels_are_names_in_words(name, label):
    assert parameter(f"{name} = 5").label == label


def test_an_annotation_that_does_not_agree_is_reported():
    assert parameter("x: int = 'a'", ["PP124"]).default is None
    assert parameter("x: int = 'a'", ["PP124"]).required is True


def test_each_plain_value_is_a_parameter_and_a_computed_one_is_reported():
    item, found = code(
        '# %% {"tags": ["parameters"]}\na = 1\nb = 60 * 60\nimport os\nc.d = 5\ne: int\nf, g = 1, 2\nh = i = 3'
    )
    assert [f.name for f in item.fields] == ["a"]
    assert codes_of(found) == ["PP127"]
    assert (found[0].span.line, "`b`" in found[0].message) == (2, True)


# --- Colab --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("x = 5 #@param", {"type": "integer"}, id="nothing more"),
        pytest.param('x = "a" #@param {type:"string"}', {"type": "text"}, id="a text"),
        pytest.param('x = "a"  # @param {"type":"string","placeholder":"p"}', {"placeholder": "p"}, id="as JSON, with a space"),
        pytest.param("x = 5 #@param {type:'integer', min: 1, max:10}", {"type": "integer", "min": 1, "max": 10}, id="a whole number with limits"),
        pytest.param('x = 5 #@param {type:"number"}', {"type": "number"}, id="a number"),
        pytest.param('x = 0.5 #@param {type:"slider", min:0, max:1, step:0.1}', {"type": "range", "min": 0, "max": 1, "step": 0.1}, id="a slider"),
        pytest.param('x = -5 #@param {type:"slider"}', {"type": "range", "min": -5, "max": 100}, id="a slider without limits"),
        pytest.param('x = True #@param {type:"boolean"}', {"type": "switch", "default": True}, id="a truth value"),
        pytest.param('x = "2024-05-01" #@param {type:"date"}', {"type": "date"}, id="a date"),
        pytest.param('x = [1, (2,)] #@param {type:"raw"}', {"type": "text", "raw": True, "default": "[1, (2,)]"}, id="raw"),
        pytest.param('x = "a" #@param ["a", \'b\']', {"type": "select", "choices": ("a", "b")}, id="choices"),
        pytest.param('x = "c" #@param ["a", "b"] {allow-input: true}', {"type": "select", "allow_input": True, "choices": ("a", "b")}, id="choices and more"),
        pytest.param('x = 1 #@param ["1", "2"] {type:"raw"}', {"type": "select", "raw": True, "default": "1", "choices": ("1", "2")}, id="raw choices"),
        pytest.param('x = 1 #@param [1, 2.5] {type:"raw"}', {"default": "1", "choices": ("1", "2.5")}, id="raw choices without quotes"),
        pytest.param('x = "a" #@param ["a"] {type:"string"}', {"type": "select"}, id="choices with a type"),
        pytest.param('x = "a" #@param {isTemplate: true, type: "string"}', {"type": "text"}, id="a template"),
        pytest.param('x = (\n  "a") #@param {type:"string"}', {"default": "a"}, id="over lines"),
        pytest.param('y = f(); x = "a" #@param', {"default": "a"}, id="the last of a line"),
        pytest.param('x = "a\\"b\\n" #@param ["a\\"b\\n", "\\q"]', {"choices": ('a"b\n', "q")}, id="escapes"),
    ],
)  # fmt: skip
def test_param(line, expected):
    only = field(line)
    for key, value in expected.items():
        assert getattr(only, key) == value, key


@pytest.mark.parametrize(
    ("line", "expected", "words"),
    [
        pytest.param('x = 5 #@param {type:"foo"}', "PP125", "foo", id="no type"),
        pytest.param("x = 5 #@param {type:[1]}", "PP125", "no type", id="a list as type"),
        pytest.param("x = 5 #@param {size: 5}", "PP125", "size", id="no such key"),
        pytest.param("x = 5 #@param {type}", "PP125", "`:` is missing", id="no value"),
        pytest.param('x = 5 #@param {type:"integer"', "PP125", "not closed", id="a brace open"),
        pytest.param("x = 5 #@param [1 2]", "PP125", "comma", id="no comma"),
        pytest.param("x = 5 #@param ]", "PP125", "too many", id="a bracket too many"),
        pytest.param("x = 5 #@param ?", "PP125", "goes wrong", id="no token"),
        pytest.param("x = 5 #@param integer", "PP125", "neither", id="a word"),
        pytest.param("x = 5 #@param " + "[" * 5000, "PP125", "", id="nested without end"),
        pytest.param(
            "x = 'a' #@param ['a', null, [1]]",
            "PP121",
            "numbers and texts",
            id="choices that are none",
        ),
        pytest.param("x = 5 #@param\nx = 6 #@param", "PP128", "twice", id="a variable twice"),
        pytest.param("x = f() #@param", "PP127", "computed", id="a computed value"),
    ],
)
def test_param_that_is_wrong(line, expected, words):
    item, found = code(line)
    assert codes_of(found) == [expected]
    assert words in found[0].message + found[0].help
    assert len(item.fields) == (expected != "PP127")


def test_param_where_there_is_no_assignment():
    item, found = code("def f():\n    x = 5 #@param {}")
    assert (item.fields, codes_of(found)) == ((), ["PP125"])
    assert found[0].span == (0, 2, 11, 2, 21)


def test_titles_and_text_of_colab():
    item, found = code(
        '#@title Load { display-mode: "form" }\n#@markdown Some *text*\n# @markdown more\nx = 1 #@title no\ny = 1 #@param'
    )
    assert (item.title, item.text, found) == ("Load", "Some *text*\nmore", ())
    assert code("#@title\n1")[0].title is None


# --- input() ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param('x = input("Your name: ")', [("x", "text", "Your name", "", 'input("Your name: ")')], id="a text"),
        pytest.param("x = input()", [("x", "text", "X", "", "input()")], id="no prompt"),
        pytest.param("x = input(f'{a}?')", [("x", "text", "X", "", "input(f'{a}?')")], id="a computed prompt"),
        pytest.param('x = int(input("n"))', [("x", "integer", "n", None, 'int(input("n"))')], id="a whole number"),
        pytest.param("x: float = float(input())", [("x", "number", "X", None, "float(input())")], id="a number"),
        pytest.param("x = int(input(), 16)", [("x", "text", "X", "", "input()")], id="int with a base"),
        pytest.param("x = input().split(',')", [("x", "text", "X", "", "input()")], id="in a larger expression"),
        pytest.param("x = [int(a) for a in input('n').split()]", [("x", "text", "n", "", "input('n')")], id="what a comprehension goes over"),
        pytest.param("x, y = input(), int(input())", [("x", "text", "X", "", "input()"), ("y", "integer", "Y", None, "int(input())")], id="a pair"),
        pytest.param("x, y = map(int, input().split())", [("x", "text", "X", "", "input()")], id="a pair from one"),
        pytest.param("x, *y = input(), input()", [("x", "text", "X", "", "input()"), ("x_2", "text", "X 2", "", "input()")], id="a starred pair"),
        pytest.param("print('Hi ' + input('Name?'))", [("name", "text", "Name?", "", "input('Name?')")], id="no variable"),
        pytest.param("print(input('¿?'), input())", [("answer", "text", "¿?", "", "input('¿?')"), ("answer_2", "text", "Answer 2", "", "input()")], id="no variable and no words"),
        pytest.param("for x in range(int(input())): pass", [("x", "integer", "X", None, "int(input())")], id="what a loop goes over"),
        pytest.param("if input('Go?') == 'y': pass", [("go", "text", "Go?", "", "input('Go?')")], id="what a condition asks"),
        pytest.param("if (x := input()): pass", [("x", "text", "X", "", "input()")], id="a walrus"),
        pytest.param("x = input() or 'a'", [("x", "text", "X", "", "input()")], id="the first of an `or`"),
        pytest.param("x = 1 if input() else 2", [("x", "text", "X", "", "input()")], id="the question of an `if` expression"),
        pytest.param("with a: x = input()", [("x", "text", "X", "", "input()")], id="in a with"),
        pytest.param("try:\n    x = int(input())\nfinally:\n    y = input()", [("x", "integer", "X", None, "int(input())"), ("y", "text", "Y", "", "input()")], id="in a try"),
        pytest.param('if __name__ == "__main__":\n    x = input()', [("x", "text", "X", "", "input()")], id="in the main block"),
        pytest.param("match input():\n    case _: pass", [("answer", "text", "Answer", "", "input()")], id="what a match is about"),
        pytest.param("assert input()", [("answer", "text", "Answer", "", "input()")], id="what is asserted"),
        pytest.param("def f(a=input()): pass", [("answer", "text", "Answer", "", "input()")], id="a default of a function"),
        pytest.param("x += int(input())", [("x", "integer", "X", None, "int(input())")], id="added"),
        pytest.param("class A:\n    x = input()", [("x", "text", "X", "", "input()")], id="in a class"),
        pytest.param("x = (y for y in input())\nz = lambda a=input(): 1", [("x", "text", "X", "", "input()"), ("z", "text", "Z", "", "input()")], id="in generators and defaults"),
        pytest.param("'é'; x = input('é')", [("x", "text", "é", "", "input('é')")], id="behind letters of several bytes"),
    ],
)  # fmt: skip
def test_questions(line, expected):
    item, found = code(line)
    assert found == ()
    got = [(f.name, f.type, f.label, f.default) for f in item.fields]
    assert [(*g, t) for g, t in zip(got, taken(item), strict=True)] == expected
    assert all(f.required for f in item.fields) or line in MAY_BE_EMPTY


MAY_BE_EMPTY = ("if (x := input()): pass", "x = input() or 'a'", "x = 1 if input() else 2")


@pytest.mark.parametrize(
    "text",
    [
        *MAY_BE_EMPTY,
        "name = input('Your name [World]: ') or 'World'",
        "name = input('Your name: ').strip() or 'World'",
        "name = input('Your name [World]: ')",
        "name = input(f'Your name [{you}]: ')",
        "if input('Really? [y/N] ') == 'y': pass",
        "go = input('Go on (Y/n)? ')",
        "n = input('How many (Enter = 3)? ')",
        "n = input('A note (optional): ')",
        "n = input('Leave empty for none: ')",
        "n = input('A town, or leave it BLANK: ')",
        "n = input('Press Enter for the default: ')",
        "n = input('How many? ')\nn = int(n) if n else 3",
        "n = input('How many? ')\n# %%\nn = int(n) if n else 3",
        "n = input('n')\n# %%\n# %%\nif not n:\n    n = 3",
        "n = input('n')\nwhile not n:\n    n = input('Again: ')",
        "n = input('n')\nm = n or 5",
        "n = input('n')\nif n == '': n = 5",
        "n = input('n')\nif n in ('', 'q'): n = 5",
        "n = input('n')\nif not n.strip(): n = 5",
        "n = input('n')\nif len(n) == 0: n = 5",
        "n = input('n').strip()\nif n and n != 'q': print(n)",
        "n = input('n')\nn = n.strip()\nif n: print(n)",
        "if __name__ == '__main__':\n    n = input('n')\n    print(n or 5)",
        "n = int(input('How many? ') or 3)",
    ],
)
def test_what_the_notebook_takes_empty_may_be_left_empty(text):
    item = next(i for i in annotated("# %%\n" + text)[0].items if isinstance(i, Code))
    asked = item.fields[0]
    assert (asked.type, asked.required, asked.empty) == ("text", False, "")


@pytest.mark.parametrize(
    "text",
    [
        "name = input('Your name? ')\nprint('Hi', name)",
        "n = int(input('How many [3]? '))\nif not n: pass",
        "ok = input('Go on [y/n]? ')\nif ok == 'y': pass",
        "c = input('Which one [a/b]? ')",
        "c = input('Which one [1-5]? ')",
        "c = input('Must not be left blank: ')",
        "name = input('Please enter your name: ')",
        "if other: pass\nn = input('n')\nif other: pass",
        "n = None\nif n: pass\nn = input('n')",
        "n = input('n')\nn = int(n)\nif n: pass",
        "n = input('n')\n# %%\nn = 5\n# %%\nif n: pass",
        "n = input('n')\ndef f(n):\n    return n or 5",
        "a, b = input('two').split()\nif a: pass",
        "n = input('n')\n# %%\nx = = n",
        "assert input('n')",
        "import getpass\nkey = getpass.getpass() or 'x'",
    ],
)
def test_other_answers_are_required(text):
    item = next(i for i in annotated("# %%\n" + text)[0].items if isinstance(i, Code))
    assert item.fields[0].required


def test_a_cell_below_may_be_nested_deeply():
    text = "# %%\nn = input('n')\n# %%\n" + "-" * 900 + "n\nm = n or 5"
    assert len(annotated(text)[0].items) == 2


def test_a_pause_needs_no_answer():
    only = field("input('Press Enter to go on')")
    assert (only.name, only.required) == ("press_enter_to_go", False)


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("for i in a: input()", "a loop"),
        ("while input(): pass", "a loop"),
        ("while 1: int(input())", "a loop"),
        ("[input() for i in a]", "a loop"),
        ("{i: input() for i in a if b}", "a loop"),
        ("{1 for i in a for j in input()}", "a loop"),
        ("async for i in a:\n    input()", "a loop"),
        ("def f(): input()", "a function"),
        ("async def f(): input()", "a function"),
        ("f = lambda: input()", "a function"),
        ("def f():\n    while 1: input()", "a function"),
        ("if a: input()", "a condition"),
        ("if a: pass\nelse: input()", "a condition"),
        ("a and input()", "a condition"),
        ("input() if a else 1", "a condition"),
        ("a < b < input()", "a condition"),
        ("assert a, input()", "a condition"),
        ("try: pass\nexcept E: input()", "a condition"),
        ("match a:\n    case 1: input()", "a condition"),
    ],
)
def test_questions_the_running_cell_asks(line, where):
    item, found = code(line)
    assert (item.fields, codes_of(found)) == ((), ["PP126"])
    assert where in found[0].message


@pytest.mark.parametrize(
    "text",
    [
        "print('1) add')\nprint('2) quit')\nchoice = input()\nprint('You chose', choice)",
        "print('Which?')\nchoice = input('')",
        "print('Which?')\nchoice = input('> ')",
        "print('Which?')\nchoice = int(input(': '))",
        "display(menu)\nchoice = input(prompt='? ')",
        "for i in menu: print(i)\nchoice = input()",
        "from IPython import display\ndisplay.display(menu)\nchoice = input()",
        "print('Bye')\ninput()",
    ],
)
def test_a_call_without_a_prompt_asks_below_what_was_shown(text):
    item, found = code(text)
    assert (item.fields, codes_of(found)) == ((), ["PP126"])
    assert "what the cell shows before" in found[0].message


@pytest.mark.parametrize(
    "text",
    [
        "print('Menu')\nchoice = input('Which? ')",
        "print('Menu')\nchoice = input(prompt)",
        "print('Menu')\nkey = getpass()",
        "choice = input()\nprint(choice)",
        "print(input())",
        "def show():\n    print('Menu')\nchoice = input()",
        "#| input: {name: choice, label: Your choice}\nprint('Menu')\nchoice = input()",
    ],
)
def test_other_calls_below_what_was_shown_are_fields(text):
    item, found = code(text)
    assert (len(item.fields), found) == (1, ())


def test_sources_refine_each_other():
    text = "#| input: {name: x, label: Owner}\nx = input('Prompt')  #@param {placeholder: 'p'}\ny = int(input()) #@param"
    item, found = code(text)
    assert found == ()
    first, second = item.fields
    assert (first.label, first.placeholder, first.default) == ("Owner", "p", "")
    assert second.type == "integer"
    with_choices = field("#| input: {name: x, choices: [a, b]}\nx = input('which')")
    assert (with_choices.type, with_choices.choices) == ("select", ("a", "b"))
    assert (with_choices.default, with_choices.required) == (None, True)
    half = field("#| input: {name: x, label: L}\nx = y = input()")
    assert (half.name, half.label) == ("x", "L")


@pytest.mark.parametrize(
    ("said", "line", "expected"),
    [
        pytest.param("{name: x, default: '(3, 4)'}", "x = (1, 2)", ("text", True, "(3, 4)"), id="a literal stays a literal"),
        pytest.param("{name: x, type: json}", "x = (1, [2])", ("json", False, [1, [2]]), id="a tuple as JSON"),
        pytest.param("{name: x, default: 5}", "x = None", ("integer", False, 5), id="None says nothing"),
    ],
)  # fmt: skip
def test_a_default_besides_the_value_in_the_code(said, line, expected):
    only = field(f"#| input: {said}\n{line}")
    assert (only.type, only.raw, only.default) == expected


def test_what_json_cannot_say_is_reported():
    assert field("#| input: {name: x, type: json}\nx = {1: 2}", ["PP124"]).default is None


def test_what_is_inside_of_an_answer_is_not_asked():
    item, found = code("#| input: a\na = (b := input()) + 'c'")
    assert ([f.name for f in item.fields], found) == (["a"], ())
    assert taken(item) == ["(b := input()) + 'c'"]


def test_the_place_of_a_line_that_was_rewritten_is_all_of_it():
    only = field("#| input: files\nfiles = !ls")
    assert (only.type, only.span) == ("text", (0, 2, 1, 2, 12))


def test_a_cell_that_does_not_parse_keeps_its_options():
    item, found = code("#| step: A\nx = = 1")
    assert (item.python, item.options.step, item.fields) == (None, "A", ())
    assert codes_of(found) == ["PP201"]


# --- markdown -----------------------------------------------------------------------------------------------------

H = Heading


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("words\n\nmore", [(None, "words\n\nmore")], id="no heading"),
        pytest.param("#hashtag\n####### seven\n\\# no", [(None, "#hashtag\n####### seven\n\\# no")], id="what only looks like one"),
        pytest.param("```\n# no\n```\n~~~~ py\n# no\n~~~\n# no\n~~~~\nx", [(None, "```\n# no\n```\n~~~~ py\n# no\n~~~\n# no\n~~~~\nx")], id="in fences"),
        pytest.param("    # code\n\n<!--\n# no\n-->\nx", [(None, "    # code\n\n<!--\n# no\n-->\nx")], id="in code and comments"),
        pytest.param("a\n\n---\nb\n\n***\n- x\n---", [(None, "a\n\n---\nb\n\n***\n- x\n---")], id="rules"),
        pytest.param("#\ntext", [(None, "#\ntext")], id="a heading without words"),
        pytest.param("# A", [(H(1, "A"), "")], id="one"),
        pytest.param("intro\n# A\ntext\n\n## B ##\n\nmore\n", [(None, "intro"), (H(1, "A"), "text"), (H(2, "B"), "more")], id="several"),
        pytest.param("   ### A\t", [(H(3, "A"), "")], id="indented by three"),
        pytest.param("A\n===\nB\nC\n--\nx", [(H(1, "A"), ""), (H(2, "B C"), "x")], id="underlined"),
        pytest.param("# **A** `b` [c](d) ![e](f) <a id='g'></a> &amp; _h_ i_j_k \\* {#id}", [(H(1, "A b c e & h i_j_k *"), "")], id="markup"),
        pytest.param("<!-- x -->\n# A", [(None, "<!-- x -->"), (H(1, "A"), "")], id="below a comment"),
        pytest.param("> quote\n---\n1. a\n===", [(None, "> quote\n---\n1. a\n===")], id="what cannot be underlined"),
        pytest.param("text\n```\n# no\n```\n# A", [(None, "text\n```\n# no\n```"), (H(1, "A"), "")], id="below a fence"),
        pytest.param("text\n- item\n# A", [(None, "text\n- item"), (H(1, "A"), "")], id="below a list"),
    ],
)  # fmt: skip
def test_markdown_is_cut_at_headings(text, parts):
    raw = notebook_bytes("")
    tree = json.loads(raw)
    tree["cells"] = [
        {"cell_type": "markdown", "source": text},
        {"cell_type": "code", "source": "1"},
    ]
    result, found = annotate(read(json.dumps(tree).encode(), "a.ipynb")[0])
    assert found == ()
    item, _ = result.items
    assert item.parts == tuple(parts)
    expected = [int(t.tag[1]) for t in markdown_it(text) if t.type == "heading_open"]
    assert [h.level for h, _ in item.parts if h] == (expected if text != "#\ntext" else [])


def markdown_it(text):
    """What the Markdown library that renders the text later takes for headings."""
    from markdown_it import MarkdownIt

    return [t for t in MarkdownIt("commonmark").parse(text) if t.level == 0]


@pytest.mark.parametrize(
    ("name", "text", "title"),
    [
        ("sales_report.ipynb", "1", "Sales report"),
        ("dir/01-load.data.ipynb", "1", "Load data"),
        ("2024.ipynb", "1", "2024"),
        (".ipynb", "1", "Notebook"),
        ("a.ipynb", "# %% [markdown]\n## Two\n# %% [markdown]\n# One\n# %%\n1", "One"),
    ],
)
def test_the_title(name, text, title):
    assert annotate(read(notebook_bytes(text), name)[0])[0].title == title


# --- any notebook -------------------------------------------------------------------------------------------------

LINES = st.sampled_from(
    [
        "#| input: x",
        "#| input: {name: é, min: 3}",
        "#| step: A",
        "#| stp: 5",
        "#| secret: x",
        "x = 1",
        "é = 'ü'; x = 'é'",
        "x: int = 'a'",
        "x = input('é')",
        "y = int(input())",
        "z = 1 #@param {type:'slider'}",
        "z = 'q' #@param ['a']",
        "for i in x:",
        "    input()",
        "%time x",
        "%matplotlib inline",
        "# note",
        "",
        "print(input(), input())",
        "x = [",
        "]",
        "#@title é",
        "!pip install a",
        "x = (1, 2) # type: int",
        "'''",
        "x?",
    ]
)


@given(
    st.lists(st.lists(LINES, max_size=7), min_size=1, max_size=3),
    st.lists(st.sampled_from(["parameters", "skip", "step:a", "imports"]), max_size=2),
)
def test_places_are_inside_and_slices_are_expressions(sources, tags):
    tree = json.loads(notebook_bytes("1"))
    tree["cells"] += [
        {"cell_type": "code", "source": "\n".join(lines), "metadata": {"tags": tags}}
        for lines in sources
    ]
    book, _ = read(json.dumps(tree).encode(), "a.ipynb")
    result, found = annotate(book)
    assert annotate(book) == (result, found)
    spans = [d.span for d in found]
    for item in result.items:
        if isinstance(item, Text) or item.python is None:
            continue
        names = [f.name for f in item.fields]
        assert len(set(names)) == len(names)
        ends = 0
        for one in item.fields:
            assert one.value.start >= ends, "slices do not overlap"
            ends = one.value.end
            value = ast.parse(item.python.text[slice(*one.value)], mode="eval").body
            whole = ast.parse(item.python.text)
            assert any(ast.dump(node) == ast.dump(value) for node in ast.walk(whole))
            json.dumps(one.default, allow_nan=False)
            spans.append(one.span)
    for span in spans:
        rows = book.cells[span.cell].source.split("\n")
        assert 1 <= span.line <= span.end_line <= len(rows)
        assert 1 <= span.column <= len(rows[span.line - 1]) + 1
        assert 1 <= span.end_column <= len(rows[span.end_line - 1]) + 1


@given(st.text(alphabet=st.sampled_from("#|@parmtile[]{}:,-\"' \n!&*>%x=1é"), max_size=60))
def test_never_raises_on_any_cell(source):
    tree = json.loads(notebook_bytes("1"))
    tree["cells"] += [{"cell_type": kind, "source": text} for kind in ("code", "markdown") for text in (source, f"#| {source}", f"x = 1 #@param {source}", f"#| input: {source}\nx = 1")]  # fmt: skip
    result, found = annotate(read(json.dumps(tree).encode(), "a.ipynb")[0])
    assert all(isinstance(item, Code | Text) for item in result.items)
    assert all(d.message and d.help for d in found)


def test_an_option_below_code_is_not_read_and_said() -> None:
    item, found = code(
        "import math\n#| input: x\nx = 1\n#| note: mine\ntext = '''\n#| skip: true\n'''"
    )
    assert codes_of(found) == ["PP129"]
    assert "`#| input`" in found[0].message
    assert item.fields == ()
