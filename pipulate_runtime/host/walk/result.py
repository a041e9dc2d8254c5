"""What a walk through a plugin gave: as data, in words, as a notebook."""

from dataclasses import asdict, dataclass, field
from typing import Any

from pipulate_runtime.host.base import errors
from pipulate_runtime.host.state.run import State


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
            raise errors.EXPORT_UNAVAILABLE.error(key=self.key, reason="its plugin runs no cells")
        return str(self.notebook)
