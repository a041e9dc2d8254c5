"""What a request gets that cannot be answered: the database is busy, or a handler failed."""

import asyncio
import logging
import traceback

from fasthtml.common import Div, P
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipulate_runtime.host.base import bounds, errors
from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.base.markup import html
from pipulate_runtime.host.hooks import Hooks
from pipulate_runtime.host.pages import cards, frame, widgets
from pipulate_runtime.host.state import request_run
from pipulate_runtime.host.state.store import StateStore

log = logging.getLogger(__name__)

PATIENCE = (
    5.0  # seconds that a request which may change something waits for another program that writes
)
LOOK = 0.05  # seconds between two looks whether it still does
AGAIN = 3  # seconds after which a page may ask again
BUSY = "Nothing was saved: another program uses the data just now. What you entered is still here. Try again in a moment."
NOTICE = "busy"  # the id of what the page says meanwhile
_STATUS = {
    errors.DATABASE_BUSY.code: 503,
    errors.DISK_FULL.code: 507,
    errors.REQUEST_TOO_LARGE.code: 413,
    errors.REQUEST_UNREADABLE.code: 400,
    errors.HEAD_TOO_LARGE.code: 431,
    errors.REQUEST_TOO_SLOW.code: 408,
}


class Recover:
    """ASGI middleware: waits for a busy database; an exception of a handler becomes a card in the page, and goes to the log."""

    def __init__(self, app: ASGIApp, hooks: Hooks, store: StateStore) -> None:
        """`hooks` tells which step a request was for."""
        self.app = app
        self.hooks = hooks
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on; answers it when that fails before an answer has begun."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            bounds.check_head(scope)
            await self._database(scope)
            await self.app(scope, bounds.bounded(scope, receive), watched)
        except Exception as error:
            if isinstance(error, RecursionError) and bounds.is_json(scope):
                error = errors.REQUEST_UNREADABLE.error(reason="it is nested too deeply")
            elif isinstance(error, AttributeError | TypeError) and "UploadFile" in str(error):
                reason = "a file stands in place of a text"  # which a plugin took for one
                error = errors.REQUEST_UNREADABLE.error(reason=reason)
            if not isinstance(error, HostError):
                log.exception("%s %s failed", scope["method"], scope["path"])
            if started:
                raise
            await self._answer(Request(scope), error)(scope, receive, send)
        finally:
            request_run.release()

    async def _database(self, scope: Scope) -> None:
        """Wait, while other requests are answered, until nobody else writes. Raises HostError PP532 after PATIENCE seconds.

        What only reads need not wait, nor what stops a step.
        """
        if scope["method"] in ("GET", "HEAD") or scope["path"].split("/")[2:3] == ["stop"]:
            return
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while self._store.is_busy():
            if asyncio.get_running_loop().time() > deadline:
                raise errors.DATABASE_BUSY.error(path=self._store.path)
            await asyncio.sleep(LOOK)

    def _answer(self, request: Request, error: Exception) -> HTMLResponse:
        trace = "".join(traceback.format_exception(error))
        found = self.hooks.target(request)
        known = error if isinstance(error, HostError) else None  # has its own words, and a way out
        status = _STATUS.get(known.code, 500) if known else 500
        if status == 503 and known:
            return self._busy(request, known)
        card = cards.error_card(known) if known else cards.failure(error, trace)
        headers = {"Connection": "close"} if status in (408, 413) else {}
        if "hx-request" not in request.headers:
            content = html(frame.page("Something went wrong", frame.failed_page_head(), card))
            return HTMLResponse(content, status_code=status, headers=headers)
        if found is not None:
            plugin, action = found
            step_id = action.removesuffix("_submit")
            if step_id in {step.id for step in plugin.steps}:
                if known:
                    card = Div(card, id=step_id)
                else:
                    card = cards.step_error(plugin.app_name, step_id, error, trace)
                headers |= {"HX-Retarget": f"#{step_id}", "HX-Reswap": "outerHTML"}
            else:
                target = widgets.container_id(plugin.app_name)
                headers |= {"HX-Retarget": f"#{target}", "HX-Reswap": "innerHTML"}
        return HTMLResponse(html(card), status_code=status, headers=headers)

    def _busy(self, request: Request, error: HostError) -> HTMLResponse:
        """Say that the database is busy. The page stays as it is, with what was typed; a step that starts by itself tries again."""
        headers = {"Retry-After": str(AGAIN)}
        notice = P(BUSY, title=error.message, id=NOTICE, cls="notice", role="alert")
        if "hx-request" not in request.headers:
            content: Component = frame.page("Busy", frame.failed_page_head(), notice)
            return HTMLResponse(html(content), status_code=503, headers=headers)
        place = "content"
        if found := self.hooks.target(request):
            step_id = found[1].removesuffix("_submit")
            if step_id in {step.id for step in found[0].steps}:
                place = step_id
        if request.headers.get("hx-trigger") == place:  # the card itself: a step without a form
            card = Div(
                notice,
                id=place,
                hx_post=request.url.path,
                hx_trigger=f"load delay:{AGAIN}s",
                hx_swap="outerHTML",
            )
            return HTMLResponse(html(card), status_code=503, headers=headers)
        headers |= {"HX-Retarget": f"#{place}", "HX-Reswap": f"beforeend show:#{NOTICE}:bottom"}
        older = P(id=NOTICE, hx_swap_oob="delete")
        return HTMLResponse(html((older, notice)), status_code=503, headers=headers)
