"""`pipulate verify`: what it says of a notebook and its app, of a plugin edited by hand, of errors, and of chance."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests import ported
from tests.build import CellLike, code, raw
from tests.conftest import ROOT, slow_but
from transpiler.cli import main
from transpiler.model.options import Options
from transpiler.pipeline import port
from transpiler.verify.compare import Kind, Verdict
from transpiler.verify.html_page import page
from transpiler.verify.result import ComparedCell, Verified, Way, merge_rows
from transpiler.verify.verify import verify

pytestmark = pytest.mark.kernel

FIXTURES = ROOT / "fixtures"


def quiet(_: str) -> None:
    """Nobody listens."""


def verified(
    folder: Path, *cells: CellLike, edit: tuple[str, str] | None = None, **given: Mapping[str, str]
) -> Verified:
    """What a verification of a notebook says; `edit` replaces a text in the plugin it was ported to."""
    notebook = folder / "trip.ipynb"
    notebook.write_bytes(raw(*cells))
    plugin = None
    if edit is not None:
        plugin = port(notebook, folder / "apps", Options()).plugin
        assert plugin is not None
        text = plugin.read_text(encoding="utf-8")
        assert text.count(edit[0]) == 1
        plugin.write_text(text.replace(*edit), encoding="utf-8")
    return verify(notebook, plugin, given, quiet)


def kinds(found: Verified) -> list[str]:
    """The verdicts, in the order of the cells."""
    return [row.verdict.kind for row in found.rows]


def texts(outputs: Any) -> str:
    """The printed text of outputs."""
    return "".join(output.get("text", "") for output in outputs)


# --- the fixtures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", slow_but(["sales_report", "text_tools"], "sales_report"))
def test_the_committed_plugin_shows_what_its_notebook_shows(name: str) -> None:
    found = verify(FIXTURES / f"{name}.ipynb", ported.plugin(name), {}, quiet)
    assert set(kinds(found)) == {"same"}
    assert found.exit_code == 0
    assert found.executions == 2
    assert any(row.notebook for row in found.rows), "it compares nothing"


def test_an_answer_goes_into_the_form_and_into_the_notebook() -> None:
    found = verify(FIXTURES / "hello.ipynb", None, {"step_01": {"a": "Ada 'L'"}}, quiet)
    assert kinds(found) == ["same", "same"]
    assert texts(found.rows[1].notebook) == texts(found.rows[1].app) == "Hello Ada 'L'\n"


@pytest.mark.slow
def test_an_answer_takes_the_place_of_the_notebooks_value() -> None:
    given = {"step_02": {"limit": "800"}}
    found = verify(FIXTURES / "sales_report.ipynb", None, given, quiet)
    assert set(kinds(found)) == {"same"}
    own = verify(FIXTURES / "sales_report.ipynb", None, {}, quiet)
    assert texts(found.rows[2].notebook) != texts(own.rows[2].notebook)


def test_every_kind_of_answer_means_the_same_on_both_sides(tmp_path: Path) -> None:
    notebook = tmp_path / "trip.ipynb"
    notebook.write_bytes(
        raw(
            "name = input('Name? ')\nage = int(input('Age? '))\nname, age + 1",
            "day = '2024-05-01' #@param {type:\"date\"}\n"
            "kind = 'a' #@param ['a', 'b']\n"
            'flag = True #@param {type:"boolean"}\n'
            'raw = [1] #@param {type:"raw"}\n'
            "day, kind, flag, raw",
            "#| secret: TOKEN\nTOKEN = 'none'\nlen(TOKEN)",
            "input('Press Enter')\nprint('went on')",
        )
    )
    given = {
        "step_01": {"name": "O'Hara", "age": "41"},
        "step_02": {"day": "2025-01-31", "kind": "b", "flag": "off", "raw": "{'a': 1}"},
        "step_03": {"TOKEN": "secret"},
    }
    found = verify(notebook, None, given, quiet)
    assert [row.verdict.difference for row in found.rows] == [""] * 4
    results = [row.notebook[0]["data"]["text/plain"] for row in found.rows[:3]]
    assert results == ['("O\'Hara", 42)', "('2025-01-31', 'b', False, {'a': 1})", "6"]


@pytest.mark.slow
def test_a_cell_that_ends_its_kernel_ends_the_comparison(tmp_path: Path) -> None:
    found = verified(tmp_path, "print('fine')", "import os\nos._exit(3)", "print('never')")
    assert kinds(found) == ["same", "same", "not compared"]


# --- chance, edits, errors --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_chance_is_not_reproducible_unless_it_is_seeded(tmp_path: Path) -> None:
    found = verified(
        tmp_path,
        "import random",
        "print('drawn')\nprint(random.random())",
        "random.seed(3)\nrandom.random()",
        "{'apple', 'pear', 'plum', 'fig', 'date'}",
        "object()",
    )
    assert kinds(found) == ["same", "not reproducible", "same", "same", "same"]
    assert found.exit_code == 0


@pytest.mark.slow
def test_a_coin_is_thrown_again_before_the_app_is_blamed(tmp_path: Path) -> None:
    # heads in the first two executions, tails in the third and in the app
    throw = (
        "from pathlib import Path\n"
        "place = Path.cwd()\n"
        "'tails' if 'runs' in place.parts or place.name == 'notebook-2' else 'heads'"
    )
    found = verified(tmp_path, throw)
    assert found.executions == 3
    assert kinds(found) == ["same"]


@pytest.mark.slow
def test_a_shell_line_that_quotes_no_path_finds_its_folder(tmp_path: Path) -> None:
    found = verified(tmp_path, "!ls $(pwd) > listed.txt && echo found")
    assert kinds(found) == ["same"]
    assert texts(found.rows[0].notebook).split() == ["found"]


def test_an_edit_that_changes_the_result_is_found_in_its_cell(tmp_path: Path) -> None:
    found = verified(
        tmp_path,
        "rates = [1, 2, 3]",
        "total = sum(rates)\nprint('total')\nprint(total * 2)",
        "print('end')",
        edit=("total * 2", "total * 3"),
    )
    assert kinds(found) == ["same", "differs", "same"]
    assert found.rows[1].verdict.difference == (
        "stdout, line 2: '12' in the notebook, '18' in the app"
    )
    assert found.rows[1].step == "step_02"
    assert found.exit_code == 1
    assert found.as_dict()["same"] is False


@pytest.mark.slow
def test_a_cell_taken_out_by_hand_is_missed(tmp_path: Path) -> None:
    found = verified(tmp_path, "print(1)", "print(2)", edit=('@cell("c001")', '@cell("mine")'))
    assert kinds(found) == ["same", "differs", "differs"]
    assert "there is no such cell in the app" in found.rows[1].verdict.difference
    assert found.rows[2].cell == "mine"


def test_an_expected_error_is_compared_and_does_not_stop_it(tmp_path: Path) -> None:
    found = verified(
        tmp_path,
        code("print('before')\nn = 1\n1 / 0", tags=["raises-exception"]),
        "n += 1\nn",
    )
    assert kinds(found) == ["same", "same"]
    assert found.rows[0].notebook[-1]["ename"] == "ZeroDivisionError"
    assert found.stopped == ""


@pytest.mark.slow
def test_after_an_error_nothing_is_compared_and_it_says_so(tmp_path: Path) -> None:
    found = verified(tmp_path, "print('fine')", "print('so far')\n{}['key']", "print('never')")
    assert kinds(found) == ["same", "same", "not compared"]
    assert found.rows[1].app[-1]["ename"] == "KeyError"
    assert "the notebook stops at cell 1 (KeyError)" in found.stopped.replace("The", "the", 1)
    assert "the app stops at step_02" in found.stopped
    assert found.exit_code == 0


@pytest.mark.slow
def test_an_error_that_only_the_app_has_is_a_difference(tmp_path: Path) -> None:
    found = verified(tmp_path, "x = 5", "print(10 / x)", "print('end')", edit=("10 / x", "10 / 0"))
    assert kinds(found) == ["same", "differs", "not compared"]
    assert found.exit_code == 1


# --- kinds of cells ---------------------------------------------------------------------------------------------------


def test_magics_plots_and_displays(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text("a\nb\n")
    (tmp_path / "helper.py").write_text("def twice(x):\n    return 2 * x\n")
    found = verified(
        tmp_path,
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nimport helper",
        "%time total = sum(range(10))",
        "%%capture kept\nprint('kept back')",
        "print(kept.stdout * 2)\n_ = 0",
        "!echo from the shell\nwords = !cat rows.txt\nwords",
        "plt.plot([1, 2, helper.twice(2)])\nplt.show()\nplt.plot([3, 1])",
        "print('a')\ndisplay({'b': 1})\nprint('c')\nimport warnings\nwarnings.warn('look')",
        "class Bold:\n    def _repr_html_(self):\n        return '<b>x</b>'\nBold()",
        "len(open('rows.txt').read());",
    )
    differing = [(row.index, row.verdict.difference) for row in found.rows]
    assert set(kinds(found)) == {"same"}, differing
    pictures = [o for row in found.rows for o in row.app if "image/png" in o.get("data", {})]
    assert len(pictures) == 2


# --- the ways to walk ---------------------------------------------------------------------------------------------------

STATE = (
    "import random\nrandom.seed(4)\nlines = []",
    "#| input: limit\nlimit = 5\nlines.append(limit)\nnames = iter('abcdef')",
    "lines.append(random.random())\nprint(next(names), lines)\n_ = limit",
    "with open('kept.txt', 'a') as file:\n    file.write('line\\n')\nopen('kept.txt').read()",
    "limit *= 2\nprint(next(names), limit, _)\nlines",
)


@pytest.mark.parametrize(("way", "times"), [("straight", 1), ("resume", 4), ("revert", 5)])
def test_what_was_ended_or_gone_back_to_shows_the_same(
    tmp_path: Path, way: Way, times: int
) -> None:
    log = tmp_path / "log"
    note = f"with open({str(log)!r}, 'a') as log:\n    print(__import__('os').getcwd(), file=log)\n"
    notebook = tmp_path / "trip.ipynb"
    notebook.write_bytes(raw(STATE[0], f"{STATE[1]}\n{note}", *STATE[2:]))
    found = verify(notebook, None, {"step_02": {"limit": "7"}}, quiet, [way])
    assert [row.verdict.difference for row in found.rows] == [""] * 5
    assert texts(found.rows[4].app) == "b 14 7\n"
    in_app = [line for line in log.read_text().splitlines() if "/runs/" in line]
    assert len(in_app) == times, "the steps were not computed again"


@pytest.mark.slow
def test_an_error_stops_every_way_at_the_same_cell(tmp_path: Path) -> None:
    notebook = tmp_path / "trip.ipynb"
    notebook.write_bytes(raw("print('fine')", "print('so far')\n1 / 0", "print('never')"))
    found = verify(notebook, None, {}, quiet, ["straight", "resume", "revert"])
    assert kinds(found) == ["same", "same", "not compared"]
    assert found.stopped.count("the app stops at step_02:") == 1


@pytest.mark.slow
def test_what_only_one_way_gives_is_a_difference_of_that_way(tmp_path: Path) -> None:
    # what a cell left outside the run's folder is there when the cell runs again
    trace = (
        "from pathlib import Path\n"
        f"mark = Path({str(tmp_path)!r}, 'runs' in Path.cwd().parts and 'app' or 'notebook')\n"
        "again = mark.exists()\n"
        "if mark.name == 'app':\n    mark.touch()\n"
        "again"
    )
    notebook = tmp_path / "trip.ipynb"
    notebook.write_bytes(raw(trace, "print('end')"))
    found = verify(notebook, None, {}, quiet, ["straight", "revert"])
    assert kinds(found) == ["differs", "same"]
    assert found.rows[0].way == "revert"
    assert found.first == (
        "cell 0, revert: output 1, text/plain: 'False' in the notebook, 'True' in the app"
    )


def test_of_several_ways_the_worst_is_told() -> None:
    def row(cell: str, kind: Kind, way: Way) -> ComparedCell:
        return ComparedCell(cell, 0, "step_01", "", Verdict(kind), (), (), way)

    rows = merge_rows(
        [
            [row("a", "same", "straight"), row("b", "not reproducible", "straight")],
            [row("a", "differs", "resume"), row("b", "not reproducible", "resume")],
            [row("a", "differs", "revert"), row("b", "same", "revert"), row("c", "same", "revert")],
        ]
    )
    assert [(r.cell, r.verdict.kind, r.way) for r in rows] == [
        ("a", "differs", "resume"),
        ("b", "not reproducible", "straight"),
        ("c", "same", "revert"),
    ]


# --- the command --------------------------------------------------------------------------------------------------------


def pipulate(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The exit code of the command, in process."""
    monkeypatch.setattr(sys, "argv", ["pipulate", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main.main()
    return ended.value.code if isinstance(ended.value.code, int) else 0


def test_the_command_prints_data_and_writes_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = tmp_path / "trip.ipynb"
    notebook.write_bytes(raw("limit = 2", code("#| input: limit\nlimit = 5\nprint('<b>', limit)")))
    before = sorted(tmp_path.iterdir())
    answer = ("--set", "step_02.limit=7")
    exit_code = pipulate(
        monkeypatch, "verify", notebook, *answer, "--json", "--html", tmp_path / "report.html"
    )
    captured = capsys.readouterr()
    data = json.loads(captured.out)
    assert exit_code == 0
    assert data["same"] is True
    assert [cell["verdict"] for cell in data["cells"]] == ["same", "same"]
    assert captured.err == ""
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert html.count("&lt;b&gt; 7") == 2, "both sides are shown"
    assert "<b>" not in html
    assert "http" not in html
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "report.html"])


def test_the_table_names_cell_step_verdict_and_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = tmp_path / "trip.ipynb"
    notebook.write_bytes(raw("print('notebook')", "1"))
    plugin = port(notebook, tmp_path / "apps", Options()).plugin
    assert plugin is not None
    plugin.write_text(plugin.read_text().replace("print('notebook')", "print('app')"))
    assert pipulate(monkeypatch, "verify", notebook, plugin) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "0 step_01 differs stdout, line 1: 'notebook'" in printed
    assert "1 step_02 same" in printed
    assert "2 cells: 1 differs, 1 same" in printed


@pytest.mark.slow
def test_a_page_shows_pictures_and_no_markup_of_the_notebook(tmp_path: Path) -> None:
    found = verified(
        tmp_path,
        "from IPython.display import HTML, SVG, display\n"
        "display(HTML('<script>alert(1)</script>'))\n"
        'SVG(\'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>\')',
    )
    html = page(found)
    assert set(kinds(found)) == {"same"}
    assert "<script" not in html
    assert html.count("data:image/svg+xml;base64,") == 2


# --- several notebooks ----------------------------------------------------------------------------------------------------


def three(folder: Path) -> list[Path]:
    """A notebook that asks, one whose plugin was edited, one that cannot be read; with the plugin."""
    good, edited, bad = (folder / name for name in ("good.ipynb", "edited.ipynb", "bad.ipynb"))
    good.write_bytes(raw("name = input('Name? ')\nprint(name)"))
    edited.write_bytes(raw("print('notebook')", "1"))
    bad.write_text("{")
    plugin = port(edited, folder / "apps", Options()).plugin
    assert plugin is not None
    plugin.write_text(plugin.read_text().replace("print('notebook')", "print('app')"))
    return [good, edited, plugin, bad]


@pytest.mark.parametrize("jobs", slow_but([1, 2], 2))
def test_several_notebooks_give_a_row_each(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    jobs: int,
) -> None:
    answer = ("--set", "good:step_01.name=Ada", "--jobs", jobs)
    assert pipulate(monkeypatch, "verify", *three(tmp_path), *answer, "--json") == 1
    good, edited, bad = json.loads(capsys.readouterr().out)
    assert (good["notebook"], good["same"], good["counts"]) == ("good.ipynb", True, {"same": 1})
    assert (edited["same"], edited["counts"]) == (False, {"differs": 1, "same": 1})
    assert bad["same"] is False


@pytest.mark.slow
def test_the_table_of_several_notebooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good, edited, plugin, bad = three(tmp_path)
    missing = tmp_path / "missing.ipynb"
    assert pipulate(monkeypatch, "verify", good, edited, plugin, bad, missing) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "notebook cells same differs seconds first difference" in printed
    assert "good PP408" not in printed, "a name and a time stand before the reason"
    assert "PP408" in printed, "nobody answered"
    assert "edited 2 1 1" in printed
    assert "4 notebooks, 2 cells, walked straight: 4 not as they should be." in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.ipynb", "a.py", "b.py"], "a plugin stands after its notebook"),
        (["a.py", "b.ipynb"], "a plugin stands after its notebook"),
        (["a.ipynb", "b.ipynb", "--set", "step_01.a=1"], "NAME:step_02.limit=500"),
        (["a.ipynb", "b.ipynb", "--set", "c:step_01.a=1"], "NAME:step_02.limit=500"),
        (["a.ipynb", "b.ipynb", "--html", "x.html"], "it shows one notebook"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    assert pipulate(monkeypatch, "verify", *arguments) == 2
    assert said in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_answers_come_from_a_file_and_set_stands_above_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = tmp_path / "trip.ipynb"
    notebook.write_bytes(
        raw(
            "#| input: [limit, {name: flag, type: switch}, name]\n"
            "limit = 5\nflag = True\nname = 'x'\nprint(limit, flag, name)"
        )
    )
    answers = tmp_path / "answers.json"
    answers.write_text('{"step_01": {"limit": 7, "flag": false, "name": "Å"}}', encoding="utf-8")
    ways = ("--answers", answers, "--set", "step_01.name=Ada", "--json")
    page = tmp_path / "page.html"
    assert pipulate(monkeypatch, "verify", notebook, *ways, "--html", page) == 0
    assert page.read_text(encoding="utf-8").count("7 False Ada") == 2
    capsys.readouterr()
    for bad in ("[1]", '{"step_01": 5}', "{"):
        answers.write_text(bad, encoding="utf-8")
        assert pipulate(monkeypatch, "verify", notebook, *ways) == 2
        assert "PP407" in capsys.readouterr().out
