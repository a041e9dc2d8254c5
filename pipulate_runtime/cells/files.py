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
    """Return the files below a folder by their paths with slashes, each with what changes when it is written."""
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
        except OSError:  # gone meanwhile, or not ours to read
            continue
    return found


def _is_result(name: str) -> bool:
    """Whether a file or folder of this name is for people; a name that is no text cannot be kept or asked for."""
    hidden = name.startswith(".") or name == "__pycache__" or name.endswith(".pyc")
    return not hidden and _is_text(name)


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def wrote(before: Mapping[str, Stamp], after: Mapping[str, Stamp]) -> dict[str, Any] | None:
    """Return what a cell wrote between two looks at its folder, for its record: None, or how many files and the first names."""
    names = sorted(name for name, stamp in after.items() if before.get(name) != stamp)
    return {"count": len(names), "names": names[:KEPT]} if names else None


def results(work: Path, bundled: Path | None) -> list[str]:
    """Return the files of a working folder that the run has written: all but those as they were bundled or uploaded."""
    givers = [
        folder for folder in (bundled, work.parent) if folder
    ]  # uploads lie beside `work`, by the same path
    return sorted(
        name
        for name in listing(work)
        if not any(_same(work / name, folder / name) for folder in givers)
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
    """Return how large a file is now; None if there is none that would be given out."""
    try:
        return _checked(work, name).stat(follow_symlinks=False).st_size
    except OSError:
        return None


def opened(work: Path, name: str, bundled: Path | None = None) -> tuple[IO[bytes], int]:
    """Open a file of a working folder and return it with its size.

    Raises FileNotFoundError for whatever is not a regular file inside the folder, by a path without links and dots, and
    for a file that is as it was bundled: what the notebook reads, and its local modules, are not for everybody.
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
    if not stat.S_ISREG(seen.st_mode):  # it was changed since it was checked
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
    """Give a file piece by piece, and no more of it than was promised: a cell may be writing on."""
    with file:
        while length > 0 and (chunk := file.read(min(CHUNK, length))):
            length -= len(chunk)
            yield chunk


class Sink:
    """What a zip is written to: it holds only what was not yet taken."""

    def __init__(self) -> None:
        """Nothing is written yet."""
        self.chunks: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        """Take what the zip writes."""
        self.chunks.append(bytes(data))  # what zipfile hands over may be used by it again
        return len(data)

    def flush(self) -> None:
        """There is nothing to do."""

    def take(self) -> bytes:
        """Give what was written since the last time."""
        taken, self.chunks = b"".join(self.chunks), []
        return taken


def zipped(work: Path, names: list[str]) -> Iterator[bytes]:
    """Give files as a zip, piece by piece, whatever their number and size. A file that is gone meanwhile is left out."""
    sink: Any = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            try:
                file, length = opened(work, name)
            except FileNotFoundError:
                continue
            written = time.localtime(os.fstat(file.fileno()).st_mtime)[:6]
            entry = zipfile.ZipInfo(
                name, max(written, (1980, 1, 1, 0, 0, 0))
            )  # a zip knows no earlier
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=length >= 2**31) as target:
                for chunk in content(file, length):
                    target.write(chunk)
                    if taken := sink.take():
                        yield taken
    yield sink.take()


def text_entry(name: str) -> zipfile.ZipInfo:
    """Return what a zip says of a file of this name that is made now; what a folder may not hold is replaced."""
    safe = "/".join(re.sub(r'[\\:*?"<>|\x00-\x1f/]', "_", part) for part in name.split("/", 1))
    entry = zipfile.ZipInfo(safe, time.localtime()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def copy(work: Path, names: list[str], folder: Path) -> None:
    """Copy files into a folder, which is made; what has the same name there is replaced. Raises OSError."""
    for name in names:
        target = folder / PurePosixPath(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        file, length = opened(work, name)
        part = target.with_name(f".{target.name}.next")
        with part.open("wb") as out:
            for chunk in content(file, length):
                out.write(chunk)
        part.replace(target)
