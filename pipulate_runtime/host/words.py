"""What is said to people and to the conversation."""

import logging
import re
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from pipulate_runtime.host.constants import UI_CONSTANTS
from pipulate_runtime.host.contract import State, Steps
from pipulate_runtime.host.history import History, Message
from pipulate_runtime.host.state import is_done, is_finalized

log = logging.getLogger(__name__)


class Words:
    """The part of `pip` that finds the words."""

    # what the class that this is mixed into has
    message_queue: History
    read_state: Callable[[str], State]

    def fmt(self, name: str) -> str:
        """A name as it is read: `step_01` is "Step 1"."""
        number = re.fullmatch(r"step_0*(\d+)", name)
        return f"Step {number[1]}" if number else name.replace("_", " ").title()

    def make_singular(self, word: str) -> str:
        """The singular of a simple English plural."""
        word = word.strip()
        if word.lower().endswith("ies"):
            return word[:-3] + "y"
        return word[:-1] if word.lower().endswith("s") and not word.lower().endswith("ss") else word

    def get_ui_constants(self) -> dict[str, dict[str, str]]:
        """Texts and classes by name."""
        return UI_CONSTANTS

    def get_config(self) -> SimpleNamespace:
        """What plugins read of upstream's settings: its texts and classes."""
        return SimpleNamespace(UI_CONSTANTS=UI_CONSTANTS)

    def get_message_queue(self) -> History:
        """The same as `message_queue`."""
        return self.message_queue

    async def get_state_message(self, key: str, steps: Steps, messages: Mapping[str, Any]) -> str:
        """What to tell the user about where the run stands; a message the plugin did not give is made up for."""
        state = self.read_state(key)
        final = messages.get("finalize") or {}
        if is_finalized(state):
            return str(final.get("complete", UI_CONSTANTS["MESSAGES"]["WORKFLOW_LOCKED"]))
        questions = [step for step in steps if step.id != "finalize"]
        open_steps = [step for step in questions if not is_done(state, step)]
        if not open_steps:
            return str(final.get("ready", UI_CONSTANTS["MESSAGES"]["FINALIZE_QUESTION"]))
        step, fallback = open_steps[0], f"Next: {open_steps[0].show}."
        if step is questions[0] and "new" in messages:
            return str(messages["new"])
        entry = messages.get(step.id)
        return str(entry.get("input", fallback)) if isinstance(entry, Mapping) else fallback

    def append_to_history(self, text: str, role: str = "system") -> None:
        """Keeps a text in the conversation without showing it."""
        self.message_queue.keep(Message(role, str(text), shown=False))

    async def stream(
        self, message: str, verbatim: bool = False, role: str = "user", **options: Any
    ) -> str:
        """Keeps a message and gives it back."""
        return await self.message_queue.add(self, message, verbatim=verbatim, role=role)

    async def log_api_call_details(self, *args: Any, **details: Any) -> None:
        """Logs a call of a remote service. The arguments may hold secrets and are left out."""
        log.debug("a plugin called a remote service")
