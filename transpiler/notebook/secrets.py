"""Keys that stand in a notebook: API keys, tokens, private keys. They must not go into a plugin.

Each is overwritten by a filler of the same length as soon as the notebook is read, so that no later pass sees it and every
position stays. A text literal that was a key becomes a field of type password (`fields`).
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from transpiler.model import rules
from transpiler.model.diagnostics import Diagnostic, Span
from transpiler.model.ir import Cell, Notebook

# What the makers of keys give them so that they can be found.
_KNOWN = re.compile(
    r"""(?<![A-Za-z0-9])(?:
        sk-(?=[\w-]*[0-9])(?=[\w-]*[A-Z])[A-Za-z0-9_-]{20,} | [sr]k_(?:live|test)_[A-Za-z0-9]{16,}
      | gh[pousr]_[A-Za-z0-9]{30,} | github_pat_[A-Za-z0-9_]{30,} | glpat-[A-Za-z0-9_-]{20,}
      | (?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9]) | AIza[A-Za-z0-9_-]{35} | ya29\.[A-Za-z0-9_-]{20,}
      | hf_[A-Za-z0-9]{30,} | npm_[A-Za-z0-9]{36} | pypi-[A-Za-z0-9_-]{40,} | xox[abeprs]-[A-Za-z0-9-]{10,}
      | SG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{30,}
      | eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}
    )""",
    re.VERBOSE,
)
_BLOCK = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(.+?)-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL
)
# `SERVICE_TOKEN = "..."`, `api_key="..."`, `os.environ["API_SECRET"] = '...'`, `{"password": "..."}`
_NAMED = re.compile(
    r"""(?ix) (?:api_?key|access_?key|auth_?key|private_?key|token|secret|passw(?:or)?d|credentials?) \w*
    ["']?\]? [ \t]* (?: :[ \t]*[\w.]+[ \t]*= | [:=] | ,[ \t]* ) [ \t]* (?P<quote>["']) (?P<value>[A-Za-z0-9+/=_-]{20,}) (?P=quote)"""
)
_FILL = "key-left-out-"
_SHORTEST = 16


def filler(length: int) -> str:
    return (_FILL * (length // len(_FILL) + 1))[:length]


def is_filler(text: object) -> bool:
    """Whether a text stands for a key, and for nothing else."""
    return isinstance(text, str) and len(text) >= _SHORTEST and text == filler(len(text))


def has_filler(text: str) -> bool:
    return _FILL in text


def overwrite_notebook_keys(notebook: Notebook, found: list[Diagnostic]) -> Notebook:
    """Return the notebook with its keys overwritten, adding to `found` where they stood."""
    return replace(notebook, cells=tuple(_without(cell, found) for cell in notebook.cells))


def overwrite_keys(text: str, code: bool = True) -> str:
    for start, end in _places(text, code):
        text = text[:start] + _same_lines(text[start:end]) + text[end:]
    return text


def _without(cell: Cell, found: list[Diagnostic]) -> Cell:
    code = cell.kind == "code"
    places = list(_places(cell.source, code))
    for start, end in places:
        line = cell.source.count("\n", 0, start) + 1
        first = start - (cell.source.rfind("\n", 0, start) + 1) + 1
        last = first + len(cell.source[start:end].partition("\n")[0])
        found.append(rules.KEY_IN_NOTEBOOK.at(Span(cell.index, line, first, line, last)))
    return replace(cell, source=overwrite_keys(cell.source, code)) if places else cell


def _places(text: str, code: bool) -> Iterator[tuple[int, int]]:
    """Where keys stand, in order."""
    found = [match.span() for match in _KNOWN.finditer(text)]
    found += [match.span(1) for match in _BLOCK.finditer(text)]
    if code:
        found += [m.span("value") for m in _NAMED.finditer(text) if _is_random(m["value"])]
    end = 0
    for place in sorted(found):
        if place[0] >= end and not is_filler(text[place[0] : place[1]]):
            yield place
            end = place[1]


def _is_random(value: str) -> bool:
    """Whether a value looks drawn by lot: long hexadecimal digits, or capitals, small letters and digits mixed."""
    if re.fullmatch(r"[0-9a-fA-F]{32,}", value):
        return not value.isdigit()
    kinds = (str.isupper, str.islower, str.isdigit)
    mixed = all(sum(map(kind, value)) >= 3 for kind in kinds)
    return mixed and not re.search(r"[a-z]{8,}|[A-Z]{8,}|(.)\1{4,}", value)


def _same_lines(key: str) -> str:
    """The filler for a key; line breaks stay."""
    return "\n".join(filler(len(line)) for line in key.split("\n"))


# --- keys in code ---------------------------------------------------------------------------------------------------------


def is_key(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and is_filler(node.value)


def keys_in(tree: ast.Module) -> Iterator[tuple[ast.Constant, str]]:
    """Find the texts that were keys, each with the name the code has for it, in order.

    Not those inside f-strings and patterns of `match`: no expression can stand in their place.
    """
    found: list[tuple[ast.Constant, str]] = []
    _look(tree, "key", found)
    yield from sorted(found, key=lambda pair: (pair[0].lineno, pair[0].col_offset))


def _look(node: ast.AST, called: str, found: list[tuple[ast.Constant, str]]) -> None:
    match node:
        case ast.Constant():
            if is_key(node):
                found.append((node, called))
        case ast.JoinedStr() | ast.pattern():
            pass
        case ast.Assign(targets=[target, *_], value=value):
            _look(value, _name(target, called), found)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            _look(value, _name(target, called), found)
        case ast.keyword(arg=str(name), value=value):
            _look(value, name, found)
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                _look(value, _name(key, called), found)
        case _:
            for child in ast.iter_child_nodes(node):
                _look(child, called, found)


def _name(target: ast.expr | None, otherwise: str) -> str:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))) | ast.Constant(value=str(name)):
            return name
    return otherwise
