"""The chat as a person uses it, in headless Chromium, against a stand-in of Ollama."""

import pytest

from tests.conftest import slow_but
from tests.host.helpers import PLUGINS, serving
from tests.host.ollama import StandIn, Wait, call, text
from tests.host.test_browser import WIDTHS, Visitor, browser, playwright, pytestmark  # noqa: F401

ANSWER = [
    "**Nights** is how long ",
    "you stay.\n\n- zero is a day trip\n- 14 is the most",
    "\n\n`3` is usual.",
]


@pytest.fixture(scope="module")
def stand_in():
    with StandIn() as served:
        yield served


@pytest.fixture(scope="module")
def server(tmp_path_factory, stand_in):
    data = tmp_path_factory.mktemp("data")
    with serving(PLUGINS, data, ollama=stand_in.address) as served:
        yield served


def started(visitor):
    """A run whose second question waits."""
    page = visitor.page
    page.goto(f"{visitor.url}/trip_planner")
    page.get_by_label("Name of this run").fill(visitor.name)
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Nights").wait_for()


@pytest.mark.parametrize("width", slow_but(WIDTHS, "phone"))
@pytest.mark.parametrize("scheme", slow_but(["light", "dark"], "dark"))
def test_a_question_about_the_step(browser, server, stand_in, width, scheme):  # noqa: F811
    visitor = Visitor(browser, server, width, scheme)
    page, expect = visitor.page, playwright.expect
    started(visitor)
    page.get_by_label("Nights").fill("7")
    go_on = Wait()
    stand_in.scripts.append([*text(*ANSWER[:1], done=False), go_on, *text(*ANSWER[1:])])
    visitor.picture("chat-1-closed")
    page.locator("#chat > summary").click()
    field = page.get_by_label("Question")
    expect(field).to_be_focused()
    if visitor.name == "wide-light":
        page.get_by_role("button", name="Clear").click()
    field.fill("What are nights <b>?")
    page.keyboard.press("Enter")
    bubble = page.locator(".bubble[data-by=model]").last
    expect(bubble).to_have_text("Answer**Nights** is how long")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(field).to_have_value("")
    visitor.picture("chat-2-streaming", full_page=False)
    go_on.event.set()
    expect(bubble.locator("strong")).to_have_text("Nights")
    expect(bubble.locator("li")).to_have_count(2)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(page.locator(".bubble[data-by=person]").last).to_contain_text("What are nights <b>?")
    told = stand_in.asked[-1]["messages"][0]["content"]
    assert "Question: Nights = '7'" in told  # typed, and not sent to the workflow
    assert "Current step: How long and how" in told
    visitor.picture("chat-3-answered", full_page=False)
    visitor.no_sideways_scrolling()
    page.keyboard.press("Escape")
    expect(page.locator("#chat-panel")).to_be_hidden()
    expect(page.get_by_label("Nights")).to_have_value("7")
    assert visitor.complaints == []
    assert all(visitor.url in address for address in visitor.asked)


@pytest.mark.slow
def test_stop_and_what_comes_after_a_reload(browser, server, stand_in):  # noqa: F811
    visitor = Visitor(browser, server, "wide", "light")
    page, expect = visitor.page, playwright.expect
    page.goto(f"{visitor.url}/runs")
    stand_in.scripts.append([*text("It goes on ", "and on ", done=False), Wait()])
    page.locator("#chat > summary").click()
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Question").fill("Tell me all")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".bubble[data-by=model]")).to_contain_text("It goes on and on")
    # a reload in the midst of an answer shows what there is, and the way to stop it
    page.reload()
    page.locator("#chat > summary").click()
    expect(page.locator(".bubble[data-by=model]")).to_contain_text("It goes on and on")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".bubble[data-by=host]")).to_have_text("NoteStopped.")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    assert stand_in.left.wait(20)
    assert visitor.complaints == []


def test_tasks_by_the_model_are_seen_on_their_page(browser, server, stand_in):  # noqa: F811
    visitor = Visitor(browser, server, "wide", "light")
    page, expect = visitor.page, playwright.expect
    page.goto(f"{visitor.url}/tasks")
    page.locator("#chat > summary").click()
    page.get_by_role("button", name="Clear").click()
    stand_in.scripts.extend([call("add_task", {"text": "Book the rooms"}), text("It is noted.")])
    page.get_by_label("Question").fill("Remind me of the rooms")
    page.keyboard.press("Enter")
    expect(page.locator(".row-text")).to_have_text(["Book the rooms"])
    stand_in.scripts.extend([call("remove_task", {"id": 1}), text("Gone.")])
    page.get_by_label("Question").fill("I have done it")
    page.keyboard.press("Enter")
    expect(page.locator(".row-text")).to_have_count(0)
    expect(page.locator(".bubble[data-by=model]").last).to_contain_text("Gone.")
    visitor.picture("chat-4-tasks", full_page=False)
    page.locator(".bubble").get_by_role("button", name="Undo").click()
    expect(page.locator(".row-text")).to_have_text(["Book the rooms"])
    assert visitor.complaints == []


@pytest.mark.parametrize("width", slow_but(WIDTHS, "wide"))
@pytest.mark.slow
def test_without_ollama(browser, tmp_path, width):  # noqa: F811
    with StandIn() as gone:
        address = gone.address
    with serving(PLUGINS, tmp_path, ollama=address) as served:
        visitor = Visitor(browser, served, width, "light")
        page = visitor.page
        page.goto(served.url)
        page.locator("#chat > summary").click()
        playwright.expect(page.locator(".chat-missing")).to_contain_text("No Ollama server answers")
        visitor.picture("chat-5-missing", full_page=False)
        visitor.no_sideways_scrolling()
        assert visitor.complaints == []
