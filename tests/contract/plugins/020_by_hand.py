"""Routes registered by hand, arguments under their other names, every step's card made by `pip` (CONTRACT 1.2, 1.4, 1.11)."""

from fasthtml.common import H4, Button, Card, Container, Div, Form, HTMLResponse, Input, P, to_xml
from imports.crud import VALID_ROLES, Step

ROLES = ["Components"]


class HandMade:
    APP_NAME = "hand-made"
    DISPLAY_NAME = "Made by hand"
    TRAINING_PROMPT = "Two numbers and their product."

    def __init__(
        self, app, pipulate_instance, pipeline_table, db_key_value_store, config, app_name=None
    ):
        pip = self.pip = pipulate_instance
        self.app, self.app_name = app, app_name or self.APP_NAME
        self.table, self.store = pipeline_table, db_key_value_store
        self.ui = config.UI_CONSTANTS
        assert self.ui == pip.get_ui_constants() == pip.get_config().UI_CONSTANTS
        assert "Core" in VALID_ROLES
        self.message_queue = pip.get_message_queue()
        self.steps = [
            Step("step_01", "first", "First number", True),
            Step("step_02", "second", "Second number", True),
            Step("finalize", "finalized", "Finalize", False),
        ]
        self.steps_indices = {step.id: i for i, step in enumerate(self.steps)}
        name = self.app_name
        app.route(f"/{name}", methods=["GET"])(self.landing)
        app.route(f"/{name}/init", methods=["POST"])(self.init)
        app.route(f"/{name}/revert", methods=["POST"])(self.handle_revert)
        app.route(f"/{name}/finalize", methods=["GET", "POST"])(self.finalize)
        app.route(f"/{name}/unfinalize", methods=["POST"])(self.unfinalize)
        for step_id in ("step_01", "step_02"):
            app.route(f"/{name}/{step_id}")(getattr(self, step_id))
            app.route(f"/{name}/{step_id}_submit", methods=["POST"])(
                getattr(self, f"{step_id}_submit")
            )

    def get_endpoint_message(self):
        return "Multiplies two numbers."

    async def landing(self, request):
        self.table.xtra(app_name=self.app_name)
        runs = [record.pkey for record in self.table()]
        return Container(
            Card(
                Form(
                    Input(name="pipeline_id", list="pipeline-ids", aria_label="Name of the run"),
                    Button(self.ui["BUTTON_LABELS"]["ENTER_KEY"], type="submit"),
                    hx_post=f"/{self.app_name}/init",
                    hx_target=f"#{self.app_name}-container",
                ),
                self.pip.update_datalist("pipeline-ids", options=runs),
                P(f"{len(runs)} runs"),
            ),
            Div(id=f"{self.app_name}-container"),
        )

    async def init(self, request):
        typed = (await request.form()).get("pipeline_id")
        key, prefix, user_part = self.pip.generate_pipeline_key(self, typed)
        assert key == prefix + user_part
        self.pip.db["pipeline_id"] = key
        _, error = self.pip.initialize_if_missing(key, {"app_name": self.app_name})
        return error or self.pip.run_all_cells(self.app_name, self.steps)

    def number(self, key, index):
        step = self.steps[index]
        return self.pip.get_step_data(key, step.id).get(step.done)

    async def card(self, index):
        pip, step, name = self.pip, self.steps[index], self.app_name
        key = pip.db["pipeline_id"]
        state, next_id = pip.read_state(key), self.steps[index + 1].id
        value = self.number(key, index)
        if "finalized" in state.get("finalize", {}):
            content = pip.finalized_content(f"{step.show}: {value}", P("kept"), heading_tag=H4)
            follow = Div(id=next_id, hx_get=f"/{name}/{next_id}", hx_trigger="load")
            return Div(content, follow, id=step.id)
        if value is not None and state.get("_revert_target") != step.id:
            product = (self.number(key, 0) or 0) * (self.number(key, 1) or 0)
            return pip.display_revert_widget(
                step_id=step.id,
                app_name=name,
                steps=self.steps,
                message=f"{step.show}: {value}",
                widget=P(f"The product is {product}."),
                target_id=f"{name}-container",
                next_step_id=next_id,
            )
        ask = Form(
            Input(type="number", name=step.done, value=value, aria_label=step.show),
            Button(self.ui["BUTTON_LABELS"]["NEXT_STEP"], cls=self.ui["BUTTON_STYLES"]["PRIMARY"]),
            hx_post=f"/{name}/{step.id}_submit",
            hx_target=f"#{step.id}",
        )
        return Div(Card(ask, Div(id=next_id)), id=step.id)

    async def submit(self, request, index):
        pip, step = self.pip, self.steps[index]
        key = pip.db["pipeline_id"]
        try:
            value = int((await request.form())[step.done])
        except ValueError:
            return P("Please enter a whole number.", cls="text-invalid")
        await pip.set_step_data(key, step.id, value, self.steps, clear_previous=True)
        return pip.chain_reverter(step.id, index, self.steps, self.app_name, value)

    async def step_01(self, request):
        return await self.card(0)

    async def step_01_submit(self, request):
        return await self.submit(request, 0)

    async def step_02(self, request):
        return await self.card(1)

    async def step_02_submit(self, request):
        return await self.submit(request, 1)

    async def finalize(self, request):
        pip, name, key = self.pip, self.app_name, self.pip.db["pipeline_id"]
        if request.method == "POST":
            await pip.finalize_workflow(key, {"checked": True})
            return pip.run_all_cells(name, self.steps)
        locked = "finalized" in pip.get_step_data(key, "finalize", {})
        if not locked and any(self.number(key, index) is None for index in (0, 1)):
            return HTMLResponse(to_xml(Div(id="finalize")))
        action, label = ("unfinalize", "UNLOCK") if locked else ("finalize", "FINALIZE")
        form = Form(
            Button(self.ui["BUTTON_LABELS"][label]),
            hx_post=f"/{name}/{action}",
            hx_target=f"#{name}-container",
            hx_swap="outerHTML",
        )
        question = self.ui["MESSAGES"]["WORKFLOW_LOCKED" if locked else "FINALIZE_QUESTION"]
        return Div(Card(P(self.ui["EMOJIS"]["SPARKLES"], question), form), id="finalize")

    async def unfinalize(self, request):
        key = self.pip.db["pipeline_id"]
        await self.pip.unfinalize_workflow(key)
        return await self.pip.handle_finalized_step(
            key, "step_01", self.steps, self.app_name, plugin=self
        )

    async def handle_revert(self, request):
        key, step_id = self.pip.db["pipeline_id"], (await request.form())["step_id"]
        state = await self.pip.clear_steps_from(key, step_id, self.steps)
        state["_revert_target"] = step_id
        self.pip.write_state(key, state)
        return self.pip.run_all_cells(self.app_name, self.steps)
