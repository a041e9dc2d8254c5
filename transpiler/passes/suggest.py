"""Fields whose own value the notebook computes from earlier cells: the form shows what it comes to.

`limit = int(total * 0.1)` with `#| input: limit` is asked with that number filled in. The expression is executed once, after the
step before, where the notebook would execute it; the answer then takes its place.
"""

import ast
from collections.abc import Sequence

from transpiler.ir import AnalysedCode, Field, PlannedCell
from transpiler.passes.literals import literal
from transpiler.passes.places import Places

_Suggested = tuple[Field, AnalysedCode, str]


def suggestions(
    step_id: str, items: Sequence[AnalysedCode], names: set[str], meaning: str
) -> PlannedCell | None:
    """Return the function that computes the values of a step's fields, `names`; None when there is nothing to compute.

    Left out is what depends on the step's own cells: it is not known before they are executed. `meaning` is what is said
    about the names it reads.
    """
    found: list[_Suggested] = []
    changed: set[str] = set()
    for item in items:
        for asked in item.code.fields:
            if asked.computed and asked.name in names and item.text_reason is None:
                before = changed | _bound_before(item, asked) | set(item.names.mutates)
                expression = _expression(item, asked, before)
                if expression:
                    found.append((asked, item, expression))
        changed |= {*item.names.binds, *item.names.deletes, *item.names.mutates}
    return _function(step_id, found, meaning) if found else None


def _expression(item: AnalysedCode, asked: Field, before: set[str]) -> str:
    """The text of what a field's value is computed from, if that is there before the cell is executed; else empty."""
    assert item.code.python is not None
    text = item.code.python.text[asked.value.start : asked.value.end]
    tree = ast.parse(f"({text}\n)", mode="eval")
    special = (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)
    if any(isinstance(node, special) for node in ast.walk(tree)):
        return ""
    return "" if _names(tree) & before else text


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _bound_before(item: AnalysedCode, asked: Field) -> set[str]:
    """The names that the cell may bind above the field."""
    python = item.code.python
    assert python is not None
    places = Places(item.code.cell, python)
    above = [
        statement
        for statement in ast.parse(python.text).body
        if places.slice(statement).end <= asked.value.start
    ]
    text = "\n".join(ast.unparse(statement) for statement in above)
    return {name for name in item.names.binds if name in _words(text)}


def _words(text: str) -> set[str]:
    """All names in a code, read or bound: more than needed does no harm but to say nothing."""
    tree = ast.parse(text)
    words = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            words.add(node.name)
        elif isinstance(node, ast.alias):
            words.add((node.asname or node.name).partition(".")[0])
    return words


def _function(step_id: str, found: list[_Suggested], meaning: str) -> PlannedCell:
    """The function as a cell whose value is a dict."""
    lines, reads = [], []
    for asked, item, expression in found:
        value = f"(\n{expression}\n)"
        lines.append(f"{literal(asked.name)}: {f'repr({value})' if asked.raw else value},")
        known = {*item.names.reads, *item.given}
        reads += [n for n in sorted(_names(ast.parse(value, mode="eval"))) if n in known]
    item = found[0][1]
    read = tuple(dict.fromkeys(reads))
    return PlannedCell(
        function=f"{step_id}_suggestions",
        cell=item.code.cell.id,
        index=item.code.cell.index,
        source="{\n" + "\n".join(lines) + "\n}",
        shows=True,
        declarations=((meaning, read),) if read else (),
        reads_only=bool(read),
    )
