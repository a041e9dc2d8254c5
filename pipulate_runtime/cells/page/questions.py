"""Parts of a step's card: chosen files, the form that asks again for secrets, the question of a running cell."""

import time
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from fasthtml.common import Button, Div, Form, Input, Label, Li, P, Small, Span, Strong, Ul
from starlette.requests import Request

from pipulate_runtime.cells.kernel.questions import LEAVE, RUN, Question, Repeat
from pipulate_runtime.cells.page.render import readable
from pipulate_runtime.cells.storage.forms import REMOVE

if TYPE_CHECKING:
    from pipulate_runtime.cells.api import Cells
    from pipulate_runtime.cells.run.step import Execution


def chosen_files(paths: list[str], remove: str | None = None) -> Any:
    """Return a line that names the chosen files; None without any. `remove`: the name of the field, to add a box for removing each."""
    if not paths:
        return None
    names = ", ".join(_name(path) for path in paths)
    stay = "It stays" if len(paths) == 1 else "They stay"
    line = Small("Now: ", Strong(names), f". {stay} unless you choose again.", cls="chosen")
    if remove is None:
        return line
    boxes = (Input(type="checkbox", name=remove + REMOVE, value=path) for path in paths)
    labels = (Label(b, f" Remove {_name(p)}") for b, p in zip(boxes, paths, strict=True))
    return Div(line, *labels, cls="chosen-files")


def file_list(paths: list[str], sizes: list[int | None]) -> Any:
    """Return files with their sizes: one on a line, several in a list; None without any."""
    words = ["was deleted" if size is None else readable(size) for size in sizes]
    parts = [
        (Span(_name(path), cls="file-name"), " ", Span(size, cls="file-size"))
        for path, size in zip(paths, words, strict=True)
    ]
    if len(parts) < 2:
        return parts[0] if parts else None
    return Ul(*(Li(*part) for part in parts), cls="answer-files")


def _name(path: str) -> str:
    return PurePosixPath(path).name


def form(cells: "Cells", execution: "Execution") -> Any:
    """Return the form that asks again for the secrets of earlier steps."""
    fields = []
    for missing in execution.asks:
        name = f"{missing.step_id}.{missing.name}"
        place = f"{execution.step_id}-again-{missing.step_id}-{missing.name}"
        label = Label(missing.label, fr=place)
        control = Input(id=place, name=name, type="password", autocomplete="off")
        fields.append(Div(label, control, cls="field"))
    text = "Secrets are not stored. The earlier cells have to run again and need this once more."
    address = f"/{cells.plugin.app_name}/secrets"
    return _form(execution, address, "Continue", P(text), Div(*fields, cls="fields"))


def question(execution: "Execution", app_name: str) -> Any:
    """Return the form for the question of a running step; None without one."""
    asked = execution.question
    if asked is None:
        return None
    if asked.repeats:
        return _replay_question(execution, app_name, asked)
    # A new id for each question: htmx keeps the focus on an id, and would miss a key pressed before it listens
    place = f"{execution.step_id}-question-{asked.id}"
    problem = asked.problem
    return _form(
        execution,
        f"/{app_name}/answer",
        "Answer",
        Div(
            Label(asked.prompt.strip() or "Answer", fr=place, cls="prompt"),
            Input(
                id=place,
                name="answer",
                type="password" if asked.secret else "text",
                value=asked.suggestion,
                autocomplete="off",
                spellcheck="false",
                aria_invalid="true" if problem else None,
                aria_describedby=f"{place}-error" if problem else None,
            ),
            P(problem, id=f"{place}-error", cls="text-invalid", role="alert") if problem else None,
            cls="field wide",
        ),
        Input(type="hidden", name="question", value=asked.id),
        cls="question",
        data_asks=asked.step_id,
        data_number=str(asked.number),
    )


def _replay_question(execution: "Execution", app_name: str, asked: Question) -> Any:
    """Return the form that asks whether steps may run again: which, when they ran last, what they may repeat."""
    steps = (Li(Strong(step.title), *_about(step)) for step in asked.repeats)
    return Form(
        P(_why(asked)),
        Ul(*steps, style="margin: 0"),
        Input(type="hidden", name="question", value=asked.id),
        Input(type="hidden", name="step_id", value=execution.step_id),
        # The first one is what the Enter key presses
        Div(
            Button("Do not run", type="submit", name="answer", value=LEAVE, cls="secondary"),
            Button("Run again and go on", type="submit", name="answer", value=RUN, cls="primary"),
            style="display: flex; flex-wrap: wrap; gap: 0.75rem; margin-top: 1rem",
        ),
        **_posting(execution, f"/{app_name}/answer"),
        cls="question",
        data_replays="true",
    )


def _why(asked: Question) -> str:
    if all(step.own for step in asked.repeats):
        return "This step has run already in this run."
    if len(asked.repeats) == 1:
        return "To go on, this earlier step must run again: what it computed was not kept."
    return "To go on, these steps must run again: what they computed was not kept."


def _about(step: Repeat) -> Iterator[Any]:
    if step.ran:
        yield f", last run {time.strftime('%Y-%m-%d %H:%M', time.localtime(step.ran))}"
    if step.once:
        yield ". It is marked to run only once"
    if step.may:
        yield f". Running it again may {_listed(step.may)}"
    elif not step.once:
        yield ". It only computes"
    yield "."


def _listed(parts: Sequence[str]) -> str:
    """`send mail, use a database and start another program`."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def _form(
    execution: "Execution", address: str, button: str, *content: Any, **attributes: Any
) -> Any:
    return Form(
        *content,
        Input(type="hidden", name="step_id", value=execution.step_id),
        Button(button, type="submit", cls="primary"),
        **_posting(execution, address),
        **attributes,
    )


def _posting(execution: "Execution", address: str) -> dict[str, Any]:
    return {"hx_post": address, "hx_target": f"#{execution.step_id}", "hx_swap": "outerHTML"}


def register(cells: "Cells") -> None:
    """Add the routes of these two forms: both go on with the step and answer with its card."""
    plugin = cells.plugin

    async def secrets(request: Request) -> Any:
        sent = await cells.sent(request)
        key, step_id = sent.get("pipeline_id", ""), sent.get("step_id", "")
        execution = cells.execution(key, step_id)
        if execution is None or not execution.asks or execution.save is None:
            return cells.chain(key)
        for missing in execution.asks:
            value = sent.get(f"{missing.step_id}.{missing.name}", "")
            cells.vault.remember(key, missing.step_id, {missing.name: value})
        await cells.start(key, step_id, execution.form, execution.save)
        return await getattr(plugin, step_id)(request)

    async def answer(request: Request) -> Any:
        sent = await cells.sent(request)
        key, step_id = sent.get("pipeline_id", ""), sent.get("step_id", "")
        if not any(step.id == step_id for step in plugin.steps if step.id != "finalize"):
            return cells.chain(key)
        text, problem = sent.get("answer", ""), sent.problems.get("answer", "")
        await cells.answered(key, step_id, sent.get("question", ""), text, problem)
        return await getattr(plugin, step_id)(request)

    for handler in (secrets, answer):
        address = f"/{plugin.app_name}/{handler.__name__}"
        plugin.app.route(address, methods=["POST"])(handler)
