"""Annotated notebooks made by hand, for tests of the passes after annotate."""

from typing import Any

from transpiler.model.diagnostics import Found
from transpiler.model.ir import (
    AnalysedCode,
    Analysis,
    Annotated,
    Cell,
    Code,
    Notebook,
    Options,
    Python,
)
from transpiler.passes.analyse import analyse


def code(index: int, source: str, python: str | None = None, **values: Any) -> Code:
    """A code cell; `python` is what the transformer made of it, by default the source itself."""
    text = source if python is None else python
    lines = tuple(range(1, text.count("\n") + 2))
    values.setdefault("options", Options())
    made = Python(text, lines, tail_semicolon=text.rstrip().endswith(";"))
    return Code(Cell(index, f"c{index}", "code", source), values.pop("made", made), **values)


def notebook(*cells: str | Code) -> Annotated:
    """A notebook of code cells."""
    codes = tuple(c if isinstance(c, Code) else code(i, c) for i, c in enumerate(cells))
    return Annotated(Notebook("trip.ipynb", tuple(c.cell for c in codes), {}), "Trip", codes)


def analysed(*cells: str | Code) -> tuple[list[AnalysedCode], Analysis, Found]:
    """The analysed cells, the analysis they are in, and what was found."""
    analysis, found = analyse(notebook(*cells))
    return [i for i in analysis.items if isinstance(i, AnalysedCode)], analysis, found
