"""Plugins that change under a running server: the new version is served, open pages keep their run, a broken file harms nothing."""

import asyncio
import os
import shutil
import sys
import time
import types

import pytest
from starlette.testclient import TestClient

from pipulate_runtime.host.app import create_app
from pipulate_runtime.host.workshop.reload import Follower
from pipulate_runtime.host.workshop.tools import Tools
from tests.conftest import ROOT
from tests.host.helpers import HTMX, LOCAL, PLUGINS, Trip
from transpiler.features import host_porter as porters
from transpiler.features.host_porter import Porter


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "plugins"
    shutil.copytree(PLUGINS, made, ignore=shutil.ignore_patterns("__pycache__"))
    return made


@pytest.fixture
def client(tmp_path, folder):
    with TestClient(
        create_app(folder, tmp_path / "data"), base_url=LOCAL, raise_server_exceptions=False
    ) as opened:
        yield opened


@pytest.fixture(autouse=True)
def without_a_process(monkeypatch):
    """Ports in this process; tests/test_porter.py has the other one."""
    monkeypatch.setattr(porters, "_in_a_process", porters.report_of)


class Files:
    """A folder that is looked at when a test says so; times on a disk are coarse, so each save gets a later one."""

    def __init__(self, client, folder, porter=None):
        self.follower = Follower(client.app.state.served, folder, porter)
        self.now = time.time_ns()

    def save(self, path, text):
        path.write_text(text, encoding="utf-8")
        self.now += 1_000_000_000
        os.utime(path, ns=(self.now, self.now))

    def look(self):
        asyncio.run(self.follower.look())


@pytest.fixture
def files(client, folder):
    return Files(client, folder)


def paths(client):
    routes = client.app.router.routes
    return [(r.path, tuple(sorted(getattr(r, "methods", None) or ()))) for r in routes]


def test_a_saved_plugin_is_served_and_its_routes_are_there_once(client, folder, files):
    trip = Trip(client, "a trip").start().answer("step_01")
    plugin = folder / "010_trip_planner.py"
    before = sorted(paths(client))
    files.save(plugin, plugin.read_text().replace("Trip planner", "Journey planner"))
    files.look()
    assert sorted(paths(client)) == before
    assert "Journey planner" in client.get("/").text
    page = client.get("/trip_planner", params={"run": trip.key}).text
    assert "Journey planner" in page
    # the open page goes on with its run
    assert 'data-state="done"' in trip.get("step_01").text
    trip.answer("step_02")


def test_a_server_follows_what_is_saved(tmp_path, folder):
    """Also in a folder that another one of its name has replaced, and what comes and goes."""
    app = create_app(folder, tmp_path / "data", tools=Tools(follow=True))
    plugin = folder / "010_trip_planner.py"
    with TestClient(app, base_url=LOCAL) as client:
        home = lambda: client.get("/").text  # noqa: E731
        for name in ("Journey", "Voyage"):
            plugin.write_text(plugin.read_text().replace("Trip planner", name))
            _until(lambda name=name: name in home(), 20)
            folder.rename(tmp_path / "before")
            shutil.copytree(PLUGINS, folder)
            _until(lambda: "Trip planner" in home(), 20)
            shutil.rmtree(tmp_path / "before")
        plugin.unlink()
        _until(lambda: "Trip planner" not in home(), 20)


def test_a_route_that_the_new_version_has_not_is_gone(client, folder, files):
    plugin = folder / "010_trip_planner.py"
    text = plugin.read_text()
    extra = text.replace(
        "pipulate.register_workflow_routes(self)",
        'pipulate.register_workflow_routes(self)\n        app.route("/trip/extra", methods=["GET"])(lambda: "here")',
    )
    assert extra != text
    files.save(plugin, extra)
    files.look()
    assert client.get("/trip/extra").text == "here"
    files.save(plugin, text)
    files.look()
    assert client.get("/trip/extra").status_code == 404


def test_a_syntax_error_is_on_the_page_and_the_last_good_version_runs(client, folder, files):
    trip = Trip(client, "a trip").start()
    plugin = folder / "010_trip_planner.py"
    good = plugin.read_text()
    routes = sorted(paths(client))
    lines = good.splitlines()
    lines.insert(0, "def broken(:")
    files.save(plugin, "\n".join(lines) + "\n")
    files.look()
    assert sorted(paths(client)) == routes
    page = client.get("/trip_planner", params={"run": trip.key}).text
    assert "The last change cannot be used" in page
    assert "010_trip_planner.py, line 1" in page
    assert "SyntaxError" in page
    assert "The previous version keeps running" in page
    assert "start the server again" not in page
    trip.answer("step_01")
    home = client.get("/").text
    assert "keeps running" in home
    assert "Trip planner" in home
    files.save(plugin, good)
    files.look()
    page = client.get("/trip_planner", params={"run": trip.key}).text
    assert "cannot be used" not in page
    assert "Cannot be opened" not in client.get("/").text


def test_two_saves_in_one_second_of_the_same_length_are_two(client, folder, files):
    """Python tells compiled files apart by seconds and length."""
    plugin = folder / "010_trip_planner.py"
    text = plugin.read_text()
    moment = plugin.stat().st_mtime_ns
    for number, name in enumerate(("Trip plannex", "Trip planney"), 1):
        plugin.write_text(text.replace("Trip planner", name))
        os.utime(plugin, ns=(moment + number, moment + number))
        files.look()
        assert name in client.get("/").text


def test_plugins_come_and_go(client, folder, files):
    text = (folder / "010_trip_planner.py").read_text()
    second = folder / "020_other.py"
    renamed = text.replace('APP_NAME = "trip"', 'APP_NAME = "other"')
    files.save(second, renamed.replace("Trip planner", "Another one"))
    files.look()
    assert "Another one" in client.get("/").text
    assert "Another one" in client.get("/other").text
    begun = client.post("/other/init", data={"pipeline_id": "x"}, headers=HTMX)
    assert begun.status_code == 200
    second.unlink()
    files.look()
    assert client.get("/other").status_code == 200  # an editor may put it back
    files.look()
    assert client.get("/other").status_code == 404
    assert client.post("/other/init", data={"pipeline_id": "y"}, headers=HTMX).status_code == 404
    assert "Another one" not in client.get("/").text


def test_a_new_file_that_never_worked_has_its_own_page(client, folder, files):
    files.save(folder / "bad.py", "x = (\n")
    files.look()
    page = client.get("/bad")
    assert "bad.py, line 1" in page.text
    assert "loaded again by itself" in page.text


def test_a_file_whose_time_changed_and_text_did_not_is_left_alone(client, folder, files):
    loaded = client.app.state.loaded.plugins[0]
    plugin = folder / "010_trip_planner.py"
    files.save(plugin, plugin.read_text())
    files.look()
    assert client.app.state.loaded.plugins[0] is loaded


def test_a_saved_notebook_is_ported_and_merged(tmp_path):
    folder, notebook = tmp_path / "plugins", tmp_path / "hello.ipynb"
    folder.mkdir()
    shutil.copy(ROOT / "fixtures" / "hello.ipynb", notebook)
    porter = Porter(folder)
    assert porter.again(notebook)["ok"]
    plugin = folder / "hello.py"
    plugin.write_text(plugin.read_text().replace('DISPLAY_NAME = "Hello"', 'DISPLAY_NAME = "Hi"'))
    app = create_app(folder, tmp_path / "data", tools=Tools(porter))
    with TestClient(app, base_url=LOCAL) as client:
        files = Files(client, folder, porter)
        good = notebook.read_text()
        files.save(notebook, good.replace("Enter Your Name", "Your name"))
        files.look()
        text = plugin.read_text()
        assert "Your name" in text
        assert 'DISPLAY_NAME = "Hi"' in text
        assert client.app.state.loaded.by_key["hello"].steps[0].show == "Your name"
        files.save(notebook, good.replace('"cells"', "oops"))
        files.look()
        page = client.get("/hello").text
        assert "hello.ipynb" in page
        assert "PP101" in page
        assert plugin.read_text() == text
        files.save(notebook, good.replace("Enter Your Name", "Your name"))
        files.look()
        assert "PP101" not in client.get("/hello").text


def test_a_port_that_fails_by_our_fault_leaves_the_other_files_followed(
    tmp_path, monkeypatch, caplog
):
    folder = tmp_path / "plugins"
    folder.mkdir()
    porter = Porter(folder)
    notebooks = [tmp_path / f"{name}.ipynb" for name in ("first", "second")]
    for notebook in notebooks:
        shutil.copy(ROOT / "fixtures" / "hello.ipynb", notebook)
        assert porter.again(notebook)["ok"]
    port_again = Porter.again

    def again(self, notebook):
        if notebook.name == "first.ipynb":
            raise RuntimeError("of ours")
        return port_again(self, notebook)

    monkeypatch.setattr(Porter, "again", again)
    with TestClient(create_app(folder, tmp_path / "data"), base_url=LOCAL) as client:
        files = Files(client, folder, porter)
        for notebook in notebooks:
            files.save(notebook, notebook.read_text().replace("Hello ", "Good day "))
        files.look()
        assert "first.ipynb could not be ported" in caplog.text
        assert "Good day " in (folder / "second.py").read_text()
        assert "Good day " not in (folder / "first.py").read_text()


def test_what_a_drop_has_ported_is_not_ported_again(tmp_path):
    folder, notebook = tmp_path / "plugins", tmp_path / "hello.ipynb"
    folder.mkdir()
    shutil.copy(ROOT / "fixtures" / "hello.ipynb", notebook)
    porter = Porter(folder)
    assert porter.again(notebook)["ok"]
    with TestClient(create_app(folder, tmp_path / "data"), base_url=LOCAL) as client:
        files = Files(client, folder, porter)
        plugin, good = folder / "hello.py", notebook.read_text()
        changed = good.replace("Hello ", "Good day ")
        client.app.state.served.note(notebook, changed.encode())  # as the page does
        files.save(notebook, changed)
        files.look()
        assert "Good day " not in plugin.read_text()
        files.save(notebook, good.replace("Hello ", "Bye "))
        files.look()
        assert "Bye " in plugin.read_text()
        files.save(notebook, changed)  # what was noted once is not noted for ever
        files.look()
        assert "Good day " in plugin.read_text()


def test_a_conflict_is_on_the_page_until_it_is_settled(tmp_path):
    folder, notebook = tmp_path / "plugins", tmp_path / "hello.ipynb"
    folder.mkdir()
    shutil.copy(ROOT / "fixtures" / "hello.ipynb", notebook)
    porter = Porter(folder)
    assert porter.again(notebook)["ok"]
    plugin = folder / "hello.py"
    plugin.write_text(plugin.read_text().replace('"Hello "', '"Mine "'))
    with TestClient(create_app(folder, tmp_path / "data"), base_url=LOCAL) as client:
        files = Files(client, folder, porter)
        good = notebook.read_text()
        files.save(notebook, good.replace('Hello \\"', 'Theirs \\"').replace("Hello ", "Theirs "))
        files.look()
        page = client.get("/hello").text
        assert "hello.ipynb was saved, but not all of its changes are here" in page
        assert "Mine " in plugin.read_text()
        files.save(notebook, good.replace("Hello ", "Mine "))
        files.look()
        assert "not all of it" not in client.get("/hello").text


def test_a_file_that_failed_is_tried_again_when_it_is_saved_as_it_was(client, folder, files):
    plugin = folder / "needs.py"
    text = (folder / "010_trip_planner.py").read_text().replace('"trip"', '"needs"')
    files.save(plugin, "import module_of_the_test\n" + text)
    files.look()
    assert "module_of_the_test" in client.get("/needs").text
    module = types.ModuleType("module_of_the_test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "module_of_the_test", module)
        files.save(plugin, plugin.read_text())
        files.look()
    assert "Name of this run" in client.get("/needs").text


@pytest.mark.kernel
def test_a_step_that_runs_in_the_old_version_finishes(tmp_path):
    """And the step after it runs the new code, in the same kernel."""
    from tests.helpers import notebook_bytes

    folder, notebook = tmp_path / "plugins", tmp_path / "slow.ipynb"
    gate = tmp_path / "gate"
    folder.mkdir()
    text = f"""# %%
import time
from pathlib import Path
while not Path({str(gate)!r}).exists():
    time.sleep(0.05)
token = object()
print("first is old", flush=True)
# %%
print("second is old", id(token) > 0)
"""
    notebook.write_bytes(notebook_bytes(text))
    porter = Porter(folder)
    assert porter.again(notebook)["ok"]
    plugin = folder / "slow.py"
    app = create_app(folder, tmp_path / "data")
    key = "Default_Profile-slow-one"
    with TestClient(app, base_url=LOCAL, raise_server_exceptions=False) as client:
        ask = {"pipeline_id": key}
        client.post("/slow/init", data={"pipeline_id": "one"}, headers=HTMX)
        card = client.post("/slow/step_01_submit", data=ask, headers=HTMX).text
        assert 'data-state="running"' in card
        plugin.write_text(plugin.read_text().replace("second is old", "second is new"))
        client.app.state.served.refresh(plugin)
        card = client.get("/slow/step_01", params=ask, headers=HTMX).text
        assert 'data-state="running"' in card
        assert "another program" not in card
        gate.touch()
        _until(lambda: "step_01" in client.app.state.store.read(key))
        assert "first is old" in client.get("/slow/step_01", params=ask, headers=HTMX).text
        client.post("/slow/step_02_submit", data=ask, headers=HTMX)
        _until(lambda: "step_02" in client.app.state.store.read(key))
        card = client.get("/slow/step_02", params=ask, headers=HTMX).text
        assert "second is new" in card


def _until(true, seconds=120):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)
