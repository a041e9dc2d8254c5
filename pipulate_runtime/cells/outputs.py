"""Collects the messages of a kernel as the outputs of a cell, in the form nbformat keeps them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipulate_runtime.cells import spill
from pipulate_runtime.cells.controls import VIEW
from pipulate_runtime.cells.spill import Spill
from pipulate_runtime.cells.terminal import Terminal
from pipulate_runtime.cells.widgets import Models

Output = dict[str, Any]
Message = dict[str, Any]
Place = tuple[str, int]  # the id of a step, the number of a cell in it

_KEPT = {"display_data", "execute_result", "stream", "error"}
_COMM = {"comm_open", "comm_msg", "comm_close"}

LIMIT = 200_000_000  # characters of all that one cell gives, but for what it prints
SMALL = 20_000  # characters of a stream that are put together at once


class TooMuch(Exception):
    """A cell gives more than can be kept."""


@dataclass(slots=True)
class Mark:
    """When an output was made and when it was changed, in ticks; of a stream also its text as a page follows it, and the
    file it goes to when it is long."""

    made: int
    changed: int
    terminal: Terminal | None = None
    spill: Spill | None = None


class Shown:
    """What one kernel has shown since it started: where an output stands that a later cell may change.

    `tick` counts its messages. A page that was drawn at a tick knows by it what is new.
    """

    def __init__(self) -> None:
        """Nothing is shown yet."""
        self.tick = 0
        self.models = Models()
        self.cells: dict[Place, Collector] = {}
        self.displays: dict[str, list[tuple[Collector, Output]]] = {}

    def update(self, display_id: str, content: Message) -> None:
        """Change all outputs shown under this id."""
        for cell, output in self.displays.get(display_id, []):
            output["data"] = content["data"]
            output["metadata"] = content["metadata"]
            cell.touch(output)

    def forget(self, cell: "Collector") -> None:
        """The outputs of a cell were cleared: nothing changes them any more."""
        for display_id, places in self.displays.items():
            self.displays[display_id] = [place for place in places if place[0] is not cell]

    def lasting(self) -> str:
        """Return in words what a kernel that goes on from a checkpoint could not change any more; "" if nothing."""
        if any(not state.get("closed") for state in self.models.states.values()):
            return "a widget"
        return "a display that later cells can change" if self.displays else ""

    def changed_since(self, tick: int, but: str) -> list[tuple[Place, int]]:
        """Return what was changed after a tick, by cell and number of the output, in all steps but one."""
        return [
            (place, number)
            for place, cell in self.cells.items()
            if place[0] != but
            for number, mark in enumerate(cell.marks)
            if mark.changed > tick or cell.widget_changed(number) > tick
        ]


class Collector:
    """The outputs of one cell as they come in. `outputs` is one list for good: who holds it sees it grow."""

    def __init__(
        self,
        shown: Shown,
        outputs: list[Output],
        place: Place = ("", 0),
        folder: Path | None = None,
        most: int = LIMIT,
    ) -> None:
        """Collect into `outputs`; `shown` is that of the kernel. Long texts go to files in `folder`.

        A cell may print `most` characters.
        """
        self.shown = shown
        self.outputs = outputs
        self.marks: list[Mark] = []
        shown.tick += 1
        self.made = self.cleared = shown.tick
        self.execution_count: int | None = None
        self._clear_first = False
        self.printed = 0
        self._size = 0
        self._folder = folder
        self._most = most
        self._stream: Output = {}
        self._stream_mark = Mark(0, 0)
        self._pending: list[str] = []  # of the last stream
        self._pending_size = 0
        shown.cells[place] = self

    @property
    def captured(self) -> bool:
        """Whether an Output widget takes what the cell gives."""
        return bool(self.shown.models.capturing)

    def take(self, kind: str, content: Message) -> None:
        """Take one message of the iopub channel that belongs to this cell.

        Raises TooMuch when it is more than can be kept, OSError when there is no room for a long text.
        """
        self.shown.tick += 1
        self.printed += _length(content.get("text", ""))
        self._size += sum(map(_length, content.get("data", {}).values()))
        if self.captured:
            self._size += _length(content.get("text", ""))
        if self._size > LIMIT or self.printed > self._most:
            raise TooMuch
        if kind == "execute_input":
            self.execution_count = content["execution_count"]
        elif kind in _COMM:
            self.shown.models.take(kind, content, self.shown.tick)
        elif kind == "update_display_data":
            self.shown.update(_display_id(content), content)
        elif self.captured and (kind == "clear_output" or kind in _KEPT):
            self._into_widget(kind, content)
        elif kind == "clear_output":
            self._clear_first = bool(content.get("wait"))
            if not self._clear_first:
                self._clear()
        elif kind in _KEPT:
            self._add(kind, content)

    def _clear(self) -> None:
        self._clear_first = False
        self.settle()
        self.outputs.clear()
        self.drop()
        self.marks.clear()
        self.cleared = self.shown.tick
        self.shown.forget(self)

    def _add(self, kind: str, content: Message) -> None:
        if self._clear_first:
            self._clear()
        if kind == "stream":
            self._add_stream(content["name"], content["text"])
            return
        self.settle()
        output = _output(kind, content)
        if display_id := _display_id(content):
            self.shown.update(display_id, content)
            self.shown.displays.setdefault(display_id, []).append((self, output))
        self.outputs.append(output)
        self.marks.append(Mark(self.shown.tick, self.shown.tick))

    def _add_stream(self, name: str, text: str) -> None:
        last = self.outputs[-1] if self.outputs else None
        if not (last and last["output_type"] == "stream" and last["name"] == name):
            self.settle()
            self._stream = last = {"output_type": "stream", "name": name, "text": ""}
            self.outputs.append(last)
            self._stream_mark = Mark(self.shown.tick, self.shown.tick, Terminal())
            self.marks.append(self._stream_mark)
        mark = self.marks[-1]
        mark.changed = self.shown.tick
        if mark.terminal:
            mark.terminal.take(text)
        # A long text is put together now and then: to do it for each piece would be quadratic
        self._pending.append(text)
        self._pending_size += len(text)
        if self._pending_size > len(last["text"]) // 8 or len(last["text"]) < SMALL:
            self.settle()

    def settle(self) -> None:
        """Put together what came of the last stream; at the end, or before something else comes."""
        if not self._pending:
            return
        text = "".join(self._pending)
        self._pending.clear()
        self._pending_size = 0
        mark, stream = self._stream_mark, self._stream
        if mark.spill is None and self._folder and len(stream["text"]) + len(text) > spill.MORE:
            mark.spill, text, stream["text"] = Spill(self._folder), stream["text"] + text, ""
        if mark.spill:
            mark.spill.write(text)
        else:
            stream["text"] += text

    def spilled(self) -> dict[str, dict[str, str]]:
        """Return the names of the files that hold long texts, by number of the output; none grows any more."""
        return {
            str(number): {"text": mark.spill.keep()}
            for number, mark in enumerate(self.marks)
            if mark.spill
        }

    def drop(self) -> None:
        """Nothing of the cell is kept: delete the files that were growing."""
        for mark in self.marks:
            if mark.spill:
                mark.spill.drop()

    def touch(self, output: Output) -> None:
        """An output of this cell was changed."""
        for mark, own in zip(self.marks, self.outputs, strict=False):
            if own is output:
                mark.changed = self.shown.tick

    def widget_changed(self, number: int) -> int:
        """Return when the widget that an output shows was changed; 0 if it shows none."""
        models = self.shown.models
        output = self.outputs[number] if number < len(self.outputs) else {}
        if VIEW not in output.get("data", {}):
            return 0
        return max((models.ticks.get(name, 0) for name in models.all_of(output)), default=0)

    def _into_widget(self, kind: str, content: Message) -> None:
        """Put an output into the widget that takes it, as a page of Jupyter does."""
        name = self.shown.models.capturing[-1]
        state = self.shown.models.states[name]
        self.shown.models.ticks[name] = self.shown.tick
        if kind == "clear_output":
            state["clear_first"] = bool(content.get("wait"))
            if not state["clear_first"]:
                state["outputs"] = []
            return
        outputs = [] if state.pop("clear_first", False) else list(state.get("outputs") or ())
        last = outputs[-1] if outputs else {}
        if kind == "stream" and last.get("name") == content["name"]:
            outputs[-1] = {**last, "text": last["text"] + content["text"]}
        else:
            outputs.append(_output(kind, content))
        state["outputs"] = outputs


def _output(kind: str, content: Message) -> Output:
    if kind == "stream":
        return {"output_type": kind, "name": content["name"], "text": content["text"]}
    if kind == "error":
        return error(content["ename"], content["evalue"], content["traceback"])
    output = {"output_type": kind, "data": content["data"], "metadata": content["metadata"]}
    return output | (
        {"execution_count": content["execution_count"]} if kind == "execute_result" else {}
    )


def _display_id(content: Message) -> str:
    return str(content.get("transient", {}).get("display_id") or "")


def _length(payload: Any) -> int:
    return len(payload) if isinstance(payload, str) else 0


def error(name: str, message: str, traceback: list[str] | None = None) -> Output:
    """Return an error output; without a traceback it is a message of ours in plain words."""
    return {"output_type": "error", "ename": name, "evalue": message, "traceback": traceback or []}
