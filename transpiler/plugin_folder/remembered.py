"""What the options said at the last port, for a port whose options say nothing of it. Reads; imports nothing heavy."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from transpiler.model.options import By, Options
from transpiler.plugin_folder.paths import is_same_notebook, matching, notebook_path


class Before(NamedTuple):
    """The fields that were chosen, and how cells were made steps."""

    fields: tuple[str, ...] = ()
    by: By = None


def with_remembered(options: Options, before: Before) -> tuple[Options, tuple[str, ...]]:
    """Return the options with what they leave to the last port, and the chosen fields."""
    fields = before.fields if options.fields is None else options.fields
    return replace(options, by=options.by or before.by), fields


def remembered(notebook: Path, out: Path) -> Before:
    """Return what was chosen at the last port of this notebook into this folder."""
    for path in matching(out, ".port/*/lock.json"):
        try:
            lock = json.loads(path.read_bytes())
            same = is_same_notebook(lock["notebook"], notebook_path(notebook, out), out)
            if same and (out / lock["output"]).is_file():
                return chosen_in(lock)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return Before()


def chosen_in(lock: dict[str, Any]) -> Before:
    """Return the options that a lock keeps. Raises AttributeError or TypeError when it is spoilt."""
    options = lock.get("options", {})
    by: By = options["by"] if options.get("by") in ("cell", "heading") else None
    return Before(tuple(map(str, options.get("fields", ()))), by)
