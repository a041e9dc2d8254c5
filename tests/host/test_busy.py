"""Another program holds the database: pages are shown, changes wait or are refused in words, and nothing is lost."""

import asyncio
import contextlib
import subprocess
import sys
import threading
import time

import apsw
import httpx
import pytest

from pipulate_runtime.host import recover
from pipulate_runtime.host.app import create_app
from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.state.store import DATABASE, StateStore
from tests.host.helpers import HTMX, PLUGINS, serving

KEY = {"pipeline_id": "Default_Profile-trip-busy"}
ANSWER = {**KEY, "people": "3", "notes": "typed"}


@contextlib.contextmanager
def locked(data):
    """Another program writes."""
    with contextlib.closing(apsw.Connection(str(data / DATABASE))) as other:
        other.set_busy_timeout(5000)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield other
        finally:
            other.execute("ROLLBACK")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    data = tmp_path_factory.mktemp("busy")
    with serving(PLUGINS, data) as server, httpx.Client(base_url=server.url, timeout=60) as client:
        client.post("/trip/init", data={"pipeline_id": "busy"}, headers=HTMX)
        server.data, server.client = data, client
        yield server


PAGES = (
    "/",
    "/trip_planner",
    f"/trip_planner?run={KEY['pipeline_id']}",
    "/runs",
    "/runs/list",
    "/runs/older?app=trip",
    f"/runs/download?run={KEY['pipeline_id']}",
    "/tasks",
    "/profiles",
    "/roles",
    f"/trip/step_01?pipeline_id={KEY['pipeline_id']}",
    "/static/host.css",
)


def test_what_is_only_looked_at_is_shown_while_a_change_waits(served):
    """A change waits for the other program, and all pages come before it."""
    order = []

    def change():
        order.append(served.client.post("/trip/step_01_submit", data=ANSWER, headers=HTMX))

    with locked(served.data):
        changing = threading.Thread(target=change)
        changing.start()
        time.sleep(0.3)  # it is under way
        with httpx.Client(base_url=served.url) as other:
            shown = {page: other.get(page).status_code for page in PAGES}
        assert order == []  # it waits still
    changing.join()
    assert {page: code for page, code in shown.items() if code not in (200, 404)} == {}
    assert shown["/trip_planner"] == 200
    assert order[0].status_code == 200
    assert 'data-state="done"' in order[0].text


def test_a_change_that_waits_too_long_is_refused_and_the_page_stays(served):
    with locked(served.data):
        answer = served.client.post("/trip/step_01_submit", data=ANSWER, headers=HTMX)
        plain = served.client.post("/theme", data={"theme": "dark"})
    assert answer.status_code == plain.status_code == 503
    assert answer.headers["retry-after"] == "3"
    assert answer.headers["hx-retarget"] == "#step_01"
    assert answer.headers["hx-reswap"].startswith("beforeend")
    assert "another program uses the data just now" in answer.text
    assert "has locked the database" in answer.text  # what its owner needs to know
    assert "<html" in plain.text
    assert "Try again in a moment" in plain.text


def test_a_card_that_starts_by_itself_tries_again(served):
    headers = {**HTMX, "HX-Trigger": "step_03"}
    with locked(served.data):
        answer = served.client.post("/trip/step_03_submit", data=KEY, headers=headers)
    assert answer.status_code == 503
    assert 'hx-post="/trip/step_03_submit"' in answer.text
    assert 'hx-trigger="load delay:3s"' in answer.text
    assert "hx-retarget" not in answer.headers


def test_a_link_changes_no_current_run(served):
    served.client.post("/trip/init", data={"pipeline_id": "mine"}, headers=HTMX)
    served.client.get("/trip_planner", params={"run": KEY["pipeline_id"]})
    with contextlib.closing(StateStore(served.data / DATABASE)) as store:
        assert store.setting("pipeline_id") == "Default_Profile-trip-mine"


def test_a_server_starts_beside_a_program_that_writes(tmp_path):
    with contextlib.closing(StateStore(tmp_path / DATABASE)):
        pass
    with locked(tmp_path), contextlib.closing(StateStore(tmp_path / DATABASE)) as store:
        assert store.profile()[1] == "Default Profile"


def test_a_new_database_that_another_program_holds_is_busy_not_foreign(tmp_path, monkeypatch):
    monkeypatch.setattr("pipulate_runtime.host.state.store.OPENING", 0.3)
    with contextlib.closing(apsw.Connection(str(tmp_path / DATABASE))) as other:
        other.execute("create table mine (a)")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HostError) as caught:
            StateStore(tmp_path / DATABASE)
        other.execute("ROLLBACK")
    assert caught.value.code == "PP532"
    with contextlib.closing(StateStore(tmp_path / DATABASE)) as store:
        assert store.profile()[1] == "Default Profile"


def test_a_start_waits_for_a_program_that_writes_for_a_moment(tmp_path):
    with contextlib.closing(apsw.Connection(str(tmp_path / DATABASE))) as other:
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(0.5, lambda: other.execute("ROLLBACK"))
        timer.start()
        with contextlib.closing(StateStore(tmp_path / DATABASE)) as store:
            assert store.profile()[1] == "Default Profile"
        timer.join()


def test_a_database_that_cannot_be_written_is_looked_at_and_says_so(tmp_path):
    """SQLite's own words for a file that was made read-only; root may write any file."""
    with contextlib.closing(StateStore(tmp_path / DATABASE)) as store:
        store.create("k", "trip", {})
        store._db.conn.execute("PRAGMA query_only = 1")
        with pytest.raises(HostError) as caught:
            store.write("k", {"a": 1})
        assert caught.value.code == "PP539"
        assert "cannot be written" in caught.value.message
        assert store.read("k")["created"]


def test_many_starts_beside_a_busy_writer(tmp_path):
    """Writes of a backup, one after the other: no start takes the database for a foreign file."""
    with contextlib.closing(StateStore(tmp_path / DATABASE)):
        pass
    over = threading.Event()

    def write():
        with contextlib.closing(apsw.Connection(str(tmp_path / DATABASE))) as other:
            other.set_busy_timeout(5000)
            while not over.is_set():
                other.execute("BEGIN IMMEDIATE")
                time.sleep(0.02)
                other.execute("COMMIT")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(30):
            StateStore(tmp_path / DATABASE).close()
    finally:
        over.set()
        writer.join()


def test_walks_ask_a_busy_server_again(tmp_path):
    """`pipulate run` beside a program that holds the database for a while gets to its end."""
    create_app(PLUGINS, tmp_path).state.store.close()
    command = [sys.executable, "-m", "transpiler", "run"]
    command += [str(PLUGINS / "010_trip_planner.py"), "--data", str(tmp_path)]
    with locked(tmp_path):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=recover.PATIENCE + 3)
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 0, text


def test_the_event_loop_is_free_while_a_change_waits(tmp_path):
    """In one process: other tasks go on while a request waits for the database."""

    async def test():
        app = create_app(PLUGINS, tmp_path)
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
        ):
            ticks = 0
            with locked(tmp_path):
                theme = asyncio.ensure_future(client.post("/theme", data={"theme": "dark"}))
                while ticks < 20:
                    await asyncio.sleep(0.01)
                    ticks += 1
                assert not theme.done()
            assert (await theme).status_code in (200, 303)

    asyncio.run(test())
