"""A folder of plugins as the port of one notebook sees it: where its plugin goes, what stands beside it, how it is written.

    <out>/sales_report.py                       the plugin
    <out>/sales_report.files/...                the files that travel with it
    <out>/.port/<port id>/base.py.txt           the text as it was emitted; lock.json: what it was made from
    <out>/.port/<port id>/cells.json            the notebook without outputs, for a newer compiler
    <out>/.port/<port id>/unchanged.stamp       lets the next port see in a moment that nothing changed; not for git
    <out>/.port/<port id>/backup/0007.*         plugin, base and lock before they were last changed; not for git

Everything is first written beside its place under another name; only when all of that has worked are the names changed,
the plugin's before those of its base and lock. What a kill leaves is finished or dropped when the folder is opened. All of
it is done, and the papers are read, by one at a time: `folder_lock`.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from transpiler.model import rules
from transpiler.model.diagnostics import REFUSED, UserError
from transpiler.plugin_folder.files import (
    beside,
    delete,
    make_folder,
    missing_folders,
    read_bytes,
    read_or_none,
    remove_empty,
    replace_all,
    replace_notebook,
)
from transpiler.plugin_folder.folder_lock import alone
from transpiler.plugin_folder.lockfile import read_lock
from transpiler.plugin_folder.paths import is_same_notebook, matching, notebook_path, sha
from transpiler.plugin_folder.place import Place, plugins, sources_of
from transpiler.plugin_folder.pristine import origin

BACKUPS = 10
PAPERS = ("base.py.txt", "lock.json", "cells.json")
STAMP = "unchanged.stamp"


@dataclass(frozen=True, slots=True)
class PluginFolder:
    """An opened folder with the plugins that were ported from a notebook, each with its lock and its base as read once."""

    out: Path
    notebook: Path  # Where the plugins know the notebook
    plugins: tuple[Place, ...]
    renamed: bool = False
    """Whether they were ported from a notebook of another name, which is gone; this one has most of its cells."""

    @classmethod
    def open(cls, out: Path, notebook: Path, raw: bytes | None = None) -> "PluginFolder":
        """Take the folder's lock, finish or drop what a killed port left, and read what stands beside the notebook's plugins.

        `raw` are the notebook's bytes, to know it again under another name. Raises UserError PP437 (exit 3) when another port holds it for long.
        """
        relative = notebook_path(notebook, out)
        ported = [(path, made) for path, text in plugins(out) if (made := origin(text))]
        ours = [(p, o["id"]) for p, o in ported if is_same_notebook(o["notebook"], relative, out)]
        renamed = not ours and raw is not None
        if renamed and raw is not None:
            gone = [(p, o["id"]) for p, o in ported if not os.path.lexists(out / o["notebook"])]
            cells = sources_of(raw) if gone else set()
            ours = [(path, port_id) for path, port_id in gone if _has_most(out, port_id, cells)]
        if not ours:
            return cls(out, notebook, ())
        with alone(out / ".port"):  # what a living port is about to name is no kill's leftover
            for path, port_id in ours:
                _recover(out / ".port" / port_id, path)
            there = tuple(_read(path, port_id, relative) for path, port_id in ours)
        return cls(out, notebook, there, renamed)

    def write(
        self, where: Place, content: bytes, files: Mapping[Path, bytes], papers: Mapping[str, bytes]
    ) -> set[Path]:
        """Write a plugin, the files that travel with it (by their places), and its papers; all or nothing.

        Return the files that are left alone since their owner changed them. What has its bytes already is not written.
        Raises UserError (exit 3) when the folder cannot be written, when another port does not let go of it, or when the
        plugin has changed since the folder was opened (PP402, PP437, PP490); then nothing has changed.
        """
        old = {where.files / name: digest for name, digest in where.lock.files.items()}
        with _writing(where, content):
            there = {path: read_or_none(path) for path in {*files, *old}}
            kept = {
                path
                for path, new in files.items()
                if (now := there[path]) is not None and now != new and sha(now) != old.get(path)
            }
            wanted = {path: new for path, new in files.items() if path not in kept}
            if where.raw is not None and where.raw != content:
                wanted |= _backup(where)
            wanted[where.path] = content
            wanted |= {where.home / name: paper for name, paper in papers.items()}
            replace_all({p: new for p, new in wanted.items() if read_or_none(p) != new}, self.out)
            for path in old.keys() - files.keys():
                if (now := there[path]) is not None and sha(now) == old[path]:
                    delete(path)
            _prune(where.home)
        return kept

    def keep_notebook(self, where: Place, raw: bytes) -> None:
        """Keep a notebook that will be changed with the plugin, for the backup that comes. Raises UserError as `write` does."""
        with _writing(where):
            replace_all({_notebook_in(where.home, _next_number(where.home)): raw}, self.out)

    def undo(self, where: Place, notebook: Path, yes: bool) -> None:
        """Bring back the plugin as it was before the last port changed it, and its backup goes.

        What `--to-notebook` did goes back together: the notebook as it was, too, unless it was saved since. `yes`: also where the
        plugin or the notebook were changed since; of the plugin a backup is made first. Raises UserError: PP429 without a
        backup (exit 2), PP403 or PP490 for such changes (exit 3).
        """
        if not (backups := _backups(where.home)) or where.raw is None:
            raise UserError(rules.NO_BACKUP, path=str(where.path))
        backup = backups[-1]
        edited = sha(where.raw) != where.lock.written_sha
        before = read_or_none(_notebook_in(where.home, int(backup.name[:4])))
        now = read_bytes(notebook) if before is not None else b""
        saved = before is not None and sha(now) != where.lock.notebook_sha
        if saved and not yes:
            raise UserError(rules.CHANGED_MEANWHILE, REFUSED, path=str(notebook))
        if edited and not yes:
            raise UserError(
                rules.EDITED_BY_HAND, REFUSED, path=str(where.path), option="--undo",
                edits="it is not as the last port left it",
            )  # fmt: skip
        self._put_back(where, backup, keep=edited)
        if before is not None and not saved:
            replace_notebook(notebook, now, before)

    def _put_back(self, where: Place, backup: Path, keep: bool) -> None:
        """Put the plugin and its papers back as they are in a backup. `keep`: make a backup of the plugin as it is first."""
        home, number = where.home, backup.name[:4]
        with _writing(where):
            wanted = _backup(where) if keep else {}
            wanted[where.path] = backup.read_bytes()
            for name in PAPERS:
                if (content := read_or_none(home / "backup" / f"{number}.{name}")) is not None:
                    wanted[home / name] = content
            delete(home / STAMP)
            replace_all(wanted, self.out)
            for path in matching(home / "backup", f"{number}[-.]*"):
                delete(path)


def _has_most(out: Path, port_id: str, cells: set[str]) -> bool:
    """Whether most cells of an earlier port are among these."""
    lock = read_lock(out / ".port" / port_id / "lock.json")
    sources = [cell.source for step in lock.steps for cell in step.cells]
    return sum(source in cells for source in sources) * 2 > len(sources)


def _read(path: Path, port_id: str, relative: str) -> Place:
    """Read a plugin and its papers."""
    home = path.parent / ".port" / port_id
    lock, base = read_lock(home / "lock.json"), read_or_none(home / "base.py.txt")
    return Place(path, port_id, relative, read_or_none(path), base, lock)


def _recover(home: Path, plugin: Path) -> None:
    """Finish or drop what a killed port has left: base and lock follow the plugin that is there."""
    left = matching(home, ".*.next") + matching(home / "backup", ".*.next")
    if not left:
        delete(beside(plugin))  # all that an undo had written
        return
    now, current = read_lock(home / "lock.json"), read_or_none(plugin)
    coming = read_lock(beside(home / "lock.json"))
    text = (current or b"").decode("utf-8", "replace").replace("\r\n", "\n")
    header = (origin(text) or {}).get("base")
    finish = bool(coming.written_sha) and (
        (current is not None and coming.written_sha == sha(current))
        or (header == coming.header and header != now.header)
    )
    with suppress(OSError):
        for name in PAPERS:
            if finish and beside(home / name) in left:
                beside(home / name).replace(home / name)
    for path in (*left, beside(plugin)):
        delete(path)


@contextmanager
def _writing(where: Place, coming: bytes | None = None) -> Iterator[None]:
    """Hold the lock of a plugin's folder, with the papers in order, while they are written.

    Raises UserError (exit 3): PP402 when the folder cannot be made, PP437 when another port does not end, PP490 when the plugin is
    neither what was read nor what is `coming`: somebody has saved or ported it meanwhile.
    """
    papers = where.home.parent
    made = missing_folders([papers / where.port_id])
    with alone(papers, lambda: make_folder(papers, made)):
        try:
            _recover(where.home, where.path)
            if read_or_none(where.path) not in (where.raw, coming or where.raw):
                raise UserError(rules.CHANGED_MEANWHILE, REFUSED, path=str(where.path))
            yield
        except BaseException:
            remove_empty(made)
            raise


# --- backups ----------------------------------------------------------------------------------------------------------


def _backup(where: Place) -> dict[Path, bytes]:
    """The plugin and its papers under the next number."""
    number = _next_number(where.home)
    folder, raw = where.home / "backup", where.raw or b""
    files = {folder / f"{number:04}-{sha(raw)[:8]}.py.txt": raw}
    for name in PAPERS:
        if (content := read_or_none(where.home / name)) is not None:
            files[folder / f"{number:04}.{name}"] = content
    return files


def _backups(home: Path) -> list[Path]:
    """The plugins in the backup folder, oldest first."""
    return [p for p in matching(home / "backup", "*-*.py.txt") if p.name[:4].isdecimal()]


def _next_number(home: Path) -> int:
    backups = _backups(home)
    return int(backups[-1].name[:4]) + 1 if backups else 1


def _prune(home: Path) -> None:
    """Delete all but the newest backups."""
    for old in _backups(home)[:-BACKUPS]:
        for path in matching(home / "backup", f"{old.name[:4]}[-.]*"):
            delete(path)


def _notebook_in(home: Path, number: int) -> Path:
    """Where a notebook is kept that was changed with the plugin; it goes with the plugin's backup."""
    return home / "backup" / f"{number:04}.notebook.ipynb"
