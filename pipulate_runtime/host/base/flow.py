"""The data flow of a workflow: which names go from which step to which later one.

The names of a cell come from the compiler's plan, or from the `global` lines of the plugin's file
(`dataflow/read_plugin.py`). Both give `Used`; this module computes the edges.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Used:
    """How one cell uses the names of the shared namespace."""

    reads: tuple[str, ...] = ()
    """Names it may read from earlier cells."""
    writes: tuple[str, ...] = ()
    """Names that it binds, or whose objects it changes."""
    imports: tuple[str, ...] = ()
    """The part of `writes` that imports bind."""
    unknown: bool = False
    """Whether its names are unknown."""


@dataclass(frozen=True, slots=True)
class Node:
    """A step: its id, its title, and the names of the answers it asks for."""

    id: str
    title: str
    asks: tuple[str, ...] = ()
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """Names that a step takes from an earlier one; both are positions in `Flow.nodes`."""

    source: int
    target: int
    names: tuple[str, ...]
    imports: tuple[str, ...] = ()
    """Imported names. They go everywhere, so pictures leave them out."""


@dataclass(frozen=True, slots=True)
class Flow:
    """The steps in order, and the edges between them by target, then source."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def drawn(self) -> tuple[Edge, ...]:
        return tuple(edge for edge in self.edges if edge.names)

    def as_list(self) -> list[dict[str, Any]]:
        return [
            {
                "from": self.nodes[edge.source].id,
                "to": self.nodes[edge.target].id,
                "names": list(edge.names),
                "imports": list(edge.imports),
            }
            for edge in self.edges
        ]


def flow_of(title: str, steps: Iterable[tuple[Node, Sequence[Used]]]) -> Flow:
    """Find the edges: a name goes from the last step that binds or changes it to each step that reads it."""
    nodes: list[Node] = []
    found: dict[tuple[int, int], tuple[list[str], list[str]]] = {}
    last: dict[str, tuple[int, bool]] = {}  # name -> the step it is from, whether imported there
    for position, (node, cells) in enumerate(steps):
        nodes.append(node)
        for cell in cells:
            for name in cell.reads:
                source, imported = last.get(name, (position, False))
                if source != position:
                    listed = found.setdefault((position, source), ([], []))[imported]
                    if name not in listed:
                        listed.append(name)
            last.update((name, (position, name in cell.imports)) for name in cell.writes)
    edges = [
        Edge(source, target, tuple(names), tuple(imports))
        for (target, source), (names, imports) in sorted(found.items())
    ]
    return Flow(title, tuple(nodes), tuple(edges))
