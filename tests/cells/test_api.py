"""What a plugin and the host use, and the routes that serve what lies beside a page."""

import asyncio
import subprocess
import sys

import pytest
from fasthtml.common import FastHTML, fast_app, to_xml
from starlette.testclient import TestClient

from pipulate_runtime.cells import Cells, cell, cell_text, configure
from pipulate_runtime.cells.outputs.collect import error
from pipulate_runtime.cells.page import frame
from pipulate_runtime.cells.source.source import Source
from pipulate_runtime.cells.storage.folders import RunFolder
from tests.cells.conftest import run


def test_cells_are_found_in_source_order(sample):
    source = sample.plugin.cells.source
    assert [c.id for c in source.of_step("step_01")] == ["imports1", "load0001"]
    assert [c.id for c in source.of_step("step_03")] == ["report01", "report02"]
    assert source.of_step("finalize") == []


def test_a_cell_is_not_called_by_its_mark():
    with pytest.raises(ValueError, match="one of output, code, both, none"):
        cell("a", show="all")
    assert cell_text("a", "1", raises=True, timeout=3).options.timeout == 3


def test_the_hash_is_that_of_the_code_not_of_its_looks(make):
    def hash_of(body):
        return (
            make(f'@cell("a")\ndef step_01_cell(form):\n{body}')
            .plugin.cells.source.of_step("step_01")[0]
            .hash
        )

    base = hash_of("    global x  # out: for the steps after\n    x = f('a')\n")
    assert hash_of("    global x, y  # in\n    # why\n    x = f(\n        'a'\n    )\n") == base
    assert hash_of("    global x\n    x = f('b')\n") != base
    assert hash_of("    global x\n    return f('a')\n") != base


def test_notice_of_an_older_version(sample):
    cells = sample.plugin.cells
    record = [{"id": c.id, "hash": c.hash, "outputs": []} for c in cells.source.of_step("step_02")]
    assert cells.notice("step_02", {"limit": 1, "_cells": record}) is None
    assert cells.notice("step_02", {"limit": 1}) is None
    assert "older version" in to_xml(
        cells.notice("step_02", {"_cells": [{**record[0], "hash": "0"}]})
    )
    assert "older version" in to_xml(cells.notice("step_02", {"_cells": []}))


def test_shown_code_has_the_answers(sample):
    class Both(type(sample.plugin)):
        @cell("limit001", show="both")
        def step_02_cell(form): ...

    plugin = Both(FastHTML(), sample.pip)
    record = {"id": "limit001", "hash": "", "code": 'limit = form["limit"]', "outputs": []}
    sample.pip.write_state("k", {"step_02": {"limit": 731, "_cells": [record]}})
    assert "731" in to_xml(plugin.cells.show("k", [record]))


def test_show_of_a_cell_the_plugin_no_longer_has(sample):
    record = {"id": "gone", "hash": "", "code": "", "outputs": [error("E", "m")]}
    assert "E: m" in to_xml(sample.plugin.cells.show("k", [record]))
    assert sample.plugin.cells.show("k", []) is None


def test_a_plugin_without_a_file_can_be_made():
    made = type("Made", (), {"__module__": "nowhere", "step_01_cell": cell("a")(lambda form: 1)})
    assert Source(made).text == ""
    with pytest.raises(LookupError, match="step_01_cell"):
        Source(made).of_step("step_01")


def test_importing_and_making_cells_is_light():
    """A plugin is imported by a server that may never run it; upstream does so in its event loop."""
    code = """
import sys
from fasthtml.common import FastHTML
before = set(sys.modules)  # FastHTML 0.12 imports IPython itself
from pipulate_runtime.cells import Cells, configure
class P:
    app, app_name, steps, pip = FastHTML(), "p", [], None
Cells(P())
configure(max_kernels=3)
print([m for m in ("jupyter_client", "zmq", "nbformat", "IPython", "nh3", "markdown_it", "pygments", "psutil") if m in sys.modules.keys() - before])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.kernel
def test_kernels_of_another_event_loop(make):
    """Tests and scripts run one event loop after the other; kernels of a gone loop are not used again."""
    walker = make('@cell("a")\ndef step_01_cell(form):\n    return 1\n')

    async def once():
        execution = await walker.step("step_01")
        assert not execution.error

    asyncio.run(once())
    run(once())
    assert walker.saves == ["step_01", "step_01"]


# --- routes ---


class Plugin:
    app_name = "app"
    steps = ()
    pip = None

    def __init__(self, app):
        self.app = app
        self.cells = Cells(self)


@pytest.fixture
def client(data):
    app, _ = fast_app(
        static_path=str(data), pico=False
    )  # with its own routes for files, as upstream has
    return TestClient(app, base_url="http://127.0.0.1:5001"), Plugin(app).cells


def test_a_payload_is_served_with_its_type_and_cannot_act(client):
    http, cells = client
    folder = cells.folder("k")
    for content, kind, mime in (
        (b"\x89PNG", "png", "image/png"),
        (b"<script>", "html", "text/html; charset=utf-8"),
    ):
        digest, _ = folder.keep(content, kind).split(".")
        answer = http.get(f"/app/output/{folder.name}/{digest}/{kind}")
        assert (answer.status_code, answer.content, answer.headers["content-type"]) == (
            200,
            content,
            mime,
        )
        assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "immutable" in answer.headers["cache-control"]


def test_a_frame_is_a_page_with_a_policy(client):
    http, cells = client
    cells.show(
        "k",
        [
            {
                "id": "c",
                "outputs": [
                    {
                        "output_type": "display_data",
                        "metadata": {},
                        "data": {frame.HTML: "<script>1</script>"},
                    }
                ],
            }
        ],
    )
    folder = cells.folder("k")
    (file,) = folder.outputs.iterdir()
    answer = http.get(f"/app/output/{folder.name}/{file.stem}/frame")
    assert "<script>1</script>" in answer.text
    assert "pipulateFrame" in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'; script-src")
    assert " http://127.0.0.1:5001/app/output/lib/;" in policy
    assert "allow-same-origin" not in policy


def test_libraries_are_served(client):
    http, _ = client
    answer = http.get("/app/output/lib/plotly?v=1")
    assert answer.status_code == 200
    assert "plotly.js" in answer.text[:200]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert http.get("/app/output/lib/os").status_code == 404
    assert http.get("/app/output/lib/..%2f..%2fsecret").status_code == 404


def test_two_plugins_of_one_app_serve_their_own(data):
    app = FastHTML()
    http, plugins = TestClient(app, base_url="http://127.0.0.1:5001"), []
    for name in ("one", "two"):
        plugins.append(type(name, (Plugin,), {"app_name": name})(app))
    for plugin in plugins:
        folder = plugin.cells.folder("k")
        digest = folder.keep(plugin.app_name.encode(), "text").split(".")[0]
        assert (
            http.get(f"/{plugin.app_name}/output/{folder.name}/{digest}/text").text
            == plugin.app_name
        )


def test_nothing_else_is_served(client, data):
    http, cells = client
    folder = cells.folder("k")
    name = folder.keep(b"x", "text")
    (data / "secret.png").write_text("secret")
    (folder.path / ("0" * 32 + ".png")).write_text("secret")
    digest = name.split(".")[0]
    for path in (
        f"{folder.name}/{digest}/py",
        f"{folder.name}/{digest}/png",
        f"{folder.name}/{digest.upper()}/text",
        f"../{folder.name}/{digest}/text",
        f"..%2f{folder.name}/{digest}/text",
        f"{folder.name}/..%2f..%2f..%2f..%2fsecret/png",
        f"{folder.name}/..%2f{'0' * 32}/png",
        f"k-0000000000/{digest}/text",
    ):
        answer = http.get(f"/app/output/{path}")
        assert answer.status_code == 404, path
        assert "secret" not in answer.text


@pytest.mark.parametrize("key", ["../../etc", "a/b", "ü" * 300, "", ".", "\ud800"])
def test_the_folder_of_a_run_is_inside_the_data_folder(tmp_path, key):
    folder = RunFolder(tmp_path, "app", key)
    assert folder.path.parent == tmp_path / "runs" / "app"
    folder.fresh_work(None)
    assert folder.work.is_dir()
    assert RunFolder(tmp_path, "app", key + "x").path != folder.path


def test_a_fresh_working_folder_has_nothing_of_the_run_before(tmp_path):
    bundle = tmp_path / "bundle"
    (bundle / "deep").mkdir(parents=True)
    (bundle / "deep" / "a.csv").write_text("1")
    folder = RunFolder(tmp_path, "app", "k")
    folder.fresh_work(bundle)
    (folder.work / "deep" / "a.csv").write_text("changed")
    (folder.work / "new").write_text("x")
    kept = folder.keep(b"payload", "text")
    folder.fresh_work(bundle)
    assert [p.name for p in folder.work.rglob("*")] == ["deep", "a.csv"]
    assert (folder.work / "deep" / "a.csv").read_text() == "1"
    assert folder.read(kept) == b"payload"


def test_configure_without_an_event_loop(tmp_path):
    configure(data=tmp_path)
    assert RunFolder(tmp_path, "a", "b").path.is_relative_to(tmp_path)
