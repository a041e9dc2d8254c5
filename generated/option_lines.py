"""The workflow "Trip budget", ported from option_lines.ipynb by `pipulate port`.

A card is a step: `step_NN_cell` is the notebook's code, `step_NN_form` its questions,
`step_NN` draws the card (GET), `step_NN_submit` takes the answers and runs the code
(POST). Change what you like: the next port keeps it. docs/customising.md shows how.
"""

# port: id=1f2ccee6d596 notebook=../fixtures/inputs/option_lines.ipynb base=e1aafa687b7925b9
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
    Input,
    Label,
    Option,
    P,
    Response,
    Select,
    Small,
)
from pipulate_runtime.cells import Cells, cell

ROLES = ["Core"]

Step = namedtuple("Step", "id done show refill transform", defaults=(False, None))


class OptionLines:
    # --- START_CLASS_ATTRIBUTES_BUNDLE ---
    APP_NAME = "option_lines"
    DISPLAY_NAME = "Trip budget"
    ENDPOINT_MESSAGE = (
        "What a journey costs, from a few plain assignments that are marked as inputs."
    )
    TRAINING_PROMPT = dedent("""\
        # Trip budget

        What a journey costs, from a few plain assignments that are marked as inputs.

        ## The journey

        The person gives: How many travel.

        The person gives: Distance.

        The person gives: Vehicle.

        ## Cost

        ## Nights

        The person gives: Nights.

        The person gives: With breakfast.

        ## All together
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
                done="people",
                show="The journey",
            ),
            Step(
                id="step_02",
                done="ran",
                show="Cost",
            ),
            Step(
                id="step_03",
                done="nights",
                show="Nights",
            ),
            Step(
                id="step_04",
                done="ran",
                show="All together",
            ),
            # --- STEPS_LIST_INSERTION_POINT ---
            Step(id="finalize", done="finalized", show="Finalize"),
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

    # --- What all cards share ---

    def card(self, run, *content, title=None, answers=None, back=None, **attributes):
        """Return a card: title, text, answers, outputs, and its own content."""
        step = self.steps[self.steps_indices[run.step_id]]
        heading = H3(title or step.show)
        if back:
            style = "display: flex; justify-content: space-between; gap: 1rem"
            heading = Header(heading, self.back_button(step.id, back), style=style)
        text = getattr(self, f"{step.id}_text", "")
        article = [
            heading,
            self.cells.notice(step.id, run.data) if back else None,
            self.cells.markdown(text) if text else None,
            self.answers(run.labels, answers) if answers else None,
            self.cells.follow(run.execution) if run.stage == "running" else None,
            self.cells.show(run.key, run.outputs),
            *content,
        ]
        if run.stage == "running":
            buttons = self.cells.stop_button(run.execution, "Stop")
            article.append(Footer(self.cells.clock(run.execution), buttons))
        state = attributes.pop("data_state", "question" if run.asks else run.stage)
        next_card = run.next_card() if run.stage in ("locked", "done") else None
        return Div(
            Article(*article), next_card, id=step.id, data_state=state, **attributes
        )

    def answers(self, labels, answers):
        """Return what was answered, with the label of each field."""
        pairs = [(Dt(labels.get(name, name)), Dd(answers[name])) for name in answers]
        return Dl(*pairs)

    def field(self, place, label, control, *more, help=None, error=None, cls="field"):
        """Return a question: label, control, help, and the error of its answer."""
        control.attrs["id"] = place
        control.attrs["aria-describedby"] = f"{place}-help {place}-error"
        if help:
            help = Small(help, id=f"{place}-help")
        if error:
            control.attrs["aria-invalid"] = "true"
            error = P(error, id=f"{place}-error", cls="text-invalid", role="alert")
        labelled = [Label(label, fr=place), control]
        if control.attrs.get("role") == "switch":
            labelled = [Label(control, label)]
        return Div(*labelled, *more, help, error, cls=cls)

    def form(self, step_id, *fields, button, confirm=None):
        """Return the form of a step."""
        return Form(
            Div(*fields, cls="fields") if fields else None,
            Button(button, type="submit", cls="primary"),
            hx_post=f"/{self.app_name}/{step_id}_submit",
            hx_target=f"#{step_id}",
            hx_swap="outerHTML",
            hx_confirm=confirm,
        )

    def run_form(self, route, *content, **attributes):
        """Return a form for the whole run: all its cards are drawn anew."""
        return Form(
            *content,
            hx_post=f"/{self.app_name}/{route}",
            hx_target=f"#{self.app_name}-container",
            hx_swap="outerHTML",
            **attributes,
        )

    def back_button(self, step_id, label):
        """Return the button that goes back to a step; later steps are cleared."""
        title = self.steps[self.steps_indices[step_id]].show
        button = Button(
            label,
            type="submit",
            cls="button-revert",
            aria_label=f"{label}: {title}",
            style="width: auto; margin: 0; padding: 0.25rem 0.75rem",
        )
        hidden = Input(type="hidden", name="step_id", value=step_id)
        return self.run_form("revert", hidden, button, style="flex: none; margin: 0")

    async def landing(self, request):
        """GET: the first page, where a run is started or taken up again."""
        return self.pip.create_standard_landing_page(self)

    async def init(self, request):
        """POST: start the run that was named, or take it up where it was left."""
        typed = (await request.form()).get("pipeline_id", "").strip()
        if not typed:
            return Response(headers={"HX-Refresh": "true"})
        key, prefix, _ = self.pip.generate_pipeline_key(self, typed)
        key = typed if typed.startswith(prefix) else key
        _, error = self.pip.initialize_if_missing(key, {"app_name": self.app_name})
        if error:
            return error
        self.pip.db["pipeline_id"] = key
        await self.message_queue.add(self.pip, self.step_messages["new"], verbatim=True)
        return self.cells.chain(key)

    async def handle_revert(self, request):
        """POST: go back to a step. Its answers stay; later steps are cleared."""
        step_id = (await request.form()).get("step_id", "")
        run = await self.cells.open_run(request, step_id)
        await run.reopen()
        return run.chain()

    async def finalize(self, request):
        """GET: the last card. POST: lock the run, if every step is done."""
        run = await self.cells.open_run(request, "finalize")
        if request.method == "POST":
            if await run.lock():
                message = self.step_messages["finalize"]["complete"]
                await self.message_queue.add(self.pip, message, verbatim=True)
            return run.chain()
        if run.stage == "locked":
            hint = P("It stays as it is. To change an answer, unlock it first.")
            button = Button("Unlock", type="submit", cls="secondary")
            unlock = self.run_form("unfinalize", button)
            return self.card(run, hint, unlock, title="This run is locked")
        if not run.may_submit():
            return Div(id="finalize")
        hint = P("Lock this run to keep it as it is. You can unlock it at any time.")
        button = Button("Finalize", type="submit", cls="primary")
        lock = self.run_form("finalize", button)
        return self.card(run, hint, lock, title="All steps are done")

    async def unfinalize(self, request):
        """POST: unlock the run."""
        run = await self.cells.open_run(request, "finalize")
        await run.unlock()
        return run.chain()

    # --- START_STEP_BUNDLE: step_01 ---
    step_01_labels = {  # noqa: RUF012
        "people": "How many travel",
        "distance": "Distance",
        "vehicle": "Vehicle",
    }

    step_01_vehicle_choices = (
        "car",
        "train",
        "bus",
    )

    @cell("option-01")
    def step_01_cell(form):
        global people, distance, vehicle, rates  # out: for the cells after
        people = form["people"]
        distance = form["distance"]
        vehicle = form["vehicle"]
        rates = {"car": 0.30, "train": 0.12, "bus": 0.08}

    def step_01_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        labels = self.step_01_labels
        return self.form(
            "step_01",
            self.field(
                "step_01-people",
                labels["people"],
                Input(
                    name="people",
                    value=values.get("people"),
                    type="number",
                    step="1",
                    min="1",
                    max="12",
                    required=True,
                ),
                error=errors.get("people"),
            ),
            self.field(
                "step_01-distance",
                labels["distance"],
                Input(
                    name="distance",
                    value=values.get("distance"),
                    type="number",
                    step="1",
                    required=True,
                ),
                help="There and back in kilometres",
                error=errors.get("distance"),
            ),
            self.field(
                "step_01-vehicle",
                labels["vehicle"],
                Select(
                    *(
                        Option(
                            str(choice),
                            value=str(choice),
                            selected=values.get("vehicle") in (choice, str(choice)),
                        )
                        for choice in self.step_01_vehicle_choices
                    ),
                    name="vehicle",
                    required=True,
                ),
                error=errors.get("vehicle"),
            ),
            button="Continue",
        )

    async def step_01(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_01")
        answers = {
            "people": run.data.get("people"),
            "distance": run.data.get("distance"),
            "vehicle": run.data.get("vehicle"),
        }
        if run.stage == "running":
            return self.card(run, answers=answers)
        if run.stage == "locked":
            return self.card(run, answers=answers)
        if run.stage == "error":
            form = self.step_01_form(run.execution.form, {})
            return self.card(run, form)
        if run.stage == "done":
            return self.card(run, answers=answers, back="Change")
        # The questions, with earlier answers or the notebook's values.
        values = {
            "people": 2,
            "distance": 640,
            "vehicle": "train",
        } | run.data | run.typed
        return self.card(run, self.step_01_form(values, {}))

    async def step_01_submit(self, request):
        """POST: read the answers, run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_01")
        if not run.may_submit():
            return run.chain()

        sent = await self.cells.sent(request, labels=run.labels)
        form = {
            "people": sent.integer("people", min=1, max=12),
            "distance": sent.integer("distance"),
            "vehicle": sent.choice("vehicle", self.step_01_vehicle_choices),
        }
        if sent.errors:
            asked = self.step_01_form(sent, sent.errors)
            return self.card(run.refused(), asked)
        run.keep_typed(form)

        async def save(cells):
            await run.save({**form, "_cells": cells})

        await self.cells.start(run.key, "step_01", form, save)
        return await self.step_01(request)

    # --- END_STEP_BUNDLE: step_01 ---

    # --- START_STEP_BUNDLE: step_02 ---
    @cell("option-02")
    def step_02_cell(form):
        global rates, vehicle, distance, people  # in: from the cells before
        global cost  # out: for the cells after
        cost = rates[vehicle] * distance * (1 if vehicle == "car" else people)
        print(f"{people} by {vehicle}: {cost:.2f}")

    async def step_02(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_02")
        if run.stage == "running":
            return self.card(run)
        if run.stage == "locked":
            return self.card(run)
        if run.stage == "error":
            return self.card(run, self.form("step_02", button="Run again"))
        if run.stage == "done":
            return self.card(run, back="Run again")
        # Nothing to ask: the card runs as soon as it is on the page.
        return self.card(
            run,
            P("Running…", aria_busy="true"),
            data_state="running",
            hx_post=f"/{self.app_name}/step_02_submit",
            hx_trigger="load",
            hx_swap="outerHTML",
        )

    async def step_02_submit(self, request):
        """POST: run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_02")
        if not run.may_submit():
            return run.chain()

        async def save(cells):
            await run.save({"ran": True, "_cells": cells})

        await self.cells.start(run.key, "step_02", {}, save)
        return await self.step_02(request)

    # --- END_STEP_BUNDLE: step_02 ---

    # --- START_STEP_BUNDLE: step_03 ---
    step_03_labels = {  # noqa: RUF012
        "nights": "Nights",
        "breakfast": "With breakfast",
    }

    @cell("option-04")
    def step_03_cell(form):
        global people  # in: from the cells before
        global stay  # out: for the cells after
        global nights, breakfast  # stays in the notebook's namespace
        nights = form["nights"]
        breakfast = form["breakfast"]
        stay = nights * people * (85 + 12 * breakfast)
        return stay

    def step_03_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        labels = self.step_03_labels
        return self.form(
            "step_03",
            self.field(
                "step_03-nights",
                labels["nights"],
                Input(
                    name="nights",
                    value=values.get("nights"),
                    type="number",
                    step="1",
                    min="0",
                    max="30",
                    required=True,
                ),
                error=errors.get("nights"),
            ),
            self.field(
                "step_03-breakfast",
                labels["breakfast"],
                Input(
                    type="checkbox",
                    role="switch",
                    name="breakfast",
                    checked=bool(values.get("breakfast")),
                ),
                error=errors.get("breakfast"),
            ),
            button="Continue",
        )

    async def step_03(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_03")
        answers = {
            "nights": run.data.get("nights"),
            "breakfast": "Yes" if run.data.get("breakfast") else "No",
        }
        if run.stage == "running":
            return self.card(run, answers=answers)
        if run.stage == "locked":
            return self.card(run, answers=answers)
        if run.stage == "error":
            form = self.step_03_form(run.execution.form, {})
            return self.card(run, form)
        if run.stage == "done":
            return self.card(run, answers=answers, back="Change")
        # The questions, with earlier answers or the notebook's values.
        values = {"nights": 3, "breakfast": False} | run.data | run.typed
        return self.card(run, self.step_03_form(values, {}))

    async def step_03_submit(self, request):
        """POST: read the answers, run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_03")
        if not run.may_submit():
            return run.chain()

        sent = await self.cells.sent(request, labels=run.labels)
        form = {
            "nights": sent.integer("nights", min=0, max=30),
            "breakfast": sent.switch("breakfast"),
        }
        if sent.errors:
            asked = self.step_03_form(sent, sent.errors)
            return self.card(run.refused(), asked)
        run.keep_typed(form)

        async def save(cells):
            await run.save({**form, "_cells": cells})

        await self.cells.start(run.key, "step_03", form, save)
        return await self.step_03(request)

    # --- END_STEP_BUNDLE: step_03 ---

    # --- START_STEP_BUNDLE: step_04 ---
    @cell("option-06")
    def step_04_cell(form):
        global cost, stay  # in: from the cells before
        return round(cost + stay, 2)

    async def step_04(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_04")
        if run.stage == "running":
            return self.card(run)
        if run.stage == "locked":
            return self.card(run)
        if run.stage == "error":
            return self.card(run, self.form("step_04", button="Run again"))
        if run.stage == "done":
            return self.card(run, back="Run again")
        # Nothing to ask, but the step waits for the button.
        return self.card(run, self.form("step_04", button="Run"))

    async def step_04_submit(self, request):
        """POST: run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_04")
        if not run.may_submit():
            return run.chain()

        async def save(cells):
            await run.save({"ran": True, "_cells": cells})

        await self.cells.start(run.key, "step_04", {}, save)
        return await self.step_04(request)

    # --- END_STEP_BUNDLE: step_04 ---
    # --- STEP_METHODS_INSERTION_POINT ---
