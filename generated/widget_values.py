"""The workflow "A loan", ported from widget_values.ipynb by `pipulate port`.

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

# port: id=3f825ab3e042 notebook=../fixtures/inputs/widget_values.ipynb base=8fea7acb3b8c6438
# The `global` lines of a cell name what it only reads, too:
# ruff: noqa: PLW0602

from collections import namedtuple
from datetime import date, time
from json import dumps
from re import fullmatch
from textwrap import dedent

from fasthtml.common import (
    H3,
    Article,
    Button,
    Dd,
    Div,
    Dl,
    Dt,
    Fieldset,
    Footer,
    Form,
    Header,
    HtmxResponseHeaders,
    Input,
    Label,
    Legend,
    Option,
    Output,
    P,
    Response,
    Select,
    Textarea,
)
from pipulate_runtime.cells import Cells, Typed, cell, read_json

ROLES = ["Core"]

Step = namedtuple("Step", "id done show refill transform", defaults=(None,))


class WidgetValues:
    # --- START_CLASS_ATTRIBUTES_BUNDLE ---
    APP_NAME = "widget_values"
    DISPLAY_NAME = "A loan"
    ENDPOINT_MESSAGE = "Widgets whose values later cells read."
    TRAINING_PROMPT = dedent("""\
        # A loan

        Widgets whose values later cells read.

        ## Amount, rate and more

        The person gives: Amount.

        The person gives: Rate.

        The person gives: Years, from.

        The person gives: Years, to.

        ## High and amount

        ## For whom

        The person gives: Plan.

        The person gives: Bank.

        The person gives: Extras.

        The person gives: First day.

        The person gives: Closing.

        The person gives: Name.

        The person gives: Remarks.

        The person gives: Urgent.

        The person gives: Colour.

        The person gives: Tags.

        ## Plan, bank and more

        ## Name, remarks and more

        ## Papers

        The person gives: Papers.

        ## Papers · 2
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
                done="amount",
                show="Amount, rate and more",
                refill=False,
            ),
            Step(
                id="step_02",
                done="ran",
                show="High and amount",
                refill=False,
            ),
            Step(
                id="step_03",
                done="plan",
                show="For whom",
                refill=False,
            ),
            Step(
                id="step_04",
                done="ran",
                show="Plan, bank and more",
                refill=False,
            ),
            Step(
                id="step_05",
                done="ran",
                show="Name, remarks and more",
                refill=False,
            ),
            Step(
                id="step_06",
                done="papers",
                show="Papers",
                refill=False,
            ),
            Step(
                id="step_07",
                done="ran",
                show="Papers · 2",
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

    def as_lines(self, value):
        """Return a list as text, one item a line; what was typed stays as it is."""
        return value if isinstance(value, str) else "\n".join(map(str, value or []))

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
    @cell("widget-01")
    def step_01_setup(form):
        global datetime, widgets, display  # out: for the cells after
        import datetime

        import ipywidgets as widgets
        from IPython.display import display

    @cell("widget-02")
    def step_01_cell(form):
        global widgets  # in: from the cells before
        global amount, rate, years  # out: for the cells after
        amount = widgets.IntSlider(
            value=form["amount"], min=1000, max=100000, step=1000, description="Amount:"
        )
        rate = widgets.BoundedFloatText(
            value=form["rate"], min=0, max=20, description="Rate"
        )
        years = widgets.IntRangeSlider(
            value=sorted((form["years_from"], form["years_to"])),
            min=1,
            max=30,
            description="Years",
        )
        return widgets.VBox([amount, rate, years])

    def step_01_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Amount", fr="step_01-amount"),
                    Div(
                        Input(
                            id="step_01-amount",
                            name="amount",
                            aria_invalid="true" if "amount" in errors else None,
                            value=values.get("amount"),
                            type="range",
                            step="1000",
                            min="1000",
                            max="100000",
                            required=True,
                            aria_describedby="step_01-amount-error",
                        ),
                        Output(values.get("amount"), fr="step_01-amount"),
                        cls="range",
                    ),
                    self.error_below("step_01-amount", errors.get("amount")),
                    cls="field",
                ),
                Div(
                    Label("Rate", fr="step_01-rate"),
                    Input(
                        id="step_01-rate",
                        name="rate",
                        aria_invalid="true" if "rate" in errors else None,
                        value=values.get("rate"),
                        type="number",
                        step="any",
                        min="0",
                        max="20",
                        required=True,
                        aria_describedby="step_01-rate-error",
                    ),
                    self.error_below("step_01-rate", errors.get("rate")),
                    cls="field",
                ),
                Div(
                    Label("Years, from", fr="step_01-years_from"),
                    Input(
                        id="step_01-years_from",
                        name="years_from",
                        aria_invalid="true" if "years_from" in errors else None,
                        value=values.get("years_from"),
                        type="number",
                        step="1",
                        min="1",
                        max="30",
                        required=True,
                        aria_describedby="step_01-years_from-error",
                    ),
                    self.error_below("step_01-years_from", errors.get("years_from")),
                    cls="field",
                ),
                Div(
                    Label("Years, to", fr="step_01-years_to"),
                    Input(
                        id="step_01-years_to",
                        name="years_to",
                        aria_invalid="true" if "years_to" in errors else None,
                        value=values.get("years_to"),
                        type="number",
                        step="1",
                        min="1",
                        max="30",
                        required=True,
                        aria_describedby="step_01-years_to-error",
                    ),
                    self.error_below("step_01-years_to", errors.get("years_to")),
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
                        Dt("Amount"),
                        Dd(data.get("amount")),
                        Dt("Rate"),
                        Dd(data.get("rate")),
                        Dt("Years, from"),
                        Dd(data.get("years_from")),
                        Dt("Years, to"),
                        Dd(data.get("years_to")),
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
                        Dt("Amount"),
                        Dd(data.get("amount")),
                        Dt("Rate"),
                        Dd(data.get("rate")),
                        Dt("Years, from"),
                        Dd(data.get("years_from")),
                        Dt("Years, to"),
                        Dd(data.get("years_to")),
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
                        Dt("Amount"),
                        Dd(data.get("amount")),
                        Dt("Rate"),
                        Dd(data.get("rate")),
                        Dt("Years, from"),
                        Dd(data.get("years_from")),
                        Dt("Years, to"),
                        Dd(data.get("years_to")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_01"),
                id="step_01",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "amount": 20000,
            "rate": 3.5,
            "years_from": 5,
            "years_to": 10,
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
        try:
            form["amount"] = int(sent.get("amount", ""))
            if not 1000 <= form["amount"] <= 100000 or (form["amount"] - 1000) % 1000:
                raise ValueError
        except ValueError:
            errors["amount"] = (
                "Amount: please enter a whole number from 1000 to 100000, in steps of 1000."
            )
        try:
            form["rate"] = float(sent.get("rate", ""))
            if not 0 <= form["rate"] <= 20:
                raise ValueError
        except ValueError:
            errors["rate"] = "Rate: please enter a number from 0 to 20."
        try:
            form["years_from"] = int(sent.get("years_from", ""))
            if not 1 <= form["years_from"] <= 30:
                raise ValueError
        except ValueError:
            errors["years_from"] = (
                "Years, from: please enter a whole number from 1 to 30."
            )
        try:
            form["years_to"] = int(sent.get("years_to", ""))
            if not 1 <= form["years_to"] <= 30:
                raise ValueError
        except ValueError:
            errors["years_to"] = "Years, to: please enter a whole number from 1 to 30."
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
    @cell("widget-03")
    def step_02_cell(form):
        global years, amount, rate  # in: from the cells before
        global low, high, n  # stays in the notebook's namespace
        low, high = years.value
        for n in (low, high):
            print(n, round(amount.value * (1 + rate.value / 100) ** n, 2))

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
    step_03_plan_choices = (
        "basic",
        "family",
        "business",
    )

    step_03_bank_choices = (
        "Town bank",
        "Harbour bank",
    )

    step_03_extras_choices = (
        "phone",
        "letters",
        "safe",
    )

    @cell("widget-05")
    def step_03_cell(form):
        global widgets, datetime, display  # in: from the cells before
        global plan, bank, extras, first, closing, name  # out: for the cells after
        global remarks, urgent, colour, tags  # out: for the cells after
        global plans  # stays in the notebook's namespace
        plans = ["basic", "family", "business"]
        plan = widgets.Dropdown(options=plans, value=form["plan"], description="Plan")
        bank = widgets.RadioButtons(
            options=[("Town bank", 1), ("Harbour bank", 2)], label=form["bank"]
        )
        extras = widgets.SelectMultiple(
            options=["phone", "letters", "safe"], value=form["extras"]
        )
        first = widgets.DatePicker(
            value=datetime.date.fromisoformat(form["first"]), description="First day"
        )
        closing = widgets.TimePicker(value=datetime.time.fromisoformat(form["closing"]))
        name = widgets.Text(
            value=form["name"], description="Name", placeholder="as on the card"
        )
        remarks = widgets.Textarea(form["remarks"])
        urgent = widgets.Checkbox(form["urgent"], description="Urgent")
        colour = widgets.ColorPicker(value=form["colour"])
        tags = widgets.TagsInput(value=form["tags"])
        return display(
            widgets.Tab(
                [
                    widgets.VBox([plan, bank, extras]),
                    first,
                    closing,
                    name,
                    remarks,
                    urgent,
                    colour,
                    tags,
                ]
            )
        )

    def step_03_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Plan", fr="step_03-plan"),
                    Select(
                        *(
                            Option(
                                str(choice),
                                value=str(choice),
                                selected=values.get("plan") in (choice, str(choice)),
                            )
                            for choice in self.step_03_plan_choices
                        ),
                        id="step_03-plan",
                        name="plan",
                        aria_invalid="true" if "plan" in errors else None,
                        required=True,
                        aria_describedby="step_03-plan-error",
                    ),
                    self.error_below("step_03-plan", errors.get("plan")),
                    cls="field",
                ),
                Div(
                    Fieldset(
                        Legend("Bank"),
                        *(
                            Label(
                                Input(
                                    type="radio",
                                    name="bank",
                                    value=str(choice),
                                    checked=values.get("bank") in (choice, str(choice)),
                                    required=True,
                                ),
                                str(choice),
                            )
                            for choice in self.step_03_bank_choices
                        ),
                        role="radiogroup",
                        aria_invalid="true" if "bank" in errors else None,
                        aria_describedby="step_03-bank-error",
                    ),
                    self.error_below("step_03-bank", errors.get("bank")),
                    cls="field",
                ),
                Div(
                    Fieldset(
                        Legend("Extras"),
                        *(
                            Label(
                                Input(
                                    type="checkbox",
                                    name="extras",
                                    value=str(choice),
                                    checked=str(choice)
                                    in map(str, values.get("extras") or []),
                                ),
                                str(choice),
                            )
                            for choice in self.step_03_extras_choices
                        ),
                        aria_invalid="true" if "extras" in errors else None,
                        cls="choices",
                        aria_describedby="step_03-extras-error",
                    ),
                    self.error_below("step_03-extras", errors.get("extras")),
                    cls="field wide",
                ),
                Div(
                    Label("First day", fr="step_03-first"),
                    Input(
                        id="step_03-first",
                        name="first",
                        aria_invalid="true" if "first" in errors else None,
                        value=values.get("first"),
                        type="date",
                        required=True,
                        aria_describedby="step_03-first-error",
                    ),
                    self.error_below("step_03-first", errors.get("first")),
                    cls="field",
                ),
                Div(
                    Label("Closing", fr="step_03-closing"),
                    Input(
                        id="step_03-closing",
                        name="closing",
                        aria_invalid="true" if "closing" in errors else None,
                        value=values.get("closing"),
                        type="time",
                        required=True,
                        aria_describedby="step_03-closing-error",
                    ),
                    self.error_below("step_03-closing", errors.get("closing")),
                    cls="field",
                ),
                Div(
                    Label("Name", fr="step_03-name"),
                    Input(
                        id="step_03-name",
                        name="name",
                        aria_invalid="true" if "name" in errors else None,
                        value=values.get("name"),
                        type="text",
                        placeholder="as on the card",
                        aria_describedby="step_03-name-error",
                    ),
                    self.error_below("step_03-name", errors.get("name")),
                    cls="field",
                ),
                Div(
                    Label("Remarks", fr="step_03-remarks"),
                    Textarea(
                        # A browser drops the first line break.
                        "\n" + (values.get("remarks") or ""),
                        id="step_03-remarks",
                        name="remarks",
                        aria_invalid="true" if "remarks" in errors else None,
                        rows=5,
                        aria_describedby="step_03-remarks-error",
                    ),
                    self.error_below("step_03-remarks", errors.get("remarks")),
                    cls="field wide",
                ),
                Div(
                    Label(
                        Input(
                            type="checkbox",
                            role="switch",
                            id="step_03-urgent",
                            name="urgent",
                            aria_invalid="true" if "urgent" in errors else None,
                            checked=bool(values.get("urgent")),
                            aria_describedby="step_03-urgent-error",
                        ),
                        "Urgent",
                    ),
                    self.error_below("step_03-urgent", errors.get("urgent")),
                    cls="field",
                ),
                Div(
                    Label("Colour", fr="step_03-colour"),
                    Input(
                        id="step_03-colour",
                        name="colour",
                        aria_invalid="true" if "colour" in errors else None,
                        value=values.get("colour"),
                        type="color",
                        aria_describedby="step_03-colour-error",
                    ),
                    self.error_below("step_03-colour", errors.get("colour")),
                    cls="field",
                ),
                Div(
                    Label("Tags", fr="step_03-tags"),
                    Textarea(
                        # A browser drops the first line break.
                        "\n" + self.as_json(values.get("tags")),
                        id="step_03-tags",
                        name="tags",
                        aria_invalid="true" if "tags" in errors else None,
                        rows=5,
                        spellcheck="false",
                        aria_describedby="step_03-tags-error",
                    ),
                    self.error_below("step_03-tags", errors.get("tags")),
                    cls="field wide",
                ),
                cls="fields",
            ),
            Button("Continue", type="submit", cls="primary"),
            hx_post=f"/{self.app_name}/step_03_submit",
            hx_target="#step_03",
            hx_swap="outerHTML",
        )

    async def step_03(self, request):
        """GET: the card as it stands."""
        step = self.steps[self.steps_indices["step_03"]]
        key = await self.run_key(request)
        state = self.pip.read_state(key)
        data = state.get("step_03", {})
        execution = self.cells.execution(key, "step_03")

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            data = execution.form
            return Div(
                Article(
                    H3(step.show),
                    Dl(
                        Dt("Plan"),
                        Dd(data.get("plan")),
                        Dt("Bank"),
                        Dd(data.get("bank")),
                        Dt("Extras"),
                        Dd(self.as_lines(data.get("extras"))),
                        Dt("First day"),
                        Dd(data.get("first")),
                        Dt("Closing"),
                        Dd(data.get("closing")),
                        Dt("Name"),
                        Dd(data.get("name")),
                        Dt("Remarks"),
                        Dd(data.get("remarks")),
                        Dt("Urgent"),
                        Dd("Yes" if data.get("urgent") else "No"),
                        Dt("Colour"),
                        Dd(data.get("colour")),
                        Dt("Tags"),
                        Dd(self.as_json(data.get("tags"))),
                    ),
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
                    Dl(
                        Dt("Plan"),
                        Dd(data.get("plan")),
                        Dt("Bank"),
                        Dd(data.get("bank")),
                        Dt("Extras"),
                        Dd(self.as_lines(data.get("extras"))),
                        Dt("First day"),
                        Dd(data.get("first")),
                        Dt("Closing"),
                        Dd(data.get("closing")),
                        Dt("Name"),
                        Dd(data.get("name")),
                        Dt("Remarks"),
                        Dd(data.get("remarks")),
                        Dt("Urgent"),
                        Dd("Yes" if data.get("urgent") else "No"),
                        Dt("Colour"),
                        Dd(data.get("colour")),
                        Dt("Tags"),
                        Dd(self.as_json(data.get("tags"))),
                    ),
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
                    self.step_03_form(execution.form, {}),
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
                        self.back_button("step_03", "Change"),
                    ),
                    self.cells.notice("step_03", data),
                    Dl(
                        Dt("Plan"),
                        Dd(data.get("plan")),
                        Dt("Bank"),
                        Dd(data.get("bank")),
                        Dt("Extras"),
                        Dd(self.as_lines(data.get("extras"))),
                        Dt("First day"),
                        Dd(data.get("first")),
                        Dt("Closing"),
                        Dd(data.get("closing")),
                        Dt("Name"),
                        Dd(data.get("name")),
                        Dt("Remarks"),
                        Dd(data.get("remarks")),
                        Dt("Urgent"),
                        Dd("Yes" if data.get("urgent") else "No"),
                        Dt("Colour"),
                        Dd(data.get("colour")),
                        Dt("Tags"),
                        Dd(self.as_json(data.get("tags"))),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_03"),
                id="step_03",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "plan": "family",
            "bank": "Harbour bank",
            "extras": ["safe"],
            "first": "2024-06-01",
            "closing": "17:30",
            "name": "",
            "remarks": "none yet",
            "urgent": False,
            "colour": "#ff8800",
            "tags": ["new"],
        }
        typed = state.get("_typed", {}).get("step_03", {})
        return Div(
            Article(
                H3(step.show),
                self.step_03_form(values | data | typed, {}),
            ),
            id="step_03",
            data_state="input",
        )

    async def step_03_submit(self, request):
        """POST: read the answers, run the cells, keep what they gave."""
        key = await self.run_key(request)
        state = self.pip.read_state(key)

        # A locked run is not changed. An earlier step may be open again in another tab.
        before = self.steps[: self.steps_indices["step_03"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)

        # What cannot be read is asked again, with everything that was typed.
        step = self.steps[self.steps_indices["step_03"]]
        sent = await self.cells.sent(request, several=["extras"])
        form, errors = {}, {}
        choices = {str(choice): choice for choice in self.step_03_plan_choices}
        if sent.get("plan") in choices:
            form["plan"] = choices[sent.get("plan")]
        else:
            errors["plan"] = "Plan: please choose from the list."
        choices = {str(choice): choice for choice in self.step_03_bank_choices}
        if sent.get("bank") in choices:
            form["bank"] = choices[sent.get("bank")]
        else:
            errors["bank"] = "Bank: please choose from the list."
        choices = {str(choice): choice for choice in self.step_03_extras_choices}
        chosen = sent.getlist("extras")
        form["extras"] = [choices[text] for text in choices if text in chosen]
        if not choices.keys() >= set(chosen):
            errors["extras"] = "Extras: please choose from the list."
        try:
            moment = date.fromisoformat(sent.get("first", ""))
            form["first"] = moment.isoformat()
        except ValueError:
            errors["first"] = "First day: please enter a date."
        try:
            moment = time.fromisoformat(sent.get("closing", ""))
            form["closing"] = moment.isoformat("minutes")
        except ValueError:
            errors["closing"] = "Closing: please enter a time."
        form["name"] = sent.get("name", "")
        form["remarks"] = sent.get("remarks", "")
        form["urgent"] = "urgent" in sent
        if sent.get("urgent", "on") != "on":
            errors["urgent"] = "Urgent: please fill this in."
        form["colour"] = sent.get("colour", "")
        if not fullmatch(r"#[0-9a-fA-F]{6}", form["colour"]):
            errors["colour"] = "Colour: please enter a colour such as #ff8800."
        if not sent.get("tags", "").strip():
            form["tags"] = ["new"]
        else:
            try:
                form["tags"] = read_json(sent.get("tags", ""))
                if type(form["tags"]) is not list:
                    raise ValueError
            except ValueError:
                errors["tags"] = (
                    "Tags: please write a JSON list, for example [1, 2, 3]."
                )
        errors |= sent.problems
        if errors:
            return Div(
                Article(
                    H3(step.show),
                    self.step_03_form(sent, errors),
                ),
                id="step_03",
                data_state="input",
            )

        # What was typed is kept before the cells run: the server may end meanwhile.
        state["_typed"] = {"step_03": {**form}}
        self.pip.write_state(key, state)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_03", self.steps)
            state["step_03"] = {**form, "_cells": cells}
            state.pop("_revert_target", None)
            state.pop("_typed", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_03", form, save)
        return await self.step_03(request)

    # --- END_STEP_BUNDLE: step_03 ---

    # --- START_STEP_BUNDLE: step_04 ---
    @cell("widget-06")
    def step_04_cell(form):
        global plan, bank, extras, first, closing  # in: from the cells before
        return plan.value, bank.value, extras.value, first.value, closing.value

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

    # --- START_STEP_BUNDLE: step_05 ---
    @cell("widget-07")
    def step_05_cell(form):
        global name, remarks, urgent, colour, tags  # in: from the cells before
        return name.value, remarks.value, urgent.value, colour.value, tags.value

    async def step_05(self, request):
        """GET: the card as it stands."""
        step = self.steps[self.steps_indices["step_05"]]
        key = await self.run_key(request)
        state = self.pip.read_state(key)
        data = state.get("step_05", {})
        execution = self.cells.execution(key, "step_05")

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.follow(execution),
                    Footer(
                        self.cells.clock(execution),
                        self.stop_button("step_05"),
                    ),
                ),
                id="step_05",
                data_state="question" if execution.question else "running",
            )

        # Phase 1: the run is locked. The card shows what was kept.
        if "finalized" in state.get("finalize", {}):
            return Div(
                Article(
                    H3(step.show),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_05"),
                id="step_05",
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
                        hx_post=f"/{self.app_name}/step_05_submit",
                        hx_target="#step_05",
                        hx_swap="outerHTML",
                    ),
                ),
                id="step_05",
                data_state="error",
            )

        # Phase 2: done. The card shows what was kept, and the way back.
        if step.done in data and state.get("_revert_target") != "step_05":
            return Div(
                Article(
                    Header(
                        H3(step.show),
                        self.back_button("step_05", "Run again"),
                    ),
                    self.cells.notice("step_05", data),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_05"),
                id="step_05",
                data_state="done",
            )

        # Phase 3: nothing to ask. The card runs as soon as it is on the page.
        return Div(
            Article(
                H3(step.show),
                P("Running…", aria_busy="true"),
            ),
            id="step_05",
            data_state="running",
            hx_post=f"/{self.app_name}/step_05_submit",
            hx_trigger="load",
            hx_swap="outerHTML",
        )

    async def step_05_submit(self, request):
        """POST: run the cells, keep what they gave."""
        key = await self.run_key(request)
        state = self.pip.read_state(key)

        # A locked run is not changed. An earlier step may be open again in another tab.
        before = self.steps[: self.steps_indices["step_05"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_05", self.steps)
            state["step_05"] = {"ran": True, "_cells": cells}
            state.pop("_revert_target", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_05", {}, save)
        return await self.step_05(request)

    # --- END_STEP_BUNDLE: step_05 ---

    # --- START_STEP_BUNDLE: step_06 ---
    @cell("widget-09")
    def step_06_cell(form):
        global widgets  # in: from the cells before
        global papers  # out: for the cells after
        papers = widgets.FileUpload(
            value=[
                __import__("traitlets").Bunch(
                    name=path.name,
                    type=__import__("mimetypes").guess_type(path.name)[0] or "",
                    size=path.stat().st_size,
                    last_modified=datetime.datetime.fromtimestamp(
                        path.stat().st_mtime, datetime.timezone.utc
                    ),
                    content=memoryview(path.read_bytes()),
                )
                for path in map(__import__("pathlib").Path, form["papers"])
            ],
            accept=".csv,.txt",
            multiple=True,
            description="Papers",
        )
        return papers

    def step_06_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Papers", fr="step_06-papers"),
                    self.cells.chosen(values.get("papers"), remove="papers"),
                    Input(
                        id="step_06-papers",
                        name="papers",
                        aria_invalid="true" if "papers" in errors else None,
                        type="file",
                        accept=".csv,.txt",
                        multiple=True,
                        aria_describedby="step_06-papers-error",
                    ),
                    self.error_below("step_06-papers", errors.get("papers")),
                    cls="field wide",
                ),
                cls="fields",
            ),
            Button("Continue", type="submit", cls="primary"),
            hx_post=f"/{self.app_name}/step_06_submit",
            hx_target="#step_06",
            hx_swap="outerHTML",
        )

    async def step_06(self, request):
        """GET: the card as it stands."""
        step = self.steps[self.steps_indices["step_06"]]
        key = await self.run_key(request)
        state = self.pip.read_state(key)
        data = state.get("step_06", {})
        execution = self.cells.execution(key, "step_06")

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            data = execution.form
            return Div(
                Article(
                    H3(step.show),
                    Dl(
                        Dt("Papers"),
                        Dd(self.cells.file(key, data.get("papers"))),
                    ),
                    self.cells.follow(execution),
                    Footer(
                        self.cells.clock(execution),
                        self.stop_button("step_06"),
                    ),
                ),
                id="step_06",
                data_state="question" if execution.question else "running",
            )

        # Phase 1: the run is locked. The card shows what was kept.
        if "finalized" in state.get("finalize", {}):
            return Div(
                Article(
                    H3(step.show),
                    Dl(
                        Dt("Papers"),
                        Dd(self.cells.file(key, data.get("papers"))),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_06"),
                id="step_06",
                data_state="locked",
            )

        # The cells were run and failed, perhaps after they had been done once: what went
        # wrong, and another try.
        if execution and execution.error:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.show(key, execution.cells),
                    self.step_06_form(execution.form, {}),
                ),
                id="step_06",
                data_state="error",
            )

        # Phase 2: done. The card shows what was kept, and the way back.
        if step.done in data and state.get("_revert_target") != "step_06":
            return Div(
                Article(
                    Header(
                        H3(step.show),
                        self.back_button("step_06", "Change"),
                    ),
                    self.cells.notice("step_06", data),
                    Dl(
                        Dt("Papers"),
                        Dd(self.cells.file(key, data.get("papers"))),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_06"),
                id="step_06",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "papers": [],
        }
        typed = state.get("_typed", {}).get("step_06", {})
        return Div(
            Article(
                H3(step.show),
                self.step_06_form(values | data | typed, {}),
            ),
            id="step_06",
            data_state="input",
        )

    async def step_06_submit(self, request):
        """POST: read the answers, run the cells, keep what they gave."""
        key = await self.run_key(request)
        state = self.pip.read_state(key)

        # A locked run is not changed. An earlier step may be open again in another tab.
        before = self.steps[: self.steps_indices["step_06"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)

        # What cannot be read is asked again, with everything that was typed.
        step = self.steps[self.steps_indices["step_06"]]
        sent = await self.cells.sent(request, files=["papers"])
        form, errors = {}, {}
        # A file stays until another one is chosen.
        typed = state.get("_typed", {}).get("step_06", {})
        earlier = {
            "papers": [],
        }
        earlier = earlier | state.get("step_06", {}) | typed
        try:
            form["papers"] = await self.cells.uploaded_all(
                key,
                sent,
                "papers",
                earlier.get("papers"),
                endings=(".csv", ".txt"),
                max_size=200_000_000,
            )
        except ValueError:
            errors["papers"] = (
                "Papers: please choose files (.csv, .txt) of at most 200 MB each."
            )
        errors |= sent.problems

        # Files take their time: another tab may have locked the run by now, or gone back.
        state = self.pip.read_state(key)
        before = self.steps[: self.steps_indices["step_06"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)
        if errors:
            # Files that came along are kept: a browser does not send them twice.
            kept = {name: form.get(name, earlier[name]) for name in ["papers"]}
            state["_typed"] = {"step_06": kept}
            self.pip.write_state(key, state)
            return Div(
                Article(
                    H3(step.show),
                    self.step_06_form(sent | kept, errors),
                ),
                id="step_06",
                data_state="input",
            )

        # What was typed is kept before the cells run: the server may end meanwhile.
        state["_typed"] = {"step_06": {**form}}
        self.pip.write_state(key, state)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_06", self.steps)
            state["step_06"] = {**form, "_cells": cells}
            state.pop("_revert_target", None)
            state.pop("_typed", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_06", form, save)
        return await self.step_06(request)

    # --- END_STEP_BUNDLE: step_06 ---

    # --- START_STEP_BUNDLE: step_07 ---
    @cell("widget-10")
    def step_07_cell(form):
        global papers  # in: from the cells before
        global paper  # stays in the notebook's namespace
        for paper in papers.value:
            print(
                paper.name,
                paper["size"],
                paper.content.tobytes().decode().splitlines()[0],
            )
        print(len(papers.value), "papers")

    async def step_07(self, request):
        """GET: the card as it stands."""
        step = self.steps[self.steps_indices["step_07"]]
        key = await self.run_key(request)
        state = self.pip.read_state(key)
        data = state.get("step_07", {})
        execution = self.cells.execution(key, "step_07")

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.follow(execution),
                    Footer(
                        self.cells.clock(execution),
                        self.stop_button("step_07"),
                    ),
                ),
                id="step_07",
                data_state="question" if execution.question else "running",
            )

        # Phase 1: the run is locked. The card shows what was kept.
        if "finalized" in state.get("finalize", {}):
            return Div(
                Article(
                    H3(step.show),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_07"),
                id="step_07",
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
                        hx_post=f"/{self.app_name}/step_07_submit",
                        hx_target="#step_07",
                        hx_swap="outerHTML",
                    ),
                ),
                id="step_07",
                data_state="error",
            )

        # Phase 2: done. The card shows what was kept, and the way back.
        if step.done in data and state.get("_revert_target") != "step_07":
            return Div(
                Article(
                    Header(
                        H3(step.show),
                        self.back_button("step_07", "Run again"),
                    ),
                    self.cells.notice("step_07", data),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_07"),
                id="step_07",
                data_state="done",
            )

        # Phase 3: nothing to ask. The card runs as soon as it is on the page.
        return Div(
            Article(
                H3(step.show),
                P("Running…", aria_busy="true"),
            ),
            id="step_07",
            data_state="running",
            hx_post=f"/{self.app_name}/step_07_submit",
            hx_trigger="load",
            hx_swap="outerHTML",
        )

    async def step_07_submit(self, request):
        """POST: run the cells, keep what they gave."""
        key = await self.run_key(request)
        state = self.pip.read_state(key)

        # A locked run is not changed. An earlier step may be open again in another tab.
        before = self.steps[: self.steps_indices["step_07"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_07", self.steps)
            state["step_07"] = {"ran": True, "_cells": cells}
            state.pop("_revert_target", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_07", {}, save)
        return await self.step_07(request)

    # --- END_STEP_BUNDLE: step_07 ---
    # --- STEP_METHODS_INSERTION_POINT ---
