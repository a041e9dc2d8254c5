"""The workflow "A loaf in ten cards", ported from ten_cards.ipynb by `pipulate port`.

A card is a step: `step_NN_cell` is the notebook's code, `step_NN_form` its questions,
`step_NN` draws the card (GET), `step_NN_submit` takes the answers and runs the code
(POST). Change what you like: the next port keeps it. docs/customising.md shows how.
"""

# port: id=bf51122d7c09 notebook=../fixtures/flows/ten_cards.ipynb base=b874ca6bc6fc246e
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

Step = namedtuple("Step", "id done show refill transform", defaults=(False, None))


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
            ),
            Step(
                id="step_02",
                done="kind",
                show="Kind of flour",
            ),
            Step(
                id="step_03",
                done="water",
                show="Water",
            ),
            Step(
                id="step_04",
                done="salt",
                show="Salt",
            ),
            Step(
                id="step_05",
                done="hours",
                show="How long it may rise",
            ),
            Step(
                id="step_06",
                done="yeast",
                show="Yeast",
            ),
            Step(
                id="step_07",
                done="loaves",
                show="Loaves",
            ),
            Step(
                id="step_08",
                done="degrees",
                show="The oven",
            ),
            Step(
                id="step_09",
                done="ready",
                show="When to eat",
            ),
            Step(
                id="step_10",
                done="ran",
                show="The recipe",
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
        if control.tag == "fieldset":
            control.children = (Legend(label), *control.children)
            labelled = [control]
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
    step_01_labels = {"flour": "Flour in grams"}  # noqa: RUF012

    @cell("699c7bba")
    def step_01_cell(form):
        global flour  # out: for the cells after
        flour = form["flour"]

        print(f"{flour} g of flour. Everything else is measured against it.")

    def step_01_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        labels = self.step_01_labels
        return self.form(
            "step_01",
            self.field(
                "step_01-flour",
                labels["flour"],
                Input(
                    name="flour",
                    value=values.get("flour"),
                    type="number",
                    step="1",
                    min="100",
                    max="5000",
                    required=True,
                ),
                error=errors.get("flour"),
            ),
            button="Continue",
        )

    async def step_01(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_01")
        answers = {"flour": run.data.get("flour")}
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
        values = {"flour": 500} | run.data | run.typed
        return self.card(run, self.step_01_form(values, {}))

    async def step_01_submit(self, request):
        """POST: read the answers, run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_01")
        if not run.may_submit():
            return run.chain()

        sent = await self.cells.sent(request, labels=run.labels)
        form = {"flour": sent.integer("flour", min=100, max=5000)}
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
    step_02_labels = {"kind": "Kind of flour"}  # noqa: RUF012

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
        print(f"{kind.capitalize()} flour takes up about {thirst} % of its weight in water.")

    def step_02_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        labels = self.step_02_labels
        return self.form(
            "step_02",
            self.field(
                "step_02-kind",
                labels["kind"],
                Fieldset(
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
                ),
                error=errors.get("kind"),
            ),
            button="Continue",
        )

    async def step_02(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_02")
        answers = {"kind": run.data.get("kind")}
        if run.stage == "running":
            return self.card(run, answers=answers)
        if run.stage == "locked":
            return self.card(run, answers=answers)
        if run.stage == "error":
            form = self.step_02_form(run.execution.form, {})
            return self.card(run, form)
        if run.stage == "done":
            return self.card(run, answers=answers, back="Change")
        # The questions, with earlier answers or the notebook's values.
        values = {"kind": "white"} | run.data | run.typed
        return self.card(run, self.step_02_form(values, {}))

    async def step_02_submit(self, request):
        """POST: read the answers, run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_02")
        if not run.may_submit():
            return run.chain()

        sent = await self.cells.sent(request, labels=run.labels)
        form = {"kind": sent.choice("kind", self.step_02_kind_choices)}
        if sent.errors:
            asked = self.step_02_form(sent, sent.errors)
            return self.card(run.refused(), asked)
        run.keep_typed(form)

        async def save(cells):
            await run.save({**form, "_cells": cells})

        await self.cells.start(run.key, "step_02", form, save)
        return await self.step_02(request)

    # --- END_STEP_BUNDLE: step_02 ---

    # --- START_STEP_BUNDLE: step_03 ---
    step_03_labels = {"water": "Water in grams"}  # noqa: RUF012

    @cell("e4a04d50")
    def step_03_cell(form):
        global flour, thirst  # in: from the cells before
        global water  # out: for the cells after
        water = form["water"]

        print(f"{flour + water} g of dough so far, {water / flour:.0%} of the flour in water.")

    @staticmethod
    def step_03_suggestions(form):
        global flour, thirst  # in: from the cells before
        return {
            "water": int(flour * thirst / 100),
        }

    def step_03_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        labels = self.step_03_labels
        return self.form(
            "step_03",
            self.field(
                "step_03-water",
                labels["water"],
                Input(
                    name="water",
                    value=values.get("water"),
                    type="number",
                    step="1",
                    min="0",
                    required=True,
                ),
                help="What this kind of flour takes up",
                error=errors.get("water"),
            ),
            button="Continue",
        )

    async def step_03(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_03")
        answers = {"water": run.data.get("water")}
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
        values = {"water": None}
        # What the notebook computes from the cells before.
        values = values | run.computed | run.data | run.typed
        return self.card(run, self.step_03_form(values, {}))

    async def step_03_submit(self, request):
        """POST: read the answers, run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_03")
        if not run.may_submit():
            return run.chain()

        sent = await self.cells.sent(request, labels=run.labels)
        form = {"water": sent.integer("water", min=0)}
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
    step_04_labels = {"salt": "Salt in grams"}  # noqa: RUF012

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
        labels = self.step_04_labels
        return self.form(
            "step_04",
            self.field(
                "step_04-salt",
                labels["salt"],
                Input(
                    name="salt",
                    value=values.get("salt"),
                    type="number",
                    step="1",
                    min="0",
                    required=True,
                ),
                help="Two percent of the flour",
                error=errors.get("salt"),
            ),
            button="Continue",
        )

    async def step_04(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_04")
        answers = {"salt": run.data.get("salt")}
        if run.stage == "running":
            return self.card(run, answers=answers)
        if run.stage == "locked":
            return self.card(run, answers=answers)
        if run.stage == "error":
            form = self.step_04_form(run.execution.form, {})
            return self.card(run, form)
        if run.stage == "done":
            return self.card(run, answers=answers, back="Change")
        # The questions, with earlier answers or the notebook's values.
        values = {"salt": None}
        # What the notebook computes from the cells before.
        values = values | run.computed | run.data | run.typed
        return self.card(run, self.step_04_form(values, {}))

    async def step_04_submit(self, request):
        """POST: read the answers, run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_04")
        if not run.may_submit():
            return run.chain()

        sent = await self.cells.sent(request, labels=run.labels)
        form = {"salt": sent.integer("salt", min=0)}
        if sent.errors:
            asked = self.step_04_form(sent, sent.errors)
            return self.card(run.refused(), asked)
        run.keep_typed(form)

        async def save(cells):
            await run.save({**form, "_cells": cells})

        await self.cells.start(run.key, "step_04", form, save)
        return await self.step_04(request)

    # --- END_STEP_BUNDLE: step_04 ---

    # --- START_STEP_BUNDLE: step_05 ---
    step_05_labels = {"hours": "Hours"}  # noqa: RUF012

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
        labels = self.step_05_labels
        return self.form(
            "step_05",
            self.field(
                "step_05-hours",
                labels["hours"],
                Input(
                    name="hours",
                    value=values.get("hours"),
                    type="range",
                    step="1",
                    min="2",
                    max="24",
                    required=True,
                ),
                Output(values.get("hours"), fr="step_05-hours"),
                error=errors.get("hours"),
            ),
            button="Continue",
        )

    async def step_05(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_05")
        answers = {"hours": run.data.get("hours")}
        if run.stage == "running":
            return self.card(run, answers=answers)
        if run.stage == "locked":
            return self.card(run, answers=answers)
        if run.stage == "error":
            form = self.step_05_form(run.execution.form, {})
            return self.card(run, form)
        if run.stage == "done":
            return self.card(run, answers=answers, back="Change")
        # The questions, with earlier answers or the notebook's values.
        values = {"hours": None}
        # What the notebook computes from the cells before.
        values = values | run.computed | run.data | run.typed
        return self.card(run, self.step_05_form(values, {}))

    async def step_05_submit(self, request):
        """POST: read the answers, run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_05")
        if not run.may_submit():
            return run.chain()

        sent = await self.cells.sent(request, labels=run.labels)
        form = {"hours": sent.integer("hours", min=2, max=24)}
        if sent.errors:
            asked = self.step_05_form(sent, sent.errors)
            return self.card(run.refused(), asked)
        run.keep_typed(form)

        async def save(cells):
            await run.save({**form, "_cells": cells})

        await self.cells.start(run.key, "step_05", form, save)
        return await self.step_05(request)

    # --- END_STEP_BUNDLE: step_05 ---

    # --- START_STEP_BUNDLE: step_06 ---
    step_06_text = "The longer the dough rises, the less yeast it needs."

    step_06_labels = {"yeast": "Fresh yeast in grams"}  # noqa: RUF012

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
        labels = self.step_06_labels
        return self.form(
            "step_06",
            self.field(
                "step_06-yeast",
                labels["yeast"],
                Input(
                    name="yeast",
                    value=values.get("yeast"),
                    type="number",
                    step="0.1",
                    min="0.1",
                    required=True,
                ),
                error=errors.get("yeast"),
            ),
            button="Continue",
        )

    async def step_06(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_06")
        answers = {"yeast": run.data.get("yeast")}
        if run.stage == "running":
            return self.card(run, answers=answers)
        if run.stage == "locked":
            return self.card(run, answers=answers)
        if run.stage == "error":
            form = self.step_06_form(run.execution.form, {})
            return self.card(run, form)
        if run.stage == "done":
            return self.card(run, answers=answers, back="Change")
        # The questions, with earlier answers or the notebook's values.
        values = {"yeast": None}
        # What the notebook computes from the cells before.
        values = values | run.computed | run.data | run.typed
        return self.card(run, self.step_06_form(values, {}))

    async def step_06_submit(self, request):
        """POST: read the answers, run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_06")
        if not run.may_submit():
            return run.chain()

        sent = await self.cells.sent(request, labels=run.labels)
        form = {"yeast": sent.number("yeast", min=0.1, step=0.1, keep_whole=True)}
        if sent.errors:
            asked = self.step_06_form(sent, sent.errors)
            return self.card(run.refused(), asked)
        run.keep_typed(form)

        async def save(cells):
            await run.save({**form, "_cells": cells})

        await self.cells.start(run.key, "step_06", form, save)
        return await self.step_06(request)

    # --- END_STEP_BUNDLE: step_06 ---

    # --- START_STEP_BUNDLE: step_07 ---
    step_07_labels = {"loaves": "How many loaves"}  # noqa: RUF012

    @cell("38d49d3a")
    def step_07_cell(form):
        global flour, water, salt, yeast  # in: from the cells before
        global loaves, dough  # out: for the cells after
        loaves = form["loaves"]

        dough = flour + water + salt + yeast
        print(f"{dough:.0f} g of dough, {dough / loaves:.0f} g a loaf.")

    def step_07_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        labels = self.step_07_labels
        return self.form(
            "step_07",
            self.field(
                "step_07-loaves",
                labels["loaves"],
                Input(
                    name="loaves",
                    value=values.get("loaves"),
                    type="number",
                    step="1",
                    min="1",
                    max="12",
                    required=True,
                ),
                error=errors.get("loaves"),
            ),
            button="Continue",
        )

    async def step_07(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_07")
        answers = {"loaves": run.data.get("loaves")}
        if run.stage == "running":
            return self.card(run, answers=answers)
        if run.stage == "locked":
            return self.card(run, answers=answers)
        if run.stage == "error":
            form = self.step_07_form(run.execution.form, {})
            return self.card(run, form)
        if run.stage == "done":
            return self.card(run, answers=answers, back="Change")
        # The questions, with earlier answers or the notebook's values.
        values = {"loaves": 1} | run.data | run.typed
        return self.card(run, self.step_07_form(values, {}))

    async def step_07_submit(self, request):
        """POST: read the answers, run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_07")
        if not run.may_submit():
            return run.chain()

        sent = await self.cells.sent(request, labels=run.labels)
        form = {"loaves": sent.integer("loaves", min=1, max=12)}
        if sent.errors:
            asked = self.step_07_form(sent, sent.errors)
            return self.card(run.refused(), asked)
        run.keep_typed(form)

        async def save(cells):
            await run.save({**form, "_cells": cells})

        await self.cells.start(run.key, "step_07", form, save)
        return await self.step_07(request)

    # --- END_STEP_BUNDLE: step_07 ---

    # --- START_STEP_BUNDLE: step_08 ---
    step_08_labels = {"degrees": "Degrees Celsius"}  # noqa: RUF012

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
        labels = self.step_08_labels
        return self.form(
            "step_08",
            self.field(
                "step_08-degrees",
                labels["degrees"],
                Input(
                    name="degrees",
                    value=values.get("degrees"),
                    type="number",
                    step="1",
                    min="150",
                    max="280",
                    required=True,
                ),
                error=errors.get("degrees"),
            ),
            button="Continue",
        )

    async def step_08(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_08")
        answers = {"degrees": run.data.get("degrees")}
        if run.stage == "running":
            return self.card(run, answers=answers)
        if run.stage == "locked":
            return self.card(run, answers=answers)
        if run.stage == "error":
            form = self.step_08_form(run.execution.form, {})
            return self.card(run, form)
        if run.stage == "done":
            return self.card(run, answers=answers, back="Change")
        # The questions, with earlier answers or the notebook's values.
        values = {"degrees": None}
        # What the notebook computes from the cells before.
        values = values | run.computed | run.data | run.typed
        return self.card(run, self.step_08_form(values, {}))

    async def step_08_submit(self, request):
        """POST: read the answers, run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_08")
        if not run.may_submit():
            return run.chain()

        sent = await self.cells.sent(request, labels=run.labels)
        form = {"degrees": sent.integer("degrees", min=150, max=280)}
        if sent.errors:
            asked = self.step_08_form(sent, sent.errors)
            return self.card(run.refused(), asked)
        run.keep_typed(form)

        async def save(cells):
            await run.save({**form, "_cells": cells})

        await self.cells.start(run.key, "step_08", form, save)
        return await self.step_08(request)

    # --- END_STEP_BUNDLE: step_08 ---

    # --- START_STEP_BUNDLE: step_09 ---
    step_09_labels = {"ready": "The bread is cold at"}  # noqa: RUF012

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
        labels = self.step_09_labels
        return self.form(
            "step_09",
            self.field(
                "step_09-ready",
                labels["ready"],
                Input(
                    name="ready",
                    value=str(values.get("ready") or "").replace(" ", "T"),
                    type="datetime-local",
                    required=True,
                ),
                error=errors.get("ready"),
            ),
            button="Continue",
        )

    async def step_09(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_09")
        answers = {"ready": str(run.data.get("ready") or "").replace("T", " ")}
        if run.stage == "running":
            return self.card(run, answers=answers)
        if run.stage == "locked":
            return self.card(run, answers=answers)
        if run.stage == "error":
            form = self.step_09_form(run.execution.form, {})
            return self.card(run, form)
        if run.stage == "done":
            return self.card(run, answers=answers, back="Change")
        # The questions, with earlier answers or the notebook's values.
        values = {"ready": "2026-05-02T09:00"} | run.data | run.typed
        return self.card(run, self.step_09_form(values, {}))

    async def step_09_submit(self, request):
        """POST: read the answers, run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_09")
        if not run.may_submit():
            return run.chain()

        sent = await self.cells.sent(request, labels=run.labels)
        form = {"ready": sent.datetime("ready")}
        if sent.errors:
            asked = self.step_09_form(sent, sent.errors)
            return self.card(run.refused(), asked)
        run.keep_typed(form)

        async def save(cells):
            await run.save({**form, "_cells": cells})

        await self.cells.start(run.key, "step_09", form, save)
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

        return Markdown(
            f"""| what | how much |
|---|---:|
| {kind} flour | {flour} g |
| water | {water} g |
| salt | {salt} g |
| fresh yeast | {yeast:g} g |

1. **{begin:%H:%M}** Mix everything and let it rise for {hours} hours.
2. Shape {loaves} {"loaf" if loaves == 1 else "loaves"} and heat the oven to {degrees} °C.
3. **{out - timedelta(minutes=minutes):%H:%M}** Bake for {minutes} minutes.
4. **{out:%H:%M}** Take it out, and wait until it is cold."""
        )

    async def step_10(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_10")
        if run.stage == "running":
            return self.card(run)
        if run.stage == "locked":
            return self.card(run)
        if run.stage == "error":
            return self.card(run, self.form("step_10", button="Run again"))
        if run.stage == "done":
            return self.card(run, back="Run again")
        # Nothing to ask: the card runs as soon as it is on the page.
        return self.card(
            run,
            P("Running…", aria_busy="true"),
            data_state="running",
            hx_post=f"/{self.app_name}/step_10_submit",
            hx_trigger="load",
            hx_swap="outerHTML",
        )

    async def step_10_submit(self, request):
        """POST: run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_10")
        if not run.may_submit():
            return run.chain()

        async def save(cells):
            await run.save({"ran": True, "_cells": cells})

        await self.cells.start(run.key, "step_10", {}, save)
        return await self.step_10(request)

    # --- END_STEP_BUNDLE: step_10 ---
    # --- STEP_METHODS_INSERTION_POINT ---
