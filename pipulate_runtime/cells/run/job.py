"""What is needed to execute a step."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipulate_runtime.cells.kernel.pool import settings
from pipulate_runtime.cells.run import checkpoint
from pipulate_runtime.cells.source.marks import POLICIES, Policy
from pipulate_runtime.cells.source.source import Source
from pipulate_runtime.cells.storage.secrets import Vault

Record = dict[str, Any]

CELLS = "_cells"  # where a step's data holds its cells; all other keys are answers


class Stored:
    """The state of one run, as the plugin's host stores it. It is read at named moments (docs/adr/0057) and handed on."""

    def __init__(self, plugin: Any, key: str) -> None:
        """Nothing is read yet."""
        self._plugin = plugin
        self._key = key

    def read(self) -> dict[str, Any]:
        """Return the state as it is stored now, {} if there is none; it may be changed."""
        self.remove_filter()
        return self._plugin.pip.read_state(self._key) or {}

    def write(self, state: Mapping[str, Any]) -> None:
        """Store a state. Raises what the host raises."""
        self.remove_filter()
        self._plugin.pip.write_state(self._key, state)

    def remove_filter(self) -> None:
        """Take the filter off the table that a plugin was given, if it keeps one: that of another workflow hides the row."""
        if (table := getattr(self._plugin, "pipeline", None)) is not None:
            table.xtra()


@dataclass(frozen=True)
class Job:
    """The plugin's source, its steps, its files, its secrets, and the state of its run."""

    source: Source
    steps: tuple[Any, ...]
    files: Path | None
    vault: Vault
    stored: Stored

    def from_step(self, step_id: str) -> list[str]:
        """Return the ids of a step and of those after it."""
        order = [step.id for step in self.steps]
        return order[order.index(step_id) :]

    def words_after(self, step_id: str) -> list[str]:
        """Return all identifiers in the code of the steps after one, and of what computes values for their forms."""
        later = self.from_step(step_id)[1:]
        cells = [cell.code for s in later for cell in self.source.of_step(s)]
        return checkpoint.words_of(cells + [self.source.text_of(f"{s}_suggestions") for s in later])

    def suggestions_after(self, step_id: str) -> tuple[str, str]:
        """Return the step after one, and the name of the function that computes values of its form; empty without."""
        later = self.from_step(step_id)[1:2]
        function = f"{later[0]}_suggestions" if later else ""
        return (later[0], function) if hasattr(self.source.plugin_class, function) else ("", "")

    def policy(self, step_id: str) -> Policy:
        """Return whether a checkpoint is made after a step: what its cells say, else what the server is set to."""
        said = {cell.options.checkpoint for cell in self.source.of_step(step_id)} - {"auto"}
        return min(said, default=settings.checkpoint, key=POLICIES[::-1].index)

    def is_once(self, step_id: str) -> bool:
        """Return whether a step is marked never to run twice in a run unasked."""
        return any(cell.options.once for cell in self.source.of_step(step_id))
