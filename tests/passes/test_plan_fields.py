"""How each type of field is shown, read and checked."""

import ast
from itertools import product
from typing import Any, get_args

import pytest
from starlette.datastructures import FormData

from pipulate_runtime.cells.storage.forms import Sent
from tests.build import code, emitted, function, only_step, plan_of
from transpiler.model.diagnostics import Span
from transpiler.model.ir import Field, FieldType, PlannedField, Slice
from transpiler.planning.fields import KINDS, planned_field

DEFAULTS: dict[str, Any] = {
    "text": "a", "textarea": "a\nb", "integer": 3, "number": 1.5, "range": 5, "switch": True,
    "select": "a", "multi-select": ["a"], "radio": "b", "date": "2024-01-02", "time": "10:30",
    "datetime": "2024-01-02T10:30", "color": "#ff0000", "url-list": ["http://a.b"],
    "json": {"a": [1, None]}, "file": "a.csv", "files": ["a.csv"], "password": "",
}  # fmt: skip
ALL = get_args(FieldType)


def shown(type_: str, **more: Any) -> PlannedField:
    values: dict[str, Any] = {"name": "x", "label": "X", "default": DEFAULTS[type_]}
    asked = Field(type=type_, value=Slice(0, 1), span=Span(0, 1, 1, 1, 2), **(values | more))  # type: ignore[arg-type]
    return planned_field("step_01", asked)


def attributes(field: PlannedField) -> dict[str, object]:
    assert len(dict(field.attributes)) == len(field.attributes)
    return dict(field.attributes)


def message_of(field: PlannedField, sent: object) -> str:
    """What its reader says of an answer; empty when it takes it."""
    form = Sent(FormData([(field.name, str(sent))]), labels={field.name: field.label})
    getattr(form, field.reader)(field.name, **dict(field.arguments))
    return form.errors.get(field.name, "")


def test_the_table_has_every_type() -> None:
    assert KINDS.keys() == set(ALL) == DEFAULTS.keys()


@pytest.mark.parametrize(
    ("type_", "control", "reader", "html"),
    [
        ("text", "input", "text", "text"),
        ("textarea", "textarea", "text", None),
        ("integer", "input", "integer", "number"),
        ("number", "input", "number", "number"),
        ("range", "range", "integer", "range"),
        ("switch", "switch", "switch", None),
        ("select", "select", "choice", None),
        ("multi-select", "multi_select", "choices", None),
        ("radio", "radio", "choice", None),
        ("date", "input", "date", "date"),
        ("time", "input", "time", "time"),
        ("datetime", "input", "datetime", "datetime-local"),
        ("color", "input", "color", "color"),
        ("url-list", "textarea", "urls", None),
        ("json", "textarea", "json", None),
        ("password", "input", "password", "password"),
    ],
)
def test_a_type_has_its_control_and_its_reader(type_, control, reader, html) -> None:
    field = shown(type_)
    assert (field.control, field.reader, attributes(field).get("type")) == (control, reader, html)
    assert callable(getattr(Sent, reader))


@pytest.mark.parametrize(
    ("more", "reader"),
    [
        ({}, "integer"),
        ({"default": 5.0, "min": 0.0, "max": 10, "step": 1.0}, "integer"),
        ({"step": 0.5}, "number"),
        ({"default": 1.5}, "number"),
        ({"min": 0.1}, "number"),
        ({"default": None}, "integer"),
    ],
)
def test_a_range_is_of_whole_numbers_when_all_it_can_be_are(more, reader) -> None:
    assert shown("range", **more).reader == reader


@pytest.mark.parametrize(
    ("type_", "low", "high", "wrong", "right"),
    [
        ("integer", None, None, [], [-(10**9), 0]),
        ("integer", 2, None, [1, -5], [2, 99]),
        ("integer", None, 2, [3], [2, -9]),
        ("integer", 2, 4, [1, 5], [2, 3, 4]),
        ("number", None, None, ["nan", "inf", "-inf"], [0, 1.5]),
        ("number", 0.5, None, ["nan", "inf", 0.4], [0.5, 9]),
        ("number", None, 0.5, ["nan", "-inf", 0.6], [0.5, -9]),
        ("number", -1, 1, ["nan", "inf", "-inf", 1.1, -1.1], [-1, 0, 1]),
    ],
)
def test_a_number_outside_its_limits_is_wrong_and_so_is_none_at_all(
    type_, low, high, wrong, right
) -> None:
    field = shown(type_, min=low, max=high)
    assert all(message_of(field, value) for value in wrong)
    assert not any(message_of(field, value) for value in right)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "X: please enter a whole number."),
        ({"min": 0}, "X: please enter a whole number, 0 or more."),
        ({"max": 9.0}, "X: please enter a whole number, 9 or less."),
        ({"min": 0, "max": 9}, "X: please enter a whole number from 0 to 9."),
        (
            {"min": 1, "step": 3, "default": 4},
            "X: please enter a whole number, 1 or more, in steps of 3.",
        ),
        ({"label": "How many? "}, "How many: please enter a whole number."),
    ],
)
def test_the_message_names_the_limits(more, message) -> None:
    assert message_of(shown("integer", **more), "1.5") == message


@pytest.mark.parametrize(
    ("type_", "required", "wanted"),
    [
        ("text", True, True),
        ("text", False, False),
        ("switch", True, False),
        ("multi-select", True, True),
        ("date", True, True),
    ],
)
def test_what_can_be_left_empty(type_, required, wanted) -> None:
    field = shown(type_, required=required)
    assert field.required is wanted
    said = type_ != "multi-select"  # a browser has no such rule for checkboxes
    assert ("required" in attributes(field)) is (wanted and said)


def test_the_browser_knows_the_limits_and_the_help() -> None:
    field = shown("number", min=0.0, max=1, step=0.25, placeholder="half", help="A share")
    assert attributes(field) == {
        "type": "number",
        "step": "0.25",
        "min": "0",
        "max": "1",
        "placeholder": "half",
        "required": True,
    }


def test_limits_of_a_date_are_checked_too() -> None:
    field = shown("date", min="2020-01-01", max="2030-01-01")
    wanted = "X: please enter a date from 2020-01-01 to 2030-01-01."
    assert message_of(field, "2019-12-31") == message_of(field, "2030-01-02") == wanted
    assert message_of(field, "2020-01-01") == message_of(field, "2030-01-01") == ""
    assert attributes(field)["min"] == "2020-01-01"


@pytest.mark.parametrize(
    ("type_", "default", "written"),
    [
        ("date", "2024-01-02", "2024-05-06"),
        ("time", None, "07:08"),
        ("time", "10:30", "07:08"),
        ("time", "10:30:05", "07:08:00"),
        ("datetime", "2024-01-02T10:30", "2024-05-06T07:08"),
        ("datetime", "2024-01-02 10:30:00", "2024-05-06 07:08:00"),
        ("datetime", "2024-01-02T10:30:00.250", "2024-05-06T07:08:00.000"),
    ],
)
def test_a_moment_is_written_as_the_notebook_writes_it(type_, default, written) -> None:
    field = shown(type_, default=default)
    sent = {"date": "2024-05-06", "time": "07:08", "datetime": "2024-05-06T07:08"}[type_]
    form = Sent(FormData([("x", sent)]))
    assert getattr(form, field.reader)("x", **dict(field.arguments)) == written


@pytest.mark.parametrize(
    ("more", "step"),
    [
        ({"min": 0, "step": 5, "default": 50}, "5"),
        ({"min": 1, "step": 10, "default": 50}, "1"),  # 50 must be among the answers
        ({"min": 1, "step": 10, "default": 51}, "10"),
        ({"step": 10, "default": 5}, "10"),
    ],
)
def test_the_notebooks_own_value_can_be_reached(more, step) -> None:
    assert attributes(shown("integer", **more))["step"] == step


def test_chosen_values_keep_the_order_of_the_notebook() -> None:
    field = shown("multi-select", choices=("a", "b", "c"), default=["c", "a"])
    assert field.choices == ("c", "a", "b")
    assert shown("multi-select", choices=("a", "b", "c"), default=["a", "c"]).choices == (
        "a",
        "b",
        "c",
    )


def test_a_select_that_takes_other_values_is_a_text_with_suggestions() -> None:
    field = shown("select", choices=("a", "b"), allow_input=True)
    assert (field.control, field.reader, field.choices) == ("input", "choice", ("a", "b"))
    assert attributes(field)["list"] == "step_01-x-choices"


@pytest.mark.parametrize(("type_", "reader"), [("text", "literal"), ("integer", "integer")])
def test_a_raw_text_is_read_as_a_literal(type_, reader) -> None:
    assert shown(type_, raw=True).reader == reader


# --- in the emitted file ----------------------------------------------------------------------------------------------------

WORDS = 'La "bel" \\ {{ x }} {% if %} """ ' + "long " * 20


def asked(number: int, type_: str, rich: bool, required: bool, long_name: bool) -> tuple[str, dict]:
    """A line of a cell, and the description of its field."""
    tail = "_" + "very_long_" * 8 if long_name else ""
    name = f"v{number}{tail}"
    field: dict[str, Any] = {"name": name, "type": type_, "required": required}
    if KINDS[type_][1] in ("choice", "choices"):
        field["choices"] = ["a", "b", WORDS] if rich else ["a", "b"]
    if rich:
        field |= {"label": WORDS, "help": WORDS, "placeholder": WORDS}
        if type_ in ("integer", "number", "range"):
            field |= {"min": -1, "max": 10, "step": 1}
    return f"{name} = {DEFAULTS[type_]!r}", field


CASES = list(product(ALL, (False, True), (False, True), (False, True)))


def test_a_hundred_fields_of_every_kind_stand_in_one_step() -> None:
    made = [asked(number, *case) for number, case in enumerate(CASES)]
    text = emitted(code("\n".join(line for line, _ in made), input=[field for _, field in made]))
    step = only_step(
        plan_of(code("\n".join(line for line, _ in made), input=[field for _, field in made]))
    )
    assert len(step.fields) == len(CASES) == 144
    form = ast.unparse(ast.parse(function(text, "step_01_form")))
    for field in step.fields:
        assert f"name={field.name!r}" in form
        assert f"self.field('step_01-{field.name}', labels[{field.name!r}], " in form
        assert f"error=errors.get({field.name!r})" in form


@pytest.mark.parametrize("type_", ALL)
def test_each_kind_of_field_stands_alone(type_: str) -> None:
    """Each variant alone in its step; no other type is in the file, whose imports are for it."""
    variants = enumerate(product((False, True), repeat=3))
    made = [asked(number, type_, *variant) for number, variant in variants]
    form = ast.unparse(ast.parse(emitted(*(code(line, input=field) for line, field in made))))
    for number, (_, field) in enumerate(made, 1):
        assert f"self.field('step_{number:02}-{field['name']}'," in form


def test_a_secret_is_never_kept_and_never_sent_back() -> None:
    text = emitted(code("token = 'abc'", input={"name": "token", "type": "password"}))
    assert "abc" not in text
    assert 'kept = form | {"token": ""}' in text
    assert "run.keep_typed(kept)" in text
    assert 'await run.save({"answered": True, **kept' in text or "run.save({**kept" in text
    assert "value=" not in function(text, "step_01_form")


# --- what the notebook's value says ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said", "type_", "required", "empty", "answer"),
    [
        ("x = 5", {}, "integer", True, 5, 'form["x"]'),
        ("x = 5", {"required": False}, "integer", False, 5, 'form["x"]'),
        ("x = None", {"type": "integer"}, "integer", False, None, 'form["x"]'),
        ("x: int | None = 5", {}, "integer", False, None, 'form["x"]'),
        ("x = ''", {}, "text", False, "", 'form["x"]'),
        ("x = 'a'", {"required": False}, "text", False, "", 'form["x"]'),
        ("x: str | None = None", {}, "text", False, None, 'form["x"]'),
        ("x = ''", {"type": "date"}, "date", False, "", 'form["x"]'),
        ("x = []", {"type": "url-list"}, "url-list", False, [], 'form["x"]'),
        ("x = False", {}, "switch", False, False, 'form["x"]'),
        ("x = 0", {}, "integer", True, 0, 'form["x"]'),
        ("x = 'a.csv'", {"type": "file"}, "file", True, "a.csv", 'form["x"]'),
        ("x = ['a.csv']", {"type": "file"}, "files", True, ["a.csv"], 'form["x"]'),
        ("x = (1, 2)", {}, "text", True, "", 'eval(form["x"])'),
        ("x = date(2024, 5, 1)", {}, "date", True, "2024-05-01", 'date.fromisoformat(form["x"])'),
        (
            "x = datetime.datetime(2024, 5, 1, 8)",
            {"required": False},
            "datetime",
            False,
            "2024-05-01T08:00",
            '(form["x"] and datetime.datetime.fromisoformat(form["x"]))',
        ),
        ("x = time(8, 30, 5)", {}, "time", True, "08:30:05", 'time.fromisoformat(form["x"])'),
        ("x = date(2024, 13, 1)", {}, "text", True, None, 'eval(form["x"])'),
        ("x = date(*parts)", {}, "text", True, None, 'eval(form["x"])'),
    ],
)
def test_the_value_decides_the_type_and_what_an_empty_answer_is(
    line, said, type_, required, empty, answer
) -> None:
    step = only_step(plan_of(code(line, input={"name": "x", **said})))
    (field,) = step.fields
    assert (field.type, field.required, field.empty) == (type_, required, empty)
    assert type(field.empty) is type(empty)
    assert f"= {answer}" in step.cells[0].source
    emitted(code(line, input={"name": "x", **said}))


def test_a_date_is_a_parameter() -> None:
    step = only_step(
        plan_of(code("from datetime import date\nday = date(2024, 5, 1)", tags=["parameters"]))
    )
    assert [(f.name, f.type, f.default) for f in step.fields] == [("day", "date", "2024-05-01")]
