"""The workflow "A loaf in ten cards", ported from ten_cards.ipynb by `pipulate port`.

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

# port: id=bf51122d7c09 notebook=../fixtures/flows/ten_cards.ipynb base=c157f64e9849c693
# The `global` lines of a cell name what it only reads, too:
# ruff: noqa: PLW0602

from collections import namedtuple
from datetime import datetime
from math import inf
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
    Output,
    P,
    Response,
    Small,
)
from pipulate_runtime.cells import Cells, cell

ROLES = ["Core"]

Step = namedtuple("Step", "id done show refill transform", defaults=(None,))


class TenCards:
    # --- START_CLASS_ATTRIBUTES_BUNDLE ---
    APP_NAME = "ten_cards"
    DISPLAY_NAME = "A loaf in ten cards"
    ENDPOINT_MESSAGE = "A recipe that is worked out card by card. Each card begins with what follows from the ones before; change it if you know better."
    TRAINING_PROMPT = dedent("""\
        # A loaf in ten cards

        A recipe that is worked out card by card. Each card begins with what follows from the ones before; change it if you know better.

        ## Flour

        The person gives: Flour in grams.

        ## Kind of flour

        The person gives: Kind of flour.

        ## Water

        The person gives: Water in grams.

        ## Salt

        The person gives: Salt in grams.

        ## How long it may rise

        The person gives: Hours.

        ## Yeast

        The longer the dough rises, the less yeast it needs.

        The person gives: Fresh yeast in grams.

        ## Loaves

        The person gives: How many loaves.

        ## The oven

        The person gives: Degrees Celsius.

        ## When to eat

        The person gives: The bread is cold at.

        ## The recipe
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
                done="flour",
                show="Flour",
                refill=False,
            ),
            Step(
                id="step_02",
                done="kind",
                show="Kind of flour",
                refill=False,
            ),
            Step(
                id="step_03",
                done="water",
                show="Water",
                refill=False,
            ),
            Step(
                id="step_04",
                done="salt",
                show="Salt",
                refill=False,
            ),
            Step(
                id="step_05",
                done="hours",
                show="How long it may rise",
                refill=False,
            ),
            Step(
                id="step_06",
                done="yeast",
                show="Yeast",
                refill=False,
            ),
            Step(
                id="step_07",
                done="loaves",
                show="Loaves",
                refill=False,
            ),
            Step(
                id="step_08",
                done="degrees",
                show="The oven",
                refill=False,
            ),
            Step(
                id="step_09",
                done="ready",
                show="When to eat",
                refill=False,
            ),
            Step(
                id="step_10",
                done="ran",
                show="The recipe",
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
    @cell("699c7bba")
    def step_01_cell(form):
        global flour  # out: for the cells after
        flour = form["flour"]

        print(f"{flour} g of flour. Everything else is measured against it.")

    def step_01_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Flour in grams", fr="step_01-flour"),
                    Input(
                        id="step_01-flour",
                        name="flour",
                        aria_invalid="true" if "flour" in errors else None,
                        value=values.get("flour"),
                        type="number",
                        step="1",
                        min="100",
                        max="5000",
                        required=True,
                        aria_describedby="step_01-flour-error",
                    ),
                    self.error_below("step_01-flour", errors.get("flour")),
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
                        Dt("Flour in grams"),
                        Dd(data.get("flour")),
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
                        Dt("Flour in grams"),
                        Dd(data.get("flour")),
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
                        Dt("Flour in grams"),
                        Dd(data.get("flour")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_01"),
                id="step_01",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "flour": 500,
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
            form["flour"] = int(sent.get("flour", ""))
            if not 100 <= form["flour"] <= 5000:
                raise ValueError
        except ValueError:
            errors["flour"] = (
                "Flour in grams: please enter a whole number from 100 to 5000."
            )
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
    step_02_kind_choices = (
        "white",
        "wholemeal",
        "rye",
    )

    @cell("7bf81a41")
    def step_02_cell(form):
        global kind, thirst  # out: for the cells after
        kind = form["kind"]

        # How much water a flour takes up, in percent of its weight
        thirst = {"white": 65, "wholemeal": 75, "rye": 82}[kind]
        print(
            f"{kind.capitalize()} flour takes up about {thirst} % of its weight in water."
        )

    def step_02_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Fieldset(
                        Legend("Kind of flour"),
                        *(
                            Label(
                                Input(
                                    type="radio",
                                    name="kind",
                                    value=str(choice),
                                    checked=values.get("kind") in (choice, str(choice)),
                                    required=True,
                                ),
                                str(choice),
                            )
                            for choice in self.step_02_kind_choices
                        ),
                        role="radiogroup",
                        aria_invalid="true" if "kind" in errors else None,
                        aria_describedby="step_02-kind-error",
                    ),
                    self.error_below("step_02-kind", errors.get("kind")),
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
                        Dt("Kind of flour"),
                        Dd(data.get("kind")),
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
                        Dt("Kind of flour"),
                        Dd(data.get("kind")),
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
                        Dt("Kind of flour"),
                        Dd(data.get("kind")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_02"),
                id="step_02",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "kind": "white",
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
        choices = {str(choice): choice for choice in self.step_02_kind_choices}
        if sent.get("kind") in choices:
            form["kind"] = choices[sent.get("kind")]
        else:
            errors["kind"] = "Kind of flour: please choose from the list."
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
    @cell("e4a04d50")
    def step_03_cell(form):
        global flour, thirst  # in: from the cells before
        global water  # out: for the cells after
        water = form["water"]

        print(
            f"{flour + water} g of dough so far, {water / flour:.0%} of the flour in water."
        )

    @staticmethod
    def step_03_suggestions(form):
        global flour, thirst  # in: from the cells before
        return {
            "water": int(flour * thirst / 100),
        }

    def step_03_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Water in grams", fr="step_03-water"),
                    Input(
                        id="step_03-water",
                        name="water",
                        aria_invalid="true" if "water" in errors else None,
                        value=values.get("water"),
                        type="number",
                        step="1",
                        min="0",
                        required=True,
                        aria_describedby="step_03-water-help step_03-water-error",
                    ),
                    Small("What this kind of flour takes up", id="step_03-water-help"),
                    self.error_below("step_03-water", errors.get("water")),
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
                        Dt("Water in grams"),
                        Dd(data.get("water")),
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
                        Dt("Water in grams"),
                        Dd(data.get("water")),
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
                        Dt("Water in grams"),
                        Dd(data.get("water")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_03"),
                id="step_03",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "water": None,
        }
        # What the notebook computes from the cells before.
        values |= state.get("_suggested", {}).get("step_03", {})
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
            form["water"] = int(sent.get("water", ""))
            if form["water"] < 0:
                raise ValueError
        except ValueError:
            errors["water"] = "Water in grams: please enter a whole number, 0 or more."
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
    @cell("ebf75546")
    def step_04_cell(form):
        global flour  # in: from the cells before
        global salt  # out: for the cells after
        salt = form["salt"]

        print(f"{salt} g of salt.")

    @staticmethod
    def step_04_suggestions(form):
        global flour  # in: from the cells before
        return {
            "salt": round(flour * 0.02),
        }

    def step_04_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Salt in grams", fr="step_04-salt"),
                    Input(
                        id="step_04-salt",
                        name="salt",
                        aria_invalid="true" if "salt" in errors else None,
                        value=values.get("salt"),
                        type="number",
                        step="1",
                        min="0",
                        required=True,
                        aria_describedby="step_04-salt-help step_04-salt-error",
                    ),
                    Small("Two percent of the flour", id="step_04-salt-help"),
                    self.error_below("step_04-salt", errors.get("salt")),
                    cls="field",
                ),
                cls="fields",
            ),
            Button("Continue", type="submit", cls="primary"),
            hx_post=f"/{self.app_name}/step_04_submit",
            hx_target="#step_04",
            hx_swap="outerHTML",
        )

    async def step_04(self, request):
        """GET: the card as it stands."""
        step = self.steps[self.steps_indices["step_04"]]
        key = await self.run_key(request)
        state = self.pip.read_state(key)
        data = state.get("step_04", {})
        execution = self.cells.execution(key, "step_04")

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            data = execution.form
            return Div(
                Article(
                    H3(step.show),
                    Dl(
                        Dt("Salt in grams"),
                        Dd(data.get("salt")),
                    ),
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
                    Dl(
                        Dt("Salt in grams"),
                        Dd(data.get("salt")),
                    ),
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
                    self.step_04_form(execution.form, {}),
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
                        self.back_button("step_04", "Change"),
                    ),
                    self.cells.notice("step_04", data),
                    Dl(
                        Dt("Salt in grams"),
                        Dd(data.get("salt")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_04"),
                id="step_04",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "salt": None,
        }
        # What the notebook computes from the cells before.
        values |= state.get("_suggested", {}).get("step_04", {})
        typed = state.get("_typed", {}).get("step_04", {})
        return Div(
            Article(
                H3(step.show),
                self.step_04_form(values | data | typed, {}),
            ),
            id="step_04",
            data_state="input",
        )

    async def step_04_submit(self, request):
        """POST: read the answers, run the cells, keep what they gave."""
        key = await self.run_key(request)
        state = self.pip.read_state(key)

        # A locked run is not changed. An earlier step may be open again in another tab.
        before = self.steps[: self.steps_indices["step_04"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)

        # What cannot be read is asked again, with everything that was typed.
        step = self.steps[self.steps_indices["step_04"]]
        sent = await self.cells.sent(request)
        form, errors = {}, {}
        try:
            form["salt"] = int(sent.get("salt", ""))
            if form["salt"] < 0:
                raise ValueError
        except ValueError:
            errors["salt"] = "Salt in grams: please enter a whole number, 0 or more."
        errors |= sent.problems
        if errors:
            return Div(
                Article(
                    H3(step.show),
                    self.step_04_form(sent, errors),
                ),
                id="step_04",
                data_state="input",
            )

        # What was typed is kept before the cells run: the server may end meanwhile.
        state["_typed"] = {"step_04": {**form}}
        self.pip.write_state(key, state)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_04", self.steps)
            state["step_04"] = {**form, "_cells": cells}
            state.pop("_revert_target", None)
            state.pop("_typed", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_04", form, save)
        return await self.step_04(request)

    # --- END_STEP_BUNDLE: step_04 ---

    # --- START_STEP_BUNDLE: step_05 ---
    @cell("be1c3f31")
    def step_05_cell(form):
        global kind  # in: from the cells before
        global hours  # out: for the cells after
        hours = form["hours"]

        print("Overnight." if hours >= 8 else "The same day.")

    @staticmethod
    def step_05_suggestions(form):
        global kind  # in: from the cells before
        return {
            "hours": 16 if kind == "rye" else 12,
        }

    def step_05_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Hours", fr="step_05-hours"),
                    Div(
                        Input(
                            id="step_05-hours",
                            name="hours",
                            aria_invalid="true" if "hours" in errors else None,
                            value=values.get("hours"),
                            type="range",
                            step="1",
                            min="2",
                            max="24",
                            required=True,
                            aria_describedby="step_05-hours-error",
                        ),
                        Output(values.get("hours"), fr="step_05-hours"),
                        cls="range",
                    ),
                    self.error_below("step_05-hours", errors.get("hours")),
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
                        Dt("Hours"),
                        Dd(data.get("hours")),
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
                        Dt("Hours"),
                        Dd(data.get("hours")),
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
                        Dt("Hours"),
                        Dd(data.get("hours")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_05"),
                id="step_05",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "hours": None,
        }
        # What the notebook computes from the cells before.
        values |= state.get("_suggested", {}).get("step_05", {})
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
            form["hours"] = int(sent.get("hours", ""))
            if not 2 <= form["hours"] <= 24:
                raise ValueError
        except ValueError:
            errors["hours"] = "Hours: please enter a whole number from 2 to 24."
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
    step_06_text = "The longer the dough rises, the less yeast it needs."

    @cell("2051686a")
    def step_06_cell(form):
        global flour, hours  # in: from the cells before
        global yeast  # out: for the cells after
        yeast = form["yeast"]

        print(f"{yeast:g} g of yeast for {hours} hours.")

    @staticmethod
    def step_06_suggestions(form):
        global flour, hours  # in: from the cells before
        return {
            "yeast": round(flour * 0.24 / hours, 1),
        }

    def step_06_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Fresh yeast in grams", fr="step_06-yeast"),
                    Input(
                        id="step_06-yeast",
                        name="yeast",
                        aria_invalid="true" if "yeast" in errors else None,
                        value=values.get("yeast"),
                        type="number",
                        step="0.1",
                        min="0.1",
                        required=True,
                        aria_describedby="step_06-yeast-error",
                    ),
                    self.error_below("step_06-yeast", errors.get("yeast")),
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
                    self.cells.markdown(self.step_06_text),
                    Dl(
                        Dt("Fresh yeast in grams"),
                        Dd(data.get("yeast")),
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
                    self.cells.markdown(self.step_06_text),
                    Dl(
                        Dt("Fresh yeast in grams"),
                        Dd(data.get("yeast")),
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
                    self.cells.markdown(self.step_06_text),
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
                    self.cells.markdown(self.step_06_text),
                    Dl(
                        Dt("Fresh yeast in grams"),
                        Dd(data.get("yeast")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_06"),
                id="step_06",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "yeast": None,
        }
        # What the notebook computes from the cells before.
        values |= state.get("_suggested", {}).get("step_06", {})
        typed = state.get("_typed", {}).get("step_06", {})
        return Div(
            Article(
                H3(step.show),
                self.cells.markdown(self.step_06_text),
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
            text = sent.get("yeast", "").strip()
            # 7 stays 7, as in the notebook.
            whole = text.removeprefix("-").isdecimal()
            form["yeast"] = int(text) if whole else float(text)
            if (
                not 0.1 <= form["yeast"] < inf
                or 1e-6 < (form["yeast"] - 0.1) / 0.1 % 1 < 0.999999
            ):
                raise ValueError
        except (OverflowError, ValueError):
            errors["yeast"] = (
                "Fresh yeast in grams: please enter a number, 0.1 or more, in steps of 0.1."
            )
        errors |= sent.problems
        if errors:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.markdown(self.step_06_text),
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

    # --- START_STEP_BUNDLE: step_07 ---
    @cell("38d49d3a")
    def step_07_cell(form):
        global flour, water, salt, yeast  # in: from the cells before
        global loaves, dough  # out: for the cells after
        loaves = form["loaves"]

        dough = flour + water + salt + yeast
        print(f"{dough:.0f} g of dough, {dough / loaves:.0f} g a loaf.")

    def step_07_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("How many loaves", fr="step_07-loaves"),
                    Input(
                        id="step_07-loaves",
                        name="loaves",
                        aria_invalid="true" if "loaves" in errors else None,
                        value=values.get("loaves"),
                        type="number",
                        step="1",
                        min="1",
                        max="12",
                        required=True,
                        aria_describedby="step_07-loaves-error",
                    ),
                    self.error_below("step_07-loaves", errors.get("loaves")),
                    cls="field",
                ),
                cls="fields",
            ),
            Button("Continue", type="submit", cls="primary"),
            hx_post=f"/{self.app_name}/step_07_submit",
            hx_target="#step_07",
            hx_swap="outerHTML",
        )

    async def step_07(self, request):
        """GET: the card as it stands."""
        step = self.steps[self.steps_indices["step_07"]]
        key = await self.run_key(request)
        state = self.pip.read_state(key)
        data = state.get("step_07", {})
        execution = self.cells.execution(key, "step_07")

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            data = execution.form
            return Div(
                Article(
                    H3(step.show),
                    Dl(
                        Dt("How many loaves"),
                        Dd(data.get("loaves")),
                    ),
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
                    Dl(
                        Dt("How many loaves"),
                        Dd(data.get("loaves")),
                    ),
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
                    self.step_07_form(execution.form, {}),
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
                        self.back_button("step_07", "Change"),
                    ),
                    self.cells.notice("step_07", data),
                    Dl(
                        Dt("How many loaves"),
                        Dd(data.get("loaves")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_07"),
                id="step_07",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "loaves": 1,
        }
        typed = state.get("_typed", {}).get("step_07", {})
        return Div(
            Article(
                H3(step.show),
                self.step_07_form(values | data | typed, {}),
            ),
            id="step_07",
            data_state="input",
        )

    async def step_07_submit(self, request):
        """POST: read the answers, run the cells, keep what they gave."""
        key = await self.run_key(request)
        state = self.pip.read_state(key)

        # A locked run is not changed. An earlier step may be open again in another tab.
        before = self.steps[: self.steps_indices["step_07"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)

        # What cannot be read is asked again, with everything that was typed.
        step = self.steps[self.steps_indices["step_07"]]
        sent = await self.cells.sent(request)
        form, errors = {}, {}
        try:
            form["loaves"] = int(sent.get("loaves", ""))
            if not 1 <= form["loaves"] <= 12:
                raise ValueError
        except ValueError:
            errors["loaves"] = (
                "How many loaves: please enter a whole number from 1 to 12."
            )
        errors |= sent.problems
        if errors:
            return Div(
                Article(
                    H3(step.show),
                    self.step_07_form(sent, errors),
                ),
                id="step_07",
                data_state="input",
            )

        # What was typed is kept before the cells run: the server may end meanwhile.
        state["_typed"] = {"step_07": {**form}}
        self.pip.write_state(key, state)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_07", self.steps)
            state["step_07"] = {**form, "_cells": cells}
            state.pop("_revert_target", None)
            state.pop("_typed", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_07", form, save)
        return await self.step_07(request)

    # --- END_STEP_BUNDLE: step_07 ---

    # --- START_STEP_BUNDLE: step_08 ---
    @cell("8d66b8d4")
    def step_08_cell(form):
        global kind, dough, loaves  # in: from the cells before
        global degrees, minutes  # out: for the cells after
        degrees = form["degrees"]

        minutes = round(20 + 25 * dough / loaves / 1000)
        print(f"{minutes} minutes at {degrees} °C.")

    @staticmethod
    def step_08_suggestions(form):
        global kind  # in: from the cells before
        return {
            "degrees": 230 if kind == "rye" else 240,
        }

    def step_08_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Degrees Celsius", fr="step_08-degrees"),
                    Input(
                        id="step_08-degrees",
                        name="degrees",
                        aria_invalid="true" if "degrees" in errors else None,
                        value=values.get("degrees"),
                        type="number",
                        step="1",
                        min="150",
                        max="280",
                        required=True,
                        aria_describedby="step_08-degrees-error",
                    ),
                    self.error_below("step_08-degrees", errors.get("degrees")),
                    cls="field",
                ),
                cls="fields",
            ),
            Button("Continue", type="submit", cls="primary"),
            hx_post=f"/{self.app_name}/step_08_submit",
            hx_target="#step_08",
            hx_swap="outerHTML",
        )

    async def step_08(self, request):
        """GET: the card as it stands."""
        step = self.steps[self.steps_indices["step_08"]]
        key = await self.run_key(request)
        state = self.pip.read_state(key)
        data = state.get("step_08", {})
        execution = self.cells.execution(key, "step_08")

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            data = execution.form
            return Div(
                Article(
                    H3(step.show),
                    Dl(
                        Dt("Degrees Celsius"),
                        Dd(data.get("degrees")),
                    ),
                    self.cells.follow(execution),
                    Footer(
                        self.cells.clock(execution),
                        self.stop_button("step_08"),
                    ),
                ),
                id="step_08",
                data_state="question" if execution.question else "running",
            )

        # Phase 1: the run is locked. The card shows what was kept.
        if "finalized" in state.get("finalize", {}):
            return Div(
                Article(
                    H3(step.show),
                    Dl(
                        Dt("Degrees Celsius"),
                        Dd(data.get("degrees")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_08"),
                id="step_08",
                data_state="locked",
            )

        # The cells were run and failed, perhaps after they had been done once: what went
        # wrong, and another try.
        if execution and execution.error:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.show(key, execution.cells),
                    self.step_08_form(execution.form, {}),
                ),
                id="step_08",
                data_state="error",
            )

        # Phase 2: done. The card shows what was kept, and the way back.
        if step.done in data and state.get("_revert_target") != "step_08":
            return Div(
                Article(
                    Header(
                        H3(step.show),
                        self.back_button("step_08", "Change"),
                    ),
                    self.cells.notice("step_08", data),
                    Dl(
                        Dt("Degrees Celsius"),
                        Dd(data.get("degrees")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_08"),
                id="step_08",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "degrees": None,
        }
        # What the notebook computes from the cells before.
        values |= state.get("_suggested", {}).get("step_08", {})
        typed = state.get("_typed", {}).get("step_08", {})
        return Div(
            Article(
                H3(step.show),
                self.step_08_form(values | data | typed, {}),
            ),
            id="step_08",
            data_state="input",
        )

    async def step_08_submit(self, request):
        """POST: read the answers, run the cells, keep what they gave."""
        key = await self.run_key(request)
        state = self.pip.read_state(key)

        # A locked run is not changed. An earlier step may be open again in another tab.
        before = self.steps[: self.steps_indices["step_08"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)

        # What cannot be read is asked again, with everything that was typed.
        step = self.steps[self.steps_indices["step_08"]]
        sent = await self.cells.sent(request)
        form, errors = {}, {}
        try:
            form["degrees"] = int(sent.get("degrees", ""))
            if not 150 <= form["degrees"] <= 280:
                raise ValueError
        except ValueError:
            errors["degrees"] = (
                "Degrees Celsius: please enter a whole number from 150 to 280."
            )
        errors |= sent.problems
        if errors:
            return Div(
                Article(
                    H3(step.show),
                    self.step_08_form(sent, errors),
                ),
                id="step_08",
                data_state="input",
            )

        # What was typed is kept before the cells run: the server may end meanwhile.
        state["_typed"] = {"step_08": {**form}}
        self.pip.write_state(key, state)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_08", self.steps)
            state["step_08"] = {**form, "_cells": cells}
            state.pop("_revert_target", None)
            state.pop("_typed", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_08", form, save)
        return await self.step_08(request)

    # --- END_STEP_BUNDLE: step_08 ---

    # --- START_STEP_BUNDLE: step_09 ---
    @cell("5fa556c7")
    def step_09_cell(form):
        global hours, minutes  # in: from the cells before
        global timedelta, out, begin  # out: for the cells after
        global ready, datetime  # stays in the notebook's namespace
        ready = form["ready"]

        from datetime import datetime, timedelta

        out = datetime.fromisoformat(ready) - timedelta(hours=1)
        begin = out - timedelta(hours=hours, minutes=minutes + 30)
        print(f"Begin on {begin:%d %B at %H:%M}.")

    def step_09_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("The bread is cold at", fr="step_09-ready"),
                    Input(
                        id="step_09-ready",
                        name="ready",
                        aria_invalid="true" if "ready" in errors else None,
                        value=str(values.get("ready") or "").replace(" ", "T"),
                        type="datetime-local",
                        required=True,
                        aria_describedby="step_09-ready-error",
                    ),
                    self.error_below("step_09-ready", errors.get("ready")),
                    cls="field",
                ),
                cls="fields",
            ),
            Button("Continue", type="submit", cls="primary"),
            hx_post=f"/{self.app_name}/step_09_submit",
            hx_target="#step_09",
            hx_swap="outerHTML",
        )

    async def step_09(self, request):
        """GET: the card as it stands."""
        step = self.steps[self.steps_indices["step_09"]]
        key = await self.run_key(request)
        state = self.pip.read_state(key)
        data = state.get("step_09", {})
        execution = self.cells.execution(key, "step_09")

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            data = execution.form
            return Div(
                Article(
                    H3(step.show),
                    Dl(
                        Dt("The bread is cold at"),
                        Dd(str(data.get("ready") or "").replace("T", " ")),
                    ),
                    self.cells.follow(execution),
                    Footer(
                        self.cells.clock(execution),
                        self.stop_button("step_09"),
                    ),
                ),
                id="step_09",
                data_state="question" if execution.question else "running",
            )

        # Phase 1: the run is locked. The card shows what was kept.
        if "finalized" in state.get("finalize", {}):
            return Div(
                Article(
                    H3(step.show),
                    Dl(
                        Dt("The bread is cold at"),
                        Dd(str(data.get("ready") or "").replace("T", " ")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_09"),
                id="step_09",
                data_state="locked",
            )

        # The cells were run and failed, perhaps after they had been done once: what went
        # wrong, and another try.
        if execution and execution.error:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.show(key, execution.cells),
                    self.step_09_form(execution.form, {}),
                ),
                id="step_09",
                data_state="error",
            )

        # Phase 2: done. The card shows what was kept, and the way back.
        if step.done in data and state.get("_revert_target") != "step_09":
            return Div(
                Article(
                    Header(
                        H3(step.show),
                        self.back_button("step_09", "Change"),
                    ),
                    self.cells.notice("step_09", data),
                    Dl(
                        Dt("The bread is cold at"),
                        Dd(str(data.get("ready") or "").replace("T", " ")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_09"),
                id="step_09",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "ready": "2026-05-02T09:00",
        }
        typed = state.get("_typed", {}).get("step_09", {})
        return Div(
            Article(
                H3(step.show),
                self.step_09_form(values | data | typed, {}),
            ),
            id="step_09",
            data_state="input",
        )

    async def step_09_submit(self, request):
        """POST: read the answers, run the cells, keep what they gave."""
        key = await self.run_key(request)
        state = self.pip.read_state(key)

        # A locked run is not changed. An earlier step may be open again in another tab.
        before = self.steps[: self.steps_indices["step_09"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)

        # What cannot be read is asked again, with everything that was typed.
        step = self.steps[self.steps_indices["step_09"]]
        sent = await self.cells.sent(request)
        form, errors = {}, {}
        try:
            moment = datetime.fromisoformat(sent.get("ready", ""))
            form["ready"] = moment.isoformat("T", "minutes")
        except ValueError:
            errors["ready"] = "The bread is cold at: please enter a date and time."
        errors |= sent.problems
        if errors:
            return Div(
                Article(
                    H3(step.show),
                    self.step_09_form(sent, errors),
                ),
                id="step_09",
                data_state="input",
            )

        # What was typed is kept before the cells run: the server may end meanwhile.
        state["_typed"] = {"step_09": {**form}}
        self.pip.write_state(key, state)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_09", self.steps)
            state["step_09"] = {**form, "_cells": cells}
            state.pop("_revert_target", None)
            state.pop("_typed", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_09", form, save)
        return await self.step_09(request)

    # --- END_STEP_BUNDLE: step_09 ---

    # --- START_STEP_BUNDLE: step_10 ---
    @cell("07f6ed55")
    def step_10_cell(form):
        global kind, flour, water, salt, yeast, begin  # in: from the cells before
        global hours, loaves, degrees, out, timedelta  # in: from the cells before
        global minutes  # in: from the cells before
        global Markdown  # stays in the notebook's namespace
        from IPython.display import Markdown

        return Markdown(f"""| what | how much |
|---|---:|
| {kind} flour | {flour} g |
| water | {water} g |
| salt | {salt} g |
| fresh yeast | {yeast:g} g |

1. **{begin:%H:%M}** Mix everything and let it rise for {hours} hours.
2. Shape {loaves} {"loaf" if loaves == 1 else "loaves"} and heat the oven to {degrees} °C.
3. **{out - timedelta(minutes=minutes):%H:%M}** Bake for {minutes} minutes.
4. **{out:%H:%M}** Take it out, and wait until it is cold.""")

    async def step_10(self, request):
        """GET: the card as it stands."""
        step = self.steps[self.steps_indices["step_10"]]
        key = await self.run_key(request)
        state = self.pip.read_state(key)
        data = state.get("step_10", {})
        execution = self.cells.execution(key, "step_10")

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.follow(execution),
                    Footer(
                        self.cells.clock(execution),
                        self.stop_button("step_10"),
                    ),
                ),
                id="step_10",
                data_state="question" if execution.question else "running",
            )

        # Phase 1: the run is locked. The card shows what was kept.
        if "finalized" in state.get("finalize", {}):
            return Div(
                Article(
                    H3(step.show),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_10"),
                id="step_10",
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
                        hx_post=f"/{self.app_name}/step_10_submit",
                        hx_target="#step_10",
                        hx_swap="outerHTML",
                    ),
                ),
                id="step_10",
                data_state="error",
            )

        # Phase 2: done. The card shows what was kept, and the way back.
        if step.done in data and state.get("_revert_target") != "step_10":
            return Div(
                Article(
                    Header(
                        H3(step.show),
                        self.back_button("step_10", "Run again"),
                    ),
                    self.cells.notice("step_10", data),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_10"),
                id="step_10",
                data_state="done",
            )

        # Phase 3: nothing to ask. The card runs as soon as it is on the page.
        return Div(
            Article(
                H3(step.show),
                P("Running…", aria_busy="true"),
            ),
            id="step_10",
            data_state="running",
            hx_post=f"/{self.app_name}/step_10_submit",
            hx_trigger="load",
            hx_swap="outerHTML",
        )

    async def step_10_submit(self, request):
        """POST: run the cells, keep what they gave."""
        key = await self.run_key(request)
        state = self.pip.read_state(key)

        # A locked run is not changed. An earlier step may be open again in another tab.
        before = self.steps[: self.steps_indices["step_10"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_10", self.steps)
            state["step_10"] = {"ran": True, "_cells": cells}
            state.pop("_revert_target", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_10", {}, save)
        return await self.step_10(request)

    # --- END_STEP_BUNDLE: step_10 ---
    # --- STEP_METHODS_INSERTION_POINT ---
