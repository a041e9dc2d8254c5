"""Modules of ours that are started in processes of their own: what they find, and what they do not."""

import os
import subprocess
from pathlib import Path

from tests.conftest import ROOT
from transpiler.features import isolated


def started(here: Path, path: str | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Execute the module `transpiler` in a folder, with this PYTHONPATH."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = path
    return subprocess.run(
        isolated.command("transpiler", *arguments),
        cwd=here,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_line_is_as_with_m(tmp_path: Path) -> None:
    done = started(tmp_path, str(ROOT), "explain", "PP101")
    assert (done.returncode, done.stderr) == (0, "")
    assert "PP101" in done.stdout
    wrong = started(tmp_path, None, "explain", "--nothing")
    assert wrong.returncode == 2
    assert "Usage: python -m transpiler explain" in wrong.stderr


def test_another_package_of_that_name_is_not_taken_for_ours(tmp_path: Path) -> None:
    """Neither one in the working directory, nor one that is found earlier, as an older installed one would be."""
    for place in (tmp_path, tmp_path / "older"):
        (place / "transpiler").mkdir(parents=True)
        (place / "transpiler" / "__init__.py").write_text("print('the other one')\n")
    for path in (None, str(tmp_path / "older")):
        done = started(tmp_path, path, "explain", "PP101")
        assert (done.returncode, "the other one" in done.stdout) == (0, False), done.stderr
