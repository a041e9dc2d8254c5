"""The plugins that a server serves: each can be loaded again, or added, while the others run."""

import contextlib
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

from pipulate_runtime.host.plugins.load import Loader
from pipulate_runtime.host.plugins.model import Plugin, Problem, split_name
from pipulate_runtime.host.state.store import StateStore

log = logging.getLogger(__name__)


class Served:
    """The plugins that an app serves. `loaded` stays the same object; its content changes."""

    def __init__(self, loader: Loader, store: StateStore, configure: Callable[[], None]) -> None:
        """Serve the plugins of `loader`; `configure` prepares what plugins with cells need."""
        self._loader = loader
        self._store = store
        self._configure = configure
        self.loaded = loader.result()
        self.watchers: list[Callable[[], None]] = []  # called after each change
        self.digests: dict[Path, str] = (
            {}
        )  # of the files that are served, or were ported, as they are
        self.running = False
        self.computed = False  # whether `configure` was called
        self._roles()

    def begin(self) -> None:
        """Allow cells to run, from the start of the server on."""
        self.running = True
        self._ready()

    def _ready(self) -> None:
        if self.running and self.loaded.compute and not self.computed:
            self.computed = True
            self._configure()

    def refresh(self, path: Path) -> Plugin | Problem | None:
        """Load one file again, or forget a deleted one; return its Problem, else the plugin, else None."""
        self.digests.pop(path, None)
        if path.is_file():
            with contextlib.suppress(OSError):
                self.note(path, path.read_bytes())
            self._loader.load(path, afresh=True)
        else:
            self._loader.forget(path)
        self.loaded.replace(self._loader.plugins, self._loader.problems)
        self._roles()
        self._ready()
        for tell in self.watchers:
            tell()
        return self._say(path)

    def complain(self, path: Path, file: str, message: str = "", remedy: str = "") -> None:
        """Show a problem of the plugin's notebook on its page; without a message, remove it."""
        key = split_name(path.stem)[1]
        problem = Problem(key, path, message, remedy, file=file, runs=True) if message else None
        self._loader.complain(path, problem)
        self.loaded.replace(self._loader.plugins, self._loader.problems)

    def note(self, path: Path, content: bytes) -> None:
        """Remember the content of a file that needs no reload or port."""
        self.digests[path] = hashlib.sha256(content).hexdigest()

    def is_wrong(self, path: Path) -> bool:
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
        log.info("%s was deleted", path.name)
        return None

    def _roles(self) -> None:
        roles = {role for plugin in self.loaded.plugins for role in plugin.roles}
        self._store.ensure_roles(sorted(roles), ())
