"""Cells made into the bodies of functions: what they say stays what they say."""

import ast
from pathlib import Path
from typing import Any

import pytest

from tests.build import (
    code,
    emitted,
    function,
    only_cell,
    plan_of,
    raw,
    sound,
    splice,
    text_of,
    workflow,
)
from transpiler.model.diagnostics import InternalError
from transpiler.model.ir import PlannedCell
from transpiler.model.options import Options
from transpiler.pipeline import planned
from transpiler.splicing.check import check
from transpiler.splicing.splice import spliced


def cell(source: str, **more: object) -> PlannedCell:
    values: dict[str, object] = {
        "function": "step_01_cell",
        "cell": "c000",
        "index": 0,
        "shows": False,
    }
    return PlannedCell(source=source, **(values | more))  # type: ignore[arg-type]


def body(source: str, **more: object) -> str:
    """The body of the function, without the indentation of the class."""
    lines = spliced(cell(source, **more), "form")
    return "".join(line.removeprefix("        ") for line in lines.splitlines(keepends=True))


SHAPES = {
    # what it is: (the cell, its body)
    "a statement": ("f(1)", "f(1)\n"),
    "nothing": ("", "pass\n"),
    "only comments": ("# one\n# two", "# one\n# two\npass\n"),
    "a comment above": ("# one\nf(1)", "# one\nf(1)\n"),
    "comments below": ("f(1)\n# one\n\n# two\n", "f(1)\n# one\n\n# two\n"),
    "a comment at the end of a line": ("f(1)  # one", "f(1)  # one\n"),
    "semicolons": ("f(1); g(2);", "f(1); g(2);\n"),
    "a continued line": ("f(1 + \\\n  2)", "f(1 + \\\n  2)\n"),
    "blanks at the ends of lines": ("f(1)  \n \ng(2)", "f(1)\n\ng(2)\n"),
    "a backslash before the first statement of a block": (
        "if True:\n    \\\n    x()",
        "if True:\n    \\\n    x()\n",
    ),
    "tabs": ("if a:\n\tf(1)\n\tg(2)", "if a:\n    f(1)\n    g(2)\n"),
    "CRLF": ("f(1)\r\ng(2)\r\n", "f(1)\ng(2)\n"),
    "a form feed": ("f(1)\n\x0cg(2)", "f(1)\ng(2)\n"),
    "a decorator": ("@a\n@b(1)\ndef f():\n    pass", "@a\n@b(1)\ndef f():\n    pass\n"),
    "single quotes": ("f('a')", "f('a')\n"),
    "a long comment": (f"# {'c' * 200}\nf(1)", f"# {'c' * 200}\nf(1)\n"),
    "a bare text first": ("'''doc'''\nf(1)", "'''doc'''\nf(1)\n"),
}


@pytest.mark.parametrize("case", SHAPES)
def test_the_body_of_a_cell_with(case: str) -> None:
    source, wanted = SHAPES[case]
    names = tuple(n for n in ("f",) if f"def {n}" in source)
    declared = (("out", names),) if names else ()
    made = body(source, declarations=declared)
    assert made.removeprefix("global f  # out\n").lstrip("\n") == wanted


@pytest.mark.parametrize(
    ("source", "returned"),
    [
        ("a", "return a\n"),
        ("f(1)\na", "f(1)\nreturn a\n"),
        ("f(1); a", "f(1); return a\n"),
        ("a  # why", "return a  # why\n"),
        ("a\n# bye", "return a\n# bye\n"),
        ("# why\na", "# why\nreturn a\n"),
        ("(1 +\n 2)", "return (1 +\n 2)\n"),
        ("(1 +  # one\n 2)  # two", "return (1 +  # one\n 2)  # two\n"),
        ("lambda x: x", "return lambda x: x\n"),
        ("(y := 5)", "return (y := 5)\n"),
        ("*a, 1", "return *a, 1\n"),
        ("*a,", "return *a,\n"),
        ("a, b", "return a, b\n"),
        ("a if b else c", "return a if b else c\n"),
        ("...", "return ...\n"),
        ("-a", "return -a\n"),
        ("not(a)", "return not(a)\n"),
        ("'text'", "return 'text'\n"),
        ("f(größe); größe", "f(größe); return größe\n"),
        ("[i for i in a]", "return [i for i in a]\n"),
        ("(i for i in a)", "return (i for i in a)\n"),
        ("{}", "return {}\n"),
    ],
)
def test_the_last_value_is_returned(source: str, returned: str) -> None:
    declared = (("out", ("y",)),) if "y :=" in source else ()
    made = body(source, shows=True, declarations=declared)
    assert made.removeprefix("global y  # out\n").lstrip("\n") == returned


def test_awaiting_is_returned_from_an_async_function() -> None:
    assert body("await f(1)", shows=True, awaits=True) == "return await f(1)\n"


STRINGS = {
    "lines that are indented": 'x = """\na\n    b\n  c\n"""',
    "tabs": 'x = """\n\ta\n\t\tb\n"""',
    "lines that look like code": 'x = """\ndef step_01_cell(form):\n    __cell__("step_01_cell")\n"""',
    "marks of the templates": 'x = """\n__header__\n__imports__()\n    __steps__()\n    # --- END_STEP_BUNDLE: step_01 ---\n"""',
    "blanks at the ends of lines": 'x = """a  \nb \t\n"""',
    "both kinds of quotes": "x = 'it\\'s \"it\"'",
    "a line that goes on": "x = 'a\\\nb'",
    "raw backslashes": "x = r'\\n\\ '",
    "characters that cannot be seen": 'x = "a\u2028b\x0cc\x1cd\x85e"',
    "an f-string over lines": 'x = f"""\n{1:>10}\n    {2!r}\n"""',
    "bytes": "x = b'\\x00' B'a'",
    "an emoji": 'x = "🎉"',
}


@pytest.mark.parametrize("case", STRINGS)
def test_a_string_keeps_its_value_with(case: str) -> None:
    source = STRINGS[case]
    before: dict[str, object] = {}
    exec(source, before)
    name = only_cell(plan_of(source)).function
    after: dict[str, Any] = {}
    exec(function(emitted(source), name), after)
    after[name]({})
    assert after["x"] == before["x"]


DOCSTRINGS = {
    "one line": 'def f():\n    """Doc."""',
    "lines": 'def f():\n    """Doc.\n\n    More.\n    """',
    "blanks around": 'def f():\n    """  Doc.  """',
    "indentation of two": 'class A:\n  """Doc.\n\n    More.\n  """\n  x = 1',
    "tabs": 'def f():\n\t"""Doc.\n\t\tmore\n\t"""\n\treturn 1',
    "its quotes at the end": "def f():\n    '''Say \"a\"'''",
    "a backslash at the end": 'def f():\n    """Doc\\\\"""',
    "an async function": 'async def f():\n    """Doc.\n    More."""',
    "a function inside": 'def f():\n    def g():\n        """Doc.\n\n        More.\n        """\n    return g',
}


@pytest.mark.parametrize("case", DOCSTRINGS)
def test_a_docstring_moves_with_its_code(case: str) -> None:
    source = DOCSTRINGS[case]
    made = only_cell(plan_of(source))
    assert made.text_reason is None
    text = emitted(source)

    def docstrings(tree: ast.AST) -> list[str | None]:
        kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        return [ast.get_docstring(node) for node in ast.walk(tree) if isinstance(node, kinds)]

    wanted = [(doc or "").strip() for doc in docstrings(ast.parse(source))]
    (there,) = [n for n in workflow(text).body if getattr(n, "name", "") == made.function]
    assert [(doc or "").strip() for doc in docstrings(there)[1:]] == wanted


@pytest.mark.parametrize("reads", ["f.__doc__", "import doctest"])
def test_docstrings_that_the_notebook_reads_stay_to_the_blank(reads: str) -> None:
    made = plan_of('def f():\n    """Doc.\n\n    More.\n    """', reads)
    reason = made.steps[0].cells[0].text_reason
    assert reason is not None
    assert "docstring" in reason
    short = plan_of('def f():\n    """Doc."""', reads)
    assert short.steps[0].cells[0].text_reason is None


NEW = [
    "match x:\n    case [a, *b]:\n        print(a)\n    case {'k': v, **rest}:\n        pass",
    "try:\n    pass\nexcept* ValueError as e:\n    pass",
    "with (open('x') as f, open('y') as g,):\n    pass",
    "x[*y]",
    "def f(a, /, b, *, c): pass",
    "f'{x!r:>{y}}'",
    "async def g():\n    yield 1\nasync for i in g():\n    print(i)",
    "[y := i for i in range(3)]\ny",
    "match = case = type = _ = 1\nmatch",
]


@pytest.mark.parametrize("source", NEW)
def test_newer_python_can_be_a_function(source: str) -> None:
    made = only_cell(plan_of(source))
    assert made.text_reason is None
    emitted(source)


# --- text -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "",
        "x",
        "x\n",
        "print 'x'",
        "%%bash\necho \"hi\" ''' \\\n",
        "a\r\nb\rc",
        "a\x0cb\x1cc\u2028d",
        "{{ x }}",
        'x = "\ud83d"',
    ],
)
def test_a_text_is_the_cell_to_the_character(source: str) -> None:
    lines = spliced(cell(source, text_reason="because"), "form")
    assert "".join(ast.literal_eval(f"({lines})")) == source
    assert all(line.startswith("        ") and line.endswith(",") for line in lines.splitlines())


# --- what cannot be moved ---------------------------------------------------------------------------------------------

IMMOVABLE = {
    "a tab and a backslash before the first statement of a block": "if True:\n\t\\\n\tx = 1",
    "a chain of a thousand operators": "x = a" + "()" * 900,
}


@pytest.mark.parametrize("case", IMMOVABLE)
def test_what_libcst_cannot_read_is_kept_as_text(case: str, tmp_path: Path) -> None:
    source = IMMOVABLE[case]
    compile(source, "cell", "exec")
    outcome = planned(raw("a = 1", source, "a"), tmp_path / "trip.ipynb", Options())
    made, found = outcome.plan, outcome.found
    assert made is not None
    kept = [c for step in made.steps for c in step.cells if c.index == 1]
    assert [c.source for c in kept] == [source]
    assert kept[0].text_reason
    sound(text_of(made))
    codes = {d.rule.code for d in found if d.span.cell == 1}
    assert codes & {"PP309", "PP203", "PP208", "PP201"}


def test_a_field_of_a_cell_that_cannot_be_moved_is_not_asked_for(tmp_path: Path) -> None:
    source = "x = 5\nif True:\n\t\\\n\ty = 1"
    outcome = planned(raw(code(source, input="x")), tmp_path / "trip.ipynb", Options())
    made, found = outcome.plan, outcome.found
    assert made is not None
    assert made.steps[0].fields == ()
    assert made.steps[0].cells[0].changes == ()
    assert [d.rule.code for d in found] == ["PP303", "PP309"]


def test_only_what_cannot_be_moved_is_said_to_be() -> None:
    assert splice(plan_of("x = 1", "x", "print 'x'"))[1] == {}


# --- the check --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("f(1)", "        f(2)\n"),
        ("f(1)\ng(1)", "        g(1)\n        f(1)\n"),
        ("f(1)", "        f(1)\n        g(1)\n"),
        ("f(1)", "        return f(1)\n"),
        ("x = '''\na'''", "        global x  # out\n        x = '''\n        a'''\n"),
        ("def f():\n    'a b'", "        global f  # out\n        def f():\n            'a c'\n"),
    ],
)
def test_a_cell_that_came_out_otherwise_is_noticed(source: str, lines: str) -> None:
    declared = (("out", ("x", "f")),)
    with pytest.raises(InternalError, match="not the notebook's cell"):
        check(cell(source, declarations=declared), "form", lines)


def test_a_name_that_would_be_local_is_noticed() -> None:
    with pytest.raises(InternalError, match="x would be local"):
        check(cell("x = 1"), "form", "        x = 1\n")


def test_a_text_that_came_out_otherwise_is_noticed() -> None:
    with pytest.raises(InternalError, match="not the notebook's cell"):
        check(cell("a\nb", text_reason="because"), "form", '        "a",\n        "b",\n')


def test_global_lines_are_no_longer_than_a_line() -> None:
    names = (*(f"a_rather_long_name_{n}" for n in range(20)), "x" * 100)
    lines = spliced(cell("f(1)", declarations=(("in: from above", names),)), "form").splitlines()
    declared = [line for line in lines if line.lstrip().startswith("global")]
    assert all(len(line) <= 88 or "x" * 100 in line for line in declared)
    assert all(line.endswith("  # in: from above") for line in declared)
    listed = [n for line in declared for n in line.split("global ")[1].split("  #")[0].split(", ")]
    assert tuple(listed) == names


def test_a_name_that_the_compiler_cannot_mangle_keeps_its_cell_as_text() -> None:
    cells = ["a = [1]", "a = [(__x := i) for i in a]", "__x"]
    reason = plan_of(*cells).steps[1].cells[0].text_reason
    assert reason is not None
    assert "Python refuses it" in reason
    emitted(*cells)
