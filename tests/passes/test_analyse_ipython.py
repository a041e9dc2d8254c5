"""Each cell of a notebook run by IPython as it stands, and as the function analyse says it can be: both must show the same."""

import ast
import contextlib
import io
import re
import types

import pytest
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from tests.passes.notebooks import analysed, code
from transpiler.model.ir import AnalysedCode
from transpiler.python.positions import apply

CELLS = [
    "import math, random\nfrom collections import defaultdict\nrandom.seed(0)",
    "rows = [(i, random.random()) for i in range(5)]\nrows",
    "total: float = 0\nfor i, (n, v) in enumerate(rows):\n    total += v\nelse:\n    done = True\ntotal",
    "%time z = total * 2",
    "%%capture out\nprint('hi', total)\nw = 3",
    "print(out.stdout, w, z)",
    "files = !echo {w} $w\nfiles",
    "def scale(x, k=w):\n    return x * k * factor\nfactor = 2",
    "factor = 3\nscale(2)",
    "class A:\n    __hidden = 1\n    def get(self): return self.__hidden, factor\na = A()\na.get()",
    "from math import *\nprint(floor(pi))",
    "x = 1\ndel x\ntry:\n    x\nexcept NameError as e:\n    print(e)",
    "exec('q = w + 1')\nprint(q, sorted(k for k in locals() if len(k) == 1))",
    "match rows:\n    case [(first, _), *others]: pass\nfirst, len(others)",
    "import asyncio\nawait asyncio.sleep(0)\nasync def co(): return factor\nr = await co()\nr",
    "_, Out[2] == total",
    "d = defaultdict(list)\nfor k, v in rows: d[k % 2].append(v)\n{k: len(v) for k, v in d.items()}",
    "rows[0];",
    "1 / 0",
    "print(A.__qualname__, scale.__qualname__, A.get.__qualname__)",
    "%%timeit -n1 -r1\npass",
    "[n for n in dir() if n in ('q', 'w', 'form', 'x')]",
    "f = lambda: factor\n[f() for _ in range(2)]",
    "if (n := len(rows)) > 3:\n    print(n)\nn",
    'text = """a\n  b"""\nprint(text)',
    "global w\nw = 4",
    "n += 1\nw, n",
]
TIMES = re.compile(r"\d+(\.\d+)? ?[mµun]?s\b.*|0x\w+")


class Shell:
    """An IPython of its own."""

    def __init__(self) -> None:
        InteractiveShell.clear_instance()
        config = Config()
        config.HistoryManager.enabled = False
        self.shell = InteractiveShell.instance(config=config)

    def run(self, source: str) -> tuple[str, str, str]:
        """The text a cell prints, its value, its error."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            done = self.shell.run_cell(source, store_history=True)
        failed = done.error_in_exec is not None
        text = "" if failed else TIMES.sub("", printed.getvalue())
        return text, TIMES.sub("", repr(done.result)), repr(done.error_in_exec)

    def call(self, cell: AnalysedCode) -> tuple[str, str, str]:
        """The same of the function made of a cell."""
        assert cell.code.python is not None
        body = ast.parse(apply(cell.code.python.text, list(cell.edits))).body
        names = sorted({*cell.names.reads, *cell.names.binds, *cell.names.deletes})
        if cell.shows:
            assert isinstance(body[-1], ast.Expr)
            body[-1] = ast.Return(body[-1].value)
        head = f"{'async ' * cell.awaits}def cell(form):\n"
        function = ast.parse(head + (f"  global {', '.join(names)}" if names else "  pass")).body[0]
        assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        function.body += body
        made: dict[str, types.FunctionType] = {}
        module = ast.fix_missing_locations(ast.Module([function], []))
        exec(compile(module, "<cell>", "exec"), made)
        space = self.shell.user_ns
        space["__cell"] = types.FunctionType(made["cell"].__code__, space)
        return self.run("await __cell(None)" if cell.awaits else "__cell(None)")


@pytest.mark.filterwarnings("ignore")
def test_functions_show_what_cells_show() -> None:
    transform = TransformerManager().transform_cell
    cells, _, _ = analysed(
        *(code(i, source, transform(source).rstrip("\n")) for i, source in enumerate(CELLS))
    )
    try:
        plain = Shell()
        expected = [plain.run(source) for source in CELLS]
        shell = Shell()
        for cell, wanted in zip(cells, expected, strict=True):
            source = cell.code.cell.source
            got = shell.run(source) if cell.text_reason else shell.call(cell)
            assert got == wanted, source
    finally:
        InteractiveShell.clear_instance()
    as_text = [cell.code.cell.source.split("\n")[0] for cell in cells if cell.text_reason]
    assert as_text == ["%time z = total * 2", "from math import *", "%%timeit -n1 -r1"]
