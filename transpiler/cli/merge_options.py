"""The options of `port` for plugins that exist already, and the output of what the port did."""

import contextlib
import difflib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from transpiler.model import rules
from transpiler.model.diagnostics import UserError
from transpiler.model.options import Asked, Options

if TYPE_CHECKING:
    from transpiler.pipeline import Ported

PANEL = "Plugins that exist already"


def _option(*names: str, help: str, metavar: str | None = None) -> object:
    return typer.Option(*names, help=help, metavar=metavar, rich_help_panel=PANEL)


DryRun = Annotated[bool, _option("--dry-run", help="Report what a port would do; write nothing.")]
Diff = Annotated[bool, _option("--diff", help="Print what would change; write nothing.")]
Check = Annotated[
    bool, _option("--check", help="Exit 4 if the plugin is out of date; write nothing.")
]
Force = Annotated[
    bool, _option("--force", help="Write the plugin anew, without the edits made by hand.")
]
Yes = Annotated[bool, _option("--yes", help="Drop edits made by hand without asking.")]
Mine = Annotated[
    bool, _option("--mine", "--ours", help="Resolve all conflicts with the plugin's text.")
]
Theirs = Annotated[
    bool, _option("--notebook", "--theirs", help="Resolve all conflicts with the notebook's text.")
]
Resolve = Annotated[
    list[str] | None,
    _option(
        metavar="STEP=mine|notebook|both",
        help="Resolve the conflicts of a step, or the one with that id.",
    ),
]
Restore = Annotated[
    list[str] | None, _option(metavar="STEP", help="Restore a step that was deleted by hand.")
]
Undo = Annotated[bool, _option("--undo", help="Undo the last port of the plugin.")]
Adopt = Annotated[
    bool, _option("--adopt", help="Use the notebook as the base; do not change the plugin.")
]
ToNotebook = Annotated[
    str | None,
    _option(
        "--to-notebook",
        metavar="[STEP]",
        help="Carry edits of cells back into the notebook, of one step or of all.",
    ),
]

_CHOICES: Mapping[str, Literal["mine", "notebook", "both"]] = {
    "mine": "mine",
    "ours": "mine",
    "notebook": "notebook",
    "theirs": "notebook",
    "both": "both",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for."""

    asked: Asked
    diff: bool = False
    check: bool = False
    yes: bool = False


def wish_of(
    dry_run: bool, diff: bool, check: bool, force: bool, yes: bool, adopt: bool,
    mine: bool, theirs: bool, resolve: Sequence[str], restore: Sequence[str],
) -> Wish:  # fmt: skip
    """Return what the options ask for. Raises UserError (exit 2) when they contradict each other."""
    if sum((force, mine, theirs, adopt)) > 1:
        reason = "only one of --force, --mine, --notebook and --adopt can be done"
        raise UserError(rules.BAD_OPTION, option="the command", value="done", reason=reason)
    choices = {"*": _CHOICES["mine" if mine else "notebook"]} if mine or theirs else {}
    for text in resolve:
        name, _, choice = text.partition("=")
        if not name or choice not in _CHOICES:
            reason = "it is STEP=mine, STEP=notebook or STEP=both"
            raise UserError(rules.BAD_OPTION, option="--resolve", value=text, reason=reason)
        choices[name] = _CHOICES[choice]
    asked = Asked(dry_run or diff or check, force, adopt, choices, tuple(restore))
    return Wish(asked, diff, check, yes)


def port_one(notebook: Path, output: Path, options: Options, wish: Wish) -> "Ported":
    """Port a notebook as wished. Raises UserError (exit 3) when hand edits would be dropped without the user's consent."""
    from transpiler.pipeline import port

    if wish.asked.force and not wish.yes and not wish.asked.dry:
        first = port(notebook, output, options, replace(wish.asked, dry=True))
        if first.regenerated and first.regenerated.edits:
            edits = f"{first.regenerated.edits} edited places"
            if rows := [row.subject for row in first.regenerated.rows if "by" in row.detail]:
                edits += f", in {', '.join(rows)}"
            agreed = sys.stdin.isatty() and typer.confirm(f"{first.plugin}: drop {edits}?")
            if not agreed:
                raise UserError(
                    rules.EDITED_BY_HAND, 3, path=str(first.plugin), option="--force", edits=edits
                )
    return port(notebook, output, options, wish.asked)


def to_notebook(
    notebooks: Sequence[Path], output: Path, options: Options, wanted: str, as_json: bool
) -> int:
    """Carry edits into notebooks, print the results, and return the exit code: 1 when some stay in the plugin."""
    from transpiler.features import report
    from transpiler.features.to_notebook import as_dict, carry

    stay = False
    data = []
    for notebook in notebooks:
        done = carry(notebook, output, options, wanted)
        stay = stay or bool(done.found)
        if as_json:
            data.append({**report.data_of(None, done.found), **as_dict(done)})
            continue
        for function, index, count in done.cells:
            print(f"{notebook}[{index}]: {count} edit{'s' * (count != 1)} of {function}")
        report.print_diagnostics(report.console(), done.found, notebook.name)
        if done.cells:
            print("Written, and ported. The notebook keeps its former outputs. To undo: --undo")
        elif not done.found:
            print(f"{notebook}: the notebook has all edits of cells already.")
    if as_json:
        print(report.dumped(data if len(data) > 1 else data[0]))
    return int(stay)


def undo(notebooks: Sequence[Path], output: Path, yes: bool) -> None:
    """Undo the last port of notebooks and say so."""
    from transpiler import pipeline

    for notebook in notebooks:
        print(f"{pipeline.undo(notebook, output, yes)} is as it was before the last port.")


def refuse_with(option: str, wish: Wish, **others: bool) -> None:
    """Raise UserError (exit 2) when an option was given with one that it cannot go with."""
    if wish != Wish(Asked()) or any(others.values()):
        given = [name.replace("as_", "").replace("_", "-") for name, on in others.items() if on]
        reason = f"it cannot be combined with {f'--{given[0]}' if given else 'options for a single port'}"
        raise UserError(rules.BAD_OPTION, option=option, value="on", reason=reason)


def watch(notebooks: Sequence[Path], output: Path, options: Options) -> None:
    """Port notebooks whenever they change, until Ctrl+C."""
    from transpiler.features.watch import Changes
    from transpiler.features.watch import watch as watching

    with contextlib.suppress(KeyboardInterrupt):
        watching(notebooks, output, options, lambda line: print(line, flush=True), Changes())
    print("Stopped.")


def print_diff(ported: "Ported") -> None:
    """Print what would change in the plugin, as a unified diff."""
    from transpiler.plugin_folder.paths import text_of

    if ported.regenerated is None or not ported.changed:
        return
    sides = (ported.before or b"", ported.regenerated.content)
    before, now = (text_of(side).splitlines(keepends=True) for side in sides)
    name = ported.plugin.as_posix() if ported.plugin else ""
    sys.stdout.writelines(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(before, now, f"a/{name}", f"b/{name}")
    )


def exit_code(results: "Sequence[Ported]", wish: Wish) -> int:
    """Return what the command ends with: 2 an unreadable notebook, 1 failed or open conflicts, 4 out of date."""
    if any(ported.failed for ported in results):
        return 2 if len(results) == 1 and results[0].plan is None else 1
    if any(ported.regenerated and ported.regenerated.open for ported in results):
        return 1
    if (wish.check or wish.diff) and any(ported.changed for ported in results):
        return 4
    return 0
