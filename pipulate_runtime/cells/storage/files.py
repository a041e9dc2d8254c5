"""The files that the cells of a run write: found by looking at the working folder, given out one by one or as a zip.

Only regular files inside the folder count. Links are never followed, hidden files and caches of Python are not results.
"""

import os
import re
import stat
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

KEPT = 50  # files of one cell whose names are kept with the run; of the others only the number
CHUNK = 256 * 1024

Stamp = tuple[int, ...]
Listing = dict[str, Stamp]


def listing(folder: Path) -> Listing:
    """Return the files below a folder: path with slashes, and a stamp that changes when it is written."""
    found: Listing = {}
    waiting = [(str(folder), "")]
    while waiting:
        place, prefix = waiting.pop()
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    name = prefix + entry.name
                    if not _is_result(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((entry.path, f"{name}/"))
                    elif entry.is_file(follow_symlinks=False):
                        seen = entry.stat(follow_symlinks=False)
                        found[name] = (
                            seen.st_size,
                            seen.st_mtime_ns,
                            seen.st_ctime_ns,
                            seen.st_ino,
                        )
        except OSError:  # deleted meanwhile, or not readable
            continue
    return found


def _is_result(name: str) -> bool:
    """Whether a file or folder of this name is a result. A name that is not valid text cannot be stored."""
    hidden = name.startswith(".") or name == "__pycache__" or name.endswith(".pyc")
    return not hidden and _is_text(name)


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def changed_files(before: Mapping[str, Stamp], after: Mapping[str, Stamp]) -> dict[str, Any] | None:
    """Return how many files a cell wrote and the first names, for its record; None without any."""
    names = sorted(name for name, stamp in after.items() if before.get(name) != stamp)
    return {"count": len(names), "names": names[:KEPT]} if names else None


def results(work: Path, bundled: Path | None) -> list[str]:
    """Return the files in a working folder that the run has written: all but unchanged bundled or uploaded ones."""
    origins = [
        folder for folder in (bundled, work.parent) if folder
    ]  # uploads have the same path beside `work`
    return sorted(
        name
        for name in listing(work)
        if not any(_same(work / name, folder / name) for folder in origins)
    )


def _same(one: Path, two: Path) -> bool:
    try:
        with one.open("rb") as a, two.open("rb") as b:
            if os.fstat(a.fileno()).st_size != os.fstat(b.fileno()).st_size:
                return False
            while chunk := a.read(CHUNK):
                if chunk != b.read(CHUNK):
                    return False
    except OSError:
        return False
    return True


def size(work: Path, name: str) -> int | None:
    """Return the size of a file; None if it may not be downloaded."""
    try:
        return _checked(work, name).stat(follow_symlinks=False).st_size
    except OSError:
        return None


def open_result(work: Path, name: str, bundled: Path | None = None) -> tuple[IO[bytes], int]:
    """Open a file of a working folder and return it with its size.

    Raises FileNotFoundError unless it is a regular file inside the folder, at a path without links and dots, and for an
    unchanged bundled file: the notebook's data and local modules are not for download.
    """
    path = _checked(work, name)
    if bundled is not None and _same(path, bundled / name):
        raise FileNotFoundError(name)
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise FileNotFoundError(name) from error
    seen = os.fstat(descriptor)
    if not stat.S_ISREG(seen.st_mode):  # changed since the check
        os.close(descriptor)
        raise FileNotFoundError(name)
    return os.fdopen(descriptor, "rb"), seen.st_size


def _checked(work: Path, name: str) -> Path:
    parts = name.split("/")
    special = set("\0\\:") if os.name == "nt" else set("\0")
    if not all(part and _is_result(part) and not special & set(part) for part in parts):
        raise FileNotFoundError(name)
    path = work
    for position, part in enumerate(parts):
        path = path / part
        try:
            mode = path.lstat().st_mode
        except (OSError, ValueError) as error:
            raise FileNotFoundError(name) from error
        if not (stat.S_ISREG if position == len(parts) - 1 else stat.S_ISDIR)(mode):
            raise FileNotFoundError(name)
    return path


def content(file: IO[bytes], length: int) -> Iterator[bytes]:
    """Yield a file in pieces, at most `length` bytes: a cell may still be writing."""
    with file:
        while length > 0 and (chunk := file.read(min(CHUNK, length))):
            length -= len(chunk)
            yield chunk


class Sink:
    """The target of a zip: it holds only what was not yet taken."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self.chunks.append(bytes(data))  # zipfile may reuse its buffer
        return len(data)

    def flush(self) -> None: ...

    def take(self) -> bytes:
        """Return what was written since the last call."""
        taken, self.chunks = b"".join(self.chunks), []
        return taken


def zip_files(work: Path, names: list[str]) -> Iterator[bytes]:
    """Yield files as a zip, in pieces. A file that was deleted meanwhile is left out."""
    sink: Any = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            try:
                file, length = open_result(work, name)
            except FileNotFoundError:
                continue
            written = time.localtime(os.fstat(file.fileno()).st_mtime)[:6]
            entry = zipfile.ZipInfo(
                name, max(written, (1980, 1, 1, 0, 0, 0))
            )  # the earliest of a zip
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=length >= 2**31) as target:
                for chunk in content(file, length):
                    target.write(chunk)
                    if taken := sink.take():
                        yield taken
    yield sink.take()


def text_entry(name: str) -> zipfile.ZipInfo:
    """Return a zip entry for this name with the present time; characters that a folder may not hold are replaced."""
    safe = "/".join(re.sub(r'[\\:*?"<>|\x00-\x1f/]', "_", part) for part in name.split("/", 1))
    entry = zipfile.ZipInfo(safe, time.localtime()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def copy(work: Path, names: list[str], folder: Path) -> None:
    """Copy files into a folder, replacing files of the same name there. Raises OSError."""
    for name in names:
        target = folder / PurePosixPath(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        file, length = open_result(work, name)
        part = target.with_name(f".{target.name}.next")
        with part.open("wb") as out:
            for chunk in content(file, length):
                out.write(chunk)
        part.replace(target)
