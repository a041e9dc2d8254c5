"""Three phases, the chain, going back, refill and a suggestion, written as CONTRACT 1.4 to 1.10 say upstream plugins are."""

# ruff: noqa: F403, F405
from fasthtml.common import *
from imports.crud import Step
from loguru import logger

ROLES = ["Core", "Tutorial"]


class GreetingWorkflow:
    APP_NAME = "greeting"
    DISPLAY_NAME = "Greeting"
    ENDPOINT_MESSAGE = "Asks for a name and greets it."
    TRAINING_PROMPT = "greeting.md"

    def __init__(self, app, pipulate, pipeline, db, app_name=APP_NAME):
        self.app = app
        self.app_name = app_name
        self.pipulate = pipulate
        self.pipeline = pipeline
        self.db = db
        self.message_queue = pipulate.message_queue
        self.steps = [
            Step(id="step_01", done="name", show="Your name", refill=True),
            Step(
                id="step_02",
                done="greeting",
                show="The greeting",
                refill=False,
                transform=lambda name: f"Hello {name}",
            ),
            Step(id="finalize", done="finalized", show="Finalize", refill=False),
        ]
        self.steps_indices = {step.id: i for i, step in enumerate(self.steps)}
        # as in some plugins of upstream, there is no entry "new"
        self.step_messages = {
            step.id: {"input": f"Enter: {step.show}", "complete": f"{step.show} is there."}
            for step in self.steps[:-1]
        }
        self.step_messages["finalize"] = {"ready": "All is there.", "complete": "It is locked."}
        pipulate.register_workflow_routes(self)

    async def landing(self, request):
        return self.pipulate.create_standard_landing_page(self)

    async def init(self, request):
        pip = self.pipulate
        form = await request.form()
        typed = form.get("pipeline_id", "").strip()
        if not typed:
            return Response("", headers={"HX-Refresh": "true"})
        context = pip.get_plugin_context(self)
        prefix = f"{context['profile_name']}-{self.app_name}-".replace(" ", "_")
        key = typed if typed.startswith(prefix) else pip.generate_pipeline_key(self, typed)[0]
        pip.db["pipeline_id"] = key
        logger.debug("a run named {}", key)
        state, error = pip.initialize_if_missing(key, {"app_name": self.app_name})
        if error:
            return error
        await self.message_queue.add(pip, f"Run: {key}", verbatim=True, spaces_before=0)
        if all(step.done in state.get(step.id, {}) for step in self.steps[:-1]):
            await self.message_queue.add(pip, self.step_messages["finalize"]["ready"])
        parsed = pip.parse_pipeline_key(key)
        matching = [
            record.pkey
            for record in self.pipeline()
            if record.pkey.startswith(f"{parsed['profile_part']}-{parsed['plugin_part']}")
        ]
        return pip.run_all_cells(self.app_name, self.steps), pip.update_datalist(
            "pipeline-ids", options=matching
        )

    async def get_suggestion(self, step_id, state):
        step = self.steps[self.steps_indices[step_id]]
        before = self.steps[self.steps_indices[step_id] - 1]
        given = state.get(before.id, {}).get(before.done, "")
        return step.transform(given) if step.transform and given else ""

    async def _step(self, step_id):
        pip, app_name = self.pipulate, self.app_name
        index = self.steps_indices[step_id]
        step, next_id = self.steps[index], self.steps[index + 1].id
        key = pip.db.get("pipeline_id", "unknown")
        state = pip.read_state(key)
        value = pip.get_step_data(key, step_id, {}).get(step.done, "")
        if "finalized" in pip.get_step_data(key, "finalize", {}):
            return Div(
                Card(H3(f"{step.show}: {value}")),
                Div(id=next_id, hx_get=f"/{app_name}/{next_id}", hx_trigger="load"),
                id=step_id,
            )
        if value and state.get("_revert_target") != step_id:
            message = f"{step.show}: {value}"
            pip.append_to_history(f"[{message}]")
            return Div(
                pip.display_revert_header(
                    step_id=step_id, app_name=app_name, steps=self.steps, message=message
                ),
                Div(id=next_id, hx_get=f"/{app_name}/{next_id}", hx_trigger="load"),
                id=step_id,
            )
        shown = value if step.refill and value else await self.get_suggestion(step_id, state)
        await self.message_queue.add(pip, self.step_messages[step_id]["input"], verbatim=True)
        return Div(
            Card(
                H3(f"{pip.fmt(step_id)}: {step.show}"),
                Form(
                    pip.wrap_with_inline_button(
                        Input(
                            type="text",
                            name=step.done,
                            value=shown,
                            aria_label=step.show,
                        ),
                        button_label="Next",
                        button_aria_label="Go on",
                    ),
                    hx_post=f"/{app_name}/{step_id}_submit",
                    hx_target=f"#{step_id}",
                ),
            ),
            Div(id=next_id),
            id=step_id,
        )

    async def _submit(self, request, step_id):
        pip = self.pipulate
        index = self.steps_indices[step_id]
        step, next_id = self.steps[index], self.steps[index + 1].id
        key = pip.db.get("pipeline_id", "unknown")
        value = (await request.form()).get(step.done, "")
        fine, _, problem = pip.validate_step_input(
            value, step.show, custom_validator=lambda text: (len(text) < 60, "That is too long.")
        )
        if not fine:
            return problem
        await pip.set_step_data(key, step_id, value, self.steps)
        await self.message_queue.add(pip, self.step_messages[step_id]["complete"])
        if pip.check_finalize_needed(index, self.steps):
            await self.message_queue.add(pip, self.step_messages["finalize"]["ready"])
        return Div(
            pip.display_revert_header(
                step_id=step_id,
                app_name=self.app_name,
                steps=self.steps,
                message=f"{step.show}: {value}",
            ),
            Div(id=next_id, hx_get=f"/{self.app_name}/{next_id}", hx_trigger="load"),
            id=step_id,
        )

    async def step_01(self, request):
        return await self._step("step_01")

    async def step_01_submit(self, request):
        return await self._submit(request, "step_01")

    async def step_02(self, request):
        return await self._step("step_02")

    async def step_02_submit(self, request):
        return await self._submit(request, "step_02")

    async def finalize(self, request):
        pip, app_name = self.pipulate, self.app_name
        key = pip.db.get("pipeline_id", "unknown")
        if request.method == "POST":
            await pip.finalize_workflow(key)
            await self.message_queue.add(pip, self.step_messages["finalize"]["complete"])
            return pip.run_all_cells(app_name, self.steps)
        if "finalized" in pip.get_step_data(key, "finalize", {}):
            return Card(
                H3("The run is locked."),
                Form(
                    Button(pip.UNLOCK_BUTTON_LABEL, type="submit", cls="secondary outline"),
                    hx_post=f"/{app_name}/unfinalize",
                    hx_target=f"#{app_name}-container",
                    hx_swap="outerHTML",
                ),
                id="finalize",
            )
        if all(pip.get_step_data(key, step.id, {}).get(step.done) for step in self.steps[:-1]):
            return Card(
                H3("All steps are done."),
                Form(
                    Button("Finalize", type="submit", cls="primary"),
                    hx_post=f"/{app_name}/finalize",
                    hx_target=f"#{app_name}-container",
                    hx_swap="outerHTML",
                ),
                id="finalize",
            )
        return Div(P("Nothing to lock yet."), id="finalize")

    async def unfinalize(self, request):
        key = self.pipulate.db.get("pipeline_id", "unknown")
        await self.pipulate.unfinalize_workflow(key)
        return self.pipulate.run_all_cells(self.app_name, self.steps)

    async def handle_revert(self, request):
        pip = self.pipulate
        step_id = (await request.form()).get("step_id")
        key = pip.db.get("pipeline_id", "unknown")
        await pip.clear_steps_from(key, step_id, self.steps)
        state = pip.read_state(key)
        state["_revert_target"] = step_id
        pip.write_state(key, state)
        message = await pip.get_state_message(key, self.steps, self.step_messages)
        await self.message_queue.add(pip, message, verbatim=True)
        return pip.run_all_cells(self.app_name, self.steps)
