"""Choices, labels and help texts of a field that earlier cells compute.

    #| input: {name: town, label: "Where in {country}?", choices: sorted(towns)}

Choices are the text of an expression; a label and a help are texts with expressions in braces, as in an f-string. All of them
stand in the plugin's function that computes the form's values (`planning/prefill.py`).
"""

import ast
import builtins
from collections.abc import Mapping

from transpiler.model.ir import JSON

TEXTS = ("label", "help")


def is_expression(text: str) -> bool:
    """Whether a text is a Python expression that can stand in a function: it binds nothing and awaits nothing."""
    tree = _parsed(text)
    special = (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)
    return tree is not None and not any(isinstance(node, special) for node in ast.walk(tree))


def parts_of(attributes: Mapping[str, JSON]) -> dict[str, str]:
    """Return what `#| input:` says is to be computed: `choices`, `label` or `help` -> the text of an expression."""
    parts = {}
    choices = attributes.get("choices")
    if isinstance(choices, str):
        parts["choices"] = f"list({choices.strip()})"
    for key in TEXTS:
        if filled := _as_fstring(attributes.get(key)):
            parts[key] = filled
    return parts


def names(expression: str) -> tuple[str, ...]:
    """Return the names that an expression needs, builtins left out, in order of first use."""
    tree = ast.parse(expression, mode="eval")
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    own = {node.id for node in found if isinstance(node.ctx, ast.Store)}
    own |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    needed = dict.fromkeys(node.id for node in found)
    return tuple(name for name in needed if name not in own and not hasattr(builtins, name))


def _as_fstring(text: JSON) -> str:
    """The f-string of a text with expressions in braces; empty for a text without."""
    if not isinstance(text, str) or "{" not in text:
        return ""
    written = f"f{text!r}"
    tree = _parsed(written) if is_expression(written) else None
    if not isinstance(tree, ast.JoinedStr):
        return ""
    # What stands between the braces may be written in one way only: as it is in the notebook
    inside = [part for part in tree.values if isinstance(part, ast.FormattedValue)]
    return written if inside and "\\" not in written else ""


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
