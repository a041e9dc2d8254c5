"""Walks over objects: makes a digest, collects the names that functions look up, and raises for what cannot be stored.

Two processes get the same digest for equal types and values with the same sharing of objects. The walk follows what
pickle follows (`__reduce_ex__`), and also notices what pickle loses: arrays that share memory become separate ones.
"""

import hashlib
import importlib
import marshal
import re
import sys
import time
import types
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import Any

import cloudpickle

Namespace = dict[str, Any]

_ATOMS = (int, float, complex, bool, str, bytes, slice, range, type(None), type(...), type(NotImplemented))  # fmt: skip
_NUMBERS = (int, float, bool)
_WORD = re.compile(r"[^\W\d]\w*")
_REFERENCES = (
    types.BuiltinFunctionType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
    types.MethodWrapperType,
)
# Live objects that would change: a widget without its page, a figure unknown to pyplot, a deleted temporary folder
_LIVE = (
    "ipywidgets.",
    "matplotlib.figure.",
    "matplotlib.axes.",
    "matplotlib.lines.",
    "tempfile.",
    "weakref.finalize",
)
# Python adds these to a class, some only when it is first pickled
_OF_CLASSES = ("__dict__", "__weakref__", "__slotnames__", "_abc_impl")
_PANDAS_COPIES_ON_WRITE = 3  # from this version on, shared memory of two frames has no effect
_LOOK = 2000  # objects between two checks of the deadline


class Unstorable(Exception):
    """A value that cannot be stored, or would change when restored. `kind` is its type, such as `sqlite3.Connection`."""

    def __init__(self, kind: str, reason: str = "") -> None:
        super().__init__(kind, reason)
        self.kind, self.reason = kind, reason


class TooDear(Exception):
    """Storing takes longer than running the steps again."""


def module_of(namespace: Namespace) -> str | None:
    """Return the name of the loaded module whose namespace this dict is."""
    name = namespace.get("__name__")
    module = sys.modules.get(name) if isinstance(name, str) else None
    return name if module is not None and getattr(module, "__dict__", None) is namespace else None


def importable(thing: Any) -> bool:
    """Whether importing its module gives this function or class again under its name."""
    module = sys.modules.get(getattr(thing, "__module__", None) or "")
    if module is None or module.__name__ == "__main__":
        return False
    at: Any = module
    for part in thing.__qualname__.split("."):
        at = getattr(at, part, None)
    return at is thing


class Walk:
    """One walk over values: feed it with `add`, then read `digest()` and `names`."""

    def __init__(self, namespace: Namespace, deadline: float = float("inf")) -> None:
        """`namespace` is the notebook's; after `deadline` (by `time.monotonic`) the walk raises TooDear."""
        self.namespace = namespace
        self.deadline = deadline
        self.names: set[str] = set()
        self._hash = hashlib.blake2b(digest_size=16)
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []  # keeps what reduce made alive: an id must not be used twice
        self._owners: set[int] = set()
        self._in_frame = 0

    def add(self, value: Any) -> None:
        """Walk over a value. Raises Unstorable, TooDear."""
        try:
            self._visit(value)
        except RecursionError:
            raise Unstorable(_kind(value), "nested too deeply") from None

    def digest(self) -> str:
        return self._hash.hexdigest()

    def say(self, *parts: Any) -> None:
        self._hash.update(repr(parts).encode("utf-8", "surrogatepass"))

    def _all(self, values: Iterable[Any]) -> None:
        for value in values:
            self._visit(value)

    def _visit(self, thing: Any) -> None:
        kind = type(thing)
        if kind in _ATOMS or (kind is tuple and not thing):
            self.say(kind.__name__, thing)
            return
        known = self._seen.get(id(thing))
        if known is not None:
            self.say("again", known)
            return
        self._seen[id(thing)] = len(self._seen)
        self._kept.append(thing)
        if len(self._seen) % _LOOK == 0 and time.monotonic() > self.deadline:
            raise TooDear
        walker = _WALKERS.get(kind)
        if walker:
            walker(self, thing)
        elif isinstance(thing, type):
            self._class(thing)
        elif kind.__module__ == "numpy" and kind.__name__ == "ndarray":
            self._array(thing)
        else:
            self._object(thing)

    def _dict(self, thing: dict[Any, Any]) -> None:
        if thing is self.namespace:
            self.say("namespace")
        elif name := module_of(thing):
            self.say("module", name)
        else:
            self.say("dict", len(thing))
            for key, value in thing.items():
                self._visit(key)
                self._visit(value)

    def _sequence(self, thing: Any) -> None:
        self.say(type(thing).__name__, len(thing))
        if set(map(type, thing)) <= {int, float, bool, type(None)}:
            self._hash.update(marshal.dumps(tuple(thing), 2))
        else:
            self._all(thing)

    def _set(self, thing: Any) -> None:
        """Walk a set. The order of numbers depends on the history of the set and counts; that of text differs between processes."""
        self.say(type(thing).__name__, len(thing))
        if all(type(member) in _NUMBERS for member in thing):
            self.say(list(thing))
            return
        digests = []
        for member in thing:
            own = Walk(self.namespace, self.deadline)
            own.add(member)
            self.names |= own.names
            digests.append(own.digest())
        self.say(sorted(digests))

    def _module(self, thing: types.ModuleType) -> None:
        self.say("module", thing.__name__)
        if sys.modules.get(thing.__name__) is not thing:
            raise Unstorable("module", "made while running")

    def _reference(self, thing: Any) -> None:
        self.say(type(thing).__name__, thing.__qualname__)
        owner = getattr(thing, "__self__", None)
        if owner is not None and not isinstance(owner, types.ModuleType):
            self._visit(owner)

    def _method(self, thing: types.MethodType) -> None:
        self._visit(thing.__func__)
        self._visit(thing.__self__)

    def _function(self, thing: types.FunctionType) -> None:
        if importable(thing):
            self.say("function", thing.__module__, thing.__qualname__)
            return
        if thing.__globals__ is not self.namespace and module_of(thing.__globals__) is None:
            raise Unstorable("function", "made in a namespace of its own")
        self.say("function", thing.__qualname__, thing.__module__)
        self.code(thing.__code__)
        self._visit(thing.__globals__)
        self._visit(thing.__defaults__)
        self._visit(thing.__kwdefaults__)
        self._all(thing.__closure__ or ())
        self._visit(vars(thing))

    def code(self, code: types.CodeType) -> None:
        """Digest the parts of a code object: its own bytes contain what the process has learned at run time."""
        self.say(code.co_name, code.co_code, code.co_varnames, code.co_freevars, code.co_flags)
        self.say(code.co_names)
        # Where its source stands; the folder is another in another kernel.
        self.say(PurePath(code.co_filename).name, code.co_firstlineno)
        self.names.update(code.co_names)
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self.code(constant)
            else:
                self.say(type(constant).__name__)
                if not isinstance(constant, frozenset):
                    self.say(constant)
            if isinstance(constant, str):
                self.names.update(_WORD.findall(constant))

    def _cell(self, thing: types.CellType) -> None:
        try:
            content = thing.cell_contents
        except ValueError:
            self.say("empty")
        else:
            self._visit(content)

    def _wrapper(self, thing: Any) -> None:
        self.say(type(thing).__name__)
        self._visit(thing.__func__)

    def _property(self, thing: property) -> None:
        self._all((thing.fget, thing.fset, thing.fdel))

    def _class(self, thing: type) -> None:
        if importable(thing) or thing.__module__ == "builtins":
            self.say("class", thing.__module__, thing.__qualname__)
            return
        self.say("class", thing.__module__, thing.__qualname__)
        self._visit(type(thing))
        self._all(thing.__bases__)
        for name, value in sorted(vars(thing).items()):
            if name not in _OF_CLASSES:
                self.say(name)
                self._visit(value)

    def _array(self, thing: Any) -> None:
        """Walk a numpy array. Arrays with the same memory see each other's changes, which pickle loses."""
        owner = thing
        while getattr(owner, "base", None) is not None:
            owner = owner.base
        if id(owner) in self._owners and not self._in_frame:
            raise Unstorable(_kind(thing), "shares its memory with another array")
        self._owners.add(id(owner))
        self._kept.append(owner)
        self.say("array", str(thing.dtype), thing.shape, thing.flags.writeable)
        if thing.dtype.hasobject:
            self._all(thing.ravel().tolist())
        else:
            self._hash.update(thing.tobytes())

    def _object(self, thing: Any) -> None:
        kind = type(thing)
        name = _kind(thing)
        if name.startswith(_LIVE):
            raise Unstorable(name)
        if isinstance(thing, BaseException) and (
            thing.__traceback__ or thing.__cause__ or thing.__context__
        ):
            raise Unstorable(name, "has a traceback")
        reduced = _reduced(thing)
        self.say("object")
        self._visit(kind)
        if isinstance(reduced, str):
            if (getattr(thing, "__module__", None) or "__main__") == "__main__":
                raise Unstorable(name)
            self.say(reduced)
            return
        frame = kind.__module__.startswith("pandas.") and _pandas_copies()
        self._in_frame += frame
        for number, part in enumerate(reduced):
            part = list(part) if number in (3, 4) and part is not None else part
            self._kept.append(part)
            self._visit(part)
        self._in_frame -= frame


def _kind(thing: Any) -> str:
    kind = type(thing)
    module = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"


def _reduced(thing: Any) -> Any:
    """Return what pickle would make of an object. Raises Unstorable when it cannot."""
    reducer = cloudpickle.Pickler.dispatch_table.get(type(thing))
    try:
        return reducer(thing) if reducer else thing.__reduce_ex__(5)
    except RecursionError:
        raise
    except Exception as problem:
        raise Unstorable(_kind(thing)) from problem


def _pandas_copies() -> bool:
    version = str(importlib.import_module("pandas").__version__)
    return int(version.split(".")[0]) >= _PANDAS_COPIES_ON_WRITE


_WALKERS: dict[type, Callable[[Walk, Any], None]] = {
    dict: Walk._dict,
    list: Walk._sequence,
    tuple: Walk._sequence,
    set: Walk._set,
    frozenset: Walk._set,
    types.ModuleType: Walk._module,
    types.FunctionType: Walk._function,
    types.MethodType: Walk._method,
    types.CodeType: Walk.code,
    types.CellType: Walk._cell,
    staticmethod: Walk._wrapper,
    classmethod: Walk._wrapper,
    property: Walk._property,
    **dict.fromkeys(_REFERENCES, Walk._reference),
}
