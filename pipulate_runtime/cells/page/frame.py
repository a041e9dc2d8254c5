"""The page of a sandboxed frame for outputs with scripts: no cookies, no storage, no network."""

import html
import json
import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from pipulate_runtime.cells.page import chart_scripts

Part = tuple[str, Any]  # MIME type and payload

PLOTLY = "application/vnd.plotly.v1+json"
BOKEH_EXEC = "application/vnd.bokehjs_exec.v0+json"
BOKEH_LOAD = "application/vnd.bokehjs_load.v0+json"
JAVASCRIPT = "application/javascript"
HTML = "text/html"

_VEGA = re.compile(r"application/vnd\.vega(lite)?\.v\d+(\.\d+)*[+.]json")  # altair writes .json

_SCRIPT = re.compile(r"(<script\b[^>]*>).*?</script>", re.IGNORECASE | re.DOTALL)
_LOADS = re.compile(
    r"<(?:script|link|iframe|embed|object|img|video|audio|source)\b[^>]*?"
    r"\s(?:src|href|data)\s*=\s*[\"']?((?:https?:)?//[^\"'\s>]+)",
    re.IGNORECASE,
)
_PAGE = re.compile(r"\s*<iframe\b[^>]*>\s*</iframe>\s*", re.IGNORECASE)


def is_vega(mime: str) -> bool:
    """Whether a MIME type is a chart of Vega or Vega-Lite, in any version."""
    return bool(_VEGA.fullmatch(mime))


def policy(origin: str, base: str) -> str:
    """Return the Content-Security-Policy of a frame: scripts only in itself and from our libraries."""
    return (
        "sandbox allow-scripts; default-src 'none'; "
        f"script-src 'unsafe-inline' 'unsafe-eval' blob: {origin}{base}/; worker-src blob:; "
        "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data: blob:; "
        "connect-src data: blob:; form-action 'none'; base-uri 'none'"
    )


@lru_cache(maxsize=64)
def elsewhere(text: str) -> tuple[str, ...]:
    """Return the addresses on other machines from which HTML loads something, frames inside it included.

    A frame loads nothing from there: apps work offline, and reveal to no other machine that they are used.
    """
    inside = html.unescape(_SCRIPT.sub(r"\1", text))
    ours = chart_scripts.rewrite(_SCRIPT.sub(r"\1", inside), "")
    return tuple(dict.fromkeys(_LOADS.findall(ours)))


def is_page_of_others(text: str) -> bool:
    """Whether HTML is only a frame around a page of another machine, as IPython makes with `IFrame` and `YouTubeVideo`."""
    return bool(_PAGE.fullmatch(text) and "srcdoc" not in text and elsewhere(text))


def document(parts: Sequence[Part], base: str) -> str:
    """Return the page of a frame. `base` is the address of the libraries."""
    body = "\n".join(_part(number, mime, data, base) for number, (mime, data) in enumerate(parts))
    page = Path(__file__).with_name("frame.html").read_text(encoding="utf-8")
    return page.replace("<!-- parts -->", _libraries(parts, base) + body)


def _libraries(parts: Sequence[Part], base: str) -> str:
    known = {PLOTLY: ("plotly",), BOKEH_EXEC: chart_scripts.BOKEH}
    wanted = [known.get(mime, ("vega",) if is_vega(mime) else ()) for mime, _ in parts]
    names = filter(chart_scripts.available, dict.fromkeys(chain(*wanted)))
    addresses = [chart_scripts.address(name, base) for name in names]
    return "".join(f'<script src="{address}"></script>\n' for address in addresses)


def _part(number: int, mime: str, data: Any, base: str) -> str:
    if mime == PLOTLY:
        return _plotly(number, data) if chart_scripts.available("plotly") else _missing("plotly")
    if is_vega(mime):
        there = chart_scripts.available("vega")
        return _vega(number, data) if there else _missing("vl-convert-python")
    if mime == JAVASCRIPT:
        return _javascript(number, str(data))
    if mime == BOKEH_EXEC:
        return "" if chart_scripts.available("bokeh") else _missing("bokeh")
    package = chart_scripts.missing(str(data))
    return _missing(package) if package else chart_scripts.rewrite(str(data), base)


def _plotly(number: int, figure: dict[str, Any]) -> str:
    config = {"responsive": True, "displaylogo": False, **figure.get("config", {})}
    return (
        f'<div id="output-{number}"></div><script>{{ const figure = {_literal(figure)};\n'
        f'Plotly.newPlot("output-{number}", figure.data, figure.layout || {{}}, {_literal(config)})'
        ".then(plot => figure.frames && figure.frames.length && Plotly.addFrames(plot, figure.frames)); }</script>"
    )


def _vega(number: int, spec: dict[str, Any]) -> str:
    return (
        f'<div id="output-{number}"></div><script>vegaEmbed("#output-{number}", {_literal(spec)}, '
        "{actions: false}).catch(error => document.body.append(String(error)));</script>"
    )


def _javascript(number: int, code: str) -> str:
    """Return code with the variable `element` that Jupyter gives it."""
    safe = re.sub(r"</(script)", r"<\\/\1", code, flags=re.IGNORECASE).replace("<!--", "<\\!--")
    return f'<div id="output-{number}"></div><script>(function (element) {{\n{safe}\n}})(document.getElementById("output-{number}"));</script>'


def _literal(value: Any) -> str:
    """Return JSON that is safe inside a script element."""
    text = json.dumps(value).replace("<", "\\u003c")
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _missing(package: str) -> str:
    return (
        f"<p>This chart cannot be drawn: the Python package <code>{html.escape(package)}</code>, "
        "which has the script for it, is not installed on the server.</p>"
    )
