"""The text of the person's page for the model, read through the app's own addresses when a question is asked.

So the model sees what the page shows, of any workflow, and nothing else. Input that was not yet sent comes with the
question, without passwords.
"""

import asyncio
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from bs4 import BeautifulSoup, Tag

from pipulate_runtime.host.base.browser import attribute, controls, defaults, readable
from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.pages import workflow_runs
from pipulate_runtime.host.plugins.model import Loaded, Plugin
from pipulate_runtime.host.state.history import quiet
from pipulate_runtime.host.state.run import is_done
from pipulate_runtime.host.state.store import StateStore

log = logging.getLogger(__name__)

CARDS = 6  # cards before the current one
CARD = 1_000  # characters of each
WAITING = 2_500  # characters of the current one
PAGE = 6_000  # characters of all
TRAINING = 4_000  # characters of the workflow's instructions
TIME = 5.0  # seconds for one page
OWN = frozenset({"", "tasks", "profiles", "roles", "runs"})  # pages of the host itself
_ORIGIN = "http://localhost"
_SECRET = ("password", "hidden", "file", "submit", "button", "image", "reset")


@dataclass(frozen=True, slots=True)
class PageView:
    """The page where a question was asked: its address, and the input in its form."""

    address: str = "/"
    typed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return urlsplit(self.address).path

    @property
    def run(self) -> str:
        """The key of its run, or ""."""
        return parse_qs(urlsplit(self.address).query).get("run", [""])[0]


def shortened(text: str, longest: int) -> str:
    """Return a text without its middle if it is too long."""
    if len(text) <= longest:
        return text
    end = longest // 3
    left_out = f"[… {len(text) - longest} characters left out …]"
    return f"{text[: longest - end]}\n{left_out}\n{text[-end:]}"


@dataclass(frozen=True, slots=True)
class PageReader:
    """Reads pages of an app as text."""

    app: Any
    store: StateStore
    loaded: Loaded

    async def read(self, view: PageView) -> tuple[str, str]:
        """Return the text of a page, and the workflow's own instructions or "". Nothing is raised."""
        key = view.path.strip("/")
        plugin = self.loaded.by_key.get(key)
        training = shortened(training_of(plugin), TRAINING) if plugin else ""
        if plugin is None and key not in OWN:
            return "A page without content for questions.", ""
        try:
            lines = await self._run(plugin, view) if plugin else None
            if lines is None:
                lines = [await self._whole(f"/{key}")]
        except (HostError, httpx.HTTPError, TimeoutError) as error:
            log.warning("the page %s cannot be read for the chat: %s", view.path, error)
            lines = ["The page could not be read."]
        return shortened("\n\n".join(filter(None, lines)), PAGE), training

    async def _whole(self, path: str) -> str:
        """Return the text of a page of the host, or of a workflow's landing page."""
        main = (await self._get(path, {})).find("main")
        return text_of(main, {}) if isinstance(main, Tag) else ""

    async def _run(self, plugin: Plugin, view: PageView) -> list[str] | None:
        """Return the cards of a run up to the current one, the current first; None when the page shows no run."""
        run = self.store.run(view.run)
        if run is None or run.app_name != plugin.app_name or not plugin.steps:
            return None
        state = run.state
        name = workflow_runs.run_name(run.key, plugin.app_name)
        steps = list(plugin.steps)
        titles = [f"{number}. {step.show}" for number, step in enumerate(steps[:-1], start=1)]
        head = [
            f"Workflow: {plugin.title}. {plugin.description}",
            f"Run: {name} (key {run.key})",
            f"Standing: {workflow_runs.standing(plugin.steps, state)[1]}",
            "Steps: " + "; ".join(titles),
        ]
        current = next((n for n, s in enumerate(steps) if not is_done(state, s)), len(steps) - 1)
        cards = []
        for step in steps[max(0, current - CARDS) : current + 1]:
            waiting = step is steps[current]
            text = await self._card(plugin, step.id, run.key, view.typed if waiting else {})
            title, longest = ("Current step", WAITING) if waiting else ("Done", CARD)
            cards.append(f"[{title}: {step.show} ({step.id})]\n{shortened(text, longest)}")
        return ["\n".join(head), *reversed(cards)]  # the oldest cards are cut off

    async def _card(self, plugin: Plugin, step_id: str, key: str, typed: Mapping[str, Any]) -> str:
        soup = await self._get(f"/{plugin.app_name}/{step_id}", {"pipeline_id": key})
        card = soup.find(id=step_id)
        return text_of(card if isinstance(card, Tag) else soup, typed)

    async def _get(self, path: str, values: dict[str, str]) -> BeautifulSoup:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url=_ORIGIN)
        headers = {"HX-Request": "true"} if values else {}
        with quiet():
            async with asyncio.timeout(TIME), client:
                answer = await client.get(path, params=values, headers=headers)
        return BeautifulSoup(answer.text, "html.parser")


def training_of(plugin: Plugin) -> str:
    """Return a workflow's instructions for the model: a text, or the content of a file beside it (CONTRACT 1.5)."""
    text = str(getattr(plugin.instance, "TRAINING_PROMPT", "") or "").strip()
    if re.fullmatch(r"[\w.-]+\.md", text):
        for folder in (plugin.path.parent, *plugin.path.parent.parents[:1]):
            path = folder / "assets" / "prompts" / text
            if path.is_file():
                return path.read_text(encoding="utf-8", errors="replace")
    return text


def text_of(element: Tag, typed: Mapping[str, Any]) -> str:
    """Return a part of a page as text: questions with their values, tables as lines."""
    lines = list(_questions(element, typed))
    for table in element.find_all("table"):
        if not table.find_parent("table"):
            table.replace_with(f"\n{readable(BeautifulSoup(str(table), 'html.parser'))}\n")
    for part in element.find_all(["form", "script", "style", "button", "iframe"]):
        if part.name != "form" or any(controls(part)):
            part.decompose()
    for block in element.find_all(["p", "li", "dd", "h1", "h2", "h3", "h4", "pre", "div", "tr"]):
        block.append("\n")
    for term in element.find_all("dt"):
        term.append(": ")
    for picture in element.find_all(["img", "svg"]):
        picture.replace_with(f"[a picture: {attribute(picture, 'alt') or 'without a description'}]")
    text = re.sub(r"[^\S\n]*\n(?:[^\S\n]*\n)+", "\n", element.get_text()).strip("\n")
    return "\n".join([text, *lines]).strip()


def _questions(element: Tag, typed: Mapping[str, Any]) -> Iterable[str]:
    told: set[str] = set()
    for form in element.find_all("form"):
        for control in controls(form):
            name, kind = str(control["name"]), attribute(control, "type") or "text"
            if kind in _SECRET or name in told or control.name == "button":
                continue
            told.add(name)
            yield f"Question: {_label(form, control)} = {_value(form, control, typed.get(name))}"


def _label(form: Tag, control: Tag) -> str:
    group = control.find_parent("fieldset")
    legend = group.find("legend") if isinstance(group, Tag) else None
    if legend is not None and attribute(control, "type") in ("radio", "checkbox"):
        return " ".join(legend.get_text(" ").split())
    around = control.find_parent("label")
    label = around or form.find("label", attrs={"for": attribute(control, "id") or ""})
    words = label.get_text(" ") if isinstance(label, Tag) else attribute(control, "aria-label")
    return " ".join((words or str(control["name"])).split())


def _value(form: Tag, control: Tag, typed: Any) -> str:
    """Return the value of a control, and its choices."""
    name = str(control["name"])
    values = [value for other, value in defaults(form) if other == name]
    if typed is not None:
        values = [str(each) for each in (typed if isinstance(typed, list) else [typed])]
    shown = ", ".join(repr(shortened(value, 300)) for value in values) or "nothing yet"
    choices = [option.get_text(strip=True) for option in control.find_all("option")]
    if attribute(control, "type") == "radio":
        same = form.find_all("input", attrs={"name": name})
        choices = [attribute(each, "value") or "" for each in same]
    return f"{shown} (choices: {', '.join(choices[:30])})" if choices else shown
