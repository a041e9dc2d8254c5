"""Finds code of cells that changes settings of a library in an unknown way (DATAFLOW 3.4, DF061 and DF062).

`process.py` restores the known settings; with unknown ones, steps run again rather than being restored.
"""

import ast
import re
import types
from collections.abc import Iterator
from typing import Any

_SETTERS = re.compile(r"(set|register|use|enable|disable|configure|install|patch|option|init|basic|manual)(_.*|[A-Z].*)?|seed")  # fmt: skip
_CHANGES = frozenset(("append", "extend", "insert", "add", "update", "setdefault", "pop", "popitem", "remove", "discard", "clear"))  # fmt: skip
# `process.py` restores or compares the settings of these
_KNOWN = ("random", "numpy", "pandas", "matplotlib", "seaborn", "warnings", "decimal", "locale", "os", "sys", "logging", "gc", "signal")  # fmt: skip
_MAGICS = frozenset(  # without settings
    re.findall(
        r"\w+",
        "time timeit capture who whos who_ls cd pwd env set_env writefile run load_ext reload_ext autoreload matplotlib "
        "history system sx sc bash sh script cat ls prun pinfo pinfo2 psource pdoc pfile html svg latex markdown javascript js",
    )
)


def unknown_settings(trees: list[ast.AST], namespace: dict[str, Any]) -> Iterator[str]:
    """Yield the code at which cells change settings that a checkpoint does not restore."""
    for tree in trees:
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Attribute(value=base, attr=name)) if _SETTERS.fullmatch(
                    name
                ):
                    owner = _owner(base, namespace)
                    if owner and owner.split(".")[0] not in _KNOWN:
                        yield ast.unparse(node.func)
                case ast.Call(
                    func=ast.Attribute(attr=name), args=[ast.Constant(str(magic)), *_]
                ) if name in ("run_line_magic", "run_cell_magic"):
                    if magic not in _MAGICS:
                        yield f"%{magic}"
                case ast.Call(func=ast.Attribute(value=ast.Attribute() as base, attr=name)) if (
                    name in _CHANGES
                ):
                    owner = _owner(base, namespace)
                    if owner and owner.split(".")[0] not in _KNOWN:
                        yield ast.unparse(node.func)
                case ast.Subscript(value=ast.Attribute() as base, ctx=ast.Store() | ast.Del()):
                    owner = _owner(base, namespace)
                    if owner and owner.split(".")[0] not in _KNOWN:
                        yield ast.unparse(node)
                case ast.Attribute(ctx=ast.Store() | ast.Del()):
                    owner = _owner(node.value, namespace)
                    if owner and not owner.startswith("pandas"):
                        yield ast.unparse(node)
                case ast.Call(func=ast.Name("setattr" | "delattr"), args=[first, *_]):
                    if _owner(first, namespace):
                        yield ast.unparse(node)


def _owner(node: ast.expr, namespace: dict[str, Any]) -> str:
    """Return the module that an expression belongs to (a module, or a class of one), or ""."""
    path = []
    while isinstance(node, ast.Attribute):
        path.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    thing = namespace.get(node.id)
    if isinstance(thing, types.ModuleType):
        return ".".join([thing.__name__, *reversed(path)])
    if isinstance(thing, type) and thing.__module__ not in ("__main__", "builtins"):
        return thing.__module__
    return ""
