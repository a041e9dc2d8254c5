"""The page with a field of every type: what each takes, what each refuses, and what becomes of files and secrets."""

import asyncio
import io
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from bs4 import BeautifulSoup, Tag
from starlette.datastructures import UploadFile

from pipulate_runtime.cells.kernel import pool as pools
from pipulate_runtime.cells.storage import uploads as uploads_of_runs
from pipulate_runtime.cells.storage.folders import RunFolder
from pipulate_runtime.cells.storage.forms import MAX_TEXT
from pipulate_runtime.host.app import create_app
from pipulate_runtime.host.walk.trace import Way, witness
from pipulate_runtime.host.walk.walk import walk_app
from pipulate_runtime.host.walk.walker import HTMX, ORIGIN
from tests.conftest import ROOT

GENERATED = ROOT / "generated"
NAME = "all_types"
TOKEN = "zq-secret-4711"

# What a browser sends for the form as it stands.
SOUND: dict[str, str | list[str]] = {
    "title": "To the mill", "notes": "a\r\nb", "people": "12", "price": "7.5", "pace": "3",
    "region": "East", "sights": ["mill", "tower"], "travel": "train", "day": "2024-05-31",
    "start": "09:30", "reply_by": "2024-05-20T18:00", "colour": "#2a7f62",
    "links": "https://example.org/mill", "rooms": '{"hall": 20}', "limit": "", "margins": "(1, 2.5)",
}  # fmt: skip


class Run:
    """One run in one life of the server."""

    def __init__(self, app: Any, client: httpx.AsyncClient, key: str) -> None:
        self.app, self.client, self.key = app, client, key

    @property
    def state(self) -> Any:
        return self.app.state.store.read(self.key)

    async def post(self, step: str, data: Any, files: Any = None) -> BeautifulSoup:
        answer = await self.client.post(
            f"/{NAME}/{step}",
            data={**data, "pipeline_id": self.key},
            files=files,
            headers=HTMX,
        )
        assert answer.status_code == 200, answer.text[:500]
        return BeautifulSoup(answer.text, "html.parser")

    async def get(self, step: str) -> BeautifulSoup:
        """The card of a step once its cells are not running any more."""
        while True:
            answer = await self.client.get(
                f"/{NAME}/{step}", params={"pipeline_id": self.key}, headers=HTMX
            )
            assert answer.status_code == 200, answer.text[:500]
            if 'data-state="running"' not in answer.text:
                return BeautifulSoup(answer.text, "html.parser")
            await asyncio.sleep(0.05)

    async def submit(self, step: str, data: Any, files: Any = None) -> BeautifulSoup:
        await self.post(f"{step}_submit", data, files)
        return await self.get(step)


def live(
    data: Path, deed: Callable[[Run], Awaitable[None]], key: str = "Default_Profile-all_types-1"
) -> None:
    """Start or take up a run in an app of its own."""

    async def life() -> None:
        app = create_app(None, data, files=[GENERATED / f"{NAME}.py"])
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(
                transport=transport, base_url=ORIGIN, timeout=60
            ) as client:
                await client.post(f"/{NAME}/init", data={"pipeline_id": key}, headers=HTMX)
                await deed(Run(app, client, key))

    asyncio.run(life())


def state_of(card: BeautifulSoup) -> str:
    found = card.select_one("[data-state]")
    assert found is not None
    return str(found["data-state"])


def error_of(card: BeautifulSoup, step: str, name: str) -> str:
    found = card.find(id=f"{step}-{name}-error")
    return found.get_text() if isinstance(found, Tag) else ""


BAD: list[tuple[str, str | list[str]]] = [
    ("title", ""), ("title", "   "), ("title", "x" * 41), ("title", "a\0b"),
    ("notes", "x" * (MAX_TEXT + 1)), ("notes", ["a", "b"]), ("notes", "\0"),
    ("people", ""), ("people", "0"), ("people", "61"), ("people", "1.5"), ("people", "twelve"),
    ("people", "9" * 5000), ("people", "<b>3</b>"), ("people", "1e3"), ("people", ["1", "2"]),
    ("price", "-1"), ("price", "nan"), ("price", "inf"), ("price", "1e999"), ("price", "0.3"), ("price", "🙂"),
    ("pace", "11"), ("pace", "-1"), ("pace", ""),
    ("lunch", "yes"), ("lunch", ["on", "on"]),
    ("region", "Center"), ("region", ""), ("region", "east"), ("region", ["North", "South"]),
    ("sights", ["mill", "volcano"]), ("sights", [""]),
    ("travel", "rocket"), ("travel", ""),
    ("day", ""), ("day", "31.5.2024"), ("day", "2024-02-30"), ("day", "2023-12-31"), ("day", "2027-01-01"),
    ("start", "25:00"), ("start", "noon"), ("start", ""),
    ("reply_by", "2024-05-20T25:00"), ("reply_by", "soon"), ("reply_by", ""),
    ("colour", "red"), ("colour", "#12345"), ("colour", "#12345g"), ("colour", "#123456;x"), ("colour", ""),
    ("links", ""), ("links", "example"), ("links", "https://a.b\nnot an address"), ("links", "# only a comment"),
    ("rooms", "[1]"), ("rooms", "{"), ("rooms", ""), ("rooms", '{"a": NaN}'), ("rooms", '{"a": 1e999}'),
    ("rooms", "[" * 100_000), ("rooms", "'hall'"),
    ("limit", "many"), ("limit", "1.5"),
    ("margins", "__import__('os').getcwd()"), ("margins", "1 +"), ("margins", ""), ("margins", "(" * 9000),
    ("margins", "-" * 90000 + "1"), ("margins", "open"),
]  # fmt: skip


@pytest.mark.kernel
def test_each_type_refuses_what_it_cannot_be(tmp_path: Path) -> None:
    async def deed(run: Run) -> None:
        for name, value in BAD:
            about = (name, str(value)[:30])
            card = await run.post("step_01_submit", {**SOUND, name: value})
            assert state_of(card) == "input", about
            assert error_of(card, "step_01", name), about
            others = [
                p["id"] for p in card.select("p.text-invalid") if p["id"] != f"step_01-{name}-error"
            ]
            assert others == [], about
            assert "step_01" not in run.state, about
            control = card.find(attrs={"name": name})
            assert isinstance(control, Tag)
            marked = (
                control if control.has_attr("aria-invalid") else control.find_parent("fieldset")
            )
            assert marked is not None, about
            assert marked["aria-invalid"] == "true", about
            assert f"step_01-{name}-error" in marked["aria-describedby"], about
            # everything else is there as it was typed
            if name != "people":
                assert card.find(id="step_01-people")["value"] == "12", about  # type: ignore[index]
            if name != "notes":
                notes = card.find(id="step_01-notes")
                assert isinstance(notes, Tag), about
                assert notes.get_text() == "\na\nb", about

    live(tmp_path, deed)


@pytest.mark.kernel
@pytest.mark.slow
def test_a_file_for_a_text_and_a_text_for_a_file(tmp_path: Path) -> None:
    async def deed(run: Run) -> None:
        for name in SOUND:
            rest = {k: v for k, v in SOUND.items() if k != name}
            card = await run.post("step_01_submit", rest, {name: ("a.txt", b"x")})
            assert "not a file" in error_of(card, "step_01", name), name
        card = await run.submit("step_01", SOUND)
        assert state_of(card) == "done"
        for name in ("guests", "pictures"):
            card = await run.post("step_02_submit", {name: "/etc/passwd"})
            assert "not a text" in error_of(card, "step_02", name)
            assert "step_02" not in run.state

    live(tmp_path, deed)


@pytest.mark.kernel
def test_values_come_as_the_notebook_has_them(tmp_path: Path) -> None:
    text = '\n<script>alert(1)</script> & "it\'s" 🙂\r\n  ü \\n'
    answers = SOUND | {
        "title": "  <b>x</b> ", "notes": text, "people": "1", "price": "0", "pace": "0", "lunch": "on",
        "sights": [], "day": "20240101", "start": "07:05:00", "reply_by": "2024-01-02T03:04",
        "links": " https://a.b/ü \r\n# no\r\nHTTP://c.d", "rooms": "{}", "limit": "0", "margins": "''",
    }  # fmt: skip

    async def deed(run: Run) -> None:
        card = await run.submit("step_01", answers)
        assert state_of(card) == "done"
        kept = {k: v for k, v in run.state["step_01"].items() if k != "_cells"}
        assert kept == {
            "title": "  <b>x</b> ", "notes": text.replace("\r\n", "\n"), "people": 1, "price": 0.0,
            "pace": 0, "lunch": True, "region": "East", "sights": [], "travel": "train",
            "day": "2024-01-01", "start": "07:05", "reply_by": "2024-01-02 03:04:00",
            "colour": "#2a7f62", "links": ["https://a.b/ü", "HTTP://c.d"], "rooms": {}, "limit": 0,
            "margins": "''",
        }  # fmt: skip
        assert card.find("script") is None
        assert card.find("b") is None
        answered = dict(
            zip(
                [d.get_text() for d in card.find_all("dt")],
                [d.get_text() for d in card.find_all("dd")],
                strict=True,
            )
        )
        assert (answered["Price"], answered["Pace"], answered["Limit"]) == ("0.0", "0", "0")
        assert answered["Notes"] == text.replace("\r\n", "\n")
        said = card.get_text()
        assert "datetime.date(2024, 1, 1)" in said
        assert "margins   str       ''" in said

        await run.post("revert", {"step_id": "step_01"})
        form = await run.get("step_01")
        assert form.find(id="step_01-price")["value"] == "0.0"  # type: ignore[index]
        assert form.find(id="step_01-limit")["value"] == "0"  # type: ignore[index]
        assert form.find(id="step_01-reply_by")["value"] == "2024-01-02T03:04:00"  # type: ignore[index]
        assert form.find(id="step_01-notes").get_text() == "\n" + text.replace("\r\n", "\n")  # type: ignore[union-attr]
        assert [c for c in form.select("[name=sights]") if c.has_attr("checked")] == []
        assert form.find(id="step_01-lunch").has_attr("checked")  # type: ignore[union-attr]

    live(tmp_path, deed)


CSV = b"name,town\nMary,Rome\n"


def uploads(data: Path) -> list[str]:
    return sorted(
        p.relative_to(data).as_posix().partition("/uploads/")[2]
        for p in data.glob("runs/*/*/uploads/*/*")
    )


@pytest.mark.kernel
def test_uploads(tmp_path: Path) -> None:
    async def first_life(run: Run) -> None:
        await run.submit("step_01", SOUND)
        form = await run.get("step_02")
        assert "guests.csv" in form.select_one(".chosen").get_text()  # type: ignore[union-attr]

        for bad in (("guests.txt", CSV), ("guests.csv", b"x" * 1_000_001), ("x.csv.exe", CSV)):
            card = await run.post(
                "step_02_submit", {}, {"guests": bad, "pictures": ("p.png", b"12345")}
            )
            assert "of at most 1 MB" in error_of(card, "step_02", "guests")
            assert "p.png" in card.get_text(), "what came along is kept"
        assert [name.partition("/")[2] for name in uploads(tmp_path)] == ["p.png"]

        twice = [("guests", ("a.csv", CSV)), ("guests", ("b.csv", CSV))]
        assert error_of(await run.post("step_02_submit", {}, twice), "step_02", "guests")

        # the pictures are not sent again, and are still an answer
        evil = "..\\../../tmp/x/../Gäste: <b>1</b>.csv"
        card = await run.submit("step_02", {}, {"guests": (evil, CSV)})
        assert state_of(card) == "done", card.get_text()
        path = run.state["step_02"]["guests"]
        assert path.startswith("uploads/")
        assert path.count("/") == 2
        assert ".." not in path
        assert "['Mary']" in card.get_text()
        assert "p.png 5" in card.get_text()
        assert "20 bytes" in card.get_text()
        assert card.find("b") is None
        assert len(uploads(tmp_path)) == 2

        # stepping back shows it; nothing new keeps it
        await run.post("revert", {"step_id": "step_02"})
        form = await run.get("step_02")
        assert path.rpartition("/")[2] in form.get_text()
        empty = {"guests": ("", b""), "pictures": ("", b"")}
        card = await run.submit("step_02", {}, empty)
        assert run.state["step_02"]["guests"] == path
        assert "['Mary']" in card.get_text()

        # another content under the same name is another answer; the old file goes
        await run.post("revert", {"step_id": "step_02"})
        card = await run.submit("step_02", {}, {"guests": (evil, CSV + b"Joan,Bath\n")})
        assert "['Mary', 'Joan']" in card.get_text()
        assert run.state["step_02"]["guests"] != path
        assert len(uploads(tmp_path)) == 2

        # what is optional can be taken away, what is required cannot
        await run.post("revert", {"step_id": "step_02"})
        form = await run.get("step_02")
        assert [box["name"] for box in form.select("[type=checkbox]")] == ["pictures-remove"]
        (picture,) = run.state["step_02"]["pictures"]
        gone = {"guests-remove": run.state["step_02"]["guests"], "pictures-remove": picture}
        card = await run.post("step_02_submit", gone, empty)
        assert error_of(card, "step_02", "guests")
        assert "p.png" not in card.get_text()
        card = await run.submit("step_02", {"pictures-remove": "other"}, {"guests": (evil, CSV)})
        assert run.state["step_02"]["pictures"] == []
        assert "p.png" not in card.get_text()
        assert len(uploads(tmp_path)) == 1
        await run.submit("step_03", {"token": TOKEN})

    async def second_life(run: Run) -> None:
        await run.post("revert", {"step_id": "step_03"})
        card = await run.submit("step_03", {"token": TOKEN})  # the steps before run again
        assert state_of(card) == "done", card.get_text()
        found = await run.client.get(
            f"/{NAME}/files/{next(tmp_path.glob('runs/*/*')).name}/all", headers=HTMX
        )
        assert found.status_code == 404, "uploads are not results"

    live(tmp_path, first_life)
    for work in tmp_path.glob("runs/*/*/work"):
        work.rename(work.with_name("lost"))
    live(tmp_path, second_life)


@pytest.mark.kernel
@pytest.mark.parametrize("gone", ["locked", "back"])
@pytest.mark.slow
def test_a_file_that_arrives_when_another_tab_has_locked_the_run_or_gone_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    keep = uploads_of_runs.keep

    async def life(run: Run) -> None:
        await run.submit("step_01", SOUND)
        await run.submit("step_02", {}, {"guests": ("guests.csv", CSV)})
        await run.submit("step_03", {"token": TOKEN})
        await run.submit("step_04", {})

        async def meanwhile(*given: Any) -> str:
            path = await keep(*given)
            if gone == "locked":
                await run.post("finalize", {})
            else:
                await run.post("revert", {"step_id": "step_01"})
            return path

        monkeypatch.setattr(uploads_of_runs, "keep", meanwhile)
        await run.post("step_02_submit", {}, {"guests": ("other.csv", b"name,town\nJoan,Bath\n")})
        assert ("finalized" in run.state.get("finalize", {})) == (gone == "locked")
        assert run.state.get("_revert_target") == ("step_01" if gone == "back" else None)
        assert "_typed" not in run.state
        assert "other.csv" not in json.dumps(run.state)

    live(tmp_path, life)


@pytest.mark.kernel
def test_a_secret_is_nowhere_and_is_asked_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pages: list[str] = []

    async def first_life(run: Run) -> None:
        await run.submit("step_01", SOUND)
        await run.submit("step_02", {})
        refused = await run.post("step_03_submit", {"token": ""})
        assert error_of(refused, "step_03", "token")
        card = await run.submit("step_03", {"token": TOKEN})
        pages.append(str(card))
        assert f"has {len(TOKEN)} characters" in card.get_text()
        await run.post("revert", {"step_id": "step_03"})
        pages.append(str(await run.get("step_03")))
        await run.submit("step_03", {"token": TOKEN})
        kernel = pools.pool().run(NAME, run.key).kernel
        assert kernel is not None
        heard: list[Any] = []
        await kernel.execute("print(In, _ih)", lambda kind, content: heard.append(content))
        assert TOKEN not in json.dumps(heard)
        assert "getpass" in json.dumps(heard)
        kernel.history = None

    async def second_life(run: Run) -> None:
        await run.post("step_04_submit", {})
        card = await run.get("step_04")
        assert state_of(card) == "question"
        assert "Booking token" in card.get_text()
        control = card.select_one("input[type=password]")
        assert control is not None
        assert not control.has_attr("value")
        assert "step_04" not in run.state

        data = {"step_id": "step_04", "step_03.token": TOKEN}
        pages.append(str(await run.post("secrets", data)))
        card = await run.get("step_04")
        assert state_of(card) == "done"
        assert "booked: True" in card.get_text()
        pages.append(str(card))

        # the same life of the server knows it now
        await run.post("revert", {"step_id": "step_04"})
        assert state_of(await run.submit("step_04", {})) == "done"
        # nobody is asked who is not waiting
        assert "all_types-container" in str(await run.post("secrets", data))

    live(tmp_path, first_life)
    live(tmp_path, second_life)
    assert not any(TOKEN in page for page in pages)
    assert TOKEN not in caplog.text
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path


@pytest.mark.kernel
@pytest.mark.slow
def test_a_walk_gives_files_lists_and_secrets(tmp_path: Path) -> None:
    guests = tmp_path / "My guests.csv"
    guests.write_bytes(CSV)

    async def life(key: str | None) -> Any:
        app = create_app(None, tmp_path / "data", files=[GENERATED / f"{NAME}.py"])
        async with app.router.lifespan_context(app):
            (plugin,) = app.state.loaded.plugins
            answers = {
                "step_01": {"sights": '["mill", "castle"]', "lunch": "on"},
                "step_02": {"guests": f"@{guests}"},
                "step_03": {"token": TOKEN},
            }
            if key is not None:  # only what is asked once more
                answers = {"step_03": {"token": TOKEN}}
            walked = await walk_app(app, plugin, answers, key)
            state = dict(walked.state)
            if key is None:
                state = {k: v for k, v in state.items() if k not in ("step_04", "finalize")}
                app.state.store.write(walked.key, state)
            return walked

    walked = asyncio.run(life(None))
    assert walked.finalized
    assert walked.state["step_01"]["sights"] == ["castle", "mill"]
    assert any("['Mary']" in output.text for step in walked.steps for output in step.outputs)
    again = asyncio.run(life(walked.key))
    assert again.finalized
    shown = [output.text for step in again.steps for output in step.outputs]
    assert any("booked: True" in text for text in shown)
    assert TOKEN not in "".join(shown) + json.dumps(again.as_dict()) + again.notebook_text()


@pytest.mark.kernel
@pytest.mark.slow
def test_the_server_ends_after_each_step_and_everything_is_there_again(tmp_path: Path) -> None:
    guests = tmp_path / "guests.csv"
    guests.write_bytes(CSV)
    given = {"step_02": {"guests": str(guests)}, "step_03": {"token": TOKEN}}
    plugin = GENERATED / f"{NAME}.py"
    ways: tuple[Way, ...] = ("straight", "resume")
    straight, resumed = (asyncio.run(witness(plugin, tmp_path / w, given, w)) for w in ways)
    assert straight.outputs == resumed.outputs
    assert len(straight.outputs) == 4


# --- the parts ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a.csv", "a.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\My file.XLSX", "My file.XLSX"),
        ("", "file"),
        ("...", "file"),
        (".hidden", "hidden"),
        ("con.txt", "_con.txt"),
        ("-rf", "_-rf"),
        ("__pycache__", "___pycache__"),
        ("a\0b\n.csv", "a_b_.csv"),
        ("<b>.csv", "_b_.csv"),
        ("naïve.tar.gz", "naïve.tar.gz"),
        ("日" * 200 + ".csv", "日" * 38 + ".csv"),
    ],
)
def test_names_of_uploads(name: str, safe: str) -> None:
    assert uploads_of_runs.safe_name(name) == safe
    assert len(safe.encode()) <= uploads_of_runs.LONGEST


def test_only_what_an_answer_names_is_kept(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "app", "key")

    def kept(name: str, content: bytes) -> str:
        file = UploadFile(io.BytesIO(content), filename=name)
        return asyncio.run(uploads_of_runs.keep(folder, file, (), 100))

    first, other, twin = kept("a.txt", b"1"), kept("b.txt", b"2"), kept("c.txt", b"1")
    assert first.rpartition("/")[0] == twin.rpartition("/")[0]
    state = {
        "step_01": {"x": [first]},
        "_typed": {"step_02": {"y": other}},
        "step_03": {"_cells": [twin]},
    }
    uploads_of_runs.prune(folder, state, before=0.0)  # all of them came later
    assert len(list(folder.path.glob("uploads/*/*"))) == 3
    uploads_of_runs.prune(folder, state, before=time.time() + 1)
    there = [uploads_of_runs.size(folder, None, path) for path in (first, other, twin)]
    assert there == [1, 1, None]
    for path in (
        "../" * 6 + "etc/passwd",
        "/etc/passwd",
        "uploads/../../x",
        "",
        "uploads",
        "x" * 5000,
        "a\0b",
    ):
        assert uploads_of_runs.size(folder, tmp_path, path) is None, path
    with pytest.raises(ValueError, match="big"):
        kept("big.bin", b"x" * 101)
    assert not list(folder.path.glob("uploads/.*"))
