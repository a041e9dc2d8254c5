"""The `#|` lines of a code cell, found and cut into entries; what they mean is `options.py`'s."""

import re
from dataclasses import dataclass

_MARK = re.compile(r"[ \t]*#[ \t]?\|(.*)")
_KEY = re.compile(r"([A-Za-z_][\w.-]*)[ \t]*:(?:[ \t]+|(?=\n)|\Z)(.*)", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_][\w.-]*")


@dataclass(frozen=True, slots=True)
class Directive:
    """One entry: `#| key: value` (`value` is YAML, over as many lines as it took), or nbdev's `#| word words` (None)."""

    key: str
    value: str | None
    line: int  # Where it begins, 1-based in the cell
    end_line: int


def directive_lines(source: str) -> tuple[int, ...]:
    """Return the 0-based numbers of the lines that hold `#|` directives.

    They stand at the top of the cell, where only blank lines, other comments and a cell magic may be between them.
    """
    found = []
    begun = False
    for number, line in enumerate(source.split("\n")):
        if _MARK.match(line):
            found.append(number)
        elif line.strip() and not line.lstrip().startswith("#"):
            if begun or not line.startswith("%%"):
                break
            begun = True
    return tuple(found)


def droppable_lines(source: str) -> tuple[int, ...]:
    """Return those of `directive_lines` above a cell magic: below it, they belong to the text the magic is given."""
    lines = source.split("\n")
    numbers = directive_lines(source)
    magic = next((i for i, line in enumerate(lines) if line.startswith("%%")), len(lines))
    return tuple(number for number in numbers if number < magic)


def directives(source: str) -> tuple[Directive, ...]:
    """Return the directives of a cell in order. An indented line, or one of a YAML list, belongs to the entry above it."""
    lines = source.split("\n")
    groups: list[list[tuple[int, str]]] = []
    for number in directive_lines(source):
        match = _MARK.match(lines[number])
        content = (match.group(1) if match else "").rstrip()
        content = content.removeprefix(" ")
        if groups and (not content or content[0] in " \t-]})"):
            groups[-1].append((number + 1, content))
        elif content:
            groups.append([(number + 1, content)])
    return tuple(filter(None, map(_entry, groups)))


def _entry(group: list[tuple[int, str]]) -> Directive | None:
    text = "\n".join(content for _, content in group)
    line, end_line = group[0][0], group[-1][0]
    if pair := _KEY.match(text):
        return Directive(pair.group(1), pair.group(2), line, end_line)
    if word := _WORD.match(text):
        return Directive(word.group(), None, line, end_line)
    return None
