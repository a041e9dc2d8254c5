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

# --- PP2xx: Python in cells ---------------------------------------------------------------------------------------
EDITED = Rule(
    "PP202",
    "edited",
    NOTICE,
    "{change}, since {reason}",
    "Nothing to do: the app computes the same. To have the cell unchanged, write it so in the notebook.",
)
KEPT_AS_TEXT = Rule(
    "PP203",
    "kept-as-text",
    NOTICE,
    "this cell is kept as text, not as a function: {reason}",
    "Nothing to do: the cell runs as it stands. To read it as code in the plugin, write it another way in the notebook.",
)
UNDEFINED = Rule(
    "PP204",
    "undefined-name",
    WARNING,
    "`{name}` is not defined by this cell or one above{hint}",
    "The app starts with an empty namespace: correct the name, or add the cell that defines it.",
)
USED_BEFORE = Rule(
    "PP205",
    "used-before-definition",
    WARNING,
    "`{name}` is used here, but only cell {definition} below defines it",
    "The app runs cells from top to bottom: move the cell that defines it above this one.",
)
DELETED = Rule(
    "PP206",
    "deleted-name",
    WARNING,
    "`{name}` is used here, but cell {deletion} above deletes it",
    "The app runs cells from top to bottom: use it before it is deleted, or leave out the `del`.",
)
SHOWS_MORE = Rule(
    "PP207",
    "interactivity",
    NOTICE,
    "this cell sets `{setting}`, so the cells after it are kept as text",
    "A function shows one value. To have functions, use `display(...)` where a cell shows more than its last value.",
)
NOT_ANALYSED = Rule(
    "PP208",
    "not-analysed",
    NOTICE,
    "this cell is nested too deeply to be analysed",
    "It is kept as text and runs as it stands. Split the long expression to have it analysed.",
)


def all_rules() -> tuple[Rule, ...]:
    """Return every rule of this table, sorted by code."""
    return tuple(
        sorted((r for r in globals().values() if isinstance(r, Rule)), key=lambda r: r.code)
    )
