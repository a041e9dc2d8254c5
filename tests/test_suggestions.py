"""Values that a form shows because the notebook computes them from earlier cells."""

import ast
import asyncio
import random
import textwrap
from pathlib import Path

import pytest

from pipulate_runtime.host.walk.trace import witness
from tests.build import code, emitted, function, only_step, plan_of, raw
from transpiler.model.options import Options
from transpiler.pipeline import port

CELLS = [
    "import random\nrandom.seed(4)\nprices = [random.random() * 100 for _ in range(9)]\nprint(len(prices))",
    code("share = 0.25\nlimit = int(sum(prices) * 0.1)\nname = f'over {len(prices)}'\n"
         "draw = random.randint(1, 1000)\nprint(limit, name, draw)", input=["limit", "name", "draw"]),
    "print(random.random())",
]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "suggested"),
    [
        ("x = int(total * 0.1)", ["x"]),
        ("share = 0.1\nx = int(total * share)", []),
        ("total = 5\nx = int(total)", []),
        ("rows.append(1)\nx = len(rows)", []),
        ("print(total); x = int(total)", ["x"]),
        ("import math\nx = math.sqrt(total)", []),
        ("x = [r for r in rows if r]", ["x"]),
        ("x = (y := total)", []),
        ("x = 5", []),
    ],
)
def test_what_can_be_computed_before_the_cell(cell: str, suggested: list[str]) -> None:
    made = plan_of("total = 100\nrows = [1]", code(cell, input="x"), "print(total, rows)")
    found = made.steps[1].suggestions
    assert (found is not None) == bool(suggested)
    emitted("total = 100\nrows = [1]", code(cell, input="x"), "print(total, rows)")


def test_a_first_step_has_nothing_to_compute_from() -> None:
    assert only_step(plan_of(code("x = 5", input="x"))).suggestions is None


def test_the_plugin_says_how() -> None:
    text = emitted("total = 100", code("limit = int(total * 0.1)", input="limit"), "print(limit)")
    source = function(text, "step_02_suggestions")
    assert "global total  # in: from the cells before" in source
    assert ast.unparse(ast.parse(textwrap.dedent(source))).endswith(
        "return {'limit': int(total * 0.1)}"
    )


@pytest.mark.kernel
@pytest.mark.parametrize("way", ["straight", "resume", "revert"])
def test_the_form_shows_what_the_notebook_computes(tmp_path: Path, way: str) -> None:
    notebook = tmp_path / "draws.ipynb"
    notebook.write_bytes(raw(*CELLS))
    ported = port(notebook, tmp_path / "plugins", Options())
    assert ported.plugin is not None
    walked = asyncio.run(witness(ported.plugin, tmp_path / "data", {}, way))  # type: ignore[arg-type]
    own = random.Random(4)
    prices = [own.random() * 100 for _ in range(9)]
    limit, draw = int(sum(prices) * 0.1), own.randint(1, 1000)
    said = ["".join(o["text"] for o in outputs) for outputs in walked.outputs.values()]
    assert said == ["9\n", f"{limit} over 9 {draw}\n", f"{own.random()}\n"]
    assert walked.answers["step_02"] == {"limit": limit, "name": "over 9", "draw": str(draw)}
