"""The way of the few cells that cannot be indented as text: libcst moves their statements, black lays them out.

These are cells with tabs, form feeds or carriage returns, and docstrings with lines that go on. Importing libcst and black
takes longer than all passes over an ordinary notebook, so only a cell that needs them does.
"""

import libcst as cst
from black.parsing import InvalidInput

from transpiler.model.diagnostics import InternalError
from transpiler.model.ir import PlannedCell
from transpiler.splicing.splice import formatted, global_lines


def rebuilt(cell: PlannedCell, parameter: str) -> str:
    """Return the body of the cell's function. Raises InternalError when libcst or black cannot read the cell."""
    try:
        return _body(cell, parameter)
    except (cst.ParserSyntaxError, InvalidInput) as error:
        reader = type(error).__module__.partition(".")[0]
        raise InternalError(f"it is Python that {reader} cannot read") from error


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
    code = formatted(code[:start] + global_lines(cell) + code[start:])
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
