import re

import pytest

from pipulate_runtime.host.base import security
from tests.host.helpers import LOCAL


@pytest.mark.parametrize(
    ("host", "names", "addresses", "answers"),
    [
        ("localhost:5001", (), False, True),
        ("127.0.0.1:5001", (), False, True),
        ("[::1]:5001", (), False, True),
        ("LOCALHOST", (), False, True),
        ("evil.example", (), False, False),
        ("localhost.evil.example", (), False, False),
        ("127.0.0.1.evil.example:5001", (), False, False),
        ("192.168.1.5:5001", (), False, False),
        ("192.168.1.5:5001", (), True, True),
        ("[fe80::1]:5001", (), True, True),
        ("evil.example", (), True, False),
        ("box.example:5001", ("box.example",), False, True),
        ("", (), False, False),
        ("localhost@evil.example", (), False, False),
    ],
)
def test_the_server_answers_to_its_own_names_only(make_client, host, names, addresses, answers):
    listening = "0.0.0.0" if addresses else "127.0.0.1"
    client = make_client(host=listening, names=frozenset(names))
    assert (client.get("/", headers={"Host": host}).status_code == 200) is answers


@pytest.mark.parametrize(
    ("headers", "answers"),
    [
        ({}, True),
        ({"Origin": LOCAL}, True),
        ({"Origin": LOCAL, "Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "http://127.0.0.1:9999"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": LOCAL, "Sec-Fetch-Site": "cross-site"}, False),
    ],
)
def test_only_its_own_pages_change_something(client, headers, answers):
    answer = client.post(
        "/trip/init", data={"pipeline_id": "x"}, headers={"HX-Request": "true", **headers}
    )
    assert (answer.status_code == 200) is answers
    assert (client.app.state.store.runs() != []) is answers


def test_reading_from_a_link_on_another_site_works(client):
    assert client.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/nothing", "/static/host.css", "/trip/step_01"])
def test_every_answer_has_the_headers(client, path):
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert re.search(r"script-src 'self'( 'nonce-[\w-]+')?;", policy)
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"]


def test_pages_are_not_kept_by_the_browser_and_files_are(client):
    assert client.get("/").headers["Cache-Control"] == "no-store"
    assert "immutable" in client.get("/static/host.css").headers["Cache-Control"]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("x", False),
    ],
)
def test_loopback(host, loopback):
    assert security.is_loopback(host) is loopback
