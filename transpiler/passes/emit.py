"""The plan as the text of a plugin. Templates write the frame; the cells are spliced in and never pass through Jinja.

The frame is written as black would write it; black itself sees only what came from a cell, and the rare bundle in which
something long did not fit a line. At the end the text is checked as black checks itself: it compiles, and the syntax tree
of each cell is the notebook's but for the listed edits.
"""

import ast
import re
from functools import cache

import jinja2

from transpiler.diagnostics import InternalError
from transpiler.ir import Plan, PlannedCell, PlannedStep
from transpiler.passes.literals import WIDTH, block, in_docstring, literal
from transpiler.pristine import digest
from transpiler.resources import templates_folder

_CELL = re.compile(r'^ +__cell__\("(\w+)"\),?\n', re.MULTILINE)


def emit(plan: Plan, port_id: str, notebook: str) -> str:
    """Return the plugin's text for a plan.

    `port_id` and `notebook` (the path from the plugin's folder to the notebook, with slashes) go into the header line.
    Raises InternalError when the text fails its own checks.
    """
    environment = _environment()
    frame = environment.get_template("plugin.py.j2").render(plan=plan)
    step_template = environment.get_template("step.py.j2")
    bundles = [_bundle(step_template, plan, step) for step in plan.steps]
    docstring, rest = _fitted(frame).split("\n__header__\n", 1)
    before_imports, rest = rest.split("\n__imports__()\n", 1)
    before_steps, after_steps = rest.split("\n    __steps__()\n", 1)
    body = "\n".join([before_steps, *bundles]) + after_steps
    tree = _checked(f"{docstring}\n{before_imports}\n{body}", plan)
    before, after = f"{docstring}\n", f"\n{before_imports}\n{_imports(tree)}{body}"
    header = f"# port: id={port_id} notebook={notebook} base={digest(before + after)}"
    return before + header + after


def _bundle(template: jinja2.Template, plan: Plan, step: PlannedStep) -> str:
    """The text of one step, its cells spliced in."""
    from transpiler.passes.splice import spliced

    text = _fitted(template.render(plan=plan, step=step), in_class=True)
    cells = {cell.function: cell for cell in step.cells}
    return _CELL.sub(lambda m: spliced(cells[m[1]], plan.parameter), text)


def _fitted(text: str, in_class: bool = False) -> str:
    """Let black break what does not fit a line; most bundles have nothing of that kind."""
    if all(len(line) <= WIDTH or line.lstrip().startswith("#") for line in text.split("\n")):
        return text
    from transpiler.passes.splice import formatted

    if not in_class:
        return formatted(text)
    return formatted(f"class C:\n{text}").removeprefix("class C:\n")


@cache
def _environment() -> jinja2.Environment:
    """Jinja with nothing implicit: an unknown name is an error, white space is as written."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_folder()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters.update(literal=literal, text=block, docstring=in_docstring)
    return environment


# --- imports and header -------------------------------------------------------------------------------------------

_STANDARD = {
    "namedtuple": "collections",
    "dedent": "textwrap",
    "loads": "json",
    "dumps": "json",
    "isfinite": "math",
    "inf": "math",
    "date": "datetime",
    "time": "datetime",
    "datetime": "datetime",
}
_FASTHTML = frozenset(
    "H3 Article Button Datalist Dd Div Dl Dt Fieldset Form Header HtmxResponseHeaders Input Label Legend Option P "
    "Response Select Small Textarea".split()
)


def _imports(tree: ast.Module) -> str:
    """The import lines for what the handlers use; the cells are left out, their names are the notebook's."""
    used = {
        node.id
        for part in _handlers(tree)
        for node in ast.walk(part)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    standard: dict[str, list[str]] = {}
    for name in sorted(used & _STANDARD.keys()):
        standard.setdefault(_STANDARD[name], []).append(name)
    lines = [
        f"from {module} import {', '.join(names)}\n" for module, names in sorted(standard.items())
    ]
    components = sorted(
        used & _FASTHTML, key=lambda n: (not (len(n) > 1 and n.isupper()), n.lower())
    )
    ours = ", ".join(name for name in ("Cells", "cell", "cell_text") if name in used)
    return (
        "".join(lines)
        + "\nfrom fasthtml.common import (\n"
        + "".join(f"    {name},\n" for name in components)
        + f")\nfrom pipulate_runtime.cells import {ours}\n"
    )


def _handlers(tree: ast.Module) -> list[ast.AST]:
    """All parts of the module that are not cells; of a cell, its decorator."""
    parts: list[ast.AST] = []
    for node in tree.body:
        if not isinstance(node, ast.ClassDef):
            parts.append(node)
            continue
        for member in node.body:
            if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) and member.decorator_list:
                parts += member.decorator_list
            else:
                parts.append(member)
    return parts


# --- checks -------------------------------------------------------------------------------------------------------


def _checked(text: str, plan: Plan) -> ast.Module:
    """Return the module's tree, if it compiles and holds every cell as planned."""
    try:
        tree = ast.parse(text)
        compile(tree, plan.app_name, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise InternalError(f"the emitted file does not compile: {error}") from error
    cells = {cell.function: cell for step in plan.steps for cell in step.cells}
    workflow = next(node for node in tree.body if isinstance(node, ast.ClassDef))
    for member in workflow.body:
        if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) and member.name in cells:
            _check_function(member, cells.pop(member.name))
        elif isinstance(member, ast.Assign) and ast.unparse(member.targets[0]) in cells:
            _check_text(member, cells.pop(ast.unparse(member.targets[0])))
    if cells:
        raise InternalError(f"cells are missing in the emitted file: {sorted(cells)}")
    return tree


def _check_function(function: ast.FunctionDef | ast.AsyncFunctionDef, cell: PlannedCell) -> None:
    """The function's statements must be the cell's, and no name but its parameter may be local to it."""
    from transpiler.passes.scope import locals_of

    body = function.body
    declared = {name for _, names in cell.declarations for name in names}
    while body and isinstance(body[0], ast.Global) and set(body[0].names) <= declared:
        body = body[1:]
    if cell.shows and body and isinstance(body[-1], ast.Return):
        value = body[-1].value
        body = [*body[:-1], ast.Expr(value)] if value else body
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    wanted = compile(cell.source, cell.function, "exec", flags, dont_inherit=True)
    if isinstance(wanted, ast.Module) and not wanted.body:
        wanted = ast.parse("pass")
    if ast.dump(ast.Module(body, [])) != ast.dump(ast.Module(wanted.body, [])):
        raise InternalError(f"{cell.function} is not the notebook's cell any more")
    local = locals_of(ast.unparse(function)) - {function.args.args[0].arg}
    if local:
        raise InternalError(f"{cell.function} would keep {sorted(local)} to itself")


def _check_text(member: ast.Assign, cell: PlannedCell) -> None:
    """The text must be the cell's, to the character."""
    call = member.value
    if (
        not isinstance(call, ast.Call)
        or "".join(map(ast.literal_eval, call.args[1:])) != cell.source
    ):
        raise InternalError(f"{cell.function} is not the notebook's cell any more")
