"""`%port`: finds its notebook, prints the report of the compiler, and links to the host if one runs."""

import json
import os
import shutil
import socket

import nbformat
import pytest
from nbclient import NotebookClient

from pipulate_runtime.host.base.address import advertised_address
from pipulate_runtime.jupyter import magic
from tests.conftest import ROOT


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a notebook, in which Jupyter would have been started."""
    shutil.copy(ROOT / "fixtures" / "hello.ipynb", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("PIPULATE_DATA", "JPY_SESSION_NAME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_the_notebook_is_found_by_what_the_editors_say(here, monkeypatch):
    assert magic.notebook_path({}) is None
    assert magic.notebook_path({"__vsc_ipynb_file__": "/x/a.ipynb"}).as_posix() == "/x/a.ipynb"
    notebook = here / "hello.ipynb"
    for said in (str(notebook), "hello.ipynb", f"{here}/hello-jvsc-0123-ab.ipynb"):
        monkeypatch.setenv("JPY_SESSION_NAME", said)
        assert magic.notebook_path({}).resolve() == notebook
    inner = here / "work"
    inner.mkdir()
    shutil.copy(notebook, inner / "deep.ipynb")
    monkeypatch.chdir(inner)
    monkeypatch.setenv("JPY_SESSION_NAME", "work/deep.ipynb")  # below the server's folder
    assert magic.notebook_path({}).resolve() == inner / "deep.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", "gone.ipynb")
    assert magic.notebook_path({}) is None


def test_without_a_server_it_says_how_to_start_one(here, capsys):
    assert magic.port_line("hello.ipynb -o 'my plugins'", {}) is None
    said = capsys.readouterr().out
    assert "Enter Your Name" in said
    assert (here / "my plugins" / "hello.py").is_file()
    assert "pipulate serve 'my plugins' --reload" in said


def test_a_server_that_runs_is_linked_to_and_its_folder_is_the_place(here, capsys):
    plugins, data = here / "plugins", here / "data"
    data.mkdir()
    (data / "pipulate.db").touch()
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        plugins.mkdir()
        with advertised_address(data, address, plugins, follow=True):
            shown = magic.port_line("hello.ipynb --number 040", {})
            assert (shown.address, shown.text) == (f"{address}/hello", "The app:")
            assert f'href="{address}/hello"' in shown._repr_html_()
            assert (plugins / "040_hello.py").is_file()
        with advertised_address(data, address, plugins, follow=False):
            assert "restart it" in repr(magic.port_line("hello.ipynb", {}))
            assert "up to date" in capsys.readouterr().out
        assert not (data / "server.json").exists()
        assert magic.running() is None
    (data / "server.json").write_text(
        json.dumps({"address": address, "folder": str(plugins), "reload": True})
    )
    assert magic.running() is None  # it was killed: nothing answers there


def test_what_goes_wrong_is_said_without_a_traceback(here, capsys):
    assert magic.port_line("", {}) is None
    assert "Name it: %port NAME.ipynb" in capsys.readouterr().out
    assert magic.port_line("gone.ipynb", {}) is None
    assert "There is no notebook gone.ipynb" in capsys.readouterr().out
    (here / "bad.ipynb").write_text("no json")
    assert magic.port_line("bad.ipynb", {}) is None
    assert "PP101" in capsys.readouterr().out
    assert magic.port_line("hello.ipynb --no-such-option", {}) is None
    assert "No such option" in capsys.readouterr().out


def test_nothing_beside_the_notebook_is_imported_by_the_compiler(here, monkeypatch, capsys):
    monkeypatch.delenv("PYTHONPATH")
    for name in ("types", "secrets", "random", "html"):
        (here / f"{name}.py").write_text("open('it ran', 'a').close()\n1 / 0\n")
    magic.port_line("hello.ipynb", {})
    assert "Enter Your Name" in capsys.readouterr().out
    assert not (here / "it ran").exists()


@pytest.mark.kernel
def test_it_is_a_magic_of_jupyter(here):
    cell = nbformat.v4.new_code_cell("%load_ext pipulate_runtime\n%port")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    client = NotebookClient(notebook, resources={"metadata": {"path": str(here)}})
    client.execute(env={**os.environ, "JPY_SESSION_NAME": str(here / "hello.ipynb")})
    said = "".join(output.get("text", "") for output in cell.outputs)
    assert "hello.ipynb, saved at" in said
    assert "pipulate serve generated --reload" in said
    assert (here / "generated" / "hello.py").is_file()
