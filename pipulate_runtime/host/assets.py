"""The files pages load: our own, and htmx from the wheel django-js-lib-htmx. Nothing comes from another machine."""

import hashlib
import importlib.util
from functools import cache
from pathlib import Path

_OWN = Path(__file__).parent / "static"
OUTPUTS = "cells.css"  # the style sheet of what cells show; it comes from there
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# names under /static -> places inside the wheel's static/htmx
_HTMX = {"htmx.min.js": "htmx.min.js", "ws.js": "ext/ws.js", "sse.js": "ext/sse.js"}


def _htmx_folder() -> Path:
    spec = importlib.util.find_spec("js_lib_htmx")  # found, not imported: its __init__ wants Django
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the wheel django-js-lib-htmx is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "static" / "htmx"


def path_of(name: str) -> Path | None:
    """The file behind /static/NAME, or None. Only listed names are served."""
    if name in _HTMX:
        return _htmx_folder() / _HTMX[name]
    path = _OWN / name
    return path if path.parent == _OWN and path.suffix in _TYPES and path.is_file() else None


@cache
def content(name: str) -> tuple[bytes, str] | None:
    """Bytes and media type of /static/NAME, or None."""
    if name == OUTPUTS:
        from pipulate_runtime.cells import stylesheet

        return stylesheet().encode(), "text/css"
    path = path_of(name)
    return (path.read_bytes(), _TYPES[path.suffix]) if path else None


@cache
def url(name: str) -> str:
    """The address of a file, with a digest of what is in it, so that browsers may keep it for ever."""
    found = content(name)
    digest = hashlib.sha256(found[0]).hexdigest()[:12] if found else "missing"
    return f"/static/{name}?v={digest}"
