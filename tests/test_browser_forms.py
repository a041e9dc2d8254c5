"""The page with a field of every type, in a real browser: by keyboard, with errors, back again, at two widths."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.test_browser import ARTEFACTS, Server, browser, card, page, server

__all__ = ["browser", "page", "server"]  # fixtures

pytestmark = [pytest.mark.kernel, pytest.mark.browser]


def keep(page: Page, name: str) -> None:
    """Keep pictures at both widths, light and dark; nothing may be wider than the window."""
    ARTEFACTS.mkdir(exist_ok=True)
    size = page.viewport_size
    assert size is not None
    for width in (1280, 360):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert overflow <= 0, f"at {width} px the page is {overflow} px too wide"
            page.screenshot(path=ARTEFACTS / f"{name}-{width}-{scheme}.png", full_page=True)
    page.set_viewport_size(size)


def start(page: Page, server: Server) -> None:
    page.goto(f"{server.address}/all_types")
    page.get_by_role("button", name="Start").click()
    card(page, "step_01", "input")


def columns(page: Page) -> int:
    return int(
        page.evaluate(
            "new Set([...document.querySelectorAll('#step_01 .field:not(.wide)')]"
            ".map(field => Math.round(field.getBoundingClientRect().left))).size"
        )
    )


@pytest.mark.slow
def test_every_control_has_a_name_and_its_help(page: Page, server: Server) -> None:
    start(page, server)
    nameless = page.evaluate(
        "[...document.querySelectorAll('#step_01 :is(input, select, textarea)')]"
        ".filter(control => !control.labels.length).map(control => control.name)"
    )
    assert nameless == []
    expect(page.get_by_label("Title")).to_have_accessible_description("It stands on the poster")
    expect(page.get_by_role("radiogroup", name="Travel by")).to_be_visible()
    expect(page.get_by_role("group", name="Sights")).to_be_visible()
    expect(page.get_by_role("switch", name="With lunch")).not_to_be_checked()
    assert columns(page) >= 2
    page.set_viewport_size({"width": 360, "height": 800})
    assert columns(page) == 1
    page.set_viewport_size({"width": 1280, "height": 900})
    keep(page, "forms-question")


def test_a_form_is_filled_by_keyboard_corrected_and_opened_again(
    page: Page, server: Server
) -> None:
    start(page, server)
    title = page.get_by_label("Title")
    title.focus()
    type_ = page.keyboard.type
    page.keyboard.press("Control+A")
    type_("<b>Mill</b> 🙂")
    for _ in range(2):  # over notes to people
        page.keyboard.press("Tab")
    expect(page.get_by_label("People")).to_be_focused()
    type_("7")
    page.keyboard.press("Tab")  # price
    page.keyboard.press("Tab")  # pace
    page.keyboard.press("ArrowRight")
    expect(page.locator("#step_01 output")).to_have_text("4")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # with lunch
    page.keyboard.press("Tab")
    type_("W")  # region
    for _ in range(1):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")  # the first of the sights
    page.get_by_label("train").focus()
    page.keyboard.press("ArrowDown")
    page.get_by_label("Rooms").fill('{"hall": 20')
    page.get_by_label("Margins").fill("margin()")
    page.get_by_label("Margins").press("Enter")

    rooms = page.get_by_label("Rooms")
    expect(rooms).to_have_attribute("aria-invalid", "true")
    expect(rooms).to_be_focused()
    expect(rooms).to_have_accessible_description(
        'Rooms: please write a JSON object, for example {"name": "value"}.'
    )
    expect(page.locator("#step_01-margins-error")).to_contain_text("Margins")
    expect(page.get_by_label("Title")).to_have_value("<b>Mill</b> 🙂")
    expect(page.get_by_label("People")).to_have_value("7")
    expect(page.get_by_label("With lunch")).to_be_checked()
    expect(page.get_by_label("bus")).to_be_checked()
    expect(rooms).to_have_value('{"hall": 20')
    keep(page, "forms-errors")

    rooms.press("End")
    rooms.press_sequentially("}")
    page.get_by_label("Margins").fill("[1, 2]")
    page.get_by_label("Margins").press("Enter")
    card(page, "step_01", "done")
    said = page.locator("#step_01 [data-output=stream]")
    for line in (
        "'<b>Mill</b> 🙂'",
        "int       7",
        "'West'",
        "True",
        "'bus'",
        "[1, 2]",
        "datetime.date(2024, 5, 31)",
        "'2024-05-20 18:00:00'",
        "'Bring:\\nwater & <bread>'",
        "['castle', 'mill', 'tower']",
    ):
        expect(said).to_contain_text(line)

    card(page, "step_02", "input")
    page.get_by_role("button", name="Change: Plan an excursion").press("Enter")
    card(page, "step_01", "input")
    expect(page.get_by_label("Title")).to_have_value("<b>Mill</b> 🙂")
    expect(page.get_by_label("Notes")).to_have_value("Bring:\nwater & <bread>")
    expect(page.get_by_label("Region")).to_have_value("West")
    expect(page.get_by_label("Reply by")).to_have_value("2024-05-20T18:00")
    expect(page.get_by_label("castle")).to_be_checked()
    expect(page.locator("#step_02[data-state]")).to_have_count(0)


@pytest.mark.slow
def test_files_and_a_secret(page: Page, server: Server, tmp_path: Path) -> None:
    guests = tmp_path / "our guests.csv"
    guests.write_text("name,town\nMary,Rome\n")
    wrong = tmp_path / "guests.txt"
    wrong.write_text("name\n")
    start(page, server)
    page.get_by_label("Title").press("Enter")
    card(page, "step_02", "input")
    expect(page.locator("#step_02 .chosen")).to_contain_text("guests.csv")
    page.get_by_label("Guests", exact=True).set_input_files(wrong)
    page.get_by_label("Pictures").set_input_files([guests])
    page.locator("#step_02").get_by_role("button", name="Continue").press("Enter")
    expect(page.get_by_label("Guests", exact=True)).to_be_focused()
    expect(page.locator("#step_02-guests-error")).to_contain_text("a file (.csv) of at most 1 MB")
    expect(page.locator("#step_02 .chosen").last).to_contain_text("our guests.csv")
    page.get_by_label("Guests", exact=True).set_input_files(guests)
    keep(page, "forms-files")
    page.locator("#step_02").get_by_role("button", name="Continue").press("Enter")
    card(page, "step_02", "done")
    expect(page.locator("#step_02 dl")).to_contain_text("our guests.csv 20 bytes")
    expect(page.locator("#step_02 [data-output=stream]")).to_contain_text("['Mary']")

    page.get_by_label("Booking token").fill("zq-4711")
    page.get_by_label("Booking token").press("Enter")
    card(page, "step_03", "done")
    card(page, "step_04", "input")
    server.kill()
    server.start()
    page.reload()
    card(page, "step_04", "input")
    page.locator("#step_04").get_by_role("button", name="Run").press("Enter")
    card(page, "step_04", "question")
    token = page.locator("#step_04").get_by_label("Booking token")
    expect(token).to_be_focused()
    expect(token).to_have_value("")
    keep(page, "forms-secret")
    token.fill("zq-4711")
    token.press("Enter")
    card(page, "step_04", "done")
    expect(page.locator("#step_04")).to_contain_text("booked: True")
    assert "zq-4711" not in page.content()
