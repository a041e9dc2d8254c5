"""The conventions of Pipulate's own notebooks (CONTRACT 3): `pip.set`, `pip.get`, `pip.api_key`, and cells whose tag names an input.

pip.set(job, step="year", value=2025)    the value is asked for, and `pip` still keeps it
year = pip.get(job, step="year")         what no cell sets is asked for
pip.api_key(job)                         a secret, given as `key=`
"""

import ast
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from transpiler.fields.field import Draft
from transpiler.model.ir import ANSWER, JSON, Cell, Python, Slice
from transpiler.model.names import as_label, as_name
from transpiler.python.literals import COMPUTED, literal, literal_of
from transpiler.python.positions import Places
from transpiler.python.single_use import Once

OWNERS = frozenset(["pip", "wand"])  # The names under which Pipulate's notebooks hold it
TAGS: Mapping[str, str] = {
    "prompt-input": "textarea",
    "url-list-input": "url-list",
    "custom-filters-input": "",
    "secrets": "password",
}
"""Tag -> the type of its fields; '' for what each value says."""


class PipCall(NamedTuple):
    """A call of `pip` with its arguments by name."""

    method: str
    node: ast.Call
    given: Mapping[str, ast.expr]

    @property
    def step(self) -> str:
        """The name it keeps something under; '' when that is computed."""
        value = literal_of(self.given["step"]) if "step" in self.given else ""
        return value if isinstance(value, str) else ""


_PARAMETERS = {
    "set": ("job", "step", "value"),
    "get": ("job", "step", "default"),
    "api_key": ("job", "service", "key"),
}


def call_of(node: ast.AST) -> PipCall | None:
    """Return what a call of `pip` is; None for anything else."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=method)) if (
            owner in OWNERS and method in _PARAMETERS
        ):
            given = dict(zip(_PARAMETERS[method], node.args, strict=False))
            given |= {k.arg: k.value for k in node.keywords if k.arg}
            return PipCall(method, node, given)
    return None


def kept_steps(trees: Iterable[ast.Module]) -> frozenset[str]:
    calls = (call_of(node) for tree in trees for node in ast.walk(tree))
    return frozenset(c.step for c in calls if c is not None and c.method == "set")


def pip_fields(
    tree: ast.Module, text: str, places: Places, kept: frozenset[str]
) -> dict[str, Draft]:
    """Return the fields of the calls in a cell that run once, by name."""
    finder = _Finder(text, places, kept)
    finder.visit(tree)
    return finder.drafts


class _Finder(Once):
    def __init__(self, text: str, places: Places, kept: frozenset[str]) -> None:
        super().__init__()
        self.drafts: dict[str, Draft] = {}
        self._text = text
        self._places = places
        self._kept = kept

    def visit_Call(self, node: ast.Call) -> None:
        call = call_of(node)
        if call is None or self.where:
            self.generic_visit(node)
        elif call.method == "set":
            self._set(call)
        elif call.method == "get":
            self._get(call)
        else:
            self._key(call)

    def _set(self, call: PipCall) -> None:
        value = call.given.get("value")
        if call.step and value is not None and literal_of(value) is not COMPUTED:
            self._add(call.step, Draft(as_name(call.step, "value"), value, self._span(call)))

    def _get(self, call: PipCall) -> None:
        """A value that was set outside the notebook; one that has a default may be left empty."""
        if not call.step or call.step in self._kept:
            return
        default = literal_of(call.given["default"]) if "default" in call.given else None
        if default is COMPUTED:
            return
        name = as_name(call.step, "value")
        attributes: dict[str, JSON] = {"default": default, "required": True}
        draft = Draft(name, call.node, self._span(call), attributes=attributes)
        self._add(call.step, draft)

    def _key(self, call: PipCall) -> None:
        service = literal_of(call.given["service"]) if "service" in call.given else ""
        name = (
            f"{as_name(service, '')}_api_key" if isinstance(service, str) and service else "api_key"
        )
        draft = Draft(name, call.node, self._span(call))
        draft.attributes = {"type": "password", "required": True, "label": as_label(name)}
        if (key := call.given.get("key")) is not None:
            draft.slot = self._places.slice(key)
        else:
            end = self._places.slice(call.node).end - 1
            draft.slot = Slice(end, end)
            more = ", " if call.node.args or call.node.keywords else ""
            draft.answer = f"{more}key={ANSWER}"
        self._add(name, draft)

    def _add(self, step: str, draft: Draft) -> None:
        draft.attributes.setdefault("label", as_label(step))
        self.drafts.setdefault(draft.name, draft)

    def _span(self, call: PipCall):  # type: ignore[no-untyped-def]
        return self._places.span(call.node)


def tag_of(cell: Cell) -> str | None:
    """Return the tag of Pipulate that a cell has, if any."""
    return next((tag for tag in cell.tags if tag in TAGS), None)


def raw_cell(cell: Cell, tag: str) -> Python:
    """Return a raw cell as the assignment it stands for: `prompt = "..."`, `urls = [...]`."""
    text = cell.source.strip("\n")
    if tag == "url-list-input":
        lines = [line.strip() for line in text.split("\n")]
        value = literal([line for line in lines if line and not line.startswith("#")])
    else:
        value = literal(text)
    name = tag.removesuffix("-input").replace("-", "_")
    return Python(f"{name} = {value}", (1,))
