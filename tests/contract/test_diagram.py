"""Mermaid flowcharts that plugins send: read, laid out, drawn; what is not understood stays a text."""

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from pipulate_runtime.host.upstream import flowchart

CHART = """graph TD
  %% a comment
  A[Start here] --> B{Is it <b>so</b>?}
  B -->|yes| C(Go on)
  B -- no --> D["Stop<br/>now"]
  C & D -.-> E((End)); E ==> A
  A --- E
"""


def drawn(text):
    svg = flowchart.draw(text)
    return BeautifulSoup(svg, "html.parser") if svg is not None else None


def test_nodes_links_and_labels():
    chart = flowchart.read(CHART)
    assert {name: node.text for name, node in chart.nodes.items()} == {
        "A": "Start here", "B": "Is it <b>so</b>?", "C": "Go on", "D": "Stop\nnow", "E": "End",
    }  # fmt: skip
    seen = [(link.source, link.target, link.label, link.arrow, link.dotted) for link in chart.links]
    assert seen == [
        ("A", "B", "", True, False),
        ("B", "C", "yes", True, False),
        ("B", "D", "no", True, False),
        ("C", "E", "", True, True),
        ("D", "E", "", True, True),
        ("E", "A", "", True, False),
        ("A", "E", "", False, False),
    ]


def test_the_picture_has_all_of_it_as_text():
    svg = drawn(CHART)
    texts = [text.get_text() for text in svg.find_all("text")]
    assert set(texts) == {
        "Start here", "Is it <b>so</b>?", "Go on", "Stop", "now", "End", "yes", "no",
    }  # fmt: skip
    assert svg.find("b") is None
    assert len(svg.find_all("path")) == 7
    assert len(svg.find_all("polygon")) == 6
    assert "Is it <b>so</b>? to Go on (yes)" in svg.find("svg")["aria-label"]


@pytest.mark.parametrize("kind", ["TD", "LR"])
def test_layers_follow_the_links_and_boxes_do_not_overlap(kind):
    chart = flowchart.read(CHART.replace("TD", kind))
    flowchart.place(chart)
    layer = {name: node.layer for name, node in chart.nodes.items() if node.text}
    assert layer == {"A": 0, "B": 1, "C": 2, "D": 2, "E": 3}
    assert apart([node for node in chart.nodes.values() if node.text])
    # a link over several layers has its own place in each, beside the boxes
    (long,) = [link for link in chart.links if (link.source, link.target) == ("A", "E")]
    assert [chart.nodes[name].layer for name in long.path] == [1, 2]


def apart(nodes):
    return all(
        abs(a.x - b.x) >= (a.width + b.width) / 2 or abs(a.y - b.y) >= (a.height + b.height) / 2
        for number, a in enumerate(nodes)
        for b in nodes[:number]
    )


@pytest.mark.parametrize(
    "text",
    ["", "pie title x", "sequenceDiagram\n A->>B: hi", "graph TD", "graph TD\n subgraph x\n A\n end",
     "graph TD\n A[open", "graph TD\n A --x B", "graph BT\n A-->B", "graph TD\n A-->",
     "graph TD\n" + "\n".join(f"N{n} --> N{n + 1}" for n in range(200))],
)  # fmt: skip
def test_what_is_not_understood_is_not_drawn(text):
    assert flowchart.draw(text) is None


names = st.sampled_from([f"N{n}" for n in range(8)])


@given(st.lists(st.tuples(names, names), min_size=1, max_size=20), st.sampled_from(["TD", "LR"]))
def test_any_graph_is_drawn_once_and_without_overlaps(links, kind):
    chart = flowchart.read(f"graph {kind}\n" + "\n".join(f"{a} --> {b}" for a, b in links))
    flowchart.place(chart)
    assert apart([node for node in chart.nodes.values() if node.text])
    svg = BeautifulSoup(flowchart.svg(chart), "html.parser")
    shown = {text.get_text() for text in svg.find_all("text")}
    assert shown == {name for link in links for name in link}
    assert "nan" not in str(svg)


@given(st.text(max_size=200))
def test_no_text_breaks_it(text):
    assert "<script" not in (flowchart.draw(f"graph TD\n{text}") or "")


def test_over_http(client):
    svg = client.post("/render/diagram", data={"text": "graph LR\n A --> B"})
    assert svg.text.startswith("<svg")
    assert client.post("/render/diagram", data={"text": "pie"}).status_code == 204
