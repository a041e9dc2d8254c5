import json
import warnings

import nbformat
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.helpers import codes_of, notebook, notebook_bytes
from transpiler.model.diagnostics import UserError
from transpiler.passes.read import open_notebook, read


def file(cells=None, **changes):
    tree = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells or [code("1")]}
    return json.dumps(tree | changes).encode()


def code(source, **more):
    return {"cell_type": "code", "metadata": {}, "source": source, **more}


# --- files that are fine ------------------------------------------------------------------------------------------

PLAIN = notebook_bytes("# %% id=a1\nx = 1\n# %% [markdown] id=b2\n# Title")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(PLAIN, id="format 4.5"),
        pytest.param(b"\xef\xbb\xbf" + PLAIN, id="with a byte order mark"),
        pytest.param(b"\n\n  " + PLAIN + b"\r\n", id="with white space around it"),
        pytest.param(
            PLAIN.replace(b'"nbformat_minor": 5', b'"nbformat_minor": 99'),
            id="a minor version of the future",
        ),
        pytest.param(PLAIN.replace(b'"nbformat_minor": 5, ', b""), id="no minor version"),
        pytest.param(PLAIN.replace(b'"metadata": {}, "cells"', b'"cells"'), id="no metadata"),
        pytest.param(PLAIN.replace(b'"x = 1"', b'["x ", "= 1"]'), id="source as a list"),
        pytest.param(PLAIN.replace(b'"nbformat"', b'"nobody": [1], "nbformat"'), id="unknown keys"),
    ],
)
def test_a_usable_file_says_nothing(raw):
    result, found = read(raw, "trip.ipynb")
    assert found == ()
    assert [(c.id, c.kind, c.source) for c in result.cells] == [
        ("a1", "code", "x = 1"),
        ("b2", "markdown", "# Title"),
    ]
    assert (result.name, result.options, result.language) == ("trip.ipynb", {}, "python")


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param({}, id="nothing said"),
        pytest.param({"language_info": {"name": "python"}}, id="language_info"),
        pytest.param({"kernelspec": {"name": "python3", "language": "python"}}, id="kernelspec"),
        pytest.param(
            {"kernelspec": {"name": "conda-env-iris-py"}},
            id="a kernel name that begins like another",
        ),
        pytest.param({"language_info": {"name": "ipython"}}, id="ipython"),
        pytest.param({"language_info": 5, "kernelspec": []}, id="nonsense"),
        pytest.param(
            {"language_info": {"name": "python"}, "kernelspec": {"name": "ir"}},
            id="the language outweighs the kernel",
        ),
    ],
)
def test_python_notebooks_are_taken(metadata):
    assert read(file(metadata=metadata), "a.ipynb")[0] is not None


def test_tags_options_and_attachments_are_kept():
    picture = {"a.png": {"image/png": "iVBOR"}}
    cell = {
        "cell_type": "markdown",
        "metadata": {"tags": ["skip", 5], "pipulate": {"step": "A", "input": [{"name": "x"}]}},
        "source": "![](attachment:a.png)",
        "attachments": picture | {"odd": 5, "worse": {"text/plain": 5}},
    }
    raw = file([cell, code("1")], metadata={"pipulate": {"title": "T"}})
    result, found = read(raw, "a.ipynb")
    assert found == ()
    assert result.options == {"title": "T"}
    assert result.cells[0].tags == ("skip",)
    assert result.cells[0].options == {"step": "A", "input": [{"name": "x"}]}
    assert result.cells[0].attachments == picture | {"worse": {}}
    assert (result.cells[1].tags, result.cells[1].options, result.cells[1].attachments) == (
        (),
        None,
        None,
    )


def test_line_ends_of_windows_and_old_macs_become_newlines():
    assert read(file([code("a\r\nb\rc\n")]), "a")[0].cells[0].source == "a\nb\nc\n"


# --- older formats ------------------------------------------------------------------------------------------------

V3 = {
    "nbformat": 3,
    "nbformat_minor": 0,
    "metadata": {"name": "old"},
    "worksheets": [
        {
            "cells": [
                {"cell_type": "heading", "level": 2, "source": ["Two\n", "lines"], "metadata": {}},
                {"cell_type": "code", "input": ["x = 1\n", "x"], "language": "python", "outputs": [], "collapsed": False, "metadata": {}},
            ],
            "metadata": {},
        },
        {"cells": [{"cell_type": "html", "source": "<b>hi</b>", "metadata": {}}, {"cell_type": "raw", "source": "r", "metadata": {}}], "metadata": {}},
    ],
}  # fmt: skip


def test_format_3_is_read_as_nbformat_upgrades_it():
    result, found = read(json.dumps(V3).encode(), "old.ipynb")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        upgraded = nbformat.reads(json.dumps(V3), as_version=4)
    assert found == ()
    assert [(c.kind, c.source) for c in result.cells] == [
        (c.cell_type, c.source) for c in upgraded.cells
    ]


def test_a_heading_without_a_level_is_of_the_first():
    cells = [{"cell_type": "heading", "source": "T"}, {"cell_type": "code", "input": "1"}, 5]
    result, found = read(
        json.dumps(V3 | {"nbformat": 2, "worksheets": [{"cells": cells}]}).encode(), "o"
    )
    assert result.cells[0].source == "# T"
    assert codes_of(found) == ["PP110"]


# --- ids ----------------------------------------------------------------------------------------------------------


def ids(*sources, **more):
    return [c.id for c in read(file([code(s, **more) for s in sources]), "a")[0].cells]


def test_ids_are_made_from_content_and_stay_when_another_cell_comes():
    assert ids("a", "b") == [ids("a", "new", "b")[i] for i in (0, 2)]


def test_equal_cells_have_different_ids_which_stay_when_another_cell_comes():
    first, second = ids("a", "a")
    assert first != second
    assert ids("a", "new", "a") == [first, *ids("new"), second]


@pytest.mark.parametrize("bad", [5, "", "with space", "é", "x" * 65, None])
def test_an_id_nbformat_forbids_is_replaced(bad):
    assert ids("a", id=bad) == ids("a")


def test_of_two_cells_with_one_id_the_later_gets_another_and_a_notice():
    result, found = read(
        file([code("a", id="same"), code("b", id="same"), code("a", id=ids("b")[0])]), "a"
    )
    assert result.cells[0].id == "same"
    assert len({c.id for c in result.cells}) == 3, "a made id never takes one that is there"
    assert codes_of(found) == ["PP111"]
    assert found[0].span.cell == 1


# --- files that are not usable ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "expected", "words"),
    [
        pytest.param(b"", "PP107", "empty", id="an empty file"),
        pytest.param(b"\xef\xbb\xbf \n\x00", "PP107", "empty", id="nothing but white space"),
        pytest.param(b"x = 1\n", "PP101", "line 1, column 1", id="a Python file"),
        pytest.param(b'{"a": [1,\n  2,,]}', "PP101", "line 2, column 5", id="a comma too many"),
        pytest.param(PLAIN[:-9], "PP101", "line 1", id="half a file"),
        pytest.param(b"[" * 100_000, "PP101", "nested", id="nested without end"),
        pytest.param(b'{"a": 1' + b"0" * 5000 + b"}", "PP101", "too long", id="a number without end"),
        pytest.param(b"\xff\xfe{\x00}", "PP106", "0xff at position 0", id="UTF-16"),
        pytest.param(b'{"a": "\xe9"}', "PP106", "0xe9 at position 7", id="Latin-1"),
        pytest.param(
            b'{\n<<<<<<< HEAD\n"a": 1\n=======\n"a": 2\n>>>>>>> other\n}', "PP108", "line 2 is `<<<<<<< HEAD`", id="a merge conflict"
        ),
        pytest.param(b"[1]", "PP102", "not an object", id="a list"),
        pytest.param(b"null", "PP102", "not an object", id="null"),
        pytest.param(b'{"cells": []}', "PP102", "`nbformat`", id="an object without nbformat"),
        pytest.param(file(cells="x"), "PP102", "list of cells", id="cells that are no list"),
        pytest.param(file(nbformat=3), "PP102", "list of cells", id="format 3 without worksheets"),
        pytest.param(file(nbformat=3, worksheets=[5]), "PP102", "list of cells", id="worksheets that are none"),
        pytest.param(file(nbformat=3, worksheets=[{"cells": 5}]), "PP102", "list of cells", id="a worksheet without a list"),
        pytest.param(file(nbformat=5), "PP103", "format 5", id="a format of the future"),
        pytest.param(file(nbformat=1), "PP103", "format 1", id="the first format"),
        pytest.param(file(nbformat="4"), "PP103", 'format "4"', id="a format that is text"),
        pytest.param(file(nbformat=True), "PP103", "format true", id="a format that is a truth value"),
        pytest.param(file(nbformat=[4]), "PP103", "format a list", id="a format that is a list"),
        pytest.param(file(nbformat="v" * 99), "PP103", "…", id="a format that is long"),
        pytest.param(file([{"cell_type": "markdown", "source": "a"}]), "PP104", "no code", id="no code cell"),
        pytest.param(file([code(" \n")]), "PP104", "no code", id="a blank code cell only"),
        pytest.param(file(metadata={"language_info": {"name": "R"}}), "PP105", "kernel of R", id="the language R"),
        pytest.param(file(metadata={"kernelspec": {"language": "julia"}}), "PP105", "julia", id="a Julia kernel"),
        pytest.param(file(metadata={"kernelspec": {"name": "julia-1.9"}}), "PP105", "julia", id="a kernel known by name"),
        pytest.param(
            json.dumps({"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": "1", "language": "ruby"}]}]}).encode(),
            "PP105",
            "ruby",
            id="format 3 with Ruby cells",
        ),
    ],
)  # fmt: skip
def test_an_unusable_file_is_explained(raw, expected, words):
    result, found = read(raw, "trip.ipynb")
    assert result is None
    assert codes_of(found) == [expected]
    assert words in found[0].message
    assert "trip.ipynb" in found[0].message
    assert found[0].help


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        pytest.param(5, "PP110", id="a number"),
        pytest.param({"cell_type": "heading2", "source": ""}, "PP110", id="an unknown type"),
        pytest.param({"cell_type": ["code"], "source": ""}, "PP110", id="a type that is a list"),
        pytest.param({"cell_type": "code", "source": 5}, "PP110", id="a source that is a number"),
        pytest.param(
            {"cell_type": "code", "source": ["a", 5]}, "PP110", id="a source with a number"
        ),
    ],
)
def test_an_odd_cell_is_left_out_and_the_rest_is_read(cell, expected):
    result, found = read(file([cell, code("1")]), "a.ipynb")
    assert [c.index for c in result.cells] == [1]
    assert codes_of(found) == [expected]
    assert found[0].span.cell == 0


def test_half_a_character_is_replaced_and_reported():
    raw = file(
        [code("x = '\ud83d'", metadata={"tags": ["\ud83d"], "pipulate": {"step": "\ud83d"}})]
    )
    result, found = read(raw, "a.ipynb")
    assert result.cells[0].source == "x = '?'"
    assert (result.cells[0].tags, result.cells[0].options) == (("?",), {"step": "?"})
    assert codes_of(found) == ["PP112"]


@pytest.mark.parametrize("value", [5, "x", ["a"]])
def test_metadata_that_is_no_object_is_reported(value):
    result, found = read(
        file([code("1", metadata={"pipulate": value})], metadata={"pipulate": value}), "a"
    )
    assert (result.options, result.cells[0].options) == ({}, None)
    assert codes_of(found) == ["PP121", "PP121"]


def test_metadata_nested_without_end_is_reported():
    deep = "[" * 900 + "]" * 900
    raw = file([code("1", metadata={"pipulate": {"step": "DEEP"}})]).replace(
        b'"DEEP"', deep.encode()
    )
    result, found = read(raw, "a")
    assert result is not None
    assert set(codes_of(found)) <= {"PP121"}


def test_opening_what_is_not_there_is_the_users_error(tmp_path):
    (tmp_path / "a.ipynb").write_bytes(b"x")
    assert open_notebook(tmp_path / "a.ipynb") == b"x"
    for path in (tmp_path, tmp_path / "none.ipynb", tmp_path / "nul\0"):
        with pytest.raises(UserError) as error:
            open_notebook(path)
        assert error.value.diagnostic.rule.code == "PP109"
        assert error.value.exit_code == 2


# --- any bytes ----------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["code", "markdown", "heading"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["cell_type", "source", "input", "metadata", "tags", "pipulate", "id", "attachments", "level", "cells", "name", "language"]),
        inner,
        max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@given(st.binary(max_size=60))
@example(b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "\\ud800"}]}')
def test_never_raises_on_bytes(raw):
    result, found = read(raw, "a.ipynb")
    assert (result is not None) or found


@given(
    st.sampled_from([2, 3, 4]),
    st.lists(JSON, max_size=4),
    st.dictionaries(st.sampled_from(["kernelspec", "language_info", "pipulate"]), JSON),
)
def test_never_raises_on_trees_and_ids_are_unique(version, cells, metadata):
    cells = [*cells, {"cell_type": "code", "source": "1", "input": "1"}]
    tree = {
        "nbformat": version,
        "cells": cells,
        "worksheets": [{"cells": cells}],
        "metadata": metadata,
    }
    raw = json.dumps(tree).encode()
    result, found = read(raw, "a.ipynb")
    assert read(raw, "a.ipynb") == (result, found)
    for diagnostic in found:
        diagnostic.message.encode()
    if result:
        assert len({c.id for c in result.cells}) == len(result.cells)


@given(
    st.lists(st.text(max_size=5), min_size=1, max_size=6), st.text(max_size=5), st.integers(0, 6)
)
def test_an_inserted_cell_changes_no_other_id(sources, new, at):
    sources = [s for s in sources if s != new]
    before = ids("keep", *sources)
    after = ids("keep", *sources[:at], new, *sources[at:]) if new != "keep" else before
    assert [i for i in after if i in before] == before


def test_the_helper_reads_percent_format():
    cells = notebook('x\n# %% [markdown] {"tags": ["a"]}\ny\n# %% id=z\nz').cells
    assert [(c.kind, c.source, c.tags) for c in cells] == [
        ("code", "x", ()),
        ("markdown", "y", ("a",)),
        ("code", "z", ()),
    ]
    assert cells[2].id == "z"
