"""Writes a plugin and what belongs to it. The only pass that touches the disk.

    <out>/sales_report.py                       the plugin
    <out>/sales_report.files/...                the files that travel with it
    <out>/.port/<port id>/base.py.txt           the text as it was emitted
    <out>/.port/<port id>/lock.json             what it was made from
    <out>/.port/<port id>/unchanged.stamp       lets the next port see in a moment that nothing changed; not for git

Everything is first written beside its place under another name; only when all of that has worked are the names changed.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transpiler import __version__, codes
from transpiler.diagnostics import WHOLE, Found, UserError
from transpiler.ir import Plan
from transpiler.passes.literals import in_comment
from transpiler.pristine import is_pristine, origin

REFUSED = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a plugin goes, and what is there now."""

    path: Path
    port_id: str
    notebook: str
    """The path from the plugin's folder to the notebook, with slashes."""
    current: str | None
    """The file's text now."""


def place(plan: Plan, notebook: Path, out: Path, number: str | None) -> Place:
    """Return where the plugin goes: the file that was ported from this notebook before, else a new one.

    Raises UserError (exit 3) when a file is in the way: edited by hand, not ours, or another plugin of that name.
    """
    relative = notebook_path(notebook, out)
    wanted = out / (f"{number}_{plan.app_name}.py" if number else f"{plan.app_name}.py")
    for path, text in _plugins(out):
        made_from = origin(text)
        if made_from is not None and made_from["notebook"] == relative:
            if not is_pristine(text):
                raise UserError(codes.EDITED_BY_HAND, REFUSED, path=str(path))
            if app_name_of(path, text) == plan.app_name:
                return Place(path, made_from["id"], relative, text)
            continue  # the notebook has got another name since: that is a new plugin
        if path == wanted:
            raise UserError(codes.NOT_OURS, REFUSED, path=str(path))
        if plan.app_name in (module_key(path), app_name_of(path, text)):
            raise UserError(codes.SLUG_CLASH, REFUSED, path=str(path), name=plan.app_name)
    port_id = hashlib.sha256(f"{plan.app_name}\n{relative}".encode()).hexdigest()[:12]
    return Place(wanted, port_id, relative, None)


def write(
    plan: Plan, text: str, where: Place, notebook: Path, raw: bytes, stamp: str
) -> tuple[bool, Found]:
    """Write the plugin, its files, its base and its lock; return whether the plugin changed, and what was found.

    `raw` is the notebook as it was read, `stamp` what `unchanged` compares later. Files whose bytes are right are left
    alone. Raises UserError (exit 3) when the folder cannot be written; then nothing has changed.
    """
    out = where.path.parent
    home = out / ".port" / where.port_id
    lock_path = home / "lock.json"
    old_files = _read_lock(lock_path).get("files", {})
    folder = out / f"{plan.app_name}.files"
    files, kept = _bundled(plan, notebook.parent, folder, old_files)
    lock: dict[str, object] = {
        "schema": 1,
        "port_id": where.port_id,
        "notebook": where.notebook,
        "output": where.path.name,
        "generator": __version__,
        "notebook_sha": sha(raw),
        "written_sha": sha(text.encode()),
        "files": {name: sha(content) for name, content in files.items()},
        "steps": [
            {"id": s.id, "done": s.done, "show": s.title, "cells": [c.cell for c in s.cells]}
            for s in plan.steps
        ],
    }
    if plan.chosen:
        lock["options"] = {"fields": list(plan.chosen)}
    wanted = {
        folder / name: content for name, content in files.items() if folder / name not in kept
    }
    wanted[where.path] = text.encode()
    wanted[home / "base.py.txt"] = text.encode()
    wanted[lock_path] = (
        json.dumps(lock, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    ).encode()
    wanted[home / "unchanged.stamp"] = stamp.encode()
    _replace_all(
        {path: content for path, content in wanted.items() if _content(path) != content}, out
    )
    for name in old_files.keys() - files.keys():
        there = _content(folder / name)
        if there is not None and sha(there) == old_files[name]:
            with suppress(OSError):  # what cannot be deleted stays; it harms nothing
                (folder / name).unlink()
    found = [codes.BUNDLED_FILE_KEPT.at(WHOLE, path=str(path)) for path in sorted(kept)]
    return where.current != text, tuple(found)


def unchanged(notebook: Path, raw: bytes, out: Path, fingerprint: str) -> Path | None:
    """Return the plugin when a port of this notebook would change nothing, else None. Imports nothing heavy.

    `fingerprint` stands for the compiler and the options; the stamp holds it with the hashes of the notebook, the
    plugin and its files.
    """
    for path in _matching(out, ".port/*/unchanged.stamp"):
        try:
            stamp = json.loads(path.read_bytes())
            plugin = out / str(stamp["plugin"])
            if (
                stamp["notebook"] == notebook_path(notebook, out)
                and stamp["fingerprint"] == fingerprint
                and stamp["notebook_sha"] == sha(raw)
                and all(
                    sha((out / name).read_bytes()) == digest
                    for name, digest in stamp["files"].items()
                )
            ):
                return plugin
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def chosen_before(notebook: Path, out: Path) -> tuple[str, ...]:
    """Return the variables that `--fields` made fields of at the last port of this notebook into this folder."""
    for path in _matching(out, ".port/*/lock.json"):
        lock: dict[str, Any] = _read_lock(path)
        if lock.get("notebook") == notebook_path(notebook, out):
            options = lock.get("options")
            names = options.get("fields") if isinstance(options, dict) else None
            if (
                isinstance(names, list)
                and all(isinstance(n, str) for n in names)
                and _content(out / str(lock.get("output"))) is not None
            ):
                return tuple(names)
    return ()


def stamp_of(
    plan: Plan, text: str, where: Place, notebook: Path, raw: bytes, fingerprint: str
) -> str:
    """Return what `unchanged` will compare: the hashes of everything that the port read and wrote."""
    out = where.path.parent
    files = {where.path.name: sha(text.encode())}
    for name in plan.files:
        source = sha((notebook.parent / name).read_bytes())
        files[relative_path(notebook.parent / name, out)] = source
        files[f"{plan.app_name}.files/{name}"] = source
    stamp = {
        "fingerprint": fingerprint,
        "notebook": where.notebook,
        "notebook_sha": sha(raw),
        "plugin": where.path.name,
        "files": files,
    }
    return json.dumps(stamp, indent=1, sort_keys=True) + "\n"


def copy_files(names: Iterable[str], source: Path, folder: Path) -> None:
    """Copy files of one folder into another, a new one. Raises UserError (exit 3) when that cannot be done."""
    try:
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((source / name).read_bytes())
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            codes.OUTPUT_UNWRITABLE, REFUSED, path=str(folder), reason=reason
        ) from error


def write_report(path: Path, text: str) -> None:
    """Write a report where the user wants it. Raises UserError (exit 3) when that cannot be done."""
    _replace_all({path: text.encode("utf-8", "replace")}, path.parent)


def replace_notebook(path: Path, before: bytes, after: bytes) -> None:
    """Put new bytes into a notebook, all or nothing, if it still holds those that were read; its mode stays.

    Raises UserError (exit 3): PP490 when the file changed meanwhile, PP402 when it cannot be written.
    """
    path = path.resolve()  # through a link: the link stays one
    beside = _beside(path)
    try:
        _write_durably(beside, after)
        shutil.copymode(path, beside)
        if path.read_bytes() != before:
            raise UserError(codes.CHANGED_MEANWHILE, REFUSED, path=str(path))
        beside.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(codes.OUTPUT_UNWRITABLE, REFUSED, path=str(path), reason=reason) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


# --- small things -------------------------------------------------------------------------------------------------


def sha(content: bytes) -> str:
    """Return the hash of a file's content."""
    return hashlib.sha256(content).hexdigest()


def relative_path(path: Path, start: Path) -> str:
    """Return the way from a folder to a file, with slashes."""
    return Path(os.path.relpath(path, start)).as_posix()


def notebook_path(notebook: Path, out: Path) -> str:
    """Return the way to the notebook as it can stand in a comment: a file's name may hold anything."""
    return in_comment(relative_path(notebook, out))


def module_key(path: Path) -> str:
    """Return the name under which a server shows a plugin file: without its leading number (CONTRACT 1.1)."""
    return re.sub(r"^\d+_", "", path.stem)


def app_name_of(path: Path, text: str) -> str:
    """Return the `APP_NAME` of a plugin, or the file's module key when it has none."""
    found = re.search(r"^    APP_NAME = ['\"]([^'\"]+)['\"]", text, re.MULTILINE)
    return found[1] if found else module_key(path)


def _plugins(out: Path) -> Iterator[tuple[Path, str]]:
    """The plugin files of a folder with their texts, in order."""
    for path in _matching(out, "*.py"):
        try:
            yield path, path.read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            yield path, ""


def _matching(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder; none when the system does not even take its name."""
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def _bundled(
    plan: Plan, source: Path, folder: Path, old: dict[str, str]
) -> tuple[dict[str, bytes], set[Path]]:
    """Return the contents that belong into the plugin's folder, and which files there the owner has changed."""
    files, kept = {}, set()
    for name in plan.files:
        files[name] = (source / name).read_bytes()
        there = _content(folder / name)
        if there is not None and there != files[name] and sha(there) != old.get(name):
            kept.add(folder / name)
    return files, kept


def _read_lock(path: Path) -> dict[str, dict[str, str]]:
    """Return the lock, or an empty one when it is missing or spoilt."""
    try:
        lock = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return lock if isinstance(lock, dict) else {}


def _content(path: Path) -> bytes | None:
    """Return a file's bytes, or None when there is none."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def _replace_all(contents: dict[Path, bytes], out: Path) -> None:
    """Write all files or none: first beside their places, then under their names. What fails halfway is undone."""
    before = {path: _content(path) for path in contents}
    folders = _missing_folders(contents)
    done: list[Path] = []
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_durably(_beside(path), content)
        for path in contents:
            _beside(path).replace(path)
            done.append(path)
    except BaseException as error:
        for path in done:
            _put_back(path, before[path])
        for path in contents:
            with suppress(OSError):
                _beside(path).unlink(missing_ok=True)
        for folder in folders:
            with suppress(OSError):
                folder.rmdir()
        if not isinstance(error, OSError):
            raise
        reason = error.strerror or str(error)
        raise UserError(codes.OUTPUT_UNWRITABLE, REFUSED, path=str(out), reason=reason) from error


def _beside(path: Path) -> Path:
    """Where a file is written before it takes its place."""
    return path.with_name(f".{path.name}.next")


def _write_durably(path: Path, content: bytes) -> None:
    """Write a file through to the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _put_back(path: Path, content: bytes | None) -> None:
    """Undo the writing of one file, as far as the disk lets us."""
    with suppress(OSError):
        if content is None:
            path.unlink(missing_ok=True)
        else:
            _write_durably(_beside(path), content)
            _beside(path).replace(path)


def _is_missing(path: Path) -> bool:
    """Whether nothing is there. (`Path.exists` raises for a name that is too long.)"""
    return not os.path.exists(path)  # noqa: PTH110


def _missing_folders(paths: Iterable[Path]) -> list[Path]:
    """The folders that writing these files will make, the inner ones first."""
    parents = {folder for path in paths for folder in path.parents if _is_missing(folder)}
    return sorted(parents, key=lambda folder: len(folder.parts), reverse=True)
