"""The state of a kernel beside its namespace: seeds, options, paths, the shell (DATAFLOW 3.3).

`capture` returns what `restore` can bring back in another kernel; `traces` returns what must then be equal. State that
cannot be restored, a new thread for example, is in `traces`, too, and so prevents the use of a checkpoint.
"""

import asyncio
import atexit
import builtins
import contextlib
import decimal
import gc
import hashlib
import importlib
import linecache
import locale
import logging
import os
import pickle
import random
import signal
import sys
import threading
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_FOLDER = "\0work"  # stands for the working folder: the kernel that checks has another one
_SHELL = ("input_hist_raw", "input_hist_parsed")
_INPUTS = ("_i00", "_i", "_ii", "_iii")
_SIGNALS = ("SIGINT", "SIGTERM", "SIGALRM", "SIGUSR1", "SIGUSR2")
_STORED_APART = ("backend", "backend_fallback")


def _loaded(name: str) -> Any:
    return sys.modules.get(name)


def _moved(value: Any, old: str, new: str) -> Any:
    """Replace the working folder in texts, at any depth."""
    if isinstance(value, str):
        return value.replace(old, new) if old in value else value
    if isinstance(value, list | tuple):
        return type(value)(_moved(part, old, new) for part in value)
    if isinstance(value, dict):
        return {key: _moved(part, old, new) for key, part in value.items()}
    return value


Environment = dict[str, str]


def _changes(environ: Environment) -> dict[str, str | None]:
    """Return the changed variables of the environment, None for a deleted one."""
    names = sorted(environ.keys() | os.environ.keys())
    return {n: os.environ.get(n) for n in names if os.environ.get(n) != environ.get(n)}


def capture(shell: Any, modules: list[str], environ: Environment, work: str) -> dict[str, Any]:
    """Return the state of the process that `restore` can bring back.

    `modules` were imported since the kernel began, when its environment was `environ`; `work` is the working folder.
    """
    history = shell.history_manager
    found: dict[str, Any] = {
        "cwd": str(Path.cwd()),
        "path": list(sys.path),
        "environ": _changes(environ),
        "folders": [str(folder) for folder in history.dir_hist],
    }
    found = _moved(found, work, _FOLDER)
    found |= {
        "modules": modules,
        "random": random.getstate(),
        "decimal": decimal.getcontext().copy(),
        "locale": locale.setlocale(locale.LC_ALL),
        "warnings": list(warnings.filters),
        "recursion": sys.getrecursionlimit(),
        "count": shell.execution_count,
        "flags": shell.compile.flags,
        "extensions": sorted(shell.extension_manager.loaded),
        "history": {name: list(getattr(history, name)) for name in _SHELL},
        # The lines that tracebacks and `inspect` quote
        "lines": {n: entry for n, entry in linecache.cache.items() if _is_cell(entry)},
        "places": dict(shell.compile._filename_map),
        "inputs": {name: getattr(history, name) for name in _INPUTS},
    }
    if numpy := _loaded("numpy"):
        found["numpy"] = (numpy.random.get_state(), numpy.get_printoptions(), numpy.geterr())
    if matplotlib := _loaded("matplotlib"):
        found["matplotlib"] = {
            name: value
            for name, value in dict.items(matplotlib.rcParams)
            if name not in _STORED_APART
        }
    if pandas := _loaded("pandas"):
        found["pandas"] = dict(_options(pandas.options.d))
    return found


def _is_cell(entry: Any) -> bool:
    return len(entry) == 4 and entry[1] is None  # without a file that could change


def restore(shell: Any, found: dict[str, Any], work: str) -> None:
    """Bring back what `capture` returned. Call it before and after loading values: imports come first, and set options, too."""
    found = _moved(found, _FOLDER, work)
    sys.path[:] = found["path"]
    for name, value in found["environ"].items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    os.chdir(found["cwd"])
    for name in found["modules"]:
        with contextlib.suppress(ImportError):  # loading a value that needs it will fail
            importlib.import_module(name)
    for name in found["extensions"]:
        if name not in shell.extension_manager.loaded:
            shell.extension_manager.load_extension(name)
    random.setstate(found["random"])
    decimal.setcontext(found["decimal"])
    locale.setlocale(locale.LC_ALL, found["locale"])
    warnings.filters[:] = found["warnings"]  # type: ignore[index]
    warnings._filters_mutated() if hasattr(warnings, "_filters_mutated") else None
    sys.setrecursionlimit(found["recursion"])
    if numpy := _loaded("numpy"):
        state, printing, errors = found["numpy"]
        numpy.random.set_state(state)
        numpy.set_printoptions(**printing)
        numpy.seterr(**errors)
    if matplotlib := _loaded("matplotlib"):
        dict.update(matplotlib.rcParams, found["matplotlib"])
    if pandas := _loaded("pandas"):
        now = dict(_options(pandas.options.d))
        for name, value in found["pandas"].items():
            if now.get(name) != value:
                pandas.set_option(name, value)
    _restore_shell(shell, found)


def _restore_shell(shell: Any, found: dict[str, Any]) -> None:
    history = shell.history_manager
    history.dir_hist[:] = found["folders"]
    for name in _SHELL:
        getattr(history, name)[:] = found["history"][name]
    for name, text in found["inputs"].items():
        setattr(history, name, text)
    shell.user_ns.update({name: found["inputs"][name] for name in _INPUTS[1:]})
    shell.user_ns.update(
        {f"_i{n}": text for n, text in enumerate(found["history"]["input_hist_raw"]) if n}
    )
    linecache.cache.update(found["lines"])
    shell.compile._filename_map.update(found["places"])
    shell.execution_count = found["count"]
    shell.compile.flags = found["flags"]


def _options(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _options(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def thread_kinds() -> list[str]:
    """Return the kinds of the threads of this process. A forked copy has none of them but its first."""
    return sorted(type(thread).__name__ for thread in threading.enumerate())


def traces(shell: Any, environ: Environment, work: str, threads: list[str]) -> dict[str, str]:
    """Return all that must be equal in both kernels, by a name for people; `threads` are those of `thread_kinds`."""
    found: dict[str, Any] = {
        "the folder it works in": str(Path.cwd()),
        "where modules are searched": sys.path,
        "the environment": _changes(environ),
    }
    found = _moved(found, work, _FOLDER)
    found |= {
        "the state of random": _digest(random.getstate()),
        "the decimal context": decimal.getcontext(),
        "the locale": locale.setlocale(locale.LC_ALL),
        "the filters of warnings": [(f[0], str(f[1]), str(f[2]), str(f[3]), f[4]) for f in warnings.filters],
        "how logging is set up": sorted(_logging()),
        "a thread": threads,
        "a task that is pending": sum(map(_of_cells(shell), _tasks())),
        "a function put into a module": sorted(_patches(shell.user_ns)),
        "the last error": _name(getattr(sys, "last_value", None)),
        "the builtin names": sorted(set(vars(builtins)) - {"_"}),
        "a handler of signals": [_name(signal.getsignal(getattr(signal, name))) for name in _SIGNALS if hasattr(signal, name)],
        "what is done at the end": getattr(atexit, "_ncallbacks", int)(),
        "the garbage collector": (gc.isenabled(), gc.get_threshold()),
        "a hook of the interpreter": [_name(hook) for hook in (sys.displayhook, sys.excepthook, sys.stdout, sys.stderr, sys.gettrace(), sys.getprofile())],
        "the shell": sorted(_shell(shell)),
    }  # fmt: skip
    if numpy := _loaded("numpy"):
        found["the options of numpy"] = (numpy.get_printoptions(), numpy.geterr())
        found["the state of numpy.random"] = _digest(numpy.random.get_state(legacy=False))
    if matplotlib := _loaded("matplotlib"):
        found["the settings of matplotlib"] = sorted(map(str, dict.items(matplotlib.rcParams)))
    if pyplot := _loaded("matplotlib.pyplot"):
        found["an open figure"] = len(pyplot.get_fignums())
    if pandas := _loaded("pandas"):
        found["the options of pandas"] = [(n, str(v)) for n, v in _options(pandas.options.d)]
    return {words: repr(value) for words, value in found.items()}


def _digest(value: Any) -> str:
    return hashlib.sha256(pickle.dumps(value, 5)).hexdigest()


def _name(thing: Any) -> str:
    kind = type(thing)
    return getattr(thing, "__qualname__", f"{kind.__module__}.{kind.__qualname__}")


def _logging() -> Iterator[str]:
    for name, logger in [("", logging.root), *logging.root.manager.loggerDict.items()]:
        if isinstance(logger, logging.Logger):
            handlers = [(type(h).__name__, h.level) for h in logger.handlers]
            if handlers or logger.level or logger.disabled or logger.filters:
                yield repr((name, logger.level, logger.disabled, logger.propagate, handlers))


def _tasks() -> set[asyncio.Task[Any]]:
    with contextlib.suppress(RuntimeError):
        return asyncio.all_tasks(asyncio.get_event_loop_policy().get_event_loop())
    return set()


def _of_cells(shell: Any) -> Any:
    def is_of_cells(task: asyncio.Task[Any]) -> bool:
        frame = getattr(task.get_coro(), "cr_frame", None)
        return frame is not None and frame.f_globals is shell.user_ns

    return is_of_cells


def _patches(namespace: dict[str, Any]) -> Iterator[str]:
    """Find functions and classes of the notebook that it has put into modules, or into classes of modules."""
    for module_name, module in list(sys.modules.items()):
        if module_name == "__main__" or not isinstance(module, types.ModuleType):
            continue
        for name, value in list(vars(module).items()):
            if _is_of(namespace, value):
                yield f"{module_name}.{name}"
            elif isinstance(value, type) and value.__module__ == module_name:
                for member, inner in list(vars(value).items()):
                    if _is_of(namespace, inner):
                        yield f"{module_name}.{name}.{member}"


def _is_of(namespace: dict[str, Any], value: Any) -> bool:
    if type(value) is types.FunctionType:
        return value.__globals__ is namespace
    return isinstance(value, type) and value.__module__ == "__main__"


def _shell(shell: Any) -> Iterator[str]:
    for kind, magics in shell.magics_manager.magics.items():
        for name, magic in magics.items():
            own = getattr(magic, "__module__", "") == "__main__"
            yield f"{kind} {name} {'of the notebook' if own else ''}"
    manager = shell.input_transformer_manager
    lists = (shell.ast_transformers, shell.input_transformers_post, manager.cleanup_transforms)
    yield repr([len(each) for each in lists])
    yield repr({name: len(calls) for name, calls in shell.events.callbacks.items()})
    yield repr((shell.compile.flags, shell.ast_node_interactivity, shell.execution_count))
    yield repr(sorted(name for name, _ in shell.alias_manager.aliases))
    for mime, formatter in shell.display_formatter.formatters.items():
        kinds = [*formatter.type_printers, *map(str, formatter.deferred_printers)]
        yield f"{mime} {sorted(map(str, kinds))}"
