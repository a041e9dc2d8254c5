"""A checkpoint is used only where it is as good as running the steps again, and then saves running them."""

import asyncio
import json
import stat

import psutil
import pytest
from fasthtml.common import to_xml

from pipulate_runtime.cells import configure, shutdown
from pipulate_runtime.cells.kernel import limits
from pipulate_runtime.cells.kernel import pool as pools
from pipulate_runtime.cells.run import checkpoint, checkpointing
from pipulate_runtime.cells.storage.folders import RunFolder
from tests.cells.conftest import results, run, stdout
from tests.conftest import slow_but

pytestmark = pytest.mark.kernel


@pytest.fixture
def loads(monkeypatch):
    """The steps whose checkpoints were loaded for a run."""
    steps = []
    load = checkpoint.Checkpoint.load

    async def noted(self, kernel):
        steps.append(self.folder.name)
        await load(self, kernel)

    monkeypatch.setattr(checkpoint.Checkpoint, "load", noted)
    return steps


def text_cells(*steps: str, stored: int = 0) -> str:
    """The class body of a plugin, a cell for each step; a checkpoint is made after step number `stored`."""
    policies = {number: "always" if number == stored else "never" for number in range(1, 9)}
    return "\n".join(
        f"    step_{number:02}_cell = cell_text('c{number}', {code!r}, checkpoint={policies[number]!r})\n"
        for number, code in enumerate(steps, 1)
    )


def walked(make, *steps: str):
    """A walk whose server ends before the last step, with a checkpoint made after the step before."""
    walker = make(text_cells(*steps, stored=len(steps) - 1), steps=len(steps))

    async def begin():
        await walker.walk(*[{}] * (len(steps) - 1))
        await shutdown()

    run(begin())

    async def end():
        await walker.step(f"step_{len(steps):02}")
        await shutdown()

    run(end())
    return walker


def why(walker, number: int = 1) -> str:
    return checkpoint.reason(walker.plugin.cells.folder("k"), f"step_{number:02}")


def kept(walker) -> list[str]:
    root = walker.plugin.cells.folder("k").path / "checkpoints"
    return sorted(path.parent.name for path in root.glob("*/meta.json"))


ALIKE = {
    "values": ("a = [1, 'x', {2.5: (None, b'z')}]; b = a", "b.append(3); a"),
    "late binding": ("rate = 2\ndef f(): return rate", "rate = 3", "f()"),
    "a global written by a function": ("n = 0\ndef up():\n    global n\n    n += 1", "up(); up()", "n"),
    "recursion over cells": ("def even(n): return n == 0 or odd(n - 1)", "def odd(n): return n != 0 and even(n - 1)", "even(10), odd(10)"),
    "closures over one variable": (
        "def pair():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n    return up, lambda: n\nup, now = pair()",
        "up(); up()",
        "now()",
    ),
    "a recursive closure": ("def make():\n    def f(n): return 1 if n < 2 else n * f(n - 1)\n    return f\nf = make()", "f(5)"),
    "a class": ("class A:\n    kind = 'a'\n    def __init__(self): self.x = 1\n    def same(self): return type(self) is A\na = A()", "A.kind = 'b'", "a.kind, a.same(), isinstance(a, A), A"),
    "super and properties": ("class A:\n    def f(self): return 'A'\nclass B(A):\n    def f(self): return super().f() + 'B'\n    @property\n    def g(self): return self.f()\nb = B()", "b.g"),
    "a dataclass": ("from dataclasses import *\n@dataclass\nclass P:\n    x: int\n    y: list = field(default_factory=list)\np = P(1)", "fields(p)[1].name, replace(p, x=2), asdict(p), p == P(1)"),
    "an enum": ("import enum\nclass E(enum.Enum):\n    A = 1\ne = E.A", "e is E.A, E(1) is e"),
    "seeds": ("import random\nrandom.seed(1)", "random.random()", "random.random()"),
    "seeds of numpy": ("import numpy as np\nnp.random.seed(1)\ng = np.random.default_rng(2)", "np.random.rand(), g.random()", "np.random.rand(), g.random()"),
    "options": ("import numpy as np, pandas as pd, decimal\nnp.set_printoptions(precision=2)\npd.set_option('display.max_rows', 4)\ndecimal.getcontext().prec = 5", "print(np.array([1/3]), decimal.Decimal(1) / 3)\npd.DataFrame({'a': range(9)})"),
    "frames": ("import pandas as pd\ndf = pd.DataFrame({'a': [1, 2], 'b': ['x', None]}); top = df[df.a > 1]", "limit = 1", "top['a'] = 5\nprint(top)\ndf.query('a > @limit'), df"),
    "the history": ("1 + 1", "_ + 1", "_, __, Out[1], In[1], _i, _1"),
    "files": ("with open('x.txt', 'w') as f: f.write('one')", "with open('x.txt', 'a') as f: f.write('two')", "open('x.txt').read()"),
    "a module of its own": ("%%writefile mine.py\ndef f(): return 5", "import mine", "mine.f()"),
    "folders and the environment": ("import os\nos.mkdir('d'); os.chdir('d'); os.environ['MINE'] = 'x'", "os.path.basename(os.getcwd()), os.environ['MINE']", "%cd ..", "os.path.basename(os.getcwd())"),
    "warnings": ("import warnings\nwarnings.simplefilter('ignore')", "warnings.warn('no')", "print('quiet')"),
    "the future": ("from __future__ import annotations", "def f(x: nothing): pass", "f.__annotations__"),
    "partial and methods": ("import functools\nclass C:\n    def m(self, x): return x\nc = C(); f = functools.partial(pow, 2); g = c.m", "f(5), g(3), g.__self__ is c"),
    "annotations": ("count: int = 3", "__annotations__"),
    "source of a cell": ("def f(): return 'here'", "import inspect\ninspect.getsource(f)", "%psource f", "inspect.getsource(f)"),
    "source of a class": ("class A:\n    def f(self): return lambda: 'here'\na = A()", "import inspect\na.f.__name__", "%psource A", "print(inspect.getsource(A.f), inspect.getsource(a.f()))"),
    "lines of a traceback": ("def f():\n    def g(): return [1 / n for n in (1, 0)]  # here\n    return g()", "import traceback", "try: f()\nexcept ZeroDivisionError as error: print([(frame.lineno, frame.line) for frame in traceback.extract_tb(error.__traceback__)])"),
    "shown by the shell": ("[1]", "_.append(2)", "_1, _"),
    "rc parameters": ("import matplotlib.pyplot as plt\nplt.rcParams['axes.titlesize'] = 31", "plt.rcParams['axes.titlesize']"),
    "a model": ("from sklearn.linear_model import LinearRegression\nm = LinearRegression().fit([[1.0], [2.0]], [2.0, 4.0])", "m.predict([[3.0]]).round(6)"),
}  # fmt: skip


@pytest.mark.parametrize("name", slow_but(ALIKE, "values", "a class"))
def test_a_new_kernel_goes_on_as_if_nothing_had_happened(make, loads, name):
    steps = ALIKE[name]
    plain = make(text_cells(*steps), steps=len(steps))
    run(plain.walk(*[{}] * len(steps)))
    walker = walked(make, *steps)
    last = f"step_{len(steps):02}"
    assert walker.outputs(last) == plain.outputs(last)
    before = f"step_{len(steps) - 1:02}"
    assert kept(walker) == [before], why(walker, len(steps) - 1)
    assert loads == [before]


LOSSY = {
    "a generator": ("def g():\n    yield 1\nit = g()", "next(it)", "`it` (generator)"),
    "a connection": ("import sqlite3\ndb = sqlite3.connect(':memory:')", "db.execute('select 1').fetchall()", "`db` (sqlite3.Connection)"),
    "a view": ("import numpy as np\na = np.zeros(4); b = a[:2]", "b[0] = 7\na", "`b` (numpy.ndarray), which shares its memory with another array"),
    "a patched module": ("import textwrap\ndef fill(x): return 'mine'\ntextwrap.fill = fill", "textwrap.fill('x')", "what `textwrap.fill` sets"),
    "a patch by setattr": ("import json\nclass E(json.JSONEncoder): pass\nsetattr(json, 'JSONEncoder', E)", "json.JSONEncoder.__name__", "what `setattr(json, 'JSONEncoder', E)` sets"),
    "a setting nobody knows": ("import sklearn\nsklearn.set_config(display='text')", "sklearn.get_config()['display']", "what `sklearn.set_config` sets"),
    "logging": ("import logging, sys\nlogging.basicConfig(stream=sys.stdout, format='%(message)s', force=True)", "logging.warning('x')", "how logging is set up"),
    "a thread": ("import threading\ngo = threading.Event()\nthreading.Thread(target=go.wait, daemon=True).start()", "go.set()\nthreading.active_count() > 0", "`go` (_thread.lock)"),
    "a cached function": ("import functools\n@functools.lru_cache\ndef f(n): return n\nf(1)", "f.cache_info().currsize", "`f` (functools._lru_cache_wrapper)"),
    "a registered magic": ("from IPython.core.magic import register_line_magic\n@register_line_magic\ndef mine(line): return line", "%mine x", "the shell"),
    "state of a module of its own": ("%%writefile counter.py\nn = 0\ndef up():\n    global n\n    n += 1", "import counter\ncounter.up()", "counter.n", "the module `counter`, which comes back as another"),
    "a caught exception": ("try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    kept = error", "kept.__traceback__.tb_lineno", "`kept` (ZeroDivisionError), which has a traceback"),
    "a temporary folder": ("import tempfile, os\nfolder = tempfile.TemporaryDirectory()", "os.path.isdir(folder.name)", "`folder` (tempfile.TemporaryDirectory)"),
    "a magic that toggles": ("%pprint", "[1]", "what `%pprint` sets"),
    "a display that changes": ("shown = display(1, display_id='x')", "shown.update(2)", "a display that later cells can change"),
    "a lambda inside": ("db = __import__('sqlite3').connect(':memory:')\nf = {'f': [lambda: db.total_changes]}", "f['f'][0]()", "`db` (sqlite3.Connection)"),
}  # fmt: skip


@pytest.mark.parametrize("name", slow_but(LOSSY, "a view"))
def test_what_cannot_be_stored_is_named_and_the_steps_run_again(make, loads, name):
    *steps, words = LOSSY[name]
    plain = make(text_cells(*steps), steps=len(steps))
    run(plain.walk(*[{}] * len(steps)))
    walker = walked(make, *steps)
    last = f"step_{len(steps):02}"
    assert walker.outputs(last) == plain.outputs(last)
    assert kept(walker) == loads == []
    assert why(walker, len(steps) - 1) == words


# --- when they are made and used -----------------------------------------------------------------------------------------

COUNT = """
    @cell("a", checkpoint="always")
    def step_01_cell(form):
        global n
        n = form["n"]
        with open({log!r}, "a") as log:
            log.write("ran ")

    @cell("b")
    def step_02_cell(form):
        return n + 1
    """


@pytest.fixture
def counted(make, tmp_path):
    """A run of two steps whose first notes that it ran; the server ended after it."""
    log = tmp_path / "log"
    walker = make(COUNT.format(log=str(log)), steps=2)

    async def begin():
        await walker.step("step_01", {"n": 4})
        await shutdown()

    run(begin())
    walker.ran = lambda: log.read_text().split().count("ran")
    return walker


def last(walker, form=None):
    async def end():
        await walker.step("step_02", form)
        await shutdown()

    run(end())
    return results(walker.outputs("step_02"))


def folder_of(walker):
    return walker.plugin.cells.folder("k").path / "checkpoints" / "step_01"


def test_the_step_before_does_not_run_again(counted):
    assert last(counted) == ["5"]
    assert counted.ran() == 1


def test_the_key_is_for_its_owner_only(counted, data):
    mode = (data / "checkpoint.key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


@pytest.mark.parametrize(
    "change", slow_but(["pickle", "meta", "file", "signature", "key"], "pickle", "signature")
)
def test_what_is_not_as_it_was_signed_is_not_loaded(counted, data, loads, change):
    folder = folder_of(counted)
    meta = json.loads((folder / "meta.json").read_text())
    if change == "pickle":
        content = (folder / "state.pickle").read_bytes()
        (folder / "state.pickle").write_bytes(content + b".")
    elif change == "meta":
        meta["meta"]["versions"]["python"] = "2"
    elif change == "file":
        (folder / "work" / "json.py").write_text("print('mine')")
    elif change == "signature":
        meta["signature"] = "0" * 64
    else:
        (data / "checkpoint.key").write_bytes(b"another key")
    (folder / "meta.json").write_text(json.dumps(meta))
    assert last(counted) == ["5"]
    assert loads == []
    assert counted.ran() == 2


@pytest.mark.slow
def test_other_answers_make_it_void(counted, loads):
    async def again():
        await counted.step("step_01", {"n": 6})
        await shutdown()

    run(again())
    assert last(counted) == ["7"]
    assert loads == ["step_01"]
    assert counted.ran() == 2


@pytest.mark.slow
def test_a_later_cell_that_reads_what_was_left_out_runs_the_steps_again(make, loads, data):
    steps = ("a = 1; b = 2", "a")
    walker = walked(make, *steps)
    assert loads == ["step_01"]
    edited = make(text_cells("a = 1; b = 2", "a + b", stored=1), steps=2, pip=walker.pip)
    assert last(edited) == ["3"]
    assert loads == ["step_01"]


@pytest.mark.slow
def test_a_checkpoint_that_cannot_be_loaded_is_given_up(counted, monkeypatch):
    async def broken(self, kernel):
        raise checkpointing.KernelDied("The package is another one now.")

    monkeypatch.setattr(checkpoint.Checkpoint, "load", broken)
    assert last(counted) == ["5"]
    assert counted.ran() == 2
    assert not folder_of(counted).exists()


SECRET = """
    @cell("a", checkpoint="always")
    def step_01_cell(form):
        global n
        n = form["token"]

    @cell("b")
    def step_02_cell(form):
        return len(n)
    """


def test_nothing_is_stored_of_a_run_that_was_given_a_secret(make, data):
    walker = make(SECRET, steps=2)

    async def begin():
        async def save(cells):  # as the emitted file does: the secret is left out
            walker.pip.write_state("k", {"step_01": {"token": "", "_cells": cells}})

        execution = await walker.plugin.cells.start("k", "step_01", {"token": "hush-hush"}, save)
        await execution.task
        await shutdown()

    run(begin())
    assert kept(walker) == []
    files = [path for path in data.rglob("*") if path.is_file()]
    assert not [path for path in files if b"hush-hush" in path.read_bytes()]


async def until(condition) -> None:
    for _ in range(300):
        if condition():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it never came")


SLOW = """
    @cell("a")
    def step_01_cell(form):
        global n
        import time
        time.sleep(form["seconds"])
        n = 4

    @cell("b")
    def step_02_cell(form):
        return n + 1
    """


async def no_copy(*_):
    """Stands for `checkpoint.begin` where a kernel cannot be forked, or has too many files."""


def test_what_was_quick_is_stored_while_the_run_goes_on(make, loads):
    walker = make(SLOW, steps=2)

    async def begin():
        await walker.step("step_01", {"seconds": 0})
        await until(lambda: kept(walker))
        await shutdown()

    run(begin())
    assert last(walker) == ["5"]
    assert loads == ["step_01"]
    meta = json.loads((folder_of(walker) / "meta.json").read_text())["meta"]
    assert meta["proved"], "the kernel that has loaded it has compared it"


EFFECTS = """
    @cell("a")
    def step_01_cell(form):
        global ticket
        import uuid
        with open(form["log"], "a") as log:
            log.write("mail\\n")
        ticket = uuid.uuid4().hex
        return ticket

    @cell("b")
    def step_02_cell(form):
        return ticket
    """


@pytest.mark.parametrize(
    "way", ["the kernel ends", "the server ends", "another run takes the kernel"]
)
def test_a_step_with_an_effect_outside_runs_once(make, tmp_path, way):
    log = tmp_path / "mails.txt"
    walker = make(EFFECTS, steps=2)
    if way == "another run takes the kernel":
        configure(max_kernels=1)

    async def begin():
        await walker.step("step_01", {"log": str(log)})
        made = pools.pool().run("made", "k")
        if way == "the kernel ends":
            pools.pool()._park(made)
        elif way == "the server ends":
            await shutdown()
        else:
            await walker.step("step_01", {"log": str(tmp_path / "other.txt")}, key="other")
        await walker.step("step_02")
        await shutdown()

    run(begin())
    assert log.read_text() == "mail\n"
    assert results(walker.outputs("step_02")) == results(walker.outputs("step_01"))


def test_of_steps_that_follow_each_other_quickly_the_last_is_stored(make):
    walker = make(text_cells_kept("a = 1", "b = 2", "c = 3", "a + b + c"), steps=4)

    async def begin():
        await walker.walk({}, {}, {})
        await until(lambda: "step_03" in kept(walker))
        await shutdown()

    run(begin())


def test_a_server_that_ends_stores_the_last_of_a_chain_first(make):
    walker = make(text_cells_kept("a = 1", "b = 2", "c = 3", "a + b + c"), steps=4)

    async def begin():
        await walker.walk({}, {}, {})
        await shutdown()

    run(begin())
    assert "step_03" in kept(walker)


def test_a_server_ends_although_a_secret_came_while_the_last_of_a_chain_waited(make, monkeypatch):
    monkeypatch.setattr(checkpointing, "QUICKLY", 60.0)
    walker = make(text_cells_kept("a = 1", "b = 2", "c = 3"), steps=3)

    async def begin():
        await walker.walk({}, {})
        made = pools.pool().run("made", "k")
        assert made.rests, "the second waits until the first is stored"
        made.kernel.secret = True
        await walker.step("step_03")
        await asyncio.wait_for(shutdown(), 20)

    run(begin())


def text_cells_kept(*steps: str) -> str:
    """The class body of a plugin whose steps are kept by default."""
    lines = (
        f"    step_{n:02}_cell = cell_text('c{n}', {code!r})" for n, code in enumerate(steps, 1)
    )
    return "\n".join(lines)


HARD = """
    @cell("a")
    def step_01_cell(form):
        global Slow, value
        class Slow:
            def __init__(self, n):
                self.n = n
            def __getstate__(self):
                import time
                time.sleep(1)
                return self.__dict__
        value = Slow(form["n"])

    @cell("b")
    def step_02_cell(form):
        return value.n
    """


def test_what_is_being_stored_is_void_when_its_step_runs_again(make, loads):
    walker = make(HARD, steps=2)

    async def begin():
        await walker.step("step_01", {"n": 1})
        await walker.step("step_01", {"n": 2})
        await walker.step("step_01", {"n": 1})
        await until(lambda: kept(walker))
        await shutdown()

    run(begin())
    assert last(walker) == ["1"]
    assert loads == ["step_01"]


def test_a_kernel_goes_on_while_a_copy_stores(make):
    walker = make(HARD, steps=2)

    async def begin():
        await walker.step("step_01", {"n": 1})
        assert pools.pool().run("made", "k").keeping
        await walker.step("step_02")
        assert pools.pool().run("made", "k").keeping, "the copy takes a second"
        await shutdown()

    run(begin())
    assert "step_01" in kept(walker)


def test_a_copy_ends_with_its_kernel(make):
    walker = make(HARD, steps=2)

    async def begin():
        await walker.step("step_01", {"n": 1})
        made = pools.pool().run("made", "k")
        (copy,) = psutil.Process(made.kernel.pid).children()
        assert copy.name() == limits.COPY
        used = limits.memory_used_by(made.kernel.pid)
        assert used < 1.5 * psutil.Process(made.kernel.pid).memory_info().rss
        made.kernel.kill()
        await until(lambda: not copy.is_running() or copy.status() == psutil.STATUS_ZOMBIE)
        await shutdown()

    run(begin())
    assert kept(walker) == []


LOGS = """
    @cell("a")
    def step_01_cell(form):
        import logging, sys
        logging.basicConfig(stream=sys.stdout, format="%(message)s", force=True)

    @cell("b")
    def step_02_cell(form):
        import logging
        logging.warning("here")
    """


def test_what_does_not_come_back_the_same_is_found_when_it_is_loaded(make, loads):
    walker = make(LOGS, steps=2)

    async def begin():
        await walker.step("step_01")
        await until(lambda: kept(walker))
        await shutdown()

    run(begin())

    async def go_on():
        await walker.step("step_02")
        await shutdown()

    run(go_on())
    assert loads == ["step_01"]
    assert kept(walker) in ([], ["step_02"]), "that of step 1 is gone"
    assert stdout(walker.outputs("step_02")) == "here\n"


def test_drafts_of_a_server_that_is_gone_go(make):
    walker = make(SLOW, steps=2)
    root = folder_of(walker).parent
    left = root / ".999999999.00ff"
    left.mkdir(parents=True)

    async def begin():
        await walker.step("step_01", {"seconds": 0})
        await until(lambda: kept(walker))
        await shutdown()

    run(begin())
    assert [path.name for path in root.iterdir()] == ["step_01"]


@pytest.mark.slow
def test_what_took_long_is_stored_when_the_run_rests(make, loads, monkeypatch):
    monkeypatch.setattr(checkpointing, "REST", 0.2)
    monkeypatch.setattr(checkpoint, "begin", no_copy)
    monkeypatch.setattr(checkpoint, "WORTH", 0.8)
    walker = make(SLOW, steps=2)

    async def begin():
        await walker.step("step_01", {"seconds": 2.5})
        assert kept(walker) == []
        await until(lambda: kept(walker))
        await shutdown()

    run(begin())
    assert last(walker) == ["5"]
    assert loads == ["step_01"]


@pytest.mark.slow
def test_what_was_quick_is_not_stored_where_a_kernel_cannot_be_copied(make, monkeypatch):
    monkeypatch.setattr(checkpointing, "REST", 0.1)
    monkeypatch.setattr(checkpoint, "begin", no_copy)
    walker = make(SLOW, steps=2)

    async def begin():
        await walker.step("step_01", {"seconds": 0})
        await asyncio.sleep(0.5)
        assert not pools.pool().keeping
        await shutdown()

    run(begin())
    assert kept(walker) == []


@pytest.mark.slow
def test_a_server_can_be_told_never_to_store(make, monkeypatch):
    monkeypatch.setattr(checkpointing, "REST", 0.1)
    monkeypatch.setattr(checkpoint, "WORTH", 0.0)
    monkeypatch.setattr(pools.settings, "checkpoint", "auto")
    configure(checkpoint="never")
    walker = make(SLOW, steps=2)

    async def begin():
        await walker.step("step_01", {"seconds": 0})
        await asyncio.sleep(0.5)
        await shutdown()

    run(begin())
    assert kept(walker) == []


@pytest.mark.slow
def test_the_card_says_that_going_back_runs_the_steps_again(make):
    steps = ("a = 1", "import sqlite3\ndb = sqlite3.connect(':memory:')", "db.total_changes")
    walker = walked(make, *steps)
    cells = walker.plugin.cells
    html = to_xml(cells.show("k", walker.pip.read_state("k")["step_02"]["_cells"]))
    assert "Going back re-runs steps 1 to 2, since" in html
    assert "sqlite3.Connection" in html


@pytest.mark.parametrize(("seconds", "told"), [(9.9, ""), (10.0, "a widget")])
def test_a_card_says_so_only_where_it_takes_long(tmp_path, seconds, told):
    folder = RunFolder(tmp_path, "app", "k")
    checkpoint.note(folder, "step_01", "a widget", seconds)
    assert checkpoint.reason(folder, "step_01") == told


def test_a_large_buffer_that_several_steps_keep_is_stored_once(make):
    """An array of 8 MB in three checkpoints takes 8 MB, can be changed when it comes back, and each stands by itself."""
    codes = (
        "import numpy as np\na = np.arange(1_000_000.0)",
        "b = 1",
        "c = 1",
        "a[0] = 7; float(a.sum())",
    )
    body = text_cells(*codes).replace("'never'", "'always'")
    walker = make(body, steps=4)

    async def begin():
        await walker.walk({}, {}, {})
        await shutdown()

    run(begin())
    folder = walker.plugin.cells.folder("k")
    root = folder.path / "checkpoints"
    buffers = list(root.glob("*/buffer-*"))
    assert len(buffers) == 3
    assert len({path.stat().st_ino for path in buffers}) == 1
    assert sum(path.stat().st_size for path in root.glob("*/state.pickle")) < 1_000_000
    checkpoint.forget(folder, ["step_01", "step_02"])

    async def end():
        await walker.step("step_04")
        await shutdown()

    run(end())
    assert results(walker.outputs("step_04")) == ["499999500007.0"]


def test_a_buffer_that_was_changed_is_not_loaded(make, loads):
    codes = ("import numpy as np\na = np.arange(1_000_000)", "int(a.sum())")
    walker = make(text_cells(*codes, stored=1), steps=2)

    async def begin():
        await walker.walk({})
        await shutdown()

    run(begin())
    (buffer,) = (walker.plugin.cells.folder("k").path / "checkpoints").glob("*/buffer-*")
    buffer.write_bytes(bytes(buffer.stat().st_size))

    async def end():
        await walker.step("step_02")
        await shutdown()

    run(end())
    assert loads == ["step_01"]
    assert results(walker.outputs("step_02")) == ["499999500000"]
    assert kept(walker) == []
