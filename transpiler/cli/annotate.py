"""`pipulate annotate`: which assignments become fields, written into the notebook."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transpiler.cli.options import Fields, OneNotebook, app, names_of
from transpiler.model import rules
from transpiler.model.diagnostics import UserError

if TYPE_CHECKING:
    from transpiler.features.annotate_lines import Marked
    from transpiler.fields.options import Ask
    from transpiler.model.ir import Analysis


@app.command()
def annotate(
    notebook: OneNotebook,
    fields: Fields = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing; choose all that surely look like inputs.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the new lines, write nothing.")
    ] = False,
) -> None:
    """Ask which assignments become fields, and write that into the notebook."""
    from transpiler.features import report
    from transpiler.features.annotate_lines import add_input_lines, differences
    from transpiler.passes.analyse import analyse
    from transpiler.passes.annotate import annotate as read_annotations
    from transpiler.passes.read import read
    from transpiler.pipeline import read_bytes

    raw = read_bytes(notebook)
    parsed, found = read(raw, notebook.name)
    if parsed is None:
        report.print_diagnostics(report.console(), found, notebook.name)
        raise typer.Exit(2)
    analysis, _ = analyse(read_annotations(parsed)[0])
    named = names_of(fields)
    asking = named is None and not yes
    asks = _asked(analysis, notebook.name) if asking else _named(analysis, named)
    if not asks:
        print("No new fields. Nothing was written.")
        return
    made = add_input_lines(raw, parsed, asks)
    to = report.console()
    to.print("\n".join(differences(parsed, made)), soft_wrap=True)
    report.print_diagnostics(to, made.found, notebook.name)
    if dry_run or (asking and not _confirmed()):
        print("Nothing was written.")
        return
    _write(notebook, raw, made)


def _named(analysis: "Analysis", names: tuple[str, ...] | None) -> "Mapping[int, tuple[Ask, ...]]":
    """The fields of `--fields`, or of `--yes`. Raises UserError PP407 for a name that cannot be one."""
    from transpiler.suggest.select import AUTO, select_inputs

    choice = select_inputs(analysis, (AUTO,) if names is None else names)
    for name, reason in choice.unknown.items():
        raise UserError(rules.BAD_OPTION, option="--fields", value=name, reason=reason)
    return choice.asks


def _asked(analysis: "Analysis", name: str) -> "Mapping[int, tuple[Ask, ...]]":
    """The fields that the user chooses in the terminal. Raises UserError PP491 without a terminal."""
    import sys

    from transpiler.cli.asking import ask_for_fields
    from transpiler.suggest.inputs import likely_inputs

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError(rules.NO_TERMINAL)
    inputs = likely_inputs(analysis)
    if not inputs:
        print(f"Nothing in {name} looks like an input. To choose yourself: --fields NAME,NAME")
        return {}
    with _until_ctrl_c():
        return ask_for_fields(inputs)


def _confirmed() -> bool:
    with _until_ctrl_c():
        return typer.confirm("Write this into the notebook?", default=True)


@contextmanager
def _until_ctrl_c() -> Iterator[None]:
    """End the command, with exit code 1, when the person ends a question."""
    try:
        yield
    except (typer.Abort, KeyboardInterrupt):
        print("\nNothing was written.")
        raise typer.Exit(1) from None


def _write(notebook: Path, raw: bytes, made: "Marked") -> None:
    """Write the notebook, and say what comes next."""
    import shlex

    from transpiler.plugin_folder.files import replace_notebook

    replace_notebook(notebook, raw, made.raw)
    number = sum(len(new) for _, new in made.lines.values())
    many = "field" if number == 1 else "fields"
    print(f"Written: {number} {many}. Next: pipulate port {shlex.quote(str(notebook))}")
