"""A notebook dropped on the home page: the plan, the plugin, the merge, and what is refused. With the real compiler."""

import json
import os
import re
import subprocess

import pytest
from starlette.testclient import TestClient

from pipulate_runtime.host.app import create_app
from pipulate_runtime.host.workshop.tools import Tools
from tests.conftest import ROOT
from tests.helpers import notebook_bytes
from transpiler.features import host_porter as porters
from transpiler.features.host_porter import Porter
from transpiler.model.rules import all_rules

HELLO = (ROOT / "fixtures" / "hello.ipynb").read_bytes()
HTMX = {"HX-Request": "true"}
LOCAL = "http://127.0.0.1"
REAL = (
    "test_a_drop_shows_the_plan_and_a_button_installs_it",
    "test_a_compiler_that_ends_badly_is_a_message",
    "test_the_porter_imports_nothing_from_the_folder_the_server_was_started_in",
    "test_what_the_porters_process_prints_is_not_taken_for_its_report",
)


@pytest.fixture(autouse=True)
def without_a_process(request, monkeypatch):
    """Most tests port in this process: the same code, and no start of Python for each port."""
    if request.node.originalname not in REAL:

        def report(notebook, folder, wish):
            return json.loads(json.dumps(porters.report_of(notebook, folder, wish)))

        monkeypatch.setattr(porters, "_in_a_process", report)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "plugins"
    made.mkdir()
    return made


@pytest.fixture
def client(tmp_path, folder):
    tools = Tools(Porter(folder), pages=True)
    app = create_app(folder, tmp_path / "data", tools=tools)
    with TestClient(app, base_url=LOCAL) as opened:
        yield opened


def drop(client, *files, **headers):
    sent = [("files", (name, content)) for name, content in files]
    return client.post("/port/plan", files=sent, headers={**HTMX, **headers})


def token_of(answer):
    found = re.search(r'name="token" value="([0-9a-f]{16})"', answer.text) or re.search(
        r'value="([0-9a-f]{16})"', answer.text
    )
    assert found, answer.text
    return found[1]


def install(client, answer):
    return client.post("/port/install", data={"token": token_of(answer)}, headers=HTMX)


def test_an_empty_folder_invites_to_drop_a_notebook(client):
    page = client.get("/").text
    assert "Welcome" in page
    assert 'type="file"' in page
    assert client.get("/hello").status_code == 404


def test_a_drop_shows_the_plan_and_a_button_installs_it(client, folder, tmp_path):
    answer = drop(client, ("hello.ipynb", HELLO))
    assert "Enter Your Name" in answer.text
    assert "a (text)" in answer.text
    assert "Install the workflow" in answer.text
    assert list(folder.iterdir()) == []  # nothing yet

    done = install(client, answer)
    assert "“Hello” is installed" in done.text
    assert done.headers["hx-trigger"] == "plugins-changed"
    assert (folder / "hello.py").is_file()
    assert (folder / "notebooks" / "hello" / "hello.ipynb").read_bytes() == HELLO
    assert list((tmp_path / "data" / "dropped").iterdir()) == []

    # live, without a restart
    assert "Hello" in client.get("/").text
    assert client.get("/hello").status_code == 200
    begun = client.post("/hello/init", data={"pipeline_id": "one"}, headers=HTMX)
    assert begun.status_code == 200
    key = "Default_Profile-hello-one"
    card = client.get("/hello/step_01", params={"pipeline_id": key}, headers=HTMX).text
    assert 'data-state="input"' in card


def test_nothing_of_a_dropped_notebook_is_executed(client, folder, tmp_path):
    witness = tmp_path / "it ran"
    text = f"# %%\nfrom pathlib import Path\nPath({str(witness)!r}).touch()\n# %%\n!touch '{witness}'\n# %%\n%run x.py\n"
    answer = drop(client, ("trip.ipynb", notebook_bytes(text)))
    install(client, answer)
    client.get("/trip")
    assert (folder / "trip.py").is_file()
    assert not witness.exists()


def test_a_drop_onto_a_plugin_of_that_name_merges_and_keeps_edits(client, folder):
    install(client, drop(client, ("hello.ipynb", HELLO)))
    plugin = folder / "hello.py"
    edited = plugin.read_text().replace('DISPLAY_NAME = "Hello"', 'DISPLAY_NAME = "Good day"')
    plugin.write_text(edited)
    changed = json.loads(HELLO)
    changed["cells"][-1]["source"] = ['print("Hello, " + a + "!")']
    # a browser names a second download like this
    answer = drop(client, ("hello (1).ipynb", json.dumps(changed).encode()))
    assert "Update the workflow" in answer.text
    assert "keeps edits made by hand" in answer.text
    done = install(client, answer)
    assert "“Good day” is installed" in done.text
    text = plugin.read_text()
    assert 'DISPLAY_NAME = "Good day"' in text
    assert 'print("Hello, " + a + "!")' in text
    assert list(folder.glob("*.py")) == [plugin]
    assert "Good day" in client.get("/hello").text
    # the kept notebook is the new one, so the next port finds nothing to do
    assert json.loads((folder / "notebooks/hello/hello.ipynb").read_bytes()) == changed
    assert Porter(folder).again(folder / "notebooks/hello/hello.ipynb")["changed"] is False


def test_a_notebook_of_the_owner_is_never_overwritten(client, folder, tmp_path):
    own = tmp_path / "hello.ipynb"
    own.write_bytes(HELLO)
    assert Porter(folder).again(own)["ok"]
    client.app.state.served.refresh(folder / "hello.py")
    changed = HELLO.replace(b"Enter Your Name", b"Your name")
    install(client, drop(client, ("hello.ipynb", changed)))
    assert own.read_bytes() == HELLO
    assert not (folder / "notebooks").exists()
    assert "Your name" in (folder / "hello.py").read_text()


def test_files_that_come_with_it_travel_with_the_plugin(client, folder):
    report = (ROOT / "fixtures" / "sales_report.ipynb").read_bytes()
    data = (ROOT / "fixtures" / "sales.csv").read_bytes()
    answer = drop(client, ("sales_report.ipynb", report), ("sales.csv", data))
    assert "sales.csv" in answer.text
    install(client, answer)
    assert (folder / "sales_report.files" / "sales.csv").read_bytes() == data
    # dropped again without its data: it keeps what it has
    install(client, drop(client, ("sales_report.ipynb", report.replace(b"By region", b"Regions"))))
    assert (folder / "sales_report.files" / "sales.csv").read_bytes() == data


def test_the_notebook_that_was_dropped_is_installed_not_one_that_it_runs(client, folder, tmp_path):
    """The files of its plugin lie beside it when the plan is made; `a_helper.ipynb` comes first in the alphabet."""
    trip, helper = tmp_path / "trip.ipynb", tmp_path / "a_helper.ipynb"
    trip.write_bytes(notebook_bytes("# %%\n%run a_helper.ipynb\n# %%\nx = 1\nx\n"))
    helper.write_bytes(notebook_bytes("# %%\nprint('helper')\n"))
    assert Porter(folder).again(trip)["files"] == ["a_helper.ipynb"]
    answer = drop(client, ("trip.ipynb", trip.read_bytes().replace(b"x = 1", b"x = 2")))
    assert "Update the workflow" in answer.text
    assert "“Trip” is installed" in install(client, answer).text
    assert [path.name for path in folder.glob("*.py")] == ["trip.py"]
    assert "x = 2" in (folder / "trip.py").read_text()

    again = drop(client, ("trip.ipynb", trip.read_bytes()))
    client.post("/port/discard", data={"token": token_of(again)}, headers=HTMX)
    assert list((tmp_path / "data" / "dropped").iterdir()) == []
    assert "PP558" in install(client, again).text


def test_what_cannot_be_ported_is_said_with_code_place_and_remedy(client, folder):
    broken = notebook_bytes("# %%\nx = 1\n# %%\nif x\n    y = 2\n")
    answer = drop(client, ("trip.ipynb", broken))
    text = answer.text
    assert "trip.ipynb" in text
    assert re.search(r"PP2\d\d|PP1\d\d", text)
    # whether it is refused or kept as text, every finding has its line, its marks and its help
    if "cannot be ported" in text:
        assert "Install" not in text
    not_json = drop(client, ("trip.ipynb", b"no notebook"))
    assert "trip.ipynb cannot be ported" in not_json.text
    assert "PP101" in not_json.text
    assert "Give a file that Jupyter saved" in not_json.text
    assert "Install" not in not_json.text
    assert list(folder.iterdir()) == []


def test_a_plugin_that_is_not_ours_is_left_alone(client, folder):
    (folder / "hello.py").write_text("# mine\n")
    answer = drop(client, ("hello.ipynb", HELLO))
    assert re.search(r"PP40\d", answer.text)
    assert "Install" not in answer.text
    assert (folder / "hello.py").read_text() == "# mine\n"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/hello.ipynb", "hello.ipynb"),
        ("C:\\x\\hello.IPYNB", "hello.ipynb"),
        ("a\x00b<script>.ipynb", "a_b_script_.ipynb"),
        ("...", "file"),
        ("", "file"),
        ("..", "file"),
        (".bashrc", "bashrc"),
        ("x/..ipynb", "ipynb"),
        (" .ipynb", "notebook.ipynb"),
        ('a\n"b"|c?*.csv ', "a__b__c__.csv"),
        ("gpj\u202evsc.exe", "gpj_vsc.exe"),
        ("half \ud800.csv", "half _.csv"),
        ("é" * 150 + ".csv", "é" * 98 + ".csv"),
        ("é" * 150 + ".ipynb", "é" * 100 + ".ipynb"),
    ],
)
def test_names_lose_what_a_name_must_not_have(name, kept):
    from pipulate_runtime.host.workshop.port import safe_name

    assert safe_name(name) == kept


@pytest.mark.parametrize(
    "name",
    [
        "R&D, 2024.csv",
        "50% of [x] = y #1; it's @home!~`^.csv",
        " a  b.csv",
        "Größe 東京 👩\u200d🚀.csv",
        "sales (1).csv",
        "long " * 30 + ".csv",
    ],
)
def test_a_data_file_keeps_the_name_by_which_the_notebook_reads_it(name, client, folder):
    text = notebook_bytes(f"# %%\nopen({name!r}).read()\n")
    answer = drop(client, ("R&D's [1].ipynb", text), (name, b"a,b\n"))
    assert "PP305" not in answer.text
    install(client, answer)
    assert (folder / "r_d_s_1.files" / name).read_bytes() == b"a,b\n"
    assert (folder / "notebooks" / "R&D's [1]" / "R&D's [1].ipynb").read_bytes() == text
    assert Porter(folder).again(folder / "notebooks" / "R&D's [1]" / "R&D's [1].ipynb")["ok"]


def test_two_files_of_one_name_are_refused_by_that_name(client, folder, tmp_path):
    same = drop(client, ("hello.ipynb", HELLO), ("a:b.csv", b"1"), ("a|b.csv", b"2"))
    assert "PP559" in same.text
    assert "both be saved as a_b.csv" in same.text
    assert "PP557" in drop(client, ("a.ipynb", HELLO), ("a (1).ipynb", HELLO)).text
    assert list((tmp_path / "data" / "dropped").iterdir()) == []


def test_what_is_refused_before_the_compiler_sees_it(client, monkeypatch, folder):
    two = drop(client, ("a.ipynb", HELLO), ("b.ipynb", HELLO))
    assert "PP557" in two.text
    assert "PP557" in drop(client, ("a.csv", b"1")).text
    from pipulate_runtime.host.workshop import port

    monkeypatch.setattr(port, "LARGEST", 100)
    assert "PP556" in drop(client, ("a.ipynb", HELLO)).text
    chunked = client.post("/port/plan", content=iter([b"x"]), headers=HTMX)
    assert "PP555" in chunked.text
    for token in ("0" * 16, "../../x", ""):
        gone = client.post("/port/install", data={"token": token}, headers=HTMX)
        assert "PP558" in gone.text
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("known_by_its_folder_only", [False, True])
def test_the_porter_imports_nothing_from_the_folder_the_server_was_started_in(
    tmp_path, folder, monkeypatch, known_by_its_folder_only
):
    """Names that the standard library has, or that we have; and a process that finds our packages nowhere else."""
    here, notebook = tmp_path / "here", tmp_path / "hello.ipynb"
    here.mkdir()
    notebook.write_bytes(HELLO)
    for name in ("types", "secrets", "token", "json", "random", "html", "black"):
        (here / f"{name}.py").write_text("open('it ran', 'a').close()\nprint('hello')\n1 / 0\n")
    monkeypatch.chdir(here)
    if known_by_its_folder_only:
        monkeypatch.delenv("PYTHONPATH", raising=False)
    else:
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
    report = Porter(folder).plan(notebook)
    assert report["ok"], report
    assert report["title"] == "Hello"
    assert not (here / "it ran").exists()


def test_what_the_porters_process_prints_is_not_taken_for_its_report(tmp_path, folder, monkeypatch):
    """A `sitecustomize` of the owner's is imported by every Python."""
    customs, notebook = tmp_path / "customs", tmp_path / "hello.ipynb"
    customs.mkdir()
    (customs / "sitecustomize.py").write_text(
        "import atexit\nprint('{')\natexit.register(print, '}')\n"
    )
    notebook.write_bytes(HELLO)
    monkeypatch.setenv("PYTHONPATH", f"{customs}{os.pathsep}{ROOT}")
    assert Porter(folder).plan(notebook)["ok"]


def test_another_site_cannot_drop_anything(client):
    assert drop(client, ("hello.ipynb", HELLO), Origin="http://evil.example").status_code == 403


def test_without_the_tools_there_is_nothing_to_drop_on(tmp_path, folder):
    app = create_app(folder, tmp_path / "data2", tools=Tools(Porter(folder), pages=False))
    with TestClient(app, base_url=LOCAL) as client:
        assert 'type="file"' not in client.get("/").text
        assert drop(client, ("hello.ipynb", HELLO)).status_code == 404
        assert client.get("/log").status_code == 404


def test_a_compiler_that_ends_badly_is_a_message(monkeypatch, tmp_path):
    ended = subprocess.CompletedProcess([], -9, stdout=b"", stderr=b"")
    monkeypatch.setattr(porters.subprocess, "run", lambda *a, **k: ended)
    report = Porter(tmp_path).plan(tmp_path / "x.ipynb")
    assert report["ok"] is False
    assert [one["code"] for one in report["diagnostics"]] == ["PP440"]
    assert "PP440" in {rule.code for rule in all_rules()}

    def late(*args, **options):
        raise subprocess.TimeoutExpired("port", 120)

    monkeypatch.setattr(porters.subprocess, "run", late)
    assert "120 s" in Porter(tmp_path).plan(tmp_path / "x.ipynb")["diagnostics"][0]["message"]
