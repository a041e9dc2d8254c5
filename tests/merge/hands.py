"""Edits of a plugin by hand, by chance: twelve kinds, each as often as another.

An edit of lines goes to a random step, with even odds into the code of its cell or into its form and handlers.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import black

from tests.merge.notebooks import ORDER, Made, World

_METHOD = re.compile(r"^    (?:async )?def (step_\d+\w*)\(", re.MULTILINE)
_NEXT = re.compile(r"^(?:    (?:def |async def |@|# )|[A-Za-z#@])", re.MULTILINE)


@dataclass(frozen=True)
class Method:
    """A method of a step in the plugin's text, without what stands above its `def`."""

    name: str
    start: int
    end: int


def edit_plugin(world: World, text: str, made: Made) -> str:
    """The plugin after one edit; the same when the edit finds no place."""
    kind = world.rng.choice(list(HAND_EDITS))
    world.kinds.append(f"hand {kind}")
    return HAND_EDITS[kind](world, text, made)


# --- lines of a step's methods ----------------------------------------------------------------------------------------


def methods(text: str) -> list[Method]:
    """The methods of the steps."""
    found = []
    for match in _METHOD.finditer(text):
        after = _NEXT.search(text, match.end())
        found.append(Method(match[1], match.start(), after.start() if after else len(text)))
    return found


def _chosen(world: World, text: str, made: Made) -> tuple[Method, list[str]]:
    """A method by chance, and its lines."""
    rng = world.rng
    there = methods(text)
    step = rng.choice(sorted({re.match(r"step_\d+", m.name)[0] for m in there}))  # type: ignore[index]
    of_step = [m for m in there if re.match(rf"{step}(?!\d)", m.name)]
    cells = [m for m in of_step if _is_cell(m.name)]
    others = [m for m in of_step if not _is_cell(m.name)]
    method = rng.choice((cells if rng.random() < 0.5 else others) or of_step)
    world.touched.add((made.owner.get(method.name, -2), _part(method.name)))
    return method, text[method.start : method.end].split("\n")


def _is_cell(name: str) -> bool:
    return "_cell" in name or "_setup" in name


def _part(name: str) -> str:
    return "code" if _is_cell(name) else "form" if name.endswith("_form") else "card"


def _put(text: str, method: Method, lines: list[str]) -> str:
    """The text with other lines for a method, if they are Python."""
    new = "\n".join(lines)
    try:
        ast.parse(f"class C:\n{new}")
    except SyntaxError:
        return text
    return text[: method.start] + new + text[method.end :]


def _statements(lines: list[str]) -> list[ast.stmt]:
    """The statements of a method, those inside others, too. Lines count from 1 at its `def`."""
    (holder,) = ast.parse("class C:\n" + "\n".join(lines)).body
    assert isinstance(holder, ast.ClassDef)
    found = []
    for node in ast.walk(holder.body[0]):
        if isinstance(node, ast.stmt) and not isinstance(node, ast.Global) and node.lineno > 2:
            found.append(node)
    return sorted(found, key=lambda n: n.lineno)


def _at_a_statement(
    world: World, text: str, made: Made, make: Callable[[list[str], str, ast.stmt], list[str]]
) -> str:
    """Put lines in the place of a statement's lines; `make` gets them, an indentation, and the statement."""
    method, lines = _chosen(world, text, made)
    places = _statements(lines)
    if not places:
        return text
    node = world.rng.choice(places)
    first, last = node.lineno - 2, (node.end_lineno or node.lineno) - 1
    indent = re.match(r" *", lines[first])[0]  # type: ignore[index]
    return _put(text, method, lines[:first] + make(lines[first:last], indent, node) + lines[last:])


def _insert(world: World, text: str, made: Made) -> str:
    token = world.token("U")
    return _at_a_statement(world, text, made, lambda old, i, _: [f"{i}print('{token}')", *old])


def _comment(world: World, text: str, made: Made) -> str:
    """Above a statement, or above a whole method."""
    token = world.token("U")
    if world.rng.random() < 0.5:
        return _at_a_statement(world, text, made, lambda old, i, _: [f"{i}# {token}", *old])
    method, _ = _chosen(world, text, made)
    start = method.start
    decorator = text.rfind("\n", 0, start - 1) + 1
    if text[decorator:start].startswith("    @"):
        start = decorator
    return f"{text[:start]}    # {token}\n{text[start:]}"


def _wrap(world: World, text: str, made: Made) -> str:
    token = world.token("U")

    def wrapped(old: list[str], indent: str, node: ast.stmt) -> list[str]:
        if any('"""' in line for line in old):
            return [f"{indent}print('{token}')", *old]
        return [f"{indent}if '{token}':", *(f"    {line}" if line else "" for line in old)]

    return _at_a_statement(world, text, made, wrapped)


def _change(world: World, text: str, made: Made) -> str:
    """Another text in a line; the call of a function becomes another one."""
    method, lines = _chosen(world, text, made)
    token = world.token("U")
    places = [n for n, line in enumerate(lines) if _TEXT.search(line) and '"""' not in line]
    if not places:
        return text
    place = world.rng.choice(places)
    lines[place] = _TEXT.sub(f'"{token}"', lines[place], count=1)
    return _put(text, method, lines)


_TEXT = re.compile(r'(?<![\w"])"[^"{}\\]*"')


def _delete_line(world: World, text: str, made: Made) -> str:
    method, lines = _chosen(world, text, made)
    places = [n for n in _statements(lines) if isinstance(n, ast.Expr | ast.Assign) and n.lineno == n.end_lineno]  # fmt: skip
    if not places:
        return text
    del lines[world.rng.choice(places).lineno - 2]
    return _put(text, method, lines)


HELPERS = ("card", "form", "run_form", "back_button")


def _rename(world: World, text: str, made: Made) -> str:
    """A variable of one method, or a helper everywhere, as an editor does it."""
    token = world.token("U")
    if world.rng.random() < 0.5:
        helper = world.rng.choice(HELPERS)
        return re.sub(rf"\b(def |self\.){helper}\(", rf"\1{helper}_{token}(", text)
    method, lines = _chosen(world, text, made)
    names = sorted({n.id for s in _statements(lines) for n in ast.walk(s)
                    if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)})  # fmt: skip
    if not names:
        return text
    name = world.rng.choice(names)
    new = re.sub(rf"(?<![\w.'\"]){name}\b(?!['\"])", f"{name}_{token}", "\n".join(lines))
    return _put(text, method, new.split("\n"))


# --- other parts ------------------------------------------------------------------------------------------------------


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


_ENTRY = r' {12}Step\(\n\s+id="STEP",\n(?:.*\n){2} {12}\),\n'


def _entry(world: World, text: str, made: Made) -> str:
    step = world.rng.choice(made.plan.steps)
    world.touched.add((made.owner[step.id], "entry"))
    pattern = rf'(id="{step.id}",\n\s+done=.*\n\s+show=).*\n'
    return re.sub(pattern, rf'\1"{world.token("U")}",' + "\n", text, count=1)


def _reorder(world: World, text: str, made: Made) -> str:
    """Two neighbours in the steps list, or two methods."""
    if world.rng.random() < 0.5:
        world.touched.add((ORDER, "order"))
        at = world.rng.randrange(len(made.plan.steps) - 1)
        ids = [step.id for step in made.plan.steps[at : at + 2]]
        pattern = "".join(f"({_ENTRY.replace('STEP', name)})" for name in ids)
        return re.sub(pattern, r"\2\1", text, count=1)
    start = text.index("    async def unfinalize")
    end = text.index("    # --- START", start)
    there = text.index("    async def landing")
    if there > start or "    # " in text[start:end]:
        return text
    return text[:there] + text[start:end] + text[there:start] + text[end:]


def _delete_step(world: World, text: str, made: Made) -> str:
    step = world.rng.choice(made.plan.steps[1:] or made.plan.steps)
    world.touched.add((made.owner[step.id], "*"))
    text = re.sub(_ENTRY.replace("STEP", step.id), "", text)
    return re.sub(
        rf"    # --- START_STEP_BUNDLE: {step.id} ---\n(?s:.*?)END_STEP_BUNDLE: {step.id} ---\n\n?",
        "",
        text,
    )


# --- formatting -------------------------------------------------------------------------------------------------------


def _reformat(world: World, text: str, made: Made) -> str:
    """What an editor does to a method, or to the plugin, with other settings than ours: no edit."""
    width = world.rng.choice([72, 100, 120])
    if world.rng.random() < 0.5:
        there = methods(text)
        method = world.rng.choice(there)
        lines = text[method.start : method.end]
        body = lines.rstrip("\n")
        return text.replace(lines, _black(body, width) + lines[len(body) :], 1)
    pieces = list(_pieces(text))
    return "".join(_black(t, width) if is_method else t for t, is_method in pieces)


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """The text, cut at the methods of steps. Black sees the same one often, and needs it once."""
    at = 0
    for method in methods(text):
        end = method.start + len(text[method.start : method.end].rstrip("\n"))
        yield text[at : method.start], False
        yield text[method.start : end], True
        at = end
    yield text[at:], False


@cache
def _black(method: str, width: int) -> str:
    """A method as black formats it in its class."""
    made = black.format_str(f"class C:\n{method}\n", mode=black.Mode(line_length=width))
    return made.removeprefix("class C:\n").rstrip("\n")


HAND_EDITS: dict[str, Callable[[World, str, Made], str]] = {
    "insert": _insert,
    "change": _change,
    "delete": _delete_line,
    "comment": _comment,
    "method": _method,
    "import": _import,
    "entry": _entry,
    "rename": _rename,
    "wrap": _wrap,
    "reformat": _reformat,
    "reorder": _reorder,
    "delete step": _delete_step,
}
