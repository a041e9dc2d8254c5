"""The address of a running server, in a file of its data folder: `%port` in a notebook links to it."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

NAME = "server.json"


@contextlib.contextmanager
def advertised_address(data: Path, address: str, folder: Path, follow: bool) -> Iterator[None]:
    """Write the file, and delete it at the end. A read-only data folder does not stop the server."""
    path = data / NAME
    note = {
        "address": address,
        "folder": str(folder.resolve()),
        "reload": follow,
        "pid": os.getpid(),
    }
    with contextlib.suppress(OSError):
        path.write_text(json.dumps(note), encoding="utf-8")
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):  # another server may have replaced it
            if json.loads(path.read_text(encoding="utf-8")).get("pid") == os.getpid():
                path.unlink()
