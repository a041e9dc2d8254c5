"""Field values, choices and labels that a step's form shows and earlier cells compute.

`limit = int(total * 0.1)` with `#| input: limit` is asked with that number filled in. The expression is executed once, after the
step before, where the notebook would execute it; the answer then takes its place. Choices and labels are expressions that
`#| input:` gives (`fields/from_earlier.py`); they are executed together with the values.
"""

import ast
from collections.abc import Sequence
from dataclasses import replace

from transpiler.fields.from_earlier import names as names_in
from transpiler.model import rules
from transpiler.model.diagnostics import Diagnostic
from transpiler.model.ir import AnalysedCode, Field, PlannedCell
from transpiler.python.literals import literal
from transpiler.python.positions import Places

_Suggested = tuple[str, str, AnalysedCode]
"""The key under which the form finds it, the text of its expression, the cell that asks."""


def with_known_parts(
    items: Sequence[AnalysedCode], first: bool, found: list[Diagnostic]
) -> list[AnalysedCode]:
    """Return a step's cells with those computed parts of their fields that are known before it, adding PP310 for the rest.

    `first` says that it is the first step: nothing is executed before its form is shown. A field that loses its choices takes
    any text; several of them are typed as JSON.
    """
    result = []
    changed: set[str] = set()
    for item in items:
        fields = []
        for asked in item.code.fields:
            kept = []
            for part, expression in asked.parts:
                own = changed | _bound_before(item, asked)
                if reason := _unknown(item, expression, own, first):
                    rule = rules.NOT_KNOWN_YET
                    found.append(rule.at(asked.span, part=part, name=asked.name, reason=reason))
                else:
                    kept.append((part, expression))
            fields.append(_with_parts(asked, tuple(kept)))
        result.append(replace(item, code=replace(item.code, fields=tuple(fields))))
        changed |= {*item.names.binds, *item.names.deletes, *item.names.mutates}
    return result


def _unknown(item: AnalysedCode, expression: str, own: set[str], first: bool) -> str:
    """Why an expression has no value before the step; empty when it has one."""
    if first:
        return "no step comes before this one"
    for name in names_in(expression):
        if name in own:
            return f"`{name}` is set in this step itself"
        if name not in item.names.asks:
            return f"no cell above sets `{name}`"
    return ""


def _with_parts(asked: Field, parts: tuple[tuple[str, str], ...]) -> Field:
    if "choices" in dict(asked.parts) and "choices" not in dict(parts):
        several = asked.type == "multi-select"
        asked = replace(asked, type="json" if several else asked.type, allow_input=not several)
    return replace(asked, parts=parts)


def suggestions(
    step_id: str, items: Sequence[AnalysedCode], names: set[str], meaning: str
) -> PlannedCell | None:
    """Return the function that computes the values of a step's fields, `names`; None when there is nothing to compute.

    Parts that depend on the step's own cells are left out: they have no value before these run. `meaning` is what is said
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
                    found.append((asked.name, _value(expression, asked.raw), item))
            if asked.name in names and item.text_reason is None:
                found += [(f"{asked.name}.{part}", text, item) for part, text in asked.parts]
        changed |= {*item.names.binds, *item.names.deletes, *item.names.mutates}
    return _function(step_id, found, meaning) if found else None


def _value(expression: str, raw: bool) -> str:
    bare = not isinstance(ast.parse(f"(\n{expression}\n)", mode="eval").body, ast.Tuple)
    if raw:
        return (
            f"repr({expression})"
            if bare and "\n" not in expression
            else f"repr((\n{expression}\n))"
        )
    return expression if bare and "\n" not in expression else f"(\n{expression}\n)"


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
    lines, reads = [], []
    for key, value, item in found:
        lines.append(f"    {literal(key)}: {value},")
        known = {*item.names.reads, *item.names.asks, *item.given}
        reads += [n for n in sorted(_names(ast.parse(value, mode="eval"))) if n in known]
    item = found[0][2]
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
