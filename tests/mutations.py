"""Mutated notebooks, plugins and sidecars: what a disk, a hand, git or another program may leave."""

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

ODD_VALUES: list[Any] = [
    None, True, 0, -1, 1.5, 10**30, "", "x", "\ud800", "a\x00b", "é" * 3, [], ["x"], [None], {}, {"a": {}}, [[[]]],
]  # fmt: skip
ODD_CHARACTERS = "\\\"'#|%!?&;:,.()[]{}@=*\t\f\v\x00\x1c\x85\u2028\ud800\ufeff日é\n\r "
FRAGMENTS = [
    "#| input: x\n", "#| step: \ud800\n", "#| choices: [", "#| {", "#| raises: 5\n", "#@title\n", "#@param {type:'x'}",
    "  # @param [1,", "%%bash\n", "%%time\n", "%matplotlib inline\n", "!ls {x}\n", "x?", "%run a.py\n", "\\\n", "\\",
    "global x\n", "return x\n", "yield x\n", "await x\n", "async with x:\n", "lambda: (yield)", "x := 1", "(x := 1)", "*x",
    "match x:\n  case _: pass\n", "def f(\n", "class C:\n", "'''", 'f"{x!r:>{y}}"', 'f"{', "del x\n", "from x import *\n",
    "import a.b as c\n", "input('q')\n", 'print(f"{input("q")}")\n', "widgets.IntSlider(", "interact(f, x=", "x: int = 5\n",
    "@interact\n", "pip.set('a', 1)\n", "nonlocal x\n", "__import__('x')\n", "if True:\n", "    x\n", "\tx\n", "x;\n", ";\n", "...",
    "exec('x=1')\n", "print(1)\n", "1_000j", "0777", "b'\\xff'", "u'x'", "open('\x00')\n", "open('../x')\n", "# -*- coding: latin-1 -*-\n",
]  # fmt: skip
SEEDS = sorted(
    path for path in (ROOT / "fixtures").rglob("*.ipynb") if path.stat().st_size < 20_000
)


def changed_text(chance: random.Random, text: str, fragments: list[str] = FRAGMENTS) -> str:
    """Return a text with one edit: a fragment more, a part less, a part twice, a character put in."""
    at, to = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    match chance.randrange(5):
        case 0:
            return text[:at] + chance.choice(fragments) + text[at:]
        case 1:
            return text[:at] + text[min(to, at + 12) :]
        case 2:
            return text[:to] + text[at:]
        case 3:
            return text[:at] + chance.choice(ODD_CHARACTERS) + text[at:]
        case _:
            lines = text.split("\n")
            chance.shuffle(lines)
            return "\n".join(lines)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each part of a JSON value, the whole first."""
    yield path
    parts = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value) if isinstance(value, list) else ()
    )
    for key, part in parts:
        yield from places(part, (*path, key))


def changed_json(chance: random.Random, value: Any) -> Any:
    """Return a JSON value with one part of it changed, gone, twice, or renamed."""
    value = copy.deepcopy(value)
    path = chance.choice(list(places(value)))
    if not path:
        return chance.choice(ODD_VALUES)
    parent = value
    for key in path[:-1]:
        parent = parent[key]
    last = path[-1]
    match chance.randrange(4):
        case 0:
            parent[last] = chance.choice(ODD_VALUES)
        case 1:
            del parent[last]
        case 2 if isinstance(parent, list):
            parent.insert(chance.randrange(len(parent) + 1), copy.deepcopy(parent[last]))
        case 2:
            parent[chance.choice(["x", "id", "source", "cell_type", "metadata", "\ud800"])] = (
                parent[last]
            )
        case _:
            parent[last] = (
                changed_text(chance, parent[last])
                if isinstance(parent[last], str)
                else [parent[last]]
            )
    return value


def changed_bytes(chance: random.Random, raw: bytes) -> bytes:
    """Return a file that was cut, or in which a few bytes are others."""
    at = chance.randrange(len(raw) + 1)
    match chance.randrange(4):
        case 0:
            return raw[:at]
        case 1:
            return raw[:at] + bytes([chance.randrange(256)]) + raw[at:]
        case 2:
            return raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1 :]
        case _:
            return b"\xef\xbb\xbf" + raw


def changed_source(chance: random.Random, notebook: Any) -> Any:
    """Return a notebook of which one cell's text, its metadata or its tags are others."""
    notebook = copy.deepcopy(notebook)
    cell = chance.choice(notebook["cells"])
    for _ in range(chance.choice([1, 1, 2, 4])):
        cell["source"] = changed_text(chance, "".join(cell["source"]))
    if not chance.randrange(4):
        cell["metadata"] = {
            "pipulate": {
                chance.choice(["step", "input", "confirm", "pin", "timeout"]): chance.choice(
                    ODD_VALUES
                )
            }
        }
    if not chance.randrange(6):
        cell["metadata"]["tags"] = chance.choice(
            [["parameters"], ["skip"], ["raises-exception"], "x", [5], None]
        )
    return notebook


def mutated_notebook(chance: random.Random) -> bytes:
    """Return a file that may be a notebook."""
    raw = chance.choice(SEEDS).read_bytes()
    try:
        notebook = json.loads(raw)
        notebook["cells"][0]["source"]
    except (ValueError, KeyError, IndexError, TypeError):
        return changed_bytes(chance, raw)
    kind = chance.randrange(10)
    if kind == 0:
        return changed_bytes(chance, raw)
    changed = notebook
    for _ in range(chance.choice([1, 1, 2, 3])):
        if kind < 4:
            changed = changed_json(chance, changed)
        else:
            changed = changed_source(chance, changed)
    return json.dumps(changed).encode()


def damage(chance: random.Random, folder: Path) -> str:
    """Change one file of a folder of plugins; return what was done."""
    file = chance.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
    raw = file.read_bytes()
    if chance.randrange(12) == 0:
        file.unlink()
        return f"{file.name} is gone"
    if file.suffix == ".json" and chance.randrange(3):
        file.write_text(json.dumps(changed_json(chance, json.loads(raw))), encoding="utf-8")
        return f"{file.name} says something else"
    if file.suffix in (".py", ".txt") and chance.randrange(8):
        text = raw.decode()
        parts = [
            "<<<<<<< HEAD\n",
            "=======\n",
            "    # --- END_STEP_BUNDLE: step_01 ---\n",
            "class X:\n",
            "    @cell('x')\n",
            *FRAGMENTS,
        ]
        for _ in range(chance.choice([1, 2, 5])):
            text = changed_text(chance, text, parts)
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        return f"{file.name} was edited"
    file.write_bytes(changed_bytes(chance, raw))
    return f"{file.name} has other bytes"
