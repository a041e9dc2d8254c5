"""A whole run without a mouse: every control of every form is reached and changed by keys, and the focus is where it is needed."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.test_browser import Server, browser, card, page, server

__all__ = ["browser", "page", "server"]  # fixtures

pytestmark = [pytest.mark.kernel, pytest.mark.browser]

MOST = 40  # Tab keys from one control to another


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def tab_to(page: Page, control: Locator) -> None:
    """Press Tab until a control has the focus."""
    for _ in range(MOST):
        if control.evaluate("element => element === document.activeElement"):
            return
        press(page, "Tab")
    raise AssertionError(f"{MOST} times Tab do not lead to {control}")


def write(page: Page, label: str, text: str) -> None:
    """Go to a field by Tab and type over what it holds."""
    tab_to(page, page.get_by_label(label, exact=True))
    press(page, "Control+A")
    page.keyboard.type(text)


@pytest.mark.slow
def test_all_forms_are_filled_without_a_mouse(page: Page, server: Server, tmp_path: Path) -> None:
    guests = tmp_path / "ours.csv"
    guests.write_text("name,town\nMary,Rome\n")
    page.on(
        "filechooser", lambda _: None
    )  # from now on the browser hands them over, however busy it is
    page.goto(f"{server.address}/all_types")
    tab_to(page, page.get_by_role("button", name="Start"))
    press(page, "Enter")

    title = page.get_by_label("Title")
    expect(title).to_be_focused()
    press(page, "Control+A")
    page.keyboard.type("Over the hill")
    write(page, "Notes", "one\ntwo")
    write(page, "People", "7")
    write(page, "Price", "2.5")
    tab_to(page, page.get_by_label("Pace"))
    press(page, "ArrowRight", "ArrowRight")
    tab_to(page, page.get_by_label("With lunch"))
    press(page, "Space")
    tab_to(page, page.get_by_label("Region"))
    press(page, "ArrowDown")
    tab_to(page, page.get_by_label("castle"))
    press(page, "Space", "Tab", "Space")
    tab_to(page, page.get_by_label("train"))
    press(page, "ArrowDown", "ArrowDown")
    tab_to(page, page.get_by_label("Day", exact=True))
    page.keyboard.type("06152025")
    tab_to(page, page.get_by_label("Start", exact=True))
    page.keyboard.type("0245PM")
    tab_to(page, page.get_by_label("Reply by"))
    press(page, "ArrowUp")  # the month
    tab_to(page, page.get_by_label("Colour of the poster"))
    write(page, "Links", "https://example.org/a\nhttps://example.org/b")
    write(page, "Rooms", '{"hall": ')
    write(page, "Limit", "5")
    write(page, "Margins", "[3, 4]")
    press(page, "Enter")

    # The field in error has the focus; the rest is as it was typed
    rooms = page.get_by_label("Rooms")
    expect(rooms).to_be_focused()
    press(page, "Control+End")
    page.keyboard.type("30}")
    tab_to(page, page.locator("#step_01 form button[type=submit]"))
    press(page, "Space")
    card(page, "step_01", "done")
    said = page.locator("#step_01 [data-output=stream]")
    for line in (
        "'Over the hill'", "'one\\ntwo'", "int       7", "2.5", "int       5\nlunch     bool      True",
        "'West'", "['castle', 'harbour', 'mill', 'tower']", "'boat'", "datetime.date(2025, 6, 15)",
        "'14:45'", "'2024-06-20 18:00:00'", "'#2a7f62'", "['https://example.org/a', 'https://example.org/b']",
        "{'hall': 30}", "[3, 4]",
    ):  # fmt: skip
        expect(said).to_contain_text(line)

    # The next card's first control is ready
    expect(page.get_by_label("Guests")).to_be_focused()
    for label, name in (("Guests", "ours.csv"), ("Pictures", "ours.csv")):
        tab_to(page, page.get_by_label(label))
        with page.expect_file_chooser() as chooser:
            press(page, "Space")
        chooser.value.set_files(guests)
        expect(page.get_by_label(label)).to_have_value(f"C:\\fakepath\\{name}")
    tab_to(page, page.locator("#step_02 form button[type=submit]"))
    press(page, "Enter")
    card(page, "step_02", "done")
    expect(page.locator("#step_02 [data-output=stream]")).to_contain_text("['Mary']\nours.csv 20")
    expect(page.get_by_label("Booking token")).to_be_focused()

    # Back, to take the optional file away again
    for _ in range(MOST):
        press(page, "Shift+Tab")
        if page.evaluate("document.activeElement.ariaLabel") == "Change: Who comes":
            break
    press(page, "Enter")
    remove = page.get_by_label("Remove ours.csv")
    expect(page.get_by_label("Guests")).to_be_focused()
    tab_to(page, remove)
    press(page, "Space", "Tab")
    tab_to(page, page.locator("#step_02 form button[type=submit]"))
    press(page, "Enter")
    token = page.get_by_label("Booking token")
    expect(token).to_be_focused()
    expect(page.locator("#step_02 [data-output=stream]")).to_have_text("['Mary']\n")
    page.keyboard.type("a token")
    press(page, "Enter")
    expect(page.locator("#step_04 form button[type=submit]")).to_be_focused()
    press(page, "Enter")
    expect(page.get_by_role("button", name="Finalize")).to_be_focused()
    press(page, "Enter")
    expect(page.get_by_role("button", name="Unlock")).to_be_focused()
    assert "a token" not in page.content()
