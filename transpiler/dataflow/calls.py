"""Evaluates the effects of calls on the notebook's names: functions of the notebook, builtins, libraries, methods, magics, dynamic code.

Where nothing is known of a function, its arguments are taken to be left as they are (but for iterators, which it may use up): the sound
answer, that every call may change everything it is given, would say nothing. A method may change its receiver unless it is
known not to.
"""

import ast
import re
from dataclasses import replace

from transpiler.dataflow.expressions import Expressions
from transpiler.dataflow.objects import (
    NAMESPACE,
    NOTHING,
    Arguments,
    Closure,
    Global,
    Param,
    Result,
    Thing,
    Value,
    closures,
)  # fmt: skip
from transpiler.python import libraries, magic_calls
from transpiler.python.scope import walk_all

_AT_NAME = re.compile(r"@([A-Za-z_]\w*)")
_BARE = frozenset(["locals", "vars", "globals", "dir"])
_CODE = frozenset(["exec", "eval"])


class Calls(Expressions):
    """Evaluates calls."""

    def value_of_Call(self, node: ast.Call) -> Value:
        magic = magic_calls.magic_of(node)
        if magic is not None:
            return self.magic(magic, node)
        if isinstance(node.func, ast.Attribute):
            return self.call_attribute(node, node.func)
        if isinstance(node.func, ast.Name):
            name = node.func.id
            function = self.load(name, node.func)
            if not self.is_shadowed(name):
                if name in _CODE or name in _BARE:
                    return self.dynamic_code(name, node)
                if name in libraries.BUILTINS:
                    return self.builtin(name, node)
            return self.call(function, self.arguments(node), name)
        return self.call(self.evaluate(node.func), self.arguments(node), "")

    def arguments(self, node: ast.Call) -> Arguments:
        """Return the arguments of a call, evaluated in order."""
        given = Arguments()
        for argument in node.args:
            value = self.evaluate(argument)
            if isinstance(argument, ast.Starred):
                given.spread |= value
            else:
                given.positional.append(value)
        for keyword in node.keywords:
            value = self.evaluate(keyword.value)
            if keyword.arg is None:
                given.spread |= value
            else:
                given.named[keyword.arg] = value
        return given

    def is_shadowed(self, name: str) -> bool:
        """Whether a builtin's name has been bound by the notebook."""
        return self.find(name) is not None or name in self.values

    # --- known functions ------------------------------------------------------------------------------------------

    def call(self, function: Value, given: Arguments, name: str) -> Value:
        """A call of what a name or an expression stands for."""
        everything = given.all
        for item in closures(everything):
            self.touch(item)  # a callback: it may be called before this call is over
        found = self.apply(function, given)
        if self.closure is not None:
            self.closure.calls.append((function, given))
            late = {Result(item.name) for item in function if isinstance(item, Global)}
            carried = {item for item in everything if not isinstance(item, Thing)}
            return self.library(name, given) | found | late | carried
        if any(isinstance(item, Closure) for item in function):
            return found
        return self.library(name, given) | frozenset(closures(function))

    def apply(self, function: Value, given: Arguments) -> Value:
        """Do to the arguments what the known functions among the things called do; return what they give."""
        out = NOTHING
        for item in closures(function):
            self.touch(item)
            if item.methods is None:
                matched = self.match_arguments(item, given)
                self.effects(item, matched)
            else:
                instance = self.fresh() | frozenset([item])
                with_self = replace(given, positional=[instance, *given.positional])
                init = item.methods.get("__init__", item)
                self.effects(init, self.match_arguments(init, with_self))
                values = (*with_self.positional, *given.named.values(), given.spread)
                matched = {Param(item.serial, str(n)): v for n, v in enumerate(values)}
            out |= self.result_of(item, matched)
        return out

    def match_arguments(self, function: Closure, given: Arguments) -> dict[Param, Value]:
        """Return what each parameter is given; those left over may be any."""
        names = function.parameters
        matched = dict.fromkeys(names, given.spread)
        for name, value in zip(names, given.positional, strict=False):
            matched[name] = value | given.spread
        rest = frozenset().union(*given.positional[len(names) - 1 :]) if names else NOTHING
        for name, value in given.named.items():
            if name in names:
                matched[name] = value
            else:
                rest |= value
        for name in names[-2:]:  # *args, **kwargs come last
            matched[name] |= rest
        return {Param(function.serial, name): value for name, value in matched.items()}

    def effects(self, function: Closure, given: dict[Param, Value], depth: int = 0) -> None:
        """Change the arguments as the function's body does."""
        for item in list(function.mutated):
            if item in given:
                self.mutate(given[item])
            elif not isinstance(item, Param):
                self.mutate(self.substitute([item], given))
        for item in list(function.used_up):
            self.use_up(self.substitute([item], given))
        if depth > 4 or self.closure is not None:
            return
        for called, arguments in function.calls:
            inner = Arguments(
                [self.substitute(value, given) for value in arguments.positional],
                {name: self.substitute(value, given) for name, value in arguments.named.items()},
            )
            for item in closures(self.substitute(called, given)):
                if item is not function and item.methods is None:
                    self.effects(item, self.match_arguments(item, inner), depth + 1)

    # --- libraries ------------------------------------------------------------------------------------------------

    def change_arguments(self, name: str, given: Arguments) -> None:
        """`heapq.heappush(heap, x)`, `pickle.dump(x, file)`: functions known to change what they are given."""
        values = [*given.positional, *given.named.values()]
        for value in values if name in ("dump", "update_wrapper") else values[:1]:
            self.mutate(value)

    def library(self, name: str, given: Arguments) -> Value:
        """A function nothing is known of but perhaps its name."""
        everything = given.all
        self.use_up(everything)
        if name in libraries.ARGUMENT_MUTATORS:
            self.change_arguments(name, given)
        carried = frozenset(closures(everything))
        if name in libraries.DEFAULTING:
            return self.fresh("defaulting") | carried
        if name in libraries.LIBRARY_ITERATORS or given.named.keys() & {"chunksize", "iterator"}:
            return self.fresh("iterator") | carried | everything
        if name in libraries.VIEWS:
            return self.fresh() | everything
        return self.fresh("figure" if name in libraries.FIGURES else "plain") | carried

    def builtin(self, name: str, node: ast.Call) -> Value:
        given = self.arguments(node)
        for item in closures(given.all):
            self.touch(item)
        if name in ("print", "input") and "file" in given.named:
            self.mutate(given.named["file"])
        if name in libraries.SCALARS:
            self.use_up(given.all)
            return self.fresh("fixed")
        if name in libraries.ITERATORS:
            # shares the iterators it was made of: reading one reads the other
            return self.fresh("iterator") | given.all
        if name in ("list", "tuple", "set", "dict", "sorted", "frozenset", "sum", "max", "min"):
            self.use_up(given.all)
            return self.fresh() | frozenset(closures(given.all))
        return self.library(name, given)

    def call_attribute(self, node: ast.Call, func: ast.Attribute) -> Value:
        """`module.function(...)` or `receiver.method(...)`."""
        receiver = self.evaluate(func.value)
        given = self.arguments(node)
        name = func.attr
        if name in ("query", "eval"):
            self.names_in_text(node)
        for item in closures(given.all):
            self.touch(item)
        kinds = {i.kind if isinstance(i, Thing) else None for i in receiver}
        if kinds == {"module"} or (
            kinds == {"imported"} and name not in libraries.CONTAINER_MUTATORS
        ):
            return self.library(name, given)
        own = [i for i in closures(receiver) if i.methods and name in i.methods]
        if own:
            return self.call_method(own, receiver, name, given)
        inplace = next((k.value for k in node.keywords if k.arg == "inplace"), None)
        changes = inplace is not None and not (
            isinstance(inplace, ast.Constant) and inplace.value is False
        )
        if name == "plot":
            changes |= any(not isinstance(i, Thing) or i.kind == "figure" for i in receiver)
        if self.closure is not None and name in libraries.ARGUMENT_MUTATORS:
            self.change_arguments(name, given)  # the receiver may be a module
        if name == "open":
            return self.fresh("iterator")
        if changes or name not in libraries.PURE_METHODS:
            self.call_on(receiver, name)
            self.use_up(given.all)
            self.hold(func.value, given.all)
            return self.fresh() | _derived(receiver)
        self.use_up(given.all)
        self.use_up(receiver, "defaulting" if name == "setdefault" else "iterator")
        carried = frozenset(closures(receiver | given.all))
        if name in libraries.VIEWS:
            return _derived(receiver) | self.fresh()
        return self.fresh() | carried

    def call_method(
        self, classes: list[Closure], receiver: Value, name: str, given: Arguments
    ) -> Value:
        """A method of a class of the notebook: it changes its receiver only if its body says so."""
        out = NOTHING
        given = replace(given, positional=[receiver, *given.positional])
        for owner in classes:
            method = (owner.methods or {})[name]
            matched = self.match_arguments(method, given)
            self.effects(method, matched)
            out |= self.result_of(method, matched)
        return out

    # --- code in texts --------------------------------------------------------------------------------------------

    def names_in_text(self, node: ast.Call) -> None:
        for part in walk_all(node.args):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                for name in _AT_NAME.findall(part.value):
                    self.load_if_bound(name, node)

    def load_if_bound(self, name: str, node: ast.AST) -> None:
        """Read a name that may not be meant as one."""
        if name in self.values or name in self.must or self.closure is not None:
            self.guard += 1
            self.load(name, node)
            self.guard -= 1

    def dynamic_code(self, name: str, node: ast.Call) -> Value:
        """`exec` and `eval` of a literal are read as code; other dynamic code may do anything with any name."""
        given = self.arguments(node)
        text = node.args[0] if node.args else None
        if name == "vars" and node.args:
            return given.all
        if name in _CODE and self.has_own_namespace(node, given):
            self.use_up(given.all)
            self.mutate(given.all)
            return self.fresh()
        if name in _CODE and isinstance(text, ast.Constant) and isinstance(text.value, str):
            if self.closure is None:
                self.run_text(text.value, node)
            else:
                self.note_dynamic(node)
            return self.fresh()
        if name in ("locals", "vars", "dir", "eval"):
            if self.closure is not None:
                self.closure.looks_around |= name == "eval"
            else:
                self.looks_around |= name != "dir" or not node.args
        else:
            self.note_dynamic(node)
        return NAMESPACE if name in ("globals", "locals", "vars") else self.fresh()

    def has_own_namespace(self, node: ast.Call, given: Arguments) -> bool:
        """Whether the code of `exec` runs in a namespace that is not the notebook's: `None` and `globals()` are the notebook's."""
        named = [k.value for k in node.keywords if k.arg in ("globals", "locals")]
        spaces = (*node.args[1:], *named)
        others = [s for s in spaces if not (isinstance(s, ast.Constant) and s.value is None)]
        if not others or given.spread:
            return False
        ours = any(
            isinstance(part, ast.Name) and part.id in ("globals", "locals", "vars", "user_ns")
            for part in walk_all(others)
        )
        values = frozenset().union(*given.positional[1:], *given.named.values())
        return not ours and NAMESPACE.isdisjoint(values)

    def run_text(self, code: str, node: ast.AST) -> None:
        """Walk Python that is in a text, at the place of the text. `flow` knows statements."""
        raise NotImplementedError

    def magic(self, magic: magic_calls.Magic, node: ast.Call) -> Value:
        if self.find("get_ipython") is None and self.closure is None:
            self.load("get_ipython", node)
        for part in walk_all(s for text in magic.expands for s in magic_calls.parse(text)):
            if isinstance(part, ast.Name):
                self.load_if_bound(part.id, node)
        if magic.code is not None and self.closure is None:
            self.run_text(magic.code, node)
        for name in magic.binds:
            self.binds.setdefault(name, node)
            self.store(name, self.fresh(), node)
        if magic.is_opaque:
            self.note_dynamic(node)
        return self.fresh()


def _derived(receiver: Value) -> Value:
    """Return what a method of these objects may give of them: perhaps themselves."""
    return frozenset(
        item._replace(derived=True) if isinstance(item, Global) else item for item in receiver
    )
