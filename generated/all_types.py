"""The workflow "A field of every type", ported from all_types.ipynb by `pipulate port`.

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

# port: id=919a8d219c66 notebook=../fixtures/inputs/all_types.ipynb base=3659abf94c37e6af
# The `global` lines of a cell name what it only reads, too:
# ruff: noqa: PLW0602

from collections import namedtuple
from datetime import date, datetime, time
from json import dumps
from math import inf
from re import fullmatch
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
    Textarea,
)
from pipulate_runtime.cells import Cells, Typed, cell, read_json, read_literal

ROLES = ["Core"]

Step = namedtuple("Step", "id done show refill transform", defaults=(None,))


class AllTypes:
    # --- START_CLASS_ATTRIBUTES_BUNDLE ---
    APP_NAME = "all_types"
    DISPLAY_NAME = "A field of every type"
    ENDPOINT_MESSAGE = "One step asks with every control there is, another for files, a third for a secret."
    TRAINING_PROMPT = dedent("""\
        # A field of every type

        One step asks with every control there is, another for files, a third for a secret.

        ## Plan an excursion

        The person gives: Title.

        The person gives: Notes.

        The person gives: People.

        The person gives: Price.

        The person gives: Pace.

        The person gives: With lunch.

        The person gives: Region.

        The person gives: Sights.

        The person gives: Travel by.

        The person gives: Day.

        The person gives: Start.

        The person gives: Reply by.

        The person gives: Colour of the poster.

        The person gives: Links.

        The person gives: Rooms.

        The person gives: Limit.

        The person gives: Margins.

        ## Who comes

        The person gives: Guests.

        The person gives: Pictures.

        ## Book

        The person gives: Booking token.

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
                done="title",
                show="Plan an excursion",
                refill=False,
            ),
            Step(
                id="step_02",
                done="guests",
                show="Who comes",
                refill=False,
            ),
            Step(
                id="step_03",
                done="token",
                show="Book",
                refill=False,
            ),
            Step(
                id="step_04",
                done="ran",
                show="Summary",
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
        self.cells = Cells(self, files="all_types.files")
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

    def as_json(self, value):
        """Return a value as JSON text; what was typed stays as it is, and None is empty."""
        if value is None or isinstance(value, Typed):
            return value or ""
        return dumps(value, ensure_ascii=False)

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
    step_01_region_choices = (
        "North",
        "South",
        "East",
        "West",
    )

    step_01_sights_choices = (
        "castle",
        "harbour",
        "mill",
        "tower",
    )

    step_01_travel_choices = (
        "train",
        "bus",
        "boat",
    )

    @cell("values")
    def step_01_cell(form):
        global title, people  # out: for the cells after
        global date, notes, price, pace, lunch  # stays in the notebook's namespace
        global region, sights, travel, day, start  # stays in the notebook's namespace
        global reply_by, colour, links, rooms  # stays in the notebook's namespace
        global limit, margins, excursion, name  # stays in the notebook's namespace
        global value  # stays in the notebook's namespace
        from datetime import date

        title = form["title"]
        notes = form["notes"]
        people = form["people"]
        price = form["price"]
        pace = form["pace"]
        lunch = form["lunch"]
        region = form["region"]
        sights = form["sights"]
        travel = form["travel"]
        day = date.fromisoformat(form["day"])
        start = form["start"]
        reply_by = form["reply_by"]
        colour = form["colour"]
        links = form["links"]
        rooms = form["rooms"]
        limit = form["limit"]
        margins = eval(form["margins"])

        excursion = {
            name: globals()[name]
            for name in (
                "title notes people price pace lunch region sights travel day start reply_by colour links "
                "rooms limit margins"
            ).split()
        }
        for name, value in excursion.items():
            print(f"{name:9} {type(value).__name__:9} {value!r}")

    def step_01_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Title", fr="step_01-title"),
                    Input(
                        id="step_01-title",
                        name="title",
                        aria_invalid="true" if "title" in errors else None,
                        value=values.get("title"),
                        type="text",
                        maxlength="40",
                        required=True,
                        aria_describedby="step_01-title-help step_01-title-error",
                    ),
                    Small("It stands on the poster", id="step_01-title-help"),
                    self.error_below("step_01-title", errors.get("title")),
                    cls="field",
                ),
                Div(
                    Label("Notes", fr="step_01-notes"),
                    Textarea(
                        # A browser drops the first line break.
                        "\n" + (values.get("notes") or ""),
                        id="step_01-notes",
                        name="notes",
                        aria_invalid="true" if "notes" in errors else None,
                        rows=5,
                        aria_describedby="step_01-notes-error",
                    ),
                    self.error_below("step_01-notes", errors.get("notes")),
                    cls="field wide",
                ),
                Div(
                    Label("People", fr="step_01-people"),
                    Input(
                        id="step_01-people",
                        name="people",
                        aria_invalid="true" if "people" in errors else None,
                        value=values.get("people"),
                        type="number",
                        step="1",
                        min="1",
                        max="60",
                        required=True,
                        aria_describedby="step_01-people-error",
                    ),
                    self.error_below("step_01-people", errors.get("people")),
                    cls="field",
                ),
                Div(
                    Label("Price", fr="step_01-price"),
                    Input(
                        id="step_01-price",
                        name="price",
                        aria_invalid="true" if "price" in errors else None,
                        value=values.get("price"),
                        type="number",
                        step="0.5",
                        min="0",
                        required=True,
                        aria_describedby="step_01-price-help step_01-price-error",
                    ),
                    Small("For one person", id="step_01-price-help"),
                    self.error_below("step_01-price", errors.get("price")),
                    cls="field",
                ),
                Div(
                    Label("Pace", fr="step_01-pace"),
                    Div(
                        Input(
                            id="step_01-pace",
                            name="pace",
                            aria_invalid="true" if "pace" in errors else None,
                            value=values.get("pace"),
                            type="range",
                            step="1",
                            min="0",
                            max="10",
                            required=True,
                            aria_describedby="step_01-pace-error",
                        ),
                        Output(values.get("pace"), fr="step_01-pace"),
                        cls="range",
                    ),
                    self.error_below("step_01-pace", errors.get("pace")),
                    cls="field",
                ),
                Div(
                    Label(
                        Input(
                            type="checkbox",
                            role="switch",
                            id="step_01-lunch",
                            name="lunch",
                            aria_invalid="true" if "lunch" in errors else None,
                            checked=bool(values.get("lunch")),
                            aria_describedby="step_01-lunch-error",
                        ),
                        "With lunch",
                    ),
                    self.error_below("step_01-lunch", errors.get("lunch")),
                    cls="field",
                ),
                Div(
                    Label("Region", fr="step_01-region"),
                    Select(
                        *(
                            Option(
                                str(choice),
                                value=str(choice),
                                selected=values.get("region") in (choice, str(choice)),
                            )
                            for choice in self.step_01_region_choices
                        ),
                        id="step_01-region",
                        name="region",
                        aria_invalid="true" if "region" in errors else None,
                        required=True,
                        aria_describedby="step_01-region-error",
                    ),
                    self.error_below("step_01-region", errors.get("region")),
                    cls="field",
                ),
                Div(
                    Fieldset(
                        Legend("Sights"),
                        *(
                            Label(
                                Input(
                                    type="checkbox",
                                    name="sights",
                                    value=str(choice),
                                    checked=str(choice)
                                    in map(str, values.get("sights") or []),
                                ),
                                str(choice),
                            )
                            for choice in self.step_01_sights_choices
                        ),
                        aria_invalid="true" if "sights" in errors else None,
                        cls="choices",
                        aria_describedby="step_01-sights-error",
                    ),
                    self.error_below("step_01-sights", errors.get("sights")),
                    cls="field wide",
                ),
                Div(
                    Fieldset(
                        Legend("Travel by"),
                        *(
                            Label(
                                Input(
                                    type="radio",
                                    name="travel",
                                    value=str(choice),
                                    checked=values.get("travel")
                                    in (choice, str(choice)),
                                    required=True,
                                ),
                                str(choice),
                            )
                            for choice in self.step_01_travel_choices
                        ),
                        role="radiogroup",
                        aria_invalid="true" if "travel" in errors else None,
                        aria_describedby="step_01-travel-error",
                    ),
                    self.error_below("step_01-travel", errors.get("travel")),
                    cls="field",
                ),
                Div(
                    Label("Day", fr="step_01-day"),
                    Input(
                        id="step_01-day",
                        name="day",
                        aria_invalid="true" if "day" in errors else None,
                        value=values.get("day"),
                        type="date",
                        min="2024-01-01",
                        max="2026-12-31",
                        required=True,
                        aria_describedby="step_01-day-error",
                    ),
                    self.error_below("step_01-day", errors.get("day")),
                    cls="field",
                ),
                Div(
                    Label("Start", fr="step_01-start"),
                    Input(
                        id="step_01-start",
                        name="start",
                        aria_invalid="true" if "start" in errors else None,
                        value=values.get("start"),
                        type="time",
                        required=True,
                        aria_describedby="step_01-start-error",
                    ),
                    self.error_below("step_01-start", errors.get("start")),
                    cls="field",
                ),
                Div(
                    Label("Reply by", fr="step_01-reply_by"),
                    Input(
                        id="step_01-reply_by",
                        name="reply_by",
                        aria_invalid="true" if "reply_by" in errors else None,
                        value=str(values.get("reply_by") or "").replace(" ", "T"),
                        type="datetime-local",
                        step="1",
                        required=True,
                        aria_describedby="step_01-reply_by-error",
                    ),
                    self.error_below("step_01-reply_by", errors.get("reply_by")),
                    cls="field",
                ),
                Div(
                    Label("Colour of the poster", fr="step_01-colour"),
                    Input(
                        id="step_01-colour",
                        name="colour",
                        aria_invalid="true" if "colour" in errors else None,
                        value=values.get("colour"),
                        type="color",
                        aria_describedby="step_01-colour-error",
                    ),
                    self.error_below("step_01-colour", errors.get("colour")),
                    cls="field",
                ),
                Div(
                    Label("Links", fr="step_01-links"),
                    Textarea(
                        # A browser drops the first line break.
                        "\n" + self.as_lines(values.get("links")),
                        id="step_01-links",
                        name="links",
                        aria_invalid="true" if "links" in errors else None,
                        rows=5,
                        spellcheck="false",
                        required=True,
                        aria_describedby="step_01-links-error",
                    ),
                    self.error_below("step_01-links", errors.get("links")),
                    cls="field wide",
                ),
                Div(
                    Label("Rooms", fr="step_01-rooms"),
                    Textarea(
                        # A browser drops the first line break.
                        "\n" + self.as_json(values.get("rooms")),
                        id="step_01-rooms",
                        name="rooms",
                        aria_invalid="true" if "rooms" in errors else None,
                        rows=5,
                        spellcheck="false",
                        required=True,
                        aria_describedby="step_01-rooms-error",
                    ),
                    self.error_below("step_01-rooms", errors.get("rooms")),
                    cls="field wide",
                ),
                Div(
                    Label("Limit", fr="step_01-limit"),
                    Input(
                        id="step_01-limit",
                        name="limit",
                        aria_invalid="true" if "limit" in errors else None,
                        value=values.get("limit"),
                        type="number",
                        step="1",
                        placeholder="none",
                        aria_describedby="step_01-limit-error",
                    ),
                    self.error_below("step_01-limit", errors.get("limit")),
                    cls="field",
                ),
                Div(
                    Label("Margins", fr="step_01-margins"),
                    Input(
                        id="step_01-margins",
                        name="margins",
                        aria_invalid="true" if "margins" in errors else None,
                        value=values.get("margins"),
                        type="text",
                        spellcheck="false",
                        required=True,
                        aria_describedby="step_01-margins-error",
                    ),
                    self.error_below("step_01-margins", errors.get("margins")),
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
                    Dl(
                        Dt("Title"),
                        Dd(data.get("title")),
                        Dt("Notes"),
                        Dd(data.get("notes")),
                        Dt("People"),
                        Dd(data.get("people")),
                        Dt("Price"),
                        Dd(data.get("price")),
                        Dt("Pace"),
                        Dd(data.get("pace")),
                        Dt("With lunch"),
                        Dd("Yes" if data.get("lunch") else "No"),
                        Dt("Region"),
                        Dd(data.get("region")),
                        Dt("Sights"),
                        Dd(self.as_lines(data.get("sights"))),
                        Dt("Travel by"),
                        Dd(data.get("travel")),
                        Dt("Day"),
                        Dd(data.get("day")),
                        Dt("Start"),
                        Dd(data.get("start")),
                        Dt("Reply by"),
                        Dd(str(data.get("reply_by") or "").replace("T", " ")),
                        Dt("Colour of the poster"),
                        Dd(data.get("colour")),
                        Dt("Links"),
                        Dd(self.as_lines(data.get("links"))),
                        Dt("Rooms"),
                        Dd(self.as_json(data.get("rooms"))),
                        Dt("Limit"),
                        Dd(data.get("limit")),
                        Dt("Margins"),
                        Dd(data.get("margins")),
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
                    Dl(
                        Dt("Title"),
                        Dd(data.get("title")),
                        Dt("Notes"),
                        Dd(data.get("notes")),
                        Dt("People"),
                        Dd(data.get("people")),
                        Dt("Price"),
                        Dd(data.get("price")),
                        Dt("Pace"),
                        Dd(data.get("pace")),
                        Dt("With lunch"),
                        Dd("Yes" if data.get("lunch") else "No"),
                        Dt("Region"),
                        Dd(data.get("region")),
                        Dt("Sights"),
                        Dd(self.as_lines(data.get("sights"))),
                        Dt("Travel by"),
                        Dd(data.get("travel")),
                        Dt("Day"),
                        Dd(data.get("day")),
                        Dt("Start"),
                        Dd(data.get("start")),
                        Dt("Reply by"),
                        Dd(str(data.get("reply_by") or "").replace("T", " ")),
                        Dt("Colour of the poster"),
                        Dd(data.get("colour")),
                        Dt("Links"),
                        Dd(self.as_lines(data.get("links"))),
                        Dt("Rooms"),
                        Dd(self.as_json(data.get("rooms"))),
                        Dt("Limit"),
                        Dd(data.get("limit")),
                        Dt("Margins"),
                        Dd(data.get("margins")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_01"),
                id="step_01",
                data_state="locked",
            )

        # The cells before have to run again, and need a secret that was not kept.
        if execution and execution.asks:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.ask_again(execution),
                ),
                id="step_01",
                data_state="question",
            )

        # The cells were run and failed, perhaps after they had been done once: what went
        # wrong, and another try.
        if execution and execution.error:
            return Div(
                Article(
                    H3(step.show),
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
                    Dl(
                        Dt("Title"),
                        Dd(data.get("title")),
                        Dt("Notes"),
                        Dd(data.get("notes")),
                        Dt("People"),
                        Dd(data.get("people")),
                        Dt("Price"),
                        Dd(data.get("price")),
                        Dt("Pace"),
                        Dd(data.get("pace")),
                        Dt("With lunch"),
                        Dd("Yes" if data.get("lunch") else "No"),
                        Dt("Region"),
                        Dd(data.get("region")),
                        Dt("Sights"),
                        Dd(self.as_lines(data.get("sights"))),
                        Dt("Travel by"),
                        Dd(data.get("travel")),
                        Dt("Day"),
                        Dd(data.get("day")),
                        Dt("Start"),
                        Dd(data.get("start")),
                        Dt("Reply by"),
                        Dd(str(data.get("reply_by") or "").replace("T", " ")),
                        Dt("Colour of the poster"),
                        Dd(data.get("colour")),
                        Dt("Links"),
                        Dd(self.as_lines(data.get("links"))),
                        Dt("Rooms"),
                        Dd(self.as_json(data.get("rooms"))),
                        Dt("Limit"),
                        Dd(data.get("limit")),
                        Dt("Margins"),
                        Dd(data.get("margins")),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_01"),
                id="step_01",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "title": "To the mill",
            "notes": "Bring:\nwater & <bread>",
            "people": 12,
            "price": 7.5,
            "pace": 3,
            "lunch": False,
            "region": "East",
            "sights": ["mill", "tower"],
            "travel": "train",
            "day": "2024-05-31",
            "start": "09:30",
            "reply_by": "2024-05-20 18:00:00",
            "colour": "#2a7f62",
            "links": ["https://example.org/mill"],
            "rooms": {"hall": 20},
            "limit": None,
            "margins": "(1, 2.5)",
        }
        typed = state.get("_typed", {}).get("step_01", {})
        return Div(
            Article(
                H3(step.show),
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
        sent = await self.cells.sent(request, several=["sights"])
        form, errors = {}, {}
        form["title"] = sent.get("title", "")
        if not form["title"].strip() or len(form["title"]) > 40:
            errors["title"] = "Title: please enter at most 40 characters."
        form["notes"] = sent.get("notes", "")
        try:
            form["people"] = int(sent.get("people", ""))
            if not 1 <= form["people"] <= 60:
                raise ValueError
        except ValueError:
            errors["people"] = "People: please enter a whole number from 1 to 60."
        try:
            form["price"] = float(sent.get("price", ""))
            if (
                not 0 <= form["price"] < inf
                or 1e-6 < form["price"] / 0.5 % 1 < 0.999999
            ):
                raise ValueError
        except ValueError:
            errors["price"] = (
                "Price: please enter a number, 0 or more, in steps of 0.5."
            )
        try:
            form["pace"] = int(sent.get("pace", ""))
            if not 0 <= form["pace"] <= 10:
                raise ValueError
        except ValueError:
            errors["pace"] = "Pace: please enter a whole number from 0 to 10."
        form["lunch"] = "lunch" in sent
        if sent.get("lunch", "on") != "on":
            errors["lunch"] = "With lunch: please fill this in."
        choices = {str(choice): choice for choice in self.step_01_region_choices}
        if sent.get("region") in choices:
            form["region"] = choices[sent.get("region")]
        else:
            errors["region"] = "Region: please choose from the list."
        choices = {str(choice): choice for choice in self.step_01_sights_choices}
        chosen = sent.getlist("sights")
        form["sights"] = [choices[text] for text in choices if text in chosen]
        if not choices.keys() >= set(chosen):
            errors["sights"] = "Sights: please choose from the list."
        choices = {str(choice): choice for choice in self.step_01_travel_choices}
        if sent.get("travel") in choices:
            form["travel"] = choices[sent.get("travel")]
        else:
            errors["travel"] = "Travel by: please choose from the list."
        try:
            moment = date.fromisoformat(sent.get("day", ""))
            form["day"] = moment.isoformat()
            if not "2024-01-01" <= form["day"] <= "2026-12-31":
                raise ValueError
        except ValueError:
            errors["day"] = "Day: please enter a date from 2024-01-01 to 2026-12-31."
        try:
            moment = time.fromisoformat(sent.get("start", ""))
            form["start"] = moment.isoformat("minutes")
        except ValueError:
            errors["start"] = "Start: please enter a time."
        try:
            moment = datetime.fromisoformat(sent.get("reply_by", ""))
            form["reply_by"] = moment.isoformat(" ", "seconds")
        except ValueError:
            errors["reply_by"] = "Reply by: please enter a date and time."
        form["colour"] = sent.get("colour", "")
        if not fullmatch(r"#[0-9a-fA-F]{6}", form["colour"]):
            errors["colour"] = (
                "Colour of the poster: please enter a colour such as #ff8800."
            )
        lines = [line.strip() for line in sent.get("links", "").splitlines()]
        lines = [line for line in lines if line and not line.startswith("#")]
        form["links"] = lines
        if not lines or not all(
            fullmatch(r"(?i)[a-z][a-z0-9+.-]*://\S+", line) for line in lines
        ):
            errors["links"] = (
                "Links: please enter addresses such as https://example.org, each on a line of its own."
            )
        try:
            form["rooms"] = read_json(sent.get("rooms", ""))
            if type(form["rooms"]) is not dict:
                raise ValueError
        except ValueError:
            errors["rooms"] = (
                'Rooms: please write a JSON object, for example {"name": "value"}.'
            )
        if not sent.get("limit", "").strip():
            form["limit"] = None
        else:
            try:
                form["limit"] = int(sent.get("limit", ""))
            except ValueError:
                errors["limit"] = "Limit: please enter a whole number."
        form["margins"] = sent.get("margins", "")
        try:
            if form["margins"] != "(1, 2.5)":
                read_literal(form["margins"])
        except ValueError:
            errors["margins"] = (
                'Margins: please write a number, a "text in quotes", or a [list] of them.'
            )
        errors |= sent.problems
        if errors:
            return Div(
                Article(
                    H3(step.show),
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
    @cell("files")
    def step_02_cell(form):
        global names  # out: for the cells after
        global guests, pictures, picture  # stays in the notebook's namespace
        guests = form["guests"]
        pictures = form["pictures"]

        names = [
            line.split(",")[0]
            for line in open(guests, encoding="utf-8").read().splitlines()[1:]
        ]
        print(names)
        for picture in pictures:
            print(picture.rpartition("/")[2], len(open(picture, "rb").read()))

    def step_02_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Guests", fr="step_02-guests"),
                    self.cells.chosen(values.get("guests")),
                    Input(
                        id="step_02-guests",
                        name="guests",
                        aria_invalid="true" if "guests" in errors else None,
                        type="file",
                        accept=".csv",
                        aria_describedby="step_02-guests-error",
                        required=not values.get("guests"),
                    ),
                    self.error_below("step_02-guests", errors.get("guests")),
                    cls="field wide",
                ),
                Div(
                    Label("Pictures", fr="step_02-pictures"),
                    self.cells.chosen(values.get("pictures"), remove="pictures"),
                    Input(
                        id="step_02-pictures",
                        name="pictures",
                        aria_invalid="true" if "pictures" in errors else None,
                        type="file",
                        multiple=True,
                        aria_describedby="step_02-pictures-error",
                    ),
                    self.error_below("step_02-pictures", errors.get("pictures")),
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

        # Running: what the cells showed so far. The clock asks what is new, and adds only that.
        if execution and execution.running:
            data = execution.form
            return Div(
                Article(
                    H3(step.show),
                    Dl(
                        Dt("Guests"),
                        Dd(self.cells.file(key, data.get("guests"))),
                        Dt("Pictures"),
                        Dd(self.cells.file(key, data.get("pictures"))),
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
                        Dt("Guests"),
                        Dd(self.cells.file(key, data.get("guests"))),
                        Dt("Pictures"),
                        Dd(self.cells.file(key, data.get("pictures"))),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_02"),
                id="step_02",
                data_state="locked",
            )

        # The cells before have to run again, and need a secret that was not kept.
        if execution and execution.asks:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.ask_again(execution),
                ),
                id="step_02",
                data_state="question",
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
                        Dt("Guests"),
                        Dd(self.cells.file(key, data.get("guests"))),
                        Dt("Pictures"),
                        Dd(self.cells.file(key, data.get("pictures"))),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_02"),
                id="step_02",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "guests": "guests.csv",
            "pictures": [],
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
        sent = await self.cells.sent(request, files=["guests", "pictures"])
        form, errors = {}, {}
        # A file stays until another one is chosen.
        typed = state.get("_typed", {}).get("step_02", {})
        earlier = {
            "guests": "guests.csv",
            "pictures": [],
        }
        earlier = earlier | state.get("step_02", {}) | typed
        try:
            form["guests"] = await self.cells.uploaded(
                key,
                sent,
                "guests",
                earlier.get("guests"),
                endings=(".csv",),
                max_size=1_000_000,
            )
            if not form["guests"]:
                raise ValueError
        except ValueError:
            errors["guests"] = "Guests: please choose a file (.csv) of at most 1 MB."
        try:
            form["pictures"] = await self.cells.uploaded_all(
                key,
                sent,
                "pictures",
                earlier.get("pictures"),
                max_size=200_000_000,
            )
        except ValueError:
            errors["pictures"] = "Pictures: please choose files of at most 200 MB each."
        errors |= sent.problems

        # Files take their time: another tab may have locked the run by now, or gone back.
        state = self.pip.read_state(key)
        before = self.steps[: self.steps_indices["step_02"]]
        locked = "finalized" in state.get("finalize", {})
        reopened = state.get("_revert_target") in [step.id for step in before]
        done = all(step.done in state.get(step.id, {}) for step in before)
        if not state or locked or reopened or not done:
            return self.chain(key)
        if errors:
            # Files that came along are kept: a browser does not send them twice.
            kept = {
                name: form.get(name, earlier[name]) for name in ["guests", "pictures"]
            }
            state["_typed"] = {"step_02": kept}
            self.pip.write_state(key, state)
            return Div(
                Article(
                    H3(step.show),
                    self.step_02_form(sent | kept, errors),
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
    # Secrets are never kept; when the cells have to run again, they are asked again.
    step_03_secrets = {  # noqa: RUF012
        "token": "Booking token",
    }

    @cell("secret")
    def step_03_cell(form):
        global token  # out: for the cells after
        token = form["token"]

        print("The token has", len(token), "characters.")

    def step_03_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        return Form(
            Div(
                Div(
                    Label("Booking token", fr="step_03-token"),
                    Input(
                        id="step_03-token",
                        name="token",
                        aria_invalid="true" if "token" in errors else None,
                        type="password",
                        autocomplete="off",
                        required=True,
                        aria_describedby="step_03-token-error",
                    ),
                    self.error_below("step_03-token", errors.get("token")),
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
                        Dt("Booking token"),
                        Dd("not kept"),
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
                        Dt("Booking token"),
                        Dd("not kept"),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_03"),
                id="step_03",
                data_state="locked",
            )

        # The cells before have to run again, and need a secret that was not kept.
        if execution and execution.asks:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.ask_again(execution),
                ),
                id="step_03",
                data_state="question",
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
                        Dt("Booking token"),
                        Dd("not kept"),
                    ),
                    self.cells.show(key, data.get("_cells", [])),
                ),
                self.next_card("step_03"),
                id="step_03",
                data_state="done",
            )

        # Phase 3: the questions, with earlier answers or the notebook's values.
        values = {
            "token": "",
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
        form["token"] = sent.get("token", "")
        if not form["token"].strip():
            errors["token"] = "Booking token: please fill this in."
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
        state["_typed"]["step_03"]["token"] = ""  # but no secret
        self.pip.write_state(key, state)

        # What the cells gave is kept once they are done; what came after is cleared.
        async def save(cells):
            state = await self.pip.clear_steps_from(key, "step_03", self.steps)
            state["step_03"] = {**form, "_cells": cells}
            state["step_03"]["token"] = ""  # a secret is never kept
            state.pop("_revert_target", None)
            state.pop("_typed", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, "step_03", form, save)
        return await self.step_03(request)

    # --- END_STEP_BUNDLE: step_03 ---

    # --- START_STEP_BUNDLE: step_04 ---
    @cell("summary")
    def step_04_cell(form):
        global title, names, people, token  # in: from the cells before
        print(f"{title}: {len(names)} of {people} places, booked: {bool(token)}")

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

        # The cells before have to run again, and need a secret that was not kept.
        if execution and execution.asks:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.ask_again(execution),
                ),
                id="step_04",
                data_state="question",
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

        # Phase 3: nothing to ask, but the step waits for the button.
        return Div(
            Article(
                H3(step.show),
                Form(
                    Button("Run", type="submit", cls="primary"),
                    hx_post=f"/{self.app_name}/step_04_submit",
                    hx_target="#step_04",
                    hx_swap="outerHTML",
                ),
            ),
            id="step_04",
            data_state="input",
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
