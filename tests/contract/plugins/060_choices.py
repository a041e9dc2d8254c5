"""Choices whose options come from `pip.db`, with all the kinds of controls (CONTRACT 1.8, 1.15)."""

import json
from collections import namedtuple

from fasthtml.common import Button, Card, Div, Fieldset, Form, Input, Label, Option, P, Select

ROLES = ["Components"]
Step = namedtuple("Step", ["id", "done", "show", "refill", "transform"], defaults=(None,))


class Choices:
    APP_NAME = "choices"
    DISPLAY_NAME = "Choices"
    ENDPOINT_MESSAGE = "Chooses among what the database offers."
    TRAINING_PROMPT = ""
    SOURCE_TYPE = "db"
    SOURCE_CONFIG = {"name": "choices-options"}  # noqa: RUF012  (as upstream)

    def __init__(self, app, pipulate, pipeline, db, app_name=APP_NAME):
        self.app, self.pip, self.db, self.app_name = app, pipulate, db, app_name
        self.steps = [
            Step("step_01", "one", "One of them", False),
            Step("step_02", "several", "Several of them", False),
            Step("step_03", "agreed", "A switch", False),
            Step("finalize", "finalized", "Finalize", False),
        ]
        self.steps_indices = {step.id: i for i, step in enumerate(self.steps)}
        self.step_messages = {"new": "Choose."}
        if "choices-options" not in db:
            db["choices-options"] = json.dumps(["north", "south", "east"])
        pipulate.register_workflow_routes(self)

    def options(self):
        assert "choices-options" in self.pip.db.keys()
        assert ("choices-options", self.db["choices-options"]) in self.pip.db.items()
        return json.loads(self.db.get(self.SOURCE_CONFIG["name"], "[]"))

    async def landing(self, request):
        return self.pip.create_standard_landing_page(self)

    async def init(self, request):
        typed = (await request.form()).get("pipeline_id")
        key = self.pip.generate_pipeline_key(self, typed)[0]
        self.pip.db["pipeline_id"] = key
        _, error = self.pip.initialize_if_missing(key, {"app_name": self.app_name})
        return error or self.pip.run_all_cells(self.app_name, self.steps)

    def controls(self, step_id):
        if step_id == "step_01":
            return Select(*map(Option, self.options()), name="one", aria_label="One of them")
        if step_id == "step_02":
            return Fieldset(
                *(
                    Label(Input(type="checkbox", name="several", value=name), name)
                    for name in self.options()
                )
            )
        return Label(Input(type="checkbox", role="switch", name="agreed"), "I agree")

    async def show(self, request, step_id):
        index = self.steps_indices[step_id]
        step, next_id = self.steps[index], self.steps[index + 1].id
        key = self.pip.db["pipeline_id"]
        data = self.pip.get_step_data(key, step_id)
        if step.done in data:
            message = f"{step.show}: {data[step.done]}"
            header = self.pip.display_revert_header(
                step_id, self.app_name, self.steps, message, show_when_finalized=True
            )
            follow = Div(id=next_id, hx_get=f"/choices/{next_id}", hx_trigger="load")
            return Div(header, follow, id=step_id)
        form = Form(
            self.controls(step_id),
            Button("Next", type="submit"),
            hx_post=f"/choices/{step_id}_submit",
            hx_target=f"#{step_id}",
        )
        return Div(Card(form), id=step_id)

    async def keep(self, request, step_id):
        form = await request.form()
        value = {
            "step_01": form.get("one"),
            "step_02": form.getlist("several"),
            "step_03": "agreed" in form,
        }[step_id]
        if step_id == "step_01" and value not in self.options():
            return P("Choose one of them.", cls="text-invalid")
        await self.pip.set_step_data(self.pip.db["pipeline_id"], step_id, value, self.steps)
        return await self.show(request, step_id)

    async def step_01(self, request):
        return await self.show(request, "step_01")

    async def step_01_submit(self, request):
        return await self.keep(request, "step_01")

    async def step_02(self, request):
        return await self.show(request, "step_02")

    async def step_02_submit(self, request):
        return await self.keep(request, "step_02")

    async def step_03(self, request):
        return await self.show(request, "step_03")

    async def step_03_submit(self, request):
        return await self.keep(request, "step_03")

    async def finalize(self, request):
        key = self.pip.db["pipeline_id"]
        if request.method == "POST":
            await self.pip.finalize_workflow(key)
            return self.pip.run_all_cells(self.app_name, self.steps)
        form = Form(Button("Finalize"), hx_post="/choices/finalize", hx_target="#choices-container")
        locked = "finalized" in self.pip.get_step_data(key, "finalize")
        return Div(Card(P("Locked") if locked else form), id="finalize")

    async def unfinalize(self, request):
        await self.pip.unfinalize_workflow(self.pip.db["pipeline_id"])
        return self.pip.run_all_cells(self.app_name, self.steps)

    async def handle_revert(self, request):
        key, step_id = self.pip.db["pipeline_id"], (await request.form())["step_id"]
        state = await self.pip.clear_steps_from(key, step_id, self.steps)
        del state[step_id]
        self.pip.write_state(key, state)
        return self.pip.run_all_cells(self.app_name, self.steps)
