"""Markdown cells: headings, and the text below each. Blocks only, by CommonMark's rules; the text itself is rendered later."""

import html
import re
from collections.abc import Iterator

from transpiler.model.ir import Cell, Heading, Text

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*")
_UNDERLINE = re.compile(r" {0,3}(?:(=+)|-+)[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_NO_PARAGRAPH = re.compile(r" {0,3}(?:[>|]|[-+*](?:[ \t]|$)|\d{1,9}[.)](?:[ \t]|$))|(?: {4}|\t)")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})")

_PLAIN = (
    (re.compile(r"<[^<>]*>"), ""),
    (re.compile(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])"), r"\1"),
    (re.compile(r"\s*\{[#.][^}]*\}\s*$"), ""),
    (re.compile(r"(\*\*\*|\*\*|\*|`+|~~)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<!\w)(___|__|_)(?=\S)(.+?)(?<=\S)\1(?!\w)"), r"\2"),
    (re.compile(r"\\([!-/:-@\[-`{-~])"), r"\1"),
)


def text_of(cell: Cell) -> Text:
    """Return a markdown cell cut at its headings. A part is dropped when it is blank and has no heading."""
    heading: Heading | None = None
    below: list[str] = []
    parts: list[tuple[Heading | None, str]] = []
    for found, lines in _blocks(cell.source.split("\n")):
        if found is None:
            below += lines
            continue
        parts.append((heading, _trimmed(below)))
        heading, below = found, []
    parts.append((heading, _trimmed(below)))
    return Text(cell, tuple(part for part in parts if part[0] or part[1]))


def plain_heading(markdown: str) -> str:
    """Return a heading's text without its markup: "**Load** `x`" gives "Load x"."""
    for pattern, replacement in _PLAIN:
        markdown = pattern.sub(replacement, markdown)
    return " ".join(html.unescape(markdown).split())


def _trimmed(lines: list[str]) -> str:
    if not any(map(str.strip, lines)):
        return ""
    return re.sub(r"\A(?:[ \t]*\n)+|\s+\Z", "", "\n".join(lines))


def _blocks(lines: list[str]) -> Iterator[tuple[Heading | None, list[str]]]:
    """Each heading alone, and the lines between headings. Nothing is a heading in a fence or an HTML comment."""
    paragraph: list[str] = []
    closing: re.Pattern[str] | None = None
    for line in lines:
        if closing:
            yield None, [line]
            closing = None if closing.search(line) else closing
            continue
        atx, underline, fence = _ATX.fullmatch(line), _UNDERLINE.fullmatch(line), _FENCE.match(line)
        comment = line.lstrip().startswith("<!--")
        if atx and (title := plain_heading(atx.group(2) or "")):
            yield None, paragraph
            yield Heading(len(atx.group(1)), title), []
            paragraph = []
        elif underline and paragraph and (title := plain_heading(" ".join(paragraph))):
            yield Heading(1 if underline.group(1) else 2, title), []
            paragraph = []
        elif not line.strip() or (not paragraph and _NO_PARAGRAPH.match(line)):
            yield None, [*paragraph, line]
            paragraph = []
        elif fence or comment or _RULE.fullmatch(line) or _NO_PARAGRAPH.match(line):
            yield None, [*paragraph, line]
            paragraph = []
            if fence:
                mark = fence.group(1)
                closing = re.compile(rf"^ {{0,3}}{re.escape(mark[0])}{{{len(mark)},}}[ \t]*$")
            elif comment and "-->" not in line:
                closing = re.compile("-->")
        else:
            paragraph.append(line)
    yield None, paragraph
