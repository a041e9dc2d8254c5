"""Cuts a plugin into units whose texts, put together, are the file again, byte for byte.

A unit is a statement of the module or of the workflow class with the comments above it. Groups hold units: the module,
its classes, a step's bundle from its START to its END line, and `__init__` with an entry of the steps list each. Lines are
never printed from a tree: they are slices of the text. Only `\\n` ends a line here, as for `ast`.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

WORKFLOW = "class of the workflow"
_START = re.compile(r"^\s*# --- START_STEP_BUNDLE: (\w+) ---")
_END = re.compile(r"^\s*# --- END_STEP_BUNDLE: (\w+) ---")
_STEP = re.compile(r"^(step_\d+)(?:_|$)")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A piece of text that is merged as a whole or by its lines."""

    key: str
    gap: str  # The empty lines above it
    text: str

    @property
    def whole(self) -> str:
        """The text without the empty lines above it."""
        return self.text


@dataclass(frozen=True, slots=True)
class Group:
    """Units with what stands before and after them."""

    key: str
    gap: str
    head: str
    members: tuple["Unit", ...]
    tail: str

    @property
    def whole(self) -> str:
        """The text without the empty lines above it."""
        return self.head + "".join(text_of(member) for member in self.members) + self.tail


Unit = Leaf | Group


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
    members, tail = _statements(lines, body, 0, len(lines), top=True)
    done = [_open_class(leaf, node, lines, span, set(bundles)) for leaf, node, span in members]
    return Group("", "", "", _number_keys(done), tail)


@lru_cache(maxsize=8)
def parse_plugin(text: str) -> ast.Module:
    """Return the syntax tree of a plugin; callers must not change it. Raises SyntaxError or ValueError."""
    return ast.parse(text)


def split_lines(text: str) -> list[str]:
    """Return the lines of a text with their ends. Only `\\n` ends a line: a form feed does not."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def cut_bundle(text: str) -> Group | None:
    """Return one bundle as a group, as `cut` gives it in its class; None when the text is not one."""
    try:
        (holder,) = cut(f"class C:\n{text}").members
    except (SyntaxError, ValueError):
        return None
    found = [u for u in holder.members if isinstance(u, Group)] if isinstance(holder, Group) else []
    return found[0] if len(found) == 1 else None


def walk(unit: Unit, path: str = "") -> Iterator[tuple[str, Unit]]:
    """Give all units below one, each with its path."""
    if isinstance(unit, Group):
        for member in unit.members:
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

_Span = tuple[int, int]


def _statements(
    lines: Sequence[str], body: Sequence[ast.stmt], start: int, end: int, top: bool = False
) -> tuple[list[tuple[Leaf, ast.stmt, _Span]], str]:
    """The statements between two lines as leaves, each with its node and its lines, and the text after the last."""
    found = []
    at = start
    for node, first, last in _spans(lines, body, end):
        gap, above = _split_blank_lines(lines[at:first])
        leaf = Leaf(_key(node, top), gap, above + "".join(lines[first:last]))
        found.append((leaf, node, (first, last)))
        at = last
    return found, "".join(lines[at:end])


def _spans(
    lines: Sequence[str], body: Sequence[ast.stmt], limit: int
) -> Iterator[tuple[ast.stmt, int, int]]:
    """Each statement with its first line and the line after it (0-based). What shares a line is one."""
    held: tuple[ast.stmt, int, int] | None = None
    for node in body:
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(d.lineno for d in decorators)]) - 1
        last = node.end_lineno or node.lineno
        if held and first < held[2]:
            held = (held[0], held[1], max(held[2], last))
            continue
        if held:
            yield held[0], held[1], _with_comments(lines, held[0], held[2], first)
        held = (node, first, last)
    if held:
        yield held[0], held[1], _with_comments(lines, held[0], held[2], limit)


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


def _key(node: ast.stmt, top: bool) -> str:
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
    """The units with a number behind a key that was there before."""
    seen: dict[str, int] = {}
    result = []
    for unit in units:
        count = seen[unit.key] = seen.get(unit.key, 0) + 1
        result.append(unit if count == 1 else replace(unit, key=f"{unit.key} #{count}"))
    return tuple(result)


# --- groups -----------------------------------------------------------------------------------------------------------


def _open_class(
    leaf: Leaf, node: ast.stmt, lines: Sequence[str], span: _Span, bundles: set[str]
) -> Unit:
    """A class whose body stands below its first line, as a group; anything else as it is."""
    if not isinstance(node, ast.ClassDef):
        return leaf
    first, last = span
    begin = _header_end(lines, node.lineno - 1, last)
    if begin is None or node.body[0].lineno - 1 < begin:
        return leaf
    members, tail = _statements(lines, node.body, begin, last)
    units: list[tuple[Unit, str]] = []
    for member, statement, where in members:
        unit: Unit = member
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            unit = _open_steps_list(member, statement, lines, where)
        units.append((unit, member.text))
    above = leaf.text[: len(leaf.text) - sum(map(len, lines[first:last]))]
    head = above + "".join(lines[first:begin])
    inside, tail = _group_bundles(units, tail, lines)
    inside = _gather_bundle(inside, bundles)
    is_workflow = any(u.key == "name APP_NAME" or u.key.startswith("step_") for u in inside)
    return Group(WORKFLOW if is_workflow else leaf.key, leaf.gap, head, _number_keys(inside), tail)


def _header_end(lines: Sequence[str], start: int, end: int) -> int | None:
    """The line after `class C(...):`, or None when its body stands beside it."""
    source = io.StringIO("".join(lines[start:end]))
    for token in tokenize.generate_tokens(source.readline):
        if token.type == tokenize.NEWLINE:
            return start + token.start[0]
    return None


def _group_bundles(
    units: Sequence[tuple[Unit, str]], tail: str, lines: Sequence[str]
) -> tuple[list[Unit], str]:
    result: list[Unit] = []
    seen: set[str] = set()
    group: Group | None = None

    def close(gap: str = "") -> None:
        nonlocal group
        if group is not None:
            result.append(replace(group, members=_number_keys(group.members), tail=gap))
            group = None

    def markers(comments: str) -> str:
        """Open and close groups at the marker lines; return what stands after the last one."""
        nonlocal group
        held = ""
        for line in split_lines(comments):
            held += line
            if (found := _END.match(line)) and group is not None and group.key == found[1]:
                close(held)
                held = ""
            elif (found := _START.match(line)) and found[1] not in seen:
                close()
                gap, head = _split_blank_lines(split_lines(held))
                group = Group(found[1], gap, head, (), "")
                seen.add(found[1])
                held = ""
        return held

    for unit, text in units:
        above = _comments_of(unit.gap, text)
        if "_STEP_BUNDLE: " in above:
            held = markers(above)
            gap, comments = _split_blank_lines(split_lines(held))
            rest = text[len(above) - len(unit.gap) :]
            unit = (
                replace(unit, gap=gap, text=comments + rest)
                if isinstance(unit, Leaf)
                else replace(unit, gap=gap, head=comments + unit.head[len(above) - len(unit.gap) :])
            )
        if group is not None:
            group = replace(group, members=(*group.members, unit))
        else:
            result.append(unit)
    rest = markers(tail) if "_STEP_BUNDLE: " in tail else tail
    close()
    return result, rest


def _comments_of(gap: str, text: str) -> str:
    """The empty lines and comments at the beginning of a unit."""
    above = gap
    for line in text.split("\n"):
        bare = line.strip()
        if bare and not bare.startswith("#"):
            break
        above += f"{line}\n"
    return above


def _gather_bundle(units: Sequence[Unit], bundles: set[str]) -> list[Unit]:
    """Make a bundle of neighbouring methods of a step whose START line is gone."""
    missing = bundles - {unit.key for unit in units if isinstance(unit, Group)}
    result: list[Unit] = []
    for unit in units:
        step = step_of(unit.key) if isinstance(unit, Leaf) else None
        last = result[-1] if result else None
        if step in missing and isinstance(last, Group) and last.key == step:
            result[-1] = replace(last, members=_number_keys((*last.members, unit)))
        elif step in missing and not any(u.key == step for u in result):
            result.append(Group(step, unit.gap, "", (replace(unit, gap=""),), ""))
        else:
            result.append(unit)
    return result


def _open_steps_list(leaf: Leaf, node: ast.FunctionDef, lines: Sequence[str], span: _Span) -> Unit:
    """`__init__` with a unit for each entry of its steps list, where each has lines of its own."""
    for statement in node.body:
        match statement:
            case ast.Assign(
                targets=[ast.Attribute(attr="steps", value=ast.Name(id="self"))],
                value=ast.List(elts=[_, *_] as entries) as listed,
            ):
                break
    else:
        return leaf
    first, last = span
    begin = listed.lineno
    close = (listed.end_lineno or 0) - 1
    if lines[begin - 1].rstrip()[-1:] != "[" or lines[close].strip()[:1] != "]":
        return leaf
    above = leaf.text[: len(leaf.text) - sum(map(len, lines[first:last]))]
    units = []
    at = begin
    for entry in entries:
        end = entry.end_lineno or entry.lineno
        after = lines[end - 1].encode()[entry.end_col_offset or 0 :].decode().strip()
        if entry.lineno - 1 < at or not re.fullmatch(r",\s*(#.*)?", after):
            return leaf
        gap, comments = _split_blank_lines(lines[at : entry.lineno - 1])
        units.append(
            Leaf(_entry_key(entry), gap, comments + "".join(lines[entry.lineno - 1 : end]))
        )
        at = end
    head = above + "".join(lines[first:begin])
    return Group(leaf.key, leaf.gap, head, _number_keys(units), "".join(lines[at:last]))


def _entry_key(entry: ast.expr) -> str:
    if isinstance(entry, ast.Call):
        for keyword in entry.keywords:
            if keyword.arg == "id" and isinstance(keyword.value, ast.Constant):
                return f"entry {keyword.value.value!s}"
    return f"entry {ast.unparse(entry)}"
