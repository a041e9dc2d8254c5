"""Classifies cells by their text: setup or not, the title in the first comment, the files and modules they name."""

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import PurePosixPath

from transpiler.dataflow.expressions import last_name
from transpiler.python import libraries, magic_calls
from transpiler.python.literals import is_literal

_PATHS = frozenset(["Path", "PurePath", "PosixPath"])
_FILE_PARAMETERS = libraries.words(
    "filepath_or_buffer path io file filename fname source path_or_buf"
)
_OPTION_HOLDERS = frozenset(["sys.path", "plt.rcParams", "os.environ", "mpl.rcParams"])
_TITLE_LENGTH = 60
_NOT_A_TITLE = re.compile(
    r"[@|!%]|(?:noqa|type:|pylint|mypy|fmt|yapf|isort|ruff|pragma|flake8|pyright|nosec|coding[:=]|-\*-|export|default_exp|hide"
    r"|todo|fixme|xxx|hack|region|endregion|in\[|cell\b|https?:)",
    re.IGNORECASE,
)
_CODE_LIKE = re.compile(
    r"[=\[\]{}\\<>;`|]|\w\(|\)\.|^(?:import|from|def|class|print|return|del|for|if|while)\b.*[:.(]|^\w+(?:\.\w+)+$"
)


def is_setup(body: list[ast.stmt], shows: bool) -> bool:
    """Whether a cell only imports, defines and sets options, and shows nothing (DESIGN 4.2)."""
    return all(_sets_up(statement, shows and statement is body[-1]) for statement in body)


def prints(body: list[ast.stmt]) -> bool:
    """Whether a cell ends in a call of `print`, whose value is nothing to show."""
    match body:
        case [*_, ast.Expr(value=ast.Call(func=ast.Name(id="print")))]:
            return True
    return False


def _sets_up(node: ast.stmt, shown: bool) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Global():
            return True
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return True
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
            imports = any(isinstance(s, ast.Import | ast.ImportFrom) for s in body)
            guarded = chain(body, orelse, final, *(handler.body for handler in handlers))
            return imports and all(
                _sets_up(s, False) or (isinstance(s, ast.Assign) and is_literal(s.value))
                for s in guarded
            )
        case ast.If(test=test, body=body, orelse=orelse):
            calls = any(isinstance(part, ast.Call) for part in ast.walk(test))
            return not calls and all(_sets_up(s, False) for s in (*body, *orelse))
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.Expr(value=ast.Call() as call):
            return _sets_option(call)
        case ast.Assign(targets=targets, value=value):
            return all(_is_option(t) or (_is_constant(t) and is_literal(value)) for t in targets)
        case ast.AnnAssign(target=target, value=value):
            return value is None or (_is_constant(target) and is_literal(value))
    return type(node).__name__ == "TypeAlias"


def _sets_option(call: ast.Call) -> bool:
    magic = magic_calls.magic_of(call)
    if magic is not None:
        return magic.kind == "run_line_magic" and magic.name in libraries.SETUP_MAGICS
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("append", "insert", "update"):
        return _dotted(call.func.value) in _OPTION_HOLDERS
    return last_name(call.func) in libraries.SETUP_CALLS


def _is_option(target: ast.expr) -> bool:
    """`plt.rcParams[...]`, `pd.options.display.max_rows`, `os.environ[...]`, `InteractiveShell.ast_node_interactivity`."""
    parts: list[str] = []
    while isinstance(target, ast.Attribute | ast.Subscript):
        if isinstance(target, ast.Attribute):
            parts.append(target.attr)
        target = target.value
    parts.append(last_name(target))
    return len(parts) > 1 and (
        "ast_node_interactivity" in parts or any(p in libraries.SETUP_PREFIXES for p in parts)
    )


def _is_constant(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id.isupper()


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return last_name(node)


def suggested_title(source: str) -> str | None:
    """Return the cell's first comment when it is a short phrase, None when it is something else."""
    for line in source.splitlines():
        line = line.strip()
        if not line or line.startswith(("#|", "#@", "%")):
            continue
        if not line.startswith("#") or line.startswith(("#!", "# %%", "#%%")):
            return None
        text = line.strip("#=-*~_ \t")
        text = re.sub(r"^(?:step\s+)?\d+\s*[.):]\s+", "", text, flags=re.IGNORECASE)
        text = text.rstrip(".:;,! ")
        fits = 2 < len(text) <= _TITLE_LENGTH and len(text.split()) <= 10
        is_phrase = any(map(str.isalpha, text)) and not _NOT_A_TITLE.match(text)
        if fits and is_phrase and not _CODE_LIKE.search(text):
            return text[0].upper() + text[1:]
        return None
    return None


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """Yield the modules a cell imports that are not of the standard library; relative ones with their dots."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = ["." * node.level + (node.module or "")]
            if not node.module:
                names = [f"{names[0]}{alias.name}" for alias in node.names if alias.name != "*"]
        elif isinstance(node, ast.Call) and (magic := magic_calls.magic_of(node)) is not None:
            names = magic.line.split()[:1] if magic.name in ("load_ext", "reload_ext") else []
        else:
            continue
        for name in names:
            if name and name.partition(".")[0] not in libraries.STDLIB:
                yield name


def needed_modules(statement: ast.stmt) -> Iterator[tuple[ast.AST, str]]:
    """Yield the packages that a statement of a cell imports in any case, with where it does: `a` for `import a.b`.

    Not what stands in a `try` or an `if`: the notebook may do without it. Of what several packages share (`google.cloud`)
    nothing can be said without an import, but for `google.colab`.
    """
    found: list[tuple[ast.AST, str]] = []
    if isinstance(statement, ast.Import):
        found = [(alias, alias.name) for alias in statement.names]
    elif isinstance(statement, ast.ImportFrom) and not statement.level and statement.module:
        found = [(statement, statement.module)]
    for node, name in found:
        module = name.partition(".")[0]
        if f"{name}.".startswith(f"{libraries.COLAB}."):
            yield node, libraries.COLAB
        elif module not in libraries.NOT_LOOKED_FOR:
            yield node, module


_MAKES_MODULES = re.compile(
    r"\bsys\.(?:path|modules)\b|\baddsitedir\b|\bsubprocess\b|\b(?:system|getoutput|getstatusoutput|popen)\("
    r"|\brun_cell_magic\('(?:bash|sh|script|cmd|system|sx|!)'"
)


def makes_modules(text: str) -> bool:
    """Whether a cell may make modules, or make them found, in ways that are not followed."""
    return _MAKES_MODULES.search(text) is not None


def _calls(tree: ast.AST) -> Iterator[tuple[ast.Call, magic_calls.Magic | None]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, magic_calls.magic_of(node)


def read_paths(tree: ast.AST, texts: dict[str, str]) -> Iterator[tuple[ast.AST, str]]:
    """Yield the paths that a cell names literally and reads, with where it does; `texts` are names known to be literal texts."""
    for node, magic in _calls(tree):
        if magic is not None:
            if magic.name in ("run", "load", "loadpy") and (words := magic.line.split()):
                yield node, words[0]
            continue
        for found in _read_by(node):
            if (path := literal_text(found, texts)) is not None:
                yield found, path


def written_files(tree: ast.AST, texts: dict[str, str]) -> Iterator[str]:
    """Yield the relative paths that a cell names literally and makes anew: what later cells read there is its own."""
    for node, magic in _calls(tree):
        if magic is not None:
            if magic.name in ("writefile", "file") and (words := magic.line.split()):
                yield str(PurePosixPath(words[-1]))
            continue
        for found in _written_by(node):
            path = literal_text(found, texts)
            if path is not None and is_relative(path):
                yield str(PurePosixPath(path))


def _written_by(node: ast.Call) -> Iterator[ast.expr]:
    name = last_name(node.func)
    opened = name in ("open", "ZipFile", "connect")
    if isinstance(node.func, ast.Attribute) and name in ("write_text", "write_bytes", "open"):
        path = _path_call(node.func.value)
        if path is not None and (name != "open" or _writes(node, 0)):
            yield path
    if name in ("dump", "save") and len(node.args) > 1:  # joblib.dump(model, path)
        yield node.args[1]
    writes = name.startswith(("to_", "save", "imsave", "write")) or opened
    argument = _file_argument(node)
    if argument is not None and writes and (not opened or name == "connect" or _writes(node, 1)):
        yield argument


def _read_by(node: ast.Call) -> Iterator[ast.expr]:
    name = last_name(node.func)
    if isinstance(node.func, ast.Attribute) and name in libraries.PATH_READS:
        path = _path_call(node.func.value)
        if path is not None and not (name == "open" and _writes(node, 0)):
            yield path
    reads = name in libraries.READERS or name.startswith(("read_", "scan_", "load_"))
    argument = _file_argument(node)
    if argument is not None and reads and not (name == "open" and _writes(node, 1)):
        yield argument


def _writes(node: ast.Call, position: int) -> bool:
    """Whether `open` is called to write only."""
    mode = next((k.value for k in node.keywords if k.arg == "mode"), None)
    if mode is None and len(node.args) > position:
        mode = node.args[position]
    value = mode.value if isinstance(mode, ast.Constant) else None
    return isinstance(value, str) and not set(value).isdisjoint("wax")


def _file_argument(node: ast.Call) -> ast.expr | None:
    if node.args:
        return node.args[0]
    return next((k.value for k in node.keywords if k.arg in _FILE_PARAMETERS), None)


def _path_call(node: ast.expr) -> ast.expr | None:
    """Return `"a/b"` for `Path("a/b")`, `Path("a") / "b"` as it is, and names of paths."""
    match node:
        case ast.Call(func=func, args=[_, *_]) if last_name(func) in _PATHS:
            return node
        case ast.BinOp(op=ast.Div()) | ast.Name():
            return node
    return None


def literal_text(node: ast.expr, texts: dict[str, str]) -> str | None:
    """Return the text an expression stands for when it is literal, or a path made of literals. `texts` are known names."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return texts.get(name)
        case ast.Call(func=func, args=args) if (
            last_name(func) in _PATHS or _dotted(func) == "os.path.join"
        ):
            parts = [literal_text(argument, texts) for argument in args]
        case ast.BinOp(op=ast.Div(), left=left, right=right):
            parts = [literal_text(left, texts), literal_text(right, texts)]
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            sides = [literal_text(left, texts), literal_text(right, texts)]
            return None if None in sides else f"{sides[0]}{sides[1]}"
        case _:
            return None
    return None if None in parts or not parts else "/".join(str(p).rstrip("/") for p in parts)


def is_absolute(path: str) -> bool:
    """Whether a path begins at the root of a disk or in a home folder."""
    return bool(re.match(r"/(?!/)|~|[A-Za-z]:[/\\]", path))


def is_relative(path: str) -> bool:
    """Whether it may be a file that is found from where the notebook is: not a URL, not absolute, no pattern."""
    if not path or len(path) > 255 or any(c in path for c in '*?<>"|\n\r\t\0{}\\'):
        return False
    outside = path.startswith(("/", "~")) or re.match(r"[A-Za-z][\w+.-]*:", path)
    return not outside and bool(PurePosixPath(path).name) and ("." in path or "/" in path)
