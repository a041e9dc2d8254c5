"""A small stand-in for upstream Pipulate's server, written from CONTRACT 1 and 2: what it gives a plugin, faults included.

It is there to run plugins where upstream would run them, with the FastHTML that upstream uses. Nothing of the host of this
project is in it. Faults that a plugin must live with are kept on purpose and marked by their number in CONTRACT 2: one
current run for everybody (1), a sticky filter on the shared table (2), no lock and no order (5), hidden errors (6).
"""

import importlib.util
import inspect
import json
import re
import sys
from collections import deque, namedtuple
from datetime import datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace

from fastcore.xml import to_xml
from fasthtml import common as fh
from fasthtml.common import FastHTML, HTMLResponse
from fasthtml.core import fh_cfg
from fastlite import database

Step = namedtuple("Step", ["id", "done", "show", "refill", "transform"], defaults=(None,))
ROLES = ["Core", "Botify Employee", "Tutorial", "Developer", "Workshop", "Components"]
NAMES = ("NAME", "APP_NAME", "DISPLAY_NAME", "name", "app_name", "display_name")
PICO = ("Card", "Container", "Group", "Grid", "DialogX")  # fasthtml.common has them in 0.12
UI = {
    "BUTTON_LABELS": {"ENTER_KEY": "Enter", "NEXT_STEP": "Next", "FINALIZE": "F", "UNLOCK": "U"},
    "BUTTON_STYLES": {"PRIMARY": "primary"},
    "EMOJIS": {"SPARKLES": "*"},
    "MESSAGES": {"WORKFLOW_LOCKED": "Locked.", "FINALIZE_QUESTION": "Lock it?"},
}


class DictLikeDB:
    """The table `store` as a mapping; values come back as text."""

    def __init__(self, table):
        self.table = table

    def __contains__(self, key):
        return bool(list(self.table.rows_where("key = ?", (key,))))

    def __getitem__(self, key):
        for row in self.table.rows_where("key = ?", (key,)):
            return row["value"]
        raise KeyError(key)

    def __setitem__(self, key, value):
        self.table.insert({"key": key, "value": str(value)}, replace=True)

    def __delitem__(self, key):
        self.table.delete(key)

    def get(self, key, default=None):
        return self[key] if key in self else default

    def keys(self):
        return [row["key"] for row in self.table.rows]

    def items(self):
        return [(row["key"], row["value"]) for row in self.table.rows]


class Queue:
    """Messages, shown one after the other; typing is not simulated."""

    def __init__(self):
        self.said = deque(maxlen=600)

    async def add(
        self, pip, text, verbatim=True, role="user", spaces_before=None, spaces_after=2,
        simulate_typing=True,
    ):  # fmt: skip
        self.said.append((role, text))
        return text


class Pip:
    """The members that the simple plugins use (CONTRACT 1.11)."""

    UNLOCK_BUTTON_LABEL = "Unlock"

    def __init__(self, table, db, profile):
        self.table, self.db, self.profile = table, db, profile
        self.message_queue = Queue()

    def get_message_queue(self):
        return self.message_queue

    def get_ui_constants(self):
        return UI

    def get_config(self):
        return SimpleNamespace(UI_CONSTANTS=UI)

    def append_to_history(self, text, role="system"):
        self.message_queue.said.append((role, text))

    def fmt(self, name):
        return name.replace("_0", " ").replace("_", " ").title()

    # -- state (1.8)

    def read_state(self, key):
        try:
            return json.loads(self.table[key].data)
        except Exception:
            return {}  # fault 6

    def write_state(self, key, state):
        state["updated"] = datetime.now().isoformat()
        self.table.update({"pkey": key, "data": json.dumps(state), "updated": state["updated"]})

    def get_step_data(self, key, step_id, default=None):
        return self.read_state(key).get(step_id, default or {})

    async def set_step_data(self, key, step_id, value, steps, clear_previous=True):
        if clear_previous:
            await self.clear_steps_from(key, step_id, steps)
        state = self.read_state(key)
        state[step_id] = {next(s.done for s in steps if s.id == step_id): value}
        state.pop("_revert_target", None)
        self.write_state(key, state)
        return value

    async def clear_steps_from(self, key, step_id, steps):
        state = self.read_state(key)
        ids = [step.id for step in steps]
        for step in steps[ids.index(step_id) + 1 :]:
            if not step.refill:  # fault 4
                state.pop(step.id, None)
        self.write_state(key, state)
        return state

    def initialize_if_missing(self, key, initial=None):
        try:
            state = self.read_state(key)
            if state:
                return state, None
            now = datetime.now().isoformat()
            initial = dict(initial)
            app_name = initial.pop("app_name")
            state = {"created": now, "updated": now, **initial}
            row = {"pkey": key, "app_name": app_name, "data": json.dumps(state)}
            self.table.insert({**row, "created": now, "updated": now})
            return state, None
        except Exception:
            return None, fh.Card(fh.H3("ID Already In Use"))  # fault 6

    async def finalize_workflow(self, key, state_update=None):
        state = self.read_state(key)
        state["finalize"] = {"finalized": True}
        state.update(state_update or {})
        self.write_state(key, state)
        return state

    async def unfinalize_workflow(self, key):
        state = self.read_state(key)
        state.pop("finalize", None)
        self.write_state(key, state)
        return state

    def check_finalize_needed(self, index, steps):
        return index + 1 < len(steps) and steps[index + 1].id == "finalize"

    # -- keys

    def get_plugin_context(self, plugin=None):
        return {
            "plugin_name": plugin.DISPLAY_NAME,
            "internal_name": plugin.name,
            "profile_id": 1,
            "profile_name": self.profile,
        }

    def generate_pipeline_key(self, plugin, user_input=None):
        prefix = f"{self.profile}-{plugin.APP_NAME}-".replace(" ", "_")
        if user_input:
            return prefix + user_input.replace(" ", "_"), prefix, user_input
        self.table.xtra(app_name=plugin.APP_NAME)
        numbers = [re.fullmatch(re.escape(prefix) + r"(\d+)", row.pkey) for row in self.table()]
        number = f"{max((int(n[1]) for n in numbers if n), default=0) + 1:02}"
        return prefix + number, prefix, number

    def parse_pipeline_key(self, key):
        parts = key.split("-", 2)  # fault 7
        return dict(zip(("profile_part", "plugin_part", "user_part"), parts, strict=False))

    # -- pages (1.4, 1.9, 1.10)

    def register_workflow_routes(self, plugin):
        def add(path, methods, name):
            if handler := getattr(plugin, name, None):
                plugin.app.route(f"/{plugin.APP_NAME}/{path}", methods=methods)(handler)

        add("init", ["POST"], "init")
        add("revert", ["POST"], "handle_revert")
        add("unfinalize", ["POST"], "unfinalize")
        for step in plugin.steps:
            add(step.id, ["GET", "POST"] if step.id == "finalize" else ["GET"], step.id)
            add(f"{step.id}_submit", ["POST"], f"{step.id}_submit")

    def create_standard_landing_page(self, plugin):
        app_name = plugin.APP_NAME
        self.table.xtra(app_name=app_name)  # fault 2
        known = [row.pkey for row in self.table()]
        value = self.generate_pipeline_key(plugin)[0]
        form = fh.Form(
            fh.Input(name="pipeline_id", value=value, list="pipeline-ids"),
            fh.Button("Enter Key", type="submit"),
            self.update_datalist("pipeline-ids", known),
            hx_post=f"/{app_name}/init",
            hx_target=f"#{app_name}-container",
        )
        text = getattr(plugin, "ENDPOINT_MESSAGE", "")
        card = fh.Card(fh.H2(plugin.DISPLAY_NAME), fh.P(text), form)
        return fh.Container(card, fh.Div(id=f"{app_name}-container"))

    def run_all_cells(self, app_name, steps):
        first, *rest = steps
        cards = [fh.Div(id=first.id, hx_get=f"/{app_name}/{first.id}", hx_trigger="load")]
        cards += [fh.Div(id=step.id, hx_get=f"/{app_name}/{step.id}") for step in rest]
        return fh.Div(*cards, id=f"{app_name}-container")

    def display_revert_header(
        self, step_id, app_name, steps, message=None, target_id=None, revert_label=None,
        remove_padding=False, show_when_finalized=False,
    ):  # fmt: skip
        if "finalized" in self.get_step_data(self.db.get("pipeline_id"), "finalize"):
            return None
        form = fh.Form(
            fh.Input(type="hidden", name="step_id", value=step_id),
            fh.Button(revert_label or "back", type="submit"),
            hx_post=f"/{app_name}/revert",
            hx_target=f"#{target_id or app_name + '-container'}",
            hx_swap="outerHTML",
        )
        return fh.Card(message, form) if message else form

    def display_revert_widget(
        self, step_id, app_name, steps, message=None, widget=None, target_id=None,
        revert_label=None, widget_style=None, finalized_content=None, next_step_id=None,
    ):  # fmt: skip
        if "finalized" in self.get_step_data(self.db.get("pipeline_id"), "finalize"):
            card = fh.Card(fh.H4(message), finalized_content or widget)
        else:
            back = self.display_revert_header(
                step_id, app_name, steps, message, target_id, revert_label
            )
            card = fh.Div(back, fh.Div(widget), cls="card-container")
        if not next_step_id:
            return card
        return fh.Div(card, self._next(app_name, next_step_id), id=step_id)

    def _next(self, app_name, step_id):
        return fh.Div(id=step_id, hx_get=f"/{app_name}/{step_id}", hx_trigger="load")

    def finalized_content(self, message, content=None, heading_tag=None, content_style=None):
        return fh.Card((heading_tag or fh.H4)(message), content)

    def chain_reverter(self, step_id, step_index, steps, app_name, value):
        message = f"{steps[step_index].show}: {value}"
        header = self.display_revert_header(step_id, app_name, steps, message)
        follow = self._next(app_name, steps[step_index + 1].id)
        return HTMLResponse(to_xml(fh.Div(header, follow, id=step_id)))

    async def handle_finalized_step(self, key, step_id, steps, app_name, plugin=None):
        return self.run_all_cells(app_name, steps)

    def wrap_with_inline_button(self, control, button_label="Next", **options):
        return fh.Div(control, fh.Button(button_label, type="submit"), cls="inline")

    def update_datalist(self, datalist_id, options=None, should_clear=False):
        shown = [] if should_clear else options or []
        return fh.Datalist(*(fh.Option(value=o) for o in shown), id=datalist_id, hx_swap_oob="true")

    def validate_step_input(self, value, show, custom_validator=None):
        fine, message = (True, "") if value.strip() else (False, f"{show} cannot be empty")
        if fine and custom_validator:
            fine, message = custom_validator(value)
        return fine, message, None if fine else fh.P(message, cls="text-invalid")

    async def get_state_message(self, key, steps, messages):
        state = self.read_state(key)
        for step in reversed(steps):
            if state.get(step.id, {}).get(step.done):  # fault 3
                text = messages[step.id]
                return text["complete"] if isinstance(text, dict) else text
        return messages["new"]  # fault 9


def provide_modules():
    """What upstream's own checkout has: `imports.crud`, and `loguru` among its requirements."""
    package, crud, loguru = map(ModuleType, ("imports", "imports.crud", "loguru"))
    package.__path__ = []
    crud.Step, crud.VALID_ROLES, package.crud = Step, ROLES, crud
    loguru.logger = SimpleNamespace(**dict.fromkeys(("debug", "info", "error"), print))
    for module in (package, crud, loguru):
        sys.modules.setdefault(module.__name__, module)
    for name in PICO:
        if not hasattr(fh, name):  # newer than upstream's
            from fasthtml import pico

            setattr(fh, name, getattr(pico, name))


def load(path):
    """Import a plugin as upstream does and give its key and class (CONTRACT 1.1, 1.2)."""
    name = f"upstream_apps.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    classes = [
        cls
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if hasattr(cls, "landing") and any(hasattr(cls, name) for name in NAMES)
    ]
    return re.sub(r"^\d+_", "", path.stem), classes[0]


def make(paths, data):
    """Upstream's server with some plugins, its database in a folder."""
    fh_cfg["indent"] = True  # as upstream leaves it: white space between tags
    provide_modules()
    app = FastHTML(exts="ws", default_hdrs=False)
    base = database(data / "upstream.db")
    store = base.t.store
    store.create(key=str, value=str, pk="key", if_not_exists=True)
    pipeline = base.t.pipeline
    columns = dict.fromkeys(("pkey", "app_name", "data", "created", "updated"), str)
    pipeline.create(**columns, pk="pkey", if_not_exists=True)
    pipeline.dataclass()
    db = DictLikeDB(store)
    pip = Pip(pipeline, db, "Default Profile")
    offered = {
        **dict.fromkeys(("pipulate", "pipulate_instance"), pip),
        **dict.fromkeys(("pipeline", "pipeline_table"), pipeline),
        **dict.fromkeys(("db", "db_dictlike", "db_key_value_store"), db),
        "app": app,
        "config": pip.get_config(),
    }
    app.state.plugins = {}
    for path in paths:
        key, cls = load(path)
        wanted = inspect.signature(cls).parameters
        plugin = cls(**{name: offered[name] for name in wanted if name in offered})
        plugin.name = key
        app.state.plugins[key] = plugin
        app.route(f"/{key}", methods=["GET"], name=f"home_{key}")(home(plugin))
    app.state.pip = pip
    return app


def home(plugin):
    """GET /<key>: the page around the plugin's landing."""

    async def home_route(request):
        content = await plugin.landing(request)
        return fh.Titled("Pipulate", fh.Div(fh.Div(content, id="grid-left-content"), id="chat"))

    return home_route


def rows(app: FastHTML, data: Path) -> dict[str, dict]:
    """The runs as they are in the database, by key."""
    found = database(data / "upstream.db").q("select pkey, data from pipeline")
    return {row["pkey"]: json.loads(row["data"]) for row in found}
