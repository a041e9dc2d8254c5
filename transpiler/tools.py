"""The tools that a program, such as a language model, can call: their names, what they do, and the schemas of their arguments.

Plain data; what they do is in `commands.tooling`. The schemas are JSON Schema, draft 2020-12.
"""

import json
from collections.abc import Mapping
from typing import Any

from transpiler import codes
from transpiler.diagnostics import UserError

Schema = dict[str, Any]

_NOTEBOOK: Schema = {"type": "string", "minLength": 1, "description": "Path of a .ipynb file."}
_DATA: Schema = {
    "type": "string",
    "default": "data",
    "description": "The folder of the database and of the runs' files.",
}
_BY: Schema = {
    "enum": ["cell", "heading"],
    "description": "One step for each code cell, or for each section.",
}
_FIELDS: Schema = {
    "type": "array",
    "items": {"type": "string", "minLength": 1},
    "description": "Assignments to make fields of, by name; ['auto'] for those that surely look like inputs, [] for none.",
}


def _arguments(required: list[str], **properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


TOOLS: Mapping[str, tuple[str, Schema]] = {
    "port": (
        "Port a notebook to a workflow plugin. Into a plugin that is there the notebook's changes are merged; what was edited by hand stays.",
        _arguments(
            ["notebook"],
            notebook=_NOTEBOOK,
            output={"type": "string", "default": "generated", "description": "The folder for the plugins."},
            number={"type": "string", "pattern": "^[0-9]+$", "description": "Digits in front of the file's name, for the order in the menu."},
            by=_BY,
            fields=_FIELDS,
            dry_run={"type": "boolean", "default": False, "description": "Say what would be done; write nothing."},
            settle={
                "type": "object",
                "additionalProperties": {"enum": ["mine", "notebook", "both"]},
                "description": "How to settle conflicts: by the id of the conflict or of the step, '*' for all.",
            },
        ),
    ),
    "inspect": (
        "Show the plan of a notebook's plugin: steps, fields, names in and out, likely inputs, diagnostics. Writes and executes nothing.",
        _arguments(["notebook"], notebook=_NOTEBOOK, by=_BY, fields=_FIELDS),
    ),
    "verify": (
        "Execute a notebook, walk its app, and compare them cell by cell. Runs the notebook's code.",
        _arguments(
            ["notebook"],
            notebook=_NOTEBOOK,
            plugin={"type": "string", "description": "Path of its plugin; without it the notebook is ported for this."},
            answers={
                "type": "object",
                "additionalProperties": {"type": "object"},
                "description": "Answers by step and field: {'step_02': {'limit': 500}}.",
            },
            ways={
                "type": "array",
                "items": {"enum": ["resume", "restore", "revert"]},
                "uniqueItems": True,
                "description": "Also end the server after each step, go on from checkpoints, go back to each step.",
            },
        ),
    ),
    "runs": (
        "List the runs in the database, the one changed last first: key, workflow, state, step, times, size.",
        _arguments(
            [],
            data=_DATA,
            app_name={"type": "string", "description": "Of this workflow only."},
            limit={"type": "integer", "minimum": 1, "default": 50},
        ),
    ),
    "read-state": (
        "Read what a run holds: for each step its answers, and under _cells what its cells showed. Secrets are never stored.",
        _arguments(
            ["key"],
            key={"type": "string", "minLength": 1, "description": "The key of a run, as `runs` gives it."},
            data=_DATA,
            outputs={"type": "boolean", "default": False, "description": "Also what the cells showed, which can be long."},
        ),
    ),
}  # fmt: skip


def listed() -> list[dict[str, Any]]:
    """Return the tools as data."""
    return [
        {"name": name, "description": description, "arguments": schema}
        for name, (description, schema) in TOOLS.items()
    ]


def arguments_of(name: str, text: str) -> dict[str, Any]:
    """Return the arguments in a text, with the defaults put in. Raises UserError PP441 and PP442."""
    if name not in TOOLS:
        raise UserError(codes.UNKNOWN_TOOL, name=repr(name), names=", ".join(TOOLS))
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(
            codes.BAD_ARGUMENTS, name=name, reason=f"they are not JSON: {error}"
        ) from error
    schema = TOOLS[name][1]
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
    from jsonschema.exceptions import best_match  # type: ignore[import-untyped]

    if problem := best_match(Draft202012Validator(schema).iter_errors(given)):
        where = ".".join(map(str, problem.absolute_path))
        reason = f"{where}: {problem.message}" if where else problem.message
        raise UserError(codes.BAD_ARGUMENTS, name=name, reason=reason[:500])
    defaults = {key: of["default"] for key, of in schema["properties"].items() if "default" in of}
    return {**defaults, **given}
