"""The workflow "Ferry log", ported from cell_options.ipynb by `pipulate port`.

A card is a step: `step_NN_cell` is the notebook's code, `step_NN_form` its questions,
`step_NN` draws the card (GET), `step_NN_submit` takes the answers and runs the code
(POST). Change what you like: the next port keeps it. docs/customising.md shows how.
"""

# port: id=7b2e6261eafc notebook=../fixtures/inputs/cell_options.ipynb base=9506e46485cf7ab6
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
    P,
    Response,
    Small,
)
from pipulate_runtime.cells import Cells, cell, cell_text

ROLES = ["Core"]

Step = namedtuple("Step", "id done show refill transform", defaults=(False, None))


class CellOptions:
    # --- START_CLASS_ATTRIBUTES_BUNDLE ---
    APP_NAME = "cell_options"
    DISPLAY_NAME = "Ferry log"
    ACCENT = "#1f5fa8"
    INTRO = "For the people *at the pier*."
    CONTACT = "pier@example.org"
    ENDPOINT_MESSAGE = (
        "The departures of a day, with everything that a cell can be told."
    )
    TRAINING_PROMPT = dedent("""\
        # Ferry log

        The departures of a day, with everything that a cell can be told.

        ## Departures

        ## Ask the pier

        The pier answers when it has time.

        ## Distances

        ## A storm

        ## Leave a word

        The person gives: Word.

        ## Close the day

        The log stays here. Start another run for another day.
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
                show="Departures",
            ),
            Step(
                id="step_02",
                done="ran",
                show="Ask the pier",
            ),
            Step(
                id="step_03",
                done="ran",
                show="Distances",
            ),
            Step(
                id="step_04",
                done="ran",
                show="A storm",
            ),
            Step(
                id="step_05",
                done="word",
                show="Leave a word",
            ),
            Step(
                id="step_06",
                done="ran",
                show="Close the day",
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

    closing_text = "The log stays here. Start another run for another day."

    async def finalize(self, request):
        """GET: the last card. POST: lock the run, if every step is done."""
        run = await self.cells.open_run(request, "finalize")
        if request.method == "POST":
            if await run.lock():
                message = self.step_messages["finalize"]["complete"]
                await self.message_queue.add(self.pip, message, verbatim=True)
            return run.chain()
        text = self.cells.markdown(self.closing_text)
        if run.stage == "locked":
            hint = P("It stays as it is. To change an answer, unlock it first.")
            button = Button("Unlock", type="submit", cls="secondary")
            unlock = self.run_form("unfinalize", button)
            return self.card(run, text, hint, unlock, title="This run is locked")
        if not run.may_submit():
            return Div(id="finalize")
        hint = P("Lock this run to keep it as it is. You can unlock it at any time.")
        button = Button("Finalize", type="submit", cls="primary")
        lock = self.run_form("finalize", button)
        return self.card(run, text, hint, lock, title="All steps are done")

    async def unfinalize(self, request):
        """POST: unlock the run."""
        run = await self.cells.open_run(request, "finalize")
        await run.unlock()
        return run.chain()

    # --- START_STEP_BUNDLE: step_01 ---
    @cell("cells-01")
    def step_01_cell(form):
        global asyncio, departures  # out: for the cells after
        import asyncio

        departures = []

    async def step_01(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_01")
        if run.stage == "running":
            return self.card(run)
        if run.stage == "locked":
            return self.card(run)
        if run.stage == "error":
            return self.card(run, self.form("step_01", button="Run again"))
        if run.stage == "done":
            return self.card(run, back="Run again")
        # Nothing to ask: the card runs as soon as it is on the page.
        return self.card(
            run,
            P("Running…", aria_busy="true"),
            data_state="running",
            hx_post=f"/{self.app_name}/step_01_submit",
            hx_trigger="load",
            hx_swap="outerHTML",
        )

    async def step_01_submit(self, request):
        """POST: run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_01")
        if not run.may_submit():
            return run.chain()

        async def save(cells):
            await run.save({"ran": True, "_cells": cells})

        await self.cells.start(run.key, "step_01", {}, save)
        return await self.step_01(request)

    # --- END_STEP_BUNDLE: step_01 ---

    # --- START_STEP_BUNDLE: step_02 ---
    step_02_text = "The pier answers when it has time."

    @cell("cells-03", show="both", timeout=60.0, checkpoint="always")
    async def step_02_cell(form):
        global asyncio  # in: from the cells before
        global departures  # in and out: changed here
        global ask, hour  # out: for the cells after

        async def ask(hour):
            await asyncio.sleep(0)
            return f"{hour:02}:30"

        for hour in (7, 9, 12):
            departures.append(await ask(hour))
        return departures

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
    # Kept as text, and run by IPython as it is: `from math import *` is not allowed in a function.
    step_03_cell = cell_text(
        "cells-05",
        "#| checkpoint: never\n",
        "from math import *\n",
        "\n",
        "miles = ceil(hypot(3, 4))\n",
        "miles",
        checkpoint="never",
    )

    async def step_03(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_03")
        if run.stage == "running":
            return self.card(run)
        if run.stage == "locked":
            return self.card(run)
        if run.stage == "error":
            return self.card(run, self.form("step_03", button="Run again"))
        if run.stage == "done":
            return self.card(run, back="Run again")
        # Nothing to ask: the card runs as soon as it is on the page.
        return self.card(
            run,
            P("Running…", aria_busy="true"),
            data_state="running",
            hx_post=f"/{self.app_name}/step_03_submit",
            hx_trigger="load",
            hx_swap="outerHTML",
        )

    async def step_03_submit(self, request):
        """POST: run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_03")
        if not run.may_submit():
            return run.chain()

        async def save(cells):
            await run.save({"ran": True, "_cells": cells})

        await self.cells.start(run.key, "step_03", {}, save)
        return await self.step_03(request)

    # --- END_STEP_BUNDLE: step_03 ---

    # --- START_STEP_BUNDLE: step_04 ---
    @cell("cells-07", raises=True)
    def step_04_cell(form):
        global miles, departures  # in: from the cells before
        global display  # given by IPython
        display(f"{miles} miles")
        return departures[12]

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
        # Nothing to ask: the card runs as soon as it is on the page.
        return self.card(
            run,
            P("Running…", aria_busy="true"),
            data_state="running",
            hx_post=f"/{self.app_name}/step_04_submit",
            hx_trigger="load",
            hx_swap="outerHTML",
        )

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

    # --- START_STEP_BUNDLE: step_05 ---
    step_05_labels = {"word": "Word"}  # noqa: RUF012

    @cell("cells-09")
    def step_05_cell(form):
        global departures  # in and out: changed here
        global word  # stays in the notebook's namespace
        word = form["word"]
        departures.append(word)
        print(word, "at", departures[0])

    def step_05_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        labels = self.step_05_labels
        return self.form(
            "step_05",
            self.field(
                "step_05-word",
                labels["word"],
                Input(
                    name="word",
                    value=values.get("word"),
                    type="text",
                    required=True,
                ),
                error=errors.get("word"),
            ),
            button="Continue",
            confirm="Write it into the log?",
        )

    async def step_05(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_05")
        answers = {"word": run.data.get("word")}
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
        values = {"word": "calm"} | run.data | run.typed
        return self.card(run, self.step_05_form(values, {}))

    async def step_05_submit(self, request):
        """POST: read the answers, run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_05")
        if not run.may_submit():
            return run.chain()

        sent = await self.cells.sent(request, labels=run.labels)
        form = {"word": sent.text("word")}
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
    @cell("cells-11")
    def step_06_cell(form):
        global departures  # in: from the cells before
        print(", ".join(departures))

    async def step_06(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_06")
        if run.stage == "running":
            return self.card(run)
        if run.stage == "locked":
            return self.card(run)
        if run.stage == "error":
            return self.card(run, self.form("step_06", button="Run again"))
        if run.stage == "done":
            return self.card(run, back="Run again")
        # Nothing to ask, but the step waits for the button.
        form = self.form(
            "step_06",
            button="Run",
            confirm="Close the log of this day?",
        )
        return self.card(run, form)

    async def step_06_submit(self, request):
        """POST: run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_06")
        if not run.may_submit():
            return run.chain()

        async def save(cells):
            await run.save({"ran": True, "_cells": cells})

        await self.cells.start(run.key, "step_06", {}, save)
        return await self.step_06(request)

    # --- END_STEP_BUNDLE: step_06 ---
    # --- STEP_METHODS_INSERTION_POINT ---
