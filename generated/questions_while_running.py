"""The workflow "A market stall", ported from questions_while_running.ipynb by `pipulate port`.

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

# port: id=94ceb8cd2b6b notebook=../fixtures/inputs/questions_while_running.ipynb base=fb8dc160e6463b1e
# The `global` lines of a cell name what it only reads, too:
# ruff: noqa: PLW0602

from collections import namedtuple
from textwrap import dedent

from fasthtml.common import (
    H3,
    Article,
    Button,
    Div,
    Footer,
    Form,
    Header,
    HtmxResponseHeaders,
    Input,
    P,
    Response,
)
from pipulate_runtime.cells import Cells, cell

ROLES = ["Core"]

Step = namedtuple("Step", "id done show refill transform", defaults=(None,))


class QuestionsWhileRunning:
    # --- START_CLASS_ATTRIBUTES_BUNDLE ---
    APP_NAME = "questions_while_running"
    DISPLAY_NAME = "A market stall"
    ENDPOINT_MESSAGE = "How much there is to ask depends on what is sold, and on what is answered: each question comes when its cell gets to it."
    TRAINING_PROMPT = dedent("""\
        # A market stall

        How much there is to ask depends on what is sold, and on what is answered: each question comes when its cell gets to it.

        ## What there is

        ## What is sold

        ## The till

        ## Counted
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
                show="What there is",
                refill=False,
            ),
            Step(
                id="step_02",
                done="ran",
                show="What is sold",
                refill=False,
            ),
            Step(
                id="step_03",
                done="ran",
                show="The till",
                refill=False,
            ),
            Step(
                id="step_04",
                done="ran",
                show="Counted",
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
    @cell("till--01")
    def step_01_cell(form):
        global getpass, prices, amount  # out: for the cells after
        from getpass import getpass

        prices = {"apples": 3, "bread": 4, "honey": 9}

        def amount(prompt):
            """Ask until the answer is a number."""
            while True:
                text = input(prompt)
                if text.isdigit():
                    return int(text)
                print(f"{text!r} is no number.")

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
    @cell("till--03")
    def step_02_cell(form):
        global prices, amount  # in: from the cells before
        global sold  # out: for the cells after
        global item  # stays in the notebook's namespace
        sold = {}
        while True:
            print("Sold so far:", sold or "nothing")
            item = input("Sold (nothing at the end of the day): ")
            if not item:
                break
            if item not in prices:
                print(f"There is no {item}.")
                continue
            sold[item] = sold.get(item, 0) + amount(f"How many {item}? ")

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
    @cell("till--05")
    def step_03_cell(form):
        global sold, getpass, prices  # in: from the cells before
        global total  # out: for the cells after
        global code  # stays in the notebook's namespace
        total = sum(prices[item] * count for item, count in sold.items())
        print(f"There should be {total} in the till.")
        if total > 20:
            code = getpass("Code of the safe: ")
            print("*" * len(code))
            print("It goes into the safe.")

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
    @cell("till--06")
    def step_04_cell(form):
        global sold, amount, total, prices  # in: from the cells before
        global counted  # stays in the notebook's namespace
        counted = amount("Counted: ") if sold else 0
        return counted - total

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
