"""A notebook and its plugin on a disk, for tests that port again and again."""

from pathlib import Path

import pytest

from tests.build import md, raw, tree
from transpiler.model.diagnostics import UserError
from transpiler.model.options import Asked, Options
from transpiler.pipeline import Ported, port

FIRST = (
    md("# Trip"),
    "limit = 5\nprint(limit)",
    "best = [limit]\nprint(best)\nbest",
    'print("end")\nlen(best)',
)
SECOND = (
    md("# Trip"),
    "limit = 6\nprint(limit)",
    'best = [limit]\nprint("best", best)\nbest',
    'print("end")\nlen(best)',
)


class Desk:
    """A notebook, and its plugin."""

    def __init__(self, folder: Path) -> None:
        self.notebook = folder / "trip.ipynb"
        self.out = folder / "out"
        self.plugin = self.out / "trip.py"

    def port(self, *cells, **asked) -> Ported:
        if cells:
            self.notebook.write_bytes(raw(*cells))
        return port(self.notebook, self.out, Options(), Asked(**asked))

    @property
    def text(self) -> str:
        return self.plugin.read_bytes().decode()

    def edit(self, old: str, new: str) -> None:
        assert old in self.text
        self.plugin.write_bytes(self.text.replace(old, new, 1).encode())

    def refused(self, *cells, **asked) -> str:
        before = tree(self.out)
        with pytest.raises(UserError) as caught:
            self.port(*cells, **asked)
        assert tree(self.out) == before
        return caught.value.diagnostic.rule.code
