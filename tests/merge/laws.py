"""The laws that a merge must hold over random edits, and the table of how often what happened. `python -m tests.merge.laws 5000`"""

import ast
import random
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass

from tests.merge.generator import (
    Made,
    World,
    compiled,
    edit_notebook,
    edit_plugin,
    known_of,
    notebook,
)
from transpiler.merge.merge import Merged, Request, merge

_TOKEN = re.compile(r"\b[UN]\d+x\b|_([UN]\d+x)\b")
BLOCKS = re.compile(r"^ *# >>> PORT CONFLICT(?s:.*?)# <<< PORT CONFLICT.*\n", re.MULTILINE)


@dataclass(frozen=True)
class Trial:
    """Two sides of edits, and what came of them."""

    seed: int
    base: Made
    ours: str
    theirs: Made
    merged: Merged
    hand: int
    notebook: int
    apart: bool
    """Whether no edit concerns what an edit of the other side concerns."""
    kinds: tuple[str, ...]


def trial(seed: int, one_by_one: bool = False) -> Trial:
    """Make and merge a pair."""
    rng = random.Random(seed)
    world = World(rng)
    cells = notebook(world)
    base = compiled(cells)
    hand = 1 if one_by_one else rng.randint(1, 4)
    other = 1 if one_by_one else rng.randint(1, 3)
    ours = base.text
    for _ in range(hand):
        ours = edit_plugin(world, ours, base)
    by_hand, world.touched = world.touched, set()
    for number in range(other):
        cells = edit_notebook(world, cells, 100 + number)
    theirs = compiled(cells, known_of(base.plan), ids=rng.random() > 0.1)
    newer = rng.random() < 0.1  # a newer compiler writes something else in every step
    if newer:
        theirs = Made(
            theirs.text.replace('aria_busy="true"', 'aria_busy="yes"'), theirs.plan, theirs.owner
        )
    merged = merge(base.text, ours, theirs.text, _request(theirs))
    uids = [{uid for _, uid in side} for side in (by_hand, world.touched)]
    steps = not newer or not any("handler" in kind for kind in world.kinds)
    apart = (
        not (uids[0] & uids[1])
        and steps
        and not any("split" in k or "merge" in k for k in world.kinds)
    )
    return Trial(seed, base, ours, theirs, merged, hand, other, apart, tuple(world.kinds))


def _request(theirs: Made, merged: Merged | None = None) -> Request:
    moves = {} if merged else dict(theirs.plan.moves)
    return Request(merged.conflicts if merged else (), moves)


def broken(it: Trial) -> list[str]:
    """Return the laws that a trial breaks, each in a few words."""
    b, o, t, m = it.base.text, it.ours, it.theirs.text, it.merged.text
    found = []
    clean = not it.merged.conflicts
    try:
        tree = ast.parse(m)
    except SyntaxError as error:
        return [f"7/8: the result does not parse: {error}"]
    if it.merged.conflicts and not BLOCKS.search(m):
        found.append("a conflict without a block")
    if clean and "PORT CONFLICT" in m:
        found.append("11: a block without a conflict")
    again = merge(t, m, t, _request(it.theirs, it.merged))
    if again.text != m or again.conflicts != it.merged.conflicts:
        found.append("2: the second run changes something")
    if it.seed % 5 == 0:
        if merge(b, b, t, _request(it.theirs)).text != t:
            found.append("1: M(B,B,T) is not T")
        if merge(b, o, b).text != _header(o, b):
            found.append("1: M(B,O,B) is not O")
        if merge(b, o, _header(o, t)).text != _header(o, t) and not it.theirs.plan.moves:
            found.append("1: M(B,O,O) is not O")
    waived = _waived(it)
    for token in sorted(_tokens(o) - _tokens(b)):
        if token not in _tokens(m):
            found.append(f"3: {token} of the user is lost")
    for token in sorted(_tokens(t) - _tokens(b) - waived):
        if token not in _tokens(m):
            found.append(f"4: {token} of the notebook is lost")
    found += _misplaced(it)
    names = _methods(tree)
    doubled = [n for n, c in names.items() if c > 1 and _methods(ast.parse(o))[n] < c]
    if doubled:
        found.append(f"7: {doubled} twice")
    if clean:
        found += _left(it) + _list(it)
    return found


def _header(text: str, of: str) -> str:
    """A text with the header line of another one."""
    pattern = re.compile(r"^# port: .*$", re.MULTILINE)
    return pattern.sub(lambda _: pattern.search(of)[0], text, count=1)  # type: ignore[index]


def _tokens(text: str) -> set[str]:
    return {a or b for a, b in re.findall(r"(?<![A-Za-z0-9])([UN]\d+x)\b|_([UN]\d+x)\b", text)}


def _methods(tree: ast.Module) -> Counter[str]:
    return Counter(
        f"{node.name}.{member.name}"
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for member in node.body
        if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def _waived(it: Trial) -> set[str]:
    """Tokens of steps that the user deleted: they stay deleted, and the report says so."""
    gone = {c.unit.rpartition("/")[2] for c in it.merged.changes if c.what == "deleted"}
    steps = {name.removeprefix("entry ") for name in gone}
    text = ""
    for step in steps:
        found = re.search(
            rf"START_STEP_BUNDLE: {step} ---(?s:.*?)END_STEP_BUNDLE: {step} ---", it.theirs.text
        )
        text += found[0] if found else ""
        entry = re.search(rf'id="{step}",\n(?:.*\n){{3}}', it.theirs.text)
        text += entry[0] if entry else ""
    return _tokens(text)


def _functions(text: str) -> dict[str, str]:
    """The function or the entry of the list in which each token stands."""
    found = {}
    name = ""
    for line in BLOCKS.sub("", text).split("\n"):
        if match := re.match(r"    (?:async )?def (step_\w+)\(", line):
            name = match[1]
        elif match := re.match(r"    (?:async )?def |    # --- END", line):
            name = ""
        for token in _tokens(line):
            found[token] = name
    return found


def _misplaced(it: Trial) -> list[str]:
    """Law 6: a line stands in the function of the cell it was written for."""
    found = []
    here = _functions(it.merged.text)
    moved = dict(it.theirs.plan.moves)
    for side, text, owner, names in (
        ("user", it.ours, it.base.owner, moved),
        ("notebook", it.theirs.text, it.theirs.owner, {}),
    ):
        for token, name in _functions(text).items():
            if token not in here or token[0] != side[0].upper() or name not in owner:
                continue
            expected = names.get(name, name)
            if here[token] != expected:
                found.append(f"6: {token} of the {side} is in {here[token]}, not in {expected}")
    # And the identity itself: the cell keeps its functions.
    for before, uid in it.base.owner.items():
        now = moved.get(before, before)
        if (
            now in it.theirs.owner
            and it.theirs.owner[now] != uid
            and not any("split" in k or "merge" in k for k in it.kinds)
        ):
            found.append(f"6: {before} is of cell {uid}, {now} of {it.theirs.owner[now]}")
    return found


def _left(it: Trial) -> list[str]:
    """Law 5: nothing is left that the notebook took away and the user did not touch."""
    count = [
        Counter(li.strip() for li in text.split("\n"))
        for text in (it.base.text, it.ours, it.theirs.text, it.merged.text)
    ]
    b, o, t, m = count
    kept = {c.unit for c in it.merged.changes if "your code" in c.note}
    return [
        f"5: left: {line}"
        for line in b
        if line
        and "print(" in line
        and o[line] == b[line]
        and t[line] < b[line]
        and m[line] > t[line]
        and not kept
    ]


def _list(it: Trial) -> list[str]:
    """Law 7: the steps list is the notebook's, without what the user deleted."""
    deleted = {c.unit.rpartition(" ")[2] for c in it.merged.changes if c.what == "deleted"}
    wanted = [step.id for step in it.theirs.plan.steps if step.id not in deleted]
    there = [step for step in it.merged.after if step != "finalize"]
    return [] if there == wanted else [f"7: the list is {there}, not {wanted}"]


@dataclass
class Table:
    """How often what happened."""

    pairs: int = 0
    conflicts: int = 0
    apart: int = 0
    apart_conflicts: int = 0
    wrong: int = 0

    def line(self, name: str) -> str:
        rate = 100 * self.conflicts / max(1, self.pairs)
        return f"| {name} | {self.pairs} | {rate:.1f} % | {self.wrong} | {self.apart_conflicts} of {self.apart} |"


def run(seeds: range, one_by_one: bool, stop: bool = False) -> tuple[Table, list[str]]:
    """Run trials; return the table's figures and what was broken."""
    table, found = Table(), []
    for seed in seeds:
        it = trial(seed, one_by_one)
        table.pairs += 1
        table.conflicts += bool(it.merged.conflicts)
        table.apart += it.apart
        table.apart_conflicts += it.apart and bool(it.merged.conflicts)
        laws = broken(it)
        if it.apart and it.merged.conflicts:
            laws.append(f"9: a conflict between different units: {it.merged.conflicts[0].unit}")
        if laws and not stop:
            print(seed, it.kinds, laws, file=sys.stderr, flush=True)
        if laws:
            table.wrong += 1
            found.append(f"seed {seed} {'1x1' if one_by_one else ''} {it.kinds}: {laws}")
            if stop:
                break
    return table, found


def main(pairs: int, start: int = 0) -> int:
    """Print the table of many trials; return 1 if a law was broken."""
    began = time.monotonic()
    one, bad_one = run(range(start, start + pairs // 3), True)
    many, bad_many = run(range(start, start + pairs - pairs // 3), False)
    print(
        "| edits (hand x notebook) | pairs | conflict | a law broken | conflicts between different units |"
    )
    print("|---|---:|---:|---:|---:|")
    print(one.line("1 x 1"))
    print(many.line("1-4 x 1-3"))
    print(f"{time.monotonic() - began:.0f} s")
    for line in bad_one + bad_many:
        print(line)
    return int(bool(bad_one or bad_many))


if __name__ == "__main__":
    sys.exit(
        main(
            int(sys.argv[1]) if len(sys.argv) > 1 else 5000,
            int(sys.argv[2]) if len(sys.argv) > 2 else 0,
        )
    )
