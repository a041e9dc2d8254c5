"""The plan as the text of a plugin. Templates write the frame; the cells are spliced in and never pass through Jinja.

The frame is written as black would write it; black itself sees only what came from a cell, and the rare bundle in which
something long did not fit a line. The text is checked as black checks itself: it compiles, and the syntax tree of each
cell is the notebook's but for the listed edits.
"""

import re
import warnings
from collections.abc import Mapping
from functools import cache

import jinja2

from transpiler.diagnostics import InternalError
from transpiler.ir import Plan, PlannedField, PlannedStep
from transpiler.names import COMPONENTS
from transpiler.passes.literals import WIDTH, block, in_comment, in_docstring, literal
from transpiler.pristine import digest
from transpiler.resources import templates_folder

# Where a cell goes. Text of the notebook stands deeper, so it is never taken for such a place.
_CELL = re.compile(
    r'^(    (?:(?:async )?def \w+\(\w+\):|\w+ = cell_text\(\n.*)\n)        __cell__\("(\w+)"\),?\n',
    re.MULTILINE,
)

# A line that does not fit and is not a comment.
_LONG = re.compile(rf"^(?! *#).{{{WIDTH + 1},}}", re.MULTILINE)


def emit(plan: Plan, moved: Mapping[str, str], port_id: str, notebook: str) -> str:
    """Return the plugin's text for a plan.

    `moved` are the lines of each cell's function, as `splice` gives them; `port_id` and `notebook` (the path from the plugin's folder to the notebook, with slashes) go into the header line.
    Raises InternalError when the text fails its own checks.
    """
    environment = _environment()
    frame = _fitted(environment.get_template("plugin.py.j2").render(plan=plan))
    step_template = environment.get_template("step.py.j2")
    bundles = [
        _fitted(step_template.render(plan=plan, step=step), in_class=True) for step in plan.steps
    ]
    imports = _imports([frame, *bundles])
    whole = [_filled(text, step, moved) for text, step in zip(bundles, plan.steps, strict=True)]

    before, rest = frame.split("\n__header__\n", 1)
    remarks, rest = rest.split("\n__imports__()\n", 1)
    head, tail = rest.split("\n    __steps__()\n", 1)
    before, after = f"{before}\n", f"\n{remarks}\n{imports}" + "\n".join([head, *whole]) + tail
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(before + after, plan.app_name, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise InternalError(f"the emitted file does not compile: {error}") from error
    return f"{before}# port: id={port_id} notebook={notebook} base={digest(before + after)}{after}"


def _filled(text: str, step: PlannedStep, moved: Mapping[str, str]) -> str:
    """Put the cells of a step into its bundle."""
    missing = {cell.function for cell in (*step.cells, step.suggestions) if cell}

    def lines(place: re.Match[str]) -> str:
        missing.remove(place[2])
        return place[1] + moved[place[2]]

    text = _CELL.sub(lines, text)
    if missing:
        raise InternalError(f"{sorted(missing)} are missing in the emitted file")
    return text


def _fitted(text: str, in_class: bool = False) -> str:
    """Let black break what does not fit a line; most bundles have nothing of that kind."""
    if not _LONG.search(text):
        return text
    from transpiler.passes.splice import formatted

    if not in_class:
        return formatted(text)
    return formatted(f"class C:\n{text}").removeprefix("class C:\n")


def prepare() -> None:
    """Load the templates, so that `emit` finds them compiled."""
    environment = _environment()
    for name in environment.list_templates(extensions=["j2"]):
        environment.get_template(name)


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
    environment.filters.update(
        literal=literal, text=block, docstring=in_docstring, comment=in_comment
    )
    environment.filters.update(label=_label, help=_help, choices=_choices)
    return environment


def _label(field: PlannedField) -> str:
    """What the page shows above a field, as Python: a literal, or what the cells before compute."""
    return _part(field, "label", literal(field.label))


def _help(field: PlannedField) -> str:
    """What it shows below a field; empty for nothing."""
    return _part(field, "help", literal(field.help) if field.help else "")


def _choices(field: PlannedField, step: PlannedStep) -> str:
    """The choices of a field, as Python."""
    if "choices" in field.computed:
        return _part(field, "choices", "[]")
    return f"self.{step.id}_{field.name}_choices"


def _part(field: PlannedField, part: str, otherwise: str) -> str:
    if part not in field.computed:
        return otherwise
    return f"computed.get({literal(f'{field.name}.{part}')}, {otherwise or literal('')})"


# --- imports ------------------------------------------------------------------------------------------------------

_STANDARD = {
    "namedtuple": "collections",
    "date": "datetime",
    "datetime": "datetime",
    "time": "datetime",
    "dumps": "json",
    "inf": "math",
    "isfinite": "math",
    "fullmatch": "re",
    "dedent": "textwrap",
}
_OURS = ("Cells", "Typed", "cell", "cell_text", "read_json", "read_literal")
_NOT_CODE = re.compile(
    r'"""(?:\\.|[^\\])*?"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|#[^\n]*', re.DOTALL
)
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?= ?[(.,):\n])")


def _imports(texts: list[str]) -> str:
    """Return the import lines for what the templates' code uses; no cell is in these texts yet."""
    used: set[str] = set()
    for text in texts:
        used.update(_NAME.findall(_NOT_CODE.sub('""', text)))
    standard: dict[str, list[str]] = {}
    for name in sorted(used & _STANDARD.keys()):
        standard.setdefault(_STANDARD[name], []).append(name)
    lines = [
        f"from {module} import {', '.join(listed)}\n" for module, listed in sorted(standard.items())
    ]
    # As ruff and isort order names: constants, then classes.
    components = sorted(used & COMPONENTS, key=lambda n: (not (len(n) > 1 and n.isupper()), n))
    return (
        "".join(lines)
        + "\nfrom fasthtml.common import (\n"
        + "".join(f"    {name},\n" for name in components)
        + f")\nfrom pipulate_runtime.cells import {', '.join(name for name in _OURS if name in used)}\n"
    )
