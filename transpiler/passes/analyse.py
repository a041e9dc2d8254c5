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
from dataclasses import replace
from pathlib import PurePosixPath

from transpiler.dataflow import cell_kind
from transpiler.dataflow.as_function import Form, Notebookwide, form_of
from transpiler.dataflow.cell import TOO_DEEP, CodeCell, Namespace
from transpiler.dataflow.flow import Flow
from transpiler.dataflow.objects import Thing, Value
from transpiler.fields.from_earlier import names as names_in
from transpiler.model import rules
from transpiler.model.diagnostics import Diagnostic, Found, Span
from transpiler.model.ir import AnalysedCode, Analysis, Annotated, Code, Names, Text
from transpiler.notices.collect import Notices
from transpiler.notices.names import report_text_cells, report_undefined_names
from transpiler.python import libraries
from transpiler.python.positions import Places, line_span
from transpiler.python.scope import FUNCTIONS, Bindings, walk_all


def analyse(annotated: Annotated) -> tuple[Analysis, Found]:
    """Return the notebook with the data flow between its cells, and what is worth saying about it. Pure; raises nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # a SyntaxWarning about the user's code is not ours to print
        return _analyse(annotated)


def _analyse(annotated: Annotated) -> tuple[Analysis, Found]:
    code_cells = (item for item in annotated.items if isinstance(item, Code))
    cells = [_parsed(code, number) for number, code in enumerate(code_cells, 1)]
    wide = _notebookwide(cells)
    later = _last_bound(cells)
    namespace = Namespace()
    found: list[Diagnostic] = []
    logo = annotated.notebook.options.get("logo")
    files: dict[str, None] = {str(PurePosixPath(str(logo))): None} if logo else {}
    written: dict[str, None] = {}
    modules: dict[str, None] = {}
    needs: dict[str, Span] = {}
    texts: dict[str, str] = {}
    done: dict[str, AnalysedCode] = {}
    notices = Notices(cells)
    for cell in cells:
        found += _analyse_cell(cell, namespace, wide, later, notices)
        for statement in () if cell.failed else cell.body:
            for node, path in cell_kind.read_paths(statement, texts):
                if cell_kind.is_relative(path):
                    files[str(PurePosixPath(path))] = None
                elif cell_kind.is_absolute(path):
                    notices.look_at_path(cell, node, path)
            written |= dict.fromkeys(cell_kind.written_files(statement, texts))
            if "import" in cell.source.text or "load_ext" in cell.source.text:
                modules |= dict.fromkeys(cell_kind.imported_modules(statement))
                for node, module in cell_kind.needed_modules(statement):
                    needs.setdefault(module, cell.source.span(node))
            _note_text(statement, texts)
        done[cell.code.cell.id] = _result(cell, wide)
    found += notices.finish()
    if any(cell_kind.makes_modules(cell.source.text) for cell in cells):
        needs = {name: span for name, span in needs.items() if libraries.package_of(name)}
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
        written=tuple(written),
        modules=tuple(modules),
        requirements=tuple(requirements),
        needs=needs,
    )
    return analysis, tuple(sorted(_without_echoes(found), key=lambda d: d.order))


def _without_echoes(found: list[Diagnostic]) -> list[Diagnostic]:
    """Leave out that a cell is kept as text because of a magic, where it is said that there is no such magic."""
    told = {d.span for d in found if d.rule is rules.UNKNOWN_MAGIC}
    return [d for d in found if d.rule is not rules.KEPT_AS_TEXT or d.span not in told]


def _parsed(code: Code, number: int) -> CodeCell:
    blank = CodeCell(code, number, Places(code.cell, None))
    if code.python is None:
        return replace(blank, failed="it is not Python that can be read")
    try:
        body = ast.parse(code.python.text).body
    except (RecursionError, MemoryError):
        return replace(blank, failed=TOO_DEEP)
    except (SyntaxError, ValueError) as error:
        return replace(blank, failed=f"Python refuses it: {error}")
    cell = CodeCell(code, number, Places(code.cell, code.python), body)
    cell.shows = bool(body) and isinstance(body[-1], ast.Expr) and not code.python.tail_semicolon
    if code.controls and code.controls.shows is not None:
        cell.shows = code.controls.shows
    try:
        cell.bindings = Bindings(body)
    except RecursionError:
        cell.failed = TOO_DEEP
    for name, node in cell.bindings.binds.items():
        if isinstance(node, ast.alias):
            cell.imports.add(name)
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            cell.defines.add(name)
    return cell


def _notebookwide(cells: list[CodeCell]) -> Notebookwide:
    """Look for what decides how all cells are written."""
    wide = Notebookwide()
    for cell in cells:
        wide.bound |= cell.bindings.binds.keys()
        text = cell.code.python.text if cell.code.python else ""
        wide.reads_annotations |= "__annotations__" in text or "get_annotations" in text
        wide.reads_sources |= any(
            w in text for w in ("getsource", "pinfo2", "'psource'", "findsource")
        )
        wide.reads_docstrings |= ".__doc__" in text or "doctest" in text
        wide.reads_doc |= "__doc__" in text and any(
            isinstance(n, ast.Name) and n.id == "__doc__" for s in cell.body for n in ast.walk(s)
        )
    return wide


def _last_bound(cells: list[CodeCell]) -> dict[str, int]:
    """Name -> the position of the last cell that binds it, at its top level or in a function that declares it global."""
    last: dict[str, int] = {}
    for cell in cells:
        names = list(cell.bindings.binds)
        if "global" in cell.source.text:
            for node in walk_all(cell.body):
                if isinstance(node, ast.Global):
                    names += node.names
        last |= dict.fromkeys(names, cell.code.cell.index)
    return last


def _analyse_cell(
    cell: CodeCell,
    namespace: Namespace,
    wide: Notebookwide,
    later: dict[str, int],
    notices: Notices,
) -> list[Diagnostic]:
    """Fill in what one cell does, and move the namespace on past it."""
    index = cell.code.cell.index
    before = dict(namespace.values)
    flow = Flow(namespace.values, index)
    try:
        flow.run(cell.body)
    except RecursionError:
        cell.failed = TOO_DEEP
    if cell.failed:
        cell.form.reason = cell.failed
        cell.dynamic = namespace.open = True
        if cell.failed is not TOO_DEEP:
            return []
        first = cell.code.python.lines[0] if cell.code.python else 1
        return [rules.NOT_ANALYSED.at(line_span(cell.code.cell, first))]
    found = report_undefined_names(cell, flow, namespace, later)
    notices.look(cell, flow, namespace)
    _fill(cell, flow, namespace, before)
    _write_form(cell, flow, namespace, wide)
    found += report_text_cells(cell, namespace)
    for name in (*cell.names.binds, *flow.writes):
        namespace.bound[name] = index
        namespace.deleted.pop(name, None)
    for name in cell.names.deletes:
        if name not in namespace.values:
            namespace.bound.pop(name, None)
            namespace.deleted[name] = index
    namespace.open |= bool(flow.dynamic or flow.star)
    return found


def _fill(cell: CodeCell, flow: Flow, namespace: Namespace, before: dict[str, Value]) -> None:
    """Turn what the walk saw into `Names`."""
    mine = dict.fromkeys([*cell.bindings.binds, *flow.binds])
    binds = tuple(name for name in mine)
    reads: list[str] = []
    given: list[str] = []
    for name in flow.reads:
        if name in namespace.bound or name in namespace.deleted:
            reads.append(name)
        elif name in mine:
            continue  # its own, where the walk is not certain: it cannot come from before
        elif libraries.is_given(name):
            given.append(name)
        elif name not in libraries.BUILTINS and (name not in flow.guarded or name in flow.writes):
            reads.append(name)
    reads += [n for n in flow.indirect if n in namespace.bound and n not in flow.reads]
    deletes = tuple(cell.bindings.deletes)
    mutates = _mutated(flow, before, [*reads, *binds])
    mutates += [n for n in flow.writes if n not in mutates and n not in mine]
    asks = dict.fromkeys(n for f in cell.code.fields for _, text in f.parts for n in names_in(text))
    asks = {
        n: None for n in asks if n in namespace.bound or namespace.open or libraries.is_given(n)
    }
    cell.names = Names(tuple(reads), binds, deletes, tuple(mutates), tuple(asks))
    cell.certain = set(flow.must)
    cell.outs = {*binds, *deletes, *mutates}
    cell.given = tuple(given)
    cell.seen = {**flow.indirect, **flow.reads}
    cell.dynamic = bool(flow.dynamic or flow.star or flow.looks_around)


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


def _write_form(cell: CodeCell, flow: Flow, namespace: Namespace, wide: Notebookwide) -> None:
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
        cell.form = Form(reason=TOO_DEEP, where=cell.body[0])
    if cell.form.reason is None:
        reason = namespace.text_reason
        if namespace.future_annotations and _has_annotations(cell.body):
            reason = "a cell above has `from __future__ import annotations`, which concerns annotations here"
        if reason:
            # a setting is reported once, where it is made
            cell.form = Form(reason=reason, where=None if namespace.text_reason else cell.body[0])
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


# --- results ----------------------------------------------------------------------------------------------------------


def _live(cells: list[CodeCell]) -> dict[str, tuple[str, ...]]:
    """Return for each cell what it binds, deletes or mutates that a later cell may read: backward liveness."""
    live: set[str] = set()
    everything = False
    out: dict[str, tuple[str, ...]] = {}
    for cell in reversed(cells):
        mine = [*cell.names.binds, *cell.names.deletes, *cell.names.mutates]
        out[cell.code.cell.id] = tuple(n for n in dict.fromkeys(mine) if everything or n in live)
        everything |= cell.dynamic
        live = live - cell.certain - set(cell.names.deletes)
        live |= {*cell.names.reads, *cell.names.asks}
    return {cell.code.cell.id: out[cell.code.cell.id] for cell in cells}


def _result(cell: CodeCell, wide: Notebookwide) -> AnalysedCode:
    options = cell.code.options
    setup = not cell.failed and cell_kind.is_setup(cell.body, cell.shows)
    if options.setup is not None:
        setup = options.setup
    return AnalysedCode(
        cell.code,
        cell.names,
        setup and not cell.code.fields,
        tuple(cell.form.edits),
        cell.form.reason,
        cell.form.awaits,
        cell.shows and not ("print" not in wide.bound and cell_kind.prints(cell.body)),
        cell_kind.suggested_title(cell.code.cell.source),
        cell.given,
        cell.dynamic,
    )


def _note_text(node: ast.stmt, texts: dict[str, str]) -> None:
    """Remember names that stand for literal texts, as paths may be built of them."""
    if (
        isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Name)
    ):
        text = cell_kind.literal_text(node.value, texts)
        if text is not None:
            texts[node.targets[0].id] = text
        else:
            texts.pop(node.targets[0].id, None)
