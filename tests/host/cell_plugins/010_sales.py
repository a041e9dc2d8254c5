"""A ported workflow written by hand: cells that show all that a page must carry."""

from collections import namedtuple

from fasthtml.common import (
    H3,
    Article,
    Button,
    Dd,
    Div,
    Dl,
    Dt,
    Form,
    Header,
    HtmxResponseHeaders,
    Input,
    Label,
    P,
)

from pipulate_runtime.cells import Cells, cell

ROLES = ["Core"]

Step = namedtuple("Step", ["id", "done", "show", "refill", "transform"], defaults=(None,))


class Sales:
    APP_NAME = "sales"
    DISPLAY_NAME = "Sales report"
    ENDPOINT_MESSAGE = "Which regions sell above a limit you choose."

    def __init__(self, app, pipulate, pipeline, db, app_name=APP_NAME):
        self.app = app
        self.app_name = app_name
        self.pip = self.pipulate = pipulate
        self.steps = [
            Step(id="step_01", done="ran", show="Prepare", refill=False),
            Step(id="step_02", done="limit", show="Choose a limit", refill=False),
            Step(id="step_03", done="ran", show="Draw", refill=False),
            Step(id="finalize", done="finalized", show="Finalize", refill=False),
        ]
        self.cells = Cells(self)
        pipulate.register_workflow_routes(self)

    def chain(self, key):
        return self.pip.run_all_cells("sales", self.steps), HtmxResponseHeaders(
            retarget="#sales-container", reswap="outerHTML"
        )

    async def run_key(self, request):
        return self.pip.db["pipeline_id"]

    async def landing(self, request):
        return self.pip.create_standard_landing_page(self)

    async def init(self, request):
        key, _, _ = self.pip.generate_pipeline_key(
            self, (await request.form()).get("pipeline_id", "")
        )
        self.pip.db["pipeline_id"] = key
        _, error = self.pip.initialize_if_missing(key, {"app_name": "sales"})
        return error if error is not None else self.chain(key)

    async def finalize(self, request):
        key = self.pip.db["pipeline_id"]
        if request.method == "POST":
            await self.pip.finalize_workflow(key)
            return self.chain(key)
        locked = "finalized" in self.pip.read_state(key).get("finalize", {})
        action, label = ("unfinalize", "Unlock") if locked else ("finalize", "Finish")
        form = Form(
            Button(label, cls="primary"),
            hx_post=f"/sales/{action}",
            hx_target="#sales-container",
            hx_swap="outerHTML",
        )
        return Div(
            Article(H3("Done"), form), id="finalize", data_state="locked" if locked else "input"
        )

    async def unfinalize(self, request):
        await self.pip.unfinalize_workflow(self.pip.db["pipeline_id"])
        return self.chain("")

    async def handle_revert(self, request):
        key, step_id = self.pip.db["pipeline_id"], (await request.form()).get("step_id")
        state = await self.pip.clear_steps_from(key, step_id, self.steps)
        state["_revert_target"] = step_id
        self.pip.write_state(key, state)
        return self.chain(key)

    async def card(self, step_id, form):
        """The card of a step as it stands."""
        key = self.pip.db["pipeline_id"]
        index = [step.id for step in self.steps].index(step_id)
        step, next_id = self.steps[index], self.steps[index + 1].id
        state = self.pip.read_state(key)
        data = state.get(step_id, {})
        execution = self.cells.execution(key, step_id)
        if execution and execution.running:
            return Div(
                Article(
                    H3(step.show),
                    self.cells.show(key, execution.cells),
                    P("Running…", aria_busy="true"),
                ),
                id=step_id,
                data_state="running",
                hx_get=f"/sales/{step_id}",
                hx_trigger="load delay:200ms",
                hx_swap="outerHTML",
            )
        if step.done in data and state.get("_revert_target") != step_id:
            locked = "finalized" in state.get("finalize", {})
            back = (
                None
                if locked
                else self.pip.display_revert_header(
                    step_id, "sales", self.steps, None, revert_label="Change"
                )
            )
            facts = Dl(Dt("Limit"), Dd(str(data["limit"]))) if "limit" in data else None
            following = Div(
                id=next_id, hx_get=f"/sales/{next_id}", hx_trigger="load", hx_swap="outerHTML"
            )
            return Div(
                Article(Header(H3(step.show), back), facts, self.cells.show(key, data["_cells"])),
                following,
                id=step_id,
                data_state="locked" if locked else "done",
            )
        failed = execution and execution.error
        shown = self.cells.show(key, execution.cells) if failed else None
        if form is None and not failed:
            return Div(
                Article(H3(step.show), P("Running…", aria_busy="true")),
                id=step_id,
                data_state="running",
                hx_post=f"/sales/{step_id}_submit",
                hx_trigger="load",
                hx_swap="outerHTML",
            )
        button = Button("Continue" if form else "Run again", type="submit", cls="primary")
        asked = Form(
            form,
            button,
            hx_post=f"/sales/{step_id}_submit",
            hx_target=f"#{step_id}",
            hx_swap="outerHTML",
        )
        return Div(
            Article(H3(step.show), asked, shown),
            id=step_id,
            data_state="error" if failed else "input",
        )

    async def compute(self, step_id, form):
        key = self.pip.db["pipeline_id"]

        async def save(cells):
            state = await self.pip.clear_steps_from(key, step_id, self.steps)
            state[step_id] = {"ran": True, **form, "_cells": cells}
            state.pop("_revert_target", None)
            self.pip.write_state(key, state)

        await self.cells.start(key, step_id, form, save)

    @cell("c1", show="none")
    def step_01_cell(form):
        global pd, sales
        import pandas as pd

        regions = ["North", "South", "East", "West"]
        sales = pd.DataFrame(
            {"region": regions, **{f"month {n}": [n * 10, n * 20, n * 5, n] for n in range(1, 13)}}
        )

    async def step_01(self, request):
        return await self.card("step_01", None)

    async def step_01_submit(self, request):
        await self.compute("step_01", {})
        return await self.card("step_01", None)

    @cell("c2")
    def step_02_cell(form):
        global limit, best
        import sys

        limit = form["limit"]
        best = sales[sales["month 12"] > limit]
        print(f"{len(best)} of {len(sales)} regions")
        print("the limit is low", file=sys.stderr)
        1 / limit
        return best

    def form_02(self, value=50):
        return Label("Limit", Input(type="number", name="limit", value=str(value), required=True))

    async def step_02(self, request):
        return await self.card("step_02", self.form_02())

    async def step_02_submit(self, request):
        value = int((await request.form())["limit"])
        await self.compute("step_02", {"limit": value})
        return await self.card("step_02", self.form_02(value))

    @cell("c3", show="both")
    def step_03_cell(form):
        import matplotlib.pyplot as plt
        from IPython.display import HTML, Markdown, display

        best.set_index("region").T.plot(figsize=(7, 3))
        plt.show()
        display(Markdown("**Best** regions: $x^2$\n\n| a | b |\n|---|---|\n| 1 | 2 |"))
        return HTML(
            "<p id=t>waiting</p><script>document.getElementById('t').textContent = 'a script ran'</script>"
        )

    async def step_03(self, request):
        return await self.card("step_03", None)

    async def step_03_submit(self, request):
        await self.compute("step_03", {})
        return await self.card("step_03", None)
