"""What the host adds around the requests of a plugin, whichever way the plugin registered its routes.

Before: the request is bound to its run, and a change the run does not allow is refused. After: the page's own parts
(address, header, progress) follow what the plugin answered.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fasthtml.common import FT, Div, HtmxResponseHeaders, Title
from fasthtml.core import parse_form
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from pipulate_runtime.cells.storage.uploads import safe_name
from pipulate_runtime.host import for_upstream as upstream
from pipulate_runtime.host.base import security
from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.base.markup import html, parts
from pipulate_runtime.host.pages import cards, frame, outdated, widgets, workflow_runs
from pipulate_runtime.host.plugins.model import Loaded, Plugin
from pipulate_runtime.host.state import request_run
from pipulate_runtime.host.state.run import State, is_done, is_finalized
from pipulate_runtime.host.state.store import StateStore

_CHANGES = {"revert", "unfinalize"}


class Hooks:
    """The two hooks of an app; `loaded` is filled in when the plugins are there."""

    def __init__(self, store: StateStore) -> None:
        """Without plugins; they are set as `loaded` later."""
        self._store = store
        self.loaded = Loaded()

    def target(self, request: Request) -> tuple[Plugin, str] | None:
        """The plugin and the action a request is about: /APP/ACTION."""
        app_name, slash, action = request.url.path.lstrip("/").partition("/")
        plugin = self.loaded.by_app.get(app_name)
        return (plugin, action) if plugin and slash else None

    async def before(self, request: Request) -> Any:
        """Binds the run; gives an answer of its own when the plugin must not see the request."""
        found = self.target(request)
        if found is None:
            return None
        plugin, action = found
        sent = await _sent(request)
        if action == "init":
            request_run.bind("")  # the form's pipeline_id is a name, not yet a key
            return None
        key = str(sent.get(request_run.KEY) or _run_of_page(request, plugin))
        run = self._store.run(key or self._store.setting(request_run.KEY) or "")
        request_run.bind(key, run)
        if run is None or run.app_name != plugin.app_name:
            return _instead(request, plugin, cards.deleted_run_card(plugin)) if key else None
        if request.method == "POST":
            if not allowed(plugin, action, run.state, sent):
                again = widgets.container(plugin.app_name, plugin.steps, run.key)
                return _instead(request, plugin, again)
            outdated.retire(plugin, run, action, sent)
        return None

    def after(self, request: Request, resp: Any = None) -> Any:
        """Adds to a plugin's answer what the page around it needs; None leaves it as it is."""
        found = self.target(request)
        if found is None or "hx-request" not in request.headers:
            return None
        plugin, action = found
        run = request_run.run_of(self._store, request_run.bound_key())
        if nonce := security.nonce_of(request):
            security.sign(resp, nonce)
        if action == "init" and run is None and isinstance(resp, FT):
            return Div(resp, id=widgets.container_id(plugin.app_name))  # the next try needs it
        if run is None or run.app_name != plugin.app_name:
            return None
        if action == "init":
            return _started(plugin, run.key, run.state, resp)
        place = upstream.in_its_own_place(request, resp)
        if not plugin.steps:
            return None
        step = next((s for s in plugin.steps if s.id == action.removesuffix("_submit")), None)
        extra = workflow_runs.progress(plugin.steps, run.state, swap=True)
        if isinstance(resp, Response):
            if isinstance(resp, HTMLResponse) and step:
                upstream.extend(resp, step.id, _standing(step, run.state), extra)
            return None
        upstream.note_refusal(request, resp, plugin, action, run.key)
        if step:
            _mark(resp, step, _standing(step, run.state))
        upstream.keep_key(resp, widgets.container_id(plugin.app_name), run.key)
        resp = outdated.ask_before_clearing(resp, plugin, action, run.state)
        news = None
        if step or action in _CHANGES:
            news = outdated.place(plugin, run.key, run.state, swap=True)
        more = (extra, place, news)
        return (*resp, *more) if isinstance(resp, tuple) else (resp, *more)


def _instead(request: Request, plugin: Plugin, content: Component) -> Response:
    """What a request gets that the plugin does not see: new content of the run's container, or a page with it.

    A finished response, since FastHTML makes components into what the handler says that it returns.
    """
    if "hx-request" in request.headers:
        headers = widgets.into_container(plugin.app_name)
        return HTMLResponse(html(content), headers={header.k: header.v for header in headers})
    return HTMLResponse(
        html(frame.page(plugin.title, content, plugin=plugin, **request.app.state.frame()))
    )


def _run_of_page(request: Request, plugin: Plugin) -> str:
    """The run whose page asks, for requests that a script makes without the key, such as those of an EventSource."""
    page = urlsplit(request.headers.get("referer", ""))
    if page.path != f"/{plugin.key}" or page.netloc != request.headers.get("host"):
        return ""
    return next(iter(parse_qs(page.query).get("run", [])), "")


async def _sent(request: Request) -> Mapping[str, Any]:
    """The fields of a request, in its address or in its body."""
    if request.method in ("GET", "HEAD"):
        return request.query_params
    form: Mapping[str, Any] = await parse_form(request)
    safe_uploads(form)
    return {**request.query_params, **form}


def safe_uploads(form: Mapping[str, Any]) -> None:
    """Give uploaded files names that stay in the folder they are written to: a plugin may use them as they are."""
    if isinstance(form, FormData):
        for _, value in form.multi_items():
            if isinstance(value, UploadFile) and value.filename:
                value.filename = safe_name(value.filename)


def allowed(plugin: Plugin, action: str, state: State, sent: Mapping[str, Any]) -> bool:
    """Whether a run's state lets a post change it: a finalized run is locked, and steps go in order."""
    steps = [step for step in plugin.steps if step.id != "finalize"]
    ids = [step.id for step in steps]
    if action == "revert":
        return not is_finalized(state) and sent.get("step_id") in ids
    if action == "finalize":
        return all(is_done(state, step) for step in steps)
    step_id = action.removesuffix("_submit")
    if step_id == action or step_id not in ids:
        return True
    before = steps[: ids.index(step_id)]
    return not is_finalized(state) and all(is_done(state, step) for step in before)


def _started(plugin: Plugin, key: str, state: State, resp: Any) -> Any:
    """The answer to init: the address becomes the run's, the landing page gives way to the run's header."""
    address = HtmxResponseHeaders(push_url=workflow_runs.run_url(plugin.key, key))
    if isinstance(resp, Response):
        resp.headers["HX-Push-Url"] = address.v
        return resp
    name = workflow_runs.run_name(key, plugin.app_name)
    head = frame.run_head(plugin, key, name, state, swap=True)
    leave = Div(id="landing", hx_swap_oob="delete")
    answer = resp if isinstance(resp, tuple) else (resp,)
    return (*answer, head, leave, Title(f"{name} – {plugin.title}"), address)


def _standing(step: Any, state: State) -> str:
    """What a step's card is, going by the run's state."""
    if is_finalized(state):
        return "locked"
    return "done" if is_done(state, step) else "input"


def _mark(resp: Any, step: Any, standing: str) -> None:
    """Gives a step's root its data-state (DESIGN 7) where the plugin did not."""
    for part in parts(resp):
        if isinstance(part, FT) and part.attrs.get("id") == step.id:
            part.attrs.setdefault("data-state", standing)
