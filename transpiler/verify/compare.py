"""Compares what a cell gave in the app with what it gave in the notebook. Pure: nbformat outputs in, a verdict out.

    compare([of_first_execution, of_second_execution], of_app).kind     # "same", "differs" or "not reproducible"

Outputs are cut into parts: standard output, standard error, the order of things, and of each thing shown its kind, its mime
types and each representation. Text is compared line by line, pictures by their pixels. Parts in which the executions of the notebook
itself differ are left out; values that differ each time for a known reason (addresses, run times, ids) are
normalised first.
"""

import base64
import binascii
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, zip_longest
from typing import Any, Literal

Output = Mapping[str, Any]
Outputs = Sequence[Output]
Kind = Literal["same", "differs", "not reproducible", "not compared"]

KERNEL_DIED = "KernelDied"
"""The error of a cell that ended its kernel; each side says it in its own words."""
WIDTH = 60  # So much of a line is quoted in a difference


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of comparing one cell; for "differs" the place, and the texts in the notebook and in the app."""

    kind: Kind
    where: str = ""
    notebook: str = ""
    app: str = ""

    @property
    def difference(self) -> str:
        """The difference in one line; empty when there is none."""
        if not self.where:
            return ""
        if self.kind == "not reproducible":
            return f"{self.where}: another one in each execution"
        return f"{self.where}: {self.notebook} in the notebook, {self.app} in the app"


SAME = Verdict("same")


def compare(executions: Sequence[Outputs], app: Outputs, plugin: str = "") -> Verdict:
    """Return the verdict on one cell.

    `executions` holds its outputs of each execution of the notebook, one or more; `plugin` is the name of the app's file,
    which stands in warnings where the notebook's name that of a cell.
    """
    versions = [parts(outputs) for outputs in executions]
    mine = parts(app, plugin)
    moving: list[str] = []
    for label in dict.fromkeys(label for version in (*versions, mine) for label in version):
        values = [version.get(label) for version in versions]
        found = _difference(values, mine.get(label))
        if found == _MOVING:
            moving.append(label)
        elif found is not None:
            where, expected, got = found
            return Verdict("differs", f"{label}{where}", expected, got)
    if not moving:
        return SAME
    return Verdict("not reproducible", moving[0])


# --- parts --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Picture:
    """A raster image. Two are equal when their pixels are, however they were compressed."""

    content: bytes

    @cached_property
    def pixels(self) -> tuple[tuple[int, int], bytes] | None:
        """Size and pixels; None when it cannot be decoded, or Pillow is not there."""
        try:
            from PIL import Image
        except ImportError:
            return None
        try:
            with Image.open(io.BytesIO(self.content)) as image:
                return image.size, image.convert("RGBA").tobytes()
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return None

    def __eq__(self, other: object) -> bool:
        """By bytes, else by pixels."""
        if not isinstance(other, Picture):
            return NotImplemented
        if self.content == other.content:
            return True
        return self.pixels is not None and self.pixels == other.pixels

    __hash__ = None  # type: ignore[assignment]


Part = str | Picture


def parts(outputs: Outputs, plugin: str = "") -> dict[str, Part]:
    """Return the parts of a cell's outputs by what they are called in a difference, in the order they are compared in."""
    streams = {"stdout": "", "stderr": ""}
    shown: dict[str, Part] = {}
    errors: dict[str, Part] = {}
    number = 0
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            streams[output["name"]] += _join_lines(output["text"])
        elif kind == "error":
            message = "" if output["ename"] == KERNEL_DIED else normalise(output["evalue"])
            errors["error"] = f"{output['ename']}: {message}"
        else:
            number += 1
            data = output["data"]
            shown[f"output {number}"] = f"{kind} of {', '.join(sorted(data))}"
            for mime in sorted(data, key=lambda m: (m != "text/plain", m)):
                shown[f"output {number}, {mime}"] = _representation(mime, data[mime])
    texts = {
        name: normalise(_visible_lines(text), plugin) for name, text in streams.items() if text
    }
    return {**texts, **_order(outputs), **errors, **shown}


def _order(outputs: Outputs) -> dict[str, Part]:
    """In which order printed text and things shown came. Standard error has a buffer, and a time, of its own."""
    kinds = (
        "stdout" if output["output_type"] == "stream" else output["output_type"]
        for output in outputs
        if output.get("name") != "stderr"
    )
    order = [kind for kind, _ in groupby(kinds)]
    return {"order": ", ".join(order)} if len(order) > 1 else {}


def _representation(mime: str, value: Any) -> Part:
    if mime.startswith("image/") and mime != "image/svg+xml":
        try:
            return Picture(base64.b64decode(_join_lines(value)))
        except (binascii.Error, ValueError):
            return _join_lines(value)
    if isinstance(value, str | list) and not mime.endswith("json"):
        return normalise(_join_lines(value))
    return normalise(json.dumps(value, sort_keys=True, ensure_ascii=False))


def _join_lines(text: Any) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text)


# --- what is different each time for a known reason -------------------------------------------------------------------

_DURATION = r"[\d.]+(?:e[+-]?\d+)? ?(?:[nµμum]?s|min|h)\b(?: [\d.]+ ?(?:[mµμun]?s|min)\b)*"
_HEX = "[0-9a-fA-F]"
PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), replacement)
    for pattern, replacement in (
        # <object at 0x7f0c5c0b2d90>
        (rf"\bat 0x{_HEX}{{4,}}", "at 0x…"),
        # the same, shortened in the middle: <sklearn.tree...x7f0c5c0b2d90>
        (rf"\.\.\.(?:0?x)?{_HEX}{{6,}}(?=>|&gt;)", "...…"),
        # %time and %%time
        (r"^CPU times: .*", "CPU times: …"),
        (rf"^Wall time: {_DURATION}.*", "Wall time: …"),
        # %timeit; how often it repeats depends on how fast it was
        (rf"^{_DURATION} ± {_DURATION} per loop .*", "… per loop"),
        (r"^The slowest run took .*\n", ""),
        # tqdm
        (r"\[\d\d:\d\d(?::\d\d)?<[^\]\n]*\]", "[…]"),
        # ids that altair, bokeh, plotly, pandas' styles, scikit-learn and widgets give to what they draw
        (rf"\b{_HEX}{{8}}(-?){_HEX}{{4}}\1{_HEX}{{4}}\1{_HEX}{{4}}\1{_HEX}{{12}}\b", "<id>"),
        (rf"\bT_{_HEX}{{5}}(?=_|\b)", "T_<id>"),
        (r'(id="|#)[A-Za-z][0-9a-f]{10}\b', r"\1<id>"),  # matplotlib's in SVG
        (r"<dc:date>[^<]*</dc:date>", "<dc:date>…</dc:date>"),
        (r"\bsk-(container|estimator)-id-\d+", r"sk-\1-id-<id>"),
    )
)


_FILE = r"(?:\S*ipykernel_\d+[/\\]\d+\.py|{plugin})"  # The file that the kernel made of the cell
_WARNING = (
    rf"^{_FILE}:\d+: (.*(?:(?:\n(?!  \S|{_FILE}:\d).*){{{{0,12}}}}(?=\n  \S))?)(?:\n  \S.*)?$"
)
"""A warning names that file, and quotes a line of it, below its message, as it is formatted there."""
_FRAME = rf'^([ |]*)File "{_FILE}", line \d+, in (.*)(?:\n\1 {{{{2,}}}}(?!File ").*){{{{0,12}}}}$'
"""So does each frame of a traceback that a cell prints itself; the lines below it quote the code, with marks in newer Pythons."""


def normalise(text: str, plugin: str = "") -> str:
    """Return the text with what differs between any two executions for a known reason made equal."""
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    name = re.escape(plugin) if plugin else "(?!)"
    text = re.sub(_WARNING.format(plugin=name), r"<cell>: \1", text, flags=re.MULTILINE)
    return re.sub(_FRAME.format(plugin=name), r"\1<cell>, in \2", text, flags=re.MULTILINE)


def _visible_lines(text: str) -> str:
    """What is left on the screen of lines that were written over and over, like a progress bar."""
    if "\r" not in text:
        return text
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


# --- one part -----------------------------------------------------------------------------------------------------

_MOVING = ("", "", "")
"""The executions of the notebook do not agree, where the app differs from the first."""


def _difference(versions: Sequence[Part | None], mine: Part | None) -> tuple[str, str, str] | None:
    """None when the app's part equals one of the notebook's; where, what was expected and what was there; or _MOVING."""
    if any(mine == version for version in versions):
        return None
    texts = [version for version in versions if isinstance(version, str)]
    if isinstance(mine, str) and len(texts) == len(versions):
        return _line(texts, mine)
    if any(version != versions[0] for version in versions):
        return _MOVING
    return "", _part_name(versions[0], mine), _part_name(mine, versions[0])


def _line(texts: Sequence[str], mine: str) -> tuple[str, str, str]:
    """The first line that differs from one that all executions agree about."""
    versions = [text.split("\n") for text in texts]
    if len({len(lines) for lines in versions}) > 1:
        return _MOVING
    for number, (got, *expected) in enumerate(zip_longest(mine.split("\n"), *versions), 1):
        if got != expected[0] and all(line == expected[0] for line in expected):
            where = f", line {number}" if len(versions[0]) > 1 or "\n" in mine else ""
            return where, *_excerpts(expected[0], got)
    return _MOVING


def _excerpts(expected: str | None, got: str | None) -> tuple[str, str]:
    """Both lines, quoted and cut so that the first character that differs is seen."""
    one, other = expected or "", got or ""
    pairs = enumerate(zip(one, other, strict=False))
    same = next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))
    start = max(0, same - WIDTH // 3) if max(len(one), len(other)) > WIDTH else 0
    return _quoted(expected, start), _quoted(got, start)


def _quoted(line: str | None, start: int) -> str:
    if line is None:
        return "no such line"
    cut = line[start : start + WIDTH]
    return f"{'…' if start else ''}{cut!r}{'…' if len(line) > start + WIDTH else ''}"


def _part_name(part: Part | None, other: Part | None) -> str:
    if part is None:
        return "nothing"
    if isinstance(part, str):
        first = part.partition("\n")[0]
        return first if first.isprintable() and len(first) <= WIDTH else _quoted(first, 0)
    if part.pixels is None:
        return f"{len(part.content)} bytes"
    (width, height), pixels = part.pixels
    if not isinstance(other, Picture) or other.pixels is None or other.pixels[0] != part.pixels[0]:
        return f"{width} by {height} pixels"
    theirs = other.pixels[1]
    changed = sum(pixels[n : n + 4] != theirs[n : n + 4] for n in range(0, len(pixels), 4))
    return f"{changed} of {width * height} pixels are others"
