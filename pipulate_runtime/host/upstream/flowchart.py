"""Draws Mermaid flowcharts, as far as plugins use them: nodes with texts, links with labels, top down or left to right.

Mermaid itself is three megabytes of script. What is not understood here (other kinds of diagrams, groups, styles of single nodes) is
not drawn at all: `draw` gives None, and the page shows the text.

The layout is that of layered graphs: each node is one layer below the nodes that lead to it (links that lead back are turned for this),
links over several layers have a place in each, and two sweeps over the layers set each node near its neighbours.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from fastcore.xml import ft

from pipulate_runtime.host.base.markup import html

MOST = 120  # nodes and links; more is no picture
CHAR, LINE, PAD = 7.4, 18, 14  # width of a character, height of a line, room around a text
BETWEEN, LAYERS = 28, 54  # room between two nodes of a layer, and between two layers

_HEAD = re.compile(r"(?:graph|flowchart)\s+(TD|TB|LR)\s*$")
_SHAPES = {"[": "]", "(": ")", "{": "}", "((": "))", "([": "])", "[[": "]]", "[(": ")]", "{{": "}}"}
_NODE = re.compile(r"\s*(?P<id>\w[\w.]*(?:-\w+)*)" r"(?P<open>\(\(|\(\[|\[\[|\[\(|\{\{|\[|\(|\{)?")
_LINK = re.compile(
    r"\s*(?:(?P<dash>--|==|-\.)\s*(?P<inner>[^->=|.][^|>]*?)\s*)?"
    r"(?P<line>-{2,}|={2,}|-?\.+-)(?P<tip>>?)\s*(?:\|(?P<label>[^|]*)\|)?"
)


@dataclass(slots=True)
class Node:
    """A box: its text, its shape, and where it is. One without text is the place of a link in a layer."""

    text: str = ""
    round: bool = False
    layer: int = 0
    x: float = 0
    y: float = 0

    @property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return self.text.split("\n") if self.text else []

    @property
    def width(self) -> float:
        """How wide the box is."""
        return max((len(line) for line in self.lines), default=-2) * CHAR + 2 * PAD

    @property
    def height(self) -> float:
        """How high it is."""
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


def draw(text: str) -> str | None:
    """The SVG of a flowchart; None for a text that is none, or more than is understood here."""
    chart = read(text)
    if chart is None or not chart.nodes or len(chart.nodes) + len(chart.links) > MOST:
        return None
    layers = _layers(chart)
    _sweep(chart, layers)
    _place(chart, layers)
    return _svg(chart)


# -- reading


def read(text: str) -> Chart | None:
    """The nodes and links of a flowchart, or None."""
    lines = [line.strip() for line in re.split(r"[\n;]", text)]
    lines = [line for line in lines if line and not line.startswith("%%")]
    head = _HEAD.match(lines[0]) if lines else None
    if head is None:
        return None
    chart = Chart(across=head[1] == "LR")
    return chart if all(_statement(chart, line) for line in lines[1:]) else None


def _statement(chart: Chart, line: str) -> bool:
    """Reads `A[text] & B -->|label| C --> D`; False when there is something else in the line."""
    at, before, link = 0, [], None
    while True:
        group = []
        while True:
            found = _one(chart, line, at)
            if found is None:
                return False
            name, at = found
            group.append(name)
            following = re.compile(r"\s*&").match(line, at)
            if following is None:
                break
            at = following.end()
        if link is not None:
            for source in before:
                for target in group:
                    label = (link["label"] or link["inner"] or "").strip().strip('"')
                    dotted = "." in link["line"]
                    chart.links.append(Link(source, target, label, bool(link["tip"]), dotted))
        if not line[at:].strip():
            return True
        link, before = _LINK.match(line, at), group
        if link is None:
            return False
        at = link.end()


def _one(chart: Chart, line: str, at: int) -> tuple[str, int] | None:
    node = _NODE.match(line, at)
    if node is None:
        return None
    name, opened, at = node["id"], node["open"], node.end()
    known = chart.nodes.setdefault(name, Node(name))
    if opened:
        end = line.find(_SHAPES[opened], at)
        if end < 0:
            return None
        text = re.sub(r"<br\s*/?>", "\n", line[at:end].strip().strip('"'))
        known.text, known.round = text or name, opened[0] != "["
        at = end + len(opened)
    return name, at


# -- layout


def _layers(chart: Chart) -> list[list[str]]:
    """The names layer by layer; links over several layers get a place in each of those between."""
    below: dict[str, list[str]] = defaultdict(list)
    for link in chart.links:
        if link.target not in below[link.source]:
            below[link.source].append(link.target)
    order, done, path = [], set(), []
    back: set[tuple[str, str]] = set()

    def visit(start: str) -> None:
        stack: list[tuple[str, Iterator[str]]] = [(start, iter(below[start]))]
        path.append(start)
        while stack:
            name, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                stack.pop()
                path.pop()
                done.add(name)
                order.append(name)
            elif following in path:
                back.add((name, following))
            elif following not in done:
                stack.append((following, iter(below[following])))
                path.append(following)

    for name in chart.nodes:
        if name not in done:
            visit(name)
    for name in reversed(order):
        for following in below[name]:
            if (name, following) not in back:
                node = chart.nodes[following]
                node.layer = max(node.layer, chart.nodes[name].layer + 1)
    for number, link in enumerate(chart.links):
        first, last = sorted((chart.nodes[n].layer, n) for n in (link.source, link.target))
        between = []
        for layer in range(first[0] + 1, last[0]):
            between.append(f"{number}/{layer}")
            chart.nodes[between[-1]] = Node(layer=layer)
        link.path.extend(between if first[1] == link.source else reversed(between))
    layers: list[list[str]] = [[] for _ in range(max(n.layer for n in chart.nodes.values()) + 1)]
    for name, node in chart.nodes.items():
        layers[node.layer].append(name)
    return layers


def _sweep(chart: Chart, layers: list[list[str]]) -> None:
    """Order each layer by where the neighbours of its nodes are, down and up again."""
    near: dict[str, list[str]] = defaultdict(list)
    for link in chart.links:
        ends = [link.source, *link.path, link.target]
        for one, other in pairwise(ends):
            near[one].append(other)
            near[other].append(one)
    rank = {name: float(i) for layer in layers for i, name in enumerate(layer)}
    for step in (1, -1, 1, -1):
        for layer in layers[::step]:

            def key(name: str, step: int = step) -> float:
                there = chart.nodes[name].layer - step
                ranks = [rank[other] for other in near[name] if chart.nodes[other].layer == there]
                return sum(ranks) / len(ranks) if ranks else rank[name]

            layer.sort(key=key)
            rank.update({name: float(i) for i, name in enumerate(layer)})


def _place(chart: Chart, layers: list[list[str]]) -> None:
    """Set the middle of each node; layers are centred on each other."""
    sizes = {n: (node.width, node.height) for n, node in chart.nodes.items()}
    if chart.across:
        sizes = {n: (height, width) for n, (width, height) in sizes.items()}
    long = [sum(sizes[n][0] for n in layer) + BETWEEN * (len(layer) - 1) for layer in layers]
    down = 0.0
    for layer, length in zip(layers, long, strict=True):
        thick = max(sizes[n][1] for n in layer)
        along = (max(long) - length) / 2
        for name in layer:
            node = chart.nodes[name]
            place = along + sizes[name][0] / 2, down + thick / 2
            node.x, node.y = place[::-1] if chart.across else place
            along += sizes[name][0] + BETWEEN
        down += thick + LAYERS + (30 if chart.across else 0)


# -- drawing


def _svg(chart: Chart) -> str:
    boxes = [node for node in chart.nodes.values() if node.text]
    labels = [(link.label, *_middle(chart, link)) for link in chart.links if link.label]
    reach = [(node.x, node.width / 2, node.y, node.height / 2) for node in boxes]
    reach += [(x, len(label) * CHAR / 2, y, LINE / 2) for label, x, y in labels]
    reach += [(x, 0, y, 0) for link in chart.links for x, y in _ends(chart, link)]
    left, right = min(x - w for x, w, _, _ in reach) - PAD, max(x + w for x, w, _, _ in reach) + PAD
    top, bottom = min(y - h for *_, y, h in reach) - PAD, max(y + h for *_, y, h in reach) + PAD
    return html(
        ft(
            "svg",
            *(_link(chart, link) for link in chart.links),
            *(_box(node) for node in boxes),
            *(_label(*label) for label in labels),
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
    """The diagram in words."""
    names = {name: node.text.replace("\n", " ") for name, node in chart.nodes.items()}
    links = [
        f"{names[link.source]} to {names[link.target]}" + (f" ({link.label})" if link.label else "")
        for link in chart.links
    ]
    return "Diagram: " + "; ".join(links or [n for n in names.values() if n])


def _box(node: Node) -> object:
    x, y = node.x - node.width / 2, node.y - node.height / 2
    first = node.y - (len(node.lines) - 1) * LINE / 2 + 4.5
    return ft(
        "g",
        ft(
            "rect",
            x=f"{x:.1f}",
            y=f"{y:.1f}",
            width=f"{node.width:.1f}",
            height=f"{node.height:.1f}",
            rx=f"{node.height / 2 if node.round else 4:.0f}",
        ),
        *(
            ft("text", line, x=f"{node.x:.1f}", y=f"{first + number * LINE:.1f}")
            for number, line in enumerate(node.lines)
        ),
    )


def _ends(chart: Chart, link: Link) -> list[tuple[float, float]]:
    """The points that a link goes through, from border to border."""
    source, target = chart.nodes[link.source], chart.nodes[link.target]
    turn = 1 if target.layer >= source.layer else -1

    def border(node: Node, sign: int) -> tuple[float, float]:
        if chart.across:
            return node.x + sign * node.width / 2, node.y
        return node.x, node.y + sign * node.height / 2

    between = [(chart.nodes[name].x, chart.nodes[name].y) for name in link.path]
    return [border(source, turn), *between, border(target, -turn)]


def _middle(chart: Chart, link: Link) -> tuple[float, float]:
    points = _ends(chart, link)
    half = len(points) // 2
    if len(points) % 2:
        return points[half]
    (x1, y1), (x2, y2) = points[half - 1 : half + 1]
    return (x1 + x2) / 2, (y1 + y2) / 2


def _link(chart: Chart, link: Link) -> object:
    points = _ends(chart, link)
    if link.source == link.target:
        node = chart.nodes[link.source]
        x, y = node.x + node.width / 2, node.y
        return ft("path", d=f"M{x:.1f} {y - 6:.1f}c22 -12 22 24 0 12")
    steps = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x1, y1), (x2, y2) in pairwise(points):
        if chart.across:
            bend = (x1 + x2) / 2
            steps.append(f"C{bend:.1f} {y1:.1f} {bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}")
        else:
            bend = (y1 + y2) / 2
            steps.append(f"C{x1:.1f} {bend:.1f} {x2:.1f} {bend:.1f} {x2:.1f} {y2:.1f}")
    line = ft("path", d="".join(steps), stroke_dasharray="3 4" if link.dotted else None)
    return ft("g", line, _tip(chart, link, *points[-1]) if link.arrow else None)


def _tip(chart: Chart, link: Link, x: float, y: float) -> object:
    """An arrow's head; it points along the layers."""
    turn = 1 if chart.nodes[link.target].layer >= chart.nodes[link.source].layer else -1
    away, aside = -9 * turn, 4.5
    corners = [(away, -aside), (away, aside)] if chart.across else [(-aside, away), (aside, away)]
    points = [(x, y), *((x + dx, y + dy) for dx, dy in corners)]
    return ft("polygon", points=" ".join(f"{px:.1f},{py:.1f}" for px, py in points))


def _label(text: str, x: float, y: float) -> object:
    width = len(text) * CHAR + 6
    ground = ft(
        "rect",
        x=f"{x - width / 2:.1f}",
        y=f"{y - LINE / 2:.1f}",
        width=f"{width:.1f}",
        height=str(LINE),
        cls="ground",
    )
    return ft("g", ground, ft("text", text, x=f"{x:.1f}", y=f"{y + 4.5:.1f}"), cls="label")
