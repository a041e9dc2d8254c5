"""The first page in headless Chromium: an empty folder, a notebook dropped on it, the workflow opened; the log; a plugin saved."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.host.helpers import LOCAL, Served, _wait, free_port

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="Chromium is not installed"),
]

SHOTS = ROOT / "artefacts" / "home"
FLAGS = "--no-sandbox --disable-gpu --disable-background-networking --no-first-run --disable-quic".split()
LOOKS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "plugins"
    made.mkdir()
    return made


@pytest.fixture
def url(tmp_path, folder):
    port = free_port()
    command = [sys.executable, "-m", "transpiler", "serve", "plugins", "--reload"]
    command += ["--data", str(tmp_path / "data"), "--port", str(port)]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(Served(f"{LOCAL}:{port}", process))
        yield f"{LOCAL}:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture
def page():
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        opened = chromium.new_page(viewport={"width": 1280, "height": 900})
        opened.asked, opened.complaints = [], []
        opened.on("request", lambda request: opened.asked.append(request.url))
        opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.on(
            "console",
            lambda entry: entry.type == "error" and opened.complaints.append(entry.text),
        )
        yield opened
        chromium.close()


def pictures(page, name):
    """In all four looks; nowhere does the page scroll sideways."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(100)
        page.screenshot(path=SHOTS / f"{name}-{width}-{scheme}.png", full_page=True)
        over = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert over <= 0, f"{name} is {over}px wider than the window of {width}px"
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")


@pytest.mark.slow
def test_from_an_empty_folder_to_a_run(page, url, folder, tmp_path):
    expect = playwright.expect
    page.goto(url)
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    pictures(page, "1-empty")

    # what is dropped anywhere in the frame lands on the control
    hit = page.evaluate(
        "const r = document.querySelector('.drop').getBoundingClientRect();"
        "[[.05, .1], [.5, .5], [.95, .9]].map(([x, y]) =>"
        " document.elementFromPoint(r.left + x * r.width, r.top + y * r.height).id)"
    )
    assert hit == ["notebook"] * 3

    bad = tmp_path / "bad.ipynb"
    bad.write_text("this is no notebook")
    page.locator("#notebook").set_input_files(bad)
    expect(page.get_by_text("bad.ipynb cannot be ported")).to_be_visible()
    pictures(page, "2-refused")

    page.locator("#notebook").set_input_files(
        [ROOT / "fixtures" / "sales_report.ipynb", ROOT / "fixtures" / "sales.csv"]
    )
    expect(page.get_by_text("becomes a workflow of 4 steps")).to_be_visible()
    expect(page.get_by_role("cell", name="Choose an amount")).to_be_visible()
    pictures(page, "3-plan")
    page.get_by_role("button", name="Install the workflow").click()
    expect(page.get_by_text("“Sales report” is installed")).to_be_visible()
    expect(page.locator("#workflows").get_by_role("link", name="Sales report")).to_be_visible()
    pictures(page, "4-installed")

    own = tmp_path / "hello.ipynb"
    shutil.copy(ROOT / "fixtures" / "hello.ipynb", own)
    page.locator("#notebook").set_input_files(own)
    page.get_by_role("button", name="Install the workflow").click()
    expect(page.get_by_text("“Hello” is installed")).to_be_visible()
    own.write_text(own.read_text().replace("Hello ", "Good day "))
    page.locator("#notebook").set_input_files(own)  # the same file, changed
    expect(page.get_by_text("keeps edits made by hand")).to_be_visible()
    pictures(page, "4-merge")
    page.get_by_role("button", name="Update the workflow").click()
    expect(page.get_by_text("“Hello” is installed")).to_be_visible()
    page.get_by_role("button", name="Open it").click()
    page.get_by_label("Name of this run").fill("the first")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#step_01[data-state=input]")).to_be_visible()

    page.goto(url)
    recent = page.get_by_role("region", name="Recent runs")
    expect(recent.get_by_text("Next: Enter Your Name")).to_be_visible()
    pictures(page, "5-full")
    recent.get_by_role("link", name="the first").click()
    expect(page.locator("#step_01[data-state=input]")).to_be_visible()

    # a file that is saved with a mistake: the page says so, and goes on
    plugin = folder / "hello.py"
    good = plugin.read_text()
    plugin.write_text(good.replace("class Hello:", "class Hello"))
    stale = page.get_by_text("The last change cannot be used")
    for _ in range(60):
        page.wait_for_timeout(1000)
        page.reload()
        if stale.is_visible():
            break
    expect(stale).to_be_visible()
    expect(page.locator("#step_01[data-state=input]")).to_be_visible()
    pictures(page, "6-mistake")
    plugin.write_text(good.replace("Enter Your Name", "What is your name?"))
    for _ in range(60):
        page.wait_for_timeout(1000)
        page.reload()
        if not stale.is_visible():
            break
    expect(page.get_by_role("heading", name="What is your name?")).to_be_visible()
    expect(stale).to_have_count(0)

    page.goto(url)
    page.get_by_role("link", name="The server's log").click()
    expect(page.get_by_text("was ported to hello.py").first).to_be_visible()
    page.get_by_label("Show").select_option("ERROR")
    expect(page.get_by_text("was ported to hello.py")).to_have_count(0)
    expect(page.get_by_text("cannot be loaded: SyntaxError")).to_be_visible()
    page.get_by_label("Show").select_option("")
    expect(page.get_by_text("was ported to hello.py").first).to_be_visible()
    pictures(page, "7-log")
    page.set_viewport_size({"width": 390, "height": 900})
    overlaps = page.evaluate(
        "[...document.querySelectorAll('.log li')].some((li) => li.querySelector('time').getBoundingClientRect().bottom"
        " > li.querySelector('.entry').getBoundingClientRect().top + 1)"
    )
    assert not overlaps
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_label("Search").fill("dropped refused")
    expect(page.locator("#log-entries li")).to_have_count(1)

    assert [address for address in page.asked if not address.startswith((url, "data:"))] == []
    assert page.complaints == []
