"""Makes components of a page from the outputs of cells (DESIGN 7)."""

import base64
import contextlib
import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from fasthtml.common import (
    A,
    Code,
    Dd,
    Details,
    Div,
    Dl,
    Dt,
    Iframe,
    Img,
    Li,
    NotStr,
    P,
    Pre,
    Span,
    Summary,
    Ul,
)

from pipulate_runtime.cells.outputs import exits, sanitise, screen, widgets
from pipulate_runtime.cells.outputs.collect import Output
from pipulate_runtime.cells.outputs.widgets import VIEW, is_control
from pipulate_runtime.cells.page import frame
from pipulate_runtime.cells.storage import files as found
from pipulate_runtime.cells.storage.folders import PICTURES, RunFolder, keep, load_outputs

# Richest first, as Jupyter's front ends order them
ORDER = ("text/html", "text/markdown", "image/svg+xml", "text/latex", *PICTURES, "application/json",
         frame.JAVASCRIPT, "text/plain")  # fmt: skip

SCROLL = "overflow-x:auto"
LONG = 200_000  # characters of one text in the page; of a longer one the middle is left out
LISTED = 20  # files that the page names for one step
IN_PAGE = 16 * 1024  # characters of an inline picture
Record = dict[str, Any]


def cell_of(record: Record, parts: list[Any], **attributes: Any) -> Any:
    """Return a cell as one component; the page of a running step finds it by its id."""
    return Div(*parts, id=place(record), cls="cell", **attributes)


def place(record: Record, number: int | None = None) -> str | None:
    """Return the id of a cell, or of one of its outputs, in the page."""
    if not record["id"]:
        return None
    return f"cell-{record['id']}" if number is None else f"output-{record['id']}-{number}"


def all_cells(parts: list[Any], beside: Iterable[Any] = (), place: str | None = None) -> Any:
    """Return the cells of a step as one component with the id `place`, or None. `beside` are swaps for other cards."""
    others = list(beside)
    return Div(*parts, *others, id=place, cls="cells") if parts or others else None


def markdown(text: str) -> Any:
    return Div(raw(sanitise.markdown(text)), cls="markdown")


def older_version() -> Any:
    """Return the note above a step that other code has made."""
    return P(
        "This was made by an older version of this workflow. Run the step again to bring it up to date.",
        cls="notice",
    )


def ran_again() -> Any:
    """Return the note below a step that ran again by itself and gave something else."""
    return P(
        "This step had to run again and now shows something else than before. Later steps use what is shown now.",
        cls="notice",
    )


def not_stored(lost: str, first: int, last: int) -> Any:
    """Return the note below a step without a checkpoint: `lost` names what cannot be stored."""
    steps = f"step {last}" if first == last else f"steps {first} to {last}"
    parts = f"Going back re-runs {steps}, since {lost} cannot be stored.".split("`")
    return P(*(Code(p) if n % 2 else p for n, p in enumerate(parts)), cls="notice")


def files(folder: RunFolder, app_name: str, records: list[Record]) -> Any:
    """Return the list of files that cells wrote, each with a link to its present content; None without any."""
    wrote = [record["wrote"] for record in records if "wrote" in record]
    if not wrote:
        return None
    names = list(dict.fromkeys(name for entry in wrote for name in entry["names"]))
    # Names that were not stored are counted for each cell, so twice if two cells wrote the same files
    more = sum(entry["count"] - len(entry["names"]) for entry in wrote) + len(names[LISTED:])
    base = f"/{app_name}/files/{folder.name}"
    items = [_file(folder, base, name) for name in names[:LISTED]]
    if more:
        items.append(Li(f"… and {more:,} more"))
    if len(names) + more > 1:
        items.append(
            Li(A("All files of this run so far", href=f"{base}/all", download=True), " (zip)")
        )
    return Div(P("Files"), Ul(*items), cls="files", role="group", aria_label="Files")


def _file(folder: RunFolder, base: str, name: str) -> Any:
    size = found.size(folder.work, name)
    if size is None:  # a later step deleted it, or the steps are running again
        return Li(Span(name, cls="file-name"), " was deleted")
    link = A(name, href=f"{base}/one?{urlencode({'name': name})}", download=True, cls="file-name")
    return Li(link, " ", Span(readable(size), cls="file-size"))


def readable(size: int) -> str:
    """Return a number of bytes with a fitting unit."""
    if size < 1000:
        return f"{size} bytes" if size != 1 else "1 byte"
    amount = float(size)
    for unit in ("kB", "MB", "GB", "TB"):
        amount /= 1000
        if amount < 999.5 or unit == "TB":
            break
    return f"{amount:.1f} {unit}" if amount < 9.95 else f"{amount:.0f} {unit}"


def highlight(text: str, language: str = "python", **options: Any) -> str:
    """Return code as HTML with classes of Pygments, plain in an unknown language; `options` go to the lexer."""
    pygments: Any = import_module("pygments")
    lexers: Any = import_module("pygments.lexers")
    try:
        lexer = lexers.get_lexer_by_name(language, **options)
    except import_module("pygments.util").ClassNotFound:
        lexer = lexers.TextLexer(**options)
    formatter: Any = import_module("pygments.formatters").HtmlFormatter(nowrap=True)
    return str(pygments.highlight(text, lexer, formatter))


def code(record: Record) -> Any:
    html = highlight(record.get("code", ""))
    return Pre(raw(f"<code>{html}</code>"), cls="highlight", data_cell=record["id"])


def raw(text: str) -> Any:
    """Mark HTML as safe."""
    return NotStr(text)  # type: ignore[no-untyped-call]


def conversation(asked: Iterable[Mapping[str, Any]]) -> Any:
    """Return the questions of a cell and their answers. Jupyter stores no such output."""
    lines = (
        (
            Dt(entry["prompt"] or "Answer"),
            Dd("not kept" if entry.get("secret") else entry["answer"]),
        )
        for entry in asked
    )
    return Dl(*lines, cls="asked", aria_label="Questions and answers")


@dataclass
class View:
    """The outputs of one stored or growing cell, as components."""

    folder: RunFolder
    app_name: str
    record: Record
    show: str
    """The option of the cell; an error is shown in any case."""

    def parts(self) -> list[Any]:
        """Return all components, in order."""
        shown = [code(self.record)] if self.show in ("code", "both") else []
        shown += [part for _, part in self.outputs()]
        asked = self.record.get("asked") if self.show != "none" else None
        return [*shown, conversation(asked)] if asked else shown

    def outputs(self, numbers: Container[int] | None = None) -> list[tuple[int, Any]]:
        """Return number and component of each output that shows something; with `numbers` only of those."""
        shown = []
        waiting: list[frame.Part] = []  # HTML that the next script of bokeh draws into
        outputs = load_outputs(self.folder, self.record, large=False)
        for number, (output, after) in enumerate(pairwise([*outputs, {}])):
            data, next_data = output.get("data", {}), after.get("data", {})
            if self.show in ("code", "none") and output["output_type"] != "error":
                continue
            if frame.BOKEH_LOAD in data or (frame.BOKEH_LOAD in next_data and frame.HTML in data):
                continue  # the loader of output_notebook() and its banner: the frame loads the library
            if frame.BOKEH_EXEC in next_data and frame.HTML in data:
                waiting.append((frame.HTML, _text(data[frame.HTML])))
                continue
            if is_control(output) and not self.widgets:
                continue  # the form replaces it
            if exits.is_advice(output):
                continue
            if numbers is None or number in numbers:
                shown.append((number, self.output(output, waiting, number)))
            waiting = []
        return [(number, part) for number, part in shown if part is not None]

    def output(self, output: Output, waiting: list[frame.Part], number: int | None = None) -> Any:
        """Return the component of one output, or None."""
        kind = output["output_type"]
        marks = {"data_cell": self.record["id"], "data_output": kind, "cls": "output"}
        if number is not None:
            marks["id"] = place(self.record, number)
        if kind == "stream":
            return Pre(*self.text(output, number), data_name=output["name"], style=SCROLL, **marks)
        if kind == "error":
            return Div(*_error(output), **marks)
        data = output["data"]
        if frame.BOKEH_EXEC in data:
            script = _text(data.get(frame.JAVASCRIPT, ""))
            parts = [(frame.BOKEH_EXEC, ""), *waiting, (frame.JAVASCRIPT, script)]
            return Div(self.in_frame(parts), data_mime=frame.BOKEH_EXEC, **marks)
        if VIEW in data and self.widgets:
            with contextlib.suppress(LookupError):
                name = data[VIEW].get("model_id", "")
                shown = widgets.component(name, self.widgets, self.inner)
                return Div(shown, data_mime=VIEW, hidden=shown is None, **marks)
        mime = richest(data)
        if mime is None:
            return None
        return Div(self.payload(mime, data[mime], output), data_mime=mime, style=SCROLL, **marks)

    def text(self, output: Output, number: int | None) -> list[Any]:
        return self.terminal(_text(output["text"]), output.get("files", {}).get("text"))

    def joins_the_one_before(self, number: int) -> bool:
        """Whether an output is shown together with the one before it."""
        data = self.record["outputs"][number].get("data", {})
        return frame.BOKEH_EXEC in data or frame.BOKEH_LOAD in data

    @property
    def widgets(self) -> dict[str, Any]:
        return self.record.get(widgets.WIDGETS) or {}

    def inner(self, outputs: list[Output]) -> list[Any]:
        shown = [self.output(output, []) for output in outputs]
        return [part for part in shown if part is not None]

    def payload(self, mime: str, value: Any, output: Output) -> Any:
        if mime == frame.PLOTLY or frame.is_vega(mime):
            return self.in_frame([(mime, value)])
        if mime == "application/json" or mime.endswith("+json"):
            return _json(value)
        text = _text(value)
        if mime == frame.HTML:
            return self.html(text)
        if mime == frame.JAVASCRIPT:
            return self.in_frame([(mime, text)])
        if mime in PICTURES or mime == "image/svg+xml":
            return self.picture(mime, text, output)
        if mime == "text/markdown":
            return markdown(text)
        if mime == "text/latex":
            return raw(sanitise.latex(text))
        return Pre(*self.terminal(text, output.get("files", {}).get(mime)))

    def html(self, text: str) -> Any:
        """Return HTML: cleaned, or in a frame with a note on what it cannot load."""
        if not sanitise.needs_frame(text):
            return raw(sanitise.clean(text))
        if frame.is_page_of_others(text):
            return _page_of_others(frame.elsewhere(text)[0])
        framed = self.in_frame([(frame.HTML, text)])
        missing = dict.fromkeys(_host(address) for address in frame.elsewhere(text))
        if not missing:
            return framed
        note = f"Parts of this come from {', '.join(missing)}. This page loads nothing from other sites, so they are missing."
        return Div(framed, P(note, cls="notice"))

    def terminal(self, text: str, name: str | None) -> list[Any]:
        """Return terminal text; of a very long one both ends, with a link to the file `name` between them."""
        if name and (self.folder.outputs / name).exists():
            size, start, end = self.folder.ends(name, LONG)
        elif len(text) > LONG:
            size, start, end = len(text), text[: LONG // 2], text[-LONG // 2 :]
        else:
            size, start, end = len(text), text, ""
        if not end:
            return [raw(screen.to_html(start))]
        # Cut both ends at line breaks; a single line that was overwritten again and again is left out
        if "\n" in start or "\r" in start:
            start = start[: start.rfind("\n") + 1]
        end = end[end.find("\n") + 1 :] if "\n" in end[:-1] else end
        left_out = f"… {size - len(start) - len(end):,} characters are not shown here"
        middle: Any = left_out + " …"
        if name:
            middle = A(f"{left_out}: see all …", href=self.address(name), target="_blank")
        return [raw(screen.to_html(start)), middle, "\n", raw(screen.to_html(end))]

    def address(self, name: str) -> str:
        digest, kind = name.split(".")
        return f"/{self.app_name}/output/{self.folder.name}/{digest}/{kind}"

    def picture(self, mime: str, text: str, output: Output) -> Any:
        """Return a picture, inline if it is small. An SVG is an image, too, so its scripts do not run."""
        name = output.get("files", {}).get(mime)
        if name is None and len(text) > IN_PAGE:
            name = keep(self.folder, mime, text)
        if name:
            source = self.address(name)
        else:
            content = text if mime != "image/svg+xml" else base64.b64encode(text.encode()).decode()
            source = f"data:{mime};base64,{''.join(content.split())}"
        size = output.get("metadata", {}).get(mime, {})
        sizes = {n: size[n] for n in ("width", "height") if isinstance(size.get(n), int | float)}
        alt = _text(output["data"].get("text/plain", "")) or "Picture"
        return Img(src=source, alt=alt, style="max-width:100%;height:auto", **sizes)

    def in_frame(self, parts: list[frame.Part]) -> Any:
        """Return a sandboxed frame. Its content is a file of the run, so that the page stays small."""
        name = self.folder.keep(json.dumps(parts).encode(), "frame")
        return Iframe(
            src=self.address(name),
            sandbox="allow-scripts",
            title="Interactive output",
            loading="lazy",
            data_frame="",
            style="width:100%;height:480px;border:0",
        )


def richest(data: dict[str, Any]) -> str | None:
    """Return the MIME type to show of a bundle, or None."""
    special = [mime for mime in data if mime == frame.PLOTLY or frame.is_vega(mime)]
    known = [mime for mime in ORDER if mime in data]
    other = [mime for mime in data if mime.startswith("text/")]
    return next(iter([*special, *known, *other]), None)


def _host(address: str) -> str:
    return address.split("/")[2]


def _page_of_others(address: str) -> Any:
    link = A(
        "Open it in a new tab",
        href=address if address.startswith("http") else f"https:{address}",
        target="_blank",
        rel="noopener noreferrer",
    )
    note = f"The notebook shows a page of {_host(address)} here. This page loads nothing from other sites."
    return P(note, " ", link, cls="notice")


def _error(output: Output) -> list[Any]:
    if words := exits.exit_message(output):
        paragraphs = (P(text) for text in words[:LONG].split("\n\n"))
        return [Div(*paragraphs, cls="ended", role="alert")]
    name, message = output["ename"], output["evalue"]
    first, _, more = message.partition("\n")
    first = first[:LONG]
    traceback = "\n".join(output["traceback"])
    parts = [P(f"{name}: {first}" if first else name, cls="error-message", role="alert")]
    if traceback or more:
        details = Pre(raw(screen.to_html((traceback or message)[-LONG:])), style=SCROLL)
        parts.append(Details(Summary("Details"), details))
    return parts


def _json(value: Any) -> Any:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return Details(Summary("JSON"), Pre(text, style=SCROLL), open=len(text) < 4000)


def _text(value: Any) -> str:
    """Return a payload as text; nbformat allows a list of lines."""
    return "".join(value) if isinstance(value, list) else str(value)
