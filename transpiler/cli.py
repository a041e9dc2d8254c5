"""The command `pipulate`: parses options, calls, prints, sets the exit code. Everything else is imported late.

Exit codes: 0 fine; 1 problems found; 2 usage, or a notebook that cannot be read; 3 refused, nothing written;
130 interrupted by Ctrl+C.
"""

import io
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from transpiler import __version__, codes
from transpiler.diagnostics import WHOLE, Diagnostic, Severity, UserError
from transpiler.options import Options

if TYPE_CHECKING:
    from transpiler.pipeline import Ported
    from transpiler.verify import Way

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
Answers = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="STEP.FIELD=VALUE", help="An answer; may be repeated."),
]
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
    from transpiler.pipeline import Ported
    from transpiler.pipeline import port as port_one

    if number is not None and not (number.isascii() and number.isdecimal()):
        raise UserError(
            codes.BAD_OPTION, option="--number", value=number, reason="it is made of digits only"
        )
    options = Options(number=number, by=by)
    results = []
    for notebook in notebooks:
        try:
            ported = port_one(notebook, output, options)
        except UserError as error:
            if len(notebooks) == 1:
                raise
            ported = Ported(notebook, None, None, (error.diagnostic,), changed=False)
        results.append(ported)
        if not as_json:
            _print_ported(ported)
    if as_json:
        _print_json(results)
    if any(ported.failed for ported in results):
        raise typer.Exit(2 if len(results) == 1 and results[0].plan is None else 1)
    if serve:
        serve_folder(output)


def _print_ported(ported: "Ported") -> None:
    """Print what a port did. The report and its libraries are only loaded when there is something to show."""
    if ported.plan is None and not ported.found:
        print(f"{ported.plugin} is up to date; nothing was written.")
        return
    from transpiler import report

    report.print_port(report.console(), ported, _sources(ported.notebook))


def _print_json(results: "list[Ported]") -> None:
    """Print what the ports did as data: an object for one notebook, a list for several."""
    from transpiler import report

    data = [report.data_of(r.plan, r.found, r.plugin, r.changed) for r in results]
    print(report.dumped(data if len(data) > 1 else data[0]))


def _sources(notebook: Path) -> tuple[str, ...]:
    """Return the sources of a notebook's cells to quote from; none when it cannot be read."""
    from transpiler import report

    try:
        return report.sources(notebook.read_bytes(), notebook.name)
    except OSError:
        return ()


@app.command()
def inspect(notebook: OneNotebook, by: By = None, as_json: Json = False) -> None:
    """Show the plan of a notebook's plugin, without writing anything."""
    from transpiler import report
    from transpiler.pipeline import planned, read_bytes

    made = planned(read_bytes(notebook), notebook, Options(by=by))
    plan, found = made.plan, made.found
    if as_json:
        print(report.dumped(report.data_of(plan, found)))
    elif plan is None:
        report.print_diagnostics(
            report.console(),
            found,
            notebook.name,
            _sources(notebook),
        )
    else:
        report.print_plan(report.console(), plan, found, _sources(notebook))
    if plan is None:
        raise typer.Exit(2)
    if any(d.rule.severity is Severity.ERROR for d in found):
        raise typer.Exit(1)


@app.command()
def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="For example PP102.")],
) -> None:
    """Print the page of a diagnostic."""
    from difflib import get_close_matches

    from rich.markdown import Markdown

    from transpiler import report
    from transpiler.resources import pages_folder

    wanted = code.upper()
    known = sorted(path.stem for path in pages_folder().glob("PP*.md"))
    if wanted not in known:
        near = get_close_matches(wanted, known, n=1, cutoff=0)
        reason = (
            f"there is no such page; the nearest is {near[0]}" if near else "there are no pages"
        )
        raise UserError(codes.BAD_OPTION, option="the code", value=code, reason=reason)
    page = pages_folder() / f"{wanted}.md"
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
    answers: Answers = None,
    data: Data = Path("data"),
    key: Annotated[str | None, typer.Option(help="The run to start or to go on with.")] = None,
    notebook: Annotated[
        Path | None, typer.Option(help="Write the run as an executed notebook.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Walk a plugin from its first step to its last, without a browser."""
    from pipulate_runtime.host import commands

    raise typer.Exit(commands.run(plugin, _given(answers), data, key, notebook, as_json))


def _given(answers: list[str] | None) -> dict[str, dict[str, str]]:
    """Return the answers of `--set` by step and field. Raises UserError PP407."""
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
    return given


@app.command()
def verify(
    notebook: OneNotebook,
    plugin: Annotated[
        Path | None,
        typer.Argument(metavar="[PLUGIN]", help="Its plugin; without one it is ported now."),
    ] = None,
    answers: Answers = None,
    as_json: Json = False,
    html: Annotated[
        Path | None, typer.Option(help="Write a page with the outputs of both sides.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="End and start the server after each step.")
    ] = False,
    revert: Annotated[
        bool, typer.Option("--revert", help="Go back to each step once, and on again.")
    ] = False,
) -> None:
    """Execute a notebook, walk its app, and compare them cell by cell."""
    from transpiler import report
    from transpiler.verify import verify as verify_one

    if resume and revert:
        reason = "--revert is another way to walk; verify once with each"
        raise UserError(codes.BAD_OPTION, option="--resume", value="combined", reason=reason)
    way: Way = "resume" if resume else "revert" if revert else "straight"
    with report.telling() as tell:
        verified = verify_one(notebook, plugin, _given(answers), tell, way)
    if as_json:
        diagnostics = report.data_of(None, verified.found)["diagnostics"]
        print(report.dumped({**verified.as_dict(), "diagnostics": diagnostics}))
    else:
        report.print_verified(report.console(), verified, _sources(notebook))
    if html is not None and verified.rows:
        from transpiler.passes.write import write_report
        from transpiler.sides import page

        write_report(html, page(verified))
        if not as_json:
            print(f"Written: {html}")
    raise typer.Exit(verified.exit_code)


@runs_app.callback(invoke_without_command=True)
def runs(context: typer.Context, data: Data = Path("data"), as_json: Json = False) -> None:
    """List the runs in the database. What stands before a subcommand is meant for it."""
    if context.invoked_subcommand is None:
        runs_list(data, as_json)
    given = {"data": str(data), "as_json": as_json}
    context.default_map = dict.fromkeys(("list", "show", "export", "delete"), given)


@runs_app.command("list")
def runs_list(data: Data = Path("data"), as_json: Json = False) -> None:
    """List the runs: key, state, step, last change."""
    from pipulate_runtime.host import commands

    raise typer.Exit(commands.runs_list(data, as_json))


@runs_app.command("show")
def runs_show(key: str, data: Data = Path("data"), as_json: Json = False) -> None:
    """Show the answers of a run."""
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

    commands.run_of(key, data)
    if not yes:
        typer.confirm(f"Delete the run {key} and its files?", abort=True)
    raise typer.Exit(commands.runs_delete(key, data))


# --- errors -------------------------------------------------------------------------------------------------------


def main() -> None:
    """Run the command. A problem of the user's is a message; a bug of ours says so and shows its traceback.

    With `--json` the message is data, on the standard output, like everything else then.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows few characters
    try:
        app()
    except UserError as error:
        _print_diagnostic(error.diagnostic)
        sys.exit(error.exit_code)
    except Exception as error:
        host = sys.modules.get("pipulate_runtime.host.messages")
        if host is not None and isinstance(error, host.HostError):
            _print_problem(error.code, error.message, error.remedy)
            sys.exit(error.exit_code)
        _print_diagnostic(codes.INTERNAL.at(WHOLE, reason=str(error) or type(error).__name__))
        traceback.print_exc()
        sys.exit(1)


def _print_diagnostic(diagnostic: Diagnostic) -> None:
    """Print a diagnostic about the command as a whole."""
    from transpiler import report

    if "--json" in sys.argv:
        print(report.dumped(report.data_of(None, (diagnostic,))))
    else:
        report.print_diagnostics(report.console(sys.stderr), (diagnostic,), "pipulate")


def _print_problem(code: str, message: str, remedy: str) -> None:
    """Print a problem of the host."""
    from transpiler import report

    if "--json" in sys.argv:
        problem = {"code": code, "severity": "error", "message": message, "help": remedy}
        print(report.dumped({"diagnostics": [problem]}))
    else:
        report.print_problem(report.console(sys.stderr), code, message, remedy)
