"""Secrets of runs: only in the memory of this process, never on a disk, in a page or in a notebook.

A plugin lists the secrets of a step by name and label: `step_02_secrets = {"token": "API token"}`. After a restart of the
server they are unknown; the page asks again for them when the cells of such a step have to run again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


class GetpassCall:
    """Stands for a secret in code that is shown, kept in a kernel's history, or exported: its repr is a call of getpass."""

    def __init__(self, label: str) -> None:
        self.label = label

    def __repr__(self) -> str:
        return f'__import__("getpass").getpass({self.label!r})'


@dataclass(frozen=True, slots=True)
class Missing:
    """A secret that a replay needs: its step, name and label."""

    step_id: str
    name: str
    label: str


def secrets_of(plugin: Any, step_id: str) -> Mapping[str, str]:
    """Return the labels of a step's secrets by name. `plugin` is the workflow or its class."""
    return getattr(plugin, f"{step_id}_secrets", None) or {}


def mask_secrets(plugin: Any, step_id: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return answers for use in code: calls of getpass in place of secrets."""
    return {
        **answers,
        **{n: GetpassCall(label) for n, label in secrets_of(plugin, step_id).items()},
    }


class Vault:
    """The secrets of one plugin's runs."""

    def __init__(self, plugin: Any) -> None:
        self._plugin = plugin
        self._known: dict[tuple[str, str], dict[str, Any]] = {}
        self._replies: dict[tuple[str, str], dict[int, str]] = {}

    def remember(self, key: str, step_id: str, form: Mapping[str, Any]) -> None:
        found = {name: form[name] for name in secrets_of(self._plugin, step_id) if name in form}
        if found:
            self._known[key, step_id] = self._known.get((key, step_id), {}) | found

    def take_over(self, old: "Vault") -> None:
        """Take over the secrets of the plugin before it was loaded again."""
        self._known, self._replies = old._known, old._replies

    def values(self) -> Iterator[str]:
        """Yield all known secrets that are texts: they must not be printed."""
        of_forms = [value for known in self._known.values() for value in known.values()]
        of_cells = [answer for replies in self._replies.values() for answer in replies.values()]
        yield from (v for v in (*of_forms, *of_cells) if isinstance(v, str) and v)

    def recall(self, key: str, step_id: str) -> Mapping[str, Any]:
        """Return the known secrets of a step."""
        return self._known.get((key, step_id), {})

    def missing(self, key: str, step_id: str) -> list[Missing]:
        """Return the secrets of a step that are not known."""
        known = self.recall(key, step_id)
        labels = secrets_of(self._plugin, step_id)
        return [Missing(step_id, n, label) for n, label in labels.items() if n not in known]

    def remember_reply(self, key: str, step_id: str, number: int, answer: str) -> None:
        """Keep an answer to `getpass()` of a running step; `number` counts its questions."""
        self._replies.setdefault((key, step_id), {})[number] = answer

    def recall_reply(self, key: str, step_id: str, number: int) -> str | None:
        """Return an answer to `getpass()`; None if it is not known."""
        return self._replies.get((key, step_id), {}).get(number)

    def forget(self, key: str) -> None:
        for known in (self._known, self._replies):
            for place in [place for place in known if place[0] == key]:
                del known[place]
