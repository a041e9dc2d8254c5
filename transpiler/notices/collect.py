"""Collects what the author should know before others use the app: rules PP210 to PP224 (but PP222, which `widgets/controls.py` reports). Changes nothing in the port.

A plain data notebook gives none of them (tests/passes/test_notices.py); a notice that ten cells would give comes once.
"""

import ast

from transpiler.dataflow.cell import CodeCell, Namespace
from transpiler.dataflow.flow import Flow
from transpiler.model.diagnostics import Diagnostic
from transpiler.notices import background, run_order
from transpiler.notices.call_sites import Imported, sites
from transpiler.notices.environment import EnvironmentNotices, Magics
from transpiler.notices.randomness import RandomnessNotices
from transpiler.notices.repeats import Lasting, report_repeats


class Notices:
    """Goes through the notebook with the analysis, a cell at a time; `found` is what there is to say."""

    def __init__(self, cells: list[CodeCell]) -> None:
        self.found: list[Diagnostic] = []
        self._cells = cells
        self._imported = Imported()
        self._chance = RandomnessNotices()
        self._machine = EnvironmentNotices()
        self._magics = Magics()
        self._answers = run_order.AnswerNotices()
        self._classes = run_order.Classes()
        self._lasting = Lasting()

    def look(self, cell: CodeCell, flow: Flow, namespace: Namespace) -> None:
        """Take account of a cell that was just walked. `namespace` is as it was before it."""
        self._imported.learn(cell)
        calls = list(sites(cell, self._imported))
        for site in calls:
            self._chance.look(cell, site, self._imported)
        self.found += self._machine.about(cell, calls)
        self.found += self._magics.about(cell, calls, self._imported.modules)
        later = self._cells[cell.number :]
        self.found += background.report_background_work(cell, calls, self._imported, later)
        self.found += run_order.report_history(cell, flow, self._cells, namespace)
        self.found += self._answers.about(cell, flow, namespace)
        self.found += self._classes.about(cell, flow.reads, flow.must)
        self._lasting.look(cell, flow.reads, self._imported)

    def look_at_path(self, cell: CodeCell, node: ast.AST, path: str) -> None:
        """Take account of an absolute path that a cell reads."""
        self.found += self._machine.about_path(cell, node, path)

    def finish(self) -> list[Diagnostic]:
        """Return all of it, with what only the whole notebook shows."""
        self.found += report_repeats(self._cells, self._lasting)
        return self.found + self._chance.findings() + run_order.report_run_order(self._cells)
