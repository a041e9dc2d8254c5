"""Collects the messages of a kernel as the outputs of a cell, in the form nbformat keeps them."""

from typing import Any

Output = dict[str, Any]
Message = dict[str, Any]

# Not an output of its own: the loader and the live state of widgets need a kernel behind the page.
_KEPT = {"display_data", "execute_result", "stream", "error"}


LIMIT = 100_000_000  # characters of all that one cell gives


class TooMuch(Exception):
    """A cell gives more than can be kept."""


class Displays:
    """Where outputs with a display id stand, so that a later message can change them."""

    def __init__(self) -> None:
        """Nothing is shown yet."""
        self.places: dict[str, list[Output]] = {}

    def add(self, display_id: str, output: Output) -> None:
        """Remember one more output shown under this id."""
        self.places.setdefault(display_id, []).append(output)

    def update(self, display_id: str, content: Message) -> None:
        """Change all outputs shown under this id."""
        for output in self.places.get(display_id, []):
            output["data"] = content["data"]
            output["metadata"] = content["metadata"]


class Collector:
    """The outputs of one cell as they come in. `outputs` is one list for good: who holds it sees it grow."""

    def __init__(self, displays: Displays, outputs: list[Output]) -> None:
        """Collect into `outputs`; `displays` is shared by the cells of a step."""
        self.displays = displays
        self.outputs = outputs
        self.execution_count: int | None = None
        self._clear_first = False
        self._size = 0

    def take(self, kind: str, content: Message) -> None:
        """Take one message of the iopub channel that belongs to this cell. Raises TooMuch over `LIMIT`."""
        self._size += _length(content.get("text", "")) + sum(
            map(_length, content.get("data", {}).values())
        )
        if self._size > LIMIT:
            raise TooMuch
        if kind == "execute_input":
            self.execution_count = content["execution_count"]
        elif kind == "clear_output":
            self._clear_first = bool(content.get("wait"))
            if not self._clear_first:
                self.outputs.clear()
        elif kind == "update_display_data":
            self.displays.update(content.get("transient", {}).get("display_id", ""), content)
        elif kind in _KEPT:
            self._add(kind, content)

    def _add(self, kind: str, content: Message) -> None:
        if self._clear_first:
            self.outputs.clear()
            self._clear_first = False
        if kind == "stream":
            self._add_stream(content["name"], content["text"])
            return
        if kind == "error":
            self.outputs.append(error(content["ename"], content["evalue"], content["traceback"]))
            return
        output: Output = {
            "output_type": kind,
            "data": content["data"],
            "metadata": content["metadata"],
        }
        if kind == "execute_result":
            output["execution_count"] = content["execution_count"]
        self.outputs.append(output)
        if display_id := content.get("transient", {}).get("display_id"):
            self.displays.update(display_id, content)  # there is one picture of it, shown twice
            self.displays.add(display_id, output)

    def _add_stream(self, name: str, text: str) -> None:
        last = self.outputs[-1] if self.outputs else None
        if last and last["output_type"] == "stream" and last["name"] == name:
            last["text"] += text
        else:
            self.outputs.append({"output_type": "stream", "name": name, "text": text})


def _length(payload: Any) -> int:
    return len(payload) if isinstance(payload, str) else 0


def error(name: str, message: str, traceback: list[str] | None = None) -> Output:
    """Return an error output; without a traceback it is a message of ours in plain words."""
    return {"output_type": "error", "ename": name, "evalue": message, "traceback": traceback or []}
