"""What a walk through a plugin gave: as data, in words, as a notebook."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pipulate_runtime.host import messages
from pipulate_runtime.host.state import State


@dataclass(frozen=True, slots=True)
class Output:
    """One output on the page (DESIGN 7)."""

    cell: str
    kind: str
    mime: str
    name: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class StepResult:
    """Where a step ended and what it showed."""

    id: str
    title: str
    state: str
    outputs: tuple[Output, ...]


@dataclass(frozen=True, slots=True)
class Walked:
    """A walk that got to its end."""

    key: str
    app_name: str
    title: str
    finalized: bool
    steps: tuple[StepResult, ...]
    state: State
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    notebook: Any = None
    instance: Any = None

    def as_dict(self) -> dict[str, Any]:
        """The walk as plain data: key, steps with their outputs, and the stored answers."""
        answers = {
            step: {name: value for name, value in data.items() if not name.startswith("_")}
            for step, data in self.state.items()
            if step.startswith("step_") and isinstance(data, dict)
        }
        steps = [{**asdict(step), "answers": answers.get(step.id, {})} for step in self.steps]
        names = ("key", "app_name", "title", "finalized")
        return {**{name: getattr(self, name) for name in names}, "steps": steps}

    def notebook_text(self) -> str:
        """The run as an executed notebook; raises HostError PP517 for a plugin without cells."""
        if self.notebook is None:
            raise messages.EXPORT_UNAVAILABLE.error(key=self.key, reason="its plugin runs no cells")
        return str(self.notebook)

    def report(self) -> str:
        """The walk in words, for a terminal."""
        lines = [f"{self.title}: {self.key}"]
        answers = {step["id"]: step["answers"] for step in self.as_dict()["steps"]}
        for step in self.steps:
            lines.append(f"\n{step.title}  [{step.state}]")
            shown = {k: v for k, v in answers[step.id].items() if k in self.asked.get(step.id, {})}
            lines += [f"    {name} = {value!r}" for name, value in shown.items()]
            lines += [f"  | {line}" for line in self._shown(step)]
        lines.append("\nFinished." if self.finalized else "\nNot finished.")
        return "\n".join(lines)

    def _shown(self, step: StepResult) -> list[str]:
        """What a step showed, for a terminal: as the kernel gave it in plain text, else as it stands on the page."""
        cells = self.state.get(step.id, {}).get("_cells", ())
        stored = [output for cell in cells for output in cell["outputs"]]
        if len(stored) == len(step.outputs):
            texts = [_plain(output) for output in stored]
        else:
            texts = [output.text or f"<{output.mime or output.kind}>" for output in step.outputs]
        return [line for text in texts for line in text.strip("\n").splitlines()]


def _plain(output: Mapping[str, Any]) -> str:
    """An nbformat output as a terminal shows it."""
    if output["output_type"] == "stream":
        return str(output["text"])
    if output["output_type"] == "error":
        return f"{output['ename']}: {output['evalue']}"
    data = output["data"]
    picture = next((mime for mime in data if mime.startswith("image/")), None)
    return (
        f"<{picture}>"
        if picture
        else str(data.get("text/markdown") or data.get("text/plain") or "")
    )
