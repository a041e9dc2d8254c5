"""Keys of a data folder."""

import errno
import os
import stat

import pytest

from pipulate_runtime.cells.storage.keyfile import read_or_make_key


def without_links(source, target):
    raise OSError(errno.EPERM, "Operation not permitted")


def quicker(source, target):
    target.write_text("theirs", encoding="ascii")
    raise FileExistsError


@pytest.mark.parametrize("link", [os.link, without_links])
def test_a_key_is_made_once_for_its_owner_only(tmp_path, monkeypatch, link):
    monkeypatch.setattr(os, "link", link)
    path = tmp_path / "new" / "key"
    key = read_or_make_key(path)
    assert len(key) > 40
    assert read_or_make_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["key"]


def test_the_key_of_a_server_that_was_quicker_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", quicker)
    assert read_or_make_key(tmp_path / "key") == "theirs"
    assert [file.name for file in tmp_path.iterdir()] == ["key"]
