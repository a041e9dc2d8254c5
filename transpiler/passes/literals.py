"""Values as Python text that black leaves as it is."""

from math import isfinite
from textwrap import dedent

WIDTH = 88
"""Black's line length; emitted files are formatted with its defaults."""


def literal(value: object) -> str:
    """Return a JSON value, or a tuple, as a Python literal on one line, quoted as black quotes."""
    match value:
        case str():
            return string(value)
        case list():
            return "[" + ", ".join(map(literal, value)) + "]"
        case tuple():
            return "(" + ", ".join(map(literal, value)) + ("," if len(value) == 1 else "") + ")"
        case dict():
            return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
        case float():
            # `inf` and `nan` are no Python; black takes the plus of `1e+16` away.
            return repr(value).replace("e+", "e") if isfinite(value) else f'float("{value}")'
        case _:
            return repr(value)


def string(text: str) -> str:
    """Return a string literal in double quotes, or in single ones where that saves escapes (black's rule)."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    inside = "".join(_escaped(char, quote) for char in text)
    return f"{quote}{inside}{quote}"


def _escaped(char: str, quote: str) -> str:
    """One character as it stands inside a literal."""
    if char in "'\"":
        return f"\\{char}" if char == quote else char
    return repr(char)[1:-1]


def block(text: str, indent: int) -> str:
    """Return a text as a literal that is pleasant to edit: short ones on a line, others as a `dedent` block.

    `indent` is the column of the statement it is part of, in spaces.
    """
    line = string(text)
    if "\n" not in text:
        return line
    pad = " " * (indent + 4)
    lines = text.split("\n")
    escaped = (one.replace("\\", "\\\\").replace('"""', '\\"\\"\\"').rstrip(" ") for one in lines)
    body = "".join(f"{pad}{one}\n" if one else "\n" for one in escaped)
    if not _survives(body, text):
        return line
    return f'dedent("""\\\n{body}{pad}""")'


def _survives(body: str, text: str) -> bool:
    """Whether `dedent` at run time gives the text back, up to blanks at the ends of lines."""
    if any(not char.isprintable() and char != "\n" for char in text):
        return False
    back = dedent(body.replace('\\"\\"\\"', '"""').replace("\\\\", "\\"))
    return back == "\n".join(one.rstrip(" ") for one in text.split("\n")) + "\n"


def in_docstring(text: str) -> str:
    """Return a text that can stand on a line inside a docstring.

    Escapes are written out there, too: Python 3.13 refuses a docstring with a lone surrogate (a file name that is not
    UTF-8).
    """
    return in_comment(text).replace("\\", "\\\\").replace('"', "'")


def in_comment(text: str) -> str:
    """Return a text that can stand in a comment: on one line, what cannot be seen written as an escape."""
    line = " ".join(text.split())
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in line)
