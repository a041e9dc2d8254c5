"""Merges the `global` lines at the top of a cell's function by their names: the compiler writes them, users add to them."""

import re
import symtable
import textwrap
from dataclasses import dataclass

from transpiler.merge.units import split_lines

WIDTH = 88
_GLOBAL = re.compile(r"^(\s+)global (\w+(?:, *\w+)*)\s*(#.*)?$")


@dataclass(frozen=True, slots=True)
class _CellFunction:
    """The text of a cell's function, taken apart. `names` has the comment of each declared name."""

    head: str
    block: str
    rest: str
    indent: str
    names: dict[str, str]

    def bound(self) -> set[str]:
        try:
            module = symtable.symtable(f"class C:\n{self.head}{self.block}{self.rest}", "", "exec")
            (function,) = module.get_children()[0].get_children()
        except (SyntaxError, ValueError):
            return set()
        symbols = [s for s in function.get_symbols() if s.is_assigned() or s.is_imported()]
        return {s.get_name() for s in symbols} & set(self.names)


Sides = tuple[str, str, str]


def with_one_block(sides: Sides, both: bool = False) -> tuple[Sides, tuple[str, ...]]:
    """Return base, ours and theirs with the merged `global` lines in each, and the lines that went for it.

    The texts are as they came where there is nothing to merge, or where it cannot be done by names. `both`: the statements of
    both sides will stand below, so what either of them binds stays declared.
    """
    base, ours, theirs = (_cell(side) for side in sides)
    if base is None or ours is None or theirs is None:
        return sides, ()
    if base.block in (ours.block, theirs.block) and not both:
        return sides, ()
    bound = (ours.bound() | theirs.bound()) if both else set()
    names = {
        name: comment
        for name, comment in (theirs.names | ours.names | theirs.names).items()
        if name in bound
        or (name in ours.names if (name in theirs.names) == (name in base.names) else name in theirs.names)
    }  # fmt: skip
    block = next(
        (one.block for one in (theirs, ours) if one.names == names), _written(names, theirs.indent)
    )
    b, o, t = (one.head + block + one.rest for one in (base, ours, theirs))
    return (b, o, t), (ours.block, theirs.block)


def with_globals_of(like: str, text: str) -> str:
    """Return a cell's text with the `global` lines of another one; as it is where either has none to merge."""
    one, other = _cell(text), _cell(like)
    return text if one is None or other is None else one.head + other.block + one.rest


def _cell(text: str) -> _CellFunction | None:
    """A cell's function; None for anything else, or where its `global` lines hold more than names."""
    lines = split_lines(text)
    first = next((n + 1 for n, line in enumerate(lines) if re.match(r"\s+(async )?def ", line)), 0)
    if not first or not any(line.lstrip().startswith("@cell(") for line in lines[:first]):
        return None
    last = first
    names: dict[str, str] = {}
    indent = "        "
    while last < len(lines) and (found := _GLOBAL.match(lines[last].rstrip("\n"))):
        indent = found[1]
        names |= dict.fromkeys(re.split(r", *", found[2]), found[3] or "")
        last += 1
    head, block, rest = ("".join(li) for li in (lines[:first], lines[first:last], lines[last:]))
    return _CellFunction(head, block, rest, indent, names)


def _written(names: dict[str, str], indent: str) -> str:
    """The lines, each no longer than a line may be, as the compiler writes them."""
    text = ""
    for comment in dict.fromkeys(names.values()):
        before, after = f"{indent}global ", f"  {comment}" if comment else ""
        listed = "".join(f"{name}, " for name, its in names.items() if its == comment)
        room = max(1, WIDTH + len(",") - len(before + after))
        for line in textwrap.wrap(listed, room, break_long_words=False):
            text += f"{before}{line.removesuffix(',')}{after}\n"
    return text
