"""What a cell needs from the cells before it, and which of its changes the cells after it may see (DATAFLOW 2.1)."""

import sys
from textwrap import dedent
from typing import NamedTuple

import pytest

from tests.passes.notebooks import analysed


class Row(NamedTuple):
    name: str
    cells: tuple[str, str, str]
    reads: str
    """What the second cell needs from the first."""
    live: str
    """What the third cell may see of what the second binds, deletes or changes."""
    exact: bool = True
    """False where we are known to say more than is needed."""


def row(name: str, cells: str, reads: str, live: str, exact: bool = True) -> Row:
    first, second, third = (dedent(part).strip("\n") for part in cells.split("---"))
    return Row(name, (first, second, third), reads, live, exact)


ROWS = [
    row("plain", "a = 1 \n---\n b = a + 1 \n---\n print(b)", "a", "b"),
    row("kill_before_use", "a = 1\n---\na = 2\nb = a\n---\nprint(a, b)", "", "a b"),
    row("use_before_kill", "a = 1\n---\nb = a\na = 2\n---\nprint(a, b)", "a", "a b"),
    row("dead_afterwards", "a = 1\n---\nb = a\nc = b\n---\nprint(c)", "a", "c"),
    row("killed_by_the_next", "a = 1\n---\na += 1\nb = a\n---\na = 5\nprint(a, b)", "a", "b"),
    row("subscript_store", "d = {}\n---\nd['k'] = 1\n---\nprint(d)", "d", "d"),
    row("method_mutation", "xs = []\n---\nxs.append(1)\n---\nprint(xs)", "xs", "xs"),
    row("pure_method", "s = 'a b'\n---\nt = s.split()\n---\nprint(s, t)", "s", "t"),
    row("alias_mutation", "a = []\nb = a\n---\nb.append(1)\n---\nprint(a)", "b", "a"),
    row("alias_made_here", "a = []\n---\nb = a\nb.append(1)\n---\nprint(a)", "a", "a"),
    row("alias_lost", "a = []\nb = a\nb = []\n---\nb.append(1)\n---\nprint(a)", "b", ""),
    row("alias_in_container", "a = []\nd = {'a': a}\n---\nd['a'].append(1)\n---\nprint(a)", "d", "a"),
    row("alias_appended", "a = []\nxs = []\nxs.append(a)\n---\nxs[0].append(1)\n---\nprint(a)", "xs", "a"),
    row("alias_by_loop", "rows = [[1], [2]]\n---\nfor r in rows:\n    r.append(0)\n---\nprint(rows)", "rows", "rows"),
    row("alias_by_unpacking", "a, b = [], []\npair = a, b\n---\nx, y = pair\nx.append(1)\n---\nprint(a)", "pair", "a"),
    row("augassign_alias", "a = [1]\nb = a\n---\nb += [2]\n---\nprint(a)", "b", "a"),
    row("augassign_number", "n = 1\nm = n\n---\nn += 1\n---\nprint(m, n)", "n", "n"),
    row("numpy_view", "import numpy as np\na = np.zeros(9)\nv = a[2:5]\n---\nv[:] = 1\n---\nprint(a)", "v", "a"),
    row("reshaped", "import numpy as np\na = np.zeros(9)\nv = a.reshape(3, 3)\n---\nv[0] = 1\n---\nprint(a)", "v", "a"),
    row("augassign_name", "x = [1]\n---\nx *= 2\n---\nprint(x)", "x", "x"),
    row("augassign_attr", "o = T()\n---\no.n += 1\n---\nprint(o.n)", "o", "o"),
    row("del_name", "a = 1\n---\ndel a\n---\nprint('a' in globals())", "a", "a"),
    row("del_item", "d = {1: 2}\n---\ndel d[1]\n---\nprint(d)", "d", "d"),
    row("fn_reads_global", "k = 2\ndef f(x): return x * k\n---\ny = f(3)\n---\nprint(y)", "f k", "y"),
    row("fn_late_binding", "k = 2\ndef f(x): return x * k\n---\nk = 3\ny = f(3)\n---\nprint(y, f(1))", "f", "k y"),
    row("fn_uses_later_name", "a = 1\n---\ndef f(): return later + a\n---\nlater = 1\nprint(f())", "a", "f"),
    row("fn_of_fn", "k = 1\ndef f(): return k\ndef g(): return f()\n---\nx = g()\n---\nprint(x)", "g f k", "x"),
    row("fn_defined_not_called", "k = 1\n---\ndef f(): return k\n---\nprint(f())", "k", "f"),
    row("fn_defined_then_name_bound", "k = 1\n---\ndef f(): return k\nk = 2\n---\nprint(f())", "", "f k"),
    row("fn_called_before_name_bound", "k = 1\n---\ndef f(): return k\ny = f()\nk = 2\n---\nprint(y)", "k", "y"),
    row("global_stmt", "n = 0\ndef bump():\n    global n\n    n += 1\n---\nbump()\n---\nprint(n)", "bump n", "n"),
    row("global_stmt_new", "def init():\n    global cfg\n    cfg = {}\n---\ninit()\n---\nprint(cfg)", "init", "cfg"),
    row("comp_scope", "x = 1\nys = [1]\n---\nz = [x for x in ys]\n---\nprint(z, x)", "ys", "z"),
    row("comp_reads", "k = 1\nys = [1]\n---\nz = [y * k for y in ys if y]\n---\nprint(z)", "ys k", "z"),
    row("comp_walrus", "ys = [1]\n---\nz = [last := y for y in ys]\n---\nprint(last)", "ys", "last"),
    row("comp_mutates", "xs = []\nys = [1]\n---\n[xs.append(y) for y in ys];\n---\nprint(xs)", "ys xs", "xs"),
    row("lambda_default", "k = 1\n---\nf = lambda x, k=k: x + k\n---\nprint(f(1))", "k", "f"),
    row("lambda_late", "k = 1\nf = lambda x: x + k\n---\ny = f(1)\n---\nprint(y)", "f k", "y"),
    row("lambda_as_argument", "k = 1\nxs = [2]\n---\nys = sorted(xs, key=lambda x: x * k)\nk = 0\n---\nprint(ys, k)", "xs k", "ys k"),
    row("lambda_in_pipeline", "k = 1\np = Pipeline([Step(lambda x: x * k)])\n---\ny = p.run(1)\n---\nprint(y)", "p k", "y"),
    row("partial", "from functools import partial\nk = 1\ndef f(a, b): return a + b + k\ng = partial(f, 1)\n---\ny = g(2)\n---\nprint(y)", "g k", "y"),
    row("factory", "k = 1\ndef make():\n    def inner(): return k\n    return inner\ng = make()\n---\ny = g()\n---\nprint(y)", "g k", "y"),
    row("plain_result", "k = 1\ndef f(): return k + 1\nx = f()\n---\ny = x\n---\nprint(y)", "x", "y"),
    row("decorator_annot", "T = int\ndef deco(f): return f\n---\n@deco\ndef g(x: T): return x\n---\nprint(g(1))", "deco T", "g"),
    row("decorator_reads", "k = 1\ndef deco(f):\n    def w(*a): return f(*a) * k\n    return w\n@deco\ndef g(x): return x\n---\ny = g(1)\n---\nprint(y)", "g k", "y"),
    row("decorated_reads", "k = 1\ndef deco(f):\n    def w(*a): return f(*a)\n    return w\n@deco\ndef g(x): return x * k\n---\ny = g(1)\n---\nprint(y)", "g k", "y"),
    row("class_scope", "x = 1\n---\nclass C:\n    y = x\n    def get(self): return self.y\n---\nprint(C().get())", "x", "C"),
    row("class_shadow", "x = 1\n---\nclass C:\n    x = 2\n    y = x\n---\nprint(C.y)", "", "C"),
    row("class_method_skips_class_names", "x = 1\n---\nclass C:\n    x = 2\n    def get(self): return x\n---\nprint(C().get())", "x", "C"),
    row("class_conditional", "x = 1\nflag = 0\n---\nclass C:\n    if flag:\n        x = 2\n    y = x\n---\nprint(C.y)", "flag x", "C"),
    row("match_stmt", "p = [1, 2]\n---\nmatch p:\n    case [a, b]: pass\n    case _: a = b = 0\n---\nprint(a, b)", "p", "a b"),
    row("match_class", "P = make()\nx = 1\n---\nmatch x:\n    case P(v=w): y = w\n    case _: y = 0\n---\nprint(y)", "x P", "y"),
    row("except_name", "def f(): raise ValueError(1)\n---\ntry:\n    f()\nexcept ValueError as e:\n    msg = str(e)\n---\nprint(msg)", "f", "msg"),
    row("with_for_targets", "from m import ctx\nxs = [(1, 2)]\n---\nwith ctx() as c:\n    for i, j in xs: pass\n---\nprint(c, i, j)", "ctx xs", "c i j"),
    row("cond_redefine", "a = 1\nflag = True\n---\nif flag:\n    a = 2\n---\nprint(a)", "flag", "a"),
    row("cond_both", "flag = True\na = 0\n---\nif flag:\n    a = 2\nelse:\n    a = 3\nb = a\n---\nprint(b)", "flag", "b"),
    row("cond_one_then_read", "flag = True\na = 0\n---\nif flag:\n    a = 2\nb = a\n---\nprint(b)", "flag a", "b"),
    row("cond_raise", "flag = True\na = 0\n---\nif flag:\n    a = 2\nelse:\n    raise SystemExit\nb = a\n---\nprint(b)", "flag", "b"),
    row("loop_defined", "xs = [1]\n---\nfor x in xs:\n    y = x\n---\nprint(y)", "xs", "y"),
    row("loop_accumulates", "total = 0\nxs = [1]\n---\nfor x in xs:\n    total += x\n---\nprint(total)", "xs total", "total"),
    row("while_true", "a = 0\nit = [1]\n---\nwhile True:\n    a = len(it)\n    if a: break\nb = a\n---\nprint(b)", "it", "b"),
    row("try_else", "a = 0\n---\ntry:\n    a = 1\nexcept ValueError:\n    pass\nb = a\n---\nprint(b)", "a", "b"),
    row("try_finally", "a = 0\n---\ntry:\n    pass\nfinally:\n    a = 1\nb = a\n---\nprint(b)", "", "b"),
    row("suppress", "from contextlib import suppress\na = 0\n---\nwith suppress(ValueError):\n    a = int('1')\nb = a\n---\nprint(b)", "suppress a", "b"),
    row("fstring_nested", "x = 1\nw = 5\n---\ns = f'{x:>{w}}'\n---\nprint(s)", "x w", "s"),
    row("star_import", "a = 1\n---\nfrom math import *\nb = a\n---\nprint(b, pi)", "a", "b"),
    row("exec_literal", "a = 1\n---\nexec('b = a + 1')\n---\nprint(b)", "a", "b"),
    row("eval_literal", "a = 1\n---\nb = eval('a + 1')\n---\nprint(b)", "a", "b"),
    row("globals_write", "a = 1\n---\nglobals()['b'] = a\n---\nprint(b)", "a", "b"),
    row("globals_read", "a = 1\n---\nb = globals()['a']\n---\nprint(b)", "a", "b"),
    row("query_text", "limit = 1\ndf = load()\n---\nbest = df.query('amount > @limit')\n---\nprint(best)", "df limit", "best"),
    row("fn_mutates_arg", "def add(xs): xs.append(1)\na = []\n---\nadd(a)\n---\nprint(a)", "add a", "a"),
    row("fn_leaves_arg", "def size(xs): return len(xs)\na = []\n---\nn = size(a)\n---\nprint(a, n)", "size a", "n"),
    row("fn_mutates_through_fn", "def put(xs): xs.append(1)\ndef add(ys): put(ys)\na = []\n---\nadd(a)\n---\nprint(a)", "add a put", "a"),
    row("fn_mutates_global", "log = []\ndef note(x): log.append(x)\n---\nnote(1)\n---\nprint(log)", "note log", "log"),
    row("fn_returns_arg", "def same(x): return x\na = []\nb = same(a)\n---\nb.append(1)\n---\nprint(a)", "b", "a"),
    row("fn_returns_global", "store = []\ndef get(): return store\n---\nget().append(1)\n---\nprint(store)", "get store", "store"),
    row("fn_makes_new", "def new(): return []\na = new()\nb = new()\n---\nb.append(1)\n---\nprint(a)", "b", ""),
    row("iterator", "it = iter([1, 2])\n---\nx = next(it)\n---\nprint(list(it), x)", "it", "it x"),
    row("iterator_looped", "it = map(str, [1, 2])\n---\nfor x in it: break\n---\nprint(list(it))", "it", "it"),
    row("generator", "def gen():\n    yield 1\n    yield 2\ng = gen()\n---\nx = next(g)\n---\nprint(x, list(g))", "g", "g x"),
    row("file_handle", "fh = open('a.txt')\n---\nfirst = list(fh)\n---\nprint(fh.read(), first)", "fh", "fh first"),
    row("import_alias", "import numpy as np\n---\nx = np.zeros(3)\n---\nprint(x)", "np", "x"),
    row("import_dotted", "a = 1\n---\nimport os.path\n---\nprint(os.sep, a)", "", "os"),
    row("nonlocal_closure", "def counter():\n    n = 0\n    def inc():\n        nonlocal n\n        n += 1\n        return n\n    return inc\nc = counter()\n---\nx = c()\n---\nprint(x)", "c", "x"),
    row("nested_shadow", "x = 1\n---\ndef f(x):\n    def g(): return x\n    return g()\n---\nprint(f(2), x)", "", "f"),
    row("top_await", "async def f(): return k\nk = 1\n---\nx = await f()\n---\nprint(x)", "f k", "x"),
    row("time_magic", "k = 1\n---\nget_ipython().run_line_magic('time', 'y = k + 1')\n---\nprint(y)", "k", "y"),
    row("cell_time", "k = 1\n---\nget_ipython().run_cell_magic('time', '', 'y = k\\nz = y')\n---\nprint(y, z)", "k", "y z"),
    row("capture", "k = 1\n---\nget_ipython().run_cell_magic('capture', 'out', 'print(k)')\n---\nprint(out)", "k", "out"),
    row("shell_names", "d = 'x'\nn = 1\n---\nfs = get_ipython().getoutput('ls $d {n + 1}')\n---\nprint(fs)", "d n", "fs"),
    row("annotated", "k = 1\n---\nx: int = k\n---\nprint(x)", "k", "x"),
    row("annotated_only", "x = 1\n---\nx: int\n---\nprint(x)", "", ""),
    row("star_targets", "xs = [1, 2]\n---\na, *b = xs\n---\nprint(a, b)", "xs", "a b"),
    row("swap", "a = 1\nb = 2\n---\na, b = b, a\n---\nprint(a, b)", "b a", "a b"),
    row("method_of_own_class", "class C:\n    def __init__(self): self.n = 0\n    def inc(self): self.n += 1\nc = C()\n---\nc.inc()\n---\nprint(c.n)", "c", "c"),
    row("method_that_only_looks", "class C:\n    n = 0\n    def get(self): return self.n\nc = C()\n---\nx = c.get()\n---\nprint(c, x)", "c", "x"),
    row("method_reads_global", "k = 1\nclass C:\n    def get(self): return k\nc = C()\n---\nx = c.get()\n---\nprint(x)", "c k", "x"),
    row("instance_holds_arg", "class C:\n    def __init__(self, xs): self.xs = xs\n    def add(self): self.xs.append(1)\na = []\nc = C(a)\n---\nc.add()\n---\nprint(a)", "c", "a"),
    row("imported_object", "from helpers import cache, plt\n---\ncache.append(1)\nplt.plot(1)\n---\nprint(cache, plt)", "cache plt", "cache"),
    row("monkeypatch", "import json\n---\njson.dumps = str\n---\nprint(json.dumps(1))", "json", "json"),
    row("read_that_mutates", "from collections import defaultdict\nd = defaultdict(list)\n---\nx = d['a']\n---\nprint(d, x)", "d", "d x"),
    row("pandas_inplace", "df = load()\n---\ndf.dropna(inplace=True)\n---\nprint(df)", "df", "df"),
    row("pandas_copy", "df = load()\n---\nclean = df.dropna()\n---\nprint(df, clean)", "df", "clean"),
    row("pandas_column", "df = load()\n---\ndf['b'] = df['a'] * 2\n---\nprint(df)", "df", "df"),
    row("shuffle", "import random\nxs = [1, 2]\n---\nrandom.shuffle(xs)\n---\nprint(xs)", "random xs", "xs"),
    row("genexp_late", "k = 1\nxs = [1]\n---\ng = (x * k for x in xs)\n---\nprint(list(g))", "xs k", "g"),
    row("main_guard", "a = 1\n---\nif __name__ == '__main__':\n    b = a\n---\nprint(b)", "a", "b"),
    row("builtin_shadow", "list = [1]\n---\nx = list\n---\nprint(x)", "list", "x"),
    row("builtin", "a = 1\n---\nx = list(range(a))\n---\nprint(x)", "a", "x"),
    row("underscore", "_, b = 1, 2\n---\nx = _ + b\n---\nprint(x)", "_ b", "x"),
    row("if_not_defined", "a = 1\n---\nif 'cache' not in globals():\n    cache = {}\n---\nprint(cache, a)", "", "cache"),
    row("own_twice", "a = 1\n---\ndef f(): return g()\ndef g(): return a\nf()\n---\nprint(f())", "a", "f g"),
    row("walrus_condition", "xs = [1]\n---\nif (n := len(xs)) > 0:\n    m = n\n---\nprint(n, m)", "xs", "n m"),
    row("argument_of_library", "import lib\nxs = [1]\n---\ny = lib.mean(xs)\n---\nprint(xs, y)", "lib xs", "y"),
    row("figure", "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\n---\nax.plot([1])\n---\nfig", "ax", "fig"),
    row("cursor", "import sqlite3\ndb = sqlite3.connect(':memory:')\ncur = db.cursor()\n---\ncur.execute('x')\n---\nprint(db)", "cur", "db"),
    row("recursive_data", "a = []\na.append(a)\n---\nb = [a]\nb[0].append(1)\n---\nprint(a)", "a", "a"),
    row("spread_arguments", "def add(*xs): xs[0].append(1)\nargs = [[]]\n---\nadd(*args)\n---\nprint(args)", "add args", "args"),
    row("named_arguments", "def add(x, to): to.append(x)\na = []\n---\nadd(x=1, to=a)\n---\nprint(a)", "add a", "a"),
    row("spread_mapping", "def add(**k): k['to'].append(1)\na = {'to': []}\n---\nadd(**a)\n---\nprint(a)", "add a", "a"),
    row("unknown_named_argument", "def add(x, **k): k['to'].append(x)\na = []\n---\nadd(1, to=a)\n---\nprint(a)", "add a", "a"),
    row("csv_reader", "import csv\nr = csv.reader(['a,b'])\n---\nhead = next(r)\n---\nprint(head, list(r))", "r", "r head"),
    row("path_open", "from pathlib import Path\np = Path('a')\nfh = p.open()\n---\nx = sum(1 for line in fh)\n---\nprint(x, fh.read())", "fh", "fh x"),
    row("eval_text", "k = 1\ndf = load()\n---\nb = df.eval('a * @k')\n---\nprint(b)", "df k", "b"),
    row("fn_writes_globals", "def put(): globals()['b'] = 1\n---\nput()\n---\nprint(b)", "put", "b"),
    row("fn_result_of_fn", "store = []\ndef inner(): return store\ndef outer(): return inner()\n---\nouter().append(1)\n---\nprint(store)", "outer inner store", "store"),
    row("inherited_method", "k = 1\nclass A:\n    def get(self): return k\nclass B(A): pass\nb = B()\n---\nx = b.get()\n---\nprint(x)", "b k", "x"),
    row("match_values", "import m\nx = {}\n---\nmatch x:\n    case {m.key: v, **rest}: y = v\n    case m.value: y = 1\n    case _: y = 0\n---\nprint(y)", "x m", "y"),
    row("match_guard", "x = 1\ny = 0\n---\nmatch x:\n    case 1: y = 1\n    case _ if x: y = 2\nz = y\n---\nprint(z)", "x y", "z"),
    row("for_else", "xs = [1]\ny = 0\n---\nfor x in xs:\n    if x: break\nelse:\n    y = 1\nz = y\n---\nprint(z)", "xs y", "z"),
    row("continue", "xs = [1]\ny = 0\n---\nfor x in xs:\n    if x:\n        continue\n    else:\n        y = 1\nz = y\n---\nprint(z)", "xs y", "z"),
    row("while_breaks", "c = 1\ny = 0\n---\nwhile True:\n    if c:\n        y = 1\n        break\n    y = 2\n    break\nz = y\n---\nprint(z)", "c", "z"),
    row("del_many", "a = b = 1\nd = {}\n---\ndel (a, [b]), d.x\n---\nprint(d, 'a' in globals())", "a b d", "a d"),
    row("fn_of_call", "import lib\nk = 1\n---\nf = lib.wrap(lambda x: x + k)\n---\nprint(f(1))", "lib k", "f"),
    row("old_magic_call", "k = 1\n---\nget_ipython().magic('time y = k')\n---\nprint(y)", "k", "y"),
    row("timeit_options", "k = 1\n---\nr = get_ipython().run_line_magic('timeit', '-n 10 -o k + 1')\n---\nprint(r)", "k", "r"),
    row("magic_of_no_code", "k = 1\n---\nget_ipython().run_line_magic('time', 'k k')\n---\nprint(k)", "", ""),
    row("shell_cell", "k = 1\n---\nget_ipython().run_cell_magic('!', '', 'ls {k}')\n---\nprint(k)", "k", ""),
    row("bash_out", "k = 1\n---\nget_ipython().run_cell_magic('bash', '--out listing', 'ls')\n---\nprint(listing)", "", "listing"),
    row("shell_awk", "k = 1\n---\nget_ipython().system(\"awk '{print $1}' {k} {no no} $nothing\")\n---\nprint(k)", "k", ""),
    row("call_of_call", "def make(): return lambda: k\nk = 1\n---\nx = make()()\n---\nprint(x)", "make k", "x"),
    row("dump_to_file", "import json\nfh = open('a', 'w')\nd = {}\n---\njson.dump(d, fh)\n---\nfh.close()", "json d fh", "fh"),
    row("print_to_file", "fh = open('a', 'w')\n---\nprint(1, file=fh)\n---\nfh.close()", "fh", "fh"),
    row("fn_shuffles_arg", "import random\ndef mix(xs): random.shuffle(xs)\na = [1, 2]\n---\nmix(a)\n---\nprint(a)", "mix random a", "a"),
    row("fn_reads_iterator", "def first(it): return next(it)\nit = iter([1])\n---\nx = first(it)\n---\nprint(x, list(it))", "first it", "it x"),
    row("class_property_of_instance", "k = 1\nclass C:\n    @property\n    def v(self): return k\nc = C()\n---\nx = c.v\n---\nprint(x)", "c k", "x"),
    row("mangled", "__k = 1\n_C__k = 2\n---\nclass C:\n    def get(self): return __k\n---\nprint(C().get())", "_C__k", "C"),
    row("fn_appends_to_imported", "from helpers import cache\ndef note(x): cache.append(x)\n---\nnote(1)\n---\nprint(cache)", "note cache", "cache"),
    row("fn_in_fn_appends_to_imported", "from helpers import cache\ndef a():\n    def b(): cache.update(x=1)\n    b()\n---\na()\n---\nprint(cache)", "a cache", "cache"),
    row("fn_both_methods_of_imported", "from helpers import cache\ndef a():\n    cache.add(1)\n    cache.show()\n---\na()\n---\nprint(cache)", "a cache", "cache"),
    row("fn_calls_function_of_imported", "from helpers import tools\ndef a(): return tools.run(1)\n---\nx = a()\n---\nprint(x, tools)", "a tools", "x"),
    row("fn_calls_append_of_module", "import numpy as np\ndef a(): return np.append([1], 2)\n---\nx = a()\n---\nprint(x, np)", "a np", "x"),
    row("imported_as_argument", "from helpers import cache\ndef note(to): to.append(1)\n---\nnote(cache)\n---\nprint(cache)", "note cache", "cache"),
    row("exec_literal_none", "a = 1\n---\nexec('b = a + 1', None)\n---\nprint(b)", "a", "b"),
    row("exec_literal_globals", "a = 1\n---\nexec('b = a + 1', globals())\n---\nprint(b)", "a", "b"),
    row("exec_literal_globals_by_name", "a = 1\nns = globals()\n---\nexec('b = a + 1', ns)\n---\nprint(b)", "a ns", "b"),
    row("exec_literal_own", "a = 1\nns = {}\n---\nexec('b = a + 1', ns)\n---\nprint(ns)", "ns", "ns"),
    row("eval_none", "a = 1\n---\nb = eval('a + 1', None, None)\n---\nprint(b)", "a", "b"),
    row("fixed_shared", "a = b = 1\n---\na += 1\n---\nprint(b)", "a", ""),
    row("fixed_in_container", "a = 1\nxs = [a, a]\n---\nxs[0] += 1\n---\nprint(a, xs)", "xs", "xs"),
    row("fixed_or_not", "import lib\na = 1 if lib.x else []\nb = a\n---\nb += [2]\n---\nprint(a)", "b", "a"),
    row("joined_over_branches", "import lib\nif lib.x:\n    a = [1]\nelse:\n    a = 1\nb = a\n---\nb += [2]\n---\nprint(a)", "b", "a"),
    row("changed_object_of_a_module_in_a_function", "import numpy as np\n---\ndef f(n):\n    x = np.zeros(n)\n    x[0] = 1\n    x += 1\n    return x\ny = f(3)\n---\nprint(np, y)", "np", "y"),
    row("changed_module_in_a_function", "import lib\n---\ndef f():\n    lib.x = 1\nf()\n---\nprint(lib)", "lib", "lib"),
    row("changed_view_in_a_function", "import numpy as np\na = np.zeros(3)\n---\ndef f():\n    v = a.ravel()\n    v[0] = 1\nf()\n---\nprint(a)", "a", "a"),
    row("function_in_class_in_function", "k = 1\ndef make():\n    class C:\n        def get(self): return k\n    return C()\nc = make()\n---\nx = c.get()\n---\nprint(x)", "c k", "x"),
]  # fmt: skip


if sys.version_info >= (3, 12):
    ROWS += [
        row("type_parameters", "T = k = 1\n---\ndef f[T](x: T, y=k) -> T: return x\n---\nprint(f(1))", "k", "f"),
        row("generic_class", "B = k = 1\n---\nclass C[T](B[T]):\n    x: T = k\n---\nprint(C)", "B k", "C"),
        row("type_alias", "K = int\n---\ntype X[T] = dict[K, T]\n---\nprint(X.__value__)", "K", "X"),
    ]  # fmt: skip


def found(row: Row) -> tuple[set[str], set[str]]:
    cells, analysis, _ = analysed(*row.cells)
    return set(cells[1].names.reads), set(analysis.live["c1"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_sound_and_as_exact_as_we_say(row: Row) -> None:
    reads, live = found(row)
    assert reads >= set(row.reads.split())
    assert live >= set(row.live.split())
    exact = (reads, live) == (set(row.reads.split()), set(row.live.split()))
    assert exact == row.exact, (reads, live)


@pytest.mark.parametrize(
    "second",
    [
        "exec(code, None)",
        "exec(code, globals())",
        "exec(code, ns)",
        "ns['b'] = 1",
        "ns.update(b=1)",
        "put(ns)",
        "put_there()",
        "def f(): ns['b'] = 1\nf()",
        "print(ns.get('a'))",
    ],
)
def test_the_namespace_is_an_object(second: str) -> None:
    """Whoever has it may bind and read any name, so all names before are live."""
    first = "a = 1\ncode = ''\nns = globals()\ndef put(d): d['b'] = 1\ndef put_there(): ns['b'] = 1"
    cells, analysis, _ = analysed(first, "c = a", second)
    assert cells[2].dynamic
    assert analysis.live["c1"] == ("c",)


@pytest.mark.parametrize("second", ["exec(code, {})", "exec(code, {}, {})", "eval(code, own)"])
def test_another_namespace_is_not(second: str) -> None:
    cells, analysis, _ = analysed("code = ''\nown = {}", "c = 1", second)
    assert not cells[2].dynamic
    assert analysis.live["c1"] == ()


def test_nine_of_ten_are_exact() -> None:
    assert len(ROWS) >= 60
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert sum(row.exact for row in ROWS) >= 0.9 * len(ROWS)
