"""What a person with htmx would do with a workflow: start it, wait for what loads by itself, answer each question, finish."""

import asyncio
import time
from collections.abc import Container, Mapping
from typing import Any

import httpx
from bs4 import Tag

from pipulate_runtime.cells.run.job import CELLS
from pipulate_runtime.cells.run.replies import asked_in
from pipulate_runtime.cells.storage.folders import load_outputs
from pipulate_runtime.host.base import errors as messages
from pipulate_runtime.host.base.browser import (
    Call,
    Page,
    Values,
    attribute,
    controls,
    defaults,
    files_of,
    fill,
    readable,
)
from pipulate_runtime.host.plugins.model import Plugin
from pipulate_runtime.host.state.run import State, is_done
from pipulate_runtime.host.walk.answers import INPUT, Answering, answers_in
from pipulate_runtime.host.walk.printer import Teller, plain
from pipulate_runtime.host.walk.result import Output, StepResult

POLL = 0.05  # seconds at most between two looks at a running step
BUSY = 60.0  # seconds that a database may be busy before a walk gives up
TRACE_LINES = 20  # of a traceback, the last ones
HTMX = {"HX-Request": "true"}
ORIGIN = "http://localhost"


class Walker:
    """The state of one walk: the page, what was asked, what was submitted."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        plugin: Plugin,
        answers: Mapping[str, Mapping[str, str]],
        timeout: float,
        teller: Teller | None = None,
    ) -> None:
        """A walk that has not started; `teller` prints it as it goes."""
        self.teller = teller
        self._client = client
        self._plugin = plugin
        self._answers = answers
        self._timeout = timeout
        self._page = Page("")
        self._submitted: set[str] = set()
        self.asked: dict[str, dict[str, str]] = {}
        self.before: Mapping[str, Mapping[str, str]] = (
            {}
        )  # answers of another run; what is gone is left out
        self.key = ""
        self.answering = Answering(answers)

    def check_names(self) -> None:
        """Raise HostError when an answer is for a step that the plugin does not have: before anything runs."""
        ids = [step.id for step in self._plugin.steps if step.id != "finalize"]
        for name, given in self._answers.items():
            if given and name not in ids:
                answer = f"{name}.{next(iter(given))}"
                raise messages.ANSWER_UNKNOWN.error(
                    answer=answer, asked=f"its steps are {', '.join(ids)}"
                )

    async def start(self, key: str | None) -> None:
        """Lands, and starts or resumes the run."""
        answer = await self._client.get(f"/{self._plugin.key}")
        self._page = Page(answer.text)
        app_name = self._plugin.app_name
        form = self._page.form_for(f"/{app_name}/init")
        if form is None:
            raise messages.WALK_STUCK.error(reason="its landing page has no form to start a run")
        values = fill(form, {"pipeline_id": key} if key else {})
        await self._send(self._page.submit(form, values))
        if self._page.soup.select_one("main [hx-get][hx-trigger]") is None:
            text = self._page.soup.select_one("[role=alert]")
            reason = text.get_text(" ", strip=True) if text else "starting it gave no steps"
            raise messages.WALK_STUCK.error(reason=reason)

    async def advance(self) -> bool:
        """Does the next thing: waits for what loads, answers a question, or finishes. False when nothing is left."""
        deadline = time.monotonic() + self._timeout
        while True:
            if await self._answered():
                continue
            if (call := self._page.pending()) is None:
                break
            if time.monotonic() > deadline:
                raise messages.WALK_STUCK.error(
                    reason=f"{call.path} took longer than {self._timeout:g} s"
                )
            await asyncio.sleep(min(call.delay, POLL))
            await self._send(call)
        form = self._page.form_for(f"/{self._plugin.app_name}/secrets")
        if form is not None:
            await self._answer_secrets(form)
            return True
        for step in self._plugin.steps:
            path = "finalize" if step.id == "finalize" else f"{step.id}_submit"
            form = self._page.form_for(f"/{self._plugin.app_name}/{path}")
            if form is not None:
                await self._answer(step.id, form)
                return True
        return False

    async def until_done(self, known: Container[str]) -> str | None:
        """Goes on until a step is done that is not `known`, and no further; its id, or None at the end of the walk."""
        deadline = time.monotonic() + self._timeout
        while True:
            for step in self._plugin.steps:
                card = None if step.id in known else self._page.by_id(step.id)
                if card and attribute(card, "data-state") == "done":
                    return str(step.id)
            if await self._answered():
                continue
            if (call := self._page.pending()) is None:
                if not await self.advance():
                    return None
            elif time.monotonic() > deadline:
                raise messages.WALK_STUCK.error(
                    reason=f"{call.path} took longer than {self._timeout:g} s"
                )
            else:
                await asyncio.sleep(min(call.delay, POLL))
                await self._send(call)

    async def _answered(self) -> bool:
        """Answers what a running cell asks; whether there was anything."""
        form = self._page.form_for(f"/{self._plugin.app_name}/answer")
        if form is None:
            return False
        values = await self.answering.values(form, self.before, self._caught_up)
        await self._send(self._page.submit(form, values))
        return True

    def _caught_up(self) -> None:
        """All there is to tell was told, and the terminal is free."""
        if self.teller:
            self.teller.look(self)
            self.teller.stop()

    async def go_back(self, step_id: str) -> None:
        """Presses the button that goes back to a step that is done."""
        path = f"/{self._plugin.app_name}/revert"
        for form in self._page.having("hx-post", path):
            if ("step_id", step_id) in defaults(form):
                self._submitted.discard(step_id)
                await self._send(self._page.submit(form, []))
                return
        raise messages.WALK_STUCK.error(reason=f"{step_id} has no button to go back to it")

    async def _answer(self, step_id: str, form: Tag) -> None:
        if step_id in self._submitted:
            self._refused(step_id)
        if self.standing(step_id) == "error" and self._ran_here(step_id):
            self._refused(
                step_id
            )  # it ran by itself; only what failed in an earlier life is tried again
        self._submitted.add(step_id)
        given = self._answers.get(step_id, {})
        known = {str(control["name"]) for control in controls(form)}
        for name in given:
            if name not in known and name != INPUT:
                asked = ", ".join(f"{step_id}.{field}" for field in sorted(known)) or "none"
                raise messages.ANSWER_UNKNOWN.error(
                    answer=f"{step_id}.{name}", asked=f"asked is {asked}"
                )
        before = {n: v for n, v in self.before.get(step_id, {}).items() if n in known}
        given = {n: v for n, v in given.items() if n in known}
        if INPUT in given:  # a field of that name: what was given to it is a list
            given[INPUT] = "\n".join(map(str, answers_in(given[INPUT])))
        values, files = fill(form, {**before, **given}), files_of(form, given)
        for name, path in files:
            if not path.is_file():
                raise messages.ANSWER_REFUSED.error(
                    step=step_id,
                    reason=f"there is no file {path}",
                    asked=f"--set {step_id}.{name}=@FILE",
                )
        self.asked[step_id] = {**dict(values), **{name: str(path) for name, path in files}}
        await self._send(self._page.submit(form, values, files))

    async def _answer_secrets(self, form: Tag) -> None:
        """Gives secrets once more, that a replay needs and the server does not know any more."""
        given = {}
        for control in controls(form):
            step_id, dot, name = str(control["name"]).partition(".")
            if not dot:
                continue
            if name not in self._answers.get(step_id, {}):
                raise messages.ANSWER_REFUSED.error(
                    step=step_id,
                    reason=f"its secret {name} is not kept, and needed again",
                    asked=f"--set {step_id}.{name}=...",
                )
            given[f"{step_id}.{name}"] = self._answers[step_id][name]
            self.asked.setdefault(step_id, {})[name] = ""
        await self._send(self._page.submit(form, fill(form, given)))

    def _refused(self, step_id: str) -> None:
        """The form came back after it was sent: says why."""
        card = self._page.by_id(step_id)
        if card is None:
            raise messages.WALK_STUCK.error(reason=f"{step_id} asks again and again")
        errors = card.select("[data-output=error]")
        if errors:
            raise messages.STEP_FAILED.error(step=step_id, reason=_failure(errors[0]), key=self.key)
        invalid = [part.get_text(" ", strip=True) for part in card.select(".text-invalid")]
        form = self._page.form_for(f"/{self._plugin.app_name}/{step_id}_submit")
        names = dict.fromkeys(str(control["name"]) for control in controls(form)) if form else {}
        raise messages.ANSWER_REFUSED.error(
            step=step_id,
            reason=" ".join(invalid) or "its form came back",
            asked=" ".join(
                f"--set {step_id}.{name}=..." for name in names if name != "pipeline_id"
            ),
        )

    async def _send(self, call: Call) -> None:
        answer = await self._request(call)
        deadline = time.monotonic() + BUSY
        while answer.status_code == 503 and time.monotonic() < deadline:
            await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
            answer = await self._request(call)
        if answer.status_code >= 400:
            card = Page(answer.text).soup
            code = card.find("code")
            reason = code.get_text() if code else card.get_text(" ", strip=True)[:300]
            raise messages.STEP_FAILED.error(
                step=call.path.rpartition("/")[2], reason=reason, key=self.key
            )
        self._page.swap(call, answer.text, answer.headers)
        if self.teller and self.key:
            self.teller.look(self)

    async def _request(self, call: Call) -> httpx.Response:
        target = self._page.target_id(call)
        headers = {**HTMX, "HX-Target": target} if target else HTMX
        if call.method == "GET":
            return await self._client.get(call.path, params=_grouped(call.values), headers=headers)
        multipart = attribute(call.element, "enctype") == "multipart/form-data"
        if not multipart:
            return await self._client.post(call.path, data=_grouped(call.values), headers=headers)
        # a field without a file name keeps its place as an ordinary field of the multipart form
        parts: list[Any] = [(name, (None, value)) for name, value in call.values]
        parts += [(name, (path.name, path.read_bytes())) for name, path in call.files]
        return await self._client.post(call.path, files=parts, headers=headers)

    def _ran_here(self, step_id: str) -> bool:
        cells = self._plugin.instance.cells if self._plugin.computes else None
        execution = cells.execution(self.key, step_id) if cells else None
        return execution is not None and execution.task is not None

    async def interrupt(self) -> str:
        """Stop the step that is running, as its button does; return what to call it."""
        cells = self._plugin.instance.cells if self._plugin.computes else None
        for step in self._plugin.steps:
            execution = cells.execution(self.key, step.id) if cells else None
            if cells and execution and execution.running and execution.task:
                await cells.interrupt(self.key, step.id)
                if not execution.task.done():
                    await asyncio.wait([execution.task])
                return f"{step.id} ({step.show})"
        return "the workflow"

    def standing(self, step_id: str) -> str:
        """The `data-state` of a step's card; "" when it is not on the page."""
        card = self._page.by_id(step_id)
        return (attribute(card, "data-state") or "") if card else ""

    def shown(self, step: Any) -> list[str]:
        """What a step showed, for a terminal: as the kernel gave it in plain text, else as it stands on the page."""
        records = self._records(step.id)
        if records:
            cells = self._plugin.instance.cells
            return [
                line
                for record in records
                for output in load_outputs(cells.folder(self.key), record)
                for line in plain(output, record)
            ]
        outputs = self.result(step).outputs
        texts = [output.text or f"<{output.mime or output.kind}>" for output in outputs]
        return [line for text in texts for line in text.strip("\n").splitlines()]

    def _records(self, step_id: str) -> list[dict[str, Any]]:
        if not (self._plugin.computes and self.teller):
            return []
        data = self.teller.read(self.key).get(step_id)
        return data.get("_cells", []) if isinstance(data, dict) else []

    def check(self, state: State) -> None:
        """Raises HostError when the walk did not get to its end, or an answer was for nobody."""
        for step in self._plugin.steps:
            if step.id != "finalize" and not is_done(state, step):
                card = self._page.by_id(step.id)
                failed = card.select_one("[data-output=error]") if card else None
                reason = _failure(failed) if failed else ""
                if reason:
                    raise messages.STEP_FAILED.error(step=step.id, reason=reason, key=self.key)
                raise messages.WALK_STUCK.error(reason=f"{step.id} ({step.show}) is not done")
        asked = {name: len(asked_in(records)) for name, records in _cells_of(state).items()}
        self.answering.check(asked, self.asked)
        for name, given in self._answers.items():
            given = {n: v for n, v in given.items() if n != INPUT}
            if given and name not in self.asked and self.asked:
                fields = ", ".join(
                    f"{s}.{f}" for s, fs in self.asked.items() for f in fs if f != "pipeline_id"
                )
                raise messages.ANSWER_UNKNOWN.error(
                    answer=f"{name}.{next(iter(given))}", asked=f"asked was {fields or 'nothing'}"
                )

    def result(self, step: Any) -> StepResult:
        """Where a step stands on the page, with its outputs."""
        card = self._page.by_id(step.id)
        if card is None:
            return StepResult(step.id, step.show, "missing", ())
        own = [
            part for part in card.select("[data-output]") if _owner(part, self._plugin) == step.id
        ]
        return StepResult(
            step.id, step.show, attribute(card, "data-state") or "", tuple(map(_output, own))
        )


def _cells_of(state: State) -> dict[str, list[dict[str, Any]]]:
    """The cells that are kept of each step."""
    return {name: data.get(CELLS) or [] for name, data in state.items() if isinstance(data, dict)}


def _owner(part: Tag, plugin: Plugin) -> str | None:
    ids = {step.id for step in plugin.steps}
    return next((str(parent["id"]) for parent in part.parents if parent.get("id") in ids), None)


def _output(part: Tag) -> Output:
    def of(name: str) -> str:
        return attribute(part, name) or ""

    names = ("data-cell", "data-output", "data-mime", "data-name")
    cell, kind, mime, name = map(of, names)
    return Output(cell, kind, mime, name, text=readable(part), html=str(part))


def _failure(error: Tag) -> str:
    """What a cell raised, for a terminal: the message, and the end of the traceback line by line."""
    message, trace = error.select_one(".error-message"), error.find("pre")
    if message is None or not isinstance(trace, Tag):
        return error.get_text(" ", strip=True)
    lines = trace.get_text().strip().splitlines()[-TRACE_LINES:]
    return "\n".join([message.get_text(strip=True), *(f"    {line}".rstrip() for line in lines)])


def _grouped(values: Values) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in values:
        grouped.setdefault(name, []).append(value)
    return grouped
