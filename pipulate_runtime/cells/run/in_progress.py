"""What a run's folder says of a step that is running, or that did not get to its end.

`<run>/unfinished/<step>.json` is written when a step begins and deleted when what it gave was saved. So a server that
starts after one was killed knows that the step was begun: its card says so and waits to be asked, instead of running the
cells a second time. Other programs see what runs, too, and ask for its end by a file `<step>.stop` beside it. Nothing of
what cells gave stands there, since an error's text may hold a secret; only its name, and messages of our own.
"""

import contextlib
import hashlib
import json
import secrets
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipulate_runtime.cells.kernel import cleanup
from pipulate_runtime.cells.storage.folders import RunFolder

INTERRUPTED = (
    "The server ended while this step was running. Nothing of the step is kept, all steps before it are. "
    "Run it again when you are ready."
)
NOT_KEPT = (
    "The step failed. What it said was not kept when the server ended: run it again to see it."
)
OURS = frozenset(
    {
        "Stopped",
        "KernelDied",
        "CellTimeout",
        "MemoryExceeded",
        "TooMuchOutput",
        "DiskFull",
        "Interrupted",
        "Not run",
    }
)


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of a step: since when it ran, whether it still does, and the name and message of its end."""

    began: float
    running: bool
    name: str = "Interrupted"
    message: str = INTERRUPTED
    saving: str = ""  # a digest of what was being saved

    def saved(self, cells: Any) -> bool:
        """Whether the step was saved after all: the kill came between that and the end of the note."""
        return bool(self.saving) and cells is not None and self.saving == digest(cells)


def begin(folder: RunFolder, step_id: str, began: float) -> None:
    """Say that a step runs in this process. Raises OSError."""
    _write(folder, step_id, {"began": began, **cleanup.server()})


def saving(folder: RunFolder, step_id: str, began: float, cells: Any) -> None:
    """Say what is about to be saved of a step. Raises OSError."""
    entry = {"began": began, **cleanup.server(), "saving": digest(cells)}
    _write(folder, step_id, entry)


def fail(folder: RunFolder, step_id: str, began: float, name: str, message: str) -> None:
    """Say that a step has failed; of a cell's own error only the name is kept. Where nothing can be written, nothing is."""
    said = message if name in OURS else NOT_KEPT
    with contextlib.suppress(OSError):
        _write(folder, step_id, {"began": began, "name": name, "message": said})


def end(folder: RunFolder, step_id: str) -> None:
    """The step is through, or nobody wants to know any more."""
    with contextlib.suppress(OSError):
        _path(folder, step_id).unlink(missing_ok=True)
    take_back(folder, step_id)


def ask_to_stop(folder: RunFolder, step_id: str) -> None:
    """Ask the program that runs a step to stop it; it looks every moment."""
    with contextlib.suppress(OSError):
        _wish(folder, step_id).touch()


def take_back(folder: RunFolder, step_id: str) -> None:
    """Forget that somebody wanted the end of a step."""
    with contextlib.suppress(OSError):
        _wish(folder, step_id).unlink(missing_ok=True)


def asked_to_stop(folder: RunFolder, step_id: str) -> bool:
    """Whether another program has asked for the end of a step that runs here."""
    return _wish(folder, step_id).exists()


def clear(folder: RunFolder, but: Container[str] = ()) -> None:
    """Forget all steps of a run that did not get to their end, except some, and those that another program runs."""
    for step_id, note in of_run(folder).items():
        if step_id not in but and not note.running:
            end(folder, step_id)


def read(folder: RunFolder, step_id: str) -> Note | None:
    """Return what is known of a step that was begun and not saved; None if there is nothing."""
    try:
        entry = json.loads(_path(folder, step_id).read_text(encoding="utf-8"))
        if "name" in entry:
            return Note(entry["began"], False, str(entry["name"]), str(entry["message"]))
        elsewhere = entry["server"] != cleanup.server()["server"] and cleanup.server_lives(entry)
        return Note(entry["began"], elsewhere, saving=entry.get("saving", ""))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not of this program


def of_run(folder: RunFolder) -> Mapping[str, Note]:
    """Return what is known of all steps of a run, by their ids."""
    try:
        names = sorted(path.stem for path in _path(folder, "").parent.iterdir())
    except OSError:
        return {}
    return {name: note for name in names if (note := read(folder, name)) is not None}


def digest(cells: Any) -> str:
    """Return a digest of what a step's cells gave, the same before and after it was stored."""
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def _path(folder: RunFolder, step_id: str) -> Path:
    return folder.path / "unfinished" / f"{step_id}.json"


def _wish(folder: RunFolder, step_id: str) -> Path:
    return _path(folder, step_id).with_suffix(".stop")


def _write(folder: RunFolder, step_id: str, entry: Mapping[str, Any]) -> None:
    path = _path(folder, step_id)
    part = path.with_suffix(f".{secrets.token_hex(4)}")
    try:
        part.write_text(json.dumps(entry), encoding="utf-8")
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(entry), encoding="utf-8")
    part.replace(path)
