"""`pipulate tools`: what a program can call, with JSON in and JSON out.

`call` prints one object: `{"ok": true, "result": ...}`, or `{"ok": false, "error": {"code", "message", "help"}}` and the
result if there is one. It exits with the codes of the commands.
"""

import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from transpiler.cli.merge_options import DryRun, Wish, exit_code
from transpiler.cli.options import By, Data, Number, OneNotebook, Out, app
from transpiler.features import tools
from transpiler.model import rules
from transpiler.model.diagnostics import WHOLE, Diagnostic, Severity, UserError
from transpiler.model.options import Asked, Options

tools_app = typer.Typer(
    no_args_is_help=True, help="What a program can call: JSON in and JSON out."
)  # fmt: skip
app.add_typer(tools_app, name="tools")

Outcome = tuple[Any, int]  # What a tool gives, and the exit code


@tools_app.command("list")
def list_tools() -> None:
    """Print the tools with the JSON schemas of their arguments."""
    from transpiler.features import report

    print(report.dumped(tools.listed(_CALLS)))


@tools_app.command("call")
def call(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    json_args: Annotated[
        str,
        typer.Option(metavar="'{...}'|-", help="The arguments, a JSON object; - reads them."),
    ] = "{}",
) -> None:
    """Call a tool."""
    from transpiler.features import report

    try:
        text = sys.stdin.read() if json_args == "-" else json_args
        result, code = tools.called(_CALLS, name, text)
        answer: dict[str, Any] = {"ok": code == 0, "result": result}
        if code:
            answer["error"] = _first_error(result)
    except UserError as error:
        answer, code = {"ok": False, "error": _error(error.diagnostic)}, error.exit_code
    except Exception as error:
        answer, code = _of_exception(error)
    print(report.dumped(answer))
    raise typer.Exit(code)


def _said(code: str, message: str, help: str) -> dict[str, str]:
    return {"code": code, "message": message, "help": help}


def _error(diagnostic: Diagnostic) -> dict[str, str]:
    return _said(diagnostic.rule.code, diagnostic.message, diagnostic.help)


def _first_error(result: Any) -> dict[str, str]:
    """Of a result that is not all right: the first diagnostic of severity error, or what is left to do, in words."""
    for one in result.get("diagnostics", ()):
        if one["severity"] == "error":
            return _said(one["code"], one["message"], one["help"])
    if conflicts := result.get("conflicts"):
        open_ = f"{len(conflicts)} conflicts are open; the plugin loads, and the text edited by hand runs"
        return _said(rules.CONFLICT.code, open_, "Call port again with settle.")
    return _said("differs", "something differs", "Look at the cells of the result.")


def _of_exception(error: Exception) -> tuple[dict[str, Any], int]:
    """A problem of the host, which has its own exit code; else a bug of ours, with its traceback on the standard error."""
    host = sys.modules.get("pipulate_runtime.host.base.errors")
    if host is not None and isinstance(error, host.HostError):
        problem = _said(error.code, error.message, error.remedy)
        return {"ok": False, "error": problem}, error.exit_code
    traceback.print_exc()
    bug = rules.INTERNAL.at(WHOLE, reason=str(error) or type(error).__name__)
    return {"ok": False, "error": _error(bug)}, 1


# --- the tools ----------------------------------------------------------------------------------------------------------


Names = Annotated[
    list[str] | None,
    typer.Option(
        help="Assignments to make fields of, by name; ['auto'] for those that surely look like inputs, [] for none."
    ),
]


def _options(number: str | None, by: Any, fields: list[str] | None) -> Options:
    return Options(number=number, by=by, fields=None if fields is None else tuple(fields))


def _port(
    notebook: OneNotebook,
    output: Out = Path("generated"),
    number: Annotated[Number, {"pattern": "^[0-9]+$"}] = None,
    by: By = None,
    fields: Names = None,
    dry_run: DryRun = False,
    settle: Annotated[
        dict[str, Literal["mine", "notebook", "both"]] | None,
        typer.Option(
            help="How to settle conflicts: by the id of the conflict or of the step, '*' for all."
        ),
    ] = None,
) -> Outcome:
    """Port a notebook to a workflow plugin. Into a plugin that is there the notebook's changes are merged; what was edited by hand stays."""
    from transpiler.features import report
    from transpiler.pipeline import port

    asked = Asked(dry=dry_run, choices=dict(settle or {}))
    ported = port(notebook, output, _options(number, by, fields), asked)
    return report.data_of_port(ported), exit_code([ported], Wish(asked))


def _inspect(notebook: OneNotebook, by: By = None, fields: Names = None) -> Outcome:
    """Show the plan of a notebook's plugin: steps, fields, names in and out, likely inputs, diagnostics. Writes and executes nothing."""
    from transpiler.features import report
    from transpiler.pipeline import planned, read_bytes
    from transpiler.suggest.inputs import likely_inputs

    made = planned(read_bytes(notebook), notebook, _options(None, by, fields))
    inputs = likely_inputs(made.analysis) if made.analysis else ()
    result = report.data_of(made.plan, made.found)
    result["likely_inputs"] = [one.as_dict() for one in inputs]
    if made.plan is None:
        return result, 2
    return result, int(any(d.rule.severity is Severity.ERROR for d in made.found))


def _verify(
    notebook: OneNotebook,
    plugin: Annotated[
        Path | None,
        typer.Option(help="Path of its plugin; without it the notebook is ported for this."),
    ] = None,
    answers: Annotated[
        dict[str, dict[str, Any]] | None,
        typer.Option(help="Answers by step and field: {'step_02': {'limit': 500}}."),
    ] = None,
    ways: Annotated[
        set[Literal["resume", "restore", "revert"]] | None,
        typer.Option(
            help="Also end the server after each step, go on from checkpoints, go back to each step."
        ),
    ] = None,
) -> Outcome:
    """Execute a notebook, walk its app, and compare them cell by cell. Runs the notebook's code."""
    from transpiler.features import report
    from transpiler.verify.answers import as_typed
    from transpiler.verify.verify import verify

    given = {
        step: {name: as_typed(value) for name, value in fields.items()}
        for step, fields in (answers or {}).items()
    }
    verified = verify(notebook, plugin, given, lambda _: None, ("straight", *(ways or ())))
    return report.data_of_verified(verified), verified.exit_code


def _runs(
    data: Data = Path("data"),
    app_name: Annotated[str | None, typer.Option(help="Of this workflow only.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="So many at most.")] = 50,
) -> Outcome:
    """List the runs in the database, the one changed last first: key, workflow, state, step, times, size."""
    from pipulate_runtime.host.commands import serve

    return {"runs": serve.runs_data(data, app_name, limit)}, 0


def _read_state(
    key: Annotated[str, typer.Option(help="The key of a run, as `runs` gives it.")],
    data: Data = Path("data"),
    outputs: Annotated[
        bool, typer.Option(help="Also what the cells showed, which can be long.")
    ] = False,
) -> Outcome:
    """Read what a run holds: for each step its answers, and under _cells what its cells showed. Secrets are never stored."""
    from pipulate_runtime.host.commands import serve

    return serve.run_data(key, data, outputs), 0


_CALLS: Mapping[str, tools.Tool] = {
    "port": _port,
    "inspect": _inspect,
    "verify": _verify,
    "runs": _runs,
    "read-state": _read_state,
}
