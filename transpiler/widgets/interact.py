"""Supports `interact`, `interactive` and `interact_manual`: calls the function with the form's values.

    interact(f, x=(0, 10), y=fixed(df))     ->  f(x=form["x"], y=df)

    @interact(x=(0, 10))                    ->  def f(x): ...
    def f(x): ...                               f(x=form["x"])

    w = interactive(f, x=(0, 10))           ->  the same, then  w.children[0].value = form["x"]

`interact` shows what the function gives unless it is None. The app does where the call ends the cell, and by `display` elsewhere.
"""

import ast

from transpiler.fields.field import Draft
from transpiler.model.ir import ANSWER, Edit, Slice
from transpiler.model.names import as_label
from transpiler.python.literals import COMPUTED
from transpiler.widgets.argument import Argument, may_give_value
from transpiler.widgets.constructor import Cannot, Reader, WidgetCell, WidgetFields
from transpiler.widgets.shorthand import expand_shorthand, has_labels
from transpiler.widgets.table import INPUTS, UNANSWERABLE

_REASON = "`{}` is called by the app with the answers"
_MOVED = (
    "(lambda w: setattr(w, {attribute!r}, {answer}) or w)"
    "(__import__('ipywidgets').interactive.widget_from_abbrev({value}))"
)
"""What is given in the notebook in the place of a value, when it is executed with an answer."""


def interactions(cell: WidgetCell, found: WidgetFields) -> None:
    """Add the calls and decorators of the library at the top level of a cell to `found`."""
    for number, statement in enumerate(cell.tree.body):
        is_last = number == len(cell.tree.body) - 1
        match statement:
            case ast.FunctionDef(decorator_list=decorators):
                for decorator in decorators:
                    _try(
                        cell, found, _InteractDecorator(cell, found, statement, decorator, is_last)
                    )
            case ast.Expr(value=ast.Call() as call):
                _try(cell, found, _InteractCall(cell, found, statement, call, is_last))
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                if cell.toolkit.widget(call.func) == "interactive":
                    _try(cell, found, _KeptWidget(cell, found, statement, call, name))


def _try(cell: WidgetCell, found: WidgetFields, interaction: "_Interaction") -> None:
    node = interaction.node
    if not interaction.name:
        return
    found.handled.add(id(node))
    try:
        interaction.write()
    except Cannot as reason:
        func = node.func if isinstance(node, ast.Call) else node
        found.left.append((func, ast.unparse(func), str(reason)))


class _Interaction:
    """A use of `interact`: `node` is the call or the decorator."""

    names: tuple[str, ...] = ("interact", "interact_manual")

    def __init__(
        self, cell: WidgetCell, found: WidgetFields, statement: ast.stmt, node: ast.expr
    ) -> None:
        self.cell, self.found, self.statement, self.node = cell, found, statement, node
        self.func = node.func if isinstance(node, ast.Call) else node
        self.options: list[ast.keyword] = []
        match self.func:  # interact.options(manual=True)(f)
            case ast.Call(func=ast.Attribute(value=inner, attr="options"), keywords=keywords):
                self.func, self.options = inner, keywords
        name = cell.toolkit.widget(self.func)
        self.name = name if name in self.names else ""

    def write(self) -> None:
        """Add edits and fields to what was found. Raises Cannot before it adds anything."""
        raise NotImplementedError

    def given(self) -> list[ast.keyword]:
        keywords = self.node.keywords if isinstance(self.node, ast.Call) else []
        if any(k.arg is None for k in keywords):
            raise Cannot("its arguments are computed")
        return [k for k in keywords if k.arg != "clear_output"]  # it is not the function's

    def button(self) -> str | None:
        """The label of its button; None when the function is called at once."""
        manual, label = self.name == "interact_manual", "Run Interact"
        for option in self.options:
            value = self.cell.toolkit.value(option.value)
            if option.arg == "manual":
                manual = bool(value)
            elif option.arg == "manual_name" and isinstance(value, str):
                label = value
        return label if manual else None

    # -- the arguments

    def arguments(self, function: ast.expr | ast.FunctionDef) -> list[Argument]:
        given = {k.arg: k.value for k in self.given() if k.arg}
        parameters, open_ended = self._parameters(function)
        made = []
        for name, default in parameters:
            node = given.pop(name, None)
            if node is None and default is None:
                raise Cannot(f"nothing says what `{name}` may be")
            made.append(self._argument(name, node, default))
        if given and not open_ended:
            raise Cannot(f"the function has no parameter `{next(iter(given))}`")
        return [*made, *(self._argument(name, node, None) for name, node in given.items())]

    def _parameters(
        self, function: ast.expr | ast.FunctionDef
    ) -> tuple[list[tuple[str, ast.expr | None]], bool]:
        """The parameters with their defaults, and whether it takes others: an imported function may."""
        if isinstance(function, ast.Name):
            known = self.cell.toolkit.functions.get(function.id)
            if known is None:
                return [], True
            function = known
        if not isinstance(function, ast.FunctionDef | ast.Lambda):
            return [], True
        args = function.args
        plain = [*args.posonlyargs, *args.args]
        missing: list[ast.expr | None] = [None] * (len(plain) - len(args.defaults))
        pairs = [*zip(plain, [*missing, *args.defaults], strict=True)]
        pairs += zip(args.kwonlyargs, args.kw_defaults, strict=True)
        return [(arg.arg, default) for arg, default in pairs], args.kwarg is not None

    def _argument(self, name: str, node: ast.expr | None, default: ast.expr | None) -> Argument:
        toolkit = self.cell.toolkit
        value = node if node is not None else default
        assert value is not None
        if isinstance(value, ast.Call):
            widget = toolkit.widget(value.func)
            if widget == "fixed" and len(value.args) == 1:
                return Argument(name, self.cell.text(value.args[0]), node=node)
            if widget in INPUTS or widget in UNANSWERABLE:
                return self._widget(name, value, widget, node)
        if isinstance(value, ast.Name) and value.id in toolkit.widgets:
            return Argument(name, f"{value.id}.value", node=node)
        known = toolkit.value(value)
        own = toolkit.value(default) if default is not None else COMPUTED
        attributes = None if known is COMPUTED else expand_shorthand(known, own)
        if attributes is None:
            raise Cannot(f"what `{name}` may be is computed")
        labels = has_labels(known)
        code = ANSWER
        if labels:
            written = self.cell.text(value) if node is not None else ast.unparse(value)
            code = (
                f"{written}[{ANSWER}]" if isinstance(known, dict) else f"dict({written})[{ANSWER}]"
            )
        return Argument(name, code, attributes, node, labels, default)

    def _widget(self, name: str, call: ast.Call, widget: str, node: ast.expr | None) -> Argument:
        """A widget made for the parameter: the function is given what it would hold."""
        self.found.handled.add(id(call))
        made = Reader(self.cell, call, widget).made()
        labels = made.choices is not None and made.choices.labels
        value = made.setter.partition(" = ")[2]
        if made.kind.shape == "pair":
            value = f"tuple({value})"
        if labels:
            options = next(k.value for k in call.keywords if k.arg == "options")
            text = self.cell.text(options)
            is_dict = isinstance(self.cell.toolkit.value(options), dict) or isinstance(
                options, ast.Dict
            )
            value = f"{text}[{ANSWER}]" if is_dict else f"dict({text})[{ANSWER}]"
        return Argument(name, value, dict(made.attributes), node, labels, call)

    # -- fields

    def draft(self, argument: Argument, code: str, slot: Slice) -> None:
        cell = self.cell
        attributes = dict(argument.attributes or {})
        attributes.setdefault("label", as_label(argument.name))
        name = cell.toolkit.fresh(argument.name)
        draft = Draft(name, argument.node or self.node, cell.places.span(self.node))
        draft.attributes, draft.slot, draft.answer = attributes, slot, code
        draft.source = self.source(argument)
        self.found.draft(name, draft)

    def source(self, argument: Argument) -> tuple[Slice, str] | None:
        """Where the notebook itself says what an argument is, and what stands there for an answer."""
        if argument.half is not None:
            return self._half(*argument.half)
        if argument.node is not None:
            text = self.cell.text(argument.node)
            return self.cell.places.slice(argument.node), self._moved(argument, text)
        return self.without_node(argument)

    def _half(self, whole: Argument, number: int) -> tuple[Slice, str] | None:
        """The same for one end of a range: what stands there is cut between the two."""
        found = self.source(whole)
        if found is None:
            return None
        slot, text = found
        before, _, behind = text.partition(f"{ANSWER}, {ANSWER}")
        if number == 0:
            return slot, f"{before}{ANSWER}"
        return Slice(slot.end, slot.end), f", {ANSWER}{behind}"

    def without_node(self, argument: Argument) -> tuple[Slice, str] | None:
        """The same where only the function's default says it: as one more argument of the call."""
        call = self.node
        if not isinstance(call, ast.Call) or argument.default is None:
            return None
        last = [*call.args, *(k.value for k in call.keywords)][-1]
        moved = self._moved(argument, ast.unparse(argument.default))
        return self.cell.after(last), f", {argument.name}={moved}"

    def _moved(self, argument: Argument, text: str) -> str:
        attribute = "label" if argument.labels else "value"
        answer = ANSWER if argument.labels else argument.code
        return _MOVED.format(attribute=attribute, answer=answer, value=text)

    def edit(self, slot: Slice, text: str) -> None:
        self.found.edits.append(Edit(slot, text, _REASON.format(ast.unparse(self.func))))

    def in_order(self, slot: Slice, pieces: list[str | Argument]) -> None:
        """Put code and fields, one behind the other, in the place of a slot."""
        code = ""
        waiting: tuple[Argument, str] | None = None
        end = Slice(slot.end, slot.end)
        for piece in pieces:
            if isinstance(piece, str):
                code += piece
                continue
            if waiting:
                self.draft(waiting[0], waiting[1] + code, slot)
                slot, code = end, ""
            text = piece.code
            waiting, code = (piece, code + text), ""
        if waiting:
            self.draft(waiting[0], waiting[1] + code, slot)
        elif code:
            self.edit(slot, code)

    # -- showing

    def called(self, head: str, arguments: list[Argument]) -> list[str | Argument]:
        pieces: list[str | Argument] = [f"{head}("]
        for number, argument in enumerate(arguments):
            pieces.append(f"{', ' if number else ''}{argument.name}=")
            if ends := argument.ends:
                pieces += [ends[0], ends[1], ", ", ends[2], ends[3]]
            else:
                pieces.append(argument if argument.attributes is not None else argument.code)
        return [*pieces, ")"]


class _InteractCall(_Interaction):
    """`interact(f, x=5)` as a statement; `interactive(f, x=5)` at the end of a cell is as good."""

    names = ("interact", "interact_manual", "interactive")

    def __init__(
        self,
        cell: WidgetCell,
        found: WidgetFields,
        statement: ast.stmt,
        call: ast.Call,
        is_last: bool,
    ) -> None:
        super().__init__(cell, found, statement, call)
        self.call, self.is_last = call, is_last

    def write(self) -> None:
        function = self._function()
        arguments = self.arguments(function)
        text = self.cell.text(function)
        head = f"({text})" if isinstance(function, ast.Lambda) else text
        pieces = self.called(head, arguments)
        cell, found = self.cell, self.found
        if self.name == "interactive":
            found.shows = False if self.is_last else found.shows
        elif self.is_last:
            found.shows = True
        elif may_give_value(cell.toolkit, function):
            pieces = ["display(", *pieces, ")"]
        slot = cell.places.slice(self.call)
        self.in_order(slot, pieces)
        after = cell.after(self.call)
        if (button := self.button()) is not None:
            found.button = button
            click = Edit(after, ".widget.manual_button.click()", f"`{button}` is pressed")
            found.pressed.append(click)
        elif self.is_last and not cell.python.tail_semicolon and self.name != "interactive":
            found.pressed.append(Edit(after, ";", "the function itself is not shown"))

    def _function(self) -> ast.expr:
        if len(self.call.args) != 1:
            raise Cannot("its arguments are computed")
        (function,) = self.call.args
        if isinstance(function, ast.Starred):
            raise Cannot("its arguments are computed")
        return function


class _InteractDecorator(_Interaction):
    """`@interact` or `@interact(x=5)` above a function."""

    def __init__(
        self,
        cell: WidgetCell,
        found: WidgetFields,
        statement: ast.FunctionDef,
        decorator: ast.expr,
        is_last: bool,
    ) -> None:
        super().__init__(cell, found, statement, decorator)
        self.function, self.is_last = statement, is_last

    def write(self) -> None:
        if isinstance(self.node, ast.Call) and self.node.args:
            raise Cannot("its arguments are computed")
        arguments = self.arguments(self.function)
        pieces = self.called(self.function.name, arguments)
        cell, found = self.cell, self.found
        if self.is_last:
            found.shows = True
        elif may_give_value(cell.toolkit, self.function):
            pieces = ["display(", *pieces, ")"]
        text = cell.python.text
        start = text.rindex("@", 0, cell.places.slice(self.node).start)
        end = cell.places.slice(self.node).end
        end = text.index("\n", end) + 1
        while text[end] in " \t":
            end += 1
        self.edit(Slice(start, end), "")
        self.in_order(cell.after(self.function), ["\n\n\n", *pieces])
        if (button := self.button()) is not None:
            found.button = button
            press = f"\n{self.function.name}.widget.manual_button.click()"
            found.pressed.append(Edit(cell.after(self.function), press, f"`{button}` is pressed"))

    def without_node(self, argument: Argument) -> tuple[Slice, str] | None:
        if argument.default is None:
            return None
        text = self.cell.text(argument.default)
        return self.cell.places.slice(argument.default), self._moved(argument, text)


class _KeptWidget(_Interaction):
    """`w = interactive(f, x=5)`: it stays, since `w.result` and `w.kwargs` are read; its widgets are moved."""

    names = ("interactive",)

    def __init__(
        self,
        cell: WidgetCell,
        found: WidgetFields,
        statement: ast.stmt,
        call: ast.Call,
        variable: str,
    ) -> None:
        super().__init__(cell, found, statement, call)
        self.call, self.variable = call, variable

    def write(self) -> None:
        if len(self.call.args) != 1 or isinstance(self.call.args[0], ast.Starred):
            raise Cannot("its arguments are computed")
        arguments = self.arguments(self.call.args[0])
        after = self.cell.after(self.statement)
        number = 0
        for argument in arguments:
            node = argument.node
            is_fixed = argument.attributes is None and (
                isinstance(node, ast.Call) and self.cell.toolkit.widget(node.func) == "fixed"
            )
            if argument.attributes is not None:
                attribute = "label" if argument.labels else "value"
                value = ANSWER if argument.labels else argument.code
                code = f"\n{self.variable}.children[{number}].{attribute} = "
                if ends := argument.ends:
                    self._moved_to(ends[1], f"{code}{ends[0]}{ANSWER}", after)
                    self._moved_to(ends[2], f", {ANSWER}{ends[3]}", after)
                else:
                    self._moved_to(argument, f"{code}{value}", after)
            number += not is_fixed

    def _moved_to(self, argument: Argument, code: str, after: Slice) -> None:
        self.draft(argument, code, after)
        self.found.drafts[next(reversed(self.found.drafts))].source = (after, code)
