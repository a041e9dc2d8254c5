"""Whether a cell's Python can be the body of a function, and the edits that make it one (DESIGN 4.3).

The function declares all names of the cell `global`, so nearly all code means what it means at a module's top level. What does
not is listed here. IPython compiles each top-level statement of a cell by itself; the same is assumed here.
"""

import ast
import re
from dataclasses import dataclass, field

from transpiler.model.ir import Edit, Slice
from transpiler.python import libraries, magic_calls
from transpiler.python.positions import Text, apply
from transpiler.python.scope import FUNCTIONS, Comprehension

PARAMETER = "__answers_of_the_form__"
"""Stands here for the parameter of a cell's function; `plan` chooses a name that no cell uses."""

_COMMENT = re.compile(r"#[^\n]*")
_FRAMES = frozenset(["_getframe", "currentframe", "stack", "getouterframes", "_current_frames"])
_NAMESPACE = frozenset(["locals", "vars", "dir", "exec", "eval"])


@dataclass(slots=True)
class Notebookwide:
    """What some cell does that decides how others can be written."""

    bound: set[str] = field(default_factory=set)
    """All names bound anywhere: a builtin among them is not the builtin."""
    reads_annotations: bool = False
    reads_sources: bool = False
    reads_doc: bool = False
    reads_docstrings: bool = False
    """Whether the blanks in docstrings may matter: they are indented with the function they stand in."""


@dataclass(slots=True)
class Form:
    """How a cell is written: as a function after `edits`, or as text for `reason`, found at `where`."""

    edits: list[Edit] = field(default_factory=list)
    reason: str | None = None
    where: ast.AST | None = None
    awaits: bool = False


class _Finder(ast.NodeVisitor):
    """Finds what differs between a module and a function, at the cell's top level only."""

    def __init__(self, text: Text, wide: Notebookwide, bound: set[str]) -> None:
        self.text = text
        self.wide = wide
        self.bound = bound
        """The names known to be bound when the cell runs: an annotation that reads others might fail."""
        self.form = Form()
        self.inner = 0  # Inside a comprehension, a lambda's defaults or an f-string: no edits there

    def keep(self, node: ast.AST, reason: str) -> None:
        if self.form.reason is None:
            self.form.reason, self.form.where = reason, node

    def edit(self, place: Slice, new: str, reason: str) -> None:
        self.form.edits.append(Edit(place, new, reason))

    # --- scopes that stay as they are -------------------------------------------------------------------------------

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.defines(node, "lambda")
        self.visit(node.args)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.defines(node, node.name)
        for part in (*node.decorator_list, node.args, *filter(None, [node.returns])):
            self.visit(part)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.defines(node, node.name)
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)

    def defines(self, node: ast.AST, name: str) -> None:
        if self.wide.reads_sources:
            reason = "the notebook looks at the source of functions, and it defines `{}`"
        elif self.wide.reads_docstrings and any(map(_has_long_docstring, ast.walk(node))):
            reason = "the notebook reads docstrings, and the blanks in that of `{}` would change"
        else:
            return
        self.keep(node, reason.format(name))

    def visit_inner(self, node: ast.AST) -> None:
        self.inner += 1
        self.generic_visit(node)
        self.inner -= 1

    visit_JoinedStr = visit_inner

    def visit_comprehension_scope(self, node: Comprehension) -> None:
        """The first iterable is evaluated outside, all else inside."""
        first, *others = node.generators
        elements = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self.visit(first.iter)
        self.form.awaits |= any(generator.is_async for generator in node.generators)
        self.inner += 1
        for part in (first.target, *first.ifs, *others, *elements):
            self.visit(part)
        self.inner -= 1

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_comprehension_scope

    # --- statements -------------------------------------------------------------------------------------------------

    def visit_awaiting(self, node: ast.AST) -> None:
        """Also in a generator expression, where Pythons differ on whether the cell becomes a coroutine: it may be one."""
        self.form.awaits = True
        self.generic_visit(node)

    visit_Await = visit_AsyncFor = visit_AsyncWith = visit_awaiting

    def visit_of_functions(self, node: ast.AST) -> None:
        word = type(node).__name__.removesuffix("From").lower()
        self.keep(node, f"`{word}` outside a function is an error")

    visit_Return = visit_Yield = visit_YieldFrom = visit_Nonlocal = visit_of_functions

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if any(alias.name == "*" for alias in node.names):
            self.keep(node, f"`from {node.module or '.'} import *` is not allowed in a function")
        elif node.module == "__future__":
            self.keep(node, "`from __future__` is not allowed in a function")

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)
        self.visit(node.target)
        if self.wide.reads_annotations:
            self.keep(node, "the notebook reads `__annotations__`, which this cell adds to")
        elif not self.inert(node.annotation):
            self.keep(node, "an annotation here does more than name a type")
        elif isinstance(node.target, ast.Name):
            self.annotated_name(node, node.target)

    def annotated_name(self, node: ast.AnnAssign, target: ast.Name) -> None:
        """`x: int = 5` -> `x = 5`, `x: int` -> `pass`: a function refuses annotations of global names."""
        what = f"the annotation of `{target.id}`, a name of the notebook,"
        reason = f"{what} is not allowed in a function"
        if node.value is None:
            return self.edit(self.text.slice(node), "pass", reason)
        start, end = self.text.slice(target).end, self.text.slice(node.value).start
        annotated_to = self.text.slice(node.annotation).end
        code = _COMMENT.sub(lambda match: " " * len(match[0]), self.text.text[start:end])
        colon = start + code.index(":")
        equals = start + code.index("=", annotated_to - start)
        return self.edit(Slice(colon, equals), " ", reason)

    def inert(self, node: ast.expr) -> bool:
        """Whether an annotation only names types that are there, so that leaving it out changes nothing."""
        for part in ast.walk(node):
            if isinstance(part, ast.Name):
                if part.id not in libraries.BUILTINS and part.id not in self.bound:
                    return False
            elif not isinstance(
                part,
                ast.Attribute | ast.Subscript | ast.Constant | ast.Tuple | ast.List | ast.BinOp
                | ast.BitOr | ast.expr_context | ast.UnaryOp | ast.USub,
            ):  # fmt: skip
                return False
        return True

    def visit_Expr(self, node: ast.Expr) -> None:
        if self.wide.reads_doc and isinstance(node.value, ast.Constant):
            self.keep(node, "the notebook reads `__doc__`, which a bare text sets")
        self.generic_visit(node)

    # --- expressions ------------------------------------------------------------------------------------------------

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in _NAMESPACE and self.is_builtin(node.id):
            reason = "is used as a value, and looks at the names around its call"
            self.keep(node, f"`{node.id}` {reason}")

    def is_builtin(self, name: str) -> bool:
        return name not in self.wide.bound

    def visit_Call(self, node: ast.Call) -> None:
        magic = magic_calls.magic_of(node)
        if magic is not None:
            self.magic(node, magic)
            return
        func = node.func
        name = func.id if isinstance(func, ast.Name) else ""
        if isinstance(func, ast.Attribute) and func.attr in _FRAMES:
            root = func.value
            if isinstance(root, ast.Name) and root.id in ("sys", "inspect"):
                self.keep(node, f"`{func.attr}` looks at the frame of its caller")
        if name not in _NAMESPACE or not self.is_builtin(name):
            self.generic_visit(node)
            return
        for part in (*node.args, *node.keywords):
            self.visit(part)
        if name in ("locals", "vars", "dir"):
            self.namespace_call(node, name)
        else:
            self.code_call(node, name)

    def namespace_call(self, node: ast.Call, name: str) -> None:
        if node.args or node.keywords:
            return
        if self.inner or not (self.is_builtin("globals") and self.is_builtin("sorted")):
            return self.keep(node, f"`{name}()` lists the names around it")
        new = "sorted(globals())" if name == "dir" else "globals()"
        reason = f"`{name}()` in a function would list the function's own names"
        return self.edit(self.text.slice(node), new, reason)

    def code_call(self, node: ast.Call, name: str) -> None:
        given = {keyword.arg for keyword in node.keywords}
        starred = any(isinstance(a, ast.Starred) for a in node.args) or None in given
        none = len(node.args) > 1 and isinstance(node.args[1], ast.Constant)
        if not starred and not none and (len(node.args) > 1 or "globals" in given):
            return None
        place = self.text.slice(node)
        tail = ""
        if node.args:
            tail = self.text.text[self.text.slice(node.args[-1]).end : place.end - 1]
        if (
            starred or none or given or self.inner or len(node.args) != 1 or "#" in tail
            or not self.is_builtin("globals")
        ):  # fmt: skip
            return self.keep(node, f"`{name}` runs code among the names around it")
        new = " globals()" if "," in tail else ", globals()"
        reason = f"`{name}` in a function would not see or bind the notebook's names"
        return self.edit(Slice(place.end - 1, place.end - 1), new, reason)

    def magic(self, node: ast.Call, magic: magic_calls.Magic) -> None:
        """A magic: most work from inside a function, some look at the frame they are called from."""
        line = f"%{magic.name}" if magic.kind == "run_line_magic" else f"%%{magic.name}"
        if magic.name in libraries.HISTORY_MAGICS:
            self.keep(node, f"`{line}` uses the text of cells as they were run")
        elif magic.name in libraries.TIMING:
            self.keep(node, f"`{line}` runs code among the names around it")
        elif magic.is_opaque:
            reason = "is not a magic of IPython that is known to work from inside a function"
            self.keep(node, f"`{line}` {reason}")


def _has_long_docstring(node: ast.AST) -> bool:
    """Whether a docstring goes over several lines, or begins or ends in blanks: those an indented copy does not keep."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    docstring = ast.get_docstring(node, clean=False) or ""
    return "\n" in docstring or docstring != docstring.strip()


def form_of(
    body: list[ast.stmt],
    text: Text,
    wide: Notebookwide,
    bound: set[str],
    names: set[str],
    uses: set[str],
) -> Form:
    """Return how a cell is written.

    `bound`: names that may be bound when it runs; `names`: what the function would declare global; `uses`: every name its code
    mentions as a global, at any depth.
    """
    finder = _Finder(text, wide, bound)
    for statement in body:
        if isinstance(statement, ast.Global):
            finder.edit(text.slice(statement), "pass", "`global` says nothing at the top of a cell")
        else:
            finder.visit(statement)
    form = finder.form
    for name in sorted(uses):
        if libraries.is_history(name) and name not in wide.bound:
            finder.keep(body[0], f"`{name}` is the text of cells as they were run")
    form.edits.sort(key=lambda edit: edit.slice)
    if form.reason is None:
        if form.edits:
            body = ast.parse(apply(text.text, form.edits)).body
        refused = _refused(body, names, form.awaits)
        if refused is not None:
            finder.keep(body[0], refused)
    if form.reason is not None:
        form.edits.clear()
        form.awaits = False
    return form


def _refused(body: list[ast.stmt], names: set[str], awaits: bool) -> str | None:
    """Compile the cell as the function: return the compiler's words when it refuses.

    What only a module refuses (`return`, `yield`) has been found before.
    """
    declared = [ast.copy_location(ast.Global(sorted(names)), body[0])] if names else []
    # In a class, as in the plugin: the compiler cannot mangle `[(__x := i) for i in y]` after `global __x`.
    module = ast.parse(f"class C:\n {'async def' if awaits else 'def'} cell({PARAMETER}): pass")
    function = next(node for node in ast.walk(module) if isinstance(node, FUNCTIONS))
    function.body[:0] = [*declared, *body]
    try:
        compile(module, "<cell>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"Python refuses it: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"Python cannot compile it: {error}"
    return None
