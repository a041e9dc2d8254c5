"""One pickle of many names, aware of the namespace: what functions of the notebook look up is the live namespace again.

cloudpickle alone gives restored functions a private copy of their globals (cloudpickle #187, #411): a name that a later cell
rebinds would keep its old value for them, and two closures over one variable would no longer share it.
"""

import importlib
import io
import pickle
import types
from typing import IO, Any

import cloudpickle

from .graph import Namespace, importable, module_of

_KEPT = ("__qualname__", "__module__", "__doc__", "__defaults__", "__kwdefaults__", "__annotations__")  # fmt: skip


class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
    """Pickles with `namespace`, and those of modules, by reference."""

    def __init__(self, file: IO[bytes], namespace: Namespace) -> None:
        """`file` gets protocol 5."""
        super().__init__(file, protocol=5)
        self.namespace = namespace

    def persistent_id(self, obj: Any) -> Any:
        """Name the namespaces."""
        if type(obj) is dict:
            if obj is self.namespace:
                return ("namespace", "")
            if "__name__" in obj and (name := module_of(obj)):
                return ("module", name)
        return None

    def reducer_override(self, obj: Any) -> Any:
        """Take functions and their cells apart so that nothing of them is copied."""
        if type(obj) is types.CellType:
            return new_cell, (), _content(obj), None, None, set_cell
        if type(obj) is types.FunctionType and not importable(obj):
            made_of = (obj.__code__, obj.__globals__, obj.__name__, obj.__closure__)
            state = {name: getattr(obj, name) for name in _KEPT}, vars(obj)
            return new_function, made_of, state, None, None, set_function
        return super().reducer_override(obj)


class Unpickler(pickle.Unpickler):
    """Puts the live namespaces in the places of their names."""

    def __init__(self, file: IO[bytes], namespace: Namespace) -> None:
        """`namespace` is the notebook's of this kernel."""
        super().__init__(file)
        self.namespace = namespace

    def persistent_load(self, pid: Any) -> Any:
        """Return a namespace."""
        kind, name = pid
        return self.namespace if kind == "namespace" else vars(importlib.import_module(name))


class Limited(io.RawIOBase):
    """A file that takes only so many bytes; more raise OSError."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        """`limit` in bytes."""
        super().__init__()
        self.file, self.left = file, limit

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Write bytes."""
        size = memoryview(data).nbytes
        self.left -= size
        if self.left < 0:
            raise OSError("more than is worth storing")
        self.file.write(data)
        return size


def _content(cell: types.CellType) -> tuple[Any, ...]:
    try:
        return (cell.cell_contents,)
    except ValueError:
        return ()


def new_cell() -> types.CellType:
    """Return an empty closure cell."""
    return types.CellType()


def set_cell(cell: types.CellType, content: tuple[Any, ...]) -> None:
    """Fill it."""
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
    """Give it what else it had."""
    for name, value in state[0].items():
        setattr(function, name, value)
    vars(function).update(state[1])
