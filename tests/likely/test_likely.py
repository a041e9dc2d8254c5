"""What `likely_inputs` finds: measured on labelled notebooks, and its rules one by one."""

import json

import pytest

from tests.build import analysed, code, md
from tests.helpers import annotated
from tests.likely.labelled import ALL, HELD_OUT, TUNING, Labelled
from transpiler.passes.analyse import analyse
from transpiler.suggest.inputs import AT_MOST, LISTED, SIGNS, Likely, all_candidates, likely_inputs


def found_in(*cells: object) -> dict[str, Likely]:
    analysis, _ = analysed(*cells)  # type: ignore[arg-type]
    return {one.name: one for one in likely_inputs(analysis)}


# --- measured ---------------------------------------------------------------------------------------------------------


def inputs_of(notebook: Labelled) -> tuple[Likely, ...]:
    return likely_inputs(analyse(annotated(notebook.text)[0])[0])


def rates(notebooks: tuple[Labelled, ...], auto: bool) -> tuple[float, float]:
    """Precision and recall over all names of all notebooks."""
    right = given = wanted = 0
    for notebook in notebooks:
        names = {one.name for one in inputs_of(notebook) if one.auto or not auto}
        right += len(names & notebook.wanted)
        given += len(names)
        wanted += len(notebook.wanted)
    return right / given, right / wanted


def at_top(notebooks: tuple[Labelled, ...]) -> float:
    """The share of wanted names among the first k, where k is how many are wanted: what the order is worth."""
    right = wanted = 0
    for notebook in notebooks:
        first = [one.name for one in inputs_of(notebook)][: len(notebook.wanted)]
        right += len(notebook.wanted.intersection(first))
        wanted += len(notebook.wanted)
    return right / wanted


def test_there_are_enough_notebooks_and_their_labels_are_assignments_in_them() -> None:
    assert len(ALL) >= 40
    assert len(TUNING) == len(HELD_OUT)
    assert len({notebook.name for notebook in ALL}) == len(ALL)
    for notebook in ALL:
        for name in notebook.wanted:
            assert f"\n{name} = " in f"\n{notebook.text}", (notebook.name, name)


@pytest.mark.parametrize("half", [TUNING, HELD_OUT], ids=["tuning", "held-out"])
def test_what_is_measured_does_not_get_worse(half: tuple[Labelled, ...]) -> None:
    """Measured: see ADR 0031. The bounds are a little below, so that a rule may change its mind about one name."""
    precision, recall = rates(half, auto=True)
    assert precision >= 0.95
    assert recall >= 0.88
    precision, recall = rates(half, auto=False)
    assert precision >= 0.92
    assert recall >= 0.94
    assert at_top(half) >= 0.92


def test_no_notebook_gets_many_that_nobody_wants() -> None:
    for notebook in ALL:
        names = {one.name for one in inputs_of(notebook)}
        assert len(names - notebook.wanted) <= 1, (notebook.name, names - notebook.wanted)


# --- the rules --------------------------------------------------------------------------------------------------------


def test_the_best_come_first_and_say_why() -> None:
    found = found_in("LIMIT = 5  # rows\nthing = 7", "print(LIMIT, thing)")
    assert list(found) == ["LIMIT", "thing"]
    assert found["LIMIT"].reasons == (
        "later cells read it",
        "a name for something people decide",
        "it stands among other settings",
    )
    assert found["LIMIT"].help == "rows"
    assert (found["LIMIT"].cell, found["LIMIT"].span.line) == (0, 1)


def test_at_most_a_dozen() -> None:
    cell = "\n".join(f"LIMIT_{i} = {i + 1}" for i in range(40))
    names = ", ".join(f"LIMIT_{i}" for i in range(40))
    analysis, _ = analysed(cell, f"print({names})")
    assert len(all_candidates(analysis)) == 40
    assert len(likely_inputs(analysis)) == AT_MOST == 12


@pytest.mark.parametrize(
    "cells",
    [
        ("limit = 5",),  # nothing reads it
        ("limit = 5", "limit = 6\nprint(limit)"),
        ("limit = 0\nfor n in [1, 2]:\n    limit += n", "limit"),
        ("limits = []\nlimits.append(4)", "limits"),
        ("def f():\n    limit = 5\n    return limit", "f()"),
        ("if True:\n    limit = 5", "limit"),
        ("a, limit = 5, 6", "limit"),
        ("limit = len('abc')", "limit"),
        ("limit = 5 #@param", "limit"),  # a field already
        ("#| input: limit\nlimit = 5", "limit"),
        (code("limit = 5", tags=["parameters"]), "limit"),
        ("%%time\nlimit = 5", "limit"),
        ("from math import *\nlimit = 5", "limit"),  # kept as text: it cannot have fields
        ("SEED = 3", "SEED"),
        ("_limit = 3", "_limit"),
        ("SPEED_OF_LIGHT = 299792458", "SPEED_OF_LIGHT"),
        ("figsize = [8, 4]", "figsize"),
        ("point = (8, 4)", "point"),  # no field gives a tuple
        ("size = float('inf')", "size"),
    ],
)
def test_what_is_no_input(cells: tuple[object, ...]) -> None:
    assert found_in(*cells) == {}


@pytest.mark.parametrize(
    ("cell", "type_", "attributes"),
    [
        ("START = '2024-05-31'", "date", {"type": "date"}),
        ("START = '2024-05-31T12:30'", "datetime", {"type": "datetime"}),
        ("START = '2024-02-31'", "text", {}),  # there is no such day
        ("START = '31.05.2024'", "text", {}),
        ("LINK_COLOUR = '#ff8800'", "color", {"type": "color"}),
        ("DROPOUT = 0.2", "number", {"min": 0, "max": 1}),
        ("DROPOUT = 2.5", "number", {}),
        ("EPOCHS = 3", "integer", {"min": 1}),
        ("CUT_PERCENT = 30", "integer", {"min": 0, "max": 100}),
        ("CUT_PERCENT = 130", "integer", {}),
        ("VERBOSE = True", "switch", {}),
        ("CITIES = ['Rome', 'Oslo']", "json", {}),
        ("TEXT = 'a\\nb'", "textarea", {}),
        ("MODE = 'a'  # a, b or c", "select", {"choices": ["a", "b", "c"]}),
        ("MODE = 'a'  # one of: 'a' | 'b'", "select", {"choices": ["a", "b"]}),
        ("MODE = 'a'  # the way, as before", "text", {}),
    ],
)
def test_the_field_it_would_be(cell: str, type_: str, attributes: dict[str, object]) -> None:
    name = cell.partition(" ")[0]
    one = found_in(cell, f"print({name})")[name]
    assert one.type == type_
    assert one.attributes == attributes


def test_choices_come_from_comparisons_only_if_the_present_one_is_among_them() -> None:
    chain = "if MODE == 'fast':\n    1\nelif MODE in ('slow', 'exact'):\n    2"
    assert found_in("MODE = 'fast'", chain)["MODE"].attributes == {
        "choices": ["fast", "slow", "exact"]
    }
    assert found_in("CITY = 'Rome'", "if CITY == 'Oslo':\n    1")["CITY"].attributes == {}
    assert found_in("URL = 'http://a.b'", "'x' in URL, URL == 'http://a.b'")["URL"].type == "text"


def test_a_heading_or_a_comment_above_that_speaks_of_parameters() -> None:
    plain = found_in("zz = 3", "zz + 1")["zz"].score
    heading = found_in(md("## Settings"), "zz = 3", "zz + 1")["zz"].score
    comment = found_in("# Change these\nzz = 3", "zz + 1")["zz"].score
    other = found_in(md("## Settings"), md("## Work"), "zz = 3", "zz + 1")["zz"].score
    assert heading == comment == plain + SIGNS["section"].weight
    assert other == plain


def test_a_name_in_the_text_of_a_query_is_read() -> None:
    assert "LIMIT" in found_in("LIMIT = 5", "df = 1", "df.query('a > @LIMIT')")
    assert found_in("LIMIT = 5", "'me@LIMIT.org'") == {}


SECRETS = [
    "API_KEY = 'abcdef'",
    "password = 'hunter2!'",
    "client_secret = 'abc'",
    "model = 'sk-aaaabbbbccccddddeeee1111'",
    "DB_URL = 'postgresql://me:hunter2@host/db'",
    "thing = 'A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6'",
]


@pytest.mark.parametrize("cell", SECRETS)
def test_a_secret_is_an_input_and_its_value_is_never_told(cell: str) -> None:
    name, _, value = cell.partition(" = ")
    one = found_in(cell, f"print({name})")[name]
    assert one.secret
    assert one.type == "password"
    assert value.strip("'") not in repr(one)
    assert value.strip("'") not in json.dumps(one.as_dict())


def test_a_key_is_asked_for_already() -> None:
    """Its shape alone says what it is (PP140): it is a field before anybody asks what looks like one."""
    assert found_in("github = 'ghp_0123456789abcdefghijABCDEFGHIJ012345'", "print(github)") == {}


@pytest.mark.parametrize(
    "cell",
    ["MAX_TOKENS = 100", "TOKEN_FILE = 'token.txt'", "TOKEN_URL = 'https://a.b/c'", "key = 'name'"],
)
def test_what_is_no_secret(cell: str) -> None:
    name = cell.partition(" ")[0]
    analysis, _ = analysed(cell, f"print({name})")
    (one,) = all_candidates(analysis)
    assert not one.secret


def test_a_mapping_with_a_secret_does_not_show_it() -> None:
    analysis, _ = analysed("login = {'user': 'me', 'password': 'hunter2'}", "print(login)")
    (one,) = all_candidates(analysis)
    assert "hunter2" not in repr(one)


def test_what_is_below_the_cut_is_not_listed() -> None:
    analysis, _ = analysed("x = 5", "x + 1")
    (one,) = all_candidates(analysis)
    assert one.score < LISTED
    assert likely_inputs(analysis) == ()
