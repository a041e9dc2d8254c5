"""Runs inside the kernel, before any cell: makes its shell run a function of the plugin as a cell.

An execute request carries the notebook's code, so that `In`, `%history` and `;` work as in Jupyter, and in its metadata
the name of the function to call. The shell parses the code; then this replaces the syntax tree by a call of the function,
whose globals are the notebook's namespace. That namespace stays clean: the one name needed is a builtin, as IPython's
own `get_ipython` is.

This file is sent to the kernel as text. It imports nothing of this project, and no third-party module but IPython.
"""

import ast
import builtins
import functools
import importlib.util
import json
import linecache
import os
import sys
import types
from typing import Any

NAME = "__pipulate__"


def raise_problem(problem: Exception) -> None:
    """Stand for a function that could not be made."""
    raise problem


def at_the_top(code: types.CodeType, prefix: str) -> types.CodeType:
    """Return code whose lambdas and functions have the qualified names they have at the top of a cell."""
    constants = tuple(
        at_the_top(c, prefix) if isinstance(c, types.CodeType) else c for c in code.co_consts
    )
    return code.replace(co_consts=constants, co_qualname=code.co_qualname.removeprefix(prefix))


def plain(value: Any) -> Any:
    """Return a value in a form JSON can hold, else None. NumPy scalars become numbers, dates become text, also inside a list."""
    if type(value) is list:
        return [plain(item) for item in value]
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return None


class CellFunctions(ast.NodeTransformer):
    """Holds the functions of one plugin and, as an AST transformer, replaces a cell's code by a call of its function."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.nodes: dict[str, Any] = {}
        self.filename = ""
        self.current: Any = None  # the code object of the running cell
        self.call: Any = None
        self.began: Any = None  # what the kernel was before the first cell
        self.done = ""  # the id of the request that was turned into a call already
        shell.ast_transformers.insert(0, self)
        self.showtraceback, shell.showtraceback = shell.showtraceback, self.clean_traceback
        self.should_run_async, shell.should_run_async = shell.should_run_async, self.is_async
        shell.get_local_scope = self.local_scope

    def open(self, source: str, filename: str, class_name: str, folder: str) -> None:
        """Load the source of a plugin and change to the working folder of its run."""
        self.load(source, filename, class_name)
        os.chdir(folder)
        self.shell.history_manager.dir_hist[:] = [str(folder)]
        self.began = self.shell, set(sys.modules), dict(os.environ), folder

    def load(self, source: str, filename: str, class_name: str) -> None:
        """Load the source of a plugin, at first or after it was changed."""
        self.filename = filename
        lines = source.splitlines(keepends=True)
        linecache.cache[filename] = (len(source), None, lines, filename)
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef) and node.name == class_name:
                functions = (ast.FunctionDef, ast.AsyncFunctionDef)
                self.nodes = {n.name: n for n in node.body if isinstance(n, functions)}

    def inside(self, folder: str) -> Any:
        """Return the object that stores and restores the namespace; its modules lie in `folder`."""
        name = "_pipulate_inside"
        if name not in sys.modules:
            package = importlib.util.spec_from_file_location(
                name, f"{folder}/__init__.py", submodule_search_locations=[folder]
            )
            assert package
            sys.modules[name] = importlib.util.module_from_spec(package)
        return importlib.import_module(f"{name}.store").Store(*self.began)

    def suggest(self, name: str) -> None:
        """Publish what a function of the plugin returns, as values for a form."""
        values = {key: plain(value) for key, value in self.function(self.nodes[name])({}).items()}
        for key in values:
            if key.endswith(".choices"):  # a form offers only texts and numbers
                scalars = (str, int, float, bool)
                values[key] = [item for item in values[key] if isinstance(item, scalars)]
        data = {"application/x-pipulate-suggestions": json.dumps(values)}
        self.shell.display_pub.publish(data)

    def cell_request(self) -> Any:
        """Return `(message id, metadata)` of the current request if it runs a cell's function; None the second time."""
        parent = self.shell.kernel.get_parent("shell")
        wanted = parent.get("metadata", {}).get("pipulate")
        if not wanted or parent["header"]["msg_id"] == self.done:
            return None
        return parent["header"]["msg_id"], wanted

    def visit_Module(self, module: ast.Module) -> ast.Module:
        request = self.cell_request()
        if request is None:
            return module  # code that a cell itself gives to the shell
        self.done, wanted = request
        self.current = None
        node = self.nodes.get(wanted["function"])
        try:
            function = self.function(node)
        except (
            Exception
        ) as problem:  # otherwise the shell drops this transformer and runs the code itself
            self.call = functools.partial(raise_problem, problem)
        else:
            arguments = [wanted["form"]] if function.__code__.co_argcount else []
            self.current = function.__code__
            self.call = functools.partial(function, *arguments)
        value: ast.expr = ast.Call(
            ast.Attribute(ast.Name(NAME, ast.Load()), "call", ast.Load()), [], []
        )
        if isinstance(node, ast.AsyncFunctionDef) and self.current:
            value = ast.Await(value)
        return ast.fix_missing_locations(ast.Module([ast.Expr(value)], []))

    def function(self, node: Any) -> types.FunctionType:
        """Compile one function with the shell's flags (`from __future__` of an earlier cell) and transformers."""
        if node is None:
            raise LookupError("The source of the plugin has no function for this cell.")
        plain = type(node)(**{**dict(ast.iter_fields(node)), "decorator_list": []})
        tree: Any = ast.Module([ast.copy_location(plain, node)], [])
        # IPython takes the first line of code named `<module>` for the first line of its file
        plain.lineno = 1
        for transformer in self.shell.ast_transformers:
            if transformer is not self:
                tree = ast.fix_missing_locations(transformer.visit(tree))
        code = self.shell.compile(tree, self.filename, "exec")
        body = next(
            c for c in code.co_consts if isinstance(c, types.CodeType) and c.co_name == node.name
        )
        body = at_the_top(body, f"{node.name}.<locals>.")
        # Logs and tracebacks show these names: as at the top of a cell
        body = body.replace(co_name="<module>", co_qualname="<module>")
        return types.FunctionType(body, self.shell.user_ns, node.name)

    def is_async(self, raw_cell: str, **rest: Any) -> bool:
        """Await a cell whose function is `async`, whatever its code looks like."""
        request = self.cell_request()
        node = self.nodes.get(request[1]["function"]) if request else None
        return isinstance(node, ast.AsyncFunctionDef) or bool(
            self.should_run_async(raw_cell, **rest)
        )

    def local_scope(self, stack_depth: int) -> Any:
        """Return the namespace, not the function's locals, to magics that read the caller's names (`%time y = f()`)."""
        frame = sys._getframe(stack_depth + 1)
        return self.shell.user_ns if frame.f_code is self.current else frame.f_locals

    def clean_traceback(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        """Leave our call out of the traceback, then show it as IPython does."""
        kind, value, trace = exc_tuple or sys.exc_info()
        at: Any = trace
        while at is not None and at.tb_frame.f_code is not self.current:
            at = at.tb_next
        if value is not None and trace is not None and at is not None and trace is not at:
            trace = types.TracebackType(at, trace.tb_frame, trace.tb_lasti, trace.tb_lineno)
            value.__traceback__ = trace
            exc_tuple = (kind, value, trace)
        self.showtraceback(exc_tuple, *args, **kwargs)


def end_with(server: int) -> None:
    """End this process as soon as its server ends, even while a cell holds the interpreter. Linux only."""
    if sys.platform == "linux":
        import ctypes
        import signal

        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, int(signal.SIGKILL))
        if os.getppid() != server:
            os._exit(1)  # the server was killed before prctl


def note_crashes(folder: str) -> None:
    """Write a traceback to a file when a library crashes: stderr is a pipe into this very process by then."""
    import faulthandler

    crash = open(f"{folder}/crash", "w")  # noqa: SIM115, PTH123  # for as long as the process lives
    faulthandler.enable(crash, all_threads=False)


def keep_all_outputs(shell: Any) -> None:
    """Let messages wait for a server that is slower than the cell; by default zmq drops all after a thousand."""
    import zmq

    shell.kernel.iopub_thread.socket.setsockopt(zmq.SNDHWM, 0)


def stand_for_upstream(shell: Any) -> None:
    """Let `from pipulate import pip` work where upstream is not installed; this Python may not have our package either."""
    try:
        module = importlib.import_module("pipulate_runtime.jupyter.upstream")
    except ImportError:
        return
    module.load_ipython_extension(shell)


if sys.modules.get("debugpy", sys) is None:  # `launch` blocked it; a cell may import it
    del sys.modules["debugpy"]
end_with(int(os.environ.get("JPY_PARENT_PID") or os.getppid()))
note_crashes(os.environ["PIPULATE_KERNEL"])
keep_all_outputs(get_ipython())  # type: ignore[name-defined]  # noqa: F821
stand_for_upstream(get_ipython())  # type: ignore[name-defined]  # noqa: F821
setattr(builtins, NAME, CellFunctions(get_ipython()))  # type: ignore[name-defined]  # noqa: F821
