"""Where a cell's code has keys as texts of their own, and what it calls them."""

import ast
from collections.abc import Iterator

from transpiler.passes.keys import is_filler


def is_key(node: ast.expr) -> bool:
    """Whether an expression is a text that was a key."""
    return isinstance(node, ast.Constant) and is_filler(node.value)


def keys_in(tree: ast.Module) -> Iterator[tuple[ast.Constant, str]]:
    """Find the texts that were keys, each with the name the code has for it, in order.

    Not those inside f-strings and patterns of `match`: no expression can stand in their place.
    """
    found: list[tuple[ast.Constant, str]] = []
    _look(tree, "key", found)
    yield from sorted(found, key=lambda pair: (pair[0].lineno, pair[0].col_offset))


def _look(node: ast.AST, called: str, found: list[tuple[ast.Constant, str]]) -> None:
    match node:
        case ast.Constant():
            if is_key(node):
                found.append((node, called))
        case ast.JoinedStr() | ast.pattern():
            pass
        case ast.Assign(targets=[target, *_], value=value):
            _look(value, _name(target, called), found)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            _look(value, _name(target, called), found)
        case ast.keyword(arg=str(name), value=value):
            _look(value, name, found)
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                _look(value, _name(key, called), found)
        case _:
            for child in ast.iter_child_nodes(node):
                _look(child, called, found)


def _name(target: ast.expr | None, otherwise: str) -> str:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))) | ast.Constant(value=str(name)):
            return name
    return otherwise
