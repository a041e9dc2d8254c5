"""What the values of a namespace are known to be, by name: followed from cell to cell, in doubt as more than they are."""

import ast
import builtins
import re
from abc import abstractmethod
from dataclasses import dataclass, field

from pipulate_runtime.effects import tables
from pipulate_runtime.effects.tables import Effect

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Function = FunctionNode | ast.ClassDef | ast.Lambda
BUILTINS = frozenset(dir(builtins)) | {"display", "get_ipython", "form"}
MOMENTARY = ("clock", "chance", "file")
"""Kinds of effects that a function has done when it returns; what it gives is a mere value."""


@dataclass
class Names:
    """What the names of a namespace are known to be."""

    imports: dict[str, str] = field(default_factory=dict)
    """`np` -> `numpy`, `post` -> `requests.post`."""
    functions: dict[str, Function] = field(default_factory=dict)
    """Those of the notebook: what their body does, they do when they are called."""
    acting: dict[str, Effect] = field(default_factory=dict)
    """Values that do something outside when they are used."""
    inside: set[str] = field(default_factory=set)
    """Paths in the working folder of the run, and files that are open there."""
    paths: set[str] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    seeded: set[str] = field(default_factory=set)
    stars: set[str] = field(default_factory=set)
    """Packages all of whose names were imported."""
    known: dict[str, list[Effect]] = field(default_factory=dict)
    """What calls of functions do, until a name is bound anew."""

    def bind(self, name: str) -> None:
        """Forget what a name was, since it is another thing now."""
        for known in (self.imports, self.functions, self.acting):
            known.pop(name, None)
        for names in (self.inside, self.paths, self.addresses):
            names.discard(name)
        self.bound.add(name)
        self.known.clear()

    def within(self, function: Function) -> "Names":
        """Return the names as a function sees them: its parameters are nothing that is known."""
        names = Names(**{name: type(value)(value) for name, value in vars(self).items()})
        names.seeded = self.seeded
        if not isinstance(function, ast.ClassDef):
            given = function.args
            arguments = (*given.posonlyargs, *given.args, *given.kwonlyargs)
            for arg in (*arguments, given.vararg, given.kwarg):
                if arg:
                    names.bind(arg.arg)
        return names


class Values:
    """Says of expressions what they give."""

    names: Names

    @abstractmethod
    def effects_of_call(self, function: str) -> list[Effect]:
        """Return what a function of the notebook does."""

    def _full_name(self, node: ast.expr) -> str:
        """Return the full name of something imported; "" of all else."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name) and (whole := self.names.imports.get(node.id)):
            return ".".join([whole, *reversed(parts)])
        return ""

    def _acting(self, node: ast.expr) -> Effect | None:
        """Return what a value does when it is used; None if it is a mere value."""
        match node:
            case ast.Name(id=name):
                if name in self.names.functions:
                    return next(iter(self.effects_of_call(name)), None)
                return self.names.acting.get(name) or self._library(node)
            case ast.Attribute(value=value, attr=attr):
                return None if attr in tables.DATA else self._library(node) or self._acting(value)
            case ast.Call(func=function):
                if isinstance(function, ast.Attribute) and function.attr in tables.DATA:
                    return None
                return self._library(function) or self._acting_call(node)
            case ast.Subscript(value=value) | ast.Starred(value=value) | ast.Await(value=value):
                return self._acting(value)
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.BoolOp(values=parts):
                return next(filter(None, map(self._acting, parts)), None)
            case ast.Dict(values=parts):
                return next(filter(None, map(self._acting, parts)), None)
            case ast.IfExp(body=one, orelse=other):
                return self._acting(one) or self._acting(other)
            case _:
                return None

    def _acting_call(self, node: ast.Call) -> Effect | None:
        function = node.func
        if isinstance(function, ast.Name):
            if function.id in self.names.functions:
                found = self.effects_of_call(function.id)
                return next((e for e in found if e.kind not in MOMENTARY), None)
            if function.id in BUILTINS:
                return next(filter(None, map(self._acting, node.args)), None)
        return None if self._full_name(function) else self._acting(function)

    def _library(self, node: ast.expr) -> Effect | None:
        """Return what comes from a library that acts outside, or that nothing is known of."""
        name = self._full_name(node)
        if not name:
            return None
        kind = tables.kind_of(name)
        if kind and kind not in MOMENTARY:
            return None if name.startswith("pandas.") else Effect(kind, name)
        return None if name.partition(".")[0] in tables.COMPUTES else Effect("unknown", name)

    def _inside(self, node: ast.expr) -> bool:
        """Whether a path is known to be in the working folder of the run, or a file to be open there."""
        match node:
            case ast.Constant(value=str(text)):
                return is_inside(text)
            case ast.Constant():
                return True  # a number of an open file, or None for a text
            case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
                return is_inside(text)
            case ast.Name(id=name):
                return name in self.names.inside
            case ast.BinOp(left=left, op=ast.Div() | ast.Add() | ast.Mod(), right=right):
                joined = not isinstance(right, ast.Constant) or is_inside(
                    str(right.value).lstrip("/")
                )
                return self._inside(left) and joined
            case ast.IfExp(body=one, orelse=other):
                return self._inside(one) and self._inside(other)
            case ast.Call(func=function, args=args):
                name = self._full_name(function) or ast.unparse(function)
                if name in tables.IN_MEMORY:
                    return True
                if name in tables.OF_FIRST:
                    return all(self._inside(arg) for arg in args[:1])
                return isinstance(function, ast.Attribute) and self._inside(function.value)
            case ast.Attribute(value=value, attr=attr):
                return attr != "parent" and self._inside(value)
            case _:
                return False

    def _is_path(self, node: ast.expr) -> bool:
        match node:
            case ast.Name(id=name):
                return name in self.names.paths
            case ast.BinOp(left=left, op=ast.Div()):
                return self._is_path(left)
            case ast.Call(func=function):
                return self._full_name(function).startswith("pathlib.") or (
                    isinstance(function, ast.Attribute) and self._is_path(function.value)
                )
            case ast.Attribute(value=value):
                return self._is_path(value)
            case _:
                return False

    def _has_address(self, node: ast.expr) -> bool:
        """Whether an address of the network is in it."""
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and tables.ADDRESS.match(str(part.value)):
                return True
            if isinstance(part, ast.Name) and part.id in self.names.addresses:
                return True
        return False


def is_inside(path: str) -> bool:
    """Whether a path as it is written stays in the working folder."""
    parts = re.split(r"[/\\]", path)
    return bool(path) and not (
        parts[0] == ""
        or path[0] == "~"
        or ".." in parts
        or ":" in parts[0]
        or tables.ADDRESS.match(path)
    )
