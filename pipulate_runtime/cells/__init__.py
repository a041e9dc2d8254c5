"""Runs the cells of a notebook in a Jupyter kernel and shows what they give."""

from pipulate_runtime.cells.api import Cells
from pipulate_runtime.cells.page.style import stylesheet
from pipulate_runtime.cells.server import configure, copy_files, export, forget, shutdown
from pipulate_runtime.cells.source.marks import cell, cell_text
from pipulate_runtime.cells.storage.forms import Typed, read_json, read_literal

__all__ = [
    "Cells",
    "Typed",
    "cell",
    "cell_text",
    "configure",
    "copy_files",
    "export",
    "forget",
    "read_json",
    "read_literal",
    "shutdown",
    "stylesheet",
]
