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

# --- PP3xx: planning ----------------------------------------------------------------------------------------------
RESERVED_APP_NAME = Rule(
    "PP301",
    "reserved-app-name",
    ERROR,
    "the app would be called {name}, which is an address that every Pipulate server answers itself",
    'Rename the notebook, or set another name in its metadata: {{"pipulate": {{"app_name": "my_{name}"}}}}.',
)
BAD_PIN = Rule(
    "PP302",
    "bad-pin",
    WARNING,
    "this cell cannot be pinned to {pin}: {reason}",
    "Pin it to an id of its own, written like step_03; until then it gets the next free one.",
)
FIELD_IN_TEXT_CELL = Rule(
    "PP303",
    "field-in-text-cell",
    WARNING,
    "{name} is not asked for: this cell is kept as text ({reason}), and a field needs a function",
    "Move the assignment of {name} to a cell of its own above this one.",
)
NOTHING_TO_JOIN = Rule(
    "PP304",
    "nothing-to-join",
    NOTICE,
    "`join: true` on the first step: there is no step above it",
    "Remove the option, or move the cell.",
)
FILE_NOT_FOUND = Rule(
    "PP305",
    "file-not-found",
    WARNING,
    "the notebook reads {path}, which is not there beside it",
    "Put the file where the notebook looks for it and port again: it will travel with the plugin.",
)
RESERVED_FIELD = Rule(
    "PP306",
    "reserved-field",
    WARNING,
    "{name} is not asked for: the page needs that name for itself",
    "Use another name for the variable, for example my_{name}.",
)
FILE_OUTSIDE = Rule(
    "PP307",
    "file-outside",
    WARNING,
    "the notebook reads {path}, which lies outside its folder and does not travel with the plugin",
    "Put the file beside the notebook and read it from there; a run of the app works in a folder of its own.",
)

# --- PP4xx: writing and merging -----------------------------------------------------------------------------------
NOTEBOOK_UNREADABLE = Rule(
    "PP401",
    "notebook-unreadable",
    ERROR,
    "cannot read {path}: {reason}",
    "Give the path of a notebook file that you may read.",
)
OUTPUT_UNWRITABLE = Rule(
    "PP402",
    "output-unwritable",
    ERROR,
    "cannot write to {path}: {reason}",
    "Choose another folder with -o, or make this one writable. Nothing was changed.",
)
EDITED_BY_HAND = Rule(
    "PP403",
    "edited-by-hand",
    ERROR,
    "{path} was edited by hand since it was ported, and taking in the notebook's changes beside your edits is not built yet",
    "Nothing was written. Port into another folder with -o and compare the two files, or move your file away first.",
)
NOT_OURS = Rule(
    "PP404",
    "not-ours",
    ERROR,
    "{path} is there already and was not made from this notebook",
    'Nothing was written. Choose another folder with -o, or another name: {{"pipulate": {{"app_name": "..."}}}} in the metadata.',
)
SLUG_CLASH = Rule(
    "PP405",
    "slug-clash",
    ERROR,
    "{path} is a plugin of the same name: of two plugins called {name}, a server shows only one",
    "Nothing was written. Choose another folder with -o, or another app_name in the notebook's metadata.",
)
BUNDLED_FILE_KEPT = Rule(
    "PP406",
    "bundled-file-kept",
    NOTICE,
    "{path} was changed beside the plugin since it was copied; your version stays",
    "Delete it and port again to get the notebook's version.",
)
BAD_OPTION = Rule(
    "PP407",
    "bad-option",
    ERROR,
    "{option} cannot be {value}: {reason}",
    "See `pipulate port --help`.",
)

# --- PP9xx: our bugs ----------------------------------------------------------------------------------------------
INTERNAL = Rule(
    "PP901",
    "internal-error",
    ERROR,
    "this is a bug of ours, not of your notebook: {reason}",
    "Nothing was written. Please report it with the traceback below, and with the notebook if you may share it.",
)


def all_rules() -> tuple[Rule, ...]:
    """Return every rule of this table, sorted by code."""
    return tuple(
        sorted((r for r in globals().values() if isinstance(r, Rule)), key=lambda r: r.code)
    )
