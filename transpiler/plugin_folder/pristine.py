"""Whether a plugin is still as it was ported. Imports nothing heavy: an unchanged notebook is found out by this alone."""

import hashlib
import re

_HEADER = re.compile(
    r"^# port: id=(?P<id>[0-9a-f]+) notebook=(?P<notebook>.*) base=(?P<base>[0-9a-f]+)$",
    re.MULTILINE,
)


def digest(text: str) -> str:
    """Return a short hash of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def origin(text: str) -> dict[str, str] | None:
    """Return `id`, `notebook` and `base` of a plugin's header line, or None when it has none."""
    found = _HEADER.search(text)
    return found.groupdict() if found else None


def is_pristine(text: str) -> bool:
    """Whether the text is what was once emitted: the hash in its header line is that of the rest."""
    found = _HEADER.search(text)
    return (
        found is not None and digest(text[: found.start()] + text[found.end() :]) == found["base"]
    )
