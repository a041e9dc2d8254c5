"""The command line application, and the options that several commands have."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from transpiler import __version__
from transpiler.model import rules
from transpiler.model.diagnostics import UserError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Turns a Jupyter notebook into a web app that people can use without seeing code.",
)
runs_app = typer.Typer(no_args_is_help=False, help="The runs in the database.")
app.add_typer(runs_app, name="runs")

Notebooks = Annotated[list[Path], typer.Argument(metavar="NOTEBOOK...", help="Notebooks to port.")]
OneNotebook = Annotated[Path, typer.Argument(metavar="NOTEBOOK", help="Path of a .ipynb file.")]
Out = Annotated[Path, typer.Option("-o", "--output", help="The folder for the plugins.")]
Number = Annotated[
    str | None,
    typer.Option(help="Digits in front of the file's name, for the order in the menu: 040."),
]
By = Annotated[
    Literal["cell", "heading"] | None,
    typer.Option(help="One step for each code cell, or for each section."),
]
Fields = Annotated[
    str | None,
    typer.Option(
        metavar="auto|NAME,...",
        help="The assignments to turn into fields: those that surely look like inputs (auto), or by name; none takes it back.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print data instead of text.")]
Data = Annotated[Path, typer.Option(help="The folder of the database and of the runs' files.")]
Answers = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="STEP.FIELD=VALUE", help="An answer; may be repeated."),
]
AnswersFile = Annotated[
    Path | None,
    typer.Option("--answers", metavar="FILE", help='Answers in JSON: {"step_02": {"limit": 500}}.'),
]
Folder = Annotated[Path, typer.Argument(metavar="[DIR]", help="The folder of the plugins.")]


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)
    ] = False,
) -> None:
    if version:
        print(f"pipulate-transpiler {__version__}")
        raise typer.Exit


def names_of(fields: str | None) -> tuple[str, ...] | None:
    """Return what `--fields` says: names, of which one may be `auto`; () for `none`; None when it was not given.

    Raises UserError PP407 when it names nothing.
    """
    if fields is None or fields.strip() == "none":
        return None if fields is None else ()
    names = tuple(name.strip() for name in fields.split(",") if name.strip())
    if not names:
        reason = "it takes auto, none, or names such as limit,region"
        raise UserError(rules.BAD_OPTION, option="--fields", value=repr(fields), reason=reason)
    return names
