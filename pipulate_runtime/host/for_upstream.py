"""What the host does for plugins that were written for upstream's server.

Only this module imports `host.upstream`. Without that folder the host starts and serves ported plugins, which need none of it.
"""

from importlib.util import find_spec
from typing import Any

from fasthtml.common import FastHTML
from starlette.middleware import Middleware

WITH_UPSTREAM = find_spec("pipulate_runtime.host.upstream") is not None

if WITH_UPSTREAM:
    from pipulate_runtime.host.upstream.answers import extend, in_its_own_place, keep_key
    from pipulate_runtime.host.upstream.refusals import AskAgain, note_refusal
    from pipulate_runtime.host.upstream.routes import Extras
else:
    nothing: Any = lambda *_: None  # noqa: E731
    extend = in_its_own_place = keep_key = note_refusal = nothing

__all__ = ["extend", "in_its_own_place", "keep_key", "middleware", "note_refusal", "register"]


def middleware() -> list[Middleware]:
    """What stands around the routes, innermost."""
    return [Middleware(AskAgain)] if WITH_UPSTREAM else []


def register(app: FastHTML) -> None:
    """Add the addresses that such plugins count on."""
    if WITH_UPSTREAM:
        Extras(app).register()
