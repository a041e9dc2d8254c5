"""Reports what a cell does to the machine that serves the app, or needs from it: commands, windows, folders, absolute paths (PP216 to PP221)."""

import ast
import re
from collections.abc import Iterator
from itertools import chain

from transpiler.dataflow import cell_kind
from transpiler.dataflow.cell import CodeCell
from transpiler.model import rules
from transpiler.model.diagnostics import Diagnostic
from transpiler.model.ir import Field
from transpiler.notices.call_sites import Site
from transpiler.python import libraries, magic_calls
from transpiler.python.scope import walk_all

_COMMANDS = re.compile(
    r"os\.(?:system|popen|startfile)|subprocess\.(?!PIPE|DEVNULL|STDOUT|\w*Error)\w+|pexpect\.\w+"
)
_SHELL_CELLS = frozenset(["bash", "sh", "script", "cmd", "!", "sx", "system", "perl", "ruby"])
_WINDOWS = re.compile(
    r"cv2\.(?:imshow|namedWindow)|tkinter\.Tk|turtle\.(?:Turtle|Screen|forward|fd|done|mainloop)|pygame\.display\.set_mode"
    r"|webbrowser\.open\w*|easygui\.\w+|tkinter\.(?:filedialog|messagebox)\.\w+"
)
_BACKENDS = re.compile(r"(?:tk|gtk\d?|gtk\d|wx|macosx|qt\d?)(?:agg|cairo)?", re.IGNORECASE)
_FREE = frozenset(["text", "textarea", "url-list", "json", "file", "files", "password"])
"""Fields in which anything can be typed."""

_CLEANING = libraries.words("strip lower upper format replace join title lstrip rstrip")
"""Methods of a text whose result is as free as the text."""

_SYSTEM = ("/dev/", "/proc/", "/sys/", "/etc/", "/usr/", "/tmp/")


class EnvironmentNotices:
    """Goes through the cells in order and reports what concerns the machine; each kind once a notebook."""

    def __init__(self) -> None:
        self._typed: dict[str, str] = {}
        """Names that hold a user's text -> the field it comes from."""
        self._once: set[str] = set()
        self._depth = 0  # How many folders below the run's own the cells work by now

    def about(self, cell: CodeCell, calls: list[Site]) -> Iterator[Diagnostic]:
        self._note_answers(cell)
        for site in calls:
            runs_answer = list(self._runs_answers(cell, site))
            yield from runs_answer or self._commands(cell, site)
            yield from self._windows(cell, site)
            yield from self._folders(cell, site)

    def _first(self, kind: str) -> bool:
        if kind in self._once:
            return False
        self._once.add(kind)
        return True

    # --- commands -------------------------------------------------------------------------------------------------

    def _commands(self, cell: CodeCell, site: Site) -> Iterator[Diagnostic]:
        magic = magic_calls.magic_of(site.node)
        if magic is None:
            command = site.written if _COMMANDS.fullmatch(site.name) else None
        elif magic.is_shell or (magic.kind == "run_line_magic" and magic.name in ("sx", "system")):
            command = f"!{magic.line.strip()}"
        else:
            is_script = magic.kind == "run_cell_magic" and magic.name in _SHELL_CELLS
            command = f"%%{magic.name}" if is_script else None
        if command is not None and self._first("command"):
            place = site.called if magic is None else site.place
            short = command if len(command) <= 60 else f"{command[:59]}…"
            yield rules.SHELL_COMMAND.at(cell.source.span(place), command=short)

    # --- answers --------------------------------------------------------------------------------------------------

    def _note_answers(self, cell: CodeCell) -> None:
        if not self._typed and not cell.code.fields and "input(" not in cell.source.text:
            return
        fields = {field.name: field for field in cell.code.fields}
        for node in walk_all(cell.body):
            if not isinstance(node, ast.Assign):
                continue
            source = self._source(node.value)
            for target in node.targets:
                if isinstance(target, ast.Name):
                    self._typed.pop(target.id, None)
                    if source and not _is_limited(fields.get(target.id)):
                        self._typed[target.id] = source
        for name, field in fields.items():
            if not _is_limited(field):
                self._typed[name] = f"the answer `{name}`"

    def _source(self, node: ast.expr) -> str | None:
        """Return what was typed that is in this text as it was typed; None when there is nothing, or it was made harmless."""
        match node:
            case ast.Name(id=name):
                return self._typed.get(name)
            case ast.Call(func=ast.Name(id="input")):
                return "the answer"
            case ast.Call(func=ast.Name(id="str"), args=args):
                parts: list[ast.expr] = args
            case ast.Call(func=ast.Attribute(value=text, attr=attr), args=args) if (
                attr in _CLEANING
            ):
                parts = [text, *args]
            case ast.JoinedStr(values=values):
                parts = [part.value for part in values if isinstance(part, ast.FormattedValue)]
            case ast.BinOp(left=left, right=right):
                parts = [left, right]
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                pass
            case _:
                return None
        return next(filter(None, map(self._source, parts)), None)

    def _runs_answers(self, cell: CodeCell, site: Site) -> Iterator[Diagnostic]:
        magic = magic_calls.magic_of(site.node)
        if magic is not None and (magic.is_shell or magic.name in _SHELL_CELLS):
            statements = chain.from_iterable(map(magic_calls.parse, magic.expands))
            texts = [s.value for s in statements if isinstance(s, ast.Expr)]
            what = "in a shell command"
        elif site.name in ("os.system", "os.popen") or (
            site.name.startswith("subprocess.")
            and (site.says("shell", True) or site.last.startswith("get"))
        ):
            texts, what = site.node.args[:1], "in a shell command"
        elif isinstance(site.node.func, ast.Name) and site.node.func.id in ("eval", "exec"):
            texts, what = site.node.args[:1], "as Python"
        else:
            return
        source = next(filter(None, map(self._source, texts)), None)
        if source is not None:
            yield rules.RUNS_ANSWER.at(cell.source.span(site.place), answer=source, what=what)

    # --- windows and folders --------------------------------------------------------------------------------------

    def _windows(self, cell: CodeCell, site: Site) -> Iterator[Diagnostic]:
        call = site.written
        opens = bool(_WINDOWS.fullmatch(site.name))
        if site.name in ("matplotlib.use", "matplotlib.pyplot.switch_backend") and site.node.args:
            backend = site.node.args[0]
            if isinstance(backend, ast.Constant) and _BACKENDS.fullmatch(str(backend.value)):
                call, opens = ast.unparse(site.node), True
        if opens and self._first(site.name):
            yield rules.OPENS_WINDOW.at(cell.source.span(site.place), call=call)

    def _folders(self, cell: CodeCell, site: Site) -> Iterator[Diagnostic]:
        magic = magic_calls.magic_of(site.node)
        if magic is not None and magic.kind == "run_line_magic" and magic.name == "cd":
            folder: str | None = magic.line.strip().strip("\"'") or "~"
        elif site.name == "os.chdir" and site.node.args:
            folder = cell_kind.literal_text(site.node.args[0], {})
        else:
            return
        if folder is not None and self._leaves(folder) and self._first("folder"):
            yield rules.LEAVES_FOLDER.at(cell.source.span(site.place), folder=folder)

    def _leaves(self, folder: str) -> bool:
        if re.match(r"[/~\\]|[A-Za-z]:|-$", folder):
            return True
        parts = [part for part in folder.split("/") if part not in ("", ".")]
        self._depth += sum(-1 if part == ".." else 1 for part in parts)
        return self._depth < 0

    def about_path(self, cell: CodeCell, node: ast.AST, path: str) -> Iterator[Diagnostic]:
        """Yield what there is to say about a path that a cell reads."""
        if not path.startswith(_SYSTEM) and self._first("path"):
            yield rules.ABSOLUTE_PATH.at(cell.source.span(node), path=path)


def _is_limited(field: Field | None) -> bool:
    """Whether a field takes certain values only, so that nothing dangerous can be typed."""
    return field is not None and (
        field.raw  # only literals pass the form
        or (field.type not in _FREE and not field.allow_input)
    )


# --- magics -----------------------------------------------------------------------------------------------------------

_DEFINES = (
    "register_line_magic", "register_cell_magic", "register_line_cell_magic", "register_magic", "magics_class",
    "load_ipython_extension", "load_extension", "alias_magic", "define_magic",
)  # fmt: skip


class Magics:
    """Reports magics that neither IPython nor anything above can have defined; each once."""

    def __init__(self) -> None:
        self._open = False
        """Whether an extension was loaded, or a magic defined: any name may be known then."""
        self._told: set[str] = set()

    def about(self, cell: CodeCell, calls: list[Site], modules: set[str]) -> Iterator[Diagnostic]:
        """Yield what there is to say about one cell. `modules` were imported: some define a magic of their name."""
        self._open |= any(word in cell.source.text for word in _DEFINES)
        for site in calls:
            magic = magic_calls.magic_of(site.node)
            if magic is None or magic.kind not in ("run_line_magic", "run_cell_magic"):
                continue
            loads = magic.name in ("load_ext", "reload_ext", "run", "alias", "macro")
            self._open |= loads and magic.line.strip() not in ("autoreload", "storemagic")
            is_known = magic.name in libraries.IPYTHON_MAGICS or magic.name in modules
            if self._open or is_known or magic.name in self._told:
                continue
            self._told.add(magic.name)
            percent = "%" if magic.kind == "run_line_magic" else "%%"
            span = cell.source.span(site.place)
            yield rules.UNKNOWN_MAGIC.at(span, magic=f"{percent}{magic.name}")
