"""The card of a running step: htmx polls, and gets only what is new.

The card contains a clock that loads itself again (`hx-trigger="load delay:..."`), less often the longer the step takes.
Its address names the execution and the last tick of the kernel that the page has. The answer is the next clock, with
out-of-band swaps that append new cells and outputs and replace changed ones. The rest of the card keeps its focus, folds
and selection. The server stores nothing for a page.
"""

import time
from collections.abc import Callable
from typing import Any

from fasthtml.common import Button, Div, P, Span

from pipulate_runtime.cells.outputs.collect import Collector, Output
from pipulate_runtime.cells.outputs.stream import Terminal
from pipulate_runtime.cells.page import questions, render
from pipulate_runtime.cells.run.job import Record
from pipulate_runtime.cells.run.step import Execution

FAST, SLOW = 0.5, 2.0  # seconds between two polls of a step that has just begun, and of a long one
REFUSED = (
    "You sent this step again with other answers while it was running. It continues with the answers above and "
    "ignores the others. To change them, stop the step."
)
View = Callable[[Record], render.View]


def cells(execution: Execution, app_name: str, view: View) -> Any:
    """Return what the cells of an execution have shown so far, and their question; `changes` adds to it."""
    shown = Div(*_new_cells(execution, view, -1), id=f"{execution.step_id}-cells", cls="cells")
    return Div(_note(execution), shown, questions.question(execution, app_name), cls="live")


def stop_button(execution: Execution, app_name: str, label: str, title: str) -> Any:
    """Return the button that stops a step."""
    return Button(
        label,
        type="button",
        cls="secondary",
        id=f"{execution.step_id}-stop",
        aria_label=f"{label}: {title}",
        hx_post=f"/{app_name}/stop/{execution.step_id}",
        hx_target=f"#{execution.step_id}-clock",
        hx_swap="outerHTML",
    )


def clock(execution: Execution, app_name: str) -> Any:
    """Return what a step is doing and for how long; it polls for changes."""
    busy = None if execution.question else "true"
    return P(_ticking(execution, app_name), aria_busy=busy, cls="clock")


def changes(execution: Execution, app_name: str, seen: int, view: View) -> list[Any]:
    """Return the next clock, and all changes after the tick `seen` as out-of-band swaps."""
    answer = [_ticking(execution, app_name)]
    if execution.refused:
        answer.append(_note(execution, hx_swap_oob="true"))
    for record, collector in _followed(execution):
        if collector.made <= seen:
            answer += LiveView(view(record), collector).changes(seen)
    if new := _new_cells(execution, view, seen):
        answer.append(Div(*new, hx_swap_oob=f"beforeend:#{execution.step_id}-cells"))
    return answer


def card_again(app_name: str, step_id: str) -> Any:
    """Return what replaces the clock when the step has ended: it loads the whole card."""
    return Span(
        id=f"{step_id}-clock",
        hx_get=f"/{app_name}/{step_id}",
        hx_trigger="load",
        hx_target=f"#{step_id}",
        hx_swap="outerHTML",
    )


def duration(seconds: float) -> str:
    """Return a time as 12 s, 3 min 05 s, 2 h 03 min."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _ticking(execution: Execution, app_name: str) -> Any:
    since = time.time() - (execution.stopping or execution.started)
    question = execution.question
    delay = FAST if execution.stopping else max(FAST, min(SLOW, since / 20))
    return Span(
        f"{_doing(execution)}… ",
        Span(duration(since), cls="elapsed"),
        id=f"{execution.step_id}-clock",
        hx_get=f"/{app_name}/live/{execution.step_id}?execution={execution.id}&seen={execution.tick}"
        f"&question={question.id if question else ''}",
        # The second trigger polls again after the server was away
        hx_trigger=f"load delay:{delay * 1000:.0f}ms, every 10s",
        hx_swap="outerHTML",
    )


def _doing(execution: Execution) -> str:
    """Return what a step is doing; while it waits for a kernel, its place in the queue."""
    if execution.question and not execution.stopping:
        return "Waiting for your answer"
    if place := execution.waits:
        return f"Waiting for other runs to finish a step: {ordinal(place)} in line"
    return execution.doing


def ordinal(number: int) -> str:
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
    """Return a note when other answers were sent meanwhile; until then an empty placeholder."""
    id_ = f"{execution.step_id}-note"
    if not execution.refused:
        return P(id=id_, hidden=True)
    return P(REFUSED, id=id_, cls="notice", role="status", **attributes)


class LiveView(render.View):
    """The outputs of a running cell: streams in blocks, widgets in their present state."""

    def __init__(self, view: render.View, collector: Collector) -> None:
        """`view` is of the stored cell."""
        super().__init__(view.folder, view.app_name, view.record, view.show)
        self.collector = collector

    @property
    def widgets(self) -> dict[str, Any]:
        return self.collector.shown.models.state_to_store(self.record["outputs"])

    def text(self, output: Output, number: int | None) -> list[Any]:
        """Return the text of a stream as blocks, each with its own id."""
        marks = self.collector.marks
        terminal = marks[number].terminal if number is not None and number < len(marks) else None
        if number is None or terminal is None:
            return super().text(output, number)
        terminal.draw(self.collector.shown.tick)
        return [self._block(terminal, number, block) for block in sorted(terminal.blocks)]

    def changes(self, seen: int) -> list[Any]:
        """Return what changed after a tick in a cell that the page has already."""
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
        """Return the blocks of a stream that were made, changed or dropped."""
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
