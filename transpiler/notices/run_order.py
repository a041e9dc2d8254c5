"""Detects notebooks that depend on an execution order other than top to bottom, or that replace answers and classes (PP211 to PP215)."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from transpiler.dataflow.cell import CodeCell, Namespace
from transpiler.dataflow.flow import Flow
from transpiler.model import rules
from transpiler.model.diagnostics import Diagnostic
from transpiler.model.ir import Field
from transpiler.python.scope import Bindings, walk_all
from transpiler.sources.input_calls import answer_in, asks_once, assigned_values

# --- the order cells were run in --------------------------------------------------------------------------------------


def report_run_order(cells: list[CodeCell]) -> list[Diagnostic]:
    """Return at most one diagnostic: that saved outputs are not of a run from top to bottom, and that it can matter.

    Execution counts out of order are daily bread. They are only evidence where data flows between the two cells.
    """
    counts = [cell.code.cell.count for cell in cells if cell.code.cell.count is not None]
    if all(a < b for a, b in pairwise(counts)):
        return []
    writers: dict[str, list[CodeCell]] = {}
    for cell in cells:
        for name in cell.outs - cell.imports:  # an import that is run again changes nothing
            writers.setdefault(name, []).append(cell)
    conflicts = list(filter(None, (_conflict(cell, writers) for cell in cells if cell.body)))
    if not conflicts:
        return []
    first, node, relation = conflicts[0]
    others = len(conflicts) - 1
    more = f"; so did {others} more {'cell' if others == 1 else 'cells'}" if others else ""
    return [rules.OTHER_ORDER.at(first.source.span(node), relation=relation, more=more)]


def _conflict(
    cell: CodeCell, writers: dict[str, list[CodeCell]]
) -> tuple[CodeCell, ast.AST, str] | None:
    """Return a cell, a name in it that had its value from another cell than in a run from top to bottom, and which one."""
    count = cell.code.cell.count or 0
    for name in cell.names.reads if count else ():
        node = cell.seen.get(name, cell.body[0])
        for writer in reversed(writers.get(name, [])):
            ran, index = writer.code.cell.count or 0, writer.code.cell.index
            if writer.number > cell.number:
                if 0 < ran < count and name not in writer.defines and name not in cell.certain:
                    return cell, node, f"after cell {index} below, which changes `{name}`"
            elif writer.number < cell.number:
                if ran > count:
                    return cell, node, f"before cell {index} above, which sets `{name}`"
                if name in writer.certain:
                    break
    return None


def report_history(
    cell: CodeCell, flow: Flow, cells: list[CodeCell], namespace: Namespace
) -> list[Diagnostic]:
    """Report `Out[7]` and `_7` where cell number 7 of a run from top to bottom gives nothing."""
    found = []
    if "Out" in flow.reads and "Out" not in namespace.bound:
        for node in walk_all(cell.body):
            match node:
                case ast.Subscript(value=ast.Name(id="Out"), slice=ast.Constant(value=int(number))):
                    found += _missing_output(cell, node, ast.unparse(node), number, cells)
    for name, node in flow.reads.items():
        if name[1:].isdigit() and name[0] == "_" and name not in namespace.bound:
            found += _missing_output(cell, node, name, int(name[1:]), cells)
    return found


def _missing_output(
    cell: CodeCell, node: ast.AST, written: str, number: int, cells: list[CodeCell]
) -> list[Diagnostic]:
    own = cell.number
    if 0 < number < own and (cells[number - 1].shows or not cells[number - 1].body):
        return []
    if number == own:
        reason = "that is this cell itself"
    elif number < own:
        reason = f"that is cell {cells[number - 1].code.cell.index}, which shows no value"
    else:
        reason = "that many have not been run by then"
    saved = next((c.code.cell.index for c in cells if c.code.cell.count == number), None)
    hint = "" if saved is None else f"; in the saved notebook it is cell {saved}"
    span = cell.source.span(node)
    return [rules.HISTORY.at(span, written=written, number=number, reason=reason, hint=hint)]


# --- answers and classes ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _AskedName:
    """A field that was asked for, and the names that exist only for some of its answers."""

    cell: int
    form: Field
    held: bool
    """Whether the variable of its name holds the answer, and not only something made of it."""
    maybe: dict[str, int] = field(default_factory=dict)
    """Name -> the cell that binds it for some answers."""


class AnswerNotices:
    """Follows the answers through the notebook: where one is replaced, and where one decides whether a name exists."""

    def __init__(self) -> None:
        self._asked: dict[str, _AskedName] = {}

    def about(self, cell: CodeCell, flow: Flow, namespace: Namespace) -> Iterator[Diagnostic]:
        """Yield what there is to say about one cell. `namespace` is as it was before the cell."""
        index = cell.code.cell.index
        for asked in self._asked.values():
            for name, at in list(asked.maybe.items()):
                node = flow.reads.get(name)
                if node is not None and name not in flow.guarded:
                    del asked.maybe[name]
                    if not _asks(cell, node, asked.form.name):
                        yield _maybe_missing(cell, node, name, asked.form.name, at)
                elif name in flow.must:
                    del asked.maybe[name]
        fields = {f.name: f for f in cell.code.fields}
        for name in (self._asked.keys() & cell.bindings.binds.keys() & flow.must) - fields.keys():
            asked = self._asked.pop(name)
            if asked.held and name not in flow.reads:
                span = cell.source.span(cell.bindings.binds[name])
                yield rules.ANSWER_REPLACED.at(span, name=name, cell=asked.cell)
        for name, each in fields.items():
            if name in cell.bindings.binds:  # else it is a function's parameter, or a label
                self._asked[name] = _AskedName(index, each, _is_held(cell, each))
        if cell.code.options.raises:
            return
        for asked in list(self._asked.values()):
            for name in _only_for_some(cell.body, asked.form):
                if name in flow.must or name in namespace.bound or name in self._asked:
                    continue
                node = None if name in flow.guarded else flow.reads.get(name)
                if node is None or _asks(cell, node, asked.form.name):
                    asked.maybe[name] = index
                else:
                    asked.maybe.pop(name, None)
                    yield _maybe_missing(cell, node, name, asked.form.name, index)


def _maybe_missing(cell: CodeCell, node: ast.AST, name: str, field: str, at: int) -> Diagnostic:
    return rules.MAYBE_MISSING.at(cell.source.span(node), name=name, field=field, cell=at)


def _is_held(cell: CodeCell, asked: Field) -> bool:
    """Whether a field's variable holds its answer, or the widget or the like that is made with it.

    That of `a, b = input().split()` holds something else, and that of `@interact(n=5)` is no variable of the notebook.
    """
    if asked.answer.startswith(f"\n{asked.name}."):
        return True  # a widget that is moved to the answer
    start, end = asked.value
    for target, value in assigned_values(ast.Module(cell.body, [])):
        whole = cell.source.slice(value)
        if target.id == asked.name and whole.start <= start and end <= whole.end:
            given = cell.source.slice(answer_in(value))
            return given == asked.value or not asks_once(cell.source.text[start:end])
    return False


def _mentions(node: ast.AST, name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(node))


def _asks(cell: CodeCell, node: ast.AST, name: str) -> bool:
    """Whether a node stands in an `if` that asks about a name: it is meant for the same answers, we trust."""
    return any(
        isinstance(part, ast.If | ast.IfExp | ast.While)
        and _mentions(part.test, name)
        and any(inner is node for inner in ast.walk(part))
        for part in walk_all(cell.body)
    )


def _only_for_some(body: list[ast.stmt], asked: Field) -> Iterator[str]:
    """Yield the names that an `if` about an answer binds: in the branches of some answers, as the caller has found."""
    for node in body:
        if isinstance(node, ast.If) and _mentions(node.test, asked.name):
            yield from () if _takes_all(node, asked) else Bindings([node]).binds


def _takes_all(node: ast.If, asked: Field) -> bool:
    """Whether `if f == "a": ... elif f == "b": ...` has a branch for each choice of a field."""
    if not asked.choices or asked.allow_input:
        return False
    left = list(asked.choices)
    branch: ast.stmt | None = node
    while isinstance(branch, ast.If):
        match branch.test:
            case ast.Compare(ops=[ast.Eq()], comparators=[ast.Constant(value=value)]):
                left = [choice for choice in left if choice != value]
            case ast.Compare(
                ops=[ast.In()], comparators=[ast.Tuple() | ast.List() | ast.Set() as s]
            ):
                values = [e.value for e in s.elts if isinstance(e, ast.Constant)]
                left = [choice for choice in left if choice not in values]
            case _:
                return False
        branch = branch.orelse[0] if len(branch.orelse) == 1 else None
    return not left


class Classes:
    """Finds instances that outlive their class: made before a cell defines the class again, used after it."""

    def __init__(self) -> None:
        self._classes: dict[str, int] = {}
        self._instances: dict[str, tuple[str, int]] = {}
        """Name -> the class, and the cell that defined it when the instance was made."""

    def about(
        self, cell: CodeCell, reads: Mapping[str, ast.AST], must: set[str]
    ) -> Iterator[Diagnostic]:
        for name, (kind, defined) in list(self._instances.items()):
            again = self._classes.get(kind, defined)
            if name in reads and again != defined:
                del self._instances[name]
                span = cell.source.span(reads[name])
                yield rules.OLD_CLASS.at(span, name=name, kind=kind, old=defined, new=again)
            elif name in must or name in cell.bindings.binds:
                del self._instances[name]
        for statement in cell.body:
            match statement:
                case ast.ClassDef(name=kind):
                    self._classes[kind] = cell.code.cell.index
                case ast.Assign(
                    targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id=kind))
                ) if (kind in self._classes):
                    self._instances[name] = kind, self._classes[kind]
