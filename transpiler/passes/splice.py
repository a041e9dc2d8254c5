"""A cell's syntax tree made into the body of a function. The only place that moves user code.

Textual indentation would change strings that go over several lines, so libcst moves the statements, and black formats
what came out, as it will stand in the class.
"""

import black
import black.mode
import libcst as cst
from black.parsing import InvalidInput

from transpiler.diagnostics import InternalError
from transpiler.ir import PlannedCell
from transpiler.passes.check_cell import check
from transpiler.passes.literals import WIDTH, string

_MODE = black.mode.Mode(line_length=WIDTH, target_versions={black.mode.TargetVersion.PY311})


def spliced(cell: PlannedCell, parameter: str) -> str:
    """Return the lines that stand for the cell in the plugin: a function's body, or the pieces of a text.

    Each line ends in a newline. They have been compared with the notebook's cell. Raises InternalError when the cell
    cannot be moved: libcst or black do not take all that Python takes.
    """
    try:
        lines = _text(cell) if cell.text_reason else _body(cell, parameter)
        check(cell, parameter, lines)
    except (cst.ParserSyntaxError, InvalidInput) as error:
        reader = type(error).__module__.partition(".")[0]
        raise InternalError(f"it is Python that {reader} cannot read") from error
    except RecursionError as error:
        raise InternalError("it is nested too deeply") from error
    return lines


def tried(cell: PlannedCell, parameter: str) -> tuple[str, str]:
    """Return the lines of a cell and no reason, or no lines and the reason why it cannot be moved.

    A text always can: if not, the error is ours, and is raised.
    """
    try:
        return spliced(cell, parameter), ""
    except InternalError as error:
        if cell.text_reason:
            raise
        return "", str(error)


def formatted(code: str) -> str:
    """Return code as black formats it."""
    return black.format_str(code, mode=_MODE)


def _body(cell: PlannedCell, parameter: str) -> str:
    """The function's body: its `global` lines, then the cell's statements, the last value returned."""
    module = cst.parse_module(cell.source)
    statements: list[cst.SimpleStatementLine | cst.BaseCompoundStatement] = list(module.body)
    if statements:
        first = statements[0]
        lines = [*module.header, *first.leading_lines]
        statements[0] = first.with_changes(leading_lines=lines)
    else:
        lines = [*module.header, *module.footer]
        statements = [cst.SimpleStatementLine([cst.Pass()], leading_lines=lines)]
    statements = [_without_blanks(statement) for statement in statements]
    if cell.shows:
        statements[-1] = _returned(statements[-1])
    block = cst.IndentedBlock(body=statements, footer=module.footer if module.body else ())
    name = cst.Name(cell.function)
    parameters = cst.Parameters(params=[cst.Param(cst.Name(parameter))])
    asynchronous = cst.Asynchronous() if cell.awaits else None
    function = cst.FunctionDef(name, parameters, block, asynchronous=asynchronous)
    holder = cst.ClassDef(cst.Name("C"), cst.IndentedBlock(body=[function]))
    wrapper = cst.Module([holder], default_newline="\n")
    code = wrapper.code
    start = code.index("\n", code.index(cell.function)) + 1
    code = formatted(code[:start] + _globals(cell) + code[start:])
    return code[code.index("\n", code.index(cell.function)) + 1 :]


def _without_blanks(
    statement: cst.SimpleStatementLine | cst.BaseCompoundStatement,
) -> cst.SimpleStatementLine | cst.BaseCompoundStatement:
    """A statement whose empty lines above it are really empty: black would need a second pass over them."""
    if all(line.comment for line in statement.leading_lines):
        return statement
    lines = [
        line if line.comment else cst.EmptyLine(indent=False) for line in statement.leading_lines
    ]
    return statement.with_changes(leading_lines=lines)


def _returned(statement: cst.BaseStatement) -> cst.SimpleStatementLine:
    """The cell's last statement with its value returned: IPython shows the value of a last expression."""
    line = cst.ensure_type(statement, cst.SimpleStatementLine)
    last = cst.ensure_type(line.body[-1], cst.Expr)
    value = last.value
    returned = cst.Return(value=value, semicolon=cst.MaybeSentinel.DEFAULT)
    return line.with_changes(body=[*line.body[:-1], returned])


def _globals(cell: PlannedCell) -> str:
    """The `global` lines, each no longer than a line may be."""
    lines = []
    for meaning, names in cell.declarations:
        rest = list(names)
        while rest:
            taken = [rest.pop(0)]
            while (
                rest and len(f"        global {', '.join(taken)}, {rest[0]}  # {meaning}") <= WIDTH
            ):
                taken.append(rest.pop(0))
            lines.append(f"        global {', '.join(taken)}  # {meaning}\n")
    return "".join(lines)


def _text(cell: PlannedCell) -> str:
    """The cell as string literals, one a line."""
    lines = cell.source.splitlines(keepends=True) or [""]
    return "".join(f"        {string(line)},\n" for line in lines)
