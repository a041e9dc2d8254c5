"""The lists and the menu as a person uses them, in headless Chromium."""

import pytest

from tests.conftest import slow_but
from tests.host.helpers import PLUGINS, serving
from tests.host.test_browser import WIDTHS, Visitor, browser, playwright, pytestmark  # noqa: F401

SCHEMES = ["light", "dark"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(PLUGINS, tmp_path_factory.mktemp("data")) as served:
        yield served


def settled(page):
    """Waits until htmx is through with an answer: it sets the focus at its end."""
    playwright.expect(page.locator(".htmx-settling, .htmx-added, .htmx-swapping")).to_have_count(0)


def add(page, *names):
    for name in names:
        field = page.get_by_label("New task")
        field.fill(name)
        field.press("Enter")
        playwright.expect(page.locator(".row-text").last).to_have_text(name)
        settled(page)


def test_tasks_by_keyboard(browser, server):  # noqa: F811
    visitor = Visitor(browser, server, "wide", "light")
    page, expect = visitor.page, playwright.expect
    page.goto(f"{visitor.url}/tasks")
    add(page, "one", "two <b>&", "three")
    expect(page.get_by_label("New task")).to_be_focused()

    # done, and not done again; the focus stays on the box
    box = page.get_by_role("checkbox", name="Done: one")
    box.focus()
    page.keyboard.press("Space")
    expect(box).to_have_attribute("aria-checked", "true")
    expect(box).to_be_focused()
    page.keyboard.press("Space")
    expect(box).to_have_attribute("aria-checked", "false")

    # sorted with arrow keys, and with the buttons
    page.get_by_role("button", name="Move three: arrow keys").focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator(".row-text")).to_have_text(["one", "three", "two <b>&"])
    expect(page.get_by_role("button", name="Move three: arrow keys")).to_be_focused()
    page.get_by_role("button", name="Move up: three").press("Enter")
    expect(page.locator(".row-text")).to_have_text(["three", "one", "two <b>&"])
    expect(page.get_by_role("button", name="Move up: three")).to_be_focused()
    expect(page.get_by_role("status").first).to_have_text("“three” is now 1 of 3.")

    # edited in place; Escape leaves it as it was
    page.get_by_role("button", name="Edit one").press("Enter")
    field = page.get_by_label("Task", exact=True)
    expect(field).to_be_focused()
    field.fill("nothing")
    page.keyboard.press("Escape")
    expect(page.locator(".row-text")).to_have_text(["three", "one", "two <b>&"])
    page.get_by_role("button", name="Edit one").press("Enter")
    field.fill("uno")
    field.press("Enter")
    expect(page.locator(".row-text")).to_have_text(["three", "uno", "two <b>&"])

    # deleted, seen after a reload, and brought back where it was
    page.get_by_role("button", name="Delete uno").press("Enter")
    expect(page.locator(".row-text")).to_have_text(["three", "two <b>&"])
    page.reload()
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.locator(".row-text")).to_have_text(["three", "uno", "two <b>&"])

    # dragged
    handle = page.get_by_role("button", name="Move two").bounding_box()
    first = page.locator(".row").first.bounding_box()
    page.mouse.move(handle["x"] + 5, handle["y"] + 5)
    page.mouse.down()
    page.mouse.move(first["x"] + 5, first["y"] + 3, steps=4)
    page.mouse.up()
    expect(page.get_by_role("status").first).to_have_text("The order was changed.")
    expect(page.locator(".row-text")).to_have_text(["two <b>&", "three", "uno"])
    page.reload()
    expect(page.locator(".row-text")).to_have_text(["two <b>&", "three", "uno"])
    assert visitor.complaints == []
    assert all(address.startswith(visitor.url) for address in visitor.asked)


@pytest.mark.parametrize("width", slow_but(WIDTHS, "phone"))
@pytest.mark.parametrize("scheme", slow_but(SCHEMES, "light"))
@pytest.mark.slow
def test_pictures(browser, server, width, scheme):  # noqa: F811
    visitor = Visitor(browser, server, width, scheme)
    page = visitor.page
    page.goto(f"{visitor.url}/tasks")
    add(page, f"Send the figures of {visitor.name} to everybody who came along last summer", "Book")
    page.get_by_role("checkbox").nth(-2).click()
    playwright.expect(page.get_by_role("checkbox").nth(-2)).to_have_attribute(
        "aria-checked", "true"
    )
    before = page.locator(".row").count()
    page.get_by_role("button", name="Delete Book").last.click()
    playwright.expect(page.locator(".row")).to_have_count(before - 1)
    settled(page)
    page.get_by_role("button", name="Edit").first.click()
    page.get_by_role("button", name="Save").wait_for()
    visitor.picture("lists-1-tasks")
    visitor.no_sideways_scrolling()
    page.goto(f"{visitor.url}/profiles")
    page.locator("#profile-menu summary").click()
    visitor.picture("lists-2-profiles")
    page.keyboard.press("Escape")
    page.goto(f"{visitor.url}/roles")
    page.keyboard.press("Control+k")
    page.keyboard.type("trip")  # at once: no letter goes astray
    playwright.expect(page.get_by_label("Workflow", exact=True)).to_have_value("trip")
    playwright.expect(page.locator("#found")).to_contain_text("Trip planner")
    visitor.picture("lists-3-roles")
    visitor.no_sideways_scrolling()
    assert visitor.complaints == []


@pytest.mark.slow
def test_a_profile_chosen_in_the_menu_has_its_own_runs_and_tasks(browser, server):  # noqa: F811
    visitor = Visitor(browser, server, "phone", "light")
    page, expect = visitor.page, playwright.expect
    page.goto(f"{visitor.url}/profiles")
    page.get_by_label("New profile").fill("Acme-Co")
    page.keyboard.press("Enter")
    expect(page.locator(".row-text").last).to_have_text("Acme-Co")
    page.locator("#profile-menu summary").click()
    page.get_by_role("button", name="Acme-Co", exact=True).click()
    expect(page.locator("#profile-menu summary")).to_contain_text("Acme-Co")
    page.get_by_role("link", name="Tasks").click()
    expect(page.locator(".row")).to_have_count(0)
    page.goto(f"{visitor.url}/trip_planner")
    page.get_by_label("Name of this run").fill("x-1")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_label("Number of people")).to_be_visible()
    assert "run=Acme-Co-trip-x-1" in page.url
