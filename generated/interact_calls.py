"""The workflow "Springs", ported from interact_calls.ipynb by `pipulate port`.

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

# port: id=f09adf4f509c notebook=../fixtures/inputs/interact_calls.ipynb base=e4cd90cb592becf4
# The `global` lines of a cell name what it only reads, too:
# ruff: noqa: PLW0602

from collections import namedtuple
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
    Output,
    P,
    Response,
    Select,
)
from pipulate_runtime.cells import Cells, cell

ROLES = ["Core"]

Step = namedtuple("Step", "id done show refill transform", defaults=(None,))


class InteractCalls:
    # --- START_CLASS_ATTRIBUTES_BUNDLE ---
    APP_NAME = "interact_calls"
    DISPLAY_NAME = "Springs"
    ENDPOINT_MESSAGE = "Functions that interact calls."
    TRAINING_PROMPT = dedent("""\
        # Springs

        Functions that `interact` calls.

        ## A force

        The person gives: K.

        The person gives: X.

        ## A table

        The person gives: Rows.

        The person gives: Unit.

        The person gives: Signed.

        ## Kept

        The person gives: K.

        The person gives: X.

        ## Kept · 2

        ## At last

        The person gives: Size.

        ## Between two places

        The person gives: Between, from.

        The person gives: Between, to.

        The person gives: K.
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
                done="k",
                show="A force",
                refill=False,
            ),
            Step(
                id="step_02",
                done="rows",
                show="A table",
                refill=False,
            ),
            Step(
                id="step_03",
                done="k_2",
                show="Kept",
                refill=False,
            ),
            Step(
                id="step_04",
                done="ran",
                show="Kept · 2",
                refill=False,
            ),
            Step(
                id="step_05",
                done="size",
                show="At last",
                refill=False,
            ),
            Step(
                id="step_06",
                done="between_from",
                show="Between two places",
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
    @cell("intera-01")
    def step_01_setup(form):
        global fixed, interact, interactive, widgets  # out: for the cells after
        global display, force  # out: for the cells after
        from ipywidgets import fixed, interact, interactive, widgets
        from IPython.display import display

        def force(k, x):
            return k * x

    @cell("intera-03")
    def step_01_cell(form):
        global interact, force  # in: from the cells before
        return force(k=form["k"], x=form["x"])

    def step_01_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("K", fr="step_01-k"),
                    Div(
                        Input(
                            id="step_01-k",
                            name="k",
                            aria_invalid="true" if "k" in errors else None,
                            value=values.get("k"),
                            type="range",
                            step="1",
                            min="1",
                            max="20",
                            required=True,
                            aria_describedby="step_01-k-error",
                        ),
                        Output(values.get("k"), fr="step_01-k"),
                        cls="range",
                    ),
                    self.error_below("step_01-k", errors.get("k")),
                    cls="field",
                ),
                Div(
                    Label("X", fr="step_01-x"),
                    Div(
                        Input(
                            id="step_01-x",
                            name="x",
                            aria_invalid="true" if "x" in errors else None,
                            value=values.get("x"),
                            type="range",
                            step="0.5",
                            min="-1",
                            max="1",
                            required=True,
                            aria_describedby="step_01-x-error",
                        ),
                        Output(values.get("x"), fr="step_01-x"),
                        cls="range",
                    ),
                    self.error_below("step_01-x", errors.get("x")),
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
                        Dt("K"),
                        Dd(data.get("k")),
                        Dt("X"),
                        Dd(data.get("x")),
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
                        Dt("K"),
                        Dd(data.get("k")),
                        Dt("X"),
                        Dd(data.get("x")),
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
                        Dt("K"),
                        Dd(data.get("k")),
                        Dt("X"),
                        Dd(data.get("x")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_01"),
                id="step_01",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "k": 10,
            "x": 0.0,
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
            form["k"] = int(sent.get("k", ""))
            if not 1 <= form["k"] <= 20:
                raise ValueError
        except ValueError:
            errors["k"] = "K: please enter a whole number from 1 to 20."
        try:
            form["x"] = float(sent.get("x", ""))
            if not -1 <= form["x"] <= 1 or 1e-6 < (form["x"] - -1) / 0.5 % 1 < 0.999999:
                raise ValueError
        except ValueError:
            errors["x"] = "X: please enter a number from -1 to 1, in steps of 0.5."
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
    step_02_unit_choices = (
        "newton",
        "pond",
    )

    @cell("intera-05")
    def step_02_cell(form):
        global interact, widgets, fixed  # in: from the cells before
        global table  # stays in the notebook's namespace

        def table(rows, unit, k, signed=True):
            for n in range(rows):
                print(n, k * n * (-1 if signed else 1), unit)

        return table(
            rows=form["rows"],
            unit={"newton": "N", "pond": "p"}[form["unit"]],
            k=7,
            signed=form["signed"],
        )

    def step_02_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Rows", fr="step_02-rows"),
                    Input(
                        id="step_02-rows",
                        name="rows",
                        aria_invalid="true" if "rows" in errors else None,
                        value=values.get("rows"),
                        type="number",
                        step="1",
                        min="1",
                        max="9",
                        required=True,
                        aria_describedby="step_02-rows-error",
                    ),
                    self.error_below("step_02-rows", errors.get("rows")),
                    cls="field",
                ),
                Div(
                    Label("Unit", fr="step_02-unit"),
                    Select(
                        *(
                            Option(
                                str(choice),
                                value=str(choice),
                                selected=values.get("unit") in (choice, str(choice)),
                            )
                            for choice in self.step_02_unit_choices
                        ),
                        id="step_02-unit",
                        name="unit",
                        aria_invalid="true" if "unit" in errors else None,
                        required=True,
                        aria_describedby="step_02-unit-error",
                    ),
                    self.error_below("step_02-unit", errors.get("unit")),
                    cls="field",
                ),
                Div(
                    Label(
                        Input(
                            type="checkbox",
                            role="switch",
                            id="step_02-signed",
                            name="signed",
                            aria_invalid="true" if "signed" in errors else None,
                            checked=bool(values.get("signed")),
                            aria_describedby="step_02-signed-error",
                        ),
                        "Signed",
                    ),
                    self.error_below("step_02-signed", errors.get("signed")),
                    cls="field",
                ),
                cls="fields",
            ),
            Button("Continue", type="submit", cls="primary"),
            hx_post=f"/{self.app_name}/step_02_submit",
            hx_target="#step_02",
            hx_swap="outerHTML",
        )

    async def step_02(self, request):
        """GET: the card as it stands."""
        step = self.steps[self.steps_indices["step_02"]]
        key = await self.run_key(request)
        state = self.pip.read_state(key)
        data = state.get("step_02", {})
        execution = self.cells.execution(key, "step_02")

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            data = execution.form
            return Div(
                Article(
                    H3(step.show),
                    Dl(
                        Dt("Rows"),
                        Dd(data.get("rows")),
                        Dt("Unit"),
                        Dd(data.get("unit")),
                        Dt("Signed"),
                        Dd("Yes" if data.get("signed") else "No"),
                    ),
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
                    Dl(
                        Dt("Rows"),
                        Dd(data.get("rows")),
                        Dt("Unit"),
                        Dd(data.get("unit")),
                        Dt("Signed"),
                        Dd("Yes" if data.get("signed") else "No"),
                    ),
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
                    self.step_02_form(execution.form, {}),
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
                        self.back_button("step_02", "Change"),
                    ),
                    self.cells.notice("step_02", data),
                    Dl(
                        Dt("Rows"),
                        Dd(data.get("rows")),
                        Dt("Unit"),
                        Dd(data.get("unit")),
                        Dt("Signed"),
                        Dd("Yes" if data.get("signed") else "No"),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_02"),
                id="step_02",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "rows": 3,
            "unit": "newton",
            "signed": True,
        }
        typed = state.get("_typed", {}).get("step_02", {})
        return Div(
            Article(
                H3(step.show),
                self.step_02_form(values | data | typed, {}),
            ),
            id="step_02",
            data_state="input",
        )

    async def step_02_submit(self, request):
        """POST: read the answers, run the cells, keep what they gave."""
        key = await self.run_key(request)
        state = self.pip.read_state(key)

        # A locked run is not changed. An earlier step may be open again in another tab.
        before = self.steps[: self.steps_indices["step_02"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)

        # What cannot be read is asked again, with everything that was typed.
        step = self.steps[self.steps_indices["step_02"]]
        sent = await self.cells.sent(request)
        form, errors = {}, {}
        try:
            form["rows"] = int(sent.get("rows", ""))
            if not 1 <= form["rows"] <= 9:
                raise ValueError
        except ValueError:
            errors["rows"] = "Rows: please enter a whole number from 1 to 9."
        choices = {str(choice): choice for choice in self.step_02_unit_choices}
        if sent.get("unit") in choices:
            form["unit"] = choices[sent.get("unit")]
        else:
            errors["unit"] = "Unit: please choose from the list."
        form["signed"] = "signed" in sent
        if sent.get("signed", "on") != "on":
            errors["signed"] = "Signed: please fill this in."
        errors |= sent.problems
        if errors:
            return Div(
                Article(
                    H3(step.show),
                    self.step_02_form(sent, errors),
                ),
                id="step_02",
                data_state="input",
            )

        # What was typed is kept before the cells run: the server may end meanwhile.
        state["_typed"] = {"step_02": {**form}}
        self.pip.write_state(key, state)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_02", self.steps)
            state["step_02"] = {**form, "_cells": cells}
            state.pop("_revert_target", None)
            state.pop("_typed", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_02", form, save)
        return await self.step_02(request)

    # --- END_STEP_BUNDLE: step_02 ---

    # --- START_STEP_BUNDLE: step_03 ---
    step_03_x_2_choices = (
        1,
        2,
        3,
    )

    @cell("intera-07")
    def step_03_cell(form):
        global interactive, force, widgets, display  # in: from the cells before
        global again  # out: for the cells after
        again = interactive(force, k=widgets.IntSlider(value=2, max=5), x=[1, 2, 3])
        again.children[0].value = form["k_2"]
        again.children[1].value = form["x_2"]
        return display(again)

    def step_03_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("K", fr="step_03-k_2"),
                    Div(
                        Input(
                            id="step_03-k_2",
                            name="k_2",
                            aria_invalid="true" if "k_2" in errors else None,
                            value=values.get("k_2"),
                            type="range",
                            step="1",
                            min="0",
                            max="5",
                            required=True,
                            aria_describedby="step_03-k_2-error",
                        ),
                        Output(values.get("k_2"), fr="step_03-k_2"),
                        cls="range",
                    ),
                    self.error_below("step_03-k_2", errors.get("k_2")),
                    cls="field",
                ),
                Div(
                    Label("X", fr="step_03-x_2"),
                    Select(
                        *(
                            Option(
                                str(choice),
                                value=str(choice),
                                selected=values.get("x_2") in (choice, str(choice)),
                            )
                            for choice in self.step_03_x_2_choices
                        ),
                        id="step_03-x_2",
                        name="x_2",
                        aria_invalid="true" if "x_2" in errors else None,
                        required=True,
                        aria_describedby="step_03-x_2-error",
                    ),
                    self.error_below("step_03-x_2", errors.get("x_2")),
                    cls="field",
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
                        Dt("K"),
                        Dd(data.get("k_2")),
                        Dt("X"),
                        Dd(data.get("x_2")),
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
                        Dt("K"),
                        Dd(data.get("k_2")),
                        Dt("X"),
                        Dd(data.get("x_2")),
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
                        Dt("K"),
                        Dd(data.get("k_2")),
                        Dt("X"),
                        Dd(data.get("x_2")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_03"),
                id="step_03",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "k_2": 2,
            "x_2": 1,
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
        sent = await self.cells.sent(request)
        form, errors = {}, {}
        try:
            form["k_2"] = int(sent.get("k_2", ""))
            if not 0 <= form["k_2"] <= 5:
                raise ValueError
        except ValueError:
            errors["k_2"] = "K: please enter a whole number from 0 to 5."
        choices = {str(choice): choice for choice in self.step_03_x_2_choices}
        if sent.get("x_2") in choices:
            form["x_2"] = choices[sent.get("x_2")]
        else:
            errors["x_2"] = "X: please choose from the list."
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
    @cell("intera-08")
    def step_04_cell(form):
        global again  # in: from the cells before
        return again.result, again.kwargs

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
    @cell("intera-10")
    def step_05_cell(form):
        global widgets  # in: from the cells before
        global size, out  # stays in the notebook's namespace
        size = widgets.FloatSlider(value=form["size"], max=4, description="Size")
        out = widgets.interactive_output(
            lambda size: print("size", size), {"size": size}
        )
        return widgets.HBox([size, out])

    def step_05_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Size", fr="step_05-size"),
                    Div(
                        Input(
                            id="step_05-size",
                            name="size",
                            aria_invalid="true" if "size" in errors else None,
                            value=values.get("size"),
                            type="range",
                            step="0.1",
                            min="0",
                            max="4",
                            required=True,
                            aria_describedby="step_05-size-error",
                        ),
                        Output(values.get("size"), fr="step_05-size"),
                        cls="range",
                    ),
                    self.error_below("step_05-size", errors.get("size")),
                    cls="field",
                ),
                cls="fields",
            ),
            Button("Continue", type="submit", cls="primary"),
            hx_post=f"/{self.app_name}/step_05_submit",
            hx_target="#step_05",
            hx_swap="outerHTML",
        )

    async def step_05(self, request):
        """GET: the card as it stands."""
        step = self.steps[self.steps_indices["step_05"]]
        key = await self.run_key(request)
        state = self.pip.read_state(key)
        data = state.get("step_05", {})
        execution = self.cells.execution(key, "step_05")

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            data = execution.form
            return Div(
                Article(
                    H3(step.show),
                    Dl(
                        Dt("Size"),
                        Dd(data.get("size")),
                    ),
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
                    Dl(
                        Dt("Size"),
                        Dd(data.get("size")),
                    ),
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
                    self.step_05_form(execution.form, {}),
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
                        self.back_button("step_05", "Change"),
                    ),
                    self.cells.notice("step_05", data),
                    Dl(
                        Dt("Size"),
                        Dd(data.get("size")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_05"),
                id="step_05",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "size": 1.5,
        }
        typed = state.get("_typed", {}).get("step_05", {})
        return Div(
            Article(
                H3(step.show),
                self.step_05_form(values | data | typed, {}),
            ),
            id="step_05",
            data_state="input",
        )

    async def step_05_submit(self, request):
        """POST: read the answers, run the cells, keep what they gave."""
        key = await self.run_key(request)
        state = self.pip.read_state(key)

        # A locked run is not changed. An earlier step may be open again in another tab.
        before = self.steps[: self.steps_indices["step_05"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)

        # What cannot be read is asked again, with everything that was typed.
        step = self.steps[self.steps_indices["step_05"]]
        sent = await self.cells.sent(request)
        form, errors = {}, {}
        try:
            form["size"] = float(sent.get("size", ""))
            if not 0 <= form["size"] <= 4 or 1e-6 < form["size"] / 0.1 % 1 < 0.999999:
                raise ValueError
        except ValueError:
            errors["size"] = "Size: please enter a number from 0 to 4, in steps of 0.1."
        errors |= sent.problems
        if errors:
            return Div(
                Article(
                    H3(step.show),
                    self.step_05_form(sent, errors),
                ),
                id="step_05",
                data_state="input",
            )

        # What was typed is kept before the cells run: the server may end meanwhile.
        state["_typed"] = {"step_05": {**form}}
        self.pip.write_state(key, state)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_05", self.steps)
            state["step_05"] = {**form, "_cells": cells}
            state.pop("_revert_target", None)
            state.pop("_typed", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_05", form, save)
        return await self.step_05(request)

    # --- END_STEP_BUNDLE: step_05 ---

    # --- START_STEP_BUNDLE: step_06 ---
    @cell("intera-12")
    def step_06_cell(form):
        global interact, widgets  # in: from the cells before
        global work  # stays in the notebook's namespace

        def work(between, k=4):
            """What it takes to stretch a spring from one place to another."""
            start, end = between
            return k * (end**2 - start**2) / 2

        return work(
            between=tuple(sorted((form["between_from"], form["between_to"]))),
            k=form["k_3"],
        )

    def step_06_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Between, from", fr="step_06-between_from"),
                    Input(
                        id="step_06-between_from",
                        name="between_from",
                        aria_invalid="true" if "between_from" in errors else None,
                        value=values.get("between_from"),
                        type="number",
                        step="0.25",
                        min="-2",
                        max="2",
                        required=True,
                        aria_describedby="step_06-between_from-error",
                    ),
                    self.error_below(
                        "step_06-between_from", errors.get("between_from")
                    ),
                    cls="field",
                ),
                Div(
                    Label("Between, to", fr="step_06-between_to"),
                    Input(
                        id="step_06-between_to",
                        name="between_to",
                        aria_invalid="true" if "between_to" in errors else None,
                        value=values.get("between_to"),
                        type="number",
                        step="0.25",
                        min="-2",
                        max="2",
                        required=True,
                        aria_describedby="step_06-between_to-error",
                    ),
                    self.error_below("step_06-between_to", errors.get("between_to")),
                    cls="field",
                ),
                Div(
                    Label("K", fr="step_06-k_3"),
                    Div(
                        Input(
                            id="step_06-k_3",
                            name="k_3",
                            aria_invalid="true" if "k_3" in errors else None,
                            value=values.get("k_3"),
                            type="range",
                            step="1",
                            min="1",
                            max="9",
                            required=True,
                            aria_describedby="step_06-k_3-error",
                        ),
                        Output(values.get("k_3"), fr="step_06-k_3"),
                        cls="range",
                    ),
                    self.error_below("step_06-k_3", errors.get("k_3")),
                    cls="field",
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
                        Dt("Between, from"),
                        Dd(data.get("between_from")),
                        Dt("Between, to"),
                        Dd(data.get("between_to")),
                        Dt("K"),
                        Dd(data.get("k_3")),
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
                        Dt("Between, from"),
                        Dd(data.get("between_from")),
                        Dt("Between, to"),
                        Dd(data.get("between_to")),
                        Dt("K"),
                        Dd(data.get("k_3")),
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
                        Dt("Between, from"),
                        Dd(data.get("between_from")),
                        Dt("Between, to"),
                        Dd(data.get("between_to")),
                        Dt("K"),
                        Dd(data.get("k_3")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_06"),
                id="step_06",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "between_from": -0.5,
            "between_to": 0.5,
            "k_3": 4,
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
        sent = await self.cells.sent(request)
        form, errors = {}, {}
        try:
            form["between_from"] = float(sent.get("between_from", ""))
            if (
                not -2 <= form["between_from"] <= 2
                or 1e-6 < (form["between_from"] - -2) / 0.25 % 1 < 0.999999
            ):
                raise ValueError
        except ValueError:
            errors["between_from"] = (
                "Between, from: please enter a number from -2 to 2, in steps of 0.25."
            )
        try:
            form["between_to"] = float(sent.get("between_to", ""))
            if (
                not -2 <= form["between_to"] <= 2
                or 1e-6 < (form["between_to"] - -2) / 0.25 % 1 < 0.999999
            ):
                raise ValueError
        except ValueError:
            errors["between_to"] = (
                "Between, to: please enter a number from -2 to 2, in steps of 0.25."
            )
        try:
            form["k_3"] = int(sent.get("k_3", ""))
            if not 1 <= form["k_3"] <= 9:
                raise ValueError
        except ValueError:
            errors["k_3"] = "K: please enter a whole number from 1 to 9."
        errors |= sent.problems
        if errors:
            return Div(
                Article(
                    H3(step.show),
                    self.step_06_form(sent, errors),
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
    # --- STEP_METHODS_INSERTION_POINT ---
