"""What stands on the command line of `verify` and `run`: notebooks with their plugins, and answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from transpiler import codes
from transpiler.diagnostics import UserError
from transpiler.verified import Way


@dataclass(frozen=True, slots=True)
class Task:
    """A notebook to verify: with its plugin (or it is ported now), its answers, and the ways to walk."""

    notebook: Path
    plugin: Path | None
    given: Mapping[str, Mapping[str, str]]
    ways: tuple[Way, ...]


def tasks_of(paths: Sequence[Path], answers: Sequence[str], ways: tuple[Way, ...]) -> list[Task]:
    """Return what is to be verified. Raises UserError PP407 when it does not fit together."""
    pairs = _pairs(paths)
    if len(pairs) == 1:
        return [Task(*pairs[0], given_of(answers), ways)]
    by_name: dict[str, list[str]] = {notebook.stem: [] for notebook, _ in pairs}
    for answer in answers:
        name, colon, rest = answer.partition(":")
        if not colon or name not in by_name:
            reason = "of several notebooks an answer is written NAME:step_02.limit=500"
            raise UserError(codes.BAD_OPTION, option="--set", value=answer, reason=reason)
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
            reason = "a plugin stands after its notebook"
            raise UserError(codes.BAD_OPTION, option="the plugin", value=str(path), reason=reason)
    return pairs


def given_of(answers: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the answers of `--set` by step and field; one that is repeated has a value a line. Raises UserError PP407."""
    given: dict[str, dict[str, str]] = {}
    for answer in answers:
        place, equals, value = answer.partition("=")
        step, dot, field = place.partition(".")
        if not (equals and dot):
            raise UserError(
                codes.BAD_OPTION,
                option="--set",
                value=answer,
                reason="it is written step_02.limit=500",
            )
        fields = given.setdefault(step, {})
        fields[field] = f"{fields[field]}\n{value}" if field in fields else value
    return given
