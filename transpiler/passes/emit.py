"""The plan as the text of a plugin. Templates write the frame; the cells are spliced in and never pass through Jinja.

The frame is written as black would write it; black itself sees only what came from a cell, and the rare bundle in which
something long did not fit a line. The text is checked as black checks itself: it compiles, and the syntax tree of each
cell is the notebook's but for the listed edits.
"""

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import jinja2

from transpiler.model.diagnostics import InternalError
from transpiler.model.ir import JSON, Plan, PlannedField, PlannedStep
from transpiler.model.resources import cache_folder, templates_folder
from transpiler.plugin_folder.files import make_private
from transpiler.plugin_folder.pristine import digest
from transpiler.python.literals import WIDTH, block, in_comment, in_docstring, literal

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
    whole = [_filled(text, step, moved) for text, step in zip(bundles, plan.steps, strict=True)]

    before, rest = frame.split("\n__header__\n", 1)
    head, tail = rest.split("\n    __steps__()\n", 1)
    before, after = f"{before}\n", "\n" + "\n".join([head, *whole]) + tail
    _check_compiles([before + head + tail, *(f"class C:\n{bundle}" for bundle in whole)])
    return f"{before}# port: id={port_id} notebook={notebook} base={digest(before + after)}{after}"


def _check_compiles(parts: Iterable[str]) -> None:
    """Raise InternalError unless each part compiles. The whole at once takes 200 MB for a thousand cells."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for part in parts:
            try:
                compile(part, "<plugin>", "exec", dont_inherit=True)
            except SyntaxError as error:
                raise InternalError(f"the emitted file does not compile: {error}") from error


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
    from transpiler.splicing.splice import formatted

    if not in_class:
        return formatted(text)
    return formatted(f"class C:\n{text}").removeprefix("class C:\n")


class _CompiledTemplates(jinja2.FileSystemBytecodeCache):
    """The templates as compiled at an earlier port: jinja2 knows by a hash of the source whether they still hold."""

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Take a template from the cache; what cannot be read is compiled."""
        with suppress(Exception):  # whatever a damaged file makes of marshal
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Put a template into the cache, if it can be written."""
        with suppress(OSError):
            make_private(Path(self.directory))
            super().dump_bytecode(bucket)


@cache
def _environment() -> jinja2.Environment:
    """Jinja with nothing implicit: an unknown name is an error, white space is as written."""
    kept = cache_folder()
    environment = jinja2.Environment(
        bytecode_cache=_CompiledTemplates(str(kept)) if kept else None,
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
    environment.globals.update(call=_call, entries=_entries)
    environment.filters.update(label=_label, help=_help, choices=_choices, reading=_reading)
    return environment


def _label(field: PlannedField) -> str:
    """What the page shows above a field, as Python: from the step's labels, or what the cells before compute."""
    return _part(field, "label", f"labels[{literal(field.name)}]")


def _help(field: PlannedField) -> str:
    """What it shows below a field; empty for nothing."""
    return _part(field, "help", literal(field.help) if field.help else "")


def _choices(field: PlannedField, step: PlannedStep) -> str:
    """The choices of a field, as Python."""
    if "choices" in field.computed:
        return _part(field, "choices", "[]")
    return f"self.{step.id}_{field.name}_choices"


def _reading(field: PlannedField, step: PlannedStep) -> str:
    """The arguments of the field's reader, as Python."""
    given = [literal(field.name)]
    match field.reader:
        case "choice" | "choices":
            given.append(_choices(field, step))
        case "file" | "several_files":
            given.append(f"earlier[{literal(field.name)}]")
        case "json" if isinstance(field.default, dict | list):
            given.append(type(field.default).__name__)
    given += [f"{name}={literal(value)}" for name, value in field.arguments]
    return ", ".join(given)


def _call(
    name: str,
    arguments: Sequence[tuple[str, str]],
    indent: int,
    attributes: Sequence[tuple[str, JSON]] = (),
) -> str:
    """A call with keyword arguments, as Python: on one line if it fits, else one argument a line."""
    given = [*arguments, *((key, literal(value)) for key, value in attributes)]
    return _laid_out([f"{key}={value}" for key, value in given], f"{name}(", ")", indent)


def _entries(pairs: Sequence[tuple[str, str]], before: str, indent: int, after: str = "") -> str:
    """A dictionary, as Python; `before` and `after` stand in the same statement."""
    listed = [f"{key}: {value}" for key, value in pairs]
    opened, closed = f"{before}{{", f"}}{after}"
    if after.startswith("  #"):  # a remark stands behind the first line
        line = _laid_out(listed, opened, "}", indent, after)
        first, rest = line.removesuffix(after).split("\n", 1) if "\n" in line else (line, "")
        return (f"{first}{after}\n{rest}" if rest else line).removeprefix(before)
    return _laid_out(listed, opened, closed, indent).removeprefix(before)


def _laid_out(parts: list[str], opened: str, closed: str, indent: int, after: str = "") -> str:
    """Parts between brackets, as black would lay them out. A comma or more follows, or nothing."""
    line = f"{opened}{', '.join(parts)}{closed}{after}"
    if indent + len(line) + 1 <= WIDTH:
        return line
    inner = "".join(f"{' ' * (indent + 4)}{part},\n" for part in parts)
    return f"{opened}\n{inner}{' ' * indent}{closed}{after}"


def _part(field: PlannedField, part: str, otherwise: str) -> str:
    if part not in field.computed:
        return otherwise
    return f"computed.get({literal(f'{field.name}.{part}')}, {otherwise or literal('')})"
