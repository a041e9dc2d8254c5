"""Writes a plugin and what belongs to it. The only pass that touches the disk.

    <out>/sales_report.py                       the plugin
    <out>/sales_report.files/...                the files that travel with it
    <out>/.port/<port id>/base.py.txt           the text as it was emitted; lock.json: what it was made from
    <out>/.port/<port id>/cells.json            the notebook without outputs, for a newer compiler
    <out>/.port/<port id>/unchanged.stamp       lets the next port see in a moment that nothing changed; not for git
    <out>/.port/<port id>/backup/0007.*         plugin, base and lock before they were last changed; not for git

Everything is first written beside its place under another name; only when all of that has worked are the names changed,
the plugin's before those of its base and lock. What a kill leaves is finished or dropped by `recover`. All of it is done, and the
papers are read, by one at a time: `locking`.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from transpiler import codes
from transpiler.diagnostics import WHOLE, Found, UserError
from transpiler.ir import Plan
from transpiler.passes.earlier import read_lock
from transpiler.passes.kept import lock_text
from transpiler.passes.locking import alone
from transpiler.passes.paths import is_same_notebook, matching, notebook_path, sha
from transpiler.passes.regenerated import REFUSED, Regenerated
from transpiler.passes.target import Place, plugins, sources_of
from transpiler.pristine import origin


def ported_from(notebook: Path, out: Path) -> list[Place]:
    """Return the plugins of a folder that were ported from a notebook; their papers are in order afterwards.

    Raises UserError PP437 (exit 3) when another port holds the folder for long.
    """
    relative = notebook_path(notebook, out)
    found = []
    for path, text in plugins(out):
        made_from = origin(text)
        if made_from and is_same_notebook(made_from["notebook"], relative, out):
            found.append(_there(path, made_from["id"], relative))
    return found


def renamed_from(notebook: Path, raw: bytes, out: Path) -> list[Place]:
    """Return the plugins that were ported from a notebook of another name: it is gone, and this one has most of its cells.

    `raw` are the bytes of the notebook as it is now.
    """
    texts = [(path, origin(text)) for path, text in plugins(out)]
    gone = [(path, o) for path, o in texts if o and not os.path.lexists(out / o["notebook"])]
    cells = sources_of(raw) if gone else set()
    found = []
    for path, made_from in gone:
        lock = read_lock(out / ".port" / made_from["id"] / "lock.json")
        sources = [cell.source for step in lock.steps for cell in step.cells]
        if sum(source in cells for source in sources) * 2 > len(sources):
            found.append(_there(path, made_from["id"], notebook_path(notebook, out)))
    return found


def _there(path: Path, port_id: str, notebook: str) -> Place:
    """Return a plugin with its papers, which are in order afterwards. Raises UserError PP437 when a port does not end."""
    home = path.parent / ".port" / port_id
    with alone(home.parent):  # what a living port is about to name is not what a kill has left
        recover(home, path)
        lock, base = read_lock(home / "lock.json"), _content(home / "base.py.txt")
        return Place(path, port_id, notebook, _content(path), base, lock)


def write(
    plan: Plan, made: Regenerated, where: Place, notebook: Path, raw: bytes, papers: Mapping[str, str]
) -> tuple[bool, Found]:  # fmt: skip
    """Write the plugin, its files, its base and its lock; return whether the plugin changed, and what was found.

    `raw` is the notebook as it was read, `papers` what else is kept beside the base. Files whose bytes are right are left
    alone. Raises UserError (exit 3) when the folder cannot be written, when another port does not let go of it, or when the plugin has
    changed since it was read (PP402, PP437, PP490); then nothing has changed.
    """
    with _writing(where, made.content):
        return _write(plan, made, where, notebook, raw, papers)


def _write(
    plan: Plan, made: Regenerated, where: Place, notebook: Path, raw: bytes, papers: Mapping[str, str]
) -> tuple[bool, Found]:  # fmt: skip
    """`write` with the folder's lock in hand."""
    out, home = where.path.parent, where.home
    old_files = where.lock.files
    folder = out / f"{plan.app_name}.files"
    files, kept = _bundled(plan, notebook.parent, folder, old_files)
    wanted = {
        folder / name: content for name, content in files.items() if folder / name not in kept
    }
    if where.raw is not None and where.raw != made.content:
        wanted |= _backup(where)
    base = made.base.encode()
    wanted[where.path] = made.content
    wanted[home / "base.py.txt"] = base
    wanted[home / "lock.json"] = lock_text(plan, made, where, raw, files)
    wanted |= {home / name: text.encode() for name, text in papers.items()}
    _replace_all(
        {path: content for path, content in wanted.items() if _content(path) != content}, out
    )
    for name in old_files.keys() - files.keys():
        there = _content(folder / name)
        if there is not None and sha(there) == old_files[name]:
            _delete(folder / name)
    _prune(home)
    found = [codes.BUNDLED_FILE_KEPT.at(WHOLE, path=str(path)) for path in sorted(kept)]
    return where.raw != made.content, tuple(found)


# --- backups, and what a kill leaves --------------------------------------------------------------------------------

BACKUPS = 10
PAPERS = ("base.py.txt", "lock.json", "cells.json")


def _backup(where: Place) -> dict[Path, bytes]:
    """The plugin and its papers under the next number."""
    number = int(max((p.name[:4] for p in _backups(where.home)), default="0000")) + 1
    folder, raw = where.home / "backup", where.raw or b""
    files = {folder / f"{number:04}-{sha(raw)[:8]}.py.txt": raw}
    for name in PAPERS:
        if (content := _content(where.home / name)) is not None:
            files[folder / f"{number:04}.{name}"] = content
    return files


def _backups(home: Path) -> list[Path]:
    """The plugins in the backup folder, oldest first."""
    return [p for p in matching(home / "backup", "*-*.py.txt") if p.name[:4].isdecimal()]


def _prune(home: Path) -> None:
    """Delete all but the newest backups."""
    for old in _backups(home)[:-BACKUPS]:
        for path in matching(home / "backup", f"{old.name[:4]}[-.]*"):
            _delete(path)


def latest_backup(where: Place) -> Path | None:
    """Return the plugin as it was before the last change of a port, if that is kept."""
    return next(reversed(_backups(where.home)), None)


def notebook_backup(home: Path, number: int) -> Path:
    """Return where a notebook is kept that was changed with the plugin; it goes with the plugin's backup."""
    return home / "backup" / f"{number:04}.notebook.ipynb"


def undo(where: Place, backup: Path, keep: bool) -> None:
    """Put the plugin and its papers back as they are in a backup, which goes then.

    `keep`: the plugin was changed since; make a backup of it first.
    """
    home, number = where.home, backup.name[:4]
    with _writing(where):
        wanted = _backup(where) if keep else {}
        wanted[where.path] = backup.read_bytes()
        for name in PAPERS:
            if (content := _content(home / "backup" / f"{number}.{name}")) is not None:
                wanted[home / name] = content
        _delete(home / "unchanged.stamp")
        _replace_all(wanted, where.path.parent)
        for path in matching(home / "backup", f"{number}[-.]*"):
            _delete(path)


@contextmanager
def _writing(where: Place, coming: bytes | None = None) -> Iterator[None]:
    """Hold the lock of a plugin's folder, with the papers in order, while they are written.

    Raises UserError (exit 3): PP402 when the folder cannot be made, PP437 when another port does not end, PP490 when the plugin is
    neither what was read nor what is `coming`: somebody has saved or ported it meanwhile.
    """
    papers = where.home.parent
    made = _missing_folders([papers / where.port_id])
    with alone(papers, lambda: _make(papers, made)):
        try:
            recover(where.home, where.path)
            if _content(where.path) not in (where.raw, coming or where.raw):
                raise UserError(codes.CHANGED_MEANWHILE, REFUSED, path=str(where.path))
            yield
        except BaseException:
            _remove_empty(made)
            raise


def recover(home: Path, plugin: Path) -> None:
    """Finish or drop what a killed port has left: base and lock follow the plugin that is there."""
    left = matching(home, ".*.next") + matching(home / "backup", ".*.next")
    if not left:
        _delete(_beside(plugin))  # all that an undo had written
        return
    now, current = read_lock(home / "lock.json"), _content(plugin)
    coming = read_lock(_beside(home / "lock.json"))
    text = (current or b"").decode("utf-8", "replace").replace("\r\n", "\n")
    header = (origin(text) or {}).get("base")
    finish = bool(coming.written_sha) and (
        (current is not None and coming.written_sha == sha(current))
        or (header == coming.header and header != now.header)
    )
    with suppress(OSError):
        for name in PAPERS:
            if finish and _beside(home / name) in left:
                _beside(home / name).replace(home / name)
    for path in (*left, _beside(plugin)):
        _delete(path)


def _delete(path: Path) -> None:
    """Delete a file. What cannot be deleted stays; it harms nothing."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def copy_files(names: Iterable[str], source: Path, folder: Path) -> None:
    """Copy files of one folder into another, a new one. Raises UserError (exit 3) when that cannot be done."""
    try:
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((source / name).read_bytes())
    except OSError as error:
        raise _unwritable(folder, error) from error


def keep_notebook(where: Place, raw: bytes) -> None:
    """Keep a notebook that will be changed with the plugin, for the backup that comes. Raises UserError as `write` does."""
    latest = latest_backup(where)
    path = notebook_backup(where.home, int(latest.name[:4]) + 1 if latest else 1)
    with _writing(where):
        _replace_all({path: raw}, where.path.parent)


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
        raise _unwritable(path, error) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


# --- small things -------------------------------------------------------------------------------------------------


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
        _remove_empty(folders)
        if not isinstance(error, OSError):
            raise
        raise _unwritable(out, error) from error


def _unwritable(path: Path, error: OSError) -> UserError:
    """What to say of a file or folder that the system does not let us write."""
    reason = error.strerror or str(error)
    return UserError(codes.OUTPUT_UNWRITABLE, REFUSED, path=str(path), reason=reason)


def _make(folder: Path, missing: Iterable[Path]) -> None:
    """Make a folder with those above it, or none of the `missing` ones. Raises UserError PP402 (exit 3)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _remove_empty(missing)
        raise _unwritable(folder.parent, error) from error


def _remove_empty(folders: Iterable[Path]) -> None:
    """Delete folders that were made for nothing."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


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
