"""What analyse says of a cell besides its names: its form, its looks, and what is worth telling."""

import ast
import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path
from textwrap import indent

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.passes.notebooks import analysed, code, notebook
from tests.passes.test_scope import EXPRESSIONS, PROGRAMS
from transpiler.model.diagnostics import Rule, Span
from transpiler.model.ir import (
    AnalysedCode,
    Annotated,
    Cell,
    Code,
    Field,
    Notebook,
    Options,
    Slice,
    Text,
)
from transpiler.model.rules import all_rules
from transpiler.passes.analyse import analyse
from transpiler.passes.annotate import annotate
from transpiler.passes.read import read
from transpiler.python.positions import apply
from transpiler.python.scope import locals_of


def cell(source: str, **values: object) -> AnalysedCode:
    return analysed(code(0, source, **values))[0][0]


def rewritten(source: str) -> str:
    found = cell(source)
    assert found.text_reason is None
    return apply(source, list(found.edits))


def codes_of(*cells: str | Code) -> list[str]:
    return [diagnostic.rule.code for diagnostic in analysed(*cells)[2]]


# --- the form ---------------------------------------------------------------------------------------------------------

EDITS = [
    ("x: int = 5", "x = 5"),
    ("x: int=5", "x =5"),
    ("x: 'list[int]' = (5)", "x = (5)"),
    ("(x): int = 5", "(x) = 5"),
    ("x: (int  # a = b\n) = 5", "x = 5"),
    ("x: dict[str, int] = {'a': 1}; y = 2", "x = {'a': 1}; y = 2"),
    ("x: int; y = 2", "pass; y = 2"),
    ("if True:\n    é, ü = 'é', 1; x: int = 3", "if True:\n    é, ü = 'é', 1; x = 3"),
    ("print(locals())", "print(globals())"),
    ("print('é', vars(), dir())", "print('é', globals(), sorted(globals()))"),
    ("exec('a = 1')", "exec('a = 1', globals())"),
    ("exec('a = 1',)", "exec('a = 1', globals())"),
    ("exec(\n    'a = 1'\n)", "exec(\n    'a = 1'\n, globals())"),
    ("exec('a = 1', {})", "exec('a = 1', {})"),
    ("x = eval('1 + 1') + eval('2')", "x = eval('1 + 1', globals()) + eval('2', globals())"),
    ("x = 1\nglobal x\nx = 2", "x = 1\npass\nx = 2"),
    ("[n for n in dir() if n]", "[n for n in sorted(globals()) if n]"),
    ("{n: 1 for n in vars()}", "{n: 1 for n in globals()}"),
    ("exec(str(locals()))", "exec(str(globals()), globals())"),
    (
        "def f():\n    x: int = 1\n    return locals()",
        "def f():\n    x: int = 1\n    return locals()",
    ),
    ("class C:\n    x: int = 1\n    y = locals()", "class C:\n    x: int = 1\n    y = locals()"),
    ("a.b: int = 3", "a.b: int = 3"),
    ("x = vars(a)", "x = vars(a)"),
    ("locals = dict\nx = locals()", "locals = dict\nx = locals()"),
]


@pytest.mark.parametrize(("source", "expected"), EDITS)
def test_edits(source: str, expected: str) -> None:
    before = "import types\na = types.SimpleNamespace()"
    cells, _, found = analysed(before, source)
    assert cells[1].text_reason is None
    assert apply(source, list(cells[1].edits)) == expected
    assert [d.rule.code for d in found] == ["PP202"] * len(cells[1].edits)


KEPT = [
    ("from math import *", "import *"),
    ("from __future__ import annotations", "__future__"),
    ("return 1", "return"),
    ("x = yield", "yield"),
    ("nonlocal x", "nonlocal"),
    ("print(In[1])", "`In`"),
    ("def f(): return _i3", "`_i3`"),
    ("x: make() = 1", "annotation"),
    ("x: Unknown = 1", "annotation"),
    ("f = locals", "`locals`"),
    ("[locals() for x in y]", "`locals()`"),
    ("print(f'{dir()}')", "`dir()`"),
    ("[eval('x') for x in y]", "`eval`"),
    ("exec(*args)", "`exec`"),
    ("exec(code, None)", "`exec`"),
    ("exec(code  # it\n)", "`exec`"),
    ("exec('a', locals={})", "`exec`"),
    ("import sys\nf = sys._getframe()", "`_getframe`"),
    ("import inspect\nf = inspect.stack()", "`stack`"),
    ("get_ipython().run_line_magic('time', 'x = 1')", "`%time`"),
    ("get_ipython().run_cell_magic('time', '', 'x = 1')", "`%%time`"),
    (
        "get_ipython().run_line_magic('load_ext', 'sql')\nget_ipython().run_line_magic('sql', 'x = 1')",
        "`%sql`",
    ),
    ("get_ipython().run_line_magic('history', '')", "`%history`"),
    ("break", "Python refuses it"),
    ("def f(a, a): pass", "Python refuses it"),
    ("x = 1\nif x:\n    global x", "Python refuses it"),
]


@pytest.mark.parametrize(("source", "words"), KEPT)
def test_kept_as_text(source: str, words: str) -> None:
    cells, _, found = analysed("y = args = code = [1]", source)
    assert words in (cells[1].text_reason or "")
    assert cells[1].edits == ()
    assert "PP203" in [d.rule.code for d in found]


@pytest.mark.parametrize(
    "source",
    [
        "def f(form): return form",
        "[form for form in y]",
        "get_ipython().system('ls {y}')",
        "get_ipython().run_line_magic('matplotlib', 'inline')",
        "get_ipython().run_cell_magic('capture', 'out', 'print(y)')",
        "get_ipython().run_cell_magic('bash', '', 'ls')",
        "class C:\n    def f(self): return self.__x",
        "print(_, Out, display)",
        "def f(): yield 1",
        "async def f(): await y",
    ],
)
def test_functions_as_they_stand(source: str) -> None:
    found = analysed("y = 1", source)[0][1]
    assert (found.text_reason, found.edits, found.awaits) == (None, (), False)


@pytest.mark.parametrize(
    ("source", "awaits"),
    [
        ("x = await f()", True),
        ("async for x in y: pass", True),
        ("async with y: pass", True),
        ("x = [z async for z in y]", True),
        ("x = (z async for z in y)", True),
        ("async def g(): await f()", False),
        ("x = [(z async for z in y) for w in f]", True),
        ("class C:\n    async def g(self): await f()", False),
    ],
)
def test_awaits(source: str, awaits: bool) -> None:
    found = analysed("f = y = 1", source)[0][1]
    assert (found.text_reason, found.awaits) == (None, awaits)


def test_builtins_the_notebook_binds_are_not_builtins() -> None:
    assert analysed("def exec(code): pass", "exec('x')")[0][1].edits == ()
    assert analysed("def globals(): pass", "print(locals())")[0][1].text_reason is not None


def test_what_one_cell_does_decides_about_others() -> None:
    assert analysed("x: int = 1", "print(__annotations__)")[0][0].text_reason is not None
    assert analysed("def f(): pass", "import inspect\ninspect.getsource(f)")[0][0].text_reason
    assert analysed("f = lambda: 1\nclass C: pass", "print(getsource(f))")[0][0].text_reason
    assert analysed("'a text'\nx = 1", "print(__doc__)")[0][0].text_reason is not None
    future = "from __future__ import annotations"
    for definition in ("def f(x: int): pass", "def f() -> int: pass", "class C:\n    x: int"):
        assert "annotations" in (analysed(future, definition)[0][1].text_reason or "")
    assert analysed(future, "def f(): pass")[0][1].text_reason is None
    assert analysed("from __future__ import division", "x: int = 1")[0][1].text_reason is None


@pytest.mark.parametrize(
    "setting",
    [
        "from IPython.core.interactiveshell import InteractiveShell\nInteractiveShell.ast_node_interactivity = 'all'",
        "get_ipython().run_line_magic('config', \"InteractiveShell.ast_node_interactivity = 'all'\")",
        "get_ipython().ast_transformers.append(1)",
    ],
)
def test_shell_settings(setting: str) -> None:
    cells, _, found = analysed(setting, "1\n2", "3")
    assert [bool(c.text_reason) for c in cells] == [False, True, True]
    assert [d.rule.code for d in found] == ["PP207"]


@pytest.mark.parametrize(
    "setting",
    [
        "from x import S\nS.ast_node_interactivity = 'last_expr'",
        "get_ipython().run_line_magic('config', \"InteractiveShell.ast_node_interactivity = 'last_expr'\")",
        "print('interactivity')\nget_ipython().run_line_magic('config', 'X.y = 1')\nget_ipython().kernel",
    ],
)
def test_settings_that_change_nothing(setting: str) -> None:
    cells, _, found = analysed(setting, "1")
    assert cells[1].text_reason is None
    assert not found


# --- looks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "import a\nfrom b import c",
        "try:\n    import a\nexcept ImportError:\n    import b",
        "try:\n    import a\n    HAS_A = True\nexcept ImportError:\n    a = None",
        "def f(): pass\nclass C: pass\nasync def g(): pass",
        "import pandas as pd\npd.set_option('display.max_rows', 5)",
        "plt.style.use('ggplot');",
        "plt.rcParams['figure.figsize'] = 1, 2\npd.options.display.max_rows = 3",
        "warnings.filterwarnings('ignore')",
        "np.random.seed(0)",
        "get_ipython().run_line_magic('matplotlib', 'inline')",
        "sys.path.append('..')",
        '"""What follows."""\nimport a',
        "# only a comment",
        "LIMIT = 5\nNAMES: list = ['a', -1]",
        "if DEBUG:\n    import pdb\nelse:\n    X = 1",
        "x: int",
        "InteractiveShell.ast_node_interactivity = 'all'",
        "pass",
    ],
)
def test_setup(source: str) -> None:
    assert cell(source).setup


@pytest.mark.parametrize(
    "source",
    [
        "x = 1",
        "LIMIT = f()",
        "LIMIT = 1\nLIMIT",
        "print(1)",
        "import a\na.b",
        "for x in y: pass",
        "if f():\n    import a",
        "try:\n    x()\nexcept E:\n    pass",
        "get_ipython().system('ls')",
        "a.b = 1",
        "NAME, x = 1, 2",
        "df.update(x)",
        "X = 10 ** 10 ** y",
    ],
)
def test_not_setup(source: str) -> None:
    assert not cell(source).setup


def test_setup_can_be_said_and_a_field_rules_it_out() -> None:
    assert cell("x = 1", options=Options(setup=True)).setup
    assert not cell("import a", options=Options(setup=False)).setup
    asked = Field("N", "integer", "N", 1, Slice(4, 5), Span(0, 1, 5, 1, 6))
    assert not cell("N = 1", fields=(asked,)).setup
    assert not cell("x x", made=None).setup


@pytest.mark.parametrize(
    ("source", "shows"),
    [
        ("x = 1\nx", True),
        ("x = 1\nx;", False),
        ("x = 1", False),
        ("", False),
        ("if 1:\n    2", False),
    ],
)
def test_shows(source: str, shows: bool) -> None:
    assert cell(source).shows is shows


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("# Load the data\nx", "Load the data"),
        ("\n## load the data.\nx", "Load the data"),
        ("#| echo: false\n# Plot it\nx", "Plot it"),
        ("# --- Step 3: clean up ---", "Clean up"),
        ("# 2. Train", "Train"),
        ("%matplotlib inline\n# A chart", "A chart"),
        ("x = 1\n# Not first", None),
        ("# x = 1", None),
        ("# df.head()", None),
        ("# import os", "Import os"),
        ("# noqa", None),
        ("# type: ignore", None),
        ("# -*- coding: utf-8 -*-", None),
        ("#!/usr/bin/python", None),
        ("# %% cell", None),
        ("#@title Nice", None),
        ("# TODO later", None),
        ("# " + "long " * 20, None),
        ("#", None),
        ("# ----", None),
        ("", None),
    ],
)
def test_suggested_title(source: str, title: str | None) -> None:
    assert cell(source).suggested_title == title


@pytest.mark.parametrize(
    ("source", "files"),
    [
        ("pd.read_csv('a.csv')", ["a.csv"]),
        ("pd.read_csv(filepath_or_buffer='a.csv')", ["a.csv"]),
        ("open('./data/x.txt')", ["data/x.txt"]),
        ("open('x.txt', 'rb')", ["x.txt"]),
        ("open('x.txt', 'w')\nopen('y.txt', mode='a')", []),
        ("json.load(open('x.json'))", ["x.json"]),
        ("Path('data/x.json').read_text()", ["data/x.json"]),
        ("(Path('data') / 'x.json').open()", ["data/x.json"]),
        ("Path('x.txt').open('w')", []),
        ("Path('x.txt').write_text('')", []),
        ("open(Path('data', 'x.txt'))", ["data/x.txt"]),
        ("open(os.path.join('data', 'x.txt'))", ["data/x.txt"]),
        ("folder = 'data'\npath = folder + '/x.csv'\npd.read_csv(path)", ["data/x.csv"]),
        ("path = 'x.csv'\npath = f()\npd.read_csv(path)", []),
        ("plt.imread('a.png')\nnp.load('b.npy')\nImage.open('c.jpg')", ["a.png", "b.npy", "c.jpg"]),
        ("df.to_csv('out.csv')", []),
        ("pd.read_csv('https://x.org/a.csv')", []),
        (
            "pd.read_csv('/tmp/a.csv')\nopen('~/x.txt')\nopen('../y.txt')\nopen('C:/z.txt')",
            ["../y.txt"],
        ),
        ("load('x')\nsns.load_dataset('iris')", []),
        ("get_ipython().run_line_magic('run', 'helpers.py')", ["helpers.py"]),
        ("get_ipython().run_line_magic('cd', 'data/x')", []),
        ("open()\nopen(x)\nopen('')\nopen(a / 'b.c')\nopen(a + 'b.c')", []),
    ],
)
def test_files(source: str, files: list[str]) -> None:
    assert list(analysed(source)[1].files) == files


def test_modules() -> None:
    source = "import os, helpers, a.b as c\nfrom json import x\nfrom . import d, e\nfrom .f import g\nfrom . import *"
    assert analysed(source)[1].modules == ("helpers", "a.b", ".d", ".e", ".f")


def test_requirements_are_those_of_the_cells() -> None:
    first, second = code(0, "x = 1"), code(1, "y = 1")
    assert first.python is not None
    assert second.python is not None
    first = replace(first, python=replace(first.python, requirements=("b", "a")))
    second = replace(second, python=replace(second.python, requirements=("a", "c")))
    assert analysed(first, second)[1].requirements == ("b", "a", "c")


# --- what is said -------------------------------------------------------------------------------------------------------


def test_a_plain_notebook_gives_nothing() -> None:
    cells = [
        "import numpy as np\nimport pandas as pd\nimport matplotlib.pyplot as plt",
        "df = pd.read_csv('sales.csv')\ndf.head()",
        "def total(frame, by='region'):\n    return frame.groupby(by).amount.sum()",
        "by_region = total(df)\nfor region, amount in by_region.items():\n    print(f'{region}: {amount:.2f}')",
        "fig, ax = plt.subplots()\nby_region.plot.bar(ax=ax)\nplt.show()",
        "best = {k: v for k, v in by_region.items() if v > 10}\ndel fig\nbest",
        "try:\n    __file__\nexcept NameError:\n    print('no file')",
        "with open('out.txt', 'w') as out:\n    print(_, Out, file=out)\ndisplay(df)",
    ]
    assert analysed(*cells)[2] == ()


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        (["print(x)"], ["PP204"]),
        (["print(x)", "x = 1"], ["PP205"]),
        (["x = 1", "del x", "print(x)"], ["PP206"]),
        (["x = 1", "if x:\n    del x", "print(x)"], []),
        (["def f(): return x", "x = 1\nf()"], []),
        (["def f(): return nothing"], ["PP204"]),
        (["def f():\n    global g\n    g = 1", "f()", "g"], []),
        (["from m import *", "print(x)"], ["PP203"]),
        (["exec(open('x.py').read())", "print(x)"], ["PP202"]),
        (["get_ipython().run_line_magic('run', 'x.py')", "print(x)"], ["PP203"]),
        (["try:\n    x\nexcept NameError:\n    x = 1\nx"], []),
        (["if 'x' not in globals():\n    x = 1", "x"], []),
        (["get_ipython().system('echo $HOME {x}')"], ["PP216"]),
        (["for i in range(3): pass\nprint(i)"], []),
        (["print(x); x = 1"], []),
    ],
)
def test_undefined(cells: list[str], codes: list[str]) -> None:
    assert codes_of(*cells) == codes


def test_undefined_in_a_cell_that_is_meant_to_fail() -> None:
    assert codes_of(code(0, "print(x)", options=Options(raises=True))) == []


def test_the_nearest_name() -> None:
    found = analysed("salary = 1", "print(salery)")[2]
    assert "`salary`" in found[0].message
    assert found[0].span == Span(1, 1, 7, 1, 13)


def test_places_are_those_of_the_notebook() -> None:
    source = "#| step: A\n#| run: button\nprint('é', nope)"
    made = code(0, source, "print('é', nope)").python
    assert made is not None
    shifted = code(0, source, made=replace(made, lines=(3,)))
    assert analysed(shifted)[2][0].span == Span(0, 3, 12, 3, 16)


def test_a_cell_that_does_not_parse() -> None:
    cells, analysis, found = analysed(code(0, "x x", made=None), code(1, "y y"), "print(x)")
    assert [bool(c.text_reason) for c in cells] == [True, True, False]
    assert analysis.live["c0"] == ()
    assert found == ()


def test_a_cell_nested_too_deeply_is_kept() -> None:
    cells, _, found = analysed("x = " + "+".join(["1"] * 3000), "print(x)")
    assert cells[0].text_reason is not None
    assert cells[1].text_reason is None
    assert [d.rule.code for d in found] == ["PP208"]


def test_text_cells_pass_through() -> None:
    text = Text(Cell(0, "t", "markdown", "# A"), ())
    made = code(1, "x = 1")
    book = Annotated(Notebook("a.ipynb", (text.cell, made.cell), {}), "A", (text, made))
    assert analyse(book)[0].items[0] is text


def test_everything_is_live_before_dynamic_code() -> None:
    assert analysed("a = b = 1", "exec(open('x').read())")[1].live["c0"] == ("a", "b")
    assert analysed("a = b = 1", "def f(): exec(x)\nf()")[1].live["c0"] == ("a", "b")
    assert analysed("a = b = 1", "print(locals())")[1].live["c0"] == ("a", "b")


# --- invariants ---------------------------------------------------------------------------------------------------------


def run_as_cell(source: str, namespace: dict[str, object]) -> str:
    """Run a cell as IPython does, each top-level statement compiled by itself; return the error it ends with."""
    try:
        for statement in ast.parse(source).body:
            exec(compile(ast.Module([statement], []), "<cell>", "exec"), namespace)
    except Exception as error:
        return repr(error)
    return ""


def run_as_function(source: str, names: list[str], namespace: dict[str, object]) -> str:
    header = f"    global {', '.join(names)}\n" if names else ""
    function = "def cell(form):\n" + header + indent(source, "    ") + "\n"
    assert locals_of(function) == set()
    own: dict[str, object] = {}
    exec(compile(function, "<function>", "exec"), namespace, own)
    try:
        own["cell"](None)  # type: ignore[operator]
    except Exception as error:
        return repr(error)
    return ""


def plain(namespace: dict[str, object]) -> dict[str, object]:
    def shown(value: object) -> object:
        return value if isinstance(value, int | str | list | dict) else type(value)

    hidden = ("__builtins__", "__annotations__", "__warningregistry__")
    shapes = {name: repr(shown(value)) for name, value in namespace.items() if name not in hidden}
    # addresses, and where a lambda was made, which the runtime takes off again
    return {
        name: re.sub(r" at 0x\w+|cell\.<locals>\.", "", shape) for name, shape in shapes.items()
    }


ANNOTATED = st.one_of(
    st.builds("{}: int = {}".format, st.sampled_from("abcd"), EXPRESSIONS),
    st.builds("{}: int".format, st.sampled_from("abcd")),
    st.just("exec('a = 1')\nb = eval('a + 1')"),
    st.just("c = sorted(n for n in locals() if len(n) == 1)"),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(PROGRAMS | ANNOTATED, min_size=1, max_size=4))
@example(["a = [1]", "b: int = a; b += [2]"])
def test_a_cells_function_does_what_the_cell_does(sources: list[str]) -> None:
    before = {"E": ValueError, "f": lambda *a, **k: len(a), "a": [1, 2], "b": 2}
    one, two = dict(before, a=[1, 2]), dict(before, a=[1, 2])
    cells, _, _ = analysed("a = b = E = f = 0", *sources)
    for found, source in zip(cells[1:], sources, strict=True):
        if found.text_reason is not None:
            continue
        names = found.names
        declared = sorted({*names.reads, *names.binds, *names.deletes})
        error = run_as_cell(source, one)
        assert run_as_function(apply(source, list(found.edits)), declared, two) == error
        assert plain(one) == plain(two)


@settings(max_examples=200, deadline=None)
@given(PROGRAMS, PROGRAMS)
@example("k = 1\ndef a(): return k\nb = [a]", "c = b[0]()")
@example("def a():\n    global b\n    b += 1\nc = lambda: a()", "c()\nprint(b)")
@example("class a:\n    def go(self): return b\nc = a()", "d = c.go()")
def test_a_cell_needs_no_more_than_it_is_said_to_read(first: str, second: str) -> None:
    """Without all other names of the cells before, it does the same."""
    cells, _, _ = analysed("a = b = E = f = 0", first, second)
    results = []
    for keep in (None, {*cells[2].names.reads}):
        namespace: dict[str, object] = {
            "E": ValueError,
            "f": lambda *a, **k: len(a),
            "a": [1, 2],
            "b": 2,
        }
        run_as_cell(first, namespace)
        for name in set(namespace) - (keep if keep is not None else set(namespace)):
            if name != "__builtins__":
                del namespace[name]
        error = run_as_cell(second, namespace)
        made = {*cells[2].names.binds} & namespace.keys() - {*cells[2].names.deletes}
        results.append(
            (error, plain({name: namespace[name] for name in made if name in namespace}))
        )
    whole, cut = results
    assert cut[0] == whole[0]
    for name, value in cut[1].items():
        assert whole[1][name] == value


@settings(max_examples=150, deadline=None)
@given(st.lists(PROGRAMS | ANNOTATED | st.text(max_size=30), min_size=1, max_size=5))
@example(["x = 1\r\ny: int = 2\rz: int = 3", "print(y, q)", "\x0cx: int = 1"])
def test_never_raises_and_stays_inside(sources: list[str]) -> None:
    book = notebook(*sources)
    analysis, found = analyse(book)
    assert (analysis, found) == analyse(book)
    for diagnostic in found:
        span = diagnostic.span
        lines = sources[span.cell].split("\n")
        assert 1 <= span.line <= span.end_line <= len(lines)
        assert 1 <= span.column <= len(lines[span.line - 1]) + 1
        assert 1 <= span.end_column <= len(lines[span.end_line - 1]) + 1
        assert (span.line, span.column) <= (span.end_line, span.end_column)
        assert diagnostic.message
        assert diagnostic.help
    for item, source in zip(analysis.items, sources, strict=True):
        assert isinstance(item, AnalysedCode)
        if item.edits:
            ast.parse(apply(source, list(item.edits)))


# --- fixtures -----------------------------------------------------------------------------------------------------------

RULES = [rule for rule in all_rules() if "PP202" <= rule.code < "PP300"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_each_rule_has_a_fixture_and_a_page(rule: Rule) -> None:
    book = json.loads(
        Path(f"fixtures/broken/{rule.name.replace('-', '_')}.ipynb").read_text("utf-8")
    )
    notebook, found = read(json.dumps(book).encode(), "trip.ipynb")
    assert notebook is not None
    annotated, more = annotate(notebook)
    assert [d.rule.code for d in found + more + analyse(annotated)[1]] == [rule.code]
    page = Path(f"docs/diagnostics/{rule.code}.md").read_text("utf-8")
    assert page.startswith(f"# {rule.code} {rule.name} ({rule.severity.name.lower()})\n")


def test_a_coroutine_is_made_of_a_cell_that_awaits() -> None:
    found = cell("import asyncio\nx = await asyncio.sleep(0, 5)")
    function = "async def cell(form):\n    global asyncio, x\n" + indent(
        found.code.cell.source, "    "
    )
    namespace: dict[str, object] = {}
    exec(function, namespace)
    asyncio.run(namespace["cell"](None))  # type: ignore[operator]
    assert found.awaits
    assert namespace["x"] == 5
