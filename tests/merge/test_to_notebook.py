"""Edits of cells go back into the notebook: the plugin stays what it is, and so does every other byte of the notebook."""

import json
import random
import re
from pathlib import Path

import pytest

from tests.build import code, md, raw, tree
from tests.merge.test_port_again import Desk
from transpiler.features import to_notebook
from transpiler.features.to_notebook import carry
from transpiler.merge.back_to_notebook import code_of, edits_of
from transpiler.model.diagnostics import UserError
from transpiler.model.options import Options
from transpiler.pipeline import port, undo
from transpiler.plugin_folder.place import Place
from transpiler.plugin_folder.plugin_folder import PluginFolder

TRIP = (
    md("# Trip"),
    code("#| input: limit\nlimit = 5\nbest=[limit]"),
    "# what is best\nprint('best', best)\nfor one in best:\n    print(one)\nbest",
    "text = '''a\n  b\n'''\nprint(text)",
)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.port(*TRIP)
    return made


def bare(desk: Desk) -> str:
    return re.sub("(?m)^# port: .*$", "", desk.text)


def sources(desk: Desk) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(desk.notebook.read_bytes())["cells"]]


def carried(desk: Desk, wanted: str = "all", **more) -> tuple[list[str], list[str]]:
    """Carries, checks the law, and returns the new sources and the reasons of what stays."""
    plugin, notebook = bare(desk), desk.notebook.read_bytes()
    done = carry(desk.notebook, desk.out, Options(), wanted)
    assert bare(desk) == plugin
    before, after = json.loads(notebook), json.loads(desk.notebook.read_bytes())
    touched = {index for _, index, _ in done.cells}
    for index, (old, new) in enumerate(zip(before.pop("cells"), after.pop("cells"), strict=True)):
        assert (old != new) == (index in touched)
        assert {**old, "source": ""} == {**new, "source": ""}
    assert before == after
    again = port(desk.notebook, desk.out, Options(), anew=True)
    assert again.regenerated is not None
    assert (again.changed, again.regenerated.edits > 0) == (False, bool(done.found))
    assert bare(desk) == plugin
    return sources(desk), [dict(d.values)["reason"] for d in done.found]


@pytest.mark.parametrize(
    ("old", "new", "cell", "wanted"),
    [
        ("print('best', best)", 'print("the best", best)', 2, "# what is best\nprint(\"the best\", best)\nfor one in best:\n    print(one)\nbest"),
        ("            print(one)\n", "            print(one + 1)\n", 2, "# what is best\nprint('best', best)\nfor one in best:\n    print(one + 1)\nbest"),
        ("            print(one)\n", "", 2, None),
        ("        return best\n", "        return best[0]\n", 2, "# what is best\nprint('best', best)\nfor one in best:\n    print(one)\nbest[0]"),
        ("        return best\n", "        print()\n\n        # more\n        return best\n", 2, "# what is best\nprint('best', best)\nfor one in best:\n    print(one)\nprint()\n\n# more\nbest"),
        ("        return best\n", "        print( 1)\n        return best\n", 2, "# what is best\nprint('best', best)\nfor one in best:\n    print(one)\nprint( 1)\nbest"),
        ("        # what is best\n", "        # what is best\n        # of all\n", 2, "# what is best\n# of all\nprint('best', best)\nfor one in best:\n    print(one)\nbest"),
        ("  b\n", "  c\n        d\n", 3, "text = '''a\n  c\n        d\n'''\nprint(text)"),
        ("        best=[limit]\n", "        best = [limit, 1]\n", 1, "#| input: limit\nlimit = 5\nbest = [limit, 1]"),
    ],
)  # fmt: skip
def test_an_edit_goes_back(desk: Desk, old: str, new: str, cell: int, wanted: str | None) -> None:
    desk.edit(old, new)
    before = desk.notebook.read_bytes()
    try:
        compile(desk.text, "plugin", "exec")
    except SyntaxError:
        with pytest.raises(UserError):
            carry(desk.notebook, desk.out, Options())
        assert desk.notebook.read_bytes() == before
        return
    after, stays = carried(desk)
    assert stays == []
    assert after[cell] == wanted


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('limit = form["limit"]', 'limit = form["limit"] + 1', "the compiler wrote"),
        ("        return best\n", "        best\n", "the compiler wrote"),
        ("        return best\n", "        extra = 1\n        return best\n", "`global one, extra  #"),
        ("        return best\n", "        if best:\n            return 1\n        return best\n", "cell_text`"),
        ("        # what is best\n", "        # the best\n", "`## The best`"),
    ],
)  # fmt: skip
def test_an_edit_that_would_come_back_changed_stays(
    desk: Desk, old: str, new: str, reason: str
) -> None:
    desk.edit(old, new)
    before = desk.notebook.read_bytes()
    _, stays = carried(desk)
    assert [reason in stay for stay in stays] == [True], stays
    assert desk.notebook.read_bytes() == before


def test_of_two_edits_one_can_go(desk: Desk) -> None:
    desk.edit("print('best', best)", 'print("the best", best)')
    desk.edit("        return best\n", "        extra = 1\n        return best\n")
    after, stays = carried(desk)
    assert "the best" in after[2]
    assert "extra" not in after[2]
    assert len(stays) == 1


def test_only_one_step(desk: Desk) -> None:
    desk.edit("print('best', best)", 'print("the best", best)')
    desk.edit("print(text)", "print(text, text)")
    after = carry(desk.notebook, desk.out, Options(), "step_03")
    assert [function for function, _, _ in after.cells] == ["step_03_cell"]
    assert ["the best" in sources(desk)[2], "text, text" in sources(desk)[3]] == [False, True]
    with pytest.raises(UserError) as caught:
        carry(desk.notebook, desk.out, Options(), "step_09")
    assert (caught.value.diagnostic.rule.code, caught.value.exit_code) == ("PP407", 2)


def test_the_notebook_has_changed_since_the_port(desk: Desk) -> None:
    desk.edit("print('best', best)", 'print("the best", best)')
    newer = TRIP[2].replace("print(one)", "print(one, one)")
    desk.notebook.write_bytes(raw(*TRIP[:2], newer, TRIP[3]))
    done = carry(desk.notebook, desk.out, Options())
    assert done.found == ()
    assert sources(desk)[2] == newer.replace("'best'", '"the best"')
    assert desk.port().regenerated is None  # nothing to do: no edits are left
    assert "print(one, one)" in desk.text


def test_a_conflict_is_settled_first(desk: Desk) -> None:
    desk.edit("print('best', best)", 'print("the best", best)')
    desk.notebook.write_bytes(raw(*TRIP[:2], TRIP[2].replace("'best'", "'worst'"), TRIP[3]))
    before = tree(desk.out)
    done = carry(desk.notebook, desk.out, Options())
    assert [dict(d.values)["reason"] for d in done.found] == [to_notebook.OPEN]
    assert [d.rule.code for d in done.found] == ["PP436"]
    assert tree(desk.out) == before


def test_undo_takes_both_back(desk: Desk) -> None:
    desk.edit("print(text)", "print(text, text)")
    notebook, plugin = desk.notebook.read_bytes(), desk.text
    carried(desk)
    undo(desk.notebook, desk.out, yes=False)
    assert (desk.notebook.read_bytes(), desk.text) == (notebook, plugin)
    carried(desk)
    saved = desk.notebook.read_bytes() + b"\n"
    desk.notebook.write_bytes(saved)
    files = tree(desk.out)
    with pytest.raises(UserError) as caught:
        undo(desk.notebook, desk.out, yes=False)
    assert (caught.value.diagnostic.rule.code, tree(desk.out)) == ("PP490", files)
    undo(desk.notebook, desk.out, yes=True)
    assert (desk.notebook.read_bytes(), desk.text) == (saved, plugin)


def test_a_notebook_that_is_saved_meanwhile_is_left_alone(desk: Desk, monkeypatch) -> None:
    desk.edit("print(text)", "print(text, text)")
    keeping = PluginFolder.keep_notebook

    def saved(folder: PluginFolder, where: Place, before: bytes) -> None:
        keeping(folder, where, before)
        desk.notebook.write_bytes(raw(*TRIP, "1"))

    monkeypatch.setattr(PluginFolder, "keep_notebook", saved)
    plugin = desk.text
    with pytest.raises(UserError) as caught:
        carry(desk.notebook, desk.out, Options())
    assert (caught.value.diagnostic.rule.code, caught.value.exit_code) == ("PP490", 3)
    assert (desk.notebook.read_bytes(), desk.text) == (raw(*TRIP, "1"), plugin)


def test_a_port_offers_it(desk: Desk) -> None:
    assert to_notebook.count_possible_edits(desk.port()) == 0
    desk.edit("print(text)", "print(text, text)")
    desk.edit('form["limit"]', 'form["limit"] + 1')
    desk.edit("Finalize", "Finish")
    assert to_notebook.count_possible_edits(desk.port()) == 1


def test_a_cell_that_is_text_stays(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.port("from math import *\nprint(pi)")
    desk.edit("print(pi)", "print(pi, pi)")
    _, stays = carried(desk)
    assert stays == [to_notebook.AS_TEXT]


def test_no_plugin_or_no_edits(desk: Desk, tmp_path: Path) -> None:
    before = tree(desk.out)
    assert carry(desk.notebook, desk.out, Options()) == to_notebook.Carried((), ())
    assert tree(desk.out) == before
    with pytest.raises(UserError) as caught:
        carry(desk.notebook, tmp_path / "elsewhere", Options())
    assert caught.value.diagnostic.rule.code == "PP435"


@pytest.mark.slow
def test_random_edits_keep_the_law(tmp_path: Path) -> None:
    chance = random.Random(6)
    lines = ["total = limit * {n}", "print('total', total)", "for n in range({n}):\n    print(n, total)", "# note {n}", "print(f\"{{total}} of {n}\")",
             "table = {{'a': {n},\n         'b': 2}}", "total += {n}"]  # fmt: skip
    gone = 0
    for number in range(4):
        desk = Desk(tmp_path / str(number))
        (tmp_path / str(number)).mkdir()
        cells = [
            "limit = 2",
            *(
                "\n".join(
                    ["total = 0", *chance.choices([li.format(n=k) for li in lines], k=4), "total"]
                )
                for k in range(3)
            ),
        ]
        desk.port(*cells)
        text = desk.text.split("\n")
        inside = [
            n
            for n, line in enumerate(text)
            if re.match(r"        (?:    )?(?:print|total|return total)\b", line)
        ]
        for place in sorted(chance.sample(inside, 3), reverse=True):
            indent = text[place][: len(text[place]) - len(text[place].lstrip())]
            change = chance.choice(["insert", "comment", "replace"])
            if change == "insert":
                text.insert(place, f"{indent}print({place}, total)")
            elif change == "comment":
                text.insert(place, f"{indent}# edited {place}")
            elif "return" not in text[place]:
                text[place] = f"{indent}total = total + {place}"
        desk.plugin.write_text("\n".join(text))
        before = sources(desk)
        after, stays = carried(desk)
        gone += before != after and not stays
    assert gone >= 2  # most of them go back; the law holds for all


def test_code_of_a_function() -> None:
    text = '    @cell("a")\n    async def step_01_cell(form):\n        global a  # in\n        a = f"""\n x{a}\n"""\n\n        return await a\n'
    found = code_of(text)
    assert found is not None
    assert found.lines == ('a = f"""', " x{a}", '"""', "", "await a")
    assert (found.returns, found.head.count("\n")) == (True, 2)
    assert code_of("    x = 1\n") is None
    assert code_of("    def f(:\n") is None
    assert edits_of("    x = 1\n", "    x = 2\n", "x = 1").stay == 1
