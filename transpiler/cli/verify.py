"""`pipulate verify`: the notebook against its app."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transpiler.cli.options import AnswersFile, Json, app
from transpiler.model import rules
from transpiler.model.diagnostics import UserError

if TYPE_CHECKING:
    from transpiler.verify.answers import Task
    from transpiler.verify.result import Way


@app.command()
def verify(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="NOTEBOOK [PLUGIN]...",
            help="A notebook and its plugin; without a plugin, verify ports the notebook first. Several notebooks give a row each.",
        ),
    ],
    answers: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="STEP.FIELD=VALUE",
            help="An answer; may be repeated. Of several notebooks: NAME:STEP.FIELD=VALUE.",
        ),
    ] = None,
    answers_file: AnswersFile = None,
    as_json: Json = False,
    html: Annotated[
        Path | None, typer.Option(help="Write a page with the outputs of both sides.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Also restart the server after each step.")
    ] = False,
    restore: Annotated[
        bool,
        typer.Option(
            "--restore",
            help="Also restart the server after each step and continue from checkpoints.",
        ),
    ] = False,
    revert: Annotated[
        bool, typer.Option("--revert", help="Also go back to each step once and run it again.")
    ] = False,
    jobs: Annotated[
        int, typer.Option(min=1, help="How many notebooks to verify at the same time.")
    ] = 1,
) -> None:
    """Execute a notebook, walk its app, and compare them cell by cell."""
    from transpiler.features import report
    from transpiler.verify.answers import tasks_of
    from transpiler.verify.verify import verify as verify_one

    wanted: dict[Way, bool] = {"resume": resume, "restore": restore, "revert": revert}
    ways = ("straight", *(way for way, on in wanted.items() if on))
    tasks = tasks_of(paths, answers or [], answers_file, ways)
    if len(tasks) > 1:
        if html is not None:
            reason = "it shows one notebook; several were given"
            raise UserError(rules.BAD_OPTION, option="--html", value=str(html), reason=reason)
        verify_several(tasks, jobs, as_json)
    (task,) = tasks
    with report.telling() as tell:
        verified = verify_one(task.notebook, task.plugin, task.given, tell, task.ways)
    if as_json:
        print(report.dumped(report.data_of_verified(verified)))
    else:
        report.print_verified(report.console(), verified, report.sources_of(task.notebook))
    if html is not None and verified.rows:
        from transpiler.plugin_folder.files import write_report
        from transpiler.verify.html_page import page

        write_report(html, page(verified))
        if not as_json:
            print(f"Written: {html}")
    raise typer.Exit(verified.exit_code)


def verify_several(tasks: "list[Task]", jobs: int, as_json: bool) -> None:
    """Verify several notebooks, print a row of each, and end with the exit code."""
    from transpiler.features import report
    from transpiler.verify.batch import verify_all

    with report.telling() as tell:
        tell(f"{len(tasks)} notebooks")
        lines = verify_all(
            tasks, jobs, lambda line, left: tell(f"{line.notebook.stem} is done, {left} to go")
        )
    if as_json:
        print(report.dumped([dict(line.data) for line in lines]))
    else:
        report.print_lines(report.console(), lines)
    raise typer.Exit(int(any(line.exit_code for line in lines)))
