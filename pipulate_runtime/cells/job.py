"""What is needed to execute a step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipulate_runtime.cells import checkpoints
from pipulate_runtime.cells.marks import POLICIES, Policy
from pipulate_runtime.cells.pool import settings
from pipulate_runtime.cells.source import Source
from pipulate_runtime.cells.vault import Vault

Record = dict[str, Any]

CELLS = "_cells"  # where a step's data holds its cells; all other keys are answers


@dataclass(frozen=True)
class Job:
    """The plugin's source, its steps, its files, its state and its secrets."""

    source: Source
    steps: tuple[Any, ...]
    files: Path | None
    read_state: Callable[[], Mapping[str, Any]]
    write_state: Callable[[Mapping[str, Any]], None]
    vault: Vault
    keep_suggested: Callable[[str, dict[str, Any]], None]
    """Takes the values that the form of a step shows."""

    def from_step(self, step_id: str) -> list[str]:
        """Return the ids of a step and of those after it."""
        order = [step.id for step in self.steps]
        return order[order.index(step_id) :]

    def words_after(self, step_id: str) -> list[str]:
        """Return all identifiers in the code of the steps after one, and of what computes values for their forms."""
        later = self.from_step(step_id)[1:]
        cells = [cell.code for s in later for cell in self.source.of_step(s)]
        return checkpoints.words_of(
            cells + [self.source.text_of(f"{s}_suggestions") for s in later]
        )

    def suggestions_after(self, step_id: str) -> tuple[str, str]:
        """Return the step after one, and the name of the function that computes values of its form; empty without."""
        later = self.from_step(step_id)[1:2]
        function = f"{later[0]}_suggestions" if later else ""
        return (later[0], function) if hasattr(self.source.plugin_class, function) else ("", "")

    def policy(self, step_id: str) -> Policy:
        """Return whether a checkpoint is made after a step: what its cells say, else what the server is set to."""
        said = {cell.options.checkpoint for cell in self.source.of_step(step_id)} - {"auto"}
        return min(said, default=settings.checkpoint, key=POLICIES[::-1].index)
