"""The page of a review: its marks, its buttons, and who may press them. The compiler's side is played."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.review.page import code, document
from pipulate_runtime.host.workshop.tools import Tools
from tests.host.helpers import HTMX, PLUGINS

PLUGIN = PLUGINS / "010_trip_planner.py"
BAD = "<script>alert(1)</script>"
PAGE = "/-/review/trip_planner"


def lines(*texts: str) -> list[dict[str, str]]:
    return [{"mark": text[0], "text": text[1:]} for text in texts]


def conflict(**more):
    return {
        "id": "5e1b", "name": "step_01_cell", "reason": "both", "lines": lines("-old", "+new"),
        "choices": ["mine", "notebook", "both"],
    } | more  # fmt: skip


def part(**more):
    return {
        "name": "step_01_cell", "label": "code", "line": 12, "lines": lines(f" print('{BAD}')"), "state": "emitted",
        "is_code": True, "changes": [BAD], "conflicts": [],
    } | more  # fmt: skip


def review(**more):
    remark = {
        "code": "PP204", "name": "undefined-name", "severity": "warning", "message": BAD, "help": BAD, "line": 1,
    }  # fmt: skip
    cell = {
        "index": 1, "id": "c1", "kind": "code", "lines": lines("+x = 1", "-x = 2"), "state": "changed", "remarks": [remark],
        "note": "",
    }  # fmt: skip
    text = {
        "kind": "markdown",
        "lines": lines(f" # Title {BAD}"),
        "index": 0,
        "id": BAD,
        "state": "",
        "remarks": [],
        "note": "",
    }
    card = part(name="step_01", label="card", is_code=False)
    row = {
        "step": "step_01", "title": BAD, "word": "CONFLICT 5e1b", "detail": BAD, "cells": [text, cell],
        "parts": [part(state="conflict", conflicts=[conflict()]), card], "conflicts": [],
    }  # fmt: skip
    return {
        "title": BAD, "notebook": "trip.ipynb", "plugin": "trip.py", "command": "pipulate port trip.ipynb", "seen": "abc",
        "rows": [row], "others": [part(name="helper", label="helper", state="yours")], "remarks": [], "edits": 2,
        "coming": False, "refused": False,
    } | more  # fmt: skip


class Played:
    """A reviewer that only says what it was asked."""

    def __init__(self, there: bool = True, **more) -> None:
        self.there, self.more, self.asked = there, more, []

    def offers(self, plugin: Path) -> bool:
        return self.there and plugin == PLUGIN

    def look(self, plugin: Path):
        if plugin != PLUGIN:
            raise HostError("PP101", "It is no notebook.", "Repair it.", 2)
        return review(**self.more)

    def settle(self, plugin: Path, *asked: str):
        self.asked.append(asked)
        return review(rows=[]), f"Settled {BAD}"


@pytest.fixture
def played() -> Played:
    return Played()


@pytest.fixture
def client(make_client, played):
    return make_client(tools=Tools(pages=True, reviewer=played))


def soup(response) -> BeautifulSoup:
    return BeautifulSoup(response.text, "html.parser")


def test_the_page_shows_both_sides_and_escapes_them(client) -> None:
    page = soup(client.get(PAGE))
    assert [s for s in page.find_all("script") if not s.get("src")] == []
    assert BAD in page.h1.text
    left, right = page.select("#step_01 .side")
    assert [ins.text.strip() for ins in left.find_all("ins")] == ["x = 1"]
    assert [d.text.strip() for d in left.find_all("del")] == ["x = 2"]
    assert "PP204 undefined-name" in left.text
    assert left.select_one("ins[data-remark]") is not None
    assert "Title" in left.select_one(".markdown h1").text
    assert BAD in right.select_one("pre").text or BAD in right.text
    assert [d.summary.code.text for d in right.find_all("details")] == ["step_01"]
    assert page.select_one(".review-jumps a")["href"] == "#conflict-5e1b"


def test_a_button_settles_what_was_seen(client, played) -> None:
    form = soup(client.get(PAGE)).select_one("#conflict-5e1b form")
    assert [b["value"] for b in form.find_all("button")] == ["mine", "notebook", "both"]
    sent = {field["name"]: field["value"] for field in form.select("input")} | {"choice": "both"}
    answer = client.post(form["hx-post"], data=sent, headers=HTMX)
    assert played.asked == [("5e1b", "both", "abc")]
    assert soup(answer).select_one("[role=status]").text == f"Settled {BAD}"
    assert answer.text.startswith('<div id="review"') or soup(answer).find(id="review")
    assert "<html" not in answer.text
    assert "<html" in client.post(form["action"], data=sent).text  # without a script, too


def test_what_was_settled_is_served_at_once(make_client, tmp_path) -> None:
    plugin = tmp_path / PLUGIN.name
    plugin.write_text(PLUGIN.read_text())

    class Writes(Played):
        def settle(self, plugin: Path, *asked: str):
            if not plugin.is_file():
                raise HostError("PP435", "It is gone.", "Port it again.", 2)
            plugin.write_text(plugin.read_text().replace("Trip planner", "Journeys"))
            return super().settle(plugin, *asked)

    client = make_client(tmp_path, tools=Tools(pages=True, reviewer=Writes()))
    assert "Journeys" not in client.get("/trip_planner").text
    client.post(f"{PAGE}/settle", data={"choice": "both"}, headers=HTMX)
    assert "Journeys" in client.get("/trip_planner").text
    plugin.unlink()
    gone = client.post(f"{PAGE}/settle", data={"choice": "both"}, headers=HTMX)
    assert (gone.status_code, "Port it again." in gone.text) == (500, True)


def test_another_site_cannot_press_it(client, played) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = client.post(f"{PAGE}/settle", data={"choice": "notebook"}, headers=headers)
        assert answer.status_code == 403
    assert client.get(f"{PAGE}/settle").status_code in (404, 405)
    assert played.asked == []


@pytest.mark.parametrize("more", [{"coming": True}, {"refused": True}])
def test_before_a_port_nothing_can_be_settled(make_client, more) -> None:
    page = soup(make_client(tools=Tools(pages=True, reviewer=Played(**more))).get(PAGE))
    assert page.select("#conflict-5e1b") != []
    assert page.select("#conflict-5e1b form") == []
    assert ("pipulate port trip.ipynb" in page.text) == ("coming" in more)


def test_a_workflow_leads_to_its_review(client, make_client) -> None:
    assert soup(client.get("/trip_planner")).find("a", href=PAGE) is not None
    assert (
        soup(
            make_client(tools=Tools(pages=True, reviewer=Played(there=False))).get("/trip_planner")
        ).find("a", href=PAGE)
        is None
    )


@pytest.mark.parametrize("options", [{}, {"tools": Tools(pages=False, reviewer=Played())}])
def test_no_review_for_other_machines_or_without_a_compiler(make_client, options) -> None:
    client = make_client(**options)
    assert client.get(PAGE).status_code == 404
    assert client.post(f"{PAGE}/settle", data={}).status_code == 404
    assert PAGE not in client.get("/trip_planner").text


def test_what_cannot_be_read_says_so(make_client, played, tmp_path) -> None:
    (tmp_path / "broken.py").write_text("class Broken(:\n")
    client = make_client(tmp_path, tools=Tools(pages=True, reviewer=played))
    assert client.get("/-/review/nothing").status_code == 404
    answer = client.get("/-/review/broken")  # a plugin that does not load has a review all the same
    assert (answer.status_code, "Repair it." in answer.text) == (500, True)


def test_a_server_can_have_nothing_but_a_review(make_client) -> None:
    client = make_client(
        folder=None, files=[], tools=Tools(pages=True, reviewer=Played(), reviewed=PLUGIN)
    )
    answer = client.get("/", follow_redirects=True)
    assert (answer.status_code, answer.url.path) == (200, PAGE)


def test_a_report_asks_nothing_of_anybody() -> None:
    page = BeautifulSoup(document(review()), "html.parser")
    assert page.find_all(["script", "form", "link", "img"]) == []
    assert "default-src 'none'" in page.find("meta", attrs={"http-equiv": True})["content"]
    assert "--paper" in page.style.text
    assert ".review" in page.style.text


@pytest.mark.parametrize(
    "text", ["x = '''", "a\rb", "a\x0cb\x0b", "\u2028", "%matplotlib inline", ""]
)
def test_lines_stay_lines(text: str) -> None:
    shown = code(lines(" first = 1", f"+{text}", "-gone", f" {text}", " last"))
    found = BeautifulSoup(str(shown.__html__()), "html.parser").select(".line")
    assert [line.name for line in found] == ["span", "ins", "del", "span", "span"]
    assert (found[0].text, found[2].text, found[-1].text) == ("first = 1\n", "gone\n", "last\n")
