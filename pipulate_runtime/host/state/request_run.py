"""Which run a request is about.

Each request of a run's page carries the run's key as `pipeline_id`. It is bound here for the time of the request, so
that `pip.db["pipeline_id"]` is the key of *this* request, also for plugins that know of one current run only. A task
that a request starts inherits the binding. With the key goes the run's row: the host, the plugin and the cells look at one
object, which is parsed once and asks the database only whether anybody has written (docs/adr/0057).
"""

from collections.abc import Iterator, KeysView
from contextvars import ContextVar
from dataclasses import dataclass

from pipulate_runtime.host.state.run import Run
from pipulate_runtime.host.state.store import StateStore

KEY = "pipeline_id"


@dataclass(slots=True)
class RunScope:
    """The run of one request; `key` is "" until it is known. `run` is its row, while the request lasts."""

    key: str = ""
    run: Run | None = None
    over: bool = False


_scope: ContextVar[RunScope | None] = ContextVar("pipulate_run", default=None)


def bind(key: str, run: Run | None = None) -> RunScope:
    """Binds the current request to a run; `run` is its row where that was read already."""
    scope = RunScope(key, run)
    _scope.set(scope)
    return scope


def release() -> None:
    """The request is answered: what it has started reads the run afresh, and holds no row for hours."""
    if scope := _scope.get():
        scope.run, scope.over = None, True


def bound_key() -> str:
    """The key the current request was bound to, or ""."""
    scope = _scope.get()
    return scope.key if scope else ""


def run_of(store: StateStore, key: str) -> Run | None:
    """A run as it is stored now, or None: for all who ask in one request the same object, parsed once."""
    scope = _scope.get()
    if scope is None or scope.over:
        return store.run(key)
    if scope.run is None or scope.run.key != key or scope.run.store is not store:
        run = store.run(key)
        if key == scope.key:
            scope.run = run
        return run
    return scope.run.look()


class KeyValueStore:
    """`pip.db`: the table `store` as a mapping of texts, with `pipeline_id` bound to the request."""

    def __init__(self, store: StateStore) -> None:
        """Over the table of a store."""
        self._store = store

    def get(self, name: str, default: object = None) -> object:
        """The value of a name, or the default."""
        if name == KEY and (key := bound_key()):
            return key
        value = self._store.setting(name)
        return default if value is None else value

    def __getitem__(self, name: str) -> str:
        """The value of a name; raises KeyError."""
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return str(value)

    def __setitem__(self, name: str, value: object) -> None:
        """Keeps a value as text."""
        self._store.set_setting(name, str(value))
        scope = _scope.get()
        if name == KEY and scope is not None:
            scope.key = str(value)

    def __delitem__(self, name: str) -> None:
        """Forgets a name; raises KeyError."""
        self._store.delete_setting(name)

    def __contains__(self, name: object) -> bool:
        """Whether a name has a value."""
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._store.settings())

    def __len__(self) -> int:
        """How many names there are."""
        return len(self._store.settings())

    def keys(self) -> KeysView[str]:
        """All names."""
        return self._store.settings().keys()

    def values(self) -> list[str]:
        """All values."""
        return [value for _, value in self.items()]

    def items(self) -> list[tuple[str, str]]:
        """All pairs."""
        return [(name, self[name]) for name in self]
