"""Is a merger that is wrong found out? Each mutant is one, by a small change of its code; a law or a named test must fail.

The change is made in the function's source, and the function's code replaced: so whoever has imported it runs the mutant.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FunctionType

import pytest

from tests.merge import (
    test_both,
    test_diff3,
    test_parts,
    test_port_again,
    test_renames,
    test_upgrade,
)
from tests.merge.desk import FIRST, Desk
from tests.merge.laws import Pair, broken, pair_of, trial
from transpiler.merge import (
    checks,
    conflicts,
    decide,
    diff3,
    globals,
    lines,
    match_cells,
    merge,
    moves,
)
from transpiler.model.ir import KnownCell
from transpiler.passes import regenerate
from transpiler.planning import ids
from transpiler.plugin_folder.plugin_folder import PluginFolder

Check = Callable[[Path, pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Mutant:
    """A function with a change of its source, and what must fail then."""

    name: str
    function: object
    old: str
    new: str
    caught_by: Check

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Replace the function's code for a while."""
        function = inspect.unwrap(self.function)  # type: ignore[arg-type]
        assert isinstance(function, FunctionType)
        source = textwrap.dedent(inspect.getsource(function))
        assert source.count(self.old) == 1, "the function has changed: bring the mutant up to date"
        tree = ast.parse(source.replace(self.old, self.new))
        (definition,) = tree.body
        assert isinstance(definition, ast.FunctionDef)
        definition.decorator_list = []
        module = dict(function.__globals__)
        exec(compile(tree, inspect.getfile(function), "exec"), module)
        before = function.__code__
        function.__code__ = module[function.__name__].__code__
        try:
            yield
        finally:
            function.__code__ = before


# --- what catches them ------------------------------------------------------------------------------------------------


@cache
def pair(seed: int) -> Pair:
    return pair_of(seed)


@cache
def laws(seed: int) -> Check:
    """The laws over one pair."""

    def check(folder: Path, patch: pytest.MonkeyPatch) -> None:
        assert broken(trial(pair(seed))) == []

    return check


def on_a_desk(test: Callable[..., None], *more: object) -> Check:
    """A test of porting again that begins with a ported notebook."""

    def check(folder: Path, patch: pytest.MonkeyPatch) -> None:
        desk = Desk(folder)
        desk.port(*FIRST)
        test(desk, *more)

    return check


def plain(test: Callable[..., None], *arguments: object) -> Check:
    return lambda folder, patch: test(*arguments)


def guarded(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """A merge that drops a line of the notebook's is refused by the guard on the whole file."""
    it = pair(100)
    assert any(change.what == "added" for change in trial(it).merged.changes)
    drop = Mutant("", decide._merge_absent, "        return theirs\n    if {", "        return None\n    if {", laws(7))  # fmt: skip
    with drop.at_work(), pytest.raises(merge.MergeRefused, match=r"lost|handlers"):
        trial(it)


def refused_when(old: str, new: str, reason: str) -> Check:
    """A text that is merged to another one is refused."""

    def check(folder: Path, patch: pytest.MonkeyPatch) -> None:
        base = pair(47).base.text
        to = decide.Decisions({}, {}, (), None)
        assert old in base
        wrong = base.replace(old, new, 1)
        assert reason in (checks.find_problem(wrong, (base, base, base), to) or "")

    return check


def known_by_content() -> None:
    """A cell that was changed, in a notebook that has other ids now."""
    old = [KnownCell(f"a{n}", f"step_0{n}_cell", f"x{n} = 1\nprint(x{n})\nx{n}") for n in (1, 2)]
    new = [match_cells.Now(f"b{n}", f"x{n} = 2\nprint(x{n})\nx{n}") for n in (2, 1)]
    assert match_cells.match_cells(old, new) == {0: 1, 1: 0}


def upgrade(folder: Path, patch: pytest.MonkeyPatch) -> None:
    newer = test_upgrade.newer.__wrapped__(patch)  # type: ignore[attr-defined]
    test_upgrade.test_a_conflict_with_the_compiler_keeps_its_base_through_the_second_merge(
        folder, newer
    )


# --- the mutants ------------------------------------------------------------------------------------------------------

MUTANTS = (
    Mutant("drops what the notebook changed in a merged unit", diff3.merge_lines,
           "pieces.append(was if two is None else two)", "pieces.append(was)", laws(319)),
    Mutant("drops what the user changed in a merged unit", diff3.merge_lines,
           "pieces.append(one)", "pieces.append(was)", laws(319)),
    Mutant("swaps the sides where one is as before", decide._merge_text,
           "return theirs if ours == base else ours", "return ours if ours == base else theirs", laws(7)),
    Mutant("takes the notebook's text where both changed it", decide._merge_text,
           'return to.clash(path, "changed", beneath, theirs, ours) + merge.mine', "return theirs", laws(8)),
    Mutant("takes the user's text where both changed it, and shows nothing", decide._merge_text,
           'return to.clash(path, "changed", beneath, theirs, ours) + merge.mine', "return merge.mine", laws(321)),
    Mutant("keeps all of a unit as it was for one line that clashes", decide._merge_text,
           "if merge.mine is None or path in to.forced:\n            return", "if True:\n            return",
           on_a_desk(test_port_again.test_a_conflict_is_only_where_both_changed_the_same_lines)),
    Mutant("brings back what the user took out of a unit in conflict", decide._merge_text,
           'to.clash(path, "changed", beneath, theirs, ours)', 'to.clash(path, "changed", base, theirs, ours)',
           on_a_desk(test_port_again.test_a_conflict_is_only_where_both_changed_the_same_lines)),
    Mutant("takes two insertions at one place in any order", diff3._meet,
           "return one.start == two.start", "return False", plain(test_diff3.test_a_merge, "abc", "axbc", "aybc", None)),
    Mutant("lets edits clash that only touch", diff3._meet,
           "return one.start < two.end and two.start < one.end",
           "return one.start <= two.end and two.start <= one.end",
           plain(test_diff3.test_a_merge, "abcd", "axcd", "abyd", "axyd")),
    Mutant("moves the base while a conflict is open", decide._merge_unit,
           "base = _pending_unit(pending, sample)", "pass", laws(6000)),
    Mutant("leaves the blocks of the last merge where they are", conflicts.without_blocks,
           "inside = begin[1] if begin[1] in known else None", "inside = None", laws(1157)),
    Mutant("brings back what the user deleted", decide._merge_absent,
           "    if base.whole == theirs.whole:\n", "    if base.whole == theirs.whole:\n        return theirs\n", laws(47)),
    Mutant("removes an edited step with its cell", decide._orphans,
           "if edited and to.choice", "if False and to.choice", laws(6000)),
    Mutant("removes a step whose title was edited at the second run", decide._orphans,
           "pending is not None or retitled", "retitled", laws(6113)),
    Mutant("takes a comment for layout", lines.same_code,
           "return _comments_in(one) == _comments_in(two)", "return True", laws(319)),
    Mutant("drops the names that the user imports", lines.merge_import,
           "if name in t or name not in b or _bound(name) in keep", "if name in t",
           on_a_desk(test_parts.test_names_that_both_sides_import_are_imported)),
    Mutant("keeps the user's order of steps, whatever the notebook moved", diff3.merge_order,
           "if _is_reordered(base, theirs):", "if False:", laws(1157)),
    Mutant("puts what is new at the end", diff3._insert_missing,
           "result.index(above) + 1 if above is not None else 0", "len(result)", laws(6000)),
    Mutant("does not see that orders go in a circle", diff3._merged_order,
           "if len(set(above.values())) < len(above):", "if False:", laws(1157)),
    Mutant("leaves the edits of a moved cell behind", moves._move_in_plugin,
           "if name and step_of(name) in there:", "if False:",
           lambda folder, patch: test_parts.test_the_edits_of_a_cell_go_with_it_to_another_step(folder)),
    Mutant("does not follow a helper to its new name", merge._follow_renames,
           "if not renames:", "if True:", laws(100)),
    Mutant("renames a helper in what the notebook's cells call self", moves._places,
           "if is_cell(member):", "if False:",
           lambda folder, patch: test_renames.test_what_the_notebook_calls_self_is_left_alone(folder)),
    Mutant("loses a name that both sides declared", globals.with_one_block,
           "for name, comment in (theirs.names | ours.names | theirs.names).items()",
           "for name, comment in theirs.names.items()",
           on_a_desk(test_parts.test_names_that_both_sides_declare_are_declared)),
    Mutant("writes two lines of one call below each other", conflicts._is_whole,
           "return now <= one | two", "return True",
           lambda folder, patch: test_both.test_lines_of_one_statement_stay_in_conflict(folder)),
    Mutant("declares names in the middle of a function", conflicts.keep_both,
           "with_one_block(sides, both=True)", "with_one_block(sides)",
           lambda folder, patch: test_both.test_names_of_both_texts_are_declared_at_the_top(folder)),
    Mutant("loses the end of the last line", merge.merge,
           'if not ended and text.endswith("\\n"):', "if ended:", laws(7)),
    Mutant("writes the header of the plugin as it was", merge.merge,
           "wanted = _HEADER.search(theirs)", "wanted = _HEADER.search(ours)", laws(6000)),
    Mutant("has no guard against lost lines", checks.find_problem,
           "if missing := lost_lines(", "if False and lost_lines(", guarded),
    Mutant("allows two methods of one name", checks.find_problem,
           "if doubled := facts.doubled - before.doubled - now.doubled:", "if doubled := None:",
           refused_when("    async def landing", "    def back_button(self, key):\n        pass\n\n    async def landing", "twice")),
    Mutant("allows a step without handlers", checks._steps_problem,
           "if step not in facts.members and not by_hand", "if False and not by_hand",
           refused_when("    async def step_02(", "    async def other(", "without its handlers")),
    Mutant("lets an import go that the user's code needs", checks.still_used,
           "return names, methods", "return set(), set()",
           lambda folder, patch: test_port_again.test_an_import_stays_while_the_users_code_needs_it(folder)),
    Mutant("gives steps their numbers by position", ids._ids,
           "return [ids.get(position) or next(fresh) for", 'return [f"step_{position + 1:02}" for',
           on_a_desk(test_port_again.test_a_new_cell_gets_the_next_id_and_the_others_keep_theirs)),
    Mutant("knows a cell by its id only", match_cells.match_cells,
           "    _alike(old, new, found)\n", "",
           plain(known_by_content)),
    Mutant("believes papers that belong to another plugin", regenerate._base,
           "elif sha(base.replace(b\"\\r\\n\", b\"\\n\")) != lock.base_sha:", "elif False:",
           on_a_desk(test_port_again.test_papers_of_another_age_are_not_believed, b"# another\n")),
    Mutant("makes no backup", PluginFolder.write,
           "if where.raw is not None and where.raw != content:", "if False:",
           on_a_desk(test_port_again.test_force_drops_the_edits_and_undo_brings_them_back)),
    Mutant("moves the base of conflicts with a newer compiler", regenerate.merged_twice,
           "Edited(again.text, first.text, first.conflicts, first.renames)",
           "Edited(again.text, first.text, (), first.renames)", upgrade),
)  # fmt: skip


@pytest.mark.parametrize("check", dict.fromkeys(m.caught_by for m in MUTANTS))
@pytest.mark.slow
def test_nothing_is_caught_without_a_mutant(tmp_path: Path, monkeypatch, check: Check) -> None:
    check(tmp_path, monkeypatch)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
@pytest.mark.slow
def test_a_mutant_is_caught(tmp_path: Path, monkeypatch, mutant: Mutant) -> None:
    with mutant.at_work(), pytest.raises((Exception, pytest.fail.Exception)):
        mutant.caught_by(tmp_path, monkeypatch)
