"""Requests that are too large, too slow or no form are refused in words, before anything is changed."""

import contextlib
import json
import socket
import threading
import time
from types import SimpleNamespace

import httpx
import pytest
import uvicorn
from starlette.routing import Route
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from pipulate_runtime.host.app import create_app
from pipulate_runtime.host.base import bounds
from pipulate_runtime.host.commands.serve import listen
from tests.host.helpers import HTMX, PLUGINS, free_port, serving

KEY = {"pipeline_id": "Default_Profile-trip-bounds"}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    data = tmp_path_factory.mktemp("bounds")
    with serving(PLUGINS, data) as server, httpx.Client(base_url=server.url, timeout=60) as client:
        client.post("/trip/init", data={"pipeline_id": "bounds"}, headers=HTMX)
        server.client = client
        yield server


def raw(served, *parts, wait=0.0):
    """Send bytes and return what comes until the server closes the connection."""
    address = (served.url.split("/")[2].split(":")[0], int(served.url.rpartition(":")[2]))
    answer = b""
    with (
        socket.create_connection(address, timeout=40) as connection,
        contextlib.suppress(BrokenPipeError, ConnectionResetError),
    ):
        for part in parts:
            connection.sendall(part)
            time.sleep(wait)
        while part := connection.recv(65536):
            answer += part
    return answer.decode("latin-1")


def head(served, *lines):
    host = served.url.split("/")[2]
    return "\r\n".join([lines[0], f"Host: {host}", *lines[1:], "", ""]).encode()


def test_a_large_form_is_refused_before_it_is_read(served):
    text = head(
        served,
        "POST /trip/step_01_submit HTTP/1.1",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {bounds.BODY + 1}",
    )
    answer = raw(served, text)
    assert answer.startswith("HTTP/1.1 413")
    assert "larger than 20,000,000 bytes" in answer


def test_a_large_form_that_does_not_say_so_is_refused_where_the_limit_is(served):
    def parts():
        for _ in range(22):
            yield b"x" * 1_000_000

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        answer = served.client.post(
            "/trip/step_01_submit", content=parts(), headers={**HTMX, **form}
        )
    except httpx.WriteError:
        return  # the server has closed the connection meanwhile
    assert answer.status_code == 413


def test_large_headers_and_addresses(served):
    cookies = [f"Cookie: a{n}={'x' * 4000}" for n in range(20)]
    assert raw(served, head(served, "GET / HTTP/1.1", *cookies)).startswith("HTTP/1.1 431")
    answer = served.client.get("/trip_planner", params={"run": "x" * 20_000})
    assert answer.status_code == 431
    assert "address of the request" in answer.text


def test_headers_without_an_end_are_not_kept(served):
    endless = b"GET / HTTP/1.1\r\n" + b"X-Long: " + b"y" * 200_000
    assert "431" in raw(served, endless)


def test_many_fields(served):
    fields = "&".join(f"f{n}=1" for n in range(5000))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = served.client.post("/trip/step_01_submit", content=fields, headers={**HTMX, **form})
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/trip/step_01_submit", "/trip/init", "/theme", "/runs/delete"])
@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 50_000, "[1]", "{", "7"])
def test_json_that_no_page_sends(served, path, body):
    form = {"Content-Type": "application/json"}
    answer = served.client.post(path, content=body, headers=form)
    assert answer.status_code in (400, 404, 422), answer.text[:300]


NAMES = (
    "pipeline_id step_id answer question people notes nights travel run text name theme id page days key q title names "
    "order profile_id"
).split()


def test_a_file_in_place_of_a_text_is_no_failure_of_the_server(served, tmp_path):
    """Each address that takes a form gets a file for each name that forms have here."""
    app = create_app(PLUGINS, tmp_path)
    paths = {r.path for r in app.router.routes if isinstance(r, Route) and "POST" in r.methods}
    app.state.store.close()
    failed = {}
    for path in sorted(paths):
        address = path.replace("{step_id}", "step_01").replace("{key}", "x").replace("{id}", "1")
        for names in (NAMES, NAMES[1:]):
            files = [(name, (f"{name}.txt", b"\x00\xff", "text/plain")) for name in names]
            data = {name: KEY["pipeline_id"] for name in NAMES if name not in names}
            answer = served.client.post(address, files=files, data=data, headers=HTMX)
            if answer.status_code >= 500:
                failed[address] = answer.text[-400:]
    assert failed == {}
    assert len(paths) > 10


def test_the_rest_of_a_refused_request_is_not_waited_for(served):
    foreign = head(
        served,
        "POST /theme HTTP/1.1",
        "Origin: http://elsewhere.example",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Length: 100",
    )
    assert raw(served, foreign, b"theme=").startswith("HTTP/1.1 403")


@pytest.fixture
def impatient(tmp_path, monkeypatch):
    """A server in this process that waits for a second."""
    for name in ("HEAD_SECONDS", "BODY_SECONDS"):
        monkeypatch.setattr(bounds, name, 1.0)
    listener = listen("127.0.0.1", free_port())
    config = uvicorn.Config(
        create_app(PLUGINS, tmp_path), http=bounds.protocol(), log_level="critical"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{listener.getsockname()[1]}")
    server.should_exit = True
    thread.join()
    listener.close()


def test_half_open_requests_end(impatient):
    """A connection that sends no head, half a head, half a body or single drops of one is closed; others are answered."""
    assert raw(impatient) == ""
    assert raw(impatient, b"GET / HTTP/1.1\r\nHost: 127") == ""
    half = head(
        impatient,
        "POST /trip/step_01_submit HTTP/1.1",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Length: 100",
    )
    assert raw(impatient, half, b"pipeline_id=").startswith("HTTP/1.1 408")
    begun = time.monotonic()
    raw(impatient, half, *[b"x"] * 90, wait=0.3)
    assert time.monotonic() - begun < 25  # ninety drops would take 27 seconds
    assert httpx.get(impatient.url, timeout=60).status_code == 200


def test_a_long_message_closes_the_panel_only(served):
    address = served.url.replace("http", "ws") + "/ws"
    with connect(address, origin=served.url, max_size=None) as panel:
        panel.send(json.dumps({"do": "ask", "chat_text": "x" * 2_000_000}))
        with pytest.raises(ConnectionClosed, match="1009"):
            [panel.recv(timeout=10) for _ in range(1000)]
    assert served.client.get("/").status_code == 200
