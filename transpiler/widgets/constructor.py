"""Reads a widget's constructor call: the field to ask for, and the argument that the answer replaces."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from transpiler.fields.field import Draft
from transpiler.fields.vocabulary import field_type
from transpiler.model.ir import ANSWER, JSON, Edit, Python, Slice
from transpiler.model.names import as_label
from transpiler.python.literals import COMPUTED, moment_of
from transpiler.python.positions import Places
from transpiler.widgets.imports import Toolkit
from transpiler.widgets.table import (
    INPUTS,
    UNANSWERABLE,
    Choices,
    Kind,
    choices_of,
    clamp,
    default_of,
    limits_of,
    log_limits,
)

# --- FileUpload -----------------------------------------------------------------------------------------------------------


def upload_attributes(nodes: Mapping[str, ast.expr], given: Mapping[str, Any]) -> dict[str, JSON]:
    """Return the attributes of the field. Raises Cannot."""
    if "value" in nodes:
        raise Cannot("it begins with files of its own")
    several = given.get("multiple", False)
    if not isinstance(several, bool):
        raise Cannot("whether it takes several files is computed")
    found: dict[str, JSON] = {"type": "files" if several else "file", "required": False}
    found["default"] = [] if several else None
    accept = given.get("accept", "")
    endings = (
        [part.strip().lower() for part in accept.split(",")] if isinstance(accept, str) else []
    )
    if endings and all(part.startswith(".") for part in endings):
        found["accept"] = list(endings)  # kinds of files ("image/*") only a browser can tell
    return found


def upload_value(several: bool, toolkit: Toolkit) -> str:
    """Return code for what the widget holds, made of the paths that the form gives: as if they were uploaded there."""
    bunch, guess = toolkit.named("traitlets.Bunch"), toolkit.named("mimetypes.guess_type")
    moment, zone = toolkit.named("datetime.datetime"), toolkit.named("datetime.timezone")
    path = toolkit.named("pathlib.Path")
    paths = ANSWER if several else f"filter(None, [{ANSWER}])"
    return (
        f'[{bunch}(name=path.name, type={guess}(path.name)[0] or "", size=path.stat().st_size, '
        f"last_modified={moment}.fromtimestamp(path.stat().st_mtime, {zone}.utc), "
        f"content=memoryview(path.read_bytes())) for path in map({path}, {paths})]"
    )


# --- reasons --------------------------------------------------------------------------------------------------------------


class Cannot(Exception):
    """A widget cannot be a field; the text says why."""


# --- constructors ---------------------------------------------------------------------------------------------------------


POSITIONAL = ("value", "min", "max", "step")


@dataclass(slots=True)
class WidgetFields:
    """What the widgets of a cell come to; `drafts` by the variable, or by the field's name where there is none."""

    drafts: dict[str, Draft] = field(default_factory=dict)
    edits: list[Edit] = field(default_factory=list)
    pressed: list[Edit] = field(default_factory=list)
    button: str | None = None
    left: list[tuple[ast.AST, str, str]] = field(default_factory=list)
    """Widgets that stay as they are: where, what, why."""
    handled: set[int] = field(default_factory=set)  # Ids of nodes that were dealt with
    shows: bool | None = None
    """Whether the last value is shown, where that is not what the cell says: `interact(f);` shows what `f` gives."""

    def draft(self, key: str, draft: Draft) -> None:
        """Add one; a second one of the same variable gets a key of its own."""
        self.drafts[key if key not in self.drafts else draft.name] = draft


class WidgetCell:
    """One cell with what is needed to read its widgets."""

    def __init__(self, tree: ast.Module, python: Python, places: Places, toolkit: Toolkit) -> None:
        self.tree = tree
        self.python = python
        self.places = places
        self.toolkit = toolkit

    def text(self, node: ast.expr) -> str:
        return self.python.text[slice(*self.places.slice(node))]

    def after(self, node: ast.expr | ast.stmt) -> Slice:
        end = self.places.slice(node).end
        return Slice(end, end)


# --- one widget -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Made:
    """A widget that is made: its kind, what it is given, and where its value goes."""

    call: ast.Call
    name: str  # Its class
    kind: Kind
    given: Mapping[str, Any]  # Keywords that are literals; others are COMPUTED
    choices: Choices | None
    attributes: Mapping[str, JSON]
    slot: Slice
    written: str
    """What stands in the slot, with ANSWER: `value=__answer__, `; for a pair with two of them."""
    setter: str  # The same as the end of `widget.` in an assignment: `value = __answer__`


class Reader:
    """Reads a call that makes a widget."""

    def __init__(self, cell: WidgetCell, call: ast.Call, name: str) -> None:
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
            case "upload":
                attributes |= upload_attributes(self.nodes, self.given)
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
                clamp(default, value_low, value_high) if self.kind.limits is not None else default
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
        if self.kind.shape == "upload":
            return "value", upload_value(self.given.get("multiple") is True, self.cell.toolkit)
        if self.kind.shape != "moment":
            return "value", self._or_computed()
        node = self.nodes.get("value")
        moment = moment_of(node) if node is not None else None
        kind = moment[2] if moment else self.cell.toolkit.named(f"datetime.{self.kind.moment}")
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
        places = self.cell.places
        for key in ("value", "label", "index"):
            if (keyword := self.keywords.get(key)) is None:
                continue
            slot = places.slice(keyword.value)
            if key == name:
                return slot, value
            start = places.slice(keyword).start
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
        draft.attributes.setdefault("label", as_label(name))
        draft.slot, draft.answer = slot, written
        return [draft]
    first, second = written.split(f"{ANSWER}, {ANSWER}")
    defaults = made.attributes.get("default")
    drafts = []
    for number, (end, answer) in enumerate(
        (("from", f"{first}{ANSWER}"), ("to", f", {ANSWER}{second}"))
    ):
        attributes = dict(made.attributes)
        label = attributes.get("label", as_label(name))
        attributes |= {"label": f"{label}, {end}"}
        if isinstance(defaults, list) and len(defaults) == 2:
            attributes["default"] = defaults[number]
        draft = Draft(toolkit.fresh(f"{name}_{end}"), made.call, span, attributes=attributes)
        draft.slot = slot if number == 0 else Slice(slot.end, slot.end)
        draft.answer = answer
        drafts.append(draft)
    return drafts
