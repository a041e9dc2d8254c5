"""A long step in a thread, followed by a route of its own; and upstream's way, by a script (CONTRACT 1.15)."""

import asyncio
import time
from collections import namedtuple

from fasthtml.common import (
    H3,
    Button,
    Card,
    Div,
    EventStream,
    Form,
    P,
    Progress,
    Script,
    sse_message,
)

ROLES = ["Core"]
Step = namedtuple("Step", ["id", "done", "show", "refill", "transform"], defaults=(None,))


def count(job):
    """Blocks its thread for a while."""
    for number in range(1, 4):
        time.sleep(0.05)
        job["counted"] = number


class LongJob:
    APP_NAME = "long_job"
    DISPLAY_NAME = "Long job"
    ENDPOINT_MESSAGE = "Counts slowly."
    TRAINING_PROMPT = ""

    def __init__(self, app, pipulate, pipeline, db, app_name=APP_NAME):
        self.app, self.pip, self.app_name = app, pipulate, app_name
        self.jobs = {}
        self.steps = [
            Step("step_01", "counted", "In a thread", False),
            Step("step_02", "counted", "By a script", False),
            Step("step_03", "counted", "As a stream", False),
            Step("finalize", "finalized", "Finalize", False),
        ]
        self.steps_indices = {step.id: i for i, step in enumerate(self.steps)}
        self.step_messages = {"new": "Press the button."}
        pipulate.register_workflow_routes(self)
        app.route("/long_job/step_01_status", methods=["GET"])(self.step_01_status)
        app.route("/long_job/step_02_process", methods=["POST"])(self.step_02_process)
        app.route("/long_job/step_03_events", methods=["GET"])(self.step_03_events)

    async def landing(self, request):
        return self.pip.create_standard_landing_page(self)

    async def init(self, request):
        typed = (await request.form()).get("pipeline_id")
        key = self.pip.generate_pipeline_key(self, typed)[0]
        self.pip.db["pipeline_id"] = key
        _, error = self.pip.initialize_if_missing(key, {"app_name": self.app_name})
        return error or self.pip.run_all_cells(self.app_name, self.steps)

    def ask(self, step_id):
        form = Form(
            Button("Count", type="submit"),
            hx_post=f"/long_job/{step_id}_submit",
            hx_target=f"#{step_id}",
        )
        return Div(Card(H3(self.steps[self.steps_indices[step_id]].show), form), id=step_id)

    def done(self, step_id, value):
        next_id = self.steps[self.steps_indices[step_id] + 1].id
        return self.pip.display_revert_widget(
            step_id, self.app_name, self.steps, "Counted", P(f"to {value}"), next_step_id=next_id
        )

    async def step_01(self, request):
        value = self.pip.get_step_data(self.pip.db["pipeline_id"], "step_01").get("counted")
        return self.ask("step_01") if value is None else self.done("step_01", value)

    async def step_01_submit(self, request):
        key = self.pip.db["pipeline_id"]
        job = self.jobs[key] = {"counted": 0}
        job["task"] = asyncio.create_task(asyncio.to_thread(count, job))
        return self.working(job)

    def working(self, job):
        return Div(
            P(f"At {job['counted']}"),
            id="step_01",
            hx_get="/long_job/step_01_status",
            hx_trigger="every 100ms",
            hx_swap="outerHTML",
        )

    async def step_01_status(self, request):
        key = self.pip.db["pipeline_id"]
        job = self.jobs[key]
        if not job["task"].done():
            return self.working(job)
        await self.pip.set_step_data(key, "step_01", job["counted"], self.steps)
        return self.done("step_01", job["counted"])

    async def step_02(self, request):
        value = self.pip.get_step_data(self.pip.db["pipeline_id"], "step_02").get("counted")
        return self.ask("step_02") if value is None else self.done("step_02", value)

    async def step_02_submit(self, request):
        call = (
            "htmx.ajax('POST', '/long_job/step_02_process', {target: '#step_02', values: {to: 7}})"
        )
        return Card(Progress(), Script(f"setTimeout(() => {call}, 50)"), id="waiting")

    async def step_02_process(self, request):
        to = int((await request.form())["to"])
        await self.pip.set_step_data(self.pip.db["pipeline_id"], "step_02", to, self.steps)
        return self.done("step_02", to)

    async def step_03(self, request):
        value = self.pip.get_step_data(self.pip.db["pipeline_id"], "step_03").get("counted")
        return self.ask("step_03") if value is None else self.done("step_03", value)

    async def step_03_submit(self, request):
        script = """
            const source = new EventSource('/long_job/step_03_events');
            source.onmessage = (event) => { document.getElementById('at').innerHTML = event.data; };
            source.addEventListener('end', () => {
                source.close();
                htmx.ajax('GET', '/long_job/step_03', {target: '#step_03'});
            });
        """
        return Card(P("Streaming"), Div(id="at"), Script(script), id="streaming")

    async def step_03_events(self, request):
        async def events():
            for number in range(1, 4):
                await asyncio.sleep(0.05)
                yield sse_message(P(f"At {number}"))
            await self.pip.set_step_data(self.pip.db["pipeline_id"], "step_03", 3, self.steps)
            yield sse_message(P("ended"), event="end")

        return EventStream(events())

    async def finalize(self, request):
        key = self.pip.db["pipeline_id"]
        if request.method == "POST":
            await self.pip.finalize_workflow(key)
            return self.pip.run_all_cells(self.app_name, self.steps)
        form = Form(
            Button("Finalize"),
            hx_post="/long_job/finalize",
            hx_target="#long_job-container",
            hx_swap="outerHTML",
        )
        locked = "finalized" in self.pip.get_step_data(key, "finalize")
        return Div(Card(P("Locked") if locked else form), id="finalize")

    async def unfinalize(self, request):
        await self.pip.unfinalize_workflow(self.pip.db["pipeline_id"])
        return self.pip.run_all_cells(self.app_name, self.steps)

    async def handle_revert(self, request):
        key, step_id = self.pip.db["pipeline_id"], (await request.form())["step_id"]
        state = await self.pip.clear_steps_from(key, step_id, self.steps)
        state["_revert_target"] = step_id
        state.pop(step_id, None)
        self.pip.write_state(key, state)
        return self.pip.run_all_cells(self.app_name, self.steps)
