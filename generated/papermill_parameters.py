"""The workflow "Water levels", ported from papermill_parameters.ipynb by `pipulate port`.

A workflow is a row of cards, read from top to bottom. A card is a step; here it is one
bundle of methods:

    step_NN_cell      the code of the notebook's cell; it runs in the run's own kernel
    step_NN_form      the questions of the step, where it has any
    step_NN           GET: the card as it stands: running, locked, done, or waiting
    step_NN_submit    POST: reads the answers, runs the cells, keeps what they gave

What a run knows is one row of the database: for each step its answers, and under
"_cells" what its cells showed. The cells share one namespace, as in the notebook; their
`global` lines say which names come in and which go out.

Everything here may be edited: when the notebook changes, `pipulate port` takes its
changes in and keeps your edits. Leave the `# port:` line below as it is.
"""

# port: id=2642ea46b76a notebook=../fixtures/inputs/papermill_parameters.ipynb base=d62313a3627bc324
# The `global` lines of a cell name what it only reads, too:
# ruff: noqa: PLW0602

from collections import namedtuple
from datetime import date, datetime
from json import dumps
from math import isfinite
from textwrap import dedent

from fasthtml.common import (
    H3,
    Article,
    Button,
    Dd,
    Div,
    Dl,
    Dt,
    Footer,
    Form,
    Header,
    HtmxResponseHeaders,
    Input,
    Label,
    Option,
    P,
    Response,
    Select,
    Small,
    Textarea,
)
from pipulate_runtime.cells import Cells, Typed, cell, read_json, read_literal

ROLES = ["Core"]

Step = namedtuple("Step", "id done show refill transform", defaults=(None,))


class PapermillParameters:
    # --- START_CLASS_ATTRIBUTES_BUNDLE ---
    APP_NAME = "papermill_parameters"
    DISPLAY_NAME = "Water levels"
    ENDPOINT_MESSAGE = (
        "A papermill notebook: the cell tagged parameters is its interface."
    )
    TRAINING_PROMPT = dedent("""\
        # Water levels

        A papermill notebook: the cell tagged `parameters` is its interface.

        ## Parameters

        The person gives: Station.

        The person gives: Start.

        The person gives: Until.

        The person gives: Days.

        The person gives: Offset.

        The person gives: Scale.

        The person gives: Tariff.

        The person gives: Smooth.

        The person gives: Method.

        The person gives: Limit.

        The person gives: Levels.

        The person gives: Names.

        The person gives: Units.

        The person gives: Window.

        The person gives: Target.

        The person gives: Note.

        ## The days

        ## Shown

        ## The days · 2
        """)
    # --- END_CLASS_ATTRIBUTES_BUNDLE ---

    def __init__(self, app, pipulate, pipeline, db, app_name=APP_NAME):
        self.app = app
        self.app_name = app_name
        self.pip = self.pipulate = pipulate
        self.pipeline = pipeline
        self.db = db
        self.message_queue = pipulate.message_queue
        # The order of the cards. An id never changes: saved runs are kept by it.
        self.steps = [
            Step(
                id="step_01",
                done="station",
                show="Parameters",
                refill=False,
            ),
            Step(
                id="step_02",
                done="ran",
                show="The days",
                refill=False,
            ),
            Step(
                id="step_03",
                done="ran",
                show="Shown",
                refill=False,
            ),
            Step(
                id="step_04",
                done="ran",
                show="The days · 2",
                refill=False,
            ),
            # --- STEPS_LIST_INSERTION_POINT ---
            Step(id="finalize", done="finalized", show="Finalize", refill=False),
        ]
        self.steps_indices = {step.id: index for index, step in enumerate(self.steps)}
        self.step_messages = {
            "new": "Answer from top to bottom: each answer leads to the next card.",
            "finalize": {
                "ready": "All steps are done. You can lock this run now.",
                "complete": "This run is locked. Unlock it to change an answer.",
            },
        }
        self.cells = Cells(self)
        pipulate.register_workflow_routes(self)

    # --- The run: its key, its cards, its beginning and its end ---

    async def run_key(self, request):
        """Return the key of the run. The page sends it: two tabs can hold two runs."""
        # The server may have one table for all workflows, with the filter of another one.
        self.pipeline.xtra()
        sent = request.query_params if request.method == "GET" else await request.form()
        return sent.get("pipeline_id") or self.pip.db.get("pipeline_id", "")

    def chain(self, key):
        """Return the cards of a run: each that is done loads the next one."""
        if not self.pip.read_state(key):
            # The run was deleted: back to the first page.
            return Response(headers={"HX-Refresh": "true"})
        cards = Div(
            Div(
                id=self.steps[0].id,
                hx_get=f"/{self.app_name}/{self.steps[0].id}",
                hx_trigger="load",
                hx_swap="outerHTML",
            ),
            id=f"{self.app_name}-container",
            hx_vals={"pipeline_id": key},
        )
        return cards, HtmxResponseHeaders(
            retarget=f"#{self.app_name}-container", reswap="outerHTML"
        )

    def next_card(self, step_id):
        """Return the place of the next card, which loads as soon as it is there."""
        next_id = self.steps[self.steps_indices[step_id] + 1].id
        return Div(
            id=next_id,
            hx_get=f"/{self.app_name}/{next_id}",
            hx_trigger="load",
            hx_swap="outerHTML",
        )

    def stop_button(self, step_id):
        """Return the button that stops a step; nothing of it is kept."""
        title = self.steps[self.steps_indices[step_id]].show
        return Button(
            "Stop",
            type="button",
            cls="secondary",
            id=f"{step_id}-stop",
            aria_label=f"Stop: {title}",
            hx_post=f"/{self.app_name}/stop/{step_id}",
            hx_target=f"#{step_id}-clock",
            hx_swap="outerHTML",
        )

    def back_button(self, step_id, label):
        """Return the button that goes back to a step; what came after it is cleared."""
        title = self.steps[self.steps_indices[step_id]].show
        return Form(
            Input(type="hidden", name="step_id", value=step_id),
            Button(
                label,
                type="submit",
                cls="button-revert",
                aria_label=f"{label}: {title}",
            ),
            hx_post=f"/{self.app_name}/revert",
            hx_target=f"#{self.app_name}-container",
            hx_swap="outerHTML",
        )

    def error_below(self, field, message):
        """Return what stands below a field whose answer could not be taken."""
        if message:
            return P(message, id=f"{field}-error", cls="text-invalid", role="alert")

    def as_json(self, value):
        """Return a value as JSON text; what was typed stays as it is, and None is empty."""
        if value is None or isinstance(value, Typed):
            return value or ""
        return dumps(value, ensure_ascii=False)

    async def landing(self, request):
        """GET: the first page, where a run is started or taken up again."""
        return self.pip.create_standard_landing_page(self)

    async def init(self, request):
        """POST: start the run that was named, or take it up where it was left."""
        sent = await request.form()
        typed = sent.get("pipeline_id", "").strip()
        if not typed:
            return Response(headers={"HX-Refresh": "true"})
        key, prefix, _ = self.pip.generate_pipeline_key(self, typed)
        if typed.startswith(prefix):
            key = typed
        _, error = self.pip.initialize_if_missing(key, {"app_name": self.app_name})
        if error:
            return error
        self.pip.db["pipeline_id"] = key
        await self.message_queue.add(self.pip, self.step_messages["new"], verbatim=True)
        return self.chain(key)

    async def handle_revert(self, request):
        """POST: go back to a step. Its answers stay; what came after it is cleared."""
        sent = await request.form()
        key = await self.run_key(request)
        step_id = sent.get("step_id", "")
        state = self.pip.read_state(key)
        locked = "finalized" in state.get("finalize", {})
        if state and step_id in self.steps_indices and not locked:
            await self.cells.stop(key)
            state = await self.pip.clear_steps_from(key, step_id, self.steps)
            state["_revert_target"] = step_id
            state.pop("_typed", None)
            self.pip.write_state(key, state)
        return self.chain(key)

    async def finalize(self, request):
        """GET: the last card. POST: lock the run, if every step is done."""
        key = await self.run_key(request)
        if request.method == "POST":
            # What another tab still computes must not change the run once it is locked.
            await self.cells.stop(key)
        state = self.pip.read_state(key)
        reopened = "_revert_target" in state
        done = all(step.done in state.get(step.id, {}) for step in self.steps[:-1])
        if request.method == "POST":
            if done and not reopened:
                await self.pip.finalize_workflow(key)
                message = self.step_messages["finalize"]["complete"]
                await self.message_queue.add(self.pip, message, verbatim=True)
            return self.chain(key)
        if "finalized" in state.get("finalize", {}):
            return Div(
                Article(
                    H3("This run is locked"),
                    P("It stays as it is. To change an answer, unlock it first."),
                    Form(
                        Button("Unlock", type="submit", cls="secondary"),
                        hx_post=f"/{self.app_name}/unfinalize",
                        hx_target=f"#{self.app_name}-container",
                        hx_swap="outerHTML",
                    ),
                ),
                id="finalize",
                data_state="locked",
            )
        if reopened or not done:
            return Div(id="finalize")
        return Div(
            Article(
                H3("All steps are done"),
                P("Lock this run to keep it as it is. You can unlock it at any time."),
                Form(
                    Button("Finalize", type="submit", cls="primary"),
                    hx_post=f"/{self.app_name}/finalize",
                    hx_target=f"#{self.app_name}-container",
                    hx_swap="outerHTML",
                ),
            ),
            id="finalize",
            data_state="input",
        )

    async def unfinalize(self, request):
        """POST: unlock the run."""
        key = await self.run_key(request)
        if self.pip.read_state(key):
            await self.pip.unfinalize_workflow(key)
        return self.chain(key)

    # --- START_STEP_BUNDLE: step_01 ---
    step_01_method_choices = (
        "mean",
        "median",
        "max",
    )

    @cell("paperm-01")
    def step_01_setup(form):
        global datetime, Decimal, Path, Literal, Optional  # out: for the cells after
        import datetime
        from decimal import Decimal
        from pathlib import Path
        from typing import Literal, Optional

    @cell("paperm-02")
    def step_01_cell(form):
        global datetime, Decimal, Literal, Optional, Path  # in: from the cells before
        global station, start, until, days, offset, scale  # out: for the cells after
        global tariff, smooth, method, limit, levels, names  # out: for the cells after
        global units, window, target  # out: for the cells after
        global note  # stays in the notebook's namespace
        station = form["station"]  # where the gauge stands
        start = datetime.date.fromisoformat(form["start"])  # first day
        until = datetime.datetime.fromisoformat(form["until"])
        days = form["days"]  # type: int  # how many days
        offset = form["offset"]
        scale = form["scale"]
        tariff = Decimal(form["tariff"])
        smooth = form["smooth"]
        method = form["method"]
        limit = form["limit"]  # leave empty for no limit
        levels = form["levels"]
        names = form["names"]
        units = form["units"]
        window = eval(form["window"])
        target = Path(form["target"])
        note = form["note"]

    def step_01_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Station", fr="step_01-station"),
                    Input(
                        id="step_01-station",
                        name="station",
                        aria_invalid="true" if "station" in errors else None,
                        value=values.get("station"),
                        type="text",
                        required=True,
                        aria_describedby="step_01-station-help step_01-station-error",
                    ),
                    Small("where the gauge stands", id="step_01-station-help"),
                    self.error_below("step_01-station", errors.get("station")),
                    cls="field",
                ),
                Div(
                    Label("Start", fr="step_01-start"),
                    Input(
                        id="step_01-start",
                        name="start",
                        aria_invalid="true" if "start" in errors else None,
                        value=values.get("start"),
                        type="date",
                        required=True,
                        aria_describedby="step_01-start-help step_01-start-error",
                    ),
                    Small("first day", id="step_01-start-help"),
                    self.error_below("step_01-start", errors.get("start")),
                    cls="field",
                ),
                Div(
                    Label("Until", fr="step_01-until"),
                    Input(
                        id="step_01-until",
                        name="until",
                        aria_invalid="true" if "until" in errors else None,
                        value=str(values.get("until") or "").replace(" ", "T"),
                        type="datetime-local",
                        required=True,
                        aria_describedby="step_01-until-error",
                    ),
                    self.error_below("step_01-until", errors.get("until")),
                    cls="field",
                ),
                Div(
                    Label("Days", fr="step_01-days"),
                    Input(
                        id="step_01-days",
                        name="days",
                        aria_invalid="true" if "days" in errors else None,
                        value=values.get("days"),
                        type="number",
                        step="1",
                        required=True,
                        aria_describedby="step_01-days-help step_01-days-error",
                    ),
                    Small("how many days", id="step_01-days-help"),
                    self.error_below("step_01-days", errors.get("days")),
                    cls="field",
                ),
                Div(
                    Label("Offset", fr="step_01-offset"),
                    Input(
                        id="step_01-offset",
                        name="offset",
                        aria_invalid="true" if "offset" in errors else None,
                        value=values.get("offset"),
                        type="number",
                        step="1",
                        required=True,
                        aria_describedby="step_01-offset-error",
                    ),
                    self.error_below("step_01-offset", errors.get("offset")),
                    cls="field",
                ),
                Div(
                    Label("Scale", fr="step_01-scale"),
                    Input(
                        id="step_01-scale",
                        name="scale",
                        aria_invalid="true" if "scale" in errors else None,
                        value=values.get("scale"),
                        type="number",
                        step="any",
                        required=True,
                        aria_describedby="step_01-scale-error",
                    ),
                    self.error_below("step_01-scale", errors.get("scale")),
                    cls="field",
                ),
                Div(
                    Label("Tariff", fr="step_01-tariff"),
                    Input(
                        id="step_01-tariff",
                        name="tariff",
                        aria_invalid="true" if "tariff" in errors else None,
                        value=values.get("tariff"),
                        type="text",
                        required=True,
                        aria_describedby="step_01-tariff-error",
                    ),
                    self.error_below("step_01-tariff", errors.get("tariff")),
                    cls="field",
                ),
                Div(
                    Label(
                        Input(
                            type="checkbox",
                            role="switch",
                            id="step_01-smooth",
                            name="smooth",
                            aria_invalid="true" if "smooth" in errors else None,
                            checked=bool(values.get("smooth")),
                            aria_describedby="step_01-smooth-error",
                        ),
                        "Smooth",
                    ),
                    self.error_below("step_01-smooth", errors.get("smooth")),
                    cls="field",
                ),
                Div(
                    Label("Method", fr="step_01-method"),
                    Select(
                        *(
                            Option(
                                str(choice),
                                value=str(choice),
                                selected=values.get("method") in (choice, str(choice)),
                            )
                            for choice in self.step_01_method_choices
                        ),
                        id="step_01-method",
                        name="method",
                        aria_invalid="true" if "method" in errors else None,
                        required=True,
                        aria_describedby="step_01-method-error",
                    ),
                    self.error_below("step_01-method", errors.get("method")),
                    cls="field",
                ),
                Div(
                    Label("Limit", fr="step_01-limit"),
                    Input(
                        id="step_01-limit",
                        name="limit",
                        aria_invalid="true" if "limit" in errors else None,
                        value=values.get("limit"),
                        type="number",
                        step="1",
                        aria_describedby="step_01-limit-help step_01-limit-error",
                    ),
                    Small("leave empty for no limit", id="step_01-limit-help"),
                    self.error_below("step_01-limit", errors.get("limit")),
                    cls="field",
                ),
                Div(
                    Label("Levels", fr="step_01-levels"),
                    Textarea(
                        # A browser drops the first line break.
                        "\n" + self.as_json(values.get("levels")),
                        id="step_01-levels",
                        name="levels",
                        aria_invalid="true" if "levels" in errors else None,
                        rows=5,
                        spellcheck="false",
                        required=True,
                        aria_describedby="step_01-levels-error",
                    ),
                    self.error_below("step_01-levels", errors.get("levels")),
                    cls="field wide",
                ),
                Div(
                    Label("Names", fr="step_01-names"),
                    Textarea(
                        # A browser drops the first line break.
                        "\n" + self.as_json(values.get("names")),
                        id="step_01-names",
                        name="names",
                        aria_invalid="true" if "names" in errors else None,
                        rows=5,
                        spellcheck="false",
                        required=True,
                        aria_describedby="step_01-names-error",
                    ),
                    self.error_below("step_01-names", errors.get("names")),
                    cls="field wide",
                ),
                Div(
                    Label("Units", fr="step_01-units"),
                    Textarea(
                        # A browser drops the first line break.
                        "\n" + self.as_json(values.get("units")),
                        id="step_01-units",
                        name="units",
                        aria_invalid="true" if "units" in errors else None,
                        rows=5,
                        spellcheck="false",
                        required=True,
                        aria_describedby="step_01-units-error",
                    ),
                    self.error_below("step_01-units", errors.get("units")),
                    cls="field wide",
                ),
                Div(
                    Label("Window", fr="step_01-window"),
                    Input(
                        id="step_01-window",
                        name="window",
                        aria_invalid="true" if "window" in errors else None,
                        value=values.get("window"),
                        type="text",
                        spellcheck="false",
                        required=True,
                        aria_describedby="step_01-window-error",
                    ),
                    self.error_below("step_01-window", errors.get("window")),
                    cls="field",
                ),
                Div(
                    Label("Target", fr="step_01-target"),
                    Input(
                        id="step_01-target",
                        name="target",
                        aria_invalid="true" if "target" in errors else None,
                        value=values.get("target"),
                        type="text",
                        required=True,
                        aria_describedby="step_01-target-error",
                    ),
                    self.error_below("step_01-target", errors.get("target")),
                    cls="field",
                ),
                Div(
                    Label("Note", fr="step_01-note"),
                    Input(
                        id="step_01-note",
                        name="note",
                        aria_invalid="true" if "note" in errors else None,
                        value=values.get("note"),
                        type="text",
                        aria_describedby="step_01-note-error",
                    ),
                    self.error_below("step_01-note", errors.get("note")),
                    cls="field",
                ),
                cls="fields",
            ),
            Button("Continue", type="submit", cls="primary"),
            hx_post=f"/{self.app_name}/step_01_submit",
            hx_target="#step_01",
            hx_swap="outerHTML",
        )

    async def step_01(self, request):
        """GET: the card as it stands."""
        step = self.steps[self.steps_indices["step_01"]]
        key = await self.run_key(request)
        state = self.pip.read_state(key)
        data = state.get("step_01", {})
        execution = self.cells.execution(key, "step_01")

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            data = execution.form
            return Div(
                Article(
                    H3(step.show),
                    Dl(
                        Dt("Station"),
                        Dd(data.get("station")),
                        Dt("Start"),
                        Dd(data.get("start")),
                        Dt("Until"),
                        Dd(str(data.get("until") or "").replace("T", " ")),
                        Dt("Days"),
                        Dd(data.get("days")),
                        Dt("Offset"),
                        Dd(data.get("offset")),
                        Dt("Scale"),
                        Dd(data.get("scale")),
                        Dt("Tariff"),
                        Dd(data.get("tariff")),
                        Dt("Smooth"),
                        Dd("Yes" if data.get("smooth") else "No"),
                        Dt("Method"),
                        Dd(data.get("method")),
                        Dt("Limit"),
                        Dd(data.get("limit")),
                        Dt("Levels"),
                        Dd(self.as_json(data.get("levels"))),
                        Dt("Names"),
                        Dd(self.as_json(data.get("names"))),
                        Dt("Units"),
                        Dd(self.as_json(data.get("units"))),
                        Dt("Window"),
                        Dd(data.get("window")),
                        Dt("Target"),
                        Dd(data.get("target")),
                        Dt("Note"),
                        Dd(data.get("note")),
                    ),
                    self.cells.follow(execution),
                    Footer(
                        self.cells.clock(execution),
                        self.stop_button("step_01"),
                    ),
                ),
                id="step_01",
                data_state="question" if execution.question else "running",
            )

        # Phase 1: the run is locked. The card shows what was kept.
        if "finalized" in state.get("finalize", {}):
            return Div(
                Article(
                    H3(step.show),
                    Dl(
                        Dt("Station"),
                        Dd(data.get("station")),
                        Dt("Start"),
                        Dd(data.get("start")),
                        Dt("Until"),
                        Dd(str(data.get("until") or "").replace("T", " ")),
                        Dt("Days"),
                        Dd(data.get("days")),
                        Dt("Offset"),
                        Dd(data.get("offset")),
                        Dt("Scale"),
                        Dd(data.get("scale")),
                        Dt("Tariff"),
                        Dd(data.get("tariff")),
                        Dt("Smooth"),
                        Dd("Yes" if data.get("smooth") else "No"),
                        Dt("Method"),
                        Dd(data.get("method")),
                        Dt("Limit"),
                        Dd(data.get("limit")),
                        Dt("Levels"),
                        Dd(self.as_json(data.get("levels"))),
                        Dt("Names"),
                        Dd(self.as_json(data.get("names"))),
                        Dt("Units"),
                        Dd(self.as_json(data.get("units"))),
                        Dt("Window"),
                        Dd(data.get("window")),
                        Dt("Target"),
                        Dd(data.get("target")),
                        Dt("Note"),
                        Dd(data.get("note")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_01"),
                id="step_01",
                data_state="locked",
            )

        # The cells were run and failed, perhaps after they had been done once: what went
        # wrong, and another try.
        if execution and execution.error:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.show(key, execution.cells),
                    self.step_01_form(execution.form, {}),
                ),
                id="step_01",
                data_state="error",
            )

        # Phase 2: done. The card shows what was kept, and the way back.
        if step.done in data and state.get("_revert_target") != "step_01":
            return Div(
                Article(
                    Header(
                        H3(step.show),
                        self.back_button("step_01", "Change"),
                    ),
                    self.cells.notice("step_01", data),
                    Dl(
                        Dt("Station"),
                        Dd(data.get("station")),
                        Dt("Start"),
                        Dd(data.get("start")),
                        Dt("Until"),
                        Dd(str(data.get("until") or "").replace("T", " ")),
                        Dt("Days"),
                        Dd(data.get("days")),
                        Dt("Offset"),
                        Dd(data.get("offset")),
                        Dt("Scale"),
                        Dd(data.get("scale")),
                        Dt("Tariff"),
                        Dd(data.get("tariff")),
                        Dt("Smooth"),
                        Dd("Yes" if data.get("smooth") else "No"),
                        Dt("Method"),
                        Dd(data.get("method")),
                        Dt("Limit"),
                        Dd(data.get("limit")),
                        Dt("Levels"),
                        Dd(self.as_json(data.get("levels"))),
                        Dt("Names"),
                        Dd(self.as_json(data.get("names"))),
                        Dt("Units"),
                        Dd(self.as_json(data.get("units"))),
                        Dt("Window"),
                        Dd(data.get("window")),
                        Dt("Target"),
                        Dd(data.get("target")),
                        Dt("Note"),
                        Dd(data.get("note")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_01"),
                id="step_01",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "station": "Cologne",
            "start": "2024-05-01",
            "until": "2024-05-03T18:30",
            "days": 5,
            "offset": -12,
            "scale": 1.5,
            "tariff": "0.25",
            "smooth": True,
            "method": "mean",
            "limit": None,
            "levels": [310, 322, 298, 305, 340],
            "names": ["Rhine", "Moselle"],
            "units": {"level": "cm", "flow": "m3/s"},
            "window": "(1, 3)",
            "target": "levels.csv",
            "note": None,
        }
        typed = state.get("_typed", {}).get("step_01", {})
        return Div(
            Article(
                H3(step.show),
                self.step_01_form(values | data | typed, {}),
            ),
            id="step_01",
            data_state="input",
        )

    async def step_01_submit(self, request):
        """POST: read the answers, run the cells, keep what they gave."""
        key = await self.run_key(request)
        state = self.pip.read_state(key)

        # A locked run is not changed. An earlier step may be open again in another tab.
        before = self.steps[: self.steps_indices["step_01"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)

        # What cannot be read is asked again, with everything that was typed.
        step = self.steps[self.steps_indices["step_01"]]
        sent = await self.cells.sent(request)
        form, errors = {}, {}
        form["station"] = sent.get("station", "")
        if not form["station"].strip():
            errors["station"] = "Station: please fill this in."
        try:
            moment = date.fromisoformat(sent.get("start", ""))
            form["start"] = moment.isoformat()
        except ValueError:
            errors["start"] = "Start: please enter a date."
        try:
            moment = datetime.fromisoformat(sent.get("until", ""))
            form["until"] = moment.isoformat("T", "minutes")
        except ValueError:
            errors["until"] = "Until: please enter a date and time."
        try:
            form["days"] = int(sent.get("days", ""))
        except ValueError:
            errors["days"] = "Days: please enter a whole number."
        try:
            form["offset"] = int(sent.get("offset", ""))
        except ValueError:
            errors["offset"] = "Offset: please enter a whole number."
        try:
            form["scale"] = float(sent.get("scale", ""))
            if not isfinite(form["scale"]):
                raise ValueError
        except ValueError:
            errors["scale"] = "Scale: please enter a number."
        form["tariff"] = sent.get("tariff", "")
        if not form["tariff"].strip():
            errors["tariff"] = "Tariff: please fill this in."
        form["smooth"] = "smooth" in sent
        if sent.get("smooth", "on") != "on":
            errors["smooth"] = "Smooth: please fill this in."
        choices = {str(choice): choice for choice in self.step_01_method_choices}
        if sent.get("method") in choices:
            form["method"] = choices[sent.get("method")]
        else:
            errors["method"] = "Method: please choose from the list."
        if not sent.get("limit", "").strip():
            form["limit"] = None
        else:
            try:
                form["limit"] = int(sent.get("limit", ""))
            except ValueError:
                errors["limit"] = "Limit: please enter a whole number."
        try:
            form["levels"] = read_json(sent.get("levels", ""))
            if type(form["levels"]) is not list:
                raise ValueError
        except ValueError:
            errors["levels"] = (
                "Levels: please write a JSON list, for example [1, 2, 3]."
            )
        try:
            form["names"] = read_json(sent.get("names", ""))
            if type(form["names"]) is not list:
                raise ValueError
        except ValueError:
            errors["names"] = "Names: please write a JSON list, for example [1, 2, 3]."
        try:
            form["units"] = read_json(sent.get("units", ""))
            if type(form["units"]) is not dict:
                raise ValueError
        except ValueError:
            errors["units"] = (
                'Units: please write a JSON object, for example {"name": "value"}.'
            )
        form["window"] = sent.get("window", "")
        try:
            if form["window"] != "(1, 3)":
                read_literal(form["window"])
        except ValueError:
            errors["window"] = (
                'Window: please write a number, a "text in quotes", or a [list] of them.'
            )
        form["target"] = sent.get("target", "")
        if not form["target"].strip():
            errors["target"] = "Target: please fill this in."
        form["note"] = sent.get("note", "")
        form["note"] = form["note"] or None
        errors |= sent.problems
        if errors:
            return Div(
                Article(
                    H3(step.show),
                    self.step_01_form(sent, errors),
                ),
                id="step_01",
                data_state="input",
            )

        # What was typed is kept before the cells run: the server may end meanwhile.
        state["_typed"] = {"step_01": {**form}}
        self.pip.write_state(key, state)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_01", self.steps)
            state["step_01"] = {**form, "_cells": cells}
            state.pop("_revert_target", None)
            state.pop("_typed", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_01", form, save)
        return await self.step_01(request)

    # --- END_STEP_BUNDLE: step_01 ---

    # --- START_STEP_BUNDLE: step_02 ---
    @cell("paperm-04")
    def step_02_cell(form):
        global levels, days, start, datetime, station  # in: from the cells before
        global offset, units  # in: from the cells before
        global n, level, day  # stays in the notebook's namespace
        for n, level in enumerate(levels[:days]):
            day = start + datetime.timedelta(days=n)
            print(day, station, level + offset, units["level"])

    async def step_02(self, request):
        """GET: the card as it stands."""
        step = self.steps[self.steps_indices["step_02"]]
        key = await self.run_key(request)
        state = self.pip.read_state(key)
        data = state.get("step_02", {})
        execution = self.cells.execution(key, "step_02")

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.follow(execution),
                    Footer(
                        self.cells.clock(execution),
                        self.stop_button("step_02"),
                    ),
                ),
                id="step_02",
                data_state="question" if execution.question else "running",
            )

        # Phase 1: the run is locked. The card shows what was kept.
        if "finalized" in state.get("finalize", {}):
            return Div(
                Article(
                    H3(step.show),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_02"),
                id="step_02",
                data_state="locked",
            )

        # The cells were run and failed, perhaps after they had been done once: what went
        # wrong, and another try.
        if execution and execution.error:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.show(key, execution.cells),
                    Form(
                        Button("Run again", type="submit", cls="primary"),
                        hx_post=f"/{self.app_name}/step_02_submit",
                        hx_target="#step_02",
                        hx_swap="outerHTML",
                    ),
                ),
                id="step_02",
                data_state="error",
            )

        # Phase 2: done. The card shows what was kept, and the way back.
        if step.done in data and state.get("_revert_target") != "step_02":
            return Div(
                Article(
                    Header(
                        H3(step.show),
                        self.back_button("step_02", "Run again"),
                    ),
                    self.cells.notice("step_02", data),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_02"),
                id="step_02",
                data_state="done",
            )

        # Phase 3: nothing to ask. The card runs as soon as it is on the page.
        return Div(
            Article(
                H3(step.show),
                P("Running…", aria_busy="true"),
            ),
            id="step_02",
            data_state="running",
            hx_post=f"/{self.app_name}/step_02_submit",
            hx_trigger="load",
            hx_swap="outerHTML",
        )

    async def step_02_submit(self, request):
        """POST: run the cells, keep what they gave."""
        key = await self.run_key(request)
        state = self.pip.read_state(key)

        # A locked run is not changed. An earlier step may be open again in another tab.
        before = self.steps[: self.steps_indices["step_02"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_02", self.steps)
            state["step_02"] = {"ran": True, "_cells": cells}
            state.pop("_revert_target", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_02", {}, save)
        return await self.step_02(request)

    # --- END_STEP_BUNDLE: step_02 ---

    # --- START_STEP_BUNDLE: step_03 ---
    @cell("paperm-05")
    def step_03_cell(form):
        global levels, limit, scale, window  # in: from the cells before
        global shown  # stays in the notebook's namespace
        shown = [level * scale for level in levels if limit is None or level <= limit]
        return shown[slice(*window)]

    async def step_03(self, request):
        """GET: the card as it stands."""
        step = self.steps[self.steps_indices["step_03"]]
        key = await self.run_key(request)
        state = self.pip.read_state(key)
        data = state.get("step_03", {})
        execution = self.cells.execution(key, "step_03")

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.follow(execution),
                    Footer(
                        self.cells.clock(execution),
                        self.stop_button("step_03"),
                    ),
                ),
                id="step_03",
                data_state="question" if execution.question else "running",
            )

        # Phase 1: the run is locked. The card shows what was kept.
        if "finalized" in state.get("finalize", {}):
            return Div(
                Article(
                    H3(step.show),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_03"),
                id="step_03",
                data_state="locked",
            )

        # The cells were run and failed, perhaps after they had been done once: what went
        # wrong, and another try.
        if execution and execution.error:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.show(key, execution.cells),
                    Form(
                        Button("Run again", type="submit", cls="primary"),
                        hx_post=f"/{self.app_name}/step_03_submit",
                        hx_target="#step_03",
                        hx_swap="outerHTML",
                    ),
                ),
                id="step_03",
                data_state="error",
            )

        # Phase 2: done. The card shows what was kept, and the way back.
        if step.done in data and state.get("_revert_target") != "step_03":
            return Div(
                Article(
                    Header(
                        H3(step.show),
                        self.back_button("step_03", "Run again"),
                    ),
                    self.cells.notice("step_03", data),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_03"),
                id="step_03",
                data_state="done",
            )

        # Phase 3: nothing to ask. The card runs as soon as it is on the page.
        return Div(
            Article(
                H3(step.show),
                P("Running…", aria_busy="true"),
            ),
            id="step_03",
            data_state="running",
            hx_post=f"/{self.app_name}/step_03_submit",
            hx_trigger="load",
            hx_swap="outerHTML",
        )

    async def step_03_submit(self, request):
        """POST: run the cells, keep what they gave."""
        key = await self.run_key(request)
        state = self.pip.read_state(key)

        # A locked run is not changed. An earlier step may be open again in another tab.
        before = self.steps[: self.steps_indices["step_03"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_03", self.steps)
            state["step_03"] = {"ran": True, "_cells": cells}
            state.pop("_revert_target", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_03", {}, save)
        return await self.step_03(request)

    # --- END_STEP_BUNDLE: step_03 ---

    # --- START_STEP_BUNDLE: step_04 ---
    @cell("paperm-06")
    def step_04_cell(form):
        global tariff, days, until, smooth, method, names  # in: from the cells before
        global target  # in: from the cells before
        return tariff * days, until.isoformat(), smooth, method, names, target.suffix

    async def step_04(self, request):
        """GET: the card as it stands."""
        step = self.steps[self.steps_indices["step_04"]]
        key = await self.run_key(request)
        state = self.pip.read_state(key)
        data = state.get("step_04", {})
        execution = self.cells.execution(key, "step_04")

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.follow(execution),
                    Footer(
                        self.cells.clock(execution),
                        self.stop_button("step_04"),
                    ),
                ),
                id="step_04",
                data_state="question" if execution.question else "running",
            )

        # Phase 1: the run is locked. The card shows what was kept.
        if "finalized" in state.get("finalize", {}):
            return Div(
                Article(
                    H3(step.show),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_04"),
                id="step_04",
                data_state="locked",
            )

        # The cells were run and failed, perhaps after they had been done once: what went
        # wrong, and another try.
        if execution and execution.error:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.show(key, execution.cells),
                    Form(
                        Button("Run again", type="submit", cls="primary"),
                        hx_post=f"/{self.app_name}/step_04_submit",
                        hx_target="#step_04",
                        hx_swap="outerHTML",
                    ),
                ),
                id="step_04",
                data_state="error",
            )

        # Phase 2: done. The card shows what was kept, and the way back.
        if step.done in data and state.get("_revert_target") != "step_04":
            return Div(
                Article(
                    Header(
                        H3(step.show),
                        self.back_button("step_04", "Run again"),
                    ),
                    self.cells.notice("step_04", data),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_04"),
                id="step_04",
                data_state="done",
            )

        # Phase 3: nothing to ask. The card runs as soon as it is on the page.
        return Div(
            Article(
                H3(step.show),
                P("Running…", aria_busy="true"),
            ),
            id="step_04",
            data_state="running",
            hx_post=f"/{self.app_name}/step_04_submit",
            hx_trigger="load",
            hx_swap="outerHTML",
        )

    async def step_04_submit(self, request):
        """POST: run the cells, keep what they gave."""
        key = await self.run_key(request)
        state = self.pip.read_state(key)

        # A locked run is not changed. An earlier step may be open again in another tab.
        before = self.steps[: self.steps_indices["step_04"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_04", self.steps)
            state["step_04"] = {"ran": True, "_cells": cells}
            state.pop("_revert_target", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_04", {}, save)
        return await self.step_04(request)

    # --- END_STEP_BUNDLE: step_04 ---
    # --- STEP_METHODS_INSERTION_POINT ---
