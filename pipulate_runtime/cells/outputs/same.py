"""Whether a cell that ran again shows the same as before: ids and addresses that are new each time do not count."""

import json
import re
from collections.abc import Sequence
from typing import Any

from pipulate_runtime.cells.outputs.collect import Output
from pipulate_runtime.cells.outputs.widgets import VIEW

_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")
_UUID = re.compile(r"\b[0-9a-f]{8}(-?)(?:[0-9a-f]{4}\1){3}[0-9a-f]{12}\b")
_ID = re.compile(r"""\b(?:id|href|data-root-id)=\\?["']#?([\w.:-]{5,}?)\\?["']""")
_DATE = re.compile(r"<dc:date>[^<]*</dc:date>")
_DRAWN = ("text/html", "image/svg+xml", VIEW)
"""Mime types that hold ids nobody sees."""


def same(before: Sequence[Output], after: Sequence[Output]) -> bool:
    """Return whether two lists of nbformat outputs look the same on a page."""
    return len(before) == len(after) and all(
        one == other or _seen(one) == _seen(other) for one, other in zip(before, after, strict=True)
    )


def _seen(output: Output) -> Any:
    """Return what is seen of an output."""
    kept: dict[str, Any] = {k: v for k, v in output.items() if k != "execution_count"}
    if "data" in kept:
        kept["data"] = {mime: _visible(mime, value) for mime, value in kept["data"].items()}
    return _ADDRESS.sub("0x", json.dumps(kept, sort_keys=True))


def _visible(mime: str, value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    if mime in _DRAWN or mime.endswith("json") or "javascript" in mime:
        for number, name in enumerate(dict.fromkeys(_ID.findall(text))):
            text = text.replace(name, f"id{number}")
        return _UUID.sub("", _DATE.sub("", text))
    return text
