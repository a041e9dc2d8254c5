"""Text that is too much for the memory of the server: it goes to a file of the run while it comes in."""

import hashlib
import os
import secrets
from pathlib import Path
from typing import IO

MORE = 1_000_000  # characters of one stream that are kept in memory; what is longer lies in a file


class Spill:
    """A file that grows. Its name is made of its content in the end, as that of every payload."""

    def __init__(self, folder: Path) -> None:
        """In a folder, which is made. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"spill.{secrets.token_hex(8)}"
        self.size = 0
        self._file: IO[bytes] | None = self.path.open("wb")
        self._digest = hashlib.sha256()

    def write(self, text: str) -> None:
        """Append a piece. Raises OSError."""
        content = text.encode("utf-8", "surrogatepass")
        assert self._file
        self._file.write(content)
        self._digest.update(content)
        self.size += len(content)

    @staticmethod
    def sweep(folder: Path) -> None:
        """Delete what a server that was killed has left of such files."""
        for path in folder.glob("spill.*"):
            path.unlink(missing_ok=True)

    def keep(self) -> str:
        """Give the file its name for good, and return it. Raises OSError."""
        assert self._file
        self._file.flush()
        os.fsync(self._file.fileno())  # the row that names the file survives a power cut
        self._file.close()
        self._file = None
        name = f"{self._digest.hexdigest()[:32]}.text"
        self.path.replace(self.path.with_name(name))
        return name

    def drop(self) -> None:
        """Delete what was not kept."""
        if self._file:
            self._file.close()
            self._file = None
            self.path.unlink(missing_ok=True)
