"""Plugins of 0.9, the form before each step shared its card: they run on, and a port takes them over with every edit."""

import ast
import asyncio
import shutil
from pathlib import Path

import httpx
import pytest

from pipulate_runtime.host.app import create_app
from pipulate_runtime.host.walk.walk import walk_app
from pipulate_runtime.host.walk.walker import ORIGIN
from tests.conftest import ROOT
from transpiler.model.options import Asked, Options
from transpiler.pipeline import port

OLDER = Path(__file__).parent / "older"
ANSWERS = {"hello": {"step_01": {"a": "Ada"}}, "sales_report": {"step_02": {"limit": "800"}}}


class Older:
    """A plugin as an older compiler left it, with its notebook and its lock."""

    def __init__(self, folder: Path, name: str) -> None:
        kept = OLDER / name
        shutil.copytree(ROOT / "fixtures", folder / "fixtures")
        self.name, self.folder = name, folder
        self.notebook = folder / "fixtures" / f"{name}.ipynb"
        self.out = folder / "generated"
        self.plugin = self.out / f"{name}.py"
        port_id = (kept / f"{name}.py.txt").read_text().partition("# port: id=")[2][:12]
        place = self.out / ".port" / port_id
        place.mkdir(parents=True)
        for file in ("base.py.txt", "cells.json", "lock.json"):
            shutil.copy(kept / file, place)
        shutil.copy(kept / f"{name}.py.txt", self.plugin)
        files = ROOT / "generated" / f"{name}.files"
        if files.exists():
            shutil.copytree(files, self.out / files.name)

    @property
    def text(self) -> str:
        return self.plugin.read_text(encoding="utf-8")

    def edit(self, old: str, new: str) -> None:
        assert self.text.count(old), old
        self.plugin.write_text(self.text.replace(old, new, 1), encoding="utf-8")

    def port(self, **asked):
        return port(self.notebook, self.out, Options(), Asked(**asked))

    def walk(self, data: Path, key: str | None = None):
        """Walk a run to its end, or take one up; return the walk and the state of the run."""

        async def life():
            app = create_app(None, data, files=[self.plugin])
            async with app.router.lifespan_context(app):
                assert not app.state.loaded.problems
                (plugin,) = (p for p in app.state.loaded.plugins if p.key == self.name)
                transport = httpx.ASGITransport(app=app)
                async with httpx.AsyncClient(
                    transport=transport, base_url=ORIGIN, timeout=60
                ) as client:
                    cards = {}
                    if key:
                        for step in plugin.steps[:-1]:
                            asked = {"pipeline_id": key}
                            answer = await client.get(
                                f"/{self.name}/{step.id}",
                                params=asked,
                                headers={"HX-Request": "true"},
                            )
                            cards[step.id] = answer.text
                        return cards, app.state.store.read(key)
                    walked = await walk_app(app, plugin, ANSWERS[self.name])
                    return walked, app.state.store.read(walked.key)

        return asyncio.run(life())


@pytest.mark.kernel
@pytest.mark.parametrize("name", ANSWERS)
def test_it_runs_on_and_its_runs_go_on_in_the_new_form(tmp_path: Path, name: str) -> None:
    older = Older(tmp_path, name)
    walked, before = older.walk(tmp_path / "data")
    assert walked.finalized
    ported = older.port()
    assert ported.regenerated is not None
    assert ported.regenerated.open == 0
    assert older.text == (ROOT / "generated" / f"{name}.py").read_text(encoding="utf-8")
    cards, after = older.walk(tmp_path / "data", walked.key)
    assert after == before
    for step, card in cards.items():
        assert 'data-state="locked"' in card, step
    again, _ = older.walk(tmp_path / "other")
    assert [step.outputs for step in again.steps] == [step.outputs for step in walked.steps]


def method(text: str, name: str) -> str:
    """A method of a plugin, as Python."""
    (found,) = (n for n in ast.walk(ast.parse(text)) if getattr(n, "name", "") == name)
    return ast.unparse(found)


# Where people edit: a title, a text, a class constant, the cell, a method of one's own, and the parts that are written anew.
CLEAN = {
    "title": ('show="Enter Your Name"', 'show="Who are you? U1x"'),
    "menu": ('DISPLAY_NAME = "Hello"', 'DISPLAY_NAME = "U2x"'),
    "cell": ('print("Hello " + a)', 'print("U3x " + a)'),
    "message": ('"All steps are done. You can lock this run now."', '"U4x"'),
    "method": ("    async def landing", "    def own(self):\n        return 'U5x'\n\n    async def landing"),
    "import": ("from textwrap import dedent", "from json import loads as U6x\nfrom textwrap import dedent"),
    "init": ("        self.cells = Cells(self)\n", "        self.cells = Cells(self)\n        self.own = 'U7x'\n"),
}  # fmt: skip
REWRITTEN = {
    "form": ('Label("Enter Your Name", fr="step_01-a")', 'Label("U8x", fr="step_01-a")', "step_01_form"),
    "card": ('P("Running…", aria_busy="true")', 'P("U9x", aria_busy="true")', "step_02"),
    "submit": ('errors["a"] = "Enter Your Name: please fill this in."', 'errors["a"] = "U10x"', "step_01_submit"),
    "finalize": ('H3("All steps are done")', 'H3("U11x")', "finalize"),
}  # fmt: skip


@pytest.mark.parametrize("place", CLEAN)
def test_an_edit_goes_over(tmp_path: Path, place: str) -> None:
    older = Older(tmp_path, "hello")
    older.edit(*CLEAN[place])
    ported = older.port()
    assert ported.regenerated.open == 0
    assert "x" in older.text.partition("U")[2]
    token = next(w for w in CLEAN[place][1].replace("'", '"').split('"') if "U" in w)
    assert token.strip().split()[-1] in older.text
    assert "self.cells.open_run(" in older.text
    before = older.text
    assert not older.port().changed
    assert older.text == before


@pytest.mark.kernel
@pytest.mark.parametrize("place", REWRITTEN)
def test_an_edit_of_what_is_written_anew_is_a_conflict_and_runs(tmp_path: Path, place: str) -> None:
    """The method of before stays active, with the helpers that it calls, among the new ones."""
    old, new, unit = REWRITTEN[place]
    older = Older(tmp_path, "hello")
    older.edit(old, new)
    ported = older.port()
    assert [c.unit.rpartition(" ")[2] for c in ported.regenerated.conflicts] == [unit]
    assert new in older.text
    walked, _ = older.walk(tmp_path / "data")
    assert walked.finalized
    # Settled for the new form, its method is the new one; the helpers of before stay, as methods of the owner's own.
    ported = older.port(choices={"*": "notebook"})
    assert ported.regenerated.open == 0
    assert new not in older.text
    golden = (ROOT / "generated" / "hello.py").read_text(encoding="utf-8")
    assert method(older.text, unit) == method(golden, unit)
