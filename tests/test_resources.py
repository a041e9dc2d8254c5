"""The package as it is installed: the wheel holds the templates and the pages, and works away from the checkout."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.build import raw
from tests.conftest import ROOT
from transpiler.model import resources

pytest.importorskip(
    "hatchling", reason="the wheel is built without a network, so hatchling must be there"
)


def run(*arguments: object, cwd: Path, path: Path | str | None = None) -> str:
    """Run Python away from the checkout; `path` is where packages are found besides the installed ones."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    ended = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a clone holds of the package, so that building leaves nothing in the real one."""
    copy = tmp_path_factory.mktemp("clone") / "checkout"
    copy.mkdir()
    for name in ("transpiler", "pipulate_runtime", "templates", "docs"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        source = ROOT / name
        (copy / name).write_bytes(source.read_bytes() if source.exists() else b"# Pipulate\n")
    return copy


BUILD = "import sys; from hatchling import build; print(build.build_{kind}(sys.argv[1]))"


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel."""
    out = tmp_path_factory.mktemp("dist")
    name = run("-c", BUILD.format(kind="wheel"), out, cwd=checkout).split()[-1]
    return out / name


def test_the_wheel_holds_the_templates_and_the_pages(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for template in (ROOT / "templates").rglob("*.j2"):
        assert (
            f"transpiler/templates/{template.relative_to(ROOT / 'templates').as_posix()}" in names
        )
    for page in (ROOT / "docs" / "diagnostics").glob("*.md"):
        assert f"transpiler/pages/{page.name}" in names
    assert {"transpiler/cli/main.py", "pipulate_runtime/host/static/host.css"} <= names
    assert not any(name.startswith(("tests/", "fixtures/", "pipulate/")) for name in names)
    assert any(name.endswith(".dist-info/entry_points.txt") for name in names)


def assert_it_ports_a_notebook(folder: Path, path: Path | str) -> None:
    """Raise AssertionError unless what is installed at `path` works in a folder away from the checkout."""
    (folder / "trip.ipynb").write_bytes(raw("limit = 5\nlimit"))
    where = run("-c", "import transpiler; print(transpiler.__file__)", cwd=folder, path=path)
    assert not where.startswith(str(ROOT))
    run("-m", "transpiler", "port", "trip.ipynb", cwd=folder, path=path)
    assert "limit = 5" in (folder / "generated" / "trip.py").read_text()
    page = run("-m", "transpiler", "explain", "PP101", cwd=folder, path=path)
    assert "PP101 not-json" in page


def test_the_wheel_works_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    assert_it_ports_a_notebook(tmp_path, site)


def test_an_editable_install_finds_them_too(checkout: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    dist = tmp_path / "dist"
    dist.mkdir()
    name = run("-c", BUILD.format(kind="editable"), dist, cwd=checkout).split()[-1]
    zipfile.ZipFile(dist / name).extractall(site)
    # An editable wheel is a .pth file: what `site` does with it at start is done here by hand.
    (pth,) = site.glob("*.pth")
    assert set(pth.read_text().split()) == {str(checkout)}
    # What the wheel holds besides (old copies of the templates) lies before the checkout on the path.
    assert_it_ports_a_notebook(tmp_path, f"{site}{os.pathsep}{checkout}")


def test_the_checkout_is_asked_before_an_old_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "transpiler"
    (package / "templates").mkdir(parents=True)
    (package / "pages").mkdir()
    monkeypatch.setattr(resources, "__file__", str(package / "model" / "resources.py"))
    assert resources.templates_folder() == package / "templates"
    assert resources.pages_folder() == package / "pages"
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "plugin.py.j2").write_text("")
    (tmp_path / "docs" / "diagnostics").mkdir(parents=True)
    assert resources.pages_folder() == package / "pages"
    (tmp_path / "docs" / "diagnostics" / "PP101.md").write_text("")
    assert resources.templates_folder() == tmp_path / "templates"
    assert resources.pages_folder() == tmp_path / "docs" / "diagnostics"
