import ast
import json
import os
import random
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.helpers import codes_of
from transpiler.model.ir import Cell, Python
from transpiler.notebook import ipython
from transpiler.notebook.installs import requirements_of
from transpiler.notebook.ipython import kept_in, parse, python_of


def cell(source):
    return Cell(0, "a", "code", source)


def magic(name, args):
    return f"get_ipython().run_line_magic({name!r}, {args!r})"


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("", id="nothing"),
        pytest.param("x = 1", id="one line"),
        pytest.param("x = 1\n\n", id="blank lines at the end"),
        pytest.param("# only a comment", id="a comment"),
        pytest.param("await f()\nasync for x in y: pass", id="await at the top level"),
        pytest.param("s = '''\n%matplotlib inline\n!ls\n'''", id="what looks like magic in a text"),
        pytest.param("x = 5 %2\ny = a !=b", id="operators that look like magic"),
        pytest.param("x = '\\d'\n1 is 1", id="code Python warns about"),
        pytest.param("a = 1\n\x0cb = 2", id="a form feed"),
        pytest.param("x = 1\nglobal x", id="what only a whole file forbids"),
        pytest.param("import os\nfrom __future__ import annotations", id="a late __future__, as IPython allows"),
    ],
)  # fmt: skip
def test_python_is_left_as_it_is(source):
    assert python_of(cell(source)) == (Python(source, tuple(range(1, source.count("\n") + 2))), ())


@pytest.mark.parametrize(
    ("source", "text", "lines"),
    [
        pytest.param("#| step: A\nx = 1", "x = 1", (2,), id="an option above the code"),
        pytest.param("\n# note\n#| step: A\nx = 1\n", "\n# note\nx = 1\n", (1, 2, 4, 5), id="an option below a comment"),
        pytest.param("x = 1\n#| step: A", "x = 1\n#| step: A", (1, 2), id="what looks like one below code is a comment"),
        pytest.param("#| skip", "", (1,), id="nothing but an option"),
    ],
)  # fmt: skip
def test_option_lines_are_gone(source, text, lines):
    assert python_of(cell(source)) == (Python(text, lines), ())


@pytest.mark.parametrize(
    ("source", "text", "lines"),
    [
        pytest.param("%time f(x)\ny", magic("time", "f(x)") + "\ny", (1, 2), id="a line magic"),
        pytest.param("x = %pwd\nfiles = !ls", "x = " + magic("pwd", "") + "\nfiles = get_ipython().getoutput('ls')", (1, 2), id="assigned magics"),
        pytest.param("!ls \\\n  -l\nx", "get_ipython().system('ls    -l')\nx", (1, 3), id="a shell line continued"),
        pytest.param("if a:\n    !ls\n", "if a:\n    get_ipython().system('ls')", (1, 2), id="a shell line in a block"),
        pytest.param(">>> a = 1\n>>> a\n", "a = 1\na", (1, 2), id="prompts"),
        pytest.param("In [1]: a = 1\n   ...: b = 2", "a = 1\nb = 2", (1, 2), id="IPython's prompts"),
        pytest.param("  a = 1\n  b = 2", "a = 1\nb = 2", (1, 2), id="an indent of the whole cell"),
        pytest.param("\n\n  %time x\n", magic("time", "x"), (3,), id="blank lines at the top"),
        pytest.param("%%time\nx = 1\n", "get_ipython().run_cell_magic('time', '', 'x = 1\\n')", (1,), id="a cell magic"),
        pytest.param("#| step: A\n%%bash -e\nls", "get_ipython().run_cell_magic('bash', '-e', 'ls\\n')", (2,), id="a cell magic below an option"),
        pytest.param("%%writefile a.py\n#| export\nx", "get_ipython().run_cell_magic('writefile', 'a.py', '#| export\\nx\\n')", (1,), id="option-like lines below a cell magic are its text"),
        pytest.param("%%capture out\n!pip install a", "get_ipython().run_cell_magic('capture', 'out', '!pip install a\\n')", (1,), id="an installation whose output is wanted"),
        pytest.param("%%bash\npip install a\nls", "get_ipython().run_cell_magic('bash', '', 'pip install a\\nls\\n')", (1,), id="a script that installs and more"),
        pytest.param("%config InlineBackend.figure_format = 'svg'", magic("config", "InlineBackend.figure_format = 'svg'"), (1,), id="what figures look like"),
        pytest.param("%matplotlib --list", magic("matplotlib", "--list"), (1,), id="a question to %matplotlib"),
        pytest.param("%load_ext sql\n!pip install {x}", magic("load_ext", "sql") + "\nget_ipython().system('pip install {x}')", (1, 2), id="a computed installation"),
        pytest.param("%aimport a.b, c", "import a.b, c", (1,), id="autoreload's import"),
        pytest.param("%pylab inline", magic("pylab", "inline"), (1,), id="%pylab, which imports names"),
        pytest.param("x = 1\x0c\n%time y\nz", "x = 1\x0c\n" + magic("time", "y") + "\nz", (1, 2, 3), id="a form feed before a magic"),
        pytest.param(",f a b", 'f("a", "b")', (1,), id="quoting call"),
    ],
)  # fmt: skip
def test_ipython_transforms(source, text, lines):
    assert python_of(cell(source)) == (Python(text, lines, magic=True), ())


@pytest.mark.parametrize(
    ("source", "text", "found", "packages"),
    [
        pytest.param("%matplotlib inline\nx", "x", [], (), id="at the top, nothing is left"),
        pytest.param("x = 1\n%matplotlib inline", "x = 1", [], (), id="below an assignment, nothing is left"),
        pytest.param("df\n%matplotlib inline", "df\npass", [], (), id="below an expression, which must stay unshown"),
        pytest.param("%matplotlib\n%matplotlib inline", "", [], (), id="nothing but lines that go"),
        pytest.param("if a:\n    %matplotlib inline\nx", "if a:\n    pass\nx", [], (), id="all of a block"),
        pytest.param("%matplotlib widget", "", ["PP131"], (), id="an interactive backend is reported"),
        pytest.param("%load_ext autoreload\n%autoreload 2\n%aimport -x\na", "a", ["PP131"] * 3, (), id="autoreload"),
        pytest.param("%reload_ext autoreload", "", ["PP131"], (), id="autoreload again"),
        pytest.param("df?\nx", "x", ["PP132"], (), id="help"),
        pytest.param("??df\n?\n%pinfo x\na.*b?", "", ["PP132"] * 4, (), id="help in all its forms"),
        pytest.param("!pip install a\nx", "x", ["PP130"], ("a",), id="pip in the shell"),
        pytest.param("%pip install a b\n%conda install c=1", "", ["PP130"] * 2, ("a", "b", "c==1"), id="pip and conda as magics"),
        pytest.param("!!pip install -q a", "", ["PP130"], ("a",), id="pip with output caught"),
        pytest.param("%%capture\n!pip install a\n# note", "", ["PP130"], ("a",), id="a captured cell that only installs"),
        pytest.param("%%capture --no-stderr\n%pip install a\nx = 1", "get_ipython().run_cell_magic('capture', '--no-stderr', 'x = 1\\n')", ["PP130"], ("a",), id="a captured cell that installs and more"),
        pytest.param("%%bash\npip install a\npip install b", "", ["PP130"], ("a", "b"), id="a script that only installs"),
        pytest.param("%%time?", "", ["PP132"], (), id="help for a cell magic"),
        pytest.param("try:\n    import a\nexcept ImportError:\n    !pip install a", "try:\n    import a\nexcept ImportError:\n    pass", ["PP130"], ("a",), id="pip when needed"),
    ],
)  # fmt: skip
def test_lines_that_go(source, text, found, packages):
    python, diagnostics = python_of(cell(source))
    assert python.text == text
    assert python.requirements == packages
    assert python.magic
    assert codes_of(diagnostics) == found
    assert len(python.lines) == text.count("\n") + 1


@pytest.mark.parametrize(
    ("source", "elsewhere", "text"),
    [
        pytest.param("%load_ext autoreload\n%autoreload 2", "%%writefile a.py\nx = 1", magic("load_ext", "autoreload") + "\n" + magic("autoreload", "2"), id="a module is written"),
        pytest.param("%aimport -a", "open('a.py', 'w')", magic("aimport", "-a"), id="a module is opened"),
        pytest.param("%matplotlib inline", "%config InlineBackend.rc = {}", magic("matplotlib", "inline"), id="the backend is told what to set"),
        pytest.param("%matplotlib inline\n1", "%config InlineBackend.figure_format = 'svg'", "1", id="the backend is told what to draw"),
        pytest.param("%autoreload 2\n1", "%%writefile a.txt\nx.pyz", "1", id="another file is written"),
    ],
)  # fmt: skip
def test_lines_that_stay_for_what_other_cells_do(source, elsewhere, text):
    python, _ = python_of(cell(source), kept_in([source, elsewhere]))
    assert python.text == text


@pytest.mark.parametrize(
    ("command", "packages"),
    [
        pytest.param("ls", (), id="another command"),
        pytest.param("pip list", (), id="pip, but no installation"),
        pytest.param("pip install", (), id="nothing to install"),
        pytest.param("pip install --upgrade", (), id="options only"),
        pytest.param("pip install a && ls", (), id="something else as well"),
        pytest.param("pip install 'a", (), id="a quote that is not closed"),
        pytest.param("pip install $A", (), id="a variable"),
        pytest.param("pip install a 'b>=1' c[d]==2", ("a", "b>=1", "c[d]==2"), id="several with versions"),
        pytest.param("pip3 -q install -U --index-url https://x a -c f.txt", ("a",), id="options with and without value"),
        pytest.param("python -m pip install a; uv pip install b;", ("a", "b"), id="two commands"),
        pytest.param("{sys.executable} -m pip install a", ("a",), id="by sys.executable"),
        pytest.param("pip install -r req.txt -e .", ("-r req.txt", "-e ."), id="files and folders"),
        pytest.param("pip install -r", ("-r",), id="a file that is missing"),
        pytest.param("pip install a > /dev/null 2>&1 | tail -1", ("a",), id="output sent away"),
        pytest.param("pip install a  # for b", ("a",), id="a comment"),
        pytest.param("conda install -y -c conda-forge a=1.2 b>=3", ("a==1.2", "b>=3"), id="conda"),
        pytest.param("pip install git+https://x/y.git@main", ("git+https://x/y.git@main",), id="from git"),
    ],
)  # fmt: skip
def test_requirements(command, packages):
    assert requirements_of(command) == packages


@pytest.mark.parametrize(
    ("source", "hidden"),
    [
        pytest.param("x", False, id="none"),
        pytest.param("x;", True, id="at the end"),
        pytest.param("x;  # note\n\n# more", True, id="before comments"),
        pytest.param("x; y", False, id="between statements"),
        pytest.param("x  # ;", False, id="in a comment"),
        pytest.param("f(';')", False, id="in a text"),
        pytest.param("#;", False, id="nothing but a comment"),
        pytest.param("if a:\n    x;", False, id="in a block, where nothing would be shown anyway"),
        pytest.param("%time x;", False, id="in a magic, which sees to it by itself"),
        pytest.param("x;\n%matplotlib inline", False, id="before a line that goes"),
    ],
)
def test_a_last_semicolon(source, hidden):
    assert python_of(cell(source))[0].tail_semicolon is hidden


@pytest.mark.parametrize(
    ("source", "place", "words"),
    [
        pytest.param("x = = 1", (1, 5), "invalid syntax", id="a slip"),
        pytest.param("#| step: A\n\nprint 'é'", (3, 1), "print", id="Python 2, below an option"),
        pytest.param("a\nreturn 5", (2, 1), "outside function", id="what only the compiler sees"),
        pytest.param("%time x\ny = (", (2, 5), "never closed", id="below a magic"),
        pytest.param(">>> x = 1\n>>> y = = 1", (2, 9), "invalid syntax", id="behind a prompt"),
        pytest.param("x = 1 %", (1, 8), "invalid syntax", id="an operator at the end"),
        pytest.param("x = '\0'", None, "null", id="a NUL"),
        pytest.param("(" * 300, None, "", id="nested without end"),
        pytest.param("-" * 30_000 + "1", None, "nest", id="a deep tree"),
        pytest.param("!x = (\n)", None, "", id="a shell line in two"),
        pytest.param("a b\n%time x", (1, 3), "invalid syntax", id="above a magic"),
    ],
)  # fmt: skip
def test_a_cell_that_does_not_parse(source, place, words):
    python, found = python_of(cell(source))
    assert python is None
    assert codes_of(found) == ["PP201"]
    assert words in found[0].message
    if place:
        assert found[0].span[:3] == (0, *place)


@example("\\\n?")
@given(st.text(alphabet=st.sampled_from("ab=1 \n%!?;'\"#|()[]:.\\é\x0c\u2028,/>*\t"), max_size=40))
def test_never_raises_and_maps_each_line(source):
    assert_inside(source)


@given(st.lists(st.sampled_from(["x = 1", "%time x", "    y", "if a:", "!ls", "df?", "%matplotlib inline", "'''", "#| a", "!pip install q", "%%capture", ">>> z", "f(\\", ")", ""]), max_size=8))  # fmt: skip
def test_never_raises_on_lines_of_notebooks(lines):
    assert_inside("\n".join(lines))


def assert_inside(source):
    """Raise AssertionError unless each line and each span of what is made of a source lies inside it."""
    python, found = python_of(cell(source))
    count = source.count("\n") + 1
    if python:
        assert len(python.lines) == python.text.count("\n") + 1
        assert list(python.lines) == sorted(python.lines)
        assert all(1 <= number <= count for number in python.lines)
        parse(python.text)
    for diagnostic in found:
        _, line, column, end_line, end_column = diagnostic.span
        rows = source.split("\n")
        assert 1 <= line <= end_line <= len(rows)
        assert 1 <= column <= len(rows[line - 1]) + 1
        assert 1 <= end_column <= len(rows[end_line - 1]) + 1
        assert (line, column) <= (end_line, end_column)


def test_a_cell_of_magics_is_as_ipython_has_it():
    """What is not left out is the transformer's own text."""
    from IPython.core.inputtransformer2 import TransformerManager

    pieces = ["x = %pwd\n", "!ls -l\n", "if a:\n    %time b\n", "c = 'é'\n", "# note\n", "%who\n"]
    choose = random.Random(1)
    for _ in range(50):
        source = "".join(choose.choices(pieces, k=5))
        expected = TransformerManager().transform_cell(source).rstrip("\n")
        python, _ = python_of(cell(source))
        assert python.text.rstrip("\n") == expected


def test_parse_takes_await_and_refuses_what_is_no_cell():
    assert isinstance(parse("await x").body[0], ast.Expr)
    for text in (
        "return 1",
        "class A:\n    yield",
        "'\ud800'",
        "break",
        "nonlocal x",
        "def f(a, a): pass",
    ):
        with pytest.raises(SyntaxError):
            parse(text)


def test_more_magics_than_ipython_takes(monkeypatch):
    """IPython needs the square of their number, and gives up at 500."""
    monkeypatch.setattr(ipython, "_AT_MOST", 3)
    assert python_of(cell("%time x\n" * 2))[0] is not None
    assert codes_of(python_of(cell("%time x\n" * 3))[1]) == ["PP201"]


CELLS = [
    "x = 3; x",
    "x;",
    "x;  # note\n\n# more",
    "if x:\n    x;",
    "x\ny = 1",
    "a = %pwd\nlen(a) > 0",
    ">>> q = 1\n... \n>>> q",
    "%%capture out\nprint(1)",
    "out.stdout",
    "!echo hi",
    "  w = 2\n  w",
    "\n\n%precision 2\n1.2345",
    "await __import__('asyncio').sleep(0, 5)",
    "x = 1\nglobal x\nx",
    "r = !echo a b\nr[0]",
    "s = '''\n%matplotlib inline\n>>> x\n'''\ns",
    "def f(a, a): pass",
    "return 5",
]
RUN = """
import json, sys
from traitlets.config import Config
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
found = []
for text in json.load(sys.stdin):
    with capture_output() as streams:
        result = shell.run_cell(text, store_history=True)
    error = result.error_before_exec or result.error_in_exec
    printed = "" if error else streams.stdout
    found.append([repr(result.result), type(error).__name__, printed, [repr(o) for o in streams.outputs]])
json.dump(found, sys.stdout)
"""


def test_ipython_gives_the_same_for_our_text_as_for_the_cell(tmp_path):
    """Two shells, the second one given what `python_of` made; a cell that does not parse is kept as it is."""

    def given_by(texts):
        environment = os.environ | {"IPYTHONDIR": str(tmp_path), "NO_COLOR": "1"}
        run = subprocess.run(
            [sys.executable, "-c", RUN],
            input=json.dumps(texts),
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        return json.loads(run.stdout)

    pythons = [python_of(cell(source))[0] for source in CELLS]
    ours = [p.text if p else source for p, source in zip(pythons, CELLS, strict=True)]
    expected = given_by(CELLS)
    assert given_by(ours) == expected
    errors = [error for _, error, *_ in expected]
    assert errors == ["NoneType" if p else "SyntaxError" for p in pythons]
    assert expected[0][2] != ""
    assert expected[1][2] == ""
