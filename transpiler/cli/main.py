"""The command `pipulate`: calls a command of `transpiler.cli` and turns problems into messages and exit codes.

Exit codes: 0 fine; 1 problems found; 2 usage, or a notebook that cannot be read; 3 refused, nothing written;
4 a plugin is out of date (`port --check`); 130 interrupted by Ctrl+C.
"""

import io
import re
import sys
import traceback

from transpiler.cli import (  # noqa: F401  # they add themselves
    annotate,
    port,
    review,
    serve,
    tools,
    verify,
)
from transpiler.cli.options import app
from transpiler.model import rules
from transpiler.model.diagnostics import WHOLE, Diagnostic, UserError


def main() -> None:
    """Run the command. A problem of the user's is a message; a bug of ours says so and shows its traceback.

    With `--json` the message is data, on the standard output, like everything else then.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows few characters
    try:
        app(_with_values(sys.argv[1:]))
    except UserError as error:
        _print_diagnostic(error.diagnostic)
        sys.exit(error.exit_code)
    except Exception as error:
        host = sys.modules.get("pipulate_runtime.host.base.errors")
        if host is not None and isinstance(error, host.HostError):
            _print_problem(error.code, error.message, error.remedy)
            sys.exit(error.exit_code)
        _print_diagnostic(rules.INTERNAL.at(WHOLE, reason=str(error) or type(error).__name__))
        traceback.print_exc()
        sys.exit(1)


def _with_values(arguments: list[str]) -> list[str]:
    """The arguments with `all` behind `--to-notebook` where no step follows: typer knows no optional values."""
    found: list[str] = []
    for number, argument in enumerate(arguments):
        found.append(argument)
        following = arguments[number + 1] if number + 1 < len(arguments) else ""
        if argument == "--to-notebook" and not re.fullmatch(r"step_\w+", following):
            found.append("all")
    return found


def _print_diagnostic(diagnostic: Diagnostic) -> None:
    """Print a diagnostic about the command as a whole."""
    from transpiler.features import report

    if "--json" in sys.argv:
        print(report.dumped(report.data_of(None, (diagnostic,))))
    else:
        report.print_diagnostics(report.console(sys.stderr), (diagnostic,), "pipulate")


def _print_problem(code: str, message: str, remedy: str) -> None:
    """Print a problem of the host."""
    from transpiler.features import report

    if "--json" in sys.argv:
        problem = {"code": code, "severity": "error", "message": message, "help": remedy}
        print(report.dumped({"diagnostics": [problem]}))
    else:
        report.print_problem(report.console(sys.stderr), code, message, remedy)
