"""The widgets of a cell as fields: each one that is made once, and whose value something reads.

    size = widgets.IntSlider(value=3, max=10)    ->  size = widgets.IntSlider(value=form["size"], max=10)

The widget stays a real one that begins with the answer, so `.value`, links and what is printed of it are as in the notebook. One
that the cell observes begins as in the notebook, and is moved to the answer once it is observed, so that the notebook's function
is called as when a person moves it:

    size.observe(changed, names="value")         ->  the same, then  size.value = form["size"]

A button that the cell gives a function is pressed when the form is sent (`button.click()` at the end of the cell). What cannot be
asked for stays as it is, with a notice (PP222).
"""

import ast
from collections.abc import Mapping

from transpiler.model import rules
from transpiler.model.diagnostics import Diagnostic
from transpiler.model.ir import ANSWER, Edit, Slice
from transpiler.model.names import as_name
from transpiler.python.single_use import Once
from transpiler.widgets.constructor import Cannot, Made, Reader, WidgetCell, WidgetFields, drafts_of
from transpiler.widgets.table import (
    ABBREVIATED,
    CONTAINERS,
    INPUTS,
    UNANSWERABLE,
)


def widget_fields(cell: WidgetCell, found: WidgetFields) -> None:
    """Add the widgets of a cell, what observes them, and its button to `found`."""
    finder = _Finder(cell, found)
    finder.visit(cell.tree)
    _move_observed(cell, found, finder.made)
    _press_button(cell, found)


def report(cell: WidgetCell, found: WidgetFields, diagnostics: list[Diagnostic]) -> None:
    """Say what stays as it is, each reason once, and what is changed beside the fields."""
    said: set[str] = set()
    for node, what, why in found.left:
        if why not in said:
            span = cell.places.span(node)
            diagnostics.append(rules.WIDGET.at(span, widget=what, reason=why))
        said.add(why)
    for edit in found.edits:
        old = " ".join(cell.python.text[slice(*edit.slice)].split())
        new = " ".join(edit.text.split())
        change = f"`{old}` becomes `{new}`" if old and new else f"`{old}` is left out"
        change = change if old else f"`{new}` is added"
        place = cell.places.span_of(edit.slice)
        diagnostics.append(rules.EDITED.at(place, change=change, reason=edit.reason))


# --- the widgets of a cell ----------------------------------------------------------------------------------------------


class _Finder(Once):
    """Finds the calls that make widgets, and the variables and keys that these are made for."""

    def __init__(self, cell: WidgetCell, found: WidgetFields) -> None:
        super().__init__()
        self.made: dict[str, Made] = {}  # By the variable
        self._cell = cell
        self._found = found
        self._direct: dict[int, str] = {}
        self._key = ""
        self._shown = False

    def _becoming(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name) and value is not None:
            self._direct[id(value)] = target.id
        super()._becoming(target, value)

    def visit_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            before, self._key = self._key, str(getattr(key, "value", ""))
            self.visit(value)
            self._key = before

    def visit_keyword(self, node: ast.keyword) -> None:
        before, self._key = self._key, node.arg or ""
        self.visit(node.value)
        self._key = before

    def visit_Expr(self, node: ast.Expr) -> None:
        if (
            isinstance(node.value, ast.Call)
            and self._cell.toolkit.widget(node.value.func) in INPUTS
        ):
            return  # only shown
        super().visit_Expr(node)

    def visit_Call(self, node: ast.Call) -> None:
        toolkit = self._cell.toolkit
        name = toolkit.widget(node.func)
        if id(node) in self._found.handled:
            return
        if name in INPUTS or name in UNANSWERABLE:
            self._widget(node, name)
            return
        if name in ABBREVIATED and name != "interactive":
            why = "it is not called at the top level of the cell with values that are known"
            self._found.left.append((node, ast.unparse(node.func), why))
            return
        target = self._direct.get(id(node))
        if target and name == "Button":
            label = {k.arg: toolkit.value(k.value) for k in node.keywords}.get("description")
            toolkit.buttons[target] = label if isinstance(label, str) and label else "Run"
        before = self._shown
        display = isinstance(node.func, ast.Name) and node.func.id == "display"
        self._shown = name in CONTAINERS or display
        self.generic_visit(node)
        self._shown = before

    def _widget(self, node: ast.Call, name: str) -> None:
        cell, toolkit = self._cell, self._cell.toolkit
        target = self._direct.get(id(node))
        if (target and target not in toolkit.read) or (not target and self._shown):
            return
        try:
            if self.where:
                raise Cannot(f"it is made in {self.where}")
            made = Reader(cell, node, name).made()
        except Cannot as reason:
            self._found.left.append((node.func, ast.unparse(node.func), str(reason)))
            return
        label = made.attributes.get("label") or self._key or name
        wanted = target or (as_name(self._key, "") or as_name(str(label), name.lower()))
        drafts = drafts_of(made, wanted, cell.places, made.slot, made.written, toolkit)
        for draft in drafts:
            self._found.draft(wanted if len(drafts) == 1 else draft.name, draft)
        if target:
            toolkit.widgets[target] = name
            self.made[target] = made


def _move_observed(cell: WidgetCell, found: WidgetFields, made: Mapping[str, Made]) -> None:
    """A widget that is observed in its cell is moved to the answer there; one of another cell stays as it is."""
    last: dict[str, ast.stmt] = {}
    for statement in cell.tree.body:
        if name := _called(statement, "observe"):
            last[name] = statement
    for name, statement in last.items():
        if name not in made:
            if name in cell.toolkit.widgets:
                why = "it was made in another cell than the one that observes it"
                found.left.append((statement, name, why))
            continue
        if statement is cell.tree.body[-1] and isinstance(statement, ast.Expr):
            found.shows = False  # the cell ends in an assignment then
        old = [k for k, d in found.drafts.items() if d.value is made[name].call]
        texts = f"\n{name}.{made[name].setter}".split(f"{ANSWER}, {ANSWER}")
        for number, key in enumerate(old):
            draft = found.drafts[key]
            draft.slot = cell.after(statement)
            if len(texts) == 2:
                draft.answer = f"{texts[0]}{ANSWER}" if number == 0 else f", {ANSWER}{texts[1]}"
            else:
                draft.answer = texts[0]


def _called(statement: ast.stmt, method: str) -> str:
    """The variable of which a statement calls a method, also as a decorator."""
    nodes: list[ast.expr] = []
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        nodes = [statement.value.func]
    elif isinstance(statement, ast.FunctionDef):
        nodes = statement.decorator_list
    for node in nodes:
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if attr == method:
                return name
    return ""


def _press_button(cell: WidgetCell, found: WidgetFields) -> None:
    """The one button that the cell gives a function is pressed at its end, before what it shows."""
    statements = {name: s for s in cell.tree.body if (name := _called(s, "on_click"))}
    names = [n for n in statements if n in cell.toolkit.buttons and n not in cell.toolkit.clicked]
    if len(names) > 1:
        for name in names:
            why = "the cell has several buttons"
            found.left.append((statements[name], f"{name}.on_click", why))
    if len(names) != 1 or found.button:
        return
    (name,) = names
    last = cell.tree.body[-1]
    shows = isinstance(last, ast.Expr) and last is not statements[name]
    if shows:
        start = cell.places.slice(last).start
        edit = Edit(Slice(start, start), f"{name}.click()\n", f"{name} is pressed with the form")
    else:
        edit = Edit(cell.after(last), f"\n{name}.click()", f"{name} is pressed with the form")
    found.edits.append(edit)
    found.pressed.append(edit)
    found.button = cell.toolkit.buttons[name]
