"""What `make` installs is locked, and the locks go with pyproject.toml."""

import re
import tomllib
from collections import defaultdict

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import locked

PROJECT = tomllib.loads((locked.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
RENEW = "run `make lock UPGRADE=` and commit requirements/"
PYTHONS = ["3.11", "3.12", "3.13"]
SYSTEMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "macos": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    "windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
}


def wanted(extra: str) -> list[Requirement]:
    """What the project needs with an extra, and what builds it."""
    found = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["build"]]
    found += PROJECT["build-system"]["requires"]
    extras = [extra]
    for name in extras:
        for text in EXTRAS[name]:
            one = Requirement(text)
            if one.name == PROJECT["project"]["name"]:  # pipulate-transpiler[demo]
                extras += one.extras
            else:
                found.append(text)
    return [Requirement(text) for text in found]


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("extra", EXTRAS)
def test_each_dependency_is_locked_in_a_version_that_fits(extra, python, system):
    environment = SYSTEMS[system] | {"python_version": python, "python_full_version": f"{python}.7"}
    environment |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    versions = defaultdict(list)
    for entry in locked.entries(f"{extra}.txt"):
        if entry.fits(environment):
            versions[entry.name].append(entry.version)
    assert [name for name, several in versions.items() if len(several) != 1] == []
    missing = [
        str(one)
        for one in wanted(extra)
        if (one.marker is None or one.marker.evaluate(environment))
        and not any(map(one.specifier.contains, versions[canonicalize_name(one.name)]))
    ]
    assert missing == [], RENEW


@pytest.mark.parametrize("file", ["demo.txt", "dev.txt", "old.txt"])
def test_each_locked_version_has_its_hashes(file):
    entries = locked.entries(file)
    assert len(entries) == len(re.findall("==.* \\\\$", (locked.LOCKS / file).read_text(), re.M))
    for entry in entries:
        assert entry.hashes, entry.name
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", one) for one in entry.hashes), entry.name


def test_every_lock_is_of_an_extra_or_of_upstream():
    assert {path.stem for path in locked.LOCKS.glob("*.txt")} == {*EXTRAS, "old"}


def test_the_demo_has_what_the_tests_have():
    tests = {(entry.name, entry.version, entry.hashes) for entry in locked.entries("dev.txt")}
    demo = {(entry.name, entry.version, entry.hashes) for entry in locked.entries("demo.txt")}
    assert demo < tests


def test_the_versions_of_upstream_are_locked():
    asked = (locked.LOCKS / "old.in").read_text(encoding="utf-8").splitlines()
    assert [str(Requirement(entry.wanted.name + str(entry.wanted.specifier)) ) for entry in locked.entries("old.txt")] == sorted(line for line in asked if not line.startswith("#")), RENEW  # fmt: skip


@pytest.mark.parametrize("file", ["demo.txt", "dev.txt", "old.txt"])
def test_a_lock_names_no_place_to_download_from(file):
    text = (locked.LOCKS / file).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index-url" not in text


def test_every_supported_python_is_locked():
    supported = [
        line.rsplit(" ", 1)[1]
        for line in PROJECT["project"]["classifiers"]
        if re.search(r":: \d\.\d+$", line)
    ]
    assert supported == PYTHONS


def test_what_moved_is_named():
    assert locked.moved({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "3"}) == [
        ("b", "1", "2"),
        ("c", "1", "-"),
        ("d", "-", "3"),
    ]


def test_an_entry_is_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(locked, "LOCKS", tmp_path)
    (tmp_path / "a.txt").write_text(
        "# made by a tool\nOne_Name==1.2 ; python_version < '3.12' \\\n    --hash=sha256:a \\\n    --hash=sha256:b\n    # via two\ntwo==3\n"
    )
    one, two = locked.entries("a.txt")
    assert (one.name, one.version, one.hashes) == ("one-name", "1.2", ("sha256:a", "sha256:b"))
    assert [one.fits({"python_version": python}) for python in PYTHONS] == [True, False, False]
    assert (two.name, two.hashes, two.fits()) == ("two", (), True)


@pytest.mark.parametrize("line", ["a>=1", "a==1.*", "a", "a==1,<2"])
def test_a_range_is_no_lock(tmp_path, monkeypatch, line):
    monkeypatch.setattr(locked, "LOCKS", tmp_path)
    (tmp_path / "a.txt").write_text(line + "\n")
    with pytest.raises(ValueError, match="is not one version"):
        locked.entries("a.txt")
