"""Which files travel with the plugin: what the notebook reads by literal path, and local modules it imports."""

from pathlib import Path, PurePosixPath

from transpiler import codes
from transpiler.diagnostics import WHOLE, Diagnostic, Found
from transpiler.ir import Analysis


def bundle(analysis: Analysis, folder: Path) -> tuple[tuple[str, ...], Found]:
    """Return the paths, relative to the notebook's folder and with slashes, of what is there to be bundled.

    Only looks at the disk; copies nothing. A file that is named and missing is reported, a module that is missing is
    taken for an installed one.
    """
    found: list[Diagnostic] = []
    paths: dict[str, None] = {}
    for name in analysis.files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            found.append(codes.FILE_OUTSIDE.at(WHOLE, path=name))
        elif (folder / path).is_file():
            paths[str(path)] = None
        elif (folder / path).is_dir():
            paths.update(dict.fromkeys(_inside(folder, folder / path)))
        else:
            found.append(codes.FILE_NOT_FOUND.at(WHOLE, path=name))
    for module in dict.fromkeys(name.partition(".")[0] for name in analysis.modules):
        if (folder / f"{module}.py").is_file():
            paths[f"{module}.py"] = None
        elif (folder / module / "__init__.py").is_file():
            paths.update(dict.fromkeys(_inside(folder, folder / module)))
    return tuple(paths), tuple(found)


def _inside(folder: Path, part: Path) -> list[str]:
    """The files below a folder, without hidden ones and compiled ones."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in part.rglob("*")
        if path.is_file()
        and not any(
            piece.startswith(".") or piece == "__pycache__"
            for piece in path.relative_to(folder).parts
        )
    )
