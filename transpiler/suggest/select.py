"""Fields chosen by name, from the command line: `--fields auto`, `--fields limit,region`.

Each becomes a field as by `#| input: limit`, with the guesses of `inputs`; the cell's own options take precedence.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from transpiler.fields.options import Ask
from transpiler.model.ir import JSON, AnalysedCode, Analysis
from transpiler.model.names import nearest
from transpiler.python.positions import line_span
from transpiler.suggest.cells import body_of
from transpiler.suggest.inputs import all_candidates, likely_inputs

AUTO = "auto"  # Stands among the names for all that surely look like inputs


@dataclass(frozen=True, slots=True)
class Choice:
    """What became of the names."""

    names: tuple[str, ...]  # Those that are fields now, without doubles, `auto` spelled out
    asks: Mapping[int, tuple[Ask, ...]]  # Cell index -> what it asks for in addition
    unknown: Mapping[str, str]  # The other names -> why they cannot be fields, in words


def select_inputs(analysis: Analysis, wanted: Iterable[str]) -> Choice:
    """Return what to ask for so that these variables are fields. `wanted` are names, or `auto`."""
    names: dict[str, None] = {}
    candidates = {one.name: one for one in all_candidates(analysis)}
    sure = {one.name for one in likely_inputs(analysis) if one.auto}
    for name in wanted:
        names |= dict.fromkeys([n for n in candidates if n in sure] if name == AUTO else [name])
    cells = [item for item in analysis.items if isinstance(item, AnalysedCode)]
    marked = {field.name for item in cells for field in item.code.fields}
    others = dict(_first_assignments(cells))
    asks: dict[int, tuple[Ask, ...]] = {}
    unknown: dict[str, str] = {}
    for name in names:
        if name in marked:
            continue
        if one := candidates.get(name):
            attributes: Mapping[str, JSON] = one.attributes
            if one.secret:
                attributes = {"type": "password"}
            asks[one.cell] = (*asks.get(one.cell, ()), Ask(name, attributes, one.span))
        elif name in others:
            cell, line = others[name]
            ask = Ask(name, {}, line_span(cell.code.cell, line))
            asks[cell.code.cell.index] = (*asks.get(cell.code.cell.index, ()), ask)
        else:
            unknown[name] = _why_not(name, cells, {*candidates, *others, *marked})
    asks = {cell: tuple(sorted(found, key=lambda ask: ask.span)) for cell, found in asks.items()}
    return Choice(tuple(n for n in names if n not in unknown), asks, unknown)


def _first_assignments(
    cells: Iterable[AnalysedCode],
) -> Iterator[tuple[str, tuple[AnalysedCode, int]]]:
    """Each name with the cell and the line that assign it first at the top level."""
    for item in reversed(tuple(cells)):
        if item.code.python is None or item.text_reason is not None:
            continue
        for statement in reversed(body_of(item.code.python.text)):
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(
                    target=ast.Name(id=name), value=ast.expr()
                ):
                    yield name, (item, item.code.python.lines[statement.lineno - 1])


def _why_not(name: str, cells: Iterable[AnalysedCode], known: set[str]) -> str:
    for item in cells:
        source = item.code.cell.source
        assigned = any(line.split("=")[0].strip() == name for line in source.split("\n"))
        if not assigned:
            continue
        magic = source.lstrip().split("\n")[0].split(" ")[0]
        if magic.startswith("%%"):
            return f"it is assigned below `{magic}`, which takes the rest of the cell as a text"
        if item.text_reason is not None:
            return f"its cell is kept as text ({item.text_reason})"
    reason = "no cell has a line of its own that assigns it"
    return f"{reason}; the nearest is {nearest(name, sorted(known))}" if known else reason
