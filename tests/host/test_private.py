"""What a data folder holds is for its owner alone, whoever made the folder and whatever the umask."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipulate_runtime.host.state.private import write_private
from pipulate_runtime.host.state.store import StateStore

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")


@pytest.fixture(autouse=True)
def open_to_all() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("there", ["nothing", "an open folder", "all of it, open"])
def test_only_the_owner_reads_answers(tmp_path: Path, there: str) -> None:
    data = tmp_path / "data"
    if there != "nothing":
        data.mkdir(mode=0o777)
    if there == "all of it, open":
        store = StateStore(data / "pipulate.db")
        store.create("k", "app", {"x": 1})
        store.close()
        (data / "pipulate.db").chmod(0o666)
        (data / "runs").chmod(0o777)
    store = StateStore(data / "pipulate.db")
    store.create("other", "app", {"x": 1})
    files = [path for path in data.iterdir() if path.is_file()]
    assert {path.name for path in files} >= {"pipulate.db", "pipulate.db-wal"}
    assert {path.name: oct(mode(path)) for path in files} == {path.name: "0o600" for path in files}
    assert mode(data / "runs") == mode(data / "kernels") == 0o700
    assert mode(data) == (0o700 if there == "nothing" else 0o777), "the folder is its maker's"
    store.close()


def test_rights_are_taken_and_never_given(tmp_path: Path) -> None:
    store = StateStore(tmp_path / "pipulate.db")
    store.close()
    (tmp_path / "runs").chmod(0o500)
    StateStore(tmp_path / "pipulate.db").close()
    assert mode(tmp_path / "runs") == 0o500


def test_what_is_exported_is_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "run.ipynb"
    path.write_text("an older and longer one", encoding="utf-8")
    path.chmod(0o666)
    write_private(path, "é")
    assert (mode(path), path.read_text(encoding="utf-8")) == (0o600, "é")
