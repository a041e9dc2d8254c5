"""Cleans HTML and formulas of a notebook: nothing in them can run or load anything in the page."""

import html
import re
import secrets
from functools import cache, lru_cache
from typing import Any

# Needs a sandboxed frame: scripts, handlers, style rules (except the one that pandas writes for every table)
_PANDAS_STYLE = re.compile(r"<style scoped>[^<]*\.dataframe[^<]*</style>", re.IGNORECASE)
_ACTIVE = re.compile(
    r"<\s*(script|iframe|object|embed|style|link|svg|canvas|video|audio|form|input|button)\b|<[^>]+\son\w+\s*=",
    re.IGNORECASE,
)

LARGE = 100_000  # characters of HTML that take some 10 ms: cached

_STYLES = {
    "background-color", "border", "border-collapse", "border-color", "border-spacing", "border-style", "border-width",
    "border-top", "border-bottom", "border-left", "border-right", "border-radius", "color", "font-family", "font-size",
    "font-style", "font-weight", "height", "line-height", "list-style-type", "margin", "margin-top", "margin-bottom",
    "margin-left", "margin-right", "max-width", "min-width", "opacity", "overflow", "overflow-x", "padding",
    "padding-left", "padding-right", "padding-top", "padding-bottom", "text-align", "text-decoration",
    "text-transform", "vertical-align", "white-space", "width",
}  # fmt: skip
_DROPPED = {  # with their content
    "script", "style", "title", "template", "noscript", "textarea", "select", "iframe",
}  # fmt: skip
_TAGS = {"details", "summary", "progress", "font", "section", "figure", "figcaption"}
_ATTRIBUTES = {
    "*": {"class", "style", "title", "lang", "dir", "align", "valign"},
    "a": {"href"}, "img": {"src", "alt", "width", "height"}, "li": {"value"}, "ol": {"start", "type"},
    "td": {"colspan", "rowspan", "headers"}, "th": {"colspan", "rowspan", "headers", "scope"},
    "col": {"span", "width"}, "colgroup": {"span", "width"}, "table": {"border"}, "time": {"datetime"},
    "progress": {"value", "max"}, "details": {"open"}, "font": {"color", "size"},
}  # fmt: skip


def needs_frame(text: str) -> bool:
    """Whether HTML needs a sandboxed frame: it has scripts, styles or forms."""
    return bool(_ACTIVE.search(_PANDAS_STYLE.sub("", text)))


def clean(text: str) -> str:
    """Return HTML reduced to text, tables and embedded pictures."""
    return _clean(text) if len(text) > LARGE else _clean.__wrapped__(text)


@lru_cache(maxsize=8)
def _clean(text: str) -> str:
    import nh3

    return nh3.clean(
        text,
        tags=nh3.ALLOWED_TAGS | _TAGS,
        clean_content_tags=_DROPPED,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "data"},
        filter_style_properties=_STYLES,
        link_rel="noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


def text(source: str) -> str:
    import nh3

    return " ".join(html.unescape(nh3.clean(source, tags=set())).split())


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "src":  # only embedded pictures
        return value if re.match(r"data:image/(png|jpe?g|gif|webp);base64,", value) else None
    if name == "href":
        return value if re.match(r"(https?://|mailto:|#)", value, re.IGNORECASE) else None
    if name == "style" and re.search(r"url\s*\(|expression|\\", value, re.IGNORECASE):
        return None
    return value


def formula(source: str, display: bool) -> str:
    """Return a LaTeX formula as MathML, or as its source if it cannot be converted."""
    source = source.strip()
    try:
        from latex2mathml.converter import convert

        return _safe_mathml(convert(source, display="block" if display else "inline"))
    except Exception:  # the converter raises many kinds
        return f"<code>{html.escape(source)}</code>"


_MATH_ATTRIBUTES = {
    "display", "mathvariant", "stretchy", "fence", "form", "separator", "lspace", "rspace", "minsize", "maxsize",
    "symmetric", "largeop", "movablelimits", "accent", "accentunder", "linethickness", "width", "height", "depth",
    "voffset", "rowspacing", "columnspacing", "columnalign", "rowalign", "columnlines", "rowlines", "frame",
    "displaystyle", "scriptlevel", "mathcolor", "mathbackground", "mathsize", "notation", "xmlns",
}  # fmt: skip


def _safe_mathml(text: str) -> str:
    """Remove links and styles, which LaTeX can make."""
    from xml.etree import ElementTree

    root = ElementTree.fromstring(text)
    for node in root.iter():
        for name in [name for name in node.attrib if name not in _MATH_ATTRIBUTES]:
            del node.attrib[name]
    ElementTree.register_namespace("", "http://www.w3.org/1998/Math/MathML")
    return ElementTree.tostring(root, encoding="unicode")


def latex(text: str) -> str:
    """Return an output of type text/latex as HTML: formulas between dollars or brackets, or one bare formula."""
    text = text.strip()
    for start, end in (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$")):
        if text.startswith(start) and text.endswith(end) and len(text) > len(start) + len(end):
            inner = text[len(start) : -len(end)]
            if "$" not in inner:
                plain = re.sub(r"^\\displaystyle\b", "", inner.strip())
                return formula(plain, start in ("$$", "\\[") or plain != inner.strip())
    return formula(text, display=True) if text.startswith("\\begin") else markdown(text)


def markdown(text: str) -> str:
    """Return Markdown as safe HTML, its formulas as MathML."""
    formulas: list[str] = []
    mark = secrets.token_hex(8)  # for formulas in the HTML to clean; no text can guess it
    cleaned = clean(_parser().render(text, {"formulas": formulas, "mark": mark}))
    return re.sub(f"{mark}-(\\d+)-", lambda match: formulas[int(match[1])], cleaned)


@cache
def _parser() -> Any:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.amsmath import amsmath_plugin
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.use(dollarmath_plugin, double_inline=True).use(amsmath_plugin)
    for name in ("math_inline", "math_inline_double", "math_block", "amsmath"):
        parser.add_render_rule(name, _render_formula(name != "math_inline"))
    return parser


def _render_formula(display: bool) -> Any:
    def render(_self: Any, tokens: Any, index: int, _options: Any, env: Any) -> str:
        shown = f"{env['mark']}-{len(env['formulas'])}-"
        env["formulas"].append(formula(tokens[index].content, display))
        return f"<p>{shown}</p>\n" if tokens[index].block else shown

    return render
