"""Widgets, `interact`, buttons: what is asked, what the emitted cell says, what stays as it is."""

import pytest

from tests.build import CellLike, analysed, emitted, md, plan_of, splice
from transpiler.model.ir import AnalysedCode, Field
from transpiler.model.options import Options

IMPORTS = (
    "import ipywidgets as w\nfrom ipywidgets import fixed, interact, interact_manual, interactive\n"
)


def body(source: str, *more: CellLike) -> str:
    """The lines of the emitted function of a cell below one that imports the library, without `global` lines."""
    made = plan_of(IMPORTS, source, *more)
    moved, refused = splice(made)
    assert refused == {}
    text = moved[made.steps[0].cells[-1].function]
    lines = [line.removeprefix("        ") for line in text.splitlines()]
    return "\n".join(line for line in lines if not line.startswith("global ")).strip()


def fields(*cells: CellLike) -> tuple[Field, ...]:
    analysis, _ = analysed(IMPORTS, *cells)
    found = [item for item in analysis.items if isinstance(item, AnalysedCode)]
    return tuple(field for item in found for field in item.code.fields)


def left(*cells: CellLike) -> list[str]:
    """The reasons why widgets stay as they are."""
    _, found = analysed(IMPORTS, *cells)
    return [d.message.partition(": ")[2] for d in found if d.rule.code == "PP222"]


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = w.Text()\nx.value", 'x = w.Text(value=form["x"])\nreturn x.value'),
        ("x = w.Text('a')\nx.value", 'x = w.Text(form["x"])\nreturn x.value'),
        ("x = w.Text(value='a', rows=2)\nx.value", 'x = w.Text(value=form["x"], rows=2)\nreturn x.value'),
        ("x = w.Text(\n    rows=2,\n)\nx.value", 'x = w.Text(value=form["x"],\n    rows=2,\n)\nreturn x.value'),
        ("x = w.Dropdown(options=[1, 2], index=1)\nx.value", 'x = w.Dropdown(options=[1, 2], value=form["x"])\nreturn x.value'),
        ("x = w.Dropdown(options={'a': 1, 'b': 2})\nx.value", 'x = w.Dropdown(label=form["x"], options={\'a\': 1, \'b\': 2})\nreturn x.value'),
        ("x = w.IntSlider(value=len('ab'))\nx.value", 'x = w.IntSlider(value=len(\'ab\') if form["x"] is None else form["x"])\nreturn x.value'),
        ("x = w.Text(value=str(1))\nx.value", 'x = w.Text(value=form["x"] or str(1))\nreturn x.value'),
        ("x, y = w.Text('é'), w.Checkbox(True)\nx.value, y.value", 'x, y = w.Text(form["x"]), w.Checkbox(form["y"])\nreturn x.value, y.value'),
        ("x = w.IntRangeSlider(value=(1, 2))\nx.value", 'x = w.IntRangeSlider(value=sorted((form["x_from"], form["x_to"])))\nreturn x.value'),
        ("d = {'a': w.Text('b')}\nd['a'].value", 'd = {\'a\': w.Text(form["a"])}\nreturn d[\'a\'].value'),
        ("from datetime import date\nx = w.DatePicker()\nx.value", 'from datetime import date\nx = w.DatePicker(value=form["x"] and date.fromisoformat(form["x"]))\nreturn x.value'),
        ("x = w.DatePicker()\nx.value", 'x = w.DatePicker(\n    value=form["x"] and __import__("datetime").date.fromisoformat(form["x"])\n)\nreturn x.value'),
    ],
)  # fmt: skip
def test_a_widget_begins_with_the_answer(source: str, expected: str) -> None:
    assert body(source) == expected
    emitted(IMPORTS, source)


@pytest.mark.parametrize(
    "source",
    [
        "x = w.IntSlider()\nx",
        "x = w.IntSlider()\ndisplay(x)",
        "x = w.IntSlider()\nw.HBox([x])",
        "x = w.IntSlider()\nx.layout.width = '5em'\nx.disabled = True",
        "w.IntSlider(3)",
        "display(w.IntSlider(3))",
        "w.VBox([w.Text(), w.HTML('a')])",
        "x = w.HTML('a')\nx.value",
        "import other\nx = other.IntSlider()\nx.value",
    ],
)
def test_what_nothing_reads_is_not_asked(source: str) -> None:
    assert fields(source) == ()
    assert left(source) == []


@pytest.mark.parametrize(
    "reading",
    ["x.value", "print(x.value)", "x.index", "f(x)", "def g():\n    return x.value", "x.observe(print)", "[x]", "y = x"],
)  # fmt: skip
def test_what_a_later_cell_reads_is_asked(reading: str) -> None:
    assert [f.name for f in fields("x = w.IntSlider()", reading)][:1] == ["x"]


@pytest.mark.parametrize(
    "line",
    [
        "import ipywidgets\nx = ipywidgets.IntSlider()",
        "import ipywidgets.widgets as ww\nx = ww.IntSlider()",
        "from ipywidgets import widgets\nx = widgets.IntSlider()",
        "from ipywidgets import IntSlider as S\nx = S()",
        "from ipywidgets.widgets import IntSlider\nx = IntSlider()",
        "from IPython.html.widgets import IntSlider\nx = IntSlider()",
        "from ipywidgets import *\n# the names of it\nx = IntSlider()",
    ],
)
def test_the_library_goes_under_many_names(line: str) -> None:
    assert [f.name for f in fields(line, "x.value")] == ["x"]


def test_labels_limits_and_placeholders() -> None:
    size, text = fields(
        "size = w.IntSlider(value=3, min=1, max=9, step=2, description='How large: ')\n"
        "text = w.Text(placeholder='a word')",
        "size.value, text.value",
    )
    assert (size.label, size.min, size.max, size.step, size.required) == (
        "How large",
        1,
        9,
        2,
        True,
    )
    assert (text.label, text.placeholder, text.required) == ("Text", "a word", False)


def test_a_range_is_two_fields() -> None:
    low, high = fields(
        "span = w.IntRangeSlider(value=(2, 5), max=9, description='Years')\nspan.value"
    )
    assert (low.name, low.label, low.default, low.max) == ("span_from", "Years, from", 2, 9)
    assert (high.name, high.label, high.default, high.max) == ("span_to", "Years, to", 5, 9)


@pytest.mark.parametrize("of", ["IntRangeSlider(value=(2, 5), max=9)", "SelectionRangeSlider(options=[2, 3, 5], value=(2, 5))"])  # fmt: skip
@pytest.mark.parametrize("name", ["interact", "interact_manual", "interactive"])
def test_a_range_that_a_function_is_given_is_two_fields(name: str, of: str) -> None:
    source = f"def f(x, y): pass\n{name}(f, x=w.{of}, y=True);"
    low, high, y = fields(source)
    assert [(f.name, f.label, f.default) for f in (low, high)] == [
        ("x_from", "X, from", 2),
        ("x_to", "X, to", 5),
    ]
    assert y.default is True
    ends = '(form["x_from"], form["x_to"])'
    ends = f"tuple(sorted({ends}))" if "Int" in of else ends
    assert f'f(x={ends}, y=form["y"])' in body(source)


def test_a_range_of_interactive_that_is_kept_is_moved_at_once() -> None:
    source = "v = interactive(f, x=w.FloatRangeSlider(), y=2, clear_output=False)\nv.result"
    assert (
        body(source)
        .split("\n", 1)[1]
        .startswith(
            'v.children[0].value = tuple(sorted((form["x_from"], form["x_to"])))\n'
            'v.children[1].value = form["y"]\n'
        )
    )


def test_clear_output_is_no_argument_of_the_function() -> None:
    source = "def f(x): return x\ninteract(f, x=5, clear_output=False)"
    assert body(source).endswith('f(x=form["x"])')
    assert left(source) == []


@pytest.mark.parametrize(
    ("options", "type_", "accept", "paths"),
    [
        ("", "file", (), 'filter(None, [form["x"]])'),
        ("multiple=True", "files", (), 'form["x"]'),
        ("accept='.csv, .TXT'", "file", (".csv", ".txt"), 'filter(None, [form["x"]])'),
        ("accept='image/*,.pdf', multiple=False", "file", (), 'filter(None, [form["x"]])'),
    ],
)
def test_an_upload_asks_for_files(
    options: str, type_: str, accept: tuple[str, ...], paths: str
) -> None:
    source = f"x = w.FileUpload({options})\nx.value"
    (field,) = fields(source)
    assert (field.type, field.accept, field.required) == (type_, accept, False)
    assert paths in body(source)
    emitted(IMPORTS, source)


def test_cells_that_share_a_form_have_names_of_their_own() -> None:
    cells = [md("# T\n## A"), "interact(print, x=5);", "interact(print, x='a');"]
    (step,) = plan_of(IMPORTS, *cells, options=Options(by="heading")).steps
    assert [field.name for field in step.fields] == ["x", "x_2"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("x = w.Dropdown(options=sorted('ab'))\nx.value", "its choices are computed when the notebook runs"),
        ("x = w.Dropdown(options=['a'], value=str(1))\nx.value", "its value is computed"),
        ("x = w.Dropdown(options=['a'], value='b')\nx.value", "its value is none of its choices"),
        ("x = w.Checkbox(value=bool(1))\nx.value", "its value is computed"),
        ("x = w.DatePicker(value=today())\nx.value", "its value is computed"),
        ("x = w.IntSlider(**options)\nx.value", "what it is made of is computed"),
        ("xs = [w.IntSlider() for _ in 'ab']\nxs[0].value", "it is made in a loop"),
        ("for n in 'ab':\n    x = w.Text(n)\nx.value", "it is made in a loop"),
        ("def f():\n    return w.Text()\nf().value", "it is made in a function"),
        ("if True:\n    x = w.Text()\nx.value", "it is made in a condition"),
        ("x = w.FileUpload(value=files)\nx.value", "it begins with files of its own"),
        ("x = w.FileUpload(multiple=bool(1))\nx.value", "whether it takes several files is computed"),
        ("x = w.Controller()\nx.value", "a gamepad is no field of a form"),
        ("interact(f, x=values)", "what `x` may be is computed"),
        ("interact(f, g, x=1)", "its arguments are computed"),
        ("def f(x, y): pass\ninteract(f, x=1)", "nothing says what `y` may be"),
        ("def f(x): pass\ninteract(f, x=1, y=2)", "the function has no parameter `y`"),
        ("for f in fs:\n    interact(f, x=1)", "it is not called at the top level of the cell with values that are known"),
        ("a, b = w.Button(), w.Button()\na.on_click(f)\nb.on_click(f)", "the cell has several buttons"),
    ],
)  # fmt: skip
def test_what_stays_as_it_is_is_said_with_the_reason(source: str, reason: str) -> None:
    assert left(source) == [reason]
    emitted(IMPORTS, source)


def test_a_widget_that_another_cell_observes_stays_as_it_is() -> None:
    assert left("x = w.Text()", "x.observe(print)") == [
        "it was made in another cell than the one that observes it"
    ]


# --- functions that the page calls --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("interact(f, x=(0, 10))", 'return f(x=form["x"])'),
        ("interact(f, x=(0, 10));", 'return f(x=form["x"])'),
        ("interact(f, x=5, y=fixed(df))", 'return f(x=form["x"], y=df)'),
        ("interact(f, y=fixed(df), x=5)", 'return f(y=df, x=form["x"])'),
        ("interact(f, y=fixed(df))", "return f(y=df)"),
        ("interact(lambda n: n, n=5)", 'return (lambda n: n)(n=form["n"])'),
        ("interact(f, x={'a': 1, 'b': 2})", 'return f(x={\'a\': 1, \'b\': 2}[form["x"]])'),
        ("interact(f, x=[('a', 1), ('b', 2)])", 'return f(x=dict([(\'a\', 1), (\'b\', 2)])[form["x"]])'),
        ("interact(f, x=w.Dropdown(options={'a': 1}))", 'return f(x={\'a\': 1}[form["x"]])'),
        ("interactive(f, x=5)", 'f(x=form["x"])'),
        ("interact(f, x=5)\nprint(1)", 'f(x=form["x"])\nprint(1)'),
        ("interact(lambda n: n, n=5)\nprint(1)", 'display((lambda n: n)(n=form["n"]))\nprint(1)'),
        ("interact.options(manual=True)(f, x=5)", 'return f(x=form["x"])'),
        ("v = w.Text()\ninteract(f, x=v)", 'v = w.Text(value=form["v"])\nreturn f(x=v.value)'),
        ("@interact\ndef g(a=1):\n    return a", 'def g(a=1):\n    return a\n\n\nreturn g(a=form["a"])'),
        ("@interact(a=(1, 3), b=fixed(2))\ndef g(a, b): print(a)", 'def g(a, b): print(a)\n\n\nreturn g(a=form["a"], b=2)'),
        ("@interact()\ndef g(a='é'):\n    return a\nprint(1)", 'def g(a=\'é\'):\n    return a\n\n\ndisplay(g(a=form["a"]))\nprint(1)'),
        ("def g(a, b='x', *, c=True): print(a)\ninteract(g, a=1)", 'def g(a, b=\'x\', *, c=True): print(a)\nreturn g(a=form["a"], b=form["b"], c=form["c"])'),
        ("v = interactive(f, a=(1, 2), b=fixed(1), c='d')\nv", 'v = interactive(f, a=(1, 2), b=fixed(1), c=\'d\')\nv.children[0].value = form["a"]\nv.children[1].value = form["c"]\nreturn v'),
    ],
)  # fmt: skip
def test_interact_becomes_a_call(source: str, expected: str) -> None:
    lines = [line for line in body(source).splitlines() if line.strip()]
    assert lines == [line for line in expected.splitlines() if line.strip()]
    emitted(IMPORTS, source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("b = w.Button(description='Go')\nb.on_click(f)", "b = w.Button(description='Go')\nb.on_click(f)\nreturn b.click()"),
        ("b = w.Button(description='Go')\nb.on_click(f)\nb", "b = w.Button(description='Go')\nb.on_click(f)\nb.click()\nreturn b"),
        ("b = w.Button(description='Go')\n@b.on_click\ndef f(_): pass", "b = w.Button(description='Go')\n@b.on_click\ndef f(_): pass\nb.click()"),
        ("b = w.Button(description='Go')\nb.on_click(f)\nb.click()", "b = w.Button(description='Go')\nb.on_click(f)\nreturn b.click()"),
    ],
)  # fmt: skip
def test_a_button_is_pressed_with_the_form(source: str, expected: str) -> None:
    lines = [line for line in body(source).splitlines() if line.strip()]
    assert lines == [line for line in expected.splitlines() if line.strip()]


@pytest.mark.parametrize(
    ("source", "label"),
    [
        ("b = w.Button(description='Go on')\nb.on_click(f)\nb", "Go on"),
        ("b = w.Button()\nb.on_click(f)\nb", "Run"),
        ("b = w.Button(description='Go')\nb.on_click(f)\nb.click()", None),
        ("interact_manual(f, x=5)", "Run Interact"),
        ("interact.options(manual=True, manual_name='Count')(f, x=5)", "Count"),
        ("interact.options(manual=False)(f, x=5)", "Continue"),
        ("interact(f, x=5)", "Continue"),
    ],
)
def test_the_label_of_the_button(source: str, label: str | None) -> None:
    assert plan_of(IMPORTS, source).steps[-1].button == label


def test_a_widget_that_is_observed_is_moved() -> None:
    source = "x = w.IntSlider(3)\nx.observe(f, names='value')\nx"
    assert body(source) == (
        "x = w.IntSlider(3)\nx.observe(f, names='value')\nx.value = form[\"x\"]\nreturn x"
    )
    pair = "x = w.IntRangeSlider(value=(1, 2))\nx.observe(f)"
    assert body(pair).endswith('x.observe(f)\nx.value = sorted((form["x_from"], form["x_to"]))')


def test_what_the_app_does_beside_fields_is_a_listed_edit() -> None:
    made = plan_of(IMPORTS, "b = w.Button()\nb.on_click(f)\nb")
    assert made.steps[-1].cells[-1].changes == ("b is pressed with the form",)
    _, found = analysed(IMPORTS, "b = w.Button()\nb.on_click(f)\nb")
    assert [d.message for d in found if d.rule.code == "PP202"] == [
        "`b.click()` is added, since b is pressed with the form"
    ]


# --- precedence ---------------------------------------------------------------------------------------------------------


def test_option_lines_outweigh_what_a_widget_says() -> None:
    (field,) = fields(
        "#| input: {name: x, label: Mine, max: 5}\nx = w.IntSlider(value=3, max=9, description='Its')\nx.value"
    )
    assert (field.label, field.max, field.default) == ("Mine", 5, 3)
