"""What every merged plugin must pass before it is written, whatever the table said."""

import ast
import builtins
import symtable
from collections import Counter
from collections.abc import Iterator, Sequence

from transpiler.merge.conflicts import hunks
from transpiler.merge.leaves import counted, lost
from transpiler.merge.table import Decisions


def problem(text: str, sides: Sequence[str], to: Decisions) -> str | None:
    """Return why a merged plugin must not be written, or None. `sides` are base, ours and theirs."""
    base, ours, theirs = sides
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        return f"the merged plugin would not be Python: {error}"
    doubled = _doubled(tree) - _doubled(ast.parse(ours)) - _doubled(ast.parse(theirs))
    if doubled:
        return f"`{sorted(doubled.elements())[0]}` would be defined twice"
    result = counted(text)
    for conflict in to.conflicts:
        for _, now in hunks(conflict.base, conflict.notebook):
            result += counted("\n".join(now))
    for waived in to.waived:
        result += counted(waived)
    if missing := lost(counted(base), counted(ours), counted(theirs), result):
        return f"a line would be lost: {missing[0][:60]}"
    return _unserved(tree, ours)


def _doubled(tree: ast.Module) -> Counter[str]:
    """Names that a scope defines more than once, and how many times too often."""
    found: Counter[str] = Counter()
    for scope in ast.walk(tree):
        if isinstance(scope, ast.Module | ast.ClassDef):
            names = Counter(
                node.name
                for node in scope.body
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            )
            found += Counter({name: count - 1 for name, count in names.items() if count > 1})
    return found


def _unserved(tree: ast.Module, ours: str) -> str | None:
    """Why the entries of the steps list are wrong: one stands twice or has no handler, and not by the user's hand."""
    ids, methods = _steps_and_methods(tree)
    old_ids, old_methods = _steps_and_methods(ast.parse(ours))
    twice = [key for key, count in Counter(ids).items() if count > max(1, old_ids.count(key))]
    if twice:
        return f"`{twice[0]}` would be in the steps list twice"
    for key in ids:
        by_hand = key in old_ids and key not in old_methods
        if key not in methods and not by_hand and f"{key}_cell" in methods | old_methods:
            return f"`{key}` would be in the steps list without its handlers"
    return None


def _steps_and_methods(tree: ast.Module) -> tuple[list[str], set[str]]:
    """The ids of the `Step(...)` entries, and the names of all functions."""
    ids = [
        str(keyword.value.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Step"
        for keyword in node.keywords
        if keyword.arg == "id" and isinstance(keyword.value, ast.Constant)
    ]
    methods = {
        n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    return ids, methods


# --- names ------------------------------------------------------------------------------------------------------------


def still_used(text: str, ours: str) -> tuple[set[str], set[str]]:
    """Return the names that `ours` imports, and the methods it defines, that the text uses and has no more."""
    try:
        tree, before = ast.parse(text), ast.parse(ours)
    except (SyntaxError, ValueError):
        return set(), set()
    lost_names = _imports(before) - _imports(tree)
    used = {n.id for n in _outside_cells(tree) if isinstance(n, ast.Name)} & lost_names
    own = {
        n.attr
        for n in ast.walk(tree)
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == "self"
    }
    return used, own & (_members(before) - _members(tree))


def _imports(tree: ast.Module) -> set[str]:
    """The names that the module's imports bind."""
    return {
        (alias.asname or alias.name).partition(".")[0]
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def _members(tree: ast.Module) -> set[str]:
    """The methods and constants of the module's classes."""
    found = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                    found.add(member.name)
                elif isinstance(member, ast.Assign) and isinstance(member.targets[0], ast.Name):
                    found.add(member.targets[0].id)
    return found


def _outside_cells(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those of the notebook's cells: cells have a namespace of their own."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not _is_cell(child):
            yield from _outside_cells(child)


def _is_cell(node: ast.AST) -> bool:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    return any(
        isinstance(d, ast.Call) and isinstance(d.func, ast.Name) and d.func.id == "cell"
        for d in node.decorator_list
    )


def newly_undefined(text: str, ours: str, theirs: str) -> tuple[tuple[str, str], ...]:
    """Return the names that nothing defines in the merged plugin while in `ours` and in `theirs` something did.

    Each comes with the function that uses it.
    """
    before = {name for name, _ in _undefined(ours)} | {name for name, _ in _undefined(theirs)}
    return tuple(sorted({found for found in _undefined(text) if found[0] not in before}))


def _undefined(text: str) -> set[tuple[str, str]]:
    """Names that are looked up globally and that neither the module, nor a cell, nor Python defines."""
    try:
        module = symtable.symtable(text, "plugin", "exec")
    except (SyntaxError, ValueError):
        return set()
    known = {
        s.get_name()
        for s in module.get_symbols()
        if s.is_assigned() or s.is_imported() or s.is_namespace()
    }
    known |= set(dir(builtins)) | {"__file__", "__name__", "display", "get_ipython", "In", "Out"}
    scopes = [scope for child in module.get_children() for scope in _scopes(child)]
    for scope in scopes:
        for s in scope.get_symbols():
            if s.is_declared_global() and (s.is_assigned() or s.is_imported() or s.is_namespace()):
                known.add(s.get_name())
    return {
        (s.get_name(), scope.get_name())
        for scope in scopes
        for s in scope.get_symbols()
        if s.is_global()
        and s.is_referenced()
        and s.get_name() not in known
        and s.get_name()[:1] != "_"
    }


def _scopes(scope: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield scope
    for child in scope.get_children():
        yield from _scopes(child)
