"""What comes back from a pickle still knows the cell that it was written in, with a cloudpickle that keeps file names and one that does not."""

import functools
import inspect
import io
import linecache
import subprocess
import sys
import traceback
import types

import cloudpickle
import pytest

from pipulate_runtime.cells.in_kernel.graph import Walk
from pipulate_runtime.cells.in_kernel.pickling import Pickler, Unpickler

pytestmark = pytest.mark.usefixtures("_reducer")

# As ipykernel names a cell
FILE = "/tmp/ipykernel_7/1234567890.py"


OWN = cloudpickle.Pickler.dispatch_table[types.CodeType]
AT = 10  # of the file's name, in what a code object is made of


def _keeping(code: types.CodeType):
    """Reduce code as cloudpickle up to 3.1.2 does."""
    make, parts = OWN(code)
    return make, (*parts[:AT], code.co_filename, *parts[AT + 1 :])


def _losing(code: types.CodeType):
    """Reduce code as cloudpickle 3.1.3 does."""
    make, parts = OWN(code)
    return make, (*parts[:AT], "<dynamic-code>", *parts[AT + 1 :])


@pytest.fixture(params=[OWN, _keeping, _losing], ids=["as installed", "keeping", "losing"])
def _reducer(request, monkeypatch):
    """What cloudpickle itself makes of code objects."""
    monkeypatch.setitem(cloudpickle.Pickler.dispatch_table, types.CodeType, request.param)


@pytest.fixture
def cell(monkeypatch):
    """Run a cell; return its namespace."""

    def run_cell(source: str) -> dict:
        entry = (len(source), None, source.splitlines(keepends=True), FILE)
        monkeypatch.setitem(linecache.cache, FILE, entry)
        namespace = {"__name__": "__main__"}
        exec(compile(source, FILE, "exec"), namespace)
        return namespace

    return run_cell


def _pickled(value, namespace) -> bytes:
    file = io.BytesIO()
    Pickler(file, namespace).dump(value)
    return file.getvalue()


def _stored(value, namespace):
    """Return what comes back of a value, in a namespace that has no names."""
    file = io.BytesIO(_pickled(value, namespace))
    return Unpickler(file, {"__name__": "__main__", "__builtins__": __builtins__}).load()


def _codes(code: types.CodeType):
    """Yield a code object and all that stand in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


DEFINED = {
    "a function": "def f():\n    return 1",
    "a lambda": "f = lambda: 1",
    "nested functions": "def f():\n    def g():\n        return lambda: 1\n    return g",
    "a closure": "def make(n):\n    def g():\n        return n\n    return g\nf = make(1)",
    "comprehensions": "def f(of):\n    return [a for a in of], {a for a in of}, {a: 1 for a in of}, (a for a in of)",
    "a generator": "def f():\n    yield 1",
    "a coroutine": "async def f():\n    return [a async for a in g()]",
    "a wrapped function": "import functools\ndef deco(g):\n    @functools.wraps(g)\n    def inner(*given):\n        return g(*given)\n    return inner\n@deco\ndef f():\n    return 1",
    "a class in a function": "def f():\n    class A:\n        def m(self):\n            return 1\n    return A",
    "code itself": "f = compile('a = 1\\ndef g(): return 2', __import__('sys')._getframe().f_code.co_filename, 'exec')",
}  # fmt: skip


@pytest.mark.parametrize("name", DEFINED)
def test_code_keeps_the_file_of_its_cell(cell, name):
    namespace = cell(DEFINED[name])
    before = namespace["f"]
    after = _stored(before, namespace)
    while True:
        code, code_before = (getattr(a, "__code__", a) for a in (after, before))
        assert code == code_before
        assert {a.co_filename for a in _codes(code)} == {FILE}
        assert [a.co_firstlineno for a in _codes(code)] == [a.co_firstlineno for a in _codes(code_before)]  # fmt: skip
        if code is not after:
            assert inspect.getsource(after) == inspect.getsource(before)
        if not hasattr(before, "__wrapped__"):
            break
        before, after = before.__wrapped__, after.__wrapped__


METHODS = """
import dataclasses

class A:
    def plain(self):
        return 1

    @property
    def shown(self):
        return 2

    @classmethod
    def of_the_class(cls):
        return 3

    @staticmethod
    def static():
        return 4

    class Inner:
        def deep(self):
            return lambda: 5

@dataclasses.dataclass
class D:
    x: int = 1

    def method(self):
        return self.x
"""


# In another process: in this one cloudpickle answers with the very same classes.
LOOK = """
import sys, types
from pipulate_runtime.cells.in_kernel.pickling import Unpickler

def codes(code):
    yield code.co_filename
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)

A, D = Unpickler(sys.stdin.buffer, {"__name__": "__main__"}).load()
methods = A.plain, A.shown.fget, A.of_the_class, A.static, A.Inner.deep, D.method
print(*(file for method in methods for file in codes(method.__code__)), sep="\\n")
"""


def test_methods_keep_the_file_of_their_cell(cell):
    namespace = cell(METHODS)
    pickled = _pickled((namespace["A"], namespace["D"]), namespace)
    done = subprocess.run([sys.executable, "-c", LOOK], input=pickled, capture_output=True)
    assert (done.stderr, done.stdout.decode().split()) == (b"", [FILE] * 7)


def test_a_traceback_quotes_the_cell(cell):
    namespace = cell("def f(of):\n    return list(1 / n for n in of)  # by zero\n")
    after = _stored(functools.partial(namespace["f"], [0]), namespace)
    with pytest.raises(ZeroDivisionError) as caught:
        after()
    frames = traceback.extract_tb(caught.tb)[1:]
    assert {frame.filename for frame in frames} == {FILE}
    assert {frame.line for frame in frames} == {"return list(1 / n for n in of)  # by zero"}


def test_functions_share_their_code_as_before(cell):
    namespace = cell("def make(n):\n    return lambda: n\na, b = make(1), make(2)")
    a, b, make = _stored((namespace["a"], namespace["b"], namespace["make"]), namespace)
    assert a.__code__ is b.__code__
    assert a.__code__ in make.__code__.co_consts
    assert (a(), b()) == (1, 2)


def test_a_function_of_a_module_is_that_function(cell):
    assert _stored(inspect.getsource, cell("")) is inspect.getsource


# --- the proof -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [{"co_filename": "<dynamic-code>"}, {"co_firstlineno": 9}])
def test_the_proof_of_a_checkpoint_misses_a_lost_source(cell, change):
    namespace = cell("def f():\n    return lambda: 1")
    digests = []
    outer = namespace["f"].__code__
    (inner,) = (code for code in _codes(outer) if code is not outer)
    consts = tuple(code.replace(**change) if (code := a) is inner else a for a in outer.co_consts)
    for code in (outer, outer.replace(co_filename="/other/1234567890.py"), outer.replace(co_consts=consts)):  # fmt: skip
        walk = Walk(namespace)
        walk.code(code)
        digests.append(walk.digest())
    assert digests[0] == digests[1] != digests[2]
