"""What the tests of the host share."""

import contextlib
import json
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PLUGINS = Path(__file__).parent / "plugins"
HTMX = {"HX-Request": "true"}
LOCAL = "http://127.0.0.1"

_SERVE = (
    "import json, sys; from pathlib import Path; from pipulate_runtime.host.commands import serve; "
    "options = json.loads(sys.argv[4]); "
    "sys.exit(serve.serve(Path(sys.argv[1]), Path(sys.argv[2]), port=int(sys.argv[3]), **options))"
)


@dataclass
class Served:
    """A real server in a process of its own."""

    url: str
    process: subprocess.Popen


def free_port() -> int:
    """A port for a server that is started in a moment; not one that the system may give to a connection meanwhile."""
    while True:
        port = random.randrange(
            10_000, 32_000
        )  # Linux gives 32768 and above, others 49152 and above
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextlib.contextmanager
def serving(folder: Path, data: Path, **options: object) -> Iterator[Served]:
    """Starts `serve` with some options and waits until it answers; it is ended afterwards."""
    port = free_port()
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", _SERVE, str(folder), str(data), str(port), json.dumps(options)]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL)
    served = Served(f"{LOCAL}:{port}", process)
    try:
        _wait(served)
        yield served
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=20)


def _wait(served: Served) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert served.process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(served.url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise AssertionError("the server does not answer")


ANSWERS = {
    "step_01": {"people": "0", "notes": ""},
    "step_02": {"nights": "0", "travel": "train"},
    "step_03": {},
}


class Trip:
    """One run of tests/host/plugins/010_trip_planner.py, asked the way its page asks."""

    def __init__(self, client, name):
        self.client = client
        self.name = name
        self.key = f"Default_Profile-trip-{name.replace(' ', '_')}"

    def start(self):
        self.started = self.client.post("/trip/init", data={"pipeline_id": self.name}, headers=HTMX)
        assert self.started.status_code == 200
        return self

    def get(self, action):
        return self.client.get(f"/trip/{action}", params={"pipeline_id": self.key}, headers=HTMX)

    def post(self, action, **values):
        return self.client.post(
            f"/trip/{action}", data={"pipeline_id": self.key, **values}, headers=HTMX
        )

    def answer(self, *steps):
        for step in steps or ANSWERS:
            answer = self.post(f"{step}_submit", **ANSWERS[step])
            assert 'data-state="done"' in answer.text, answer.text
        return self

    @property
    def state(self):
        return self.client.app.state.store.read(self.key)
