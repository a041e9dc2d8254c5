"""A refused answer comes back as the form, with what was typed and what is wrong with it.

Plugins written for upstream answer a bad value with one line of text in place of the form (CONTRACT 2.15): what was typed
is lost and the run looks stuck. Here such an answer makes the host ask the plugin for the step's form once more, fill in
what was sent, and put the line into it.
"""

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from bs4 import BeautifulSoup, Tag
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipulate_runtime.host.plugins.model import Plugin
from pipulate_runtime.host.upstream.answers import refusal

log = logging.getLogger(__name__)

NOTES = "pipulate.refused"  # where the hooks leave a Refused for this middleware
_ROUTED = ("endpoint", "path_params", "route", NOTES)


@dataclass(frozen=True, slots=True)
class Refused:
    """What a plugin refused: the address of the form, the run, what was sent, and why not."""

    app_name: str
    step_id: str
    key: str
    sent: list[tuple[str, str]]
    message: str


def note_refusal(request: Request, resp: Any, plugin: Plugin, action: str, key: str) -> None:
    """Leave word for `AskAgain` when a plugin answered a step with a line of text in place of its form."""
    step_id, form = action.removesuffix("_submit"), getattr(request, "_form", None)
    message = refusal(resp)
    if message and form and step_id != action and step_id in {step.id for step in plugin.steps}:
        sent = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        request.scope.setdefault(NOTES, []).append(
            Refused(plugin.app_name, step_id, key, sent, message)
        )


class AskAgain:
    """ASGI middleware around the routes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on; a refusal is answered with the form."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        notes: list[Refused] = scope.setdefault(NOTES, [])
        held: list[Message] = []

        async def hold(message: Message) -> None:
            if notes:
                held.append(message)
            else:
                await send(message)

        await self.app(scope, receive, hold)
        again = await self._form(scope, notes[0]) if notes else None
        if again is not None:
            await again(scope, receive, send)
        else:
            for message in held:
                await send(message)

    async def _form(self, scope: Scope, refused: Refused) -> HTMLResponse | None:
        """The step's form as it is to be answered once more, or None when the step does not show one."""
        path = f"/{refused.app_name}/{refused.step_id}"
        headers = [
            (name, value)
            for name, value in scope["headers"]
            if name not in (b"content-type", b"content-length", b"hx-target")
        ]
        query = urlencode({"pipeline_id": refused.key}).encode()
        inner = {name: value for name, value in scope.items() if name not in _ROUTED}
        inner |= {"method": "GET", "path": path, "raw_path": path.encode()}
        inner |= {"query_string": query, "headers": headers}

        async def app(_scope: Scope, receive: Receive, send: Send) -> None:
            await self.app(inner, receive, send)

        asked = httpx.Request("GET", f"http://localhost{path}")
        try:
            answer = await httpx.ASGITransport(app).handle_async_request(asked)
        except Exception:  # the plugin's own; its line of text is still an answer
            log.exception("%s failed when its form was asked for again", path)
            return None
        body = (await answer.aread()).decode()
        text = filled(body, refused) if answer.status_code == 200 else None
        swap = {"HX-Retarget": f"#{refused.step_id}", "HX-Reswap": "outerHTML"}
        return None if text is None else HTMLResponse(text, headers=swap)


def filled(html: str, refused: Refused) -> str | None:
    """The page of a step with what was sent in its form and the message below; None when it has no form to send."""
    page = BeautifulSoup(html, "html.parser")
    action = f"/{refused.app_name}/{refused.step_id}_submit"
    form = page.find("form", attrs={"hx-post": action})
    if not isinstance(form, Tag):
        return None
    problem = f"{refused.step_id}-problem"
    for control in form.find_all(["input", "select", "textarea"]):
        name = str(control.get("name", ""))
        values = [value for given, value in refused.sent if given == name]
        _fill(control, values)
        if control.get("type") not in ("hidden", "submit", "button"):
            control["aria-invalid"] = "true"
            control["aria-describedby"] = problem
    line = page.new_tag("p", attrs={"class": "text-invalid", "role": "alert", "id": problem})
    line.string = refused.message
    form.append(line)
    if page.find(id=refused.step_id) is None:
        card = page.new_tag("div", attrs={"id": refused.step_id, "data-state": "input"})
        card.extend([part.extract() for part in list(page.contents)])
        page.append(card)
    return page.decode(formatter="minimal")


def _fill(control: Tag, values: list[str]) -> None:
    kind = str(control.get("type", "text"))
    if control.name == "textarea":
        if values:
            control.string = values[0]
    elif control.name == "select":
        for option in control.find_all("option"):
            _set(option, "selected", str(option.get("value", option.get_text())) in values)
    elif kind in ("checkbox", "radio"):
        _set(control, "checked", str(control.get("value", "on")) in values)
    elif kind not in ("file", "password", "submit", "button", "hidden") and values:
        control["value"] = values[0]


def _set(element: Tag, name: str, on: bool) -> None:
    if on:
        element[name] = ""
    else:
        element.attrs.pop(name, None)
