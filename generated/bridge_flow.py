"""The workflow "The Bridge of Death", ported from bridge_flow.ipynb by `pipulate port`.

A card is a step: `step_NN_cell` is the notebook's code, `step_NN_form` its questions,
`step_NN` draws the card (GET), `step_NN_submit` takes the answers and runs the code
(POST). Change what you like: the next port keeps it. docs/customising.md shows how.
"""

# port: id=458de193f261 notebook=../fixtures/flows/bridge_flow.ipynb base=50d57646caef8dc4
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
    P,
    Response,
    Small,
)
from pipulate_runtime.cells import Cells, cell

ROLES = ["Core"]

Step = namedtuple("Step", "id done show refill transform", defaults=(False, None))


class BridgeFlow:
    # --- START_CLASS_ATTRIBUTES_BUNDLE ---
    APP_NAME = "bridge_flow"
    DISPLAY_NAME = "The Bridge of Death"
    ENDPOINT_MESSAGE = "Three questions stand between you and the other side. The second answer decides the third question."
    TRAINING_PROMPT = dedent("""\
        # The Bridge of Death

        Three questions stand between you and the other side. The second answer decides the third question.

        ## The first question

        An old keeper guards the only bridge over the gorge. Who answers well may cross; who does not is thrown off.

        The person gives: Stop! What is your name?.

        ## The second question

        The person gives: And what is your quest?.

        ## The third question

        The person gives: Answer.

        ## The other side
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
                done="name",
                show="The first question",
            ),
            Step(
                id="step_02",
                done="quest",
                show="The second question",
            ),
            Step(
                id="step_03",
                done="answer",
                show="The third question",
            ),
            Step(
                id="step_04",
                done="ran",
                show="The other side",
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

    def no_choices(self, choices):
        """Return what stands below a field that has nothing to choose from."""
        if not choices:
            return P(
                "There is nothing to choose from. Change a step above.", cls="notice"
            )

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
    step_01_text = "An old keeper guards the only bridge over the gorge. Who answers well may cross; who does not is thrown off."

    step_01_labels = {"name": "Stop! What is your name?"}  # noqa: RUF012

    @cell("280a19e9")
    def step_01_setup(form):
        global Markdown  # out: for the cells after
        from IPython.display import Markdown

    @cell("ed8b03f3")
    def step_01_cell(form):
        global Markdown  # in: from the cells before
        global name  # out: for the cells after
        name = form["name"]

        return Markdown(
            f"The keeper looks {name} up and down and turns a page of his book."
        )

    def step_01_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        labels = self.step_01_labels
        return self.form(
            "step_01",
            self.field(
                "step_01-name",
                labels["name"],
                Input(
                    name="name",
                    value=values.get("name"),
                    type="text",
                    required=True,
                ),
                error=errors.get("name"),
            ),
            button="Continue",
        )

    async def step_01(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_01")
        answers = {"name": run.data.get("name")}
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
        values = {"name": "Arthur"} | run.data | run.typed
        return self.card(run, self.step_01_form(values, {}))

    async def step_01_submit(self, request):
        """POST: read the answers, run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_01")
        if not run.may_submit():
            return run.chain()

        sent = await self.cells.sent(request, labels=run.labels)
        form = {"name": sent.text("name")}
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
    step_02_labels = {"quest": "And what is your quest?"}  # noqa: RUF012

    step_02_quest_choices = (
        "The grail",
        "A shrubbery",
        "Just the view",
    )

    @cell("5e410277")
    def step_02_cell(form):
        global Markdown  # in: from the cells before
        global quest, question, right, answers  # out: for the cells after
        global riddles, wrong  # stays in the notebook's namespace
        quest = form["quest"]

        # For each quest a question, the right answer, and others
        riddles = {
            "The grail": (
                "How fast does a swallow fly when it carries nothing?",
                "An African or a European swallow?",
                ["Eleven metres a second", "Faster than a coconut"],
            ),
            "A shrubbery": (
                "How tall may a shrub grow before it is a tree?",
                "Who is measuring?",
                ["Up to a knight's knee", "Up to a knight's helmet"],
            ),
            "Just the view": ("What is your favourite colour?", "Blue", ["Yellow", "Blue. No, yellow!"]),
        }
        question, right, wrong = riddles[quest]
        answers = sorted([right, *wrong])
        return Markdown(f"“{quest}?” The keeper nods slowly. “Then answer me this.”")

    def step_02_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        labels = self.step_02_labels
        return self.form(
            "step_02",
            self.field(
                "step_02-quest",
                labels["quest"],
                Fieldset(
                    *(
                        Label(
                            Input(
                                type="radio",
                                name="quest",
                                value=str(choice),
                                checked=values.get("quest") in (choice, str(choice)),
                                required=True,
                            ),
                            str(choice),
                        )
                        for choice in self.step_02_quest_choices
                    ),
                    role="radiogroup",
                ),
                error=errors.get("quest"),
            ),
            button="Continue",
        )

    async def step_02(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_02")
        answers = {"quest": run.data.get("quest")}
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
        values = {"quest": "The grail"} | run.data | run.typed
        return self.card(run, self.step_02_form(values, {}))

    async def step_02_submit(self, request):
        """POST: read the answers, run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_02")
        if not run.may_submit():
            return run.chain()

        sent = await self.cells.sent(request, labels=run.labels)
        form = {"quest": sent.choice("quest", self.step_02_quest_choices)}
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
    step_03_labels = {"answer": "Answer"}  # noqa: RUF012

    @cell("97b52117")
    def step_03_cell(form):
        global answers, right, name, Markdown  # in: from the cells before
        global answer  # stays in the notebook's namespace
        answer = form["answer"]

        if answer != right:
            raise SystemExit(f"“Wrong!” You are thrown off the bridge, {name}. Climb up again and think twice.")
        return Markdown("The keeper opens his mouth, closes it, and stands aside.")

    @staticmethod
    def step_03_suggestions(form):
        global answers, question  # in: from the cells before
        return {
            "answer": answers[0],
            "answer.choices": list(answers),
            "answer.label": f'{question}',
        }

    def step_03_form(self, values, errors, computed):
        """Return the questions, filled in; an error stands below its field.

        What they ask and offer is `computed` by the cells before, in `step_03_suggestions`.
        """
        labels = self.step_03_labels
        return self.form(
            "step_03",
            self.field(
                "step_03-answer",
                computed.get("answer.label", labels["answer"]),
                Fieldset(
                    *(
                        Label(
                            Input(
                                type="radio",
                                name="answer",
                                value=str(choice),
                                checked=values.get("answer") in (choice, str(choice)),
                                required=True,
                            ),
                            str(choice),
                        )
                        for choice in computed.get("answer.choices", [])
                    ),
                    role="radiogroup",
                ),
                self.no_choices(computed.get("answer.choices", [])),
                error=errors.get("answer"),
                cls="field wide",
            ),
            button="Continue",
        )

    async def step_03(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_03")
        answers = {"answer": run.data.get("answer")}
        if run.stage == "running":
            return self.card(run, answers=answers)
        if run.stage == "locked":
            return self.card(run, answers=answers)
        if run.stage == "error":
            form = self.step_03_form(run.execution.form, {}, run.computed)
            return self.card(run, form)
        if run.stage == "done":
            return self.card(run, answers=answers, back="Change")
        # The questions, with earlier answers or the notebook's values.
        values = {"answer": None}
        # What the notebook computes from the cells before.
        values = values | run.computed | run.data | run.typed
        return self.card(run, self.step_03_form(values, {}, run.computed))

    async def step_03_submit(self, request):
        """POST: read the answers, run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_03")
        if not run.may_submit():
            return run.chain()

        computed = run.computed
        sent = await self.cells.sent(request, labels=run.labels)
        form = {"answer": sent.choice("answer", computed.get("answer.choices", []))}
        if sent.errors:
            asked = self.step_03_form(sent, sent.errors, run.computed)
            return self.card(run.refused(), asked)
        run.keep_typed(form)

        async def save(cells):
            await run.save({**form, "_cells": cells})

        await self.cells.start(run.key, "step_03", form, save)
        return await self.step_03(request)

    # --- END_STEP_BUNDLE: step_03 ---

    # --- START_STEP_BUNDLE: step_04 ---
    @cell("ae4b8730")
    def step_04_cell(form):
        global Markdown, name, quest  # in: from the cells before
        return Markdown(f"**{name}** has crossed the bridge, and goes on to find what was named: *{quest.lower()}*.")

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
    # --- STEP_METHODS_INSERTION_POINT ---
