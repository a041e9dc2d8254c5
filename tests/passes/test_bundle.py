"""Which files travel with a plugin."""

import os
from pathlib import Path

import pytest

from tests.build import analysed
from transpiler.passes.bundle import bundle

IMPORTS = {
    "above.py": "import os\ndef late():\n    from package.part import x",
    "script.py": "import above, round",
    "round.py": "import script\nimport pandas",
    "package/part.py": "this is no Python",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    for name in (
        "a.csv",
        "data/b.csv",
        "data/deep/c.csv",
        "data/.hidden",
        "data/__pycache__/x.pyc",
        "helpers.py",
        "package/__init__.py",
        "package/part.py",
        "above.py",
        "script.py",
        "round.py",
        "package/__pycache__/part.pyc",
        "pandas.txt",
    ):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(IMPORTS.get(name, ""))
    (tmp_path / "outside.csv").write_text("")
    return home


CASES = {
    "nothing": ("x = 1", [], []),
    "a file": ("open('a.csv')", ["a.csv"], []),
    "a file twice": ("open('a.csv'); open('./a.csv')", ["a.csv"], []),
    "a file of a folder": ("open('data/b.csv')", ["data/b.csv"], []),
    "a file by a way around": ("open('data/../a.csv')", ["a.csv"], []),
    "a file that is missing": ("open('no.csv')", [], ["PP305"]),
    "a file above": ("open('../outside.csv')", [], ["PP307"]),
    "a module": ("import helpers", ["helpers.py"], []),
    "names of a module": ("from helpers import x", ["helpers.py"], []),
    "an extension": ("%load_ext helpers", ["helpers.py"], []),
    "what a module imports": (
        "import above",
        ["above.py", "package/__init__.py", "package/part.py"],
        [],
    ),
    "what a script imports, round and round": (
        "%run script.py 1",
        ["script.py", "above.py", "round.py", "package/__init__.py", "package/part.py"],
        [],
    ),
    "what the notebook writes": (
        "with open('new.csv', 'w') as file:\n    pass\nopen('new.csv')",
        [],
        [],
    ),
    "what it writes by a path": ("Path('new.txt').write_text('x'); open('new.txt')", [], []),
    "what it writes as a module": ("%%writefile -a new.py\nx = 1", [], []),
    "what it adds to": ("open('a.csv', 'a'); open('a.csv')", ["a.csv"], []),
    "what is written with the path behind": (
        "joblib.dump(model, 'new.bin'); torch.save(model, 'new.pt'); joblib.load('new.bin'); torch.load('new.pt')",
        [],
        [],
    ),
    "what a table is written to": (
        "frame.to_csv('new.csv'); pd.read_csv('new.csv')",
        [],
        [],
    ),
    "a package": ("import package.part", ["package/__init__.py", "package/part.py"], []),
    "an installed module": ("import pandas, numpy", [], []),
    "a name no file can have": (f"open('{'x' * 250}.csv.{'y' * 100}')", [], []),
    "a module no file can have": (f"import {'x' * 300}", [], ["PP311"]),
    "a module nobody has": ("import nobody_has.it\nfrom nobody_has import this", [], ["PP311"]),
    "several of them": ("import nobody_has, nor_this", [], ["PP311"]),
    "one it can do without": (
        "try:\n    import nobody_has\nexcept ImportError:\n    pass\nif x:\n    import nor_this\ndef f():\n    import nor_that",
        [],
        [],
    ),
    "one it writes": ("open('mine.py', 'w').write('x = 1')\nimport mine", [], []),
    "one it writes as a magic": ("%%writefile mine/__init__.py\nx = 1", [], []),
    "one from a folder it adds": ("import sys\nsys.path.append('lib')\nimport mine", [], []),
    "one it installs": ("%pip install -q Nobody-Has\nimport nobody_has", [], []),
    "one of the standard library": ("import json, tomllib, distutils", [], []),
}


def missing(folder: Path, monkeypatch, *cells: str) -> list[tuple[str, dict[str, object]]]:
    """What is said where nothing is installed."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    analysis, _ = analysed(*cells)
    _, found = bundle(analysis, folder)
    return [(d.rule.code, dict(d.values)) for d in found]


def test_packages_that_are_missing_are_named_as_one_installs_them(
    folder: Path, monkeypatch
) -> None:
    cell = "from sklearn import svm\nimport cv2.data as d\nimport sklearn.tree, above, ours"
    command = " (`pip install scikit-learn opencv-python`)"  # of `ours` nobody knows
    said = {"modules": "sklearn, cv2, ours", "command": command}
    assert missing(folder, monkeypatch, cell) == [("PP311", said)]
    assert missing(folder, monkeypatch, "import ours") == [
        ("PP311", {"modules": "ours", "command": ""})
    ]


@pytest.mark.parametrize(
    "maker",
    [
        "import sys, types\nsys.modules['ours'] = types.ModuleType('ours')",
        "%%bash\necho 'x = 1' > ours.py",
        "!git clone https://example.org/ours",
        "import subprocess\nsubprocess.run(['make', 'ours'])",
        "import sys\nsys.path.insert(0, '..')",
    ],
)
def test_a_module_that_the_notebook_may_make_is_not_missing(
    folder: Path, monkeypatch, maker: str
) -> None:
    assert missing(folder, monkeypatch, maker, "import ours") == []
    said = {"modules": "folium", "command": " (`pip install folium`)"}
    assert missing(folder, monkeypatch, maker, "import ours, folium") == [("PP311", said)]


@pytest.mark.parametrize(
    "cell", ["from pipulate import pip", "import google.cloud.storage", "import ruamel.yaml"]
)
def test_of_some_modules_nothing_is_said(folder: Path, monkeypatch, cell: str) -> None:
    assert missing(folder, monkeypatch, cell) == []


def test_what_only_colab_has(folder: Path) -> None:
    for cell in ("from google.colab import drive", "import google.colab.files"):
        analysis, _ = analysed(cell)
        _, (found,) = bundle(analysis, folder)
        assert found.rule.code == "PP312"
    analysis, _ = analysed(
        "try:\n    from google.colab import drive\nexcept ImportError:\n    drive = None"
    )
    assert bundle(analysis, folder)[1] == ()


@pytest.mark.parametrize("case", CASES)
def test_what_travels_is(case: str, folder: Path) -> None:
    source, files, codes = CASES[case]
    analysis, _ = analysed(source)
    paths, found = bundle(analysis, folder)
    assert list(paths) == files
    assert [d.rule.code for d in found] == codes


def of_files(*files: str, folder: Path) -> tuple[list[str], list[str]]:
    import dataclasses

    analysis, _ = analysed("x = 1")
    paths, found = bundle(dataclasses.replace(analysis, files=files), folder)
    return list(paths), [d.rule.code for d in found]


def test_a_folder_travels_without_what_is_hidden(folder: Path) -> None:
    assert of_files("data", folder=folder) == (["data/b.csv", "data/deep/c.csv"], [])


def test_the_folder_of_the_notebook_does_not_travel(folder: Path) -> None:
    assert of_files(".", "./", "data/..", folder=folder) == ([], [])


def test_an_absolute_path_lies_outside(folder: Path) -> None:
    assert of_files("/etc/passwd", folder=folder) == ([], ["PP307"])


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_a_name_that_no_file_can_have_is_missing(name: str, folder: Path) -> None:
    assert of_files(name, folder=folder) == ([], ["PP305"])


def test_what_cannot_be_read_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "a.csv")
    assert of_files("a.csv", folder=folder) == ([], ["PP305"])
