"""The workflow "A job", ported from pipulate_calls.ipynb by `pipulate port`.

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

# port: id=537811c2731d notebook=../fixtures/inputs/pipulate_calls.ipynb base=dc4dd9adb5054439
# The `global` lines of a cell name what it only reads, too:
# ruff: noqa: PLW0602

from collections import namedtuple
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
    Footer,
    Form,
    Header,
    HtmxResponseHeaders,
    Input,
    Label,
    P,
    Response,
    Textarea,
)
from pipulate_runtime.cells import Cells, Typed, cell, read_json

ROLES = ["Core"]

Step = namedtuple("Step", "id done show refill transform", defaults=(None,))


class PipulateCalls:
    # --- START_CLASS_ATTRIBUTES_BUNDLE ---
    APP_NAME = "pipulate_calls"
    DISPLAY_NAME = "A job"
    ENDPOINT_MESSAGE = "The conventions of Pipulate's own notebooks."
    TRAINING_PROMPT = dedent("""\
        # A job

        The conventions of Pipulate's own notebooks.

        ## Pipulate

        ## Year

        The person gives: Year.

        ## Town

        The person gives: Town.

        ## Api key

        The person gives: Api key.

        ## This is the prompt

        The person gives: Prompt.

        ## This is the list

        The person gives: Url list.

        ## Custom filters

        The person gives: Custom filters.

        ## Token

        The person gives: Token.

        ## Run all the cells
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
                done="ran",
                show="Pipulate",
                refill=False,
            ),
            Step(
                id="step_02",
                done="year",
                show="Year",
                refill=False,
            ),
            Step(
                id="step_03",
                done="town",
                show="Town",
                refill=False,
            ),
            Step(
                id="step_04",
                done="api_key",
                show="Api key",
                refill=False,
            ),
            Step(
                id="step_05",
                done="prompt",
                show="This is the prompt",
                refill=False,
            ),
            Step(
                id="step_06",
                done="url_list",
                show="This is the list",
                refill=False,
            ),
            Step(
                id="step_07",
                done="custom_filters",
                show="Custom filters",
                refill=False,
            ),
            Step(
                id="step_08",
                done="TOKEN",
                show="Token",
                refill=False,
            ),
            Step(
                id="step_09",
                done="ran",
                show="Run all the cells",
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
    @cell("pipula-01")
    def step_01_cell(form):
        global pip, job  # out: for the cells after
        global Pipulate  # stays in the notebook's namespace

        class Pipulate:
            """Stands for the real one, which keeps this in a database."""

            def __init__(self):
                self.kept = {}

            def set(self, job, step, value):
                self.kept[job, step] = value

            def get(self, job, step, default=None):
                return self.kept.get((job, step), default)

            def api_key(self, job, key=None):
                self.kept[job, "key"] = key

        pip = Pipulate()
        job = "towns-01"

    async def step_01(self, request):
        """GET: the card as it stands."""
        step = self.steps[self.steps_indices["step_01"]]
        key = await self.run_key(request)
        state = self.pip.read_state(key)
        data = state.get("step_01", {})
        execution = self.cells.execution(key, "step_01")

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            return Div(
                Article(
                    H3(step.show),
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
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_01"),
                id="step_01",
                data_state="locked",
            )

        # The cells before have to run again, and need a secret that was not kept.
        if execution and execution.asks:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.ask_again(execution),
                ),
                id="step_01",
                data_state="question",
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
                        hx_post=f"/{self.app_name}/step_01_submit",
                        hx_target="#step_01",
                        hx_swap="outerHTML",
                    ),
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
                        self.back_button("step_01", "Run again"),
                    ),
                    self.cells.notice("step_01", data),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_01"),
                id="step_01",
                data_state="done",
            )

        # Phase 3: nothing to ask. The card runs as soon as it is on the page.
        return Div(
            Article(
                H3(step.show),
                P("Running…", aria_busy="true"),
            ),
            id="step_01",
            data_state="running",
            hx_post=f"/{self.app_name}/step_01_submit",
            hx_trigger="load",
            hx_swap="outerHTML",
        )

    async def step_01_submit(self, request):
        """POST: run the cells, keep what they gave."""
        key = await self.run_key(request)
        state = self.pip.read_state(key)

        # A locked run is not changed. An earlier step may be open again in another tab.
        before = self.steps[: self.steps_indices["step_01"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_01", self.steps)
            state["step_01"] = {"ran": True, "_cells": cells}
            state.pop("_revert_target", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_01", {}, save)
        return await self.step_01(request)

    # --- END_STEP_BUNDLE: step_01 ---

    # --- START_STEP_BUNDLE: step_02 ---
    @cell("pipula-02")
    def step_02_cell(form):
        global job  # in: from the cells before
        global pip  # in and out: changed here
        return pip.set(job, step="year", value=form["year"])

    def step_02_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Year", fr="step_02-year"),
                    Input(
                        id="step_02-year",
                        name="year",
                        aria_invalid="true" if "year" in errors else None,
                        value=values.get("year"),
                        type="number",
                        step="1",
                        required=True,
                        aria_describedby="step_02-year-error",
                    ),
                    self.error_below("step_02-year", errors.get("year")),
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
                        Dt("Year"),
                        Dd(data.get("year")),
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
                        Dt("Year"),
                        Dd(data.get("year")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_02"),
                id="step_02",
                data_state="locked",
            )

        # The cells before have to run again, and need a secret that was not kept.
        if execution and execution.asks:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.ask_again(execution),
                ),
                id="step_02",
                data_state="question",
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
                        Dt("Year"),
                        Dd(data.get("year")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_02"),
                id="step_02",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "year": 2025,
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
            form["year"] = int(sent.get("year", ""))
        except ValueError:
            errors["year"] = "Year: please enter a whole number."
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
    @cell("pipula-03")
    def step_03_cell(form):
        global pip, job  # in: from the cells before
        global town  # stays in the notebook's namespace
        town = form["town"]
        print(town, pip.get(job, step="year"))

    def step_03_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Town", fr="step_03-town"),
                    Input(
                        id="step_03-town",
                        name="town",
                        aria_invalid="true" if "town" in errors else None,
                        value=values.get("town"),
                        type="text",
                        required=True,
                        aria_describedby="step_03-town-error",
                    ),
                    self.error_below("step_03-town", errors.get("town")),
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
                        Dt("Town"),
                        Dd(data.get("town")),
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
                        Dt("Town"),
                        Dd(data.get("town")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_03"),
                id="step_03",
                data_state="locked",
            )

        # The cells before have to run again, and need a secret that was not kept.
        if execution and execution.asks:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.ask_again(execution),
                ),
                id="step_03",
                data_state="question",
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
                        Dt("Town"),
                        Dd(data.get("town")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_03"),
                id="step_03",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "town": "Rome",
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
        form["town"] = sent.get("town", "")
        if not form["town"].strip():
            errors["town"] = "Town: please fill this in."
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
    # Secrets are never kept; when the cells have to run again, they are asked again.
    step_04_secrets = {  # noqa: RUF012
        "api_key": "Api key",
    }

    @cell("pipula-04")
    def step_04_cell(form):
        global pip, job  # in: from the cells before
        return pip.api_key(job, key=form["api_key"])

    def step_04_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Api key", fr="step_04-api_key"),
                    Input(
                        id="step_04-api_key",
                        name="api_key",
                        aria_invalid="true" if "api_key" in errors else None,
                        type="password",
                        autocomplete="off",
                        required=True,
                        aria_describedby="step_04-api_key-error",
                    ),
                    self.error_below("step_04-api_key", errors.get("api_key")),
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
                        Dt("Api key"),
                        Dd("not kept"),
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
                        Dt("Api key"),
                        Dd("not kept"),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_04"),
                id="step_04",
                data_state="locked",
            )

        # The cells before have to run again, and need a secret that was not kept.
        if execution and execution.asks:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.ask_again(execution),
                ),
                id="step_04",
                data_state="question",
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
                        Dt("Api key"),
                        Dd("not kept"),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_04"),
                id="step_04",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "api_key": "",
        }
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
        form["api_key"] = sent.get("api_key", "")
        if not form["api_key"].strip():
            errors["api_key"] = "Api key: please fill this in."
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
        state["_typed"]["step_04"]["api_key"] = ""  # but no secret
        self.pip.write_state(key, state)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_04", self.steps)
            state["step_04"] = {**form, "_cells": cells}
            state["step_04"]["api_key"] = ""  # a secret is never kept
            state.pop("_revert_target", None)
            state.pop("_typed", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_04", form, save)
        return await self.step_04(request)

    # --- END_STEP_BUNDLE: step_04 ---

    # --- START_STEP_BUNDLE: step_05 ---
    @cell("pipula-06")
    def step_05_cell(form):
        global prompt  # out: for the cells after
        prompt = form["prompt"]

    def step_05_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Prompt", fr="step_05-prompt"),
                    Textarea(
                        # A browser drops the first line break.
                        "\n" + (values.get("prompt") or ""),
                        id="step_05-prompt",
                        name="prompt",
                        aria_invalid="true" if "prompt" in errors else None,
                        rows=5,
                        required=True,
                        aria_describedby="step_05-prompt-error",
                    ),
                    self.error_below("step_05-prompt", errors.get("prompt")),
                    cls="field wide",
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
                        Dt("Prompt"),
                        Dd(data.get("prompt")),
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
                        Dt("Prompt"),
                        Dd(data.get("prompt")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_05"),
                id="step_05",
                data_state="locked",
            )

        # The cells before have to run again, and need a secret that was not kept.
        if execution and execution.asks:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.ask_again(execution),
                ),
                id="step_05",
                data_state="question",
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
                        Dt("Prompt"),
                        Dd(data.get("prompt")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_05"),
                id="step_05",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "prompt": "Say where the town lies.\nUse one sentence.",
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
        form["prompt"] = sent.get("prompt", "")
        if not form["prompt"].strip():
            errors["prompt"] = "Prompt: please fill this in."
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
    @cell("pipula-08")
    def step_06_cell(form):
        global url_list  # out: for the cells after
        url_list = form["url_list"]

    def step_06_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Url list", fr="step_06-url_list"),
                    Textarea(
                        # A browser drops the first line break.
                        "\n" + self.as_lines(values.get("url_list")),
                        id="step_06-url_list",
                        name="url_list",
                        aria_invalid="true" if "url_list" in errors else None,
                        rows=5,
                        spellcheck="false",
                        required=True,
                        aria_describedby="step_06-url_list-error",
                    ),
                    self.error_below("step_06-url_list", errors.get("url_list")),
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
                        Dt("Url list"),
                        Dd(self.as_lines(data.get("url_list"))),
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
                        Dt("Url list"),
                        Dd(self.as_lines(data.get("url_list"))),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_06"),
                id="step_06",
                data_state="locked",
            )

        # The cells before have to run again, and need a secret that was not kept.
        if execution and execution.asks:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.ask_again(execution),
                ),
                id="step_06",
                data_state="question",
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
                        Dt("Url list"),
                        Dd(self.as_lines(data.get("url_list"))),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_06"),
                id="step_06",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "url_list": ["https://example.org/rome", "https://example.org/bonn"],
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
        lines = [line.strip() for line in sent.get("url_list", "").splitlines()]
        lines = [line for line in lines if line and not line.startswith("#")]
        form["url_list"] = lines
        if not lines or not all(
            fullmatch(r"(?i)[a-z][a-z0-9+.-]*://\S+", line) for line in lines
        ):
            errors["url_list"] = (
                "Url list: please enter addresses such as https://example.org, each on a line of its own."
            )
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

    # --- START_STEP_BUNDLE: step_07 ---
    @cell("pipula-09")
    def step_07_cell(form):
        global custom_filters  # out: for the cells after
        custom_filters = form["custom_filters"]

    def step_07_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Custom filters", fr="step_07-custom_filters"),
                    Textarea(
                        # A browser drops the first line break.
                        "\n" + self.as_json(values.get("custom_filters")),
                        id="step_07-custom_filters",
                        name="custom_filters",
                        aria_invalid="true" if "custom_filters" in errors else None,
                        rows=5,
                        spellcheck="false",
                        required=True,
                        aria_describedby="step_07-custom_filters-error",
                    ),
                    self.error_below(
                        "step_07-custom_filters", errors.get("custom_filters")
                    ),
                    cls="field wide",
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
                        Dt("Custom filters"),
                        Dd(self.as_json(data.get("custom_filters"))),
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
                        Dt("Custom filters"),
                        Dd(self.as_json(data.get("custom_filters"))),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_07"),
                id="step_07",
                data_state="locked",
            )

        # The cells before have to run again, and need a secret that was not kept.
        if execution and execution.asks:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.ask_again(execution),
                ),
                id="step_07",
                data_state="question",
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
                        Dt("Custom filters"),
                        Dd(self.as_json(data.get("custom_filters"))),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_07"),
                id="step_07",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "custom_filters": {"language": "it", "pages": 3},
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
            form["custom_filters"] = read_json(sent.get("custom_filters", ""))
            if type(form["custom_filters"]) is not dict:
                raise ValueError
        except ValueError:
            errors["custom_filters"] = (
                'Custom filters: please write a JSON object, for example {"name": "value"}.'
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
    # Secrets are never kept; when the cells have to run again, they are asked again.
    step_08_secrets = {  # noqa: RUF012
        "TOKEN": "Token",
    }

    @cell("pipula-10")
    def step_08_cell(form):
        global TOKEN, RETRIES  # out: for the cells after
        TOKEN = form["TOKEN"]
        RETRIES = 3

    def step_08_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Token", fr="step_08-TOKEN"),
                    Input(
                        id="step_08-TOKEN",
                        name="TOKEN",
                        aria_invalid="true" if "TOKEN" in errors else None,
                        type="password",
                        autocomplete="off",
                        required=True,
                        aria_describedby="step_08-TOKEN-error",
                    ),
                    self.error_below("step_08-TOKEN", errors.get("TOKEN")),
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
                        Dt("Token"),
                        Dd("not kept"),
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
                        Dt("Token"),
                        Dd("not kept"),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_08"),
                id="step_08",
                data_state="locked",
            )

        # The cells before have to run again, and need a secret that was not kept.
        if execution and execution.asks:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.ask_again(execution),
                ),
                id="step_08",
                data_state="question",
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
                        Dt("Token"),
                        Dd("not kept"),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_08"),
                id="step_08",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "TOKEN": "",
        }
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
        form["TOKEN"] = sent.get("TOKEN", "")
        if not form["TOKEN"].strip():
            errors["TOKEN"] = "Token: please fill this in."
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
        state["_typed"]["step_08"]["TOKEN"] = ""  # but no secret
        self.pip.write_state(key, state)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_08", self.steps)
            state["step_08"] = {**form, "_cells": cells}
            state["step_08"]["TOKEN"] = ""  # a secret is never kept
            state.pop("_revert_target", None)
            state.pop("_typed", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_08", form, save)
        return await self.step_08(request)

    # --- END_STEP_BUNDLE: step_08 ---

    # --- START_STEP_BUNDLE: step_09 ---
    @cell("pipula-12")
    def step_09_cell(form):
        global prompt, url_list, custom_filters, TOKEN  # in: from the cells before
        global RETRIES  # in: from the cells before
        print(prompt.splitlines()[0])
        print(url_list, custom_filters)
        return isinstance(TOKEN, str), RETRIES

    async def step_09(self, request):
        """GET: the card as it stands."""
        step = self.steps[self.steps_indices["step_09"]]
        key = await self.run_key(request)
        state = self.pip.read_state(key)
        data = state.get("step_09", {})
        execution = self.cells.execution(key, "step_09")

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            return Div(
                Article(
                    H3(step.show),
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
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_09"),
                id="step_09",
                data_state="locked",
            )

        # The cells before have to run again, and need a secret that was not kept.
        if execution and execution.asks:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.ask_again(execution),
                ),
                id="step_09",
                data_state="question",
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
                        hx_post=f"/{self.app_name}/step_09_submit",
                        hx_target="#step_09",
                        hx_swap="outerHTML",
                    ),
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
                        self.back_button("step_09", "Run again"),
                    ),
                    self.cells.notice("step_09", data),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_09"),
                id="step_09",
                data_state="done",
            )

        # Phase 3: nothing to ask. The card runs as soon as it is on the page.
        return Div(
            Article(
                H3(step.show),
                P("Running…", aria_busy="true"),
            ),
            id="step_09",
            data_state="running",
            hx_post=f"/{self.app_name}/step_09_submit",
            hx_trigger="load",
            hx_swap="outerHTML",
        )

    async def step_09_submit(self, request):
        """POST: run the cells, keep what they gave."""
        key = await self.run_key(request)
        state = self.pip.read_state(key)

        # A locked run is not changed. An earlier step may be open again in another tab.
        before = self.steps[: self.steps_indices["step_09"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_09", self.steps)
            state["step_09"] = {"ran": True, "_cells": cells}
            state.pop("_revert_target", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_09", {}, save)
        return await self.step_09(request)

    # --- END_STEP_BUNDLE: step_09 ---
    # --- STEP_METHODS_INSERTION_POINT ---
