"""The outputs of cells as components of a page (DESIGN 7)."""

import base64
import json
from importlib import import_module
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from fasthtml.common import A, Details, Div, Iframe, Img, Li, NotStr, P, Pre, Span, Summary, Ul

from pipulate_runtime.cells import ansi, frame, sanitise
from pipulate_runtime.cells import files as found
from pipulate_runtime.cells.controls import is_control
from pipulate_runtime.cells.folders import PICTURES, RunFolder, inlined, keep
from pipulate_runtime.cells.outputs import Output

# Richest first, as Jupyter's front ends order them
ORDER = ("text/html", "text/markdown", "image/svg+xml", "text/latex", *PICTURES, "application/json",
         frame.JAVASCRIPT, "text/plain")  # fmt: skip

SCROLL = "overflow-x:auto"
LONG = 200_000  # characters of one text in the page; of what is longer the middle is left out
LISTED = 20  # files of one step that the page names
IN_PAGE = 16 * 1024  # characters of a picture that stands in the page itself
Record = dict[str, Any]


def cell(folder: RunFolder, app_name: str, record: Record, show: str) -> Any:
    """Return the component of one cell, or None if there is nothing to show."""
    if show == "none" and not any(output["output_type"] == "error" for output in record["outputs"]):
        return None
    parts = [] if show not in ("code", "both") else [code(record)]
    if show != "code":
        view = _View(folder, app_name, record)
        parts += view.outputs()
    else:
        errors = {
            **record,
            "outputs": [o for o in record["outputs"] if o["output_type"] == "error"],
            "files": {},
        }
        parts += _View(folder, app_name, errors).outputs()
    return Div(*parts, cls="cell") if parts else None


def all_cells(parts: list[Any]) -> Any:
    """Return the cells of a step as one component, or None."""
    return Div(*parts, cls="cells") if parts else None


def markdown(text: str) -> Any:
    """Return Markdown as a component."""
    return Div(raw(sanitise.markdown(text)), cls="markdown")


def older_version() -> Any:
    """Return what stands above a step that was made by other code."""
    return P(
        "This was made by an older version of this workflow. Run the step again to bring it up to date.",
        cls="notice",
    )


def files(folder: RunFolder, app_name: str, records: list[Record]) -> Any:
    """Return the list of the files that cells wrote, each to be downloaded as it is now; None if they wrote none."""
    wrote = [record["wrote"] for record in records if "wrote" in record]
    if not wrote:
        return None
    names = list(dict.fromkeys(name for entry in wrote for name in entry["names"]))
    # Names that were not kept are counted for each cell: two cells that wrote the same thousand count them twice
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
    if size is None:  # a later step took it away, or the steps are just being run again
        return Li(Span(name, cls="file-name"), " is not there any more")
    link = A(name, href=f"{base}/one?{urlencode({'name': name})}", download=True, cls="file-name")
    return Li(link, " ", Span(readable(size), cls="file-size"))


def readable(size: int) -> str:
    """Return a number of bytes in the unit that suits it."""
    if size < 1000:
        return f"{size} bytes" if size != 1 else "1 byte"
    amount = float(size)
    for unit in ("kB", "MB", "GB", "TB"):
        amount /= 1000
        if amount < 999.5 or unit == "TB":
            break
    return f"{amount:.1f} {unit}" if amount < 9.95 else f"{amount:.0f} {unit}"


def code(record: Record) -> Any:
    """Return the code of a cell, highlighted by classes of Pygments."""
    pygments: Any = import_module("pygments")
    lexer: Any = import_module("pygments.lexers.python").PythonLexer()
    formatter: Any = import_module("pygments.formatters").HtmlFormatter(nowrap=True)
    text = pygments.highlight(record.get("code", ""), lexer, formatter)
    return Pre(raw(f"<code>{text}</code>"), cls="highlight", data_cell=record["id"])


def raw(text: str) -> Any:
    """Return HTML that is safe already."""
    return NotStr(text)  # type: ignore[no-untyped-call]


class _View:
    """The outputs of one cell."""

    def __init__(self, folder: RunFolder, app_name: str, record: Record) -> None:
        self.folder = folder
        self.app_name = app_name
        self.record = record

    def outputs(self) -> list[Any]:
        """Return the component of each output that shows something."""
        shown = []
        waiting: list[frame.Part] = []  # HTML that a following script of bokeh draws into
        outputs = inlined(self.folder, self.record, pictures=False)
        for output, after in pairwise([*outputs, {}]):
            data, next_data = output.get("data", {}), after.get("data", {})
            if frame.BOKEH_LOAD in data or (frame.BOKEH_LOAD in next_data and frame.HTML in data):
                continue  # the loader of output_notebook() and its banner: the frame loads the library itself
            if frame.BOKEH_EXEC in next_data and frame.HTML in data:
                waiting.append((frame.HTML, _text(data[frame.HTML])))
                continue
            if is_control(output):
                continue  # the form stands in its place
            shown.append(self.output(output, waiting))
            waiting = []
        return [part for part in shown if part is not None]

    def output(self, output: Output, waiting: list[frame.Part]) -> Any:
        """Return the component of one output, or None."""
        kind = output["output_type"]
        marks = {"data_cell": self.record["id"], "data_output": kind, "cls": "output"}
        if kind == "stream":
            pieces = self.terminal(_text(output["text"]), output.get("files", {}).get("text"))
            return Pre(*pieces, data_name=output["name"], style=SCROLL, **marks)
        if kind == "error":
            return Div(*_error(output), **marks)
        data = output["data"]
        if frame.BOKEH_EXEC in data:
            script = _text(data.get(frame.JAVASCRIPT, ""))
            parts = [(frame.BOKEH_EXEC, ""), *waiting, (frame.JAVASCRIPT, script)]
            return Div(self.framed(parts), data_mime=frame.BOKEH_EXEC, **marks)
        mime = richest(data)
        if mime is None:
            return None
        return Div(self.payload(mime, data[mime], output), data_mime=mime, style=SCROLL, **marks)

    def payload(self, mime: str, value: Any, output: Output) -> Any:
        """Return the component of one payload."""
        if mime == frame.PLOTLY or frame.is_vega(mime):
            return self.framed([(mime, value)])
        if mime == "application/json" or mime.endswith("+json"):
            return _json(value)
        text = _text(value)
        if mime == frame.HTML:
            return (
                self.framed([(mime, text)])
                if sanitise.needs_frame(text)
                else raw(sanitise.clean(text))
            )
        if mime == frame.JAVASCRIPT:
            return self.framed([(mime, text)])
        if mime in PICTURES or mime == "image/svg+xml":
            return self.picture(mime, text, output)
        if mime == "text/markdown":
            return markdown(text)
        if mime == "text/latex":
            return raw(sanitise.latex(text))
        return Pre(*self.terminal(text, output.get("files", {}).get(mime)))

    def terminal(self, text: str, name: str | None) -> list[Any]:
        """Return text of a terminal; of a very long one both ends, and between them the way to the file `name`."""
        if len(text) <= LONG:
            return [raw(ansi.to_html(text))]
        left_out = f"… {len(text) - LONG:,} characters are not shown here"
        middle = (
            A(f"{left_out}: see all …", href=self.address(name), target="_blank")
            if name
            else left_out + " …"
        )
        half = LONG // 2
        return [raw(ansi.to_html(text[:half])), "\n", middle, "\n", raw(ansi.to_html(text[-half:]))]

    def address(self, name: str) -> str:
        """Return where a file of the run is served."""
        digest, kind = name.split(".")
        return f"/{self.app_name}/output/{self.folder.name}/{digest}/{kind}"

    def picture(self, mime: str, text: str, output: Output) -> Any:
        """Return a picture, in the page if it is small. An SVG is a picture too: so its scripts do not run."""
        name = output.get("files", {}).get(mime)
        if name is None and len(text) > IN_PAGE:
            name = keep(self.folder, mime, text)
        if name:
            source = self.address(name)
        else:
            content = text if mime != "image/svg+xml" else base64.b64encode(text.encode()).decode()
            source = f"data:{mime};base64,{''.join(content.split())}"
        size = output.get("metadata", {}).get(mime, {})
        sizes = {
            side: size[side]
            for side in ("width", "height")
            if isinstance(size.get(side), int | float)
        }
        alt = _text(output["data"].get("text/plain", "")) or "Picture"
        return Img(src=source, alt=alt, style="max-width:100%;height:auto", **sizes)

    def framed(self, parts: list[frame.Part]) -> Any:
        """Return a sandboxed frame. Its content lies in a file of the run, so that the page stays light."""
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
    """Return the MIME type to show of a bundle, or None if there is none we can."""
    special = [mime for mime in data if mime == frame.PLOTLY or frame.is_vega(mime)]
    known = [mime for mime in ORDER if mime in data]
    other = [mime for mime in data if mime.startswith("text/")]
    return next(iter([*special, *known, *other]), None)


def _error(output: Output) -> list[Any]:
    name, message = output["ename"], output["evalue"]
    first, _, more = message.partition("\n")
    first = first[:LONG]
    traceback = "\n".join(output["traceback"])
    parts = [P(f"{name}: {first}" if first else name, cls="error-message", role="alert")]
    if traceback or more:
        details = Pre(raw(ansi.to_html((traceback or message)[-LONG:])), style=SCROLL)
        parts.append(Details(Summary("Details"), details))
    return parts


def _json(value: Any) -> Any:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return Details(Summary("JSON"), Pre(text, style=SCROLL), open=len(text) < 4000)


def _text(value: Any) -> str:
    """Return a payload as text; nbformat allows a list of lines too."""
    return "".join(value) if isinstance(value, list) else str(value)
