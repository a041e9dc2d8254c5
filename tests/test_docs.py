"""What the README says is so."""

import json
import re

import pytest
from typer.main import get_command

from tests.conftest import ROOT
from transpiler import __version__
from transpiler.cli.main import app
from transpiler.fields.vocabulary import CELL_KEYS
from transpiler.model.rules import all_rules

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_is_the_notebook_and_the_plugin() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    notebook = json.loads((ROOT / "fixtures" / "sales_report.ipynb").read_text(encoding="utf-8"))
    sources = ["".join(cell["source"]) + "\n" for cell in notebook["cells"]]
    plugin = (ROOT / "generated" / "sales_report.py").read_text(encoding="utf-8")
    assert blocks[0] in sources
    assert blocks[1] in plugin


def test_every_command_is_in_the_readme_and_has_help() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    for name, command in commands.items():
        assert f"`pipulate {name}" in README, f"the README does not mention {name}"
        assert command.help, f"{name} has no help"


@pytest.mark.parametrize("name", ["serve", "run", "runs"])
def test_every_option_of_the_host_is_in_its_row(name: str) -> None:
    command = get_command(app).commands[name]  # type: ignore[attr-defined]
    rows = "\n".join(line for line in README.splitlines() if line.startswith(f"| `pipulate {name}"))
    parts = [command, *getattr(command, "commands", {}).values()]
    options = {opt for part in parts for p in part.params for opt in p.opts if opt[:2] == "--"}
    assert {opt for opt in options if opt not in rows} <= {"--output"}  # written as -o


def test_every_option_line_is_in_the_readme() -> None:
    missing = [key for key in CELL_KEYS if not re.search(rf"\b{key}\b", README)]
    assert missing == []


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


def test_the_newest_entry_of_the_changelog_is_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+)", changelog, re.MULTILINE)[1] == __version__  # type: ignore[index]
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_every_fixture_has_its_reason() -> None:
    reasons = (ROOT / "fixtures" / "README.md").read_text(encoding="utf-8")
    for path in sorted((ROOT / "fixtures").glob("*.ipynb")):
        assert f"`{path.stem}`" in reasons


def test_every_dependency_has_its_reason() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wanted = re.search(r"^dependencies = \[(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    assert wanted is not None
    reasons = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    names = re.findall(r'"([\w-]+)', wanted[1])
    assert len(names) > 10
    assert [name for name in names if not re.search(rf"\b{name}\b", reasons)] == []


def test_the_cases_of_the_data_flow_name_rules_that_are_there() -> None:
    table = (ROOT / "docs" / "dataflow.md").read_text(encoding="utf-8")
    named = set(re.findall(r"PP\d{3}", table))
    rules = {rule.code for rule in all_rules()}
    assert named <= rules
    assert {code for code in rules if "PP210" <= code < "PP300"} <= named
    assert len(re.findall(r"^\| DF\d{3} .* \|$", table, re.MULTILINE)) == 26
