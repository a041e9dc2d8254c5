"""The page of all runs, the commands for many runs, and what happens when the disk or the database does not play along."""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
import time
import zipfile
from datetime import UTC, datetime, timedelta

import apsw
import httpx
import nbformat
import pytest

from pipulate_runtime.cells.kernel import cleanup
from pipulate_runtime.cells.run import in_progress
from pipulate_runtime.cells.storage.folders import RunFolder
from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.base.logs import Outlet
from pipulate_runtime.host.commands import serve
from pipulate_runtime.host.pages import status
from pipulate_runtime.host.state.store import DATABASE, StateStore
from pipulate_runtime.host.walk.walk import as_typed
from tests.build import raw
from tests.conftest import ROOT
from tests.host.helpers import HTMX, PLUGINS, free_port, serving
from transpiler.model.options import Options
from transpiler.pipeline import port

SALES = PLUGINS.parent / "cell_plugins"
GENERATED = ROOT / "generated"
KEY = "Default_Profile-sales_report-one"


@contextlib.contextmanager
def opened(data):
    with contextlib.closing(StateStore(data / DATABASE)) as store:
        yield store


def gone(folder):
    """Wait until the server has deleted a folder."""
    for _ in range(500):
        if not folder.exists():
            return
        time.sleep(0.02)
    raise AssertionError(f"{folder} is left")


def made(data, *names, **state):
    """Runs of the sales report."""
    with opened(data) as store:
        for name in names:
            key = f"Default_Profile-sales_report-{name}"
            store.create(key, "sales_report", dict(state))
            RunFolder(data, "sales_report", key).work.mkdir(parents=True)


def aged(data, key, days):
    with opened(data) as store, store._writing():
        stamp = (datetime.now(UTC) - timedelta(days=days)).isoformat()
        store._db.conn.execute("update pipeline set updated = ? where pkey = ?", (stamp, key))


def note_of(data, key, step, **change):
    folder = RunFolder(data, "sales_report", key)
    in_progress.begin(folder, step, time.time() - 65)
    path = folder.path / "unfinished" / f"{step}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))


PARENT = os.getppid()
ELSEWHERE = {"server": PARENT, "server_born": cleanup.start_time(PARENT), "server_birth": None}
DEAD = {"server": 2**22 + 1, "server_born": 1.0, "server_birth": None}


class TestPage:
    def test_each_state_has_its_words(self, make_client, tmp_path):
        data = tmp_path / "data"
        made(data, "fresh", "runs", "failed")
        made(data, "done", finalize={"finalized": True})
        note_of(data, "Default_Profile-sales_report-runs", "step_02", **ELSEWHERE)
        note_of(data, "Default_Profile-sales_report-failed", "step_01", **DEAD)
        page = make_client(GENERATED).get("/runs").text
        for words in (
            "Next: The orders",
            "Running: Choose an amount",
            "1 min 05 s",
            "Failed: The orders",
            "Finished",
        ):
            assert words in page
        assert 'hx-trigger="every 5s"' in page
        assert page.count(">Stop<") == 1

    def test_a_run_of_a_workflow_that_is_gone_is_listed_too(self, make_client, tmp_path):
        made(tmp_path / "data", "one")
        page = make_client(PLUGINS).get("/runs").text
        assert "not installed" in page
        assert "every 5s" not in page

    def test_pages(self, make_client, tmp_path):
        made(tmp_path / "data", *(f"n{n}" for n in range(24)))
        client = make_client(GENERATED)
        pages = [client.get(f"/runs?page={n}").text for n in (0, 1, 2)]
        assert [page.count('class="run-item"') for page in pages] == [10, 10, 4]
        assert "11 to 20 of 24" in pages[1]
        assert client.get("/runs?page=99").text.count('class="run-item"') == 4
        assert client.get("/runs?page=-1x").status_code == 200

    def test_delete_and_bring_back(self, client, trip):
        answer = client.post("/runs/discard", data={"run": trip.key, "page": "0"}, headers=HTMX)
        assert "was deleted" in answer.text
        assert trip.state == {}
        client.post("/runs/bring-back", data={"run": trip.key}, headers=HTMX)
        assert trip.state

    def test_old_ones_are_deleted_with_their_files_and_what_runs_is_not(
        self, make_client, tmp_path
    ):
        data = tmp_path / "data"
        made(data, "old", "new", "runs")
        keys = {n: f"Default_Profile-sales_report-{n}" for n in ("old", "new", "runs")}
        for name in ("old", "runs"):
            aged(data, keys[name], 31)
        client = make_client(GENERATED)
        # as if this server executed it
        cells = client.app.state.loaded.by_app["sales_report"].instance.cells
        note_of(data, keys["runs"], "step_01", **ELSEWHERE)
        assert cells.execution(keys["runs"], "step_01").running
        assert "1 run was deleted" in client.post("/runs/prune", data={"days": "30"}).text
        assert [run.key for run in client.app.state.store.runs()] == [keys["new"], keys["runs"]]
        gone(RunFolder(data, "sales_report", keys["old"]).path)
        assert RunFolder(data, "sales_report", keys["runs"]).path.exists()

    def test_what_was_marked_before_a_kill_is_deleted_at_the_next_start(
        self, make_client, tmp_path
    ):
        data = tmp_path / "data"
        made(data, *(f"{n:03}" for n in range(60)))
        with opened(data) as store:  # and then the server was killed
            keys = [run.key for run in store.runs()]
            assert store.delete(*keys[:55], at=status.before(timedelta(days=1))) == 55
        client = make_client(GENERATED)
        for key in keys[:55]:
            gone(RunFolder(data, "sales_report", key).path)
        assert len(client.app.state.store.known()) == 5
        assert all(RunFolder(data, "sales_report", key).path.exists() for key in keys[55:])

    def test_folders_without_a_run_are_said_and_deleted_when_asked(self, make_client, tmp_path):
        data = tmp_path / "data"
        made(data, "one")
        lost = RunFolder(data, "sales_report", "lost")
        lost.work.mkdir(parents=True)
        (data / "runs" / "notes of mine").mkdir()
        client = make_client(GENERATED)
        assert "1 folder belongs to no run" in client.get("/runs").text
        assert lost.path.exists()
        assert "belongs to no run" not in client.post("/runs/leftover").text
        assert not lost.path.exists()
        assert RunFolder(data, "sales_report", KEY).path.exists()
        assert (data / "runs" / "notes of mine").exists()

    def test_all_as_notebooks(self, make_client, tmp_path):
        made(tmp_path / "data", "one", "../two")
        answer = make_client(GENERATED).get("/runs/export")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.testzip() is None
            names = archive.namelist()
            nbformat.validate(nbformat.reads(archive.read(names[0]).decode(), as_version=4))
        assert len(names) == 2
        assert all(name.count("/") == 1 for name in names)

    @pytest.mark.kernel
    @pytest.mark.parametrize("where", ["here", "in another program"])
    @pytest.mark.slow
    def test_what_runs_is_stopped(self, tmp_path, where):
        notebook = tmp_path / "endless.ipynb"
        notebook.write_bytes(raw("import time\nwhile True: time.sleep(0.01)"))
        port(notebook, tmp_path / "plugins", Options())
        plugin, data = tmp_path / "plugins" / "endless.py", tmp_path / "data"
        run = {"pipeline_id": "Default_Profile-endless-x"}
        with (
            serving(tmp_path / "plugins", data) as served,
            httpx.Client(base_url=served.url, headers=HTMX, timeout=30) as client,
            contextlib.ExitStack() as stack,
        ):

            def until(words):
                for _ in range(1200):
                    if words in client.get("/runs").text:
                        return
                    time.sleep(0.05)
                raise AssertionError(words)

            if where == "here":
                client.post("/endless/init", data={"pipeline_id": "x"})
                client.post("/endless/step_01_submit", data=run)
            else:
                command = [sys.executable, "-m", "transpiler", "run", str(plugin)]
                command += ["--key", "x", "--data", str(data)]
                other = stack.enter_context(
                    subprocess.Popen(
                        command, cwd=ROOT, stdout=-1, stderr=subprocess.STDOUT, text=True
                    )
                )
                stack.callback(other.kill)
            until("Running: ")
            client.post("/runs/stop", data={"run": run["pipeline_id"], "page": "0"})
            until("Failed: ")
            assert "You stopped this step" in client.get("/endless/step_01", params=run).text
            if where != "here":
                assert "You stopped this step" in " ".join(other.communicate(timeout=60)[0].split())
                assert other.returncode == 1


class TestCommands:
    def test_the_list(self, tmp_path, capsys):
        made(tmp_path, "one", "two", step_01={"ran": True})
        note_of(tmp_path, KEY, "step_02", **ELSEWHERE)
        RunFolder(tmp_path, "sales_report", "lost").work.mkdir(parents=True)
        serve.runs_list(tmp_path)
        out = capsys.readouterr().out
        assert "Running: step_02" in out
        assert "1 step done" in out
        assert "--leftover" in out
        serve.runs_list(tmp_path, as_json=True)
        rows = {row["key"]: row for row in json.loads(capsys.readouterr().out)}
        assert (rows[KEY]["state"], rows[KEY]["step"]) == ("running", "step_02")
        assert rows[KEY]["size"] > 0

    def test_what_runs_is_not_deleted(self, tmp_path, capsys):
        made(tmp_path, "one", "two")
        note_of(tmp_path, KEY, "step_01", **ELSEWHERE)
        assert serve.runs_delete([KEY, "Default_Profile-sales_report-two"], tmp_path) == 1
        with opened(tmp_path) as store:
            assert [run.key for run in store.runs()] == [KEY]

    def test_old_ones(self, tmp_path):
        made(tmp_path, "one", "two")
        aged(tmp_path, KEY, 31)
        assert serve.old_runs(serve.length_of("30d"), tmp_path) == [KEY]
        assert serve.old_runs(serve.length_of("5w"), tmp_path) == []

    def test_leftover(self, tmp_path, capsys):
        made(tmp_path, "one")
        (tmp_path / DATABASE).rename(tmp_path / "away.db")
        (found,) = serve.leftover(tmp_path)
        serve.leftover_delete([found])
        assert "Deleted: 1 folder" in capsys.readouterr().out
        assert serve.leftover(tmp_path) == []

    def test_export_all(self, tmp_path, capsys):
        made(tmp_path, "one", "two")
        with opened(tmp_path) as store:
            store.create("other", "gone", {})
        serve.runs_export_all(tmp_path / "all.zip", tmp_path, GENERATED)
        said = capsys.readouterr()
        assert "2 notebooks" in said.out
        assert "has no plugin for the run 'other'" in said.err
        assert len(zipfile.ZipFile(tmp_path / "all.zip").namelist()) == 2

    @pytest.mark.parametrize("text", ["", "30", "d", "thirty days", "-3d", "1e9w", "9" * 400 + "d"])
    def test_what_is_no_length_of_time(self, text):
        with pytest.raises(HostError) as caught:
            status.length_of(text)
        assert caught.value.code == "PP534"

    @pytest.mark.parametrize("option", ["kernel_memory", "step_output"])
    def test_what_is_no_size(self, tmp_path, option):
        with pytest.raises(HostError) as caught:
            serve.serve(PLUGINS, tmp_path, **{option: "much"})
        assert caught.value.code == "PP535"


@pytest.mark.kernel
def test_a_step_that_fails_is_executed_once_a_walk(tmp_path):
    """And again when somebody goes on with the run."""
    seen = tmp_path / "seen.txt"
    notebook = tmp_path / "fails.ipynb"
    notebook.write_bytes(raw(f"with open({str(seen)!r}, 'a') as file: file.write('x')\n1 / 0"))
    port(notebook, tmp_path / "plugins", Options())
    for times in ("x", "xx"):
        with pytest.raises(HostError, match="ZeroDivisionError"):
            serve.run(tmp_path / "plugins" / "fails.py", {}, tmp_path / "data", key="one")
        assert seen.read_text() == times


class TestFrom:
    TRIP = PLUGINS / "010_trip_planner.py"

    def test_a_run_with_the_answers_of_another_one(self, tmp_path, capsys):
        first = {
            "step_01": {"people": "3"},
            "step_02": {"extras": "boat\nsauna", "breakfast": "off"},
        }
        serve.run(self.TRIP, first, tmp_path, "first")
        capsys.readouterr()
        again = {"step_01": {"people": "7"}}
        serve.run(self.TRIP, again, tmp_path, as_json=True, source="first")
        walked = json.loads(capsys.readouterr().out)
        assert walked["key"] == "Default_Profile-trip-01"
        one, two = (step["answers"] for step in walked["steps"][:2])
        assert one["people"] == 7
        assert (two["extras"], two["breakfast"]) == (["boat", "sauna"], False)

    def test_runs_that_do_not_fit(self, tmp_path):
        made(tmp_path, "one")
        serve.run(self.TRIP, {}, tmp_path, "first")
        for code, key, source in (
            ("PP509", None, "nobody"),
            ("PP511", None, KEY),
            ("PP533", "first", "first"),
        ):
            with pytest.raises(HostError) as caught:
                serve.run(self.TRIP, {}, tmp_path, key, source=source)
            assert caught.value.code == code

    @pytest.mark.parametrize(
        ("value", "typed"),
        [
            (True, "on"),
            (False, "off"),
            (None, ""),
            (2.5, "2.5"),
            (["a", "b"], "a\nb"),
            ({"a": 1}, '{"a": 1}'),
            ([[1]], "[[1]]"),
        ],
    )
    def test_answers_as_they_are_typed(self, value, typed):
        assert as_typed(value) == typed

    @pytest.mark.kernel
    @pytest.mark.slow
    def test_from_cron(self, tmp_path):
        """No terminal, no HOME, nothing but a short PATH in the environment."""
        command = [sys.executable, "-m", "transpiler", "run", str(GENERATED / "sales_report.py")]
        command += ["--data", str(tmp_path)]
        env = {"PATH": "/usr/bin:/bin"}

        def cron(*more):
            return subprocess.run(
                [*command, *more], cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=120, start_new_session=True,
            )  # fmt: skip

        done = cron("--key", "one", "--set", "step_02.limit=800")
        assert done.returncode == 0, done.stderr
        done = cron("--from", "one", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["steps"][1]["answers"] == {"limit": 800}


def _nothing(sql):
    """Values for the places of a statement."""
    named = dict.fromkeys(re.findall(r":(\w+)", sql), 1)
    return named or (1,) * sql.count("?")


class TestDatabase:
    def test_locked_by_another_program(self, tmp_path):
        with opened(tmp_path) as store:
            store.create("k", "trip", {})
            store.wait_at_most(0.01)
            with contextlib.closing(apsw.Connection(str(tmp_path / DATABASE))) as other:
                other.execute("BEGIN IMMEDIATE")
                with pytest.raises(HostError) as caught:
                    store.write("k", {"a": 1})
                assert caught.value.code == "PP532"
                assert "a" not in store.read("k")
                other.execute("ROLLBACK")
            store.write("k", {"a": 1})
            assert store.read("k")["a"] == 1

    def test_a_full_disk_and_then_room(self, tmp_path):
        with opened(tmp_path) as store:
            store.create("k", "trip", {})
            pages = store._db.conn.pragma("page_count")
            store._db.conn.pragma("max_page_count", pages + 2)  # SQLite's own full disk
            with pytest.raises(HostError) as caught:
                store.write("k", {"a": "x" * 1_000_000})
            assert caught.value.code == "PP531"
            store._db.conn.pragma("max_page_count", pages + 10_000)
            store.write("k", {"a": "x" * 1_000_000})
            assert len(store.read("k")["a"]) == 1_000_000

    def test_the_host_says_so_and_goes_on(self, client, trip):
        store = client.app.state.store
        store.wait_at_most(0.01)
        with contextlib.closing(apsw.Connection(str(store.path))) as other:
            other.execute("BEGIN IMMEDIATE")
            answer = trip.post("step_01_submit", people="2", notes="")
            assert "another program uses the data" in answer.text
            assert client.get("/").status_code == 200
            other.execute("ROLLBACK")
        assert 'data-state="done"' in trip.post("step_01_submit", people="2", notes="").text

    def test_pages_read_the_runs_that_they_show(self, make_client, tmp_path):
        """Whatever a page asks, the database finds it by an index: no request reads through the states of runs."""
        made(tmp_path / "data", *(f"{n:02}" for n in range(40)))
        client = make_client(GENERATED)
        store, asked = client.app.state.store, set()
        key = {"run": "Default_Profile-sales_report-05"}
        store._db.conn.exec_trace = lambda _, sql, __: asked.add(sql) or True
        pages = ["/", "/sales_report", "/runs", "/runs?page=2", "/runs/older?app=sales_report"]
        for page in [*pages, f"/sales_report?run={key['run']}", "/tasks", "/chat"]:
            assert client.get(page, headers=HTMX).status_code == 200
        name = {"pipeline_id": ""}
        assert client.post("/sales_report/init", data=name, headers=HTMX).status_code == 200
        assert client.post("/runs/discard", data=key, headers=HTMX).status_code == 200
        store._db.conn.exec_trace = None
        reads = [sql for sql in asked if " pipeline" in sql and sql.lower().startswith("select")]
        assert len(reads) > 5
        for sql in reads:
            plan = store._db.conn.execute(f"explain query plan {sql}", _nothing(sql)).fetchall()
            scans = [row[3] for row in plan if row[3].startswith("SCAN pipeline")]
            assert all("USING" in step and "INDEX" in step for step in scans), (sql, plan)

    def test_lists_do_not_read_through_the_states(self, store):
        plan = store._db.conn.execute(
            "explain query plan select * from pipeline where app_name = 'a' order by updated desc limit 10"
        ).fetchall()
        assert "USING INDEX pipeline_of_app" in str(plan)
        assert "TEMP B-TREE" not in str(plan)


def test_a_pipe_that_nobody_reads_does_not_stop_the_server(tmp_path):
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "transpiler", "serve", str(PLUGINS), "--data", str(tmp_path)]
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 4096)
    os.set_blocking(writing, True)
    number = free_port()
    server = subprocess.Popen(
        [*command, "--port", str(number)], cwd=ROOT, stdout=writing, stderr=writing
    )
    try:
        for _ in range(400):
            with contextlib.suppress(httpx.HTTPError):
                assert httpx.get(f"http://127.0.0.1:{number}/", timeout=5).status_code == 200
                break
            time.sleep(0.05)
        else:
            raise AssertionError("the server does not answer")
        server.terminate()
        server.wait(timeout=20)
    finally:
        server.kill()
        server.wait()
        os.close(reading)
        os.close(writing)


def test_an_outlet_writes_all_when_somebody_reads():
    to = io.StringIO()
    outlet = Outlet(to)
    for number in range(1000):
        print(number, file=outlet)
    outlet.end()
    assert to.getvalue().split() == [str(n) for n in range(1000)]
