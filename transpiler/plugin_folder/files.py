"""Files written all or none, and durably. Together with `plugin_folder` the only code of the compiler that touches the disk."""

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from transpiler.model import rules
from transpiler.model.diagnostics import REFUSED, UserError


def replace_all(contents: dict[Path, bytes], out: Path) -> None:
    """Write all files or none: first beside their places, then under their names. What fails halfway is undone."""
    before = {path: read_or_none(path) for path in contents}
    folders = missing_folders(contents)
    done: list[Path] = []
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_durably(beside(path), content)
        for path in contents:
            beside(path).replace(path)
            done.append(path)
    except BaseException as error:
        for path in done:
            _put_back(path, before[path])
        for path in contents:
            delete(beside(path))
        remove_empty(folders)
        if not isinstance(error, OSError):
            raise
        raise _unwritable(out, error) from error


def replace_notebook(path: Path, before: bytes, after: bytes) -> None:
    """Put new bytes into a notebook, all or nothing, if it still holds those that were read; its mode stays.

    Raises UserError (exit 3): PP490 when the file changed meanwhile, PP402 when it cannot be written.
    """
    path = path.resolve()  # through a link: the link stays one
    aside = beside(path)
    try:
        _write_durably(aside, after)
        shutil.copymode(path, aside)
        if path.read_bytes() != before:
            raise UserError(rules.CHANGED_MEANWHILE, REFUSED, path=str(path))
        aside.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        delete(aside)


def write_report(path: Path, text: str) -> None:
    """Write a report where the user wants it. Raises UserError (exit 3) when that cannot be done."""
    replace_all({path: text.encode("utf-8", "replace")}, path.parent)


def copy_files(names: Iterable[str], source: Path, folder: Path) -> None:
    """Copy files of one folder into another, a new one. Raises UserError (exit 3) when that cannot be done."""
    try:
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((source / name).read_bytes())
    except OSError as error:
        raise _unwritable(folder, error) from error


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes. Raises UserError (exit 2) with the reason in words."""
    try:
        return path.read_bytes()
    except OSError as error:
        is_folder = isinstance(error, IsADirectoryError)
        reason = "it is a folder" if is_folder else (error.strerror or str(error)).lower()
        raise UserError(rules.NOTEBOOK_UNREADABLE, path=str(path), reason=reason) from error


def read_or_none(path: Path) -> bytes | None:
    """Return a file's bytes, or None when there is none."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def delete(path: Path) -> None:
    """Delete a file. What cannot be deleted stays; it harms nothing."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def beside(path: Path) -> Path:
    """Where a file is written before it takes its place."""
    return path.with_name(f".{path.name}.next")


def make_folder(folder: Path, missing: Iterable[Path]) -> None:
    """Make a folder with those above it, or none of the `missing` ones. Raises UserError PP402 (exit 3)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        remove_empty(missing)
        raise _unwritable(folder.parent, error) from error


def make_private(folder: Path) -> None:
    """Make a folder that only its owner can look into. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def missing_folders(paths: Iterable[Path]) -> list[Path]:
    """The folders that writing these files will make, the inner ones first."""
    parents = {folder for path in paths for folder in path.parents if _is_missing(folder)}
    return sorted(parents, key=lambda folder: len(folder.parts), reverse=True)


def remove_empty(folders: Iterable[Path]) -> None:
    """Delete folders that were made for nothing."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _unwritable(path: Path, error: OSError) -> UserError:
    """What to say of a file or folder that the system does not let us write."""
    reason = error.strerror or str(error)
    return UserError(rules.OUTPUT_UNWRITABLE, REFUSED, path=str(path), reason=reason)


def _write_durably(path: Path, content: bytes) -> None:
    """Write a file through to the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _put_back(path: Path, content: bytes | None) -> None:
    """Undo the writing of one file, as far as the disk lets us."""
    if content is None:
        delete(path)
        return
    with suppress(OSError):
        _write_durably(beside(path), content)
        beside(path).replace(path)


def _is_missing(path: Path) -> bool:
    """Whether nothing is there. (`Path.exists` raises for a name that is too long.)"""
    return not os.path.exists(path)  # noqa: PTH110
