"""Collects the messages of a kernel as nbformat outputs of a cell."""

import hashlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipulate_runtime.cells.outputs.stream import Terminal
from pipulate_runtime.cells.outputs.widgets import VIEW, Models

MORE = 1_000_000  # characters of one stream in memory; a longer one goes to a file


class Spill:
    """A growing file. In the end its name is made of its content, as for every payload."""

    def __init__(self, folder: Path) -> None:
        """Make the folder and open a file in it. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"spill.{secrets.token_hex(8)}"
        self._file = self.path.open("wb")
        self._digest = hashlib.sha256()

    def write(self, text: str) -> None:
        content = text.encode("utf-8", "surrogatepass")
        self._file.write(content)
        self._digest.update(content)

    @staticmethod
    def sweep(folder: Path) -> None:
        """Delete such files that a killed server has left."""
        for path in folder.glob("spill.*"):
            path.unlink(missing_ok=True)

    def keep(self) -> str:
        """Give the file its final name, and return it. Raises OSError."""
        self._file.flush()
        os.fsync(self._file.fileno())  # the row that names the file survives a power cut
        self._file.close()
        name = f"{self._digest.hexdigest()[:32]}.text"
        self.path.replace(self.path.with_name(name))
        return name

    def drop(self) -> None:
        """Delete the file unless it was kept."""
        if not self._file.closed:
            self._file.close()
            self.path.unlink(missing_ok=True)


Output = dict[str, Any]
Message = dict[str, Any]
Place = tuple[str, int]  # the id of a step, the number of a cell in it

_KEPT = {"display_data", "execute_result", "stream", "error"}
_COMM = {"comm_open", "comm_msg", "comm_close"}

LIMIT = 200_000_000  # characters of all outputs of one cell, except streams
SMALL = 20_000  # characters of a stream that are joined at once


class TooMuch(Exception):
    """A cell outputs more than can be kept."""


@dataclass(slots=True)
class Mark:
    """When an output was made and last changed, in ticks. A stream also has the text that a page follows, and its file if it is long."""

    made: int
    changed: int
    terminal: Terminal | None = None
    spill: Spill | None = None


class KernelOutputs:
    """What one kernel has shown since it started; finds outputs that a later cell may change.

    `tick` counts its messages; a page remembers the tick it was drawn at to ask for what is newer.
    """

    def __init__(self) -> None:
        self.tick = 0
        self.models = Models()
        self.cells: dict[Place, Collector] = {}
        self.displays: dict[str, list[tuple[Collector, Output]]] = {}

    def update(self, display_id: str, content: Message) -> None:
        for cell, output in self.displays.get(display_id, []):
            output["data"] = content["data"]
            output["metadata"] = content["metadata"]
            cell.touch(output)

    def forget(self, cell: "Collector") -> None:
        """Forget the outputs of a cell that was cleared: later cells no longer change them."""
        for display_id, places in self.displays.items():
            self.displays[display_id] = [place for place in places if place[0] is not cell]

    def lasting(self) -> str:
        """Return what a kernel that starts from a checkpoint could no longer change, in words; "" if nothing."""
        if any(not state.get("closed") for state in self.models.states.values()):
            return "a widget"
        return "a display that later cells can change" if self.displays else ""

    def changed_since(self, tick: int, but: str) -> list[tuple[Place, int]]:
        """Return cell and output number of all outputs changed after a tick, in all steps but one."""
        return [
            (place, number)
            for place, cell in self.cells.items()
            if place[0] != but
            for number, mark in enumerate(cell.marks)
            if mark.changed > tick or cell.widget_changed(number) > tick
        ]


@dataclass(eq=False)
class Collector:
    """Collects the outputs of one cell. The list `outputs` is never replaced, so callers that hold it see it grow."""

    shown: KernelOutputs  # of the kernel
    outputs: list[Output]
    place: Place = ("", 0)
    folder: Path | None = None  # for long texts
    most: int = LIMIT  # characters that the cell may print
    marks: list[Mark] = field(default_factory=list)
    execution_count: int | None = None
    printed: int = 0

    def __post_init__(self) -> None:
        self.shown.cells[self.place] = self
        self.shown.tick += 1
        self.made = self.cleared = self.shown.tick
        self._clear_first = False
        self._size = 0
        self._stream: Output = {}
        self._stream_mark = Mark(0, 0)
        self._pending: list[str] = []  # of the last stream
        self._pending_size = 0

    @property
    def captured(self) -> bool:
        """Whether an Output widget captures the outputs of the cell."""
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
        if self._size > LIMIT or self.printed > self.most:
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
        # Joining a long text with each piece would be quadratic
        self._pending.append(text)
        self._pending_size += len(text)
        if self._pending_size > len(last["text"]) // 8 or len(last["text"]) < SMALL:
            self.settle()

    def settle(self) -> None:
        """Append the pending pieces of the last stream; at the end, and before another output."""
        if not self._pending:
            return
        text = "".join(self._pending)
        self._pending.clear()
        self._pending_size = 0
        mark, stream = self._stream_mark, self._stream
        if mark.spill is None and self.folder and len(stream["text"]) + len(text) > MORE:
            mark.spill, text, stream["text"] = Spill(self.folder), stream["text"] + text, ""
        if mark.spill:
            mark.spill.write(text)
        else:
            stream["text"] += text

    def finish_files(self) -> dict[str, dict[str, str]]:
        """Finish the files of long texts and return their names, by number of the output."""
        return {
            str(number): {"text": mark.spill.keep()}
            for number, mark in enumerate(self.marks)
            if mark.spill
        }

    def drop(self) -> None:
        """Delete the growing files when nothing of the cell is kept."""
        for mark in self.marks:
            if mark.spill:
                mark.spill.drop()

    def touch(self, output: Output) -> None:
        for mark, own in zip(self.marks, self.outputs, strict=False):
            if own is output:
                mark.changed = self.shown.tick

    def widget_changed(self, number: int) -> int:
        """Return the tick of the last change of the widget that an output shows; 0 without one."""
        models = self.shown.models
        output = self.outputs[number] if number < len(self.outputs) else {}
        if VIEW not in output.get("data", {}):
            return 0
        return max((models.ticks.get(name, 0) for name in models.all_of(output)), default=0)

    def _into_widget(self, kind: str, content: Message) -> None:
        """Put an output into the Output widget that captures it, as Jupyter does."""
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
    if kind == "execute_result":
        output["execution_count"] = content["execution_count"]
    return output


def _display_id(content: Message) -> str:
    return str(content.get("transient", {}).get("display_id") or "")


def _length(payload: Any) -> int:
    return len(payload) if isinstance(payload, str) else 0


def error(name: str, message: str, traceback: list[str] | None = None) -> Output:
    """Return an error output. Messages of ours have no traceback."""
    return {"output_type": "error", "ename": name, "evalue": message, "traceback": traceback or []}
