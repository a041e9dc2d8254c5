"""The workflow "A picture of a wave", ported from colab_forms.ipynb by `pipulate port`.

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

# port: id=01f74631e11d notebook=../fixtures/inputs/colab_forms.ipynb base=6234a5db4e702d88
# The `global` lines of a cell name what it only reads, too:
# ruff: noqa: PLW0602

from collections import namedtuple
from datetime import date
from math import isfinite
from textwrap import dedent

from fasthtml.common import (
    H3,
    Article,
    Button,
    Datalist,
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
from pipulate_runtime.cells import Cells, cell, read_literal

ROLES = ["Core"]

Step = namedtuple("Step", "id done show refill transform", defaults=(None,))


class ColabForms:
    # --- START_CLASS_ATTRIBUTES_BUNDLE ---
    APP_NAME = "colab_forms"
    DISPLAY_NAME = "A picture of a wave"
    ENDPOINT_MESSAGE = "A Colab notebook with forms."
    TRAINING_PROMPT = dedent("""\
        # A picture of a wave

        A Colab notebook with forms.

        ## The wave

        Give the wave its shape.

        The person gives: Shape.

        The person gives: Label.

        The person gives: Caption.

        The person gives: Periods.

        The person gives: Height.

        The person gives: Level.

        The person gives: Fine.

        The person gives: Day.

        The person gives: Filled.

        The person gives: Marks.

        The person gives: Quality.

        The person gives: Mode.

        ## Its values

        ## Mode
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
                done="shape",
                show="The wave",
                refill=False,
            ),
            Step(
                id="step_02",
                done="ran",
                show="Its values",
                refill=False,
            ),
            Step(
                id="step_03",
                done="ran",
                show="Mode",
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
    step_01_text = "Give the wave its shape."

    step_01_shape_choices = (
        "sine",
        "square",
        "saw",
    )

    step_01_label_choices = (
        "tide",
        "sound",
    )

    step_01_quality_choices = (
        "1",
        "10",
        "100",
    )

    @cell("colab--01")
    def step_01_cell(form_):
        global shape, label, caption, periods, height, level  # out: for the cells after
        global fine, day, filled, marks, quality, mode  # out: for the cells after
        # @title The wave { display-mode: "form" }
        # @markdown Give the wave its shape.
        shape = form_["shape"]  # @param ["sine", "square", "saw"]
        label = form_["label"]  # @param ["tide", "sound"] {allow-input: true}
        caption = form_[
            "caption"
        ]  # @param {type:"string", placeholder:"below the wave"}
        # @markdown ---
        # @markdown #### How large
        periods = form_["periods"]  # @param {type:"integer"}
        height = form_["height"]  # @param {type:"number"}
        level = form_["level"]  # @param {type:"slider", min:0, max:10, step:1}
        fine = form_["fine"]  # @param {type:"slider", min:-1, max:1, step:0.05}
        # @markdown ### When and how
        day = form_["day"]  # @param {type:"date"}
        filled = form_["filled"]  # @param {type:"boolean"}
        marks = eval(form_["marks"])  # @param {type:"raw"}
        quality = eval(form_["quality"])  # @param [1, 10, 100] {type:"raw"}
        mode = form_["mode"]  # @param {type:"string"}

    def step_01_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Shape", fr="step_01-shape"),
                    Select(
                        *(
                            Option(
                                str(choice),
                                value=str(choice),
                                selected=values.get("shape") in (choice, str(choice)),
                            )
                            for choice in self.step_01_shape_choices
                        ),
                        id="step_01-shape",
                        name="shape",
                        aria_invalid="true" if "shape" in errors else None,
                        required=True,
                        aria_describedby="step_01-shape-error",
                    ),
                    self.error_below("step_01-shape", errors.get("shape")),
                    cls="field",
                ),
                Div(
                    Label("Label", fr="step_01-label"),
                    Input(
                        id="step_01-label",
                        name="label",
                        aria_invalid="true" if "label" in errors else None,
                        value=values.get("label"),
                        type="text",
                        list="step_01-label-choices",
                        required=True,
                        aria_describedby="step_01-label-error",
                    ),
                    Datalist(
                        *(
                            Option(value=choice)
                            for choice in self.step_01_label_choices
                        ),
                        id="step_01-label-choices",
                    ),
                    self.error_below("step_01-label", errors.get("label")),
                    cls="field",
                ),
                Div(
                    Label("Caption", fr="step_01-caption"),
                    Input(
                        id="step_01-caption",
                        name="caption",
                        aria_invalid="true" if "caption" in errors else None,
                        value=values.get("caption"),
                        type="text",
                        placeholder="below the wave",
                        aria_describedby="step_01-caption-error",
                    ),
                    self.error_below("step_01-caption", errors.get("caption")),
                    cls="field",
                ),
                Div(
                    self.cells.markdown("---\n#### How large"),
                    Label("Periods", fr="step_01-periods"),
                    Input(
                        id="step_01-periods",
                        name="periods",
                        aria_invalid="true" if "periods" in errors else None,
                        value=values.get("periods"),
                        type="number",
                        step="1",
                        required=True,
                        aria_describedby="step_01-periods-error",
                    ),
                    self.error_below("step_01-periods", errors.get("periods")),
                    cls="field",
                ),
                Div(
                    Label("Height", fr="step_01-height"),
                    Input(
                        id="step_01-height",
                        name="height",
                        aria_invalid="true" if "height" in errors else None,
                        value=values.get("height"),
                        type="number",
                        step="any",
                        required=True,
                        aria_describedby="step_01-height-error",
                    ),
                    self.error_below("step_01-height", errors.get("height")),
                    cls="field",
                ),
                Div(
                    Label("Level", fr="step_01-level"),
                    Div(
                        Input(
                            id="step_01-level",
                            name="level",
                            aria_invalid="true" if "level" in errors else None,
                            value=values.get("level"),
                            type="range",
                            step="1",
                            min="0",
                            max="10",
                            required=True,
                            aria_describedby="step_01-level-error",
                        ),
                        Output(values.get("level"), fr="step_01-level"),
                        cls="range",
                    ),
                    self.error_below("step_01-level", errors.get("level")),
                    cls="field",
                ),
                Div(
                    Label("Fine", fr="step_01-fine"),
                    Div(
                        Input(
                            id="step_01-fine",
                            name="fine",
                            aria_invalid="true" if "fine" in errors else None,
                            value=values.get("fine"),
                            type="range",
                            step="0.05",
                            min="-1",
                            max="1",
                            required=True,
                            aria_describedby="step_01-fine-error",
                        ),
                        Output(values.get("fine"), fr="step_01-fine"),
                        cls="range",
                    ),
                    self.error_below("step_01-fine", errors.get("fine")),
                    cls="field",
                ),
                Div(
                    self.cells.markdown("### When and how"),
                    Label("Day", fr="step_01-day"),
                    Input(
                        id="step_01-day",
                        name="day",
                        aria_invalid="true" if "day" in errors else None,
                        value=values.get("day"),
                        type="date",
                        required=True,
                        aria_describedby="step_01-day-error",
                    ),
                    self.error_below("step_01-day", errors.get("day")),
                    cls="field",
                ),
                Div(
                    Label(
                        Input(
                            type="checkbox",
                            role="switch",
                            id="step_01-filled",
                            name="filled",
                            aria_invalid="true" if "filled" in errors else None,
                            checked=bool(values.get("filled")),
                            aria_describedby="step_01-filled-error",
                        ),
                        "Filled",
                    ),
                    self.error_below("step_01-filled", errors.get("filled")),
                    cls="field",
                ),
                Div(
                    Label("Marks", fr="step_01-marks"),
                    Input(
                        id="step_01-marks",
                        name="marks",
                        aria_invalid="true" if "marks" in errors else None,
                        value=values.get("marks"),
                        type="text",
                        spellcheck="false",
                        required=True,
                        aria_describedby="step_01-marks-error",
                    ),
                    self.error_below("step_01-marks", errors.get("marks")),
                    cls="field",
                ),
                Div(
                    Label("Quality", fr="step_01-quality"),
                    Select(
                        *(
                            Option(
                                str(choice),
                                value=str(choice),
                                selected=values.get("quality") in (choice, str(choice)),
                            )
                            for choice in self.step_01_quality_choices
                        ),
                        id="step_01-quality",
                        name="quality",
                        aria_invalid="true" if "quality" in errors else None,
                        spellcheck="false",
                        required=True,
                        aria_describedby="step_01-quality-error",
                    ),
                    self.error_below("step_01-quality", errors.get("quality")),
                    cls="field",
                ),
                Div(
                    Label("Mode", fr="step_01-mode"),
                    Input(
                        id="step_01-mode",
                        name="mode",
                        aria_invalid="true" if "mode" in errors else None,
                        value=values.get("mode"),
                        type="text",
                        required=True,
                        aria_describedby="step_01-mode-error",
                    ),
                    self.error_below("step_01-mode", errors.get("mode")),
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
                    self.cells.markdown(self.step_01_text),
                    Dl(
                        Dt("Shape"),
                        Dd(data.get("shape")),
                        Dt("Label"),
                        Dd(data.get("label")),
                        Dt("Caption"),
                        Dd(data.get("caption")),
                        Dt("Periods"),
                        Dd(data.get("periods")),
                        Dt("Height"),
                        Dd(data.get("height")),
                        Dt("Level"),
                        Dd(data.get("level")),
                        Dt("Fine"),
                        Dd(data.get("fine")),
                        Dt("Day"),
                        Dd(data.get("day")),
                        Dt("Filled"),
                        Dd("Yes" if data.get("filled") else "No"),
                        Dt("Marks"),
                        Dd(data.get("marks")),
                        Dt("Quality"),
                        Dd(data.get("quality")),
                        Dt("Mode"),
                        Dd(data.get("mode")),
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
                    self.cells.markdown(self.step_01_text),
                    Dl(
                        Dt("Shape"),
                        Dd(data.get("shape")),
                        Dt("Label"),
                        Dd(data.get("label")),
                        Dt("Caption"),
                        Dd(data.get("caption")),
                        Dt("Periods"),
                        Dd(data.get("periods")),
                        Dt("Height"),
                        Dd(data.get("height")),
                        Dt("Level"),
                        Dd(data.get("level")),
                        Dt("Fine"),
                        Dd(data.get("fine")),
                        Dt("Day"),
                        Dd(data.get("day")),
                        Dt("Filled"),
                        Dd("Yes" if data.get("filled") else "No"),
                        Dt("Marks"),
                        Dd(data.get("marks")),
                        Dt("Quality"),
                        Dd(data.get("quality")),
                        Dt("Mode"),
                        Dd(data.get("mode")),
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
                    self.cells.markdown(self.step_01_text),
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
                    self.cells.markdown(self.step_01_text),
                    Dl(
                        Dt("Shape"),
                        Dd(data.get("shape")),
                        Dt("Label"),
                        Dd(data.get("label")),
                        Dt("Caption"),
                        Dd(data.get("caption")),
                        Dt("Periods"),
                        Dd(data.get("periods")),
                        Dt("Height"),
                        Dd(data.get("height")),
                        Dt("Level"),
                        Dd(data.get("level")),
                        Dt("Fine"),
                        Dd(data.get("fine")),
                        Dt("Day"),
                        Dd(data.get("day")),
                        Dt("Filled"),
                        Dd("Yes" if data.get("filled") else "No"),
                        Dt("Marks"),
                        Dd(data.get("marks")),
                        Dt("Quality"),
                        Dd(data.get("quality")),
                        Dt("Mode"),
                        Dd(data.get("mode")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_01"),
                id="step_01",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "shape": "sine",
            "label": "tide",
            "caption": "",
            "periods": 3,
            "height": 0.5,
            "level": 4,
            "fine": 0.25,
            "day": "2024-05-31",
            "filled": True,
            "marks": "[1, 2]",
            "quality": "10",
            "mode": "two\nlines",
        }
        typed = state.get("_typed", {}).get("step_01", {})
        return Div(
            Article(
                H3(step.show),
                self.cells.markdown(self.step_01_text),
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
        choices = {str(choice): choice for choice in self.step_01_shape_choices}
        if sent.get("shape") in choices:
            form["shape"] = choices[sent.get("shape")]
        else:
            errors["shape"] = "Shape: please choose from the list."
        choices = {str(choice): choice for choice in self.step_01_label_choices}
        if sent.get("label") in choices:
            form["label"] = choices[sent.get("label")]
        elif sent.get("label", "").strip():
            form["label"] = sent.get("label")
        else:
            errors["label"] = "Label: please choose from the list."
        form["caption"] = sent.get("caption", "")
        try:
            form["periods"] = int(sent.get("periods", ""))
        except ValueError:
            errors["periods"] = "Periods: please enter a whole number."
        try:
            form["height"] = float(sent.get("height", ""))
            if not isfinite(form["height"]):
                raise ValueError
        except ValueError:
            errors["height"] = "Height: please enter a number."
        try:
            form["level"] = int(sent.get("level", ""))
            if not 0 <= form["level"] <= 10:
                raise ValueError
        except ValueError:
            errors["level"] = "Level: please enter a whole number from 0 to 10."
        try:
            form["fine"] = float(sent.get("fine", ""))
            if (
                not -1 <= form["fine"] <= 1
                or 1e-6 < (form["fine"] - -1) / 0.05 % 1 < 0.999999
            ):
                raise ValueError
        except ValueError:
            errors["fine"] = (
                "Fine: please enter a number from -1 to 1, in steps of 0.05."
            )
        try:
            moment = date.fromisoformat(sent.get("day", ""))
            form["day"] = moment.isoformat()
        except ValueError:
            errors["day"] = "Day: please enter a date."
        form["filled"] = "filled" in sent
        if sent.get("filled", "on") != "on":
            errors["filled"] = "Filled: please fill this in."
        form["marks"] = sent.get("marks", "")
        try:
            if form["marks"] != "[1, 2]":
                read_literal(form["marks"])
        except ValueError:
            errors["marks"] = (
                'Marks: please write a number, a "text in quotes", or a [list] of them.'
            )
        choices = {str(choice): choice for choice in self.step_01_quality_choices}
        if sent.get("quality") in choices:
            form["quality"] = choices[sent.get("quality")]
        else:
            errors["quality"] = "Quality: please choose from the list."
        form["mode"] = sent.get("mode", "")
        if not form["mode"].strip():
            errors["mode"] = "Mode: please fill this in."
        errors |= sent.problems
        if errors:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.markdown(self.step_01_text),
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
    @cell("colab--02")
    def step_02_cell(form_):
        global level, height, shape, periods  # in: from the cells before
        global math, shapes  # stays in the notebook's namespace
        # @title Its values
        import math

        shapes = {
            "sine": math.sin,
            "square": lambda x: math.copysign(1, math.sin(x)),
            "saw": lambda x: x % math.pi / math.pi,
        }
        return [
            round(height * shapes[shape](x / 10 * periods), 2) for x in range(level)
        ]

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
    @cell("colab--03")
    def step_03_cell(form_):
        global label, caption, day, filled, marks, quality  # in: from the cells before
        global fine, mode  # in: from the cells before
        print(label, caption or "-", day, filled, marks, quality, fine)
        print(mode)

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
    # --- STEP_METHODS_INSERTION_POINT ---
