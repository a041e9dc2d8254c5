"""A host with the plugins of this folder, which are written from the contract alone."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipulate_runtime.host.app import create_app
from pipulate_runtime.host.state.store import StateStore
from tests.host.helpers import LOCAL

PLUGINS = Path(__file__).parent / "plugins"


@pytest.fixture
def client(tmp_path, monkeypatch):
    """A client of the host; it works in a folder of its own, where plugins put their downloads."""
    monkeypatch.chdir(tmp_path)
    app = create_app(PLUGINS, tmp_path / "data")
    assert app.state.loaded.problems == ()
    with TestClient(app, base_url=LOCAL, raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def store(tmp_path):
    opened = StateStore(tmp_path / "pipulate.db")
    yield opened
    opened.close()
