"""The names a scope binds, against the compiler's own table."""

import ast
import symtable
import sys
from textwrap import dedent, indent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transpiler.python.scope import Bindings, locals_of

SNIPPETS = [
    "x = 1",
    "x = y = z",
    "x, (y, *z) = 1, (2, 3)",
    "[a, b] = c",
    "x.y = 1; x[0] = 2",
    "x += 1",
    "x: int = 5",
    "x: int",
    "x: (y := 3)",
    "(x): int = 3",
    "o.x: int = 3",
    "import a.b.c",
    "import a.b as c, d",
    "from a import b as c, d",
    "for i, x.y in z:\n    j = i\nelse:\n    k = 1",
    "while (n := f()):\n    pass",
    "with a as b, c as (d, e):\n    f = b",
    "try:\n    a = 1\nexcept E as e:\n    b = e\nelse:\n    c = 1\nfinally:\n    d = 1",
    "try:\n    pass\nexcept* E as e:\n    x = 1",
    "match x:\n    case [a, *b]: pass\n    case {'k': c, **d}: pass\n    case P(q, r=s) as t: pass\n    case 1 | 2 as u: pass\n    case _: pass",
    "def f(a, b=(c := 1), *d, e=(g := 2), **h) -> (k := int):\n    z = 1",
    "@(d := deco)\ndef f(a: (m := int)): pass",
    "async def f(): x = await y",
    "class C(B, metaclass=(M := T)):\n    x = 1\n    def f(self): y = 2",
    "f = lambda a, b=(c := 1): (d := a)",
    "[x for x in y]",
    "[(last := x) for x in y if (seen := x)]",
    "{k: (v2 := v) for k, v in d.items()}",
    "{x for x in z}",
    "(x for x in y)",
    "[[(w := a) for a in b] for b in c]",
    "[lambda: (inner := 1) for q in r]",
    "del x, y[0], z.w",
    "del (a, [b, c])",
    "global g\ng = 1",
    "print(f'{(x := 1)!r:>{(w := 3)}}')",
    "if a:\n    b = 1\nelif c:\n    d = 2\nelse:\n    e = 3",
    "def f():\n    global g\n    g = 1",
    "def f():\n    x = 1\n    def h():\n        nonlocal x\n        x = 2",
    "ªb = 1",
]
if sys.version_info >= (3, 12):
    SNIPPETS += [
        "type X = int",
        "type X[T: int] = list[T]",
        "def f[T](a: T) -> T: pass",
        "class C[T](B[T]):\n    x: T = 1",
        "f'{x!r:{(w := '1')}}'",
    ]


def module_names(source: str) -> set[str]:
    """What the compiler says a module binds: without targets of comprehensions that it load_outputs."""
    table = symtable.symtable(source, "<test>", "exec")
    tree = ast.parse(source)
    walrus = (
        set()
    )  # in a comprehension it is entered as a declaration, as what functions declare global is
    if "def" not in source and "lambda" not in source:
        walrus = {n.target.id for n in ast.walk(tree) if isinstance(n, ast.NamedExpr)}
    load_outputs = set()
    if sys.version_info >= (3, 12):
        comprehensions = (ast.ListComp, ast.SetComp, ast.DictComp)
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, comprehensions):
                for generator in node.generators:
                    load_outputs |= {
                        n.id for n in ast.walk(generator.target) if isinstance(n, ast.Name)
                    }
        load_outputs -= Bindings(ast.parse(source).body).own
    names = {
        s.get_name()
        for s in table.get_symbols()
        if s.is_assigned() or s.is_imported() or s.is_annotated() or s.get_name() in walrus
    }
    return names - load_outputs


@pytest.mark.parametrize("source", SNIPPETS)
def test_top_level_names_are_the_compilers(source: str) -> None:
    found = Bindings(ast.parse(source).body)
    assert set(found.binds) | set(found.deletes) | set(found.annotates) == module_names(source)


@pytest.mark.parametrize(
    "source", [s for s in SNIPPETS if "await" not in s and "global g\n" not in s]
)
def test_a_function_of_the_snippet_would_have_these_locals(source: str) -> None:
    found = Bindings(ast.parse(source).body)
    assert locals_of("def f():\n" + indent(source, "    ")) == found.own


@pytest.mark.parametrize(
    "source", [s for s in SNIPPETS if not s.startswith(("x: ", "(x): ", "global"))]
)
def test_declaring_them_global_leaves_no_local(source: str) -> None:
    found = Bindings(ast.parse(source).body)
    names = sorted(found.own)
    header = f"    global {', '.join(names)}\n" if names else ""
    assert locals_of("async def f(form):\n" + header + indent(source, "    ")) == set()


def test_the_order_is_that_of_appearance() -> None:
    found = Bindings(ast.parse("b = 1\nimport a\nb = 2\nfor c in b: del d").body)
    assert list(found.binds) == ["b", "a", "c"]
    assert list(found.deletes) == ["d"]


def test_except_binds_and_deletes() -> None:
    found = Bindings(ast.parse("try: pass\nexcept E as e: pass").body)
    assert (list(found.binds), list(found.deletes)) == (["e"], ["e"])


class TestLocalsOf:
    def test_the_target_of_a_comprehension_is_not_local(self) -> None:
        assert locals_of("def f(form):\n  return [x for x in {k: v for k, v in y}]") == set()

    def test_the_same_name_as_target_and_as_local(self) -> None:
        assert locals_of("def f(form):\n  x = 1\n  return [x for x in y]") == {"x"}

    def test_a_local_used_by_a_function_inside(self) -> None:
        assert locals_of("def f(form):\n  x = 1\n  return lambda: x") == {"x"}

    def test_parameters_are_not_counted(self) -> None:
        assert locals_of("def f(form, *rest):\n  form = 1") == set()

    def test_f_strings_with_comprehensions(self) -> None:
        source = dedent("""
            async def f(form):
                x = 1
                return f"{[x async for x in y]!r:>{max({z for z in w})}}", {a: b for a, b in x}
            """)
        assert locals_of(source) == {"x"}

    def test_without_a_function(self) -> None:
        with pytest.raises(ValueError, match="no function"):
            locals_of("x = 1\nclass C: pass")

    def test_that_does_not_compile(self) -> None:
        with pytest.raises(SyntaxError):
            locals_of("def f(form):\n  global form")


NAMES = st.sampled_from(["a", "b", "c", "d"])
EXPRESSIONS = st.recursive(
    NAMES | st.sampled_from(["1", "'s'", "a.b"]),
    lambda e: st.one_of(
        st.builds("({} + {})".format, e, e),
        st.builds("({} := {})".format, NAMES, e),
        st.builds("[{} for {} in {}]".format, e, st.sampled_from(["p", "q"]), NAMES),
        st.builds("{{{}: 1 for {} in {}}}".format, e, st.sampled_from(["p", "q"]), NAMES),
        st.builds("list({} for {} in {})".format, e, st.sampled_from(["p", "q"]), NAMES),
        st.builds("(lambda {}={}: {})".format, NAMES, e, e),
        st.builds("f({}, k={})".format, e, e),
    ),
    max_leaves=6,
)
SIMPLE = st.one_of(
    st.builds("{} = {}".format, NAMES, EXPRESSIONS),
    st.builds("{} += {}".format, NAMES, EXPRESSIONS),
    st.builds("{}, *{} = {}".format, NAMES, NAMES, EXPRESSIONS),
    st.builds("{}[{}] = {}".format, NAMES, EXPRESSIONS, EXPRESSIONS),
    st.builds("del {}".format, NAMES),
    st.builds("import {}.x".format, NAMES),
    st.builds("from m import x as {}".format, NAMES),
    EXPRESSIONS,
)


def blocks(body: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    inner = body.map(lambda s: indent(s, "    "))
    return st.one_of(
        st.builds("if {}:\n{}\nelse:\n{}".format, EXPRESSIONS, inner, inner),
        st.builds("for {} in {}:\n{}".format, NAMES, EXPRESSIONS, inner),
        st.builds("while {}:\n{}\n    break".format, EXPRESSIONS, inner),
        st.builds("with {} as {}:\n{}".format, EXPRESSIONS, NAMES, inner),
        st.builds("try:\n{}\nexcept E as {}:\n{}".format, inner, NAMES, inner),
        st.builds("def {}({}={}):\n{}".format, NAMES, NAMES, EXPRESSIONS, inner),
        st.builds("match {}:\n  case [{}, *_]:\n{}".format, EXPRESSIONS, NAMES, inner),
    )


def compiles(source: str) -> bool:
    try:
        compile(source, "<test>", "exec")
    except SyntaxError:
        return False
    return True


PROGRAMS = (
    st.lists(st.recursive(SIMPLE, blocks, max_leaves=4), min_size=1, max_size=5)
    .map("\n".join)
    .filter(compiles)
)


@settings(max_examples=150, deadline=None)
@given(PROGRAMS)
def test_generated_programs(source: str) -> None:
    found = Bindings(ast.parse(source).body)
    body = indent(source, "    ")
    assert locals_of("def f(form):\n" + body) == found.own
    header = f"    global {', '.join(sorted(found.own))}\n" if found.own else ""
    assert locals_of("def f(form):\n" + header + body) == set()
