"""The files that cells write: what a card lists, what is given out, and what never is."""

import io
import os
import re
import zipfile
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from fasthtml.common import to_xml
from starlette.testclient import TestClient

from pipulate_runtime.cells.storage import files
from pipulate_runtime.cells.storage.folders import RunFolder
from tests.cells.conftest import run

SECRET = "not for others"


# --- what was written ---


def test_a_file_counts_as_written_when_it_is_new_or_other(tmp_path):
    (tmp_path / "read.csv").write_text("a")
    (tmp_path / "grows.txt").write_text("a")
    (tmp_path / "same_size.txt").write_text("a")
    before = files.listing(tmp_path)
    (tmp_path / "read.csv").read_text()
    with (tmp_path / "grows.txt").open("a") as file:
        file.write("b")
    (tmp_path / "same_size.txt").write_text("b")
    (tmp_path / "out" / "deep").mkdir(parents=True)
    (tmp_path / "out" / "deep" / "näw.csv").write_text("x")
    wrote = files.changed_files(before, files.listing(tmp_path))
    names = ["grows.txt", "out/deep/näw.csv", "same_size.txt"]
    assert wrote == {"count": 3, "names": names}
    after = files.listing(tmp_path)
    assert files.changed_files(after, files.listing(tmp_path)) is None


def test_what_is_not_a_result_is_not_listed(tmp_path):
    for name in ("__pycache__/m.cpython-311.pyc", ".ipynb_checkpoints/a.ipynb", ".hidden", "m.pyc"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    (tmp_path / "outside").symlink_to("/etc")
    (tmp_path / "link.txt").symlink_to(tmp_path / ".hidden")
    os.mkfifo(tmp_path / "pipe")
    (Path(os.fsencode(tmp_path).decode()) / os.fsdecode(b"\xff.txt")).write_text("x")
    assert files.listing(tmp_path) == {}
    assert files.listing(tmp_path / "there is no such folder") == {}


def test_of_thousands_only_the_first_names_are_kept(tmp_path):
    for number in range(1000):
        (tmp_path / f"{number:04}.txt").write_text("")
    wrote = files.changed_files({}, files.listing(tmp_path))
    assert wrote["count"] == 1000
    assert wrote["names"] == [f"{number:04}.txt" for number in range(files.KEPT)]


def test_results_are_all_files_but_those_that_are_as_they_came(tmp_path):
    bundled, work = tmp_path / "bundled", tmp_path / "work"
    for folder in (bundled, work):
        folder.mkdir()
        (folder / "sales.csv").write_text("1,2")
        (folder / "changed.csv").write_text("1,2")
    (work / "changed.csv").write_text("1,3")
    (work / "new.csv").write_text("")
    assert files.results(work, bundled) == ["changed.csv", "new.csv"]
    assert files.results(work, None) == ["changed.csv", "new.csv", "sales.csv"]


# --- what is given out ---


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../secret.txt",
        "out/../../secret.txt",
        "out/./a.txt",
        "/etc/passwd",
        "//etc/passwd",
        "out//a.txt",
        "out",
        "out/",
        "a.txt/",
        "link.txt",
        "folder_link/a.txt",
        "up/secret.txt",
        "pipe",
        ".hidden",
        "a.txt\0",
        "a.txt\0.png",
        "..\\secret.txt",
        "x" * 5000,
        "\ud800",
    ],
)
def test_nothing_else_is_opened(tmp_path, name):
    work = tmp_path / "work"
    (work / "out").mkdir(parents=True)
    for path in (tmp_path / "secret.txt", work / ".hidden"):
        path.write_text(SECRET)
    for path in (work / "a.txt", work / "out" / "a.txt"):
        path.write_text("fine")
    (work / "link.txt").symlink_to(tmp_path / "secret.txt")
    (work / "folder_link").symlink_to(work / "out")
    (work / "up").symlink_to(tmp_path)
    os.mkfifo(work / "pipe")
    with pytest.raises(FileNotFoundError):
        files.open_result(work, name)
    assert files.size(work, name) is None
    assert files.open_result(work, "out/a.txt")[0].read() == b"fine"


def test_a_file_that_grows_gives_no_more_than_was_promised(tmp_path):
    path = tmp_path / "log.txt"
    path.write_bytes(b"x" * files.CHUNK * 2)
    file, length = files.open_result(tmp_path, "log.txt")
    pieces = files.content(file, length)
    first = next(pieces)
    with path.open("ab") as more:
        more.write(b"y" * 1000)
    assert first + b"".join(pieces) == b"x" * files.CHUNK * 2
    assert file.closed


def test_a_zip_is_given_piece_by_piece(tmp_path):
    (tmp_path / "out").mkdir()
    big = os.urandom(files.CHUNK * 3)
    (tmp_path / "out" / "big.bin").write_bytes(big)
    (tmp_path / "ä.txt").write_text("text")
    os.utime(tmp_path / "ä.txt", (0, 0))  # 1970: before a zip's time begins
    pieces = list(files.zip_files(tmp_path, ["out/big.bin", "is gone.txt", "ä.txt"]))
    assert len(pieces) > 2
    archive = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
    assert archive.testzip() is None
    assert {name: archive.read(name) for name in archive.namelist()} == {
        "out/big.bin": big,
        "ä.txt": b"text",
    }


# --- through the page ---

WRITES = """
    @cell("a")
    def step_01_cell(form):
        from pathlib import Path
        Path("out").mkdir()
        Path("out/table.csv").write_text(f"limit,{form['x']}\\n")
        Path("Übersicht 100%.txt").write_text("ä")
        Path("__pycache__").mkdir()
        Path("__pycache__/x").write_text("")
        open("input.csv").read()

    @cell("b")
    def step_02_cell(form):
        from pathlib import Path
        Path("out/table.csv").write_text("of step 2")
        Path("log.txt").write_text("2")

    @cell("c", show="none")
    def step_03_cell(form):
        from pathlib import Path
        Path("silent.txt").write_text("3")
    """


@pytest.fixture
def walker(make, tmp_path):
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "input.csv").write_text("a,b")
    return make(WRITES, steps=3, files="bundle")


def records(walker, step_id):
    return walker.pip.read_state("k")[step_id]["_cells"]


def card(walker, step_id):
    return to_xml(walker.plugin.cells.show("k", records(walker, step_id)))


def links(page):
    return dict(re.findall(r'<a href="([^"]*/files/[^"]*)"[^>]*>([^<]*)</a>', page))


def client(walker):
    return TestClient(walker.plugin.app, base_url="http://127.0.0.1")


@pytest.mark.kernel
def test_a_card_lists_what_its_cells_wrote_and_each_can_be_downloaded(walker):
    run(walker.walk({"x": 7}, {}, {}))
    (record,) = records(walker, "step_01")
    assert record["wrote"] == {"count": 2, "names": ["out/table.csv", "Übersicht 100%.txt"]}
    found = links(card(walker, "step_01"))
    assert list(found.values()) == [
        "out/table.csv",
        "Übersicht 100%.txt",
        "All files of this run so far",
    ]
    second = list(links(card(walker, "step_02")).values())
    assert second == ["log.txt", "out/table.csv", "All files of this run so far"]
    assert walker.plugin.cells.show("k", records(walker, "step_03")) is None

    # No kernel lives any more: this is as after a restart
    with client(walker) as browser:
        for address, name in list(found.items())[:2]:
            answer = browser.get(address)
            assert answer.status_code == 200
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-type"] == "application/octet-stream"
            kind, plain, full = answer.headers["content-disposition"].split("; ")
            assert kind == "attachment"
            assert plain.isascii()
            assert unquote(full.removeprefix("filename*=UTF-8''")) == name.rpartition("/")[2]
            assert int(answer.headers["content-length"]) == len(answer.content)
        # What a later step has overwritten is given as it is now
        assert browser.get(next(iter(found))).text == "of step 2"
        assert browser.get(list(found)[1]).text == "ä"

        archive = zipfile.ZipFile(io.BytesIO(browser.get(list(found)[2]).content))
        assert sorted(archive.namelist()) == [
            "log.txt", "out/table.csv", "silent.txt", "Übersicht 100%.txt",
        ]  # fmt: skip


@pytest.mark.kernel
def test_nothing_outside_the_folder_of_a_run_is_served(walker, tmp_path):
    run(walker.walk({"x": 7}))
    folder = walker.plugin.cells.folder("k")
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    (folder.work / "link.txt").symlink_to(secret)
    (folder.path / "own.txt").write_text(SECRET)
    other = RunFolder(tmp_path / "data", "other", "k")
    other.work.mkdir(parents=True)
    (other.work / "a.txt").write_text(SECRET)
    base = f"/made/files/{folder.name}/one?name="
    with client(walker) as browser:
        for name in (
            "../own.txt", "..%2Fown.txt", "%2e%2e%2fown.txt", "link.txt", str(secret), f"../../../other/{other.name}/work/a.txt",
            "out", "", "nothing.txt", "%00", "__pycache__/x", "input.csv",
        ):  # fmt: skip
            answer = browser.get(base + name)
            assert answer.status_code == 404, name
            assert SECRET not in answer.text
        assert browser.get("/made/files/..%2F..%2Fx-0123456789/one?name=a").status_code == 404
        assert browser.get("/made/files/..-0123456789/all").status_code == 404
        assert browser.get("/made/files/nobody-0123456789/all").status_code == 404
        zipped = browser.get(f"/made/files/{folder.name}/all").content
        assert SECRET.encode() not in b"".join(
            map(
                zipfile.ZipFile(io.BytesIO(zipped)).read,
                zipfile.ZipFile(io.BytesIO(zipped)).namelist(),
            )
        )


@pytest.mark.kernel
def test_going_back_and_on_leaves_the_right_lists(walker):
    async def back_and_on():
        await walker.walk({"x": 1}, {}, {})
        await walker.step("step_01", {"x": 2})

    run(back_and_on())
    assert "step_02" not in walker.pip.read_state("k")
    found = links(card(walker, "step_01"))
    with client(walker) as browser:
        assert browser.get(next(iter(found))).text == "limit,2\n"
        names = zipfile.ZipFile(io.BytesIO(browser.get(list(found)[2]).content)).namelist()
    assert "log.txt" not in names, "of a step that was gone back over"

    run(walker.step("step_02"))  # the server was ended: step 1 is replayed for it
    assert records(walker, "step_02")[0]["wrote"]["names"] == ["log.txt", "out/table.csv"]
    assert records(walker, "step_01")[0]["wrote"]["count"] == 2


@pytest.mark.kernel
def test_a_file_that_is_gone_is_said_and_a_failed_cell_shows_its_files(make):
    walker = make(
        """
        @cell("a")
        def step_01_cell(form):
            open("a.txt", "w").write("1")

        @cell("b")
        def step_02_cell(form):
            import os
            os.remove("a.txt")
            open("log.txt", "w").write("why")
            1 / 0
        """,
        steps=2,
    )

    async def walk():
        await walker.walk({})
        return await walker.step("step_02")

    failed = run(walk())
    assert failed.error
    assert links(card(walker, "step_01")) == {}
    assert "a.txt</span> was deleted" in card(walker, "step_01")
    (address,) = links(to_xml(walker.plugin.cells.show("k", failed.cells)))
    assert parse_qs(urlsplit(address).query) == {"name": ["log.txt"]}


@pytest.mark.kernel
def test_thousands_of_files_are_a_short_list_and_one_zip(make):
    walker = make("""
        @cell("a")
        def step_01_cell(form):
            for number in range(1200):
                open(f"{number}.txt", "w").write(str(number))
        """)
    run(walker.walk({}))
    page = card(walker, "step_01")
    assert "… and 1,180 more" in page
    found = links(page)
    assert len(found) == 21
    with client(walker) as browser:
        zipped = browser.get(list(found)[-1])
    assert zipped.headers["content-disposition"].startswith('attachment; filename="k.zip"')
    assert len(zipfile.ZipFile(io.BytesIO(zipped.content)).namelist()) == 1200


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (9949, "9.9 kB"), (9960, "10 kB"), (999_499, "999 kB"),
     (999_600, "1.0 MB"), (5_300_000_000, "5.3 GB"), (7 * 10**15, "7000 TB")],
)  # fmt: skip
def test_sizes_are_readable(number, words):
    from pipulate_runtime.cells.page.render import readable

    assert readable(number) == words
