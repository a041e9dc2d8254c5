"""What holds for every notebook: random ones, put together from a grammar of statements, words and options.

The emitted file is the same each time, compiles, is black's fixpoint, holds each cell's tree but for the listed edits, and
porting twice writes nothing. Places of diagnostics lie inside their cells.
"""

import ast
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.build import code, md, raw, sound, text_of, tree, workflow
from transpiler.model.diagnostics import Found
from transpiler.model.ir import Plan, PlannedCell
from transpiler.model.options import Options
from transpiler.pipeline import planned, port

BOUNDED = settings(
    deadline=None,
    derandomize=True,
    max_examples=int(os.environ.get("PIPULATE_EXAMPLES", "50")),
    suppress_health_check=list(HealthCheck),
)

# --- random notebooks -------------------------------------------------------------------------------------------------------

names = st.sampled_from(["a", "b", "rows", "total", "form", "self", "__x", "größe", "P", "match"])
texts = st.sampled_from(
    [
        '"x"',
        "'it\\'s'",
        '"""a\n  b\n\tc"""',
        "f'{a!r:>{b}}'",
        "r'\\d'",
        "b'x'",
        '"{{ x }}"',
        "'é🎉'",
    ]
)
atoms = st.one_of(
    names, texts, st.sampled_from(["1", "2.5", "None", "...", "0xFF", "1_000", "1E5"])
)


def _joined(*parts: Any) -> st.SearchStrategy[str]:
    return st.tuples(*(st.just(p) if isinstance(p, str) else p for p in parts)).map("".join)


expressions: st.SearchStrategy[str] = st.recursive(
    atoms,
    lambda e: st.one_of(
        _joined("(", e, " + ", e, ")"),
        _joined("(", e, "  # why\n  if ", e, " else ", e, ")"),
        _joined("print(", e, ", end='')"),
        _joined("[", e, ",", e, "]"),
        _joined("{", e, ":", e, "}"),
        _joined("[i for i in ", e, " if i]"),
        _joined("(lambda i: ", e, ")"),
        _joined("(", names, " := ", e, ")"),
        _joined("[(", names, " := i) for i in ", e, "]"),
        _joined(e, ".real"),
        _joined(e, "[0]").filter(lambda s: s[0] not in "0123456789"),
        _joined("not ", e),
        _joined("-", e),
    ),
    max_leaves=5,
)  # fmt: skip

simple = st.one_of(
    _joined(names, " = ", expressions),
    _joined(names, " = ", names, " = ", expressions),
    _joined(names, " += ", expressions),
    _joined(names, ", ", names, " = ", expressions),
    _joined(names, ": int = ", expressions),
    _joined(names, ": int"),
    _joined("del ", names),
    _joined("global ", names),
    _joined("import os.path as ", names),
    _joined("from os import path as ", names),
    _joined("assert ", expressions),
    st.sampled_from(
        ["pass", "import os", "from math import *", "exec('1')", "locals()", "await a"]
    ),
    expressions,
)


def _block(body: str) -> str:
    """The body of a compound statement. (Strings over lines would change: only their first lines are indented.)"""
    return f"\n    {body}\n"


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    one = inner.filter(lambda s: "\n" not in s).map(_block)
    return st.one_of(
        _joined("if ", atoms, ":", one, "else:", one),
        _joined("for ", names, " in ", atoms, ":", one),
        _joined("while False:", one),
        _joined("with a as ", names, ":", one),
        _joined("try:", one, "except ValueError as ", names, ":", one),
        _joined("def ", names, "(x, /, *y, z=1, **k):", one),
        _joined("def ", names, '(x):\n    """Doc.\n\n    More of it.\n    """\n    return x\n'),
        _joined("async def ", names, "():", one),
        _joined("@print\nclass ", names, ":", one),
        _joined("class ", names, ":\n    '''  Doc '''\n    __y = 1\n"),
        _joined(
            "match a:\n    case [",
            names,
            ", *_]:",
            one.map(lambda b: b.replace("    ", "        ")),
        ),
    )


statements = st.one_of(
    simple, _compound(simple), simple.map(lambda s: s + "  # why"), st.just("# alone")
)
endings = st.sampled_from(["", "\n", ";", "  # end", "\n# end", "\n\n\n", "  \n"])
options = st.sampled_from(
    ["", "#| step: A title\n", "#| join: true\n", "#| setup: true\n", "#| show: code\n",
     "#| run: button\n", "#| timeout: 60\n", "#| pin: step_03\n", "#| confirm: 'Sure?'\n",
     "#| input: a\n", "#| input: [rows, total]\n", "#| typo: 1\n"]
)  # fmt: skip


def parses(source: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError:
        return False
    return True


cells = st.builds(
    lambda option, lines, end: option + "\n".join(lines) + end,
    options,
    st.lists(statements, max_size=4),
    endings,
).filter(parses)
odd_cells = st.sampled_from(
    ["print 'x'", "%%bash\necho", "%time a = 1", "!ls", "a?", "", "if True:\n    \\\n    a = 1"]
)
fields = st.builds(
    lambda name, type_, value: code(f"{name} = {value}", input={"name": name, "type": type_}),
    names,
    st.sampled_from(["text", "textarea", "json", "integer", "url-list", "password"]),
    st.sampled_from(["'x'", "5", "['a']", "None"]),
)
words = st.lists(
    st.sampled_from(["# One", "## Two", "text", '"""', "\\", "    code", "{{ x }}", "", "- a", "\t", "ü" * 60]),
    max_size=5,
).map("\n".join)  # fmt: skip
cell = st.one_of(cells, cells, cells, words.map(md), odd_cells, fields)
notebooks = st.lists(cell, min_size=1, max_size=6)


# --- what holds ---------------------------------------------------------------------------------------------------------------


def usable(made: list[Any], by: str | None) -> tuple[Plan, Found] | None:
    """The plan of a notebook that can be ported, as an app called `trip`."""
    with tempfile.TemporaryDirectory() as folder:
        outcome = planned(raw(*made), Path(folder) / "trip.ipynb", Options(by=by))  # type: ignore[arg-type]
        plan, found = outcome.plan, outcome.found
    return None if plan is None or not plan.steps else (plan, found)


def functions(plan: Plan, text: str) -> Iterator[tuple[PlannedCell, ast.FunctionDef]]:
    """The cells that are functions, with what stands in the file for them."""
    there = {getattr(node, "name", ""): node for node in workflow(text).body}
    for step in plan.steps:
        for made in step.cells:
            if made.text_reason is None:
                node = there[made.function]
                assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                yield made, node  # type: ignore[misc]


def cleaned(tree: ast.AST) -> str:
    """A tree in text, docstrings without the blanks around their lines."""
    kinds = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in ast.walk(tree):
        if isinstance(node, kinds) and node.body and isinstance(node.body[0], ast.Expr):
            value = node.body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                value.value = " ".join(value.value.split())
    return ast.dump(tree)


@given(notebooks, st.sampled_from([None, "heading"]))
@BOUNDED
def test_every_notebook_becomes_a_sound_file(made: list[Any], by: str | None) -> None:
    result = usable(made, by)
    if result is None:
        return
    plan, found = result
    text = text_of(plan)
    sound(text)
    again = usable(made, by)
    assert again is not None
    assert text_of(again[0]) == text
    for planned_cell, node in functions(plan, text):
        body = [s for s in node.body if not isinstance(s, ast.Global)]
        if planned_cell.shows and isinstance(body[-1], ast.Return):
            body[-1] = ast.Expr(body[-1].value)  # type: ignore[arg-type]
        flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = compile(planned_cell.source, "cell", "exec", flags)
        assert isinstance(wanted, ast.Module)
        wanted.body = [s for s in wanted.body if not isinstance(s, ast.Global)] or [ast.Pass()]
        assert cleaned(ast.Module(body, [])) == cleaned(wanted)
    _no_cell_is_lost(made, plan)
    _places_lie_inside(made, found)


def _no_cell_is_lost(made: list[Any], plan: Plan) -> None:
    """Each cell that is not blank stands in the plan once, in order; without listed edits it is the notebook's."""
    sources = {n: c if isinstance(c, str) else c["source"] for n, c in enumerate(made)}
    wanted = [n for n, c in enumerate(made) if isinstance(c, str) or c["cell_type"] == "code"]
    wanted = [n for n in wanted if sources[n].strip()]
    listed = [c for step in plan.steps for c in step.cells]
    assert sorted(c.index for c in listed) == wanted
    for planned_cell in listed:
        source = sources[planned_cell.index]
        if planned_cell.text_reason:
            assert planned_cell.source == source
        elif not planned_cell.changes and not any(mark in source for mark in "%!?"):
            assert planned_cell.source.strip() in source


def _places_lie_inside(made: list[Any], found: Found) -> None:
    for diagnostic in found:
        span = diagnostic.span
        if span.cell < 0:
            continue
        source = made[span.cell] if isinstance(made[span.cell], str) else made[span.cell]["source"]
        lines = source.split("\n")
        assert 1 <= span.line <= span.end_line <= len(lines), diagnostic
        assert 1 <= span.column <= len(lines[span.line - 1]) + 1, diagnostic
        assert 1 <= span.end_column <= len(lines[span.end_line - 1]) + 1, diagnostic
        assert (span.line, span.column) <= (span.end_line, span.end_column), diagnostic


@given(notebooks)
@settings(BOUNDED, max_examples=20)
def test_porting_twice_writes_nothing(made: list[Any]) -> None:
    if usable(made, None) is None:
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "trip.ipynb").write_bytes(raw(*made))
        first = port(folder / "trip.ipynb", folder / "out", Options())
        assert first.changed
        before = tree(folder)
        second = port(folder / "trip.ipynb", folder / "out", Options())
        assert not second.changed
        next((folder / "out").rglob("*.stamp")).unlink()
        third = port(folder / "trip.ipynb", folder / "out", Options())
        assert not third.changed
        assert tree(folder) == before


@pytest.fixture(scope="module")
def folder_of_plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plugins of random notebooks whose cells hold nothing that a linter could say something about."""
    folder = tmp_path_factory.mktemp("plugins")
    number = 0

    tidy = st.sampled_from(
        ["print(1)", "rows = [1]", "total = 5\ntotal", "import os\n\nos.getcwd()"]
    )

    @given(st.lists(st.one_of(tidy, words.map(md), fields), min_size=1, max_size=6))
    @settings(BOUNDED, max_examples=40)
    def fill(made: list[Any]) -> None:
        nonlocal number
        if (result := usable(made, None)) is not None:
            number += 1
            (folder / f"plugin_{number}.py").write_text(text_of(result[0]), encoding="utf-8")

    fill()
    assert number > 20
    return folder


def test_a_linter_has_nothing_to_say_of_our_part(folder_of_plugins: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--output-format=concise",
         "--ignore=F401,E741", "."],
        cwd=folder_of_plugins,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout


def test_the_grammar_is_not_empty_handed() -> None:
    """The random notebooks hold functions, texts, fields and edits, or the tests above would show little."""
    seen = {"function": 0, "text": 0, "field": 0, "edit": 0, "shown": 0, "joined": 0}

    @given(notebooks)
    @settings(BOUNDED, max_examples=40)
    def look(made: list[Any]) -> None:
        if (result := usable(made, None)) is None:
            return
        for step in result[0].steps:
            seen["field"] += len(step.fields)
            seen["joined"] += len(step.cells) > 1
            for planned_cell in step.cells:
                seen["text" if planned_cell.text_reason else "function"] += 1
                seen["edit"] += bool(planned_cell.changes)
                seen["shown"] += planned_cell.shows

    look()
    assert all(seen.values()), seen
