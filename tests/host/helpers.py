"""What the tests of the host share."""

import contextlib
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
    "import sys; from pathlib import Path; from pipulate_runtime.host import commands; "
    "sys.exit(commands.serve(Path(sys.argv[1]), Path(sys.argv[2]), port=int(sys.argv[3])))"
)


@dataclass
class Served:
    """A real server in a process of its own."""

    url: str
    process: subprocess.Popen


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def serving(folder: Path, data: Path) -> Iterator[Served]:
    """Starts `serve` and waits until it answers; it is ended afterwards."""
    port = free_port()
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", _SERVE, str(folder), str(data), str(port)]
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
