"""Secrets of runs: in the memory of this process while it lives, never on a disk, in a page or in a notebook.

A plugin says which answers of a step are secrets: `step_02_secrets = {"token": "API token"}`, name and label. When the cells
of such a step have to run again in another life of the server, the secret is not known any more and is asked again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


class Asked:
    """Stands for a secret in code that is shown, kept in a kernel's history, or exported: it asks whoever runs it."""

    def __init__(self, label: str) -> None:
        """`label` is the question."""
        self.label = label

    def __repr__(self) -> str:
        """Return the code."""
        return f'__import__("getpass").getpass({self.label!r})'


@dataclass(frozen=True, slots=True)
class Missing:
    """A secret that a replay needs: the step that asked for it, its name, its label."""

    step_id: str
    name: str
    label: str


def secrets_of(plugin: Any, step_id: str) -> Mapping[str, str]:
    """Return the labels of a step's secrets by name. `plugin` is the workflow or its class."""
    return getattr(plugin, f"{step_id}_secrets", None) or {}


def masked(plugin: Any, step_id: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return answers as code may hold them: secrets give way to a call that asks."""
    return {**answers, **{n: Asked(label) for n, label in secrets_of(plugin, step_id).items()}}


class Vault:
    """The secrets of one plugin's runs."""

    def __init__(self, plugin: Any) -> None:
        """Nothing is known yet."""
        self._plugin = plugin
        self._known: dict[tuple[str, str], dict[str, Any]] = {}
        self._told: dict[tuple[str, str], dict[int, str]] = {}

    def remember(self, key: str, step_id: str, form: Mapping[str, Any]) -> None:
        """Keep the secrets among the answers of a step."""
        found = {name: form[name] for name in secrets_of(self._plugin, step_id) if name in form}
        if found:
            self._known[key, step_id] = self._known.get((key, step_id), {}) | found

    def succeed(self, old: "Vault") -> None:
        """Know what another vault knows: that of the plugin before it was loaded again."""
        self._known, self._told = old._known, old._told

    def values(self) -> Iterator[str]:
        """Yield all secrets that are known and texts: what must not be printed."""
        of_forms = [value for known in self._known.values() for value in known.values()]
        of_cells = [answer for told in self._told.values() for answer in told.values()]
        yield from (v for v in (*of_forms, *of_cells) if isinstance(v, str) and v)

    def recall(self, key: str, step_id: str) -> Mapping[str, Any]:
        """Return the secrets of a step that are known."""
        return self._known.get((key, step_id), {})

    def missing(self, key: str, step_id: str) -> list[Missing]:
        """Return the secrets of a step that are not known."""
        known = self.recall(key, step_id)
        labels = secrets_of(self._plugin, step_id)
        return [Missing(step_id, n, label) for n, label in labels.items() if n not in known]

    def tell(self, key: str, step_id: str, number: int, answer: str) -> None:
        """Keep what `getpass()` was told while a step ran; `number` says which of its questions that was."""
        self._told.setdefault((key, step_id), {})[number] = answer

    def told(self, key: str, step_id: str, number: int) -> str | None:
        """Return what `getpass()` was told there; None if that is not known."""
        return self._told.get((key, step_id), {}).get(number)

    def forget(self, key: str) -> None:
        """Forget all secrets of a run."""
        for known in (self._known, self._told):
            for place in [place for place in known if place[0] == key]:
                del known[place]
