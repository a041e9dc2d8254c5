"""The files that cells write and the picture of the steps, in a real browser, against a real server that is started anew."""

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.conftest import CHROMIUM
from tests.host.helpers import serving
from tests.test_browser import FLAGS, card, keep
from transpiler.model.options import Options
from transpiler.pipeline import port

pytestmark = [pytest.mark.kernel, pytest.mark.browser]

CELLS = [
    "from pathlib import Path\n\nrows = [3, 1, 2]",
    '#| input: {name: name, label: Name of the report}\nname = "Umsätze"\n'
    'Path("out").mkdir()\nPath(f"out/{name}.csv").write_text("\\n".join(map(str, sorted(rows))))\n'
    'Path("log.txt").write_text("sorted")',
    'print(Path(f"out/{name}.csv").stat().st_size)',
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the plugin of a notebook that writes files."""
    cells = [
        {"cell_type": "code", "metadata": {}, "id": f"c{n}", "source": source, "outputs": [], "execution_count": None}
        for n, source in enumerate(CELLS)
    ]  # fmt: skip
    notebook = tmp_path / "report.ipynb"
    tree = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    notebook.write_text(json.dumps(tree), encoding="utf-8")
    ported = port(notebook, tmp_path / "plugins", Options())
    assert ported.changed
    return tmp_path / "plugins"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


def test_what_cells_wrote_is_downloaded_also_from_a_locked_run_after_a_restart(
    browser: Browser, folder: Path, tmp_path: Path
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    with serving(folder, tmp_path / "data") as served:
        page.goto(f"{served.url}/report")
        page.get_by_role("button", name="Start").click()
        card(page, "step_02", "input")
        page.get_by_role("button", name="Continue").click()
        card(page, "finalize", "input")
        expect(page.locator("#step_02 > article .files li")).to_have_count(3)
        expect(page.locator("#step_03 > article .files")).to_have_count(0)
        keep(page, "files")
        assert download(page, "out/Umsätze.csv") == ("Umsätze.csv", b"1\n2\n3")
        page.get_by_role("button", name="Finalize").click()
        card(page, "finalize", "locked")
        address = page.url.removeprefix(served.url)
    with serving(folder, tmp_path / "data") as served:
        page.goto(served.url + address)
        card(page, "step_02", "locked")
        assert download(page, "log.txt") == ("log.txt", b"sorted")
        name, content = download(page, "All files of this run so far")
        assert re.fullmatch(r"\w*report\w*\.zip", name)
        (tmp_path / "all.zip").write_bytes(content)
        with zipfile.ZipFile(tmp_path / "all.zip") as archive:
            assert archive.namelist() == ["log.txt", "out/Umsätze.csv"]
    context.close()


def download(page: Page, link: str) -> tuple[str, bytes]:
    """Click a link; return the name and the content of what the browser saved."""
    with page.expect_download() as caught:
        page.locator("#step_02").get_by_role("link", name=link).click()
    return caught.value.suggested_filename, Path(caught.value.path()).read_bytes()


@pytest.mark.slow
def test_the_picture_of_the_steps_follows_the_run(
    browser: Browser, folder: Path, tmp_path: Path
) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 800})
    page = context.new_page()
    with serving(folder, tmp_path / "data") as served:
        page.goto(f"{served.url}/report")
        fold = page.get_by_text("How the steps feed each other").first
        fold.click()
        expect(page.locator(".flow [data-step]")).to_have_count(3)
        page.get_by_role("button", name="Start").click()
        card(page, "step_02", "input")
        page.locator(".flow-fold summary").click()
        waiting = colour(page, "step_03")
        done, now = colour(page, "step_01"), colour(page, "step_02")
        assert done[0] != waiting[0]
        assert now[1] != waiting[1]
        page.get_by_role("button", name="Continue").click()
        card(page, "finalize", "input")
        expect(page.locator(".flow-scroll")).to_be_visible()
        expect(box(page, "step_03")).to_have_css("fill", done[0])  # the picture followed
        expect(box(page, "step_03")).to_have_css("stroke", done[1])
        keep(page, "flow")
        page.locator(".flow a[href='#step_03'] .title").first.click()
        expect(page.locator("#step_03")).to_be_in_viewport()
    context.close()


def box(page: Page, step: str) -> Locator:
    """A step in the picture."""
    return page.locator(f".flow [data-step={step}] .box")


def colour(page: Page, step: str) -> list[str]:
    """The fill and the frame of a step in the picture."""
    found: list[str] = box(page, step).evaluate(
        "e => [getComputedStyle(e).fill, getComputedStyle(e).stroke]"
    )
    return found
