"""The page of `pipulate verify --html`: what each cell gave in the notebook and in the app, side by side.

One file that needs no other: pictures are in it. Nothing of the notebook is run or drawn by the browser but pictures; HTML is
shown as its source.
"""

import base64
import json
from html import escape
from typing import Any

from transpiler.verify.compare import Output, Outputs
from transpiler.verify.result import ComparedCell, Verified

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 90rem; padding: 0 1rem; }
section { border-top: 1px solid #8886; padding: .5rem 0; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
.sides > div, pre { min-width: 0; }
pre { overflow: auto; max-height: 30rem; background: #8881; padding: .5rem; margin: .3rem 0; }
img { max-width: 100%; background: white; }
small { opacity: .7; }
.same { color: #17803d; } .differs { color: #c81e1e; } .not { color: #96690a; }
@media (max-width: 45rem) { .sides { grid-template-columns: 1fr; } }
"""


def page(verified: Verified) -> str:
    title = escape(f"{verified.notebook} and its app")
    counts = ", ".join(f"{number} {kind}" for kind, number in verified.counts.items())
    summary = f"{len(verified.rows)} cells: {counts}. {verified.stopped}"
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{title}</h1>",
            f"<p>{escape(summary)}</p>",
            *map(_section, verified.rows),
            "</body></html>\n",
        )
    )


def _section(row: ComparedCell) -> str:
    """One cell: its verdict, its source, both sides."""
    kind = row.verdict.kind
    where = f"Cell {escape(row.name)} <small>{escape(row.step)}</small>"
    heading = f'{where} <span class="{kind}">{kind}</span>'
    difference = f"<p>{escape(row.verdict.difference)}</p>" if row.verdict.difference else ""
    sides = "".join(
        f"<div><h3>{name}</h3>{_shown(outputs)}</div>"
        for name, outputs in (("Notebook", row.notebook), ("App", row.app))
    )
    opened = "" if kind == "same" else " open"
    return (
        f'<section id="{escape(row.cell)}"><h2>{heading}</h2>{difference}'
        f"<details{opened}><summary>Code and outputs</summary><pre>{escape(row.source)}</pre>"
        f'<div class="sides">{sides}</div></details></section>'
    )


def _shown(outputs: Outputs) -> str:
    return "".join(map(_output, outputs)) or "<p><small>nothing</small></p>"


def _output(output: Output) -> str:
    kind = output["output_type"]
    if kind == "stream":
        return _text(output["name"], output["text"])
    if kind == "error":
        return _text("error", f"{output['ename']}: {output['evalue']}")
    return "".join(_representation(mime, value) for mime, value in sorted(output["data"].items()))


def _representation(mime: str, value: Any) -> str:
    if mime == "image/svg+xml":
        encoded = base64.b64encode(_joined(value).encode()).decode()
        return f'<img alt="{mime}" src="data:{mime};base64,{encoded}">'
    if mime in ("image/png", "image/jpeg", "image/gif", "image/webp"):
        return f'<img alt="{mime}" src="data:{mime};base64,{escape(_joined(value).strip())}">'
    if isinstance(value, str | list):
        return _text(mime, value)
    return _text(mime, json.dumps(value, indent=1, ensure_ascii=False))


def _text(label: str, text: Any) -> str:
    return f"<small>{escape(label)}</small><pre>{escape(_joined(text))}</pre>"


def _joined(text: Any) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text)
