"""`pipulate serve`, `run` and `runs`: the host."""

from pathlib import Path
from typing import Annotated

import typer

from transpiler.commands.shared import Answers, AnswersFile, Data, Folder, Json, app, runs_app


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
    answers_file: AnswersFile = None,
    data: Data = Path("data"),
    key: Annotated[str | None, typer.Option(help="The run to start or to go on with.")] = None,
    notebook: Annotated[
        Path | None, typer.Option(help="Write the run as an executed notebook.")
    ] = None,
    files: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Copy the files that the cells wrote.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Walk a plugin from its first step to its last, without a browser."""
    from pipulate_runtime.host import commands
    from transpiler.arguments import given_of

    raise typer.Exit(
        commands.run(
            plugin, given_of(answers or [], answers_file), data, key, notebook, as_json, files
        )
    )


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
