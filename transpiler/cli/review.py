"""`pipulate review`: the notebook and the plugin side by side. Here the compiler's side and the host's meet."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transpiler.cli.options import By, Fields, Json, OneNotebook, Out, app, names_of
from transpiler.model.diagnostics import UserError
from transpiler.model.options import Options

if TYPE_CHECKING:
    from pipulate_runtime.host.commands.serve import Review


@app.command()
def review(
    notebook: OneNotebook,
    output: Out = Path("generated"),
    by: By = None,
    fields: Fields = None,
    port: Annotated[int, typer.Option(help="The port to listen at.")] = 5002,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the browser.")] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the page to a file; serve nothing.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a notebook and its plugin side by side, with edits and conflicts; settle conflicts there."""
    from pipulate_runtime.host.commands import serve
    from transpiler.features import report
    from transpiler.features import review as reviews

    options = Options(by=by, fields=names_of(fields))
    found = reviews.review(notebook, output, options)
    if as_json:
        print(report.dumped(asdict(found)))
    if html is not None:
        from transpiler.plugin_folder.files import write_report

        write_report(html, serve.review_document(asdict(found)))
        if not as_json:
            print(f"Written: {html}")
    if not as_json and html is None:
        reviewer = Reviewer(options, notebook)
        raise typer.Exit(serve.review(reviewer, Path(found.plugin), port, open_browser))
    raise typer.Exit(1 if found.conflicts else 0)


class Reviewer:
    """Reads notebooks and plugins for the host, which does not know the compiler."""

    def __init__(self, options: Options, notebook: Path | None = None) -> None:
        """With `notebook` all plugins are taken to be of that one; else a plugin says which one it was ported from."""
        self._options = options
        self._notebook = notebook

    def offers(self, plugin: Path) -> bool:
        """Whether the notebook of a plugin is there."""
        found = self._of(plugin)
        return found is not None and found.is_file()

    def look(self, plugin: Path) -> "Review":
        """Return the review of a plugin. Raises the host's error when there is none."""
        from transpiler.features import review as reviews

        with _errors_for_the_host():
            return asdict(
                reviews.review(self._needed(plugin), plugin.parent, self._options, plugin)
            )

    def settle(self, plugin: Path, conflict: str, choice: str, seen: str) -> "tuple[Review, str]":
        """Resolve a conflict; return the new review and a sentence about the result. Raises the host's error."""
        from transpiler.features import review as reviews

        notebook, out = self._needed(plugin), plugin.parent
        with _errors_for_the_host():
            after, said = reviews.settle(
                notebook, out, self._options, conflict, choice, seen, plugin
            )
            return asdict(after), said

    def _needed(self, plugin: Path) -> Path:
        return self._of(plugin) or plugin.with_suffix(".ipynb")

    def _of(self, plugin: Path) -> Path | None:
        from transpiler.features.host_porter import notebook_of

        return self._notebook or notebook_of(plugin)


@contextmanager
def _errors_for_the_host() -> Iterator[None]:
    """Raise what the host understands in place of our own error."""
    from pipulate_runtime.host.commands import serve

    try:
        yield
    except UserError as error:
        of, code = error.diagnostic, error.exit_code
        raise serve.HostError(of.rule.code, of.message, of.help, code) from error
