"""A review in a real browser: both sides are read, each conflict is settled by a button, and the app does what was chosen."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.build import md, raw
from tests.test_browser import Server, browser, card, keep, page
from tests.test_browser import server_of_folder as server
from transpiler.model.options import Options
from transpiler.pipeline import port

__all__ = ["browser", "page", "server"]  # fixtures

pytestmark = [pytest.mark.kernel, pytest.mark.browser]

TRIP = "# Trip\n\nWhat a **weekend** costs."
FIRST = raw(
    md(TRIP),
    "#| input: days\ndays = 2",
    "price = 40\nprint('price', price)",
    "total = days * price\nprint('total', total)",
    "print('paid by Ada')",
)
SECOND = raw(
    md(TRIP),
    "#| input: days\ndays = 3",
    "price = 45\nprint('price each', price)",
    "total = days * price\nprint('total:', total, 'euros')",
    "print('paid by everybody')",
)
EDITS = {  # what the owner made of the three cells before the notebook changed
    "print('price', price)": 'print("price of a night", price)',
    "print('total', total)": 'print("total", round(total))',
    "print('paid by Ada')": 'print("paid by Ada and Grace")',
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plugin with a conflict in three steps."""
    notebook = tmp_path / "trip.ipynb"
    notebook.write_bytes(FIRST)
    port(notebook, tmp_path / "plugins", Options())
    plugin = tmp_path / "plugins" / "trip.py"
    text = plugin.read_text(encoding="utf-8")
    for old, new in EDITS.items():
        assert old in text
        text = text.replace(old, new)
    plugin.write_text(text, encoding="utf-8")
    notebook.write_bytes(SECOND)
    port(notebook, tmp_path / "plugins", Options())
    return tmp_path


def test_conflicts_are_settled_by_buttons(page: Page, server: Server, folder: Path) -> None:
    page.goto(f"{server.address}/trip")
    page.get_by_role("link", name="Review its notebook and its code").click()
    expect(page.get_by_role("list", name="Open conflicts").get_by_role("link")).to_have_count(3)
    expect(page.locator(".markdown strong").first).to_have_text("weekend")
    keep(page, "review")

    # Each button settles its conflict, and the page says what came of it
    plugin = folder / "plugins" / "trip.py"
    jumps = page.get_by_role("list", name="Open conflicts").get_by_role("link")
    for button, said, left in (
        ("Keep mine: step_02_cell", "yours stays", 2),
        ("Take the notebook's: step_03_cell", "it is the notebook's now", 1),
        ("Keep both: step_04_cell", "it has both", 0),
    ):
        page.get_by_role("button", name=button).press("Enter")
        expect(page.get_by_role("status").filter(has_text=said)).to_be_focused()
        expect(jumps).to_have_count(left)
    expect(page.locator(".review .conflict")).to_have_count(0)
    keep(page, "review-settled")
    text = plugin.read_text(encoding="utf-8")
    assert "CONFLICT" not in text
    for line, there in (
        ('print("price of a night", price)', True),
        ("price = 45", False),
        ("print('total:', total, 'euros')", True),
        ("round(total)", False),
        ('print("paid by Ada and Grace")', True),
        ("print('paid by everybody')", True),
    ):
        assert (line in text) == there, line

    # The workflow does what was chosen, without a start of the server
    page.goto(f"{server.address}/trip")
    page.get_by_role("button", name="Start").click()
    card(page, "step_01", "input")
    expect(page.get_by_label("Days")).to_have_value("3")
    page.get_by_role("button", name="Continue").click()
    card(page, "finalize", "input")
    for step, shown in (
        ("step_02", "price of a night 40"),
        ("step_03", "total: 120 euros"),
        ("step_04", "paid by Ada and Grace\npaid by everybody"),
    ):
        expect(page.locator(f"#{step} > article [data-output=stream]")).to_have_text(shown)
