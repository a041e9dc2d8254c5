"""The workflow "Data cleaning", ported from data_cleaning.ipynb by `pipulate port`.

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

# port: id=2a6d495cbed7 notebook=../fixtures/flows/data_cleaning.ipynb base=30e3382d7ec5fa78
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
    Fieldset,
    Footer,
    Form,
    Header,
    HtmxResponseHeaders,
    Input,
    Label,
    Legend,
    P,
    Response,
    Small,
)
from pipulate_runtime.cells import Cells, cell

ROLES = ["Core"]

Step = namedtuple("Step", "id done show refill transform", defaults=(None,))


class DataCleaning:
    # --- START_CLASS_ATTRIBUTES_BUNDLE ---
    APP_NAME = "data_cleaning"
    DISPLAY_NAME = "Data cleaning"
    ENDPOINT_MESSAGE = "A table as people send it, made fit for use: choose the rules, see what they change, take the clean table away."
    TRAINING_PROMPT = dedent("""\
        # Data cleaning

        A table as people send it, made fit for use: choose the rules, see what they change, take the clean table away.

        ## The table

        The example is the list of members of a rowing club, as it came from three people's spreadsheets.

        The person gives: A table as CSV.

        ## Rules for all columns

        The person gives: Remove blanks around and inside of values.

        The person gives: Leave cells empty that say n/a, none, - or ?.

        The person gives: Remove rows without any value.

        ## Rules for some columns

        The person gives: Names.

        The person gives: In small letters.

        The person gives: Dates.

        The person gives: Numbers.

        ## The same twice

        The person gives: Rows are the same if these are.

        The person gives: Keep.

        ## The clean table
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
                done="file",
                show="The table",
                refill=False,
            ),
            Step(
                id="step_02",
                done="blanks",
                show="Rules for all columns",
                refill=False,
            ),
            Step(
                id="step_03",
                done="names",
                show="Rules for some columns",
                refill=False,
            ),
            Step(
                id="step_04",
                done="same",
                show="The same twice",
                refill=False,
            ),
            Step(
                id="step_05",
                done="ran",
                show="The clean table",
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
        # The files that the notebook reads; each run works on a copy of its own.
        self.cells = Cells(self, files="data_cleaning.files")
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

    def no_choices(self, choices):
        """Return what stands below a field that has nothing to choose from."""
        if not choices:
            return P(
                "There is nothing to choose from. Change a step above.", cls="notice"
            )

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
    step_01_text = "The example is the list of members of a rowing club, as it came from three people's spreadsheets."

    @cell("eaee692c")
    def step_01_setup(form):
        global widgets, pd  # out: for the cells after
        import ipywidgets as widgets
        import pandas as pd

    @cell("84fc9494")
    def step_01_cell(form):
        global pd  # in: from the cells before
        global raw  # out: for the cells after
        global file  # stays in the notebook's namespace
        file = form["file"]

        raw = pd.read_csv(
            file, dtype=str, keep_default_na=False, sep=None, engine="python"
        )
        raw.columns = raw.columns.str.strip()
        print(f"{len(raw)} rows, {len(raw.columns)} columns.")
        return raw.head(8)

    def step_01_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("A table as CSV", fr="step_01-file"),
                    self.cells.chosen(values.get("file")),
                    Input(
                        id="step_01-file",
                        name="file",
                        aria_invalid="true" if "file" in errors else None,
                        type="file",
                        accept=".csv,.txt",
                        aria_describedby="step_01-file-error",
                        required=not values.get("file"),
                    ),
                    self.error_below("step_01-file", errors.get("file")),
                    cls="field wide",
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
                        Dt("A table as CSV"),
                        Dd(self.cells.file(key, data.get("file"))),
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
                        Dt("A table as CSV"),
                        Dd(self.cells.file(key, data.get("file"))),
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
                        Dt("A table as CSV"),
                        Dd(self.cells.file(key, data.get("file"))),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_01"),
                id="step_01",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "file": "members.csv",
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
        sent = await self.cells.sent(request, files=["file"])
        form, errors = {}, {}
        # A file stays until another one is chosen.
        typed = state.get("_typed", {}).get("step_01", {})
        earlier = {
            "file": "members.csv",
        }
        earlier = earlier | state.get("step_01", {}) | typed
        try:
            form["file"] = await self.cells.uploaded(
                key,
                sent,
                "file",
                earlier.get("file"),
                endings=(".csv", ".txt"),
                max_size=200_000_000,
            )
            if not form["file"]:
                raise ValueError
        except ValueError:
            errors["file"] = (
                "A table as CSV: please choose a file (.csv, .txt) of at most 200 MB."
            )
        errors |= sent.problems

        # Files take their time: another tab may have locked the run by now, or gone back.
        state = self.pip.read_state(key)
        before = self.steps[: self.steps_indices["step_01"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)
        if errors:
            # Files that came along are kept: a browser does not send them twice.
            kept = {name: form.get(name, earlier[name]) for name in ["file"]}
            state["_typed"] = {"step_01": kept}
            self.pip.write_state(key, state)
            return Div(
                Article(
                    H3(step.show),
                    self.cells.markdown(self.step_01_text),
                    self.step_01_form(sent | kept, errors),
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
    @cell("f55d8b37")
    def step_02_cell(form):
        global widgets  # in: from the cells before
        global blanks, gaps, empty_rows  # out: for the cells after
        global display  # given by IPython
        blanks = widgets.Checkbox(
            value=form["blanks"],
            description="Remove blanks around and inside of values",
        )
        gaps = widgets.Checkbox(
            value=form["gaps"],
            description="Leave cells empty that say n/a, none, - or ?",
        )
        empty_rows = widgets.Checkbox(
            value=form["empty_rows"], description="Remove rows without any value"
        )
        return display(blanks, gaps, empty_rows)

    @cell("8517b699")
    def step_02_cell_2(form):
        global raw, blanks, gaps, empty_rows  # in: from the cells before
        global table  # out: for the cells after
        global nothing  # stays in the notebook's namespace
        table = raw.copy()
        if blanks.value:
            table = table.apply(lambda column: column.str.split().str.join(" "))
        if gaps.value:
            nothing = table.apply(
                lambda column: column.str.strip()
                .str.lower()
                .isin(["n/a", "na", "none", "-", "?"])
            )
            table = table.mask(nothing, "")
        if empty_rows.value:
            table = table[(table != "").any(axis=1)]
        print(
            f"{len(raw) - len(table)} rows removed, {int((raw.loc[table.index] != table).to_numpy().sum())} cells changed."
        )

    def step_02_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label(
                        Input(
                            type="checkbox",
                            role="switch",
                            id="step_02-blanks",
                            name="blanks",
                            aria_invalid="true" if "blanks" in errors else None,
                            checked=bool(values.get("blanks")),
                            aria_describedby="step_02-blanks-error",
                        ),
                        "Remove blanks around and inside of values",
                    ),
                    self.error_below("step_02-blanks", errors.get("blanks")),
                    cls="field",
                ),
                Div(
                    Label(
                        Input(
                            type="checkbox",
                            role="switch",
                            id="step_02-gaps",
                            name="gaps",
                            aria_invalid="true" if "gaps" in errors else None,
                            checked=bool(values.get("gaps")),
                            aria_describedby="step_02-gaps-error",
                        ),
                        "Leave cells empty that say n/a, none, - or ?",
                    ),
                    self.error_below("step_02-gaps", errors.get("gaps")),
                    cls="field",
                ),
                Div(
                    Label(
                        Input(
                            type="checkbox",
                            role="switch",
                            id="step_02-empty_rows",
                            name="empty_rows",
                            aria_invalid="true" if "empty_rows" in errors else None,
                            checked=bool(values.get("empty_rows")),
                            aria_describedby="step_02-empty_rows-error",
                        ),
                        "Remove rows without any value",
                    ),
                    self.error_below("step_02-empty_rows", errors.get("empty_rows")),
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
                        Dt("Remove blanks around and inside of values"),
                        Dd("Yes" if data.get("blanks") else "No"),
                        Dt("Leave cells empty that say n/a, none, - or ?"),
                        Dd("Yes" if data.get("gaps") else "No"),
                        Dt("Remove rows without any value"),
                        Dd("Yes" if data.get("empty_rows") else "No"),
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
                        Dt("Remove blanks around and inside of values"),
                        Dd("Yes" if data.get("blanks") else "No"),
                        Dt("Leave cells empty that say n/a, none, - or ?"),
                        Dd("Yes" if data.get("gaps") else "No"),
                        Dt("Remove rows without any value"),
                        Dd("Yes" if data.get("empty_rows") else "No"),
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
                        Dt("Remove blanks around and inside of values"),
                        Dd("Yes" if data.get("blanks") else "No"),
                        Dt("Leave cells empty that say n/a, none, - or ?"),
                        Dd("Yes" if data.get("gaps") else "No"),
                        Dt("Remove rows without any value"),
                        Dd("Yes" if data.get("empty_rows") else "No"),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_02"),
                id="step_02",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "blanks": True,
            "gaps": True,
            "empty_rows": True,
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
        form["blanks"] = "blanks" in sent
        if sent.get("blanks", "on") != "on":
            errors["blanks"] = (
                "Remove blanks around and inside of values: please fill this in."
            )
        form["gaps"] = "gaps" in sent
        if sent.get("gaps", "on") != "on":
            errors["gaps"] = (
                "Leave cells empty that say n/a, none, - or: please fill this in."
            )
        form["empty_rows"] = "empty_rows" in sent
        if sent.get("empty_rows", "on") != "on":
            errors["empty_rows"] = "Remove rows without any value: please fill this in."
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
    @cell("ee80f3e1")
    def step_03_cell(form):
        global raw, table, pd  # in: from the cells before
        global small, neat  # out: for the cells after
        global names, dates, numbers, as_date  # stays in the notebook's namespace
        global as_number, columns, rule, column  # stays in the notebook's namespace
        global before, after, changes  # stays in the notebook's namespace
        names = form["names"]
        small = form["small"]
        dates = form["dates"]
        numbers = form["numbers"]

        def as_date(text):
            """2025-12-31 for a date in one of the usual spellings."""
            for spelling in (
                "%Y-%m-%d",
                "%d.%m.%Y",
                "%d/%m/%Y",
                "%d %B %Y",
                "%d %b %Y",
            ):
                try:
                    return pd.to_datetime(text, format=spelling).strftime("%Y-%m-%d")
                except ValueError:
                    continue
            return ""

        def as_number(text):
            """The number in a text, whichever sign stands before its decimals; empty without one."""
            digits = "".join(c for c in text if c.isdigit() or c in ".,-")
            point = max(digits.rfind("."), digits.rfind(","))
            if 0 <= point and len(digits) - point - 1 in (1, 2):
                digits = (
                    digits[:point].replace(".", "").replace(",", "")
                    + "."
                    + digits[point + 1 :]
                )
            else:
                digits = digits.replace(".", "").replace(",", "")
            try:
                return f"{float(digits):g}"
            except ValueError:
                return ""

        neat = table.copy()
        for columns, rule in (
            (names, str.title),
            (small, str.lower),
            (dates, as_date),
            (numbers, as_number),
        ):
            for column in columns:
                neat[column] = neat[column].map(rule)
        before, after = table.stack(), neat.stack()
        changes = pd.DataFrame({"before": before, "after": after})[before != after]
        changes.index.names = ["row", "column"]
        print(f"{len(changes)} cells changed.")
        return changes.reset_index().groupby("column").head(3)

    @staticmethod
    def step_03_suggestions(form):
        global raw  # in: from the cells before
        return {
            "names": [c for c in raw.columns if "name" in c.lower()],
            "names.choices": list(raw.columns),
            "small": [c for c in raw.columns if "mail" in c.lower()],
            "small.choices": list(raw.columns),
            "dates": [
                c for c in raw.columns if "since" in c.lower() or "date" in c.lower()
            ],
            "dates.choices": list(raw.columns),
            "numbers": [
                c for c in raw.columns if "fee" in c.lower() or "price" in c.lower()
            ],
            "numbers.choices": list(raw.columns),
        }

    def step_03_form(self, values, errors, computed):
        """Return the questions, filled in; an error stands below its field.

        What they ask and offer is `computed` by the cells before, in `step_03_suggestions`.
        """
        return Form(
            Div(
                Div(
                    Fieldset(
                        Legend("Names"),
                        *(
                            Label(
                                Input(
                                    type="checkbox",
                                    name="names",
                                    value=str(choice),
                                    checked=str(choice)
                                    in map(str, values.get("names") or []),
                                ),
                                str(choice),
                            )
                            for choice in computed.get("names.choices", [])
                        ),
                        aria_invalid="true" if "names" in errors else None,
                        cls="choices",
                        aria_describedby="step_03-names-help step_03-names-error",
                    ),
                    Small(
                        "Written with capitals: “ada LOVELACE” becomes “Ada Lovelace”",
                        id="step_03-names-help",
                    ),
                    self.no_choices(computed.get("names.choices", [])),
                    self.error_below("step_03-names", errors.get("names")),
                    cls="field wide",
                ),
                Div(
                    Fieldset(
                        Legend("In small letters"),
                        *(
                            Label(
                                Input(
                                    type="checkbox",
                                    name="small",
                                    value=str(choice),
                                    checked=str(choice)
                                    in map(str, values.get("small") or []),
                                ),
                                str(choice),
                            )
                            for choice in computed.get("small.choices", [])
                        ),
                        aria_invalid="true" if "small" in errors else None,
                        cls="choices",
                        aria_describedby="step_03-small-help step_03-small-error",
                    ),
                    Small("Addresses of mail, for example", id="step_03-small-help"),
                    self.no_choices(computed.get("small.choices", [])),
                    self.error_below("step_03-small", errors.get("small")),
                    cls="field wide",
                ),
                Div(
                    Fieldset(
                        Legend("Dates"),
                        *(
                            Label(
                                Input(
                                    type="checkbox",
                                    name="dates",
                                    value=str(choice),
                                    checked=str(choice)
                                    in map(str, values.get("dates") or []),
                                ),
                                str(choice),
                            )
                            for choice in computed.get("dates.choices", [])
                        ),
                        aria_invalid="true" if "dates" in errors else None,
                        cls="choices",
                        aria_describedby="step_03-dates-help step_03-dates-error",
                    ),
                    Small(
                        "Written as 2025-12-31; what is no date is emptied. 3.4.2025 is in April",
                        id="step_03-dates-help",
                    ),
                    self.no_choices(computed.get("dates.choices", [])),
                    self.error_below("step_03-dates", errors.get("dates")),
                    cls="field wide",
                ),
                Div(
                    Fieldset(
                        Legend("Numbers"),
                        *(
                            Label(
                                Input(
                                    type="checkbox",
                                    name="numbers",
                                    value=str(choice),
                                    checked=str(choice)
                                    in map(str, values.get("numbers") or []),
                                ),
                                str(choice),
                            )
                            for choice in computed.get("numbers.choices", [])
                        ),
                        aria_invalid="true" if "numbers" in errors else None,
                        cls="choices",
                        aria_describedby="step_03-numbers-help step_03-numbers-error",
                    ),
                    Small(
                        "Without currencies; “1.234,50” becomes 1234.5",
                        id="step_03-numbers-help",
                    ),
                    self.no_choices(computed.get("numbers.choices", [])),
                    self.error_below("step_03-numbers", errors.get("numbers")),
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
        computed = state.get("_suggested", {}).get("step_03", {})

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            data = execution.form
            return Div(
                Article(
                    H3(step.show),
                    Dl(
                        Dt("Names"),
                        Dd(self.as_lines(data.get("names"))),
                        Dt("In small letters"),
                        Dd(self.as_lines(data.get("small"))),
                        Dt("Dates"),
                        Dd(self.as_lines(data.get("dates"))),
                        Dt("Numbers"),
                        Dd(self.as_lines(data.get("numbers"))),
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
                        Dt("Names"),
                        Dd(self.as_lines(data.get("names"))),
                        Dt("In small letters"),
                        Dd(self.as_lines(data.get("small"))),
                        Dt("Dates"),
                        Dd(self.as_lines(data.get("dates"))),
                        Dt("Numbers"),
                        Dd(self.as_lines(data.get("numbers"))),
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
                    self.step_03_form(execution.form, {}, computed),
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
                        Dt("Names"),
                        Dd(self.as_lines(data.get("names"))),
                        Dt("In small letters"),
                        Dd(self.as_lines(data.get("small"))),
                        Dt("Dates"),
                        Dd(self.as_lines(data.get("dates"))),
                        Dt("Numbers"),
                        Dd(self.as_lines(data.get("numbers"))),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_03"),
                id="step_03",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "names": None,
            "small": None,
            "dates": None,
            "numbers": None,
        }
        # What the notebook computes from the cells before.
        values |= computed
        typed = state.get("_typed", {}).get("step_03", {})
        return Div(
            Article(
                H3(step.show),
                self.step_03_form(values | data | typed, {}, computed),
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
        computed = state.get("_suggested", {}).get("step_03", {})
        sent = await self.cells.sent(
            request, several=["names", "small", "dates", "numbers"]
        )
        form, errors = {}, {}
        choices = {str(choice): choice for choice in computed.get("names.choices", [])}
        chosen = sent.getlist("names")
        form["names"] = [choices[text] for text in choices if text in chosen]
        if not choices.keys() >= set(chosen):
            errors["names"] = "Names: please choose from the list."
        choices = {str(choice): choice for choice in computed.get("small.choices", [])}
        chosen = sent.getlist("small")
        form["small"] = [choices[text] for text in choices if text in chosen]
        if not choices.keys() >= set(chosen):
            errors["small"] = "In small letters: please choose from the list."
        choices = {str(choice): choice for choice in computed.get("dates.choices", [])}
        chosen = sent.getlist("dates")
        form["dates"] = [choices[text] for text in choices if text in chosen]
        if not choices.keys() >= set(chosen):
            errors["dates"] = "Dates: please choose from the list."
        choices = {
            str(choice): choice for choice in computed.get("numbers.choices", [])
        }
        chosen = sent.getlist("numbers")
        form["numbers"] = [choices[text] for text in choices if text in chosen]
        if not choices.keys() >= set(chosen):
            errors["numbers"] = "Numbers: please choose from the list."
        errors |= sent.problems
        if errors:
            return Div(
                Article(
                    H3(step.show),
                    self.step_03_form(sent, errors, computed),
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
    step_04_kept_choices = (
        "the first",
        "the last",
        "the fullest",
    )

    @cell("c81e21a4")
    def step_04_cell(form):
        global small, neat, pd  # in: from the cells before
        global clean  # out: for the cells after
        global same, kept, filled, order, known  # stays in the notebook's namespace
        global twice  # stays in the notebook's namespace
        same = form["same"]
        kept = form["kept"]

        filled = (neat != "").sum(axis=1)
        order = {"the first": neat.index, "the last": neat.index[::-1]}.get(
            kept, filled.sort_values(ascending=False, kind="stable").index
        )
        # A row that lacks what they are compared by is like no other
        known = (neat[same] != "").all(axis=1)
        twice = (
            neat.loc[order].duplicated(same) & known.loc[order]
            if same
            else pd.Series(False, neat.index)
        )
        clean = neat[~twice.reindex(neat.index)]
        print(f"{int(twice.sum())} rows are there twice.")
        return neat[twice.reindex(neat.index)]

    @staticmethod
    def step_04_suggestions(form):
        global neat, small  # in: from the cells before
        return {
            "same": small or list(neat.columns),
            "same.choices": list(neat.columns),
        }

    def step_04_form(self, values, errors, computed):
        """Return the questions, filled in; an error stands below its field.

        What they ask and offer is `computed` by the cells before, in `step_04_suggestions`.
        """
        return Form(
            Div(
                Div(
                    Fieldset(
                        Legend("Rows are the same if these are"),
                        *(
                            Label(
                                Input(
                                    type="checkbox",
                                    name="same",
                                    value=str(choice),
                                    checked=str(choice)
                                    in map(str, values.get("same") or []),
                                ),
                                str(choice),
                            )
                            for choice in computed.get("same.choices", [])
                        ),
                        aria_invalid="true" if "same" in errors else None,
                        cls="choices",
                        aria_describedby="step_04-same-help step_04-same-error",
                    ),
                    Small("None to keep all rows", id="step_04-same-help"),
                    self.no_choices(computed.get("same.choices", [])),
                    self.error_below("step_04-same", errors.get("same")),
                    cls="field wide",
                ),
                Div(
                    Fieldset(
                        Legend("Keep"),
                        *(
                            Label(
                                Input(
                                    type="radio",
                                    name="kept",
                                    value=str(choice),
                                    checked=values.get("kept") in (choice, str(choice)),
                                    required=True,
                                ),
                                str(choice),
                            )
                            for choice in self.step_04_kept_choices
                        ),
                        role="radiogroup",
                        aria_invalid="true" if "kept" in errors else None,
                        aria_describedby="step_04-kept-error",
                    ),
                    self.error_below("step_04-kept", errors.get("kept")),
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
        computed = state.get("_suggested", {}).get("step_04", {})

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            data = execution.form
            return Div(
                Article(
                    H3(step.show),
                    Dl(
                        Dt("Rows are the same if these are"),
                        Dd(self.as_lines(data.get("same"))),
                        Dt("Keep"),
                        Dd(data.get("kept")),
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
                        Dt("Rows are the same if these are"),
                        Dd(self.as_lines(data.get("same"))),
                        Dt("Keep"),
                        Dd(data.get("kept")),
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
                    self.step_04_form(execution.form, {}, computed),
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
                        Dt("Rows are the same if these are"),
                        Dd(self.as_lines(data.get("same"))),
                        Dt("Keep"),
                        Dd(data.get("kept")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_04"),
                id="step_04",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "same": None,
            "kept": "the fullest",
        }
        # What the notebook computes from the cells before.
        values |= computed
        typed = state.get("_typed", {}).get("step_04", {})
        return Div(
            Article(
                H3(step.show),
                self.step_04_form(values | data | typed, {}, computed),
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
        computed = state.get("_suggested", {}).get("step_04", {})
        sent = await self.cells.sent(request, several=["same"])
        form, errors = {}, {}
        choices = {str(choice): choice for choice in computed.get("same.choices", [])}
        chosen = sent.getlist("same")
        form["same"] = [choices[text] for text in choices if text in chosen]
        if not choices.keys() >= set(chosen):
            errors["same"] = (
                "Rows are the same if these are: please choose from the list."
            )
        choices = {str(choice): choice for choice in self.step_04_kept_choices}
        if sent.get("kept") in choices:
            form["kept"] = choices[sent.get("kept")]
        else:
            errors["kept"] = "Keep: please choose from the list."
        errors |= sent.problems
        if errors:
            return Div(
                Article(
                    H3(step.show),
                    self.step_04_form(sent, errors, computed),
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
    @cell("d2a32a02")
    def step_05_cell(form):
        global clean, raw, pd  # in: from the cells before
        clean.to_csv("clean.csv", index=False)
        print(f"{len(clean)} of {len(raw)} rows are left.")
        return pd.DataFrame(
            {"filled": (clean != "").sum(), "different": clean.nunique()}
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
    # --- STEP_METHODS_INSERTION_POINT ---
