"""Lines put into a notebook file: no other byte changes, whatever the file looks like, and the fields are those meant."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.build import code, raw
from transpiler.features.annotate_lines import add_input_lines, line_of
from transpiler.fields.options import Ask
from transpiler.model.diagnostics import Span, UserError
from transpiler.notebook.edit import _sources, insert, rewrite
from transpiler.notebook.yaml import load
from transpiler.passes.annotate import annotate
from transpiler.passes.read import read
from transpiler.plugin_folder.files import replace_notebook

SPAN = Span(0, 1, 1, 1, 2)
LINE_END = re.compile(r"\r\n|\r|\n")

# --- any file -----------------------------------------------------------------------------------------------------

TEXTS = st.lists(
    st.one_of(
        st.sampled_from(list("ab=5 #|%\"\\'{}[],:/\t\n\n\n\r")),
        st.sampled_from(["\r\n", "é", "λ", "💡", "\u2028", "\x7f", "\\u0041", "\\n", "\ud83d"]),
        st.characters(),
    ),
    max_size=40,
).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def sources(draw: st.DrawFn) -> str | list[str]:
    text = draw(TEXTS)
    match draw(st.sampled_from(["string", "lines", "chunks"])):
        case "string":
            return text
        case "lines":
            return text.splitlines(keepends=True) or [text]
        case _:
            cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=4)))
            return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@st.composite
def notebooks(draw: st.DrawFn) -> tuple[str, dict[str, Any], list[dict[str, Any]]]:
    """A file's text, its tree, its cells in order; of any format, indent, escapes, order of keys, line ends."""
    old = draw(st.booleans())
    cells = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["code", "markdown", "raw"]))
        key = "input" if old and kind == "code" else "source"
        more = draw(st.dictionaries(st.sampled_from(["outputs", "metadata", "é", "z"]), VALUES))
        items = [("cell_type", kind), (key, draw(sources())), *more.items()]
        cells.append(dict(draw(st.permutations(items))))
    if old:
        cut = draw(st.integers(0, len(cells)))
        sheets = [{"cells": cells[:cut]}, {"metadata": {}, "cells": cells[cut:]}]
        tree = {"nbformat": 3, "worksheets": sheets, "metadata": draw(VALUES)}
    else:
        items = [("cells", cells), ("nbformat", 4), ("metadata", draw(VALUES)), ("x", draw(VALUES))]
        tree = dict(draw(st.permutations(items)))
    text = json.dumps(
        tree,
        indent=draw(st.sampled_from([None, 0, 1, 4, "\t"])),
        ensure_ascii=draw(st.booleans()),
        separators=draw(st.sampled_from([None, (",", ":"), (" ,  ", " : ")])),
        sort_keys=draw(st.booleans()),
    )
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    text = draw(st.sampled_from(["", "\ufeff"])) + text + draw(st.sampled_from(["", "\n", " \n\n"]))
    if draw(st.booleans()):
        text = text.replace("/", "\\/")
    return text, tree, cells


def source_of(cell: dict[str, Any]) -> str | list[str]:
    value: str | list[str] = cell["input"] if "input" in cell else cell["source"]
    return value


def cells_in(tree: dict[str, Any]) -> list[dict[str, Any]]:
    sheets = tree["worksheets"] if "worksheets" in tree else [tree]
    return [cell for sheet in sheets for cell in sheet["cells"]]


@settings(max_examples=250, deadline=None)
@given(notebooks(), st.data())
def test_nothing_but_the_new_lines_changes(
    made: tuple[str, dict[str, Any], list[dict[str, Any]]], data: st.DataObject
) -> None:
    text, _, _ = made
    try:
        before = text.encode()
    except UnicodeEncodeError:
        return  # half a character that is not escaped: no UTF-8 file holds it
    cells = cells_in(json.loads(text.removeprefix("\ufeff")))
    index = data.draw(st.integers(0, len(cells) - 1))
    source = source_of(cells[index])
    joined = "".join(source)
    starts = [0, *(m.end() for m in LINE_END.finditer(joined))]
    line = data.draw(st.integers(0, len(starts) - 1))
    new = data.draw(st.sampled_from([("#| input: x",), ("#| a: é💡", '#| b: "\\"')]))

    after = insert(before, {index: (line, new)})

    # byte for byte: something was put in at one place, and nothing else happened
    grown = len(after) - len(before)
    same = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    same = same or len(before)
    assert any(
        after[:at] == before[:at] and after[at + grown :] == before[at:]
        for at in range(max(0, same - grown), same + 1)
    )
    # what was put in are these lines, before this one, with a line end of the cell
    tree = json.loads(after.decode("utf-8-sig"))
    changed = source_of(cells_in(tree)[index])
    assert type(changed) is type(source)
    got = "".join(changed)
    ends = LINE_END.findall(joined)
    end = got[starts[line] + len(new[0]) :][:2]
    end = end if end == "\r\n" else end[:1]
    assert end in (ends or ["\n", "\r\n"])
    added = "".join(one + end for one in new)
    assert got == joined[: starts[line]] + added + joined[starts[line] :]
    if "\\u00e9" in text and text.removeprefix("\ufeff").isascii():
        assert after.removeprefix(b"\xef\xbb\xbf").isascii(), "the file escapes what is not ASCII"


# --- the manner of what is there --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('["x = 5"]', '["#| input: x\\n","x = 5"]'),
        ('["x = 5\\n", "x"]', '["#| input: x\\n", "x = 5\\n", "x"]'),
        ('[\n  "x = 5"\n ]', '[\n  "#| input: x\\n",\n  "x = 5"\n ]'),
        ('[\r\n\t"x = 5"\r\n\t]', '[\r\n\t"#| input: x\\n",\r\n\t"x = 5"\r\n\t]'),
        ('"x = 5\\r\\nx"', '"#| input: x\\r\\nx = 5\\r\\nx"'),
        ('["x = 5\\nx"]', '["#| input: x\\n","x = 5\\nx"]'),
    ],
)
def test_new_lines_look_like_those_around_them(before: str, after: str) -> None:
    frame = '{"nbformat": 4, "cells":[{"cell_type":"code","source":%s}]}'
    made = insert((frame % before).encode(), {0: (0, ("#| input: x",))})
    assert made.decode() == frame % after


def test_a_line_inside_of_a_string_goes_behind_escapes() -> None:
    text = '{"nbformat":4,"cells":[{"source":"#| step: \\ud83d\\udca1\\u00e9\\"\\\\\\nx = 5"}]}'
    made = insert(text.encode(), {0: (1, ("#| input: {name: x, label: é}",))})
    assert made.decode() == text.replace("x = 5", "#| input: {name: x, label: \\u00e9}\\nx = 5")


# --- lines ----------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["label", "help", "min", "max", "choices", "type"]),
        TEXTS | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
        | st.lists(TEXTS | st.integers() | st.booleans(), min_size=1),
    )
)  # fmt: skip
def test_what_a_line_says_is_read_back(attributes: dict[str, Any]) -> None:
    try:
        json.dumps(attributes, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    line = line_of("limit", attributes)
    assert "\n" not in line
    value = load(line.partition(": ")[2])
    said = {k: v for k, v in attributes.items() if v != "" and (k, v) != ("label", "Limit")}
    secret = said.get("type") == "password"
    assert line.startswith("#| secret: " if secret else "#| input: ")
    assert value == ({"name": "limit", **said} if said else "limit")


@pytest.mark.parametrize(
    ("attributes", "line"),
    [
        ({}, "#| input: limit"),
        ({"label": "Limit"}, "#| input: limit"),  # what the name says already
        ({"min": 0, "label": "At least"}, "#| input: {name: limit, label: At least, min: 0}"),
        ({"help": "a: b # c"}, '#| input: {name: limit, help: "a: b # c"}'),
        ({"help": "yes"}, "#| input: {name: limit, help: yes}"),  # a text in YAML 1.2
        ({"help": "true"}, '#| input: {name: limit, help: "true"}'),
        ({"choices": ["a", "b c", 3]}, "#| input: {name: limit, choices: [a, b c, 3]}"),
        ({"type": "password"}, "#| secret: limit"),
        ({"type": "password", "help": "Ask Ann"}, "#| secret: {name: limit, help: Ask Ann}"),
    ],
)
def test_lines_are_as_short_as_people_write_them(attributes: dict[str, Any], line: str) -> None:
    assert line_of("limit", attributes) == line


# --- notebooks ----------------------------------------------------------------------------------------------------


def sources_after(*cells: Any, asks: dict[int, tuple[Ask, ...]]) -> list[str]:
    before = raw(*cells)
    notebook, _ = read(before, "trip.ipynb")
    assert notebook is not None
    again, _ = read(add_input_lines(before, notebook, asks).raw, "trip.ipynb")
    assert again is not None
    return [cell.source for cell in again.cells]


LIMIT = {0: (Ask("limit", {"min": 1}, SPAN),)}
LINE = "#| input: {name: limit, min: 1}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("limit = 5", LINE + "limit = 5"),
        ("# Rows\nlimit = 5", LINE + "# Rows\nlimit = 5"),
        ("#| step: Rows\nlimit = 5", "#| step: Rows\n" + LINE + "limit = 5"),
        (
            "# Rows\n\n#| echo: false\n# more\nlimit = 5",
            "# Rows\n\n#| echo: false\n" + LINE + "# more\nlimit = 5",
        ),
        (
            "#| input:\n#|   other: {max: 3}\nother = 2; limit = 5",
            "#| input:\n#|   other: {max: 3}\n" + LINE + "other = 2; limit = 5",
        ),
        ("%matplotlib inline\nlimit = 5", LINE + "%matplotlib inline\nlimit = 5"),
        ("  limit = 5\n  limit", "  " + LINE + "  limit = 5\n  limit"),  # IPython dedents as line 1
        ("\n\nlimit = 5", LINE + "\n\nlimit = 5"),
    ],
)
def test_where_the_line_goes(before: str, after: str) -> None:
    assert sources_after(before, "limit", asks=LIMIT) == [after, "limit"]


def test_the_notebook_runs_as_before_in_ipython() -> None:
    """What IPython makes of the cell is the same but for a comment."""
    from IPython.core.inputtransformer2 import TransformerManager

    for before in ("  limit = 5\n  print(limit)\n", ">>> limit = 5\n", "!ls\nlimit = 5\n"):
        (after,) = sources_after(before, asks=LIMIT)
        was = TransformerManager().transform_cell(before)  # type: ignore[no-untyped-call]
        now = TransformerManager().transform_cell(after)  # type: ignore[no-untyped-call]
        assert now == LINE + was


def test_a_field_of_metadata_keeps_what_it_says() -> None:
    cell = code("limit = 5", input={"name": "limit", "max": 9})
    before = raw(cell)
    notebook, _ = read(before, "trip.ipynb")
    assert notebook is not None
    (item,) = annotate(notebook)[0].items
    assert [f.max for f in item.fields] == [9]  # type: ignore[union-attr]


# --- writing ------------------------------------------------------------------------------------------------------


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "trip.ipynb"
    path.write_bytes(b"theirs")
    with pytest.raises(UserError, match="has changed since") as caught:
        replace_notebook(path, b"as it was read", b"ours")
    assert caught.value.diagnostic.rule.code == "PP490"
    assert caught.value.exit_code == 3
    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_mode_and_links_stay(tmp_path: Path) -> None:
    real = tmp_path / "real.ipynb"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link = tmp_path / "link.ipynb"
    link.symlink_to(real)
    replace_notebook(link, b"old", b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.ipynb", "real.ipynb"]


def test_a_file_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        replace_notebook(tmp_path / "no.ipynb", b"", b"new")
    assert caught.value.diagnostic.rule.code == "PP402"
    assert list(tmp_path.iterdir()) == []


# --- other sources ------------------------------------------------------------------------------------------------------


@settings(max_examples=120, deadline=None)
@given(notebooks(), st.data())
def test_a_new_source_changes_nothing_else(
    made: tuple[str, dict[str, Any], list[dict[str, Any]]], data: st.DataObject
) -> None:
    text, _, _ = made
    try:
        before = text.encode()
    except UnicodeEncodeError:
        return
    cells = cells_in(json.loads(text.removeprefix("\ufeff")))
    index = data.draw(st.integers(0, len(cells) - 1))
    source = source_of(cells[index])
    lines = LINE_END.split("".join(source))
    at = data.draw(st.integers(0, len(lines) - 1))
    wanted = "\n".join([*lines[:at], 'new = "é\\t"', *lines[at + 1 :]])

    after = rewrite(before, {index: wanted}).decode()

    changed = source_of(cells_in(json.loads(after.removeprefix("\ufeff")))[index])
    assert type(changed) is type(source)
    assert LINE_END.sub("\n", "".join(changed)) == wanted
    place = list(_sources(text))[index]
    assert place is not None
    assert after.startswith(text[: place.parts[0].start])
    assert after.endswith(text[place.parts[-1].end :])
    assert rewrite(before, {index: "\n".join(lines)}) == before
