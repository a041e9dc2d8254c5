"""The state of runs: running, waiting, failed, open, ready or finished, at which step, since when, and how large.

A server knows its own executions. Notes in the run's folder tell about those of other programs and interrupted ones, so
`pipulate runs` sees them without a plugin, too.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipulate_runtime.host.base.errors import NOT_A_TIME, HostError
from pipulate_runtime.host.pages import workflow_runs
from pipulate_runtime.host.plugins.model import Plugin
from pipulate_runtime.host.state.run import Run, is_finalized

NOTEBOOK = "notebook"  # app_name of the rows of `pip` in a notebook (CONTRACT 1.8)
MOST_FILES = 20_000  # files counted of one run; with more, the size is a lower bound
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class Standing:
    """One run in a list. `kind` is running, waiting, failed, open, ready, finished or broken; `words` name it for people."""

    run: Run
    kind: str
    words: str
    step: str = ""
    since: float = 0.0
    size: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "key": self.run.key,
            "app_name": self.run.app_name,
            "state": self.kind,
            "step": self.step,
            "created": self.run.created,
            "updated": self.run.updated,
            "size": self.size,
        }


def standing_of(run: Run, plugin: Plugin | None, data: Path, sized: bool = True) -> Standing:
    """Return the state of a run; without its plugin, from its row and folder only. `sized`: whether to measure its files."""
    from pipulate_runtime.cells.storage.folders import RunFolder

    folder = RunFolder(data, run.app_name, run.key)
    size = size_on_disk(folder.path) + len(run.data) if sized else 0
    try:
        state = run.state
    except HostError:
        return Standing(run, "broken", "Cannot be read", size=size)
    computing = _computing(run.key, plugin) if plugin else _noted(folder, state)
    if computing is not None and not is_finalized(state):
        return Standing(run, *computing, size=size)
    if plugin is not None and plugin.steps:
        kind, words = workflow_runs.standing(plugin.steps, state)
        step = next((s.id for s in plugin.steps if words == f"Next: {s.show}"), "")
        return Standing(run, kind, words, step, size=size)
    if run.app_name == NOTEBOOK:
        values = f"{len(state)} {'value' if len(state) == 1 else 'values'} stored"
        return Standing(run, "open", values, size=size)
    done = sorted(name for name in state if name.startswith("step_"))
    if is_finalized(state):
        return Standing(run, "finished", "Finished", size=size)
    words = f"{len(done)} {'step' if len(done) == 1 else 'steps'} done"
    return Standing(run, "open", words, done[-1] if done else "", size=size)


def _computing(key: str, plugin: Plugin) -> tuple[str, str, str, float] | None:
    """Return kind, words, step and start time of a step that this server executes or saw failing."""
    if not plugin.computes:
        return None
    for step in plugin.steps:
        execution = plugin.instance.cells.execution(key, step.id)
        if execution is not None and execution.running:
            if execution.question:
                return "waiting", f"Asks: {step.show}", step.id, execution.started
            waits = execution.waits or not execution.active
            kind = "waiting" if waits else "running"
            return kind, f"{kind.capitalize()}: {step.show}", step.id, execution.started
        if execution is not None and execution.error:
            return "failed", f"Failed: {step.show}", step.id, execution.started
    return None


def _noted(folder: Any, state: dict[str, Any]) -> tuple[str, str, str, float] | None:
    from pipulate_runtime.cells.run import in_progress

    for step_id, note in in_progress.of_run(folder).items():
        if not note.saved((state.get(step_id) or {}).get("_cells")):
            kind = "running" if note.running else "failed"
            return kind, f"{kind.capitalize()}: {step_id}", step_id, note.began
    return None


def size_on_disk(folder: Path) -> int:
    """Return the bytes of the files below a folder, up to MOST_FILES files."""
    total = count = 0
    waiting = [str(folder)]
    while waiting and count < MOST_FILES:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
                        count += 1
        except OSError:  # deleted meanwhile
            continue
    return total


def leftover_folders(data: Path, known: set[tuple[str, str]]) -> list[Path]:
    """Return run folders without a row: their database was deleted or replaced."""
    from pipulate_runtime.cells.storage.folders import run_folder_name

    root = data.resolve() / "runs"
    wanted = {run_folder_name(app_name, key) for app_name, key in known}
    return [root / name for name in sorted(_run_folders(root)) if name not in wanted]


def _run_folders(root: Path) -> Iterator[str]:
    """Yield the folders of runs as `app/name`; there may be thousands."""
    for app in _folders(root):
        for run in _folders(Path(app)):
            if re.search(r"-[0-9a-f]{10}$", run.name):
                yield f"{app.name}/{run.name}"


def _folders(place: Path) -> Iterator[os.DirEntry[str]]:
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        yield from (entry for entry in entries if entry.is_dir())


def delete_folders(folders: Iterable[Path]) -> int:
    freed = 0
    for folder in folders:
        freed += size_on_disk(folder)
        shutil.rmtree(folder, ignore_errors=True)
    return freed


def length_of(text: str) -> timedelta:
    """Return the length of time of a text such as 90m, 12h, 30d, 8w. Raises HostError PP534."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*", text.lower())
    if not match:
        raise NOT_A_TIME.error(text=text)
    try:
        return timedelta(**{_UNITS[match[2]]: float(match[1])})
    except OverflowError as error:
        raise NOT_A_TIME.error(text=text) from error


def before(age: timedelta) -> str:
    """Return the time so long ago, as rows store it."""
    try:
        return (datetime.now(UTC) - age).isoformat()
    except OverflowError:
        return datetime.min.isoformat()
