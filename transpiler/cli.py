"""The command `pipulate`: parses options, calls, prints, sets the exit code. Everything else is imported late.

Exit codes: 0 fine; 1 problems found; 2 usage, or a notebook that cannot be read; 3 refused, nothing written.
"""

import sys
import traceback
from pathlib import Path
from typing import Annotated, Literal

import typer

from transpiler import __version__, codes
from transpiler.diagnostics import WHOLE, Severity, UserError
from transpiler.options import Options

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Turns a Jupyter notebook into a web app that people can use without seeing code.",
)
runs_app = typer.Typer(no_args_is_help=False, help="The runs in the database.")
app.add_typer(runs_app, name="runs")

Notebooks = Annotated[list[Path], typer.Argument(metavar="NOTEBOOK...", help="Notebooks to port.")]
OneNotebook = Annotated[Path, typer.Argument(metavar="NOTEBOOK")]
Out = Annotated[Path, typer.Option("-o", "--output", help="The folder for the plugins.")]
By = Annotated[
    Literal["cell", "heading"] | None,
    typer.Option(help="One step for each code cell, or for each section."),
]
Json = Annotated[bool, typer.Option("--json", help="Print data instead of text.")]
Data = Annotated[Path, typer.Option(help="The folder of the database and of the runs' files.")]
Folder = Annotated[Path, typer.Argument(metavar="[DIR]", help="The folder of the plugins.")]


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True)
    ] = False,
) -> None:
    if version:
        print(f"pipulate-transpiler {__version__}")
        raise typer.Exit


# --- the compiler -------------------------------------------------------------------------------------------------


@app.command()
def port(
    notebooks: Notebooks,
    output: Out = Path("generated"),
    number: Annotated[
        str | None,
        typer.Option(help="Digits in front of the file's name, for the order in the menu: 040."),
    ] = None,
    by: By = None,
    serve: Annotated[bool, typer.Option("--serve", help="Serve the folder afterwards.")] = False,
    as_json: Json = False,
) -> None:
    """Port notebooks to workflow plugins."""
    from transpiler.pipeline import port as port_one

    if number is not None and not number.isdigit():
        raise UserError(
            codes.BAD_OPTION, option="--number", value=number, reason="it is made of digits only"
        )
    options = Options(number=number, by=by)
    failed = False
    for notebook in notebooks:
        try:
            ported = port_one(notebook, output, options)
        except UserError as error:
            if len(notebooks) == 1:
                raise
            _print_error(error, notebook.name)
            failed = True
            continue
        failed = failed or ported.failed
        if as_json:
            from transpiler import report

            print(report.as_json(ported.plan, ported.found, ported.plugin, ported.changed))
        elif ported.plan is None and not ported.found:
            print(f"{ported.plugin} is up to date; nothing was written.")
        else:
            from transpiler import report

            report.print_port(
                report.console(), ported, report.sources(notebook.read_bytes(), notebook.name)
            )
    if failed:
        raise typer.Exit(_exit_code(notebooks, failed))
    if serve:
        serve_folder(output)


@app.command()
def inspect(notebook: OneNotebook, by: By = None, as_json: Json = False) -> None:
    """Show the plan of a notebook's plugin, without writing anything."""
    from transpiler import report
    from transpiler.pipeline import planned, read_bytes

    plan, found = planned(read_bytes(notebook), notebook, Options(by=by))
    if as_json:
        print(report.as_json(plan, found))
    elif plan is None:
        report.print_diagnostics(
            report.console(),
            found,
            notebook.name,
            report.sources(notebook.read_bytes(), notebook.name),
        )
    else:
        report.print_plan(
            report.console(), plan, found, report.sources(notebook.read_bytes(), notebook.name)
        )
    if plan is None:
        raise typer.Exit(2)
    if any(d.rule.severity is Severity.ERROR for d in found):
        raise typer.Exit(1)


@app.command()
def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="For example PP102.")],
) -> None:
    """Print the page of a diagnostic."""
    from rich.markdown import Markdown

    from transpiler import report
    from transpiler.resources import pages_folder

    page = pages_folder() / f"{Path(code).name.upper()}.md"
    if not page.is_file():
        known = ", ".join(sorted(path.stem for path in pages_folder().glob("PP*.md")))
        raise UserError(
            codes.BAD_OPTION, option="the code", value=code, reason=f"there are {known}"
        )
    report.console().print(Markdown(page.read_text(encoding="utf-8")))


# --- the host -----------------------------------------------------------------------------------------------------


@app.command()
def serve(
    folder: Folder = Path("generated"),
    data: Data = Path("data"),
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen at.")] = 5001,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the browser.")] = False,
) -> None:
    """Serve the plugins of a folder in the browser."""
    serve_folder(folder, data, host, port, open_browser)


def serve_folder(
    folder: Path,
    data: Path = Path("data"),
    host: str = "127.0.0.1",
    port: int = 5001,
    open_browser: bool = False,
) -> None:
    """Run the host until it is stopped."""
    from pipulate_runtime.host import commands

    raise typer.Exit(commands.serve(folder, data, host, port, open_browser))


@app.command()
def run(
    plugin: Annotated[Path, typer.Argument(metavar="PLUGIN", help="A plugin file.")],
    answers: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="STEP.FIELD=VALUE", help="An answer; may be repeated."),
    ] = None,
    data: Data = Path("data"),
    key: Annotated[str | None, typer.Option(help="The run to start or to go on with.")] = None,
    notebook: Annotated[
        Path | None, typer.Option(help="Write the run as an executed notebook.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Walk a plugin from its first step to its last, without a browser."""
    from pipulate_runtime.host import commands

    given: dict[str, dict[str, str]] = {}
    for answer in answers or []:
        place, equals, value = answer.partition("=")
        step, dot, field = place.partition(".")
        if not (equals and dot):
            raise UserError(
                codes.BAD_OPTION,
                option="--set",
                value=answer,
                reason="it is written step_02.limit=500",
            )
        given.setdefault(step, {})[field] = value
    raise typer.Exit(commands.run(plugin, given, data, key, notebook, as_json))


@runs_app.callback(invoke_without_command=True)
def runs(context: typer.Context, data: Data = Path("data"), as_json: Json = False) -> None:
    """List the runs in the database."""
    if context.invoked_subcommand is None:
        runs_list(data, as_json)


@runs_app.command("list")
def runs_list(data: Data = Path("data"), as_json: Json = False) -> None:
    """List the runs: key, state, step, last change."""
    from pipulate_runtime.host import commands

    raise typer.Exit(commands.runs_list(data, as_json))


@runs_app.command("show")
def runs_show(key: str, data: Data = Path("data"), as_json: Json = False) -> None:
    """Show the answers and outputs of a run."""
    from pipulate_runtime.host import commands

    raise typer.Exit(commands.runs_show(key, data, as_json))


@runs_app.command("export")
def runs_export(
    key: str,
    output: Annotated[Path, typer.Option("-o", "--output", help="The notebook to write.")],
    folder: Annotated[Path, typer.Option(help="The folder of the plugins.")] = Path("generated"),
    data: Data = Path("data"),
) -> None:
    """Write a run as an executed notebook."""
    from pipulate_runtime.host import commands

    raise typer.Exit(commands.runs_export(key, output, folder, data))


@runs_app.command("delete")
def runs_delete(
    key: str,
    data: Data = Path("data"),
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a run and its files."""
    from pipulate_runtime.host import commands

    if not yes:
        typer.confirm(f"Delete the run {key} and its files?", abort=True)
    raise typer.Exit(commands.runs_delete(key, data))


# --- errors -------------------------------------------------------------------------------------------------------


def main() -> None:
    """Run the command. A problem of the user's is a message; a bug of ours says so and shows its traceback."""
    try:
        app()
    except UserError as error:
        _print_error(error, "pipulate")
        sys.exit(error.exit_code)
    except Exception as error:
        from transpiler import report

        host = sys.modules.get("pipulate_runtime.host.messages")
        if host is not None and isinstance(error, host.HostError):
            report.print_problem(report.console(sys.stderr), error.code, error.message, error.remedy)
            sys.exit(error.exit_code)
        found = (codes.INTERNAL.at(WHOLE, reason=str(error) or type(error).__name__),)
        report.print_diagnostics(report.console(sys.stderr), found, "pipulate")
        traceback.print_exc()
        sys.exit(1)


def _print_error(error: UserError, name: str) -> None:
    """Print the message of a user's problem."""
    from transpiler import report

    report.print_diagnostics(report.console(sys.stderr), (error.diagnostic,), name)


def _exit_code(notebooks: list[Path], failed: bool) -> int:
    """1 when one of several notebooks could not be ported, 2 when the only one could not."""
    return (2 if len(notebooks) == 1 else 1) if failed else 0
