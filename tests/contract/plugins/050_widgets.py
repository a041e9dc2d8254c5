"""A table, a plot, Markdown, code, a diagram and a script, with the client's events (CONTRACT 1.14, 1.15)."""

import base64
import io
import json
from collections import namedtuple

from fastcore.xml import NotStr
from fasthtml.common import (
    Button,
    Card,
    Code,
    Div,
    Form,
    HTMLResponse,
    Img,
    P,
    Pre,
    Textarea,
    to_xml,
)

ROLES = ["Components"]
Step = namedtuple("Step", ["id", "done", "show", "refill", "transform"], defaults=(None,))

ROWS = '[{"name": "a <b>", "value": 1}, {"name": "c", "value": 2}]'
DRAW = "widget.textContent = 'made by ' + 'a script'; parent.document.title = 'taken over';"


class Widgets:
    APP_NAME = "widgets"
    DISPLAY_NAME = "Widgets"
    ENDPOINT_MESSAGE = "Shows things."
    TRAINING_PROMPT = ""

    def __init__(self, app, pipulate, pipeline, db, app_name=APP_NAME):
        self.app, self.pip, self.app_name = app, pipulate, app_name
        self.steps = [
            Step("step_01", "rows", "Table", True),
            Step("step_02", "values", "Plot", True),
            Step("step_03", "markdown", "Markdown", True),
            Step("step_04", "code", "Code", True),
            Step("step_05", "diagram", "Diagram", True),
            Step("step_06", "script", "Script", True),
            Step("finalize", "finalized", "Finalize", False),
        ]
        self.steps_indices = {step.id: i for i, step in enumerate(self.steps)}
        self.step_messages = {"new": "Fill in."}
        self.defaults = {
            "step_01": ROWS,
            "step_02": "[3, 1, 2]",
            "step_03": "## Title\n\nSome **bold** text <script>document.title = 'taken over'</script>\n",
            "step_04": "def f(x):\n    return x < 1\n",
            "step_05": "graph TD\n  A --> B",
            "step_06": DRAW,
        }
        for step in self.steps[:-1]:
            setattr(self, step.id, self.getter(step.id))
            setattr(self, f"{step.id}_submit", self.poster(step.id))
        pipulate.register_workflow_routes(self)

    async def landing(self, request):
        return self.pip.create_standard_landing_page(self)

    async def init(self, request):
        typed = (await request.form()).get("pipeline_id")
        key = self.pip.generate_pipeline_key(self, typed)[0]
        self.pip.db["pipeline_id"] = key
        _, error = self.pip.initialize_if_missing(key, {"app_name": self.app_name})
        return error or self.pip.run_all_cells(self.app_name, self.steps)

    def widget(self, step_id, text):
        """What a step shows, and the events its answer names."""
        target = f"{step_id}-widget"
        if step_id == "step_01":
            import pandas as pd

            table = pd.DataFrame(json.loads(text)).to_html(index=False, escape=True)
            return Div(NotStr(table), cls="overflow-auto"), {}
        if step_id == "step_02":
            import matplotlib

            matplotlib.use("agg")
            from matplotlib import pyplot as plt

            figure, axes = plt.subplots(figsize=(3, 2))
            axes.plot(json.loads(text))
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png")
            plt.close(figure)
            picture = base64.b64encode(buffer.getvalue()).decode()
            return Img(src=f"data:image/png;base64,{picture}", alt="A line"), {}
        if step_id == "step_03":
            return Div(text, id=target, cls="marked-widget"), {
                "initializeMarked": {"targetId": target}
            }
        if step_id == "step_04":
            code = Pre(Code(text, cls="language-python"), cls="line-numbers")
            return Div(code, id=target, cls="code-block-container"), {
                "initializePrism": {"targetId": target}
            }
        if step_id == "step_05":
            return Div(text, id=target), {"renderMermaid": {"targetId": target, "diagram": text}}
        return Div(id=target), {
            "runJavaScript": {"widgetId": target, "code": text, "targetId": target}
        }

    def card(self, step_id, text):
        step = self.steps[self.steps_indices[step_id]]
        next_id = self.steps[self.steps_indices[step_id] + 1].id
        shown, events = self.widget(step_id, text)
        content = self.pip.display_revert_widget(
            step_id=step_id,
            app_name=self.app_name,
            steps=self.steps,
            message=f"{step.show}: Complete",
            widget=shown,
        )
        follow = Div(id=next_id, hx_get=f"/widgets/{next_id}", hx_trigger="load")
        answer = HTMLResponse(to_xml(Div(content, follow, id=step_id)))
        if events:
            answer.headers["HX-Trigger"] = json.dumps(events)
        return answer

    def getter(self, step_id):
        async def get(request):
            step = self.steps[self.steps_indices[step_id]]
            key = self.pip.db["pipeline_id"]
            state = self.pip.read_state(key)
            data = state.get(step_id, {})
            if step.done in data and state.get("_revert_target") != step_id:
                return self.card(step_id, data[step.done])
            text = data.get(step.done, self.defaults[step_id])
            form = Form(
                Textarea(text, name=step.done, aria_label=step.show, cls="textarea-standard"),
                Button("Show", type="submit", cls="primary"),
                hx_post=f"/widgets/{step_id}_submit",
                hx_target=f"#{step_id}",
            )
            return Div(Card(form), id=step_id)

        return get

    def poster(self, step_id):
        async def post(request):
            step = self.steps[self.steps_indices[step_id]]
            text = (await request.form())[step.done]
            if step_id in ("step_01", "step_02"):
                try:
                    json.loads(text)
                except ValueError as error:
                    return P(f"This is not JSON: {error}", cls="text-invalid")
            await self.pip.set_step_data(self.pip.db["pipeline_id"], step_id, text, self.steps)
            return self.card(step_id, text)

        return post

    async def finalize(self, request):
        key = self.pip.db["pipeline_id"]
        if request.method == "POST":
            await self.pip.finalize_workflow(key)
            return self.pip.run_all_cells(self.app_name, self.steps)
        form = Form(Button("Finalize"), hx_post="/widgets/finalize", hx_target="#widgets-container")
        locked = "finalized" in self.pip.get_step_data(key, "finalize")
        return Div(Card(P("Locked") if locked else form), id="finalize")

    async def unfinalize(self, request):
        await self.pip.unfinalize_workflow(self.pip.db["pipeline_id"])
        return self.pip.run_all_cells(self.app_name, self.steps)

    async def handle_revert(self, request):
        key, step_id = self.pip.db["pipeline_id"], (await request.form())["step_id"]
        state = await self.pip.clear_steps_from(key, step_id, self.steps)
        state["_revert_target"] = step_id
        self.pip.write_state(key, state)
        return self.pip.run_all_cells(self.app_name, self.steps)
