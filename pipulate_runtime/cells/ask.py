"""What a form shows of files and secrets that an answer has already, or needs again; and what running cells ask."""

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from fasthtml.common import Button, Div, Form, Input, Label, Li, P, Small, Span, Strong, Ul
from starlette.requests import Request

from pipulate_runtime.cells.forms import REMOVE
from pipulate_runtime.cells.render import readable

if TYPE_CHECKING:
    from pipulate_runtime.cells.api import Cells
    from pipulate_runtime.cells.execution import Execution


def chosen(paths: list[str], remove: str | None = None) -> Any:
    """Return a line that names files; None without any. With `remove`, the name of a field, each can be taken away."""
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


def listed(paths: list[str], sizes: list[int | None]) -> Any:
    """Return files with their sizes: one on a line, several in a list; None without any."""
    parts = [
        (
            Span(_name(path), cls="file-name"),
            " ",
            Span("is gone" if size is None else readable(size), cls="file-size"),
        )
        for path, size in zip(paths, sizes, strict=True)
    ]
    if len(parts) < 2:
        return parts[0] if parts else None
    return Ul(*(Li(*part) for part in parts), cls="answer-files")


def _name(path: str) -> str:
    """The name of a file as people know it."""
    return PurePosixPath(path).name


# --- secrets ------------------------------------------------------------------------------------------------------


def form(cells: "Cells", execution: "Execution") -> Any:
    """Return the form that asks again for secrets of earlier steps."""
    fields = []
    for missing in execution.asks:
        name = f"{missing.step_id}.{missing.name}"
        place = f"{execution.step_id}-again-{missing.step_id}-{missing.name}"
        label = Label(missing.label, fr=place)
        control = Input(id=place, name=name, type="password", autocomplete="off")
        fields.append(Div(label, control, cls="field"))
    return Form(
        P("Secrets are not kept. The earlier cells have to run again, and need this once more."),
        Div(*fields, cls="fields"),
        Input(type="hidden", name="step_id", value=execution.step_id),
        Button("Continue", type="submit", cls="primary"),
        hx_post=f"/{cells.plugin.app_name}/secrets",
        hx_target=f"#{execution.step_id}",
        hx_swap="outerHTML",
    )


def register(cells: "Cells") -> None:
    """Add the route that takes the secrets and goes on with the step that waits for them."""
    plugin = cells.plugin

    async def secrets(request: Request) -> Any:
        sent = await cells.sent(request)
        key, step_id = sent.get("pipeline_id", ""), sent.get("step_id", "")
        execution = cells.execution(key, step_id)
        if execution is None or not execution.asks or execution.save is None:
            return plugin.chain(key)
        for missing in execution.asks:
            value = sent.get(f"{missing.step_id}.{missing.name}", "")
            cells.vault.remember(key, missing.step_id, {missing.name: value})
        await cells.start(key, step_id, execution.form, execution.save)
        return await getattr(plugin, step_id)(request)

    plugin.app.route(f"/{plugin.app_name}/secrets", methods=["POST"])(secrets)


# --- what running cells ask -----------------------------------------------------------------------------------------


def question(execution: "Execution", app_name: str) -> Any:
    """Return the form of what a running step asks; None while it asks nothing. It stays until its answer is there."""
    asked = execution.question
    if asked is None:
        return None
    # Of its own for each question: htmx keeps the focus on an id, and a key pressed at once would come before htmx listens
    place = f"{execution.step_id}-question-{asked.id}"
    problem = asked.problem
    return Form(
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
        Input(type="hidden", name="step_id", value=execution.step_id),
        Input(type="hidden", name="question", value=asked.id),
        Button("Answer", type="submit", cls="primary"),
        cls="question",
        data_asks=asked.step_id,
        data_number=str(asked.number),
        hx_post=f"/{app_name}/answer",
        hx_target=f"#{execution.step_id}",
        hx_swap="outerHTML",
    )


def register_answers(cells: "Cells") -> None:
    """Add the route that takes the answers to what running cells ask."""
    plugin = cells.plugin

    async def answer(request: Request) -> Any:
        sent = await cells.sent(request)
        key, step_id = sent.get("pipeline_id", ""), sent.get("step_id", "")
        if not any(step.id == step_id for step in plugin.steps if step.id != "finalize"):
            return plugin.chain(key)
        text, problem = sent.get("answer", ""), sent.problems.get("answer", "")
        await cells.answered(key, step_id, sent.get("question", ""), text, problem)
        return await getattr(plugin, step_id)(request)

    plugin.app.route(f"/{plugin.app_name}/answer", methods=["POST"])(answer)
