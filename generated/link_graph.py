"""The workflow "Link graph", ported from link_graph.ipynb by `pipulate port`.

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

# port: id=cba06f17264b notebook=../fixtures/flows/link_graph.ipynb base=6e7799e45bb197c3
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
    Option,
    Output,
    P,
    Response,
    Select,
    Small,
)
from pipulate_runtime.cells import Cells, cell

ROLES = ["Core"]

Step = namedtuple("Step", "id done show refill transform", defaults=(None,))


class LinkGraph:
    # --- START_CLASS_ATTRIBUTES_BUNDLE ---
    APP_NAME = "link_graph"
    DISPLAY_NAME = "Link graph"
    ENDPOINT_MESSAGE = "How the pages of a site hang together: which are linked often, which are hard to reach, and where a link leads nowhere."
    TRAINING_PROMPT = dedent("""\
        # Link graph

        How the pages of a site hang together: which are linked often, which are hard to reach, and where a link leads nowhere.

        ## The links

        The example is the site of a small garden shop: its links are in `garden_links.csv`, what is known of its pages in `garden_pages.csv`.

        The person gives: Links.

        The person gives: Pages.

        ## Which pages matter

        Counted from the links alone. *Rank* is the share of time that somebody spends on a page who follows links at random;
        *clicks* are those it takes from the first page.

        The person gives: The first page.

        The person gives: Show as well.

        ## The picture

        The person gives: Size of a page.

        The person gives: Name every page.

        The person gives: Arrangement.

        ## What to mend

        ## To take away

        Both tables as CSV, as most tools that draw graphs read them.
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
                done="links_file",
                show="The links",
                refill=False,
            ),
            Step(
                id="step_02",
                done="home",
                show="Which pages matter",
                refill=False,
            ),
            Step(
                id="step_03",
                done="size",
                show="The picture",
                refill=False,
            ),
            Step(
                id="step_04",
                done="ran",
                show="What to mend",
                refill=False,
            ),
            Step(
                id="step_05",
                done="ran",
                show="To take away",
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
        self.cells = Cells(self, files="link_graph.files")
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
    step_01_text = "The example is the site of a small garden shop: its links are in `garden_links.csv`, what is known of its pages in `garden_pages.csv`."

    @cell("6cf857f9")
    def step_01_setup(form):
        global plt, np, pd, Markdown  # out: for the cells after
        import matplotlib.pyplot as plt
        import numpy as np
        import pandas as pd
        from IPython.display import Markdown

    @cell("3498ec25")
    def step_01_cell(form):
        global pd  # in: from the cells before
        global about, edges, pages  # out: for the cells after
        global links_file, pages_file, links  # stays in the notebook's namespace
        links_file = form["links_file"]
        pages_file = form["pages_file"]

        links = pd.read_csv(links_file)
        about = pd.read_csv(pages_file).set_index("page")
        edges = links.query("source != target")[["source", "target"]].drop_duplicates()
        pages = sorted({*edges["source"], *edges["target"], *about.index})
        print(
            f"{len(links)} links, {len(edges)} of them different, between {len(pages)} pages."
        )
        return links.head()

    def step_01_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Links", fr="step_01-links_file"),
                    self.cells.chosen(values.get("links_file")),
                    Input(
                        id="step_01-links_file",
                        name="links_file",
                        aria_invalid="true" if "links_file" in errors else None,
                        type="file",
                        accept=".csv",
                        aria_describedby="step_01-links_file-help step_01-links_file-error",
                        required=not values.get("links_file"),
                    ),
                    Small(
                        "A CSV with the columns source and target",
                        id="step_01-links_file-help",
                    ),
                    self.error_below("step_01-links_file", errors.get("links_file")),
                    cls="field wide",
                ),
                Div(
                    Label("Pages", fr="step_01-pages_file"),
                    self.cells.chosen(values.get("pages_file")),
                    Input(
                        id="step_01-pages_file",
                        name="pages_file",
                        aria_invalid="true" if "pages_file" in errors else None,
                        type="file",
                        accept=".csv",
                        aria_describedby="step_01-pages_file-help step_01-pages_file-error",
                        required=not values.get("pages_file"),
                    ),
                    Small(
                        "A CSV with the column page, and whatever is known of each",
                        id="step_01-pages_file-help",
                    ),
                    self.error_below("step_01-pages_file", errors.get("pages_file")),
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
                        Dt("Links"),
                        Dd(self.cells.file(key, data.get("links_file"))),
                        Dt("Pages"),
                        Dd(self.cells.file(key, data.get("pages_file"))),
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
                        Dt("Links"),
                        Dd(self.cells.file(key, data.get("links_file"))),
                        Dt("Pages"),
                        Dd(self.cells.file(key, data.get("pages_file"))),
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
                        Dt("Links"),
                        Dd(self.cells.file(key, data.get("links_file"))),
                        Dt("Pages"),
                        Dd(self.cells.file(key, data.get("pages_file"))),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_01"),
                id="step_01",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "links_file": "garden_links.csv",
            "pages_file": "garden_pages.csv",
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
        sent = await self.cells.sent(request, files=["links_file", "pages_file"])
        form, errors = {}, {}
        # A file stays until another one is chosen.
        typed = state.get("_typed", {}).get("step_01", {})
        earlier = {
            "links_file": "garden_links.csv",
            "pages_file": "garden_pages.csv",
        }
        earlier = earlier | state.get("step_01", {}) | typed
        try:
            form["links_file"] = await self.cells.uploaded(
                key,
                sent,
                "links_file",
                earlier.get("links_file"),
                endings=(".csv",),
                max_size=200_000_000,
            )
            if not form["links_file"]:
                raise ValueError
        except ValueError:
            errors["links_file"] = (
                "Links: please choose a file (.csv) of at most 200 MB."
            )
        try:
            form["pages_file"] = await self.cells.uploaded(
                key,
                sent,
                "pages_file",
                earlier.get("pages_file"),
                endings=(".csv",),
                max_size=200_000_000,
            )
            if not form["pages_file"]:
                raise ValueError
        except ValueError:
            errors["pages_file"] = (
                "Pages: please choose a file (.csv) of at most 200 MB."
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
            kept = {
                name: form.get(name, earlier[name])
                for name in ["links_file", "pages_file"]
            }
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
    step_02_text = dedent("""\
        Counted from the links alone. *Rank* is the share of time that somebody spends on a page who follows links at random;
        *clicks* are those it takes from the first page.
        """)

    @cell("30a9b099")
    def step_02_cell(form):
        global pages, about, np, edges, pd  # in: from the cells before
        global home, number, matrix, metrics  # out: for the cells after
        global columns, source, target, rank  # stays in the notebook's namespace
        global clicks  # stays in the notebook's namespace
        home = form["home"]
        columns = form["columns"]

        number = {page: n for n, page in enumerate(pages)}
        matrix = np.zeros((len(pages), len(pages)))
        for source, target in edges.itertuples(index=False):
            matrix[number[source], number[target]] = 1

        def rank(matrix, damping=0.85, rounds=100):
            """The random surfer's share of each page."""
            size = len(matrix)
            out = matrix.sum(axis=1, keepdims=True)
            walk = np.where(out > 0, matrix / np.maximum(out, 1), 1 / size)
            share = np.full(size, 1 / size)
            for _ in range(rounds):
                share = (1 - damping) / size + damping * share @ walk
            return share

        def clicks(matrix, start):
            """How many clicks each page is away; NaN for one that cannot be reached."""
            away = np.full(len(matrix), np.nan)
            here, steps = {start}, 0
            while here:
                away[list(here)] = steps
                there = {int(n) for page in here for n in np.flatnonzero(matrix[page])}
                here, steps = {n for n in there if np.isnan(away[n])}, steps + 1
            return away

        metrics = pd.DataFrame(
            {
                "links in": matrix.sum(axis=0).astype(int),
                "links out": matrix.sum(axis=1).astype(int),
                "rank": rank(matrix).round(3),
                "clicks": pd.array(clicks(matrix, number[home]), dtype="Int64"),
            },
            index=pd.Index(pages, name="page"),
        ).join(about[columns])
        return metrics.sort_values("rank", ascending=False)

    @staticmethod
    def step_02_suggestions(form):
        global pages, about  # in: from the cells before
        return {
            "home": pages[0],
            "home.choices": list(pages),
            "columns": list(about.columns)[:1],
            "columns.choices": list(about.columns),
        }

    def step_02_form(self, values, errors, computed):
        """Return the questions, filled in; an error stands below its field.

        What they ask and offer is `computed` by the cells before, in `step_02_suggestions`.
        """
        return Form(
            Div(
                Div(
                    Label("The first page", fr="step_02-home"),
                    Select(
                        *(
                            Option(
                                str(choice),
                                value=str(choice),
                                selected=values.get("home") in (choice, str(choice)),
                            )
                            for choice in computed.get("home.choices", [])
                        ),
                        id="step_02-home",
                        name="home",
                        aria_invalid="true" if "home" in errors else None,
                        required=True,
                        aria_describedby="step_02-home-error",
                    ),
                    self.no_choices(computed.get("home.choices", [])),
                    self.error_below("step_02-home", errors.get("home")),
                    cls="field",
                ),
                Div(
                    Fieldset(
                        Legend("Show as well"),
                        *(
                            Label(
                                Input(
                                    type="checkbox",
                                    name="columns",
                                    value=str(choice),
                                    checked=str(choice)
                                    in map(str, values.get("columns") or []),
                                ),
                                str(choice),
                            )
                            for choice in computed.get("columns.choices", [])
                        ),
                        aria_invalid="true" if "columns" in errors else None,
                        cls="choices",
                        aria_describedby="step_02-columns-error",
                    ),
                    self.no_choices(computed.get("columns.choices", [])),
                    self.error_below("step_02-columns", errors.get("columns")),
                    cls="field wide",
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
        computed = state.get("_suggested", {}).get("step_02", {})

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            data = execution.form
            return Div(
                Article(
                    H3(step.show),
                    self.cells.markdown(self.step_02_text),
                    Dl(
                        Dt("The first page"),
                        Dd(data.get("home")),
                        Dt("Show as well"),
                        Dd(self.as_lines(data.get("columns"))),
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
                    self.cells.markdown(self.step_02_text),
                    Dl(
                        Dt("The first page"),
                        Dd(data.get("home")),
                        Dt("Show as well"),
                        Dd(self.as_lines(data.get("columns"))),
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
                    self.cells.markdown(self.step_02_text),
                    self.cells.show(key, execution.cells),
                    self.step_02_form(execution.form, {}, computed),
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
                    self.cells.markdown(self.step_02_text),
                    Dl(
                        Dt("The first page"),
                        Dd(data.get("home")),
                        Dt("Show as well"),
                        Dd(self.as_lines(data.get("columns"))),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_02"),
                id="step_02",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "home": None,
            "columns": None,
        }
        # What the notebook computes from the cells before.
        values |= computed
        typed = state.get("_typed", {}).get("step_02", {})
        return Div(
            Article(
                H3(step.show),
                self.cells.markdown(self.step_02_text),
                self.step_02_form(values | data | typed, {}, computed),
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
        computed = state.get("_suggested", {}).get("step_02", {})
        sent = await self.cells.sent(request, several=["columns"])
        form, errors = {}, {}
        choices = {str(choice): choice for choice in computed.get("home.choices", [])}
        if sent.get("home") in choices:
            form["home"] = choices[sent.get("home")]
        else:
            errors["home"] = "The first page: please choose from the list."
        choices = {
            str(choice): choice for choice in computed.get("columns.choices", [])
        }
        chosen = sent.getlist("columns")
        form["columns"] = [choices[text] for text in choices if text in chosen]
        if not choices.keys() >= set(chosen):
            errors["columns"] = "Show as well: please choose from the list."
        errors |= sent.problems
        if errors:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.markdown(self.step_02_text),
                    self.step_02_form(sent, errors, computed),
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
    @cell("e9a14b4b")
    def step_03_cell(form):
        global matrix, np, plt, edges, number  # in: from the cells before
        global metrics, pages  # in and out: changed here
        global home  # out: for the cells after
        global size, named, seed, arranged, place  # stays in the notebook's namespace
        global value, radius, fig, ax, source  # stays in the notebook's namespace
        global target, here, there, ends, look  # stays in the notebook's namespace
        global page, spot, r, below, paper  # stays in the notebook's namespace
        size = form["size"]
        named = form["named"]
        seed = form["seed"]

        def arranged(matrix, seed, rounds=300):
            """Places for all pages: linked ones pull at each other, all of them push each other away."""
            near = (matrix + matrix.T) > 0
            place = np.random.default_rng(seed).uniform(-1, 1, (len(matrix), 2))
            ideal = 1.4 / np.sqrt(len(matrix))
            for heat in np.linspace(0.2, 0.005, rounds):
                apart = place[:, None] - place[None]
                distance = np.maximum(np.linalg.norm(apart, axis=2), 0.01)
                force = ideal**2 / distance**2 - near * distance / ideal
                np.fill_diagonal(force, 0)
                move = (apart * force[..., None]).sum(axis=1) - 0.3 * place
                length = np.maximum(np.linalg.norm(move, axis=1, keepdims=True), 1e-9)
                place = place + move / length * np.minimum(length, heat)
            return place

        place = arranged(matrix, seed)
        value = metrics[size].astype(float).fillna(0)
        radius = (
            4 + 12 * np.sqrt(value / max(value.max(), 1e-9)).to_numpy()
        )  # in points
        fig, ax = plt.subplots(figsize=(8.5, 6.5))
        for source, target in edges.itertuples(index=False):
            here, there = number[source], number[target]
            ends = {"shrinkA": radius[here], "shrinkB": radius[there] + 1}
            look = {"arrowstyle": "-|>", "color": "#a9b3ae", "lw": 0.8, **ends}
            ax.annotate("", place[there], place[here], arrowprops=look)
        ax.scatter(
            *place.T,
            s=(2 * radius) ** 2,
            c=metrics["links in"],
            cmap="YlGn",
            edgecolors="#1d6a5d",
            zorder=2,
        )
        if named:
            for page, spot, r in zip(pages, place, radius):
                below = {
                    "xytext": (0, -r - 10),
                    "textcoords": "offset points",
                    "ha": "center",
                }
                paper = {
                    "boxstyle": "square,pad=0.1",
                    "fc": "white",
                    "ec": "none",
                    "alpha": 0.7,
                }
                ax.annotate(page, spot, fontsize=8, bbox=paper, zorder=3, **below)
        ax.margins(0.1)
        ax.axis("off")

    @staticmethod
    def step_03_suggestions(form):
        global metrics  # in: from the cells before
        return {
            "size.choices": list(metrics.select_dtypes("number").columns),
        }

    def step_03_form(self, values, errors, computed):
        """Return the questions, filled in; an error stands below its field.

        What they ask and offer is `computed` by the cells before, in `step_03_suggestions`.
        """
        return Form(
            Div(
                Div(
                    Label("Size of a page", fr="step_03-size"),
                    Select(
                        *(
                            Option(
                                str(choice),
                                value=str(choice),
                                selected=values.get("size") in (choice, str(choice)),
                            )
                            for choice in computed.get("size.choices", [])
                        ),
                        id="step_03-size",
                        name="size",
                        aria_invalid="true" if "size" in errors else None,
                        required=True,
                        aria_describedby="step_03-size-error",
                    ),
                    self.no_choices(computed.get("size.choices", [])),
                    self.error_below("step_03-size", errors.get("size")),
                    cls="field",
                ),
                Div(
                    Label(
                        Input(
                            type="checkbox",
                            role="switch",
                            id="step_03-named",
                            name="named",
                            aria_invalid="true" if "named" in errors else None,
                            checked=bool(values.get("named")),
                            aria_describedby="step_03-named-error",
                        ),
                        "Name every page",
                    ),
                    self.error_below("step_03-named", errors.get("named")),
                    cls="field",
                ),
                Div(
                    Label("Arrangement", fr="step_03-seed"),
                    Div(
                        Input(
                            id="step_03-seed",
                            name="seed",
                            aria_invalid="true" if "seed" in errors else None,
                            value=values.get("seed"),
                            type="range",
                            step="1",
                            min="1",
                            max="20",
                            required=True,
                            aria_describedby="step_03-seed-help step_03-seed-error",
                        ),
                        Output(values.get("seed"), fr="step_03-seed"),
                        cls="range",
                    ),
                    Small(
                        "Another number arranges the pages in another way",
                        id="step_03-seed-help",
                    ),
                    self.error_below("step_03-seed", errors.get("seed")),
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
        computed = state.get("_suggested", {}).get("step_03", {})

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            data = execution.form
            return Div(
                Article(
                    H3(step.show),
                    Dl(
                        Dt("Size of a page"),
                        Dd(data.get("size")),
                        Dt("Name every page"),
                        Dd("Yes" if data.get("named") else "No"),
                        Dt("Arrangement"),
                        Dd(data.get("seed")),
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
                        Dt("Size of a page"),
                        Dd(data.get("size")),
                        Dt("Name every page"),
                        Dd("Yes" if data.get("named") else "No"),
                        Dt("Arrangement"),
                        Dd(data.get("seed")),
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
                        Dt("Size of a page"),
                        Dd(data.get("size")),
                        Dt("Name every page"),
                        Dd("Yes" if data.get("named") else "No"),
                        Dt("Arrangement"),
                        Dd(data.get("seed")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_03"),
                id="step_03",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "size": "rank",
            "named": True,
            "seed": 3,
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
        sent = await self.cells.sent(request)
        form, errors = {}, {}
        choices = {str(choice): choice for choice in computed.get("size.choices", [])}
        if sent.get("size") in choices:
            form["size"] = choices[sent.get("size")]
        else:
            errors["size"] = "Size of a page: please choose from the list."
        form["named"] = "named" in sent
        if sent.get("named", "on") != "on":
            errors["named"] = "Name every page: please fill this in."
        try:
            form["seed"] = int(sent.get("seed", ""))
            if not 1 <= form["seed"] <= 20:
                raise ValueError
        except ValueError:
            errors["seed"] = "Arrangement: please enter a whole number from 1 to 20."
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
    @cell("4413d69d")
    def step_04_cell(form):
        global pages, about, metrics, Markdown, home  # in: from the cells before
        global missing, lost, ends, listed  # stays in the notebook's namespace
        missing = [page for page in pages if page not in about.index]
        lost = list(metrics.index[metrics["clicks"].isna()])
        ends = list(metrics.index[metrics["links out"] == 0])

        def listed(names):
            return ", ".join(f"`{name}`" for name in names) or "none"

        return Markdown(f"""- Linked, but not there: {listed(missing)}
- Not to be reached from `{home}`: {listed(lost)}
- Without a link to go on: {listed(ends)}""")

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

    # --- START_STEP_BUNDLE: step_05 ---
    step_05_text = "Both tables as CSV, as most tools that draw graphs read them."

    @cell("5a33dfe1")
    def step_05_cell(form):
        global metrics, edges  # in: from the cells before
        metrics.reset_index().to_csv("pages.csv", index=False)
        edges.to_csv("links.csv", index=False)
        print(f"{len(metrics)} pages and {len(edges)} links.")

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
                    self.cells.markdown(self.step_05_text),
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
                    self.cells.markdown(self.step_05_text),
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
                    self.cells.markdown(self.step_05_text),
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
                    self.cells.markdown(self.step_05_text),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_05"),
                id="step_05",
                data_state="done",
            )

        # Phase 3: nothing to ask, but the step waits for the button.
        return Div(
            Article(
                H3(step.show),
                self.cells.markdown(self.step_05_text),
                Form(
                    Button("Run", type="submit", cls="primary"),
                    hx_post=f"/{self.app_name}/step_05_submit",
                    hx_target="#step_05",
                    hx_swap="outerHTML",
                ),
            ),
            id="step_05",
            data_state="input",
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
