"""Whether a cell in the emitted file is still the notebook's. Nobody trusts a generator that does not check itself."""

import ast
import warnings

from transpiler.model.diagnostics import InternalError
from transpiler.model.ir import PlannedCell
from transpiler.python.scope import locals_of

_FLAGS = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


def parsed(cell: PlannedCell) -> ast.Module:
    """Return the syntax tree of a cell's planned source."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # a SyntaxWarning about the user's code is not ours to print
        tree = compile(cell.source, cell.function, "exec", _FLAGS, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    return tree


def check(cell: PlannedCell, parameter: str, lines: str, tree: ast.Module | None = None) -> None:
    """Compare the lines that stand for a cell with its planned source, whose syntax tree is `tree` where it is there already.

    For a function, `lines` is its body: the statements must be the cell's, and no name but the parameter may be local to
    it. For a text, they are its pieces, which must give the cell to the character. Raises InternalError.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if cell.text_reason:
            same = "".join(ast.literal_eval(f"({lines})")) == cell.source
        else:
            head = "async def" if cell.awaits else "def"
            function = f"{head} {cell.function}({parameter}):\n{lines}"
            wanted = (tree or parsed(cell)).body or [ast.Pass()]
            same = _same_body(_statements(function, cell), wanted)
            if same and (local := locals_of(function)):
                raise InternalError(f"{', '.join(sorted(local))} would be local to it")
    if not same:
        raise InternalError("what comes out is not the notebook's cell")


def _statements(function: str, cell: PlannedCell) -> list[ast.stmt]:
    """The function's statements: without the `global` lines, the last value not returned."""
    try:
        node = ast.parse(function).body[0]
    except SyntaxError:
        return []
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    body = list(node.body)
    declared = {name for _, names in cell.declarations for name in names}
    while body and isinstance(body[0], ast.Global) and declared.issuperset(body[0].names):
        del body[0]
    if cell.shows and isinstance(body[-1], ast.Return) and body[-1].value is not None:
        body[-1] = ast.Expr(body[-1].value)
    return body


_WITH_DOCSTRING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _same_body(one: list[ast.stmt], two: list[ast.stmt]) -> bool:
    """Whether two bodies say the same. A docstring counts without the blanks around its lines: it is indented with its code.

    So black compares, and what `inspect.getdoc` and `help` give stays the same. A cell that reads `__doc__` itself does not
    get here: the plan keeps the notebook's docstrings as they are.
    """
    if one and two and (first := _docstring(one)) is not None:
        second = _docstring(two)
        if second is None or _stripped(first) != _stripped(second):
            return False
        one, two = one[1:], two[1:]
    return len(one) == len(two) and all(map(_same, one, two))


def _docstring(body: list[ast.stmt]) -> str | None:
    match body[0]:
        case ast.Expr(value=ast.Constant(value=str() as text)):
            return text
    return None


def _stripped(docstring: str) -> str:
    return "\n".join(line.strip() for line in docstring.splitlines()).strip()


def _same(one: object, two: object) -> bool:
    """Whether two nodes, lists of nodes or values are the same, places aside."""
    if type(one) is not type(two):
        return False
    if isinstance(one, list):
        assert isinstance(two, list)
        return len(one) == len(two) and all(map(_same, one, two))
    if not isinstance(one, ast.AST):
        return one == two
    for name in one._fields:
        left, right = getattr(one, name, None), getattr(two, name, None)
        if isinstance(left, list) and name == "body" and isinstance(one, _WITH_DOCSTRING):
            if not (isinstance(right, list) and _same_body(left, right)):
                return False
        elif not _same(left, right):
            return False
    return True
