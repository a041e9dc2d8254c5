"""The tools that a program, such as a language model, can call: functions, and the JSON schemas of their arguments.

A schema is derived from the function's signature. Its parameters are annotated as the options of the command line are, often with the very same
annotation: one place says the type, the help and the limits of an option for people and for programs. JSON Schema, draft 2020-12.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from transpiler.model import rules
from transpiler.model.diagnostics import UserError

Schema = dict[str, Any]
Tool = Callable[..., tuple[Any, int]]  # Returns its result and the exit code

_TYPES = {str: "string", Path: "string", bool: "boolean", int: "integer"}


def schema_of(tool: Tool) -> Schema:
    """Return the schema of the arguments of a function."""
    hints = get_type_hints(tool, include_extras=True)
    parameters = inspect.signature(tool).parameters
    return {
        "type": "object",
        "properties": {name: _property(hints[name], of) for name, of in parameters.items()},
        "required": [name for name, of in parameters.items() if of.default is of.empty],
        "additionalProperties": False,
    }


def _property(hint: Any, parameter: inspect.Parameter) -> Schema:
    """The schema of a parameter `Annotated` with a typer option, and with a dict of what else the schema says."""
    base, option, *more = get_args(hint)
    schema = _of_type(base)
    if option.help:
        schema["description"] = option.help
    if option.min is not None:
        schema["minimum"] = option.min
    if parameter.default is parameter.empty:
        schema["minLength"] = 1
    elif parameter.default is not None:
        default = parameter.default
        schema["default"] = str(default) if isinstance(default, Path) else default
    for one in more:
        schema |= one
    return schema


def _of_type(base: Any) -> Schema:
    """The schema of a type: texts, numbers, choices, and lists, sets and mappings of them."""
    origin, arguments = get_origin(base), get_args(base)
    if origin is UnionType or NoneType in arguments:  # a value or nothing
        return _of_type(next(one for one in arguments if one is not NoneType))
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": {**_of_type(arguments[0]), "minLength": 1}}
    if origin is set:
        return {"type": "array", "items": _of_type(arguments[0]), "uniqueItems": True}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of_type(arguments[1])}
    return {} if base is Any else {"type": _TYPES[base]}


def listed(tools: Mapping[str, Tool]) -> list[dict[str, Any]]:
    """Return the tools as data: name, description, schema of the arguments."""
    return [
        {"name": name, "description": inspect.getdoc(tool), "arguments": schema_of(tool)}
        for name, tool in tools.items()
    ]


def called(tools: Mapping[str, Tool], name: str, text: str) -> tuple[Any, int]:
    """Call a tool with the arguments in a JSON text. Raises UserError PP441 and PP442, and what the tool raises."""
    if name not in tools:
        raise UserError(rules.UNKNOWN_TOOL, name=repr(name), names=", ".join(tools))
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(
            rules.BAD_ARGUMENTS, name=name, reason=f"they are not JSON: {error}"
        ) from error
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
    from jsonschema.exceptions import best_match  # type: ignore[import-untyped]

    tool = tools[name]
    if problem := best_match(Draft202012Validator(schema_of(tool)).iter_errors(given)):
        where = ".".join(map(str, problem.absolute_path))
        reason = f"{where}: {problem.message}" if where else problem.message
        raise UserError(rules.BAD_ARGUMENTS, name=name, reason=reason[:500])
    hints = get_type_hints(tool)
    paths = {name for name in given if Path in (hints[name], *get_args(hints[name]))}
    return tool(**{name: Path(of) if name in paths else of for name, of in given.items()})
