"""The tools of the model: list, add, change and remove tasks, with checked arguments.

An invalid call is answered with the reason, so that the model can try again. The panel reports what a tool did; a removed
task can be restored there.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pipulate_runtime.host.chat.client import Call
from pipulate_runtime.host.lists.lists import Tasks
from pipulate_runtime.host.lists.rows import Row

LISTED = 100  # tasks in one answer to the model


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a call: an answer for the model, and a message for the person if something was changed."""

    answer: dict[str, Any]
    message: str = ""
    removed: int | None = None

    @property
    def text(self) -> str:
        return json.dumps(self.answer, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Tool:
    """A named tool, with the JSON schema of its arguments."""

    name: str
    description: str
    run: Callable[[dict[str, Any]], Result]
    properties: dict[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of its arguments."""
        fields = {"properties": self.properties, "required": list(self.required)}
        return {"type": "object", **fields, "additionalProperties": False}


class Tools:
    """The tools for the tasks of the profile in use."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        number = {"type": "integer", "description": "The number of the task, from list_tasks"}
        text = {"type": "string", "minLength": 1, "maxLength": tasks.fields[0].longest}
        text["description"] = "The text of the task"
        done = {"type": "boolean", "description": "Whether it is done"}
        changed = {"id": number, "text": text, "done": done}
        change = "Change the text of a task, or mark it as done or not done."
        tools = (
            Tool("list_tasks", "List the tasks of the person.", self._list),
            Tool("add_task", "Add a task.", self._add, {"text": text}, ("text",)),
            Tool("change_task", change, self._change, changed, ("id",)),
            Tool("remove_task", "Remove a task.", self._remove, {"id": number}, ("id",)),
        )
        self._tools = {tool.name: tool for tool in tools}

    def as_list(self) -> list[dict[str, Any]]:
        """Return the definitions of all tools for Ollama."""
        return [
            {
                "type": "function",
                "function": {"name": t.name, "description": t.description, "parameters": t.schema},
            }
            for t in self._tools.values()
        ]

    def call(self, call: Call) -> Result:
        """Use a tool. An invalid call is answered with the reason."""
        tool = self._tools.get(call.name)
        if tool is None:
            known = ", ".join(self._tools)
            return Result({"error": f"There is no tool {call.name[:80]!r}. There are: {known}."})
        arguments = _typed(call.arguments, tool.properties)
        if problem := _problem(arguments, tool.schema):
            return Result({"error": problem})
        return tool.run(arguments)

    def bring_back(self, row_id: int) -> Row | None:
        return self._tasks.rows.bring_back(row_id)

    def _list(self, arguments: dict[str, Any]) -> Result:
        rows = self._tasks.rows.all()
        answer: dict[str, Any] = {"tasks": [_shown(row) for row in rows[:LISTED]]}
        return Result(answer | ({"more": len(rows) - LISTED} if len(rows) > LISTED else {}))

    def _add(self, arguments: dict[str, Any]) -> Result:
        values, errors = self._tasks.read(arguments, None)
        if errors:
            return Result({"error": " ".join(errors.values())})
        row = self._tasks.rows.add(self._tasks.new_row(values))
        return Result({"added": _shown(row)}, f"Added the task “{row['text']}”.")

    def _change(self, arguments: dict[str, Any]) -> Result:
        changes: Row = {}
        if "text" in arguments:
            values, errors = self._tasks.read(arguments, arguments["id"])
            if errors:
                return Result({"error": " ".join(errors.values())})
            changes |= values
        if "done" in arguments:
            changes["done"] = arguments["done"]
        if not changes:
            return Result({"error": "Give the new text, or done."})
        row = self._tasks.rows.change(arguments["id"], changes)
        if row is None:
            return _missing(arguments["id"])
        state = {True: " It is done.", False: " It is not done.", None: ""}[changes.get("done")]
        return Result({"changed": _shown(row)}, f"Changed the task “{row['text']}”.{state}")

    def _remove(self, arguments: dict[str, Any]) -> Result:
        row = self._tasks.rows.remove(arguments["id"])
        if row is None:
            return _missing(arguments["id"])
        return Result({"removed": _shown(row)}, f"Removed the task “{row['text']}”.", row["id"])


def _missing(number: int) -> Result:
    return Result({"error": f"There is no task {number}. list_tasks returns the numbers."})


def _shown(row: Row) -> dict[str, Any]:
    return {"id": row["id"], "text": row["text"], "done": bool(row["done"])}


def _typed(arguments: Any, properties: dict[str, Any]) -> Any:
    """Convert arguments to their types: small models write numbers, booleans and whole objects as texts."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return arguments
    if not isinstance(arguments, dict):
        return {} if arguments is None else arguments
    meant = {}
    for name, value in arguments.items():
        kind = properties.get(name, {}).get("type")
        text = value.strip() if isinstance(value, str) else None
        if kind == "integer" and text and text.isascii() and text.isdecimal() and len(text) < 10:
            value = int(text)
        elif kind == "boolean" and text and text.lower() in ("true", "false"):
            value = text.lower() == "true"
        meant[name] = value
    return meant


def _problem(arguments: Any, schema: dict[str, Any]) -> str:
    """Return what is wrong with arguments, or ""."""
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

    errors = Draft202012Validator(schema).iter_errors(arguments)
    found = [f"{'.'.join(map(str, e.path)) or 'arguments'}: {e.message[:200]}" for e in errors]
    number = arguments.get("id", 0) if isinstance(arguments, dict) else 0
    if not found and abs(number) >= 2**62:  # too large for the database
        found = ["id: there is no such number"]
    return "; ".join(found)
