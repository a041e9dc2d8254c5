"""Whether a cell in the emitted file is still the notebook's. Nobody trusts a generator that does not check itself."""

import ast
import warnings

from transpiler.diagnostics import InternalError
from transpiler.ir import PlannedCell
from transpiler.passes.scope import locals_of


def check(cell: PlannedCell, parameter: str, lines: str) -> None:
    """Compare the lines that stand for a cell with its planned source.

    For a function, `lines` is its body: the statements must be the cell's, and no name but the parameter may be local to
    it. For a text, they are its pieces, which must give the cell to the character. Raises InternalError.
    """
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # a SyntaxWarning about the user's code is not ours to print
        _check(cell, parameter, lines)


def _check(cell: PlannedCell, parameter: str, lines: str) -> None:
    if cell.text_reason:
        same = "".join(ast.literal_eval(f"({lines})")) == cell.source
    else:
        head = "async def" if cell.awaits else "def"
        function = f"{head} {cell.function}({parameter}):\n{lines}"
        same = _statements(function, cell) == _wanted(cell)
        if same and (local := locals_of(function)):
            raise InternalError(f"{', '.join(sorted(local))} would be local to it")
    if not same:
        raise InternalError("what comes out is not the notebook's cell")


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
    return _dumped(ast.Module(body, []))


def _wanted(cell: PlannedCell) -> str:
    """The cell's statements as a tree in text; a cell without statements becomes `pass`."""
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    tree = compile(cell.source, cell.function, "exec", flags, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    return _dumped(tree if tree.body else ast.parse("pass"))


def _dumped(tree: ast.Module) -> str:
    """The tree in text. Docstrings count without the blanks around their lines: they are indented with their code.

    So black compares, and what `inspect.getdoc` and `help` give stays the same. A cell that reads `__doc__` itself does not
    get here: the plan keeps the notebook's docstrings as they are.
    """
    for node in ast.walk(tree):
        match node:
            case (
                ast.Module(body=[ast.Expr(value=ast.Constant(value=str() as text) as constant), *_])
                | ast.FunctionDef(
                    body=[ast.Expr(value=ast.Constant(value=str() as text) as constant), *_]
                )
                | ast.AsyncFunctionDef(
                    body=[ast.Expr(value=ast.Constant(value=str() as text) as constant), *_]
                )
                | ast.ClassDef(
                    body=[ast.Expr(value=ast.Constant(value=str() as text) as constant), *_]
                )
            ):
                constant.value = "\n".join(line.strip() for line in text.splitlines()).strip()
            case _:
                pass
    return ast.dump(tree)
