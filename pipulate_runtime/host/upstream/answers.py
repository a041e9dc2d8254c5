"""What the host puts right in the answers of plugins written for upstream (CONTRACT 1.9, 2.1, 2.17, 2.18).

Such plugins swap a card into itself, so that ids stand twice on the page, and they know of one current run only. Here components are looked at before
they become text.
"""

import json
import re
from typing import Any

from fasthtml.common import FT, HtmxResponseHeaders, HttpHeader
from starlette.requests import Request
from starlette.responses import HTMLResponse

from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.base.markup import html, parts

_ROOT_ID = re.compile(rb"\s*<\w+\b[^>]*?\sid=\"([^\"]*)\"")


def keep_key(resp: Any, container: str, key: str) -> None:
    """Put the run's key on a container that a plugin made without it: all requests from within carry it then."""
    for component in parts(resp):
        if isinstance(component, FT) and component.attrs.get("id") == container:
            component.attrs.setdefault("hx-vals", json.dumps({"pipeline_id": key}))


def in_its_own_place(request: Request, resp: Any) -> Component:
    """A header by which an answer takes the place of its target, when both are the same element; else None.

    Upstream's forms name their step as the target and no way to swap, so that each answer lands inside the old element.
    """
    target = request.headers.get("hx-target")
    if not target or target not in _root_ids(resp):
        return None
    if isinstance(resp, HTMLResponse):
        resp.headers.setdefault("HX-Reswap", "outerHTML")
        return None
    named = {part.k.lower() for part in parts(resp) if isinstance(part, HttpHeader)}
    if named & {"hx-reswap", "hx-retarget"}:
        return None
    return HtmxResponseHeaders(reswap="outerHTML")


def _root_ids(resp: Any) -> set[str]:
    if isinstance(resp, HTMLResponse):
        found = _ROOT_ID.match(bytes(resp.body))
        return {found[1].decode(errors="replace")} if found else set()
    return {str(part.attrs.get("id")) for part in parts(resp) if isinstance(part, FT)}


def extend(resp: HTMLResponse, step_id: str, standing: str, more: Component) -> None:
    """Do to an answer that is text already what is done to components: mark the step's root, add what goes elsewhere."""
    body = bytes(resp.body)
    root = _ROOT_ID.match(body)
    if root is None or resp.status_code != 200:
        return
    if root[1].decode(errors="replace") == step_id and b"data-state=" not in root[0]:
        body = b'%b data-state="%b"%b' % (root[0], standing.encode(), body[root.end() :])
    resp.body = body + html(more).encode()
    resp.headers["content-length"] = str(len(resp.body))


def refusal(resp: Any) -> str | None:
    """The message of an answer that is nothing but a message about what was typed; else None."""
    shown = [part for part in parts(resp) if part is not None and not isinstance(part, HttpHeader)]
    if not all(
        isinstance(part, FT)
        and part.tag == "p"
        and "text-invalid" in str(part.attrs.get("class", "")).split()
        for part in shown
    ):
        return None
    texts = [str(child) for part in shown for child in part.children if isinstance(child, str)]
    return " ".join(texts) or None
