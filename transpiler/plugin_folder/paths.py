"""Small things about files that several passes need."""

import hashlib
import os
from pathlib import Path

from transpiler.python.comment import in_comment


def sha(content: bytes) -> str:
    """Return the hash of a file's content."""
    return hashlib.sha256(content).hexdigest()


def relative_path(path: Path, start: Path) -> str:
    """Return the way from a folder to a file, with slashes."""
    return Path(os.path.relpath(path, start)).as_posix()


def notebook_path(notebook: Path, out: Path) -> str:
    """Return the way to the notebook as it can stand in a comment: a file's name may hold anything."""
    return in_comment(relative_path(notebook, out))


def is_same_notebook(recorded: str, relative: str, out: Path) -> bool:
    """Whether a plugin in a folder that was ported from `recorded` is one of the notebook at `relative`.

    It is, too, when the notebook was moved: nothing is left where it was, and a file of its name is here.
    """
    if recorded == relative:
        return True
    same_name = recorded.rpartition("/")[2] == relative.rpartition("/")[2]
    return same_name and not os.path.lexists(out / recorded)


def matching(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a folder; none when the system does not even take its name."""
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def text_of(content: bytes) -> str:
    """Return a plugin's text, whatever editor has saved it."""
    return content.decode("utf-8-sig").replace("\r\n", "\n")
