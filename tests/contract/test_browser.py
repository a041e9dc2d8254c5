"""What only a browser shows: the client's events, scripts of plugins, and what the policy stops."""

from pathlib import Path

import pytest

from tests.contract.conftest import PLUGINS
from tests.host.helpers import serving
from tests.host.test_browser import FLAGS

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser

SHOTS = Path(__file__).parents[2] / "artefacts" / "contract"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    with serving(PLUGINS, data) as served, playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        made = chromium.new_page(viewport={"width": 1000, "height": 900})
        made.complaints, made.asked = [], []
        made.on("console", lambda m: m.type == "error" and made.complaints.append(m.text))
        made.on("pageerror", lambda error: made.complaints.append(str(error)))
        made.on("request", lambda request: made.asked.append(request.url))
        made.root = served.url
        yield made
        chromium.close()


def start(page, key, name):
    page.complaints.clear()
    page.asked.clear()
    page.goto(f"{page.root}/{key}")
    page.get_by_label("Name of this run").fill(name)
    page.get_by_role("button", name="Start").click()


def test_the_events_of_plugins(page):
    expect = playwright.expect
    start(page, "widgets", "events")
    for name in ("Table", "Plot", "Markdown", "Code", "Diagram", "Script"):
        expect(page.get_by_label(name)).to_be_visible()
        page.get_by_role("button", name="Show").click()
    expect(page.locator("#step_03-widget h2")).to_have_text("Title")
    expect(page.locator("#step_03-widget strong")).to_have_text("bold")
    expect(page.locator("#step_04-widget .k").first).to_have_text("def")
    expect(page.get_by_role("img", name="Diagram: A to B")).to_be_visible()
    expect(page.locator("#step_05-widget pre")).to_contain_text("A --> B")
    frame = page.frame_locator("#step_06-widget iframe")
    expect(frame.locator("body")).to_contain_text("made by a script")
    # the script could not leave its frame, the Markdown not act
    assert page.title() == "events – Widgets"
    assert "taken over" not in page.title()
    expect(frame.locator("body")).to_contain_text("SecurityError")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / "widgets.png", full_page=True)
    # the same after the page is loaded anew
    page.reload()
    expect(page.locator("#step_03-widget h2")).to_have_text("Title")
    expect(page.frame_locator("#step_06-widget iframe").locator("body")).to_contain_text("made by")
    assert all(url.startswith((page.root, "data:", "about:")) for url in page.asked)


def test_a_plugins_own_script_runs_and_the_run_is_known_to_it(page):
    expect = playwright.expect
    start(page, "long_job", "scripted")
    page.get_by_role("button", name="Count").click()
    expect(page.locator("#step_01")).to_contain_text("to 3")
    page.get_by_role("button", name="Count").click()
    expect(page.locator("#step_02")).to_contain_text("to 7")
    # meanwhile another window opens another run: the stream knows whose page it is from
    other = page.context.browser.new_page()
    other.goto(f"{page.root}/long_job")
    other.get_by_label("Name of this run").fill("another")
    other.get_by_role("button", name="Start").click()
    expect(other.get_by_role("button", name="Count")).to_be_visible()
    page.get_by_role("button", name="Count").click()
    expect(page.locator("#step_03")).to_contain_text("to 3")
    other.close()
    expect(page.get_by_role("button", name="Finalize")).to_be_visible()
    assert page.complaints == []


def test_a_script_in_an_answer_does_not_run(page):
    start(page, "greeting", "hostile")
    page.get_by_label("Your name").fill("<img src=x onerror=document.title='taken'>")
    page.get_by_role("button", name="Go on").click()
    playwright.expect(page.locator("#step_01")).to_contain_text("<img src=x")
    page.get_by_role("button", name="Go on").click()
    playwright.expect(page.get_by_role("button", name="Finalize")).to_be_visible()
    assert "taken" not in page.title()
    # even as markup that came in unescaped: no nonce, no script
    with page.expect_console_message(lambda said: "Content Security Policy" in said.text):
        page.evaluate(
            "html => { const box = document.createElement('div'); document.body.append(box);"
            "htmx.swap(box, html, {swapStyle: 'innerHTML'}); }",
            "<p>in</p><script>document.title = 'taken'</script>",
        )
    assert "taken" not in page.title()
