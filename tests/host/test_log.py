"""The log: what is in the file, what never is, and what the page finds in it."""

import contextlib
import logging
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipulate_runtime.cells.storage.secrets import Vault
from pipulate_runtime.host.app import create_app
from pipulate_runtime.host.base import logs
from pipulate_runtime.host.workshop.tools import Tools
from tests.host.helpers import HTMX, LOCAL, PLUGINS, Trip

ours = logging.getLogger("pipulate_runtime.tests")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "log"


def test_entries_come_back_newest_first_with_all_their_lines(folder):
    with logs.kept(folder):
        ours.info("one")
        ours.warning("two\nand more")
        try:
            raise ValueError("three")
        except ValueError:
            ours.exception("failed")
        logging.getLogger("elsewhere").info("not ours, and nothing to worry about")
        logging.getLogger("elsewhere").warning("not ours")
    ours.warning("after the end")
    found = logs.entries(folder)
    assert [(e.level, e.text.partition("\n")[0]) for e in found] == [
        ("WARNING", "not ours"),
        ("ERROR", "failed"),
        ("WARNING", "two"),
        ("INFO", "one"),
    ]
    assert "ValueError: three" in found[1].text
    assert found[2].text == "two\nand more"
    assert (folder / logs.NAME).stat().st_mode & 0o077 == 0


def test_nothing_that_is_logged_can_look_like_an_entry(folder):
    with logs.kept(folder):
        ours.warning("x\n2026-01-01T00:00:00.000Z ERROR root: forged\r\x1b[2J\u2028end")
    (entry,) = logs.entries(folder)
    assert entry.level == "WARNING"
    assert "\x1b" not in entry.text
    assert "\r" not in entry.text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("api_key=abc123", "api_key=•••"),
        ("{'token': 'a b c', 'n': 1}", "{'token': •••, 'n': 1}"),
        ("Authorization: Bearer abc.def", "Authorization: •••"),
        ("OPENAI_API_KEY='x'", "OPENAI_API_KEY=•••"),
        ("password is wrong", "password is wrong"),
        ("with sk-proj-abcdefghijklmnop1234", "with •••"),
        ("step_02_submit 200, 3 ms", "step_02_submit 200, 3 ms"),
    ],
)
def test_what_looks_like_a_secret_is_overwritten(text, written):
    assert logs.without_secrets(text) == written


def test_secrets_of_runs_are_overwritten_wherever_they_stand(folder):
    class Plugin:
        app_name = "trip"
        step_01_secrets = {"code": "The code"}  # noqa: RUF012

    class Owner:
        vault = Vault(Plugin())

    owner = Owner()
    owner.vault.remember("run", "step_01", {"code": "open sesame", "other": "shown"})
    from pipulate_runtime.cells import api

    api._all.add(owner)
    try:
        with logs.kept(folder):
            ours.error("it said %s and %s", "open sesame", "shown")
    finally:
        api._all.discard(owner)
    assert logs.entries(folder)[0].text == "it said ••• and shown"


def test_files_rotate_and_are_read_together(folder, monkeypatch):
    monkeypatch.setattr(logs, "LARGEST", 500)
    with logs.kept(folder):
        for number in range(30):
            ours.info("entry %02d, with some words after it", number)
    assert len(list(folder.iterdir())) == logs.FILES + 1
    found = logs.entries(folder)
    assert found[0].text.startswith("entry 29")
    assert 10 < len(found) < 30  # the oldest are gone
    assert len(logs.entries(folder, limit=5)) == 5


def test_search_is_by_level_and_by_all_words():
    found = [logs.Entry("t", level, "name", text) for level, text in [
        ("INFO", "Sales report started"), ("WARNING", "sales slow"), ("ERROR", "Report failed"),
    ]]  # fmt: skip
    assert [e.level for e in logs.search(found, "WARNING")] == ["WARNING", "ERROR"]
    assert [e.text for e in logs.search(found, words="report SALES")] == ["Sales report started"]
    assert logs.search(found, "ERROR", "sales") == []
    assert len(logs.search(found, "nonsense")) == 3


def test_the_page_shows_what_the_server_did(tmp_path):
    app = create_app(PLUGINS, tmp_path / "data", tools=Tools(pages=True, log=True))
    with TestClient(app, base_url=LOCAL) as client:
        Trip(client, "hidden name").start().answer("step_01")
        page = client.get("/log").text
        assert "The server starts with" in page
        assert "POST /trip/step_01_submit 200" in page
        assert "hidden name" not in page
        found = client.get("/log/entries", params={"q": "step_01"}, headers=HTMX).text
        assert "step_01_submit" in found
        assert "The server starts" not in found
        assert "<html" not in found
        nothing = client.get("/log/entries", params={"q": "<b>none</b>", "level": "error"}).text
        assert "Nothing in the log agrees" in nothing
        inside = client.get("/log", params={"q": '"><script>x</script>'}).text
        assert "<script>x" not in inside


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full, on Linux")
def test_a_log_that_cannot_be_written_stops_nothing(folder, capsys):
    with logs.kept(folder):
        handler = next(h for h in logging.getLogger().handlers if isinstance(h, logs._Private))
        handler.stream.close()
        handler.stream = full = open("/dev/full", "w")
        ours.error("to nowhere")
        handler.stream = handler._open()  # somebody made room
        ours.error("to the file")
        with contextlib.suppress(OSError):
            full.close()
    assert [entry.text for entry in logs.entries(folder)] == ["to the file"]
    assert "Traceback" not in capsys.readouterr().err
