"""`sales_report` in a real browser, against a real server process that is killed in the middle."""

import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from tests import ported
from tests.conftest import CHROMIUM, ROOT
from tests.host.helpers import free_port

pytestmark = [pytest.mark.kernel, pytest.mark.browser]

ARTEFACTS = ROOT / "artefacts"
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


class Server:
    """`pipulate serve` as a process."""

    def __init__(self, data: Path, plugins: Path | None = None) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.data = data
        self.plugins = plugins or ported.plugins()
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "transpiler", "serve", str(self.plugins)]
        command += ["--data", str(self.data), "--port", str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("Open "):
                break
        else:
            raise AssertionError("the server ended before it printed its address")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def answers(self) -> bool:
        try:
            return urllib.request.urlopen(self.address).status == 200
        except (urllib.error.URLError, ConnectionError):
            return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "data")
    yield running
    running.kill()


@pytest.fixture
def server_of_folder(folder: Path) -> Iterator[Server]:
    """A server of what a test module's own `folder` holds: its plugins, and its data."""
    running = Server(folder / "data", folder / "plugins")
    yield running
    running.kill()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A page that fails the test when it asks another machine for anything, or a script fails in it."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((server.address, "data:", "about:", "blob:"))
            else problems.append(request.url)
        ),
    )
    yield page
    context.close()
    assert problems == []


def card(page: Page, step: str, state: str) -> None:
    """Wait until a step's card is in a state."""
    expect(page.locator(f"#{step}")).to_have_attribute("data-state", state)


def keep(page: Page, name: str) -> None:
    """Keep a picture of the whole page: desktop and phone, light and dark."""
    ARTEFACTS.mkdir(exist_ok=True)
    size = page.viewport_size
    assert size is not None
    for width, scheme in ((1280, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, f"at {width} px the page is {overflow} px too wide"
        page.screenshot(path=ARTEFACTS / f"{name}-{width}-{scheme}.png", full_page=True)
    page.set_viewport_size(size)


def start(page: Page, server: Server) -> None:
    page.goto(f"{server.address}/sales_report")
    page.get_by_role("button", name="Start").click()
    card(page, "step_02", "input")


def test_from_landing_to_a_finalized_run_and_back(page: Page, server: Server) -> None:
    page.goto(server.address)
    keep(page, "home")
    page.get_by_role("link", name=re.compile("Sales report")).first.click()
    expect(page.get_by_role("button", name="Start")).to_be_visible()
    keep(page, "landing")
    page.get_by_role("button", name="Start").click()
    card(page, "step_02", "input")
    expect(page.locator("#step_01 [data-output=execute_result] table")).to_be_visible()
    keep(page, "question")

    page.get_by_label("Smallest amount").fill("800")
    page.get_by_role("button", name="Continue").click()
    card(page, "finalize", "input")
    expect(page.locator("#step_03 [data-mime='image/png']").first).to_be_visible()
    expect(page.locator("#step_04")).to_contain_text("leads with")
    keep(page, "done")

    page.get_by_role("button", name="Finalize").click()
    card(page, "step_02", "locked")
    card(page, "finalize", "locked")
    expect(page.locator(".button-revert")).to_have_count(0)
    keep(page, "locked")

    page.reload()
    card(page, "finalize", "locked")
    page.get_by_role("button", name="Unlock").click()
    card(page, "finalize", "input")
    page.locator("#step_02").get_by_role("button", name="Change: Choose an amount").click()
    card(page, "step_02", "input")
    expect(page.get_by_label("Smallest amount")).to_have_value("800")
    expect(page.locator("#step_03[data-state]")).to_have_count(0)


def test_the_server_is_killed_and_the_run_goes_on(page: Page, server: Server) -> None:
    start(page, server)
    page.get_by_label("Smallest amount").fill("1000")
    page.get_by_role("button", name="Continue").click()
    card(
        page, "finalize", "input"
    )  # a step the kill interrupts waits for its button: tests/test_faults.py
    shown = page.locator("#step_02 [data-output=stream]").inner_text()
    address = page.url
    server.kill()
    assert not server.answers()

    server.start()
    page.goto(address)
    card(page, "step_02", "done")
    expect(page.locator("#step_02 [data-output=stream]")).to_have_text(shown)
    card(page, "finalize", "input")
    expect(page.locator("#step_04")).to_contain_text("leads with")


@pytest.mark.slow
def test_the_keyboard_is_enough(page: Page, server: Server) -> None:
    page.goto(f"{server.address}/hello")
    page.locator("#pipeline_id").focus()
    page.keyboard.press("Enter")
    card(page, "step_01", "input")
    page.get_by_label("Enter Your Name").focus()
    page.keyboard.type("Ada <b>Lovelace</b>")
    page.keyboard.press("Enter")
    card(page, "finalize", "input")
    expect(page.locator("#step_02 [data-name=stdout]")).to_have_text("Hello Ada <b>Lovelace</b>")
    keep(page, "hello")


@pytest.mark.slow
def test_two_tabs_hold_two_runs(page: Page, server: Server) -> None:
    start(page, server)
    other = page.context.new_page()
    other.goto(f"{server.address}/sales_report")
    other.get_by_role("button", name="Start").click()
    card(other, "step_02", "input")
    for tab, limit in ((page, "300"), (other, "2000")):
        tab.get_by_label("Smallest amount").fill(limit)
        tab.get_by_role("button", name="Continue").click()
    for tab, limit in ((page, "300"), (other, "2000")):
        card(tab, "finalize", "input")
        expect(tab.locator("#step_02 dd")).to_have_text(limit)


@pytest.mark.slow
def test_cards_that_load_by_themselves_go_on_when_the_server_is_back(
    page: Page, server: Server
) -> None:
    start(page, server)
    lost: list[str] = []

    def lose(route: Route) -> None:
        lost.append(route.request.method)
        if len(lost) <= 2:
            route.abort()
        else:
            route.continue_()

    page.route(re.compile(r"/sales_report/step_03"), lose)
    page.get_by_label("Smallest amount").fill("800")
    page.get_by_role("button", name="Continue").click()
    card(page, "finalize", "input")
    assert lost[:3] == ["GET", "GET", "GET"]
    expect(page.locator("body[data-offline]")).to_have_count(0)

    lost.clear()
    page.unroute(re.compile(r"/sales_report/step_03"))
    page.route(re.compile(r"/sales_report/step_04_submit"), lose)
    with page.expect_response(re.compile(r"/sales_report/step_04_submit")):
        page.locator("#step_03 > article").get_by_role("button", name="Run again").click()
    card(page, "finalize", "input")
    assert lost == ["POST", "POST", "POST"]
