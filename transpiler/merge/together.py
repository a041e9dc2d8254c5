"""The lines of both sides of a conflict, one after the other: whole statements of either side, and all of them run."""

import ast
from collections.abc import Iterator

from transpiler.merge.declared import Sides, with_one_block
from transpiler.merge.diff3 import both, merge_lines, mine, notebooks
from transpiler.merge.units import split_lines

# A unit is a statement, or an entry of a list; what stands around the members of a group is half of one.
_FRAMES = (("", ""), ("[", "]"), ("", "]"), ("[", ""), ("", "    pass"))
_BODIES = ("body", "orelse", "finalbody", "handlers", "cases")


def together(sides: Sides) -> str | None:
    """Return a text with the lines of both sides where these clash; None where that is not made of their statements.

    `sides` are base, ours and theirs. Two lines of one call give a call that nobody wrote: it may be Python, and mean nothing.
    """
    (base, ours, theirs), _ = with_one_block(sides, both=True)
    pieces = merge_lines(split_lines(base), split_lines(ours), split_lines(theirs))
    text = both(pieces)
    return _reachable(text) if _whole(text, mine(pieces), notebooks(pieces)) else None


def _whole(text: str, ours: str, theirs: str) -> bool:
    """Whether each statement of a text, and each header of one, is one of either side."""
    for frame in _FRAMES:
        try:
            now, one, two = (
                set(_statements(ast.parse(_framed(each, *frame)))) for each in (text, ours, theirs)
            )
        except (SyntaxError, ValueError, RecursionError):
            continue
        return now <= one | two
    return False


def _framed(text: str, before: str, after: str) -> str:
    """A text as Python could read it: indented as it is, with the other half of what it opens or closes."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    above = f"if 1:\n{indent}pass\n" if indent else ""
    return f"{above}{indent}{before}\n{text}\n{indent}{after}\n"


def _statements(node: ast.AST) -> Iterator[str]:
    """Each statement inside a node as it would be compared: of a compound one its header, then what is in it."""
    inside = [each for name in _BODIES for each in getattr(node, name, ())]
    if not isinstance(node, ast.Module):
        header = [
            (name, [ast.dump(each) if isinstance(each, ast.AST) else each for each in _listed(value)])
            for name, value in ast.iter_fields(node)
            if name not in _BODIES
        ]  # fmt: skip
        yield f"{type(node).__name__} {header}"
    for each in inside:
        yield from _statements(each)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _reachable(text: str) -> str:
    """A function's text in which a `return` in the middle of its body has become an expression.

    The last value of a cell is returned. With the lines of both sides there would be two, and the second would never run.
    """
    try:
        (holder,) = ast.parse(f"class C:\n{text}").body
    except (SyntaxError, ValueError):
        return text
    members = holder.body if isinstance(holder, ast.ClassDef) else []
    lines = split_lines(text)
    for member in members:
        if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in member.body[:-1]:
                if isinstance(statement, ast.Return) and statement.value is not None:
                    number = statement.lineno - 2
                    lines[number] = lines[number].replace("return ", "", 1)
    return "".join(lines)
