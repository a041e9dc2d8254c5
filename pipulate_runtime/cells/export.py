"""A run as an executed notebook."""

import platform
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from pipulate_runtime.cells.run.history import answers
from pipulate_runtime.cells.run.job import CELLS
from pipulate_runtime.cells.source.source import Source, with_answers
from pipulate_runtime.cells.storage.folders import RunFolder, load_outputs
from pipulate_runtime.cells.storage.secrets import mask_secrets


def notebook(plugin: Any, source: Source, folder: RunFolder, state: Mapping[str, Any]) -> Any:
    """Return the notebook of a run: the text and the cells of each step that was done, with their outputs."""
    nbformat: Any = import_module("nbformat")  # it takes a tenth of a second, and has no types
    make: Any = nbformat.v4

    cells = []
    title = getattr(plugin, "DISPLAY_NAME", "") or plugin.app_name
    cells.append(make.new_markdown_cell(f"# {title}", id="title"))
    for step in plugin.steps:
        data = state.get(step.id) or {}
        if CELLS not in data:
            continue
        text = getattr(plugin, f"{step.id}_text", "")
        heading = f"## {step.show}"
        cells.append(
            make.new_markdown_cell(
                f"{heading}\n\n{text}" if text else heading, id=f"{step.id}-text"
            )
        )
        for record in data[CELLS]:
            given = mask_secrets(plugin, step.id, answers(data))
            cell = make.new_code_cell(
                with_answers(record["code"], given),
                id=record["id"],
                execution_count=record.get("execution_count"),
                outputs=[nbformat.from_dict(output) for output in load_outputs(folder, record)],
            )
            cells.append(cell)
    return make.new_notebook(cells=cells, metadata=_metadata())


def _metadata() -> dict[str, Any]:
    return {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python", "version": platform.python_version()},
    }
