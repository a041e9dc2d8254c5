"""docs/annotations.md names every key, type, tag and convention there is, each with an example that does what it says."""

import re
import struct

import pytest

from tests.conftest import ROOT
from tests.helpers import code, codes_of
from transpiler.fields import options
from transpiler.fields.vocabulary import CELL_KEYS, FIELD_KEYS, FIELD_TYPES, NOTEBOOK_KEYS
from transpiler.sources import colab, pipulate
from transpiler.widgets.table import ABBREVIATED, INPUTS, UNANSWERABLE

PAGE = (ROOT / "docs" / "annotations.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def rows(section: str) -> dict[str, str]:
    """The first column of its tables, each name in backquotes -> the rest of the row."""
    found: dict[str, str] = {}
    for line in SECTIONS[section].splitlines():
        if line.startswith("| `"):
            cells = re.split(r"(?<!\\)\|", line)
            found |= dict.fromkeys(re.findall(r"`([^`]+)`", cells[1]), " ".join(cells[2:]))
    return found


def test_every_key_is_there() -> None:
    lines = rows("Option lines")
    assert lines.keys() == CELL_KEYS.keys() | FIELD_KEYS.keys()
    assert rows("Metadata").keys() == NOTEBOOK_KEYS.keys()


def test_every_type_is_there() -> None:
    (line,) = re.findall(r"^Types: (.*)\.$", PAGE, re.MULTILINE)
    assert tuple(re.findall(r"`([\w-]+)`", line)) == FIELD_TYPES


def test_every_type_is_shown() -> None:
    table = rows("Types")
    assert tuple(table) == FIELD_TYPES
    for name, rest in table.items():
        assert f"(pictures/annotations/type-{name}.png)" in rest


def test_every_section_has_its_picture_and_no_picture_is_left_over() -> None:
    shown = re.findall(r"!\[([^\]]+)\]\((pictures/annotations/[\w-]+\.png)\)", PAGE)
    assert [title for title, text in SECTIONS.items() if "](pictures/" not in text] == []
    assert len(shown) == PAGE.count("![")
    assert len({alt for alt, _ in shown}) == len(shown), "each says what is to be seen"
    folder = ROOT / "docs" / "pictures" / "annotations"
    assert {f"pictures/annotations/{p.name}" for p in folder.iterdir()} == {p for _, p in shown}
    for path in folder.iterdir():
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG\r\n\x1a\n"), path
        assert 500 < len(content) <= 40_000, path
        width, height = struct.unpack(">II", content[16:24])
        assert 200 <= width <= 800, path
        assert 20 <= height <= 2000, path


def test_every_tag_is_there() -> None:
    wanted = {*options._TAGS, *options.PARAMETERS, *pipulate.TAGS, "raises-exception"}
    assert rows("Tags").keys() == {*wanted, "step:name", "block:name"}


def test_every_convention_is_there() -> None:
    assert {*INPUTS, *UNANSWERABLE} <= rows("ipywidgets").keys()
    assert all(name in SECTIONS["ipywidgets"] for name in ABBREVIATED)
    said = SECTIONS["Colab's forms"]
    assert all(f'type:"{name}"' in said for name in colab._TYPES)
    assert all(
        name in said for name in (*colab._ATTRIBUTES, "#@title", "#@markdown", "display-mode")
    )
    assert all(f"pip.{name}(" in PAGE for name in pipulate._PARAMETERS)
    assert "input(" in SECTIONS["Questions"]
    assert "getpass(" in SECTIONS["Questions"]


@pytest.mark.parametrize("line", sorted(rows("Colab's forms")))
def test_each_form_comment_is_one_field(line: str) -> None:
    item, found = code(line)
    assert found == ()
    assert len(item.fields) == 1


@pytest.mark.parametrize("key", sorted(CELL_KEYS))
def test_each_example_of_an_option_line_is_understood(key: str) -> None:
    (example,) = [
        e.replace("\\|", "|")
        for e in re.findall(rf"^\| `{key}` \|.*`(#\\\| .*)` \|$", PAGE, re.MULTILINE)
    ]
    item, found = code(f"{example}\nlimit = 1\nAPI_KEY = 'a'") if key != "skip" else (None, ())
    assert codes_of(found) == []
    assert example.startswith(f"#| {key}")
    assert item is None or item.python is not None


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
def test_each_example_is_python_that_asks(block: str) -> None:
    tagged = "station: str" in block
    head = '# %% {"tags": ["parameters"]}\n' if tagged else ""
    item, found = code(
        f"{head}{block}\nimport ipywidgets as widgets" if "widgets" in block else head + block
    )
    assert codes_of(found) == (["PP126"] if "while" in block else [])
    assert item.fields
