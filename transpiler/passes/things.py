"""What a name may stand for, in the abstract: the objects the data-flow walk knows apart.

A `Value` is the set of things a name may refer to or hold, so two names share an object when their values overlap: that is the whole
treatment of aliases. Functions and classes are things too: a value that holds one "carries" what its body reads, through
partials, decorators, instances and factories.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Literal, NamedTuple

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
        self.names: dict[str, None] = {}
        """The names that ever stood for it."""
        self.serial = next(self._serials)

    def __hash__(self) -> int:
        """By order of making."""
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
    calls: list["Call"] = field(default_factory=list)
    result: set["Item"] = field(default_factory=set)
    captures: set["Item"] = field(default_factory=set)
    """What the names of functions around it stand for."""
    methods: dict[str, "Closure"] | None = None
    """A class's own methods; None for a function."""
    generator: bool = False
    dynamic: bool = False
    looks_around: bool = False

    def __hash__(self) -> int:
        """By order of making."""
        return self.serial

    def call_methods_on(self, names: Iterable[Global], is_containers: bool) -> None:
        """Note that it calls a method of what these names stand for."""
        for name in names:
            self.called_on[name] = self.called_on.get(name, False) or is_containers


Item = Thing | Closure | Param | Global | Result
Value = frozenset[Item]
NOTHING: Value = frozenset()
FIXED: Value = frozenset([Thing(-1, "fixed")])
"""One thing for all that cannot be changed: nobody can tell whether two names share it."""
NAMESPACE: Value = frozenset([Thing(-1, "namespace")])
"""The notebook's namespace as an object: who changes it may bind any name, who reads it may read any."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call in a function's body: what is called, and with what."""

    function: Value
    positional: tuple[Value, ...]
    named: tuple[tuple[str, Value], ...]


@dataclass(eq=False, slots=True)
class Scope:
    """A scope of the notebook's code. The module's own scope is not one of these: it is the end of the chain."""

    kind: Literal["function", "class", "comprehension", "types"]
    parent: "Scope | None"
    names: set[str]
    declared: set[str] = field(default_factory=set)
    """Names declared `global` here."""
    values: dict[str, Value] = field(default_factory=dict)

    def chain(self) -> Iterator["Scope"]:
        """Yield this scope and those around it."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent


def closures(value: Iterable[Item]) -> list[Closure]:
    """Return the functions and classes among the things, in the order they were defined."""
    return sorted((item for item in value if isinstance(item, Closure)), key=hash)


def mangled(name: str, owner: str | None) -> str:
    """Return the name as the compiler writes it inside the class `owner`: `__x` becomes `_C__x`."""
    if owner is None or not name.startswith("__") or name.endswith("__") or "." in name:
        return name
    stripped = owner.lstrip("_")
    return f"_{stripped}{name}" if stripped else name
