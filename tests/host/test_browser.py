"""A person's way through a run in headless Chromium, with screenshots in artefacts/."""

from pathlib import Path

import httpx
import pytest

from tests.conftest import slow_but
from tests.host.helpers import PLUGINS, serving

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="Chromium is not installed"),
]

SHOTS = Path(__file__).parents[2] / "artefacts" / "host"
FLAGS = "--no-sandbox --disable-gpu --disable-background-networking --no-first-run --disable-quic".split()
WIDTHS = {"wide": 1280, "phone": 390}


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(PLUGINS, tmp_path_factory.mktemp("data")) as served:
        yield served


class Visitor:
    """One browser window that notes what it asks for, what it complains of, and takes pictures."""

    def __init__(self, browser, server, width, scheme):
        self.url = server.url
        context = browser.new_context(
            viewport={"width": WIDTHS[width], "height": 900}, color_scheme=scheme
        )
        self.page = context.new_page()
        self.name = f"{width}-{scheme}"
        self.asked, self.complaints = [], []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on(
            "console", lambda entry: entry.type == "error" and self.complaints.append(entry.text)
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: dialog.accept())

    def picture(self, name, full_page=True):
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_timeout(150)
        self.page.screenshot(path=SHOTS / f"{name}-{self.name}.png", full_page=full_page)

    def no_sideways_scrolling(self):
        over = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert over <= 0, f"the page is {over}px wider than the window"

    def state(self, step):
        return self.page.locator(f"#{step}").first.get_attribute("data-state")


@pytest.mark.parametrize("width", slow_but(WIDTHS, "wide"))
@pytest.mark.parametrize("scheme", slow_but(["light", "dark"], "light"))
def test_a_run_from_start_to_finish_and_back(browser, server, width, scheme):
    visitor = Visitor(browser, server, width, scheme)
    page = visitor.page
    expect = playwright.expect
    name = f"Summer {visitor.name}"

    page.goto(visitor.url)
    visitor.picture("1-home")
    page.get_by_role("link", name="Trip planner").click()
    page.get_by_label("Name of this run").fill(name)
    visitor.picture("2-landing")
    page.get_by_role("button", name="Start").click()

    # the first question; the page's address is now the run's, and the start form is gone
    people = page.get_by_label("Number of people")
    expect(people).to_be_focused()
    assert "run=Default_Profile-trip-Summer" in page.url
    expect(page.get_by_role("button", name="Start")).to_have_count(0)
    expect(page.get_by_role("heading", level=1, name="Trip planner")).to_be_visible()
    visitor.picture("3-question")
    visitor.no_sideways_scrolling()

    # by keyboard alone
    people.fill("0")
    page.get_by_label("Notes").fill("Zero is an answer too <b>really</b>")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    nights = page.get_by_label("Nights")
    expect(nights).to_be_focused()
    expect(page.locator("#run-progress")).to_contain_text("1 of 3 steps done")
    page.keyboard.press("ArrowRight")
    expect(page.locator("output")).to_have_text("4")
    visitor.picture("4-fields")
    visitor.no_sideways_scrolling()
    page.get_by_role("button", name="Continue").click()

    # the last step runs by itself
    expect(page.locator("#finalize[data-state=input]")).to_be_visible()
    assert visitor.state("step_03") == "done"
    expect(page.locator("[data-output=stream]")).to_have_text("0 people, 4 nights")
    visitor.picture("5-done")
    visitor.no_sideways_scrolling()

    # a reload shows the same
    page.reload()
    expect(page.locator("#finalize[data-state=input]")).to_be_visible()
    expect(page.locator("#step_01")).to_contain_text("<b>really</b>")

    # back to the first question and forward again
    page.locator("#step_01").get_by_role("button", name="Change", exact=True).first.click()
    expect(page.get_by_label("Number of people")).to_have_value("0")
    expect(page.locator("#step_02")).to_have_count(0)
    page.get_by_label("Number of people").fill("3")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Nights").wait_for()
    page.get_by_role("button", name="Continue").click()

    # finished: nothing to change; unlocked: all open again
    page.get_by_role("button", name="Finish").click()
    expect(page.locator("#finalize[data-state=locked]")).to_be_visible()
    expect(page.get_by_role("button", name="Change", exact=True)).to_have_count(0)
    expect(page.locator("#run-progress")).to_contain_text("Finished")
    visitor.picture("6-finished")
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_role("button", name="Change", exact=True)).to_have_count(3)

    # the run is in the list; deleting can be undone
    page.get_by_role("link", name="All runs").click()
    item = page.locator(".run-item", has_text=name)
    expect(item).to_contain_text("Ready to finish")
    visitor.picture("7-runs")
    visitor.no_sideways_scrolling()
    item.get_by_role("button", name="Delete").click()
    expect(item).to_have_count(0)
    visitor.picture("8-deleted")
    page.get_by_role("button", name="Undo").click()
    expect(item).to_have_count(1)

    assert visitor.complaints == []
    assert {url for url in visitor.asked if not url.startswith(visitor.url + "/")} == set()


@pytest.mark.slow
def test_two_windows_hold_two_runs(browser, server):
    first, second = (Visitor(browser, server, "wide", "light") for _ in range(2))
    for visitor, name in ((first, "tab one"), (second, "tab two")):
        visitor.page.goto(f"{visitor.url}/trip_planner")
        visitor.page.get_by_label("Name of this run").fill(name)
        visitor.page.get_by_role("button", name="Start").click()
        visitor.page.get_by_label("Number of people").wait_for()
    for visitor, people in ((first, "11"), (second, "22")):
        visitor.page.get_by_label("Number of people").fill(people)
        visitor.page.get_by_role("button", name="Continue").click()
        visitor.page.get_by_label("Nights").wait_for()
    for visitor, people in ((first, "11"), (second, "22")):
        visitor.page.reload()
        playwright.expect(visitor.page.locator("#step_01 dd").first).to_have_text(people)


def test_the_browsers_back_and_forward_work(browser, server):
    visitor = Visitor(browser, server, "wide", "light")
    page = visitor.page
    page.goto(f"{visitor.url}/trip_planner")
    page.get_by_label("Name of this run").fill("back and forth")
    page.get_by_role("button", name="Start").click()
    page.get_by_label("Number of people").wait_for()
    page.go_back()
    playwright.expect(page.get_by_role("button", name="Start")).to_be_visible()
    playwright.expect(page.locator(".run-item", has_text="back and forth")).to_have_count(1)
    page.go_forward()
    playwright.expect(page.get_by_label("Number of people")).to_be_visible()
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert visitor.complaints == []


@pytest.mark.slow
def test_older_runs_are_unfolded(browser, tmp_path):
    with serving(PLUGINS, tmp_path) as served:
        for number in range(17):
            post = {"pipeline_id": f"run {number}"}
            httpx.post(f"{served.url}/trip/init", data=post, headers={"HX-Request": "true"})
        visitor = Visitor(browser, served, "phone", "light")
        visitor.page.goto(f"{served.url}/trip_planner")
        playwright.expect(visitor.page.locator(".run-item")).to_have_count(10)
        visitor.page.get_by_text("7 older runs").click()
        playwright.expect(visitor.page.locator(".run-item")).to_have_count(17)
        visitor.no_sideways_scrolling()


@pytest.mark.slow
def test_the_colours_are_kept_on_the_server(browser, server):
    visitor = Visitor(browser, server, "wide", "light")
    visitor.page.goto(visitor.url)
    visitor.page.get_by_role("button", name="Colours").click()
    visitor.page.get_by_role("button", name="Colours: Light").click()
    playwright.expect(visitor.page.locator("html")).to_have_attribute("data-theme", "dark")
    other = Visitor(browser, server, "wide", "light")
    other.page.goto(visitor.url)
    playwright.expect(other.page.locator("html")).to_have_attribute("data-theme", "dark")
    other.page.get_by_role("button", name="Colours: Dark").click()
    playwright.expect(other.page.locator("html")).to_have_attribute("data-theme", "auto")


def test_a_server_that_went_away_is_said_and_nothing_is_lost(browser, tmp_path):
    with serving(PLUGINS, tmp_path) as served:
        visitor = Visitor(browser, served, "wide", "light")
        visitor.page.goto(f"{served.url}/trip_planner")
        visitor.page.get_by_role("button", name="Start").click()
        visitor.page.get_by_label("Notes").fill("typed before the server went away")
        served.process.kill()
        served.process.wait()
        visitor.page.get_by_role("button", name="Continue").click()
        playwright.expect(visitor.page.locator("body[data-offline]")).to_have_count(1)
        playwright.expect(visitor.page.get_by_label("Notes")).to_have_value(
            "typed before the server went away"
        )
        playwright.expect(visitor.page.get_by_role("button", name="Continue")).to_be_enabled()


@pytest.mark.kernel
@pytest.mark.slow
def test_a_card_that_looks_by_itself_looks_again_when_the_server_is_back(browser, tmp_path):
    with serving(PLUGINS.parent / "cell_plugins", tmp_path) as served:
        page = Visitor(browser, served, "wide", "light").page
        page.goto(f"{served.url}/sales")
        away = 2
        page.route("**/sales/step_01?*", lambda route: route.abort(), times=away)
        page.get_by_role("button", name="Start").click()
        playwright.expect(page.locator("body[data-offline]")).to_have_count(1)
        playwright.expect(page.locator("#step_01[data-state]")).to_be_visible()
        playwright.expect(page.locator("body[data-offline]")).to_have_count(0)


@pytest.mark.kernel
@pytest.mark.parametrize("width", slow_but(WIDTHS, "wide"))
def test_outputs_of_cells(browser, tmp_path, width):
    with serving(PLUGINS.parent / "cell_plugins", tmp_path) as served:
        visitor = Visitor(browser, served, width, "light" if width == "wide" else "dark")
        page = visitor.page
        page.goto(f"{served.url}/sales")
        page.get_by_role("button", name="Start").click()
        page.get_by_label("Limit").fill("0")
        page.get_by_role("button", name="Continue").click()
        page.locator("#step_02[data-state=error]").wait_for()
        visitor.picture("9-error")
        page.get_by_label("Limit").fill("100")
        page.get_by_role("button", name="Continue").click()
        page.locator("#finalize").wait_for()
        assert visitor.state("finalize") == "input"
        frame = page.frame_locator("#step_03 iframe")
        playwright.expect(frame.locator("#t")).to_have_text("a script ran")
        visitor.picture("10-outputs")
        visitor.no_sideways_scrolling()
        assert page.locator("#step_03 iframe").bounding_box()["height"] < 140
        page.get_by_role("button", name="Finish").click()
        page.locator("#finalize[data-state=locked]").wait_for()
        page.get_by_role("link", name="All runs").click()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download notebook").click()
        assert download.value.suggested_filename.endswith(".ipynb")
        assert visitor.complaints == []
        assert {url for url in visitor.asked if not url.startswith(visitor.url + "/")} == set()
