"""The rows of a workflow's runs, in a table that all workflows of a server may share.

Upstream has one table, which keeps the filter that the last workflow has set on it; `pip.read_state` and `pip.write_state` follow
that filter. It is taken off, and none put on: then every workflow finds its rows by their keys.
"""

from typing import Any

from pipulate_runtime.cells.execution import Record, Save


def see_all(plugin: Any) -> None:
    """Take the filter off the table that a plugin was given, if it keeps one."""
    if (table := getattr(plugin, "pipeline", None)) is not None:
        table.xtra()


def seeing_all(plugin: Any, save: Save) -> Save:
    """Return a `save` that finds its row, however long after its step began."""

    async def keep(cells: list[Record]) -> None:
        see_all(plugin)
        await save(cells)

    return keep
