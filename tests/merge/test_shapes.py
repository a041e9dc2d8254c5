"""Law 10: a merge does not depend on how the plugin's file is written down, nor on a formatter that has been over it."""

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import black
import pytest

from tests.merge.laws import Pair, pair_of, tokens
from transpiler.model.options import Asked
from transpiler.passes.regenerate import Emitted, Regenerated, regenerate
from transpiler.plugin_folder.lockfile import Lock
from transpiler.plugin_folder.paths import sha
from transpiler.plugin_folder.place import Place
from transpiler.plugin_folder.pristine import origin

SEEDS = (3, 33, 47)
BOM = b"\xef\xbb\xbf"


@cache
def pair(seed: int) -> Pair:
    return pair_of(seed)


def ported(it: Pair, raw: bytes) -> Regenerated:
    """The plugin after a port over these bytes."""
    base = it.base.text
    header = (origin(base) or {})["base"]
    lock = Lock(written_sha="of the last port", base_sha=sha(base.encode()), header=header)
    now = Emitted(it.theirs.text, it.theirs.plan.moves)
    where = Place(Path("trip.py"), "0123", "trip.ipynb", raw, base.encode(), lock)
    return regenerate(where, now, Asked())[0]


@cache
def plain(seed: int) -> Regenerated:
    return ported(pair(seed), pair(seed).ours.encode())


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "shape",
    [
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: BOM + text,
        lambda text: BOM + text.replace(b"\n", b"\r\n"),
        lambda text: text.removesuffix(b"\n"),
        lambda text: text.removesuffix(b"\n").replace(b"\n", b"\r\n"),
    ],
    ids=["CRLF", "BOM", "BOM and CRLF", "no final newline", "CRLF, none at the end"],
)
def test_the_result_is_written_as_the_file_was(seed: int, shape: Callable[[bytes], bytes]) -> None:
    it = pair(seed)
    done = ported(it, shape(it.ours.encode()))
    assert done.content == shape(plain(seed).content)
    assert done.conflicts == plain(seed).conflicts


@pytest.mark.parametrize("seed", SEEDS)
def test_form_feeds_between_methods_stay(seed: int) -> None:
    it = pair(seed)
    place = "    async def unfinalize"
    done = ported(it, it.ours.replace(place, f"\f\n{place}").encode())
    assert done.content.decode().replace(f"\f\n{place}", place) == plain(seed).content.decode()
    assert "\f" in done.content.decode()


def by_black(width: int) -> Callable[[str], str]:
    return lambda text: black.format_str(text, mode=black.Mode(line_length=width))


def by_ruff(text: str) -> str:
    command = [Path(sys.executable).parent / "ruff", "format", "--isolated", "--line-length", "100", "-"]  # fmt: skip
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("seed", SEEDS[:2])
@pytest.mark.parametrize(
    "formatter", [by_black(88), by_black(100), by_black(60), by_ruff], ids=["88", "100", "60", "ruff"]
)  # fmt: skip
def test_a_formatter_over_the_plugin_loses_nothing_and_makes_no_conflict(
    seed: int, formatter: Callable[[str], str]
) -> None:
    it = pair(seed)
    done = ported(it, formatter(it.ours).encode())
    text = done.content.decode()
    compile(text, "trip.py", "exec")
    assert tokens(it.ours) | tokens(plain(seed).content.decode()) <= tokens(text)
    assert {c.unit for c in done.conflicts} <= {c.unit for c in plain(seed).conflicts}
