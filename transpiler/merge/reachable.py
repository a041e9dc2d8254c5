"""The lines of both sides of a conflict, one after the other: all of them run."""

import ast

from transpiler.merge.units import split_lines


def reachable(text: str) -> str:
    """Return a function's text in which a `return` in the middle of its body has become an expression.

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
