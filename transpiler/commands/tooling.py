"""`pipulate tools`: what a program can call, with JSON in and JSON out.

`call` prints one object: `{"ok": true, "result": ...}`, or `{"ok": false, "error": {"code", "message", "help"}}` and the
result if there is one. It exits with the codes of the commands.
"""

import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from transpiler import codes, tools
from transpiler.commands.shared import app
from transpiler.diagnostics import WHOLE, Diagnostic, Severity, UserError
from transpiler.options import Asked, Options

tools_app = typer.Typer(
    no_args_is_help=True, help="What a program can call: JSON in and JSON out."
)  # fmt: skip
app.add_typer(tools_app, name="tools")

Given = Mapping[str, Any]
Outcome = tuple[Any, int]
"""What a tool gives, and the exit code."""


@tools_app.command("list")
def list_tools() -> None:
    """Print the tools with the JSON schemas of their arguments."""
    from transpiler import report

    print(report.dumped(tools.listed()))


@tools_app.command("call")
def call(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    json_args: Annotated[
        str,
        typer.Option(metavar="'{...}'|-", help="The arguments, a JSON object; - reads them."),
    ] = "{}",
) -> None:
    """Call a tool."""
    from transpiler import report

    try:
        text = sys.stdin.read() if json_args == "-" else json_args
        given = tools.arguments_of(name, text)
        result, code = _CALLS[name](given)
        answer: dict[str, Any] = {"ok": code == 0, "result": result}
        if code:
            answer["error"] = _first_error(result)
    except UserError as error:
        answer, code = {"ok": False, "error": _error(error.diagnostic)}, error.exit_code
    except Exception as error:
        answer, code = _of_exception(error)
    print(report.dumped(answer))
    raise typer.Exit(code)


def _error(diagnostic: Diagnostic) -> dict[str, str]:
    rule = diagnostic.rule
    return {"code": rule.code, "message": diagnostic.message, "help": diagnostic.help}


def _first_error(result: Any) -> dict[str, str]:
    """Of a result that is not all right: the first diagnostic of severity error, or what is left to do, in words."""
    for one in result.get("diagnostics", ()):
        if one["severity"] == "error":
            return {"code": one["code"], "message": one["message"], "help": one["help"]}
    if result.get("conflicts"):
        return {
            "code": codes.CONFLICT.code,
            "message": f"{len(result['conflicts'])} conflicts are open; the plugin loads, and the text edited by hand runs",
            "help": "Call port again with settle.",
        }
    return {
        "code": "differs",
        "message": "something differs",
        "help": "Look at the cells of the result.",
    }


def _of_exception(error: Exception) -> tuple[dict[str, Any], int]:
    """A problem of the host, which has its own exit code; else a bug of ours, with its traceback on the standard error."""
    host = sys.modules.get("pipulate_runtime.host.messages")
    if host is not None and isinstance(error, host.HostError):
        said = {"code": error.code, "message": error.message, "help": error.remedy}
        return {"ok": False, "error": said}, error.exit_code
    traceback.print_exc()
    bug = codes.INTERNAL.at(WHOLE, reason=str(error) or type(error).__name__)
    return {"ok": False, "error": _error(bug)}, 1


# --- the tools ----------------------------------------------------------------------------------------------------------


def _options(given: Given) -> Options:
    fields = given.get("fields")
    names = None if fields is None else tuple(fields)
    return Options(number=given.get("number"), by=given.get("by"), fields=names)


def _port(given: Given) -> Outcome:
    from transpiler import report
    from transpiler.pipeline import port

    asked = Asked(dry=given["dry_run"], choices=given.get("settle", {}))
    ported = port(Path(given["notebook"]), Path(given["output"]), _options(given), asked)
    code = 0
    if ported.failed:
        code = 2 if ported.plan is None else 1
    elif ported.regenerated is not None and ported.regenerated.open:
        code = 1
    return report.data_of_port(ported), code


def _inspect(given: Given) -> Outcome:
    from transpiler import report
    from transpiler.passes.likely import likely
    from transpiler.pipeline import planned, read_bytes

    notebook = Path(given["notebook"])
    made = planned(read_bytes(notebook), notebook, _options(given))
    inputs = likely(made.analysis) if made.analysis else ()
    result = report.data_of(made.plan, made.found)
    result["likely_inputs"] = [one.as_dict() for one in inputs]
    if made.plan is None:
        return result, 2
    return result, int(any(d.rule.severity is Severity.ERROR for d in made.found))


def _verify(given: Given) -> Outcome:
    from transpiler import report
    from transpiler.arguments import typed
    from transpiler.verify import verify

    plugin = Path(given["plugin"]) if "plugin" in given else None
    answers = {
        step: {name: typed(value) for name, value in fields.items()}
        for step, fields in given.get("answers", {}).items()
    }
    ways: Any = ("straight", *given.get("ways", ()))
    verified = verify(Path(given["notebook"]), plugin, answers, lambda _: None, ways)
    found = report.data_of(None, verified.found)["diagnostics"]
    return {**verified.as_dict(), "diagnostics": found}, verified.exit_code


def _runs(given: Given) -> Outcome:
    from pipulate_runtime.host import commands

    found = commands.runs_data(Path(given["data"]), given.get("app_name"), given["limit"])
    return {"runs": found}, 0


def _read_state(given: Given) -> Outcome:
    from pipulate_runtime.host import commands

    return commands.run_data(given["key"], Path(given["data"]), given["outputs"]), 0


_CALLS: Mapping[str, Callable[[Given], Outcome]] = {
    "port": _port,
    "inspect": _inspect,
    "verify": _verify,
    "runs": _runs,
    "read-state": _read_state,
}
