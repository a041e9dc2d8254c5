"""What a person should know before others use the app: rules PP210 to PP223 (PP222, about widgets, is said where they are read: `controls`). Nothing here changes what is ported.

A plain data notebook gives none of them (tests/passes/test_notices.py); what would be said of ten cells is said once.
"""

import ast

from transpiler.diagnostics import Diagnostic
from transpiler.passes import live, past
from transpiler.passes.chance import Chance
from transpiler.passes.codecell import CodeCell, Namespace
from transpiler.passes.flow import Flow
from transpiler.passes.machine import Machine, Magics
from transpiler.passes.sites import Imported, sites


class Notices:
    """Goes through the notebook with the analysis, a cell at a time; `found` is what there is to say."""

    def __init__(self, cells: list[CodeCell]) -> None:
        self.found: list[Diagnostic] = []
        self._cells = cells
        self._imported = Imported()
        self._chance = Chance()
        self._machine = Machine()
        self._magics = Magics()
        self._answers = past.Answers()
        self._classes = past.Classes()

    def look(self, cell: CodeCell, flow: Flow, namespace: Namespace) -> None:
        """Take account of a cell that was just walked. `namespace` is as it was before it."""
        self._imported.learn(cell)
        calls = list(sites(cell, self._imported))
        for site in calls:
            self._chance.look(cell, site, self._imported)
        self.found += self._machine.about(cell, calls)
        self.found += self._magics.about(cell, calls, self._imported.modules)
        later = self._cells[cell.number :]
        self.found += live.about_running(cell, calls, self._imported, later)
        self.found += past.about_history(cell, flow, self._cells, namespace)
        self.found += self._answers.about(cell, flow, namespace)
        self.found += self._classes.about(cell, flow.reads, flow.must)

    def look_at_path(self, cell: CodeCell, node: ast.AST, path: str) -> None:
        """Take account of an absolute path that a cell reads."""
        self.found += self._machine.about_path(cell, node, path)

    def finish(self) -> list[Diagnostic]:
        """Return all of it, with what only the whole notebook shows."""
        return self.found + self._chance.findings() + past.about_order(self._cells)
