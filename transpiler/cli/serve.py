"""`pipulate serve`, `run` and `runs`: the host."""

import re
from pathlib import Path
from typing import Annotated

import typer

from transpiler.cli.options import Answers, AnswersFile, Data, Folder, Json, app, runs_app
from transpiler.model.options import Options


@app.command()
def serve(
    folder: Folder = Path("generated"),
    data: Data = Path("data"),
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen at.")] = 5001,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the browser.")] = False,
    kernels: Annotated[
        int | None,
        typer.Option(min=1, help="Kernels at a time. Default: as many as memory and cores allow."),
    ] = None,
    kernel_memory: Annotated[
        str | None, typer.Option(metavar="2G", help="Memory that a kernel may use.")
    ] = None,
    step_output: Annotated[
        str | None, typer.Option(metavar="1G", help="Stop a step that prints more than this.")
    ] = None,
    idle: Annotated[
        str | None,
        typer.Option(metavar="10m", help="End kernels that were not used for this long."),
    ] = None,
    reload: Annotated[
        bool,
        typer.Option("--reload", help="Reload plugins and port notebooks whenever they are saved."),
    ] = False,
    trust_network: Annotated[
        bool,
        typer.Option(
            "--trust-network",
            help="With --host: every visitor of the server may port notebooks onto it, settle conflicts and read its log.",
        ),
    ] = False,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model that answers in the chat.")
    ] = None,
    ollama: Annotated[
        str | None, typer.Option(metavar="URL", help="The Ollama that runs the model.")
    ] = None,
) -> None:
    """Serve the plugins of a folder in the browser."""
    from pipulate_runtime.host.commands import serve as commands
    from transpiler.cli.review import Reviewer
    from transpiler.features.host_porter import Porter

    raise typer.Exit(
        commands.serve(
            folder,
            data,
            host,
            port,
            open_browser,
            kernels=kernels,
            kernel_memory=kernel_memory,
            step_output=step_output,
            idle=idle,
            reviewer=Reviewer(Options()),
            porter=Porter(folder.absolute()),
            follow=reload,
            trust_network=trust_network,
            model=model,
            ollama=ollama,
        )
    )


@app.command()
def run(
    plugin: Annotated[Path, typer.Argument(metavar="PLUGIN", help="A plugin file.")],
    answers: Answers = None,
    answers_file: AnswersFile = None,
    data: Data = Path("data"),
    key: Annotated[str | None, typer.Option(help="The run to start or to continue.")] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="KEY", help="Start a new run with the answers of this one."),
    ] = None,
    notebook: Annotated[
        Path | None, typer.Option(help="Write the run as an executed notebook.")
    ] = None,
    files: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Copy the files that the cells wrote.")
    ] = None,
    replay: Annotated[
        bool,
        typer.Option(
            "--replay", help="Let earlier steps run again if they must, whatever they repeat."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Walk a plugin from its first step to its last, without a browser."""
    from pipulate_runtime.host.commands import serve as commands
    from transpiler.verify.answers import given_of

    raise typer.Exit(
        commands.run(
            plugin,
            given_of(answers or [], answers_file),
            data,
            key,
            notebook,
            as_json,
            files,
            source,
            replay,
        )
    )


@runs_app.callback(invoke_without_command=True)
def runs(context: typer.Context, data: Data = Path("data"), as_json: Json = False) -> None:
    """List the runs in the database. Options before a subcommand apply to it."""
    if context.invoked_subcommand is None:
        runs_list(data, as_json)
    given = {"data": str(data), "as_json": as_json}
    context.default_map = dict.fromkeys(("list", "show", "export", "delete"), given)


@runs_app.command("list")
def runs_list(data: Data = Path("data"), as_json: Json = False) -> None:
    """List the runs: key, state, step, last change."""
    from pipulate_runtime.host.commands import serve as commands

    raise typer.Exit(commands.runs_list(data, as_json))


@runs_app.command("show")
def runs_show(key: str, data: Data = Path("data"), as_json: Json = False) -> None:
    """Show the answers of a run."""
    from pipulate_runtime.host.commands import serve as commands

    raise typer.Exit(commands.runs_show(key, data, as_json))


@runs_app.command("export")
def runs_export(
    key: Annotated[str | None, typer.Argument(metavar="[KEY]")] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="The file to write.", show_default="KEY.ipynb, or runs.zip"
        ),
    ] = None,
    folder: Annotated[Path, typer.Option(help="The folder of the plugins.")] = Path("generated"),
    data: Data = Path("data"),
    every: Annotated[
        bool, typer.Option("--all", help="Write all runs, as a zip of notebooks.")
    ] = False,
) -> None:
    """Write a run as an executed notebook, or all runs as a zip of them."""
    from pipulate_runtime.host.commands import serve as commands

    if every == (key is not None):
        raise typer.BadParameter("give a KEY, or --all")
    if key is None:
        raise typer.Exit(commands.runs_export_all(output or Path("runs.zip"), data, folder))
    name = re.sub(r"[^\w.()+-]", "_", key)
    raise typer.Exit(commands.runs_export(key, output or Path(f"{name}.ipynb"), data, folder))


@runs_app.command("delete")
def runs_delete(
    keys: Annotated[list[str] | None, typer.Argument(metavar="[KEY]...")] = None,
    data: Data = Path("data"),
    older_than: Annotated[
        str | None,
        typer.Option(metavar="30d", help="Delete all runs that did not change for this long."),
    ] = None,
    leftover: Annotated[
        bool, typer.Option("--leftover", help="Delete the files of runs that are in no database.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete runs and their files."""
    from pipulate_runtime.host.commands import serve as commands

    if bool(keys) + bool(older_than) + leftover != 1:
        raise typer.BadParameter("give the KEY of a run, or --older-than, or --leftover")
    if leftover:
        folders = commands.leftover(data)
        if folders and not yes:
            typer.confirm(f"Delete {len(folders)} folders that belong to no run?", abort=True)
        raise typer.Exit(commands.leftover_delete(folders))
    if older_than:
        keys = commands.old_runs(commands.length_of(older_than), data)
        if not keys:
            print("No run is that old.")
            return
    for key in keys or []:
        commands.run_of(key, data)
    if not yes:
        what = f"the run {keys[0]}" if keys and len(keys) == 1 else f"{len(keys or [])} runs"
        typer.confirm(f"Delete {what} with all files?", abort=True)
    raise typer.Exit(commands.runs_delete(keys or [], data))
