"""Values in calls, Pipulate's conventions, `getpass`, text between fields, and which source outweighs which."""

import pytest

from tests.helpers import annotated, code, codes_of
from transpiler.model.ir import ANSWER, Code, Field

TAGGED = '# %% {"tags": ["parameters"]}\n'


def field(text: str) -> Field:
    """The one field of a cell, and nothing to say about it."""
    item, found = code(text)
    assert found == ()
    (only,) = item.fields
    return only


def edited(text: str) -> str:
    """A cell with `form[...]` for each answer."""
    item, _ = code(text)
    assert item.python is not None
    out = item.python.text
    for each in reversed(item.fields):
        answer = each.answer.replace(ANSWER, f"form[{each.name!r}]")
        out = out[: each.value.start] + answer + out[each.value.end :]
    return out


def first(text: str) -> Code:
    """The first of two cells."""
    item = annotated(text + "\n# %%\n1")[0].items[0]
    assert isinstance(item, Code)
    return item


# --- the parameters tag: values in calls --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "type_", "default", "cell"),
    [
        ("x = date(2024, 5, 1)", "date", "2024-05-01", "x = date.fromisoformat(form['x'])"),
        ("x = dt.date(2024, 5, 1)", "date", "2024-05-01", "x = dt.date.fromisoformat(form['x'])"),
        ("x = date(day=1, month=5, year=2024)", "date", "2024-05-01", "x = date.fromisoformat(form['x'])"),
        ("x: date = date(2024, 5, 1)", "date", "2024-05-01", "x: date = date.fromisoformat(form['x'])"),
        ("x = datetime.time(8, 30)", "time", "08:30", "x = datetime.time.fromisoformat(form['x'])"),
        ("x = datetime(2024, 5, 1, 8)", "datetime", "2024-05-01T08:00", "x = datetime.fromisoformat(form['x'])"),
        ("x = date.fromisoformat('2024-05-01')", "date", "2024-05-01", "x = date.fromisoformat(form['x'])"),
        ("x = pd.Timestamp('2024-05-01')", "date", "2024-05-01", "x = pd.Timestamp(form['x'])"),
        ("x = pd.to_datetime('2024-05-01 10:00')", "datetime", "2024-05-01 10:00", "x = pd.to_datetime(form['x'])"),
        ("x = Path('a.csv')", "text", "a.csv", "x = Path(form['x'])"),
        ("x = Decimal('1.50')", "text", "1.50", "x = Decimal(form['x'])"),
        ("x = int(5)", "integer", 5, "x = int(form['x'])"),
        ("x = float('1.5')", "text", "1.5", "x = float(form['x'])"),
    ],
)  # fmt: skip
def test_a_literal_in_a_call(line: str, type_: str, default: object, cell: str) -> None:
    only = field(TAGGED + line)
    assert (only.type, only.default, only.required) == (type_, default, True)
    assert edited(TAGGED + line) == cell


@pytest.mark.parametrize(
    "line",
    [
        "x = date.today()",
        "x = date(2024, 13, 1)",
        "x = date(year, 1, 1)",
        "x = datetime(2024, 5, 1, tzinfo=utc)",
        "x = pd.Timestamp('yesterday')",
        "x = Path('a', 'b')",
        "x = Path(name)",
        "x = load('a.csv')",
        "x = bool('no')",
    ],
)
def test_what_is_no_literal_in_a_call_is_computed(line: str) -> None:
    item, found = code(TAGGED + line)
    assert (item.fields, codes_of(found)) == ((), ["PP127"])


# --- Colab: text between the fields -------------------------------------------------------------------------------------


def test_text_between_fields_stands_in_the_form() -> None:
    item, found = code(
        '#@title A wave { run: "auto", display-mode: "form" }\n#@markdown above\nx = 1 #@param {type:"integer"}\n'
        '#@markdown ---\n#@markdown **between**\ny = 2 #@param {type:"integer"}\nz = 3 #@param {type:"integer"}\n#@markdown below'
    )
    assert found == ()
    assert (item.title, item.text) == ("A wave", "above\nbelow")
    assert [f.intro for f in item.fields] == ["", "---\n**between**", ""]


# --- getpass ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "label", "cell"),
    [
        ("x = getpass('Key: ')", "Key", "x = form['x']"),
        ("x = getpass()", "Password", "x = form['x']"),
        ("x = getpass.getpass(prompt='Token')", "Token", "x = form['x']"),
        ("login('me', getpass())", "Password", "login('me', form['password'])"),
    ],
)
def test_getpass_at_the_top_level_is_a_secret(line: str, label: str, cell: str) -> None:
    only = field(line)
    assert (only.type, only.label, only.default, only.required) == ("password", label, "", True)
    assert edited(line) == cell


@pytest.mark.parametrize(
    "line", ["def f():\n    return getpass()", "while x:\n    x = getpass.getpass()"]
)
def test_getpass_elsewhere_is_asked_by_the_running_cell(line: str) -> None:
    item, found = code(line)
    assert (item.fields, codes_of(found)) == ((), ["PP126"])


# --- Pipulate -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "name", "type_", "default", "cell"),
    [
        ("pip.set(job, step='year', value=2025)", "year", "integer", 2025, "pip.set(job, step='year', value=form['year'])"),
        ("pip.set(job, 'Home town', 'Rome')", "home_town", "text", "Rome", "pip.set(job, 'Home town', form['home_town'])"),
        ("x = pip.get(job, step='year')", "year", "text", None, "x = form['year']"),
        ("x = pip.get(job, 'year', 2025)", "year", "integer", 2025, "x = form['year']"),
        ("x = wand.get(job, step='a', default=[1])", "a", "json", [1], "x = form['a']"),
        ("pip.api_key(job)", "api_key", "password", "", "pip.api_key(job, key=form['api_key'])"),
        ("pip.api_key(job, key=None)", "api_key", "password", "", "pip.api_key(job, key=form['api_key'])"),
        ("pip.api_key(job, service='openai')", "openai_api_key", "password", "", "pip.api_key(job, service='openai', key=form['openai_api_key'])"),
    ],
)  # fmt: skip
def test_calls_of_pip(line: str, name: str, type_: str, default: object, cell: str) -> None:
    only = field(line)
    assert (only.name, only.type, only.default, only.required) == (name, type_, default, True)
    assert edited(line) == cell


@pytest.mark.parametrize(
    "line",
    [
        "pip.set(job, step='year', value=len(x))",
        "pip.set(job, step=name, value=1)",
        "pip.get(job, step=name)",
        "pip.read(job)",
        "settings.get(job, step='year')",
        "for n in x:\n    pip.set(job, step='n', value=1)",
    ],
)
def test_calls_of_pip_that_ask_nothing(line: str) -> None:
    assert code(line)[0].fields == ()


def test_what_a_cell_sets_is_not_asked_again() -> None:
    result, _ = annotated("pip.set(job, step='year', value=1)\n# %%\npip.get(job, step='year')")
    assert [len(item.fields) for item in result.items if isinstance(item, Code)] == [1, 0]


@pytest.mark.parametrize(
    ("head", "source", "expected"),
    [
        ("[raw]", "Say it.\nTwice.", [("prompt", "textarea", "Say it.\nTwice.")]),
        ("", "prompt = 'Say it.'\nn = 3", [("prompt", "textarea", "Say it."), ("n", "integer", 3)]),
    ],
)
def test_prompt_input(head: str, source: str, expected: object) -> None:
    item = first(f'# %% {head} {{"tags": ["prompt-input"]}}\n{source}')
    assert [(f.name, f.type, f.default) for f in item.fields] == expected


def test_url_list_input() -> None:
    raw = '# %% [raw] {"tags": ["url-list-input"]}\n# these\nhttps://a.b\n\nhttps://c.d'
    listed = '# %% {"tags": ["url-list-input"]}\nurls = ["https://a.b"]'
    (only,) = first(raw).fields
    assert (only.name, only.default) == ("url_list", ["https://a.b", "https://c.d"])
    assert only.type == field(listed).type


def test_custom_filters_input_and_secrets() -> None:
    only = field('# %% {"tags": ["custom-filters-input"]}\nfilters = {"a": [1]}')
    assert (only.type, only.default) == ("json", {"a": [1]})
    item, found = code('# %% {"tags": ["secrets"]}\nKEY = "sk-1234"\nTOKEN = None\nRETRIES = 3')
    assert found == ()
    assert [(f.name, f.type, f.default) for f in item.fields] == [
        ("KEY", "password", ""),
        ("TOKEN", "password", ""),
    ]


def test_a_raw_cell_without_a_tag_is_left_out() -> None:
    assert len(annotated("1\n# %% [raw]\nabc")[0].items) == 1


# --- precedence: what is said later here outweighs what is said before ------------------------------------------------------


def test_metadata_outweighs_a_comment_and_lines_outweigh_metadata() -> None:
    head = '# %% {"tags": ["parameters"], "pipulate": {"input": {"x": {"label": "Metadata", "help": "Metadata"}}}}\n'
    plain = field(TAGGED + "x = 5  # comment")
    metadata = field(head + "x = 5  # comment")
    lines = field(head + "#| input: {name: x, label: Line}\nx = 5  # comment")
    assert (plain.label, plain.help) == ("X", "comment")
    assert (metadata.label, metadata.help) == ("Metadata", "Metadata")
    assert lines.label == "Line"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("x = 5 #@param {type:'slider', min:0, max:9}", ("range", 5, 0, 9), id="a form"),
        pytest.param("#| input: {name: x, max: 7}\nx = 5 #@param {type:'slider', min:0, max:9}", ("range", 5, 0, 7), id="a line over a form"),
        pytest.param(TAGGED + "x: float = 5 #@param {type:'integer'}", ("integer", 5, None, None), id="a form over an annotation"),
        pytest.param(TAGGED + "#| input: {name: x, type: number}\nx: int = 5", ("number", 5, None, None), id="a line over an annotation"),
        pytest.param(TAGGED + "x: float = 5", ("number", 5, None, None), id="an annotation over a value"),
        pytest.param(TAGGED + "x: float = 5  # type: int", ("number", 5, None, None), id="an annotation over a type comment"),
        pytest.param("#| input: {name: x, type: integer, min: 1}\nx = input('How many?')", ("integer", None, 1, None), id="a line over a question"),
        pytest.param("#| secret: x\nx = 'abc' #@param {type:'string'}", ("password", "", None, None), id="a secret over a form"),
        pytest.param("#| input: {name: year, label: Y, max: 2030}\npip.set(job, step='year', value=2025)", ("integer", 2025, None, 2030), id="a line over a call of pip"),
    ],
)  # fmt: skip
def test_explicit_beats_inferred(text: str, expected: object) -> None:
    item, _ = code(text)
    (only,) = item.fields
    assert (only.type, only.default, only.min, only.max) == expected
