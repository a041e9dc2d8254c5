"""Notebooks by chance, from a seed; edits of them; and what the compiler makes of them.

Every line that an edit puts in holds a token of its own (`U7x` by hand, `N7x` in the notebook), and every cell has a name
that no edit changes. So it can be said for each line in which cell it belongs, whatever its step is called.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from unittest import mock

from tests.build import PORT_ID, raw
from transpiler.model.ir import KnownCell, KnownStep, KnownSteps, Plan, PlannedCell
from transpiler.model.options import Options
from transpiler.passes import emit as emitting
from transpiler.passes.analyse import analyse
from transpiler.passes.annotate import annotate
from transpiler.passes.plan import plan
from transpiler.passes.read import read
from transpiler.splicing.splice import spliced

WORDS = (
    "orders prices regions totals visits weights scores routes shares trends costs stocks".split()
)
POOL = 80
"""So many notebooks are edited; what is made of each before the edits is made once."""


ORDER = -3
"""Stands for a cell in what edits concern: the order of all."""


@dataclass(frozen=True)
class Cell:
    """A cell with the name it keeps."""

    uid: int
    id: str
    source: str
    title: str = ""


@dataclass(frozen=True)
class Made:
    """What the compiler makes of a notebook."""

    text: str
    plan: Plan
    owner: dict[str, int]
    """Method of a step -> the cell it is of."""


@dataclass
class World:
    """The state of one trial."""

    rng: random.Random
    count: int = 0
    touched: set[tuple[int, str]] = field(default_factory=set)
    """What the edits so far concern: a cell, and `code`, `card`, `entry`, or all of it (`*`). Cell -1 is each one."""
    kinds: list[str] = field(default_factory=list)
    newer: int = 0
    """Which newer compiler made the notebook's plugin; 0 for the same."""

    def token(self, side: str) -> str:
        self.count += 1
        return f"{side}{self.count}x"

    def fresh_id(self) -> str:
        return f"{self.rng.getrandbits(32):08x}"


def meet(one: set[tuple[int, str]], two: set[tuple[int, str]]) -> bool:
    """Whether two sides concern the same part of the same step."""
    return any(
        (a[0] == b[0] or -1 in (a[0], b[0])) and (a[1] == b[1] or "*" in (a[1], b[1]))
        for a in one
        for b in two
    )


# --- compiling --------------------------------------------------------------------------------------------------------


@cache
def _lines(cell: PlannedCell, parameter: str) -> str:
    return spliced(cell, parameter)


_fitted_once = cache(emitting._fitted)


def compiled(cells: list[Cell], known: KnownSteps | None = None, ids: bool = True) -> Made:
    """Port without a disk; black sees each text once in a run of the tests."""
    items: list = [{"cell_type": "markdown", "metadata": {}, "source": "# Trip", "id": "title"}]
    places = {}
    for cell in cells:
        if cell.title:
            heading = {"cell_type": "markdown", "metadata": {}, "source": f"## {cell.title}"}
            items.append(heading | {"id": f"h{cell.uid}"})
        places[len(items)] = cell.uid
        body = {"cell_type": "code", "metadata": {}, "source": cell.source}
        items.append(body | ({"id": cell.id} if ids else {}))
    notebook, _ = read(raw(*items, ids=False), "trip.ipynb")
    assert notebook is not None
    annotated, _ = annotate(notebook)
    analysis, _ = analyse(annotated)
    made, _ = plan(analysis, Options(), known={"trip": known} if known else None)
    moved = {c.function: _lines(c, made.parameter) for s in made.steps for c in s.cells}
    with mock.patch.object(emitting, "_fitted", _fitted_once):
        text = emitting.emit(made, moved, PORT_ID, "trip.ipynb")
    owner = {}
    for step in made.steps:
        last = places[step.cells[-1].index]
        owner |= {f"{step.id}{role}": last for role in ("", "_submit", "_form")}
        owner |= {c.function: places[c.index] for c in step.cells}
    return Made(text, made, owner)


def known_of(made: Plan) -> KnownSteps:
    """What the lock would tell the next port."""
    steps = tuple(
        KnownStep(s.id, s.done, tuple(KnownCell(c.cell, c.function, c.original) for c in s.cells))
        for s in made.steps
    )
    return KnownSteps(steps, frozenset())


_NEWER: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: text.replace('aria_busy="true"', 'aria_busy="yes"'),
    lambda text: text.replace(
        '        """GET: the card as it stands."""\n',
        '        """GET: the card as it stands."""\n        self.seen = True\n',
    ),
    lambda text: text.replace(
        '        data = state.get("step_', '        data = dict(state).get("step_'
    ),
)


def newer(made: Made, version: int) -> Made:
    """What a newer compiler makes: it writes something else in the handlers of every step."""
    return replace(made, text=_NEWER[version](made.text))


# --- notebooks --------------------------------------------------------------------------------------------------------


@cache
def pooled(number: int) -> tuple[list[Cell], Made]:
    """One of the notebooks, and its plugin."""
    cells = notebook(World(random.Random(number)))
    return cells, compiled(cells)


def notebook(world: World) -> list[Cell]:
    """A notebook of seven to ten cells that use each other's names; a cell has one to three paragraphs."""
    rng = world.rng
    names = rng.sample(WORDS, rng.randint(7, 10))
    cells = []
    for uid, name in enumerate(names):
        before = rng.choice(names[:uid]) if uid else "10"
        number = rng.randint(2, 99)
        parts = [rng.choice(_BODIES), *rng.sample(_MORE, rng.randint(0, 2))]
        source = "\n\n".join(parts).format(name=name, before=before, number=number)
        title = name.capitalize() if rng.random() < 0.5 else ""
        cells.append(Cell(uid, world.fresh_id(), source, title))
    return cells


_BODIES = (
    "{name} = {before}\nprint('{name}', {number})\n{name}",
    "#| input: {name}_n\n{name}_n = {number}\n{name} = [{before}, {name}_n]\nprint({name})",
    "def make_{name}(value):\n    return [value, {number}]\n\n{name} = make_{name}({before})\n{name}",
    "{name} = []\nfor item in range({number}):\n    if item % 2:\n        {name}.append(item)\nprint(len({name}))\n{name}[:3]",
    "import math\n\n{name} = {before}\n# how much of it\n{name}_share = math.sqrt({number})\nprint(f'{{{name}_share:.2f}}')",
    '{name} = """a text\n  of {name}\n"""\nprint({name} * {number})',
)
_MORE = (
    "{name}_rows = [(n, n * {number}) for n in range(4)]\nfor first, second in {name}_rows:\n    if first > 1:\n        print(first, second)\nprint('rows', len({name}_rows))",
    "# what it comes to\n{name}_all = sum(range({number}))\n{name}_mean = {name}_all / {number}\nprint('all', {name}_all)\nprint('mean', {name}_mean)",
    "{name}_table = {{'all': {number}}}\ntry:\n    {name}_part = {name}_table['{name}']\nexcept KeyError:\n    {name}_part = None\n{name}_part",
)


def new_source(world: World, name: str) -> str:
    token = world.token("N")
    return f"{name}_{token} = '{token}'\nprint({name}_{token}, {world.rng.randint(1, 99)})\nlen({name}_{token})"


# --- edits of a notebook ----------------------------------------------------------------------------------------------


def edit_notebook(world: World, cells: list[Cell], uid: int) -> list[Cell]:
    """The notebook after one edit, each kind as often as another. `uid` is for a cell that it makes."""
    kind = world.rng.choice(list(NOTEBOOK_EDITS))
    world.kinds.append(f"notebook {kind}")
    return NOTEBOOK_EDITS[kind](world, list(cells), world.rng.randrange(len(cells)), uid)


def _line(world: World, cells: list[Cell], at: int, uid: int) -> list[Cell]:
    """A statement more."""
    lines = cells[at].source.split("\n")
    places = [n for n in range(len(lines)) if _free(lines, n)]
    place = world.rng.choice(places) if places else len(lines)
    indent = re.match(r" *", lines[place] if place < len(lines) else "")[0]
    lines.insert(place, f"{indent}print('{world.token('N')}')")
    return _with(world, cells, at, lines)


def _change(world: World, cells: list[Cell], at: int, uid: int) -> list[Cell]:
    """A statement of one line becomes another one."""
    lines = cells[at].source.split("\n")
    places = [n for n, li in enumerate(lines) if _free(lines, n) and _PRINTS.fullmatch(li)]
    if not places:
        return _line(world, cells, at, uid)
    place = world.rng.choice(places)
    lines[place] = f"{re.match(r' *', lines[place])[0]}print('{world.token('N')}')"
    return _with(world, cells, at, lines)


_PRINTS = re.compile(r" *print\(.*\)")


def _import(world: World, cells: list[Cell], at: int, uid: int) -> list[Cell]:
    lines = cells[at].source.split("\n")
    lines.insert(1 if lines[0][:2] == "#|" else 0, f"import math as {world.token('N')}")
    return _with(world, cells, at, lines)


def _with(world: World, cells: list[Cell], at: int, lines: list[str]) -> list[Cell]:
    world.touched.add((cells[at].uid, "code"))
    cells[at] = replace(cells[at], source="\n".join(lines))
    return cells


def _new(world: World, cells: list[Cell], at: int, uid: int) -> list[Cell]:
    cell = Cell(uid, world.fresh_id(), new_source(world, "new"))
    cells.insert(world.rng.randint(0, len(cells)), cell)
    return cells


def _delete(world: World, cells: list[Cell], at: int, uid: int) -> list[Cell]:
    if len(cells) > 2:
        world.touched.add((cells.pop(at).uid, "*"))
    return cells


def _move(world: World, cells: list[Cell], at: int, uid: int) -> list[Cell]:
    world.touched.add((ORDER, "order"))
    cells.insert(world.rng.randrange(len(cells)), cells.pop(at))
    return cells


def _title(world: World, cells: list[Cell], at: int, uid: int) -> list[Cell]:
    world.touched.add((cells[at].uid, "entry"))
    cells[at] = replace(cells[at], title=f"Title {world.token('N')}")
    return cells


def _split(world: World, cells: list[Cell], at: int, uid: int) -> list[Cell]:
    """JupyterLab gives both halves an id of their own. The larger half is the cell."""
    cell = cells[at]
    lines = cell.source.split("\n")
    halves = [n for n in range(2, len(lines) - 1) if lines[n][:1] not in (" ", "") and _free(lines, n)
              and not lines[n].startswith("except")]  # fmt: skip
    if not halves:
        return cells
    half = world.rng.choice(halves)
    texts = "\n".join(lines[:half]), "\n".join(lines[half:])
    world.touched |= {(cell.uid, "*")}
    cells[at : at + 1] = [
        replace(cell, id=world.fresh_id(), source=texts[0]),
        Cell(uid, world.fresh_id(), texts[1]),
    ]
    return cells


def _merge(world: World, cells: list[Cell], at: int, uid: int) -> list[Cell]:
    if at + 1 == len(cells) or "#|" in cells[at + 1].source:
        return cells
    cell, following = cells[at], cells.pop(at + 1)
    keeps = cell if len(cell.source) >= len(following.source) else following
    source = f"{cell.source}\n{following.source}"
    cells[at] = Cell(keeps.uid, world.fresh_id(), source, cell.title)
    world.touched |= {(cell.uid, "*"), (following.uid, "*")}
    return cells


def _ids(world: World, cells: list[Cell], at: int, uid: int) -> list[Cell]:
    return [replace(c, id=world.fresh_id()) for c in cells]


def _version(world: World, cells: list[Cell], at: int, uid: int) -> list[Cell]:
    world.newer = world.rng.randrange(1, len(_NEWER))
    world.touched.add((-1, "card"))
    return cells


def _free(lines: list[str], number: int) -> bool:
    """Whether a statement may stand before this line: not inside a string, not before a directive."""
    above = "\n".join(lines[:number])
    line = lines[number].lstrip()
    return (
        number > 0 and above.count('"""') % 2 == 0 and not line.startswith(("#|", "except", '"""'))
    )


NOTEBOOK_EDITS: dict[str, Callable[[World, list[Cell], int, int], list[Cell]]] = {
    "change": _change,
    "insert": _line,
    "new cell": _new,
    "delete": _delete,
    "move": _move,
    "title": _title,
    "import": _import,
    "split": _split,
    "merge": _merge,
    "ids dropped": _ids,
    "generator version": _version,
}
