"""The laws that a merge must hold over random edits, and the table of how often what happened. `python -m tests.merge.laws 5000 --jobs 2`"""

import argparse
import gc
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass, fields
from functools import cache
from itertools import combinations

from tests.merge.hands import HELPERS, edit_plugin
from tests.merge.notebooks import (
    POOL,
    Made,
    World,
    compiled,
    edit_notebook,
    known_of,
    meet,
    newer,
    pooled,
)
from transpiler.merge.merge import Merged, MergeRefused, Request, merge
from transpiler.splicing.splice import formatted

_formatted = cache(formatted)
_TOKEN = re.compile(r"(?<![A-Za-z0-9])[UN]\d+x\b")
BLOCKS = re.compile(r"^ *# >>> PORT CONFLICT(?s:.*?)# <<< PORT CONFLICT.*\n", re.MULTILINE)


@dataclass(frozen=True)
class Pair:
    """Two sides of edits."""

    seed: int
    base: Made
    ours: str
    theirs: Made
    apart: bool
    """Whether no edit concerns what an edit of the other side concerns."""
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Trial(Pair):
    """And what came of them."""

    merged: Merged


def trial(pair: Pair) -> Trial:
    """Merge a pair."""
    merged = merge(pair.base.text, pair.ours, pair.theirs.text, _request(pair.theirs))
    known = {field.name: getattr(pair, field.name) for field in fields(Pair)}
    return Trial(**known, merged=merged)


def pair_of(seed: int, one_by_one: bool = False) -> Pair:
    """Make a pair: one edit a side, or one to four by hand and one to three in the notebook."""
    rng = random.Random(f"pair {seed}")
    world = World(rng)
    cells, base = pooled(seed % POOL)
    hand = 1 if one_by_one else rng.randint(1, 4)
    other = 1 if one_by_one else rng.randint(1, 3)
    ours = base.text
    for _ in range(hand):
        ours = edit_plugin(world, ours, base)
    by_hand, world.touched = world.touched, set()
    for number in range(other):
        cells = edit_notebook(world, cells, 100 + number)
    theirs = newer(compiled(cells, known_of(base.plan), ids=rng.random() > 0.1), world.newer)
    apart = not meet(by_hand, world.touched | _retitled(base, theirs))
    return Pair(seed, base, ours, theirs, apart, tuple(world.kinds))


def _retitled(base: Made, theirs: Made) -> set[tuple[int, str]]:
    """The entries of steps whose title is another one, since another cell or none stands above them now."""
    before = {step.id: step.title for step in base.plan.steps}
    return {
        (base.owner[step.id], "entry")
        for step in theirs.plan.steps
        if before.get(step.id, step.title) != step.title
    }


def _request(theirs: Made, merged: Merged | None = None) -> Request:
    moves = {} if merged else dict(theirs.plan.moves)
    return Request(
        merged.conflicts if merged else (),
        moves,
        merged.renames if merged else {},
        formatted=_formatted,
    )


def broken(it: Trial) -> list[str]:
    """Return the laws that a trial breaks, each in a few words."""
    b, o, t, m = it.base.text, it.ours, it.theirs.text, it.merged.text
    found = []
    clean = not it.merged.conflicts
    try:
        again = merge(t, m, t, _request(it.theirs, it.merged))
    except MergeRefused as refused:
        return [f"7/8: the result is not Python: {refused}"]
    if it.merged.conflicts and not BLOCKS.search(m):
        found.append("a conflict without a block")
    if clean and "PORT CONFLICT" in m:
        found.append("11: a block without a conflict")
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
    for token in sorted(tokens(o) - tokens(b)):
        if token not in tokens(m):
            found.append(f"3: {token} of the user is lost")
    for token in sorted(tokens(t) - tokens(b) - waived):
        if token not in tokens(m):
            found.append(f"4: {token} of the notebook is lost")
    found += _misplaced(it)
    doubled = [n for n, c in (_methods(m) - _methods(o)).items() if _methods(m)[n] > 1]
    if doubled:
        found.append(f"7: {doubled} twice")
    for helper in HELPERS:
        if f"self.{helper}(" in m and f"def {helper}(" not in m:
            found.append(f"7: {helper} is called and has another name now")
    if it.apart and not clean:
        found.append(f"9: a conflict between different units: {it.merged.conflicts[0].unit}")
    if clean:
        found += _left(it) + _list(it)
    return found


def _header(text: str, of: str) -> str:
    """A text with the header line of another one."""
    pattern = re.compile(r"^# port: .*$", re.MULTILINE)
    return pattern.sub(lambda _: pattern.search(of)[0], text, count=1)  # type: ignore[index]


def tokens(text: str) -> set[str]:
    return set(_TOKEN.findall(text))


def _methods(text: str) -> Counter[str]:
    """The methods of the class, with how often each is defined."""
    return Counter(re.findall(r"^    (?:async )?def (\w+)\(", text, re.MULTILINE))


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
    return tokens(text)


_PLACES = re.compile(
    rf"^    (?:async )?def (?P<step>step_\w+)\(|^    (?P<other>(?:async )?def |# --- END|@)"
    rf"|self\.(?:{'|'.join(HELPERS)})_U\d+x|(?P<token>{_TOKEN.pattern})",
    re.MULTILINE,
)


def _functions(text: str) -> dict[str, set[str]]:
    """The methods of steps in which each token stands, but for those of helpers that were renamed everywhere."""
    found: dict[str, set[str]] = {}
    name = ""
    for match in _PLACES.finditer(BLOCKS.sub("", text)):
        if match["step"] or match["other"]:
            name = match["step"] or ""
        elif name and match["token"]:
            found.setdefault(match["token"].lstrip("_"), set()).add(name)
    return found


def _misplaced(it: Trial) -> list[str]:
    """Law 6: a line stands in the method of the cell it was written for."""
    found = []
    here = _functions(it.merged.text)
    moved = dict(it.theirs.plan.moves)
    for side, text, names in (("user", it.ours, moved), ("notebook", it.theirs.text, {})):
        for token, there in _functions(text).items():
            expected = {names.get(name, name) for name in there}
            if token[0] == side[0].upper() and not here.get(token, set()) <= expected:
                found.append(f"6: {token} of the {side} is in {here[token]}, not in {expected}")
    # And the identity itself: the cell keeps its functions.
    if any("split" in k or "merge" in k for k in it.kinds):
        return found
    for before, uid in it.base.owner.items():
        now = moved.get(before, before)
        if it.theirs.owner.get(now, uid) != uid:
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
    """Law 7: the steps list is the notebook's, without what the user deleted; what either side moved stands as that side has it."""
    deleted = {c.unit.rpartition(" ")[2] for c in it.merged.changes if c.what == "deleted"}
    wanted = [step.id for step in it.theirs.plan.steps if step.id not in deleted]
    there = [step for step in it.merged.after if step != "finalize"]
    if sorted(there) != sorted(wanted):
        return [f"7: the list has {there}, not {wanted}"]
    sides = [list(it.merged.before), steps_in(it.ours), wanted]
    before, ours, theirs = (dict.fromkeys(combinations(side, 2), True) for side in sides)
    found = []
    for one, two in combinations(there, 2):
        pair, back = (one, two), (two, one)
        for moved, name in ((ours, "user"), (theirs, "notebook")):
            if back in moved and pair in before:
                found.append(f"7: {two} stands before {one} for the {name}")
        if back in before and back in ours and back in theirs:
            found.append(f"7: {one} and {two} have changed places")
    return found


def steps_in(text: str) -> list[str]:
    """The ids of the steps list."""
    return re.findall(r'^ {12}Step\(\n\s+id="(step_\d+)"', text, re.MULTILINE)


@dataclass
class Table:
    """How often what happened."""

    pairs: int = 0
    conflicts: int = 0
    apart: int = 0
    apart_conflicts: int = 0
    lost: int = 0
    wrong: int = 0

    def __add__(self, other: "Table") -> "Table":
        mine, its = astuple(self), astuple(other)
        return Table(*(a + b for a, b in zip(mine, its, strict=True)))

    def line(self, name: str) -> str:
        rate = 100 * self.conflicts / max(1, self.pairs)
        return (
            f"| {name} | {self.pairs:,} | {rate:.1f} % | {self.lost} | {self.wrong}"
            f" | {self.apart_conflicts} of {self.apart:,} |"
        )


def run(seeds: Iterable[int], one_by_one: bool) -> tuple[Table, list[str]]:
    """Run trials; return the table's figures and what was broken."""
    table, found = Table(), []
    for number, seed in enumerate(seeds):
        if number % 20 == 0:
            gc.collect()
        it = trial(pair_of(seed, one_by_one))
        table.pairs += 1
        table.conflicts += bool(it.merged.conflicts)
        table.apart += it.apart
        table.apart_conflicts += it.apart and bool(it.merged.conflicts)
        laws = broken(it)
        table.lost += any(law[0] in "34" for law in laws)
        table.wrong += bool(laws)
        if laws:
            found.append(f"seed {seed} {'1x1' if one_by_one else ''} {it.kinds}: {laws}")
    return table, found


def main(pairs: int, jobs: int = 1, start: int = 0) -> int:
    """Print the table of many trials, a third of them with one edit a side; return 1 if a law was broken."""
    began = time.monotonic()
    tables = {True: Table(), False: Table()}
    said: list[str] = []
    tasks = []
    for one_by_one, count in ((True, pairs // 3), (False, pairs - pairs // 3)):
        # A task has the seeds of a few notebooks, so that each is compiled once.
        tasks += [
            (range(start + first, start + count, POOL), one_by_one)
            for first in range(min(POOL, count))
        ]
    # Thousands of syntax trees hold no circles; what libcst and black leave is collected now and then.
    with ProcessPoolExecutor(jobs, initializer=gc.disable) as pool:
        for (_, one_by_one), done in zip(
            tasks, pool.map(run, *zip(*tasks, strict=True)), strict=True
        ):
            tables[one_by_one] += done[0]
            said += done[1]
            for line in done[1]:
                print(line, file=sys.stderr, flush=True)
    print(HEAD)
    print(tables[True].line("1 x 1"))
    print(tables[False].line("1-4 x 1-3"))
    print(f"{time.monotonic() - began:.0f} s")
    return int(bool(said))


HEAD = (
    "| edits (hand x notebook) | pairs | conflict | a line lost | any law broken | conflicts between different units |\n"
    "|---|---:|---:|---:|---:|---:|"
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=int, nargs="?", default=5000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    asked = parser.parse_args()
    sys.exit(main(asked.pairs, asked.jobs, asked.start))
