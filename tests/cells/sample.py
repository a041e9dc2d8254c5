"""A small plugin in the agreed shape, written by hand."""

from collections import namedtuple

from pipulate_runtime.cells import Cells, cell, cell_text

Step = namedtuple("Step", ["id", "done", "show", "refill", "transform"], defaults=(None,))


class Sample:
    APP_NAME = "sample"
    DISPLAY_NAME = "Sample"

    def __init__(self, app, pipulate, app_name=APP_NAME, files=None):
        self.app = app
        self.app_name = app_name
        self.pip = pipulate
        self.steps = [
            Step(id="step_01", done="ran", show="Load", refill=False),
            Step(id="step_02", done="limit", show="Choose a limit", refill=False),
            Step(id="step_03", done="ran", show="Report", refill=False),
            Step(id="finalize", done="finalized", show="Finalize", refill=False),
        ]
        self.cells = Cells(self, files=files)

    @cell("imports1")
    def step_01_setup(form):
        global math
        import math

    @cell("load0001")
    def step_01_cell(form):
        global rows, scale
        rows = [1, 2, 3, 4]
        scale = 10

        text = """one
  two
three"""
        print(text)
        return rows

    step_02_text = "Rows **above** the limit are kept: $x > l$."

    @cell("limit001")
    def step_02_cell(form):
        global rows, limit, best  # in and out
        global over
        # what is left
        limit = form["limit"]
        best = [row * scale for row in rows if row > limit]
        over = lambda row: row > limit  # noqa: E731
        print(f"{len(best)} rows")
        return best
        # the end

    step_03_cell = cell_text(
        "report01", "from math import *\nlimit = 0\nprint(floor(2.5))\nover(1)"
    )

    @cell("report02", show="both")
    def step_03_cell_2(form):
        print(limit)
        sorted(best)
