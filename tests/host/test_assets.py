import subprocess
import sys

import pytest

from pipulate_runtime.host.base import markup


@pytest.mark.parametrize(
    "name", ["host.css", "host.js", "icon.svg", "htmx.min.js", "ws.js", "sse.js"]
)
def test_a_file_has_an_address_that_changes_with_it(name):
    content, kind = markup.content(name)
    assert content
    assert kind.startswith(("text/", "image/"))
    assert markup.url(name).startswith(f"/static/{name}?v=")


@pytest.mark.parametrize("name", ["", "..", "../app.py", "/etc/passwd", "nothing.css", ".hidden"])
def test_only_listed_files_are_served(name):
    assert markup.content(name) is None


def test_htmx_is_found_without_importing_its_django_package():
    code = "import sys; from pipulate_runtime.host.base import markup; markup.content('htmx.min.js'); print('js_lib_htmx' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip()
        == "False"
    )


def test_the_style_sheet_and_the_script_ask_nothing_of_other_machines():
    for name in ("host.css", "host.js"):
        text = markup.content(name)[0].decode()
        assert "url(" not in text
        assert "http" not in text
        assert "@import" not in text
