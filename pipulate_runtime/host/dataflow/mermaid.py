"""A data flow as a Mermaid flowchart, for Markdown that shows such: GitHub, GitLab, JupyterLab."""

import re

from pipulate_runtime.host.base.flow import Flow
from pipulate_runtime.host.dataflow.svg import printable

# What means something in a quoted label: quotes, HTML, backticks (Markdown), and # with which entities begin
_SPECIAL = re.compile(r'["#;&<>`\\]')


def mermaid(flow: Flow) -> str:
    """Return the flowchart. Steps next to each other without an edge are tied invisibly, so that the order stays."""
    ids = [
        # A word of Mermaid ("end") must not be an id
        node.id if re.fullmatch(r"step_\w+", node.id, re.ASCII) else f"node_{number}"
        for number, node in enumerate(flow.nodes, 1)
    ]
    lines = ["flowchart TD"]
    for number, (name, node) in enumerate(zip(ids, flow.nodes, strict=True), 1):
        # Not "1. ...": a label that begins so is taken for a Markdown list
        label = f"{number} · {_label(node.title)}"
        if node.asks:
            label += f"<br>asks for {_label(', '.join(node.asks))}"
        lines.append(f'    {name}["{label}"]')
    tied = {(edge.source, edge.target) for edge in flow.drawn}
    for source in range(len(ids) - 1):
        if (source, source + 1) not in tied:
            lines.append(f"    {ids[source]} ~~~ {ids[source + 1]}")
    for edge in flow.drawn:
        names = _label(", ".join(edge.names))
        lines.append(f'    {ids[edge.source]} -->|"{names}"| {ids[edge.target]}')
    return "\n".join(lines) + "\n"


def _label(text: str) -> str:
    """Text as it stands in a quoted label."""
    return _SPECIAL.sub(lambda m: f"#{ord(m[0])};", printable(text))
