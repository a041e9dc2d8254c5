"""The calls in a cell, each with the full name of what it calls: `np.random.rand()` is a call of `numpy.random.rand`.

For notices about what libraries do. Names are followed through imports only; a name that the notebook binds otherwise, or that
is local to a function, stands for nothing here.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from transpiler.dataflow.cell import CodeCell
from transpiler.dataflow.expressions import last_name
from transpiler.python import magic_calls
from transpiler.python.scope import FUNCTIONS, Bindings, parameters, walk_all


class Site(NamedTuple):
    """A call. `name` is '' when what it calls was not imported; `inside` a function it runs when that is called."""

    node: ast.Call
    place: ast.AST  # What a diagnostic points at: the call, or the magic whose text it is in
    name: str
    inside: bool

    @property
    def last(self) -> str:
        """The last part of what is called, imported or not."""
        return self.name.rpartition(".")[2] or last_name(self.node.func)

    @property
    def called(self) -> ast.AST:
        """What a diagnostic points at when the arguments, which may be long, are not the matter."""
        return self.node.func if self.place is self.node else self.place

    @property
    def written(self) -> str:
        return ast.unparse(self.node.func)

    def given(self, *names: str) -> bool:
        """Whether a keyword of one of these names has a value that is not None, or may have (`**options`)."""
        return any(
            k.arg is None or (k.arg in names and not _is_none(k.value)) for k in self.node.keywords
        )

    def says(self, name: str, value: object) -> bool:
        return any(
            k.arg == name and isinstance(k.value, ast.Constant) and k.value.value is value
            for k in self.node.keywords
        )

    @property
    def has_argument(self) -> bool:
        """Whether it is given anything but None."""
        values = [*self.node.args, *(k.value for k in self.node.keywords)]
        return any(not _is_none(value) for value in values)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


@dataclass(slots=True)
class Imported:
    """What the notebook's names stand for through imports, kept up from cell to cell."""

    names: dict[str, str] = field(default_factory=dict)
    """`np` -> `numpy`, `rand` -> `numpy.random.rand`."""
    modules: set[str] = field(default_factory=set)  # The packages imported so far

    def learn(self, cell: CodeCell) -> None:
        """Take over what a cell imports, and forget the names it binds otherwise."""
        fresh: dict[str, str] = {}
        if "import" in cell.source.text:
            for node in walk_all(cell.body):
                if isinstance(node, ast.Import):
                    for alias in node.names:
                        whole = alias.name if alias.asname else alias.name.partition(".")[0]
                        fresh[alias.asname or whole] = whole
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    for alias in node.names:
                        fresh[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        for name in cell.bindings.binds.keys() - fresh.keys():
            self.names.pop(name, None)
        self.names |= fresh
        self.modules.update(name.partition(".")[0] for name in fresh.values())

    def full_name(self, node: ast.expr, local: frozenset[str] = frozenset()) -> str:
        """Return `numpy.random.rand` for `np.random.rand`, '' for what was not imported."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id in local or node.id not in self.names:
            return ""
        return ".".join([self.names[node.id], *reversed(parts)])


def sites(cell: CodeCell, imported: Imported) -> Iterator[Site]:
    """Yield the calls of a cell in the order they stand, with those in magics like `%time f(x)`."""
    nothing: frozenset[str] = frozenset()
    stack: list[tuple[ast.AST, ast.AST | None, bool, frozenset[str]]]
    stack = [(statement, None, False, nothing) for statement in reversed(cell.body)]
    while stack:
        node, at, inside, local = stack.pop()
        if isinstance(node, ast.Call):
            yield Site(node, at or node, imported.full_name(node.func, local), inside)
            magic = magic_calls.magic_of(node)
            if magic is not None and magic.code is not None:
                body = magic_calls.parse(magic.code)
                stack += [(statement, at or node, inside, local) for statement in reversed(body)]
                continue
        within = _local_names(node)
        children = [child for child in ast.iter_child_nodes(node) if not isinstance(child, _LEAVES)]
        for child in reversed(children):
            if within is not None and _is_body(node, child):
                stack.append((child, at, True, local | within))
            else:
                stack.append((child, at, inside, local))


_LEAVES = (
    ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.unaryop, ast.Name, ast.Constant,
)  # fmt: skip


def _local_names(node: ast.AST) -> frozenset[str] | None:
    """The names that are local to a function; None for what is none."""
    if not isinstance(node, (*FUNCTIONS, ast.Lambda)):
        return None
    names = set() if isinstance(node, ast.Lambda) else Bindings(node.body).own
    return frozenset(names.union(arg.arg for arg in parameters(node.args)))


def _is_body(node: ast.AST, child: ast.AST) -> bool:
    """Whether a child of a function runs when it is called, not when it is defined."""
    body: object = getattr(node, "body", ())
    return child is body or (isinstance(body, list) and child in body)
