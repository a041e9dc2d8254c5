"""Key files of a data folder: made once, readable by their owner only."""

import os
import secrets
from contextlib import suppress
from pathlib import Path


def read_or_make_key(path: Path) -> str:
    """Return the key in a file, making the file with a new key if needed. Raises OSError."""
    with suppress(FileNotFoundError):
        return path.read_text(encoding="ascii")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{secrets.token_hex(8)}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(part, path)
    except FileExistsError:
        pass  # another server of this folder made it first
    except OSError:  # a file system without links, as on a memory stick
        part.replace(path)
    part.unlink(missing_ok=True)
    return path.read_text(encoding="ascii")
