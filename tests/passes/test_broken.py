"""Each rule of the front has a fixture that gives it, and a page."""

import re
from pathlib import Path

import pytest

from tests.helpers import codes_of
from transpiler.fields.vocabulary import CELL_KEYS, FIELD_KEYS, FIELD_TYPES, NOTEBOOK_KEYS
from transpiler.model.rules import all_rules
from transpiler.passes.annotate import annotate
from transpiler.passes.read import read

ROOT = Path(__file__).parents[2]
BROKEN = ROOT / "fixtures" / "broken"
PAGES = ROOT / "docs" / "diagnostics"
FRONT = [r for r in all_rules() if r.code.startswith("PP1") or r.code == "PP201"]
ROWS = re.findall(
    r"^\| `(\w+\.ipynb)` \| (PP1\d\d|PP201) \|", (BROKEN / "README.md").read_text(), re.MULTILINE
)


@pytest.mark.parametrize(("name", "code"), ROWS)
def test_a_fixture_gives_its_diagnostic_and_no_other(name, code):
    notebook, found = read((BROKEN / name).read_bytes(), name)
    if notebook:
        found += annotate(notebook)[1]
    assert codes_of(found) == [code]
    assert found[0].rule.name == name.removesuffix(".ipynb").replace("_", "-")


def test_each_rule_has_a_fixture_but_the_one_about_missing_files():
    assert sorted({code for _, code in ROWS} | {"PP109"}) == [r.code for r in FRONT]


@pytest.mark.parametrize("rule", FRONT, ids=lambda rule: rule.code)
def test_each_rule_has_a_page(rule):
    text = (PAGES / f"{rule.code}.md").read_text()
    assert text.startswith(f"# {rule.code} {rule.name}\n")
    assert len(text.split("\n\n")) >= 3


def test_codes_and_names_are_used_once():
    rules = all_rules()
    assert len({r.code for r in rules}) == len({r.name for r in rules}) == len(rules)


def test_the_page_of_unknown_options_lists_all():
    text = (PAGES / "PP120.md").read_text()
    for key in (*CELL_KEYS, *FIELD_KEYS, *NOTEBOOK_KEYS, *FIELD_TYPES):
        assert f"`{key}`" in text, key
