"""Fixtures of the tests of the host."""

import pytest
from starlette.testclient import TestClient

from pipulate_runtime.host.app import create_app
from pipulate_runtime.host.state.store import StateStore
from tests.host.helpers import LOCAL, PLUGINS, Trip


@pytest.fixture
def store(tmp_path):
    opened = StateStore(tmp_path / "data" / "pipulate.db")
    yield opened
    opened.close()


@pytest.fixture
def make_client(tmp_path):
    """A function that gives a client of an app with some plugins; the database is the same each time."""
    entered = []

    def make(folder=PLUGINS, **options):
        app = create_app(folder, tmp_path / "data", **options)
        client = TestClient(app, base_url=LOCAL, raise_server_exceptions=False)
        client.__enter__()
        entered.append(client)
        return client

    yield make
    for client in entered:
        client.__exit__(None, None, None)


@pytest.fixture
def client(make_client):
    return make_client()


@pytest.fixture
def trip(client):
    """A run of the trip planner that was just started."""
    return Trip(client, "a trip").start()
