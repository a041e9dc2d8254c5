"""What a workflow gives all its pages: ACCENT, LOGO, INTRO, CONTACT."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from pipulate_runtime.host.plugins import look
from pipulate_runtime.host.plugins.model import Plugin
from tests.host.helpers import PLUGINS

LIGHT, DARK = (246, 245, 241), (30, 35, 33)


def colours(accent: object) -> tuple[str, str] | None:
    return look.colours(SimpleNamespace(ACCENT=accent))


def contrast(colour: str, ground: tuple[int, ...]) -> float:
    return look._contrast(tuple(bytes.fromhex(colour[1:])), ground)


@pytest.mark.parametrize(
    "accent", ["#000", "#fff", "#ff9900", "#7a3e9d", "#00ff00", "#808080", "#ABC"]
)
def test_any_colour_can_be_read_on_light_and_dark_pages(accent: str) -> None:
    light, dark = colours(accent) or ("", "")
    assert contrast(light, LIGHT) >= 4.5
    assert contrast(dark, DARK) >= 4.5


def test_a_colour_that_can_be_read_stays_as_it_is() -> None:
    assert colours("#7a3e9d")[0] == "#7a3e9d"
    assert colours("#f90")[1] == "#ff9900"


@pytest.mark.parametrize("accent", [None, "", "teal", "#12", "#12345", "red;}", "#0a7;--x:1"])
def test_anything_else_is_no_colour(accent: object) -> None:
    assert colours(accent) is None


def test_black_on_white_has_the_contrast_of_the_definition() -> None:
    assert contrast("#000000", (255, 255, 255)) == pytest.approx(21)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "plugins"
    made.mkdir()
    for name in ("logo.png", "notes.txt"):
        (made / name).write_bytes(b"x")
    (tmp_path / "outside.png").write_bytes(b"x")
    return made


@pytest.mark.parametrize(
    ("path", "there"),
    [("logo.png", True), ("./logo.png", True), ("../outside.png", False), ("notes.txt", False),
     ("none.png", False), ("", False), ("/etc/passwd", False)],
)  # fmt: skip
def test_a_logo_is_a_picture_inside_the_folder_of_plugins(
    folder: Path, path: str, there: bool
) -> None:
    plugin = Plugin("trip", folder / "trip.py", None, ("Core",), SimpleNamespace(LOGO=path))
    assert look.logo(plugin) == (folder / "logo.png" if there else None)


PLAIN = (PLUGINS / "010_trip_planner.py").read_text(encoding="utf-8")


@pytest.fixture
def of_our_own(make_client, folder: Path):
    """A client of a host with the trip planner, which has a look of its own."""

    def with_look(lines: str):
        name = "    DISPLAY_NAME ="
        assert PLAIN.count(name) == 1
        text = PLAIN.replace(name, f"{lines}\n{name}")
        (folder / "010_trip_planner.py").write_text(text, encoding="utf-8")
        return make_client(folder)

    return with_look


def test_a_logo_is_served_and_runs_no_scripts(of_our_own) -> None:
    client = of_our_own('    LOGO = "logo.png"')
    answer = client.get("/static/logo/trip_planner")
    assert (answer.status_code, answer.content) == (200, b"x")
    assert answer.headers["content-type"] == "image/png"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert client.get("/static/logo/nobody").status_code == 404
    assert "/static/logo/trip_planner" in client.get("/trip_planner").text
    assert "/static/logo" not in client.get("/").text


@pytest.mark.parametrize(
    ("contact", "shown"),
    [("ada@example.org", '<a href="mailto:ada@example.org">'),
     ("https://example.org/help", '<a href="https://example.org/help">example.org/help</a>'),
     ("<b>Ada</b>, room 5", "&lt;b&gt;Ada&lt;/b&gt;, room 5"), ("javascript:alert(1)", "Questions? javascript:alert(1)")],
)  # fmt: skip
def test_a_contact_is_an_address_or_a_text(of_our_own, contact: str, shown: str) -> None:
    assert shown in of_our_own(f"    CONTACT = {contact!r}").get("/trip_planner").text


def test_an_intro_is_safe_markdown(of_our_own) -> None:
    page = of_our_own('    INTRO = "Hi *you* <script>alert(1)</script>"').get("/trip_planner").text
    assert "<em>you</em>" in page
    assert "alert(1)</script>" not in page
