"""What running cells ask with `input()` and `getpass()`: who answers, and what is kept of it.

A kernel asks and waits. What is known already is given at once: in a replay the answers that stand with the step, in their order;
after a server was killed in the middle of a step, those it had been given, as long as the questions are the same. All else is
asked on the card that runs, and whoever looks at it may answer, in any tab, once.

The record of a cell keeps `asked`: a prompt and an answer each, of a secret the prompt alone. Until the step is through, the same
stands in the run's state under `_asked`, with the question that waits. Secrets are in the vault, while the server lives.
"""

import contextlib
import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipulate_runtime.cells.kernel.questions import PendingQuestion, Question
from pipulate_runtime.cells.run.job import CELLS, Stored
from pipulate_runtime.cells.storage.secrets import Vault

Entry = dict[str, Any]
"""`{"prompt": ..., "answer": ...}`, of a secret `{"prompt": ..., "secret": True}`."""

ASKED = "asked"  # of a record: what the cell asked
OPEN = "_asked"  # of a run's state: what steps that are not through have asked
LONGEST = 2000  # characters of a prompt that are shown
_ANSI = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_])")


@dataclass
class Known:
    """What is known of the questions of a step before it runs."""

    entries: Sequence[Entry] = ()
    """What was answered when it ran before, in order."""
    replay: bool = False
    """They are the answers of this step, whatever it asks."""
    again: bool = False
    """They are given as long as the same is asked: a server was killed in the middle of the step."""

    @property
    def some(self) -> bool:
        """Whether there is an answer among them."""
        return any("answer" in entry for entry in self.entries)


def known_of(state: Mapping[str, Any], step_id: str, interrupted: bool) -> Known:
    """Return what a run's state knows of what a step will ask; `interrupted` if its server was killed in the middle of it."""
    records = (state.get(step_id) or {}).get(CELLS) or ()
    return Known((state.get(OPEN) or {}).get(step_id) or asked_in(records), again=interrupted)


class Replies:
    """Answers what the cells of one step ask, in its order."""

    def __init__(
        self,
        place: tuple[str, str],
        vault: Vault,
        asks: PendingQuestion,
        known: Known,
        keep: Callable[[Sequence[Entry]], None] | None = None,
    ) -> None:
        """`place` is the run and the step. `asks` is asked for what is not known; `keep` is told all entries whenever there is a new one."""
        self._place = place
        self._vault = vault
        self._asks = asks
        self._known = known
        self._same = True
        self._keep = keep or (lambda entries: None)
        self._entries: list[Entry] = []
        self.secret = False
        """Whether a secret was given."""

    async def reply(self, record: MutableMapping[str, Any], prompt: str, secret: bool) -> str:
        """Return the answer to the next question, which a cell asks, and note it in the cell's record."""
        number, prompt = len(self._entries), shown(prompt)
        known, answer = self._earlier(number, prompt, secret)
        if not known:
            question = Question(self._place[1], number, prompt, secret, answer)
            self._keep([*self._entries, {"prompt": prompt, "id": question.id}])
            answer = await self._asks.ask(question)
        entry: Entry = {"prompt": prompt} | ({"secret": True} if secret else {"answer": answer})
        if secret:
            self.secret = True
            self._vault.remember_reply(*self._place, number, answer)
        self._entries.append(entry)
        record.setdefault(ASKED, []).append(entry)
        if not known:
            self._keep(self._entries)
        return answer

    def _earlier(self, number: int, prompt: str, secret: bool) -> tuple[bool, str]:
        """Return whether a question needs nobody, and the answer it had before."""
        earlier = self._known.entries[number] if number < len(self._known.entries) else {}
        same = earlier.get("prompt") == prompt
        self._same = self._same and same
        given = self._known.replay or (self._known.again and self._same)
        if secret:
            told = self._vault.recall_reply(*self._place, number) if given else None
            return told is not None, told or ""
        found = earlier.get("answer")
        return given and found is not None, (found or "") if same or given else ""


def shown(prompt: object) -> str:
    """Return a prompt as a page can show it: a text of bearable length, without what steers a terminal."""
    text = _ANSI.sub("", str(prompt)).replace("\0", "").replace("\r\n", "\n")
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def asked_in(records: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """Return what the cells of a step have asked, in order."""
    return [entry for record in records for entry in record.get(ASKED, ())]


def keep_open(
    stored: Stored, step_id: str, entries: Sequence[Entry], state: dict[str, Any] | None = None
) -> None:
    """Keep in a run's state what a step that is not through has asked; nothing of it without entries.

    `state` is what is stored, if that was read just now.
    """
    state = stored.read() if state is None else state
    kept = dict(state.get(OPEN) or {})
    if not state or kept.pop(step_id, []) == list(entries):
        return
    if entries:
        kept[step_id] = list(entries)
    state.pop(OPEN, None)
    # Where the database is locked for long, a kill would lose what was answered: that is all
    with contextlib.suppress(Exception):
        stored.write({**state, OPEN: kept} if kept else state)


def answer_late(stored: Stored, step_id: str, id_: str, answer: str) -> None:
    """Keep an answer that came after its server was gone: it is given when the step runs again. Others are ignored."""
    state = stored.read()
    entries = (state.get(OPEN) or {}).get(step_id, ())
    if entries and id_ and entries[-1].get("id") == id_ and "\n" not in answer:
        late = [*entries[:-1], {"prompt": entries[-1]["prompt"], "answer": answer}]
        keep_open(stored, step_id, late, state)
