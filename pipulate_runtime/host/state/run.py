"""A run: one row of `pipeline`, with one JSON object of everything that the run knows (CONTRACT 1.8)."""

import json
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, cast

from pipulate_runtime.host.base.errors import RUN_UNKNOWN, RUN_UNREADABLE

State = dict[str, Any]
Seen = tuple[int, int, int]  # what is another one as soon as anybody has written


class Rows(Protocol):
    """What a run needs of the database that it is in."""

    lock: threading.RLock

    def seen(self) -> Seen:
        """Tells whether anybody has written, by being another one then."""

    def run(self, key: str) -> "Run | None":
        """The row of a run, or None."""

    def update(self, key: str, data: str, updated: str) -> None:
        """Writes the row of a run, within a transaction."""

    def transaction(self) -> AbstractContextManager[None]:
        """One transaction, in which nobody else writes."""


@dataclass
class Run:
    """A run as it was last read or written: its row, whose state is parsed once. `changing` is its only write.

    `created` and `updated` are ISO times with a zone.
    """

    key: str
    app_name: str
    data: str
    created: str
    updated: str
    store: Rows = field(repr=False, compare=False)
    seen: Seen | None = field(repr=False, compare=False)
    _parsed: State | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def state(self) -> State:
        """The parsed state, one for all who ask: not to be changed. Raises HostError PP510 when it is no JSON object."""
        if self._parsed is None:
            self._parsed = parse_state(self.key, self.data)
        return self._parsed

    def own_state(self) -> State:
        """The state as a dict that may be changed; raises as `state` does."""
        return cast(State, copied(self.state))

    def look(self) -> "Run | None":
        """This run as it is stored now, or None when it is gone. Its row is read again only if anybody wrote since."""
        with self.store.lock:
            if self.seen == (seen := self.store.seen()):
                return self
            found = self.store.run(self.key)
            if found is None:
                self.seen = None
                return None
            if found.data != self.data:
                self._parsed = None
            self.app_name, self.data = found.app_name, found.data
            self.created, self.updated, self.seen = found.created, found.updated, seen
        return self

    @contextmanager
    def changing(self, into: State | None = None) -> Iterator[State]:
        """The state as it is stored, to be changed in place: read and written in one transaction.

        With `into`, that is stored in its place, and what is given is only to be read. What is stored is stamped.

        Raises HostError PP509 when the run is gone, PP510 (unreadable), PP531 (no room) and PP532 (locked).
        """
        with self.store.transaction():
            if self.look() is None:
                raise RUN_UNKNOWN.error(key=self.key)
            state = self.own_state() if into is None else self.state
            yield state
            written, updated = state if into is None else into, now()
            data = json.dumps({**written, "updated": updated}, ensure_ascii=False)
            self.store.update(self.key, data, updated)
            seen = self.store.seen()  # in here, where nobody else can write
        written["updated"] = updated
        self.data, self.updated, self.seen, self._parsed = data, updated, seen, None


def copied(value: Any) -> Any:
    """Parsed JSON once more, with lists and dicts of its own. That is quicker than to parse it, and than deepcopy."""
    if type(value) is dict:
        new = value.copy()
        for name, inner in value.items():
            if type(inner) in _CONTAINERS:
                new[name] = copied(inner)
        return new
    return [copied(inner) if type(inner) in _CONTAINERS else inner for inner in value]


_CONTAINERS = (dict, list)


def now() -> str:
    """The time as it is stored: UTC, to the microsecond, so that rows sort by it."""
    return datetime.now(UTC).isoformat()


def parse_state(key: str, data: str) -> State:
    """The JSON object of a row; raises HostError PP510."""
    try:
        state = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RUN_UNREADABLE.error(key=key, reason=error) from error
    if not isinstance(state, dict):
        raise RUN_UNREADABLE.error(key=key, reason="it is not an object")
    return state


def is_finalized(state: State) -> bool:
    """Whether the run is locked (CONTRACT 1.6)."""
    return "finalized" in (state.get("finalize") or {})


def is_done(state: State, step: Any) -> bool:
    """Whether a step has its answer. Presence counts, not truth: 0, False and "" are answers."""
    data = state.get(step.id)
    return isinstance(data, dict) and step.done in data and state.get("_revert_target") != step.id
