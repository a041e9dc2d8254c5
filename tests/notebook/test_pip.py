"""`pip` in a notebook: what is kept, where, and that the host sees the same rows."""

import json
import multiprocessing
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipulate_runtime.host.app import create_app
from pipulate_runtime.host.state.store import DATABASE, StateStore
from pipulate_runtime.jupyter.pip import Pip, PipError, data_folder, pip
from tests.conftest import ROOT
from tests.host.helpers import LOCAL, PLUGINS


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def kept(data):
    return Pip(data)


def test_values_outlive_the_object(kept, data):
    assert kept.get("towns-01", "year") is None
    assert kept.get("towns-01", step="year", default=2024) == 2024
    assert not (data / DATABASE).exists()  # asking makes nothing
    assert kept.set("towns-01", step="year", value=2025) == 2025
    kept.set("towns-01", "towns", ["Rom", "Köln"])
    kept.set("other", "year", 1)
    again = Pip(data)
    assert again.read("towns-01") == {"year": 2025, "towns": ["Rom", "Köln"]}
    assert again.get("towns-01", "year", 1) == 2025
    again.write("towns-01", {"town": "Bonn"})
    assert kept.read("towns-01") == {"town": "Bonn"}
    assert kept.read("nothing") == {}


@pytest.mark.parametrize("value", [None, False, 0, "", []])
def test_what_is_kept_counts_whether_it_is_true_or_not(kept, value):
    kept.set("job", "step", value)
    assert kept.get("job", "step", "default") == value


def test_the_rows_are_those_of_the_host(kept, data):
    kept.set("towns-01", "year", 2025)
    store = StateStore(data / DATABASE)
    try:
        run = store.run("towns-01")
        assert (run.app_name, run.state) == ("notebook", {"year": 2025})
        assert run.created == run.updated > "2020"
        kept.set("towns-01", "month", 5)
        changed = store.run("towns-01")
        assert changed.created == run.created < changed.updated
        store.create("Default_Profile-trip-01", "trip", {"step_01": {"people": "2"}})
    finally:
        store.close()
    assert kept.get("Default_Profile-trip-01", "step_01") == {"people": "2"}
    with pytest.raises(PipError, match="run of the workflow 'trip'"):
        kept.set("Default_Profile-trip-01", "step_01", {})
    with TestClient(create_app(PLUGINS, data), base_url=LOCAL) as client:
        page = client.get("/runs").text
        assert "towns-01" in page
        assert "a job of a notebook" in page
        assert "2 values stored" in page
        found = client.get("/runs/download", params={"run": "towns-01"}).json()
        assert found == {"year": 2025, "month": 5}
        kept.set("towns-01", "day", 1)  # while the host has the file open
        assert "3 values stored" in client.get("/runs").text


def test_what_json_cannot_say_is_refused_and_nothing_changes(kept):
    kept.set("job", "a", 1)
    with pytest.raises(PipError, match="Use text, numbers"):
        kept.set("job", "b", {1, 2})
    assert kept.read("job") == {"a": 1}
    with pytest.raises(PipError, match="A job is a name"):
        kept.set("", "a", 1)
    with pytest.raises(AttributeError, match=r"pip\.get, pip\.set"):
        kept.scrape("x")


def test_a_file_that_is_no_database_is_a_message(data):
    data.mkdir()
    (data / DATABASE).write_text("this is no database, and long enough to be seen as none" * 20)
    with pytest.raises(PipError, match="PIPULATE_DATA"):
        Pip(data).read("job")


def test_an_api_key_is_asked_for_once_and_never_written(kept, data, monkeypatch):
    asked = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or "hush-hush")
    assert kept.api_key("job") == "hush-hush"
    assert kept.api_key("job") == "hush-hush"
    assert kept.api_key("job", key="given") == "given" == kept.api_key("job")
    assert len(asked) == 1
    kept.set("job", "a", 1)
    assert b"hush" not in b"".join(path.read_bytes() for path in data.iterdir())


def _count(data, number):
    for step in range(20):
        Pip(data).set("job", f"{number}-{step}", step)


def test_programs_that_write_at_once_lose_nothing(data):
    context = multiprocessing.get_context("spawn")
    several = [context.Process(target=_count, args=(data, number)) for number in range(2)]
    for process in several:
        process.start()
    for process in several:
        process.join(120)
    assert [process.exitcode for process in several] == [0, 0]
    assert len(Pip(data).read("job")) == 40


def test_where_the_data_folder_is(tmp_path, monkeypatch):
    monkeypatch.delenv("PIPULATE_DATA", raising=False)
    inner = tmp_path / "project" / "notebooks"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert data_folder() == inner / "data"
    Pip(tmp_path / "project" / "data").set("job", "a", 1)
    assert data_folder() == tmp_path / "project" / "data"
    assert pip.get("job", "a") == 1
    monkeypatch.setenv("PIPULATE_DATA", str(tmp_path / "named"))
    assert data_folder() == tmp_path / "named"


def test_pip_is_kept_by_its_name(data):
    assert pickle.loads(pickle.dumps(pip)) is pip
    assert pickle.loads(pickle.dumps(Pip(data))).read("job") == {}


def test_importing_it_is_cheap_and_brings_nothing_heavy():
    code = (
        "import sys, json; import pipulate_runtime; bare = 'sqlite3' in sys.modules; "
        "from pipulate_runtime import pip; "
        "print(json.dumps([bare, sorted({n.partition('.')[0] for n in sys.modules} & "
        "{'fasthtml', 'starlette', 'jupyter_client', 'transpiler', 'IPython', 'apsw', 'httpx'})]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(ended.stdout) == [False, []]


def test_a_real_pipulate_is_taken_first(tmp_path):
    (tmp_path / "pipulate.py").write_text("pip = wand = 'upstream'\n")
    code = (
        "import sys; from pipulate_runtime.jupyter import upstream; upstream.load_ipython_extension();"
        "upstream.load_ipython_extension(); from pipulate import wand; print(wand)"
    )

    def said(folder: Path) -> str:
        environment = {"PYTHONPATH": f"{folder}:{ROOT}", "PATH": ""}
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert said(tmp_path) == "upstream\n"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "Pip object" in said(empty)
