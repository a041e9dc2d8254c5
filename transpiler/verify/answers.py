"""Reads the arguments of `verify` and `run`: notebooks with their plugins, and answers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from transpiler.model import rules
from transpiler.model.diagnostics import UserError
from transpiler.verify.result import Way

QUESTIONS = "input"
"""Under this name stands what the cells of a step ask while they run: a list, in their order."""


@dataclass(frozen=True, slots=True)
class Task:
    """A notebook to verify: with its plugin (or it is ported now), its answers, and the ways to walk."""

    notebook: Path
    plugin: Path | None
    given: Mapping[str, Mapping[str, str]]
    ways: tuple[Way, ...]


def tasks_of(
    paths: Sequence[Path], answers: Sequence[str], file: Path | None, ways: tuple[Way, ...]
) -> list[Task]:
    """Return what is to be verified. Raises UserError PP407 when it does not fit together."""
    pairs = _pairs(paths)
    if len(pairs) == 1:
        return [Task(*pairs[0], given_of(answers, file), ways)]
    if file is not None:
        raise _bad("--answers", file, "it holds the answers of one notebook; several were given")
    by_name: dict[str, list[str]] = {notebook.stem: [] for notebook, _ in pairs}
    for answer in answers:
        name, colon, rest = answer.partition(":")
        if not colon or name not in by_name:
            reason = "of several notebooks an answer is written NAME:step_02.limit=500"
            raise _bad("--set", answer, reason)
        by_name[name].append(rest)
    return [
        Task(notebook, plugin, given_of(by_name[notebook.stem]), ways) for notebook, plugin in pairs
    ]


def _pairs(paths: Sequence[Path]) -> list[tuple[Path, Path | None]]:
    """Return each notebook with the plugin that is named after it. Raises UserError PP407."""
    pairs: list[tuple[Path, Path | None]] = []
    for path in paths:
        if path.suffix != ".py":
            pairs.append((path, None))
        elif pairs and pairs[-1][1] is None:
            pairs[-1] = (pairs[-1][0], path)
        else:
            raise _bad("the plugin", path, "a plugin stands after its notebook")
    return pairs


def given_of(answers: Sequence[str], file: Path | None = None) -> dict[str, dict[str, str]]:
    """Return the answers of `--answers` and, over them, of `--set` by step and field. Raises UserError PP407.

    `--set` that is repeated for one field has a value a line; for `step.input` it is the next answer to what the cells of
    the step ask, and the answers are a JSON list.
    """
    given: dict[str, dict[str, str]] = {}
    asked: dict[str, list[str]] = {}
    for answer in answers:
        place, equals, value = answer.partition("=")
        step, dot, field = place.partition(".")
        if not (equals and dot):
            raise _bad("--set", answer, "it is written step_02.limit=500")
        fields = given.setdefault(step, {})
        if field == QUESTIONS:
            asked.setdefault(step, []).append(value)
            fields[field] = json.dumps(asked[step])
            continue
        fields[field] = f"{fields[field]}\n{value}" if field in fields else value
    for step, fields in (_answers_in(file) if file else {}).items():
        given[step] = {**fields, **given.get(step, {})}
    return given


def _answers_in(file: Path) -> dict[str, dict[str, str]]:
    """Return the answers in a JSON file, {"step_02": {"limit": 500}}, as they would be typed. Raises UserError PP407."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise _bad("--answers", file, str(problem)) from problem
    if not isinstance(found, dict) or not all(isinstance(part, dict) for part in found.values()):
        raise _bad("--answers", file, 'it holds objects by step, {"step_02": {"limit": 500}}')
    return {
        step: {
            name: _questions(v) if name == QUESTIONS else as_typed(v) for name, v in fields.items()
        }
        for step, fields in found.items()
    }


def _questions(value: object) -> str:
    """Return the answers to what the cells of a step ask; one that is no list is the only one."""
    return json.dumps(list(map(as_typed, value if isinstance(value, list) else [value])))


def _bad(option: str, value: object, reason: str) -> UserError:
    return UserError(rules.BAD_OPTION, option=option, value=str(value), reason=reason)


def as_typed(value: object) -> str:
    """Return a value of JSON as a person would type it into the form."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "on" if value else "off"
        case _:
            return json.dumps(value, ensure_ascii=False)
