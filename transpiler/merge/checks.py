"""Checks that every merged plugin must pass before it is written."""

import ast
import builtins
import re
import symtable
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeGuard

from transpiler.merge.conflicts import hunks
from transpiler.merge.decide import Decisions
from transpiler.merge.lines import count_lines, lost_lines
from transpiler.merge.units import parse_plugin, step_id


def find_problem(text: str, sides: Sequence[str], to: Decisions) -> str | None:
    """Return why a merged plugin must not be written, or None. `sides` are base, ours and theirs."""
    base, ours, theirs = sides
    try:
        facts, before, now = facts_of(text), facts_of(ours), facts_of(theirs)
    except (SyntaxError, ValueError) as error:
        return f"the merged plugin would not be Python: {error}"
    if doubled := facts.doubled - before.doubled - now.doubled:
        return f"`{sorted(doubled.elements())[0]}` would be defined twice"
    shown = (hunk for each in to.conflicts for hunk in hunks(each.base, each.notebook))
    left_out = ("\n".join(changed) for _, changed in shown)
    result = count_lines("\n".join((text, *left_out, *to.waived)))
    if missing := lost_lines(count_lines(base), count_lines(ours), count_lines(theirs), result):
        return f"a line would be lost: {missing[0][:60]}"
    return _steps_problem(facts, before)


def _steps_problem(facts: "Facts", before: "Facts") -> str | None:
    """Why the entries of the steps list are wrong: one stands twice or has no handler, and not by the user's hand."""
    for step, count in Counter(facts.steps).items():
        if count > max(1, before.steps.count(step)):
            return f"`{step}` would be in the steps list twice"
        by_hand = step in before.steps and step not in before.members
        if step not in facts.members and not by_hand and step != "finalize":
            return f"`{step}` would be in the steps list without its handlers"
    return None


# --- names ------------------------------------------------------------------------------------------------------------

# A cell that does this may define any name.
_ANY_NAMES = re.compile(r"\bimport \*|\b(?:exec|globals|vars)\(|\buser_ns\b|[\"'%](?:run|pylab)\b")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plugin defines."""

    imports: frozenset[str]  # The names that the module's imports bind
    members: frozenset[str]  # The methods and constants of its classes
    steps: tuple[str, ...]  # The ids in the steps list
    doubled: Counter[str]  # Functions of the module or a class, by how many times too often


@lru_cache(maxsize=6)
def facts_of(text: str) -> Facts:
    """Return what a plugin defines. Raises SyntaxError or ValueError when it is not Python."""
    tree = parse_plugin(text)
    imports: set[str] = set()
    members: set[str] = set()
    steps: list[str] = []
    doubled: Counter[str] = Counter()
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef))
    scopes: list[ast.Module | ast.ClassDef] = [tree, *classes]
    for scope in scopes:
        functions: Counter[str] = Counter()
        for node in scope.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                functions[node.name] += 1
                if node.name == "__init__":
                    calls = (each for each in ast.walk(node) if _is_call_of(each, "Step"))
                    steps += [found for call in calls if (found := step_id(call)) is not None]
            elif isinstance(node, ast.Import | ast.ImportFrom):
                imports |= {(a.asname or a.name).partition(".")[0] for a in node.names}
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                members.add(node.targets[0].id)
        members |= functions.keys()
        doubled += functions - Counter(functions.keys())
    return Facts(frozenset(imports), frozenset(members), tuple(steps), doubled)


def _is_call_of(node: ast.AST, name: str) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def still_used(text: str, ours: str) -> tuple[set[str], set[str]]:
    """Return the names that `ours` imports, and the methods it defines, that the text uses and has no more."""
    try:
        now, before = facts_of(text), facts_of(ours)
    except (SyntaxError, ValueError):
        return set(), set()
    names = {n for n in before.imports - now.imports if re.search(rf"\b{n}\b", text)}
    methods = {n for n in before.members - now.members if re.search(rf"\bself\.{n}\b", text)}
    if names:
        names &= {n.id for n in _outside_cells(parse_plugin(text)) if isinstance(n, ast.Name)}
    return names, methods


def _outside_cells(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those of the notebook's cells: cells have a namespace of their own."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not is_cell(child):
            yield from _outside_cells(child)


def is_cell(node: ast.AST) -> bool:
    """Whether a node is the function of a notebook's cell."""
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
        _is_call_of(decorator, "cell") for decorator in node.decorator_list
    )


def undefined_by_edits(text: str, ours: str, theirs: str) -> tuple[tuple[str, str], ...]:
    """Return the names that hand edits in the merged plugin use and that nothing defines, each with the function that uses it.

    It is the same at each port until it is mended: also after a conflict was settled, and where there is nothing to merge.
    """
    if text == theirs or not (now := _undefined_names(text)):
        return ()
    known = {name for name, _ in _undefined_names(theirs)}
    as_text = _kept_as_text(theirs)
    known |= set(re.findall(r"\w+", as_text))
    if _ANY_NAMES.search(as_text) or _ANY_NAMES.search(theirs):
        # The plugin may define its former names elsewhere: report only those that the merge removed.
        known |= {name for name, _ in _undefined_names(ours)}
    return tuple(sorted(found for found in now if found[0] not in known))


def _kept_as_text(text: str) -> str:
    """The cells that IPython runs as they are: what they define cannot be seen in the plugin."""
    calls = (node for node in ast.walk(parse_plugin(text)) if _is_call_of(node, "cell_text"))
    lines = (line for call in calls for line in call.args if isinstance(line, ast.Constant))
    return "".join(str(line.value) for line in lines)


def _undefined_names(text: str) -> set[tuple[str, str]]:
    """Names that are looked up globally and that neither the module, nor a cell, nor Python defines."""
    try:
        module = symtable.symtable(text, "plugin", "exec")
    except (SyntaxError, ValueError):
        return set()
    scopes = [scope for child in module.get_children() for scope in _scopes(child)]
    inside = [(s, scope.get_name()) for scope in scopes for s in scope.get_symbols()]
    bound = [*module.get_symbols(), *(s for s, _ in inside if s.is_declared_global())]
    known = {"__file__", "__name__", "display", "get_ipython", "In", "Out", *dir(builtins)}
    known |= {s.get_name() for s in bound if s.is_assigned() or s.is_imported() or s.is_namespace()}
    return {
        (name, scope)
        for s, scope in inside
        if s.is_global() and s.is_referenced()
        and (name := s.get_name()) not in known and not name.startswith("_")
    }  # fmt: skip


def _scopes(scope: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield scope
    for child in scope.get_children():
        yield from _scopes(child)
