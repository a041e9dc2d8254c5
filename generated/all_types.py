"""The workflow "A field of every type", ported from all_types.ipynb by `pipulate port`.

A card is a step: `step_NN_cell` is the notebook's code, `step_NN_form` its questions,
`step_NN` draws the card (GET), `step_NN_submit` takes the answers and runs the code
(POST). Change what you like: the next port keeps it. docs/customising.md shows how.
"""

# port: id=919a8d219c66 notebook=../fixtures/inputs/all_types.ipynb base=6fbee421b1e95501
# The `global` lines of a cell name what it only reads, too:
# ruff: noqa: PLW0602

from collections import namedtuple
from json import dumps
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
    Option,
    Output,
    P,
    Response,
    Select,
    Small,
    Textarea,
)
from pipulate_runtime.cells import Cells, Typed, cell

ROLES = ["Core"]

Step = namedtuple("Step", "id done show refill transform", defaults=(False, None))


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
            ),
            Step(
                id="step_02",
                done="guests",
                show="Who comes",
            ),
            Step(
                id="step_03",
                done="token",
                show="Book",
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
        self.cells = Cells(self, files="all_types.files")
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
        "title": "Title",
        "notes": "Notes",
        "people": "People",
        "price": "Price",
        "pace": "Pace",
        "lunch": "With lunch",
        "region": "Region",
        "sights": "Sights",
        "travel": "Travel by",
        "day": "Day",
        "start": "Start",
        "reply_by": "Reply by",
        "colour": "Colour of the poster",
        "links": "Links",
        "rooms": "Rooms",
        "limit": "Limit",
        "margins": "Margins",
    }

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
        labels = self.step_01_labels
        return self.form(
            "step_01",
            self.field(
                "step_01-title",
                labels["title"],
                Input(
                    name="title",
                    value=values.get("title"),
                    type="text",
                    maxlength="40",
                    required=True,
                ),
                help="It stands on the poster",
                error=errors.get("title"),
            ),
            self.field(
                "step_01-notes",
                labels["notes"],
                Textarea(
                    # A browser drops the first line break.
                    "\n" + (values.get("notes") or ""),
                    name="notes",
                    rows=5,
                ),
                error=errors.get("notes"),
                cls="field wide",
            ),
            self.field(
                "step_01-people",
                labels["people"],
                Input(
                    name="people",
                    value=values.get("people"),
                    type="number",
                    step="1",
                    min="1",
                    max="60",
                    required=True,
                ),
                error=errors.get("people"),
            ),
            self.field(
                "step_01-price",
                labels["price"],
                Input(
                    name="price",
                    value=values.get("price"),
                    type="number",
                    step="0.5",
                    min="0",
                    required=True,
                ),
                help="For one person",
                error=errors.get("price"),
            ),
            self.field(
                "step_01-pace",
                labels["pace"],
                Input(
                    name="pace",
                    value=values.get("pace"),
                    type="range",
                    step="1",
                    min="0",
                    max="10",
                    required=True,
                ),
                Output(values.get("pace"), fr="step_01-pace"),
                error=errors.get("pace"),
            ),
            self.field(
                "step_01-lunch",
                labels["lunch"],
                Input(
                    type="checkbox",
                    role="switch",
                    name="lunch",
                    checked=bool(values.get("lunch")),
                ),
                error=errors.get("lunch"),
            ),
            self.field(
                "step_01-region",
                labels["region"],
                Select(
                    *(
                        Option(
                            str(choice),
                            value=str(choice),
                            selected=values.get("region") in (choice, str(choice)),
                        )
                        for choice in self.step_01_region_choices
                    ),
                    name="region",
                    required=True,
                ),
                error=errors.get("region"),
            ),
            self.field(
                "step_01-sights",
                labels["sights"],
                Fieldset(
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
                    cls="choices",
                ),
                error=errors.get("sights"),
                cls="field wide",
            ),
            self.field(
                "step_01-travel",
                labels["travel"],
                Fieldset(
                    *(
                        Label(
                            Input(
                                type="radio",
                                name="travel",
                                value=str(choice),
                                checked=values.get("travel") in (choice, str(choice)),
                                required=True,
                            ),
                            str(choice),
                        )
                        for choice in self.step_01_travel_choices
                    ),
                    role="radiogroup",
                ),
                error=errors.get("travel"),
            ),
            self.field(
                "step_01-day",
                labels["day"],
                Input(
                    name="day",
                    value=values.get("day"),
                    type="date",
                    min="2024-01-01",
                    max="2026-12-31",
                    required=True,
                ),
                error=errors.get("day"),
            ),
            self.field(
                "step_01-start",
                labels["start"],
                Input(
                    name="start",
                    value=values.get("start"),
                    type="time",
                    required=True,
                ),
                error=errors.get("start"),
            ),
            self.field(
                "step_01-reply_by",
                labels["reply_by"],
                Input(
                    name="reply_by",
                    value=str(values.get("reply_by") or "").replace(" ", "T"),
                    type="datetime-local",
                    step="1",
                    required=True,
                ),
                error=errors.get("reply_by"),
            ),
            self.field(
                "step_01-colour",
                labels["colour"],
                Input(name="colour", value=values.get("colour"), type="color"),
                error=errors.get("colour"),
            ),
            self.field(
                "step_01-links",
                labels["links"],
                Textarea(
                    # A browser drops the first line break.
                    "\n" + self.as_lines(values.get("links")),
                    name="links",
                    rows=5,
                    spellcheck="false",
                    required=True,
                ),
                error=errors.get("links"),
                cls="field wide",
            ),
            self.field(
                "step_01-rooms",
                labels["rooms"],
                Textarea(
                    # A browser drops the first line break.
                    "\n" + self.as_json(values.get("rooms")),
                    name="rooms",
                    rows=5,
                    spellcheck="false",
                    required=True,
                ),
                error=errors.get("rooms"),
                cls="field wide",
            ),
            self.field(
                "step_01-limit",
                labels["limit"],
                Input(
                    name="limit",
                    value=values.get("limit"),
                    type="number",
                    step="1",
                    placeholder="none",
                ),
                error=errors.get("limit"),
            ),
            self.field(
                "step_01-margins",
                labels["margins"],
                Input(
                    name="margins",
                    value=values.get("margins"),
                    type="text",
                    spellcheck="false",
                    required=True,
                ),
                error=errors.get("margins"),
            ),
            button="Continue",
        )

    async def step_01(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_01")
        answers = {
            "title": run.data.get("title"),
            "notes": run.data.get("notes"),
            "people": run.data.get("people"),
            "price": run.data.get("price"),
            "pace": run.data.get("pace"),
            "lunch": "Yes" if run.data.get("lunch") else "No",
            "region": run.data.get("region"),
            "sights": self.as_lines(run.data.get("sights")),
            "travel": run.data.get("travel"),
            "day": run.data.get("day"),
            "start": run.data.get("start"),
            "reply_by": str(run.data.get("reply_by") or "").replace("T", " "),
            "colour": run.data.get("colour"),
            "links": self.as_lines(run.data.get("links")),
            "rooms": self.as_json(run.data.get("rooms")),
            "limit": run.data.get("limit"),
            "margins": run.data.get("margins"),
        }
        if run.stage == "running":
            return self.card(run, answers=answers)
        if run.stage == "locked":
            return self.card(run, answers=answers)
        if run.stage == "secrets":
            # The cells before have to run again, and need a secret that was not kept.
            return self.card(run, self.cells.ask_again(run.execution))
        if run.stage == "error":
            form = self.step_01_form(run.execution.form, {})
            return self.card(run, form)
        if run.stage == "done":
            return self.card(run, answers=answers, back="Change")
        # The questions, with earlier answers or the notebook's values.
        values = (
            {
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
            | run.data
            | run.typed
        )
        return self.card(run, self.step_01_form(values, {}))

    async def step_01_submit(self, request):
        """POST: read the answers, run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_01")
        if not run.may_submit():
            return run.chain()

        sent = await self.cells.sent(request, labels=run.labels)
        form = {
            "title": sent.text("title", max=40),
            "notes": sent.text("notes", required=False),
            "people": sent.integer("people", min=1, max=60),
            "price": sent.number("price", min=0, step=0.5),
            "pace": sent.integer("pace", min=0, max=10),
            "lunch": sent.switch("lunch"),
            "region": sent.choice("region", self.step_01_region_choices),
            "sights": sent.choices(
                "sights", self.step_01_sights_choices, required=False
            ),
            "travel": sent.choice("travel", self.step_01_travel_choices),
            "day": sent.date("day", min="2024-01-01", max="2026-12-31"),
            "start": sent.time("start"),
            "reply_by": sent.datetime("reply_by", sep=" ", timespec="seconds"),
            "colour": sent.color("colour"),
            "links": sent.urls("links"),
            "rooms": sent.json("rooms", dict),
            "limit": sent.integer("limit", required=False),
            "margins": sent.literal("margins", default="(1, 2.5)"),
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
    step_02_labels = {"guests": "Guests", "pictures": "Pictures"}  # noqa: RUF012

    @cell("files")
    def step_02_cell(form):
        global names  # out: for the cells after
        global guests, pictures, picture  # stays in the notebook's namespace
        guests = form["guests"]
        pictures = form["pictures"]

        names = [line.split(",")[0] for line in open(guests, encoding="utf-8").read().splitlines()[1:]]
        print(names)
        for picture in pictures:
            print(picture.rpartition("/")[2], len(open(picture, "rb").read()))

    def step_02_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        labels = self.step_02_labels
        return self.form(
            "step_02",
            self.field(
                "step_02-guests",
                labels["guests"],
                Input(
                    name="guests",
                    type="file",
                    accept=".csv",
                    required=not values.get("guests"),
                ),
                self.cells.chosen(values.get("guests")),
                error=errors.get("guests"),
                cls="field wide",
            ),
            self.field(
                "step_02-pictures",
                labels["pictures"],
                Input(
                    name="pictures",
                    type="file",
                    multiple=True,
                ),
                self.cells.chosen(values.get("pictures"), remove="pictures"),
                error=errors.get("pictures"),
                cls="field wide",
            ),
            button="Continue",
        )

    async def step_02(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_02")
        answers = {
            "guests": self.cells.file(run.key, run.data.get("guests")),
            "pictures": self.cells.file(run.key, run.data.get("pictures")),
        }
        if run.stage == "running":
            return self.card(run, answers=answers)
        if run.stage == "locked":
            return self.card(run, answers=answers)
        if run.stage == "secrets":
            # The cells before have to run again, and need a secret that was not kept.
            return self.card(run, self.cells.ask_again(run.execution))
        if run.stage == "error":
            form = self.step_02_form(run.execution.form, {})
            return self.card(run, form)
        if run.stage == "done":
            return self.card(run, answers=answers, back="Change")
        # The questions, with earlier answers or the notebook's values.
        values = {"guests": "guests.csv", "pictures": []} | run.data | run.typed
        return self.card(run, self.step_02_form(values, {}))

    async def step_02_submit(self, request):
        """POST: read the answers, run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_02")
        if not run.may_submit():
            return run.chain()

        # A file stays until another one is chosen.
        earlier = {"guests": "guests.csv", "pictures": []} | run.data | run.typed
        sent = await self.cells.sent(request, labels=run.labels, key=run.key)
        form = {
            "guests": await sent.file(
                "guests", earlier["guests"], endings=[".csv"], max_mb=1
            ),
            "pictures": await sent.several_files(
                "pictures", earlier["pictures"], required=False
            ),
        }

        # Files take their time: another tab may have locked the run by now, or gone back.
        run = await self.cells.open_run(request, "step_02")
        if not run.may_submit():
            return run.chain()
        if sent.errors:
            # Files that came along are kept: a browser does not send them twice.
            kept = {name: form[name] for name in ["guests", "pictures"]}
            run.keep_typed(kept)
            asked = self.step_02_form(sent | kept, sent.errors)
            return self.card(run.refused(), asked)
        run.keep_typed(form)

        async def save(cells):
            await run.save({**form, "_cells": cells})

        await self.cells.start(run.key, "step_02", form, save)
        return await self.step_02(request)

    # --- END_STEP_BUNDLE: step_02 ---

    # --- START_STEP_BUNDLE: step_03 ---
    # Secrets are never kept; when the cells have to run again, they are asked again.
    step_03_secrets = {  # noqa: RUF012
        "token": "Booking token",
    }

    step_03_labels = {"token": "Booking token"}  # noqa: RUF012

    @cell("secret")
    def step_03_cell(form):
        global token  # out: for the cells after
        token = form["token"]

        print("The token has", len(token), "characters.")

    def step_03_form(self, values, errors):
        """Return the questions, filled in; an error stands below its field."""
        labels = self.step_03_labels
        return self.form(
            "step_03",
            self.field(
                "step_03-token",
                labels["token"],
                Input(name="token", type="password", autocomplete="off", required=True),
                error=errors.get("token"),
            ),
            button="Continue",
        )

    async def step_03(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_03")
        answers = {"token": "not kept"}
        if run.stage == "running":
            return self.card(run, answers=answers)
        if run.stage == "locked":
            return self.card(run, answers=answers)
        if run.stage == "secrets":
            # The cells before have to run again, and need a secret that was not kept.
            return self.card(run, self.cells.ask_again(run.execution))
        if run.stage == "error":
            form = self.step_03_form(run.execution.form, {})
            return self.card(run, form)
        if run.stage == "done":
            return self.card(run, answers=answers, back="Change")
        # The questions, with earlier answers or the notebook's values.
        values = {"token": ""} | run.data | run.typed
        return self.card(run, self.step_03_form(values, {}))

    async def step_03_submit(self, request):
        """POST: read the answers, run the cells, save what they gave."""
        run = await self.cells.open_run(request, "step_03")
        if not run.may_submit():
            return run.chain()

        sent = await self.cells.sent(request, labels=run.labels)
        form = {"token": sent.password("token")}
        if sent.errors:
            asked = self.step_03_form(sent, sent.errors)
            return self.card(run.refused(), asked)
        # A secret is never kept.
        kept = form | {"token": ""}
        run.keep_typed(kept)

        async def save(cells):
            await run.save({**kept, "_cells": cells})

        await self.cells.start(run.key, "step_03", form, save)
        return await self.step_03(request)

    # --- END_STEP_BUNDLE: step_03 ---

    # --- START_STEP_BUNDLE: step_04 ---
    @cell("summary")
    def step_04_cell(form):
        global title, names, people, token  # in: from the cells before
        print(f"{title}: {len(names)} of {people} places, booked: {bool(token)}")

    async def step_04(self, request):
        """GET: the card as it stands."""
        run = await self.cells.open_run(request, "step_04")
        if run.stage == "running":
            return self.card(run)
        if run.stage == "locked":
            return self.card(run)
        if run.stage == "secrets":
            # The cells before have to run again, and need a secret that was not kept.
            return self.card(run, self.cells.ask_again(run.execution))
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
