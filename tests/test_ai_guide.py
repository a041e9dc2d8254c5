"""AI_GUIDE.md says what is so: its commands run, its paths and names are there."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from pipulate_runtime.host.plugin_api.api import Pipulate
from tests.conftest import ROOT
from transpiler.model import rules

GUIDE = (ROOT / "AI_GUIDE.md").read_text(encoding="utf-8")
BLOCKS = [block.strip().splitlines() for block in re.findall(r"```\n(.*?)```", GUIDE, re.DOTALL)]
COMMANDS = [line for block in BLOCKS for line in block if line.startswith("pipulate ")]


@pytest.mark.kernel
@pytest.mark.slow
def test_its_commands_run_in_this_order(tmp_path):
    assert len(COMMANDS) == 8
    for name in ("sales_report.ipynb", "sales.csv"):
        shutil.copy(ROOT / "fixtures" / name, tmp_path)
    for line in COMMANDS:
        ended = subprocess.run(
            [sys.executable, "-m", "transpiler", *shlex.split(line)[1:]],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=250,
        )
        assert ended.returncode == 0, f"{line}\n{ended.stdout}\n{ended.stderr}"
    assert (tmp_path / "plugins" / "sales_report.py").is_file()


def test_options_that_it_names_are_there():
    help_of = subprocess.run(
        [sys.executable, "-m", "transpiler", "port", "--help"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    named = set(re.findall(r"(--[a-z][a-z-]+)", GUIDE)) - {"--json-args", "--reload", "--set"}
    assert {option for option in named if option not in help_of} == set()


def test_paths_that_it_names_are_there():
    paths = re.findall(
        r"`((?:transpiler|templates|pipulate_runtime|fixtures|generated|docs|tests)[\w./]*)`", GUIDE
    )
    assert len(paths) > 8
    assert [
        path
        for path in paths
        if not (ROOT / path.replace("runtime.cells", "runtime/cells")).exists()
    ] == []
    assert set(re.findall(r"PP\d{3}", GUIDE)) <= {rule.code for rule in rules.all_rules()}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(f"\n{name}:" in makefile for name in re.findall(r"make (\w+)", GUIDE))


def test_names_that_it_gives_are_those_of_a_plugin():
    plugin = (ROOT / "generated" / "sales_report.py").read_text(encoding="utf-8")
    for name in ("# --- START_STEP_BUNDLE: step_02 ---", "# --- STEPS_LIST_INSERTION_POINT ---", "# port:"):  # fmt: skip
        assert name in GUIDE
        assert name in plugin
    for name in ("step_02_cell", "step_02_form", "step_02_submit"):
        assert f"def {name}(" in plugin
    assert hasattr(Pipulate, "read_state")
    assert hasattr(Pipulate, "set_step_data")
