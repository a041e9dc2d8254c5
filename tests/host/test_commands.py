import contextlib
import json
import socket
import subprocess
import sys

import pytest

from pipulate_runtime.host.base import errors
from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.commands import serve
from pipulate_runtime.host.state.store import DATABASE, StateStore
from tests.host.helpers import PLUGINS, free_port

TRIP = PLUGINS / "010_trip_planner.py"
KEY = "Default_Profile-trip-01"


def fails(code, function, *arguments, **options):
    with pytest.raises(HostError) as caught:
        function(*arguments, **options)
    assert caught.value.code == code
    assert caught.value.remedy
    assert "{" not in caught.value.message + caught.value.remedy
    return caught.value


def test_rules_have_codes_of_their_own_and_exit_codes():
    codes = [rule.code for rule in errors.RULES]
    assert len(codes) == len(set(codes)) > 10
    assert all(code.startswith("PP5") for code in codes)
    assert {rule.exit_code for rule in errors.RULES} <= {1, 2, 130}


class TestServe:
    def test_a_folder_that_is_missing_or_empty(self, tmp_path):
        assert fails("PP501", serve.serve, tmp_path / "none", tmp_path).exit_code == 2
        assert fails("PP502", serve.serve, tmp_path, tmp_path / "data").exit_code == 2
        assert not (tmp_path / "data").exists()

    def test_a_port_in_use(self, tmp_path):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            error = fails("PP503", serve.serve, PLUGINS, tmp_path, port=port)
        assert (error.exit_code, str(port + 1) in error.remedy) == (1, True)

    @pytest.mark.parametrize(
        ("host", "port"), [("192.0.2.1", 5001), ("127.0.0.1", 99999), ("no.such.host.invalid", 0)]
    )
    def test_an_address_that_cannot_be_used(self, tmp_path, host, port):
        fails("PP504", serve.serve, PLUGINS, tmp_path, host=host, port=port)


@pytest.mark.parametrize(
    ("host", "written"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
        ("[::1]", "[::1]"),
        ("box.lan", "box.lan"),
    ],
)
def test_the_address_that_is_printed(host, written):
    assert serve._reachable(host) == written


@pytest.mark.parametrize(("host", "said"), [("0.0.0.0", True), ("127.0.0.1", False)])
def test_a_server_for_others_says_what_they_can_do(tmp_path, host, said):
    command = [sys.executable, "-m", "transpiler", "serve", str(PLUGINS), "--host", host]
    command += ["--data", str(tmp_path), "--port", str(free_port())]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        while "Open http" not in server.stdout.readline():
            pass
        server.terminate()
        problems = server.communicate(timeout=30)[1]
    assert ("PP564" in problems) == said
    assert ("There is no login" in problems) == said


class TestRun:
    def test_a_walk_says_what_each_step_gave(self, tmp_path, capsys):
        answers = {
            "step_01": {"people": "3"},
            "step_02": {"extras": "boat\nsauna", "breakfast": "off"},
        }
        assert serve.run(TRIP, answers, tmp_path, as_json=True) == 0
        walked = json.loads(capsys.readouterr().out)
        assert (walked["key"], walked["finalized"]) == (KEY, True)
        first, second, third = walked["steps"]
        assert first["answers"]["people"] == 3
        assert (second["answers"]["extras"], second["answers"]["breakfast"]) == (
            ["boat", "sauna"],
            False,
        )
        assert [output["kind"] for output in third["outputs"]] == [
            "stream",
            "execute_result",
            "display_data",
        ]
        assert third["outputs"][0]["text"] == "3 people, 3 nights"
        assert "Rooms" in third["outputs"][1]["text"].splitlines()[1]

    def test_in_words(self, tmp_path, capsys):
        serve.run(TRIP, {}, tmp_path)
        out = capsys.readouterr().out
        assert "2 people, 3 nights" in out
        assert out.rstrip().endswith("Finished.")

    def test_a_run_is_gone_on_with_by_its_key(self, tmp_path, capsys):
        error = fails("PP513", serve.run, TRIP, {"step_01": {"people": "x"}}, tmp_path, "mine")
        assert "--set step_01.people=" in error.remedy
        assert "pipeline_id" not in error.remedy
        assert serve.run(TRIP, {"step_01": {"people": "5"}}, tmp_path, "mine") == 0
        assert (
            serve.run(TRIP, {}, tmp_path, "mine") == 0
        )  # finished: nothing is asked, nothing changes
        capsys.readouterr()
        serve.runs_list(tmp_path, as_json=True)
        (only,) = json.loads(capsys.readouterr().out)
        assert (only["key"], only["state"]) == ("Default_Profile-trip-mine", "finished")

    def test_answers_nobody_asked_for(self, tmp_path):
        error = fails("PP512", serve.run, TRIP, {"step_01": {"peple": "1"}}, tmp_path)
        assert "step_01.people" in error.remedy
        fails("PP512", serve.run, TRIP, {"step_99": {"x": "1"}}, tmp_path)

    def test_no_plugin(self, tmp_path):
        fails("PP507", serve.run, tmp_path / "none.py", {}, tmp_path)
        (tmp_path / "bad.py").write_text("1 +")
        assert "SyntaxError" in fails("PP508", serve.run, tmp_path / "bad.py", {}, tmp_path).message

    def test_a_notebook_is_no_plugin(self, tmp_path):
        (tmp_path / "trip.ipynb").write_text("{}")
        error = fails("PP508", serve.run, tmp_path / "trip.ipynb", {}, tmp_path)
        assert "pipulate port" in error.remedy

    def test_a_step_that_fails(self, tmp_path, caplog):
        error = fails("PP514", serve.run, TRIP, {"step_02": {"nights": "many"}}, tmp_path)
        assert "step_02" in error.message
        assert "many" in error.message

    def test_no_notebook_without_cells(self, tmp_path):
        fails("PP517", serve.run, TRIP, {}, tmp_path, notebook_out=tmp_path / "out.ipynb")


class TestRuns:
    @pytest.fixture(autouse=True)
    def one_run(self, tmp_path, capsys):
        serve.run(TRIP, {}, tmp_path)
        capsys.readouterr()

    def test_list_show_export_delete(self, tmp_path, capsys):
        serve.runs_list(tmp_path)
        assert KEY in capsys.readouterr().out
        serve.runs_show(KEY, tmp_path)
        assert "people = 2" in capsys.readouterr().out
        serve.runs_show(KEY, tmp_path, as_json=True)
        shown = json.loads(capsys.readouterr().out)["data"]
        serve.runs_export(KEY, tmp_path / "out.json", tmp_path, format="json")
        assert json.loads((tmp_path / "out.json").read_text()) == shown
        serve.runs_delete([KEY], tmp_path)
        capsys.readouterr()
        serve.runs_list(tmp_path)
        assert "no runs yet" in capsys.readouterr().out

    @pytest.mark.parametrize("command", ["runs_show", "runs_export", "runs_delete"])
    def test_a_run_that_is_not_there(self, tmp_path, command):
        fails("PP509", getattr(serve, command), "nobody", data=tmp_path)

    def test_a_file_that_cannot_be_written(self, tmp_path):
        missing = tmp_path / "none" / "out.ipynb"
        fails("PP519", serve.run, TRIP, {}, tmp_path, "other", missing)
        with contextlib.closing(StateStore(tmp_path / DATABASE)) as store:
            assert [run.key for run in store.runs()] == [KEY]  # refused before anything ran
        for out in (missing, tmp_path):
            fails("PP519", serve.runs_export, KEY, out, tmp_path, format="json")

    def test_an_export_that_is_not_possible(self, tmp_path):
        fails("PP517", serve.runs_export, KEY, data=tmp_path, folder=PLUGINS)
        fails("PP501", serve.runs_export, KEY, data=tmp_path, folder=tmp_path / "none")
        (tmp_path / "empty").mkdir()
        fails("PP516", serve.runs_export, KEY, data=tmp_path, folder=tmp_path / "empty")
