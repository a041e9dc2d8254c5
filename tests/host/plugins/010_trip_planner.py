"""A workflow written by hand in the shape of a ported one, without cells: three questions and a result."""

from collections import namedtuple

from fasthtml.common import (
    H3,
    Article,
    Button,
    Dd,
    Div,
    Dl,
    Dt,
    Fieldset,
    Form,
    Header,
    HtmxResponseHeaders,
    Input,
    Label,
    Legend,
    NotStr,
    Option,
    Output,
    P,
    Pre,
    Select,
    Small,
    Table,
    Tbody,
    Td,
    Textarea,
    Th,
    Thead,
    Tr,
)

ROLES = ["Core"]

Step = namedtuple("Step", ["id", "done", "show", "refill", "transform"], defaults=(None,))


class TripPlanner:
    APP_NAME = "trip"
    DISPLAY_NAME = "Trip planner"
    ENDPOINT_MESSAGE = "What a trip costs for everyone who comes along."
    TRAINING_PROMPT = ""

    def __init__(self, app, pipulate, pipeline, db, app_name=APP_NAME):
        self.app = app
        self.pip = pipulate
        self.steps = [
            Step(id="step_01", done="people", show="Who comes along", refill=False),
            Step(id="step_02", done="nights", show="How long and how", refill=False),
            Step(id="step_03", done="ran", show="What it costs", refill=False),
            Step(id="finalize", done="finalized", show="Finalize", refill=False),
        ]
        self.steps_indices = {step.id: index for index, step in enumerate(self.steps)}
        pipulate.register_workflow_routes(self)

    async def run_key(self, request):
        sent = request.query_params if request.method == "GET" else await request.form()
        return sent.get("pipeline_id") or self.pip.db.get("pipeline_id", "")

    def chain(self, key):
        return Div(
            Div(id="step_01", hx_get="/trip/step_01", hx_trigger="load", hx_swap="outerHTML"),
            id="trip-container",
            hx_vals={"pipeline_id": key},
        ), HtmxResponseHeaders(retarget="#trip-container", reswap="outerHTML")

    async def landing(self, request):
        return self.pip.create_standard_landing_page(self)

    async def init(self, request):
        name = (await request.form()).get("pipeline_id", "")
        key, _, _ = self.pip.generate_pipeline_key(self, name)
        self.pip.db["pipeline_id"] = key
        _, error = self.pip.initialize_if_missing(key, {"app_name": self.APP_NAME})
        return error if error is not None else self.chain(key)

    async def finalize(self, request):
        key = await self.run_key(request)
        if request.method == "POST":
            await self.pip.finalize_workflow(key)
            return self.chain(key)
        locked = "finalized" in self.pip.read_state(key).get("finalize", {})
        title = "This run is finished" if locked else "All steps are done"
        text = (
            "Its answers and results are protected."
            if locked
            else "Finish the run to protect its answers and results."
        )
        action, label = ("unfinalize", "Unlock") if locked else ("finalize", "Finish")
        button = Button(label, type="submit", cls="secondary" if locked else "primary")
        form = Form(
            button, hx_post=f"/trip/{action}", hx_target="#trip-container", hx_swap="outerHTML"
        )
        return Div(
            Article(H3(title), P(text), form),
            id="finalize",
            data_state="locked" if locked else "input",
        )

    async def unfinalize(self, request):
        key = await self.run_key(request)
        await self.pip.unfinalize_workflow(key)
        return self.chain(key)

    async def handle_revert(self, request):
        key = await self.run_key(request)
        step_id = (await request.form()).get("step_id")
        state = await self.pip.clear_steps_from(key, step_id, self.steps)
        state["_revert_target"] = step_id
        self.pip.write_state(key, state)
        return self.chain(key)

    def card(self, key, step_id, facts, *results):
        """The done or locked card of a step."""
        state, step = self.pip.read_state(key), self.steps[self.steps_indices[step_id]]
        following = self.steps[self.steps_indices[step_id] + 1].id
        locked = "finalized" in state.get("finalize", {})
        change = Button(
            "Change",
            cls="button-revert",
            hx_post="/trip/revert",
            hx_vals={"step_id": step_id},
            hx_target="#trip-container",
            hx_swap="outerHTML",
        )
        return Div(
            Article(
                Header(H3(step.show), None if locked else change),
                (
                    Dl(
                        *(
                            part
                            for name, value in facts.items()
                            for part in (Dt(name), Dd(str(value)))
                        )
                    )
                    if facts
                    else None
                ),
                *results,
            ),
            Div(id=following, hx_get=f"/trip/{following}", hx_trigger="load", hx_swap="outerHTML"),
            id=step_id,
            data_state="locked" if locked else "done",
        )

    def is_open(self, key, step_id):
        state, step = self.pip.read_state(key), self.steps[self.steps_indices[step_id]]
        return step.done not in state.get(step_id, {}) or state.get("_revert_target") == step_id

    async def save(self, key, step_id, data):
        state = await self.pip.clear_steps_from(key, step_id, self.steps)
        state[step_id] = data
        state.pop("_revert_target", None)
        self.pip.write_state(key, state)

    # --- START_STEP_BUNDLE: step_01 ---
    async def step_01(self, request):
        key = await self.run_key(request)
        data = self.pip.get_step_data(key, "step_01")
        if not self.is_open(key, "step_01"):
            return self.card(
                key, "step_01", {"People": data["people"], "Notes": data["notes"] or "none"}
            )
        return self.ask_01(data or {"people": 2, "notes": ""}, {})

    def ask_01(self, values, errors):
        return Div(
            Article(
                H3("Who comes along"),
                P("Everyone who shares the costs, you included."),
                Form(
                    Label("Number of people", fr="step_01-people"),
                    Input(
                        type="number",
                        id="step_01-people",
                        name="people",
                        value=str(values.get("people", "")),
                        required=True,
                    ),
                    (
                        Small(errors["people"], cls="text-invalid")
                        if "people" in errors
                        else Small("A whole number; 0 is fine.")
                    ),
                    Label("Notes", fr="step_01-notes"),
                    Textarea(values.get("notes", ""), id="step_01-notes", name="notes", rows="3"),
                    Button("Continue", type="submit", cls="primary"),
                    hx_post="/trip/step_01_submit",
                    hx_target="#step_01",
                    hx_swap="outerHTML",
                ),
            ),
            id="step_01",
            data_state="input",
        )

    async def step_01_submit(self, request):
        key = await self.run_key(request)
        sent = await request.form()
        try:
            people = int(sent.get("people", ""))
        except ValueError:
            return self.ask_01(sent, {"people": "Please enter a whole number."})
        await self.save(key, "step_01", {"people": people, "notes": sent.get("notes", "")})
        return await self.step_01(request)

    # --- START_STEP_BUNDLE: step_02 ---
    async def step_02(self, request):
        key = await self.run_key(request)
        data = self.pip.get_step_data(key, "step_02")
        if not self.is_open(key, "step_02"):
            facts = {
                "Nights": data["nights"],
                "Travel": data["travel"],
                "With breakfast": data["breakfast"],
                "Extras": ", ".join(data["extras"]),
            }
            return self.card(key, "step_02", facts)
        radios = [
            Label(
                Input(type="radio", name="travel", value=name, checked=name == "train"),
                f"By {name}",
            )
            for name in ("train", "car", "bicycle")
        ]
        boxes = [
            Label(Input(type="checkbox", name="extras", value=name), name.title())
            for name in ("museum", "boat", "sauna")
        ]
        return Div(
            Article(
                H3("How long and how"),
                Form(
                    Label("Nights", fr="step_02-nights"),
                    Div(
                        Input(
                            type="range",
                            id="step_02-nights",
                            name="nights",
                            value=str(data.get("nights", 3)),
                            min="0",
                            max="14",
                        ),
                        Output(str(data.get("nights", 3)), fr="step_02-nights"),
                        cls="range",
                    ),
                    Fieldset(Legend("Travel"), *radios),
                    Fieldset(Legend("Extras"), *boxes),
                    Label(
                        Input(type="checkbox", role="switch", name="breakfast", checked=True),
                        "With breakfast",
                    ),
                    Label("Season", fr="step_02-season"),
                    Select(
                        Option("Summer"),
                        Option("Winter", selected=True),
                        id="step_02-season",
                        name="season",
                    ),
                    Label("First day", fr="step_02-day"),
                    Input(type="date", id="step_02-day", name="day", value="2026-07-01"),
                    Button("Continue", type="submit", cls="primary"),
                    hx_post="/trip/step_02_submit",
                    hx_target="#step_02",
                    hx_swap="outerHTML",
                ),
            ),
            id="step_02",
            data_state="input",
        )

    async def step_02_submit(self, request):
        key = await self.run_key(request)
        sent = await request.form()
        await self.save(
            key,
            "step_02",
            {
                "nights": int(sent["nights"]),
                "travel": sent["travel"],
                "breakfast": "breakfast" in sent,
                "extras": sent.getlist("extras"),
            },
        )
        return await self.step_02(request)

    # --- START_STEP_BUNDLE: step_03 ---
    async def step_03(self, request):
        key = await self.run_key(request)
        state = self.pip.read_state(key)
        if self.is_open(key, "step_03"):
            return Div(
                Article(H3("What it costs"), P("Running…", aria_busy="true")),
                id="step_03",
                data_state="running",
                hx_post="/trip/step_03_submit",
                hx_trigger="load delay:50ms",
                hx_swap="outerHTML",
            )
        nights, people = state["step_02"]["nights"], state["step_01"]["people"]
        rows = [
            ("Rooms", 80 * nights * people),
            ("Travel", 45 * people),
            ("Food", 30 * nights * people),
        ]
        names = ["item", *(f"day {n}" for n in range(1, 15)), "sum"]
        table = Table(
            Thead(Tr(Th(), *map(Th, names))),
            Tbody(
                *(
                    Tr(
                        Th(str(i)),
                        Td(name),
                        *(Td(str(value // 14)) for _ in range(14)),
                        Td(str(value)),
                    )
                    for i, (name, value) in enumerate(rows)
                )
            ),
            cls="dataframe",
        )
        outputs = Div(
            Div(
                Pre(f"{people} people, {nights} nights"),
                data_cell="c1",
                data_output="stream",
                data_name="stdout",
            ),
            Div(table, data_cell="c2", data_output="execute_result", data_mime="text/html"),
            Div(
                NotStr(
                    '<svg viewBox="0 0 600 200" width="600" height="200"><rect width="600" height="200" fill="#eef"/>'
                    '<path d="M0 180 L150 90 L300 120 L450 30 L600 60" fill="none" stroke="#1d6a5d" stroke-width="4"/></svg>'
                ),
                data_cell="c3",
                data_output="display_data",
                data_mime="image/svg+xml",
            ),
            cls="outputs",
        )
        return self.card(key, "step_03", {}, outputs)

    async def step_03_submit(self, request):
        key = await self.run_key(request)
        await self.save(key, "step_03", {"ran": True})
        return await self.step_03(request)
