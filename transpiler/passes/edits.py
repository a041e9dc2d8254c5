"""Makes edits in the text of a cell."""

from collections.abc import Iterable

from transpiler.ir import Edit


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with the edits made. They must not overlap; what is put in at the same place keeps its order."""
    listed = sorted(enumerate(edits), key=lambda pair: (pair[1].slice, pair[0]), reverse=True)
    for _, edit in listed:
        text = text[: edit.slice.start] + edit.text + text[edit.slice.end :]
    return text
