"""A run as a notebook: its code is what ran, and running it again gives the same."""

import ast
from textwrap import dedent

import nbformat
import pytest
from nbclient import NotebookClient

from pipulate_runtime.cells import export
from pipulate_runtime.cells.source.source import _functions, notebook_code, with_answers
from tests.cells.conftest import run


def code_of(text):
    text = dedent(text)
    ((_, node),) = _functions(text, "C")
    return notebook_code(node, text.splitlines(keepends=True))


CASES = {
    "plain": ("def f(form):\n        x = 1\n        return x", "x = 1\nx"),
    "silenced": ("def f(form):\n        x = 1\n        x  # seen", "x = 1\nx;  # seen"),
    "comments stay": (
        "def f(form):\n        # a\n\n        x = 1\n        # z\n",
        "# a\n\nx = 1\n# z",
    ),
    "one line": ("def f(form): return 1", "1"),
    "header of two lines": (
        "def f(\n        form,\n    ):\n        return {\n            1: 2,\n        }",
        "{\n    1: 2,\n}",
    ),
    "parentheses": ("def f(form):\n        return (\n            1\n        )", "(\n    1\n)"),
    "no blank": ("def f(form):\n        return(1)", "(1)"),
    "await": ("async def f(form):\n        return await g()", "await g()"),
    "early return stays": (
        "def f(form):\n        if x:\n            return\n        y()",
        "if x:\n    return\ny();",
    ),
    "non-ascii": ("def f(form):\n        é = 'ü'; return é", "é = 'ü'; é"),
}


@pytest.mark.parametrize("name", CASES)
def test_code(name):
    source, expected = CASES[name]
    assert (
        code_of(
            f"class C:\n    @cell('a')\n    {source}\n\n    # not of the cell\n"
            if name != "comments stay"
            else f"class C:\n    {source}\n    x = 1\n"
        )
        == expected
    )


def test_leading_globals_go_and_strings_keep_their_blanks():
    source = '''
class C:
    @cell("a")
    def f(form):
        global a  # in
        global b, c  # out
        a = """
  two
        eight
    """
        b = f"""
    {a}
      """
        c = ("x"
      "y")
        return a
'''
    assert (
        code_of(source)
        == 'a = """\n  two\n        eight\n    """\nb = f"""\n    {a}\n      """\nc = ("x"\n"y")\na'
    )


ANSWERS = {"n": 5, "s": "it's", "l": ["a"], "none": None}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('x = form["n"]', "x = 5"),
        ("x, y = form['s'], form['l']", "x, y = \"it's\", ['a']"),
        ('é = "ü"; x = form["none"]', 'é = "ü"; x = None'),
        ('x = form["other"]', f'form = {ANSWERS!r}\nx = form["other"]'),
        ("d = {**form}", f"form = {ANSWERS!r}\nd = {{**form}}"),
        ("x = \"form['n']\"", "x = \"form['n']\""),
        ("platform = 1", "platform = 1"),
        ('await f(form["n"])', "await f(5)"),
        ('form["n"', 'form["n"'),
    ],
)
def test_answers(code, expected):
    assert with_answers(code, ANSWERS) == expected


def test_an_answer_in_an_f_string_gives_code_with_the_same_value():
    text = with_answers("f\"{form['s']} {form['n']}\"", ANSWERS)
    assert eval(compile(text.splitlines()[-1], "", "eval"), {"form": ANSWERS}) == "it's 5"
    ast.parse(text)


@pytest.mark.kernel
def test_an_exported_run_is_valid_and_gives_the_same_again(sample):
    async def test():
        await sample.walk({}, {"limit": 2}, {})

    run(test())
    notebook = export(sample.plugin, "k", sample.pip.read_state("k"))
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code] == [
        "imports1",
        "load0001",
        "limit001",
        "report01",
        "report02",
    ]
    assert [cell.execution_count for cell in code] == [1, 2, 3, 4, 5]
    assert "limit = 2\n" in code[2].source
    assert "Rows **above**" in "".join(
        c.source for c in notebook.cells if c.cell_type == "markdown"
    )

    again = nbformat.from_dict(notebook)
    for cell in again.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    NotebookClient(again, kernel_name="python3", timeout=60).execute()
    assert [c.outputs for c in again.cells if c.cell_type == "code"] == [c.outputs for c in code]


@pytest.mark.kernel
def test_large_payloads_are_files_and_come_back(make):
    walker = make("""
        @cell("big")
        def step_01_cell(form):
            from IPython.display import HTML, Image, display
            print("x" * 100_000)
            display(HTML("<p>" + "y" * 100_000 + "</p>"))
            display(Image(data=b"\\x89PNG\\r\\n\\x1a\\n" + bytes(100_000), format="png"))
            display({"application/json": {"z": [1] * 50_000}}, raw=True)
            return "small"
        """)
    run(walker.walk({}))
    state = walker.pip.read_state("k")
    assert len(walker.pip.rows["k"]) < 5_000
    (record,) = state["step_01"]["_cells"]
    assert {number: list(files) for number, files in record["files"].items()} == {
        "0": ["text"],
        "1": ["text/html"],
        "2": ["image/png"],
        "3": ["application/json"],
    }
    notebook = export(walker.plugin, "k", state)
    nbformat.validate(notebook)
    text, page, picture, tree, small = next(
        c.outputs for c in notebook.cells if c.cell_type == "code"
    )
    assert text.text == "x" * 100_000 + "\n"
    assert page.data["text/html"] == "<p>" + "y" * 100_000 + "</p>"
    assert picture.data["image/png"].startswith("iVBORw0KGgoAAAA")
    assert tree.data["application/json"] == {"z": [1] * 50_000}
    assert small.data["text/plain"] == "'small'"

    walker.plugin.cells.folder("k").delete()  # the files were lost: that is said, and nothing fails
    lost = export(walker.plugin, "k", state).cells[-1].outputs
    assert lost[1].data["text/plain"] == "(The file of this output is missing.)\n"
