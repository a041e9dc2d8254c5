"""The result of a verification: a row for each cell, over all ways the app was walked. Pure data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from transpiler.model.diagnostics import Found
from transpiler.model.ir import JSON, Plan
from transpiler.verify.compare import Kind, Outputs, Verdict

Way = Literal["straight", "resume", "restore", "revert"]
"""How the app is walked: straight on; its server ended and started again after each step; back to each step once."""

_WORST: tuple[Kind, ...] = ("differs", "not compared", "not reproducible", "same")


@dataclass(frozen=True, slots=True)
class ComparedCell:
    """One cell: where it stands, the verdict, and what it gave in the notebook (the first time) and in the app."""

    cell: str
    index: int
    step: str
    source: str
    verdict: Verdict
    notebook: Outputs
    app: Outputs
    way: Way = "straight"  # The way on which the app gave this; of several, the one that differs

    @property
    def name(self) -> str:
        """Its number in the notebook; its id when only the app has it."""
        return str(self.index) if self.index >= 0 else self.cell

    @property
    def difference(self) -> str:
        """The first difference in one line, and the way it was found on unless that is the straight one."""
        said = self.verdict.difference
        return f"{self.way}: {said}" if said and self.way != "straight" else said


def merge_rows(ways: Sequence[Sequence[ComparedCell]]) -> tuple[ComparedCell, ...]:
    """Return a row for each cell: of its rows on all ways the one that says most; of equals the first."""
    cells: dict[str, list[ComparedCell]] = {}
    for row in (row for rows in ways for row in rows):
        cells.setdefault(row.cell, []).append(row)
    return tuple(min(rows, key=lambda r: _WORST.index(r.verdict.kind)) for rows in cells.values())


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification found. `rows` is empty when the notebook could not be ported: `found` says why."""

    notebook: str
    plugin: str
    plan: Plan | None
    found: Found
    rows: tuple[ComparedCell, ...] = ()
    ways: tuple[Way, ...] = ()
    executions: int = 0
    seconds: float = 0.0
    stopped: str = ""
    """Where the notebook or the app stopped, in words; empty when both went to their end."""

    @property
    def counts(self) -> dict[str, int]:
        kinds = [row.verdict.kind for row in self.rows]
        return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}

    @property
    def exit_code(self) -> int:
        """0: nothing differs; 1: something does, or the notebook cannot be ported; 2: it cannot be read."""
        if self.plan is None:
            return 2
        return int(not self.rows or "differs" in self.counts)

    @property
    def first(self) -> str:
        """The first difference, with its cell; else where it stopped, or why there is nothing to tell."""
        for row in self.rows:
            if row.verdict.kind == "differs":
                return f"cell {row.name}, {row.difference}"
        if self.rows:
            return self.stopped
        return next((d.message for d in self.found), "") or "it cannot be ported"

    def as_dict(self) -> dict[str, JSON]:
        rows: list[JSON] = [
            {
                "cell": row.cell,
                "index": row.index,
                "step": row.step,
                "verdict": row.verdict.kind,
                "difference": row.difference,
                "way": row.way,
            }
            for row in self.rows
        ]
        return {
            "notebook": self.notebook,
            "plugin": self.plugin,
            "ways": list(self.ways),
            "executions": self.executions,
            "seconds": round(self.seconds, 1),
            "same": self.exit_code == 0,
            "counts": dict(self.counts),
            "stopped": self.stopped,
            "cells": rows,
        }
