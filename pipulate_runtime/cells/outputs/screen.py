"""Converts text for a terminal to HTML: colours, cursor movements, progress bars."""

import html
import re
from dataclasses import dataclass, field
from itertools import groupby, product
from operator import itemgetter

from pipulate_runtime.cells.outputs import progress

_CONTROL = re.compile(
    r"\x1b\[([0-9;:?]*)([ -/]*[@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_=>]|[\r\b]"
)
# Readable on white and on near black; a style sheet can set others for each theme
_COLOURS = {
    "black": "#6e6e6e", "red": "#d0453f", "green": "#2f8f46", "yellow": "#a67c00",
    "blue": "#3f7ad6", "magenta": "#b054b8", "cyan": "#1f8a99", "white": "#8a8a8a",
}  # fmt: skip


Style = dict[str, str]  # how a character looks: CSS properties and their values
PLAIN: Style = {}
_PROPERTIES = (
    "color",
    "background-color",
    "filter",
    "font-weight",
    "font-style",
    "text-decoration",
)
WIDE = 100_000  # characters of one line; of a longer one the middle is left out


@dataclass(slots=True)
class Line:
    """One line of a screen, as pieces of text of one style each. It is split into characters only when overwritten."""

    pieces: list[tuple[str, Style]] = field(default_factory=list)
    length: int = 0
    cut_up: bool = False  # each piece is one character

    def write(self, column: int, text: str, style: Style) -> None:
        end = column + len(text)
        if column == 0 and end >= self.length:  # as by a progress bar
            self.pieces, self.length, self.cut_up = [(text, style)], end, False
        elif column >= self.length:
            if column > self.length:
                self.write(self.length, " " * (column - self.length), PLAIN)
            self.pieces.append((text, style))
            self.cut_up = self.cut_up and len(text) == 1
            self.length = end
        else:
            self._cut_up()
            self.pieces[column:end] = [(character, style) for character in text]
            self.length = max(self.length, end)

    def cut(self, column: int) -> None:
        if column < self.length:
            self._cut_up()
            del self.pieces[column:]
            self.length = column

    def narrow(self) -> int:
        """Leave out the middle of a line that is too long; return its new length."""
        text, half = self.text, WIDE // 2
        left_out = f" … {self.length - WIDE:,} characters are not shown … "
        self.pieces = [(text[:half] + left_out + text[-half:], PLAIN)]
        self.length, self.cut_up = len(self.pieces[0][0]), False
        return self.length

    def _cut_up(self) -> None:
        # Once for a line: again for each `\r` would be quadratic for a long line that is overwritten often
        if not self.cut_up:
            self.pieces = [(character, style) for text, style in self.pieces for character in text]
            self.cut_up = True

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.pieces)

    def html(self) -> str:
        """Return the line as escaped HTML; a progress bar as a `progress` element."""
        if bar := progress.in_text(self.text):
            return progress.html(bar)
        parts = []
        for style, pieces in groupby(self.pieces, key=itemgetter(1)):
            text = html.escape("".join(text for text, _ in pieces))
            css = ";".join(f"{name}:{style[name]}" for name in _PROPERTIES if name in style)
            parts.append(f'<span style="{css}">{text}</span>' if css else text)
        return "".join(parts)


@dataclass
class Screen:
    """Lines with a cursor, as a terminal has them. The cursor cannot move above the line `top`."""

    lines: list[Line] = field(default_factory=lambda: [Line()])
    row: int = 0
    column: int = 0
    style: Style = field(default_factory=dict)
    top: int = 0
    moved_up: bool = False
    touched: set[int] = field(default_factory=set)  # lines written to, for the caller to clear

    def feed(self, text: str) -> None:
        """Write text that may contain control characters and sequences."""
        for number, line in enumerate(text.split("\n")):
            if number:
                self._new_line()
            position = 0
            for match in _CONTROL.finditer(line):
                if match.start() > position:
                    self.write(line[position : match.start()])
                self.control(match)
                position = match.end()
            if position < len(line):
                self.write(line[position:])

    def _new_line(self) -> None:
        self.touched.add(self.row)
        self.row, self.column = self.row + 1, 0
        if self.row == len(self.lines):
            self.touched.add(self.row)
            self.lines.append(Line())

    def write(self, text: str) -> None:
        line = self.lines[self.row]
        line.write(self.column, text, self.style)
        self.column += len(text)
        if line.length > 2 * WIDE:
            self.column = line.narrow()
        self.touched.add(self.row)

    def control(self, match: re.Match[str]) -> None:
        """Execute one control character or sequence; ignore those for real terminals only."""
        mark, final = match[0], match[2]
        if mark == "\r":
            self.column = 0
        elif mark == "\b":
            self.column = max(0, self.column - 1)
        elif final == "m":
            self.style = _sgr(self.style, match[1])
        elif final and final in "ABCDEFG":
            self._move(final, _number(match[1], 1))
        elif final == "K":
            self._erase(_number(match[1], 0))

    def _move(self, final: str, count: int) -> None:
        moves = {
            "A": (self.row - count, self.column),
            "B": (self.row + count, self.column),
            "C": (self.row, self.column + count),
            "D": (self.row, self.column - count),
            "E": (self.row + count, 0),
            "F": (self.row - count, 0),
            "G": (self.row, count - 1),
        }
        self.moved_up = self.moved_up or final in "AF"
        self._to(*moves[final])

    def _to(self, row: int, column: int) -> None:
        # One number in an output must not fill the memory of the server
        self.touched.add(self.row)
        self.row = max(self.top, min(row, len(self.lines) + 100))
        self.column = max(0, min(column, 10_000))
        while len(self.lines) <= self.row:
            self.touched.add(len(self.lines))
            self.lines.append(Line())

    def _erase(self, mode: int) -> None:
        line = self.lines[self.row]
        if mode == 0:
            line.cut(self.column)
        elif mode == 1:
            line.write(0, " " * min(self.column, line.length), PLAIN)
        else:
            line.cut(0)
        self.touched.add(self.row)

    @property
    def height(self) -> int:
        """The number of lines to show, without the empty ones that finished bars leave at the end."""
        rows = len(self.lines)
        while self.moved_up and rows > 1 and not self.lines[rows - 1].text.strip():
            rows -= 1
        return rows

    def html(self) -> str:
        return "\n".join(line.html() for line in self.lines[: self.height])


def to_html(text: str) -> str:
    """Return terminal text as HTML for a `pre`, all escaped, colours as inline styles."""
    plain = text.replace("\r\n", "\n")
    if not _CONTROL.search(plain):
        return html.escape(plain)
    screen = Screen()
    screen.feed(text)
    return screen.html()


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else default


_NAMED = [f"var(--ansi-{name},{colour})" for name, colour in _COLOURS.items()]


def _hex(red: int, green: int, blue: int) -> str:
    return f"#{red:02x}{green:02x}{blue:02x}"


# What the codes of a `select graphic rendition` sequence change (ECMA-48 8.3.117)
_CODES = {
    1: ("font-weight", "bold"), 22: ("font-weight", ""), 3: ("font-style", "italic"), 23: ("font-style", ""),
    4: ("text-decoration", "underline"), 24: ("text-decoration", ""), 7: ("filter", "invert(1)"), 27: ("filter", ""),
    38: ("color", ""), 39: ("color", ""), 48: ("background-color", ""), 49: ("background-color", ""),
}  # fmt: skip
for _index, _colour in enumerate(_NAMED):
    _CODES[30 + _index] = _CODES[90 + _index] = ("color", _colour)
    _CODES[40 + _index] = _CODES[100 + _index] = ("background-color", _colour)

_PALETTE = [
    *_NAMED,
    *_NAMED,
    *(_hex(*levels) for levels in product((0, 95, 135, 175, 215, 255), repeat=3)),
    *(_hex(grey, grey, grey) for grey in range(8, 248, 10)),
]
# IPython colours its tracebacks with some that are unreadable on a dark page, or on a light one
for _index, _name in {17: 4, 18: 4, 19: 4, 20: 4, 21: 4, 22: 2, 28: 2, 34: 2,
                      66: 6, 129: 5, 130: 3, 132: 5, 167: 1, 250: 7}.items():  # fmt: skip
    _PALETTE[_index] = _NAMED[_name]


def _sgr(style: Style, text: str) -> Style:
    """Return the style after a `select graphic rendition` sequence; `text` holds its codes."""
    codes = [_number(part, 0) for part in text.replace(":", ";").split(";")]
    while codes:
        code = codes.pop(0)
        if code == 0:
            style = PLAIN
        name, value = _CODES.get(code, ("", ""))
        if code in (38, 48):
            value = _extended(codes)
        style = {name: value for name, value in {**style, name: value}.items() if value}
    return style


def _extended(codes: list[int]) -> str:
    """Take a colour of 256 or of 16 million (ITU T.416) from the codes that follow 38 or 48."""
    kind = codes.pop(0) if codes else 0
    if kind == 2 and len(codes) >= 3:
        return _hex(*(min(codes.pop(0), 255) for _ in range(3)))
    return _PALETTE[min(codes.pop(0), 255)] if kind == 5 and codes else ""
