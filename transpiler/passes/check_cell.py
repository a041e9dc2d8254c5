"""Whether a cell in the emitted file is still the notebook's. Nobody trusts a generator that does not check itself."""

import ast

from transpiler.diagnostics import InternalError
from transpiler.ir import PlannedCell
from transpiler.passes.scope import locals_of


def check(cell: PlannedCell, parameter: str, lines: str) -> None:
    """Compare the lines that stand for a cell with its planned source.

    For a function, `lines` is its body: the statements must be the cell's, and no name but the parameter may be local to
    it. For a text, they are its pieces, which must give the cell to the character. Raises InternalError.
    """
    if cell.text_reason:
        same = "".join(ast.literal_eval(f"({lines})")) == cell.source
    else:
        head = "async def" if cell.awaits else "def"
        function = f"{head} {cell.function}({parameter}):\n{lines}"
        same = _statements(function, cell) == _wanted(cell)
        if same and (local := locals_of(function)):
            raise InternalError(f"{cell.function} would keep {sorted(local)} to itself")
    if not same:
        raise InternalError(f"{cell.function} is not the notebook's cell any more")


def _statements(function: str, cell: PlannedCell) -> str:
    """The function's statements as a tree in text: without the `global` lines, the last value not returned."""
    node = ast.parse(function).body[0]
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    body = list(node.body)
    declared = {name for _, names in cell.declarations for name in names}
    while body and isinstance(body[0], ast.Global) and declared.issuperset(body[0].names):
        del body[0]
    if cell.shows and isinstance(body[-1], ast.Return) and body[-1].value is not None:
        body[-1] = ast.Expr(body[-1].value)
    return ast.dump(ast.Module(body, []))


def _wanted(cell: PlannedCell) -> str:
    """The cell's statements as a tree in text; a cell without statements becomes `pass`."""
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree = compile(cell.source, cell.function, "exec", flags, dont_inherit=True)
    return ast.dump(tree if tree.body else ast.parse("pass"))
