"""Stores the live part of a namespace with the state of the process, and loads it in another kernel."""

import ast
import hashlib
import io
import json
import os
import re
import sys
import time
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from . import process
from .fork import copies as _copies
from .fork import end_with, may_fork, reap, step_aside
from .graph import TooDear, Unstorable, Walk
from .pickling import Buffers, Limited, Pickler, Unpickler, buffers_of
from .sites import unknown_settings

_HISTORY = re.compile(r"_{1,3}|_\d+|Out|_oh")
_OF_SHELL = re.compile(r"_i{1,3}|_i\d+|_ih|In|_dh|get_ipython|exit|quit|open|__(name|doc|package|loader|spec|builtin|builtins|file)__|" + _HISTORY.pattern)  # fmt: skip
# Code with one of these words may read names that it does not spell
_EVERYTHING = frozenset(
    re.findall(
        r"\w+",
        "globals locals vars dir exec eval getattr __main__ __dict__ get_ipython who whos who_ls store run "
        "interact user_ns",
    )
)
_IN_LINE = 1.0  # seconds that the next cell may wait for storing where no copy can do it
_REPORT = "report.json"
Report = dict[str, Any]


class Store:
    """Stores and restores the namespace of the kernel it is in."""

    def __init__(self, shell: Any, modules: set[str], environ: dict[str, str], work: str) -> None:
        """`modules` and `environ` are those at the start of the kernel, `work` is the folder of the run."""
        self.shell = shell
        self.namespace: dict[str, Any] = shell.user_ns
        self.modules, self.environ, self.work = modules, environ, work

    # --- in the kernel of the run ---

    def store(self, folder: str, words: list[str], seconds: float, limit: int) -> None:
        """Write `state.pickle` and `report.json` into `folder`.

        `words` are all identifiers in the code of the later cells. It gives up after `seconds`, or `limit` bytes. The report says
        what was stored, or what could not be.
        """
        state = self._state(process.thread_kinds())
        _report(folder, self._stored(folder, words, seconds, limit, *state))

    def store_aside(self, folder: str, words: list[str], seconds: float, limit: int) -> None:
        """Do the same in a forked copy of this process; return at once, so that the next cell need not wait.

        The copy ends after `seconds`, and with this process. A process that cannot be forked safely stores at once, if that is quick.
        """
        reap()
        if not may_fork():
            self.store(folder, words, _IN_LINE, limit)
            return
        threads, parent = process.thread_kinds(), os.getpid()
        with _quiet():  # Python 3.12 warns of the kernel's threads: none of them is needed
            pid = os.fork()
        if pid:
            _copies.append(pid)
            return
        try:
            end_with(parent)
            state = self._state(threads)  # before anything of this process is changed
            step_aside(seconds)
            _report(folder, self._stored(folder, words, seconds, limit, *state))
        finally:
            os._exit(0)

    def _state(self, threads: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
        """Return what of the process can be restored, and what must be equal then."""
        found = process.capture(self.shell, self._imported(), self.environ, self.work)
        return found, process.traces(self.shell, self.environ, self.work, threads)

    def _stored(
        self,
        folder: str,
        words: list[str],
        seconds: float,
        limit: int,
        found: dict[str, Any],
        traces: dict[str, str],
    ) -> Report:
        """Write the pickle; return the report."""
        deadline = time.monotonic() + seconds
        with _quiet():
            try:
                report = self._store(Path(folder), set(words), deadline, limit, found)
                report["traces"] = traces
            except TooDear:
                report = {"dear": "storing takes longer than running the steps again"}
            except Unstorable as problem:
                report = {"lost": _words("a value", problem)}  # found only by pickling
            except OSError as problem:
                report = {"dear": str(problem)}
        return report

    def _store(
        self, folder: Path, words: set[str], deadline: float, limit: int, found: dict[str, Any]
    ) -> Report:
        settings = sorted(set(unknown_settings(self._trees(), self.namespace)))
        if settings:
            return {"lost": f"what `{settings[0]}` sets"}
        names = self._live(words)
        with_history = bool(words & _EVERYTHING) or any(map(_HISTORY.fullmatch, words))
        while True:
            walk = Walk(self.namespace, deadline)
            digests = {}
            for what, value in self._parts(sorted(names), with_history):
                try:
                    digests[what] = self._digest(walk, what, value)
                except Unstorable as problem:
                    return {"lost": _words(what, problem)}
            more = self._live(walk.names) - names
            if not more:
                break
            names |= more  # what the functions found so far look up
        values = {name: self.namespace[name] for name in sorted(names)}
        history = self._history() if with_history else None
        with (folder / "state.pickle").open("wb") as file:
            limited = Limited(file, limit)
            buffers = Buffers(folder, limited)
            for part in (found, (values, history)):
                try:
                    Pickler(cast(IO[bytes], limited), self.namespace, buffers).dump(part)
                except (OSError, Unstorable):
                    raise
                except Exception as problem:
                    return {"lost": f"a value ({type(problem).__name__}: {problem})"}
        return {
            "names": sorted(names),
            "left_out": sorted(self._named() - names),
            "history": with_history,
            "digests": digests,
            "versions": versions(),
            "buffers": buffers.names,
        }

    def _parts(self, names: list[str], with_history: bool) -> Iterator[tuple[str, Any]]:
        """Yield the values that a checkpoint restores, by a name for people.

        Modules of the run's own folder are among them: they are imported again, from files that may have changed.
        """
        for name in names:
            yield f"`{name}`", self.namespace[name]
        if with_history:
            yield "an earlier result", self._history()
        for name, module in sorted(_modules()):
            if (getattr(module, "__file__", None) or "").startswith(self.work):
                yield f"the module `{name}`", module

    def _digest(self, walk: Walk, what: str, value: Any) -> str:
        """Walk one of the parts; return the digest of all parts so far."""
        if what.startswith("the module"):
            for name, content in sorted(vars(value).items()):
                if not name.startswith("__") and not isinstance(content, types.ModuleType):
                    walk.say(name)
                    for function in _functions(content, value.__name__):
                        walk.code(function.__code__)
                    walk.add(content)
        else:
            walk.add(value)
        return walk.digest()

    def _trees(self) -> list[ast.AST]:
        """Return the syntax trees of the cells that ran."""
        trees: list[ast.AST] = []
        for code in self.shell.history_manager.input_hist_parsed:
            try:
                trees.append(ast.parse(code))
            except (SyntaxError, ValueError):
                continue  # it had no effect
        return trees

    def _named(self) -> set[str]:
        """Return the names of the notebook, without the shell's own."""
        hidden = self.shell.user_ns_hidden
        return {
            name
            for name, value in self.namespace.items()
            if not _OF_SHELL.fullmatch(name) and hidden.get(name, hidden) is not value
        }

    def _live(self, words: set[str]) -> set[str]:
        named = self._named()
        return named if words & _EVERYTHING else named & words

    def _history(self) -> Any:
        """Return the results in `_`, `Out` and similar names."""
        hook, hidden = self.shell.displayhook, self.shell.user_ns_hidden
        names = {n: v for n, v in self.namespace.items() if n != "_oh" and _HISTORY.fullmatch(n)}
        results = dict(names.pop("Out", {}))
        own = [name for name, value in names.items() if hidden.get(name, hidden) is not value]
        return results, names, own, (hook._, hook.__, hook.___)

    def _imported(self) -> list[str]:
        """Return the modules imported since the kernel began, in order."""
        return [
            name
            for name, module in _modules()
            if name not in self.modules
            and not name.startswith("_pipulate_inside")
            and getattr(module, "__spec__", None) is not None
        ]

    # --- in another kernel ---

    def load(self, folder: str, sha256: str, expected: dict[str, str], kept: list[str]) -> None:
        """Restore what was stored. After an exception the kernel must not be used.

        `sha256` of the pickle and the names of its `kept` buffers, which are their digests, have a signature that the server has
        checked; `expected` are the package versions at storing.
        """
        content = (Path(folder) / "state.pickle").read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError("the stored state is not the one that was signed")
        if sys.version != expected.get("python"):
            raise ValueError("it was stored by another Python")
        file, buffers = io.BytesIO(content), buffers_of(Path(folder), kept)
        with _quiet():
            found = Unpickler(file, self.namespace, buffers).load()
            process.restore(self.shell, found, self.work)  # the values need the modules
            now = versions()
            other = [
                name for name, version in expected.items() if now.get(name, version) != version
            ]
            if other:
                raise ValueError(f"it was stored with another version of {other[0]}")
            values, history = Unpickler(file, self.namespace, buffers).load()
            self.namespace.update(values)
            if history:
                results, names, own, last = history
                self.namespace["Out"].update(results)
                # As the shell's own, which later results replace; a cell's own `_` stays
                shells = {name: value for name, value in names.items() if name not in own}
                self.shell.push(shells, interactive=False)
                self.namespace.update(names)
                hook = self.shell.displayhook
                hook._, hook.__, hook.___ = last
        # Outside of `_quiet`, and after all imports, which also set options and draw random numbers
        process.restore(self.shell, found, self.work)

    def compare(self, folder: str, expected: Report) -> None:
        """Write into `report.json` under "lost" what differs from the kernel that stored it; "" if nothing."""
        now = process.traces(self.shell, self.environ, self.work, process.thread_kinds())
        lost = [words for words, value in expected["traces"].items() if now.get(words) != value]
        walk = Walk(self.namespace)
        with _quiet():
            for what, value in self._parts(expected["names"], expected["history"]):
                try:
                    same = self._digest(walk, what, value) == expected["digests"].get(what)
                except Unstorable:
                    same = False
                if not same:
                    lost.append(f"{what}, which comes back as another")
                    break
        _report(folder, {"lost": lost[0] if lost else ""})


def _quiet() -> Any:
    """Suppress warnings."""
    return warnings.catch_warnings(action="ignore")


def _report(folder: str, report: Report) -> None:
    """Write the report; whoever waits for it sees it whole."""
    part = Path(folder) / f"{_REPORT}.part"
    part.write_text(json.dumps(report), encoding="utf-8")
    part.replace(Path(folder) / _REPORT)


def _modules() -> Iterator[tuple[str, types.ModuleType]]:
    for name, module in list(sys.modules.items()):
        if isinstance(module, types.ModuleType) and name != "__main__":
            yield name, module


def _functions(value: Any, module: str) -> Iterator[types.FunctionType]:
    """Yield a function of a module, or the functions of a class."""
    parts = vars(value).values() if isinstance(value, type) and value.__module__ == module else [value]  # fmt: skip
    yield from (part for part in parts if isinstance(part, types.FunctionType))


def versions() -> dict[str, str]:
    """Return the versions of Python and of the loaded packages."""
    found = {"python": sys.version}
    for name, module in _modules():
        version = vars(module).get("__version__")
        if "." not in name and isinstance(version, str):
            found[name] = version
    return found


def _words(name: str, problem: Unstorable) -> str:
    return f"{name} ({problem.kind})" + (f", which {problem.reason}" if problem.reason else "")
