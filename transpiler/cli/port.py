"""`pipulate port`, `inspect` and `explain`: the compiler."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transpiler.cli import merge_options as again
from transpiler.cli.options import (
    By,
    Fields,
    Json,
    Notebooks,
    Number,
    OneNotebook,
    Out,
    app,
    names_of,
)
from transpiler.model import rules
from transpiler.model.diagnostics import Severity, UserError
from transpiler.model.options import Options

if TYPE_CHECKING:
    from transpiler.pipeline import Ported


@app.command()
def port(
    notebooks: Notebooks,
    output: Out = Path("generated"),
    number: Number = None,
    by: By = None,
    fields: Fields = None,
    serve: Annotated[bool, typer.Option("--serve", help="Serve the folder afterwards.")] = False,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Port the notebooks whenever they are saved, until Ctrl+C."),
    ] = False,
    as_json: Json = False,
    dry_run: again.DryRun = False,
    diff: again.Diff = False,
    check: again.Check = False,
    force: again.Force = False,
    yes: again.Yes = False,
    mine: again.Mine = False,
    theirs: again.Theirs = False,
    resolve: again.Resolve = None,
    restore: again.Restore = None,
    undo: again.Undo = False,
    adopt: again.Adopt = False,
    to_notebook: again.ToNotebook = None,
) -> None:
    """Port notebooks to workflow plugins; edits made by hand in a plugin stay."""
    from transpiler.pipeline import Ported

    if number is not None and not (number.isascii() and number.isdecimal()):
        raise UserError(
            rules.BAD_OPTION, option="--number", value=number, reason="it is made of digits only"
        )
    options = Options(number=number, by=by, fields=names_of(fields))
    wish = again.wish_of(
        dry_run, diff, check, force, yes, adopt, mine, theirs, resolve or [], restore or []
    )
    if to_notebook:
        again.refuse_with("--to-notebook", wish, undo=undo, serve=serve, watch=watch)
        raise typer.Exit(again.to_notebook(notebooks, output, options, to_notebook, as_json))
    if watch:
        again.refuse_with("--watch", wish, as_json=as_json, undo=undo, serve=serve)
        again.watch(notebooks, output, options)
        return
    if undo:
        again.undo(notebooks, output, yes)
        return
    results = []
    for notebook in notebooks:
        try:
            ported = again.port_one(notebook, output, options, wish)
        except UserError as error:
            if len(notebooks) == 1:
                raise
            ported = Ported(notebook, None, None, (error.diagnostic,), changed=False)
        results.append(ported)
        if wish.diff and not as_json and not ported.failed:
            again.print_diff(ported)
        elif not as_json:
            _print_ported(ported, wish.asked.dry)
    if as_json:
        _print_json(results)
    if code := again.exit_code(results, wish):
        raise typer.Exit(code)
    if serve:
        from transpiler.cli.serve import serve as serve_folder

        serve_folder(output)


def _print_ported(ported: "Ported", dry: bool) -> None:
    """Print what a port did. The report and its libraries are only loaded when there is something to show."""
    if ported.plan is None and not ported.found:
        print(f"{ported.plugin} is up to date; nothing was written.")
        return
    from transpiler.features import report

    report.print_port(report.console(), ported, dry)


def _print_json(results: "list[Ported]") -> None:
    """Print what the ports did as data: an object for one notebook, a list for several."""
    from transpiler.features import report

    data = [report.data_of_port(ported) for ported in results]
    print(report.dumped(data if len(data) > 1 else data[0]))


@app.command()
def inspect(
    notebook: OneNotebook,
    by: By = None,
    fields: Fields = None,
    graph: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.svg|FILE.mmd|-",
            help="Draw how the steps feed each other: SVG or Mermaid; - prints Mermaid.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the plan of a notebook's plugin; writes nothing but the picture, if one is wanted."""
    from transpiler.features import graph as graphs
    from transpiler.features import report
    from transpiler.pipeline import planned, read_bytes
    from transpiler.suggest.inputs import likely_inputs

    kind = graphs.kind_of(graph, as_json) if graph else ""
    options = Options(by=by, fields=names_of(fields))
    made = planned(read_bytes(notebook), notebook, options)
    plan, found = made.plan, made.found
    inputs = likely_inputs(made.analysis) if made.analysis else ()
    data = report.data_of(plan, found) | {"likely_inputs": [one.as_dict() for one in inputs]}
    if plan is not None and (graph or as_json):
        from pipulate_runtime.host.commands import serve as commands

        steps = graphs.steps(plan)
        data["edges"] = commands.edges(plan.title, steps)
        if graph:
            graphs.write_picture(graph, commands.drawing(plan.title, steps, kind))
    if as_json:
        print(report.dumped(data))
    else:
        report.print_inspected(plan, found, notebook.name, report.sources(made.read), graph)
        if inputs and str(graph) != "-":
            report.print_likely(report.console(), inputs, notebook)
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

    from transpiler.features import report
    from transpiler.model.resources import pages_folder

    wanted = code.upper()
    known = sorted(path.stem for path in pages_folder().glob("PP*.md"))
    if wanted not in known:
        near = get_close_matches(wanted, known, n=1, cutoff=0)
        reason = (
            f"there is no such page; the nearest is {near[0]}" if near else "there are no pages"
        )
        raise UserError(rules.BAD_OPTION, option="the code", value=code, reason=reason)
    page = pages_folder() / f"{wanted}.md"
    report.console().print(Markdown(page.read_text(encoding="utf-8")))
