"""Cuts a plugin into units whose texts, put together, are the file again, byte for byte.

A unit is a statement of the module or of the workflow class with the comments above it. Groups hold units: the module,
its classes, a step's bundle from its START to its END line, and `__init__` with an entry of the steps list each. Lines are
never printed from a tree: they are slices of the text. Only `\\n` ends a line here, as for `ast`.
"""

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

WORKFLOW = "class of the workflow"
_START = re.compile(r"^\s*# --- START_STEP_BUNDLE: (\w+) ---")
_END = re.compile(r"^\s*# --- END_STEP_BUNDLE: (\w+) ---")
# A comment that an empty line parts from what follows, or that stands between dashes
_APART = re.compile(r"([ \t]*# --- .* ---\n|(?:[ \t]*#.*\n)+(?=[ \t]*\n))((?:[ \t]*\n)*)")
_COMMENT = re.compile(r"\s*(#|$)")
_STEP = re.compile(r"^(step_\d+)(?:_|$)")


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of the plugin: a leaf, which is merged as a whole or by its lines, unless it is a `Group`."""

    key: str
    gap: str  # The empty lines above it
    head: str  # A leaf's text, or what stands before the members of a group

    @property
    def whole(self) -> str:
        """The text without the empty lines above it."""
        return self.head


@dataclass(frozen=True, slots=True)
class Group(Unit):
    """Units with what stands before and after them."""

    members: tuple[Unit, ...] = ()
    tail: str = ""

    @property
    def whole(self) -> str:
        """The text without the empty lines above it."""
        return self.head + "".join(text_of(member) for member in self.members) + self.tail


def text_of(unit: Unit) -> str:
    """Return the text of a unit, with the empty lines above it."""
    return unit.gap + unit.whole


def cut(text: str, bundles: Iterable[str] = ()) -> Group:
    """Return the file as a group of units. `text_of` of it is `text`.

    `bundles` are ids of steps whose methods are a bundle even where the START line is gone. Raises SyntaxError or
    ValueError when the text is not Python.
    """
    lines = split_lines(text)
    body = parse_plugin(text).body
    members, tail = _statements(lines, body, 0, len(lines))
    done = [_open_class(leaf, node, lines, end, set(bundles)) for leaf, node, end in members]
    return Group("", "", "", _number_keys(done), tail)


@lru_cache(maxsize=8)
def parse_plugin(text: str) -> ast.Module:
    """Return the syntax tree of a plugin; callers must not change it. Raises SyntaxError or ValueError."""
    # Python warns of "\\d" in the notebook's own strings, at each of our looks at them
    with warnings.catch_warnings(action="ignore"):
        return ast.parse(text)


def split_lines(text: str) -> list[str]:
    """Return the lines of a text with their ends. Only `\\n` ends a line: a form feed does not."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def parse_members(text: str) -> list[ast.stmt]:
    """Return the statements of a text as it stands in a class, a line further down; none where it is not Python."""
    try:
        (holder,) = ast.parse(f"class C:\n{text}").body
    except (SyntaxError, ValueError):
        return []
    return holder.body if isinstance(holder, ast.ClassDef) else []


def cut_bundle(text: str) -> Group | None:
    """Return one bundle as a group, as `cut` gives it in its class; None when the text is not one."""
    try:
        (holder,) = cut(f"class C:\n{text}").members
    except (SyntaxError, ValueError):
        return None
    members = holder.members if isinstance(holder, Group) else ()
    found = [unit for unit in members if isinstance(unit, Group)]
    return found[0] if len(found) == 1 else None


def split_comments(text: str) -> tuple[str, str]:
    """Return the empty lines and comments at the beginning of a text, and the rest."""
    lines = split_lines(text)
    number = next((n for n, li in enumerate(lines) if not _COMMENT.match(li)), len(lines))
    return "".join(lines[:number]), "".join(lines[number:])


def walk(unit: Unit, path: str = "") -> Iterator[tuple[str, Unit]]:
    """Give all units below one, each with its path."""
    for member in unit.members if isinstance(unit, Group) else ():
        there = f"{path}/{member.key}" if path else member.key
        yield there, member
        yield from walk(member, there)


def step_of(name: str) -> str | None:
    """Return the id of the step that a method or a path belongs to."""
    for part in name.split("/"):
        if found := _STEP.match(part.partition(" ")[2] or part):
            return found[1]
    return None


# --- statements -------------------------------------------------------------------------------------------------------


def _statements(
    lines: Sequence[str], body: Sequence[ast.stmt], start: int, end: int
) -> tuple[list[tuple[Unit, ast.stmt, int]], str]:
    """The statements between two lines as leaves, each with its node and the line after it, and the text after the last.

    Statements that share a line are one.
    """
    spans: list[tuple[ast.stmt, int, int]] = []
    for node in body:
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(d.lineno for d in decorators)]) - 1
        last = node.end_lineno or node.lineno
        if spans and first < spans[-1][2]:
            spans[-1] = (*spans[-1][:2], max(spans[-1][2], last))
        else:
            spans.append((node, first, last))
    found = []
    at = start
    limits = [*(first for _, first, _ in spans[1:]), end]
    for (node, _, last), limit in zip(spans, limits, strict=False):
        last = _with_comments(lines, node, last, limit)
        gap, text = _split_blank_lines(lines[at:last])
        found.append((Unit(_key(node), gap, text), node, last))
        at = last
    return found, "".join(lines[at:end])


def _with_comments(lines: Sequence[str], node: ast.stmt, last: int, limit: int) -> int:
    """The end of a statement with the comments that stand deeper than it: they belong to its body."""
    if not hasattr(node, "body"):
        return last
    for number in range(last, limit):
        line = lines[number].expandtabs(8)
        bare = line.strip()
        if bare and not (bare.startswith("#") and len(line) - len(line.lstrip()) > node.col_offset):
            break
        if bare:
            last = number + 1
    return last


def _split_blank_lines(lines: Sequence[str]) -> tuple[str, str]:
    """The empty lines at the beginning, and the rest."""
    number = next((n for n, line in enumerate(lines) if line.strip()), len(lines))
    return "".join(lines[:number]), "".join(lines[number:])


def _key(node: ast.stmt) -> str:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return f"def {name}"
        case ast.ClassDef(name=name):
            return f"class {name}"
        case ast.Import(names=[alias]):
            return f"import {alias.name} {alias.asname or ''}".rstrip()
        case ast.ImportFrom(module=module, level=level):
            return f"from {'.' * level}{module or ''}"
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return f"name {name}"
        case ast.Expr(value=ast.Constant(value=str())):
            return "docstring"
    kind = type(node).__name__.lower()
    return f"{kind} {ast.unparse(node).splitlines()[0]}"


def _number_keys(units: Iterable[Unit]) -> tuple[Unit, ...]:
    """The units, and those in them, with a number behind a key that was there before."""
    seen: dict[str, int] = {}
    result = []
    for unit in units:
        count = seen[unit.key] = seen.get(unit.key, 0) + 1
        if isinstance(unit, Group):
            unit = replace(unit, members=_number_keys(unit.members))
        result.append(unit if count == 1 else replace(unit, key=f"{unit.key} #{count}"))
    return tuple(result)


# --- groups -----------------------------------------------------------------------------------------------------------


def _open_class(
    leaf: Unit, node: ast.stmt, lines: Sequence[str], last: int, bundles: set[str]
) -> Unit:
    """A class whose body stands below its first line, as a group; anything else as it is."""
    if not isinstance(node, ast.ClassDef):
        return leaf
    begin = _header_end(lines, node.lineno - 1, last)
    if node.body[0].lineno - 1 < begin:
        return leaf
    members, tail = _statements(lines, node.body, begin, last)
    units = [_open_steps_list(member, statement, lines, end) for member, statement, end in members]
    head = leaf.head.removesuffix("".join(lines[begin:last]))
    inside, tail = _group_bundles(units, tail)
    inside = [each for unit in _gather_bundle(inside, bundles) for each in _comments_apart(unit)]
    is_workflow = any(u.key == "name APP_NAME" or u.key.startswith("step_") for u in inside)
    return Group(WORKFLOW if is_workflow else leaf.key, leaf.gap, head, tuple(inside), tail)


def _comments_apart(unit: Unit) -> Iterator[Unit]:
    """A unit of the frame, and before it the comments that are not its own: an owner may put a method between the two."""
    while step_of(unit.key) != unit.key and (found := _APART.match(unit.head)):
        words = " ".join(re.findall(r"\w+", found[1].partition("\n")[0]))
        yield Unit(f"comment {words}", unit.gap, found[1])
        unit = replace(unit, gap=found[2], head=unit.head[found.end() :])
    yield unit


def _header_end(lines: Sequence[str], start: int, end: int) -> int:
    """The line after `class C(...):`, or after its body where that stands beside it."""
    tokens = tokenize.generate_tokens(io.StringIO("".join(lines[start:end])).readline)
    return next(start + token.start[0] for token in tokens if token.type == tokenize.NEWLINE)


def _group_bundles(units: Sequence[Unit], tail: str) -> tuple[list[Unit], str]:
    """The units of a class with those between the markers of a step in a group, and the text after the last."""
    result: list[Unit] = []
    seen: set[str] = set()
    group: Group | None = None  # The last of the result, while it is open

    def markers(comments: str) -> str:
        """Open and close groups at the marker lines; return what stands after the last one."""
        nonlocal group
        held = ""
        for line in split_lines(comments):
            held += line
            if (found := _END.match(line)) and group is not None and group.key == found[1]:
                result[-1] = replace(group, tail=held)
                group, held = None, ""
            elif (found := _START.match(line)) and found[1] not in seen:
                gap, head = _split_blank_lines(split_lines(held))
                result.append(group := Group(found[1], gap, head))
                seen.add(found[1])
                held = ""
        return held

    for unit in units:
        comments, rest = split_comments(unit.head)
        if "_STEP_BUNDLE: " in comments:
            gap, comments = _split_blank_lines(split_lines(markers(unit.gap + comments)))
            unit = replace(unit, gap=gap, head=comments + rest)
        if group is None:
            result.append(unit)
        else:
            result[-1] = group = replace(group, members=(*group.members, unit))
    return result, markers(tail)


def _gather_bundle(units: Sequence[Unit], bundles: set[str]) -> list[Unit]:
    """Make a bundle of neighbouring methods of a step whose START line is gone."""
    missing = bundles - {unit.key for unit in units if isinstance(unit, Group)}
    result: list[Unit] = []
    for unit in units:
        step = None if isinstance(unit, Group) else step_of(unit.key)
        last = result[-1] if result else None
        if step in missing and isinstance(last, Group) and last.key == step:
            result[-1] = replace(last, members=(*last.members, unit))
        elif step in missing and not any(u.key == step for u in result):
            result.append(Group(step, unit.gap, "", (replace(unit, gap=""),)))
        else:
            result.append(unit)
    return result


def _open_steps_list(leaf: Unit, node: ast.stmt, lines: Sequence[str], last: int) -> Unit:
    """`__init__` with a unit for each entry of its steps list, where each has lines of its own; anything else as it is."""
    if not isinstance(node, ast.FunctionDef) or node.name != "__init__":
        return leaf
    for statement in node.body:
        match statement:
            case ast.Assign(
                targets=[ast.Attribute(attr="steps", value=ast.Name(id="self"))],
                value=ast.List(elts=[_, *_] as entries) as listed,
            ):
                break
    else:
        return leaf
    begin = listed.lineno
    close = (listed.end_lineno or 0) - 1
    if lines[begin - 1].rstrip()[-1:] != "[" or lines[close].strip()[:1] != "]":
        return leaf
    units: list[Unit] = []
    at = begin
    for entry in entries:
        end = entry.end_lineno or entry.lineno
        after = lines[end - 1].encode()[entry.end_col_offset or 0 :].decode().strip()
        if entry.lineno - 1 < at or not re.fullmatch(r",\s*(#.*)?", after):
            return leaf
        gap, text = _split_blank_lines(lines[at:end])
        units.append(Unit(f"entry {step_id(entry) or ast.unparse(entry)}", gap, text))
        at = end
    head = leaf.head.removesuffix("".join(lines[begin:last]))
    return Group(leaf.key, leaf.gap, head, tuple(units), "".join(lines[at:last]))


def step_id(entry: ast.expr) -> str | None:
    """Return what a call in the steps list says of its `id`; None where it says nothing."""
    for keyword in entry.keywords if isinstance(entry, ast.Call) else ():
        if keyword.arg == "id" and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value)
    return None
