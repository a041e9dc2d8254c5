"""A code cell on its way through analyse, and the namespace between two cells."""

import ast
from dataclasses import dataclass, field

from transpiler.dataflow.as_function import Form
from transpiler.dataflow.objects import Value
from transpiler.model.ir import Code, Names
from transpiler.python.positions import Places
from transpiler.python.scope import Bindings

TOO_DEEP = "it is nested too deeply"


@dataclass(eq=False, slots=True)
class CodeCell:
    """A code cell on its way through the pass."""

    code: Code
    number: int
    """Its place among the cells that are run, from 1: the execution count it has from top to bottom."""
    source: Places  # Its Python, and where that stands in the cell
    body: list[ast.stmt] = field(default_factory=list)
    bindings: Bindings = field(default_factory=Bindings)
    failed: str | None = None
    names: Names = field(default_factory=Names)
    certain: set[str] = field(default_factory=set)  # Names it certainly binds
    outs: set[str] = field(default_factory=set)  # Names it may bind, delete or mutate
    given: tuple[str, ...] = ()
    dynamic: bool = False
    shows: bool = False  # Whether it ends in an expression whose value IPython shows
    imports: set[str] = field(default_factory=set)  # Names it binds by importing them
    defines: set[str] = field(default_factory=set)  # Names of its functions and classes
    seen: dict[str, ast.AST] = field(default_factory=dict)
    """Where it first uses a name from before, itself or in a function it touches."""
    form: Form = field(default_factory=Form)


@dataclass(slots=True)
class Namespace:
    """What is known of the notebook's namespace between two cells."""

    values: dict[str, Value] = field(default_factory=dict)
    bound: dict[str, int] = field(default_factory=dict)
    """Names a cell so far may have bound -> the last such cell."""
    deleted: dict[str, int] = field(default_factory=dict)
    open: bool = False  # Whether names may be bound that cannot be known
    text_reason: str | None = None  # Why all further cells are kept as text
    future_annotations: bool = False
