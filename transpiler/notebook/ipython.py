"""Code cells as Python: `#|` lines out, IPython's own input transformer over the rest, each line with where it came from.

A cell that is Python already (nearly all are) never meets IPython. What only makes sense on a notebook's screen goes:

    %matplotlib inline     the app shows figures by itself
    %autoreload 2          nothing is edited while the app runs (it stays where the notebook writes a module itself)
    df?                    help goes to the notebook's pager
    !pip install pandas    a requirement of the app

`%config InlineBackend.figure_format = "svg"` stays: it says what figures look like, and works in a kernel without
`%matplotlib inline` before it (a kernel of ipykernel has the inline backend from its start; tried with 7.4 and IPython 9.18).
Only `%config InlineBackend.rc` depends on whether that line came before it or not, so both stay.
"""

import ast
import re
import tokenize
import warnings
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from itertools import chain
from typing import Any

from transpiler.model import rules
from transpiler.model.diagnostics import Diagnostic, Found, Span
from transpiler.model.ir import Cell, Python
from transpiler.notebook.directives import droppable_lines
from transpiler.notebook.installs import requirements_of
from transpiler.python.positions import line_span

_AT_MOST = 500  # Special lines in one cell; IPython gives up there too


def parse(text: str) -> ast.Module:
    """Return the syntax tree of a cell's Python text, as IPython takes it: `await` is allowed at the top level.

    Raises SyntaxError, also for what only the compiler refuses (a `return` outside a function). Each statement is compiled
    by itself, as IPython does.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            tree: ast.Module = compile(text, "<cell>", "exec", flags | ast.PyCF_ONLY_AST, True)
            for statement in tree.body:
                compile(ast.Module([statement], []), "<cell>", "exec", flags, True)
    except SyntaxError:
        raise
    except ValueError as error:  # what cannot be encoded, such as half a character
        raise SyntaxError(str(error)) from None
    except (RecursionError, MemoryError):
        raise SyntaxError("it is nested too deeply") from None
    return tree


_KEPT = {
    "autoreload": re.compile(r"%%(?:write)?file\b.*\.py\b|\.py['\"]"),
    "matplotlib": re.compile(r"\bInlineBackend\.rc\b"),
}
"""Magics that stay in a notebook with a cell that says this."""


def kept_in(sources: Iterable[str]) -> frozenset[str]:
    """Return the magics of a notebook's screen that matter to what this notebook's cells compute."""
    text = "\n".join(sources)
    return frozenset(name for name, reason in _KEPT.items() if reason.search(text))


def python_of(cell: Cell, kept: frozenset[str] = frozenset()) -> tuple[Python | None, Found]:
    """Return the Python text of a code cell, None with PP201 when it does not parse, and what was left out.

    `kept` are magics that are not left out here, see `kept_in`.
    """
    dropped = frozenset(droppable_lines(cell.source))
    source = enumerate(cell.source.split("\n"))
    lines = [_TransformedLine(text, number + 1) for number, text in source if number not in dropped]
    try:
        return _python(lines), ()
    except SyntaxError as error:
        as_it_stands = error
    if len(lines) > 1 and not lines[-1].text:
        lines.pop()  # IPython counts a last newline as the end of a line, not as the start of another
    transformation = _Transformation(cell, kept)
    transformed = transformation.run(lines)
    if transformed == lines:
        return None, (_syntax_error(cell, lines, as_it_stands),)
    try:
        python = _python(transformed, magic=True, requirements=tuple(transformation.requirements))
    except SyntaxError as error:
        return None, (_syntax_error(cell, transformed, error),)
    return python, tuple(transformation.found)


@dataclass(frozen=True, slots=True)
class _TransformedLine:
    """A line of the text, where it came from, and whether it is the `pass` of a line that was left out."""

    text: str
    number: int
    left_out: bool = False


def _python(
    lines: list[_TransformedLine], magic: bool = False, requirements: tuple[str, ...] = ()
) -> Python:
    """The lines as Python text, checked. Raises SyntaxError."""
    text = _text(lines)
    tree = parse(text)
    if any(line.left_out for line in lines):
        kept = _without_passes(lines, tree)
        shorter = _text(kept)
        with suppress(SyntaxError):  # after a backslash at a line's end, something must come
            parse(shorter)
            lines, text = kept, shorter
    origin = tuple(line.number for line in lines) or (1,)
    return Python(text, origin, magic, _ends_in_semicolon(text), requirements)


def _text(lines: list[_TransformedLine]) -> str:
    return "\n".join(line.text for line in lines)


def _without_passes(lines: list[_TransformedLine], tree: ast.Module) -> list[_TransformedLine]:
    """Take away each `pass` of a line left out that nothing needs.

    Needed are those in a block (it may be all of it), and one after a last expression, whose value IPython would show if
    nothing came after it.
    """
    free = {
        statement.lineno - 1
        for statement in tree.body
        if lines[statement.lineno - 1].left_out and not statement.col_offset
    }
    kept = [statement for statement in tree.body if statement.lineno - 1 not in free]
    if kept and isinstance(kept[-1], ast.Expr):
        free -= {tree.body[-1].lineno - 1}
    return [line for i, line in enumerate(lines) if i not in free]


def _ends_in_semicolon(text: str) -> bool:
    """Whether IPython takes the cell's last `;` as a wish to see nothing: it is the last token but comments."""
    if ";" not in text:
        return False
    ignored = (tokenize.ENDMARKER, tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT)
    tokens = [token for token in tokens_of(text) if token.type not in ignored]
    return bool(tokens) and tokens[-1].string == ";"


def tokens_of(text: str) -> list[tokenize.TokenInfo]:
    return list(tokenize.generate_tokens(StringIO(text, newline="\n").readline))


def _syntax_error(cell: Cell, lines: list[_TransformedLine], error: SyntaxError) -> Diagnostic:
    """PP201 at the place in the cell; in a line the transformer rewrote, the line is all that is known."""
    source = cell.source.split("\n")
    line = _TransformedLine("", 1)
    if lines:
        line = lines[min(max(error.lineno or 1, 1), len(lines)) - 1]
    original = source[line.number - 1]
    if original.endswith(line.text) and error.offset:
        column = len(original) - len(line.text) + min(error.offset, len(line.text) + 1)
        end = column
        if error.end_lineno == error.lineno and (error.end_offset or 0) > error.offset:
            end = min(column + (error.end_offset or 0) - error.offset, len(original) + 1)
        span = Span(cell.index, line.number, column, line.number, end)
    else:
        span = line_span(cell, line.number)
    return rules.SYNTAX_ERROR.at(span, reason=error.msg)


# --- IPython ------------------------------------------------------------------------------------------------------

_CALL = re.compile(r"get_ipython\(\)\.(\w+)\((.*)\)")
_NAMES = re.compile(r"\s*[^\W\d][\w.]*(?:[,\s]+[^\W\d][\w.]*)*\s*")
_BACKEND_QUESTION = re.compile(r"\s*-")


class _Transformation:
    """One cell on its way through IPython's transformer, with what was left out on the way."""

    def __init__(self, cell: Cell, kept: frozenset[str]) -> None:
        self._cell = cell
        self._kept = kept
        self.requirements: list[str] = []
        self.found: list[Diagnostic] = []

    def run(self, lines: list[_TransformedLine]) -> list[_TransformedLine]:
        """Return the lines as IPython would run them; as they are, when it does nothing with them or gives up."""
        from IPython.core.inputtransformer2 import TransformerManager

        manager = TransformerManager()  # type: ignore[no-untyped-call]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                cleaned = self._clean_lines(manager.cleanup_transforms, lines)
                if cleaned and cleaned[0].text.startswith("%%"):
                    called = self._cell_magic(manager.line_transforms, cleaned)
                    if called is not None:
                        return called
                return self._special_lines(manager.do_one_token_transform, cleaned)
        except Exception:
            # the transformer meets text that is no Python at all: it fails in many ways, and means "not Python" by each
            return lines

    def _clean_lines(
        self, transforms: Iterable[Any], lines: list[_TransformedLine]
    ) -> list[_TransformedLine]:
        """Leading blank lines, a common indent and prompts go; of these only the first changes the number of lines."""
        texts = _with_line_ends(lines)
        for transform in transforms:
            texts = _cut("".join(transform(texts)))
        return [
            _TransformedLine(text.removesuffix("\n"), line.number)
            for text, line in zip(texts, lines[len(lines) - len(texts) :], strict=True)
        ]

    def _cell_magic(
        self, transforms: Iterable[Any], lines: list[_TransformedLine]
    ) -> list[_TransformedLine] | None:
        """The whole cell as one call; None when it is not one (`%%time?` asks for help)."""
        name, _, args = lines[0].text[2:].strip().partition(" ")
        body = self._installing_body(name, args, lines[1:])
        if body is not None and not _text(body).strip():
            return [_TransformedLine("pass", lines[0].number, left_out=True)]
        texts = _with_line_ends(lines[:1] + (lines[1:] if body is None else body))
        for transform in transforms:
            texts = transform(texts)
        if len(texts) != 1 or texts[0].startswith("%%"):
            return None
        return [_TransformedLine(texts[0].rstrip("\n"), lines[0].number)]

    def _installing_body(
        self, name: str, args: str, body: list[_TransformedLine]
    ) -> list[_TransformedLine] | None:
        """The body of a `%%capture` or `%%bash` without its lines that install; None when there are none to take out.

        From a shell script only all of it is taken: its lines may depend on each other. A `%%capture out` stays.
        """
        prefix = {"capture": r"[!%]\s*", "bash": "", "sh": ""}.get(name)
        if prefix is None or (args and not args.startswith("-")):
            return None
        taken: dict[_TransformedLine, tuple[str, ...]] = {}
        for line in body:
            match = re.fullmatch(rf"{prefix}(\S.*)", line.text)
            if match and (packages := requirements_of(match.group(1))):
                taken[line] = packages
        rest = [line for line in body if line not in taken]
        blank = all(line.text.lstrip()[:1] in ("", "#") for line in rest)
        if not taken or (name != "capture" and not blank):
            return None
        numbers = [line.number for line in taken]
        self._require([*chain(*taken.values())], numbers[0], numbers[-1])
        return [] if blank else rest

    def _special_lines(
        self,
        transform: Callable[[list[str]], tuple[bool, list[str]]],
        lines: list[_TransformedLine],
    ) -> list[_TransformedLine]:
        """Each special line becomes a call, one at a time, the first one first."""
        for _ in range(_AT_MOST):
            before = _with_line_ends(lines)
            changed, after = transform(list(before))
            if not changed:
                return lines
            pairs = zip(before, after, strict=False)
            at = next(i for i, (old, new) in enumerate(pairs) if old != new)
            went = len(before) - len(after)
            end_number = lines[at + went].number
            line = self._transform_line(after[at].rstrip("\n"), lines[at].number, end_number)
            lines = [*lines[:at], line, *lines[at + went + 1 :]]
        raise RuntimeError("too many special lines")

    def _transform_line(self, text: str, number: int, end_number: int) -> _TransformedLine:
        """The transformed line, or its stand-in when the app does without it."""
        call = _call(text)
        if call is None:
            return _TransformedLine(text, number)
        method, args = call
        indent = text[: len(text) - len(text.lstrip())]
        as_it_is = _TransformedLine(text, number)
        stand_in = _TransformedLine(f"{indent}pass", number, left_out=True)
        written = "\n".join(self._cell.source.split("\n")[number - 1 : end_number]).strip()
        span = line_span(self._cell, number, end_number)
        match method, *args:
            case "run_line_magic", name, *rest if name in self._kept or (
                "autoreload" in self._kept
                and (name == "aimport" or "".join(rest).strip() == "autoreload")
            ):
                return as_it_is
            case "run_line_magic", "matplotlib", backend if not _BACKEND_QUESTION.match(backend):
                if backend.strip() not in ("", "inline"):
                    reason = "the app shows figures as pictures"
                    self.found.append(rules.MAGIC_DROPPED.at(span, magic=written, reason=reason))
                return stand_in
            case "run_line_magic", "aimport", names if _NAMES.fullmatch(names):
                modules = ", ".join(names.replace(",", " ").split())
                return _TransformedLine(f"{indent}import {modules}", number)
            case "run_line_magic", "load_ext" | "reload_ext", name if name.strip() != "autoreload":
                return as_it_is
            case "run_line_magic", "load_ext" | "reload_ext" | "autoreload" | "aimport", _:
                reason = "the code does not change while the app runs"
                self.found.append(rules.MAGIC_DROPPED.at(span, magic=written, reason=reason))
                return stand_in
            case ("show_usage",) | ("run_line_magic", "pinfo" | "pinfo2" | "psearch", _):
                self.found.append(rules.HELP_DROPPED.at(span, line=written))
                return stand_in
            case ("system" | "getoutput", command):
                packages = requirements_of(command)
            case ("run_line_magic", "pip" | "conda" | "mamba" | "micromamba" | "uv" as name, rest):
                packages = requirements_of(f"{name} {rest}")
            case _:
                packages = ()
        if not packages:
            return as_it_is
        self._require(packages, number, end_number)
        return stand_in

    def _require(self, packages: Collection[str], number: int, end_number: int) -> None:
        self.requirements += packages
        span = line_span(self._cell, number, end_number)
        self.found.append(rules.REQUIREMENT.at(span, packages=", ".join(packages)))


def _with_line_ends(lines: list[_TransformedLine]) -> list[str]:
    """The lines as IPython wants them: each with its end."""
    return [f"{line.text}\n" for line in lines]


def _cut(text: str) -> list[str]:
    """Text cut after each newline; unlike `str.splitlines` not at form feeds and the like, which Python reads over."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _call(text: str) -> tuple[str, list[str]] | None:
    """What a transformed line calls on the shell and with which texts; None when it is no such statement (`a = %pwd`)."""
    match = _CALL.fullmatch(text.strip())
    return (match.group(1), ast.literal_eval(f"[{match.group(2)}]")) if match else None
