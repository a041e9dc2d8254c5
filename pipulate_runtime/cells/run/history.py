"""What the kernel of a run must have executed, by what is stored: the steps, their answers, their cells."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pipulate_runtime.cells.run.checkpoint import Entry
from pipulate_runtime.cells.run.job import CELLS, Job
from pipulate_runtime.cells.run.replies import asked_in
from pipulate_runtime.cells.source.source import Cell


def answers(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was answered in a step: all it holds but its cells."""
    return {name: value for name, value in data.items() if name != CELLS}


_as_json = json.JSONEncoder(sort_keys=True).encode  # `dumps` makes an encoder for each call


def history_entry(step_id: str, data: Mapping[str, Any], cells: list[Cell]) -> Entry:
    """Return what a kernel's history says of a step: its answers, also those its cells asked for, and its cells."""
    asked = asked_in(data.get(CELLS) or ())
    given = answers(data) | ({CELLS: asked} if asked else {})
    return step_id, _as_json(given), tuple(cell.hash for cell in cells)


def history_before(job: Job, step_id: str, state: Mapping[str, Any]) -> list[Entry]:
    """Return what a kernel must have executed before this step, by what is stored."""
    entries = []
    for step in job.steps:
        if step.id == step_id:
            break
        if cells := job.source.of_step(step.id):
            entries.append(history_entry(step.id, state.get(step.id) or {}, cells))
    return entries


Basis = dict[str, Entry]


def basis_of(before: Iterable[Entry], state: Mapping[str, Any]) -> Basis:
    """Return what is stored of the steps in a history, by their ids; nothing of one that is open again."""
    open_again = state.get("_revert_target")
    return {entry[0]: entry for entry in before if state.get(entry[0]) and entry[0] != open_again}


class Superseded(Exception):
    """What the step is computed from was changed meanwhile, in another tab or by another program."""


def standing(basis: Basis, before: Iterable[Entry], state: Mapping[str, Any]) -> Basis:
    """Return what is stored before a step now. Raises Superseded if it is not what it was, with the same answers."""
    now = basis_of(before, state)
    if not basis.items() <= now.items():
        raise Superseded
    return now
