"""Pickles many names so that restored functions use the live namespace.

cloudpickle alone gives them a private copy of their globals (cloudpickle #187, #411): they would not see a name that a
later cell rebinds, and two closures over one variable would no longer share it. Since 3.1.3 it also gives
all code the file name `<dynamic-code>`: tracebacks and `inspect.getsource` would no longer find a function's cell.
"""

import contextlib
import hashlib
import importlib
import io
import os
import pickle
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import cloudpickle

from .graph import Namespace, importable, module_of

LARGE = 256_000  # bytes of a buffer that gets a file of its own
_KEPT = ("__qualname__", "__module__", "__doc__", "__defaults__", "__kwdefaults__", "__annotations__")  # fmt: skip

# What a code object is made of, in the order in which its type takes it.
_CODE = ("argcount", "posonlyargcount", "kwonlyargcount", "nlocals", "stacksize", "flags", "code", "consts", "names", "varnames", "filename", "name", "qualname", "firstlineno", "linetable", "exceptiontable", "freevars", "cellvars")  # fmt: skip


class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
    """Pickles with `namespace`, and those of modules, by reference."""

    def __init__(
        self, file: IO[bytes], namespace: Namespace, buffers: "Buffers | None" = None
    ) -> None:
        super().__init__(file, protocol=5, buffer_callback=buffers and buffers.keep)
        self.namespace = namespace

    def persistent_id(self, obj: Any) -> Any:
        if type(obj) is dict:
            if obj is self.namespace:
                return ("namespace", "")
            if "__name__" in obj and (name := module_of(obj)):
                return ("module", name)
        return None

    def reducer_override(self, obj: Any) -> Any:
        """Take functions, their code and closure cells apart, so that they share the live namespace and cells."""
        if type(obj) is types.CodeType:
            return types.CodeType, tuple(getattr(obj, f"co_{name}") for name in _CODE)
        if type(obj) is types.CellType:
            return new_cell, (), _content(obj), None, None, set_cell
        if type(obj) is types.FunctionType and not importable(obj):
            made_of = (obj.__code__, obj.__globals__, obj.__name__, obj.__closure__)
            state = {name: getattr(obj, name) for name in _KEPT}, vars(obj)
            return new_function, made_of, state, None, None, set_function
        return super().reducer_override(obj)


class Unpickler(pickle.Unpickler):
    """Puts the live namespaces in place of their names."""

    def __init__(
        self, file: IO[bytes], namespace: Namespace, buffers: Iterable[bytearray] = ()
    ) -> None:
        super().__init__(file, buffers=buffers)
        self.namespace = namespace

    def persistent_load(self, pid: Any) -> Any:
        kind, name = pid
        return self.namespace if kind == "namespace" else vars(importlib.import_module(name))


class Buffers:
    """Large buffers of values (columns, arrays), each in a file of its own beside the pickle, named by its digest.

    Checkpoints of several steps that hold the same buffer share one file: it is linked, so each can be deleted by itself.
    """

    def __init__(self, folder: Path, limit: "Limited") -> None:
        self.folder, self.limit = folder, limit
        self.names: list[str] = []

    def keep(self, buffer: pickle.PickleBuffer) -> bool:
        """Keep a buffer if it is large; True says that it belongs into the pickle."""
        content = buffer.raw()
        if content.nbytes < LARGE:
            return True
        self.limit.take(content.nbytes)
        name = _name_of(content)
        self.names.append(name)
        place = self.folder / name
        if not place.exists():
            for other in self.folder.parent.glob(f"*/{name}"):
                # It may go just now, or the file system has no links
                with contextlib.suppress(OSError):
                    os.link(other, place)
                    return False
            part = place.with_suffix(".part")
            part.write_bytes(content)
            part.replace(place)
        return False


def _name_of(content: memoryview | bytearray) -> str:
    return f"buffer-{hashlib.sha256(content).hexdigest()}"


def buffers_of(folder: Path, names: list[str]) -> Iterator[bytearray]:
    """Yield kept buffers, to be changed as those they were. Raises ValueError for one that is not what it was."""
    for name in names:
        content = bytearray((folder / name).read_bytes())
        if _name_of(content) != name:
            raise ValueError("a stored buffer is not the one that was signed")
        yield content


class Limited(io.RawIOBase):
    """A file of at most `limit` bytes; more raise OSError."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        super().__init__()
        self.file, self.left = file, limit

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self.take(size)
        self.file.write(data)
        return size

    def take(self, size: int) -> None:
        """Count bytes that are stored. Raises OSError for too many."""
        self.left -= size
        if self.left < 0:
            raise OSError("more than is worth storing")


def _content(cell: types.CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def new_cell() -> types.CellType:
    return types.CellType()


def set_cell(cell: types.CellType, content: tuple[Any, ...]) -> None:
    if content:
        cell.cell_contents = content[0]


def new_function(
    code: types.CodeType,
    namespace: Namespace,
    name: str,
    closure: tuple[types.CellType, ...] | None,
) -> types.FunctionType:
    """Return a function that looks its names up in the live namespace."""
    return types.FunctionType(code, namespace, name, None, closure)


def set_function(
    function: types.FunctionType, state: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    for name, value in state[0].items():
        setattr(function, name, value)
    vars(function).update(state[1])
