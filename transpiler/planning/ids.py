"""Gives steps their ids and cells the names of their functions: those of an earlier port, as far as there was one.

An id never changes and is never used twice: saved runs are kept by it, and hand edits stand in its methods. A new cell gets
the next number, wherever it stands; the order of the cards is that of the list.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from transpiler.merge.match_cells import Now, match_cells
from transpiler.model.ir import KnownCell, KnownStep, KnownSteps


@dataclass(frozen=True, slots=True)
class Wanted:
    """A step that needs an id: the one its owner asked for, and its cells."""

    pin: str | None
    setup: tuple[Now, ...]
    codes: tuple[Now, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """A step's id, the key it had for "done" (None: it is new), and its cells' functions, setup first."""

    id: str
    done: str | None
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Identities:
    """The identities of all steps, and the functions whose cell is in another step now: before, now."""

    steps: tuple[Identity, ...]
    moves: tuple[tuple[str, str], ...]


def assign_ids(wanted: Sequence[Wanted], known: KnownSteps | None) -> Identities:
    """Return the identity of each step, in order."""
    known = known or KnownSteps((), frozenset())
    old = [(step, cell) for step in known.steps for cell in step.cells]
    new = [cell for step in wanted for cell in (*step.setup, *step.codes)]
    pairs = match_cells([cell for _, cell in old], new)
    before = iter([old[pairs[n]] if n in pairs else None for n in range(len(new))])
    found = [
        ([next(before) for _ in step.setup], [next(before) for _ in step.codes]) for step in wanted
    ]
    ids = _ids(wanted, found, known)
    dones = {step.id: step.done for step in known.steps}
    taken = {cell.function for _, cell in old}
    steps, moves = [], []
    for step_id, (setup, codes) in zip(ids, found, strict=True):
        names = []
        for kind, cells in (("setup", setup), ("cell", codes)):
            names += _functions(f"{step_id}_{kind}", cells, taken)
        steps.append(Identity(step_id, dones.get(step_id) or None, tuple(names)))
        for pair, name in zip([*setup, *codes], names, strict=True):
            if pair is not None and pair[1].function != name:
                moves.append((pair[1].function, name))
    return Identities(tuple(steps), tuple(moves))


_Before = tuple[KnownStep, KnownCell] | None


_Found = tuple[Sequence[_Before], Sequence[_Before]]
"""What the cells of a step were before: its setup, and its own."""


def _ids(wanted: Sequence[Wanted], found: Sequence[_Found], known: KnownSteps) -> list[str]:
    """An id for each step: its pin, else that of the step its cell was in, else the next number."""
    ids: dict[int, str] = {}

    def claim(position: int, step_id: str | None) -> None:
        if step_id and position not in ids and step_id not in ids.values():
            ids[position] = step_id

    for position, step in enumerate(wanted):
        claim(position, step.pin)
    for rank in (_leads, _is_main, _was_there):
        for position, (_, cells) in enumerate(found):
            for number, pair in enumerate(cells):
                if pair is not None and rank(number, pair[1]):
                    claim(position, pair[0].id)
    # The larger half of a split cell may only define something: then it is run before a new step, which goes on with the id.
    for position, (setup, _) in enumerate(found):
        for pair in setup:
            if pair is not None and _was_there(0, pair[1]):
                claim(position, pair[0].id)
    fresh = _fresh(
        {*ids.values(), *known.taken, *(step.id for step in known.steps)}, bool(known.steps)
    )
    return [ids.get(position) or next(fresh) for position in range(len(wanted))]


def _leads(number: int, cell: KnownCell) -> bool:
    return number == 0 and _is_main(number, cell)


def _is_main(number: int, cell: KnownCell) -> bool:
    return cell.function.endswith("_cell")


def _was_there(number: int, cell: KnownCell) -> bool:
    """Whether a cell was one of a step's own, not one that was run before it."""
    return "_cell" in cell.function


def _fresh(taken: set[str], again: bool) -> Iterator[str]:
    """Ids that are free: at the first port from 1, later from the highest number on."""
    numbers = [int(found[1]) for name in taken if (found := re.fullmatch(r"step_(\d+)", name))]
    start = max(numbers, default=0) + 1 if again else 1
    for number in range(start, 10**6):
        if (name := f"step_{number:02}") not in taken:
            yield name


def _functions(stem: str, cells: Sequence[_Before], taken: Collection[str]) -> list[str]:
    """`step_02_cell`, `step_02_cell_2`, ...: a cell keeps its name, and a new one takes none that another cell had."""
    kept = [pair[1].function if pair and _is_of(stem, pair[1].function) else None for pair in cells]
    names = (stem if n == 1 else f"{stem}_{n}" for n in range(1, 10**6))
    free = (name for name in names if name not in taken)
    return [name or next(free) for name in kept]


def _is_of(stem: str, function: str) -> bool:
    """Whether a function is called by the stem, with or without a number."""
    rest = function.removeprefix(stem)
    return rest != function and (not rest or (rest[0] == "_" and rest[1:].isdecimal()))
