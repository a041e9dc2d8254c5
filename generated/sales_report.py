"""The workflow "Sales report", ported from sales_report.ipynb by `pipulate port`.

A card is a step: `step_NN_cell` is the notebook's code, `step_NN_form` its questions,
`step_NN` draws the card (GET), `step_NN_submit` takes the answers and runs the code
(POST). Change what you like: the next port keeps it. docs/customising.md shows how.
"""

# port: id=ae78e67fd6fb notebook=../fixtures/sales_report.ipynb base=0f62ccdb0246cdb5
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
from pipulate_runtime.cells import Cells, cell

ROLES = ["Core"]

Step = namedtuple("Step", "id done show refill transform", defaults=(False, None))


class SalesReport:
    # --- START_CLASS_ATTRIBUTES_BUNDLE ---
    APP_NAME = "sales_report"
    DISPLAY_NAME = "Sales report"
    ENDPOINT_MESSAGE = (
        "Which orders are above an amount you choose, and which regions they come from."
    )
    TRAINING_PROMPT = dedent("""\
        # Sales report

        Which orders are above an amount you choose, and which regions they come from.

        ## The orders

        All orders of 2025, from `sales.csv`. The amount of an order is its units times the price.

        ## Choose an amount

        Only orders of at least this amount are looked at from here on.

        The person gives: Smallest amount.

        ## By region

        ## Summary
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
                show="The orders",
            ),
            Step(
                id="step_02",
                done="limit",
                show="Choose an amount",
            ),
            Step(
                id="step_03",
                done="ran",
                show="By region",
            ),
            Step(
                id="step_04",
                done="ran",
                show="Summary",
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
        # The files that the notebook reads; each run works on a copy of its own.
        self.cells = Cells(self, files="sales_report.files")
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
    step_01_text = "All orders of 2025, from `sales.csv`. The amount of an order is its units times the price."

    @cell("559a7751")
    def step_01_setup(form):
        global plt, pd, Markdown, display  # out: for the cells after
        import matplotlib.pyplot as plt
        import pandas as pd
        from IPython.display import Markdown, display

    @cell("19a356b8")
    def step_01_cell(form):
        global pd  # in: from the cells before
        global sales  # out: for the cells after
        sales = pd.read_csv("sales.csv", parse_dates=["date"])
        sales["amount"] = sales["units"] * sales["price"]
        print(f"{len(sales)} orders, {sales['amount'].sum():,.2f} in total")
        return sales.head()

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
    step_02_text = "Only orders of at least this amount are looked at from here on."

    step_02_labels = {"limit": "Smallest amount"}  # noqa: RUF012

    @cell("e660aa7b")
    def step_02_cell(form):
        global sales  # in: from the cells before
        global limit, best  # out: for the cells after
        limit = form["limit"]
        best = sales[sales["amount"] >= limit]
        print(f"{len(best)} of {len(sales)} orders")
        return best.sort_values("amount", ascending=False).head(8)

    def step_02_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        labels = self.step_02_labels
        return self.form(
            "step_02",
            self.field(
                "step_02-limit",
                labels["limit"],
                Input(
                    name="limit",
                    value=values.get("limit"),
                    type="number",
                    step="50",
                    min="0",
                    required=True,
                ),
                help="Most orders lie between 100 and 700.",
                error=errors.get("limit"),
            ),
            button="Continue",
        )

    async def step_02(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_02")
        answers = {"limit": run.data.get("limit")}
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
        values = {"limit": 500} | run.data | run.typed
        return self.card(run, self.step_02_form(values, {}))

    async def step_02_submit(self, request):
        """POST: read the answers, run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_02")
        if not run.may_submit():
            return run.chain()

        sent = await self.cells.sent(request, labels=run.labels)
        form = {"limit": sent.integer("limit", min=0, step=50)}
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
    @cell("c6483bb4")
    def step_03_cell(form):
        global best, plt, limit  # in: from the cells before
        global totals  # out: for the cells after
        global fig, ax  # stays in the notebook's namespace
        totals = best.groupby("region")["amount"].sum().sort_values()
        fig, ax = plt.subplots(figsize=(7, 3))
        ax.barh(totals.index, totals.values, color="#3b7dd8")
        ax.set_xlabel("amount")
        ax.set_title(f"Orders of {limit} and more");

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
    @cell("e6cf860c")
    def step_04_cell(form):
        global totals, limit, best, display, Markdown  # in: from the cells before
        global text, share  # stays in the notebook's namespace
        if totals.empty:
            text = f"No order reaches {limit:,}."
        else:
            share = totals.iloc[-1] / totals.sum()
            text = f"""**{totals.index[-1]}** leads with {totals.iloc[-1]:,.2f}, which is {share:.0%} of all
orders of {limit:,} and more. The largest single order was {best["amount"].max():,.2f}."""
        return display(Markdown(text))

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
