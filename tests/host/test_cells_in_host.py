"""Plugins with cells, in the host: walked headless, exported, resumed."""

import json

import nbformat
import pytest

from pipulate_runtime.cells.storage.folders import RunFolder
from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.commands import serve
from pipulate_runtime.host.state.store import DATABASE
from tests.host.helpers import HTMX, PLUGINS

pytestmark = pytest.mark.kernel
SALES = PLUGINS.parent / "cell_plugins" / "010_sales.py"


def test_a_walk_runs_the_cells_and_gives_an_executed_notebook(tmp_path, capsys):
    out = tmp_path / "out.ipynb"
    serve.run(
        SALES, {"step_02": {"limit": "100"}}, tmp_path / "data", notebook_out=out, as_json=True
    )
    walked = json.loads(capsys.readouterr().out)
    outputs = {step["id"]: step["outputs"] for step in walked["steps"]}
    assert outputs["step_01"] == []
    assert [(o["kind"], o["name"] or o["mime"]) for o in outputs["step_02"]] == [
        ("stream", "stdout"),
        ("stream", "stderr"),
        ("execute_result", "text/html"),
    ]
    assert outputs["step_02"][0]["text"].strip() == "2 of 4 regions"
    assert "image/png" in [o["mime"] for o in outputs["step_03"]]
    notebook = nbformat.read(out, as_version=4)
    nbformat.validate(notebook)
    assert [cell.id for cell in notebook.cells if cell.cell_type == "code"] == ["c1", "c2", "c3"]


def test_a_step_that_fails_is_said_and_the_run_goes_on_later_with_another_answer(tmp_path, capsys):
    data = tmp_path / "data"
    with pytest.raises(HostError) as caught:
        serve.run(SALES, {"step_02": {"limit": "0"}}, data, "mine")
    assert caught.value.code == "PP514"
    assert "ZeroDivisionError" in caught.value.message
    assert (
        serve.run(SALES, {"step_02": {"limit": "100"}}, data, "mine") == 0
    )  # in a new server: replayed
    serve.runs_export("Default_Profile-sales-mine", tmp_path / "e.ipynb", data, SALES.parent)
    nbformat.validate(nbformat.read(tmp_path / "e.ipynb", as_version=4))
    serve.runs_delete(["Default_Profile-sales-mine"], data)
    assert not [path for path in data.rglob("*") if "mine" in path.name]


def test_a_run_that_another_program_deletes_while_a_step_runs_is_gone(tmp_path):
    plugin = tmp_path / "010_sales.py"
    text = SALES.read_text(encoding="utf-8")
    before, data = "    def step_02_cell(form):\n", tmp_path / "data"
    delete = (
        "        import sqlite3\n"
        f"        with sqlite3.connect({str(data / DATABASE)!r}) as store:\n"
        "            store.execute('delete from pipeline')\n"
    )
    assert before in text
    plugin.write_text(text.replace(before, before + delete), encoding="utf-8")
    with pytest.raises(HostError) as caught:
        serve.run(plugin, {"step_02": {"limit": "100"}}, data, "mine")
    assert caught.value.code == "PP509"


@pytest.mark.parametrize("path", ["step_02", "live/step_02", "live/step_02?execution=x&seen=0"])
def test_whatever_is_asked_of_a_run_that_is_gone(make_client, path):
    client = make_client(SALES.parent)
    given = {"pipeline_id": "Default_Profile-sales-nobody"}
    answer = client.get(f"/sales/{path}", params=given, headers=HTMX)
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (200, "#sales-container")
    assert "This run no longer exists" in answer.text
    page = client.get(f"/sales/{path}", params=given)  # without a script
    assert page.text.count("<html") == 1
    assert "This run no longer exists" in page.text


@pytest.mark.slow
def test_a_walk_copies_what_the_cells_wrote(tmp_path, capsys):
    plugin = tmp_path / "010_sales.py"
    text = SALES.read_text(encoding="utf-8")
    before = "    def step_02_cell(form):\n"
    assert before in text
    write = "        import os; os.makedirs('out'); open('out/é.txt', 'w').write('1')\n"
    plugin.write_text(text.replace(before, before + write), encoding="utf-8")
    there = tmp_path / "there"
    there.mkdir()
    (there / "kept.txt").write_text("")
    answers = {"step_02": {"limit": "100"}}
    serve.run(plugin, answers, tmp_path / "data", "a", files_out=there)
    assert f"Copied to {there}: 1 file\n" in capsys.readouterr().out
    assert (there / "out" / "é.txt").read_text() == "1"
    assert (there / "kept.txt").exists()

    deep = tmp_path / "not" / "there" / "yet"
    serve.run(plugin, answers, tmp_path / "data", "b", as_json=True, files_out=deep)
    assert json.loads(capsys.readouterr().out)["files"] == ["out/é.txt"]
    assert (deep / "out" / "é.txt").read_text() == "1"

    with pytest.raises(HostError) as caught:
        serve.run(plugin, answers, tmp_path / "data", "c", files_out=plugin)
    assert caught.value.code == "PP519"
    (there / "out" / "é.txt").unlink()
    (there / "out" / "é.txt").mkdir()
    with pytest.raises(HostError) as caught:
        serve.run(plugin, answers, tmp_path / "data", "d", files_out=there)
    assert caught.value.code == "PP519"


def test_a_download_keeps_its_own_headers_in_the_host(make_client, tmp_path):
    client = make_client(SALES.parent)
    work = RunFolder(tmp_path / "data", "sales", "k").work
    work.mkdir(parents=True)
    (work / "page.html").write_text("<script>alert(1)</script>")
    with_name = {"name": "page.html"}
    answer = client.get(f"/sales/files/{work.parent.name}/one", params=with_name)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith('attachment; filename="page.html"')
