"""The likely inputs of a notebook as `inspect` and `annotate` show them."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from transpiler.features.report import print_indented, table_of
from transpiler.suggest.inputs import Likely


def print_likely(to: Console, inputs: Sequence[Likely], notebook: Path) -> None:
    """Print what looks like an input, best first, and the two ways to make fields of it."""
    to.print("Looks like inputs:")
    print_indented(to, likely_table(inputs))
    name = shlex.quote(str(notebook))
    if sure := sum(one.auto for one in inputs):
        to.print(f"Ask for them: pipulate port {name} --fields auto  (the {sure} marked *)")
        to.print(f"or write it into the notebook: pipulate annotate {name}")
    else:
        to.print(f"Ask for some: pipulate annotate {name}")


def likely_table(inputs: Sequence[Likely], numbered: bool = False) -> Table:
    """A row an assignment: where, what it is now, what the field would be, why. `*` marks those of `auto`."""
    table = table_of()
    if numbered:
        table.add_column("", justify="right", no_wrap=True)
    for column in ("name", "cell:line", "value now", "type", "because"):
        table.add_column(column, overflow="fold", no_wrap=column == "cell:line")
    for number, one in enumerate(inputs, 1):
        mark = "*" if one.auto else ""
        row = [f"{one.name}{mark}", f"{one.cell}:{one.span.line}", one.shown, one.type]
        table.add_row(*([str(number)] if numbered else []), *row, ", ".join(one.reasons))
    return table
