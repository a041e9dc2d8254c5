"""Follows the files of a folder while the server runs: what is saved is served a moment later (`serve --reload`).

The system says when something changes in a folder of plugins or notebooks (watchfiles). Then the files are looked at: their times and sizes, and what is in
them only when these are others. A notebook that a plugin was made of is ported again by the porter, which merges; the plugin's file changes by that, and is
loaded like any other.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path

from pipulate_runtime.host.plugins.model import find_files
from pipulate_runtime.host.plugins.served import Served
from pipulate_runtime.host.workshop.port import Porter

log = logging.getLogger(__name__)

SETTLED = 1000
"""Milliseconds until what is gone is looked for again, and at most until a change is looked at."""

Seen = tuple[int, int, str]


class Follower:
    """Looks at the plugins of a folder and at their notebooks."""

    def __init__(self, served: Served, folder: Path, porter: Porter | None) -> None:
        """What is there now is known already."""
        self._served = served
        self._folder = folder
        self._porter = porter
        self._plugins = _look(find_files(folder), {})
        self._notebooks = _look(self._homes(), {})
        self._missing: set[Path] = set()  # since the last look: an editor may put a file back

    async def follow(self) -> None:
        """Looks when something has changed, until it is cancelled."""
        while True:
            folders = self._folders()
            with contextlib.suppress(FileNotFoundError):  # deleted just now
                await self._follow(folders)
            await asyncio.sleep(
                0.1
            )  # a folder that cannot be followed must not take all of the time

    async def _follow(self, folders: set[Path]) -> None:
        """Looks when something has changed in these folders, until it is others that hold the files."""
        from watchfiles import awatch

        here = {str(folder) for folder in folders}
        rounds = awatch(
            *folders,
            watch_filter=lambda _, path: path in here or path.endswith((".py", ".ipynb")),
            debounce=SETTLED,
            rust_timeout=SETTLED,
            yield_on_timeout=True,
            recursive=False,
        )
        first = True  # before it was followed, there may have been changes
        async with contextlib.aclosing(rounds):
            async for changes in rounds:
                if changes or first or self._missing:
                    first = False
                    try:
                        await self.look()
                    except Exception:
                        log.exception("The files could not be followed")
                gone = any(path in here for _, path in changes)  # the one of that name is another
                if gone or self._folders() != folders:
                    return

    def _folders(self) -> set[Path]:
        """Where the plugins and their notebooks are, as far as that is there. What a link leads to is followed, too."""
        files = [*self._plugins, *self._notebooks]
        found = {
            self._folder,
            *(path.parent for path in files),
            *(path.resolve().parent for path in files),
        }
        return {folder.absolute() for folder in found if folder.is_dir()}

    async def look(self) -> None:
        """Looks once: ports what was saved, loads what is new or another, forgets what is gone."""
        homes = await asyncio.to_thread(self._homes)
        before = self._notebooks
        # One that is gone is remembered: a save may take it away for a moment
        self._notebooks = before | await asyncio.to_thread(_look, homes, before)
        for notebook, seen in self._notebooks.items():
            if notebook not in before or notebook not in homes:
                continue
            changed = seen[2] != before[notebook][2]
            if changed and self._served.digests.pop(notebook, None) != seen[2]:
                try:
                    await self._port(notebook, homes[notebook])
                except Exception:  # a fault of ours: the other files are followed all the same
                    log.exception("%s could not be ported", notebook.name)
        found = find_files(self._folder)
        plugins = await asyncio.to_thread(_look, found, self._plugins)
        known, self._plugins = self._plugins, self._plugins | plugins
        for path, seen in plugins.items():
            before_it = known.get(path)
            loaded = {self._served.digests.get(path), before_it[2] if before_it else None}
            # One that could not be loaded is tried again when it is saved: what it needs may be there now
            again = seen[2] not in loaded or self._served.is_wrong(path)
            if seen != before_it and again:
                self._served.refresh(path)
        missing = known.keys() - set(found)
        for path in sorted(missing & self._missing):
            self._served.refresh(path)
            del self._plugins[path]
        self._missing = missing

    def _homes(self) -> Mapping[Path, Path]:
        return self._porter.notebooks() if self._porter else {}

    async def _port(self, notebook: Path, plugin: Path) -> None:
        """Ports a saved notebook; what comes of it stands in the log, and what is wrong on the plugin's page."""
        assert self._porter is not None
        report = await asyncio.to_thread(self._porter.again, notebook)
        errors = [one for one in report["diagnostics"] if one["severity"] == "error"]
        for one in errors:
            log.error("%s: %s %s. %s", one["place"], one["code"], one["message"], one["help"])
        if errors:
            said = f"{errors[0]['place']}: {errors[0]['code']} {errors[0]['message']}"
            self._served.complain(plugin, notebook.name, said, errors[0]["help"])
        elif report.get("conflicts"):
            said = f"Both the notebook and the plugin were changed in {report['conflicts']} places."
            remedy = "The plugin's text runs there. `pipulate port` lists them and settles them."
            self._served.complain(plugin, notebook.name, said, remedy)
        else:
            self._served.complain(plugin, notebook.name)
        if not report["ok"]:
            log.error("%s was saved and cannot be ported; the plugin stays as it is", notebook.name)
        elif report.get("conflicts"):
            log.warning("%s was ported; %d conflicts are open", notebook.name, report["conflicts"])
        elif report["changed"]:
            log.info("%s was ported again", notebook.name)


def _look(paths: Iterable[Path], before: dict[Path, Seen]) -> dict[Path, Seen]:
    """Time, size and digest of files. What is gone in the middle of it is left out."""
    found = {}
    for path in paths:
        with contextlib.suppress(OSError):
            status = path.stat()
            known = before.get(path)
            if known and known[:2] == (status.st_mtime_ns, status.st_size):
                found[path] = known
            else:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                found[path] = status.st_mtime_ns, status.st_size, digest
    return found


@contextlib.asynccontextmanager
async def following(follower: Follower | None) -> AsyncIterator[None]:
    """Follows in a task of its own, for as long as the server runs."""
    if follower is None:
        yield
        return
    task = asyncio.ensure_future(follower.follow())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
