"""How steps feed each other: worked out, read off a plugin's source, drawn."""

import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path
from textwrap import dedent, indent
from types import SimpleNamespace

import pytest
from rich.cells import cell_len

from pipulate_runtime.cells import Cells
from pipulate_runtime.host.base.flow import Edge, Node, Used, flow_of
from pipulate_runtime.host.base.markup import html
from pipulate_runtime.host.dataflow import svg
from pipulate_runtime.host.dataflow.mermaid import mermaid
from pipulate_runtime.host.dataflow.read_plugin import of_text, read_flow
from tests.cells.conftest import HEAD, Pip, _load

SVG = "{http://www.w3.org/2000/svg}"


def used(reads="", writes="", imports=""):
    return Used(tuple(reads.split()), tuple(writes.split()), tuple(imports.split()))


def flow(*steps, title="Trip"):
    """A flow of steps, each given as its cells."""
    return flow_of(
        title,
        [(Node(f"step_{n:02}", f"Title {n}"), cells) for n, cells in enumerate(steps, 1)],
    )


def said(made):
    """The edges as `1-3 a b`."""
    return [f"{e.source + 1}-{e.target + 1} {' '.join(e.names)}".strip() for e in made.edges]


# --- edges ---


def test_a_name_comes_from_the_last_step_that_binds_or_changes_it():
    made = flow(
        [used(writes="a b")],
        [used(reads="a", writes="a")],  # changed in place
        [used(reads="a b")],
        [used(writes="b")],
        [used(reads="b a")],
    )
    assert said(made) == ["1-2 a", "1-3 b", "2-3 a", "2-5 a", "4-5 b"]


def test_what_stays_in_a_step_or_comes_from_nowhere_is_no_edge():
    assert said(flow([used(writes="a"), used(reads="a print")], [used(reads="open")])) == []


def test_imports_are_told_but_not_drawn():
    made = flow([used(writes="pd df", imports="pd")], [used(reads="pd df")], [used(reads="pd")])
    assert made.edges == (Edge(0, 1, ("df",), ("pd",)), Edge(0, 2, (), ("pd",)))
    assert made.drawn == made.edges[:1]
    assert made.as_list()[1] == {"from": "step_01", "to": "step_03", "names": [], "imports": ["pd"]}


def test_a_name_that_was_imported_and_is_bound_again_is_drawn():
    made = flow([used(writes="x", imports="x")], [used(writes="x")], [used(reads="x")])
    assert made.drawn == (Edge(1, 2, ("x",)),)


# --- read off the source ---


@pytest.fixture
def read(tmp_path):
    def read(body, steps=3):
        path = tmp_path / "made.py"
        text = HEAD.replace("STEPS", str(steps)) + indent(dedent(body), "    ")
        path.write_text(text, encoding="utf-8")
        app = SimpleNamespace(route=lambda *_, **__: lambda function: function)
        return read_flow(_load(path).Made(app, Pip()))

    return read


CELLS = """
    @cell("a")
    def step_01_setup(form):
        global pd  # out: for the cells after
        import pandas as pd

    @cell("b")
    def step_01_cell(form):
        global sales  # out: for the cells after
        global rows  # stays in the notebook's namespace
        sales = {"a": form["first"], "b": form["second"]}
        rows = len(sales)

    @cell("c")
    def step_02_cell(form):
        global sales  # in and out: changed here
        global best  # out: for the cells after
        sales["c"] = 3
        best = max(sales)

    @cell("d")
    async def step_03_cell(answers):
        global best, sales, pd  # in: from the cells before
        print(answers["third"], best, sales, pd, rows)
    """


def test_the_global_lines_say_what_comes_in_and_goes_out(read):
    made = read(CELLS)
    assert said(made) == ["1-2 sales", "1-3 rows", "2-3 best sales"]
    assert made.edges[1].imports == ("pd",)
    assert [node.asks for node in made.nodes] == [("first", "second"), (), ("third",)]
    assert [node.id for node in made.nodes] == ["step_01", "step_02", "step_03"]


EDITS = {
    "a name more is read": ("print(answers", "print(limit, answers", "1-3 rows"),
    "a name is given away, without a word": (
        'best = max(sales)\n',
        'best = max(sales)\n        global rows\n        rows = 4\n',
        "2-3 best sales rows",
    ),
    "a name is not listed any more": (
        "global best, sales, pd  # in: from the cells before",
        "global best  # in",
        "2-3 best sales",
    ),
    "a name that only came in is changed": ("best = max(sales)", 'best = max(sales)\n        rows["x"] = 1', "2-3 best sales rows"),
    "a function of the cell reads it": (
        "print(answers",
        "def show():\n            return best\n        print(answers",
        "2-3 best sales",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_by_hand_shows(read, name):
    before, after, edge = EDITS[name]
    assert before in CELLS
    assert edge in said(read(CELLS.replace(before, after)))


def test_a_name_bound_before_it_is_read_does_not_come_in(read):
    made = read(
        """
        @cell("a")
        def step_01_cell(form):
            global i, total, both
            i = total = both = 1

        @cell("b")
        def step_02_cell(form):
            global i, total, both
            for i in range(3):
                print(i)
            total += 1
            both = both + 1
        """,
        steps=2,
    )
    assert said(made) == ["1-2 total both"]


@pytest.mark.parametrize(
    ("text", "reads", "writes"),
    [
        ("print(a)\nb = a + c", {"a", "c", "print"}, {"b"}),
        ("%matplotlib inline\nfor i in a:\n    !echo {i}\n", {"a"}, {"i"}),
        ("%%time\nb = a", {"a"}, {"b"}),
        ("files = !ls\nfiles.sort()", set(), {"files"}),
        ("sum?\nb = a", {"a"}, {"b"}),
        ("def f():\n    return a", {"a"}, {"f"}),
        ("x: int = a\nclass C(a.B): pass", {"a", "int"}, {"x", "C"}),
        ("b = [i for i in a]", {"a"}, {"b"}),
        ("df['x'] = a\nm.style.size = 3\nf(k)[0] = 1", {"df", "a", "m", "f", "k"}, {"df", "m"}),
    ],
)
def test_a_cell_kept_as_text_is_read_as_far_as_it_goes(text, reads, writes):
    found = of_text(text)
    assert set(found.reads) - {"i"} == reads
    assert set(found.writes) - {"__annotations__"} == writes | (set(found.writes) & {"i"})
    assert not found.unknown


def test_what_cannot_be_read_is_said(read):
    assert of_text("%%writefile a.py\nimport b") == Used()
    assert of_text("from math import *\nx = pi") == Used(("pi",), ("x",), unknown=True)
    assert of_text("%%bash\nls -l | wc") == Used(unknown=True)
    made = read(
        """
        step_01_cell = cell_text("a", "%%bash\\n", "ls")

        @cell("b")
        def step_02_cell(form):
            return 1
        """,
        steps=2,
    )
    assert [node.unknown for node in made.nodes] == [True, False]
    assert "not all its names can be known" in svg.svg_file(made)


def test_a_plugin_without_cells_or_source_has_no_flow(read, tmp_path):
    assert read_flow(SimpleNamespace()) is None
    plugin = SimpleNamespace(app=None, app_name="x", steps=())
    plugin.cells = SimpleNamespace(source=Cells.__new__(Cells))
    plugin.cells.source.text, plugin.cells.source.plugin_class = "def broken(", Pip
    assert read_flow(plugin) is None
    plugin.cells.source.text = "class Other: pass"
    assert read_flow(plugin) is None


# --- drawn ---


def hard(title):
    nodes = [(Node("step_01", title, ("a",)), [used(writes="a b")])]
    return flow_of(title, [*nodes, (Node("end", title), [used(reads="a b")])])


HARD = [
    '"Quotes" & <b>tags</b>',
    "1. a list",
    "# a heading",
    "`code`",
    "#35; %% {x} [y] (z) | \\",
    "数据分析" * 20,
    "no_space_" * 30,
    "\x1b[31mred\x00\ud800 \u202ebidi",
    "",
]


@pytest.mark.parametrize("title", HARD)
def test_any_title_makes_a_sound_picture(title):
    root = ElementTree.fromstring(svg.svg_file(hard(title)))
    assert root.attrib["viewBox"].split()[2] == root.attrib["width"]
    texts = [text.text or "" for text in root.iter(f"{SVG}text")]
    assert "from 1" in texts
    assert all(cell_len(text) <= 34 for text in texts)


@pytest.mark.parametrize("title", HARD)
def test_any_title_makes_a_sound_flowchart(title):
    lines = mermaid(hard(title)).splitlines()
    assert lines[0] == "flowchart TD"
    assert lines[-1] == '    step_01 -->|"a, b"| node_2'
    for line in lines[1:3]:
        label = re.fullmatch(r'    \w+\["(.*)"\]', line)[1]
        assert not re.search(r'["`<>\\]', label.replace("<br>asks for a", ""))


def test_steps_that_do_not_feed_each_other_stay_in_order():
    assert "    step_01 ~~~ step_02\n" in mermaid(flow([used(writes="a")], [], [used(reads="a")]))


def test_tracks_never_run_over_each_other():
    steps = [
        [used(" ".join(f"n{m}" for m in range(n) if m % 3 == n % 3), f"n{n}")] for n in range(40)
    ]
    made = flow(*steps)
    root = ElementTree.fromstring(svg.svg_file(made))
    runs = []
    for track in root.iter(f"{SVG}path"):
        if track.attrib.get("class") == "track":
            start = re.match(r"M281 (\d+)H(\d+)q5 0 5 5V(\d+)", track.attrib["d"])
            runs.append((int(start[2]), int(start[1]), int(start[3])))
    assert len(runs) == len({edge.source for edge in made.drawn})
    for lane in {x for x, _, _ in runs}:
        spans = sorted((a, b) for x, a, b in runs if x == lane)
        assert all(one[1] < two[0] for one, two in pairwise(spans))
    assert max(x for x, _, _ in runs) < float(root.attrib["width"])


def test_the_picture_says_itself_in_words():
    made = flow([used(writes="a b")], [used(reads="a")], [used(reads="b a")])
    root = ElementTree.fromstring(svg.svg_file(made))
    labels = [root.attrib[f"aria-{kind}"] for kind in ("labelledby", "describedby")]
    by_id = {node.attrib["id"]: node.text for node in root if "id" in node.attrib}
    assert by_id[labels[0]] == "Trip: how the steps feed each other"
    assert "Step 2, Title 2, takes a from step 1." in by_id[labels[1]]
    assert "Step 3, Title 3, takes b, a from step 1." in by_id[labels[1]]


def test_the_same_flow_is_the_same_picture():
    made = flow([used(writes="a")], [used(reads="a")])
    assert svg.svg_file(made) == svg.svg_file(made)
    assert "http" not in svg.svg_file(made).replace("http://www.w3.org/2000/svg", "")


def test_names_are_wrapped_and_cut():
    assert svg.wrapped("one two three", 8, 3) == ["one two", "three"]
    assert svg.wrapped("abcdefghij k", 4, 2) == ["abcd", "efg…"]
    assert svg.wrapped("数据分析", 5, 3) == ["数据", "分析"]
    assert svg.wrapped("", 5, 3) == [""]


# --- on the page ---


def test_the_page_of_a_workflow_shows_it(make_client):
    generated = Path(__file__).parents[2] / "generated"
    client = make_client(generated)
    page = client.get("/sales_report").text
    assert "How the steps feed each other" in page
    assert 'href="#step_02"' not in page, "there is no card to go to yet"
    started = client.post(
        "/sales_report/init", data={"pipeline_id": "a"}, headers={"HX-Request": "true"}
    ).text
    assert 'href="#step_02"' in started
    run_page = client.get("/sales_report?run=Default_Profile-sales_report-a").text
    assert 'href="#step_02"' in run_page
    assert html(svg.svg(read_flow(plugin_of(client, "sales_report")), page=True)) in page


def plugin_of(client, name):
    return client.app.state.loaded.by_app[name].instance


def test_a_workflow_without_cells_has_no_picture(client):
    page = client.get("/trip_planner").text
    assert "Start a new run" in page
    assert "How the steps feed" not in page
