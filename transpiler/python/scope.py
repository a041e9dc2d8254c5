"""Which names a piece of Python binds in its own scope, as the compiler sees it.

The rules are those of the language reference, 4.2.1 "Binding of names", and tests compare them with `symtable` over generated
programs. The stdlib's `symtable` alone is not enough at run time: it has no order, does not accept a top-level `await` before
3.13, and from 3.12 on lists the targets of inlined comprehensions (PEP 709) among the names of the scope around them.
"""

import ast
import symtable
from collections.abc import Iterable, Iterator

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
TYPE_ALIAS: type[ast.AST] | tuple[()] = getattr(ast, "TypeAlias", ())
"""`type X = ...`, from Python 3.12 on."""


class Bindings(ast.NodeVisitor):
    """The names that statements bind, delete or declare in the scope they stand in, each in order of appearance.

    The scopes inside (functions, classes, lambdas) are not entered, but for what Python evaluates or binds outside of them:
    decorators, defaults, bases, and `:=` within comprehensions.
    """

    def __init__(self, body: Iterable[ast.AST] = ()) -> None:
        self.binds: dict[str, ast.AST] = {}
        self.deletes: dict[str, ast.AST] = {}
        self.annotates: dict[str, ast.AST] = {}
        """Names with a bare annotation, `x: int`: not bound, but local to a function."""
        self.globals: dict[str, ast.AST] = {}
        self.nonlocals: dict[str, ast.AST] = {}
        self._comprehension = 0
        for node in body:
            self.visit(node)

    @property
    def own(self) -> set[str]:
        """The names that are local here when this is the body of a function."""
        return (self.binds.keys() | self.deletes.keys() | self.annotates.keys()) - (
            self.globals.keys() | self.nonlocals.keys()
        )

    def generic_visit(self, node: ast.AST) -> None:
        """Look into everything but the leaves that hold no name: a third of all nodes."""
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.Constant | ast.expr_context | ast.operator | ast.cmpop):
                self.visit(child)

    def visit_Name(self, node: ast.Name) -> None:
        """A name in store position binds, except the target of a comprehension, which is the comprehension's own."""
        if isinstance(node.ctx, ast.Del):
            self.deletes.setdefault(node.id, node)
        elif isinstance(node.ctx, ast.Store) and not self._comprehension:
            self.binds.setdefault(node.id, node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """`:=` binds in the nearest scope that is not a comprehension (PEP 572)."""
        self.visit(node.value)
        self.binds.setdefault(node.target.id, node.target)

    def visit_comprehension_scope(self, node: ast.AST) -> None:
        """Look for `:=` only."""
        self._comprehension += 1
        self.generic_visit(node)
        self._comprehension -= 1

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_comprehension_scope

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is None and isinstance(node.target, ast.Name):
            self.visit(node.annotation)
            self.annotates.setdefault(node.target.id, node.target)
        else:
            self.generic_visit(node)

    def visit_definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        for outside in evaluated_outside(node):
            self.visit(outside)
        self.binds.setdefault(node.name, node)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_definition

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for default in defaults(node.args):
            self.visit(default)

    def visit_TypeAlias(self, node: ast.AST) -> None:
        name: ast.Name = node.name  # type: ignore[attr-defined]  # 3.12
        self.binds.setdefault(name.id, name)

    def visit_alias_names(self, node: ast.Import | ast.ImportFrom) -> None:
        """`import a.b` binds `a`, `import a.b as c` binds `c`, a star binds what it finds."""
        for alias in node.names:
            if alias.name != "*":
                self.binds.setdefault(alias.asname or alias.name.partition(".")[0], alias)

    visit_Import = visit_ImportFrom = visit_alias_names

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.type:
            self.visit(node.type)
        if node.name:
            self.binds.setdefault(node.name, node)
        for statement in node.body:
            self.visit(statement)
        if node.name:
            self.deletes.setdefault(node.name, node)

    def visit_capture(self, node: ast.MatchAs | ast.MatchStar) -> None:
        self.generic_visit(node)
        if node.name:
            self.binds.setdefault(node.name, node)

    visit_MatchAs = visit_MatchStar = visit_capture

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.generic_visit(node)
        if node.rest:
            self.binds.setdefault(node.rest, node)

    def visit_Global(self, node: ast.Global) -> None:
        for name in node.names:
            self.globals.setdefault(name, node)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        for name in node.names:
            self.nonlocals.setdefault(name, node)


def walk_all(trees: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes of several trees."""
    for tree in trees:
        yield from ast.walk(tree)


def element_pairs(target: ast.expr, value: ast.expr | None) -> list[tuple[ast.expr, ast.expr]]:
    """Return which element becomes which in `a, b = 1, 2`; none where that cannot be told one by one."""
    sides = (ast.Tuple, ast.List)
    if not (isinstance(target, sides) and isinstance(value, sides)):
        return []
    starred = any(isinstance(e, ast.Starred) for e in (*target.elts, *value.elts))
    if starred or len(target.elts) != len(value.elts):
        return []
    return list(zip(target.elts, value.elts, strict=True))


def defaults(args: ast.arguments) -> Iterator[ast.expr]:
    """Yield the default values, which are evaluated where the function is defined."""
    yield from args.defaults
    yield from (default for default in args.kw_defaults if default is not None)


def parameters(args: ast.arguments) -> list[ast.arg]:
    """Return all parameters in order: positional, `*args`, keyword-only, `**kwargs`."""
    star = [args.vararg] if args.vararg else []
    double = [args.kwarg] if args.kwarg else []
    return [*args.posonlyargs, *args.args, *star, *args.kwonlyargs, *double]


def annotations(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    """Yield the annotations of parameters and of the result."""
    yield from (arg.annotation for arg in parameters(node.args) if arg.annotation)
    if node.returns:
        yield node.returns


def evaluated_outside(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
) -> Iterator[ast.expr]:
    """Yield what a definition evaluates in the scope around it, in the order Python does.

    With type parameters (3.12) annotations and bases have a scope in between, in which `:=` is refused: nothing is bound
    there, so they may be treated alike.
    """
    yield from node.decorator_list
    if isinstance(node, ast.ClassDef):
        yield from node.bases
        yield from (keyword.value for keyword in node.keywords)
    else:
        yield from defaults(node.args)
        yield from annotations(node)


def type_parameters(node: ast.AST) -> set[str]:
    """Return the names of `def f[T]`, `class C[T]`, `type X[T]` (3.12)."""
    return {parameter.name for parameter in getattr(node, "type_params", ())}


class _NoInlining(ast.NodeTransformer):
    """Makes every comprehension a generator expression, which no Python inlines; the scoping is the same.

    F-strings become tuples of what they hold, since `ast.unparse` before 3.12 cannot write all of them.
    """

    def visit_elements(self, node: ast.ListComp | ast.SetComp) -> ast.AST:
        self.generic_visit(node)
        return ast.GeneratorExp(node.elt, node.generators)

    visit_ListComp = visit_SetComp = visit_elements

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        self.generic_visit(node)
        pair = ast.Tuple([node.key, node.value], ast.Load())
        return ast.GeneratorExp(pair, node.generators)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        self.generic_visit(node)
        return ast.Tuple([v for v in node.values if not isinstance(v, ast.Constant)], ast.Load())

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        self.generic_visit(node)
        return ast.Tuple([node.value, *filter(None, [node.format_spec])], ast.Load())


def locals_of(source: str) -> set[str]:
    """Return the names that are local to the first function in `source`, without its parameters, by the compiler's own table.

    The emitter calls it on a cell's function: anything but an empty set means that a name of the notebook would have been
    lost. Raises SyntaxError when the source does not compile, ValueError when there is no function in it.
    """
    found = _locals_by_table(source)
    if not found:
        return found
    tree = ast.parse(source)
    targets = {
        name.id
        for node in ast.walk(tree)
        if isinstance(node, ast.comprehension)
        for name in ast.walk(node.target)
        if isinstance(name, ast.Name)
    }
    if found & targets:
        # The comprehension's own, or really the function's: look again without inlining. The result is only read by
        # symtable: positions do not matter.
        return _locals_by_table(ast.unparse(ast.fix_missing_locations(_NoInlining().visit(tree))))
    return found


def _locals_by_table(source: str) -> set[str]:
    for table in symtable.symtable(source, "<cell>", "exec").get_children():
        if isinstance(table, symtable.Function):
            return set(table.get_locals()) - set(table.get_parameters())
    raise ValueError("there is no function in the source")
