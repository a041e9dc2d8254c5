"""Evaluates the expressions of a cell: the names they read and change, and their values. `flow` adds the statements."""

import ast
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from transpiler.dataflow.objects import (
    NOTHING,
    Closure,
    Objects,
    Param,
    Scope,
    Thing,
    Value,
    changeable_objects,
    closures,
    is_fixed,
    mangle_name,
)  # fmt: skip
from transpiler.python.scope import (
    Bindings,
    Comprehension,
    annotations,
    defaults,
    parameters,
    type_parameters,
)


def last_name(node: ast.expr) -> str:
    """Return `c` for `a.b.c` and `c`, '' for other expressions."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def root_name(node: ast.expr) -> ast.Name | None:
    """Return the name at the start of `a.b[0].c`, None when it starts with something else."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred | ast.Await):
        node = node.value
    return node if isinstance(node, ast.Name) else None


class Expressions(Objects):
    """Evaluates expressions in the abstract."""

    # --- expressions ----------------------------------------------------------------------------------------------

    def evaluate(self, node: ast.expr | None) -> Value:
        """Return the value of an expression, taking account of all it does."""
        if node is None:
            return NOTHING
        method: Callable[[ast.expr], Value] = getattr(
            self, f"value_of_{type(node).__name__}", self.value_of_other
        )
        return method(node)

    def value_of_other(self, node: ast.AST) -> Value:
        value = NOTHING
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                value |= self.evaluate(child)
            elif isinstance(child, ast.keyword | ast.Slice):
                value |= self.value_of_other(child)
        return value

    def value_of_Constant(self, node: ast.Constant) -> Value:
        return self.fresh("fixed")

    def value_of_JoinedStr(self, node: ast.expr) -> Value:
        """An f-string: a new text. Before 3.12 the positions inside are wrong, so the whole stands for its parts."""
        outer, self.at = self.at, self.at or node
        self.value_of_other(node)
        self.at = outer
        return self.fresh("fixed")

    value_of_TemplateStr = value_of_JoinedStr

    def value_of_Compare(self, node: ast.Compare) -> Value:
        """A comparison; `"x" in globals()` asks for one name only."""
        match node:
            case ast.Compare(
                left=ast.Constant(value=str(name)),
                ops=[ast.In() | ast.NotIn()],
                comparators=[
                    ast.Call(func=ast.Name(id="globals" | "locals" | "vars" | "dir"), args=[])
                ],
            ):
                self.guard += 1
                self.load(name, node)
                self.guard -= 1
                return self.fresh("fixed")
        return self.value_of_operation(node)

    def value_of_operation(self, node: ast.expr) -> Value:
        parts = self.value_of_other(node)
        return self.fresh("fixed" if is_fixed(parts) else "plain") | frozenset(closures(parts))

    value_of_BinOp = value_of_UnaryOp = value_of_operation

    def value_of_List(self, node: ast.expr) -> Value:
        return changeable_objects(self.value_of_other(node)) | self.fresh()

    value_of_Set = value_of_Dict = value_of_List

    def value_of_Name(self, node: ast.Name) -> Value:
        return self.load(node.id, node)

    def value_of_NamedExpr(self, node: ast.NamedExpr) -> Value:
        value = self.evaluate(node.value)
        self.store(node.target.id, value, node)
        return value

    def value_of_Subscript(self, node: ast.Subscript) -> Value:
        if (name := self.namespace_key(node)) is not None:
            return self.load(name, node)
        value = self.evaluate(node.value)
        self.evaluate(node.slice)
        self.use_up(value, "defaulting")
        return value

    def namespace_key(self, node: ast.expr) -> str | None:
        match node:
            case ast.Subscript(
                value=ast.Call(func=ast.Name(id="globals"), args=[], keywords=[]),
                slice=ast.Constant(value=str(name)),
            ):
                return name
        return None

    def value_of_Lambda(self, node: ast.Lambda) -> Value:
        for default in defaults(node.args):
            self.evaluate(default)
        closure = self.new_closure("<lambda>", node.args)
        with self.inside(closure, self.function_scope(closure, [node.body])):
            closure.result |= self.evaluate(node.body)
        return frozenset([closure])

    def value_of_Yield(self, node: ast.Yield | ast.YieldFrom) -> Value:
        value = self.evaluate(node.value)
        if self.closure is not None:
            self.closure.generator = True
            self.closure.result |= value
        return NOTHING

    value_of_YieldFrom = value_of_Yield

    def value_of_ListComp(self, node: Comprehension) -> Value:
        first = self.evaluate(node.generators[0].iter)
        return self.comprehension(node, first) | self.fresh()

    value_of_SetComp = value_of_DictComp = value_of_ListComp

    def value_of_GeneratorExp(self, node: ast.GeneratorExp) -> Value:
        first = self.evaluate(node.generators[0].iter)
        closure = self.new_closure("<genexpr>", None)
        with self.inside(closure, self.scope):
            closure.result |= self.comprehension(node, first)
        self.touch(closure)
        return frozenset([closure]) | self.fresh("iterator") | first

    def comprehension(self, node: Comprehension, first: Value) -> Value:
        """Walk a comprehension whose first iterable has been evaluated outside of it, as Python does."""
        targets = Bindings(generator.target for generator in node.generators)
        outer = self.scope
        self.scope = Scope("comprehension", outer, self.mangled(targets.binds))
        for generator in node.generators:
            outermost = generator is node.generators[0]
            value = first if outermost else self.evaluate(generator.iter)
            self.use_up(value)
            self.store_target(generator.target, value)
            for condition in generator.ifs:
                self.evaluate(condition)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        value = frozenset().union(*map(self.evaluate, parts))
        self.scope = outer
        return value

    def store_target(self, target: ast.expr, value: Value) -> None:
        """Bind or change what an assignment has on its left."""
        match target:
            case ast.Name(id=name):
                self.store(name, value, target)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                for element in elements:
                    self.store_target(element, value)
            case ast.Starred(value=inner):
                self.store_target(inner, value | self.fresh())
            case ast.Attribute() | ast.Subscript():
                self.store_part(target, value)
            case _:
                self.evaluate(target)

    def store_part(self, target: ast.Attribute | ast.Subscript, value: Value) -> None:
        """`a.b = value`, `a[b] = value`: changes `a`, which then holds the value."""
        name = self.namespace_key(target)
        if name is not None:
            if self.closure is None:
                self.binds.setdefault(name, self.at or target)
                self.must.add(name)
                self.assign(name, value)
            else:
                self.closure.writes[name] = value
            return
        self.mutate(self.evaluate(target.value))
        if isinstance(target, ast.Subscript):
            self.evaluate(target.slice)
        self.hold(target.value, value)

    def hold(self, holder: ast.expr, value: Value) -> None:
        """What `holder` starts with holds the value from now on."""
        root = root_name(holder)
        value = changeable_objects(value)
        if root is None or not value:
            return
        name = mangle_name(root.id, self.owner)
        scope = self.find(name)
        if scope is not None:
            scope.values[name] = scope.values.get(name, NOTHING) | value
        elif self.closure is None:
            self.assign(name, self.current(name) | value)

    def mangled(self, names: Iterable[str]) -> set[str]:
        return {mangle_name(name, self.owner) for name in names}

    # --- functions ------------------------------------------------------------------------------------------------

    def new_closure(self, name: str, args: ast.arguments | None) -> Closure:
        """Return an empty summary."""
        names = tuple(arg.arg for arg in parameters(args)) if args else ()
        closure = Closure(name, next(Thing._serials), names)
        if self.closure is None:
            self.closures.append(closure)
        return closure

    def function_scope(
        self, closure: Closure, body: Iterable[ast.AST], types: Iterable[str] = ()
    ) -> Scope:
        found = Bindings(body)
        names = self.mangled({*closure.parameters, *found.own, *types})
        scope = Scope("function", self.scope, names, self.mangled(found.globals))
        for name in closure.parameters:
            scope.values[mangle_name(name, self.owner)] = frozenset([Param(closure.serial, name)])
        return scope

    @contextmanager
    def inside(self, closure: Closure, scope: Scope | None) -> Iterator[None]:
        """Walk the body of a function; what it does is also done by the function around it, if that is called."""
        outer = self.closure, self.scope
        self.closure, self.scope = closure, scope
        yield
        self.closure, self.scope = outer
        if self.closure is not None:
            for name, node in closure.loads.items():
                self.closure.loads.setdefault(name, node)
            self.closure.writes.update(closure.writes)
            self.closure.captures |= closure.captures
            self.closure.dynamic |= closure.dynamic
            self.closure.looks_around |= closure.looks_around
            self.closure.mutated.update(dict.fromkeys(closure.mutated))
            for name_of, is_containers in closure.called_on.items():
                self.closure.call_methods_on([name_of], is_containers)
            self.closure.used_up.update(dict.fromkeys(closure.used_up))

    def evaluate_definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Evaluate defaults and annotations where the function is defined."""
        for default in defaults(node.args):
            self.evaluate(default)
        types = type_parameters(node)
        outer = self.scope
        if types:
            self.scope = Scope("types", outer, types)
        for annotation in annotations(node):
            self.evaluate(annotation)
        self.scope = outer
