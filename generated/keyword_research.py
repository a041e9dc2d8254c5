"""The workflow "Keyword research", ported from keyword_research.ipynb by `pipulate port`.

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

# port: id=dde5853fd384 notebook=../fixtures/flows/keyword_research.ipynb base=759e52f9d05b246e
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
    Textarea,
)
from pipulate_runtime.cells import Cells, cell

ROLES = ["Core"]

Step = namedtuple("Step", "id done show refill transform", defaults=(None,))


class KeywordResearch:
    # --- START_CLASS_ATTRIBUTES_BUNDLE ---
    APP_NAME = "keyword_research"
    DISPLAY_NAME = "Keyword research"
    ENDPOINT_MESSAGE = "From a few seed words to a list of what people search for, in groups that can each become a page."
    TRAINING_PROMPT = dedent("""\
        # Keyword research

        From a few seed words to a list of what people search for, in groups that can each become a page.

        ## Seed words

        The searches are those of a year, in `searches.csv`: how often each was made in a month, and how many others write for it.

        What the site is about, one word or phrase a line.

        The person gives: Seeds.

        The person gives: Fewest searches.

        ## What people search for

        Every search in which all words of a seed occur, in whatever order.

        ## Groups

        The person gives: Group by.

        ## The list

        One line for each search, in the order in which pages are worth writing: many searches, few rivals.

        The person gives: Groups.
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
                done="seeds",
                show="Seed words",
                refill=False,
            ),
            Step(
                id="step_02",
                done="ran",
                show="What people search for",
                refill=False,
            ),
            Step(
                id="step_03",
                done="by",
                show="Groups",
                refill=False,
            ),
            Step(
                id="step_04",
                done="chosen",
                show="The list",
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
        self.cells = Cells(self, files="keyword_research.files")
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
    step_01_text = dedent("""\
        The searches are those of a year, in `searches.csv`: how often each was made in a month, and how many others write for it.

        What the site is about, one word or phrase a line.
        """)

    @cell("026dedf2")
    def step_01_setup(form):
        global plt, searches  # out: for the cells after
        global pd  # stays in the notebook's namespace
        import matplotlib.pyplot as plt
        import pandas as pd

        searches = pd.read_csv("searches.csv")

    @cell("6939a0b8")
    def step_01_cell(form):
        global seeds, fewest_searches  # out: for the cells after
        seeds = form["seeds"]
        fewest_searches = form[
            "fewest_searches"
        ]  # in a month; what is searched less often is not worth a page

    def step_01_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Seeds", fr="step_01-seeds"),
                    Textarea(
                        # A browser drops the first line break.
                        "\n" + (values.get("seeds") or ""),
                        id="step_01-seeds",
                        name="seeds",
                        aria_invalid="true" if "seeds" in errors else None,
                        rows=5,
                        required=True,
                        aria_describedby="step_01-seeds-error",
                    ),
                    self.error_below("step_01-seeds", errors.get("seeds")),
                    cls="field wide",
                ),
                Div(
                    Label("Fewest searches", fr="step_01-fewest_searches"),
                    Input(
                        id="step_01-fewest_searches",
                        name="fewest_searches",
                        aria_invalid="true" if "fewest_searches" in errors else None,
                        value=values.get("fewest_searches"),
                        type="number",
                        step="1",
                        required=True,
                        aria_describedby="step_01-fewest_searches-help step_01-fewest_searches-error",
                    ),
                    Small(
                        "in a month; what is searched less often is not worth a page",
                        id="step_01-fewest_searches-help",
                    ),
                    self.error_below(
                        "step_01-fewest_searches", errors.get("fewest_searches")
                    ),
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
                        Dt("Seeds"),
                        Dd(data.get("seeds")),
                        Dt("Fewest searches"),
                        Dd(data.get("fewest_searches")),
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
                        Dt("Seeds"),
                        Dd(data.get("seeds")),
                        Dt("Fewest searches"),
                        Dd(data.get("fewest_searches")),
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
                        Dt("Seeds"),
                        Dd(data.get("seeds")),
                        Dt("Fewest searches"),
                        Dd(data.get("fewest_searches")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_01"),
                id="step_01",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "seeds": "sourdough\nrye bread",
            "fewest_searches": 50,
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
        form["seeds"] = sent.get("seeds", "")
        if not form["seeds"].strip():
            errors["seeds"] = "Seeds: please fill this in."
        try:
            form["fewest_searches"] = int(sent.get("fewest_searches", ""))
        except ValueError:
            errors["fewest_searches"] = "Fewest searches: please enter a whole number."
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
    step_02_text = "Every search in which all words of a seed occur, in whatever order."

    @cell("bd70a90d")
    def step_02_cell(form):
        global seeds, searches, fewest_searches  # in: from the cells before
        global found  # out: for the cells after
        global wanted, seed_of  # stays in the notebook's namespace
        wanted = [seed.lower().split() for seed in seeds.splitlines() if seed.strip()]

        def seed_of(phrase):
            """The first seed whose words are all in a phrase."""
            words = phrase.split()
            return next(
                (" ".join(seed) for seed in wanted if set(seed) <= set(words)), None
            )

        found = searches.assign(seed=searches["search"].map(seed_of)).dropna(
            subset="seed"
        )
        found = found[found["a month"] >= fewest_searches].sort_values(
            "a month", ascending=False
        )
        if found.empty:
            raise SystemExit(
                "Nobody searches for these words often enough. Go back, and try others or a smaller number."
            )
        print(f"{len(found)} searches, made {found['a month'].sum():,} times a month.")
        return found.head(10)

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
                    self.cells.markdown(self.step_02_text),
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
                    self.cells.markdown(self.step_02_text),
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
                self.cells.markdown(self.step_02_text),
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
    step_03_by_choices = (
        "what people want",
        "what it is about",
    )

    @cell("74e0c433")
    def step_03_cell(form):
        global plt  # in: from the cells before
        global found  # in and out: changed here
        global common, groups  # out: for the cells after
        global by, wishes, ordinary, wish, matter  # stays in the notebook's namespace
        global words, shown, fig, ax  # stays in the notebook's namespace
        by = form["by"]

        wishes = {
            "to understand": {
                "what",
                "why",
                "is",
                "vs",
                "difference",
                "healthy",
                "calories",
            },
            "to make": {
                "how",
                "recipe",
                "make",
                "bake",
                "starter",
                "dough",
                "machine",
                "overnight",
            },
            "to eat": {
                "toast",
                "rolls",
                "crackers",
                "pancakes",
                "honey",
                "freeze",
                "keep",
                "store",
            },
            "to buy": {"buy", "near", "best", "price", "order", "shop"},
        }
        ordinary = {
            "a",
            "the",
            "to",
            "in",
            "for",
            "of",
            "and",
            "with",
            "without",
            "me",
            "do",
            "my",
            "you",
            "can",
        }

        def wish(words):
            return next(
                (name for name, signs in wishes.items() if signs & set(words)),
                "the thing itself",
            )

        def matter(words, seed):
            """The word beside the seed that most searches share."""
            rest = [w for w in words if w not in seed.split() and w not in ordinary]
            return max(rest, key=lambda w: (common[w], w), default="in general")

        words = found["search"].str.split()
        common = words.explode().value_counts()
        if by == "what people want":
            found["group"] = words.map(wish)
        else:
            found["group"] = [matter(w, seed) for w, seed in zip(words, found["seed"])]
        groups = (
            found.groupby("group")
            .agg(
                **{
                    "searches": ("search", "size"),
                    "a month": ("a month", "sum"),
                    "rivals": ("rivals", "mean"),
                }
            )
            .round({"rivals": 0})
            .astype(int)
            .sort_values("a month", ascending=False)
        )
        shown = groups["a month"].head(12)[::-1]
        fig, ax = plt.subplots(figsize=(7, 0.6 + 0.35 * len(shown)))
        ax.barh(shown.index, shown, color="#3b7dd8")
        ax.set_xlabel("searches a month")
        plt.show()
        return groups

    def step_03_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Fieldset(
                        Legend("Group by"),
                        *(
                            Label(
                                Input(
                                    type="radio",
                                    name="by",
                                    value=str(choice),
                                    checked=values.get("by") in (choice, str(choice)),
                                    required=True,
                                ),
                                str(choice),
                            )
                            for choice in self.step_03_by_choices
                        ),
                        role="radiogroup",
                        aria_invalid="true" if "by" in errors else None,
                        aria_describedby="step_03-by-error",
                    ),
                    self.error_below("step_03-by", errors.get("by")),
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
                        Dt("Group by"),
                        Dd(data.get("by")),
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
                        Dt("Group by"),
                        Dd(data.get("by")),
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
                        Dt("Group by"),
                        Dd(data.get("by")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_03"),
                id="step_03",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "by": "what people want",
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
        choices = {str(choice): choice for choice in self.step_03_by_choices}
        if sent.get("by") in choices:
            form["by"] = choices[sent.get("by")]
        else:
            errors["by"] = "Group by: please choose from the list."
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
    step_04_text = "One line for each search, in the order in which pages are worth writing: many searches, few rivals."

    @cell("0621d68b")
    def step_04_cell(form):
        global groups, found, common  # in: from the cells before
        global chosen, plan  # stays in the notebook's namespace
        chosen = form["chosen"]

        plan = found[found["group"].isin(chosen or groups.index)].copy()
        plan["worth"] = (plan["a month"] / (1 + plan["rivals"])).round(1)
        plan = plan.sort_values("worth", ascending=False)[
            ["group", "search", "a month", "rivals", "worth"]
        ]
        # With this mark at its beginning, spreadsheets read the file as UTF-8
        plan.to_csv("keywords.csv", index=False, encoding="utf-8-sig")
        return plan.head(15)

    @staticmethod
    def step_04_suggestions(form):
        global groups  # in: from the cells before
        return {
            "chosen": list(groups.index)[:2],
            "chosen.choices": list(groups.index),
        }

    def step_04_form(self, values, errors, computed):
        """Return the questions, filled in; an error stands below its field.

        What they ask and offer is `computed` by the cells before, in `step_04_suggestions`.
        """
        return Form(
            Div(
                Div(
                    Fieldset(
                        Legend("Groups"),
                        *(
                            Label(
                                Input(
                                    type="checkbox",
                                    name="chosen",
                                    value=str(choice),
                                    checked=str(choice)
                                    in map(str, values.get("chosen") or []),
                                ),
                                str(choice),
                            )
                            for choice in computed.get("chosen.choices", [])
                        ),
                        aria_invalid="true" if "chosen" in errors else None,
                        cls="choices",
                        aria_describedby="step_04-chosen-help step_04-chosen-error",
                    ),
                    Small("None for all of them", id="step_04-chosen-help"),
                    self.no_choices(computed.get("chosen.choices", [])),
                    self.error_below("step_04-chosen", errors.get("chosen")),
                    cls="field wide",
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
                    self.cells.markdown(self.step_04_text),
                    Dl(
                        Dt("Groups"),
                        Dd(self.as_lines(data.get("chosen"))),
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
                    self.cells.markdown(self.step_04_text),
                    Dl(
                        Dt("Groups"),
                        Dd(self.as_lines(data.get("chosen"))),
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
                    self.cells.markdown(self.step_04_text),
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
                    self.cells.markdown(self.step_04_text),
                    Dl(
                        Dt("Groups"),
                        Dd(self.as_lines(data.get("chosen"))),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_04"),
                id="step_04",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "chosen": None,
        }
        # What the notebook computes from the cells before.
        values |= computed
        typed = state.get("_typed", {}).get("step_04", {})
        return Div(
            Article(
                H3(step.show),
                self.cells.markdown(self.step_04_text),
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
        sent = await self.cells.sent(request, several=["chosen"])
        form, errors = {}, {}
        choices = {str(choice): choice for choice in computed.get("chosen.choices", [])}
        chosen = sent.getlist("chosen")
        form["chosen"] = [choices[text] for text in choices if text in chosen]
        if not choices.keys() >= set(chosen):
            errors["chosen"] = "Groups: please choose from the list."
        errors |= sent.problems
        if errors:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.markdown(self.step_04_text),
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
    # --- STEP_METHODS_INSERTION_POINT ---
