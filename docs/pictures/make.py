"""Makes docs/pictures/annotations/*.png: how each kind of field, and each way to ask for values, looks on the page.

They are screenshots of the workflows in generated/, served as users see them. From the root of the checkout:

    PYTHONPATH=. python docs/pictures/make.py

`tests/test_annotations.py` sees to it that docs/annotations.md shows all of them.
"""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

from tests.conftest import CHROMIUM
from tests.test_browser import FLAGS, SLOW, Server, card

FOLDER = Path(__file__).parent / "annotations"
WIDTH = 760  # of the window; a card is a little narrower
COLOURS = 64  # more than a form has

CARDS = {
    "option-lines": ("option_lines", "step_01"),
    "metadata": ("option_lines", "step_03"),
    "tags": ("papermill_parameters", "step_01"),
    "colab": ("colab_forms", "step_01"),
    "widgets": ("widget_values", "step_03"),
    "interact": ("interact_calls", "step_02"),
    "button": ("pressed_buttons", "step_01"),
    "questions": ("asked_questions", "step_01"),
    "question-of-a-running-cell": ("questions_while_running", "step_02"),
    "pipulate": ("pipulate_calls", "step_06"),
    "ending": ("bridge_flow", "step_03"),
}
"""Picture -> the workflow and its step."""
TYPES = {
    "text": ("step_01", "title"),
    "textarea": ("step_01", "notes"),
    "integer": ("step_01", "people"),
    "number": ("step_01", "price"),
    "range": ("step_01", "pace"),
    "switch": ("step_01", "lunch"),
    "select": ("step_01", "region"),
    "multi-select": ("step_01", "sights"),
    "radio": ("step_01", "travel"),
    "date": ("step_01", "day"),
    "time": ("step_01", "start"),
    "datetime": ("step_01", "reply_by"),
    "color": ("step_01", "colour"),
    "url-list": ("step_01", "links"),
    "json": ("step_01", "rooms"),
    "raw": ("step_01", "margins"),
    "file": ("step_02", "guests"),
    "files": ("step_02", "pictures"),
    "password": ("step_03", "token"),
}
"""Type of a field -> where the workflow `all_types` asks for one."""
ANSWERS = {"Api key": "a key", "Booking token": "a token"}
"""What has to be typed on the way to a step."""


def keep(shown: Locator, name: str) -> None:
    """Write a picture of a part of the page, as small as it can be."""
    shown.page.wait_for_timeout(200)  # a card that has just come takes the focus
    shown.page.evaluate("document.activeElement.blur()")
    picture = Image.open(io.BytesIO(shown.screenshot(animations="disabled", caret="hide")))
    few = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(FOLDER / f"{name}.png", optimize=True)


def walk(page: Page, server: Server, workflow: str, step: str) -> Locator:
    """Start a run and answer with what the forms hold, until a step asks; return its card."""
    page.goto(f"{server.address}/{workflow}")
    page.get_by_role("button", name="Start").click()
    for number in range(1, int(step.removeprefix("step_")) + 1):
        at = page.locator(f"#step_{number:02}")
        at.and_(
            page.locator("[data-state=input], [data-state=question], [data-state=done]")
        ).wait_for(timeout=SLOW)
        if at.get_attribute("id") != step and at.get_attribute("data-state") == "input":
            for label, answer in ANSWERS.items():
                for field in at.get_by_label(label).all():
                    field.fill(answer)
            at.locator("form button[type=submit].primary").click()
            card(page, f"step_{number:02}", "done")
    return page.locator(f"#{step} > article")


@contextmanager
def served() -> Iterator[tuple[Page, Server]]:
    """A page of a browser, and a server with a data folder of its own."""
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        server = Server(Path(data))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser.new_page(viewport={"width": WIDTH, "height": 900}), server
        finally:
            browser.close()
            server.kill()


def main() -> None:
    """Make all pictures anew."""
    FOLDER.mkdir(exist_ok=True)
    with served() as (page, server):
        for name, (workflow, step) in CARDS.items():
            shown = walk(page, server, workflow, step)
            if name == "question-of-a-running-cell":
                page.get_by_label("Sold (nothing").fill("bread")
                page.keyboard.press("Enter")
                page.get_by_label("How many bread?").fill("3")
            if name == "ending":
                page.get_by_label("Faster than a coconut").check()
                shown.get_by_role("button", name="Continue").click()
                card(page, step, "error")
            keep(shown, name)
        for kind, (step, field) in TYPES.items():
            shown = page.locator(f"#{step} > article")
            if not shown.locator(f"[name={field}]").count():
                shown = walk(page, server, "all_types", step)
            keep(shown.locator(".field", has=page.locator(f"[name={field}]")).first, f"type-{kind}")


if __name__ == "__main__":
    main()
