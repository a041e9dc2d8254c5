"""The command line: what it prints, what it gives back, and that it leaves nothing half done."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.build import code, md, raw, tree
from transpiler import __version__
from transpiler.cli import main
from transpiler.model.rules import all_rules
from transpiler.plugin_folder import files as write_module

from .conftest import ROOT

SOUND = raw(md("# Trip"), "limit = 5\nlimit * 2")
OTHER = raw(md("# Trip"), "limit = 6\nlimit * 2")


class Result(NamedTuple):
    exit: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All that was printed, on one line: where lines are broken is the terminal's affair."""
        return " ".join((self.out + " " + self.err).split())


Pipulate = Callable[..., Result]


@pytest.fixture
def pipulate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Pipulate:
    """The command, in process and in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["pipulate", *map(str, arguments)])
        exit_code = 0
        try:
            main.main()
        except SystemExit as end:
            exit_code = end.code if isinstance(end.code, int) else int(end.code is not None)
        captured = capsys.readouterr()
        return Result(exit_code, captured.out, captured.err)

    return run


def without_stamps(folder: Path) -> dict[str, bytes]:
    """What belongs into git."""
    left_out = (".stamp", "/backup/")
    return {n: data for n, data in tree(folder).items() if not any(part in n for part in left_out)}


# --- what goes well -------------------------------------------------------------------------------------------------


def test_a_port_writes_the_plugin_and_says_where(pipulate: Pipulate, tmp_path: Path) -> None:
    (tmp_path / "trip.ipynb").write_bytes(SOUND)
    result = pipulate("port", "trip.ipynb", "-o", "apps")
    assert (result.exit, result.err) == (0, "")
    assert "trip.ipynb → apps/trip.py" in result.text
    assert "Next: pipulate serve apps" in result.text
    assert (tmp_path / "apps" / "trip.py").is_file()


def test_the_second_port_writes_nothing_and_says_so(pipulate: Pipulate, tmp_path: Path) -> None:
    (tmp_path / "trip.ipynb").write_bytes(SOUND)
    pipulate("port", "trip.ipynb")
    for path in (tmp_path / "generated").rglob("*"):
        os.utime(path, (1, 1))
    result = pipulate("port", "trip.ipynb")
    assert result == (0, "generated/trip.py is up to date; nothing was written.\n", "")
    assert {p.stat().st_mtime for p in (tmp_path / "generated").rglob("*")} == {1}


def test_a_port_without_its_stamp_writes_only_the_stamp(pipulate: Pipulate, tmp_path: Path) -> None:
    (tmp_path / "trip.ipynb").write_bytes(SOUND)
    pipulate("port", "trip.ipynb")
    before = tree(tmp_path / "generated")
    (stamp,) = (tmp_path / "generated").rglob("*.stamp")
    stamp.unlink()
    result = pipulate("port", "trip.ipynb", "--json")
    assert json.loads(result.out)["changed"] is False
    assert tree(tmp_path / "generated") == before


def test_a_changed_notebook_changes_the_plugin(pipulate: Pipulate, tmp_path: Path) -> None:
    (tmp_path / "trip.ipynb").write_bytes(SOUND)
    pipulate("port", "trip.ipynb")
    (tmp_path / "trip.ipynb").write_bytes(OTHER)
    assert "Written." in pipulate("port", "trip.ipynb").out
    assert "limit = 6" in (tmp_path / "generated/trip.py").read_text()


def test_a_number_stands_in_front_of_the_file_name_only(pipulate: Pipulate, tmp_path: Path) -> None:
    (tmp_path / "trip.ipynb").write_bytes(SOUND)
    assert pipulate("port", "trip.ipynb", "--number", "040").exit == 0
    assert 'APP_NAME = "trip"' in (tmp_path / "generated/040_trip.py").read_text()


def test_json_of_a_port_is_the_plan_and_what_was_done(pipulate: Pipulate, tmp_path: Path) -> None:
    (tmp_path / "trip.ipynb").write_bytes(SOUND)
    data = json.loads(pipulate("port", "trip.ipynb", "--json").out)
    assert data["plugin"] == "generated/trip.py"
    assert data["changed"] is True
    assert [step["id"] for step in data["plan"]["steps"]] == ["step_01"]
    assert data["diagnostics"] == []
    again = json.loads(pipulate("port", "trip.ipynb", "--json").out)
    assert (again["plan"], again["changed"]) == (None, False)


def test_inspect_says_the_same_as_port_and_writes_nothing(
    pipulate: Pipulate, tmp_path: Path
) -> None:
    (tmp_path / "trip.ipynb").write_bytes(SOUND)
    before = tree(tmp_path)
    inspected = json.loads(pipulate("inspect", "trip.ipynb", "--json").out)
    assert tree(tmp_path) == before
    assert inspected["plan"] == json.loads(pipulate("port", "trip.ipynb", "--json").out)["plan"]


def test_inspect_shows_what_comes_in_and_goes_out(pipulate: Pipulate, tmp_path: Path) -> None:
    (tmp_path / "trip.ipynb").write_bytes(raw("limit = 5\nprint(limit)", "limit + 1"))
    result = pipulate("inspect", "trip.ipynb")
    assert result.exit == 0
    assert "step_01 Limit 0 limit step_02" in result.text


def test_by_heading_makes_one_step_of_a_section(pipulate: Pipulate, tmp_path: Path) -> None:
    (tmp_path / "trip.ipynb").write_bytes(raw(md("## A"), "print(1)", "print(2)"))
    for command in ("inspect", "port"):
        plan = json.loads(pipulate(command, "trip.ipynb", "--by", "heading", "--json").out)["plan"]
        assert [len(step["cells"]) for step in plan["steps"]] == [2]


def test_version(pipulate: Pipulate) -> None:
    assert pipulate("--version") == (0, f"pipulate-transpiler {__version__}\n", "")


# --- bad input --------------------------------------------------------------------------------------------------------

BAD = {
    "a notebook that is not JSON": (b"print('hello')", "PP101", 2),
    "JSON that is not a notebook": (b'{"cells": 5}', "PP102", 2),
    "an unknown format": (b'{"nbformat": 9, "nbformat_minor": 0, "cells": []}', "PP103", 2),
    "a notebook without code": (raw(md("# Only words")), "PP104", 2),
    "a notebook of another kernel": (
        raw("x <- 1", kernelspec={"name": "ir", "language": "R", "display_name": "R"}),
        "PP105",
        2,
    ),
    "invalid UTF-8": (b'{"nbformat": 4, "cells": ["\xe9"]}', "PP106", 2),
    "an empty file": (b"", "PP107", 2),
    "a merge that is not finished": (
        b'{"cells": [\n<<<<<<< ours\n],\n=======\n]\n>>>>>>> theirs\n}',
        "PP108",
        2,
    ),
    "a notebook whose cells are all skipped": (raw("#| skip: true\nx = 1"), "PP308", 1),
    "an address of the server as a name": (
        raw("x = 1", pipulate={"app_name": "static"}),
        "PP301",
        1,
    ),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("form", ["text", "json"])
def test_bad_input_gives_a_code_and_a_remedy_and_writes_nothing(
    pipulate: Pipulate, tmp_path: Path, case: str, form: str
) -> None:
    content, code, exit_code = BAD[case]
    rule = next(rule for rule in all_rules() if rule.code == code)
    (tmp_path / "trip.ipynb").write_bytes(content)
    before = tree(tmp_path)
    result = pipulate("port", "trip.ipynb", *(["--json"] if form == "json" else []))
    assert result.exit == exit_code
    assert "Traceback" not in result.text
    assert tree(tmp_path) == before
    assert not (tmp_path / "generated").exists()
    if form == "json":
        data = json.loads(result.out)
        assert [d["code"] for d in data["diagnostics"]] == [code]
        assert data["diagnostics"][0]["severity"] == "error"
        assert result.err == ""
    else:
        assert f"{code} {rule.name}" in result.text
        assert f"help: {rule.help[:20]}" in result.text
        assert "trip.ipynb was not ported." in result.text


@pytest.mark.parametrize("name", ["nowhere.ipynb", ".", "x" * 300 + ".ipynb"])
@pytest.mark.parametrize("command", ["port", "inspect"])
def test_what_cannot_be_opened_is_pp401(pipulate: Pipulate, name: str, command: str) -> None:
    result = pipulate(command, name)
    assert result.exit == 2
    assert "PP401 notebook-unreadable" in result.err
    assert "Traceback" not in result.text
    data = json.loads(pipulate(command, name, "--json").out)
    assert [d["code"] for d in data["diagnostics"]] == ["PP401"]


def test_inspect_lists_some_of_very_many_names(pipulate: Pipulate, tmp_path: Path) -> None:
    cell = "\n".join(f"value_{n} = {n}" for n in range(1500))
    (tmp_path / "trip.ipynb").write_bytes(raw(cell, "len(dir())"))
    out = pipulate("inspect", "trip.ipynb").out
    assert "value_0 " in out
    assert "and 1,460 more" in " ".join(out.split())
    assert len(out.split("\n")) < 100
    assert "value_1499" in pipulate("inspect", "trip.ipynb", "--json").out


@pytest.mark.parametrize("case", BAD)
def test_inspect_of_bad_input_ends_as_port_does(
    pipulate: Pipulate, tmp_path: Path, case: str
) -> None:
    content, code, exit_code = BAD[case]
    (tmp_path / "trip.ipynb").write_bytes(content)
    result = pipulate("inspect", "trip.ipynb")
    assert result.exit == exit_code
    assert code in result.text
    data = json.loads(pipulate("inspect", "trip.ipynb", "--json").out)
    assert [d["code"] for d in data["diagnostics"]] == [code]


def test_a_cell_that_does_not_parse_is_shown_with_its_line_and_the_rest_is_ported(
    pipulate: Pipulate, tmp_path: Path
) -> None:
    (tmp_path / "trip.ipynb").write_bytes(raw("x = 1", "if x\n    y = 2", "x"))
    result = pipulate("port", "trip.ipynb")
    assert result.exit == 0
    assert "trip.ipynb[1]:1:" in result.out
    assert "PP201 syntax-error" in result.out
    assert "    if x\n        ^" in result.out
    assert (tmp_path / "generated/trip.py").is_file()


def test_one_bad_notebook_of_several_does_not_stop_the_others(
    pipulate: Pipulate, tmp_path: Path
) -> None:
    (tmp_path / "a.ipynb").write_bytes(SOUND)
    (tmp_path / "b.ipynb").write_bytes(b"{")
    (tmp_path / "c.ipynb").write_bytes(SOUND)
    result = pipulate("port", "a.ipynb", "b.ipynb", "nowhere.ipynb", "c.ipynb")
    assert result.exit == 1
    assert "PP101" in result.text
    assert "PP401" in result.text
    assert sorted(p.name for p in (tmp_path / "generated").glob("*.py")) == ["a.py", "c.py"]


def test_json_of_several_notebooks_is_one_list(pipulate: Pipulate, tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_bytes(SOUND)
    data = json.loads(pipulate("port", "a.ipynb", "nowhere.ipynb", "--json").out)
    assert [row["plugin"] for row in data] == ["generated/a.py", None]
    assert [[d["code"] for d in row["diagnostics"]] for row in data] == [[], ["PP401"]]


@pytest.mark.parametrize("number", ["x", "", "-1", "1.5", "²", "٣"])
def test_a_number_that_is_not_digits_is_pp407(
    pipulate: Pipulate, tmp_path: Path, number: str
) -> None:
    (tmp_path / "trip.ipynb").write_bytes(SOUND)
    result = pipulate("port", "trip.ipynb", f"--number={number}")
    assert result.exit == 2
    assert "PP407 bad-option" in result.err
    assert not (tmp_path / "generated").exists()


def test_an_answer_without_a_step_is_pp407(pipulate: Pipulate) -> None:
    result = pipulate("run", "trip.py", "--set", "limit=5")
    assert result.exit == 2
    assert "PP407" in result.err
    assert "step_02.limit=500" in result.err


def test_a_problem_of_the_host_is_data_with_json(pipulate: Pipulate) -> None:
    result = pipulate("run", "nowhere.py", "--json")
    assert result.exit == 2
    assert [d["code"] for d in json.loads(result.out)["diagnostics"]] == ["PP507"]
    assert "PP507" in pipulate("run", "nowhere.py").err


@pytest.mark.kernel
def test_a_cell_that_raises_is_said_with_its_traceback_line_by_line(
    pipulate: Pipulate, tmp_path: Path
) -> None:
    (tmp_path / "odds.ipynb").write_bytes(raw("def share(n):\n    return 10 / n\n\nshare(0)"))
    assert pipulate("port", "odds.ipynb").exit == 0
    result = pipulate("run", "generated/odds.py")
    assert result.exit == 1
    lines = [line.strip() for line in result.err.splitlines()]
    assert lines[0] == "PP514  step_01 failed: ZeroDivisionError: division by zero"
    assert any(line.startswith("-->") and "return 10 / n" in line for line in lines)


# --- runs -------------------------------------------------------------------------------------------------------------


def test_options_before_a_subcommand_of_runs_are_meant_for_it(
    pipulate: Pipulate, tmp_path: Path
) -> None:
    trip = ROOT / "tests" / "host" / "plugins" / "010_trip_planner.py"
    key = "Default_Profile-trip-01"
    for folder in ("data", "other"):  # the same key in two databases
        assert pipulate("run", trip, "--data", folder).exit == 0
    assert [r["key"] for r in json.loads(pipulate("runs", "--json", "list").out)] == [key]
    assert pipulate("runs", "--data", "other", "delete", key, "--yes").exit == 0
    assert key in pipulate("runs").out
    assert "no runs yet" in pipulate("runs", "list", "--data", "other").out
    assert pipulate("runs", "--data", "data", "show", key, "--data", "other").exit == 2


@pytest.mark.kernel
def test_an_export_without_a_name_is_called_after_what_it_is(
    pipulate: Pipulate, tmp_path: Path
) -> None:
    (tmp_path / "odds.ipynb").write_bytes(raw("1 + 1"))
    assert pipulate("port", "odds.ipynb").exit == 0
    assert pipulate("run", "generated/odds.py", "--key", "at 1/2").exit == 0
    key = "Default_Profile-odds-at_1/2"
    assert "Default_Profile-odds-at_1_2.ipynb" in pipulate("runs", "export", key).out
    cells = json.loads((tmp_path / "Default_Profile-odds-at_1_2.ipynb").read_text())["cells"]
    assert cells[-1]["outputs"][0]["data"]["text/plain"] == ["2"]
    assert "runs.zip" in pipulate("runs", "export", "--all").out
    assert zipfile.is_zipfile(tmp_path / "runs.zip")


def test_a_run_that_is_not_there_is_not_asked_about(pipulate: Pipulate) -> None:
    result = pipulate("runs", "delete", "nobody")
    assert result.exit == 2
    assert "PP509" in result.err
    assert "[y/N]" not in result.out


# --- explain ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_explain_prints_the_page_of_every_rule(pipulate: Pipulate, rule) -> None:
    result = pipulate("explain", rule.code.lower())
    assert result.exit == 0
    assert f"{rule.code} {rule.name}" in result.text


def test_explain_of_a_code_of_the_host(pipulate: Pipulate) -> None:
    from pipulate_runtime.host.base.errors import RULES

    for rule in RULES:
        assert rule.code in pipulate("explain", rule.code).out


@pytest.mark.parametrize(
    ("code", "nearest"), [("PP999", "PP"), ("102", "PP102"), ("P P 101", "PP101"), ("../x", "PP")]
)
def test_explain_of_an_unknown_code_names_the_nearest(
    pipulate: Pipulate, code: str, nearest: str
) -> None:
    result = pipulate("explain", code)
    assert result.exit == 2
    assert "PP407" in result.err
    assert f"the nearest is {nearest}" in result.text


# --- what is in the way -------------------------------------------------------------------------------------------------


def test_a_plugin_edited_by_hand_keeps_its_edits(pipulate: Pipulate, tmp_path: Path) -> None:
    (tmp_path / "trip.ipynb").write_bytes(SOUND)
    pipulate("port", "trip.ipynb")
    plugin = tmp_path / "generated/trip.py"
    plugin.write_text(plugin.read_text().replace("Finalize", "Finish"))
    (tmp_path / "trip.ipynb").write_bytes(OTHER)
    assert pipulate("port", "trip.ipynb").exit == 0
    assert "Finish" in plugin.read_text()
    assert "limit = 6" in plugin.read_text()
    before = tree(tmp_path)
    result = pipulate("port", "trip.ipynb", "--force")
    assert (result.exit, tree(tmp_path)) == (3, before)
    assert "PP403 edited-by-hand" in result.err


def test_a_file_that_is_not_ours_is_never_overwritten(pipulate: Pipulate, tmp_path: Path) -> None:
    (tmp_path / "trip.ipynb").write_bytes(SOUND)
    (tmp_path / "generated").mkdir()
    (tmp_path / "generated/trip.py").write_text("print('mine')\n")
    before = tree(tmp_path)
    result = pipulate("port", "trip.ipynb")
    assert (result.exit, tree(tmp_path)) == (3, before)
    assert "PP404 not-ours" in result.err


def test_the_plugin_of_a_notebook_elsewhere_is_never_overwritten(
    pipulate: Pipulate, tmp_path: Path
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "trip.ipynb").write_bytes(SOUND)
    pipulate("port", "a/trip.ipynb")
    before = tree(tmp_path)
    result = pipulate("port", "b/trip.ipynb")
    assert (result.exit, tree(tmp_path)) == (3, before)
    assert "PP404" in result.err


@pytest.mark.parametrize(
    ("there", "text"),
    [("010_trip.py", "class T: pass\n"), ("other.py", 'class T:\n    APP_NAME = "trip"\n')],
)
def test_another_plugin_of_the_same_name_is_pp405(
    pipulate: Pipulate, tmp_path: Path, there: str, text: str
) -> None:
    (tmp_path / "trip.ipynb").write_bytes(SOUND)
    (tmp_path / "generated").mkdir()
    (tmp_path / "generated" / there).write_text(text)
    before = tree(tmp_path)
    result = pipulate("port", "trip.ipynb", "--json")
    assert (result.exit, tree(tmp_path)) == (3, before)
    assert [d["code"] for d in json.loads(result.out)["diagnostics"]] == ["PP405"]


@pytest.mark.parametrize("out", ["file", "file/below", "/proc", "/proc/apps", "x" * 300])
def test_a_folder_that_cannot_be_written_is_pp402(
    pipulate: Pipulate, tmp_path: Path, out: str
) -> None:
    (tmp_path / "trip.ipynb").write_bytes(SOUND)
    (tmp_path / "file").write_text("I am a file")
    before = tree(tmp_path)
    result = pipulate("port", "trip.ipynb", "-o", out)
    assert (result.exit, tree(tmp_path)) == (3, before)
    assert "PP402 output-unwritable" in result.err
    assert "Traceback" not in result.text


def test_odd_names_of_notebooks_are_ported(pipulate: Pipulate, tmp_path: Path) -> None:
    names = ["größe 10%.ipynb", "a\nb.ipynb", "form.ipynb", "x" * 240 + ".ipynb", '"q".ipynb']
    names.append(os.fsdecode(b"caf\xe9.ipynb"))
    for name in names:
        (tmp_path / name).write_bytes(SOUND)
        for _ in range(2):
            result = pipulate("port", name, "-o", "apps")
            assert (result.exit, result.err) == (0, ""), name
        assert "up to date" in result.out, name
    assert len(list((tmp_path / "apps").glob("*.py"))) == len(names)


# --- our own mistakes, and the moment of writing --------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_bug_of_ours_says_so_and_writes_nothing(
    pipulate: Pipulate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    import transpiler.passes.emit

    def broken(*_: object) -> str:
        raise ZeroDivisionError("a slip")

    monkeypatch.setattr(transpiler.passes.emit, "emit", broken)
    (tmp_path / "trip.ipynb").write_bytes(SOUND)
    before = tree(tmp_path)
    result = pipulate("port", "trip.ipynb", *(["--json"] if form == "json" else []))
    assert (result.exit, tree(tmp_path)) == (1, before)
    assert "ZeroDivisionError: a slip" in result.err
    if form == "json":
        assert [d["code"] for d in json.loads(result.out)["diagnostics"]] == ["PP901"]
    else:
        assert "PP901 internal-error" in result.err


def test_a_problem_of_the_disk_halfway_leaves_everything_as_it_was(
    pipulate: Pipulate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data.csv").write_text("1\n")
    (tmp_path / "trip.ipynb").write_bytes(raw("open('data.csv').read()"))
    pipulate("port", "trip.ipynb")
    (tmp_path / "trip.ipynb").write_bytes(raw("open('data.csv').read() + '!'"))
    (tmp_path / "data.csv").write_text("2\n")
    before = tree(tmp_path)
    replace = Path.replace
    for failing in range(1, 6):
        calls = 0

        def fails(self: Path, target: Path, failing: int = failing) -> Path:
            nonlocal calls
            calls += 1
            if calls == failing:
                raise OSError(28, "No space left on device")
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", fails)
        result = pipulate("port", "trip.ipynb")
        assert result.exit == 3, failing
        assert "PP402" in result.err
        assert tree(tmp_path) == before
    monkeypatch.setattr(Path, "replace", replace)
    assert pipulate("port", "trip.ipynb").exit == 0


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, {root!r})
left = int(sys.argv.pop(1))
for owner, name in ((Path, "replace"), (Path, "unlink"), (os, "fsync")):
    def counted(*args, _real=getattr(owner, name), **more):
        global left
        left -= 1
        if left == 0:
            os._exit(137)
        return _real(*args, **more)
    setattr(owner, name, counted)
from transpiler.cli.main import main
main()
"""


def test_a_kill_at_any_moment_leaves_the_old_plugin_or_the_new_one(
    pipulate: Pipulate, tmp_path: Path
) -> None:
    notebook = tmp_path / "trip.ipynb"
    notebook.write_bytes(SOUND)
    pipulate("port", "trip.ipynb")
    plugin = tmp_path / "generated/trip.py"
    old = plugin.read_text()
    notebook.write_bytes(OTHER)
    pipulate("port", "trip.ipynb", "-o", "new")
    new = (tmp_path / "new/trip.py").read_text()
    wanted = without_stamps(tmp_path / "new")
    script = tmp_path / "killed.py"
    script.write_text(KILLED.format(root=str(ROOT)))
    seen = set()
    for moment in range(1, 50):
        notebook.write_bytes(SOUND)
        assert pipulate("port", "trip.ipynb").exit == 0
        assert plugin.read_text() == old
        notebook.write_bytes(OTHER)
        ended = subprocess.run(
            [sys.executable, script, str(moment), "port", "trip.ipynb"],
            cwd=tmp_path,
            capture_output=True,
            check=False,
        ).returncode
        assert plugin.read_text() in (old, new)
        seen.add((ended, plugin.read_text() == new))
        result = pipulate("port", "trip.ipynb")
        assert (result.exit, plugin.read_text()) == (0, new)
        assert without_stamps(tmp_path / "generated") == wanted
        if ended == 0:
            break
    assert seen == {(137, False), (137, True), (0, True)}


def test_an_interruption_while_writing_leaves_everything_as_it_was(
    pipulate: Pipulate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trip.ipynb").write_bytes(SOUND)
    before = tree(tmp_path)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(write_module, "_write_durably", interrupted)
    result = pipulate("port", "trip.ipynb")
    assert result.exit != 0
    assert tree(tmp_path) == before
    assert not (tmp_path / "generated").exists()


# --- as a process ---------------------------------------------------------------------------------------------------------


def process(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_an_unchanged_notebook_loads_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "trip.ipynb").write_bytes(SOUND)
    look = (
        "import sys; sys.argv[0] = 'pipulate'\n"
        "from transpiler.cli.main import main\n"
        "try: main()\n"
        "finally: print(*sorted({'libcst', 'black', 'jinja2', 'nbformat', 'rich.table'} & sys.modules.keys()), file=sys.stderr)"
    )
    first = process("-c", look, "port", "trip.ipynb", cwd=tmp_path)
    second = process("-c", look, "port", "trip.ipynb", cwd=tmp_path)
    assert "jinja2" in first.stderr
    assert second.stdout.endswith("nothing was written.\n")
    assert second.stderr.split() == []


def test_a_terminal_that_knows_only_ascii_is_no_problem(tmp_path: Path) -> None:
    (tmp_path / "trip.ipynb").write_bytes(raw(md("# Größe → 🎉"), "größe\n"))
    ended = process(
        "-m", "transpiler", "port", "trip.ipynb", cwd=tmp_path, PYTHONIOENCODING="ascii:strict"
    )
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_notebook_that_is_missing_ends_the_process_with_2(tmp_path: Path) -> None:
    ended = process("-m", "transpiler", "port", "nowhere.ipynb", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "PP401" in ended.stderr


# --- verify: what needs no kernel; the rest is in test_verify.py -----------------------------------------------------


def test_verify_says_which_answers_it_needs(pipulate: Pipulate, tmp_path: Path) -> None:
    (tmp_path / "trip.ipynb").write_bytes(raw("a = input('A? ')\nb = int(input('B? '))\na * b"))
    result = pipulate("verify", "trip.ipynb", "--set", "step_01.a=x")
    assert result.exit == 2
    assert "PP408 answer-needed" in result.err
    assert "--set step_01.b=VALUE" in result.text
    assert "step_01.a=VALUE" not in result.text


def test_verify_of_what_cannot_be_read_or_ported(pipulate: Pipulate, tmp_path: Path) -> None:
    (tmp_path / "broken.ipynb").write_bytes(b"{")
    assert pipulate("verify", "broken.ipynb").exit == 2
    assert pipulate("verify", "missing.ipynb").exit == 2
    (tmp_path / "api.ipynb").write_bytes(raw(code("1", skip=True)))
    result = pipulate("verify", "api.ipynb")
    assert result.exit == 1
    assert "PP308" in result.text
    assert pipulate("verify", "api.ipynb", "--json").out.count("PP308") == 1


def test_verify_walks_in_all_ways_that_are_asked_for(pipulate: Pipulate, tmp_path: Path) -> None:
    (tmp_path / "trip.ipynb").write_bytes(SOUND)
    result = pipulate("verify", "trip.ipynb", "--resume", "--revert")
    assert result.exit == 0
    assert "walked straight, resume, revert" in " ".join(result.out.split())


def test_verify_of_a_plugin_that_is_not_there(pipulate: Pipulate, tmp_path: Path) -> None:
    (tmp_path / "trip.ipynb").write_bytes(SOUND)
    result = pipulate("verify", "trip.ipynb", "trip.py")
    assert result.exit == 2
    assert "PP507" in result.err
