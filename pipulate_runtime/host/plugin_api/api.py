"""The object plugins receive as `pipulate`. Implements contract.Pipulate and nothing more."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from fasthtml.common import Div
from starlette.responses import HTMLResponse

from pipulate_runtime.host.base import contract
from pipulate_runtime.host.base.contract import Component, State, Steps
from pipulate_runtime.host.base.errors import (
    KEY_UNUSABLE,
    RUN_LOCKED,
    RUN_OF_OTHER_PLUGIN,
    RUN_UNKNOWN,
    HostError,
)
from pipulate_runtime.host.base.markup import html
from pipulate_runtime.host.pages import cards, frame, widgets
from pipulate_runtime.host.pages.workflow_runs import SHOWN
from pipulate_runtime.host.plugin_api.constants import UI_CONSTANTS, UNLOCK_BUTTON_LABEL
from pipulate_runtime.host.state import request_run
from pipulate_runtime.host.state.history import History, Message
from pipulate_runtime.host.state.keys import Keys
from pipulate_runtime.host.state.request_run import KeyValueStore
from pipulate_runtime.host.state.run import Run, is_done, is_finalized
from pipulate_runtime.host.state.store import StateStore

# --- messages to people and to the conversation ---------------------------------------------------------------------------


class Words:
    """The part of `pip` that finds the words."""

    # what the class that this is mixed into has
    message_queue: History
    read_state: Callable[[str], State]

    def fmt(self, name: str) -> str:
        """A name as it is read: `step_01` is "Step 1"."""
        number = re.fullmatch(r"step_0*(\d+)", name)
        return f"Step {number[1]}" if number else name.replace("_", " ").title()

    def make_singular(self, word: str) -> str:
        """The singular of a simple English plural."""
        word = word.strip()
        if word.lower().endswith("ies"):
            return word[:-3] + "y"
        return word[:-1] if word.lower().endswith("s") and not word.lower().endswith("ss") else word

    def get_ui_constants(self) -> dict[str, dict[str, str]]:
        """Texts and classes by name."""
        return UI_CONSTANTS

    def get_config(self) -> SimpleNamespace:
        """What plugins read of upstream's settings: its texts and classes."""
        return SimpleNamespace(UI_CONSTANTS=UI_CONSTANTS)

    def get_message_queue(self) -> History:
        """The same as `message_queue`."""
        return self.message_queue

    async def get_state_message(self, key: str, steps: Steps, messages: Mapping[str, Any]) -> str:
        """What to tell the user about where the run stands; a message the plugin did not give is made up for."""
        state = self.read_state(key)
        final = messages.get("finalize") or {}
        if is_finalized(state):
            return str(final.get("complete", UI_CONSTANTS["MESSAGES"]["WORKFLOW_LOCKED"]))
        questions = [step for step in steps if step.id != "finalize"]
        open_steps = [step for step in questions if not is_done(state, step)]
        if not open_steps:
            return str(final.get("ready", UI_CONSTANTS["MESSAGES"]["FINALIZE_QUESTION"]))
        step, fallback = open_steps[0], f"Next: {open_steps[0].show}."
        if step is questions[0] and "new" in messages:
            return str(messages["new"])
        entry = messages.get(step.id)
        return str(entry.get("input", fallback)) if isinstance(entry, Mapping) else fallback

    def append_to_history(self, text: str, role: str = "system") -> None:
        """Keeps a text in the conversation without showing it."""
        self.message_queue.keep(Message(role, str(text), shown=False))

    async def stream(
        self, message: str, verbatim: bool = False, role: str = "user", **options: Any
    ) -> str:
        """Keeps a message and gives it back."""
        return await self.message_queue.add(self, message, verbatim=verbatim, role=role)

    async def log_api_call_details(self, *args: Any, **details: Any) -> None:
        """Logs a call of a remote service. The arguments may hold secrets and are left out."""
        log.debug("a plugin called a remote service")


# --- the object -----------------------------------------------------------------------------------------------------------


log = logging.getLogger(__name__)

LONGEST_KEY = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Pipulate(Keys, Words):
    """What a plugin may call on its host; the members are described by CONTRACT 1.11."""

    UNLOCK_BUTTON_LABEL = UNLOCK_BUTTON_LABEL

    def __init__(self, store: StateStore) -> None:
        """The object for all plugins of an app with this store."""
        self._store = store
        self._app_names: set[str] = set()
        self.db = KeyValueStore(store)
        self.message_queue = History()

    # -- state

    def read_state(self, key: str) -> State:
        """The state of a run; {} when there is none. What cannot be read is logged, and left as it is in the database."""
        try:
            run = request_run.run_of(self._store, key)
            return run.own_state() if run else {}
        except HostError as error:
            log.error("%s", error)
            return {}

    def write_state(self, key: str, state: State) -> None:
        """Replaces the state of a run; raises HostError PP509 (no such run) and PP545 (it is locked).

        A state read before the run was locked does not unlock it, as another tab may be late; one read since does.
        """
        with self._run(key).changing(into=state) as kept:
            if is_finalized(kept):
                changed = answers(kept) != answers(state)
                late = state.get("updated") != kept.get("updated")
                stays_locked = is_finalized(state)
                if (stays_locked and changed) or (late and not stays_locked):
                    raise RUN_LOCKED.error(key=key)

    def get_step_data(self, key: str, step_id: str, default: State | None = None) -> State:
        """What is stored for a step, else the default, else {}."""
        data = self.read_state(key).get(step_id)
        return data if isinstance(data, dict) else (default or {})

    async def set_step_data(
        self, key: str, step_id: str, value: Any, steps: Steps, clear_previous: bool = True
    ) -> Any:
        """Stores a step's answer; unless told otherwise what came after it is cleared, as it was made of the old one.

        Raises HostError PP509 (no such run) and PP545 (it is locked).
        """
        done = {step.id: step.done for step in steps}[step_id]
        with self._changing(key) as state:
            if clear_previous:
                _clear_after(state, step_id, steps)
            state[step_id] = {done: value}
            state.pop("_revert_target", None)
        return value

    async def clear_steps_from(self, key: str, step_id: str, steps: Steps) -> State:
        """Clears every step after the given one, which keeps its value; raises as set_step_data does."""
        state = self._run(key).own_state()
        if is_finalized(state) or _clear_after(state, step_id, steps):
            with self._changing(key) as state:
                _clear_after(state, step_id, steps)
        return state

    def _run(self, key: str) -> Run:
        """A run as it is stored now; raises HostError PP509."""
        run = request_run.run_of(self._store, key)
        if run is None:
            raise RUN_UNKNOWN.error(key=key)
        return run

    @contextmanager
    def _changing(self, key: str) -> Iterator[State]:
        """The state of a run that is open; a locked one is not changed, whichever way the request came."""
        with self._run(key).changing() as state:
            if is_finalized(state):
                raise RUN_LOCKED.error(key=key)
            yield state

    def initialize_if_missing(
        self, key: str, initial: Mapping[str, Any] | None = None
    ) -> tuple[State | None, Component]:
        """The state of a run that is there or is started now, else (None, a card that says why not)."""
        try:
            return self._start(key, dict(initial or {})), None
        except HostError as error:
            return None, cards.error_card(error)

    def _start(self, key: str, initial: State) -> State:
        app_name = initial.pop("app_name", None) or self.parse_pipeline_key(key)["plugin_part"]
        if len(key) > LONGEST_KEY:
            raise KEY_UNUSABLE.error(key=key[:40] + "…", reason="it is too long")
        if not key or _CONTROL.search(key):
            raise KEY_UNUSABLE.error(key=key, reason="it has characters that cannot be shown")
        if self._store.create(key, app_name, initial):
            return self._store.read(key)
        run = self._store.run(key)
        if run is not None and run.app_name != app_name:
            raise RUN_OF_OTHER_PLUGIN.error(key=key, owner=run.app_name, plugin=app_name)
        return self._store.read(key)

    async def finalize_workflow(self, key: str, state_update: State | None = None) -> State:
        """Locks a run."""
        with self._run(key).changing() as state:
            state.update(state_update or {})
            state["finalize"] = {**state.get("finalize", {}), "finalized": True}
            state.pop("_revert_target", None)
        return state

    async def unfinalize_workflow(self, key: str) -> State:
        """Opens a locked run again."""
        with self._run(key).changing() as state:
            state.pop("finalize", None)
        return state

    def check_finalize_needed(self, step_index: int, steps: Steps) -> bool:
        """Whether the step after this one is the last, `finalize`."""
        return step_index + 1 < len(steps) and steps[step_index + 1].id == "finalize"

    # -- pages

    def register_workflow_routes(self, plugin: Any) -> None:
        """Wires init, revert, unfinalize and each step's handlers (CONTRACT 1.4)."""
        app_name = plugin.APP_NAME
        self._app_names.add(app_name)
        routes = [
            ("init", ["POST"], plugin.init),
            ("revert", ["POST"], plugin.handle_revert),
            ("unfinalize", ["POST"], plugin.unfinalize),
        ]
        for step in plugin.steps:
            methods = ["GET", "POST"] if step.id == "finalize" else ["GET"]
            routes.append((step.id, methods, getattr(plugin, step.id, None)))
            submit = f"{step.id}_submit"
            routes.append((submit, ["POST"], getattr(plugin, submit, None)))
        for path, methods, handler in routes:
            if handler is not None:
                plugin.app.route(f"/{app_name}/{path}", methods=methods)(handler)

    def create_standard_landing_page(self, plugin: Any) -> Component:
        """What the workflow is for, a form to start a run, and the runs there are."""
        suggestion = self.generate_pipeline_key(plugin)[2]
        prefix = self._store.run_prefix(plugin.APP_NAME)
        newest = self._store.runs(plugin.APP_NAME, limit=SHOWN, prefix=prefix)
        total = self._store.count_runs(self._store.profile_key()).get(plugin.APP_NAME, 0)
        return frame.landing(plugin, suggestion, newest, total)

    def run_all_cells(self, app_name: str, steps: Steps) -> Component:
        """The container of a run; its first card loads at once and each brings the next."""
        return widgets.container(app_name, steps, str(self.db.get("pipeline_id", "")))

    def chain_reverter(
        self, step_id: str, step_index: int, steps: Steps, app_name: str, value: Any
    ) -> Component:
        """A finished step: its header, then the next step's card."""
        message = f"{steps[step_index].show}: {value}"
        next_id = steps[step_index + 1].id if step_index + 1 < len(steps) else None
        header = self.display_revert_header(step_id, app_name, steps, message)
        card = header if header is not None else widgets.locked_card(message)
        follow = widgets.placeholder(app_name, next_id) if next_id else None
        return HTMLResponse(html(Div(card, follow, id=step_id)))

    def _locked(self) -> bool:
        return is_finalized(self.read_state(str(self.db.get("pipeline_id", ""))))

    def display_revert_header(
        self,
        step_id: str,
        app_name: str,
        steps: Steps,
        message: str | None = None,
        target_id: str | None = None,
        revert_label: str | None = None,
        remove_padding: bool = False,
        show_when_finalized: bool = False,
    ) -> Component:
        """A one-line card with the way back; only the button without a message; None when the run is locked."""
        if self._locked():
            return widgets.locked_card(message or "") if show_when_finalized else None
        return widgets.revert_header(step_id, app_name, message, revert_label, target_id)

    def display_revert_widget(
        self,
        step_id: str,
        app_name: str,
        steps: Steps,
        message: str | None = None,
        widget: Any = None,
        target_id: str | None = None,
        revert_label: str | None = None,
        widget_style: str | None = None,
        finalized_content: Any = None,
        next_step_id: str | None = None,
    ) -> Component:
        """A card with what the step shows, then the next step's; locked when the run is."""
        if self._locked():
            content = widget if finalized_content is None else finalized_content
            card = widgets.locked_card(message or "", content, style=widget_style)
        else:
            card = widgets.revert_widget(
                step_id, app_name, message, widget, revert_label, target_id, widget_style
            )
        if next_step_id is None:
            return card
        return Div(card, widgets.placeholder(app_name, next_step_id), id=step_id)

    def finalized_content(
        self,
        message: str,
        content: Any = None,
        heading_tag: Any = None,
        content_style: str | None = None,
    ) -> Component:
        """A card of a locked run."""
        options = {"heading_tag": heading_tag} if heading_tag is not None else {}
        return widgets.locked_card(message, content, style=content_style, **options)

    async def handle_finalized_step(
        self, key: str, step_id: str, steps: Steps, app_name: str, plugin: Any = None
    ) -> Component:
        """The container again: a locked run shows what is kept."""
        return widgets.container(app_name, steps, key)

    def wrap_with_inline_button(self, control: Any, **options: Any) -> Component:
        """A control and its button in one row; options as for widgets.inline_button."""
        return widgets.inline_button(control, **options)

    def update_datalist(
        self, datalist_id: str, options: Sequence[str] | None = None, should_clear: bool = False
    ) -> Component:
        """A list of suggestions to replace the one on the page."""
        return widgets.datalist(datalist_id, options, should_clear)

    def validate_step_input(
        self, value: Any, show: str, custom_validator: Callable[[str], Any] | None = None
    ) -> tuple[bool, str, Component]:
        """(fine, message, component that shows it or None)."""
        fine, message = bool(str("" if value is None else value).strip()), f"{show} is needed."
        if fine:
            message = ""
            if custom_validator is not None:
                fine, message = custom_validator(value)
        return fine, message, None if fine else widgets.error_text(message)


def answers(state: State) -> State:
    """What a run was answered and gave: all of its state but stamps and marks."""
    return {name: data for name, data in state.items() if name != "updated" and name[:1] != "_"}


def _clear_after(state: State, step_id: str, steps: Steps) -> bool:
    """Takes the later steps out of a state; whether there was one."""
    ids = [step.id for step in steps]
    cleared = [state.pop(later, None) for later in ids[ids.index(step_id) + 1 :] if later in state]
    return bool(cleared)


def as_contract(pipulate: Pipulate) -> contract.Pipulate:
    """The same object under the type plugins know; so the type checker holds the two against each other."""
    return pipulate
