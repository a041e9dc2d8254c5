"""The plugins of a folder as they are served: each can be loaded again, or newly, while the others run."""

import contextlib
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

from pipulate_runtime.host.loading import Loader
from pipulate_runtime.host.plugins import Plugin, Problem, split_name
from pipulate_runtime.host.state import StateStore

log = logging.getLogger(__name__)


class Served:
    """What an app serves. `loaded` is one object as long as the app lives; what it holds changes."""

    def __init__(self, loader: Loader, store: StateStore, configure: Callable[[], None]) -> None:
        """With the plugins that are loaded; `configure` makes ready what plugins with cells need."""
        self._loader = loader
        self._store = store
        self._configure = configure
        self.loaded = loader.result()
        self.watchers: list[Callable[[], None]] = []  # told when there may be new plugins
        self.digests: dict[Path, str] = (
            {}
        )  # of the files that are served, or were ported, as they are
        self.running = False
        self.computed = False  # whether there may be kernels
        self._roles()

    def begin(self) -> None:
        """The server starts: from now on plugins with cells may run."""
        self.running = True
        self._ready()

    def _ready(self) -> None:
        if self.running and self.loaded.compute and not self.computed:
            self.computed = True
            self._configure()

    def refresh(self, path: Path) -> Plugin | Problem | None:
        """Loads one file again, or forgets it when it is gone; gives what is wrong with it, else the plugin."""
        self.digests.pop(path, None)
        if path.is_file():
            with contextlib.suppress(OSError):
                self.note(path, path.read_bytes())
            self._loader.load(path, afresh=True)
        else:
            self._loader.forget(path)
        self.loaded.become(self._loader.plugins, self._loader.problems)
        self._roles()
        self._ready()
        for tell in self.watchers:
            tell()
        return self._say(path)

    def complain(self, path: Path, file: str, message: str = "", remedy: str = "") -> None:
        """Says on a plugin's page what is wrong with the notebook it was made of; without a message, nothing is."""
        key = split_name(path.stem)[1]
        problem = Problem(key, path, message, remedy, file=file, runs=True) if message else None
        self._loader.complain(path, problem)
        self.loaded.become(self._loader.plugins, self._loader.problems)

    def note(self, path: Path, content: bytes) -> None:
        """Remembers that a file with this content needs nothing to be done."""
        self.digests[path] = hashlib.sha256(content).hexdigest()

    def is_wrong(self, path: Path) -> bool:
        """Whether a file could not be loaded."""
        return any(problem.path == path and not problem.file for problem in self.loaded.problems)

    def _say(self, path: Path) -> Plugin | Problem | None:
        for problem in self.loaded.problems:
            if problem.path == path:
                line = f", line {problem.line}" if problem.line else ""
                log.error("%s%s cannot be loaded: %s", path.name, line, problem.message)
                return problem
        for plugin in self.loaded.plugins:
            if plugin.path == path:
                log.info("%s is loaded: %s", path.name, plugin.title)
                return plugin
        log.info("%s is gone", path.name)
        return None

    def _roles(self) -> None:
        roles = {role for plugin in self.loaded.plugins for role in plugin.roles}
        self._store.ensure_roles(sorted(roles), ())
