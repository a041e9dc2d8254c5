"""Plugins written from the contract, walked over HTTP on our host: each does what its author meant."""

import json
import logging
import sys
from pathlib import Path

import pytest

from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.plugins import modules
from pipulate_runtime.host.walk.walk import walk_app
from tests.contract.visitor import HTMX, Visitor

PNG = "data:image/png;base64,iVBOR"


def state(client, key):
    return client.app.state.store.read(f"Default_Profile-{key}")


def test_three_phases_the_chain_and_a_suggestion(client):
    visitor = Visitor(client, "greeting", "greeting").start("x")
    assert visitor.standing("step_01") == "input"
    visitor.submit("step_01_submit", name="Ada")
    assert "Your name: Ada" in visitor.shows("step_01")
    assert visitor.form("step_02_submit").find("input")["value"] == "Hello Ada"
    visitor.submit("step_02_submit")
    assert state(client, "greeting-x")["step_02"] == {"greeting": "Hello Ada"}
    visitor.submit("finalize")
    assert state(client, "greeting-x")["finalize"] == {"finalized": True}
    assert "revert" not in str(visitor.page.soup)
    visitor.submit("unfinalize")
    visitor.back("step_01")
    # refill: the old value stands in the form; what came after it is gone
    assert visitor.form("step_01_submit").find("input")["value"] == "Ada"
    assert "step_02" not in state(client, "greeting-x")
    visitor.submit("step_01_submit", name="Bob")
    assert visitor.form("step_02_submit").find("input")["value"] == "Hello Bob"
    said = [message.text for message in client.app.state.pipulate.message_queue.messages]
    assert said[0] == "Run: Default_Profile-greeting-x"
    assert "All is there." in said
    assert "[Your name: Ada]" in said


def test_ids_stand_once_although_forms_name_no_way_to_swap(client):
    visitor = Visitor(client, "greeting", "greeting").start()
    visitor.submit("step_01_submit", name="Ada")
    visitor.submit("step_02_submit")
    assert len(visitor.ids()) == len(set(visitor.ids())), visitor.ids()


@pytest.mark.parametrize(("typed", "says"), [("", "is needed"), ("y" * 60, "too long")])
def test_a_refused_answer_comes_back_with_what_was_typed(client, typed, says):
    visitor = Visitor(client, "greeting", "greeting").start("x")
    visitor.submit("step_01_submit", name=typed)
    assert says in visitor.shows("step_01")
    control = visitor.form("step_01_submit").find("input")
    assert control["value"] == typed
    assert control["aria-invalid"] == "true"
    assert control["aria-describedby"] == visitor.page.soup.select_one("[role=alert]")["id"]
    assert visitor.standing("step_01") == "input"
    assert "step_01" not in state(client, "greeting-x")
    # twice refused: one message, and the next answer is taken
    visitor.submit("step_01_submit", name=typed)
    assert len(visitor.page.soup.select(".text-invalid")) == 1
    visitor.submit("step_01_submit", name="Ada")
    assert visitor.page.soup.select(".text-invalid") == []
    assert visitor.standing("step_01") == "done"


def test_a_plugin_finds_what_fasthtml_had_when_upstream_was_written(client):
    names = "Card Container DialogX Grid Group Database NotFoundError database picolink".split()
    module = sys.modules[client.app.state.loaded.by_app["greeting"].instance.__module__]
    assert [name for name in names if not hasattr(module, name)] == []


def test_routes_by_hand_and_arguments_under_their_other_names(client):
    visitor = Visitor(client, "by_hand", "hand-made")
    assert "0 runs" in visitor.text()
    assert [heading.get_text() for heading in visitor.page.soup.find_all("h1")] == ["Made by hand"]
    visitor.start("a-b")
    assert "a-b" in visitor.page.soup.select_one("#run-head .run-name").get_text()
    assert "0 of 2 steps done" in visitor.text()
    visitor.submit("step_01_submit", first="6")
    assert "First number: 6" in visitor.shows("step_01")
    visitor.submit("step_02_submit", second="0")
    assert state(client, "hand-made-a-b")["step_02"] == {"second": 0}
    visitor.back("step_02")
    assert visitor.form("step_02_submit").find("input")["value"] == "0"
    visitor.submit("step_02_submit", second="seven")
    assert "Please enter a whole number." in visitor.shows("step_02")
    visitor.submit("step_02_submit", second="7")
    assert client.get("/hand-made/step_02", headers=HTMX).text.count("The product is 42.") == 1
    visitor.submit("finalize")
    assert state(client, "hand-made-a-b")["checked"] is True
    assert "kept" in visitor.shows("step_01")
    visitor.submit("unfinalize")
    assert "The product is 42." in visitor.shows("step_02")
    assert "1 runs" in client.get("/by_hand").text
    parsed = client.app.state.pipulate.parse_pipeline_key("Default_Profile-hand-made-new-one")
    assert parsed["plugin_part"] == "hand-made"


def test_a_long_step_that_is_followed_by_a_route_of_its_own(client):
    visitor = Visitor(client, "long_job", "long_job").start("x")
    visitor.submit("step_01_submit")
    assert "to 3" in visitor.shows("step_01")
    assert state(client, "long_job-x")["step_01"] == {"counted": 3}


def test_a_script_of_a_plugin_runs_in_the_page_that_asked_and_no_other(client):
    visitor = Visitor(client, "long_job", "long_job").start("x")
    visitor.submit("step_01_submit")
    send = {"pipeline_id": "Default_Profile-long_job-x"}
    nonce = "n" * 22
    signed = client.post(
        "/long_job/step_02_submit", data=send, headers={**HTMX, "X-Page-Nonce": nonce}
    )
    assert f'nonce="{nonce}"' in signed.text
    for bad in ("", '"><script>', "short"):
        answer = client.post(
            "/long_job/step_02_submit", data=send, headers={**HTMX, "X-Page-Nonce": bad}
        )
        assert "nonce=" not in answer.text
    page = client.get("/long_job")
    assert f"'nonce-{visitor_nonce(page.text)}'" in page.headers["Content-Security-Policy"]
    again = client.get("/long_job")
    assert visitor_nonce(again.text) != visitor_nonce(page.text)


def visitor_nonce(html):
    return html.partition('nonce="')[2].partition('"')[0]


class TestFiles:
    def send(self, client, *names):
        Visitor(client, "files", "files").start("x")
        files = [("uploaded_files", (name, b"content")) for name in names]
        send = {"pipeline_id": "Default_Profile-files-x"}
        return client.post("/files/step_01_submit", data=send, files=files, headers=HTMX)

    def test_there_and_back(self, client):
        answer = self.send(client, "report.csv", "b.txt")
        assert "report.csv 7" in answer.text
        fetched = client.get("/download_file?file=files/report.csv")
        assert fetched.content == b"content"
        assert 'attachment; filename="report.csv"' in fetched.headers["Content-Disposition"]
        assert fetched.headers["X-Content-Type-Options"] == "nosniff"
        visitor = Visitor(client, "files", "files").start("x")
        visitor.submit("finalize")
        assert "Locked" in visitor.shows("finalize")

    @pytest.mark.parametrize(
        "name",
        ["../../x", "/etc/x", "..\\..\\x", "a/../../../x", ".hidden", "con", "\u202ex", "x" * 400],
    )
    def test_a_name_cannot_lead_out_of_the_folder(self, client, tmp_path, name):
        before = {path for path in tmp_path.rglob("*") if "data" not in path.parts}
        assert self.send(client, name).status_code == 200
        made = {p for p in tmp_path.rglob("*") if "data" not in p.parts and p.is_file()} - before
        assert [path.parent for path in made] == [tmp_path / "downloads" / "files"]
        assert not next(iter(made)).name.startswith(".")

    @pytest.mark.parametrize(
        "file",
        [
            "",
            ".",
            "files",
            "../data/pipulate.db",
            "files/../../data/session.key",
            "/etc/passwd",
            "files/%2e%2e/%2e%2e/data/session.key",
            "files/nothing",
            "files/link",
            "files/.secret",
            "files/report.csv\0.txt",
        ],
    )
    def test_only_what_is_in_the_folder_can_be_fetched(self, client, file):
        self.send(client, "report.csv")
        folder = Path("downloads/files")
        (folder / "link").symlink_to("/etc/passwd")
        (folder / ".secret").write_text("hidden")
        answer = client.get("/download_file", params={"file": file})
        assert answer.status_code == 404
        assert "This file is not here" in answer.text
        assert answer.text.count("<!doctype html>") == 1

    def test_nothing_chosen_is_said(self, client):
        assert "Choose at least one file." in self.send(client).text


def test_a_folder_is_opened_only_for_who_sits_before_the_machine(tmp_path, monkeypatch):
    from starlette.testclient import TestClient

    from pipulate_runtime.host.app import create_app
    from pipulate_runtime.host.upstream import routes
    from tests.contract.conftest import PLUGINS
    from tests.host.helpers import LOCAL

    monkeypatch.chdir(tmp_path)
    Path("downloads/files").mkdir(parents=True)
    opened = []
    monkeypatch.setattr(routes, "open_folder", opened.append)
    app = create_app(PLUGINS, tmp_path / "data")

    def ask(address, screen=True, path="downloads/files", **headers):
        monkeypatch.setattr(routes, "can_open_folders", lambda: screen)
        with_address = TestClient(app, base_url=LOCAL, client=(address, 5))
        return with_address.get("/open-folder", params={"path": path}, headers=headers)

    htmx = {"HX-Request": "true"}
    assert ask("10.0.0.9", **htmx).status_code == 403
    assert ask("127.0.0.1").status_code == 403  # an address bar, or a picture on another site
    assert "only be opened on the machine" in ask("10.0.0.9", **htmx).text
    assert ask("127.0.0.1", screen=False, **htmx).status_code == 403
    for elsewhere in ("/", "..", "downloads/../data", "downloads/nothing", "", "/etc"):
        assert ask("127.0.0.1", path=elsewhere, **htmx).status_code == 404
    assert opened == []
    assert ask("127.0.0.1", **htmx).status_code == 200
    absolute = str(tmp_path / "downloads" / "files")
    assert ask("127.0.0.1", path=absolute, **htmx).status_code == 200
    assert opened == [tmp_path / "downloads" / "files"] * 2


def test_widgets_and_the_events_that_make_them(client):
    visitor = Visitor(client, "widgets", "widgets").start("x")
    visitor.submit("step_01_submit", rows="not json")
    assert "This is not JSON" in visitor.shows("step_01")
    assert visitor.form("step_01_submit").find("textarea").get_text() == "not json"
    rows = '[{"name": "a <b>", "value": 1}]'
    visitor.submit("step_01_submit", rows=rows)
    assert "a <b>" in visitor.shows("step_01")
    assert visitor.page.by_id("step_01").find("b") is None
    visitor.submit("step_02_submit")
    assert visitor.page.by_id("step_02").find("img")["src"].startswith(PNG)
    for step in ("step_03", "step_04", "step_05", "step_06"):
        visitor.submit(f"{step}_submit")
    named = [next(iter(json.loads(text))) for text in visitor.triggers]
    assert named == ["initializeMarked", "initializePrism", "renderMermaid", "runJavaScript"]
    visitor.submit("finalize")
    assert "Locked" in visitor.shows("finalize")
    assert len(visitor.ids()) == len(set(visitor.ids()))


def test_options_from_the_database(client):
    visitor = Visitor(client, "choices", "choices").start("x")
    options = [option.get_text() for option in visitor.form("step_01_submit").find_all("option")]
    assert options == ["north", "south", "east"]
    visitor.submit("step_01_submit", one="elsewhere")
    assert "Choose one of them." in visitor.shows("step_01")
    visitor.submit("step_01_submit", one="south")
    visitor.submit("step_02_submit")
    visitor.submit("step_03_submit")
    kept = state(client, "choices-x")
    assert [kept[s] for s in ("step_01", "step_02", "step_03")] == [
        {"one": "south"},
        {"several": []},
        {"agreed": False},
    ]
    visitor.submit("finalize")
    assert "One of them: south" in visitor.shows("step_01")


def test_a_step_whose_form_fails_still_says_why_an_answer_was_refused(client, monkeypatch):
    visitor = Visitor(client, "greeting", "greeting").start("x")
    plugin = client.app.state.loaded.by_app["greeting"].instance
    monkeypatch.setattr(plugin, "get_suggestion", None)  # phase 3 cannot be made any more
    answer = visitor.submit("step_01_submit", name="")
    assert "is needed" in answer.text


def test_pipulate_run_walks_them_as_well(client):
    async def walked(key, answers):
        plugin = client.app.state.loaded.by_key[key]
        return await walk_app(client.app, plugin, answers, "walked", timeout=60)

    greeting = client.portal.call(walked, "greeting", {"step_01": {"name": "Ada"}})
    assert greeting.finalized
    assert greeting.state["step_02"] == {"greeting": "Hello Ada"}
    assert client.portal.call(walked, "choices", {"step_02": {"several": "north\nsouth"}}).finalized
    with pytest.raises(HostError, match="PP513") as refused:
        client.portal.call(walked, "by_hand", {"step_01": {"first": "six"}})
    assert "Please enter a whole number." in refused.value.message


class TestLoguru:
    def test_lines_go_to_the_log_with_their_level(self, client, caplog):
        caplog.set_level(logging.DEBUG, "pipulate.plugin")
        logger = modules.Logger(logging.getLogger("pipulate.plugin"), {})
        logger.info("{} of {total}", 1, total=2)
        logger.success("100% {done}")
        logger.trace("t")
        logger.opt(exception=True).bind(user=1).log("WARNING", "w {}", "x {y}")
        logger.log("NO SUCH LEVEL", "odd {", 1)
        try:
            raise ValueError("why")
        except ValueError:
            logger.exception("failed")
        lines = [(record.levelname, record.getMessage()) for record in caplog.records]
        assert lines == [
            ("INFO", "1 of 2"),
            ("INFO", "100% {done}"),
            ("DEBUG", "t"),
            ("WARNING", "w x {y}"),
            ("INFO", "odd { (1,)"),
            ("ERROR", "failed"),
        ]
        assert "ValueError: why" in caplog.text


class TestRendering:
    def ask(self, client, kind, text, **values):
        return client.post(f"/render/{kind}", data={"text": text, **values})

    def test_markdown_is_shown_and_cannot_act(self, client):
        hostile = "# T\n\n**b** <script>x()</script><img src=x onerror=x()> [l](javascript:x())"
        html = self.ask(client, "markdown", hostile).text
        assert "<strong>b</strong>" in html
        for part in ("<script", "onerror", 'href="javascript'):
            assert part not in html

    @pytest.mark.parametrize("language", ["python", "no such language", "", "<b>"])
    def test_code_is_shown_as_text(self, client, language):
        html = self.ask(client, "code", "if x < 1: '</code><script>'", language=language).text
        assert "<script" not in html
        assert ("<span" in html) is (language == "python")

    def test_too_much_and_unknown(self, client):
        assert self.ask(client, "markdown", "x" * 300_000).status_code == 413
        assert self.ask(client, "anything", "x").status_code == 404

    def test_no_other_site_can_ask(self, client):
        other = {"Origin": "https://evil.example"}
        answer = client.post("/render/markdown", data={"text": "x"}, headers=other)
        assert answer.status_code == 403
