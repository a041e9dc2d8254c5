"""The scripts of charts, taken from installed Python packages instead of a CDN."""

import re
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

BOKEH = ("bokeh", "bokeh-gl", "bokeh-widgets", "bokeh-tables", "bokeh-mathjax")
_PACKAGES = {"plotly": "plotly", "vega": "vl-convert-python"} | dict.fromkeys(
    (*BOKEH, "bokeh-api"), "bokeh"
)

# Addresses of libraries; the group in each is the name of the library
_CDN = re.compile(
    r"https://(?:cdn\.plot\.ly|cdn\.jsdelivr\.net/npm)/(plotly)[^\s\"'<>]*"
    r"|https://cdn\.(?:bokeh|pydata)\.org/bokeh/\w+/(bokeh(?:-[a-z]+)?)-[^\s\"'<>]*?\.min\.js"
    r"|https://(?:cdn\.jsdelivr\.net/npm|unpkg\.com)/(vega)(?:-lite|-embed)?@[^\s\"'<>]*"
)
# These attributes fail in a frame, which has no origin
_FETCH = re.compile(r"\s(?:integrity|crossorigin)=(?:\"[^\"]*\"|'[^']*')")


@cache
def available(name: str) -> bool:
    return name in _PACKAGES and version(name) != "" and (name == "vega" or _file(name).is_file())


@cache
def version(name: str) -> str:
    """Return the version of the package that a library comes with; "" if it is not installed."""
    try:
        return metadata.version(_PACKAGES[name])
    except metadata.PackageNotFoundError:
        return ""


@cache
def content(name: str) -> bytes:
    """Return the script of a library. Raises FileNotFoundError."""
    if not available(name):
        raise FileNotFoundError(name)
    if name == "vega":
        import vl_convert

        # It has no file, but bundles Vega, Vega-Lite and vega-embed within a second
        bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
        # altair loads three libraries one after the other, and gets this for each
        return f"if (!window.vegaEmbed) {{ (() => {{\n{bundle}\n}})(); }}\n".encode()
    return _file(name).read_bytes()


def address(name: str, base: str) -> str:
    """Return the address of a library. It contains the version, so browsers may cache it for ever."""
    return f"{base}/{name}?v={version(name)}"


def rewrite(text: str, base: str) -> str:
    """Return HTML or JavaScript with the known CDN addresses replaced by ours."""

    def ours(match: re.Match[str]) -> str:
        name = match[match.lastindex or 0]
        return address(name, base) if available(name) else match[0]

    text = _CDN.sub(ours, text)
    return re.sub(r"<script\b[^>]*>", lambda tag: _FETCH.sub("", tag[0]), text, flags=re.IGNORECASE)


def missing(text: str) -> str:
    """Return the package whose script HTML wants from a CDN and that is not installed here; "" if there is none."""
    names = (match[match.lastindex or 0] for match in _CDN.finditer(text))
    return next((_PACKAGES.get(name, "") for name in names if not available(name)), "")


def _file(name: str) -> Path:
    """Return the path of a library in its package, without importing it."""
    spec = find_spec(_PACKAGES[name])
    folder = Path((spec.submodule_search_locations or [""])[0]) if spec else Path()
    if name == "plotly":
        return folder / "package_data" / "plotly.min.js"
    return folder / "server" / "static" / "js" / f"{name}.min.js"
