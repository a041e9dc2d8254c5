"""Which files travel with the plugin: what the notebook reads by literal path, and local modules it imports, with what these import."""

import ast
import importlib.util
import os
import posixpath
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from transpiler.dataflow.cell_kind import imported_modules
from transpiler.model import rules
from transpiler.model.diagnostics import WHOLE, Diagnostic, Found
from transpiler.model.ir import Analysis
from transpiler.python import libraries


def bundle(analysis: Analysis, folder: Path) -> tuple[tuple[str, ...], Found]:
    """Return the paths, relative to the notebook's folder and with slashes, of what is there to be bundled.

    Only looks at the disk; copies nothing. A file that is named and missing is reported, and so is a module that is not
    installed here either.
    """
    found: list[Diagnostic] = []
    paths: dict[str, None] = {}
    for name in analysis.files:
        path = PurePosixPath(posixpath.normpath(name))
        if path.is_absolute() or ".." in path.parts:
            found.append(rules.FILE_OUTSIDE.at(WHOLE, path=name))
        elif not path.parts:
            continue  # the notebook's folder itself: what stands there is not all meant to travel
        elif _is_readable(folder / path):
            paths[str(path)] = None
        elif _is_folder(folder / path):
            paths.update(dict.fromkeys(_inside(folder, folder / path)))
        elif name not in analysis.written:
            found.append(rules.FILE_NOT_FOUND.at(WHOLE, path=name))
    waiting = [*analysis.modules, *_imported(folder, paths)]
    while waiting:
        more = [path for path in _module(folder, waiting.pop(0)) if path not in paths]
        paths.update(dict.fromkeys(more))
        waiting += _imported(folder, more)
    return tuple(paths), (*found, *_missing(analysis, folder))


def _missing(analysis: Analysis, folder: Path) -> Iterator[Diagnostic]:
    """Yield what to say of modules that are neither installed nor beside the notebook, nor written by it: once for all."""
    written = {PurePosixPath(path).parts[0].removesuffix(".py") for path in analysis.written}
    installs = _plain(" ".join(analysis.requirements))  # said already: PP130
    lost = {
        module: span
        for module, span in analysis.needs.items()
        if module not in written
        and not _module(folder, module)
        and _plain(libraries.package_of(module) or module) not in installs
        and not _is_installed(module)
    }
    if span := lost.pop(libraries.COLAB, None):
        yield rules.ONLY_ON_COLAB.at(span)
    if lost:
        # Only names that are surely right: a package of any other name may be somebody else's.
        packages = " ".join(dict.fromkeys(filter(None, map(libraries.package_of, lost))))
        command = f" (`pip install {packages}`)" if packages else ""
        yield rules.NOT_INSTALLED.at(
            next(iter(lost.values())), modules=", ".join(lost), command=command
        )


def _plain(name: str) -> str:
    """The name of a package as PyPI compares it, but for dots."""
    return name.lower().replace("_", "-")


def _is_installed(module: str) -> bool:
    """Whether a module can be found by the Python that runs here; nothing is imported for it."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError, OSError):
        return module != libraries.COLAB  # else: who knows


def _module(folder: Path, name: str) -> list[str]:
    """The files of a local module or package; none for one that is not beside the notebook."""
    module = name.partition(".")[0]
    if module and _is_readable(folder / f"{module}.py"):
        return [f"{module}.py"]
    if module and _is_readable(folder / module / "__init__.py"):
        return _inside(folder, folder / module)
    return []


def _imported(folder: Path, paths: Iterable[str]) -> list[str]:
    """The modules that Python files import, which may be local ones, too."""
    names: dict[str, None] = {}
    for path in paths:
        if path.endswith(".py"):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    tree = ast.parse((folder / path).read_bytes())
            except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
                continue  # the notebook will say what is wrong with it
            names.update(dict.fromkeys(imported_modules(tree)))
    return list(names)


def _is_readable(path: Path) -> bool:
    """Whether a file is there and can be read; False for any name that no file can have."""
    return os.path.isfile(path) and os.access(path, os.R_OK)  # noqa: PTH113


def _is_folder(path: Path) -> bool:
    """The same of a folder. (The methods of `Path` raise for a name that is too long.)"""
    return os.path.isdir(path)  # noqa: PTH112


def _inside(folder: Path, part: Path) -> list[str]:
    """The files below a folder, without hidden ones and compiled ones."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in part.rglob("*")
        if _is_readable(path)
        and not any(
            piece.startswith(".") or piece == "__pycache__"
            for piece in path.relative_to(folder).parts
        )
    )
