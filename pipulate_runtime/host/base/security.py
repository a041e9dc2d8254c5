"""Who may talk to the server (DESIGN 8): its own pages, opened under a name that is its own.

A page of another site could reach a server on the loopback address through the user's browser. Two checks stop it: the
Host header must be a name of this server (a rebound DNS name is not), and a request that changes something must come
from one of our own pages. Sandboxed frames have the origin "null" and so can change nothing.
"""

import ipaddress
import re
import secrets
import socket
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from fasthtml.common import FastHTML
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipulate_runtime.host.base.markup import components

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

# Scripts: only our own files, and those that a plugin wrote as components (`sign`). No requests to other
# machines. Frames with interactive output are sandboxed documents with a policy of `pipulate_runtime.cells`. Outputs have
# inline styles (pandas).
_POLICY = "; ".join(
    [
        "default-src 'self' data: blob:",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "connect-src 'self'",
        "frame-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class PageNonce:
    """The nonce of one answer; reading it adds it to the answer's policy."""

    def __init__(self) -> None:
        self.value, self.used = secrets.token_urlsafe(16), False

    @property
    def policy(self) -> str:
        scripts = f"script-src 'self' 'nonce-{self.value}'"
        return _POLICY.replace("script-src 'self'", scripts) if self.used else _POLICY


_nonce: ContextVar[PageNonce | None] = ContextVar("pipulate_nonce", default=None)


def page_nonce() -> str:
    """Return the nonce that lets scripts run in the present page; "" outside of a request."""
    nonce = _nonce.get()
    if nonce is None:
        return ""
    nonce.used = True
    return nonce.value


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reachable from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_names(host: str) -> frozenset[str]:
    """Return the names for a server listening on `host`, besides literal addresses."""
    names = {*LOOPBACK_NAMES, f"[{host}]" if ":" in host else host.lower()}
    if not is_loopback(host):
        name = socket.gethostname().lower()
        names |= {name, f"{name.partition('.')[0]}.local"}
    return frozenset(names)


def name_of(host_header: str) -> str:
    """Return the name in a Host header, without the port."""
    name, bracket, _ = host_header.strip().lower().partition("]")
    return name + bracket if bracket else name.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


class Guard:
    """ASGI middleware: refuses requests by Host, Origin and Sec-Fetch-Site, and adds the security headers."""

    def __init__(self, app: ASGIApp, names: Iterable[str], addresses: bool = False) -> None:
        """`names` are accepted; `addresses`: also every literal address, which no DNS name can fake."""
        self.app = app
        self.names = frozenset(names)
        self.addresses = addresses

    def refusal(self, method: str, headers: Headers) -> str | None:
        """Return why a request is refused, or None."""
        host = headers.get("host", "")
        name = name_of(host)
        if name not in self.names and not (self.addresses and _is_address(name)):
            return (
                "This server does not answer to that name. Use the address it printed at its start."
            )
        if method in _SAFE:
            return None
        site = headers.get("sec-fetch-site")
        if site is not None and site not in ("same-origin", "none"):
            return "This request comes from another site and was refused."
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return "This request comes from another site and was refused."
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        # opening a websocket is a GET, but it can change things: check it like a POST
        method = scope["method"] if scope["type"] == "http" else "WEBSOCKET"
        refusal = self.refusal(method, Headers(scope=scope))
        if refusal is not None and scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return

        nonce = PageNonce()
        _nonce.set(nonce)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", nonce.policy)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if refusal is not None:
            await PlainTextResponse(refusal, status_code=403)(scope, receive, send_with_headers)
        else:
            await self.app(scope, receive, send_with_headers)


# --- what plugins answer, and their routes -----------------------------------------------------------------------------------


_NONCE = re.compile(r"[\w-]{16,64}")
NONCE = "X-Page-Nonce"  # the page's own, sent along by plugins.js


def sign(resp: Any, nonce: str) -> None:
    """Let the scripts run that a plugin wrote as components, which is trusted; one that it passes on as text stays without (CSP)."""
    for component in components(resp):
        if component.tag == "script" and not component.attrs.get("src"):
            component.attrs["nonce"] = nonce


def nonce_of(request: Request) -> str | None:
    """The nonce of the page that asks, if it sent one."""
    sent = request.headers.get(NONCE, "")
    return sent if _NONCE.fullmatch(sent) else None


def put_first(app: FastHTML, before: int) -> None:
    """Put the routes that an app has got since it had `before` of them ahead of all others, which so cannot hide them."""
    routes = app.router.routes
    routes[:] = routes[before:] + routes[:before]
