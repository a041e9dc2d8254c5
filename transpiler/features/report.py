"""What a port or an inspection found, for people and for programs. Only this module and `asking` know rich."""

import json
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from transpiler.features.to_notebook import count_possible_edits
from transpiler.model.diagnostics import Diagnostic, Found, Severity, Span
from transpiler.model.ir import Notebook, Plan, PlannedStep
from transpiler.pipeline import Ported

if TYPE_CHECKING:
    from transpiler.merge.summary import MergedPart
    from transpiler.suggest.inputs import Likely
    from transpiler.verify.batch import NotebookLine
    from transpiler.verify.result import Verified

COLOURS = {Severity.NOTICE: "cyan", Severity.WARNING: "yellow", Severity.ERROR: "red"}


def console(file: IO[str] | None = None, width: int | None = None) -> Console:
    """Return a console without rich's guesses about numbers and markup."""
    return Console(file=file or sys.stdout, highlight=False, markup=False, width=width)


def table_of(*columns: str) -> Table:
    """Return an empty table with these columns, without lines."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def print_indented(to: Console, table: Table) -> None:
    to.print(Padding(table, (0, 0, 0, 2)))


def sources(notebook: Notebook | None) -> tuple[str, ...]:
    """Return the sources of a notebook's cells, for the lines that diagnostics quote; none if it could not be read.

    Keys are overwritten: what is printed may end in a log.
    """
    from transpiler.notebook.secrets import overwrite_keys

    return tuple(overwrite_keys(cell.source) for cell in notebook.cells) if notebook else ()


def sources_of(notebook: Path) -> tuple[str, ...]:
    """Return the sources of the cells of a notebook's file, as `sources`."""
    from transpiler.passes.read import read

    try:
        return sources(read(notebook.read_bytes(), notebook.name)[0])
    except OSError:
        return ()


def print_diagnostics(to: Console, found: Found, name: str, sources: tuple[str, ...] = ()) -> None:
    """Print diagnostics with the line they are about, a caret under it, and what to do.

    `name` is the notebook's file name, `sources` the source of each of its cells.
    """
    for diagnostic in found:
        to.print(_rendered(diagnostic, name, sources, to.width))


def print_problem(to: Console, code: str, message: str, remedy: str) -> None:
    """Print a problem of the host in the form of our diagnostics."""
    what = (code, COLOURS[Severity.ERROR])
    to.print(Text.assemble(what, f"  {message}\n", (f"  help: {remedy}", "dim")))


def _rendered(diagnostic: Diagnostic, name: str, sources: tuple[str, ...], width: int) -> Text:
    """One diagnostic: `trip.ipynb[3]:2:5  PP102 shell-escape  message`, the line, a caret, the help."""
    said, colour = quoted(diagnostic, name, sources, width - 4), COLOURS[diagnostic.rule.severity]
    rule = (f"{said['code']} {said['name']}", colour)
    text = Text.assemble((said["place"], "bold"), "  ", rule, f"\n  {said['message']}\n")
    if said["marks"]:
        text.append(f"    {said['line']}\n", "dim")
        text.append(f"    {said['marks']}\n", colour)
    text.append(f"  help: {said['help']}\n", "dim")
    return text


def quoted(
    diagnostic: Diagnostic, name: str, sources: tuple[str, ...], width: int = 100
) -> dict[str, str]:
    """Return the parts of one diagnostic; a quoted line that is longer than `width` is cut around its marks."""
    span = diagnostic.span
    lines = sources[span.cell].split("\n") if 0 <= span.cell < len(sources) else []
    line = marks = ""
    if 0 < span.line <= len(lines):
        line, before, carets = _excerpt(lines[span.line - 1].expandtabs(1), span, width)
        marks = " " * before + "^" * carets
    place = name if span.cell < 0 else f"{name}[{span.cell}]:{span.line}:{span.column}"
    return said_of(diagnostic) | {"place": place, "line": line, "marks": marks}


def said_of(diagnostic: Diagnostic) -> dict[str, str]:
    """Return what a diagnostic says, without its place."""
    rule = diagnostic.rule
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity.name.lower(),
        "message": diagnostic.message,
        "help": diagnostic.help,
    }


def _excerpt(line: str, span: Span, width: int) -> tuple[str, int, int]:
    """Return the part of a line around a span that fits a width, the columns before the span there, and its length."""
    before = span.column - 1
    last = span.end_column - 1 if span.end_line == span.line else len(line)
    length = max(1, min(last, len(line)) - before)
    start = 0 if len(line) <= width else max(0, min(before - width // 3, len(line) - width))
    shown = line[start : start + width]
    if start:
        shown = "…" + shown[1:]
    if start + width < len(line):
        shown = shown[:-1] + "…"
    return shown, before - start, max(1, min(length, width - (before - start)))


def print_port(to: Console, ported: Ported, dry: bool = False) -> None:
    """Print what a port did: the table of steps, then the diagnostics. `dry`: it only said what it would do."""
    name, result = ported.notebook.name, ported.regenerated
    edits = result.edits if result else 0
    if ported.plan is not None and ported.plugin is not None:
        by_hand = f"  (your edits: {edits} place{'s' * (edits != 1)})" if edits else ""
        to.print(Text.assemble((name, "bold"), " → ", (str(ported.plugin), "bold"), by_hand))
        merged = result is not None and result.rows and (ported.changed or edits)
        table = _merged(ported.plan, result.rows) if merged and result else _steps(ported.plan)
        print_indented(to, table)
    print_diagnostics(to, ported.found, name, sources(ported.read) if ported.found else ())
    if ported.plugin is None:
        to.print(f"{name} was not ported.")
        return
    if result is not None and result.open:
        plural = "s are" if result.open > 1 else " is"
        to.print(f"{result.open} conflict{plural} open. The plugin loads, and your text runs.")
    if dry:
        said = f"It would be written: {_cause(ported)}." if ported.changed else ""
        to.print(said or "Nothing would be written.")
    elif ported.changed:
        to.print(f"Written. Next: pipulate serve {ported.plugin.parent}")
    elif edits:
        to.print(f"{ported.plugin} is up to date: your edits stay; nothing to do.")
    else:
        to.print(f"{ported.plugin} is up to date; nothing was written.")
    if edits and (number := count_possible_edits(ported)):
        plural = "edits" if number > 1 else "edit"
        to.print(f"{number} {plural} could go into the notebook: add --to-notebook.")
    if ported.backup:
        to.print("The plugin as it was is kept: add --undo to bring it back.")


def _cause(ported: Ported) -> str:
    """Why a plugin is out of date: the compiler, the notebook, or both."""
    result = ported.regenerated
    if result is None or ported.before is None:
        return "it is new"
    compiler, notebook = "the compiler is newer", "the notebook has changed"
    if result.compiler:
        return f"{compiler} and {notebook}" if result.notebook else compiler
    return notebook if result.notebook else "as was asked for"


def print_inspected(
    plan: Plan | None, found: Found, name: str, sources: tuple[str, ...], graph: Path | None
) -> None:
    """Print what `inspect` found. A picture that is printed may go to a file: then nothing else stands there."""
    if plan is None:
        print_diagnostics(console(), found, name, sources)
    elif str(graph) == "-":
        print_diagnostics(console(sys.stderr), found, name, sources)
    else:
        print_plan(console(), plan, found, sources)
        if graph:
            print(f"Written: {graph}")


def print_plan(to: Console, plan: Plan, found: Found, sources: tuple[str, ...]) -> None:
    to.print(Text.assemble((plan.title, "bold"), f"  ({plan.app_name}, from {plan.notebook})"))
    if plan.description:
        to.print(Padding(plan.description, (0, 0, 1, 0)))
    print_indented(to, _cells(plan))
    for label, listed in (("files", plan.files), ("needs", plan.requirements)):
        if listed:
            to.print(f"  {label}: {', '.join(listed)}")
    print_diagnostics(to, found, plan.notebook, sources)


def _steps(plan: Plan) -> Table:
    """A row a step: id, title, what it asks, what runs it."""
    table = table_of("step", "title", "asks for", "cells")
    for step in plan.steps[:SCREEN]:
        asks = _asks(step) or ("a click" if step.button else "")
        table.add_row(step.id, step.title, asks, ", ".join(str(cell.index) for cell in step.cells))
    _add_rest(table, len(plan.steps) - SCREEN)
    return table


SCREEN = 40  # Rows of a table that a port prints; `inspect` has all steps


def _add_rest(table: Table, more: int) -> None:
    """Say how many rows are left out, if any."""
    if more > 0:
        table.add_row("…", f"and {more:,} more; `pipulate inspect` lists all")


MANY = 40  # Names that a row of `inspect` lists; `--json` has all

_WORDS = {"CONFLICT": "red", "merged": "green", "NEW": "cyan", "removed": "yellow"}


def _merged(plan: Plan, rows: "Sequence[MergedPart]") -> Table:
    """A row a step: what became of it when the notebook was ported again."""
    table = table_of("step", "title", "", "in detail")
    titles = {step.id: step.title for step in plan.steps}
    changed = [row for row in rows if row.what != "unchanged"]
    listed = rows if len(rows) <= SCREEN else changed[:SCREEN]
    for row in listed:
        word = Text(row.what, _WORDS.get(row.what.partition(" ")[0], ""))
        table.add_row(row.subject, titles.get(row.subject, ""), word, row.detail)
    _add_rest(table, len(rows) - len(listed))
    return table


def _cells(plan: Plan) -> Table:
    """A row a cell: what comes in, what goes out, what was changed in it."""
    table = table_of("step", "title", "cell", "asks for", "in", "out", "changes")
    for step in plan.steps:
        about = (step.id, step.title, _asks(step))
        for cell in step.cells:
            into = [n for what, names in cell.declarations if what.startswith("in") for n in names]
            out = [n for what, names in cell.declarations if "out" in what for n in names]
            as_text = f"as text: {cell.text_reason}" if cell.text_reason else ""
            changes = as_text or "; ".join(cell.changes)
            id_, title, asks = about
            table.add_row(id_, title, str(cell.index), asks, _some(into), _some(out), changes)
            about = ("", "", "")  # only the first row of a step says these
    return table


def _asks(step: PlannedStep) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in step.fields)


def print_likely(to: Console, inputs: "Sequence[Likely]", notebook: Path) -> None:
    """Print what looks like an input, best first, and the two ways to make fields of it."""
    to.print("Looks like inputs:")
    print_indented(to, likely_table(inputs))
    name = shlex.quote(str(notebook))
    if sure := sum(one.auto for one in inputs):
        to.print(f"Ask for them: pipulate port {name} --fields auto  (the {sure} marked *)")
        to.print(f"or write it into the notebook: pipulate annotate {name}")
    else:
        to.print(f"Ask for some: pipulate annotate {name}")


def likely_table(inputs: "Sequence[Likely]", numbered: bool = False) -> Table:
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


def _some(names: list[str]) -> str:
    """Names in a row of a table; a cell that binds a thousand would push all other rows off the screen."""
    more = len(names) - MANY
    return " ".join(names) if more <= 0 else f"{' '.join(names[:MANY])} … and {more:,} more"


VERDICTS = {"same": "green", "differs": "red", "not reproducible": "yellow", "not compared": "dim"}


@contextmanager
def telling() -> Iterator[Callable[[str], None]]:
    """Give a function that says what is being done, on the standard error and only when that is a terminal."""
    to = console(sys.stderr)
    if not to.is_terminal:
        yield lambda _: None
        return
    with to.status("") as status:
        yield status.update


def print_verified(to: Console, verified: "Verified", sources: tuple[str, ...]) -> None:
    """Print what a verification found: a row a cell, then the sum. Diagnostics only when it could not be ported."""
    if not verified.rows:
        print_diagnostics(to, verified.found, verified.notebook, sources)
        to.print(f"{verified.notebook} was not verified: it cannot be ported.")
        return
    to.print(Text.assemble((verified.notebook, "bold"), " ↔ ", (verified.plugin, "bold")))
    table = table_of("cell", "step", "verdict", "first difference")
    for row in verified.rows:
        kind = row.verdict.kind
        table.add_row(row.name, row.step, Text(kind, VERDICTS[kind]), row.difference)
    print_indented(to, table)
    if verified.stopped:
        to.print(verified.stopped)
    counts = ", ".join(f"{number} {kind}" for kind, number in verified.counts.items())
    ways = f" The app was walked {', '.join(verified.ways)}." if len(verified.ways) > 1 else ""
    times = f"The notebook was executed {verified.executions} times."
    to.print(f"{len(verified.rows)} cells: {counts}. {times}{ways}")


def print_lines(to: Console, lines: "Sequence[NotebookLine]") -> None:
    """Print the results of several notebooks: a row each, then the sum."""
    kinds = [kind for kind in VERDICTS if kind == "same" or any(kind in li.counts for li in lines)]
    remarks = any(line.remark for line in lines)
    table = table_of()
    table.add_column("notebook", no_wrap=True)
    for column in ("cells", *kinds, "seconds"):
        table.add_column(column, justify="right", no_wrap=True)
    if remarks:
        table.add_column("first difference", overflow="fold")
    for line in lines:
        numbers = [Text(str(line.counts.get(kind, "")), VERDICTS[kind]) for kind in kinds]
        name = Text(line.notebook.stem, VERDICTS["differs"] if line.exit_code else "")
        cells, seconds = str(sum(line.counts.values()) or ""), f"{line.seconds:.1f}"
        table.add_row(name, cells, *numbers, seconds, *([line.remark] if remarks else ()))
    to.print(table)
    bad = sum(line.exit_code != 0 for line in lines)
    number = sum(sum(line.counts.values()) for line in lines)
    ways = ", ".join(lines[0].ways)
    outcome = f"{bad} not as they should be" if bad else "none differs"
    to.print(f"{len(lines)} notebooks, {number} cells, walked {ways}: {outcome}.")


def data_of(plan: Plan | None, found: Found) -> dict[str, object]:
    """Return a plan and diagnostics as data."""
    diagnostics = [said_of(d) | {"span": d.span._asdict()} for d in found]
    return {"plan": asdict(plan) if plan else None, "diagnostics": diagnostics}


def data_of_port(ported: Ported) -> dict[str, object]:
    """Return what a port did as data: as `data_of`, and what became of each step."""
    document = data_of(ported.plan, ported.found)
    document["plugin"] = str(ported.plugin) if ported.plugin else None
    document["changed"] = ported.changed
    if (result := ported.regenerated) is not None:
        document["edits"] = result.edits
        document["rows"] = [asdict(row) for row in result.rows]
        document["compiler"] = [asdict(row) for row in result.compiler]
        document["conflicts"] = [asdict(conflict) for conflict in result.conflicts]
    return document


def data_of_verified(verified: "Verified") -> dict[str, object]:
    """Return what a verification found as data, with the diagnostics."""
    return verified.as_dict() | {"diagnostics": data_of(None, verified.found)["diagnostics"]}


def dumped(data: object) -> str:
    """Return data as JSON; ASCII only, so that it passes through any terminal, whatever a file's name holds."""
    return json.dumps(data, indent=2)
