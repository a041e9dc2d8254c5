"""Files sent and fetched, written to `downloads/<APP>/` under the name the browser gave (CONTRACT 1.15)."""

from collections import namedtuple
from pathlib import Path
from urllib.parse import quote

from fasthtml.common import H3, A, Button, Card, Div, Form, Input, P, Pre

ROLES = ["Core"]
Step = namedtuple("Step", ["id", "done", "show", "refill", "transform"], defaults=(None,))


class Files:
    APP_NAME = "files"
    DISPLAY_NAME = "Files"
    ENDPOINT_MESSAGE = "Keeps files."
    TRAINING_PROMPT = ""

    def __init__(self, app, pipulate, pipeline, db, app_name=APP_NAME):
        self.app, self.pip, self.app_name = app, pipulate, app_name
        self.steps = [
            Step("step_01", "summary", "Files", False),
            Step("finalize", "finalized", "Finalize", False),
        ]
        self.steps_indices = {"step_01": 0, "finalize": 1}
        self.step_messages = {"new": "Choose files."}
        pipulate.register_workflow_routes(self)

    async def landing(self, request):
        return self.pip.create_standard_landing_page(self)

    async def init(self, request):
        typed = (await request.form()).get("pipeline_id")
        key = self.pip.generate_pipeline_key(self, typed)[0]
        self.pip.db["pipeline_id"] = key
        _, error = self.pip.initialize_if_missing(key, {"app_name": self.app_name})
        return error or self.pip.run_all_cells(self.app_name, self.steps)

    async def step_01(self, request):
        summary = self.pip.get_step_data(self.pip.db["pipeline_id"], "step_01").get("summary")
        if summary is not None:
            return self.kept(summary)
        form = Form(
            Input(type="file", name="uploaded_files", multiple="true", aria_label="Files"),
            Div(Button("Send", cls="primary"), cls="upload-file-buttons"),
            hx_post="/files/step_01_submit",
            hx_target="#step_01",
            enctype="multipart/form-data",
        )
        return Div(Card(H3("Files"), form), Div(id="finalize"), id="step_01")

    def kept(self, summary):
        names = [line.partition(" ")[0] for line in summary.splitlines()]
        links = [A(name, href=f"/download_file?file={quote(f'files/{name}')}") for name in names]
        folder = Button(
            "Open folder", hx_get=f"/open-folder?path={quote(str(Path('downloads/files')))}"
        )
        return self.pip.display_revert_widget(
            "step_01",
            self.app_name,
            self.steps,
            "Files",
            Div(Pre(summary, cls="upload-summary-pre"), *links, folder),
            next_step_id="finalize",
        )

    async def step_01_submit(self, request):
        files = [f for f in (await request.form()).getlist("uploaded_files") if f.filename]
        if not files:
            return P("Choose at least one file.", cls="text-invalid")
        folder = Path("downloads") / self.app_name
        folder.mkdir(parents=True, exist_ok=True)
        lines = []
        for file in files:
            content = await file.read()
            (folder / file.filename).write_bytes(content)
            lines.append(f"{file.filename} {len(content)}")
        summary = "\n".join(lines)
        await self.pip.set_step_data(self.pip.db["pipeline_id"], "step_01", summary, self.steps)
        return self.kept(summary)

    async def finalize(self, request):
        key = self.pip.db["pipeline_id"]
        if request.method == "POST":
            await self.pip.finalize_workflow(key)
            return self.pip.run_all_cells(self.app_name, self.steps)
        form = Form(Button("Finalize"), hx_post="/files/finalize", hx_target="#files-container")
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
