"""The notebook's names and the objects they stand for, while a cell is walked: reading, binding, changing, touching functions."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Literal, NamedTuple

from transpiler.python import libraries

# --- abstract objects -----------------------------------------------------------------------------------------------------


Kind = Literal[
    "plain", "fixed", "iterator", "defaulting", "module", "imported", "figure", "namespace"
]
"""`fixed` cannot be changed in place, an `iterator` is changed by reading it, a `defaulting` mapping by `d[key]`,
a `figure` by `plot`; what is `imported` from a module may be a module or any object; the `namespace` is `globals()`."""


class Param(NamedTuple):
    """What the caller gives for a parameter of the function being summarised."""

    function: int
    name: str


class Global(NamedTuple):
    """What the notebook's name stands for when the function is called: late binding."""

    name: str
    derived: bool = False
    """Rather what a method of it gave, which may be the same object; but `np.zeros(3)` is not `np`."""


class Result(NamedTuple):
    """What the notebook's function of that name gives when it is called."""

    name: str


class Thing:
    """An object made at one place in one cell. `cell` is None inside a function: each call makes another."""

    __slots__ = ("cell", "kind", "names", "serial")
    _serials = count()

    def __init__(self, cell: int | None, kind: Kind = "plain") -> None:
        self.cell = cell
        self.kind: Kind = kind
        self.names: dict[str, None] = {}  # The names that ever stood for it
        self.serial = next(self._serials)

    def __hash__(self) -> int:
        return self.serial  # so that sets of things have the same order in every process


@dataclass(eq=False, slots=True)
class Closure:
    """What the body of a function, lambda, class or generator expression does with the notebook's names when it runs."""

    name: str
    serial: int
    parameters: tuple[str, ...] = ()
    loads: dict[str, ast.AST] = field(default_factory=dict)
    """The notebook's names it reads, at any depth."""
    writes: dict[str, "Value"] = field(default_factory=dict)
    """Names it binds or deletes through `global`."""
    mutated: dict["Item", None] = field(default_factory=dict)
    called_on: dict[Global, bool] = field(default_factory=dict)
    """Names it calls methods of that may change their objects; whether one is a container's, like `append`."""
    used_up: dict["Item", None] = field(default_factory=dict)
    """What it iterates over: changed when it is an iterator."""
    calls: list[tuple["Value", "Arguments"]] = field(default_factory=list)
    """What it calls, and with what."""
    result: set["Item"] = field(default_factory=set)
    captures: set["Item"] = field(default_factory=set)
    """What the names of functions around it stand for."""
    methods: dict[str, "Closure"] | None = None  # A class's own methods; None for a function
    generator: bool = False
    dynamic: bool = False
    looks_around: bool = False

    def __hash__(self) -> int:
        return self.serial

    def call_methods_on(self, names: Iterable[Global], is_containers: bool) -> None:
        """Note that it calls a method of what these names stand for."""
        for name in names:
            self.called_on[name] = self.called_on.get(name, False) or is_containers


Item = Thing | Closure | Param | Global | Result
Value = frozenset[Item]
NOTHING: Value = frozenset()
FIXED: Value = frozenset([Thing(-1, "fixed")])
"""One thing stands for all immutable objects: whether two names share one makes no difference."""
NAMESPACE: Value = frozenset([Thing(-1, "namespace")])
"""The notebook's namespace as an object: who changes it may bind any name, who reads it may read any."""


@dataclass(slots=True)
class Arguments:
    """The values of a call's arguments; `spread` is what `*args` and `**kwargs` hold."""

    positional: list[Value] = field(default_factory=list)
    named: dict[str, Value] = field(default_factory=dict)
    spread: Value = NOTHING

    @property
    def all(self) -> Value:
        return frozenset().union(*self.positional, *self.named.values(), self.spread)


@dataclass(eq=False, slots=True)
class Scope:
    """A scope of the notebook's code. The module's own scope is not one of these: it is the end of the chain."""

    kind: Literal["function", "class", "comprehension", "types"]
    parent: "Scope | None"
    names: set[str]
    declared: set[str] = field(default_factory=set)  # Names declared `global` here
    values: dict[str, Value] = field(default_factory=dict)

    def chain(self) -> Iterator["Scope"]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent


def closures(value: Iterable[Item]) -> list[Closure]:
    """Return the functions and classes among the things, in the order they were defined."""
    return sorted((item for item in value if isinstance(item, Closure)), key=hash)


def mangle_name(name: str, owner: str | None) -> str:
    """Return the name as the compiler writes it inside the class `owner`: `__x` becomes `_C__x`."""
    if owner is None or not name.startswith("__") or name.endswith("__") or "." in name:
        return name
    stripped = owner.lstrip("_")
    return f"_{stripped}{name}" if stripped else name


# --- the walk -------------------------------------------------------------------------------------------------------------


def without_kinds(value: Value, *kinds: Kind) -> Value:
    """Return a value without the things of these kinds."""
    return frozenset(i for i in value if not (isinstance(i, Thing) and i.kind in kinds))


def changeable_objects(value: Value) -> Value:
    """Return a value without the things that cannot be changed: it does not matter who holds them."""
    return without_kinds(value, "fixed")


def is_fixed(value: Value) -> bool:
    """Whether a value consists of things that cannot be changed, or of nothing."""
    return all(isinstance(item, Thing) and item.kind == "fixed" for item in value)


class Objects:
    """Keeps account of what a cell does with the notebook's names.

    The walk is flow-sensitive at the cell's top level (`must`, `values`), and not inside functions.
    """

    def __init__(self, values: dict[str, Value], cell: int) -> None:
        self.values = values
        self.cell = cell
        self.reads: dict[str, ast.AST] = {}
        """Names read while they may not be bound by this cell yet, with the place of the first use."""
        self.indirect: dict[str, ast.AST] = {}
        """The same for names that the functions it touches read."""
        self.guarded: set[str] = set()
        """Names read where a NameError is caught, or where it is not certain that they are read."""
        self.must: set[str] = set()
        self.binds: dict[str, ast.AST] = {}
        """Names bound otherwise than by a statement the compiler sees: magics, `exec` of a literal."""
        self.writes: dict[str, None] = {}  # Names bound by functions that are called
        self.mutated: dict[Item, None] = {}
        self.dynamic: ast.AST | None = None  # Where names may be bound that cannot be known
        self.looks_around = False
        """Whether names may be read that cannot be known: `locals()`, `eval`."""
        self.closures: list[Closure] = []
        self.scope: Scope | None = None
        self.closure: Closure | None = None
        self.owner: str | None = None
        self.guard = 0
        self.at: ast.AST | None = None
        self.changed: dict[str, Value | None] = {}
        """What names stood for at the start of the branch, None for nothing: only those that changed."""
        self._touched: set[Closure] = set()

    # --- names ----------------------------------------------------------------------------------------------------

    def find(self, name: str) -> Scope | None:
        """Return the scope a name belongs to, None for the notebook's namespace (language reference 4.2.2)."""
        innermost = True
        for scope in self.scope.chain() if self.scope else ():
            if name in scope.declared:
                return None
            if name in scope.names and (scope.kind != "class" or innermost):
                return scope
            innermost = innermost and scope.kind == "types"
        return None

    def load(self, name: str, node: ast.AST) -> Value:
        name = mangle_name(name, self.owner)
        scope = self.find(name)
        if scope is not None:
            value = scope.values.get(name, NOTHING)
            if self.closure is not None:
                self.closure.captures |= value
            return value
        if self.closure is not None:
            self.closure.loads.setdefault(name, self.at or node)
            return frozenset([Global(name)])
        if name not in self.must:
            if self.guard:
                self.guarded.add(name)
            self.reads.setdefault(name, self.at or node)
        value = self.current(name)
        self.looks_around |= not NAMESPACE.isdisjoint(value)
        for item in closures(value):
            self.touch(item)
        return value

    def current(self, name: str) -> Value:
        """Return what a name of the notebook stands for now; an object of unknown origin when nothing is known."""
        known = name in self.values or name in libraries.BUILTINS or libraries.is_given(name)
        if not known:
            self.assign(name, frozenset([Thing(-1)]))
        return self.values.get(name, NOTHING)

    def assign(self, name: str, value: Value) -> None:
        old = self.values.get(name)
        self.changed.setdefault(name, old)
        self.values[name] = value
        for item in value - old if old else value:
            if isinstance(item, Thing) and item.kind != "fixed":
                item.names[name] = None

    def store(self, name: str, value: Value, node: ast.AST) -> None:
        name = mangle_name(name, self.owner)
        scope = self.scope
        while scope is not None and scope.kind == "comprehension" and name not in scope.names:
            scope = scope.parent  # `:=`
        if scope is None or name in scope.declared:
            if self.closure is not None:
                self.closure.writes[name] = self.closure.writes.get(name, NOTHING) | value
                return
            self.must.add(name)
            self._touched.clear()
            self.assign(name, value)
            return
        home = scope if name in scope.names or scope.kind == "class" else self.find(name) or scope
        home.names.add(name)
        home.values[name] = home.values.get(name, NOTHING) | value

    def touch(self, closure: Closure) -> None:
        """A function may be called from here on: take over what its body, and what it touches, does."""
        if self.closure is not None or closure in self._touched:
            return
        for each in self.reachable([closure]):
            self._touched.add(each)
            self.looks_around |= each.looks_around
            if each.dynamic:
                self.dynamic = self.dynamic or next(iter(each.loads.values()), ast.Pass())
            for name, node in each.loads.items():
                if name not in self.must:
                    self.indirect.setdefault(name, node)
                held = self.values.get(name, NOTHING)
                self.looks_around |= not NAMESPACE.isdisjoint(held)
            for name, value in each.writes.items():
                self.writes[name] = None
                self.assign(name, self.current(name) | self.substitute(value, {}))
            for item in each.mutated:
                if isinstance(item, Global):
                    self.mutate(self.meant_by(item))
            for item, is_containers in each.called_on.items():
                spared = ("module",) if is_containers else ("module", "imported")
                self.mutate(without_kinds(self.current(item.name), *spared))
            for item in each.used_up:
                if isinstance(item, Global):
                    self.use_up(self.meant_by(item))

    def meant_by(self, item: Global) -> Value:
        """Return what a name in a function stands for, now that it may be called."""
        found = self.current(item.name)
        return without_kinds(found, "module", "imported") if item.derived else found

    def reachable(self, start: Iterable[Closure]) -> list[Closure]:
        """Return the functions that may run when these do, with the names bound as they are now."""
        seen: dict[Closure, None] = {}
        stack = list(start)
        while stack:
            closure = stack.pop()
            if closure in seen:
                continue
            seen[closure] = None
            held = [self.values.get(name, NOTHING) for name in closure.loads]
            for value in (*held, frozenset(closure.captures)):
                stack.extend(closures(value))
        return list(seen)

    # --- objects --------------------------------------------------------------------------------------------------

    def fresh(self, kind: Kind = "plain") -> Value:
        if kind == "fixed":
            return FIXED
        return frozenset([Thing(None if self.closure is not None else self.cell, kind)])

    def mutate(self, value: Value) -> None:
        into = self.mutated if self.closure is None else self.closure.mutated
        if not NAMESPACE.isdisjoint(value):
            self.note_dynamic(self.at or ast.Pass())
        into.update(dict.fromkeys(without_kinds(value, "fixed", "namespace")))

    def note_dynamic(self, node: ast.AST) -> None:
        if self.closure is not None:
            self.closure.dynamic = True
        else:
            self.dynamic = self.dynamic or self.at or node

    def call_on(self, receiver: Value, method: str) -> None:
        """A method may change its receiver. In a function a name may turn out to be a module, whose functions do not."""
        if self.closure is not None:
            is_containers = method in libraries.CONTAINER_MUTATORS
            names = [item for item in receiver if isinstance(item, Global)]
            self.closure.call_methods_on(names, is_containers)
            receiver = receiver.difference(names)
        self.mutate(receiver)

    def use_up(self, value: Value, kind: Kind = "iterator") -> None:
        """The objects are iterated over (or subscripted): that changes those of one kind."""
        for item in value:
            if isinstance(item, Thing) and item.kind == kind:
                self.mutate(frozenset([item]))
            elif self.closure is not None and isinstance(item, Param | Global):
                self.closure.used_up[item] = None

    def substitute(self, value: Iterable[Item], given: dict[Param, Value], depth: int = 0) -> Value:
        """Return what a function's own value is for a caller that gave these arguments."""
        out: set[Item] = set()
        for item in value:
            match item:
                case Param():
                    out |= given.get(item, {item} if self.closure is not None else NOTHING)
                case Global() if self.closure is None:
                    out |= self.meant_by(item)
                case Result(name) if self.closure is None:
                    for function in closures(self.values.get(name, NOTHING)):
                        if depth < 4:
                            out |= self.result_of(function, {}, depth + 1)
                case Thing(cell=None) if self.closure is None:
                    out |= self.fresh(item.kind)
                case Closure():
                    out.add(item)
                    if depth < 4:
                        out |= self.substitute(item.captures, given, depth + 1)
                case _:
                    out.add(item)
        return frozenset(out)

    def result_of(self, function: Closure, given: dict[Param, Value], depth: int = 0) -> Value:
        """Return what a call of a known function or class gives."""
        if function.methods is not None:
            held = frozenset().union(*given.values())
            return frozenset([function]) | held | self.fresh()
        result = self.substitute(function.result, given, depth)
        if function.generator:
            return result | self.fresh("iterator") | frozenset([function])
        return result | self.fresh()
