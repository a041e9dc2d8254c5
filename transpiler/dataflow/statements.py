"""The statements that bind, define and delete names: what each does with the notebook's objects. `flow` adds the order they run in."""

import ast
from collections.abc import Iterable

from transpiler.dataflow.calls import Calls
from transpiler.dataflow.objects import (
    NOTHING,
    Arguments,
    Closure,
    Scope,
    Value,
    changeable_objects,
    closures,
    is_fixed,
    mangle_name,
)
from transpiler.python.scope import (
    TYPE_ALIAS,
    Bindings,
    element_pairs,
    evaluated_outside,
    type_parameters,
)


class Statements(Calls):
    """Walks single statements."""

    def __init__(self, values: dict[str, Value], cell: int) -> None:
        super().__init__(values, cell)
        self.loops: list[list[set[str]]] = []
        """For each loop around: the names that are certain at each of its `break`s."""
        self.star: ast.AST | None = None

    def block(self, body: Iterable[ast.stmt]) -> None:
        """Walk statements in order. `flow` knows how."""
        raise NotImplementedError

    # --- bindings -------------------------------------------------------------------------------------------------

    def do_Assign(self, node: ast.Assign) -> None:
        value = self.evaluate(node.value)
        pairs = element_pairs(node.targets[0], node.value) if len(node.targets) == 1 else []
        parts = [(target, self.quietly(element)) for target, element in pairs]
        for target, part in parts or [(target, value) for target in node.targets]:
            self.store_target(target, part)

    def quietly(self, node: ast.expr) -> Value:
        """Return what a name stands for, a new object for another expression: it has been evaluated already."""
        if isinstance(node, ast.Name) and self.closure is None:
            return self.values.get(node.id, NOTHING)
        if isinstance(node, ast.Constant):
            return self.fresh("fixed")
        return self.evaluate(node)

    def do_AnnAssign(self, node: ast.AnnAssign) -> None:
        """`x: int = 5`; the annotation is evaluated, but not inside functions."""
        if node.value is not None:
            self.store_target(node.target, self.evaluate(node.value))
        if self.scope is None or self.scope.kind != "function":
            self.evaluate(node.annotation)

    def do_AugAssign(self, node: ast.AugAssign) -> None:
        """`x += 1` reads `x`, changes its object if that can be changed, and binds `x`."""
        if isinstance(node.target, ast.Name):
            old = self.load(node.target.id, node.target)
            added = self.evaluate(node.value)
            self.mutate(old)
            fixed = old and is_fixed(old)
            new = self.fresh("fixed") if fixed else old | changeable_objects(added)
            self.store(node.target.id, new, node.target)
        else:
            self.evaluate(node.value)
            self.store_part(node.target, NOTHING)

    def do_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self.delete(target)

    def delete(self, target: ast.expr) -> None:
        match target:
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                for element in elements:
                    self.delete(element)
            case ast.Name(id=name):
                self.load(name, target)
                self.forget(name)
            case ast.Attribute() | ast.Subscript():
                self.store_part(target, NOTHING)

    def forget(self, name: str) -> None:
        name = mangle_name(name, self.owner)
        if self.closure is None and self.find(name) is None and self.scope is None:
            self.must.discard(name)
            if name in self.values:
                self.changed.setdefault(name, self.values.pop(name))

    def do_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.star = self.star or node
            elif isinstance(node, ast.Import):
                name = alias.asname or alias.name.partition(".")[0]
                self.store(name, self.fresh("module"), node)
            else:
                self.store(alias.asname or alias.name, self.fresh("imported"), node)

    do_ImportFrom = do_Import

    def do_TypeAlias(self, node: ast.stmt) -> None:
        """`type X[T] = ...`: evaluated when it is asked for, like a function."""
        assert isinstance(node, TYPE_ALIAS)
        closure = self.new_closure("type", None)
        scope = Scope("types", self.scope, type_parameters(node))
        with self.inside(closure, scope):
            self.evaluate(node.value)  # type: ignore[attr-defined]
        self.store(node.name.id, frozenset([closure]), node)  # type: ignore[attr-defined]

    # --- definitions ----------------------------------------------------------------------------------------------

    def do_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """`def`: what is evaluated now, and a summary of what the body does when it is called."""
        decorators = [self.evaluate(decorator) for decorator in node.decorator_list]
        self.evaluate_definition(node)
        closure = self.new_closure(node.name, node.args)
        scope = self.function_scope(closure, node.body, type_parameters(node))
        owner, loops, self.loops = self.owner, self.loops, []
        with self.inside(closure, scope):
            self.block(node.body)
        self.loops, self.owner = loops, owner
        self.store(node.name, self.decorated(frozenset([closure]), decorators), node)

    do_AsyncFunctionDef = do_FunctionDef

    def decorated(self, value: Value, decorators: list[Value]) -> Value:
        """Return what a definition is bound to: a decorator may have wrapped it in a function of its own."""
        for decorator in reversed(decorators):
            for item in closures(value):
                self.touch(item)
            value |= self.apply(decorator, Arguments([value])) | frozenset(closures(decorator))
        return value

    def do_Return(self, node: ast.Return) -> None:
        value = self.evaluate(node.value)
        if self.closure is not None:
            self.closure.result |= value

    def do_ClassDef(self, node: ast.ClassDef) -> None:
        decorators = [self.evaluate(decorator) for decorator in node.decorator_list]
        outer = self.scope
        types = type_parameters(node)
        if types:
            self.scope = Scope("types", outer, types)
        bases = NOTHING
        for outside in list(evaluated_outside(node))[len(node.decorator_list) :]:
            bases |= self.evaluate(outside)
        found = Bindings(node.body)
        owner, self.owner = self.owner, node.name
        scope = Scope("class", self.scope, set())  # names are added as they are bound
        scope.declared = self.mangled(found.globals)
        self.scope = scope
        number = len(self.closures)
        self.block(node.body)
        self.owner, self.scope = owner, outer
        closure = self.class_closure(node.name, scope, bases, number)
        self.store(node.name, self.decorated(frozenset([closure]), decorators), node)

    def class_closure(self, name: str, scope: Scope, bases: Value, number: int) -> Closure:
        """Return the summary of a class: all its methods together."""
        closure = self.new_closure(name, None)
        closure.methods = {}
        for base in closures(bases):
            closure.methods.update(base.methods or {})
        held = frozenset().union(*scope.values.values(), bases)
        closure.captures |= set(closures(held))
        for method, value in scope.values.items():
            for item in closures(value):
                closure.methods[method] = item
        return closure
