"""Analyse: what each code cell does with the notebook's names, and whether it can be a function (DESIGN 4.2, 4.3; DATAFLOW 3.2).

`reads` are the names a cell may need from the cells before it, also through functions it calls or defines. `binds` and `deletes` are
exactly what the compiler sees at the cell's top level, plus what magics like `%time x = 1` bind. `mutates` goes by evidence: stores into
a part, `+=`, methods not known to be pure, notebook functions that change their arguments, and every alias of what these
change; an argument of a library function is taken to be left alone. An error here never changes what an app computes: the
cells share one namespace whatever is said of it.
"""

import ast
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from transpiler import codes
from transpiler.diagnostics import Diagnostic, Found, Span
from transpiler.ir import AnalysedCode, Analysis, Annotated, Code, Names, Python, Text
from transpiler.passes import known, looks, shell
from transpiler.passes.flow import Flow
from transpiler.passes.form import Form, Notebookwide, Text as Source, form_of
from transpiler.passes.scope import FUNCTIONS, Bindings
from transpiler.passes.effects import Thing, Value


@dataclass(slots=True)
class _Cell:
    """A code cell on its way through the pass."""

    code: Code
    body: list[ast.stmt] = field(default_factory=list)
    source: Source = field(default_factory=lambda: Source(""))
    bindings: Bindings = field(default_factory=Bindings)
    failed: str | None = None
    names: Names = field(default_factory=Names)
    certain: set[str] = field(default_factory=set)
    """Names it certainly binds."""
    outs: set[str] = field(default_factory=set)
    """Names it may bind, delete or mutate."""
    given: tuple[str, ...] = ()
    dynamic: bool = False
    form: Form = field(default_factory=Form)


@dataclass(slots=True)
class _Namespace:
    """What is known of the notebook's namespace between two cells."""

    values: dict[str, Value] = field(default_factory=dict)
    bound: dict[str, int] = field(default_factory=dict)
    """Names a cell so far may have bound -> the last such cell."""
    deleted: dict[str, int] = field(default_factory=dict)
    open: bool = False
    """Whether names may be bound that cannot be known."""
    text_reason: str | None = None
    """Why all further cells are kept as text."""
    future_annotations: bool = False


def analyse(annotated: Annotated) -> tuple[Analysis, Found]:
    """Return the notebook with the data flow between its cells, and what is worth saying about it. Pure; raises nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a SyntaxWarning about the user's code is not ours to print
        return _analyse(annotated)


def _analyse(annotated: Annotated) -> tuple[Analysis, Found]:
    cells = [_parsed(item) for item in annotated.items if isinstance(item, Code)]
    wide = _notebookwide(cells)
    later = _first_bound(cells)
    namespace = _Namespace()
    found: list[Diagnostic] = []
    files: dict[str, None] = {}
    modules: dict[str, None] = {}
    texts: dict[str, str] = {}
    done: dict[str, AnalysedCode] = {}
    for cell in cells:
        found += _analyse_cell(cell, namespace, wide, later)
        for statement in cell.body:
            files |= dict.fromkeys(looks.read_files(statement, texts))
            if "import" in cell.source.text:
                modules |= dict.fromkeys(looks.imported_modules(statement))
            _note_text(statement, texts)
        done[cell.code.cell.id] = _result(cell)
    live = _live(cells)
    items = tuple(i if isinstance(i, Text) else done[i.cell.id] for i in annotated.items)
    requirements = dict.fromkeys(
        name for cell in cells if cell.code.python for name in cell.code.python.requirements
    )
    analysis = Analysis(
        annotated,
        items,
        live,
        files=tuple(files),
        modules=tuple(modules),
        requirements=tuple(requirements),
    )
    return analysis, tuple(sorted(found, key=lambda d: d.order))


def _parsed(code: Code) -> _Cell:
    if code.python is None:
        return _Cell(code, failed="it is not Python that can be read")
    try:
        body = ast.parse(code.python.text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return _Cell(code, failed=f"Python refuses it: {error}")
    try:
        return _Cell(code, body, Source(code.python.text), Bindings(body))
    except RecursionError:
        return _Cell(code, failed="it is nested too deeply")


def _notebookwide(cells: list[_Cell]) -> Notebookwide:
    """Look for what decides how all cells are written."""
    wide = Notebookwide()
    for cell in cells:
        wide.bound |= cell.bindings.binds.keys()
        text = cell.code.python.text if cell.code.python else ""
        wide.reads_annotations |= "__annotations__" in text or "get_annotations" in text
        wide.reads_sources |= any(w in text for w in ("getsource", "pinfo2", "'psource'", "findsource"))
        wide.reads_docstrings |= ".__doc__" in text or "doctest" in text
        wide.reads_doc |= "__doc__" in text and any(
            isinstance(n, ast.Name) and n.id == "__doc__" for s in cell.body for n in ast.walk(s)
        )
    return wide


def _first_bound(cells: list[_Cell]) -> dict[str, int]:
    """Name -> the position of the last code cell that binds it at its top level or through `global`."""
    last: dict[str, int] = {}
    for number, cell in enumerate(cells):
        for name in cell.bindings.binds:
            last[name] = number
    return last


def _analyse_cell(
    cell: _Cell, namespace: _Namespace, wide: Notebookwide, later: dict[str, int]
) -> list[Diagnostic]:
    """Fill in what one cell does, and move the namespace on past it."""
    if cell.failed:
        cell.form.reason = cell.failed
        cell.dynamic = namespace.open = True
        return []
    index = cell.code.cell.index
    before = dict(namespace.values)
    flow = Flow(namespace.values, index)
    try:
        flow.run(cell.body)
    except RecursionError:
        cell.failed = cell.form.reason = "it is nested too deeply"
        cell.dynamic = namespace.open = True
        return [codes.NOT_ANALYSED.at(_span(cell, cell.body[0]), reason=cell.failed)]
    found = _undefined(cell, flow, namespace, later)
    _fill(cell, flow, namespace, before)
    _write_form(cell, flow, namespace, wide)
    found += _form_diagnostics(cell, namespace)
    for name in (*cell.names.binds, *flow.writes):
        namespace.bound[name] = index
        namespace.deleted.pop(name, None)
    for name in cell.names.deletes:
        if name not in namespace.values:
            namespace.bound.pop(name, None)
            namespace.deleted[name] = index
    namespace.open |= cell.dynamic
    return found


def _fill(cell: _Cell, flow: Flow, namespace: _Namespace, before: dict[str, Value]) -> None:
    """Turn what the walk saw into `Names`."""
    mine = dict.fromkeys([*cell.bindings.binds, *flow.binds])
    binds = tuple(name for name in mine)
    reads: list[str] = []
    given: list[str] = []
    for name in flow.reads:
        if name in namespace.bound:
            reads.append(name)
        elif name in mine:
            continue  # its own, where the walk is not certain: it cannot come from before
        elif known.is_given(name):
            given.append(name)
        elif name not in known.BUILTINS and (name not in flow.guarded or name in flow.writes):
            reads.append(name)
    reads += [n for n in flow.indirect if n in namespace.bound and n not in flow.reads]
    deletes = tuple(cell.bindings.deletes)
    mutates = _mutated(flow, before, [*reads, *binds])
    mutates += [n for n in flow.writes if n not in mutates and n not in mine]
    cell.names = Names(tuple(reads), binds, deletes, tuple(mutates))
    cell.certain = set(flow.must)
    cell.outs = {*binds, *deletes, *mutates}
    cell.given = tuple(given)
    cell.dynamic = flow.dynamic is not None or flow.star is not None


def _mutated(flow: Flow, before: dict[str, Value], order: list[str]) -> list[str]:
    """Return the names of objects from before this cell that it changes."""
    names: dict[str, None] = {}
    for item in flow.mutated:
        if isinstance(item, Thing) and item.cell != flow.cell and item.kind != "module":
            for name in item.names:
                if item in before.get(name, ()) or (name not in before and item.cell == -1):
                    names[name] = None
        elif isinstance(item, Thing) and item.kind == "module":
            names |= dict.fromkeys(n for n in item.names if item in before.get(n, ()))
    place = {name: number for number, name in reversed(list(enumerate(order)))}
    return sorted(names, key=lambda name: (place.get(name, len(order)), name))


# --- the form ---------------------------------------------------------------------------------------------------------


def _write_form(cell: _Cell, flow: Flow, namespace: _Namespace, wide: Notebookwide) -> None:
    """Decide whether the cell is a function."""
    if not cell.body:
        return
    names = {*cell.names.reads, *cell.names.binds, *cell.names.deletes}
    uses = names | flow.reads.keys() | flow.indirect.keys()
    for closure in flow.closures:
        uses |= closure.loads.keys() | closure.writes.keys()
    bound = namespace.bound.keys() | flow.must
    try:
        cell.form = form_of(cell.body, cell.source, wide, set(bound), names, uses)
    except RecursionError:
        cell.form = Form(reason="it is nested too deeply", where=cell.body[0])
    if cell.form.reason is None:
        reason = namespace.text_reason
        if namespace.future_annotations and _has_annotations(cell.body):
            reason = "a cell above has `from __future__ import annotations`, which concerns annotations here"
        if reason:
            cell.form = Form(reason=reason)
    for node in cell.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            namespace.future_annotations |= any(a.name == "annotations" for a in node.names)


def _has_annotations(body: Iterable[ast.stmt]) -> bool:
    for node in (part for statement in body for part in ast.walk(statement)):
        if isinstance(node, ast.AnnAssign) or (isinstance(node, ast.arg) and node.annotation):
            return True
        if isinstance(node, FUNCTIONS) and node.returns:
            return True
    return False


def _shell_setting(cell: _Cell) -> tuple[ast.AST, str] | None:
    """Return where a cell makes IPython show or run more than a function can say."""
    if not any(word in cell.source.text for word in ("interactivity", "_transformers")):
        return None
    for node in (part for statement in cell.body for part in ast.walk(statement)):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Attribute) and target.attr == "ast_node_interactivity":
                    value = node.value
                    if not (isinstance(value, ast.Constant) and value.value == "last_expr"):
                        return node, target.attr
        elif isinstance(node, ast.Call):
            magic = shell.magic_of(node)
            if magic and magic.name == "config" and "ast_node_interactivity" in magic.line:
                if not magic.line.rstrip("'\" ").endswith("last_expr"):
                    return node, "ast_node_interactivity"
        elif isinstance(node, ast.Attribute) and node.attr in ("ast_transformers", "input_transformers_post", "input_transformers_cleanup"):
            return node, node.attr
    return None


def _form_diagnostics(cell: _Cell, namespace: _Namespace) -> list[Diagnostic]:
    found = []
    text = cell.source.text
    for edit in cell.form.edits:
        old = " ".join(text[slice(*edit.slice)].split()) or text[max(0, edit.slice.start - 1) : edit.slice.start]
        found.append(
            codes.EDITED.at(_slice_span(cell, edit.slice), new=f"`{edit.text.strip()}`", old=f"`{old}`", reason=edit.reason)
        )
    if cell.form.reason is not None and cell.form.where is not None:
        found.append(codes.KEPT_AS_TEXT.at(_span(cell, cell.form.where), reason=cell.form.reason))
    setting = _shell_setting(cell)
    if setting is not None:
        namespace.text_reason = f"a cell above sets `{setting[1]}`"
        found.append(codes.SHOWS_MORE.at(_span(cell, setting[0]), setting=setting[1]))
    return found


# --- undefined names --------------------------------------------------------------------------------------------------


def _undefined(
    cell: _Cell, flow: Flow, namespace: _Namespace, later: dict[str, int]
) -> list[Diagnostic]:
    """Report names that nothing before the cell binds, unless something may that cannot be known."""
    if namespace.open or flow.star or flow.dynamic or cell.code.options.raises:
        return []
    found = []
    own = {*cell.bindings.binds, *flow.binds, *flow.writes}
    for name, node in {**flow.indirect, **flow.reads}.items():
        if (
            name in namespace.bound or name in own or name in flow.guarded
            or name in known.BUILTINS or known.is_given(name)
        ):  # fmt: skip
            continue
        span = _span(cell, node)
        if name in flow.reads and name in namespace.deleted:
            found.append(codes.DELETED.at(span, name=name, deletion=namespace.deleted[name]))
        elif name in flow.reads and later.get(name, -1) > 0:
            found.append(codes.USED_BEFORE.at(span, name=name, definition=later[name]))
        elif name not in later:
            near = get_close_matches(name, [*namespace.bound, *known.BUILTINS], 1, 0.75)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            found.append(codes.UNDEFINED.at(span, name=name, hint=hint))
    return found


# --- results ----------------------------------------------------------------------------------------------------------


def _live(cells: list[_Cell]) -> dict[str, tuple[str, ...]]:
    """Return for each cell what it binds, deletes or mutates that a later cell may read: backward liveness."""
    live: set[str] = set()
    everything = False
    out: dict[str, tuple[str, ...]] = {}
    for cell in reversed(cells):
        mine = [*cell.names.binds, *cell.names.deletes, *cell.names.mutates]
        out[cell.code.cell.id] = tuple(n for n in dict.fromkeys(mine) if everything or n in live)
        everything |= cell.dynamic
        live = (live - cell.certain - set(cell.names.deletes)) | set(cell.names.reads)
    return {cell.code.cell.id: out[cell.code.cell.id] for cell in cells}


def _result(cell: _Cell) -> AnalysedCode:
    python, options = cell.code.python, cell.code.options
    shows = bool(cell.body) and isinstance(cell.body[-1], ast.Expr)
    shows = shows and python is not None and not python.tail_semicolon
    setup = not cell.failed and looks.is_setup(cell.body, shows)
    if options.setup is not None:
        setup = options.setup
    return AnalysedCode(
        cell.code,
        cell.names,
        setup and not cell.code.fields,
        tuple(cell.form.edits),
        cell.form.reason,
        cell.form.awaits,
        shows,
        looks.suggested_title(cell.code.cell.source),
        cell.given,
        cell.dynamic,
    )


def _note_text(node: ast.stmt, texts: dict[str, str]) -> None:
    """Remember names that stand for literal texts, as paths may be built of them."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        text = looks.literal_text(node.value, texts)
        if text is not None:
            texts[node.targets[0].id] = text
        else:
            texts.pop(node.targets[0].id, None)


# --- places -----------------------------------------------------------------------------------------------------------


def _span(cell: _Cell, node: ast.AST) -> Span:
    """Return where a node stands in the notebook's cell."""
    if not isinstance(node, ast.expr | ast.stmt | ast.arg | ast.alias | ast.ExceptHandler | ast.pattern):
        return _place(cell, 0, 0, 0, 0)
    source = cell.source
    start = source.position(source.offset(node.lineno, node.col_offset))
    last = node.end_lineno or node.lineno
    if isinstance(node, ast.stmt) and hasattr(node, "body"):
        last = node.lineno  # a compound statement: its first line
        lines = source.text.splitlines()
        end = (last - 1, len(lines[last - 1]) if last <= len(lines) else 0)
    else:
        end = source.position(source.offset(last, node.end_col_offset or 0))
    return _place(cell, *start, *end)


def _slice_span(cell: _Cell, place: tuple[int, int]) -> Span:
    return _place(cell, *cell.source.position(place[0]), *cell.source.position(place[1]))


def _place(cell: _Cell, line: int, column: int, end_line: int, end_column: int) -> Span:
    """Return a place of the cell's Python (0-based) as one of the notebook's cell, kept inside the cell.

    Where IPython's transformer rewrote a line, columns no longer correspond: they are cut at the line's end.
    """
    python: Python | None = cell.code.python
    lines = python.lines if python else ()
    text = cell.code.cell.source.split("\n")

    def there(line: int, column: int) -> tuple[int, int]:
        row = lines[line] if line < len(lines) else (lines[-1] if lines else 1)
        row = max(1, min(row, len(text)))
        return row, min(column, len(text[row - 1])) + 1

    start, end = there(line, column), there(end_line, end_column)
    return Span(cell.code.cell.index, *start, *max(start, end))
