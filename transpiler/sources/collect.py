"""The fields of a code cell, from every convention that asks for a value, in rising precedence:

    x = input("Name? ")                  a call that runs once; getpass()
    pip.set(job, step="x", value=5)      Pipulate's own notebooks
    x = widgets.IntSlider(value=5)       ipywidgets, interact
    x = 5  #@param {type:"integer"}      Colab's forms
    x: int = 5  # how many               a cell tagged `parameters`
    #| input: {name: x, label: Size}     the author's own words

Each of them makes or refines the draft of a variable; `resolve_field` then turns a draft into a `Field`.
"""

import ast
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from transpiler.fields.field import Draft, resolve_field
from transpiler.fields.from_earlier import parts_of
from transpiler.fields.options import PARAMETERS, Ask
from transpiler.fields.types import DeclaredType, type_of_annotation, type_of_comment
from transpiler.model import rules
from transpiler.model.diagnostics import Diagnostic
from transpiler.model.ir import JSON, Cell, Controls, Field, Python
from transpiler.model.names import as_name, nearest
from transpiler.notebook.ipython import parse, tokens_of
from transpiler.notebook.secrets import has_filler, is_key, keys_in
from transpiler.python.literals import COMPUTED, Spelled, constructor_value, literal_of
from transpiler.python.positions import Places
from transpiler.sources import colab, pipulate
from transpiler.sources.input_calls import SHOWN, asks, may_be_empty, questions
from transpiler.widgets import controls
from transpiler.widgets.constructor import WidgetCell, WidgetFields
from transpiler.widgets.imports import Toolkit
from transpiler.widgets.interact import interactions

_TYPE_COMMENT = re.compile(
    r"type:[ \t]*([\w.]+(?:\[[^#]*\])?(?:[ \t]*\|[ \t]*[\w.]+)*)[ \t]*#?[ \t]*(.*)"
)
_FOR_TOOLS = re.compile(r"(?:noqa|pylint|pragma|fmt|ruff|mypy|flake8|nosec|type:[ \t]*ignore)\b")


@dataclass(frozen=True, slots=True)
class _Assigned:
    """A simple assignment at the top level of the cell, and the comment at its end."""

    name: str
    value: ast.expr
    annotation: ast.expr | None
    statement: ast.stmt
    comment: str = ""

    @property
    def spelled(self) -> Spelled | None:
        """What the answer takes the place of, when that is a literal in a call."""
        return constructor_value(self.value)

    @property
    def literal(self) -> bool:
        return literal_of(self.value) is not COMPUTED or self.spelled is not None


@dataclass(frozen=True, slots=True)
class Whole:
    """What the other cells of the notebook say, as far as fields depend on it."""

    toolkit: Toolkit | None = None
    kept: frozenset[str] = frozenset()  # Names under which `pip.set` keeps something
    texts: tuple[tuple[int, str], ...] = ()  # The Python of each cell, with the cell's index

    def below(self, cell: Cell) -> Iterator[str]:
        return (text for index, text in self.texts if index > cell.index)


@dataclass(frozen=True, slots=True)
class FieldRequest:
    """What a cell asks for."""

    fields: tuple[Field, ...] = ()
    controls: Controls | None = None


def fields_of(
    cell: Cell, python: Python, asks: Iterable[Ask], whole: Whole, found: list[Diagnostic]
) -> FieldRequest:
    """Return the fields of a code cell in the order in which their values stand there, adding to `found`."""
    return _Fields(cell, python, whole, found).all(tuple(asks))


class _Fields:
    """The drafts of one cell, by variable."""

    def __init__(self, cell: Cell, python: Python, whole: Whole, found: list[Diagnostic]) -> None:
        self._cell = cell
        self._python = python
        self._whole = whole
        self._text = python.text
        self._found = found
        self._drafts: dict[str, Draft] = {}
        self._widgets = WidgetFields()

    def all(self, wanted: tuple[Ask, ...]) -> FieldRequest:
        toolkit = self._whole.toolkit
        tag = pipulate.tag_of(self._cell)
        parameters = not PARAMETERS.isdisjoint(self._cell.tags)
        forms = re.search(r"#[ \t]*@param\b", self._text) is not None
        calls = any(f"{owner}." in self._text for owner in pipulate.OWNERS)
        asking = asks(self._text)
        keyed = has_filler(self._text)
        if not (parameters or forms or asking or keyed or wanted or calls or tag or toolkit):
            return FieldRequest()
        self._places = Places(self._cell, self._python)
        self._tree = parse(self._text)
        self._comments = _comments(self._text) if "#" in self._text else {}
        self._assigned = tuple(self._assignments())
        if asking:
            self._questions(frozenset(ask.name for ask in wanted))
        if calls:
            self._drafts |= pipulate.pip_fields(
                self._tree, self._text, self._places, self._whole.kept
            )
        if toolkit:
            self._controls(toolkit)
        if forms:
            self._forms()
        if parameters:
            self._parameters()
        if tag:
            self._tagged(pipulate.TAGS[tag])
        for ask in wanted:
            self._asked(ask)
        if keyed:
            self._keys()
        fields = tuple(
            resolve_field(draft, self._places, self._found) for draft in self._outermost()
        )
        return FieldRequest(fields, self._done())

    def _done(self) -> Controls | None:
        it = self._widgets
        if not (it.edits or it.pressed or it.button or it.shows is not None):
            return None
        return Controls(tuple(it.edits), tuple(it.pressed), it.button, it.shows)

    def _outermost(self) -> Iterable[Draft]:
        """The drafts in order, without those inside of what another answer takes the place of."""
        slices = {name: draft.place(self._places) for name, draft in self._drafts.items()}
        end = -1
        for name in sorted(slices, key=lambda n: (slices[n].start, -slices[n].end)):
            if slices[name].start >= end:
                end = slices[name].end
                yield self._drafts[name]

    def _assignments(self) -> Iterable[_Assigned]:
        for statement in self._tree.body:
            comment = self._comments.get(statement.end_lineno or 0, "")
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    yield _Assigned(name, value, None, statement, comment)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    yield _Assigned(name, value, statement.annotation, statement, comment)

    def _draft(self, assigned: _Assigned) -> Draft:
        """The draft of a variable, begun from its assignment when there is none."""
        draft = self._drafts.get(assigned.name)
        if draft is None:
            span = self._places.span(assigned.statement)
            draft = Draft(assigned.name, assigned.value, span)
            if inner := assigned.spelled:
                draft.value, draft.answer = inner.node, inner.answer
                draft.attributes |= inner.attributes
            self._drafts[assigned.name] = draft
        comment_type, draft.help = _read_comment(assigned.comment)
        draft.said = (
            type_of_annotation(assigned.annotation) if assigned.annotation else comment_type
        )
        return draft

    # -- sources

    def _controls(self, toolkit: Toolkit) -> None:
        cell = WidgetCell(self._tree, self._python, self._places, toolkit)
        toolkit.learn(self._tree)
        interactions(cell, self._widgets)
        controls.widget_fields(cell, self._widgets)
        controls.report(cell, self._widgets, self._found)
        self._drafts |= self._widgets.drafts

    def _tagged(self, type_: str) -> None:
        """A cell with a tag of Pipulate: each plain value in it; of `secrets`, the texts."""
        for assigned in self._last_of_each():
            if not assigned.literal:
                continue
            value = literal_of(assigned.value)
            if type_ == "password" and not isinstance(value, str | None):
                continue
            fits = isinstance(value, str | list | None) and type_ != ""
            self._draft(assigned).attributes |= {"type": type_} if fits else {}

    def _questions(self, named: frozenset[str]) -> None:
        once, inner = questions(self._tree, named)
        for question in once:
            wanted = question.target or as_name(question.prompt, "answer")
            name, nth = wanted, 1
            while name in self._drafts:
                nth += 1
                name = f"{wanted}_{nth}"
            below = self._whole.below(self._cell)
            required = question.used and not may_be_empty(question, self._tree, below)
            attributes: dict[str, JSON] = {"type": question.type, "required": required}
            if question.prompt:
                attributes["label"] = question.prompt
            span = self._places.span(question.node)
            self._drafts[name] = Draft(
                name, question.node, span, question=True, attributes=attributes
            )
        for call, where in inner[:1]:
            span, name = self._places.span(call), ast.unparse(call.func)
            reason = f"is in {where}: how often it asks depends on the data"
            if where == SHOWN:
                reason = "has no prompt: what the cell shows before it says what is asked"
            self._found.append(rules.ASKS_WHILE_RUNNING.at(span, reason=reason, call=name))

    def _keys(self) -> None:
        """Texts that were keys are asked for as passwords, under the name that the code has for them."""
        asked = [draft.value for draft in self._drafts.values()]
        for draft in self._drafts.values():
            if is_key(draft.value):
                draft.attributes["type"] = "password"
        for node, called in keys_in(self._tree):
            if node in asked:
                continue
            wanted = name = called if called.isidentifier() else as_name(called, "key")
            nth = 1
            while name in self._drafts:
                nth += 1
                name = f"{wanted}_{nth}"
            span = self._places.span(node)
            self._drafts[name] = Draft(name, node, span, attributes={"type": "password"})

    def _forms(self) -> None:
        behind = {a.statement.end_lineno: a for a in self._assigned}
        seen: set[str] = set()
        for line, comment in self._comments.items():
            match = colab.COMMENT.match(comment)
            if not match or match.group(1) != "param":
                continue
            column = self._text.split("\n")[line - 1].rindex(comment)
            span = self._places.between(line - 1, column, line - 1, column + len(comment))
            assigned = behind.get(line)
            if assigned is None:
                reason = "it does not stand behind `name = value` at the top level of the cell"
                self._found.append(rules.PARAM_FORM.at(span, reason=reason))
                continue
            param = colab.read_param(match.group(2))
            if param.problem:
                self._found.append(rules.PARAM_FORM.at(span, reason=param.problem))
            if assigned.name in seen:
                self._found.append(
                    rules.DUPLICATE_FIELD.at(span, name=assigned.name, key="#@param")
                )
            elif self._may_be_field(assigned):
                self._draft(assigned).attributes |= param.attributes
            seen.add(assigned.name)

    def _parameters(self) -> None:
        for assigned in self._last_of_each():
            if self._may_be_field(assigned):
                self._draft(assigned)

    def _may_be_field(self, assigned: _Assigned) -> bool:
        """Whether a value is plain, or asked for anyway; PP127 when it is not."""
        if assigned.literal or assigned.name in self._drafts:
            return True
        span = self._places.span(assigned.statement)
        self._found.append(rules.NOT_A_LITERAL.at(span, name=assigned.name))
        return False

    def _last_of_each(self) -> tuple[_Assigned, ...]:
        """One assignment for each variable: the last plain value, which is the one that counts; else the first."""
        chosen: dict[str, _Assigned] = {}
        for assigned in self._assigned:
            if assigned.name not in chosen or assigned.literal:
                chosen[assigned.name] = assigned
        return tuple(chosen.values())

    def _asked(self, ask: Ask) -> None:
        assigned = {a.name: a for a in self._last_of_each()}
        if ask.name in assigned:
            draft = self._draft(assigned[ask.name])
        elif ask.name in self._drafts:
            draft = self._drafts[ask.name]
        else:
            names = sorted(assigned)
            if names:
                near = nearest(ask.name, names)
                names.remove(near)
                names.insert(0, near)
            listed = ", ".join(f"`{name}`" for name in names[:5]) or "none"
            self._found.append(rules.FIELD_NOT_ASSIGNED.at(ask.span, name=ask.name, names=listed))
            return
        parts = parts_of(ask.attributes)
        draft.parts |= parts
        draft.attributes |= {k: v for k, v in ask.attributes.items() if k not in parts}


def _comments(text: str) -> Mapping[int, str]:
    return {t.start[0]: t.string for t in tokens_of(text) if t.type == tokenize.COMMENT}


def _read_comment(comment: str) -> tuple[DeclaredType, str]:
    text = comment.lstrip("#").strip()
    if colab.COMMENT.match(comment) or _FOR_TOOLS.match(text):
        return DeclaredType(), ""
    if typed := _TYPE_COMMENT.match(text):
        return type_of_comment(typed.group(1)), typed.group(2).strip()
    return DeclaredType(), text
