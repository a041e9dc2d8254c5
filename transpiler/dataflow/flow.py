"""The data flow of one cell: a walk over its top level in the order it runs, with summaries of the functions in it."""

import ast
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from transpiler.dataflow.expressions import last_name
from transpiler.dataflow.objects import NOTHING, Closure, Value
from transpiler.dataflow.statements import Statements
from transpiler.python import magic_calls
from transpiler.python.scope import Bindings

_SUPPRESSORS = frozenset(["suppress", "raises", "assertRaises", "ExitStack", "AsyncExitStack"])
_NAME_ERRORS = frozenset(["NameError", "Exception", "BaseException", "UnboundLocalError"])


class Flow(Statements):
    """Walks the statements of one cell. After `run`, the attributes say what it does with the notebook's names.

    `values` is what the notebook's names stand for, and is kept up from cell to cell by the caller.
    """

    def __init__(self, values: dict[str, Value], cell: int) -> None:
        super().__init__(values, cell)
        self.dead = False
        self.depth = 0

    def run(self, body: Sequence[ast.stmt]) -> None:
        self.block(body)
        for closure in self.reachable(self.closures):
            for name, node in closure.loads.items():
                if name not in self.must:
                    self.indirect.setdefault(name, node)

    def run_text(self, code: str, node: ast.AST) -> None:
        """Walk Python that is in a text; what it binds is bound, though the compiler does not see it."""
        outer, self.at = self.at, self.at or node
        body = magic_calls.parse(code)
        for name in Bindings(body).binds:
            self.binds.setdefault(name, node)
        self.block(body)
        self.at = outer

    def block(self, body: Iterable[ast.stmt]) -> None:
        """Walk statements in order."""
        for statement in body:
            method: Callable[[ast.stmt], None] = getattr(
                self, f"do_{type(statement).__name__}", self.do_other
            )
            method(statement)

    def do_other(self, node: ast.stmt) -> None:
        """A statement that only evaluates expressions."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.evaluate(child)

    # --- branches -------------------------------------------------------------------------------------------------

    def branches(self, blocks: Iterable[Callable[[], None]]) -> None:
        """Walk blocks of which one runs: certain is what is certain after each that comes to its end."""
        if self.closure is not None:
            for block in blocks:
                block()
            return
        scope = self.scope
        start, dead, outer = set(self.must), self.dead, self.changed
        own = set(scope.names) if scope else set()
        ends: list[tuple[set[str], dict[str, Value], set[str]]] = []
        dying: list[tuple[set[str], dict[str, Value], set[str]]] = []
        for block in blocks:
            self.must, self.dead, self.changed = set(start), dead, {}
            block()
            now = {n: self.values.get(n, NOTHING) for n in self.changed}
            end = self.must, now, set(scope.names) if scope else set()
            (dying if self.dead else ends).append(end)
            for name, value in self.changed.items():
                if value is None:
                    self.values.pop(name, None)
                else:
                    self.values[name] = value
            if scope and scope.kind == "class":
                scope.names &= own
        self.changed = outer
        self.dead = not ends
        self.must = set.intersection(*(end[0] for end in ends)) if ends else start
        if scope and scope.kind == "class" and ends:
            scope.names |= set.intersection(*(end[2] for end in ends))
        merging = ends or dying
        for name in dict.fromkeys(name for _, now, _ in merging for name in now):
            before = self.values.get(name, NOTHING)
            self.assign(name, frozenset().union(*(now.get(name, before) for _, now, _ in merging)))

    def do_If(self, node: ast.If) -> None:
        self.evaluate(node.test)
        self.branches([lambda: self.block(node.body), lambda: self.block(node.orelse)])

    def do_Match(self, node: ast.Match) -> None:
        """`match`: a last case without a guard that takes everything makes one of them certain."""
        subject = self.evaluate(node.subject)
        last = node.cases[-1]
        takes_all = isinstance(last.pattern, ast.MatchAs) and not last.pattern.pattern
        blocks: list[Callable[[], None]] = [
            partial(self.case, case, subject) for case in node.cases
        ]
        if not (takes_all and last.guard is None):
            blocks.append(lambda: None)
        self.branches(blocks)

    def case(self, case: ast.match_case, subject: Value) -> None:
        """One case: its pattern, guard and body."""
        for part in ast.walk(case.pattern):
            if isinstance(part, ast.MatchValue):
                self.evaluate(part.value)
            elif isinstance(part, ast.MatchClass):
                self.evaluate(part.cls)
            elif isinstance(part, ast.MatchMapping):
                for key in part.keys:
                    self.evaluate(key)
        for name, node in Bindings([case.pattern]).binds.items():
            self.store(name, subject, node)
        self.evaluate(case.guard)
        self.block(case.body)

    def do_For(self, node: ast.For | ast.AsyncFor) -> None:
        """`for`: its body may not run at all."""
        items = self.evaluate(node.iter)
        self.use_up(items)

        def body() -> None:
            self.store_target(node.target, items)
            self.block(node.body)

        self.loop(body, node.orelse, endless=False)

    do_AsyncFor = do_For

    def do_While(self, node: ast.While) -> None:
        """`while`; `while True` is left by `break` only."""
        self.evaluate(node.test)
        endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        self.loop(lambda: self.block(node.body), node.orelse, endless)

    def loop(self, body: Callable[[], None], orelse: list[ast.stmt], endless: bool) -> None:
        """Walk a loop. The outermost is walked twice, so that what a turn leaves behind meets the next."""
        self.loops.append([])
        self.depth += 1
        before = self.dead
        if self.closure is None:
            self.branches([body, lambda: None])
            if self.depth == 1:
                self.dead = before
                self.branches([body, lambda: None])
        else:
            body()
        self.depth -= 1
        breaks = self.loops.pop()
        if endless and self.closure is None:
            self.dead = not breaks
            if breaks:
                self.must = set.intersection(*breaks)
        if breaks and orelse:
            self.branches([lambda: self.block(orelse), lambda: None])
        else:
            self.block(orelse)

    def do_Break(self, node: ast.stmt) -> None:
        if self.loops and self.closure is None:
            self.loops[-1].append(set(self.must))
        self.dead = self.dead or self.closure is None

    def do_Continue(self, node: ast.stmt) -> None:
        """`continue`: the rest of the block is not run."""
        self.dead = self.dead or self.closure is None

    def do_Raise(self, node: ast.Raise) -> None:
        self.do_other(node)
        self.dead = self.dead or self.closure is None

    def do_Try(self, node: ast.Try) -> None:
        """`try`: a handler may start after any part of the body; `finally` always runs."""
        names = {
            last_name(part)
            for handler in node.handlers
            for part in (ast.walk(handler.type) if handler.type else [ast.Name("NameError")])
            if isinstance(part, ast.Name | ast.Attribute)
        }
        caught = bool(names & _NAME_ERRORS)
        start = set(self.must)

        def body() -> None:
            self.guard += caught
            self.block(node.body)
            self.guard -= caught
            self.block(node.orelse)

        self.branches([body, *(partial(self.handler, h, node.body) for h in node.handlers)])
        after, self.must = self.must, start
        self.block(node.finalbody)
        self.must = after | self.must

    do_TryStar = do_Try

    def handler(self, handler: ast.ExceptHandler, body: list[ast.stmt]) -> None:
        """`except E as e`: `e` is deleted at its end."""
        if self.closure is None:
            for name in Bindings(body).binds:  # may have been bound before the error
                self.current(name)
        self.evaluate(handler.type)
        if handler.name:
            self.store(handler.name, self.fresh(), handler)
        self.block(handler.body)
        if handler.name:
            self.forget(handler.name)

    def do_With(self, node: ast.With | ast.AsyncWith) -> None:
        """`with`: some contexts swallow errors, then the rest of the body has not run."""
        swallows = False
        for item in node.items:
            value = self.evaluate(item.context_expr)
            if isinstance(item.context_expr, ast.Call):
                swallows |= last_name(item.context_expr.func) in _SUPPRESSORS
            swallows |= any(isinstance(part, Closure) for part in value)
            if item.optional_vars:
                self.store_target(item.optional_vars, value)
        if swallows:
            self.branches([lambda: self.block(node.body), lambda: None])
        else:
            self.block(node.body)

    do_AsyncWith = do_With
