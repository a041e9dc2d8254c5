"""How the steps of a workflow feed each other: which names go from which step to which later one.

Two places know the names of a cell: the compiler's plan, and the plugin's file, whose `global` lines say them
(`reading.py`). Both give `Used`; what follows from it is worked out here, once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Used:
    """What one cell does with the names of the run's one namespace."""

    reads: tuple[str, ...] = ()
    """Names it may need from the cells before."""
    writes: tuple[str, ...] = ()
    """Names it binds, or whose objects it changes: whoever reads them later gets this cell's version."""
    imports: tuple[str, ...] = ()
    """Those of `writes` that an import binds."""
    unknown: bool = False
    """Whether its names cannot be told."""


@dataclass(frozen=True, slots=True)
class Node:
    """A step: its id, its title, and the names of the answers it asks for."""

    id: str
    title: str
    asks: tuple[str, ...] = ()
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """Names that a step has from an earlier one, both as positions in `Flow.nodes`."""

    source: int
    target: int
    names: tuple[str, ...]
    imports: tuple[str, ...] = ()
    """Imported names. They come along everywhere, so pictures leave them out."""


@dataclass(frozen=True, slots=True)
class Flow:
    """The steps in order, and the edges between them by target, then source."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def drawn(self) -> tuple[Edge, ...]:
        """The edges that a picture shows."""
        return tuple(edge for edge in self.edges if edge.names)

    def as_list(self) -> list[dict[str, Any]]:
        """The edges as plain data, steps by their ids."""
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
    """Work out the edges: a name goes from the last step that binds or changes it to each step that reads it then."""
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
