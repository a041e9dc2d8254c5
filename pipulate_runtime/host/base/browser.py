"""What a browser with htmx does with a page, without one: finds requests, fills forms, swaps answers in.

Only the part of htmx that pages of a run use: triggers `load` and `every`, hx-get and hx-post, inherited hx-vals,
hx-target and hx-swap, response headers, out-of-band swaps.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bs4 import BeautifulSoup, Tag

Values = list[tuple[str, str]]
Files = list[tuple[str, Path]]


@dataclass(frozen=True, slots=True)
class Call:
    """A request an element makes: what to ask, what to send along, when, and by whom."""

    method: str
    path: str
    values: Values
    element: Tag = field(compare=False)
    delay: float = 0.0  # seconds
    files: Files = field(default_factory=list)


def attribute(element: Tag, name: str) -> str | None:
    """An attribute as text, or None."""
    value = element.get(name)
    return value if isinstance(value, str) else None


def _inherited(element: Tag, name: str) -> str | None:
    for candidate in [element, *element.parents]:
        if (value := attribute(candidate, name)) is not None:
            return value
    return None


def _vals(element: Tag) -> dict[str, str]:
    merged: dict[str, str] = {}
    for candidate in reversed([element, *element.parents]):
        if text := attribute(candidate, "hx-vals"):
            merged.update({name: str(value) for name, value in json.loads(text).items()})
    return merged


def readable(element: Tag) -> str:
    """The text of an element; a table becomes one line a row, its columns in line."""
    table = element.find("table")
    if not isinstance(table, Tag):
        return element.get_text()
    rows = [
        [cell.get_text(" ", strip=True) for cell in row.find_all(["th", "td"])]
        for row in table.find_all("tr")
    ]
    columns = max(map(len, rows), default=0)
    widths = [max((len(row[i]) for row in rows if i < len(row)), default=0) for i in range(columns)]
    lines = ("  ".join(f"{text:>{widths[i]}}" for i, text in enumerate(row)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def controls(form: Tag) -> Iterator[Tag]:
    """The controls of a form that have a name and are not disabled, in order."""
    for control in form.find_all(["input", "select", "textarea"]):
        if control.get("name") and not control.has_attr("disabled"):
            yield control


def defaults(form: Tag) -> Values:
    """What the form would send as it stands."""
    values: Values = []
    for control in controls(form):
        name, kind = str(control["name"]), attribute(control, "type") or "text"
        if control.name == "textarea":
            values.append((name, control.get_text().removeprefix("\n")))  # as browsers do
        elif control.name == "select":
            values += [(name, value) for value in _selected(control)]
        elif kind in ("checkbox", "radio"):
            if control.has_attr("checked"):
                values.append((name, attribute(control, "value") or "on"))
        elif kind not in ("submit", "button", "reset", "image", "file"):
            values.append((name, attribute(control, "value") or ""))
    return values


def _selected(select: Tag) -> list[str]:
    options = select.find_all("option")
    chosen = [option for option in options if option.has_attr("selected")]
    if not chosen and not select.has_attr("multiple"):
        chosen = options[:1]
    return [attribute(option, "value") or option.get_text().strip() for option in chosen]


def several(answer: str) -> list[str]:
    """The values of an answer that may be several: a JSON list, or one a line."""
    if answer.lstrip().startswith("["):
        try:
            return [value if isinstance(value, str) else str(value) for value in json.loads(answer)]
        except ValueError:  # a first line that only looks like a list
            pass
    return [line for line in answer.splitlines() if line]


def takes_files(form: Tag, name: str) -> bool:
    """Whether a control of the form is for files."""
    return any(c["name"] == name and attribute(c, "type") == "file" for c in controls(form))


def files_of(form: Tag, answers: Mapping[str, str]) -> Files:
    """The files among the answers: paths, each with or without an `@` in front."""
    return [
        (name, Path(path.removeprefix("@")))
        for name, answer in answers.items()
        if takes_files(form, name)
        for path in several(answer)
    ]


def fill(form: Tag, answers: Mapping[str, str]) -> Values:
    """The form's values with some answered: a checkbox takes on/off, a choice of several a list. Files are left out."""
    answers = {name: given for name, given in answers.items() if not takes_files(form, name)}
    values = [(name, value) for name, value in defaults(form) if name not in answers]
    for name, answer in answers.items():
        found = [control for control in controls(form) if control["name"] == name]
        first = found[0] if found else None
        kind = attribute(first, "type") if first else None
        if kind == "checkbox" and len(found) == 1 and first is not None:
            if answer.strip().lower() not in ("", "0", "off", "no", "false"):
                values.append((name, attribute(first, "value") or "on"))
        elif kind == "checkbox" or (first is not None and first.has_attr("multiple")):
            values += [(name, value) for value in several(answer)]
        else:
            values.append((name, answer))
    return values


class Page:
    """A document as htmx keeps it."""

    def __init__(self, html: str) -> None:
        """A page from its HTML."""
        self.soup = BeautifulSoup(html, "html.parser")
        self._found: defaultdict[tuple[str, str | None], list[Tag]] = defaultdict(list)
        self._fired: set[int] = set()
        self._kept: list[Tag] = []  # keeps ids of fired elements from being used again

    def having(self, name: str, value: str | None = None) -> list[Tag]:
        """The elements with an attribute, of a value if one is given, in the order of the page."""
        # A page is asked a hundred times between two answers, and has a card for each step
        if not self._found:
            for element in self.soup.find_all(True):
                for known, given in element.attrs.items():
                    self._found[known, None].append(element)
                    if isinstance(given, str):
                        self._found[known, given].append(element)
        return self._found.get((name, value), [])

    def by_id(self, name: str) -> Tag | None:
        """The first element with an id."""
        return next(iter(self.having("id", name)), None)

    def first(self, selector: str) -> Tag | None:
        """The first element that a selector means."""
        named = re.fullmatch(r"#([\w-]+)", selector)
        return self.by_id(named[1]) if named else self.soup.select_one(selector)

    def form_for(self, path: str) -> Tag | None:
        """The form that posts to a path."""
        return next((e for e in self.having("hx-post", path) if e.name == "form"), None)

    def submit(self, form: Tag, values: Values, files: Files | None = None) -> Call:
        """The request of a form."""
        return replace(self._call(form, values), files=files or [])

    def pending(self) -> Call | None:
        """The next request the page makes by itself, each element's once; `every` fires again and again."""
        for element in self.having("hx-trigger"):
            trigger = attribute(element, "hx-trigger") or ""
            every = re.search(r"\bevery (\d+)(ms|s)", trigger)
            if every:
                return self._call(element, [], _seconds(every))
            if re.search(r"\bload\b", trigger) and id(element) not in self._fired:
                self._fired.add(id(element))
                self._kept.append(element)
                delay = re.search(r"delay:(\d+)(ms|s)", trigger)
                return self._call(element, [], _seconds(delay) if delay else 0.0)
        return None

    def _call(self, element: Tag, values: Values, delay: float = 0.0) -> Call:
        method = "GET" if element.has_attr("hx-get") else "POST"
        path = attribute(element, "hx-get") or attribute(element, "hx-post") or ""
        own = defaults(element) if element.name == "form" and not values else values
        merged = [pair for pair in own if pair[0] not in _vals(element)]
        return Call(method, path, [*merged, *_vals(element).items()], element, delay)

    def target_id(self, call: Call) -> str | None:
        """The id of the element that the answer to a request is for, as htmx sends it along."""
        named = _inherited(call.element, "hx-target") or "this"
        target = call.element if named == "this" else self.first(named)
        return attribute(target, "id") if target else None

    def swap(self, call: Call, html: str, headers: Mapping[str, str]) -> None:
        """Puts an answer where htmx would."""
        answer = BeautifulSoup(html, "html.parser")
        for part in answer.select("[hx-swap-oob]"):
            self._swap_out_of_band(part)
        target_name = headers.get("HX-Retarget") or _inherited(call.element, "hx-target") or "this"
        style = headers.get("HX-Reswap") or _inherited(call.element, "hx-swap") or "innerHTML"
        target = call.element if target_name == "this" else self.first(target_name)
        if target is not None:
            self._place(target, answer, style.split()[0])

    def _swap_out_of_band(self, part: Tag) -> None:
        style, _, selector = str(part["hx-swap-oob"]).partition(":")
        target = self.first(selector) if selector else self.by_id(str(part.get("id")))
        part.extract()
        del part["hx-swap-oob"]
        if target is None:
            return
        if style in ("innerHTML", "beforeend"):
            self._place(target, part, style)
        else:
            holder = BeautifulSoup("", "html.parser")
            holder.append(part)
            self._place(target, holder, "outerHTML" if style == "true" else style)

    def _place(self, target: Tag, content: Tag, style: str) -> None:
        self._found.clear()
        _place(target, content, style)


def _place(target: Tag, content: Tag, style: str) -> None:
    parts = list(content.contents)
    if style == "delete":
        target.extract()
    elif style == "outerHTML":
        for part in parts:
            target.insert_before(part.extract())
        target.extract()
    elif style == "beforeend":
        target.extend([part.extract() for part in parts])
    elif style != "none":
        target.clear()
        target.extend([part.extract() for part in parts])


def _seconds(match: re.Match[str]) -> float:
    return int(match[1]) / (1000 if match[2] == "ms" else 1)
