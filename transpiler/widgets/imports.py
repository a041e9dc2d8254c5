"""Collects what the whole notebook says about its widgets: the names of ipywidgets in it, and which attributes are read.

A notebook that does not import ipywidgets has none, and costs nothing.
"""

import ast
import re
from collections.abc import Iterable, Mapping
from typing import Any

from transpiler.fields.vocabulary import RESERVED_FIELDS
from transpiler.notebook.ipython import parse
from transpiler.python.literals import COMPUTED, literal_of
from transpiler.widgets.table import ABBREVIATED, CONTAINERS, INPUTS, SHOWS_ONLY, UNANSWERABLE

_LIBRARY = re.compile(r"\b(?:ipywidgets|IPython\.html)\b")
_PACKAGE = re.compile(
    r"(?:ipywidgets|IPython\.html)(?:\.widgets)*(?:\.(?:interaction|\w+))?\.(\w+)"
)
_LOOKS = frozenset(["layout", "style", "description", "disabled", "description_tooltip", "tooltip"])
"""Attributes of a widget that say how it looks."""


def has_widgets(sources: Iterable[str]) -> bool:
    return any(_LIBRARY.search(source) for source in sources)


class Toolkit:
    """`known` grows from cell to cell as the notebook runs; what later cells read is known from the start."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Look through the Python of all cells, in order."""
        trees = [parse(text) for text in texts]
        self.read: set[str] = set()  # Variables of which more is used than how they look
        self.clicked: set[str] = set()  # Variables whose `click()` the notebook calls itself
        self.functions: dict[str, ast.FunctionDef] = {}
        self.widgets: dict[str, str] = {}  # Variables that hold a widget so far -> its class
        self.buttons: dict[str, str] = {}
        """Variables that hold a button so far -> what stands on it."""
        self._imported: dict[str, str] = {}
        self._fields = set(RESERVED_FIELDS)
        self._constants = _constants(trees)
        for tree in trees:
            self._learn_imports(tree)
        for tree in trees:
            _Uses(self, tree)
        self._imported.clear()

    def learn(self, tree: ast.Module) -> None:
        """Take over what a cell imports and defines, before its own widgets are looked at."""
        self._learn_imports(tree)
        for node in tree.body:
            match node:
                case ast.FunctionDef(name=name):
                    self.functions[name] = node
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=func)):
                    if (widget := self.widget(func)) in INPUTS:
                        self.widgets[name] = widget

    def _learn_imports(self, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    whole = alias.name if alias.asname else alias.name.partition(".")[0]
                    self._imported[alias.asname or whole] = whole
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    if alias.name == "*" and _PACKAGE.fullmatch(f"{node.module}.x"):
                        self._imported |= {n: f"ipywidgets.{n}" for n in _STARRED}
                    self._imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def widget(self, node: ast.AST) -> str:
        """Return the name in ipywidgets of what is called or named: `IntSlider`, `interact`; '' for anything else."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self._imported:
            return ""
        whole = ".".join([self._imported[node.id], *reversed(parts)])
        match = _PACKAGE.fullmatch(whole)
        return match[1] if match else ""

    def value(self, node: ast.expr) -> Any:
        """Return the value of a literal, of a name that is one throughout the notebook, or of a range; else COMPUTED."""
        match node:
            case ast.Name(id=name) if name in self._constants:
                return self._constants[name]
            case ast.Call(func=ast.Name(id="list" | "tuple"), args=[inner], keywords=[]):
                value = self.value(inner)
                return list(value) if isinstance(value, list | tuple | range) else COMPUTED
            case ast.Call(func=ast.Name(id="range"), args=args, keywords=[]):
                numbers = [self.value(arg) for arg in args]
                if 1 <= len(numbers) <= 3 and all(type(n) is int for n in numbers):
                    return range(*numbers) if numbers[2:] != [0] else COMPUTED
                return COMPUTED
        return literal_of(node)

    def named(self, name: str) -> str:
        """Return a class or module as the cells so far name it: `datetime.date` as `dt.date` after `import datetime as dt`."""
        for alias, whole in self._imported.items():
            if whole == name:
                return alias
        module, _, last = name.rpartition(".")
        alias = next((a for a, whole in self._imported.items() if whole == module), "")
        return f"{alias or f'__import__({module!r})'}.{last}".replace("'", '"')

    def fresh(self, name: str) -> str:
        """Return the name of a field that no other widget of the notebook has: cells can share a form."""
        wanted, number = name, 1
        while name in self._fields:
            number += 1
            name = f"{wanted}_{number}"
        self._fields.add(name)
        return name


_STARRED = (*INPUTS, *UNANSWERABLE, *SHOWS_ONLY, *CONTAINERS, *ABBREVIATED, "fixed", "Button")


def _constants(trees: Iterable[ast.Module]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    bound: list[str] = []
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                bound.append(node.id)
        for node in tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    found[name] = literal_of(value)
    return {k: v for k, v in found.items() if v is not COMPUTED and bound.count(k) == 1}


class _Uses(ast.NodeVisitor):
    """Finds the variables that are read, not only shown."""

    def __init__(self, toolkit: Toolkit, tree: ast.Module) -> None:
        self._toolkit = toolkit
        self.visit(tree)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Name):
            self.visit(node.value)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._toolkit.read.add(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.value, ast.Name) and (
            node.attr in _LOOKS or not isinstance(node.ctx, ast.Load)
        ):
            return
        self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        match node.func:
            case ast.Attribute(value=ast.Name(id=name), attr="click"):
                self._toolkit.clicked.add(name)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        shows = name == "display" or self._toolkit.widget(node.func) in CONTAINERS
        self.visit(node.func)
        for part in (*node.args, *(k.value for k in node.keywords)):
            items = part.elts if isinstance(part, ast.List | ast.Tuple) else [part]
            for item in items:
                if not (shows and isinstance(item, ast.Name)):
                    self.visit(item)
