"""Reports undefined names, edits and cells kept as text: rules PP202 to PP207."""

import ast
from difflib import get_close_matches

from transpiler.dataflow.cell import CodeCell, Namespace
from transpiler.dataflow.flow import Flow
from transpiler.model import rules
from transpiler.model.diagnostics import Diagnostic
from transpiler.python import libraries, magic_calls
from transpiler.python.scope import walk_all

_TRANSFORMERS = (
    "ast_transformers", "input_transformers_post", "input_transformers_cleanup",
)  # fmt: skip


def shell_setting(cell: CodeCell) -> tuple[ast.AST, str] | None:
    """Return where a cell makes IPython show or run more than a function can say."""
    if not any(word in cell.source.text for word in ("interactivity", "_transformers")):
        return None
    for node in walk_all(cell.body):
        match node:
            case ast.Assign(
                targets=[ast.Attribute(attr="ast_node_interactivity" as name)], value=value
            ):
                plain = isinstance(value, ast.Constant) and value.value == "last_expr"
            case ast.Call() if (magic := magic_calls.magic_of(node)) and magic.name == "config":
                name = "ast_node_interactivity"
                plain = name not in magic.line or magic.line.rstrip("'\" ").endswith("last_expr")
            case ast.Attribute(attr=name):
                plain = name not in _TRANSFORMERS
            case _:
                continue
        if not plain:
            return node, name
    return None


def report_text_cells(cell: CodeCell, namespace: Namespace) -> list[Diagnostic]:
    """Report edits, why a cell is kept as text, and settings that keep the cells after it as text."""
    found = []
    text = cell.source.text
    for edit in cell.form.edits:
        old, new = " ".join(text[slice(*edit.slice)].split()), edit.text.strip()
        if not old:
            change = f"`{new.lstrip(', ')}` is added"
        elif not new:
            change = f"`{old}` is left out"
        else:
            change = f"`{old}` becomes `{new}`"
        place = cell.source.span_of(edit.slice)
        found.append(rules.EDITED.at(place, change=change, reason=edit.reason))
    if cell.form.reason is not None and cell.form.where is not None:
        found.append(
            rules.KEPT_AS_TEXT.at(cell.source.span(cell.form.where), reason=cell.form.reason)
        )
    setting = shell_setting(cell)
    if setting is not None:
        namespace.text_reason = f"a cell above sets `{setting[1]}`"
        found.append(rules.SHOWS_MORE.at(cell.source.span(setting[0]), setting=setting[1]))
    return found


# --- undefined names --------------------------------------------------------------------------------------------------


def report_undefined_names(
    cell: CodeCell, flow: Flow, namespace: Namespace, later: dict[str, int]
) -> list[Diagnostic]:
    """Report names that nothing before the cell binds, unless something may that cannot be known."""
    if namespace.open or flow.star or flow.dynamic or cell.code.options.raises:
        return []
    found = []
    known = {*cell.bindings.binds, *flow.binds, *flow.writes, *flow.guarded, *namespace.bound}
    for name, node in {**flow.indirect, **flow.reads}.items():
        if name in known or name in libraries.BUILTINS or libraries.is_given(name):
            continue
        span = cell.source.span(node)
        if name in flow.reads and name in namespace.deleted:
            found.append(rules.DELETED.at(span, name=name, deletion=namespace.deleted[name]))
        elif name in flow.reads and later.get(name, -1) > cell.code.cell.index:
            found.append(rules.USED_BEFORE.at(span, name=name, definition=later[name]))
        elif name not in later:
            near = get_close_matches(name, [*namespace.bound, *libraries.BUILTINS], 1, 0.75)
            hint = f"; did you mean `{near[0]}`?" if near else ""
            found.append(rules.UNDEFINED.at(span, name=name, hint=hint))
    return found
