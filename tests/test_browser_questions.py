"""What running cells ask, in a real browser: by keyboard alone, in two tabs, and over the end of a server."""

import pytest
from playwright.sync_api import Page, expect

from tests.test_browser import Server, browser, card, page, server
from tests.test_browser_forms import keep

__all__ = ["browser", "page", "server"]  # fixtures

pytestmark = [pytest.mark.kernel, pytest.mark.browser]


def asks(page: Page, prompt: str) -> None:
    """The question is there, and whoever types answers it."""
    field = page.get_by_label(prompt, exact=True)
    expect(field).to_be_focused()


@pytest.mark.slow
def test_questions_are_answered_by_keyboard_in_any_tab_and_after_a_restart(
    page: Page, server: Server
) -> None:
    page.goto(f"{server.address}/questions_while_running")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Start").focus()
    page.keyboard.press("Enter")
    sold, step = "Sold (nothing at the end of the day):", page.locator("#step_02")
    asks(page, sold)
    card(page, "step_02", "question")
    expect(step.locator("[data-output=stream]")).to_have_text("Sold so far: nothing\n")
    page.keyboard.type("<b>pears</b>")
    page.keyboard.press("Enter")
    expect(step.locator("[data-output=stream]")).to_contain_text("There is no <b>pears</b>.")
    asks(page, sold)
    page.keyboard.type("bread")
    page.keyboard.press("Tab")  # to the button
    page.keyboard.press("Space")
    asks(page, "How many bread?")
    keep(page, "question")

    # A second tab has the question, too; what is typed in the first stays until somebody has answered
    page.keyboard.type("typed but not sen")
    other = page.context.new_page()
    other.goto(page.url)
    asks(other, "How many bread?")
    expect(page.get_by_label("How many bread?")).to_have_value("typed but not sen")
    other.keyboard.type("3")
    other.keyboard.press("Enter")
    asks(other, sold)
    expect(page.get_by_label(sold)).to_be_visible()
    other.close()

    # The server is killed while the question waits: the answer that is sent then is not lost
    server.kill()
    server.start()
    page.get_by_label(sold).fill("honey")
    page.get_by_label(sold).press("Enter")
    card(page, "step_02", "error")
    expect(step).to_contain_text("What you have answered is given again.")
    expect(page.get_by_role("button", name="Run again", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    asks(page, "How many honey?")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    asks(page, sold)
    page.keyboard.press("Enter")  # nothing: the end of the day

    card(page, "step_02", "done")
    expect(step.locator(".asked dd")).to_have_text(["<b>pears</b>", "bread", "3", "honey", "2", ""])
    asks(page, "Code of the safe:")
    code = page.get_by_label("Code of the safe:")
    expect(code).to_have_attribute("type", "password")
    page.keyboard.type("hunter2")
    page.keyboard.press("Enter")
    asks(page, "Counted:")
    assert "hunter2" not in page.content()
    page.get_by_role("button", name="Stop").press("Enter")
    card(page, "step_04", "error")
    expect(page.locator("#step_04")).to_contain_text("Stopped")
