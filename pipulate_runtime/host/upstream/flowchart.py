"""Draws Mermaid flowcharts, as far as plugins use them: nodes with texts, links with labels, top down or left to right.

Mermaid itself is three megabytes of script. What is not understood here (other kinds of diagrams, groups, styles of single nodes) is
not drawn at all: `draw` gives None, and the page shows the text.

The layout is that of layered graphs: each node is one layer below the nodes that lead to it (links that lead back are turned for this),
links over several layers have a place in each, and two sweeps over the layers set each node near its neighbours. It is made for layers
that lie below each other; for a chart from left to right, x and y change places.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise, product
from statistics import fmean

from fastcore.xml import ft

from pipulate_runtime.host.base.markup import html

MOST = 120  # nodes and links; more is no picture
CHAR, LINE, PAD = 7.4, 18, 14  # width of a character, height of a line, room around a text
BETWEEN, LAYERS = 28, 54  # room between two nodes of a layer, and between two layers

_HEAD = re.compile(r"(?:graph|flowchart)\s+(TD|TB|LR)\s*$")
_SHAPES = {"[": "]", "(": ")", "{": "}", "((": "))", "([": "])", "[[": "]]", "[(": ")]", "{{": "}}"}
_NODE = re.compile(r"\s*(?P<id>\w[\w.]*(?:-\w+)*)(?P<open>\(\(|\(\[|\[\[|\[\(|\{\{|\[|\(|\{)?")
_LINK = re.compile(
    r"\s*(?:(?P<dash>--|==|-\.)\s*(?P<inner>[^->=|.][^|>]*?)\s*)?"
    r"(?P<line>-{2,}|={2,}|-?\.+-)(?P<tip>>?)\s*(?:\|(?P<label>[^|]*)\|)?"
)
_AND = re.compile(r"\s*&")

Point = tuple[float, float]


@dataclass(slots=True)
class Node:
    """A box: its text, its shape, and where its middle is. One without text is the place of a link in a layer."""

    text: str = ""
    round: bool = False
    layer: int = 0
    x: float = 0
    y: float = 0

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n") if self.text else []

    @property
    def width(self) -> float:
        return max((len(line) for line in self.lines), default=-2) * CHAR + 2 * PAD

    @property
    def height(self) -> float:
        return len(self.lines) * LINE + PAD if self.lines else 0


@dataclass(frozen=True, slots=True)
class Link:
    """A link between two nodes, by their names; `path` is filled in with the places in the layers between them."""

    source: str
    target: str
    label: str
    arrow: bool
    dotted: bool
    path: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Chart:
    """What was read."""

    across: bool
    nodes: dict[str, Node] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)

    def turned(self, point: Point) -> Point:
        """Return a point along and across the layers as x and y, and the other way round."""
        return point[::-1] if self.across else point


class _Unknown(Exception):
    """Something is not understood."""


def draw(text: str) -> str | None:
    """Return the SVG of a flowchart; None for a text that is none, or more than is understood here."""
    chart = read(text)
    if chart is None or not chart.nodes or len(chart.nodes) + len(chart.links) > MOST:
        return None
    place(chart)
    return svg(chart)


# -- reading


def read(text: str) -> Chart | None:
    """Return the nodes and links of a flowchart, or None."""
    lines = [line.strip() for line in re.split(r"[\n;]", text)]
    head, *statements = [line for line in lines if line and not line.startswith("%%")] or [""]
    kind = _HEAD.match(head)
    if kind is None:
        return None
    chart = Chart(across=kind[1] == "LR")
    try:
        for statement in statements:
            _statement(chart, statement)
    except _Unknown:
        return None
    return chart


def _statement(chart: Chart, line: str) -> None:
    """Read `A[text] & B -->|label| C --> D`."""
    group, at = _group(chart, line, 0)
    while line[at:].strip():
        link, sources = _LINK.match(line, at), group
        if link is None:
            raise _Unknown
        group, at = _group(chart, line, link.end())
        label = (link["label"] or link["inner"] or "").strip().strip('"')
        chart.links += [
            Link(source, target, label, arrow=bool(link["tip"]), dotted="." in link["line"])
            for source, target in product(sources, group)
        ]


def _group(chart: Chart, line: str, at: int) -> tuple[list[str], int]:
    """Read `A[text] & B` from a place on; return the names, and where they end."""
    names = []
    while node := _NODE.match(line, at):
        name, opened, at = node["id"], node["open"], node.end()
        names.append(name)
        known = chart.nodes.setdefault(name, Node(name))
        if opened:
            end = line.find(_SHAPES[opened], at)
            if end < 0:
                break
            text = re.sub(r"<br\s*/?>", "\n", line[at:end].strip().strip('"'))
            known.text, known.round = text or name, opened[0] != "["
            at = end + len(opened)
        more = _AND.match(line, at)
        if more is None:
            return names, at
        at = more.end()
    raise _Unknown


# -- layout


def place(chart: Chart) -> None:
    """Set where each node is; links over several layers get a node in each of those between."""
    layers = _layers(chart)
    _sweep(chart, layers)
    sizes = {name: chart.turned((n.width, n.height)) for name, n in chart.nodes.items()}
    long = [sum(sizes[n][0] for n in layer) + BETWEEN * (len(layer) - 1) for layer in layers]
    down = 0.0
    for layer, length in zip(layers, long, strict=True):
        thick = max(sizes[name][1] for name in layer)
        along = (max(long) - length) / 2  # layers are centred on each other
        for name in layer:
            node = chart.nodes[name]
            node.x, node.y = chart.turned((along + sizes[name][0] / 2, down + thick / 2))
            along += sizes[name][0] + BETWEEN
        down += thick + LAYERS + (30 if chart.across else 0)


def _layers(chart: Chart) -> list[list[str]]:
    """Return the names layer by layer, and set the paths of links."""
    below: dict[str, dict[str, None]] = defaultdict(dict)
    for link in chart.links:
        below[link.source][link.target] = None
    order: list[str] = []  # each node after those that it leads to
    path: list[str] = []
    back: set[tuple[str, str]] = set()

    def visit(name: str) -> None:
        path.append(name)
        for following in below[name]:
            if following in path:
                back.add((name, following))
            elif following not in order:
                visit(following)
        order.append(path.pop())

    for name in chart.nodes:
        if name not in order:
            visit(name)
    for name in reversed(order):
        for following in below[name]:
            if (name, following) not in back:
                node = chart.nodes[following]
                node.layer = max(node.layer, chart.nodes[name].layer + 1)
    for number, link in enumerate(chart.links):
        first, last = chart.nodes[link.source].layer, chart.nodes[link.target].layer
        step = 1 if first <= last else -1
        for layer in range(first + step, last, step):
            link.path.append(f"{number}/{layer}")
            chart.nodes[link.path[-1]] = Node(layer=layer)
    layers: list[list[str]] = [[] for _ in range(max(n.layer for n in chart.nodes.values()) + 1)]
    for name, node in chart.nodes.items():
        layers[node.layer].append(name)
    return layers


def _sweep(chart: Chart, layers: list[list[str]]) -> None:
    """Order each layer by where the neighbours of its nodes are, down and up again."""
    near: dict[tuple[str, int], list[str]] = defaultdict(list)  # neighbours above (-1), below (1)
    for link in chart.links:
        for one, other in pairwise([link.source, *link.path, link.target]):
            step = chart.nodes[other].layer - chart.nodes[one].layer
            near[one, step].append(other)
            near[other, -step].append(one)
    rank = {name: number for layer in layers for number, name in enumerate(layer)}
    for step in (1, -1, 1, -1):
        for layer in layers[::step]:
            layer.sort(key=lambda name: fmean([rank[n] for n in near[name, -step] or [name]]))
            rank.update({name: number for number, name in enumerate(layer)})


# -- drawing


def svg(chart: Chart) -> str:
    """Return a chart whose nodes have their places as SVG."""
    lines = [(link, _points(chart, link)) for link in chart.links]
    labels = [(link.label, *_middle(points)) for link, points in lines if link.label]
    reach = [(node.x, node.width / 2, node.y, node.height / 2) for node in chart.nodes.values()]
    reach += [(x, len(label) * CHAR / 2, y, LINE / 2) for label, x, y in labels]
    left, right = min(x - w for x, w, _, _ in reach) - PAD, max(x + w for x, w, _, _ in reach) + PAD
    top, bottom = min(y - h for *_, y, h in reach) - PAD, max(y + h for *_, y, h in reach) + PAD
    return html(
        ft(
            "svg",
            *(_line(chart, link, points) for link, points in lines),
            *(_box(node) for node in chart.nodes.values() if node.text),
            *(_text(label, x, y, "label") for label, x, y in labels),
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"{left:.0f} {top:.0f} {right - left:.0f} {bottom - top:.0f}",
            role="img",
            aria_label=_said(chart),
            cls="diagram",
            width=f"{right - left:.0f}",
            height=f"{bottom - top:.0f}",
        )
    )


def _said(chart: Chart) -> str:
    """Return the diagram in words."""
    names = {name: node.text.replace("\n", " ") for name, node in chart.nodes.items()}
    links = []
    for link in chart.links:
        label = f" ({link.label})" if link.label else ""
        links.append(f"{names[link.source]} to {names[link.target]}{label}")
    return "Diagram: " + "; ".join(links or filter(None, names.values()))


def _box(node: Node) -> object:
    x, y = f"{node.x - node.width / 2:.1f}", f"{node.y - node.height / 2:.1f}"
    corner = f"{node.height / 2 if node.round else 4:.0f}"
    first = node.y - (len(node.lines) - 1) * LINE / 2
    return ft(
        "g",
        ft("rect", x=x, y=y, width=f"{node.width:.1f}", height=f"{node.height:.1f}", rx=corner),
        *(_text(line, node.x, first + number * LINE) for number, line in enumerate(node.lines)),
    )


def _text(text: str, x: float, y: float, kind: str | None = None) -> object:
    return ft("text", text, x=f"{x:.1f}", y=f"{y + 4.5:.1f}", cls=kind)


def _points(chart: Chart, link: Link) -> list[Point]:
    """Return the points that a link goes through, from border to border."""
    source, target = chart.nodes[link.source], chart.nodes[link.target]
    turn = 1 if target.layer >= source.layer else -1

    def border(node: Node, sign: int) -> Point:
        if chart.across:
            return node.x + sign * node.width / 2, node.y
        return node.x, node.y + sign * node.height / 2

    between = [(chart.nodes[name].x, chart.nodes[name].y) for name in link.path]
    return [border(source, turn), *between, border(target, -turn)]


def _middle(points: list[Point]) -> Point:
    (x1, y1), (x2, y2) = points[(len(points) - 1) // 2], points[len(points) // 2]
    return (x1 + x2) / 2, (y1 + y2) / 2


def _line(chart: Chart, link: Link, points: list[Point]) -> object:
    """Return a link as a curve, with an arrow's head that points along the layers."""
    if link.source == link.target:
        node = chart.nodes[link.source]
        return ft("path", d=f"M{node.x + node.width / 2:.1f} {node.y - 6:.1f}c22 -12 22 24 0 12")

    def written(*places: Point) -> str:
        return " ".join(f"{x:.1f} {y:.1f}" for x, y in map(chart.turned, places))

    places = [chart.turned(point) for point in points]
    path = "M" + written(places[0])
    for (along, down), (along_end, down_end) in pairwise(places):
        bend = (down + down_end) / 2
        path += "C" + written((along, bend), (along_end, bend), (along_end, down_end))
    curve = ft("path", d=path, stroke_dasharray="3 4" if link.dotted else None)
    if not link.arrow:
        return curve
    along, down = places[-1]
    back = down - 9 if down > places[-2][1] else down + 9
    tip = written((along, down), (along - 4.5, back), (along + 4.5, back))
    return ft("g", curve, ft("polygon", points=tip))
