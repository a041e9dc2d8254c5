"""Merges two versions of one unit: by lines, by names (imports), or not at all."""

import ast
import io
import tokenize
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from transpiler.merge.diff3 import Clash, join_pieces, merge_lines, take, without_clashes
from transpiler.merge.units import split_comments, split_lines

WIDTH = 88
Formatter = Callable[[str], str]


def same_code(one: str, two: str) -> bool:
    """Whether two texts differ only in layout: line breaks, brackets, trailing commas, the kind of quotes. Comments count."""
    before, now = tree_of(one), tree_of(two)
    if before is None or now is None or ast.dump(before) != ast.dump(now):
        return False
    return _comments_in(one) == _comments_in(two)


def _comments_in(text: str) -> list[str]:
    """The comments of a unit that is Python, in order."""
    tokens = tokenize.generate_tokens(io.StringIO(_as_python(text)).readline)
    return [token.string.rstrip() for token in tokens if token.type == tokenize.COMMENT]


def tree_of(text: str, before: str = "", after: str = "") -> ast.Module | None:
    """Return the tree of a unit, or of half of one with the other half of what it opens or closes; None where it is not Python."""
    try:
        return ast.parse(_as_python(text, before, after))
    except (SyntaxError, ValueError, RecursionError):
        return None


def _as_python(text: str, before: str = "", after: str = "") -> str:
    """A text where its indentation is right."""
    _, code = split_comments(text)
    indent = code[: len(code) - len(code.lstrip())]
    above = f"if 1:\n{indent}pass\n" if indent else ""
    return f"{above}{indent}{before}\n{text}\n{indent}{after}\n"


def parses(text: str) -> bool:
    """Whether a unit is Python by itself: statements, or entries of a list."""
    return tree_of(text) is not None or tree_of(text, "[", "]") is not None


# --- lines ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Merge:
    """The merge of one text: `text` is None where it clashes."""

    text: str | None
    mine: str | None = (
        None  # With ours where it clashes, else merged; None if that would be no text
    )
    settled: str = ""  # Beside `mine`: the base, with what came in of theirs


def merge_by_lines(
    base: str, ours: str, theirs: str, formatted: Formatter | None = None, whole: bool = True
) -> Merge:
    """Return the merge of a text by its lines. A clash is tried once more without a formatter's work.

    `whole` texts must be Python by themselves afterwards; others are checked with the file.
    """

    def is_sound(text: str, beside: str = "") -> bool:
        return complete(base, ours, theirs, text, beside) and (not whole or parses(text))

    sides = [split_lines(side) for side in (base, ours, theirs)]
    pieces = merge_lines(*sides)
    text = join_pieces(pieces)
    if text is None or not is_sound(text):
        text = _merge_formatted(base, ours, theirs, formatted) if formatted else None
    if text is not None:
        return Merge(text)
    kept = take(pieces, "ours")
    beside = take((piece for piece in pieces if isinstance(piece, Clash)), "theirs")
    return Merge(None, kept, without_clashes(*sides)) if is_sound(kept, beside) else Merge(None)


def _merge_formatted(base: str, ours: str, theirs: str, formatted: Formatter) -> str | None:
    """The merge without a formatter's work: ours as the notebook's cells stand, else all as the formatter leaves them."""
    tidy = _format_unit(ours, formatted)
    if tidy is None:
        return None
    text = merge_by_lines(base, tidy, theirs).text if tidy != ours else None
    if text is None:
        before, after = _format_unit(base, formatted), _format_unit(theirs, formatted)
        if before is not None and after is not None and (before, after) != (base, theirs):
            text = merge_by_lines(before, tidy, after).text
    return text


def _format_unit(text: str, formatted: Formatter) -> str | None:
    """A unit as black formats it in its class, or None when it cannot be formatted by itself."""
    try:
        if text[:1] not in " \t":
            return formatted(text)
        return formatted(f"class C:\n{text}").removeprefix("class C:\n")
    except Exception:  # black has exceptions of several kinds; without its help the clash is shown
        return None


def count_lines(text: str) -> Counter[str]:
    """How often each line that says something is in a text."""
    return Counter(bare for line in text.split("\n") if (bare := line.strip()))


def complete(base: str, ours: str, theirs: str, result: str, beside: str = "") -> bool:
    """The guard of one text: every line that a side added is in the result, and none that only one side took away.

    Lines that stand `beside` the result, in the block of a conflict, are not lost.
    """
    b, o, t, r = map(count_lines, (base, ours, theirs, result))
    left_over = any(
        min(o[line], t[line]) < max(o[line], t[line]) == count and r[line] > min(o[line], t[line])
        for line, count in b.items()
    )
    return not left_over and not lost_lines(b, o, t, r + count_lines(beside))


def lost_lines(
    base: Counter[str], ours: Counter[str], theirs: Counter[str], result: Counter[str]
) -> list[str]:
    """Return the lines that a side added and that are missing in the result, counted."""
    missing = []
    for line in ours.keys() | theirs.keys():
        left, right = ours[line] - base[line], theirs[line] - base[line]
        added = max(left, right) if left > 0 and right > 0 else left + right
        if max(left, right) > 0 and result[line] < base[line] + added:
            missing.append(line)
    return sorted(missing)


# --- imports ----------------------------------------------------------------------------------------------------------


def imported_names(text: str) -> list[str] | None:
    """The names of a `from ... import` unit as written (`a as b`); None for anything else, or where comments stand in it."""
    _, statement = split_comments(text)
    try:
        body = ast.parse(statement).body
    except (SyntaxError, ValueError):
        return None
    if len(body) != 1 or not isinstance(body[0], ast.ImportFrom) or "#" in statement:
        return None
    return [f"{a.name} as {a.asname}" if a.asname else a.name for a in body[0].names]


def merge_import(
    base: str | None, ours: str | None, theirs: str | None, keep: Collection[str]
) -> str | None:
    """Return the merge of an import by its names, "" when none is left, or None when it cannot be merged that way.

    A name that the notebook no longer needs goes, unless it is in `keep`: the user's own code uses it.
    """
    sides = (base, ours, theirs)
    b, o, t = ([] if text is None else imported_names(text) for text in sides)
    if b is None or o is None or t is None:
        return None
    names = [name for name in o if name in t or name not in b or _bound(name) in keep]
    names += [name for name in t if name not in b and name not in names]
    if not names:
        return ""
    (before, _), (by_us, mine), (by_them, its) = (split_comments(text or "") for text in sides)
    above = join_pieces(merge_lines(*map(split_lines, (before, by_us, by_them))))
    if above is None:
        return None
    for statement, there in ((its, t), (mine, o)):
        if set(there) == set(names) and len(there) == len(set(there)):
            return above + statement
    return above + _import(mine or its, names)


def _bound(name: str) -> str:
    return name.rpartition(" ")[2]


def _import(statement: str, names: Iterable[str]) -> str:
    """An import statement with other names, as black and isort would write it."""
    start = statement[: statement.index(" import ")]
    ordered = sorted(names, key=lambda n: (not n.isupper() or len(n) == 1, not n[:1].isupper(), n))
    line = f"{start} import {', '.join(ordered)}\n"
    if len(line) <= WIDTH + 1 and "(" not in statement:
        return line
    return f"{start} import (\n" + "".join(f"    {name},\n" for name in ordered) + ")\n"
