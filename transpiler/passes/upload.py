"""`FileUpload` as a field: what it asks for, and what the widget holds after an answer."""

import ast
from collections.abc import Mapping
from typing import Any

from transpiler.ir import ANSWER, JSON
from transpiler.passes.cannot import Cannot
from transpiler.passes.toolkit import Toolkit


def asked(nodes: Mapping[str, ast.expr], given: Mapping[str, Any]) -> dict[str, JSON]:
    """Return the attributes of the field. Raises Cannot."""
    if "value" in nodes:
        raise Cannot("it begins with files of its own")
    several = given.get("multiple", False)
    if not isinstance(several, bool):
        raise Cannot("whether it takes several files is computed")
    found: dict[str, JSON] = {"type": "files" if several else "file", "required": False}
    found["default"] = [] if several else None
    accept = given.get("accept", "")
    endings = (
        [part.strip().lower() for part in accept.split(",")] if isinstance(accept, str) else []
    )
    if endings and all(part.startswith(".") for part in endings):
        found["accept"] = list(endings)  # kinds of files ("image/*") only a browser can tell
    return found


def value(several: bool, toolkit: Toolkit) -> str:
    """Return code for what the widget holds, made of the paths that the form gives: as if they were uploaded there."""
    bunch, guess = toolkit.named("traitlets.Bunch"), toolkit.named("mimetypes.guess_type")
    moment, zone = toolkit.named("datetime.datetime"), toolkit.named("datetime.timezone")
    path = toolkit.named("pathlib.Path")
    paths = ANSWER if several else f"filter(None, [{ANSWER}])"
    return (
        f'[{bunch}(name=path.name, type={guess}(path.name)[0] or "", size=path.stat().st_size, '
        f"last_modified={moment}.fromtimestamp(path.stat().st_mtime, {zone}.utc), "
        f"content=memoryview(path.read_bytes())) for path in map({path}, {paths})]"
    )
