"""Text of a notebook in a comment. Imports nothing: an unchanged notebook is found out with it."""


def in_comment(text: str) -> str:
    """Return a text that can stand in a comment: on one line, what cannot be seen written as an escape."""
    line = " ".join(text.split())
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in line)
