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
from dataclasses import dataclass, field
from typing import Any

from transpiler import codes
from transpiler.diagnostics import Diagnostic
from transpiler.ir import ANSWER, JSON, Edit, Python, Slice
from transpiler.passes.once import Once
from transpiler.passes.places import Places
from transpiler.passes.settle import Draft
from transpiler.passes.toolkit import Toolkit
from transpiler.passes.values_of import COMPUTED, moment_of
from transpiler.passes.vocabulary import field_type
from transpiler.passes.widgets import (
    ABBREVIATED,
    CONTAINERS,
    INPUTS,
    UNANSWERABLE,
    Choices,
    Kind,
    choices_of,
    clamped,
    default_of,
    limits_of,
    log_limits,
)
from transpiler.passes.words import as_name, in_words

POSITIONAL = ("value", "min", "max", "step")


@dataclass(slots=True)
class Found:
    """What the widgets of a cell come to; `drafts` by the variable, or by the field's name where there is none."""

    drafts: dict[str, Draft] = field(default_factory=dict)
    edits: list[Edit] = field(default_factory=list)
    pressed: list[Edit] = field(default_factory=list)
    button: str | None = None
    left: list[tuple[ast.AST, str, str]] = field(default_factory=list)
    """Widgets that stay as they are: where, what, why."""
    handled: set[int] = field(default_factory=set)
    """Ids of nodes that were dealt with."""
    shows: bool | None = None
    """Whether the last value is shown, where that is not what the cell says: `interact(f);` shows what `f` gives."""

    def draft(self, key: str, draft: Draft) -> None:
        """Add one; a second one of the same variable gets a key of its own."""
        self.drafts[key if key not in self.drafts else draft.name] = draft


class Cannot(Exception):
    """A widget cannot be a field; the text says why."""


class Cell:
    """One cell with what is needed to read its widgets."""

    def __init__(self, tree: ast.Module, python: Python, places: Places, toolkit: Toolkit) -> None:
        self.tree = tree
        self.python = python
        self.places = places
        self.toolkit = toolkit

    def text(self, node: ast.expr) -> str:
        """Return how the cell writes an expression."""
        return self.python.text[slice(*self.places.slice(node))]

    def after(self, node: ast.expr | ast.stmt) -> Slice:
        """Return the place right behind a node."""
        end = self.places.slice(node).end
        return Slice(end, end)


def widget_fields(cell: Cell, found: Found) -> None:
    """Add the widgets of a cell, what observes them, and its button to `found`."""
    finder = _Finder(cell, found)
    finder.visit(cell.tree)
    _observed(cell, found, finder.made)
    _pressed(cell, found)


def report(cell: Cell, found: Found, diagnostics: list[Diagnostic]) -> None:
    """Say what stays as it is, each reason once, and what is changed beside the fields."""
    said: set[str] = set()
    for node, what, why in found.left:
        if why not in said:
            span = cell.places.span(node)  # type: ignore[arg-type]
            diagnostics.append(codes.WIDGET.at(span, widget=what, reason=why))
        said.add(why)
    for edit in found.edits:
        old = " ".join(cell.python.text[slice(*edit.slice)].split())
        new = " ".join(edit.text.split())
        change = f"`{old}` becomes `{new}`" if old and new else f"`{old}` is left out"
        change = change if old else f"`{new}` is added"
        place = cell.places.span_of(edit.slice)
        diagnostics.append(codes.EDITED.at(place, change=change, reason=edit.reason))


# --- one widget -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Made:
    """A widget that is made: its kind, what it is given, and where its value goes."""

    call: ast.Call
    name: str
    """Its class."""
    kind: Kind
    given: Mapping[str, Any]
    """Keywords that are literals; others are COMPUTED."""
    choices: Choices | None
    attributes: Mapping[str, JSON]
    slot: Slice
    written: str
    """What stands in the slot, with ANSWER: `value=__answer__, `; for a pair with two of them."""
    setter: str
    """The same as the end of `widget.` in an assignment: `value = __answer__`."""


class Reader:
    """Reads a call that makes a widget."""

    def __init__(self, cell: Cell, call: ast.Call, name: str) -> None:
        """Raises Cannot, with the reason."""
        if name in UNANSWERABLE:
            raise Cannot(UNANSWERABLE[name])
        if any(k.arg is None for k in call.keywords) or any(
            isinstance(a, ast.Starred) for a in call.args
        ):
            raise Cannot("what it is made of is computed")
        self.cell, self.call, self.name, self.kind = cell, call, name, INPUTS[name]
        self.nodes = dict(zip(POSITIONAL, call.args, strict=False))
        self.keywords = {k.arg: k for k in call.keywords if k.arg}
        self.nodes |= {name: k.value for name, k in self.keywords.items()}
        self.given = {k: cell.toolkit.value(node) for k, node in self.nodes.items()}

    def made(self) -> Made:
        """Return all that is to be known. Raises Cannot."""
        attributes: dict[str, JSON] = {"type": field_type(self.kind.type), "required": True}
        description = self.given.get("description")
        if isinstance(description, str) and description.strip(" :"):
            attributes["label"] = description.strip().rstrip(":").strip()
        placeholder = self.given.get("placeholder")
        if isinstance(placeholder, str) and placeholder.strip():
            attributes["placeholder"] = placeholder
        choices = None
        match self.kind.shape:
            case "choice" | "choices" | "choice pair":
                choices = self._choices(attributes)
            case "moment":
                self._moment(attributes)
            case _:
                self._plain(attributes)
        name, value = self._target(choices)
        slot, written = self._slot(name, value)
        if self.kind.shape.endswith("pair"):
            written = written.replace(ANSWER, f"({ANSWER}, {ANSWER})")
            if self.kind.shape == "pair":
                written = written.replace(f"({ANSWER}", f"sorted(({ANSWER}").replace(
                    f"{ANSWER})", f"{ANSWER}))"
                )
            value = written[written.index("=") + 1 :].rstrip(", ") if "=" in written else written
        return Made(
            self.call,
            self.name,
            self.kind,
            self.given,
            choices,
            attributes,
            slot,
            written,
            f"{name} = {value}",
        )

    # -- what is asked

    def _plain(self, attributes: dict[str, JSON]) -> None:
        low, high, step = limits_of(self.kind, self.given)
        if self.kind.limits is None and "min" not in self.given and "max" not in self.given:
            low = high = None
        if self.name == "FloatLogSlider":
            value_low, value_high = log_limits(low, high, self.given)
            step = None
        else:
            value_low, value_high = low, high
        default = self.given.get("value", COMPUTED if "value" in self.nodes else None)
        if default is None or "value" not in self.nodes:
            default = default_of(self.kind, value_low, value_high)
        elif default is not COMPUTED:
            default = (
                clamped(default, value_low, value_high) if self.kind.limits is not None else default
            )
        if self.kind.type in ("text", "textarea", "switch", "json", "color"):
            value_low = value_high = step = None
        if self.name == "Combobox":
            choices = choices_of(self.nodes.get("options"), self.cell.toolkit.value)
            if choices:
                attributes["choices"] = list(choices.answers)
                attributes["allow_input"] = self.given.get("ensure_option") is not True
                attributes["type"] = field_type("select")
        elif self.name == "TagsInput" and self.given.get("allow_duplicates") is False:
            tags = choices_of(self.nodes.get("allowed_tags"), self.cell.toolkit.value)
            if tags and not tags.labels:
                attributes["choices"] = list(tags.answers)
                attributes["type"] = field_type("multi-select")
        elif self.name == "ColorPicker" and not _is_hex(default):
            attributes["type"] = "text"  # a colour by its name
        limits = {"min": value_low, "max": value_high, "step": step}
        attributes |= {k: v for k, v in limits.items() if isinstance(v, int | float)}
        if default is COMPUTED:
            self._computed(attributes)
            return
        attributes["default"] = list(default) if isinstance(default, tuple) else default
        if self.kind.type in ("text", "textarea", "password", "switch", "json"):
            attributes["required"] = self.kind.type == "password"
        if self.kind.type == "range" and ("min" not in attributes or "max" not in attributes):
            attributes["type"] = "integer" if self.name.startswith("Int") else "number"

    def _computed(self, attributes: dict[str, JSON]) -> None:
        """A value that is computed stays the one for an empty field."""
        if self.kind.shape != "one" or self.kind.type in ("switch", "json", "password"):
            raise Cannot("its value is computed")
        if self.kind.type == "range":
            attributes["type"] = "integer" if self.name.startswith("Int") else "number"
        attributes |= {"default": None, "required": False}
        attributes.setdefault("placeholder", "as computed")

    def _moment(self, attributes: dict[str, JSON]) -> None:
        default, node = None, self.nodes.get("value")
        if node is not None and self.given["value"] is not None:
            moment = moment_of(node)
            if moment is None:
                raise Cannot("its value is computed")
            default = moment[1]
        for key in ("min", "max"):
            if key in self.nodes and (limit := moment_of(self.nodes[key])):
                attributes[key] = limit[1]
        attributes |= {"default": default, "required": default is not None}

    def _choices(self, attributes: dict[str, JSON]) -> Choices:
        choices = choices_of(self.nodes.get("options"), self.cell.toolkit.value)
        if choices is None:
            raise Cannot("its choices are computed when the notebook runs")
        attributes["choices"] = list(choices.answers)
        default = self._chosen(choices)
        attributes |= {"default": default, "required": default is not None}
        if self.kind.shape == "choices":
            attributes["required"] = False
        return choices

    def _chosen(self, choices: Choices) -> JSON:
        """The answer that stands for what is chosen at first."""
        answers = choices.answers
        several = self.kind.shape == "choices"
        for key in ("value", "label", "index"):
            if key not in self.nodes:
                continue
            given = self.given[key]
            if given is COMPUTED:
                raise Cannot("its value is computed")
            wanted = list(given) if several or self.kind.shape == "choice pair" else [given]
            offered: tuple[Any, ...] = choices.values
            if key != "value":
                offered = tuple(range(len(answers))) if key == "index" else tuple(map(str, answers))
            if given is None:
                return None
            if any(w not in offered for w in wanted):
                raise Cannot("its value is none of its choices")
            chosen: list[JSON] = [answers[offered.index(w)] for w in wanted]
            return chosen if len(chosen) != 1 or several else chosen[0]
        if several:
            return []
        return [answers[0], answers[0]] if self.kind.shape == "choice pair" else answers[0]

    # -- where the answer goes

    def _target(self, choices: Choices | None) -> tuple[str, str]:
        """The attribute of the widget that the answer gives, and what it is given."""
        if choices is not None:
            if self.kind.shape == "choice pair" and choices.labels:
                raise Cannot("its choices are pairs of a label and a value")
            return ("label" if choices.labels else "value"), ANSWER
        if self.kind.shape != "moment":
            return "value", self._or_computed()
        node = self.nodes.get("value")
        moment = moment_of(node) if node is not None else None
        if moment:
            kind = moment[2]
        else:
            kind = self.cell.toolkit.named(f"datetime.{self.kind.moment}")
        value = f"{kind}.fromisoformat({ANSWER})"
        if self.name == "DatetimePicker":
            value += ".astimezone()"
        return "value", value if moment else f"{ANSWER} and {value}"

    def _or_computed(self) -> str:
        node = self.nodes.get("value")
        if node is None or self.given.get("value") is not COMPUTED:
            return ANSWER
        if self.kind.type in ("text", "textarea", "color"):
            return f"{ANSWER} or {self.cell.text(node)}"
        return f"{self.cell.text(node)} if {ANSWER} is None else {ANSWER}"

    def _slot(self, name: str, value: str) -> tuple[Slice, str]:
        """Where the answer stands in the call, and what stands there."""
        places = self.cell.places
        for key in ("value", "label", "index"):
            if (keyword := self.keywords.get(key)) is None:
                continue
            slot = places.slice(keyword.value)
            if key == name:
                return slot, value
            start = places.slice(keyword).start  # type: ignore[arg-type]  # a keyword has a place too
            return Slice(start, slot.end), f"{name}={value}"
        if "value" in self.nodes:
            return places.slice(self.nodes["value"]), value
        opening = self.cell.python.text.index("(", places.slice(self.call.func).end) + 1
        more = ", " if self.call.args or self.call.keywords else ""
        return Slice(opening, opening), f"{name}={value}{more}"


def _is_hex(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 7 and value.startswith("#")


def drafts_of(
    made: Made, name: str, span_of: Places, slot: Slice, written: str, toolkit: Toolkit
) -> list[Draft]:
    """Return the field of a widget, or the two of a pair, with the answers at `slot` as `written`."""
    span = span_of.span(made.call)
    if not made.kind.shape.endswith("pair"):
        draft = Draft(toolkit.fresh(name), made.call, span, attributes=dict(made.attributes))
        draft.attributes.setdefault("label", in_words(name))
        draft.slot, draft.answer = slot, written
        return [draft]
    first, second = written.split(f"{ANSWER}, {ANSWER}")
    defaults = made.attributes.get("default")
    drafts = []
    for number, (end, answer) in enumerate(
        (("from", f"{first}{ANSWER}"), ("to", f", {ANSWER}{second}"))
    ):
        attributes = dict(made.attributes)
        label = attributes.get("label", in_words(name))
        attributes |= {"label": f"{label}, {end}"}
        if isinstance(defaults, list) and len(defaults) == 2:
            attributes["default"] = defaults[number]
        draft = Draft(toolkit.fresh(f"{name}_{end}"), made.call, span, attributes=attributes)
        draft.slot = slot if number == 0 else Slice(slot.end, slot.end)
        draft.answer = answer
        drafts.append(draft)
    return drafts


# --- the widgets of a cell ----------------------------------------------------------------------------------------------


class _Finder(Once):
    """Finds the calls that make widgets, and the variables and keys that these are made for."""

    def __init__(self, cell: Cell, found: Found) -> None:
        super().__init__()
        self.made: dict[str, Made] = {}
        """By the variable."""
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


def _observed(cell: Cell, found: Found, made: Mapping[str, Made]) -> None:
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


def _pressed(cell: Cell, found: Found) -> None:
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
