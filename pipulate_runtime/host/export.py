"""A run as an executed notebook."""

from typing import TYPE_CHECKING

from pipulate_runtime.host.messages import EXPORT_UNAVAILABLE
from pipulate_runtime.host.state import State

if TYPE_CHECKING:
    from pipulate_runtime.host.plugins import Plugin


def notebook_text(plugin: "Plugin", key: str, state: State) -> str:
    """The notebook as JSON text; raises HostError PP517 when the plugin runs no cells."""
    import nbformat

    from pipulate_runtime import cells

    if not plugin.computes:
        raise EXPORT_UNAVAILABLE.error(key=key, reason="its plugin runs no cells")
    notebook = cells.export(plugin.instance, key, state)
    return str(nbformat.writes(notebook)) + "\n"  # type: ignore[no-untyped-call]
