"""Chooses titles for steps without a heading above them.

The first of these that there is: the cell's own first comment, the labels of what it asks for, what it shows at its end, a name it
gives to later cells. A title that another step has already, or no title at all, becomes that of its section with a number; where
there are no sections, no title becomes that of a plot, or the names that the cell's last lines are about.
"""

import ast
import builtins
import re
from collections.abc import Container, Iterator, Sequence

from transpiler.model import names
from transpiler.model.ir import AnalysedCode, PlannedStep
from transpiler.notebook.markdown import plain_heading

# --- texts ----------------------------------------------------------------------------------------------------------------


def first_words(markdown: str) -> str:
    """Return the first paragraph of a markdown text as one line of plain words, without its pictures."""
    paragraph = " ".join(markdown.strip().split("\n\n")[0].split())
    return plain_heading(re.sub(r"!\[[^\]]*\]\([^)]*\)", "", paragraph))


def training_prompt(title: str, intro: str, steps: tuple[PlannedStep, ...], closing: str) -> str:
    """Return the chat model's prompt about the workflow: the notebook's own words, and what each step asks."""
    parts = [f"# {title}", intro]
    for step in steps:
        parts += [f"## {step.title}", step.text]
        parts += [f"The person gives: {f.label}." for f in step.fields]
    parts.append(closing)
    return "\n\n".join(part.strip() for part in parts if part.strip())


# --- titles ---------------------------------------------------------------------------------------------------------------


_SHOWING = frozenset(["display", "pprint", "Markdown", "HTML", "show"])
"""Calls that say nothing of what is shown, as those of builtins do not."""
_READING = frozenset(["value", "head", "tail", "describe", "T", "result"])
"""Attributes that lead to a part of what is shown, or to another look at it."""
_DRESSING = frozenset(
    [
        "show",
        "title",
        "suptitle",
        "xlabel",
        "ylabel",
        "xlim",
        "ylim",
        "legend",
        "grid",
        "text",
        "tight_layout",
        "axis",
    ]
)
"""Calls that say how a plot looks."""
SHORT = 3
LONG = 60
_IMPORT = re.compile(r"^[ \t]*(?:import|from)[ \t](.*)", re.MULTILINE)


def from_code(item: AnalysedCode) -> str | None:
    """Return a title from the cell's first comment, or from what it asks for; None without both."""
    if item.suggested_title:
        return item.suggested_title
    if len(item.code.fields) > 1 and "parameters" in item.code.cell.tags:
        return "Parameters"
    if item.code.fields:
        return _list_labels([asked.label for asked in item.code.fields])
    return None


def distinct_titles(
    drafts: Sequence[tuple[str | None, str | None, list[AnalysedCode]]],
) -> Iterator[str]:
    """Return the titles of steps in order; of each its title if it has one, the heading of its section, its cells."""
    used = {title.lower() for title, _, _ in drafts if title}
    texts = [item.code.python.text for *_, cells in drafts for item in cells if item.code.python]
    imported = {
        word
        for text in texts
        for line in _IMPORT.findall(text)
        for word in re.findall(r"\w+", line)
    }
    for given, section, cells in drafts:
        if given:
            yield given
            continue
        title = _from_shown(cells) or _from_names(cells)
        if not title or title.lower() in used:
            title = section or title or _from_read(cells, imported) or "Result"
        number, base = 1, title
        while title.lower() in used:
            number += 1
            title = f"{base} · {number}"
        used.add(title.lower())
        yield title


def _list_labels(labels: list[str]) -> str:
    """`Amount, rate and years`; of more than three only the first two are named."""
    first, *rest = labels if len(labels) <= SHORT else [*labels[:2], "more"]
    rest = [label[:1].lower() + label[1:] if label[1:2].islower() else label for label in rest]
    return first if not rest else f"{', '.join([first, *rest[:-1]])} and {rest[-1]}"


def _from_shown(cells: list[AnalysedCode]) -> str | None:
    """What the step's last cell shows at its end, where names say it: `counter`, `plan.value, bank.value`, `words(text)`."""
    body = _body(cells) if cells and cells[-1].shows else []
    if not body or not isinstance(body[-1], ast.Expr):
        return None
    value = body[-1].value
    parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
    found = [_name_in(part) for part in parts]
    if not found or not all(found):
        return None
    return _list_labels(list(dict.fromkeys(names.in_words(name) for name in found if name)))


def _name_in(node: ast.expr) -> str | None:
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in _SHOWING or hasattr(builtins, name):
            return None
        case ast.Call(func=ast.Attribute(attr=attr, value=value)) if attr in _READING:
            return _name_in(value)
        case ast.Call(func=ast.Name() as func):
            return _name_in(func)
        case ast.Attribute(attr=attr, value=value) if attr in _READING:
            return _name_in(value)
        case ast.Name(id=name) if len(name) > SHORT and not name.startswith("_"):
            return name
    return None


def _from_names(cells: list[AnalysedCode]) -> str | None:
    """The last name a step gives to later ones, if it is a word and not one that an import or a loop binds."""
    for item in reversed(cells):
        python = item.code.python
        text = python.text if python else ""
        for name in reversed(item.names.binds):
            passing = rf"^\s*(?:(?:import|from)\b.*|(?:async )?for\b[^:]*?)\b{name}\b"
            if len(name) <= SHORT or name.startswith("_"):
                continue
            if not re.search(passing, text, re.MULTILINE):
                return names.in_words(name)
    return None


def _from_read(cells: list[AnalysedCode], imported: Container[str]) -> str | None:
    """The title of the step's plot, else the first names of the notebook's own that its last lines are about."""
    body = _body(cells)
    for line in reversed(body):
        match line:
            case ast.Expr(
                ast.Call(
                    ast.Attribute(attr="set_title" | "title" | "suptitle"),
                    [ast.Constant(str(title)), *_],
                )
            ):
                return title.strip()[:LONG] or None
    for line in reversed(body):
        if words := _words(line, {*cells[-1].given}, imported):
            return _list_labels(words)
    return None


def _words(line: ast.stmt, given: set[str], imported: Container[str]) -> list[str]:
    """What a line is about: names of the notebook's own that it reads; without any, a function that it calls."""
    match line:
        case ast.Expr(ast.Call(ast.Attribute(attr=attr))) if attr in _DRESSING or attr.startswith(
            "set_"
        ):
            return []
    nodes = list(ast.walk(line))
    read = [node for node in nodes if isinstance(node, ast.Name)]
    passing = given | {node.id for node in read if isinstance(node.ctx, ast.Store)}
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    telling = [
        node
        for node in sorted(read, key=lambda node: (node.lineno, node.col_offset))
        if len(node.id) > SHORT
        and not node.id.startswith("_")
        and node.id not in passing
        and node.id not in imported
        and not hasattr(builtins, node.id)
    ]
    found = [node for node in telling if id(node) not in called] or telling
    return list(dict.fromkeys(names.in_words(node.id) for node in found))[:2]


def _body(cells: list[AnalysedCode]) -> list[ast.stmt]:
    """The lines of the step's last cell; none where it is no Python."""
    python = cells[-1].code.python if cells else None
    try:
        return ast.parse(python.text).body if python else []
    except (SyntaxError, ValueError, RecursionError):
        return []
