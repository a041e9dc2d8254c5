"""A step that takes long, in a real browser: what is on the page stays while new outputs come, and it can be stopped."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.build import raw
from tests.test_browser import Server, browser
from tests.test_browser import server_of_folder as server
from transpiler.model.options import Options
from transpiler.pipeline import port

__all__ = ["browser", "server"]  # fixtures

pytestmark = [pytest.mark.kernel, pytest.mark.browser]

CODE = """#| input: until
until = "go"
import os, sys, time
from IPython.display import JSON, display
def wait(name):
    while not os.path.exists(name):
        time.sleep(0.01)
print("the first line", flush=True)
display(JSON({"folded": list(range(3))}))
print("after the fold", flush=True)
wait("more")
for n in range(60):
    print("line", n)
for n in range(1, 4):
    print(f"\\rload:  {n * 25}%|##        | {n}/4 [00:01<00:01,  1.00it/s]", end="", file=sys.stderr, flush=True)
wait(until)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    notebook = tmp_path / "slow.ipynb"
    notebook.write_bytes(raw(CODE))
    port(notebook, tmp_path / "plugins", Options())
    return tmp_path


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 300})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda m: "oobError" in m.text and problems.append(m.text))
    page.goto(f"{server.address}/slow")
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Continue").click()
    yield page
    assert problems == []
    context.close()


def go(folder: Path, name: str) -> None:
    for work in (folder / "data").rglob("work"):
        (work / name).touch()


def test_what_is_on_the_page_stays(page: Page, folder: Path) -> None:
    card = page.locator("#step_01")
    expect(card).to_contain_text("after the fold")
    fold = card.locator("details")
    fold.locator("summary").click()  # it was open
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#step_01 h3'))")
    page.evaluate("document.querySelector('#step_01 h3').kept = true")
    stop = page.get_by_role("button", name="Stop: ")
    stop.focus()
    page.evaluate("window.scrollTo(0, 40)")
    before = card.locator("[id$=-clock]").inner_text()
    go(folder, "more")
    expect(card).to_contain_text("line 59")
    bar = card.get_by_role("progressbar", name="load")
    expect(bar).to_have_attribute("value", "0.7500")
    assert fold.get_attribute("open") is None
    expect(stop).to_be_focused()
    assert page.evaluate("document.querySelector('#step_01 h3').kept")
    assert page.evaluate("getSelection().toString()").strip() != ""
    assert page.evaluate("scrollY") == 40
    expect(card.locator("[id$=-clock]")).not_to_have_text(before)
    go(folder, "go")
    expect(page.locator("#step_01[data-state=done]")).to_be_visible()
    expect(page.locator("#step_01").get_by_role("progressbar", name="load")).to_be_visible()


@pytest.mark.slow
def test_another_tab_and_a_reload_show_it_and_can_stop_it(page: Page, folder: Path) -> None:
    card = page.locator("#step_01[data-state=running]")
    expect(card).to_contain_text("after the fold")
    page.reload()
    expect(card).to_contain_text("after the fold")
    expect(card.locator("dd")).to_have_text("go")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("#step_01[data-state=running]")).to_contain_text("after the fold")
    stop = other.get_by_role("button", name="Stop: ")
    stop.focus()
    other.keyboard.press("Enter")
    for tab in (other, page):
        failed = tab.locator("#step_01[data-state=error]")
        expect(failed).to_contain_text("You stopped this step")
        expect(failed).to_contain_text("the first line")
        expect(failed.get_by_label("Until")).to_have_value("go")


@pytest.mark.slow
def test_a_server_that_is_gone_for_a_while_does_not_stop_the_page(
    page: Page, server: Server
) -> None:
    card = page.locator("#step_01[data-state=running]")
    expect(card).to_contain_text("after the fold")
    page.context.set_offline(True)
    time.sleep(1)
    page.context.set_offline(False)
    before = card.locator(".elapsed").inner_text()
    expect(card.locator(".elapsed")).not_to_have_text(before)
