"""A step that is running, as a page follows it: nothing but htmx asks, and gets only what is new.

The card is drawn once. In it stands a clock that asks for itself again (`hx-trigger="load delay:..."`), less often the
longer the step takes. Its address says which execution the page shows and up to which tick of the kernel. The answer is
the next clock, and beside it what has come since then as out-of-band swaps: new cells and outputs are appended, changed
ones replaced. All else in the card stays as it is, with its focus, folds and selection. The server keeps nothing of a page.
"""

import time
from collections.abc import Callable
from typing import Any

from fasthtml.common import Div, P, Span

from pipulate_runtime.cells import ask, render
from pipulate_runtime.cells.execution import Execution, Record
from pipulate_runtime.cells.outputs import Collector, Output
from pipulate_runtime.cells.terminal import Terminal

FAST, SLOW = (
    0.5,
    2.0,
)  # seconds between two looks at a step that has just begun, and that runs for long
REFUSED = (
    "This step was sent again with other answers while it was running. The answers above are the ones that are "
    "running; the others were not taken. To change them, stop the step."
)
View = Callable[[Record], render.View]


def cells(execution: Execution, app_name: str, view: View) -> Any:
    """Return what the cells of an execution have shown so far, and what they ask; `changes` adds to it."""
    shown = Div(*_new_cells(execution, view, -1), id=_cells_id(execution.step_id), cls="cells")
    return Div(_note(execution), shown, ask.question(execution, app_name), cls="live")


def clock(execution: Execution, app_name: str) -> Any:
    """Return what a step is doing, for how long, and the request that asks what is new."""
    busy = None if execution.question else "true"
    return P(_ticking(execution, app_name), aria_busy=busy, cls="clock")


def changes(execution: Execution, app_name: str, seen: int, view: View) -> list[Any]:
    """Return the next clock, and all that came after the tick `seen` as out-of-band swaps."""
    answer = [_ticking(execution, app_name)]
    if execution.refused:
        answer.append(_note(execution, hx_swap_oob="true"))
    for record, collector in _followed(execution):
        if collector.made <= seen:
            answer += LiveView(view(record), collector).changes(seen)
    if new := _new_cells(execution, view, seen):
        answer.append(Div(*new, hx_swap_oob=f"beforeend:#{_cells_id(execution.step_id)}"))
    return answer


def card_again(app_name: str, step_id: str) -> Any:
    """Return what stands in the place of the clock when the step is not running any more: it asks for the whole card."""
    return Span(
        id=_clock_id(step_id),
        hx_get=f"/{app_name}/{step_id}",
        hx_trigger="load",
        hx_target=f"#{step_id}",
        hx_swap="outerHTML",
    )


def duration(seconds: float) -> str:
    """Return a time in words: 12 s, 3 min 05 s, 2 h 03 min."""
    whole = max(0, int(seconds))
    minutes, hours = whole // 60, whole // 3600
    if hours:
        return f"{hours} h {minutes % 60:02} min"
    return f"{minutes} min {whole % 60:02} s" if minutes else f"{whole} s"


def _ticking(execution: Execution, app_name: str) -> Any:
    since = time.time() - (execution.stopping or execution.started)
    question = execution.question
    delay = FAST if execution.stopping else max(FAST, min(SLOW, since / 20))
    return Span(
        f"{_doing(execution)}… ",
        Span(duration(since), cls="elapsed"),
        id=_clock_id(execution.step_id),
        hx_get=f"/{app_name}/live/{execution.step_id}?execution={execution.id}&seen={execution.tick}"
        f"&question={question.id if question else ''}",
        # If there was no server to answer, it is asked again now and then
        hx_trigger=f"load delay:{delay * 1000:.0f}ms, every 10s",
        hx_swap="outerHTML",
    )


def _doing(execution: Execution) -> str:
    """Return what a step is doing; while it waits for a kernel, its place in the line."""
    place = execution.waits
    if execution.question and not execution.stopping:
        return "Waiting for your answer"
    return (
        f"Waiting for other runs to end a step: {ordinal(place)} in line"
        if place
        else execution.doing
    )


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 4th..."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10)
    return f"{number}{ending or 'th'}"


def _followed(execution: Execution) -> list[tuple[Record, Collector]]:
    return list(zip(execution.cells, execution.collectors, strict=False))


def _new_cells(execution: Execution, view: View, seen: int) -> list[Any]:
    return [
        render.cell_of(record, LiveView(view(record), collector).parts())
        for record, collector in _followed(execution)
        if collector.made > seen
    ]


def _note(execution: Execution, **attributes: Any) -> Any:
    """Return what is said when other answers were sent meanwhile; before that, an empty place for it."""
    id_ = f"{execution.step_id}-note"
    if not execution.refused:
        return P(id=id_, hidden=True)
    return P(REFUSED, id=id_, cls="notice", role="status", **attributes)


def _cells_id(step_id: str) -> str:
    return f"{step_id}-cells"


def _clock_id(step_id: str) -> str:
    return f"{step_id}-clock"


class LiveView(render.View):
    """The outputs of a cell that is being executed: the texts of streams in blocks, widgets as they are now."""

    def __init__(self, view: render.View, collector: Collector) -> None:
        """Like a view of the stored cell, with what only the collector knows."""
        super().__init__(view.folder, view.app_name, view.record, view.show)
        self.collector = collector

    @property
    def widgets(self) -> dict[str, Any]:
        """What is known of the widgets of the cell."""
        return self.collector.shown.models.kept(self.record["outputs"])

    def text(self, output: Output, number: int | None) -> list[Any]:
        """Return the text of a stream as blocks, each with an id of its own."""
        marks = self.collector.marks
        terminal = marks[number].terminal if number is not None and number < len(marks) else None
        if number is None or terminal is None:
            return super().text(output, number)
        terminal.draw(self.collector.shown.tick)
        return [self._block(terminal, number, block) for block in sorted(terminal.blocks)]

    def changes(self, seen: int) -> list[Any]:
        """Return what is new since a tick, in a cell that the page has already."""
        collector, marks = self.collector, self.collector.marks
        fresh = [number for number, mark in enumerate(marks) if mark.made > seen]
        if collector.cleared > seen or any(map(self.joins_the_one_before, fresh)):
            return [render.cell_of(self.record, self.parts(), hx_swap_oob="true")]
        swaps: list[Any] = []
        others = []
        for number, mark in enumerate(marks):
            if max(mark.changed, collector.widget_changed(number)) > seen >= mark.made:
                if mark.terminal:
                    swaps += self._text_changes(mark.terminal, number, seen)
                else:
                    others.append(number)
        for _, part in self.outputs(others) if others else ():
            part.attrs["hx-swap-oob"] = "true"
            swaps.append(part)
        if fresh and (parts := [part for _, part in self.outputs(fresh)]):
            swaps.append(Div(*parts, hx_swap_oob=f"beforeend:#{render.place(self.record)}"))
        return swaps

    def _text_changes(self, terminal: Terminal, number: int, seen: int) -> list[Any]:
        """Return the blocks of a stream that are new, changed or gone."""
        if self.show in ("code", "none"):
            return []
        terminal.draw(self.collector.shown.tick)
        made, changed, dropped = terminal.since(seen)
        id_ = render.place(self.record, number)
        swaps = [self._block(terminal, number, block, hx_swap_oob="true") for block in changed]
        swaps += [Span(id=f"{id_}-{block}", hx_swap_oob="delete") for block in dropped]
        if made:
            blocks = [self._block(terminal, number, block) for block in made]
            swaps.append(Span(*blocks, hx_swap_oob=f"beforeend:#{id_}"))
        return swaps

    def _block(self, terminal: Terminal, number: int, block: int, **attributes: Any) -> Any:
        id_ = f"{render.place(self.record, number)}-{block}"
        return Span(render.raw(terminal.html(block)), id=id_, **attributes)
