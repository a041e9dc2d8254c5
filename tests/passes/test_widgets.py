"""The table of widgets and the abbreviations of `interact`, held against ipywidgets itself."""

import datetime
import warnings
from typing import Any

import ipywidgets
import pytest

from pipulate_runtime.cells.outputs.widgets import CONTROLS as HIDDEN
from tests.helpers import code
from transpiler.verify.visible import CONTROLS
from transpiler.widgets.shorthand import expand_shorthand
from transpiler.widgets.table import CONTAINERS, INPUTS, SHOWS_ONLY, UNANSWERABLE


def with_a_value() -> set[str]:
    """The widgets of the library that hold a value."""
    return {
        name
        for name, kind in vars(ipywidgets).items()
        if isinstance(kind, type)
        and issubclass(kind, ipywidgets.Widget)
        and ("value" in kind.class_traits() or name in UNANSWERABLE)
    }


def field_of(call: str) -> Any:
    """The one field of a widget that is read."""
    item, found = code(f"import datetime\nimport ipywidgets as w\nx = {call}\nx.value")
    assert found == ()
    (only,) = item.fields
    return only


# --- the table --------------------------------------------------------------------------------------------------------


def test_every_widget_of_the_library_with_a_value_is_known() -> None:
    assert with_a_value() - {"ValueWidget"} == {*INPUTS, *UNANSWERABLE, *SHOWS_ONLY} - {"Output"}
    boxes = {
        n
        for n, k in vars(ipywidgets).items()
        if isinstance(k, type) and issubclass(k, ipywidgets.Box)
    }
    assert boxes - {"interactive"} == CONTAINERS


def test_both_sides_hide_the_same_widgets() -> None:
    assert HIDDEN == CONTROLS


@pytest.mark.parametrize("name", sorted(n for n, k in INPUTS.items() if k.shape in ("one", "pair")))
def test_without_a_value_the_default_is_the_librarys(name: str) -> None:
    item, found = code(f"import ipywidgets as w\nx = w.{name}()\nx.value")
    assert found == ()
    own = getattr(ipywidgets, name)().value
    got = [field.default for field in item.fields]
    assert got == (list(own) if isinstance(own, tuple) else [own])


CALLS = [
    "IntSlider(value=3, min=1, max=9, step=2)",
    "IntSlider(7)",
    "IntSlider(7, 5, 9)",
    "IntSlider(min=5)",
    "IntSlider(max=-5, min=-9)",
    "IntSlider(500)",
    "FloatSlider(value=0.5, max=1)",
    "FloatSlider(min=2, max=4)",
    "BoundedIntText(value=200, max=50)",
    "BoundedFloatText(value=1.5)",
    "FloatLogSlider(value=100, base=10, min=0, max=3)",
    "FloatLogSlider(base=2, min=3, max=8)",
    "IntText(-4)",
    "FloatText(value=2.5)",
    "Play(value=4, max=9)",
    "Text('a', description='b')",
    "Text(description='b')",
    "Textarea(value='a\\nb')",
    "Combobox(value='q', options=['a', 'b'])",
    "Combobox(options=['a'], ensure_option=True, value='a')",
    "Checkbox(True)",
    "ToggleButton(value=True, description='On')",
    "Dropdown(options=['a', 'b'])",
    "Dropdown(options=['a', 'b'], value='b')",
    "Dropdown(options=['a', 'b'], index=1)",
    "Dropdown(options=['a', 'b'], value=None)",
    "Dropdown(options=range(3))",
    "Select(options=(1, 2, 3), value=2)",
    "SelectionSlider(options=['lo', 'hi'], value='hi')",
    "RadioButtons(options=['a', 'b'])",
    "ToggleButtons(options=['a', 'b'], value='b')",
    "SelectMultiple(options=['a', 'b'], value=['b'])",
    "SelectMultiple(options=['a', 'b'], index=(0, 1))",
    "ColorPicker(value='#00ff00')",
    "ColorPicker(value='red')",
    "TagsInput(value=['a'], allowed_tags=['a', 'b'])",
    "ColorsInput(value=['red'])",
    "IntsInput(value=[1, 2])",
    "FloatsInput(value=[1.5])",
]


@pytest.mark.parametrize("call", CALLS)
def test_the_field_has_the_value_the_widget_has(call: str) -> None:
    widget = eval(f"ipywidgets.{call}")
    field = field_of(f"w.{call}")
    own = list(widget.value) if isinstance(widget.value, tuple) else widget.value
    assert field.default == own
    for key in ("min", "max"):
        limit = getattr(field, key)
        if limit is not None and not call.startswith("FloatLog"):
            assert limit == getattr(widget, key)


@pytest.mark.parametrize("call", [c for c in CALLS if "value=None" not in c])
def test_the_emitted_call_with_the_default_makes_the_same_widget(call: str) -> None:
    source = f"import ipywidgets as w\nx = w.{call}\nx.value"
    item, _ = code(source)
    (field,) = item.fields
    text = item.python.text  # type: ignore[union-attr]
    edited = text[: field.value.start] + field.answer + text[field.value.end :]
    namespace: dict[str, Any] = {"__answer__": field.default}
    exec(edited, namespace)
    assert namespace["x"].value == eval(f"ipywidgets.{call}").value


@pytest.mark.parametrize(
    ("call", "default", "type_"),
    [
        ("DatePicker()", None, "date"),
        ("DatePicker(value=datetime.date(2024, 5, 1))", "2024-05-01", "date"),
        ("TimePicker(value=datetime.time(8, 30))", "08:30", "time"),
        ("NaiveDatetimePicker(value=datetime.datetime(2024, 5, 1, 8))", "2024-05-01T08:00", "datetime"),
        ("DatetimePicker()", None, "datetime"),
    ],
)  # fmt: skip
def test_moments(call: str, default: str | None, type_: str) -> None:
    field = field_of(f"w.{call}")
    assert (field.default, field.type) == (default, type_)
    for answer in filter(None, [default, None]):
        given = field.answer.replace("__answer__", repr(answer))
        made = eval(
            f"dict({given})" if "=" in given else f"dict(value={given})", {"datetime": datetime}
        )
        assert (
            made["value"]
            == eval(f"ipywidgets.{call}", {"ipywidgets": ipywidgets, "datetime": datetime}).value
        )


# --- abbreviations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        5, -5, 0, 2.5, -0.5, 0.0, True, False, "", "a", (0, 10), (-3, 4), (0, 10, 2), (1, 10, 4), (0.0, 1.0), (0, 1.5),
        (0.0, 2.0, 0.25), (1, 2, 0.5), ["a", "b"], [3, 1], [("A", 1), ("B", 2)], {"A": 1, "B": 2}, range(3),
    ],
    ids=repr,
)  # fmt: skip
def test_an_abbreviation_is_the_field_of_the_widget_it_makes(value: Any) -> None:
    widget = ipywidgets.interactive.widget_from_abbrev(value)
    field = expand_shorthand(value)
    assert field is not None
    assert field["default"] == (
        widget.label if "choices" in field and isinstance(field["default"], str) else widget.value
    )
    if "min" in field:
        assert (field["min"], field["max"], field["step"]) == (widget.min, widget.max, widget.step)
    if "choices" in field:
        choices = list(map(str, field["choices"]))  # type: ignore[arg-type]
        assert choices == [str(label) for label in widget._options_labels]


@pytest.mark.parametrize(
    ("value", "default"),
    [((0, 10), 3), ((0.0, 1.0), 0.25), ((0, 10), 30), (["a", "b"], "b"), (["a", "b"], "c"), ({"A": 1, "B": 2}, 2)],
)  # fmt: skip
def test_the_functions_own_default_is_where_it_begins(value: Any, default: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        widget = ipywidgets.interactive.widget_from_abbrev(value, default)
    field = expand_shorthand(value, default)
    assert field is not None
    assert field["default"] == (widget.label if isinstance(value, dict) else widget.value)


@pytest.mark.parametrize(
    "value", [None, (), (1,), (1, 2, 3, 4), ("a", "b"), (5, 1), (0, 5, 0), [], {}, 1j, [[1], [2]]]
)
def test_what_is_no_abbreviation(value: Any) -> None:
    assert expand_shorthand(value) is None
