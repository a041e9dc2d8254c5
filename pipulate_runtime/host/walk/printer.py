"""Prints a walk as it goes: each step with what was answered and what its cells gave.

On a terminal the lines come as the cells print them, and below them stands one line that changes: how long the step takes,
and its progress bar. Anywhere else (a file, the mail of cron) a step is printed when it is done, or when it failed.
"""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from pipulate_runtime.host.base.contract import Steps

if TYPE_CHECKING:
    from pipulate_runtime.cells.outputs.progress import Bar

BARS = 3  # at most so many bars stand in the line that changes
SIGNS = 10  # the length of one


class Walk(Protocol):
    """What is asked of a walk."""

    key: str
    asked: dict[str, dict[str, str]]

    def standing(self, step_id: str) -> str:
        """The `data-state` of a step's card."""

    def shown(self, step: Any) -> list[str]:
        """What the card of a step shows, line by line."""


class Teller:
    """Tells one walk. Nothing is printed twice."""

    def __init__(self, cells: Any, steps: Steps, read: Any, out: TextIO | None = None) -> None:
        """`cells` is the plugin's `Cells`, None for one that runs none; `read` gives the state of a key."""
        self.cells = cells
        self.steps = [step for step in steps if step.id != "finalize"]
        self.read = read
        self.out = out or sys.stdout
        self.live = self.out.isatty()
        self.told: dict[str, str] = {}  # how each step stood
        self._following: Following | None = None
        self._status = ""

    def begin(self, title: str, key: str) -> None:
        """The walk has a run."""
        self._print(f"{title}: {key}")

    def look(self, walk: Walk) -> None:
        """See what is new since the last look, and print it."""
        running = self._running(walk)
        if running is not None and self.live:
            self._follow(running)
        if running is not None:
            return
        for step in self.steps:
            standing = walk.standing(step.id)
            if standing not in ("done", "locked", "error"):
                break
            failed_before = self.told.get(step.id) == "error" != standing
            if step.id not in self.told or failed_before:
                self.told[step.id] = standing
                self._section(walk, step, standing)

    def end(self, finalized: bool) -> None:
        """The walk is at its end."""
        self._print("\nFinished." if finalized else "\nNot finished.")

    def stop(self) -> None:
        """The walk ends before its end: let go of the line that changes."""
        self._change("")
        self.out.flush()

    def _running(self, walk: Walk) -> Any:
        """Return the execution of the step that runs, None without one: its card is there, and is not done."""
        ended = ("", "done", "locked")
        there = [step for step in self.steps if walk.standing(step.id) not in ended]
        found = (self.cells.execution(walk.key, step.id) for step in there) if self.cells else ()
        return next((e for e in found if e is not None and e.running), None)

    def _follow(self, execution: Any) -> None:
        if self._following is None or self._following.execution is not execution:
            self._following = Following(execution)
            title = next(step.show for step in self.steps if step.id == execution.step_id)
            self._print(f"\n{title}")
        for line in self._following.lines():
            self._print(f"  | {line}")
        self._change(self._following.status())

    def _section(self, walk: Walk, step: Any, standing: str) -> None:
        """Print a step that is not running any more, but for the lines that were printed while it was."""
        following, self._following = self._following, None
        if following and following.execution.step_id == step.id:
            lines = list(following.lines(ended=True))
        else:
            self._print(f"\n{step.show}  [{standing}]")
            lines = self._lines(walk, step, standing)
        for name, value in self._answers(walk, step.id).items():
            self._print(f"    {name} = {value!r}")
        for line in self._conversation(walk, step.id):
            self._print(f"    {line}")
        for line in lines:
            self._print(f"  | {line}")
        if following:
            took = time.time() - following.execution.started
            self._print(f"  [{standing}, {took:.0f} s]")

    def _answers(self, walk: Walk, step_id: str) -> dict[str, Any]:
        stored = self.read(walk.key).get(step_id)
        asked = walk.asked.get(step_id, {})
        return {n: v for n, v in stored.items() if n in asked} if isinstance(stored, dict) else {}

    def _conversation(self, walk: Walk, step_id: str) -> Iterator[str]:
        """Yield what the cells of a step asked, and what was answered."""
        stored = self.read(walk.key).get(step_id)
        for record in stored.get("_cells") or [] if isinstance(stored, dict) else []:
            for entry in record.get("asked", ()):
                answer = "(not kept)" if entry.get("secret") else repr(entry["answer"])
                yield f"{' '.join(entry['prompt'].split())} {answer}".strip()

    def _lines(self, walk: Walk, step: Any, standing: str) -> list[str]:
        from pipulate_runtime.cells.storage.folders import load_outputs

        failed = (
            self.cells.execution(walk.key, step.id) if standing == "error" and self.cells else None
        )
        if failed is None:
            return walk.shown(step)
        return [  # the error itself is what the command ends with
            line
            for record in failed.cells
            for output in load_outputs(self.cells.folder(walk.key), record)
            if output["output_type"] != "error"
            for line in plain(output, record)
        ]

    def _print(self, text: str) -> None:
        self._change("")
        print(text, file=self.out, flush=True)

    def _change(self, status: str) -> None:
        """Write the line that changes over the one that is there."""
        if self.live and status != self._status:
            width = _width(self.out)
            self.out.write(f"\r\x1b[K{status[: max(10, width - 1)]}")
            self.out.flush()
            self._status = status


class Following:
    """Which lines of a running step are printed already."""

    def __init__(self, execution: Any) -> None:
        """None of them."""
        self.execution = execution
        self._printed: dict[tuple[int, int], int] = {}
        self._bars: list[Bar] = []

    def lines(self, ended: bool = False) -> Iterator[str]:
        """Yield the new lines that do not change any more."""
        from pipulate_runtime.cells.outputs import exits
        from pipulate_runtime.cells.outputs.progress import in_text

        self._bars = []
        cells = list(zip(self.execution.cells, self.execution.collectors, strict=False))
        for number, (record, collector) in enumerate(cells):
            for index, (output, mark) in enumerate(
                zip(record["outputs"], collector.marks, strict=False)
            ):
                last = (number, index) == (len(cells) - 1, len(collector.marks) - 1)
                if exits.is_advice(output):
                    continue
                place, printed = (number, index), self._printed.get((number, index), 0)
                if mark.terminal is None:
                    if not printed and output["output_type"] != "error":
                        yield from plain(output, record)
                    self._printed[place] = 1
                    continue
                mark.terminal.draw(collector.shown.tick)
                rows = [line.text.rstrip() for line in mark.terminal.screen.lines]
                rows = rows[: mark.terminal.screen.height]
                settled = len(rows)
                if last and not ended:
                    bars = {row: bar for row, text in enumerate(rows) if (bar := in_text(text))}
                    settled = min([*(row for row in bars if row >= printed), len(rows) - 1])
                    self._bars = [bar for row, bar in bars.items() if row >= settled][-BARS:]
                elif rows and not rows[-1]:
                    settled -= 1
                yield from rows[printed:settled]
                self._printed[place] = max(printed, settled)

    def status(self) -> str:
        """Return what the step is doing, in one line."""
        took = time.time() - (self.execution.stopping or self.execution.started)
        told = "   ".join(map(_drawn, self._bars))
        return f"  … {self.execution.doing.lower()} {took:.0f} s   {told}".rstrip()


def _drawn(bar: "Bar") -> str:
    """Return a bar in so few characters that nested ones stand side by side."""
    counted = bar.figures.partition(" [")[0]
    if bar.share is None:
        return f"{bar.label} {counted}".strip()
    full = round(bar.share * SIGNS)
    return f"{bar.label} {'█' * full}{'░' * (SIGNS - full)} {bar.share:.0%} {counted}".strip()


def plain(output: Mapping[str, Any], record: Mapping[str, Any]) -> list[str]:
    """Return an nbformat output as a terminal shows it, line by line."""
    from pipulate_runtime.cells.outputs import exits
    from pipulate_runtime.cells.outputs.screen import Screen
    from pipulate_runtime.cells.outputs.widgets import as_text

    if exits.is_advice(output):
        return []
    if output["output_type"] == "stream":
        screen = Screen()
        screen.feed(str(output["text"]))
        lines = [line.text.rstrip() for line in screen.lines[: screen.height]]
        return lines[:-1] if lines and not lines[-1] else lines
    if output["output_type"] == "error":
        return [f"{output['ename']}: {output['evalue']}"]
    data = output["data"]
    picture = next((mime for mime in data if mime.startswith("image/")), None)
    widget = as_text(output, record)
    if picture or widget is not None:
        return [f"<{picture}>"] if picture else [widget] if widget else []
    text = str(data.get("text/markdown") or data.get("text/plain") or "")
    return text.strip("\n").splitlines()


def _width(out: TextIO) -> int:
    try:
        return os.get_terminal_size(out.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
