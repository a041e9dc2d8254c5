"""What a server does with the cells of all plugins: settings, the end of kernels, the files of a run, its export."""

import contextlib
from pathlib import Path
from typing import Any

from pipulate_runtime.cells import export as exporting
from pipulate_runtime.cells.api import everywhere
from pipulate_runtime.cells.kernel import pool as pools
from pipulate_runtime.cells.source.marks import Policy
from pipulate_runtime.cells.storage import files
from pipulate_runtime.cells.storage.folders import RunFolder


def configure(
    *,
    data: Path | str | None = None,
    max_kernels: int | None = None,
    idle_seconds: float | None = None,
    python: str | None = None,
    checkpoint: Policy | None = None,
    memory: int | None = None,
    output: int | None = None,
    replay: pools.Replay | None = None,
) -> None:
    """Set where runs keep their files, how many kernels may live, when checkpoints are made, and who is asked before steps run again.

    `memory` is what a kernel may use, in bytes; without `max_kernels`, it also has a say in how many there are.
    `output` is what the cells of a step may print, in characters.

    With an event loop, a spare kernel is started now.
    """
    settings = pools.settings
    settings.data = Path(data) if data is not None else settings.data
    settings.memory = memory if memory is not None else settings.memory
    settings.max_kernels = max_kernels if max_kernels is not None else settings.max_kernels
    settings.output = output if output is not None else settings.output
    settings.idle_seconds = idle_seconds if idle_seconds is not None else settings.idle_seconds
    settings.python = python or settings.python
    settings.checkpoint = checkpoint or settings.checkpoint
    settings.replay = replay or settings.replay
    with contextlib.suppress(RuntimeError):  # no event loop: the first step that computes starts it
        pools.pool().warm()


async def shutdown() -> None:
    """End all kernels; for the end of the server."""
    await pools.close()


def forget(app_name: str, key: str) -> RunFolder:
    """Let go of a run and end its kernel at once. Returns its folder, whose `delete` takes its files away, and may take a while."""
    for cells in everywhere():
        if cells.plugin.app_name == app_name:
            cells.forget(key)
    if pool := pools.current():
        pool.discard(pool.run(app_name, key))
    return RunFolder(pools.settings.data, app_name, key)


def copy_files(plugin: Any, key: str, folder: Path) -> list[str]:
    """Copy the files that a run has written into a folder; return their paths there. Raises OSError."""
    work = plugin.cells.folder(key).work
    names = files.results(work, plugin.cells.files)
    files.copy(work, names, folder)
    return names


def export(plugin: Any, key: str, state: dict[str, Any]) -> Any:
    """Return a run as an executed notebook (nbformat 4.5): the cells of the source with the answers put in."""
    return exporting.notebook(plugin, plugin.cells.source, plugin.cells.folder(key), state)
