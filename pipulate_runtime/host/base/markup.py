"""Static files of the pages, and components as HTML."""

import hashlib
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from fasthtml.common import FT, A, Nav, to_xml

# --- static files: our own, and htmx from its wheel -----------------------------------------------------------------------


_OWN = Path(__file__).parents[1] / "static"
OUTPUTS = "cells.css"  # the style sheet for outputs of cells, from the cells package
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# names under /static -> places inside the wheel's static/htmx
_HTMX = {"htmx.min.js": "htmx.min.js", "ws.js": "ext/ws.js", "sse.js": "ext/sse.js"}


def _htmx_folder() -> Path:
    spec = importlib.util.find_spec("js_lib_htmx")  # not imported: its __init__ needs Django
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the wheel django-js-lib-htmx is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "static" / "htmx"


def path_of(name: str) -> Path | None:
    """Return the file of /static/NAME, or None. Only listed names are served."""
    if name in _HTMX:
        return _htmx_folder() / _HTMX[name]
    path = _OWN / name
    return path if path.parent == _OWN and path.suffix in _TYPES and path.is_file() else None


@cache
def content(name: str) -> tuple[bytes, str] | None:
    """Return bytes and media type of /static/NAME, or None."""
    if name == OUTPUTS:
        from pipulate_runtime.cells import stylesheet

        return stylesheet().encode(), "text/css"
    path = path_of(name)
    return (path.read_bytes(), _TYPES[path.suffix]) if path else None


@cache
def url(name: str) -> str:
    """Return the address of a file with a digest of its content, so that browsers may cache it for ever."""
    found = content(name)
    digest = hashlib.sha256(found[0]).hexdigest()[:12] if found else "missing"
    return f"/static/{name}?v={digest}"


# --- elements -------------------------------------------------------------------------------------------------------------


def html(component: Any) -> str:
    """Return a component as HTML without added white space."""
    return str(to_xml(component, indent=False))  # type: ignore[no-untyped-call]


def element(tag: str, *content: Any, **attributes: Any) -> FT:
    """Return a component as FastHTML's functions make it, in a tenth of their time: for lists, which have many.

    `cls` is the class; None is left out, as content and as attribute.
    """
    kept = {_FIXED.get(name) or name.replace("_", "-"): v for name, v in attributes.items()}
    shown = tuple(part for part in content if part is not None)
    return FT(tag, shown, {k: v for k, v in kept.items() if v is not None}, tag == "input")


_FIXED = {"cls": "class"}


def crumb() -> Any:
    """The link back to all workflows, on top of a page."""
    return Nav(A("All workflows", href="/", cls="back"), cls="crumb", aria_label="Where you are")


# --- what a handler answers -------------------------------------------------------------------------------------------------


def parts(resp: Any) -> Iterator[Any]:
    """What a handler answered, one by one: tuples in tuples are one row."""
    if isinstance(resp, tuple | list):
        for part in resp:
            yield from parts(part)
    else:
        yield resp


def components(resp: Any) -> Iterator[FT]:
    """Every component of an answer, those inside others too."""
    for part in parts(resp):
        if isinstance(part, FT):
            yield part
            yield from components(part.children)
