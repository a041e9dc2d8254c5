"""All rules, sorted by code. Numbers are never used twice; each has a page in docs/diagnostics and a fixture.

PP1xx reading and annotations, PP2xx Python in cells, PP3xx planning, PP4xx writing and merging, PP9xx our bugs. (PP5xx is
the host's table, in pipulate_runtime/host/messages.py: the two sides do not import each other.)
"""

from transpiler.diagnostics import Rule, Severity

NOTICE, WARNING, ERROR = Severity

# --- PP1xx: reading and annotations -------------------------------------------------------------------------------
NOT_JSON = Rule(
    "PP101",
    "not-json",
    ERROR,
    "{name} is not a notebook: it is not JSON ({reason})",
    "Give a file that Jupyter saved, usually named *.ipynb; if it was one, restore it from a backup or a checkpoint.",
)


def all_rules() -> tuple[Rule, ...]:
    """Return every rule of this table, sorted by code."""
    return tuple(
        sorted((r for r in globals().values() if isinstance(r, Rule)), key=lambda r: r.code)
    )
