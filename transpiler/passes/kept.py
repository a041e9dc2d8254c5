"""What is kept of a port as `lock.json`. `earlier` reads it."""

import json

from transpiler import __version__
from transpiler.ir import Plan
from transpiler.passes.earlier import SCHEMA, conflicts_as_data
from transpiler.passes.paths import sha
from transpiler.passes.regenerated import Regenerated
from transpiler.passes.target import Place, text_of
from transpiler.pristine import origin


def lock_text(
    plan: Plan, made: Regenerated, where: Place, raw: bytes, files: dict[str, bytes]
) -> bytes:
    """Return the lock of a port, one thing a line and sorted, so that git merges it.

    `raw` is the notebook as it was read, `files` are those that travel with the plugin.
    """
    live = {step.id for step in plan.steps}
    gone = {*where.lock.retired, *(step.id for step in where.lock.steps)} - live
    made_from = origin(text_of(made.content)) or {}
    lock = {
        "schema": SCHEMA,
        "port_id": where.port_id,
        "notebook": where.notebook,
        "output": where.path.name,
        "generator": __version__,
        "notebook_sha": sha(raw),
        "written_sha": sha(made.content),
        "base_sha": sha(made.base.encode()),
        "header": made_from.get("base", ""),
        "files": {name: sha(content) for name, content in files.items()},
        "retired": sorted(gone),
        "pending": conflicts_as_data(made.conflicts),
        "steps": [
            {
                "id": step.id,
                "done": step.done,
                "show": step.title,
                "cells": [
                    {"id": c.cell, "function": c.function, "source": c.original} for c in step.cells
                ],
            }
            for step in plan.steps
        ],
    }
    if made.renames:
        lock["renames"] = dict(made.renames)
    options = {"fields": list(plan.chosen), "by": plan.by}
    if any(options.values()):
        lock["options"] = {name: value for name, value in options.items() if value}
    return (json.dumps(lock, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
