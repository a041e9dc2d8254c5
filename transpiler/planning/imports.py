"""Which small parts of templates/ a plugin needs, and the names that these and its cells import."""

from collections.abc import Iterable, Mapping

from transpiler.model.ir import Control, Helpers, PlannedStep
from transpiler.python.literals import block

Imports = tuple[tuple[str, tuple[str, ...]], ...]

_FRAME = ("Article", "Button", "Div", "Footer", "Form", "H3", "Header", "Input", "P", "Response")
_FIELDS = ("Dd", "Dl", "Dt", "Label", "Small")
_CONTROLS: Mapping[Control, tuple[str, ...]] = {
    "multi_select": ("Fieldset", "Legend"),
    "radio": ("Fieldset", "Legend"),
    "range": ("Output",),
    "select": ("Option", "Select"),
    "textarea": ("Textarea",),
}
_SUGGESTED_VALUES = ("Datalist", "Option")  # an input that offers values, but takes others, too


def needed_helpers(steps: tuple[PlannedStep, ...]) -> Helpers:
    """Return which small parts the steps need."""
    fields = [field for step in steps for field in step.fields]
    readers = {field.reader for field in fields}
    return Helpers(
        fields=bool(fields),
        controls=tuple(sorted({field.control for field in fields})),
        json="json" in readers,
        lines=bool(readers & {"urls", "choices"}),
        secrets="password" in readers,
        choices=any("choices" in field.computed for field in fields),
        reads=any(s.suggestions or any(c.reads_only for c in s.cells) for s in steps),
    )


def plugin_imports(
    steps: tuple[PlannedStep, ...], helpers: Helpers, texts: Iterable[str]
) -> Imports:
    """Return the modules and names, in the order in which they stand; `texts` are those of class attributes."""
    fields = [field for step in steps for field in step.fields]
    components = {*_FRAME, *(_FIELDS if fields else ())}
    for field in fields:
        components.update(_CONTROLS.get(field.control, ()))
        if field.control == "input" and field.choices:
            components.update(_SUGGESTED_VALUES)
    as_text = [cell.text_reason is not None for step in steps for cell in step.cells]
    ours = {
        "Cells": True,
        "Typed": helpers.json,
        "cell": not all(as_text),
        "cell_text": any(as_text),
    }
    found = {
        "collections": ("namedtuple",),
        "json": ("dumps",) if helpers.json else (),
        "textwrap": ("dedent",) if any(map(_needs_dedent, texts)) else (),
        # As ruff and isort order names: constants, then classes.
        "fasthtml.common": tuple(sorted(components, key=lambda name: (name != "H3", name))),
        "pipulate_runtime.cells": tuple(name for name, used in ours.items() if used),
    }
    return tuple((module, names) for module, names in found.items() if names)


def _needs_dedent(text: str) -> bool:
    return "\n" in text and block(text, 4).startswith("dedent(")
