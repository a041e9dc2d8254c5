"""Names in magics and shell lines, as IPython's input transformer writes them into Python.

`%time y = f(x)` becomes `get_ipython().run_line_magic('time', 'y = f(x)')`; the names such a call reads and binds are in its text.
"""

import ast
import re
from dataclasses import dataclass

from transpiler.python import libraries

_DOLLAR = re.compile(r"(?<!\$)\$([A-Za-z_][A-Za-z_0-9]*)")
_BRACES = re.compile(r"(?<!\{)\{([^{}]+)\}(?!\})")
_OPTIONS = re.compile(r"(?:-{1,2}[a-zA-Z][\w-]*(?:[ =]?\d+)?\s+)*")


@dataclass(frozen=True, slots=True)
class Magic:
    """A call of IPython's: `kind` is the method, `name` the magic ('' for a shell line)."""

    kind: str
    name: str
    line: str
    body: str = ""

    @property
    def code(self) -> str | None:
        """The Python it runs; None when it runs none of this notebook's."""
        if self.name in libraries.TIMING:
            statement = _OPTIONS.sub("", self.line, count=1) if self.name != "time" else self.line
            return f"{statement}\n{self.body}" if self.kind == "run_cell_magic" else statement
        if self.kind == "run_cell_magic" and self.name == "capture":
            return self.body
        return None

    @property
    def binds(self) -> tuple[str, ...]:
        """Names it binds other than through `code`: `%%capture out`, `%%bash --out listing`, `%%time -o`."""
        if self.name == "capture":
            return tuple(word for word in self.line.split() if word.isidentifier())[:1]
        if self.name == "timeit" and re.match(r"(-\S+ )*-\w*o\b", self.line):
            return ("_",)
        return tuple(re.findall(r"--(?:out|err|proc)[ =](\w+)", self.line))

    @property
    def expands(self) -> tuple[str, ...]:
        """Expressions IPython puts the value of into the text: `$x`, `{x}`."""
        text = self.line
        if self.kind == "run_cell_magic" and self.name in ("!", "sx", "system"):
            text += "\n" + self.body
        return (*_DOLLAR.findall(text), *_BRACES.findall(text))

    @property
    def is_shell(self) -> bool:
        return self.kind in ("system", "getoutput", "getoutput_system", "system_raw")

    @property
    def is_opaque(self) -> bool:
        """Whether it may read and bind names we cannot know."""
        if self.is_shell or self.name in libraries.TIMING or self.name in libraries.HISTORY_MAGICS:
            return False
        safe = (
            libraries.SAFE_CELL_MAGICS
            if self.kind == "run_cell_magic"
            else libraries.SAFE_LINE_MAGICS
        )
        return self.name not in safe and not self.name.startswith("pinfo")


def is_shell_object(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "get_ipython"
    )


def magic_of(node: ast.Call) -> Magic | None:
    """Return what a call of IPython's says, None when the call is another."""
    func = node.func
    if not (isinstance(func, ast.Attribute) and is_shell_object(func.value)):
        return None
    texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    if len(texts) != len(node.args):
        return None
    match func.attr, texts:
        case "system" | "getoutput" | "system_raw", [line]:
            return Magic(func.attr, "", line)
        case "run_line_magic", [name, line]:
            return Magic(func.attr, name, line)
        case "run_cell_magic", [name, line, body]:
            return Magic(func.attr, name, line, body)
        case "magic", [text]:
            name, _, line = text.partition(" ")
            return Magic("run_line_magic", name.lstrip("%"), line)
    return None


def parse(code: str) -> list[ast.stmt]:
    """Return the statements of a piece of Python in a magic; none when it does not parse."""
    try:
        return ast.parse(code.strip()).body
    except (SyntaxError, ValueError):
        return []
