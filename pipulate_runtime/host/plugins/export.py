"""A run as an executed notebook."""

from typing import TYPE_CHECKING

from pipulate_runtime.host.base.errors import EXPORT_UNAVAILABLE
from pipulate_runtime.host.state.run import State

if TYPE_CHECKING:
    from pipulate_runtime.host.plugins.model import Plugin


def notebook_text(plugin: "Plugin", key: str, state: State) -> str:
    """Return the notebook as JSON text. Raises HostError PP517 for a plugin without cells."""
    import nbformat

    from pipulate_runtime import cells

    if not plugin.computes:
        raise EXPORT_UNAVAILABLE.error(key=key, reason="its plugin runs no cells")
    notebook = cells.export(plugin.instance, key, state)
    return str(nbformat.writes(notebook)) + "\n"  # type: ignore[no-untyped-call]
