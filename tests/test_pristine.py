"""Whether a plugin is as it was ported is seen from the file alone."""

import sys

import pytest

from tests.build import PORT_ID, emitted
from transpiler.plugin_folder.pristine import digest, is_pristine, origin

TEXT = emitted("x = 1\nx")
HEADER = next(line for line in TEXT.splitlines() if line.startswith("# port:"))


def test_an_emitted_file_is_pristine_and_says_what_it_was_made_from() -> None:
    assert is_pristine(TEXT)
    assert origin(TEXT) == {
        "id": PORT_ID,
        "notebook": "../trip.ipynb",
        "base": HEADER.rpartition("base=")[2],
    }


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text + "\n",
        lambda text: text.replace("x = 1", "x = 2"),
        lambda text: text.replace('"""The workflow', '"""My workflow'),
        lambda text: text.replace(" base=", " base=0"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
    ],
    ids=["a line at the end", "a cell", "the docstring", "the hash", "line ends", "a BOM"],
)
def test_every_edit_shows(edit) -> None:
    assert edit(TEXT) != TEXT
    assert not is_pristine(edit(TEXT))


@pytest.mark.parametrize("text", ["", "print(1)\n", "# port: id=zz notebook=x base=00\n"])
def test_a_file_without_a_header_has_no_origin(text: str) -> None:
    assert origin(text) is None
    assert not is_pristine(text)


def test_a_digest_is_short_and_its_own() -> None:
    assert digest("a") == digest("a") != digest("b")
    assert len(digest("a")) == 16


def test_the_module_needs_nothing_of_the_compiler() -> None:
    import subprocess

    script = "import sys, transpiler.plugin_folder.pristine; print(sorted(m for m in sys.modules if m.startswith('transpiler')))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (
        out.stdout.strip()
        == "['transpiler', 'transpiler.plugin_folder', 'transpiler.plugin_folder.pristine']"
    )
