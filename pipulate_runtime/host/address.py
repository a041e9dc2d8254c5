"""Where a server listens, noted in its data folder while it runs: for `%port`, which links to it and starts none."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

NAME = "server.json"


@contextlib.contextmanager
def noted(data: Path, address: str, folder: Path, follow: bool) -> Iterator[None]:
    """Notes it, and takes the note away at the end. A data folder that cannot be written is no reason not to serve."""
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
        with contextlib.suppress(OSError, ValueError):  # another server may have taken its place
            if json.loads(path.read_text(encoding="utf-8")).get("pid") == os.getpid():
                path.unlink()
