"""Draws a data flow as SVG: the steps as boxes in their order, and at their side a track for each step that feeds others.

Steps are a chain, so nothing has to be laid out but the tracks: each leaves its step at the right, runs down in a lane,
and turns into every step that takes names from it; the box says there which. So the picture grows down with the
steps and hardly to the side, and its text stays as large on a phone. Sizes are of SVG, without a look at any font.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, groupby, pairwise
from operator import attrgetter

from fastcore.xml import NotStr, ft

from pipulate_runtime.host.base import markup
from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.base.flow import Edge, Flow, Node

WIDTH = 280  # of a box
GAP = 14  # between two boxes
LANE = 12  # between two lanes
PAD = 12
LINE = 18  # height of a line of text
# Classes of text, with the width of a character and how many lines there may be
TITLE, NAMES = ("title", 8.3, 2), ("names", 7.25, 3)
SMALL = 6.9  # width of a character of other text
COLOURS = 6
BEND = 5


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
    source = attrgetter("source")
    feeds = {step: list(edges) for step, edges in groupby(sorted(flow.drawn, key=source), source)}
    colours = {step: number % COLOURS for number, step in enumerate(feeds)}
    boxes = _boxes(flow, colours)
    lanes = _lanes(
        {
            step: (boxes[step].exit, boxes[edges[-1].target].entries[step])
            for step, edges in feeds.items()
        }
    )
    margin = 0 if page else PAD
    width = WIDTH + 2 + (PAD + LANE * (max(lanes.values()) + 1) if lanes else 0) + 2 * margin
    height = (boxes[-1].top + boxes[-1].height + 1 if boxes else 1) + 2 * margin
    # In a page of the host its variables win, so that the picture follows the page; alone it follows the device
    style, _ = markup.content("flow.css") or (b"", "")
    drawing = ft(
        "svg",
        ft("title", f"{printable(flow.title)}: how the steps feed each other", id="flow-title"),
        ft("desc", described(flow), id="flow-text"),
        ft("style", "\n" + style.decode()),
        None if page else ft("rect", cls="paper", x=-margin, y=-margin, width=width, height=height),
        *(
            ft("path", d=f"M26 {one.top + one.height}V{two.top}", cls="order")
            for one, two in pairwise(boxes)
        ),
        *(_step(node, box, linked) for node, box in zip(flow.nodes, boxes, strict=True)),
        *(
            _track(boxes, lanes[step], feeds[step], colours[step])
            for step in sorted(feeds, key=lambda step: -lanes[step])
        ),
        xmlns="http://www.w3.org/2000/svg",
        cls="flow",
        role="group" if linked else "img",
        aria_labelledby="flow-title",
        aria_describedby="flow-text",
        width=width,
        height=height,
    )
    # `ft` would write it small, which XML does not know
    drawing.attrs["viewBox"] = f"{-margin} {-margin} {width} {height}"
    return drawing


def svg_file(flow: Flow) -> str:
    """Return the picture as a file of its own; the same for the same flow."""
    text = markup.html(svg(flow))
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


def _boxes(flow: Flow, colours: Mapping[int, int]) -> list[_Box]:
    """Place each step below the one before; `colours` are of the steps that feed others."""
    boxes: list[_Box] = []
    y = 0
    content: list[Component] = []

    def write(x: int, text: str, kind: str | None = None) -> None:
        content.append(ft("text", text, x=x, y=y, cls=kind))

    def write_lines(x: int, text: str, kind: str, character: float, most: int) -> None:
        nonlocal y
        for line in wrapped(text, int((WIDTH - PAD - x) / character), most):
            write(x, line, kind)
            y += LINE

    top = 1
    for position, node in enumerate(flow.nodes):
        y = top + PAD + 12
        content = []
        fed = f" c{colours[position]}" if position in colours else ""
        write(PAD, str(position + 1), f"number{fed}")
        write_lines(34, node.title, *TITLE)
        if node.asks:
            write(34, "asks for")
            write_lines(34 + 54, ", ".join(node.asks), *NAMES)
        if node.unknown:
            write(34, "not all its names can be known")
            y += LINE
        entries: dict[int, int] = {}
        for edge in flow.drawn:
            if edge.target == position:
                entries[edge.source] = y - 4
                said = f"from {edge.source + 1}"
                write(34, said, f"from c{colours[edge.source]}")
                x = 34 + round((len(said) + 1) * SMALL) + 4
                write_lines(x, ", ".join(edge.names), *NAMES)
        boxes.append(_Box(top, y - LINE + PAD - top + 4, entries, tuple(content)))
        top += boxes[-1].height + GAP
    return boxes


def _step(node: Node, box: _Box, linked: bool) -> Component:
    frame = ft("rect", cls="box", rx=6, x=1, y=box.top, width=WIDTH, height=box.height)
    title = ft("title", printable(node.title))
    group = ft("g", title, frame, *box.content, cls="step", data_step=node.id)
    return ft("a", group, href=f"#{node.id}") if linked else group


def wrapped(text: str, room: int, most: int) -> list[str]:
    """Return text in lines of `room` characters (wide ones count twice), at most so many; "…" says that more follows."""
    from rich.cells import cell_len, chop_cells

    lines = [""]
    for word in printable(text).split():
        for piece in chop_cells(word, room):
            joined = f"{lines[-1]} {piece}".lstrip()
            if cell_len(joined) <= room:
                lines[-1] = joined
            else:
                lines.append(piece)
    if len(lines) > most:
        cut = chop_cells(f"{lines[most - 1]} {lines[most]}", room - 1)[0]
        lines[most - 1 :] = [f"{cut}…"]
    return lines


def _lanes(spans: Mapping[int, tuple[int, int]]) -> dict[int, int]:
    """Give each track a lane: short ones near the boxes, and none that meet in one lane.

    `spans` are the heights at which the track of a step begins and ends.
    """
    lanes: dict[int, int] = {}
    for step in sorted(spans, key=lambda step: (spans[step][1] - spans[step][0], step)):
        start, end = spans[step]
        meets = {
            lane
            for other, lane in lanes.items()
            if spans[other][0] <= end and start <= spans[other][1]
        }
        lanes[step] = next(lane for lane in count() if lane not in meets)
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


@lru_cache  # it is on every page of a workflow, and always the same
def fold(flow: Flow, *, linked: bool) -> Component:
    """Return the fold with the picture, for a page; `linked` when the cards of a run are on it."""
    name = "How the steps feed each other"
    picture = svg(flow, linked=linked, page=True)
    scroll = ft("div", picture, cls="flow-scroll", tabindex="0", role="region", aria_label=name)
    style = ft("style", follow(flow)) if linked else None
    return NotStr(markup.html(ft("details", ft("summary", name), scroll, style, cls="flow-fold")))  # type: ignore[no-untyped-call]
