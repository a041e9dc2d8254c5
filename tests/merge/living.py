"""The day of docs/regenerating.md: a notebook of ten cells, six edits by hand, five in the notebook."""

import json
from pathlib import Path
from typing import Any

from tests.build import code, md, raw

CELLS: dict[str, Any] = {
    "title": md("# Harvest\n\nWhat the trees gave."),
    "trees": "# The trees\ntrees = {'apple': [31, 28, 40], 'pear': [12, 19], 'plum': [55]}\nprint(len(trees), 'kinds')",
    "least": code("least = 20", input="least", step="Choose"),
    "sums": "# Sums\nsums = {}\nfor kind, baskets in trees.items():\n    sums[kind] = sum(baskets)\nprint(sums)\nsums",
    "large": "# Large ones\nlarge = {kind: n for kind, n in sums.items() if n >= least}\nprint(large)",
    "mean": "# Mean\nmean = sum(sums.values()) / len(sums)\nprint(round(mean, 1))",
    "best": "# Best\nbest = max(sums, key=sums.get)\nprint('best:', best)",
    "share": "# Share\nshare = sums[best] / sum(sums.values())\nprint(f'{share:.0%}')",
    "chart": "# Chart\nfor kind, n in sums.items():\n    print(kind.ljust(8), '#' * (n // 5))",
    "end": "# Summary\nprint(best, 'leads with', sums[best])\nprint(len(large), 'are large')",
}


def write(path: Path, cells: dict[str, Any]) -> None:
    """Save the notebook as an editor would: ids stay with their cells."""
    made = [
        dict(code(cell) if isinstance(cell, str) else cell, id=name) for name, cell in cells.items()
    ]
    path.write_bytes(json.dumps(json.loads(raw(*made)), indent=1).encode())


HAND = (
    ('DISPLAY_NAME = "Harvest"', 'DISPLAY_NAME = "Our harvest"'),
    ("        print(sums)\n", '        print(sums)\n        print("by hand:", len(sums))\n'),
    ("print(round(mean, 1))", 'print("mean", round(mean, 2))'),
    ("print('best:', best)", 'print("the best:", best.upper())'),
    ('title="All steps are done"', 'title="That was all"'),
    (
        "    async def landing(self, request):",
        '    def kinds(self):\n        return ["apple", "pear"]\n\n    async def landing(self, request):',
    ),
)
"""Six places of the plugin: its name, a line added to a cell, two lines changed, a text, a helper of one's own."""


def edited(text: str) -> str:
    """The plugin with the six edits."""
    for old, new in HAND:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def later() -> dict[str, Any]:
    """The notebook after its five edits."""
    cells = dict(CELLS)
    cells["best"] = (
        "# Best\nbest = max(sums, key=sums.get)\nprint('best of all:', best)"  # change, where the plugin was changed, too
    )
    del cells["mean"]  # delete, of a cell that was edited in the plugin
    first, second = cells.pop("end").split("\n", 2)[:2], "print(len(large), 'are large')"
    cells["end-1"], cells["end-2"] = "\n".join(first), second  # split: both halves have new ids
    chart = cells.pop("chart")
    order = list(cells.items())
    at = [name for name, _ in order].index("sums") + 1
    order[at:at] = [
        ("chart", chart),
        ("count", "# Count\ncount = sum(map(len, trees.values()))\nprint(count, 'baskets')"),
    ]  # move, insert
    return dict(order)
