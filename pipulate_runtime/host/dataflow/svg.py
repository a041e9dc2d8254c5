"""Draws a data flow as SVG: the steps as boxes in their order, and at their side a track for each step that feeds others.

Steps are a chain, so nothing has to be laid out but the tracks: each leaves its step at the right, runs down in a lane,
and turns into every step that takes names from it; the box says there which. So the picture grows down with the
steps and hardly to the side, and its text stays as large on a phone. Sizes are of SVG, without a look at any font.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from fastcore.xml import NotStr, ft

from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.base.flow import Edge, Flow, Node
from pipulate_runtime.host.base.markup import html

WIDTH = 280  # of a box
GAP = 14  # between two boxes
LANE = 12  # between two lanes
PAD = 12
LINE = 18  # height of a line of text
TITLE, NAME, SMALL = (
    8.3,
    7.25,
    6.9,
)  # width of a character: titles, names in monospace, the words between
TITLE_LINES, NAME_LINES = 2, 3
COLOURS = 6
BEND = 5

# In a page of the host its variables win, so that the picture follows the page; alone it follows the device.
STYLE = """
.flow { --flow-ink: var(--ink, #1f2421); --flow-soft: var(--soft, #5a625d); --flow-line: var(--strong-line, #8d9590);
  --flow-card: var(--card, #ffffff); --flow-paper: #f6f5f1;
  --c0: #1f5bb5; --c1: #8f3a97; --c2: #1f7034; --c3: #7a5a00; --c4: #0f6672; --c5: #b3261e; }
@media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) .flow, .flow:root {
  --flow-ink: var(--ink, #e8ebe8); --flow-soft: var(--soft, #a3aca6); --flow-line: var(--strong-line, #707a74);
  --flow-card: var(--card, #1e2321); --flow-paper: #151917;
  --c0: #86b4ff; --c1: #dd94e0; --c2: #6fd389; --c3: #e0c060; --c4: #66cddd; --c5: #ff8580; } }
:root[data-theme="dark"] .flow { --c0: #86b4ff; --c1: #dd94e0; --c2: #6fd389; --c3: #e0c060; --c4: #66cddd; --c5: #ff8580; }
.flow text { font: 12px system-ui, sans-serif; fill: var(--flow-soft); white-space: pre; }
.flow .title { font-size: 13px; font-weight: 600; fill: var(--flow-ink); }
.flow .names { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: var(--flow-ink); }
.flow .paper { fill: var(--flow-paper); }
.flow .box { fill: var(--flow-card); stroke: var(--flow-line); }
.flow .order { stroke: var(--flow-line); stroke-dasharray: 2 3; }
.flow .track { fill: none; stroke: var(--c); stroke-width: 1.6; }
.flow .end { fill: var(--c); }
.flow .number { font-size: 13px; }
.flow .number, .flow .from { font-weight: 600; }
.flow text[class*="c"] { fill: var(--c, var(--flow-soft)); }
.flow .edge:hover .track { stroke-width: 3.2; }
.flow a { text-decoration: none; }
.flow a:hover .box, .flow a:focus-visible .box { stroke: var(--flow-ink); stroke-width: 2; }
""" + "".join(f".flow .c{n} {{ --c: var(--c{n}); }}\n" for n in range(COLOURS))


@dataclass(frozen=True, slots=True)
class _Box:
    """Where a step stands, and at which height the names of each earlier step come in."""

    top: int
    height: int
    entries: Mapping[int, int]
    content: tuple[Component, ...]

    @property
    def exit(self) -> int:
        """The height at which its names go out."""
        return self.top + PAD + 8


def svg(flow: Flow, *, linked: bool = False, page: bool = False) -> Component:
    """Return the picture as a component. `linked`: each step is a link to its card; `page`: it will stand in a page."""
    boxes = _boxes(flow)
    lanes = _lanes(flow, boxes)
    width = WIDTH + 2 + (PAD + LANE * (max(lanes.values()) + 1) if lanes else 0)
    height = boxes[-1].top + boxes[-1].height + 1 if boxes else 1
    edge = 0 if page else PAD
    targets: dict[int, list[Edge]] = {}
    for drawn in flow.drawn:
        targets.setdefault(drawn.source, []).append(drawn)
    colours = _colours(flow)
    tracks = [
        _track(boxes, lanes[source], edges, colours[source])
        for source, edges in sorted(targets.items(), key=lambda item: -lanes[item[0]])
    ]
    size = (-edge, -edge, width + 2 * edge, height + 2 * edge)
    drawing = ft(
        "svg",
        ft("title", f"{printable(flow.title)}: how the steps feed each other", id="flow-title"),
        ft("desc", described(flow), id="flow-text"),
        ft("style", STYLE),
        None if page else ft("rect", cls="paper", **_sizes(*size)),
        *(
            ft("path", d=f"M26 {one.top + one.height}V{two.top}", cls="order")
            for one, two in pairwise(boxes)
        ),
        *(_step(node, box, linked) for node, box in zip(flow.nodes, boxes, strict=True)),
        *tracks,
        xmlns="http://www.w3.org/2000/svg",
        cls="flow",
        role="group" if linked else "img",
        aria_labelledby="flow-title",
        aria_describedby="flow-text",
        width=size[2],
        height=size[3],
    )
    drawing.attrs["viewBox"] = " ".join(
        map(str, size)
    )  # `ft` would write it small, which XML does not know
    return drawing


def svg_file(flow: Flow) -> str:
    """Return the picture as a file of its own; the same for the same flow."""
    text = html(svg(flow))
    return re.sub(r"(</(?:title|desc|style|rect|path|text|g)>)(?=<)", r"\1\n", text) + "\n"


def described(flow: Flow) -> str:
    """Return the picture in words: a sentence for each step that takes something."""
    sentences = []
    for target, node in enumerate(flow.nodes):
        taken = [edge for edge in flow.drawn if edge.target == target]
        if taken:
            said = " and ".join(f"{', '.join(e.names)} from step {e.source + 1}" for e in taken)
            sentences.append(f"Step {target + 1}, {printable(node.title)}, takes {said}.")
    return " ".join([*sentences, "Imported modules are left out."])


def printable(text: str) -> str:
    """Return text on one line, without what XML cannot hold."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


# --- the boxes ----------------------------------------------------------------------------------------------------


def _boxes(flow: Flow) -> list[_Box]:
    colours = _colours(flow)
    incoming: dict[int, list[Edge]] = {}
    for edge in flow.drawn:
        incoming.setdefault(edge.target, []).append(edge)
    boxes: list[_Box] = []
    top = 1
    for position, node in enumerate(flow.nodes):
        y = top + PAD + 12
        content: list[Component] = [_text(PAD, y, str(position + 1), "number")]
        for line in wrapped(printable(node.title).split(" "), " ", _room(34, TITLE), TITLE_LINES):
            content.append(_text(34, y, line, "title"))
            y += LINE
        if node.asks:
            content.append(_text(34, y, "asks for", ""))
            y = _names(content, 34 + 54, y, node.asks)
        if node.unknown:
            content.append(_text(34, y, "not all its names can be known", ""))
            y += LINE
        entries: dict[int, int] = {}
        for edge in incoming.get(position, ()):
            entries[edge.source] = y - 4
            said = f"from {edge.source + 1}"
            content.append(_text(34, y, said, f"from c{colours[edge.source]}"))
            y = _names(content, 34 + round((len(said) + 1) * SMALL) + 4, y, edge.names)
        if position in colours:
            content[0].attrs["class"] = f"number c{colours[position]}"
        boxes.append(_Box(top, y - LINE + PAD - top + 4, entries, tuple(content)))
        top += boxes[-1].height + GAP
    return boxes


def _names(content: list[Component], x: int, y: int, names: Iterable[str]) -> int:
    """Add names as lines of text; return the height of the line after them."""
    listed = list(map(printable, names))
    words = [f"{name}," for name in listed[:-1]] + listed[-1:]
    for line in wrapped(words, " ", _room(x, NAME), NAME_LINES):
        content.append(_text(x, y, line, "names"))
        y += LINE
    return y


def _step(node: Node, box: _Box, linked: bool) -> Component:
    frame = ft("rect", cls="box", rx=6, **_sizes(1, box.top, WIDTH, box.height))
    title = ft("title", printable(node.title))
    group = ft("g", title, frame, *box.content, cls="step", data_step=node.id)
    return ft("a", group, href=f"#{node.id}") if linked else group


def _text(x: int, y: int, text: str, kind: str) -> Component:
    return ft("text", text, x=x, y=y, cls=kind or None)


def _sizes(x: int, y: int, width: int, height: int) -> dict[str, Any]:
    return {"x": x, "y": y, "width": width, "height": height}


def _room(x: int, character: float) -> int:
    """How many characters fit into a box from x on."""
    return int((WIDTH - PAD - x) / character)


def wrapped(words: Iterable[str], space: str, room: int, most: int) -> list[str]:
    """Return words in lines of `room` characters (wide ones count twice), at most so many; "…" says that more follows."""
    lines = [""]
    waiting = [w for w in words if w]
    while waiting:
        word = waiting.pop(0)
        joined = f"{lines[-1]}{space}{word}" if lines[-1] else word
        if broad(joined) <= room:
            lines[-1] = joined
        elif len(lines) == most:
            lines[-1] = _cut(joined, room - 1) + "…"
            break
        elif lines[-1]:
            lines.append("")
            waiting.insert(0, word)
        else:  # a word wider than a line
            lines[-1] = _cut(word, room)
            lines.append("")
            waiting.insert(0, word[len(lines[-2]) :])
    return lines


def broad(text: str) -> int:
    """Return how many columns a text takes."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _cut(text: str, room: int) -> str:
    while broad(text) > room:
        text = text[:-1]
    return text


# --- the tracks ---------------------------------------------------------------------------------------------------


def _colours(flow: Flow) -> dict[int, int]:
    """A colour for each step that feeds others; neighbours differ."""
    sources = sorted({edge.source for edge in flow.drawn})
    return {source: number % COLOURS for number, source in enumerate(sources)}


def _lanes(flow: Flow, boxes: list[_Box]) -> dict[int, int]:
    """Give each step that feeds others a lane: short tracks near the boxes, and none that meet in one lane."""
    spans: dict[int, tuple[int, int]] = {}
    for edge in flow.drawn:
        start = boxes[edge.source].exit
        _, end = spans.get(edge.source, (start, start))
        spans[edge.source] = (start, max(end, boxes[edge.target].entries[edge.source]))
    lanes: dict[int, int] = {}
    taken: list[list[tuple[int, int]]] = []
    for source, (start, end) in sorted(spans.items(), key=lambda i: (i[1][1] - i[1][0], i[0])):
        free = (
            number
            for number, lane in enumerate(taken)
            if all(end < other_start or start > other_end for other_start, other_end in lane)
        )
        number = next(free, len(taken))
        if number == len(taken):
            taken.append([])
        taken[number].append((start, end))
        lanes[source] = number
    return lanes


def _track(boxes: list[_Box], lane: int, edges: list[Edge], colour: int) -> Component:
    """A line out of a step, down its lane and into each step it feeds, with an arrow there."""
    source = edges[0].source
    side, x = WIDTH + 1, WIDTH + 1 + PAD + LANE * lane
    top = boxes[source].exit
    ends = [boxes[edge.target].entries[source] for edge in edges]
    path = f"M{side} {top}H{x - BEND}q{BEND} 0 {BEND} {BEND}V{ends[-1] - BEND}"
    path += "".join(f"M{x} {y - BEND}q0 {BEND} {-BEND} {BEND}H{side + 6}" for y in ends)
    names = dict.fromkeys(name for edge in edges for name in edge.names)
    targets = ", ".join(str(edge.target + 1) for edge in edges)
    return ft(
        "g",
        ft("title", f"{', '.join(map(printable, names))}: from {source + 1} to {targets}"),
        ft("path", d=path, cls="track"),
        ft("path", d="".join(f"M{side} {y}l7 -4v8z" for y in ends), cls="end"),
        cls=f"edge c{colour}",
    )


def follow(flow: Flow) -> str:
    """Return style rules that mark the steps in a page whose cards are done or at hand: the cards themselves say so."""
    rules = []
    for node in flow.nodes:
        if re.fullmatch(r"\w+", node.id):
            at = f'body:has(#{node.id}[data-state="{{}}"]) .flow [data-step="{node.id}"] .box'
            done = ", ".join(at.format(state) for state in ("done", "locked"))
            now = ", ".join(at.format(state) for state in ("input", "running", "question"))
            rules.append(f"{done} {{ fill: var(--accent-soft); }}")
            rules.append(f"{now} {{ stroke: var(--accent); stroke-width: 2; }}")
            rules.append(f"{at.format('error')} {{ stroke: var(--bad); stroke-width: 2; }}")
    return "\n".join(rules)


def fold(flow: Flow, *, linked: bool) -> Component:
    """Return the fold with the picture, for a page; `linked` when the cards of a run are on it."""
    return NotStr(_fold(flow, linked))  # type: ignore[no-untyped-call]


@lru_cache
def _fold(flow: Flow, linked: bool) -> str:
    """The same as text: it is on every page of a workflow, and always the same."""
    drawn = ft(
        "details",
        ft("summary", "How the steps feed each other"),
        ft(
            "div",
            svg(flow, linked=linked, page=True),
            cls="flow-scroll",
            tabindex="0",
            role="region",
            aria_label="How the steps feed each other",
        ),
        ft("style", follow(flow)) if linked else None,
        cls="flow-fold",
    )
    return html(drawn)
