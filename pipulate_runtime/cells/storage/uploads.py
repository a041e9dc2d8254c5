"""Uploaded files: stored beside the run's working folder, and copied into it whenever it is made.

`<run>/uploads/<digest>/<name>` holds the file; cells find a copy at `uploads/<digest>/<name>` in their working folder. That
relative path is the answer. The digest is of the content, so another file of the same name is another answer.
"""

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from starlette.datastructures import UploadFile

from pipulate_runtime.cells.storage.folders import RunFolder

FOLDER = "uploads"
CHUNK = 256 * 1024
LONGEST = 120  # bytes of a name with its ending
_PATH = re.compile(rf"{FOLDER}/[0-9a-f]{{16}}/[^/\0]+")
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")  # reserved by Windows


class Refused(ValueError):
    """A file that is too large or of the wrong kind."""


def safe_name(name: str) -> str:
    """Return a safe name for a file in the run: its last part, with letters, digits and `. _ - ( )` only, never hidden."""
    last = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    kept = re.sub(r"[^\w.() -]+", "_", last).strip(" .")
    stem, dot, ending = kept.rpartition(".")
    if dot and len(ending) <= 10:
        kept = f"{_cut(stem, LONGEST - len(ending.encode()) - 1)}.{ending}"
    kept = _cut(kept, LONGEST) or "file"
    return f"_{kept}" if _DEVICES.fullmatch(kept) or kept.startswith(("-", "__pycache__")) else kept


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore").strip(" .")


async def keep(folder: RunFolder, file: UploadFile, endings: Iterable[str], max_size: int) -> str:
    """Write an uploaded file to the run's folder and return its path for the cells. Raises Refused, and OSError."""
    name = safe_name(file.filename or "")
    endings = tuple(endings)
    if endings and not name.lower().endswith(endings):
        raise Refused(name)
    store = folder.path / FOLDER
    store.mkdir(parents=True, exist_ok=True)
    part = store / f".{secrets.token_hex(8)}.part"
    digest, size = hashlib.sha256(), 0
    try:
        await file.seek(0)
        with part.open("wb") as out:
            while chunk := await file.read(CHUNK):
                size += len(chunk)
                if size > max_size:
                    raise Refused(name)
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())  # like the row that names it, the file must survive a power cut
        path = f"{FOLDER}/{digest.hexdigest()[:16]}/{name}"
        target = folder.path / path
        target.parent.mkdir(exist_ok=True)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return path


def put(folder: RunFolder) -> None:
    """Copy missing uploads into the working folder of the run. A cell may change its copy.

    Copies of uploads that are gone go, too, unless a cell has changed them: as if all had run again from the start.
    """
    store = folder.path / FOLDER
    for copy in (folder.work / FOLDER).glob("*/*"):
        if not (store / copy.parent.name / copy.name).exists() and _is_unchanged(copy):
            copy.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                copy.parent.rmdir()
    for file in sorted(store.glob("*/*")) if store.is_dir() else ():
        target = folder.work / FOLDER / file.parent.name / file.name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)  # with its time, which a cell may read


def _is_unchanged(copy: Path) -> bool:
    """Whether a copy is as it was uploaded: its folder is named by the content."""
    with contextlib.suppress(OSError), copy.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16] == copy.parent.name
    return False


def prune(folder: RunFolder, state: Mapping[str, Any], before: float) -> None:
    """Delete uploads made `before` a time that no answer of the run names.

    A newer one may belong to an answer that is on its way from another tab.
    """
    store = folder.path / FOLDER
    if not store.is_dir():
        return
    named = _texts(dict(state))
    for file in store.glob("*/*"):
        named_still = f"{FOLDER}/{file.parent.name}/{file.name}" in named
        if not named_still and file.stat().st_mtime < before:
            file.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # the same content may have two names
                file.parent.rmdir()


def _texts(value: Any) -> set[str]:
    """Return all texts in the answers of a state, without the outputs of cells."""
    if isinstance(value, str):
        return {value}
    if isinstance(value, dict):
        return {text for name, v in value.items() if name != "_cells" for text in _texts(v)}
    if isinstance(value, list):
        return {text for v in value for text in _texts(v)}
    return set()


def is_there(folder: RunFolder, bundled: Path | None, path: str) -> bool:
    """Whether cells can read a file: an upload, one that came with the plugin, or one that the run has written."""
    return size(folder, bundled, path) is not None


def size(folder: RunFolder, bundled: Path | None, path: str) -> int | None:
    """Return the bytes of a file that an answer names; None if it is not inside the run's folders."""
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or "\0" in path:
        return None
    places = [folder.path] if _PATH.fullmatch(path) else [p for p in (bundled, folder.work) if p]
    for place in places:
        try:
            if (place / path).is_file():
                return (place / path).stat().st_size
        except OSError:  # not a valid name in this file system
            continue
    return None
