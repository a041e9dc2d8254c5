"""The text of a growing stream, in blocks of lines: a page that follows it gets only the changed ones.

It holds what a terminal shows, not what was printed: a progress bar drawn a million times is one line. Of a long text it
holds the beginning and the end.
"""

from collections import deque
from dataclasses import dataclass

from pipulate_runtime.cells.outputs.screen import Line, Screen

ROWS = 40  # lines of a block
HEAD = TAIL = 100_000  # characters of the beginning, and of the end
WAITING = 256 * 1024  # characters that wait to be drawn; older ones are skipped
LEFT_OUT = "… {:,} characters are not shown while the step runs …"
_GONE = Line()


@dataclass(slots=True)
class Block:
    """Lines that are sent together. `made` and `changed` are ticks of the execution."""

    made: int
    changed: int
    size: int = 0


class Terminal:
    """Takes text as it comes, draws it on demand, and tells which blocks are new since the last look."""

    def __init__(self) -> None:
        self.screen = Screen()
        self.blocks: dict[int, Block] = {}
        self.dropped: list[tuple[int, int, int]] = []  # when made, when dropped, number
        self._waiting: deque[str] = deque()
        self._size = 0
        self._skipped = 0
        self._gap: int | None = None  # the block that shows how much is missing
        self._missing = 0

    def take(self, text: str) -> None:
        """Take more text; it is drawn later."""
        self._waiting.append(text)
        self._size += len(text)
        while self._size - len(self._waiting[0]) > WAITING:
            first = self._waiting.popleft()
            self._size -= len(first)
            self._skipped += len(first)

    def draw(self, tick: int) -> None:
        """Draw the text taken so far; mark what changes with the tick."""
        if not self._waiting:
            return
        text = "".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        if self._skipped:
            cut, _, rest = text.partition("\n")
            if rest:
                self._skipped, text = self._skipped + len(cut), rest
            text = f"\n{LEFT_OUT.format(self._skipped)}\n{text}"
            self._skipped = 0
        self.screen.feed(text)
        for number in {row // ROWS for row in self.screen.touched}:
            block = self.blocks.setdefault(number, Block(tick, tick))
            block.changed = tick
            lines = self.screen.lines[number * ROWS : (number + 1) * ROWS]
            block.size = sum(line.length + 1 for line in lines)
        self.screen.touched.clear()
        self._drop(tick)

    def _drop(self, tick: int) -> None:
        """Drop blocks between the beginning and the end; the first of them shows how much is missing."""
        numbers = sorted(self.blocks)
        size, head, kept = sum(block.size for block in self.blocks.values()), 0, 0
        while kept < len(numbers) and head < HEAD:
            head += self.blocks[numbers[kept]].size
            kept += 1
        for number in numbers[kept:-1]:
            if size <= HEAD + TAIL:
                break
            if number == self._gap:
                continue
            block = self.blocks[number]
            size -= block.size
            self._missing += block.size
            self.screen.top = (number + 1) * ROWS
            self.screen.lines[number * ROWS : self.screen.top] = [_GONE] * ROWS
            if self._gap is None:
                self._gap = number
            else:
                del self.blocks[number]
                self.dropped.append((block.made, tick, number))
            gap = self.blocks[self._gap]
            gap.size, gap.changed = 0, tick

    def html(self, number: int) -> str:
        if number == self._gap:
            return LEFT_OUT.format(self._missing) + "\n"
        height = self.screen.height
        first, end = number * ROWS, min((number + 1) * ROWS, height)
        text = "\n".join(line.html() for line in self.screen.lines[first:end])
        return text + "\n" if end < height else text

    def since(self, seen: int) -> tuple[list[int], list[int], list[int]]:
        """Return the numbers of the blocks made, changed and dropped after a tick."""
        made = [n for n in sorted(self.blocks) if self.blocks[n].made > seen]
        changed = [n for n, b in self.blocks.items() if b.changed > seen >= b.made]
        dropped = [n for made_at, at, n in self.dropped if at > seen >= made_at]
        return made, changed, dropped
