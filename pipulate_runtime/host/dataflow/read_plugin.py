"""Reads the data flow off a plugin's own source, so that the picture on its page is true after any edit by hand.

A plugin says itself what its cells do with names: `global sales  # in: from the cells before`. These lines are
believed, since they also know what functions of earlier cells use. Names that they do not list are looked up in the
code, so an edit that forgets them still shows.
"""

import ast
import re
import symtable
import weakref
from collections.abc import Iterator
from typing import Any

from pipulate_runtime.host.base.flow import Flow, Node, Used, flow_of

# An assignment whose value is a magic or a shell line keeps its names; other lines of this kind have none of ours
_MAGIC = re.compile(r"^(\s*)(?:([\w, ]+=)\s*)?[%!?].*$|^\s*[\w.]+\?{1,2}\s*$", re.MULTILINE)

# Cell magics whose cell is Python of the notebook, and those whose cell is none
_PYTHON = r"%%(time|timeit|capture|prun)\b"
_NO_PYTHON = r"%%(writefile|file|html|HTML|markdown|latex|svg|SVG|javascript|js)\b"

# What the comments of `global` lines begin with
_WRITES = ("out", "in and out", "stays")

_shown: "weakref.WeakKeyDictionary[Any, Flow | None]" = weakref.WeakKeyDictionary()


def flow_to_show(plugin: Any) -> Flow | None:
    """Return the data flow of a workflow's instance, read once; None when there is nothing to draw."""
    if plugin not in _shown:
        flow = read_flow(plugin)
        _shown[plugin] = flow if flow and flow.drawn else None
    return _shown[plugin]


def read_flow(plugin: Any) -> Flow | None:
    """Return the data flow of a workflow's instance; None for one without cells, or whose source cannot be read."""
    cells = getattr(plugin, "cells", None)
    if cells is None:
        return None
    try:
        reader = _Reader(cells.source.text, cells.source.plugin_class.__name__)
        steps = []
        for step in plugin.steps:
            if step.id == "finalize":
                continue
            used: list[Used] = []
            asks: dict[str, None] = {}
            for cell in cells.source.of_step(step.id):
                if cell.is_text:
                    used.append(of_text(cell.code))
                else:
                    used.append(reader.of_function(cell.name))
                    asks |= dict.fromkeys(reader.asks(cell.name))
            unknown = any(cell.unknown for cell in used)
            steps.append((Node(step.id, str(step.show), tuple(asks), unknown), used))
    except (SyntaxError, ValueError, LookupError, RecursionError):
        return None
    return flow_of(str(getattr(plugin, "DISPLAY_NAME", "")), steps)


class _Reader:
    """The functions of one class, by name."""

    def __init__(self, text: str, class_name: str) -> None:
        """Parse a module; raises SyntaxError, ValueError or LookupError when it has no such class."""
        self.lines = text.split("\n")
        self.nodes = {
            member.name: member
            for node in ast.parse(text).body
            if isinstance(node, ast.ClassDef) and node.name == class_name
            for member in node.body
            if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        module = symtable.symtable(text, "<plugin>", "exec")
        (table,) = [t for t in module.get_children() if t.get_name() == class_name]
        self.tables = {t.get_name(): t for t in table.get_children() if t.get_type() == "function"}

    def of_function(self, name: str) -> Used:
        """Return what a cell's function does with the notebook's names."""
        node = self.nodes[name]
        said: dict[str, str] = {}  # what the comments of its `global` lines say of the names
        for statement in node.body:
            if isinstance(statement, ast.Global):
                comment = self.lines[(statement.end_lineno or 0) - 1].partition("#")[2]
                if meaning := comment.partition(":")[0].strip():
                    said |= dict.fromkeys(statement.names, meaning)
        reads = [name for name, meaning in said.items() if meaning in ("in", "in and out")]
        writes = [name for name, meaning in said.items() if meaning.startswith(_WRITES)]
        by_code = _by_code(self.tables[name], node.body)
        return Used(
            (*reads, *(name for name in by_code.reads if name not in said)),
            tuple(dict.fromkeys((*writes, *by_code.writes))),
            by_code.imports,
            by_code.unknown,
        )

    def asks(self, name: str) -> Iterator[str]:
        """Yield the answers that a cell's function takes from its form, in order."""
        node = self.nodes[name]
        form = node.args.args[0].arg if node.args.args else ""
        for inner in _in_order(node):
            match inner:
                case ast.Subscript(ast.Name(owner), ast.Constant(str(answer))) if owner == form:
                    yield answer


def of_text(text: str) -> Used:
    """Return what a cell that is kept as text does with names, as far as its Python can be read without IPython."""
    first, _, rest = text.lstrip().partition("\n")
    if first.startswith("%%"):
        if re.match(_NO_PYTHON, first):
            return Used()
        if not re.match(_PYTHON, first):
            return Used(unknown=True)
        text = rest
    plain = _MAGIC.sub(lambda m: f"{m[1] or ''}{m[2]} None" if m[2] else f"{m[1] or ''}pass", text)
    try:
        body = ast.parse(plain).body
        table = symtable.symtable(plain, "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError):
        return Used(unknown=True)
    return _by_code(table, body)


def _by_code(table: symtable.SymbolTable, body: list[ast.stmt]) -> Used:
    """Return what the code by itself says, of a function (its globals) or a module (all its names)."""
    top = table.get_type() == "module"
    reads: set[str] = set()
    writes: set[str] = set()
    for scope in _scopes(table):
        for symbol in scope.get_symbols():
            if symbol.is_global() or (top and scope is table):
                if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace():
                    writes.add(symbol.get_name())
                if symbol.is_referenced():
                    reads.add(symbol.get_name())
    nodes = [node for statement in body for node in ast.walk(statement)]
    for node in nodes:  # `x[0] = ...` and `x.y = ...` change what `x` is
        if isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
            writes |= reads & {_root(node)}
    first = _first_uses(body)
    # `total += 1` reads, too, though the table says only that it is bound
    reads |= {name for name in writes if first.get(name) == "load"}
    order = dict.fromkeys((*first, *sorted(reads | writes)))
    imported = {
        (alias.asname or alias.name).partition(".")[0]
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    return Used(
        tuple(n for n in order if n in reads and (n not in writes or first.get(n) != "store")),
        tuple(n for n in order if n in writes),
        tuple(n for n in order if n in writes & imported),
        "*" in imported,
    )


def _root(node: ast.AST) -> str:
    """Return the name at the left of `a.b[c].d`, or ""."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _scopes(child)


def _first_uses(body: list[ast.stmt]) -> dict[str, str]:
    """Return for each name whether it is first read or first bound, in the order in which the code runs."""
    first: dict[str, str] = {}
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first.setdefault(statement.name, "store")
        for node in _in_order(statement):
            if isinstance(node, ast.Name):
                kind = "load" if isinstance(node.ctx, ast.Load) else "store"
                first.setdefault(node.id, kind)
            elif isinstance(node, ast.alias):
                first.setdefault((node.asname or node.name).partition(".")[0], "store")
    return first


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree as it is evaluated: the value of an assignment, and what a loop goes over, come first."""
    yield node
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        yield ast.Name(node.target.id, ast.Load())
    fields = [value for _, value in ast.iter_fields(node)]
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        fields.reverse()
    elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        fields[0], fields[1] = fields[1], fields[0]
    elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
        fields = [fields[-1], *fields[:-1]]
    for value in fields:
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, ast.AST):
                yield from _in_order(item)
