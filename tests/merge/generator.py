"""Notebooks, hand edits and notebook edits by chance, from a seed; and what the compiler makes of the notebooks.

Every line that an edit puts in holds a token of its own (`U7` by hand, `N7` in the notebook), and every cell has a name that
no edit changes. So it can be said for each line in which cell it belongs, whatever its step is called.
"""

import ast
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

from tests.build import PORT_ID, raw
from transpiler.ir import Known, KnownCell, KnownStep, Plan, PlannedCell
from transpiler.options import Options
from transpiler.passes.analyse import analyse
from transpiler.passes.annotate import annotate
from transpiler.passes.emit import emit
from transpiler.passes.plan import plan
from transpiler.passes.read import read
from transpiler.passes.splice import spliced

WORDS = (
    "orders prices regions totals visits weights scores routes shares trends costs stocks".split()
)


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
    """Function -> the cell it is of."""


@dataclass
class World:
    """The state of one trial."""

    rng: random.Random
    count: int = 0
    touched: set[tuple[str, object]] = field(default_factory=set)
    """What the edits so far concern."""
    kinds: list[str] = field(default_factory=list)

    def token(self, side: str) -> str:
        self.count += 1
        return f"{side}{self.count}x"

    def fresh_id(self) -> str:
        return f"{self.rng.getrandbits(32):08x}"


@cache
def _lines(cell: PlannedCell, parameter: str) -> str:
    return spliced(cell, parameter)


def compiled(cells: list[Cell], known: Known | None = None, ids: bool = True) -> Made:
    """Port without a disk; black sees each cell once in a run of the tests."""
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
    text = emit(made, moved, PORT_ID, "trip.ipynb")
    owner = {c.function: places[c.index] for s in made.steps for c in s.cells}
    return Made(text, made, owner)


def known_of(made: Plan) -> Known:
    """What the lock would tell the next port."""
    steps = tuple(
        KnownStep(s.id, s.done, tuple(KnownCell(c.cell, c.function, c.original) for c in s.cells))
        for s in made.steps
    )
    return Known(steps, frozenset())


# --- notebooks --------------------------------------------------------------------------------------------------------


def notebook(world: World) -> list[Cell]:
    """A notebook of five to nine cells that use each other's names."""
    rng = world.rng
    names = rng.sample(WORDS, rng.randint(8, 12))
    cells = []
    for uid, name in enumerate(names):
        before = rng.choice(names[:uid]) if uid else "10"
        source = rng.choice(_BODIES).format(name=name, before=before, number=rng.randint(2, 99))
        title = name.capitalize() if rng.random() < 0.5 else ""
        cells.append(Cell(uid, world.fresh_id(), source, title))
    return cells


_BODIES = (
    "{name} = {before}\nprint('{name}', {number})\n{name}",
    "#| input: {name}_limit\n{name}_limit = {number}\n{name} = [{before}, {name}_limit]\nprint({name})",
    "def make_{name}(value):\n    return [value, {number}]\n\n{name} = make_{name}({before})\n{name}",
    "{name} = []\nfor item in range({number}):\n    if item % 2:\n        {name}.append(item)\nprint(len({name}))\n{name}[:3]",
    "import math\n\n{name} = {before}\n# how much of it\n{name}_share = math.sqrt({number})\nprint(f'{{{name}_share:.2f}}')",
    '{name} = """a text\n  of {name}\n"""\nprint({name} * {number})',
)


def new_source(world: World, name: str) -> str:
    token = world.token("N")
    return f"{name}_{token} = '{token}'\nprint({name}_{token}, {world.rng.randint(1, 99)})\nlen({name}_{token})"


def edit_notebook(world: World, cells: list[Cell], uid: int) -> list[Cell]:
    """The notebook after one edit."""
    rng = world.rng
    kind = rng.choices(
        [
            "rewrite",
            "change",
            "insert",
            "new",
            "delete",
            "move",
            "title",
            "import",
            "split",
            "merge",
            "ids",
        ],
        [2, 6, 6, 3, 2, 2, 2, 2, 1, 1, 1],
    )[0]
    world.kinds.append(f"notebook {kind}")
    at = rng.randrange(len(cells))
    cell = cells[at]
    lines = cell.source.split("\n")
    touched = {("cell", cell.uid)}
    result = list(cells)
    if kind in ("change", "insert", "import"):
        token = world.token("N")
        places = [n for n, line in enumerate(lines) if _free(lines, n)]
        place = rng.choice(places) if places else len(lines)
        indent = re.match(r" *", lines[place] if place < len(lines) else "")[0]
        line = f"import math as {token}" if kind == "import" else f"print('{token}')"
        if kind == "change" and place < len(lines) and lines[place].lstrip().startswith("print("):
            lines[place] = indent + line
        else:
            lines.insert(0 if lines[0][:2] != "#|" and kind == "import" else place, indent + line)
        result[at] = replace(cell, source="\n".join(lines))
    elif kind == "rewrite" and len(lines) > 2:
        # Two neighbouring statements become one.
        at_line = next((n for n in range(1, len(lines) - 1) if _plain(lines, n)), 0)
        if at_line:
            lines[at_line : at_line + 2] = [f"print('{world.token('N')}')"]
            result[at] = replace(cell, source="\n".join(lines))
    elif kind == "new":
        result.insert(
            rng.randint(0, len(cells)), Cell(uid, world.fresh_id(), new_source(world, "new"))
        )
        touched = {("cell", uid)}
    elif kind == "delete" and len(cells) > 2:
        del result[at]
        touched |= {("entry", cell.uid)}
    elif kind == "move":
        result.insert(rng.randrange(len(cells)), result.pop(at))
        touched = {("order", 0)}
    elif kind == "title":
        result[at] = replace(cell, title=f"Title {world.token('N')}")
        touched = {("entry", cell.uid)}
    elif kind == "split" and len(lines) > 3:
        half = next(
            (n for n in range(2, len(lines)) if lines[n][:1] not in (" ", "") and _free(lines, n)),
            0,
        )
        if half:
            one, two = "\n".join(lines[:half]), "\n".join(lines[half:])
            result[at : at + 1] = [
                replace(cell, id=world.fresh_id(), source=one),
                Cell(uid, world.fresh_id(), two),
            ]
            touched |= {("split", cell.uid)}
    elif kind == "merge" and at + 1 < len(cells) and "#|" not in cells[at + 1].source:
        following = result.pop(at + 1)
        source = f"{cell.source}\n{following.source}"
        keeps = cell.uid if len(cell.source) >= len(following.source) else following.uid
        result[at] = Cell(keeps, world.fresh_id(), source, cell.title)
        touched |= {
            ("cell", following.uid),
            ("entry", following.uid),
            ("entry", cell.uid),
            ("split", cell.uid),
        }
    elif kind == "ids":
        result = [replace(c, id=world.fresh_id()) for c in cells]
        touched = set()
    world.touched |= touched
    return result


def _plain(lines: list[str], number: int) -> bool:
    """Whether this line and the next are statements of their own that print."""
    two = lines[number : number + 2]
    return all(re.fullmatch(r"print\(.*\)|\w+|\w+\[:3\]", line) for line in two) and _free(
        lines, number
    )


def _free(lines: list[str], number: int) -> bool:
    """Whether a statement may stand before this line: not inside a string, not before a directive."""
    above = "\n".join(lines[:number])
    return (
        number > 0 and above.count('"""') % 2 == 0 and not lines[number].lstrip().startswith("#|")
    )


# --- hand edits -------------------------------------------------------------------------------------------------------


def edit_plugin(world: World, text: str, made: Made) -> str:
    """The plugin after one hand edit; the same when the edit finds no place."""
    rng = world.rng
    names = list(_EDITS)
    kind = rng.choices(names, [_EDITS[name][0] for name in names])[0]
    world.kinds.append(f"hand {kind}")
    edited = _EDITS[kind][1](world, text, made)
    try:
        ast.parse(edited)
    except SyntaxError:
        return text
    return edited


def _places(text: str, made: Made) -> list[tuple[str, int]]:
    """Lines of cells' code before which a statement may stand, with the function."""
    return [
        (node.name, statement.lineno - 1)
        for scope in ast.parse(text).body
        if isinstance(scope, ast.ClassDef)
        for node in scope.body
        if isinstance(node, ast.FunctionDef) and node.name in made.owner
        for statement in node.body
        if not isinstance(statement, ast.Global)
    ]


def _insert(world: World, text: str, made: Made) -> str:
    return _at_a_line(world, text, made, lambda line, new: [new, line])


def _change(world: World, text: str, made: Made) -> str:
    return _at_a_line(world, text, made, lambda line, new: [new] if "print(" in line and line.count("(") == line.count(")") and "return" not in line else [new, line])  # fmt: skip


def _wrap(world: World, text: str, made: Made) -> str:
    def wrapped(line: str, new: str) -> list[str]:
        if line.rstrip()[-1:] in (":", "(", "[") or '"""' in line or "return" in line:
            return [new, line]
        return [new.replace("print(", "if True or print(").rstrip() + ":", f"    {line}"]

    return _at_a_line(world, text, made, wrapped)


def _comment(world: World, text: str, made: Made) -> str:
    return _at_a_line(world, text, made, lambda line, new: [new.replace("print", "# "), line])


def _at_a_line(world: World, text: str, made: Made, make: Callable[[str, str], list[str]]) -> str:
    places = _places(text, made)
    if not places:
        return text
    name, number = world.rng.choice(places)
    world.touched.add(("cell", made.owner[name]))
    lines = text.split("\n")
    indent = re.match(r" *", lines[number])[0]
    lines[number : number + 1] = make(lines[number], f"{indent}print('{world.token('U')}')")
    return "\n".join(lines)


def _delete_line(world: World, text: str, made: Made) -> str:
    lines = text.split("\n")
    places = [(f, n) for f, n in _places(text, made) if re.match(r" *print\(.*\)$", lines[n])]
    if not places:
        return text
    name, number = world.rng.choice(places)
    world.touched.add(("cell", made.owner[name]))
    del lines[number]
    return "\n".join(lines)


def _above(world: World, text: str, made: Made) -> str:
    name = world.rng.choice(sorted(made.owner))
    return re.sub(
        rf"^(    @cell\(.*\)\n    (?:async )?def {name}\()",
        f"    # {world.token('U')}\n\\1",
        text,
        flags=re.M,
    )


def _method(world: World, text: str, made: Made) -> str:
    token = world.token("U")
    method = f"    def own_{token}(self):\n        return '{token}'\n\n"
    anchor = world.rng.choice(
        ["    async def landing", "    async def unfinalize", "    # --- START_STEP_BUNDLE"]
    )
    return text.replace(anchor, method + anchor, 1)


def _import(world: World, text: str, made: Made) -> str:
    if world.rng.random() < 0.5:
        return text.replace("    Small,\n", "", 1).replace(
            "    Response,\n", f"    Response,\n    Strong as {world.token('U')},\n", 1
        )
    return text.replace("from textwrap", f"import os as {world.token('U')}\nfrom textwrap", 1)


def _entry(world: World, text: str, made: Made) -> str:
    step = world.rng.choice(made.plan.steps)
    world.touched.add(("entry", made.owner[step.cells[-1].function]))
    pattern = rf'(id="{step.id}",\n\s+done=.*\n\s+show=).*\n'
    return re.sub(pattern, rf'\1"{world.token("U")}",' + "\n", text, count=1)


def _handler(world: World, text: str, made: Made) -> str:
    step = world.rng.choice(made.plan.steps)
    world.touched.add(("step", made.owner[step.cells[-1].function]))
    here = f"    async def {step.id}(self, request):\n"
    at = text.find('"Running…"', text.find(here))
    return text if at < 0 else text[:at] + f'"{world.token("U")}"' + text[at + len('"Running…"') :]


def _quotes(world: World, text: str, made: Made) -> str:
    """What a formatter does: no edit."""
    start = text.find("    async def landing")
    return text[:start].replace('name="x"', "name='x'") + text[start:].replace(
        'data_state="input"', "data_state='input'", 1
    )


def _delete_step(world: World, text: str, made: Made) -> str:
    step = world.rng.choice(made.plan.steps[1:] or made.plan.steps)
    for cell in step.cells:
        world.touched |= {("cell", made.owner[cell.function]), ("entry", made.owner[cell.function])}
    text = re.sub(
        rf'            Step\(\n\s+id="{step.id}",\n(?:.*\n){{3}}            \),\n', "", text
    )
    return re.sub(
        rf"    # --- START_STEP_BUNDLE: {step.id} ---\n(?s:.*?)END_STEP_BUNDLE: {step.id} ---\n\n?",
        "",
        text,
    )


_EDITS: dict[str, tuple[int, Callable[[World, str, Made], str]]] = {
    "insert": (5, _insert),
    "change": (4, _change),
    "delete": (2, _delete_line),
    "wrap": (2, _wrap),
    "comment": (2, _comment),
    "above": (2, _above),
    "method": (2, _method),
    "import": (2, _import),
    "entry": (2, _entry),
    "handler": (2, _handler),
    "reformat": (1, _quotes),
    "step": (1, _delete_step),
}
