"""Reads from the code of cells what they may do outside the run, or give differently each time. No cell is run.

    effects_of([["import requests"], ["requests.post(url)"]])    # [(), (Effect("network", "requests.post"),)]

It says more than is so rather than less: what it cannot follow may do anything. Values are followed by name from cell to
cell: what a library gave that acts outside (a connection, a session) acts when it is called, or handed to a function.
"""

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence

from pipulate_runtime.effects import tables
from pipulate_runtime.effects.tables import Effect, Kind
from pipulate_runtime.effects.values import (
    BUILTINS,
    Function,
    FunctionNode,
    Names,
    Values,
    is_inside,
)

_MAGIC = re.compile(r"^(\s*)(?:[\w, .\[\]\"']+=\s*)?(?:(!)|%%?(!|\w+))(.*)$")
_FLAGS = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


def effects_of(steps: Sequence[Sequence[str]], first: int = 0) -> list[tuple[Effect, ...]]:
    """Return for each step, given as the code of its cells, what it may do outside the run; () if it only computes.

    `first` is the number of the first step that would run: a seed that an earlier one has set does not count for it.
    """
    names = Names()
    found = []
    for number, cells in enumerate(steps):
        if number == first:
            names.seeded.clear()
        effects: dict[Effect, None] = {}
        for code in cells:
            effects |= dict.fromkeys(_Reader(names).cell(code))
        order = list(tables.WORDS)
        found.append(tuple(sorted(effects, key=lambda effect: order.index(effect.kind))))
    return found


class _Reader(Values, ast.NodeVisitor):
    """Collects the effects of code, and keeps up what its names are."""

    def __init__(self, names: Names, calls: frozenset[str] = frozenset()) -> None:
        """`calls` are the functions whose bodies are being read."""
        self.names, self.calls = names, calls
        self.found: list[Effect] = []

    def cell(self, code: str) -> list[Effect]:
        """Read a cell, with its magics; return its effects."""
        text = "\n".join(self._without_magics(code.split("\n")))
        try:
            with warnings.catch_warnings(action="ignore"):  # about the code of cells
                tree = compile(text, "<cell>", "exec", _FLAGS)
            self.visit(tree)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            self._add("unknown", code.strip().partition("\n")[0])
        return self.found

    def _add(self, kind: Kind, node: ast.AST | str) -> None:
        code = node if isinstance(node, str) else ast.unparse(node)
        self.found.append(Effect(kind, code if len(code) <= 40 else f"{code[:39]}…"))

    # --- magics ---

    def _without_magics(self, lines: list[str]) -> Iterator[str]:
        first = next((line for line in lines if line.strip()), "")
        if first.startswith("%%"):
            name, _, rest = first[2:].partition(" ")
            self._magic(name, rest)
            if name in ("time", "timeit", "capture", "prun"):
                yield from self._without_magics(lines[lines.index(first) + 1 :])
            return
        for line in lines:
            magic = _MAGIC.match(line)
            # `x = a % b` is none: a magic begins the line, or the value
            if magic and not (magic[3] and "=" in line.partition("%")[0] and not _is_magic(line)):
                self._magic(magic[2] or magic[3], magic[4])
                yield f"{magic[1]}pass"
            elif re.match(r"\s*\?|.*[^\s?]\?{1,2}\s*$", line):
                yield ""
            else:
                yield line

    def _magic(self, name: str, line: str) -> None:
        if name in ("writefile", "file"):
            if not is_inside(line.split()[-1] if line.split() else "/"):
                self._add("file", f"%%{name} {line}")
        elif name in ("time", "timeit", "prun") and line.strip():
            code = re.sub(r"^(?:\s*-\w+(?:\s+\d+)?)+", "", line).strip()
            self.found += _Reader(self.names, self.calls).cell(code)
            self._add("clock", f"%{name}")
        elif name == "!" or name in tables.MAGICS:
            self._add(tables.MAGICS.get(name, "program"), f"{name} {line}".strip())
        elif name not in tables.WITHIN:
            self._add("unknown", f"%{name}")

    # --- what binds names ---

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            whole = alias.name if alias.asname else alias.name.partition(".")[0]
            self._bind_import(alias.asname or whole, whole)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                self.names.stars.add(module)
            else:
                self._bind_import(alias.asname or alias.name, f"{module}.{alias.name}")

    def _bind_import(self, name: str, whole: str) -> None:
        self.names.bind(name)
        self.names.imports[name] = whole

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in (
            *node.decorator_list,
            *node.args.defaults,
            *filter(None, node.args.kw_defaults),
        ):
            self.visit(part)
        self.names.bind(node.name)
        self.names.functions[node.name] = node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in (*node.decorator_list, *node.bases):
            self.visit(part)
        self.names.bind(node.name)
        self.names.functions[node.name] = node

    def visit_Assign(self, node: ast.Assign) -> None:
        if not isinstance(node.value, ast.Lambda):
            self.visit(node.value)
        for target in node.targets:
            self._assign(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)
            self._assign(node.target, node.value)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self._assign(node.target, node.value)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self._assign(node.target, node.iter)
        for part in (*node.body, *node.orelse):
            self.visit(part)

    visit_AsyncFor = visit_For

    def visit_comprehension(self, node: ast.comprehension) -> None:
        self.visit(node.iter)
        self._assign(node.target, node.iter)
        for part in node.ifs:
            self.visit(part)

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> None:
        for part in (*node.generators, node.elt):
            self.visit(part)

    visit_SetComp = visit_GeneratorExp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> None:
        for part in (*node.generators, node.key, node.value):
            self.visit(part)

    def visit_withitem(self, node: ast.withitem) -> None:
        self.visit(node.context_expr)
        if node.optional_vars:
            self._assign(node.optional_vars, node.context_expr)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        """Let the names in a target be what a value is; in doubt, more."""
        acting, inside = self._acting(value), self._inside(value)
        path, address = self._is_path(value), self._has_address(value)
        function: Function | None = value if isinstance(value, ast.Lambda) else None
        if isinstance(value, ast.Name):
            function = self.names.functions.get(value.id)
        for node in ast.walk(target):
            if not isinstance(node, ast.Name):
                continue
            if isinstance(node.ctx, ast.Store):
                self.names.bind(node.id)
            if acting:  # also what it is put into: `sessions["a"] = session`
                self.names.acting[node.id] = acting
            if isinstance(node.ctx, ast.Store):
                known = (self.names.inside, inside), (self.names.paths, path)
                for names, holds in (*known, (self.names.addresses, address)):
                    if holds:
                        names.add(node.id)
                if function:
                    self.names.functions[node.id] = function

    # --- what acts ---

    def visit_Name(self, node: ast.Name) -> None:
        """A function of the notebook that is called, or handed on to be called."""
        if isinstance(node.ctx, ast.Load) and node.id in self.names.functions:
            self.found += self.effects_of_call(node.id)

    def effects_of_call(self, function: str) -> list[Effect]:
        """Return what a function of the notebook does; of a class, what its methods do."""
        if function in self.calls:
            return []
        if function not in self.names.known:
            node = self.names.functions[function]
            inner = _Reader(self.names.within(node), self.calls | {function})
            for part in [node.body] if isinstance(node, ast.Lambda) else node.body:
                inner.visit(part)
                if isinstance(part, FunctionNode) and isinstance(node, ast.ClassDef):
                    inner.found += inner.effects_of_call(part.name)
            self.names.known[function] = inner.found
        return self.names.known[function]

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Handed on to be called."""
        inner = _Reader(self.names.within(node), self.calls)
        inner.visit(node.body)
        self.found += inner.found

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        name = self._full_name(function)
        own = function.id if isinstance(function, ast.Name) else ""
        last = name.rpartition(".")[2] or own or getattr(function, "attr", "")
        self._imported(node, name) if name else self._named(node)
        if own in tables.CALLING or (own not in BUILTINS and last not in tables.DATA):
            for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                if acting := self._acting(argument):
                    self.found.append(acting)
        self._writes(node, name, last)
        if (tables.READS.fullmatch(last) and any(map(self._has_address, node.args[:1]))) or (
            tables.DOWNLOADS.fullmatch(last)
        ):
            self._add("network", node.func)
        elif last in ("to_sql", "to_gbq"):
            self._add("database", node.func)
        self.generic_visit(node)

    def _imported(self, node: ast.Call, name: str) -> None:
        """A function of a library, by its full name."""
        root = name.partition(".")[0]
        if seed := tables.SEEDS.fullmatch(name):
            self.names.seeded.add(seed[1])
        elif kind := tables.kind_of(name):
            a_time_given = kind == "clock" and name.endswith("time") and node.args
            if not (a_time_given or (kind == "chance" and self._is_seeded(node, name, root))):
                self._add(kind, node.func)
        elif name in ("os.chdir", "os.fchdir"):
            self._add("file", node)
        elif tables.PATHS_WRITTEN.fullmatch(name):
            places = node.args[1:] if name.startswith("shutil.copy") else node.args
            if not all(map(self._inside, places)):
                self._add("file", node)
        elif root not in tables.COMPUTES or (root == "os" and not tables.OS_READS.fullmatch(name)):
            self._add("unknown", node.func)

    def _is_seeded(self, node: ast.Call, name: str, root: str) -> bool:
        if name in tables.OWN_GENERATOR and node.args:
            return True
        source = "numpy" if root in ("sklearn", "imblearn", "scipy", "umap") else root
        return source in self.names.seeded or _has_seed(node)

    def _named(self, node: ast.Call) -> None:
        """A builtin, a function of the notebook, or a method of a value."""
        function = node.func
        if isinstance(function, ast.Name):
            name = function.id
            if name in self.names.acting:
                self.found.append(self.names.acting[name])
            elif name in tables.DYNAMIC and name not in self.names.bound:
                if not ((name == "vars" and node.args) or _imports_what_computes(node)):
                    self._add("unknown", node)
            elif not (name in self.names.bound or name in BUILTINS or self._is_of_star()):
                self._add("unknown", function)
        elif isinstance(function, ast.Attribute):
            self._method(node, function)
        elif acting := self._acting(function):
            self.found.append(acting)

    def _method(self, node: ast.Call, function: ast.Attribute) -> None:
        last, receiver = function.attr, function.value
        if ast.unparse(receiver) == "get_ipython()":
            given = [a.value if isinstance(a, ast.Constant) else "/" for a in node.args]
            magics = {"system": "!", "getoutput": "!"}
            self._magic(
                magics.get(last) or str(given[0] if given else "?"), " ".join(map(str, given[1:]))
            )
            if (
                last == "run_cell_magic"
                and len(given) > 2
                and given[0] in ("time", "timeit", "capture")
            ):
                self.found += _Reader(self.names, self.calls).cell(str(given[2]))
        elif (acting := self._acting(receiver)) and last not in tables.DATA:
            self.found.append(acting)
        elif last in ("now", "utcnow", "today"):
            self._add("clock", function)
        elif last == "sample" and self._draws_rows(node):
            self._add("chance", function)

    def _draws_rows(self, node: ast.Call) -> bool:
        packages = {whole.partition(".")[0] for whole in self.names.imports.values()}
        seeded = "numpy" in self.names.seeded or _has_seed(node)
        return bool({"pandas", "polars"} & packages) and not seeded

    def _is_of_star(self) -> bool:
        """Whether a name that nothing binds can only be of a package that computes."""
        return all(star.partition(".")[0] in tables.COMPUTES for star in self.names.stars)

    def _writes(self, node: ast.Call, name: str, last: str) -> None:
        """Note what is written to a place that is not known to be the run's own."""
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
        target = next((k.value for k in node.keywords if k.arg in tables.TARGETS), None)
        first, second = [*node.args, None, None][:2]
        place: ast.expr | None = None
        of_path = receiver and last in tables.OF_PATH_TOO and self._is_path(receiver)
        if of_path or last in tables.OF_PATH:
            place = receiver
        elif last == "open" and (not name or name in tables.OF_FIRST):
            method = receiver is not None and not name
            if not _reads(node, first if method else second):
                place = receiver if method else first
        elif last == "ZipFile":
            place = None if _reads(node, second) else first
        elif last in tables.TO_SECOND or name in tables.TO_SECOND:
            place = target or second
        elif last in tables.TO_FIRST:
            place = target or first
        if place is not None and not self._inside(place):
            self._add("file", node.func)


def _reads(node: ast.Call, mode: ast.expr | None) -> bool:
    """Whether a file is only opened to be read."""
    mode = next((k.value for k in node.keywords if k.arg == "mode"), mode)
    return mode is None or (
        isinstance(mode, ast.Constant) and not set(str(mode.value)) & set("wax+")
    )


def _imports_what_computes(node: ast.Call) -> bool:
    """Whether it is `__import__("pathlib")`, as the compiler writes it where a cell may not import a name."""
    match node:
        case ast.Call(func=ast.Name(id="__import__"), args=[ast.Constant(value=str(name))]):
            return name.partition(".")[0] in tables.COMPUTES
    return False


def _has_seed(node: ast.Call) -> bool:
    return any(k.arg is None or k.arg in tables.OWN_SEED for k in node.keywords)


def _is_magic(line: str) -> bool:
    return bool(re.match(r"\s*(?:[\w, .\[\]\"']+=\s*)?%", line))


def kinds_of(effects: Iterable[Effect]) -> list[Kind]:
    """Return the kinds among effects, each once, the most important first."""
    kinds = {effect.kind for effect in effects}
    return [kind for kind in tables.WORDS if kind in kinds]
